// Equations that carry programs, as simplify writes them: what goes into the programs, what comes out of them, and
// those that need not run.
#pragma once

#include "weft/compiler/simplify_rewriter.h"

namespace weft::compiler::simplifying {

/// Whether equations of this operation are written by write_with_programs.
bool carries_programs(OpCode op);

/// The results of an equation that carries programs, which are simplified with it.
Atoms write_with_programs(Rewriter& to, Equation e);

}  // namespace weft::compiler::simplifying
