#include "weft/cpu/codegen/llvm_columns.h"

#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <bit>
#include <map>

#include "weft/cpu/codegen/llvm_apply.h"
#include "weft/cpu/codegen/llvm_kernel_code.h"
#include "weft/cpu/codegen/llvm_loop.h"
#include "weft/ir/reduction_order.h"

namespace weft::cpu {

namespace {

constexpr std::int64_t kLeaf = kReduceLeaf;
// Columns that are summed together: what of them waits to be joined stays in the first cache.
constexpr std::int64_t kTileBytes = 4096;
// Bodies of more instructions than this are written out once, not for several vectors of columns.
constexpr int kLongBody = 60;

class ColumnsEmitter : KernelCode {
 public:
  ColumnsEmitter(LlvmUnit& unit, const compiler::Kernel& kernel, const std::string& name, bool split)
      : KernelCode(unit, kernel, name, split) {
    choose_lanes();
  }

  llvm::Function* emit() {
    for (const Number r : reductions_) {
      Accumulator& a = accumulators_[r];
      a.vector = vector_of(type(k_.body[r].dtype), lanes_);
      a.groups = b_.CreateAlloca(llvm::ArrayType::get(a.vector, groups_));
      if (leaves() > 1) a.stack = alloca_bytes(levels() * tile_ * byte_size(k_.body[r].dtype));
    }
    if (leaves() > 1) top_ = b_.CreateAlloca(i64_);
    begin_code();
    outer_loops(0, columns(), [&] { all_columns(); });
    b_.CreateRetVoid();
    return f_;
  }

 private:
  struct Accumulator {
    llvm::Type* vector = nullptr;
    llvm::AllocaInst* groups = nullptr;  // a vector each
    llvm::AllocaInst* stack = nullptr;   // sums of a tile that wait to be joined, level by level
  };

  // The loops are outer ones, that over columns, those over rows.
  std::size_t columns() const { return k_.outer - 1; }
  std::size_t rows() const { return k_.outer; }
  std::int64_t width() const { return k_.loops[columns()]; }
  std::int64_t n() const { return k_.row_size(); }
  std::int64_t leaves() const { return (n() + kLeaf - 1) / kLeaf; }
  std::int64_t levels() const { return std::bit_width(static_cast<std::uint64_t>(leaves())); }
  bool is_fixed(Number v) const { return k_.body[v].level <= columns(); }
  bool changes_by_row(Number v) const { return k_.body[v].level > rows(); }
  bool depends_on_row(const Affine& a) const {
    for (std::size_t l = rows(); l < k_.loops.size(); ++l)
      if (a.coeff[l] != 0) return true;
    return false;
  }

  void choose_lanes() {
    std::int64_t widest = 1, accumulated = 1;
    int size = 0;
    for (std::size_t v = 0; v < k_.body.size(); ++v) {
      const Instr& i = k_.body[v];
      if (is_fixed(static_cast<Number>(v))) continue;
      widest = std::max(widest, byte_size(i.dtype));
      size += code_size(i);
      if (i.kind != Instr::Kind::kReduce) continue;
      reductions_.push_back(static_cast<Number>(v));
      accumulated = std::max(accumulated, byte_size(i.dtype));
    }
    lanes_ = static_cast<unsigned>(std::max<std::int64_t>(1, unit_.vector_bytes / widest));
    while (lanes_ > 1 && static_cast<std::int64_t>(lanes_) / 2 >= width()) lanes_ /= 2;
    groups_ = size > kLongBody ? 1 : size > 12 ? 2 : 4;
    while (groups_ > 1 && groups_ * static_cast<std::int64_t>(lanes_) > width()) groups_ /= 2;
    const std::int64_t together = groups_ * static_cast<std::int64_t>(lanes_);
    tile_ = std::min(kTileBytes / accumulated, (width() + together - 1) / together * together);
    for (std::size_t s = 0; s < k_.stores.size(); ++s)
      (changes_by_row(k_.stores[s].value) || depends_on_row(k_.stores[s].at) ? row_stores_ : column_stores_)
          .push_back(s);
  }

  // ---- loops ----

  void all_columns() {
    const bool cut = split_ && columns() == 0;
    Code begin = cut ? range_begin() : number(0), end = cut ? range_end() : number(width());
    emit_for(b_, begin, end, tile_, [&](Code first) {
      first_ = first;
      Code past = b_.CreateAdd(first, number(tile_));
      last_ = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, past, end);
      if (leaves() == 1)
        each_vector([&](int count) {
          add_rows(number(0), number(n()), count);
          finish(count);
        });
      else
        tree();
    });
  }

