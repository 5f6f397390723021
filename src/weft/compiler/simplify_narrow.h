// The pass of simplify that looks back from what is needed.
#pragma once

#include "weft/ir/jaxpr.h"

namespace weft::compiler::simplifying {

/// The program without what nobody needs: equations, results and operands of programs inside, and those elements of a
/// value that no slice of it takes where all that it is used for are equal slices. The same program when nothing
/// changes. `columns_apart` is that of narrowed (simplify_window.h).
ir::Jaxpr narrow(const ir::Jaxpr& program, bool columns_apart = false);

}  // namespace weft::compiler::simplifying
