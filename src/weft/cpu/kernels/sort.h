// Sorting along one dimension. Knows dtypes and shapes, not arrays.
// Order: NaN above all numbers and equal to one another, -0 equal to 0, complex by real part, then imaginary part.
// Always stable.
#pragma once

#include <span>

#include "weft/base/dims.h"
#include "weft/ir/dtype.h"

namespace weft::cpu {

/// True when sort() serves such an axis: all dtypes that are computed in, fewer than 2^32 elements.
bool can_sort(std::span<const DType> types, std::int64_t n);

/// out[k] is in[k] reordered along `dimension` so that the first `num_keys` of them ascend, the first key counting
/// most. Outputs must not overlap inputs.
void sort(std::span<const DType> types, DimSpan shape, std::int64_t dimension, std::int64_t num_keys,
          const void* const* in, void* const* out);

}  // namespace weft::cpu
