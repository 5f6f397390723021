// The scalar functions of cpu/math in code that is generated: each application is the function's own instructions,
// copied for one element or widened, one by one, to vectors of elements.
#pragma once

#include <llvm/ADT/DenseMap.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <memory>
#include <string>

#include "weft/ir/dtype.h"

namespace weft::cpu {

/// The LLVM type of elements as they are in memory and passed to the functions of cpu/math: bool is i8, f16 and bf16
/// are i16. Complex numbers, which are only moved, are integers of their size.
llvm::Type* llvm_type(llvm::LLVMContext& context, DType t);

/// `type` for one lane, else a vector of it.
llvm::Type* vector_of(llvm::Type* type, unsigned lanes);

class LlvmMath {
 public:
  /// `has_fma`: fused multiply-add is an instruction; else it is written out.
  LlvmMath(llvm::LLVMContext& context, bool has_fma);

  /// weft_<name>(args) of `lanes` lanes each, at the builder's place in `module`. InternalError when there is no such
  /// function.
  llvm::Value* call(llvm::IRBuilder<>& b, llvm::Module& module, const std::string& name,
                    llvm::ArrayRef<llvm::Value*> args, unsigned lanes);

 private:
  llvm::Function* find(const std::string& name);
  bool straight(llvm::Function* f);
  llvm::Value* widen(llvm::IRBuilder<>& b, llvm::Module& module, llvm::Function* f, llvm::ArrayRef<llvm::Value*> args,
                     unsigned lanes);
  llvm::Value* each_lane(llvm::IRBuilder<>& b, llvm::Module& module, llvm::Function* f,
                         llvm::ArrayRef<llvm::Value*> args, unsigned lanes);

  std::unique_ptr<llvm::Module> math_;
  bool has_fma_;
  llvm::DenseMap<llvm::Function*, bool> straight_;
};

}  // namespace weft::cpu
