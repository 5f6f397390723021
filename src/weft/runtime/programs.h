// Operations that carry programs, run by compiled forms of those, so that what is inside has a client's kernels.
#pragma once

#include "weft/runtime/client.h"

namespace weft {

/// Runs `call`, one that ir::runs_programs is true of, whose operands are buffers that inference accepts. Appends the
/// results. The programs inside are compiled with `effort`.
void run_programs(const Call& call, Arrays& outs, Effort effort = default_effort());

}  // namespace weft
