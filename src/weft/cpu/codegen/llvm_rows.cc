#include "weft/cpu/codegen/llvm_rows.h"

#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include "weft/cpu/codegen/llvm_apply.h"
#include "weft/cpu/codegen/llvm_divide.h"
#include "weft/cpu/codegen/llvm_kernel.h"
#include "weft/cpu/codegen/llvm_kernel_code.h"
#include "weft/cpu/codegen/llvm_loop.h"
#include "weft/ir/reduction_order.h"

namespace weft::cpu {

namespace {

using llvm::Type;

// Reductions are the trees of cpu/kernels/isa/reduce.cc.
constexpr int kGroups = kReduceGroups, kLeaf = kReduceLeaf;
constexpr std::int64_t kGroupBytes = kReduceGroupBytes;
static_assert(kGroups == 4, "the accumulators of a row are joined in pairs, and those in a pair");
// What a row keeps from one phase for a later one, when computing it again costs more than this (nanoseconds).
constexpr double kKeepCost = 0.25;
constexpr std::int64_t kMostKeptBytes = 131072;  // of all together, in the frame of the kernel
// Results of so many bytes do not stay in caches.
constexpr std::int64_t kStreamedBytes = 32 << 20;
// The most elements of a row that are summed without a loop.
constexpr std::int64_t kUnrolledSum = 16;
// Rows of so many vectors are divided by one number by way of its reciprocal.
constexpr std::int64_t kDivided = 8;
// Bodies of more instructions than this are not written out once per group: that would only take time to compile.
constexpr int kLongBody = 60;
// Instructions of a body wait for each other, and the processor looks only so far ahead: bodies of so many go through
// several registers at once where there are elements enough to pay for the longer code.
constexpr int kLeastTogether = 20, kMostTogether = 200;
constexpr std::int64_t kElementsTogether = 1 << 15;

class RowsEmitter : KernelCode {
 public:
  RowsEmitter(LlvmUnit& unit, const compiler::Kernel& kernel, const std::string& name, bool split)
      : KernelCode(unit, kernel, name, split) {
    choose_lanes();
  }

  llvm::Function* emit() {
    find_kept();
    // Memory of the frame comes before all else.
    for (std::size_t v = 0; v < k_.body.size(); ++v) {
      const Instr& i = k_.body[v];
      if (keep_.contains(static_cast<Number>(v))) kept_[v] = alloca_bytes(n() * byte_size(i.dtype));
      if (i.kind == Instr::Kind::kReduce) make_accumulators(static_cast<Number>(v));
    }
    begin_code();
    outer_loops(0, inner(), [&] { writes_more_than_caches() ? streamed_row() : row(); });
    b_.CreateRetVoid();
    return f_;
  }

 private:
  std::int64_t n() const { return k_.loops.back(); }
  std::size_t inner() const { return k_.outer; }
  bool varies(Number v) const { return k_.body[v].level > inner(); }

  static bool is_ordered(const Instr& i) {
    return is_float(i.dtype) && (i.reduce == ReduceKind::kSum || i.reduce == ReduceKind::kProd);
  }

  // ---- lanes ----

  void choose_lanes() {
    std::int64_t widest = 1;
    for (const Instr& i : k_.body) {
      if (i.level > inner() || i.kind == Instr::Kind::kReduce) widest = std::max(widest, byte_size(i.dtype));
      if (i.kind == Instr::Kind::kReduce && is_ordered(i)) ordered_ = byte_size(i.dtype);
    }
    if (ordered_) {
      lanes_ = static_cast<unsigned>(kGroupBytes / ordered_);
      in_tree_ = n() >= kGroups * static_cast<std::int64_t>(lanes_);
    } else {
      lanes_ = static_cast<unsigned>(std::max<std::int64_t>(1, unit_.vector_bytes / widest));
    }
    while (!in_tree_ && lanes_ > 1 && static_cast<std::int64_t>(lanes_) / 2 >= n()) lanes_ /= 2;
    if (k_.reduces) {
      unroll_ = n() >= kGroups * static_cast<std::int64_t>(lanes_) ? kGroups : 1;
    } else {
      std::size_t varying = 0;
      for (std::size_t v = 0; v < k_.body.size(); ++v) varying += varies(static_cast<Number>(v));
      unroll_ = varying <= 4 ? 4 : varying <= 10 ? 2 : 1;
      while (unroll_ > 1 && n() < 4 * unroll_ * static_cast<std::int64_t>(lanes_)) unroll_ /= 2;
    }
    int size = 0;
    for (std::size_t v = 0; v < k_.body.size(); ++v)
      if (varies(static_cast<Number>(v))) size += code_size(k_.body[v]);
    long_body_ = size > kLongBody;
    if (k_.reduces) return;
    if (long_body_) unroll_ = 1;
    const int together = registers_together(size);
    if (together == 1) return;
    lanes_ *= static_cast<unsigned>(together);
    unroll_ = 1;
  }

