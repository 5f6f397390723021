// Which elements of host data are zero: what a pattern keeps of values.
#pragma once

#include <vector>

#include "weft/ir/tensor.h"

namespace weft::transforms {

/// 1 for each of the `n` elements that is not zero (NaN is not, nor is a complex number with one part), else 0.
std::vector<char> nonzero_elements(DType t, const void* data, std::int64_t n);

}  // namespace weft::transforms
