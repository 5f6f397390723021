// Order along one axis, with NumPy's names. Stable, ascending; NaN comes last.
#pragma once

#include <optional>

#include "weft/core/arg.h"

namespace weft::np {

/// x with the elements along `axis` in ascending order; of the flattened array when `axis` is std::nullopt. Complex
/// numbers go by real, then imaginary part. IndexError for an axis out of range.
Array sort(const Arg& x, std::optional<int> axis = -1);
/// i32: the positions that sort(x, axis) takes its elements from.
Array argsort(const Arg& x, std::optional<int> axis = -1);

}  // namespace weft::np
