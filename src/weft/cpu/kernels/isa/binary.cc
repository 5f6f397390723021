// Binary operations, comparisons and clamp made of basic arithmetic.
#include "weft/cpu/math/binary.h"

#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"

namespace weft::cpu::WEFT_ISA {
namespace {

template <class T>
const ElementwiseKernel* real(OpCode op) {
  switch (op) {
#define WEFT_BINARY_FLOAT(code, name, F) \
  case OpCode::code: return &kBinary<F, T>;
#include "weft/cpu/math/functions.def"
    default: return nullptr;
  }
}

template <class T>
const ElementwiseKernel* integer(OpCode op) {
  switch (op) {
#define WEFT_BINARY_INTEGER(code, name, F, As) \
  case OpCode::code: return &kBinary<F, As<T>>;
#include "weft/cpu/math/functions.def"
    default: return nullptr;
  }
}

// bool is one byte, 0 or 1, so the loops of u8 serve it.
const ElementwiseKernel* boolean_op(OpCode op) {
  switch (op) {
#define WEFT_BINARY_BOOL(code, name, F) \
  case OpCode::code: return &kBinary<F, std::uint8_t>;
#include "weft/cpu/math/functions.def"
    default: return nullptr;
  }
}

template <class T>
const ElementwiseKernel* comparison(CompareOp op) {
  switch (op) {
#define WEFT_COMPARE(code, name, F) \
  case CompareOp::code: return &kBinary<F, T>;
#include "weft/cpu/math/functions.def"
  }
  return nullptr;
}

template <class T>
inline constexpr ElementwiseKernel kClamp = make_ternary<Clamp, T, T, T>();
template <class T>
inline constexpr ElementwiseKernel kSmallClamp = {
    small_float_loop<T, ternary_loop<Clamp, float, float, float>, 3, false>, 3, {2, 2, 2}, 2, 1.0f};

}  // namespace

const ElementwiseKernel* binary_float(OpCode op, DType t) {
  return for_float(t, [op]<class T>(TypeTag<T>) { return real<T>(op); });
}

const ElementwiseKernel* binary_integer(OpCode op, DType t) {
  if (t == DType::kBool) return boolean_op(op);
  return for_integer(t, [op]<class T>(TypeTag<T>) { return integer<T>(op); });
}

const ElementwiseKernel* compare(CompareOp op, DType t) {
  const auto find = [op]<class T>(TypeTag<T>) { return comparison<T>(op); };
  if (t == DType::kBool) return find(TypeTag<std::uint8_t>{});
  const ElementwiseKernel* k = for_integer(t, find);
  return k ? k : for_float(t, find);
}

const ElementwiseKernel* clamp(DType t) {
  const auto find = []<class T>(TypeTag<T>) -> const ElementwiseKernel* {
    if constexpr (is_small_float<T>)
      return &kSmallClamp<T>;
    else
      return &kClamp<T>;
  };
  const ElementwiseKernel* k = for_integer(t, find);
  return k ? k : for_float(t, find);
}

}  // namespace weft::cpu::WEFT_ISA
