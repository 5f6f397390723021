// A compiled program of this stage: its equations in order, each with its plan, memory released
// after the last use and reused in place where an operand dies.
#pragma once

#include "weft/cpu/plan.h"
#include "weft/runtime/client.h"

namespace weft::cpu {

/// Nested calls are inlined (ir::inline_calls) and dead equations removed.
std::shared_ptr<const Executable> make_executable(const ir::Jaxpr& jaxpr);

}  // namespace weft::cpu
