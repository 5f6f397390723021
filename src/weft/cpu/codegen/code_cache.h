// The code of programs, kept in files between processes (compilation_cache()).
//
// An entry's name is a hash of all that decides what its code is: the program, ready for code, as text; the effort; the
// processor; LLVM's version; and the build of our compiler. It is known before LLVM does anything. The code has no
// addresses of this process in it (run_context.h), so an entry holds the object files as they were made.
#pragma once

#include "weft/cpu/codegen/llvm_gen.h"

namespace weft::cpu {

/// generate_code for this processor, or what it once was: read from the cache when there is an entry for it, else made
/// and put there. Safe from several threads and processes.
GeneratedCode kept_code(const compiler::Program& program, Effort effort);

}  // namespace weft::cpu
