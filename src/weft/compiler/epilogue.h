// Epilogues: kernels that follow an operation piece by piece, on what is complete of its result while the caches still
// have it and the rest is being computed.
#pragma once

#include "weft/compiler/procedure.h"

namespace weft::compiler {

/// Fills Procedure::epilogues. Memory has been planned.
void find_epilogues(Procedure& procedure, const Target& target);

}  // namespace weft::compiler
