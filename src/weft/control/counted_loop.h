// While loops that count, as the scans that they are. Private to Weft; front ends whose only loop is `while` call it.
#pragma once

#include <optional>

#include "weft/core/array.h"
#include "weft/ir/jaxpr.h"

namespace weft::control {

/// The results of while[cond, body](operands), which must fit together, by a `scan`, which can be differentiated in
/// reverse, when the number of steps is known (see counting.h); nullopt, and nothing done, when it is not. `known[i]`
/// is operand i if it is an integer scalar with a value that is known now.
///
/// Carried values that the body returns as they came become captures; an array that is read by dynamic_slice one row
/// further at each step is scanned over, and one that is written so by dynamic_update_slice is stacked, so that the
/// memory and work of reverse mode are linear in the number of steps. Counters that nothing else needs vanish.
std::optional<Arrays> counted_loop(const ir::Jaxpr& cond, const ir::Jaxpr& body, std::span<const Array> operands,
                                   const std::vector<std::optional<std::int64_t>>& known);

}  // namespace weft::control
