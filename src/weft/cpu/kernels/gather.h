// Gathers of whole rows: the common case of indexing with an integer array, as copies.
#pragma once

#include <functional>

#include "weft/ir/aval.h"
#include "weft/ir/indexing.h"

namespace weft::cpu {

/// A function for gathers that pick complete slices along the first axis of a dense operand with
/// one clamped i32 or i64 index each; null for all others.
std::function<void(const void* const* in, void* const* out)> plan_gather_rows(const GatherParams& params, Aval x, Aval indices, Aval out);

}  // namespace weft::cpu
