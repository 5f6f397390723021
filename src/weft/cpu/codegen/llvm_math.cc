#include "weft/cpu/codegen/llvm_math.h"

#include <llvm/Analysis/VectorUtils.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/ValueMapper.h>

#include "weft/base/error.h"
#include "weft/cpu/math/bitcode.h"

namespace weft::cpu {

llvm::Type* llvm_type(llvm::LLVMContext& context, DType t) {
  if (t == f32) return llvm::Type::getFloatTy(context);
  if (t == f64) return llvm::Type::getDoubleTy(context);
  return llvm::Type::getIntNTy(context, static_cast<unsigned>(8 * byte_size(t)));
}

llvm::Type* vector_of(llvm::Type* type, unsigned lanes) {
  return lanes == 1 ? type : llvm::FixedVectorType::get(type, lanes);
}

LlvmMath::LlvmMath(llvm::LLVMContext& context, bool has_fma) : has_fma_(has_fma) {
  const std::span<const std::byte> bytes = math_bitcode();
  const llvm::StringRef text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  auto module = llvm::getLazyBitcodeModule(llvm::MemoryBufferRef(text, "math"), context);
  if (!module) throw InternalError("the math library's bitcode cannot be read: " + llvm::toString(module.takeError()));
  math_ = std::move(*module);
}

llvm::Function* LlvmMath::find(const std::string& name) {
  llvm::Function* f = math_->getFunction("weft_" + name);
  if (!f) throw InternalError("LlvmMath: no function weft_" + name);
  if (f->isMaterializable())
    if (llvm::Error e = f->materialize())
      throw InternalError("the math library's bitcode cannot be read: " + llvm::toString(std::move(e)));
  return f;
}

// Whether it can be widened: one basic block, no calls but of intrinsics that exist for vectors.
bool LlvmMath::straight(llvm::Function* f) {
  const auto [it, inserted] = straight_.try_emplace(f, false);
  if (!inserted) return it->second;
  if (f->size() != 1) return false;
  for (const llvm::Instruction& i : f->getEntryBlock()) {
    if (const auto* call = llvm::dyn_cast<llvm::CallInst>(&i)) {
      const llvm::Function* callee = call->getCalledFunction();
      if (!callee || !callee->isIntrinsic() || !llvm::isTriviallyVectorizable(callee->getIntrinsicID())) return false;
      continue;
    }
    if (!llvm::isa<llvm::BinaryOperator, llvm::UnaryOperator, llvm::CastInst, llvm::CmpInst, llvm::SelectInst,
                   llvm::FreezeInst, llvm::ReturnInst>(i))
      return false;
  }
  return straight_[f] = true;
}

llvm::Value* LlvmMath::call(llvm::IRBuilder<>& b, llvm::Module& module, const std::string& name,
                            llvm::ArrayRef<llvm::Value*> args, unsigned lanes) {
  llvm::Function* f = find(name);
  return straight(f) ? widen(b, module, f, args, lanes) : each_lane(b, module, f, args, lanes);
}

llvm::Value* LlvmMath::widen(llvm::IRBuilder<>& b, llvm::Module& module, llvm::Function* f,
                             llvm::ArrayRef<llvm::Value*> args, unsigned lanes) {
  llvm::DenseMap<const llvm::Value*, llvm::Value*> now;
  for (unsigned i = 0; i < args.size(); ++i) now[f->getArg(i)] = args[i];
  const auto operand = [&](llvm::Value* v) -> llvm::Value* {
    if (auto* c = llvm::dyn_cast<llvm::Constant>(v))
      return lanes == 1 ? c : llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(lanes), c);
    return now.lookup(v);
  };
  for (llvm::Instruction& i : f->getEntryBlock()) {
    llvm::Value* result = nullptr;
    if (auto* op = llvm::dyn_cast<llvm::BinaryOperator>(&i)) {
      result = b.CreateBinOp(op->getOpcode(), operand(op->getOperand(0)), operand(op->getOperand(1)));
    } else if (llvm::isa<llvm::UnaryOperator>(i)) {
      result = b.CreateFNeg(operand(i.getOperand(0)));
    } else if (auto* cast = llvm::dyn_cast<llvm::CastInst>(&i)) {
      llvm::Value* x = operand(cast->getOperand(0));
      llvm::Type* to = vector_of(cast->getDestTy(), lanes);
      auto* from = llvm::dyn_cast<llvm::CastInst>(x);
      // bool is a byte with one bit: back and forth is nothing.
      if (cast->getOpcode() == llvm::Instruction::Trunc && from && from->getOpcode() == llvm::Instruction::ZExt &&
          from->getSrcTy() == to)
        result = from->getOperand(0);
      else
        result = b.CreateCast(cast->getOpcode(), x, to);
    } else if (auto* compare = llvm::dyn_cast<llvm::CmpInst>(&i)) {
      result = b.CreateCmp(compare->getPredicate(), operand(compare->getOperand(0)), operand(compare->getOperand(1)));
    } else if (auto* select = llvm::dyn_cast<llvm::SelectInst>(&i)) {
      result = b.CreateSelect(operand(select->getCondition()), operand(select->getTrueValue()),
                              operand(select->getFalseValue()));
    } else if (llvm::isa<llvm::FreezeInst>(i)) {
      result = operand(i.getOperand(0));
    } else if (auto* call = llvm::dyn_cast<llvm::CallInst>(&i)) {
      llvm::Function* callee = call->getCalledFunction();
      const llvm::Intrinsic::ID id = callee->getIntrinsicID();
      llvm::SmallVector<llvm::Type*, 2> overloads, wide;
      llvm::Intrinsic::getIntrinsicSignature(callee, overloads);
      for (llvm::Type* t : overloads) wide.push_back(vector_of(t, lanes));
      llvm::SmallVector<llvm::Value*, 3> operands;
      for (unsigned a = 0; a < call->arg_size(); ++a)
        operands.push_back(llvm::isVectorIntrinsicWithScalarOpAtArg(id, a) ? call->getArgOperand(a)
                                                                           : operand(call->getArgOperand(a)));
      internal_check(id != llvm::Intrinsic::fma || call->getType()->isFloatTy(), "LlvmMath: multiply-adds are of f32");
      if (id == llvm::Intrinsic::fma && !has_fma_)
        result = this->call(b, module, "multiply_add_f32", operands, lanes);
      else
        result = b.CreateCall(llvm::Intrinsic::getDeclaration(&module, id, wide), operands);
    } else {
      return operand(llvm::cast<llvm::ReturnInst>(i).getReturnValue());
    }
    now[&i] = result;
  }
  throw InternalError("LlvmMath: a function that does not return");
}

