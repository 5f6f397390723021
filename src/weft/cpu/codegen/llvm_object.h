// From an LLVM module to machine code.
#pragma once

#include <llvm/IR/Module.h>
#include <llvm/Support/CodeGen.h>
#include <llvm/Target/TargetMachine.h>

#include <string>
#include <vector>

#include "weft/runtime/compilation.h"

namespace weft::cpu {

/// Makes the module's code better. What we generate is vector code in straight lines already, so few passes suffice;
/// those of Effort::kMax find some more.
void optimise(llvm::TargetMachine& machine, llvm::Module& module, Effort effort);

/// The bytes of one file of an optimised module.
std::string machine_code(llvm::TargetMachine& machine, llvm::Module& module, llvm::CodeGenFileType type);

/// The object files of a module that is not optimised yet: one, or, of a long one, num_threads() that are made at once,
/// which must be loaded together. The code of a function is the same in any number of files. Consumes the module.
std::vector<std::string> optimised_objects(llvm::TargetMachine& here, llvm::Module& module, Effort effort);

}  // namespace weft::cpu
