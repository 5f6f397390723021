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

const ElementwiseKernel* unary_math_f64(OpCode op) {
  switch (op) {
    case OpCode::kAcos: return &kFunction<math_f64::Acos>;
    case OpCode::kAcosh: return &kFunction<math_f64::Acosh>;
    case OpCode::kAsin: return &kFunction<math_f64::Asin>;
    case OpCode::kAsinh: return &kFunction<math_f64::Asinh>;
    case OpCode::kAtan: return &kFunction<math_f64::Atan>;
    case OpCode::kAtanh: return &kFunction<math_f64::Atanh>;
    case OpCode::kCbrt: return &kFunction<math_f64::Cbrt>;
    case OpCode::kCosh: return &kFunction<math_f64::Cosh>;
    case OpCode::kCosine: return &kTrigonometric<math_f64::Cosine, double>;
    case OpCode::kExponential: return &kFunction<math_f64::Exponential>;
    case OpCode::kExponentialMinusOne: return &kFunction<math_f64::ExponentialMinusOne>;
    case OpCode::kLog: return &kFunction<math_f64::Log>;
    case OpCode::kLogPlusOne: return &kFunction<math_f64::LogPlusOne>;
    case OpCode::kLogistic: return &kFunction<math_f64::Logistic>;
    case OpCode::kSine: return &kTrigonometric<math_f64::Sine, double>;
    case OpCode::kSinh: return &kFunction<math_f64::Sinh>;
    case OpCode::kTan: return &kTrigonometric<math_f64::Tan, double>;
    case OpCode::kTanh: return &kFunction<math_f64::Tanh>;
    default: return nullptr;
  }
}

}  // namespace weft::cpu::WEFT_ISA
