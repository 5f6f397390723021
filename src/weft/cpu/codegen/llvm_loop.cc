#include "weft/cpu/codegen/llvm_loop.h"

namespace weft::cpu {

void emit_for(llvm::IRBuilder<>& b, llvm::Value* begin, llvm::Value* end, std::int64_t step,
              llvm::function_ref<void(llvm::Value*)> body) {
  llvm::BasicBlock* before = b.GetInsertBlock();
  llvm::Function* f = before->getParent();
  auto *loop = llvm::BasicBlock::Create(b.getContext(), "loop", f),
       *after = llvm::BasicBlock::Create(b.getContext(), "after", f);
  b.CreateCondBr(b.CreateICmpSLT(begin, end), loop, after);
  b.SetInsertPoint(loop);
  llvm::PHINode* i = b.CreatePHI(b.getInt64Ty(), 2);
  i->addIncoming(begin, before);
  body(i);
  llvm::Value* next = b.CreateAdd(i, llvm::ConstantInt::getSigned(b.getInt64Ty(), step), "", true, true);
  i->addIncoming(next, b.GetInsertBlock());
  b.CreateCondBr(b.CreateICmpSLT(next, end), loop, after);
  b.SetInsertPoint(after);
}

llvm::Value* emit_join(llvm::IRBuilder<>& b, llvm::Value* vector, unsigned lanes,
                       llvm::function_ref<llvm::Value*(llvm::Value*, llvm::Value*, unsigned)> join) {
  for (unsigned half = lanes / 2; half > 0; half /= 2) {
    if (half == 1)
      return join(b.CreateExtractElement(vector, std::uint64_t{0}), b.CreateExtractElement(vector, std::uint64_t{1}),
                  1);
    llvm::SmallVector<int, 32> low, high;
    for (unsigned l = 0; l < half; ++l) low.push_back(static_cast<int>(l)), high.push_back(static_cast<int>(l + half));
    vector = join(b.CreateShuffleVector(vector, low), b.CreateShuffleVector(vector, high), half);
  }
  return vector;  // one lane
}

}  // namespace weft::cpu
