// A program compiled to machine code, as an executable. Only in builds with LLVM.
#pragma once

#include "weft/runtime/client.h"

namespace weft::cpu {

/// Compiles now. The effort is not kNone.
std::shared_ptr<const Executable> compile_program(const ir::Jaxpr& jaxpr, const ExecutableOptions& options = {});

}  // namespace weft::cpu
