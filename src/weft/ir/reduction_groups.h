// How a reduction sees the shape of what it reduces.
#pragma once

#include "weft/base/dims.h"

namespace weft::ir {

/// Kept and reduced axes in turn, each group as one axis; axes of one element are left out.
struct ReductionGroups {
  Dims sizes;
  SmallVector<bool, 6> reduced;

  /// Another axis to the right; one like its neighbour joins it.
  void push(std::int64_t size, bool is_reduced);
};
ReductionGroups reduction_groups(DimSpan shape, DimSpan axes);

/// How many rows count as one when columns, `n` rows of `width` elements, are reduced.
std::int64_t reduction_fold(std::int64_t n, std::int64_t width);

}  // namespace weft::ir
