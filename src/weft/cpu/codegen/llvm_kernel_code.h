// What all emitters of kernels share: the function, values that do not change in the innermost loops, and moving
// lanes of elements from and to memory.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <span>
#include <vector>

#include "weft/compiler/kernel.h"
#include "weft/cpu/codegen/llvm_unit.h"

namespace weft::cpu {

/// LLVM's values; the kernel's are numbers.
using Code = llvm::Value*;

class KernelCode {
 protected:
  static constexpr std::uint64_t kStreamAlign = 64;
  using Affine = compiler::Affine;
  using Instr = compiler::Instr;
  using Kernel = compiler::Kernel;
  using Number = compiler::Value;

  /// Elements that stand together in one vector.
  struct Piece {
    Code index;      // of the first
    unsigned count;  // fewer than lanes_ only at the end
  };

  KernelCode(LlvmUnit& unit, const Kernel& kernel, const std::string& name, bool split);

  llvm::Constant* number(std::int64_t v) { return llvm::ConstantInt::getSigned(i64_, v); }
  llvm::BasicBlock* block(const char* name) { return llvm::BasicBlock::Create(unit_.context, name, f_); }
  llvm::Type* type(DType t) { return llvm_type(unit_.context, t); }
  llvm::AllocaInst* alloca_bytes(std::int64_t bytes);
  Code range_begin() { return f_->getArg(static_cast<unsigned>(f_->arg_size()) - 2); }
  Code range_end() { return f_->getArg(static_cast<unsigned>(f_->arg_size()) - 1); }

  /// After the memory of the frame: what depends on no loop.
  void begin_code();
  /// The loops from `level` up to, not including, `last`; `body` is inside of them all.
  void outer_loops(std::size_t level, std::size_t last, llvm::function_ref<void()> body);
  /// What depends on exactly the first `level` loops, and in phase `phase` on nothing later.
  void scalars(std::size_t level, std::uint16_t phase);

  static llvm::Align align(DType t) { return llvm::Align(static_cast<std::uint64_t>(byte_size(real_dtype(t)))); }
  /// The part of an affine index that the first `loops` loops make.
  Code offset(const Affine& a, std::size_t loops);
  Code address(std::uint32_t buffer, DType t, Code element) {
    return b_.CreateGEP(type(t), f_->getArg(buffer), element);
  }
  Code address(const Instr& i, Code element) { return address(i.buffer, i.dtype, element); }

  Code splat(Code v) { return lanes_ == 1 ? v : b_.CreateVectorSplat(lanes_, v); }
  /// Which lanes of the piece have an element.
  llvm::Constant* mask();
  /// Elements base[coeff * (piece index + lane)].
  Code get(Code base, DType t, std::int64_t coeff);
  void put(Code v, Code base, DType t, std::int64_t coeff);
  /// first + coeff * (piece index + lane), converted as iota does.
  Code count(Code first, std::int64_t coeff, DType t);

  Code convert(Code v, DType from, DType to, unsigned lanes);
  Code apply(const Instr& i, llvm::ArrayRef<Code> x, unsigned lanes);
  /// The reduction's function of two vectors.
  Code combine(const Instr& i, Code a, Code b, unsigned lanes);
  /// What changes nothing: for sums -0, which keeps +0 and -0 as they are.
  llvm::Constant* identity(const Instr& i);
  /// A finished float sum starts from +0, which matters where all elements are -0.
  Code from_zero(const Instr& i, Code total, unsigned lanes);

  LlvmUnit& unit_;
  const Kernel& k_;
  llvm::IRBuilder<> b_;
  bool split_;
  llvm::Function* f_ = nullptr;
  llvm::Type* i64_ = nullptr;
  unsigned lanes_ = 1;
  std::vector<Code> fixed_;  // by value that does not change in the innermost loops
  std::vector<Code> index_;  // of the outer loops
  std::vector<Code> dynamic_;
  Piece piece_{};
  // Whole vectors go to memory past the caches, and to multiples of kStreamAlign, or of their size.
  bool streams_ = false;

 private:
  Code scalar(const Instr& i);
  Code constant(const Instr& i);
  bool is_ready(Number v) const;
  bool is_long(Number v) const;
  void find_depths();
  /// Applies long operations that several of `due` have in common to all of these at once, in the lanes of a vector.
  void side_by_side(std::span<const Number> due);

  std::vector<std::uint16_t>
      depth_;  // long operations on the way to a value: those of equal depth do not need each other
};

}  // namespace weft::cpu
