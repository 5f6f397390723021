// A kernel as an LLVM function.
#pragma once

#include <string>

#include "weft/compiler/kernel.h"
#include "weft/cpu/codegen/llvm_unit.h"

namespace weft::cpu {

/// Whether a kernel's outermost loop may be cut at any multiple of the result; 0: it may not.
std::int64_t split_step(const compiler::Kernel& kernel);

/// void name(ptr buffer..., i64 begin, i64 end): the kernel for steps [begin, end) of its outermost loop, where `begin`
/// is a multiple of split_step. Without `split` the range is all of it and not a parameter.
llvm::Function* emit_kernel(LlvmUnit& unit, const compiler::Kernel& kernel, const std::string& name, bool split);

}  // namespace weft::cpu
