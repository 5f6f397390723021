// Transcendental functions of f32, and of f16 and bf16 through it.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/math_f32.h"
#include "weft/cpu/kernels/isa/math_f64.h"
#include "weft/cpu/kernels/isa/tables.h"
#include "weft/cpu/kernels/isa/trigonometric.h"

namespace weft::cpu::WEFT_ISA {
namespace {

// A function of double as one of float.
template <class F>
struct Narrowed : SameResult {
  static constexpr float kCost = F::kCost;
  template <class T>
  WEFT_INLINE float apply(T x) {
    return static_cast<float>(F::apply(static_cast<double>(x)));
  }
};
// One of float; the small floats go through it.
template <class F>
struct Direct : SameResult {
  static constexpr float kCost = F::kCost;
  template <class T>
  WEFT_INLINE float apply(T x) {
    return F::apply(x);
  }
};

template <class T>
const ElementwiseKernel* common(OpCode op) {
  switch (op) {
    case OpCode::kExponential: return &kUnary<Direct<math_f32::Exponential>, T>;
    case OpCode::kExponentialMinusOne: return &kUnary<Direct<math_f32::ExponentialMinusOne>, T>;
    case OpCode::kLog: return &kUnary<Narrowed<math_f32::Log>, T>;
    case OpCode::kLogPlusOne: return &kUnary<Narrowed<math_f32::LogPlusOne>, T>;
    case OpCode::kLogistic: return &kUnary<Narrowed<math_f32::Logistic>, T>;
    case OpCode::kTanh: return &kUnary<Narrowed<math_f32::Tanh>, T>;
    case OpCode::kSinh: return &kUnary<Narrowed<math_f32::Sinh>, T>;
    case OpCode::kCosh: return &kUnary<Narrowed<math_f32::Cosh>, T>;
    case OpCode::kAcos: return &kUnary<Narrowed<math_f64::Acos>, T>;
    case OpCode::kAcosh: return &kUnary<Narrowed<math_f64::Acosh>, T>;
    case OpCode::kAsin: return &kUnary<Narrowed<math_f64::Asin>, T>;
    case OpCode::kAsinh: return &kUnary<Narrowed<math_f64::Asinh>, T>;
    case OpCode::kAtan: return &kUnary<Narrowed<math_f64::Atan>, T>;
    case OpCode::kAtanh: return &kUnary<Narrowed<math_f64::Atanh>, T>;
    case OpCode::kCbrt: return &kUnary<Narrowed<math_f64::Cbrt>, T>;
    case OpCode::kErf: return &kUnary<Narrowed<math_f32::Erf>, T>;
    case OpCode::kErfc: return &kUnary<Narrowed<math_f32::Erfc>, T>;
    case OpCode::kErfInv: return &kUnary<Narrowed<math_f32::ErfInv>, T>;
    default: return nullptr;
  }
}

}  // namespace

const ElementwiseKernel* unary_math_f32(OpCode op) {
  switch (op) {
    case OpCode::kSine: return &kTrigonometric<math_f32::Sine, float>;
    case OpCode::kCosine: return &kTrigonometric<math_f32::Cosine, float>;
    case OpCode::kTan: return &kTrigonometric<math_f64::Tan, float>;
    default: return common<float>(op);
  }
}

const ElementwiseKernel* unary_math_small(OpCode op, DType t) {
  if (t == DType::kF16) return common<Half>(op);
  return t == DType::kBF16 ? common<Brain>(op) : nullptr;
}

}  // namespace weft::cpu::WEFT_ISA
