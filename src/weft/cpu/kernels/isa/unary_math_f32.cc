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
struct ErfInv : SameResult {
  static constexpr float kCost = math_f32::ErfInv::kCost;
  template <class T>
  WEFT_INLINE float apply(T x) {
    return math_f32::ErfInv::apply(x);
  }
};

template <class T>
const ElementwiseKernel* common(UnaryOp op) {
  switch (op) {
    case UnaryOp::kExponential: return &kUnary<Narrowed<math_f32::Exponential>, T>;
    case UnaryOp::kExponentialMinusOne: return &kUnary<Narrowed<math_f32::ExponentialMinusOne>, T>;
    case UnaryOp::kLog: return &kUnary<Narrowed<math_f32::Log>, T>;
    case UnaryOp::kLogPlusOne: return &kUnary<Narrowed<math_f32::LogPlusOne>, T>;
    case UnaryOp::kLogistic: return &kUnary<Narrowed<math_f32::Logistic>, T>;
    case UnaryOp::kTanh: return &kUnary<Narrowed<math_f32::Tanh>, T>;
    case UnaryOp::kSinh: return &kUnary<Narrowed<math_f32::Sinh>, T>;
    case UnaryOp::kCosh: return &kUnary<Narrowed<math_f32::Cosh>, T>;
    case UnaryOp::kAcos: return &kUnary<Narrowed<math_f64::Acos>, T>;
    case UnaryOp::kAcosh: return &kUnary<Narrowed<math_f64::Acosh>, T>;
    case UnaryOp::kAsin: return &kUnary<Narrowed<math_f64::Asin>, T>;
    case UnaryOp::kAsinh: return &kUnary<Narrowed<math_f64::Asinh>, T>;
    case UnaryOp::kAtan: return &kUnary<Narrowed<math_f64::Atan>, T>;
    case UnaryOp::kAtanh: return &kUnary<Narrowed<math_f64::Atanh>, T>;
    case UnaryOp::kCbrt: return &kUnary<Narrowed<math_f64::Cbrt>, T>;
    case UnaryOp::kErf: return &kUnary<Narrowed<math_f32::Erf>, T>;
    case UnaryOp::kErfc: return &kUnary<Narrowed<math_f32::Erfc>, T>;
    case UnaryOp::kErfInv: return &kUnary<ErfInv, T>;
    default: return nullptr;
  }
}

}  // namespace

const ElementwiseKernel* unary_math_f32(UnaryOp op) {
  switch (op) {
    case UnaryOp::kSine: return &kTrigonometric<math_f32::Sine, float>;
    case UnaryOp::kCosine: return &kTrigonometric<math_f32::Cosine, float>;
    case UnaryOp::kTan: return &kTrigonometric<math_f64::Tan, float>;
    default: return common<float>(op);
  }
}

const ElementwiseKernel* unary_math_small(UnaryOp op, DType t) {
  if (t == DType::kF16) return common<Half>(op);
  return t == DType::kBF16 ? common<Brain>(op) : nullptr;
}

}  // namespace weft::cpu::WEFT_ISA
