// Transcendental functions of two floats.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/math_f32.h"
#include "weft/cpu/kernels/isa/math_f64.h"
#include "weft/cpu/kernels/isa/tables.h"

namespace weft::cpu::WEFT_ISA {
namespace {

// A function of doubles as one of T; its cost is a double's, and the descriptor doubles that of 8-byte elements.
template <class F>
struct Rounded : SameResult {
  static constexpr float kCost = F::kCost;
  static constexpr bool kSpreadsScalars = true;
  template <class T>
  WEFT_INLINE T apply(T x, T y) {
    return static_cast<T>(F::apply(static_cast<double>(x), static_cast<double>(y)));
  }
};

template <class F>
const ElementwiseKernel* small_or_f32(DType t) {
  switch (t) {
    case DType::kF16: return &kBinary<Rounded<F>, Half>;
    case DType::kBF16: return &kBinary<Rounded<F>, Brain>;
    case DType::kF32: return &kBinary<Rounded<F>, float>;
    default: return nullptr;
  }
}

}  // namespace

// The power of two f64 needs a logarithm of more digits than a double has: it stays with the C library.
const ElementwiseKernel* binary_math(OpCode op, DType t) {
  if (op == OpCode::kPower) return small_or_f32<math_f32::Power>(t);
  if (op != OpCode::kAtan2) return nullptr;
  return t == DType::kF64 ? &kBinary<Rounded<math_f64::Atan2>, double> : small_or_f32<math_f64::Atan2>(t);
}

}  // namespace weft::cpu::WEFT_ISA
