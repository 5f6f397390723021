// Reductions over any dimensions. Knows dtypes and shapes, not arrays or ops.
// Invariant: every result is a fixed tree of its shape: the bits depend neither on threads nor on the instruction set.
// Sums are pairwise above runs of sixteen, so errors grow with the logarithm of the count.
#pragma once

#include "weft/base/dims.h"
#include "weft/cpu/kernels/kernel.h"
#include "weft/ir/dtype.h"

namespace weft::cpu {

/// True when reduce() serves `op` on `t`: sum, prod, max, min of i32, i64, u32, f16, bf16, f32, f64; max, min of u8;
/// and, or, max, min of bool.
bool can_reduce(ReduceOp op, DType t);

/// out[kept] = op of in[kept, axes] over `axes` (distinct, any order); the small floats accumulate in f32. Without
/// elements: sum 0, prod 1, max the least value (-inf), min the greatest, and true, or false. NaN wins max and min.
/// `out` must not overlap `in`. Throws InternalError unless can_reduce(op, t).
void reduce(ReduceOp op, DType t, DimSpan shape, DimSpan axes, const void* in, void* out);

/// True when arg_reduce() serves `t`: bool, integers of 8 to 64 bits, f16, bf16, f32, f64.
bool can_arg_reduce(DType t);

/// out[kept] = position along `axis` of the first largest (or, without `max`, smallest) element; the first NaN if
/// there is one. `index_type` is i32, i64, u32 or u64. Throws InternalError when the axis is empty (callers check).
void arg_reduce(bool max, DType t, DType index_type, DimSpan shape, std::int64_t axis, const void* in, void* out);

}  // namespace weft::cpu
