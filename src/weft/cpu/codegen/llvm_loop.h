// Shapes of code that several emitters make: counting loops, and vectors joined to one value.
#pragma once

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/IRBuilder.h>

namespace weft::cpu {

/// for (i = begin; i < end; i += step) body(i), of 64-bit integers; the builder is behind it afterwards.
void emit_for(llvm::IRBuilder<>& b, llvm::Value* begin, llvm::Value* end, std::int64_t step,
              llvm::function_ref<void(llvm::Value*)> body);

/// The lanes of a vector joined in halves: lane i with lane i + n/2, then the same of the n/2 results. `join` takes two
/// values of the same number of lanes, and that number.
llvm::Value* emit_join(llvm::IRBuilder<>& b, llvm::Value* vector, unsigned lanes,
                       llvm::function_ref<llvm::Value*(llvm::Value*, llvm::Value*, unsigned)> join);

}  // namespace weft::cpu
