// Transcendental functions of f64.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/periodic.h"
#include "weft/cpu/kernels/isa/tables.h"
#include "weft/cpu/math/transcendental.h"

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
#define WEFT_UNARY_F64(code, name, F) \
  case OpCode::code: return &kFunction<F>;
#define WEFT_PERIODIC_F64(code, name, F) \
  case OpCode::code: return &kPeriodic<F, double>;
#include "weft/cpu/math/functions.def"
    default: return nullptr;
  }
}

}  // namespace weft::cpu::WEFT_ISA
