// Order along one axis, with NumPy's names. Stable. NaN comes last, or first when descending.
#pragma once

#include "weft/core/arg.h"
#include "weft/np/params.h"

namespace weft::np {

/// x with the elements along `axis` in ascending order, or in descending; of the flattened array when `axis` is
/// std::nullopt. Complex numbers go by real, then imaginary part, those with a NaN in either last. IndexError for an
/// axis out of range.
Array sort(const Arg& x, OptionalAxis axis = -1, Flag descending = false);
/// i32: the positions that sort takes its elements from. Equal elements keep their order, descending too.
Array argsort(const Arg& x, OptionalAxis axis = -1, Flag descending = false);

}  // namespace weft::np
