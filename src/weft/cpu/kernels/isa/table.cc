// The kernels of one instruction set, in one table.
#include "weft/cpu/kernels/isa/tables.h"

namespace weft::cpu::WEFT_ISA {
namespace {

const ElementwiseKernel* unary(OpCode op, DType t) {
  if (const ElementwiseKernel* k = unary_float(op, t)) return k;
  if (t == DType::kF32) return unary_math_f32(op);
  if (t == DType::kF64) return unary_math_f64(op);
  if (const ElementwiseKernel* k = unary_math_small(op, t)) return k;
  if (const ElementwiseKernel* k = unary_complex(op, t)) return k;
  return unary_integer(op, t);
}

const ElementwiseKernel* binary(OpCode op, DType t) {
  if (const ElementwiseKernel* k = binary_float(op, t)) return k;
  if (const ElementwiseKernel* k = binary_math(op, t)) return k;
  if (const ElementwiseKernel* k = binary_complex(op, t)) return k;
  return binary_integer(op, t);
}

const ElementwiseKernel* any_compare(CompareOp op, DType t) {
  const ElementwiseKernel* k = compare(op, t);
  return k ? k : compare_complex(op, t);
}

}  // namespace

const IsaKernels kKernels = {unary,        binary,   any_compare, select,   clamp,      convert,
                             copy,         reduce,   arg_reduce,  cumsum,   find_above, gemm,
                             ordered_gemm, threefry, window,      winograd, cholesky,   stream};

}  // namespace weft::cpu::WEFT_ISA
