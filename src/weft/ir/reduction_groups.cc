#include "weft/ir/reduction_groups.h"

#include <algorithm>

#include "weft/ir/reduction_order.h"

namespace weft::ir {

void ReductionGroups::push(std::int64_t size, bool is_reduced) {
  if (!sizes.empty() && reduced.back() == is_reduced) {
    sizes.back() *= size;
  } else {
    sizes.push_back(size);
    reduced.push_back(is_reduced);
  }
}

ReductionGroups reduction_groups(DimSpan shape, DimSpan axes) {
  ReductionGroups g;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    const bool reduced = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end();
    g.push(shape[d], reduced);
  }
  return g;
}

std::int64_t reduction_fold(std::int64_t n, std::int64_t width) {
  const std::int64_t fold = width < kReduceFoldWidth / 2 ? kReduceFoldWidth / width : 1;
  return n >= 4 * fold ? fold : 1;
}

}  // namespace weft::ir