  // How many registers hold the lanes of one value, for a body of `size` instructions without reductions.
  int registers_together(int size) const {
    // Sixteen short registers hold less at once than thirty-two long ones.
    const int most = unit_.vector_bytes >= 64 ? 4 : 2;
    std::int64_t elements = 1;
    for (const std::int64_t l : k_.loops) elements *= l;
    const bool pays = size >= kLeastTogether && size <= kMostTogether && elements >= kElementsTogether;
    return pays && lanes_ > 1 && n() >= 2 * most * static_cast<std::int64_t>(lanes_) ? most : 1;
  }

  // ---- phases ----

  // Marks what a later phase takes from memory of the frame instead of computing it again.
  void find_kept() {
    kept_.assign(k_.body.size(), nullptr);
    if (!k_.reduces || k_.phases() == 1) return;
    std::vector<double> cost(k_.body.size());
    for (std::size_t v = 0; v < k_.body.size(); ++v) {
      const Instr& i = k_.body[v];
      cost[v] = i.kind == Instr::Kind::kApply ? compiler::op_cost(i.op, i.dtype) : 0.02;
      if (i.kind == Instr::Kind::kApply)
        for (const Number o : i.operands)
          if (varies(o)) cost[v] += cost[o];
    }
    std::int64_t left = kMostKeptBytes;
    const auto consider = [&](Number v, std::uint16_t phase) {
      const std::int64_t bytes = n() * byte_size(k_.body[v].dtype);
      if (keep_.contains(v) || k_.body[v].phase >= phase || cost[v] <= kKeepCost || bytes > left) return;
      keep_.insert(v);
      left -= bytes;
    };
    // Through cheap operands that are computed again, too.
    for (std::size_t v = 0; v < k_.body.size(); ++v) {
      const Instr& i = k_.body[v];
      const std::uint16_t phase = i.kind == Instr::Kind::kReduce ? static_cast<std::uint16_t>(i.phase - 1) : i.phase;
      std::vector<Number> stack(i.operands.begin(), i.operands.end());
      for (int steps = 0; !stack.empty() && steps < 256; ++steps) {
        const Number o = stack.back();
        stack.pop_back();
        if (!varies(o) || k_.body[o].phase >= phase) continue;
        consider(o, phase);
        if (!keep_.contains(o) && k_.body[o].kind == Instr::Kind::kApply)
          stack.insert(stack.end(), k_.body[o].operands.begin(), k_.body[o].operands.end());
      }
    }
  }

  // The addresses of what this row's accesses see at its element 0.
  void start_row() {
    load_base_.assign(k_.body.size(), nullptr);
    store_base_.assign(k_.stores.size(), nullptr);
    for (std::size_t v = 0; v < k_.body.size(); ++v) {
      const Instr& i = k_.body[v];
      if (!varies(static_cast<Number>(v))) continue;
      if (i.kind == Instr::Kind::kLoad) load_base_[v] = address(i, offset(i.at, inner()));
      if (i.kind == Instr::Kind::kIndex) load_base_[v] = offset(i.at, inner());
    }
    for (std::size_t s = 0; s < k_.stores.size(); ++s) {
      const Kernel::Store& store = k_.stores[s];
      store_base_[s] = address(store.buffer, k_.body[store.value].dtype, offset(store.at, inner()));
    }
  }

  // ---- loops ----

  void for_loop(Code begin, Code end, std::int64_t step, llvm::function_ref<void(Code)> body) {
    emit_for(b_, begin, end, step, body);
  }

