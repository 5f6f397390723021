// Unary operations made of basic arithmetic.
#include "weft/cpu/math/unary.h"

#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"

namespace weft::cpu::WEFT_ISA {
namespace {

template <class T>
const ElementwiseKernel* real(OpCode op) {
  switch (op) {
#define WEFT_UNARY_FLOAT(code, name, F) \
  case OpCode::code: return &kUnary<F, T>;
#include "weft/cpu/math/functions.def"
    default: return nullptr;
  }
}

template <class T>
const ElementwiseKernel* integer(OpCode op) {
  switch (op) {
#define WEFT_UNARY_INTEGER(code, name, F, As) \
  case OpCode::code: return &kUnary<F, As<T>>;
#include "weft/cpu/math/functions.def"
    default: return nullptr;
  }
}

const ElementwiseKernel* boolean_op(OpCode op) {
  switch (op) {
#define WEFT_UNARY_BOOL(code, name, F) \
  case OpCode::code: return &kUnary<F, Bool>;
#include "weft/cpu/math/functions.def"
    default: return nullptr;
  }
}

}  // namespace

const ElementwiseKernel* unary_float(OpCode op, DType t) {
  return for_float(t, [op]<class T>(TypeTag<T>) { return real<T>(op); });
}

const ElementwiseKernel* unary_integer(OpCode op, DType t) {
  if (t == DType::kBool) return boolean_op(op);
  return for_integer(t, [op]<class T>(TypeTag<T>) { return integer<T>(op); });
}

}  // namespace weft::cpu::WEFT_ISA
