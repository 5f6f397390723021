// A kernel as an LLVM function.
#pragma once

#include <map>
#include <string>

#include "weft/compiler/kernel.h"
#include "weft/cpu/codegen/llvm_math.h"

namespace weft::cpu {

/// What the parts of one module share.
struct LlvmUnit {
  llvm::LLVMContext& context;
  llvm::Module& module;
  LlvmMath& math;
  unsigned vector_bytes;                 // of the widest registers
  std::map<std::string, int> uses = {};  // of long functions, by name and lanes
};

/// Whether a kernel's outermost loop may be cut at any multiple of the result; 0: it may not.
std::int64_t split_step(const compiler::Kernel& kernel);

/// void name(ptr buffer..., i64 begin, i64 end): the kernel for steps [begin, end) of its outermost loop, where `begin`
/// is a multiple of split_step. Without `split` the range is all of it and not a parameter.
llvm::Function* emit_kernel(LlvmUnit& unit, const compiler::Kernel& kernel, const std::string& name, bool split);

}  // namespace weft::cpu
