// One elementwise operation of a kernel, applied to some lanes.
#pragma once

#include "weft/compiler/kernel.h"
#include "weft/cpu/codegen/llvm_unit.h"

namespace weft::cpu {

/// About how many instructions an application becomes.
int code_size(const compiler::Instr& i);

/// The operation of `i`, whose operands are of `types`, on operands of `lanes` lanes each, at the builder's place, of
/// which it may make new blocks. Functions that are long and often used are called, others written out.
llvm::Value* emit_apply(LlvmUnit& unit, llvm::IRBuilder<>& b, const compiler::Instr& i, std::span<const DType> types,
                        llvm::ArrayRef<llvm::Value*> operands, unsigned lanes);

llvm::Value* emit_convert(LlvmUnit& unit, llvm::IRBuilder<>& b, llvm::Value* v, DType from, DType to, unsigned lanes);

}  // namespace weft::cpu
