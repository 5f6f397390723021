// Kernels whose lanes go along the row: plain nests, and reductions over rows in the order of
// cpu/kernels/isa/reduce.cc.
#pragma once

#include <string>

#include "weft/compiler/kernel.h"
#include "weft/cpu/codegen/llvm_unit.h"

namespace weft::cpu {

/// A single row may be cut at multiples of so many bytes of its widest result, or so many elements where none varies: a
/// group of vectors, at most.
inline constexpr std::int64_t kMostRowStepBytes = 256;

/// As emit_kernel; kernel.columns is false.
llvm::Function* emit_rows(LlvmUnit& unit, const compiler::Kernel& kernel, const std::string& name, bool split);

}  // namespace weft::cpu
