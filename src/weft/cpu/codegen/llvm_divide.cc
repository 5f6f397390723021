#include "weft/cpu/codegen/llvm_divide.h"

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/MDBuilder.h>

namespace weft::cpu {

namespace {

using Code = llvm::Value*;

// Whether 2^-most <= |x| < 2^most, lane by lane. With such operands no step below leaves the range of normal numbers.
Code moderate(llvm::IRBuilder<>& b, Code x) {
  const bool is_float = x->getType()->getScalarType()->isFloatTy();
  const int most = is_float ? 60 : 400, bias = is_float ? 127 : 1023, mantissa = is_float ? 23 : 52;
  llvm::Type* bits = x->getType()->getWithNewType(is_float ? b.getInt32Ty() : b.getInt64Ty());
  const auto exponent = [&](int e) { return llvm::ConstantInt::get(bits, static_cast<std::uint64_t>(e) << mantissa); };
  Code magnitude = b.CreateAnd(b.CreateBitCast(x, bits), exponent(2 * bias + 1));
  return b.CreateICmpULT(b.CreateSub(magnitude, exponent(bias - most)), exponent(2 * most));
}

}  // namespace

Divisor make_divisor(llvm::IRBuilder<>& b, Code value, unsigned lanes) {
  Code reciprocal = b.CreateFDiv(llvm::ConstantFP::get(value->getType(), 1.0), value);
  return {b.CreateVectorSplat(lanes, value), b.CreateVectorSplat(lanes, reciprocal), moderate(b, value)};
}

// Markstein, "Computation of elementary functions on the IBM RISC System/6000 processor" (1990): from a quotient within
// one unit in the last place, which the first correction gives, and a correctly rounded reciprocal, the second
// correction, whose remainder is exact, rounds correctly.
Code divide(llvm::IRBuilder<>& b, Code x, const Divisor& y) {
  llvm::Function* f = b.GetInsertBlock()->getParent();
  const auto block = [&](const char* name) { return llvm::BasicBlock::Create(b.getContext(), name, f); };
  llvm::BasicBlock *quick = block("quick"), *slow = block("slow"), *done = block("done");
  Code all = b.CreateAnd(b.CreateAndReduce(moderate(b, x)), y.moderate);
  b.CreateCondBr(all, quick, slow, llvm::MDBuilder(b.getContext()).createBranchWeights(1000, 1));
  b.SetInsertPoint(quick);
  const auto fma = [&](Code u, Code v, Code w) {
    return b.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {u, v, w});
  };
  Code minus = b.CreateFNeg(y.value), near = b.CreateFMul(x, y.reciprocal);
  for (int correction = 0; correction < 2; ++correction) near = fma(fma(minus, near, x), y.reciprocal, near);
  b.CreateBr(done);
  b.SetInsertPoint(slow);
  Code exact = b.CreateFDiv(x, y.value);
  b.CreateBr(done);
  b.SetInsertPoint(done);
  llvm::PHINode* result = b.CreatePHI(x->getType(), 2);
  result->addIncoming(near, quick);
  result->addIncoming(exact, slow);
  return result;
}

}  // namespace weft::cpu