  // Whether all of it is one row, so long that nothing of its results stays in the caches.
  bool writes_more_than_caches() const {
    std::int64_t bytes = 0;
    for (const Kernel::Store& s : k_.stores) {
      if (s.at.coeff[inner()] != 1 || !s.at.dynamic.empty()) return false;
      bytes += n() * byte_size(k_.body[s.value].dtype);
    }
    return inner() == 0 && !k_.reduces && lanes_ > 1 && bytes >= kStreamedBytes;
  }
  // Stores that go past the caches save reading what they replace; but they want whole, aligned vectors.
  void streamed_row() {
    Code all = number(0);
    for (const Kernel::Store& s : k_.stores) {
      Code first = address(s.buffer, k_.body[s.value].dtype, offset(s.at, inner()));
      all = b_.CreateOr(all, b_.CreatePtrToInt(first, i64_));
    }
    llvm::BasicBlock *aligned = block("aligned"), *any = block("any"), *after = block("after");
    b_.CreateCondBr(b_.CreateICmpEQ(b_.CreateAnd(all, number(kStreamAlign - 1)), number(0)), aligned, any);
    b_.SetInsertPoint(aligned);
    streams_ = true;
    row();
    streams_ = false;
    b_.CreateFence(llvm::AtomicOrdering::SequentiallyConsistent);  // such stores are ordered by nothing else
    b_.CreateBr(after);
    b_.SetInsertPoint(any);
    row();
    b_.CreateBr(after);
    b_.SetInsertPoint(after);
  }

  void row() {
    start_row();
    const auto phases = static_cast<std::uint16_t>(k_.phases());
    for (std::uint16_t p = 0; p < phases; ++p) {
      if (p > 0) scalars(inner(), p);
      row_loop(p);
      for (std::size_t v = 0; v < k_.body.size(); ++v)
        if (k_.body[v].kind == Instr::Kind::kReduce && k_.body[v].phase == p + 1)
          finish_reduction(static_cast<Number>(v));
      for (std::size_t s = 0; s < k_.stores.size(); ++s) {
        const Kernel::Store& store = k_.stores[s];
        const Instr& i = k_.body[store.value];
        if (i.phase == p && !varies(store.value) && store.at.coeff[inner()] == 0)
          b_.CreateAlignedStore(fixed_[store.value], store_base_[s], align(i.dtype));
      }
    }
  }

  // ---- the loop over a row ----

  void row_loop(std::uint16_t phase) {
    phase_ = phase;
    reductions_.clear();
    outputs_.clear();
    for (std::size_t v = 0; v < k_.body.size(); ++v)
      if (k_.body[v].kind == Instr::Kind::kReduce && k_.body[v].phase == phase + 1)
        reductions_.push_back(static_cast<Number>(v));
    for (std::size_t s = 0; s < k_.stores.size(); ++s)
      if (k_.body[k_.stores[s].value].phase == phase &&
          (varies(k_.stores[s].value) || k_.stores[s].at.coeff[inner()] != 0))
        outputs_.push_back(s);
    keeps_.clear();
    for (const Number v : keep_)
      if (k_.body[v].phase == phase) keeps_.push_back(v);
    if (reductions_.empty() && outputs_.empty()) return;
    for (const Number r : reductions_) start_reduction(r);
    find_divisors();

    const bool cut = split_ && inner() == 0;
    const std::int64_t step = static_cast<std::int64_t>(lanes_) * unroll_, whole = n() / step * step;
    internal_check(!cut || split_step(k_) % step == 0, "emit_rows: ranges end inside of a group");
    if (in_tree_ && !reductions_.empty() && whole > step * kLeaf) {
      tree_loop(step, whole);
    } else if (cut) {
      Code last = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, range_end(), number(whole));
      for_loop(range_begin(), last, step, [&](Code i) { pieces(i); });
    } else if (whole == step) {
      pieces(number(0));
    } else if (whole > 0) {
      for_loop(number(0), number(whole), step, [&](Code i) { pieces(i); });
    }
    if (whole == n()) return;
    // The rest of the row, fewer than `step` elements.
    llvm::BasicBlock* after = nullptr;
    if (cut) {
      llvm::BasicBlock* rest = block("rest");
      after = block("after");
      b_.CreateCondBr(b_.CreateICmpEQ(range_end(), number(n())), rest, after);
      b_.SetInsertPoint(rest);
    }
    const std::int64_t full = (n() - whole) / lanes_;
    groups(number(whole), full);
    const std::int64_t last = whole + full * lanes_;
    if (last < n()) piece({number(last), static_cast<unsigned>(n() - last)}, number(full));
    if (cut) {
      b_.CreateBr(after);
      b_.SetInsertPoint(after);
    }
  }