  // Calls `body` for groups of vectors of columns; it is given their number, and piece_ is the first.
  void each_vector(llvm::function_ref<void(int count)> body) {
    const std::int64_t together = groups_ * static_cast<std::int64_t>(lanes_);
    const auto loop = [&](Code begin, std::int64_t end, std::int64_t step, int count) {
      Code stop = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, last_, number(end));
      emit_for(b_, begin, stop, step, [&](Code j) {
        piece_ = {j, lanes_};
        body(count);
      });
    };
    // Tiles are multiples of `together`, so the rest is in the last one.
    const std::int64_t whole = width() / together * together, full = width() / lanes_ * lanes_;
    if (whole > 0) loop(first_, whole, together, groups_);
    if (full > whole) loop(b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, first_, number(whole)), full, lanes_, 1);
    if (full == width()) return;
    llvm::BasicBlock *rest = block("rest"), *after = block("after");
    b_.CreateCondBr(b_.CreateICmpEQ(last_, number(width())), rest, after);
    b_.SetInsertPoint(rest);
    piece_ = {number(full), static_cast<unsigned>(width() - full)};
    body(1);
    b_.CreateBr(after);
    b_.SetInsertPoint(after);
  }

  // Leaf after leaf, joined as a binary counter carries.
  void tree() {
    b_.CreateStore(number(0), top_);
    emit_for(b_, number(0), number(leaves()), 1, [&](Code leaf) {
      Code begin = b_.CreateMul(leaf, number(kLeaf));
      Code end = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b_.CreateAdd(begin, number(kLeaf)), number(n()));
      Code level = b_.CreateLoad(i64_, top_);
      each_vector([&](int count) {
        add_rows(begin, end, count);
        for (const Number r : reductions_)
          for (int g = 0; g < count; ++g) {
            const Accumulator& a = accumulators_[r];
            at_vector(g, [&] { put_level(r, level, b_.CreateLoad(a.vector, group(a, g))); });
          }
      });
      Code carries = b_.CreateIntrinsic(llvm::Intrinsic::cttz, {i64_}, {b_.CreateNot(leaf), b_.getFalse()});
      Code is_last = b_.CreateICmpEQ(leaf, number(leaves() - 1));
      emit_for(b_, number(0), b_.CreateSelect(is_last, level, carries), 1, [&](Code) {
        Code above = b_.CreateLoad(i64_, top_), below = b_.CreateSub(above, number(1));
        each_vector([&](int count) {
          for (const Number r : reductions_)
            for (int g = 0; g < count; ++g)
              at_vector(g, [&] {
                put_level(r, below, combine(k_.body[r], get_level(r, below), get_level(r, above), lanes_));
              });
        });
        b_.CreateStore(below, top_);
      });
      b_.CreateStore(b_.CreateAdd(b_.CreateLoad(i64_, top_), number(1)), top_);
    });
    each_vector([&](int count) {
      for (const Number r : reductions_)
        for (int g = 0; g < count; ++g) {
          const Accumulator& a = accumulators_[r];
          at_vector(g, [&] { b_.CreateStore(get_level(r, number(0)), group(a, g)); });
        }
      finish(count);
    });
  }

  // ---- one group of vectors ----

  // With piece_ as vector g of the group.
  template <class F>
  void at_vector(int g, F body) {
    const Piece first = piece_;
    if (g > 0) piece_.index = b_.CreateAdd(first.index, number(g * static_cast<std::int64_t>(lanes_)), "", true, true);
    body();
    piece_ = first;
  }

  Code group(const Accumulator& a, int g) { return b_.CreateGEP(a.vector, a.groups, number(g)); }

  // Where the tile's sums of a level begin, seen from column 0.
  Code level_base(Number r, Code level) {
    Code at = b_.CreateSub(b_.CreateMul(level, number(tile_)), first_);
    return b_.CreateGEP(type(k_.body[r].dtype), accumulators_[r].stack, at);
  }
  Code get_level(Number r, Code level) { return get(level_base(r, level), k_.body[r].dtype, 1); }
  void put_level(Number r, Code level, Code v) { put(v, level_base(r, level), k_.body[r].dtype, 1); }

  // Sums rows [begin, end) of `count` vectors of columns into the groups, and stores what is stored row by row.
  void add_rows(Code begin, Code end, int count) {
    std::vector<llvm::DenseMap<Number, Code>> by_column(static_cast<std::size_t>(count));
    for (int g = 0; g < count; ++g)
      at_vector(g, [&] {
        vector_.clear();
        // What does not change from row to row is computed before them.
        for (std::size_t v = 0; v < k_.body.size(); ++v)
          if (changes_by_row(static_cast<Number>(v)))
            for (const Number o : k_.body[v].operands)
              if (!is_fixed(o) && !changes_by_row(o)) value(o);
        by_column[static_cast<std::size_t>(g)] = vector_;
        for (const Number r : reductions_) {
          const Instr& i = k_.body[r];
          if (!is_fixed(i.operands[0]) && !changes_by_row(i.operands[0])) value(i.operands[0]);
          b_.CreateStore(splat(identity(i)), group(accumulators_[r], g));
        }
        by_column[static_cast<std::size_t>(g)] = vector_;
      });
    emit_for(b_, begin, end, 1, [&](Code row) {
      start_row(row);
      for (int g = 0; g < count; ++g)
        at_vector(g, [&] {
          vector_ = by_column[static_cast<std::size_t>(g)];
          llvm::SmallVector<Code, 4> results;
          for (const std::size_t s : row_stores_) results.push_back(value(k_.stores[s].value));
          for (const Number r : reductions_) {
            const Instr& i = k_.body[r];
            const Accumulator& a = accumulators_[r];
            b_.CreateStore(combine(i, b_.CreateLoad(a.vector, group(a, g)), value(i.operands[0]), lanes_), group(a, g));
          }
          for (std::size_t k = 0; k < results.size(); ++k) store(row_stores_[k], results[k]);
        });
    });
    row_.clear();
  }

  // What is made of the sums, which are in the groups.
  void finish(int count) {
    for (int g = 0; g < count; ++g)
      at_vector(g, [&] {
        vector_.clear();
        for (const Number r : reductions_) {
          const Accumulator& a = accumulators_[r];
          vector_[r] = from_zero(k_.body[r], b_.CreateLoad(a.vector, group(a, g)), lanes_);
        }
        llvm::SmallVector<Code, 4> results;
        for (const std::size_t s : column_stores_) results.push_back(value(k_.stores[s].value));
        for (std::size_t k = 0; k < results.size(); ++k) store(column_stores_[k], results[k]);
      });
  }

  // ---- values ----

  // The loops over rows from the number of the row.
  void start_row(Code row) {
    row_.assign(k_.loops.size() - rows(), row);
    for (std::size_t l = row_.size(); l-- > 1;) {
      Code size = number(k_.loops[rows() + l]);
      row_[l - 1] = b_.CreateUDiv(row_[l], size);
      row_[l] = b_.CreateSub(row_[l], b_.CreateMul(row_[l - 1], size));
    }
  }
  Code here(const Affine& a) {
    Code at = offset(a, columns());
    for (std::size_t l = 0; l < row_.size(); ++l)
      if (const std::int64_t c = a.coeff[rows() + l]; c != 0) at = b_.CreateAdd(at, b_.CreateMul(row_[l], number(c)));
    return at;
  }
  void store(std::size_t s, Code v) {
    const Kernel::Store& to = k_.stores[s];
    const DType t = k_.body[to.value].dtype;
    put(v, address(to.buffer, t, here(to.at)), t, to.at.coeff[columns()]);
  }
  // The lanes of a value in this piece.
  Code value(Number v) {
    if (is_fixed(v)) return splat(fixed_[v]);
    if (const auto it = vector_.find(v); it != vector_.end()) return it->second;
    const Instr& i = k_.body[v];
    Code result;
    if (i.kind == Instr::Kind::kLoad) {
      Code base = address(i, here(i.at));
      const std::int64_t c = i.at.coeff[columns()];
      result = c == 0 ? splat(b_.CreateAlignedLoad(type(i.dtype), base, align(i.dtype))) : get(base, i.dtype, c);
    } else if (i.kind == Instr::Kind::kIndex) {
      result = count(here(i.at), i.at.coeff[columns()], i.dtype);
    } else {
      llvm::SmallVector<Code, 3> operands;
      for (const Number o : i.operands) operands.push_back(value(o));
      result = apply(i, operands, lanes_);
    }
    return vector_[v] = result;
  }

  int groups_ = 1;
  std::int64_t tile_ = 0;
  std::vector<Number> reductions_;
  std::map<Number, Accumulator> accumulators_;
  std::vector<std::size_t> row_stores_, column_stores_;
  llvm::AllocaInst* top_ = nullptr;  // how many sums of each column wait

  // The tile, row and vector that are emitted now.
  Code first_ = nullptr, last_ = nullptr;
  std::vector<Code> row_;  // one per loop over rows
  llvm::DenseMap<Number, Code> vector_;
};

}  // namespace

llvm::Function* emit_columns(LlvmUnit& unit, const compiler::Kernel& kernel, const std::string& name, bool split) {
  return ColumnsEmitter(unit, kernel, name, split).emit();
}

}  // namespace weft::cpu
