// Orders of examples that follow from numbers alone, the same for ever and everywhere.
#pragma once

#include <cstdint>
#include <vector>

#include "weft/base/location.h"

namespace weft::train {

/// 0 ... n-1 in an order that (seed, epoch) decide, all orders about equally often: Fisher and Yates' shuffle by
/// numbers from SplitMix64. ValueError when n is negative.
std::vector<std::int64_t> shuffled(std::int64_t n, std::int64_t seed, std::int64_t epoch,
                                   SourceLocation loc = std::source_location::current());

}  // namespace weft::train
