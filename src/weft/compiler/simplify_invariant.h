// What loops compute at each step again.
#pragma once

#include "weft/compiler/simplify_rewriter.h"

namespace weft::compiler::simplifying {

/// Moves out of the body of a scan or while loop what it computes of its captures alone, where that is more than a view
/// of them: the loop then captures the results.
void hoist_invariants(Rewriter& to, Equation& loop);

}  // namespace weft::compiler::simplifying