  void pieces(Code first) { groups(first, unroll_); }
  // `count` groups of lanes, one after the other.
  void groups(Code first, std::int64_t count) {
    const auto at = [&](Code g) { return b_.CreateAdd(first, b_.CreateMul(g, number(lanes_)), "", true, true); };
    if (long_body_ && count > 1) {
      for_loop(number(0), number(count), 1, [&](Code g) { piece({at(g), lanes_}, g); });
    } else {
      for (std::int64_t g = 0; g < count; ++g) piece({g == 0 ? first : at(number(g)), lanes_}, number(g));
    }
  }

  // One group of lanes: everything is computed before anything is stored, so that a result may be where an operand is.
  // Accumulators are those of the number `group`.
  void piece(const Piece& p, Code group) {
    vector_.clear();
    piece_ = p;
    llvm::SmallVector<Code, 4> operands, results;
    for (const Number r : reductions_) operands.push_back(value(k_.body[r].operands[0]));
    for (const std::size_t s : outputs_) results.push_back(value(k_.stores[s].value));
    for (const Number v : keeps_) put(value(v), kept_[v], k_.body[v].dtype, 1);
    for (std::size_t r = 0; r < reductions_.size(); ++r) accumulate(reductions_[r], operands[r], group);
    for (std::size_t s = 0; s < outputs_.size(); ++s) {
      const Kernel::Store& store = k_.stores[outputs_[s]];
      put(results[s], store_base_[outputs_[s]], k_.body[store.value].dtype, store.at.coeff[inner()]);
    }
  }

  // What this phase divides long rows by: one number each.
  void find_divisors() {
    divisors_.clear();
    if (!unit_.has_fma || lanes_ == 1 || n() < kDivided * static_cast<std::int64_t>(lanes_)) return;
    for (std::size_t v = 0; v < k_.body.size(); ++v) {
      const Instr& i = k_.body[v];
      if (i.kind != Instr::Kind::kApply || i.op != OpCode::kDivide || (i.dtype != f32 && i.dtype != f64)) continue;
      const Number by = i.operands[1];
      if (varies(static_cast<Number>(v)) && i.phase <= phase_ && !varies(by) && !divisors_.contains(by))
        divisors_[by] = make_divisor(b_, fixed_[by], lanes_);
    }
  }

  // The lanes of a value in this piece.
  Code value(Number v) {
    if (!varies(v)) return splat(fixed_[v]);
    const auto it = vector_.find(v);
    if (it != vector_.end()) return it->second;
    const Instr& i = k_.body[v];
    Code result;
    if (kept_[v] && i.phase < phase_) {
      result = get(kept_[v], i.dtype, 1);
    } else if (i.kind == Instr::Kind::kLoad) {
      result = get(load_base_[v], i.dtype, i.at.coeff[inner()]);
    } else if (i.kind == Instr::Kind::kIndex) {
      result = count(load_base_[v], i.at.coeff[inner()], i.dtype);
    } else {
      const auto divisor = i.op == OpCode::kDivide ? divisors_.find(i.operands[1]) : divisors_.end();
      if (divisor != divisors_.end()) {
        result = divide(b_, value(i.operands[0]), divisor->second);
      } else {
        llvm::SmallVector<Code, 3> operands;
        for (const Number o : i.operands) operands.push_back(value(o));
        result = apply(i, operands, lanes_);
      }
    }
    return vector_[v] = result;
  }
  // ---- reductions ----

  struct Accumulator {
    Type* vector = nullptr;
    llvm::AllocaInst* groups = nullptr;  // a vector each
    llvm::AllocaInst* stack = nullptr;   // of groups, for more than one leaf
    llvm::AllocaInst* row = nullptr;     // the operands, for short sums
  };

