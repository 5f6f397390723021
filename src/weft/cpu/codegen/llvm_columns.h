// Kernels that reduce over columns: lanes go along the last axis that is kept, and each adds up its own column, in the
// order of cpu/kernels/isa/reduce.cc.
#pragma once

#include <string>

#include "weft/compiler/kernel.h"
#include "weft/cpu/codegen/llvm_unit.h"

namespace weft::cpu {

/// A kernel of columns may be cut at multiples of this.
inline constexpr std::int64_t kColumnSplit = 256;

/// As emit_kernel; kernel.columns is true.
llvm::Function* emit_columns(LlvmUnit& unit, const compiler::Kernel& kernel, const std::string& name, bool split);

}  // namespace weft::cpu