llvm::Value* LlvmMath::each_lane(llvm::IRBuilder<>& b, llvm::Module& module, llvm::Function* f,
                                 llvm::ArrayRef<llvm::Value*> args, unsigned lanes) {
  llvm::Function* own = module.getFunction(f->getName());
  if (!own) {
    own = llvm::Function::Create(f->getFunctionType(), llvm::GlobalValue::InternalLinkage, f->getName(), module);
    llvm::ValueToValueMapTy now;
    for (unsigned i = 0; i < f->arg_size(); ++i) now[f->getArg(i)] = own->getArg(i);
    for (llvm::Instruction& i : llvm::instructions(*f))
      if (auto* call = llvm::dyn_cast<llvm::CallInst>(&i))
        if (llvm::Function* callee = call->getCalledFunction()) {
          internal_check(callee->isDeclaration(), "LlvmMath: a function that calls another");
          now[callee] = module.getOrInsertFunction(callee->getName(), callee->getFunctionType()).getCallee();
        }
    llvm::SmallVector<llvm::ReturnInst*, 4> returns;
    llvm::CloneFunctionInto(own, f, now, llvm::CloneFunctionChangeType::DifferentModule, returns);
    own->setLinkage(llvm::GlobalValue::InternalLinkage);
    own->setAttributes({});
    own->setDoesNotThrow();
  }
  if (lanes == 1) return b.CreateCall(own, args);
  llvm::Value* result = llvm::PoisonValue::get(vector_of(f->getReturnType(), lanes));
  for (unsigned l = 0; l < lanes; ++l) {
    llvm::SmallVector<llvm::Value*, 3> lane;
    for (llvm::Value* a : args) lane.push_back(b.CreateExtractElement(a, l));
    result = b.CreateInsertElement(result, b.CreateCall(own, lane), l);
  }
  return result;
}

}  // namespace weft::cpu