  // How many groups of leaves wait to be joined at most: one for each digit of the number of leaves.
  std::int64_t levels() const {
    const std::int64_t leaves = n() / (static_cast<std::int64_t>(lanes_) * kGroups * kLeaf) + 1;
    return std::bit_width(static_cast<std::uint64_t>(leaves));
  }
  void make_accumulators(Number r) {
    Accumulator& a = accumulators_[r];
    const Instr& i = k_.body[r];
    if (is_ordered(i) && !in_tree_) {
      a.row = alloca_bytes(n() * byte_size(i.dtype));
      return;
    }
    a.vector = vector_of(type(i.dtype), lanes_);
    a.groups = b_.CreateAlloca(llvm::ArrayType::get(a.vector, kGroups));
    if (in_tree_ && n() > static_cast<std::int64_t>(lanes_) * kGroups * kLeaf)
      a.stack = b_.CreateAlloca(a.vector, number(levels() * kGroups));
  }
  Code group(const Accumulator& a, Code g) { return b_.CreateGEP(a.vector, a.groups, g); }
  Code group(const Accumulator& a, int g) { return group(a, number(g)); }

  Code identity_lanes(const Instr& i) { return splat(identity(i)); }

  void start_reduction(Number r) {
    const Accumulator& a = accumulators_[r];
    if (a.row) return;
    for (int g = 0; g < unroll_; ++g) b_.CreateStore(identity_lanes(k_.body[r]), group(a, g));
  }

  void accumulate(Number r, Code x, Code g) {
    const Instr& i = k_.body[r];
    const Accumulator& a = accumulators_[r];
    if (a.row) return put(x, a.row, i.dtype, 1);
    Code at = group(a, g);
    Code before = b_.CreateLoad(a.vector, at);
    Code sum = combine(i, before, x, lanes_);
    // Lanes without an element keep what they have.
    if (piece_.count < lanes_) sum = b_.CreateSelect(mask(), sum, before);
    b_.CreateStore(sum, at);
  }

  // More than one leaf: when a leaf is full it is joined with those before it, as a binary counter carries.
  void tree_loop(std::int64_t step, std::int64_t whole) {
    const std::int64_t leaf_size = step * kLeaf, leaves = (whole + leaf_size - 1) / leaf_size;
    llvm::AllocaInst* top = nullptr;
    {
      llvm::IRBuilder<> entry(&f_->getEntryBlock(), f_->getEntryBlock().begin());
      top = entry.CreateAlloca(i64_);
    }
    b_.CreateStore(number(0), top);
    for_loop(number(0), number(leaves), 1, [&](Code leaf) {
      for (const Number r : reductions_) start_reduction(r);
      Code begin = b_.CreateMul(leaf, number(leaf_size));
      Code end = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b_.CreateAdd(begin, number(leaf_size)), number(whole));
      for_loop(begin, end, step, [&](Code i) { pieces(i); });
      // The last leaf stays: the rest of the row goes to its lanes.
      llvm::BasicBlock *join = block("join"), *next = block("next");
      b_.CreateCondBr(b_.CreateICmpEQ(leaf, number(leaves - 1)), next, join);
      b_.SetInsertPoint(join);
      Code ones = b_.CreateIntrinsic(llvm::Intrinsic::cttz, {i64_}, {b_.CreateNot(leaf), b_.getFalse()});
      for_loop(number(0), ones, 1, [&](Code) { join_below(top); });
      Code at = b_.CreateLoad(i64_, top);
      for (const Number r : reductions_)
        for (int g = 0; g < kGroups; ++g) {
          const Accumulator& a = accumulators_[r];
          Code slot = b_.CreateGEP(a.vector, a.stack, b_.CreateAdd(b_.CreateMul(at, number(kGroups)), number(g)));
          b_.CreateStore(b_.CreateLoad(a.vector, group(a, g)), slot);
        }
      b_.CreateStore(b_.CreateAdd(at, number(1)), top);
      b_.CreateBr(next);
      b_.SetInsertPoint(next);
    });
    tree_top_ = top;
  }
  void join_below(llvm::AllocaInst* top) {
    Code at = b_.CreateSub(b_.CreateLoad(i64_, top), number(1));
    b_.CreateStore(at, top);
    for (const Number r : reductions_)
      for (int g = 0; g < kGroups; ++g) {
        const Accumulator& a = accumulators_[r];
        Code slot = b_.CreateGEP(a.vector, a.stack, b_.CreateAdd(b_.CreateMul(at, number(kGroups)), number(g)));
        b_.CreateStore(combine(k_.body[r], b_.CreateLoad(a.vector, slot), b_.CreateLoad(a.vector, group(a, g)), lanes_),
                       group(a, g));
      }
  }

