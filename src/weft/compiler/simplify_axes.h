// Lists of axes and permutations, as the rules of simplify need them. Knows nothing of programs.
#pragma once

#include <algorithm>
#include <numeric>

#include "weft/base/dims.h"

namespace weft::compiler::simplifying {

inline std::size_t as_index(std::int64_t axis) { return static_cast<std::size_t>(axis); }

inline bool contains(DimSpan axes, std::int64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

inline bool is_increasing(DimSpan axes) { return std::is_sorted(axes.begin(), axes.end()); }

/// 0, 1, ..., rank - 1.
inline Dims all_axes(std::size_t rank) {
  Dims r(rank);
  std::iota(r.begin(), r.end(), std::int64_t{0});
  return r;
}

/// The axes below `rank` that are in neither list, in order.
inline Dims axes_without(std::size_t rank, DimSpan a, DimSpan b = {}) {
  Dims r;
  for (const std::int64_t axis : all_axes(rank))
    if (!contains(a, axis) && !contains(b, axis)) r.push_back(axis);
  return r;
}

/// list[axes[0]], list[axes[1]], ...
inline Dims picked(DimSpan list, DimSpan axes) {
  Dims r;
  for (const std::int64_t axis : axes) r.push_back(list[as_index(axis)]);
  return r;
}

inline Dims inverse(DimSpan permutation) {
  Dims r(permutation.size());
  for (std::size_t i = 0; i < permutation.size(); ++i) r[as_index(permutation[i])] = static_cast<std::int64_t>(i);
  return r;
}

/// The axes of another size than 1, in order.
inline Dims long_axes(DimSpan shape) {
  Dims r;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 1) r.push_back(static_cast<std::int64_t>(i));
  return r;
}

}  // namespace weft::compiler::simplifying
