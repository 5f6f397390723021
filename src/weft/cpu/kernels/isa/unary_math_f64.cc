// Transcendental functions of f64.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/math_f64.h"
#include "weft/cpu/kernels/isa/tables.h"
#include "weft/cpu/kernels/isa/trigonometric.h"

namespace weft::cpu::WEFT_ISA {
namespace {

template <class F>
inline constexpr ElementwiseKernel kFunction{.loop = unary_loop<F, double, double>,
                                             .operands = 1,
                                             .in_bytes = {8, 0, 0},
                                             .out_bytes = 8,
                                             .cost = F::kCost + move_cost(16)};

}  // namespace

const ElementwiseKernel* unary_math_f64(UnaryOp op) {
  switch (op) {
    case UnaryOp::kAcos: return &kFunction<math_f64::Acos>;
    case UnaryOp::kAcosh: return &kFunction<math_f64::Acosh>;
    case UnaryOp::kAsin: return &kFunction<math_f64::Asin>;
    case UnaryOp::kAsinh: return &kFunction<math_f64::Asinh>;
    case UnaryOp::kAtan: return &kFunction<math_f64::Atan>;
    case UnaryOp::kAtanh: return &kFunction<math_f64::Atanh>;
    case UnaryOp::kCbrt: return &kFunction<math_f64::Cbrt>;
    case UnaryOp::kCosh: return &kFunction<math_f64::Cosh>;
    case UnaryOp::kCosine: return &kTrigonometric<math_f64::Cosine, double>;
    case UnaryOp::kExponential: return &kFunction<math_f64::Exponential>;
    case UnaryOp::kExponentialMinusOne: return &kFunction<math_f64::ExponentialMinusOne>;
    case UnaryOp::kLog: return &kFunction<math_f64::Log>;
    case UnaryOp::kLogPlusOne: return &kFunction<math_f64::LogPlusOne>;
    case UnaryOp::kLogistic: return &kFunction<math_f64::Logistic>;
    case UnaryOp::kSine: return &kTrigonometric<math_f64::Sine, double>;
    case UnaryOp::kSinh: return &kFunction<math_f64::Sinh>;
    case UnaryOp::kTan: return &kTrigonometric<math_f64::Tan, double>;
    case UnaryOp::kTanh: return &kFunction<math_f64::Tanh>;
    default: return nullptr;
  }
}

}  // namespace weft::cpu::WEFT_ISA
