// Short sequences of sizes, axes and strides.
#pragma once

#include <cstdint>
#include <span>

#include "weft/base/small_vector.h"

namespace weft {

using Dims = SmallVector<std::int64_t, 6>;
using DimSpan = std::span<const std::int64_t>;

/// Product of the sizes; 1 for a scalar.
inline std::int64_t product(DimSpan dims) {
  std::int64_t n = 1;
  for (const std::int64_t d : dims) n *= d;
  return n;
}

/// Row-major strides, in elements.
inline Dims row_major_strides(DimSpan dims) {
  Dims strides(dims.size());
  std::int64_t step = 1;
  for (std::size_t i = dims.size(); i-- > 0;) {
    strides[i] = step;
    step *= dims[i];
  }
  return strides;
}

inline bool same_dims(DimSpan a, DimSpan b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i]) return false;
  return true;
}

}  // namespace weft
