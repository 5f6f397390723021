// Programs made ready to run on the CPU: compiled to machine code in builds with LLVM, else step by step.
#pragma once

#include "weft/cpu/plan.h"
#include "weft/runtime/client.h"

namespace weft::cpu {

/// The best that this build has for the effort, which is Effort::kDefault when none is given.
std::shared_ptr<const Executable> make_executable(const ir::Jaxpr& jaxpr, const ExecutableOptions& options = {});

/// Its equations in order, each by its kernel, memory released after the last use and reused in place where an operand
/// dies. Ready at once. Nested calls are inlined (ir::inline_calls) and dead equations removed.
std::shared_ptr<const Executable> make_stepwise(const ir::Jaxpr& jaxpr);

}  // namespace weft::cpu