  void finish_reduction(Number r) {
    const Instr& i = k_.body[r];
    const Accumulator& a = accumulators_[r];
    Code result;
    if (a.row) {
      result = sum_in_turn(i, a.row);
    } else {
      if (tree_top_ && r == reductions_.front()) {
        // All reductions of the phase are on their stacks at the same height.
        Code height = b_.CreateLoad(i64_, tree_top_);
        for_loop(number(0), height, 1, [&](Code) { join_below(tree_top_); });
        tree_top_ = nullptr;
      }
      llvm::SmallVector<Code, kGroups> groups;
      for (int g = 0; g < unroll_; ++g) groups.push_back(b_.CreateLoad(a.vector, group(a, g)));
      while (groups.size() > 1) {
        for (std::size_t g = 0; g < groups.size() / 2; ++g)
          groups[g] = combine(i, groups[2 * g], groups[2 * g + 1], lanes_);
        groups.resize(groups.size() / 2);
      }
      result =
          emit_join(b_, groups[0], lanes_, [&](Code x, Code y, unsigned lanes) { return combine(i, x, y, lanes); });
    }
    fixed_[r] = from_zero(i, result, 1);
  }

  // Few elements: those at even and those at odd places, in turn.
  Code sum_in_turn(const Instr& i, llvm::AllocaInst* row) {
    Type* element = type(i.dtype);
    const auto at = [&](Code k) {
      return b_.CreateAlignedLoad(element, b_.CreateGEP(element, row, k), align(i.dtype));
    };
    Code first = llvm::ConstantFP::get(element, i.reduce == ReduceKind::kSum ? 0.0 : 1.0);
    Code even = first, odd = first;
    const std::int64_t pairs = n() / 2 * 2;
    if (n() <= kUnrolledSum) {
      for (std::int64_t k = 0; k < pairs; k += 2) {
        even = combine(i, even, at(number(k)), 1);
        odd = combine(i, odd, at(number(k + 1)), 1);
      }
    } else {
      llvm::BasicBlock *before = b_.GetInsertBlock(), *loop = block("pairs"), *after = block("after");
      b_.CreateBr(loop);
      b_.SetInsertPoint(loop);
      llvm::PHINode *k = b_.CreatePHI(i64_, 2), *e = b_.CreatePHI(element, 2), *o = b_.CreatePHI(element, 2);
      k->addIncoming(number(0), before), e->addIncoming(first, before), o->addIncoming(first, before);
      even = combine(i, e, at(k), 1);
      odd = combine(i, o, at(b_.CreateAdd(k, number(1))), 1);
      Code next = b_.CreateAdd(k, number(2));
      llvm::BasicBlock* latch = b_.GetInsertBlock();
      k->addIncoming(next, latch), e->addIncoming(even, latch), o->addIncoming(odd, latch);
      b_.CreateCondBr(b_.CreateICmpSLT(next, number(pairs)), loop, after);
      b_.SetInsertPoint(after);
    }
    if (pairs < n()) even = combine(i, even, at(number(pairs)), 1);
    return combine(i, even, odd, 1);
  }

  int unroll_ = 1;
  std::int64_t ordered_ = 0;  // bytes of an element of the float sums
  bool in_tree_ = false;      // those are long enough for vectors
  bool long_body_ = false;

  std::set<Number> keep_;
  std::vector<Code> kept_;  // memory, by value
  std::map<Number, Accumulator> accumulators_;
  std::vector<Code> load_base_, store_base_;

  // The phase and the piece that are emitted now.
  std::uint16_t phase_ = 0;
  std::vector<Number> reductions_, keeps_;
  std::vector<std::size_t> outputs_;
  llvm::DenseMap<Number, Code> vector_;
  std::map<Number, Divisor> divisors_;
  llvm::AllocaInst* tree_top_ = nullptr;
};

}  // namespace

llvm::Function* emit_rows(LlvmUnit& unit, const compiler::Kernel& kernel, const std::string& name, bool split) {
  return RowsEmitter(unit, kernel, name, split).emit();
}

}  // namespace weft::cpu
