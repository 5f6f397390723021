// What the parts of one LLVM module share while it is made.
#pragma once

#include <map>
#include <string>

#include "weft/cpu/codegen/llvm_math.h"

namespace weft::cpu {

struct LlvmUnit {
  llvm::LLVMContext& context;
  llvm::Module& module;
  LlvmMath& math;
  unsigned vector_bytes;                 // of the widest registers
  bool alone;                            // CodeOptions::alone
  bool has_fma;                          // fused multiply-add is an instruction, not a call of the C library
  std::map<std::string, int> uses = {};  // of long functions, by name and lanes
};

}  // namespace weft::cpu
