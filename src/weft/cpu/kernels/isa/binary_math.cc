// Transcendental functions of two floats.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"
#include "weft/cpu/math/transcendental.h"

namespace weft::cpu::WEFT_ISA {
namespace {

template <class T>
const ElementwiseKernel* common(OpCode op) {
  switch (op) {
#define WEFT_BINARY_F32(code, name, F) \
  case OpCode::code: return &kBinary<F, T>;
#include "weft/cpu/math/functions.def"
    default: return nullptr;
  }
}

const ElementwiseKernel* of_f64(OpCode op) {
  switch (op) {
#define WEFT_BINARY_F64(code, name, F) \
  case OpCode::code: return &kBinary<F, double>;
#include "weft/cpu/math/functions.def"
    default: return nullptr;
  }
}

}  // namespace

const ElementwiseKernel* binary_math(OpCode op, DType t) {
  switch (t) {
    case DType::kF16: return common<Half>(op);
    case DType::kBF16: return common<Brain>(op);
    case DType::kF32: return common<float>(op);
    case DType::kF64: return of_f64(op);
    default: return nullptr;
  }
}

}  // namespace weft::cpu::WEFT_ISA
