// What scans take slices of. An array of all slices that is made beside nothing but what is the same at each step, by
// cheap operations, need not be in memory: the body makes each slice from one of what the array is made from. It knows
// costs roughly and nothing of kernels. Invariant: no more is computed than before, and no more is in memory.
#pragma once

#include "weft/compiler/simplify_rewriter.h"

namespace weft::compiler::simplifying {

/// Moves into the body of the scan what makes an operand that it takes slices of, where that is one cheap operation
/// after another on one array, and the scan alone uses it: in the old program, and not as a result in `known`. What is
/// nothing but the same at each step is captured.
void make_slices_inside(const Rewriter& to, Equation& scan, std::span<const std::optional<Atom>> known);

}  // namespace weft::compiler::simplifying
