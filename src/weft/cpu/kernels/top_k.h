// The largest elements of rows. Knows dtypes, not arrays.
#pragma once

#include "weft/ir/dtype.h"

namespace weft::cpu {

/// True when top_k() serves `t`: whatever is computed in and is not complex.
bool can_top_k(DType t);

/// values[r, i] = in[r, positions[r, i]], the k largest of n elements, the largest first and of equal ones the earlier
/// first; floats in total order, but that all NaN of a sign are equal. n is at most 2^31, k at most n.
void top_k(DType t, std::int64_t rows, std::int64_t n, std::int64_t k, const void* in, void* values,
           std::int32_t* positions);

}  // namespace weft::cpu
