// Operations that carry programs, run by compiled forms of those, so that what is inside has a client's kernels.
#pragma once

#include "weft/runtime/client.h"

namespace weft {

/// Whether `run_programs` runs the operation: call, case, while, scan, composite and checkpoint.
bool carries_programs(OpCode op);

/// Runs `call`, whose operands are buffers that inference accepts. Appends the results.
void run_programs(const Call& call, Arrays& outs);

}  // namespace weft
