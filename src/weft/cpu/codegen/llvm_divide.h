// Division of vectors by one number, in fewer cycles than the processor's division takes, with the same bits.
#pragma once

#include <llvm/IR/IRBuilder.h>

namespace weft::cpu {

/// A float or double that many are divided by.
struct Divisor {
  llvm::Value* value;       // in all lanes
  llvm::Value* reciprocal;  // 1 / value, in all lanes
  llvm::Value* moderate;    // i1: its magnitude is neither near 0 nor near infinity
};

Divisor make_divisor(llvm::IRBuilder<>& b, llvm::Value* value, unsigned lanes);

/// x / y, correctly rounded. For machines with fused multiply-add. Adds blocks to the builder's function.
llvm::Value* divide(llvm::IRBuilder<>& b, llvm::Value* x, const Divisor& y);

}  // namespace weft::cpu
