// Cholesky factors of many matrices. Knows dtypes and sizes, not arrays.
// Invariant: the same bits whatever the threads and the instruction set.
#pragma once

#include <cstdint>

#include "weft/ir/dtype.h"

namespace weft::cpu {

/// True when cholesky() serves `t`: f32 and f64.
bool can_cholesky(DType t);

/// Of each of `count` symmetric n x n matrices, row-major, one behind the other: its lower factor L with a = L L^T, of
/// which only a's lower triangle is read, or with `lower` false L^T, of the upper one. The other triangle becomes zero;
/// the factor of a matrix that is not positive definite is NaN. Products are subtracted one by one in the order of
/// columns, each rounded. `out` must not overlap `in`.
void cholesky(DType t, std::int64_t count, std::int64_t n, bool lower, const void* in, void* out);

}  // namespace weft::cpu
