// Transcendental functions of f32, and of f16 and bf16 through it.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/periodic.h"
#include "weft/cpu/kernels/isa/tables.h"
#include "weft/cpu/math/transcendental.h"

namespace weft::cpu::WEFT_ISA {
namespace {

template <class T>
const ElementwiseKernel* common(OpCode op) {
  switch (op) {
#define WEFT_UNARY_F32(code, name, F) \
  case OpCode::code: return &kUnary<F, T>;
#include "weft/cpu/math/functions.def"
    default: return nullptr;
  }
}

}  // namespace

const ElementwiseKernel* unary_math_f32(OpCode op) {
  switch (op) {
#define WEFT_PERIODIC_F32(code, name, F) \
  case OpCode::code: return &kPeriodic<F, float>;
#include "weft/cpu/math/functions.def"
    default: return common<float>(op);
  }
}

const ElementwiseKernel* unary_math_small(OpCode op, DType t) {
  if (t == DType::kF16) return common<Half>(op);
  return t == DType::kBF16 ? common<Brain>(op) : nullptr;
}

}  // namespace weft::cpu::WEFT_ISA
