// Kernels whose lanes go along the row: plain nests, and reductions over rows in the order of
// cpu/kernels/isa/reduce.cc.
#pragma once

#include <string>

#include "weft/compiler/kernel.h"
#include "weft/cpu/codegen/llvm_unit.h"

namespace weft::cpu {

/// As emit_kernel; kernel.columns is false.
llvm::Function* emit_rows(LlvmUnit& unit, const compiler::Kernel& kernel, const std::string& name, bool split);

}  // namespace weft::cpu
