// What follows a kernel while the caches still have its result.
#pragma once

#include <cstdint>

#include "weft/base/function_ref.h"

namespace weft::cpu {

/// Called for ranges of a result's elements, counted in row-major order, that are complete: each element once, ranges
/// in any order, on any thread, perhaps several at the same time. Ranges begin and end at multiples of `granule`, but
/// for the last one's end.
struct Epilogue {
  FunctionRef<void(std::int64_t begin, std::int64_t end)> run;
  std::int64_t granule;
};

}  // namespace weft::cpu
