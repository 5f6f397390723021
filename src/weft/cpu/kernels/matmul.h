// Matrix products of every dtype, batched and strided, and the mapping of dot_general onto them.
// Knows dtypes and shapes, not arrays or ops. Large f32 products go through oneDNN when it is there.
// Invariant: on one machine the bits of a result do not depend on the number of threads.
#pragma once

#include "weft/base/dims.h"
#include "weft/cpu/kernels/kernel.h"
#include "weft/ir/dtype.h"

namespace weft::cpu {

/// c[s, i, j] = sum_p a[s, i, p] * b[s, p, j]. Strides are in elements; c[s, i, j] is at s * c_batch + i * c_row + j.
/// Two axes may make the batch: a[s] is at s / inner * a_batch + s % inner * a_inner, and b[s] alike.
struct MatmulProblem {
  std::int64_t batch = 1, m = 1, n = 1, k = 1;
  std::int64_t inner = 1, a_inner = 0, b_inner = 0;
  std::int64_t a_batch = 0, a_row = 0, a_col = 0;
  std::int64_t b_batch = 0, b_row = 0, b_col = 0;
  std::int64_t c_batch = 0, c_row = 0;
  DType dtype = f32;   // of a and b
  DType result = f32;  // of c
  /// As DotGeneralParams says: f32 and f64 by our own kernel, with the same bits on every instruction set.
  bool ordered = false;
};

/// Served: f32 -> f32; f64 -> f64; f16, bf16 -> itself or f32; integers and complex types -> themselves.
bool can_matmul(DType dtype, DType result);

/// Runs the product; c is overwritten and overlaps nothing. f16 and bf16 accumulate in f32 and round once; integers
/// wrap. Throws InternalError unless can_matmul(problem.dtype, problem.result).
void matmul(const MatmulProblem& problem, const void* a, const void* b, void* c);

/// How a dot_general runs as a matmul. An operand whose dimensions do not merge into (batch, row, column) strides is
/// first transposed by its permutation (empty: used in place).
struct DotPlan {
  MatmulProblem problem;
  Dims lhs_permutation, rhs_permutation;
  Dims result_shape;  // batch, free dimensions of lhs, free dimensions of rhs
};

/// Dense row-major operands; dimension lists as in StableHLO, already checked.
DotPlan plan_dot_general(DType dtype, DType result, DimSpan lhs_shape, DimSpan rhs_shape, DimSpan lhs_batch,
                         DimSpan rhs_batch, DimSpan lhs_contracting, DimSpan rhs_contracting);

/// Transposes what the plan says and multiplies; `out` is dense, of plan.result_shape.
void run_dot_general(const DotPlan& plan, DimSpan lhs_shape, DimSpan rhs_shape, const void* lhs, const void* rhs,
                     void* out);

}  // namespace weft::cpu
