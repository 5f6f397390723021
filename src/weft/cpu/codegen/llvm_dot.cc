#include "weft/cpu/codegen/llvm_dot.h"

#include <llvm/IR/Intrinsics.h>

#include <algorithm>

#include "weft/base/error.h"
#include "weft/cpu/codegen/llvm_loop.h"
#include "weft/ir/contraction.h"

namespace weft::cpu {

namespace {

using Code = llvm::Value*;

// One axis of the product, with what a step along it is in each operand, in elements.
struct Axis {
  std::int64_t size, lhs, rhs, out;
};
using Axes = SmallVector<Axis, 3>;

bool contains(const Dims& dims, std::size_t d) {
  return std::find(dims.begin(), dims.end(), static_cast<std::int64_t>(d)) != dims.end();
}

// Axes of size 1 dropped, and those merged that every operand sees as one.
Axes merged(const Axes& axes) {
  Axes result;
  for (const Axis& a : axes) {
    if (a.size == 1) continue;
    if (!result.empty()) {
      Axis& last = result.back();
      if (last.lhs == a.lhs * a.size && last.rhs == a.rhs * a.size && last.out == a.out * a.size) {
        last = {last.size * a.size, a.lhs, a.rhs, a.out};
        continue;
      }
    }
    result.push_back(a);
  }
  return result;
}

struct Shape {
  Axes batch, m, n, k;
};

Shape shape_of(const DotDimensionNumbers& d, DimSpan lhs, DimSpan rhs) {
  const Dims lhs_steps = row_major_strides(lhs), rhs_steps = row_major_strides(rhs);
  Shape s;
  for (std::size_t i = 0; i < d.lhs_batch.size(); ++i) {
    const auto l = static_cast<std::size_t>(d.lhs_batch[i]), r = static_cast<std::size_t>(d.rhs_batch[i]);
    s.batch.push_back({lhs[l], lhs_steps[l], rhs_steps[r], 0});
  }
  for (std::size_t i = 0; i < d.lhs_contracting.size(); ++i) {
    const auto l = static_cast<std::size_t>(d.lhs_contracting[i]), r = static_cast<std::size_t>(d.rhs_contracting[i]);
    s.k.push_back({lhs[l], lhs_steps[l], rhs_steps[r], 0});
  }
  for (std::size_t l = 0; l < lhs.size(); ++l)
    if (!contains(d.lhs_batch, l) && !contains(d.lhs_contracting, l)) s.m.push_back({lhs[l], lhs_steps[l], 0, 0});
  for (std::size_t r = 0; r < rhs.size(); ++r)
    if (!contains(d.rhs_batch, r) && !contains(d.rhs_contracting, r)) s.n.push_back({rhs[r], 0, rhs_steps[r], 0});
  std::int64_t step = 1;
  for (Axes* axes : {&s.n, &s.m, &s.batch})
    for (std::size_t i = axes->size(); i-- > 0;) {
      (*axes)[i].out = step;
      step *= (*axes)[i].size;
    }
  s.batch = merged(s.batch), s.m = merged(s.m), s.n = merged(s.n), s.k = merged(s.k);
  return s;
}

class DotEmitter {
 public:
  DotEmitter(LlvmUnit& unit, Shape shape, DType dtype, bool ordered, const std::string& name)
      : unit_(unit),
        s_(std::move(shape)),
        b_(unit.context),
        element_(llvm_type(unit.context, dtype)),
        run_(ordered ? kOrderedRunBytes / byte_size(dtype) : 0) {
    llvm::Type* ptr = b_.getPtrTy();
    f_ = llvm::Function::Create(llvm::FunctionType::get(b_.getVoidTy(), {ptr, ptr, ptr}, false),
                                llvm::GlobalValue::InternalLinkage, name, unit.module);
    f_->setDoesNotThrow();
    if (unit.vector_bytes == 64) f_->addFnAttr("prefer-vector-width", "512");
    b_.SetInsertPoint(block("entry"));
    lhs_ = f_->getArg(0), rhs_ = f_->getArg(1), out_ = f_->getArg(2);
    // Without columns the rows take their part.
    if (s_.n.empty() && !s_.m.empty()) {
      std::swap(s_.m, s_.n);
      std::swap(lhs_, rhs_);
      for (Axes* axes : {&s_.batch, &s_.m, &s_.n, &s_.k})
        for (Axis& a : *axes) std::swap(a.lhs, a.rhs);
    }
    const auto bytes = static_cast<std::int64_t>(byte_size(dtype));
    lanes_ = static_cast<unsigned>(unit.vector_bytes / bytes);
    along_k_ = !ordered && !s_.k.empty() && s_.k.back().lhs == 1 && s_.k.back().rhs == 1 &&
               !(!s_.n.empty() && s_.n.back().rhs == 1) && s_.k.back().size >= 4;
    const std::int64_t length = along_k_ ? s_.k.back().size : s_.n.empty() ? 1 : s_.n.back().size;
    while (lanes_ > 1 && static_cast<std::int64_t>(lanes_) / 2 >= length) lanes_ /= 2;
  }

  llvm::Function* emit() {
    Axes outer(s_.batch);
    if (!s_.m.empty()) outer.append(s_.m.begin(), s_.m.end() - 1);
    if (!s_.n.empty()) outer.append(s_.n.begin(), s_.n.end() - 1);
    nest(outer, 0, Place{number(0), number(0), number(0)}, [&](Place at) { matrix(at); });
    b_.CreateRetVoid();
    return f_;
  }

 private:
  static constexpr std::int64_t kRows = 4, kColumns = 2, kColumnsAlongK = 4;
  struct Place {
    Code lhs, rhs, out;
  };

  llvm::Constant* number(std::int64_t v) { return llvm::ConstantInt::getSigned(b_.getInt64Ty(), v); }
  llvm::BasicBlock* block(const char* name) { return llvm::BasicBlock::Create(unit_.context, name, f_); }
  Code plus(Code at, Code i, std::int64_t step) {
    if (step == 0) return at;
    return b_.CreateAdd(at, step == 1 ? i : b_.CreateMul(i, number(step)));
  }
  Place moved(Place p, const Axis& a, Code i) {
    return {plus(p.lhs, i, a.lhs), plus(p.rhs, i, a.rhs), plus(p.out, i, a.out)};
  }

  void for_loop(std::int64_t end, std::int64_t step, llvm::function_ref<void(Code)> body) {
    if (end <= step)
      body(number(0));
    else
      emit_for(b_, number(0), number(end), step, body);
  }
  void nest(const Axes& axes, std::size_t first, Place at, llvm::function_ref<void(Place)> body) {
    if (first == axes.size()) return body(at);
    for_loop(axes[first].size, 1, [&](Code i) { nest(axes, first + 1, moved(at, axes[first], i), body); });
  }

  // All rows and columns of the last axes, tile by tile; tiles at the edges are smaller.
  void matrix(Place at) {
    const Axis m = s_.m.empty() ? Axis{1, 0, 0, 0} : s_.m.back(), n = s_.n.empty() ? Axis{1, 0, 0, 0} : s_.n.back();
    const std::int64_t rows = along_k_ ? 1 : kRows;
    const std::int64_t columns = along_k_ ? kColumnsAlongK : kColumns * static_cast<std::int64_t>(lanes_);
    const auto strip = [&](Place row, std::int64_t count) {
      const std::int64_t whole = n.size / columns * columns;
      if (whole > 0) for_loop(whole, columns, [&](Code j) { tile(moved(row, n, j), m, count, n, columns); });
      if (whole < n.size) tile(moved(row, n, number(whole)), m, count, n, n.size - whole);
    };
    const std::int64_t whole = m.size / rows * rows;
    if (whole > 0) for_loop(whole, rows, [&](Code i) { strip(moved(at, m, i), rows); });
    if (whole < m.size) strip(moved(at, m, number(whole)), m.size - whole);
  }

  void tile(Place at, const Axis& m, std::int64_t rows, const Axis& n, std::int64_t columns) {
    if (along_k_)
      tile_along_k(at, n, columns);
    else
      tile_of_columns(at, m, rows, n, columns);
  }

  Code load(Code base, Code at) {
    return b_.CreateAlignedLoad(element_, b_.CreateGEP(element_, base, at), alignment());
  }
  llvm::Align alignment() { return llvm::Align(element_->getScalarSizeInBits() / 8); }
  llvm::Constant* mask(std::int64_t count) {
    llvm::SmallVector<llvm::Constant*, 64> bits;
    for (unsigned l = 0; l < lanes_; ++l) bits.push_back(b_.getInt1(static_cast<std::int64_t>(l) < count));
    return llvm::ConstantVector::get(bits);
  }
  llvm::Type* vector() { return vector_of(element_, lanes_); }
  // `count` elements from `at` on, `step` apart, then zeros.
  Code load_lanes(Code base, Code at, std::int64_t step, std::int64_t count) {
    if (lanes_ == 1) return load(base, at);
    if (step == 1) {
      Code p = b_.CreateGEP(element_, base, at);
      if (count >= static_cast<std::int64_t>(lanes_)) return b_.CreateAlignedLoad(vector(), p, alignment());
      return b_.CreateMaskedLoad(vector(), p, alignment(), mask(count), llvm::Constant::getNullValue(vector()));
    }
    Code result = llvm::Constant::getNullValue(vector());
    for (std::int64_t l = 0; l < std::min<std::int64_t>(count, lanes_); ++l)
      result =
          b_.CreateInsertElement(result, load(base, b_.CreateAdd(at, number(l * step))), static_cast<std::uint64_t>(l));
    return result;
  }
  Code multiply_add(Code x, Code y, Code sum) {
    if (element_->isIntegerTy()) return b_.CreateAdd(sum, b_.CreateMul(x, y));
    if (run_ || !unit_.has_fma) return b_.CreateFAdd(sum, b_.CreateFMul(x, y));
    return b_.CreateIntrinsic(llvm::Intrinsic::fma, {sum->getType()}, {x, y, sum});
  }
  llvm::AllocaInst* accumulator() {
    llvm::IRBuilder<> at_entry(&f_->getEntryBlock(), f_->getEntryBlock().begin());
    llvm::AllocaInst* a = at_entry.CreateAlloca(vector());
    b_.CreateStore(llvm::Constant::getNullValue(vector()), a);
    return a;
  }
  std::vector<llvm::AllocaInst*> accumulators(std::int64_t n) {
    std::vector<llvm::AllocaInst*> all(static_cast<std::size_t>(n));
    for (llvm::AllocaInst*& a : all) a = accumulator();
    return all;
  }

  // Lanes are columns.
  void tile_of_columns(Place at, const Axis& m, std::int64_t rows, const Axis& n, std::int64_t columns) {
    const std::int64_t vectors = (columns + lanes_ - 1) / lanes_;
    const std::vector<llvm::AllocaInst*> sums = accumulators(rows * vectors);
    in_runs(at, sums, [&](Place p) {
      llvm::SmallVector<Code, 2> right;
      for (std::int64_t v = 0; v < vectors; ++v)
        right.push_back(load_lanes(rhs_, plus(p.rhs, number(v * lanes_), n.rhs), n.rhs, columns - v * lanes_));
      for (std::int64_t r = 0; r < rows; ++r) {
        Code left = load(lhs_, plus(p.lhs, number(r), m.lhs));
        if (lanes_ > 1) left = b_.CreateVectorSplat(lanes_, left);
        for (std::int64_t v = 0; v < vectors; ++v) {
          llvm::AllocaInst* sum = sums[static_cast<std::size_t>(r * vectors + v)];
          b_.CreateStore(multiply_add(left, right[static_cast<std::size_t>(v)], b_.CreateLoad(vector(), sum)), sum);
        }
      }
    });
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t v = 0; v < vectors; ++v) {
        Code sum = b_.CreateLoad(vector(), sums[static_cast<std::size_t>(r * vectors + v)]);
        Code to = b_.CreateGEP(element_, out_, plus(plus(at.out, number(r), m.out), number(v * lanes_), n.out));
        const std::int64_t count = columns - v * lanes_;
        if (lanes_ == 1 || (n.out == 1 && count >= static_cast<std::int64_t>(lanes_)))
          b_.CreateAlignedStore(sum, to, alignment());
        else
          b_.CreateMaskedStore(sum, to, alignment(), mask(count));
      }
  }

  // `body` adds the products at a place of the contracted axes to `sums`; ordered products in runs.
  void in_runs(Place at, const std::vector<llvm::AllocaInst*>& sums, llvm::function_ref<void(Place)> body) {
    if (run_ == 0 || s_.k.empty() || (s_.k.size() == 1 && s_.k[0].size <= run_)) return nest(s_.k, 0, at, body);
    internal_check(s_.k.size() == 1, "emit_dot: an ordered product along several axes");
    const Axis& k = s_.k[0];
    const std::vector<llvm::AllocaInst*> totals = accumulators(static_cast<std::int64_t>(sums.size()));
    const auto one_run = [&](Code first, std::int64_t count) {
      for (llvm::AllocaInst* sum : sums) b_.CreateStore(llvm::Constant::getNullValue(vector()), sum);
      nest(Axes{Axis{count, k.lhs, k.rhs, 0}}, 0, moved(at, k, first), body);
      for (std::size_t i = 0; i < sums.size(); ++i)
        b_.CreateStore(b_.CreateFAdd(b_.CreateLoad(vector(), totals[i]), b_.CreateLoad(vector(), sums[i])), totals[i]);
    };
    const std::int64_t whole = k.size / run_ * run_;
    for_loop(whole, run_, [&](Code first) { one_run(first, run_); });
    if (whole < k.size) one_run(number(whole), k.size - whole);
    for (std::size_t i = 0; i < sums.size(); ++i) b_.CreateStore(b_.CreateLoad(vector(), totals[i]), sums[i]);
  }

  // Lanes are elements of the contracted axis.
  void tile_along_k(Place at, const Axis& n, std::int64_t columns) {
    const std::vector<llvm::AllocaInst*> sums = accumulators(columns);
    const Axes outer(s_.k.begin(), s_.k.end() - 1);
    const Axis& k = s_.k.back();
    nest(outer, 0, at, [&](Place p) {
      const auto step = [&](Code i, std::int64_t count) {
        Code left = load_lanes(lhs_, b_.CreateAdd(p.lhs, i), 1, count);
        for (std::int64_t c = 0; c < columns; ++c) {
          llvm::AllocaInst* sum = sums[static_cast<std::size_t>(c)];
          Code right = load_lanes(rhs_, b_.CreateAdd(plus(p.rhs, number(c), n.rhs), i), 1, count);
          b_.CreateStore(multiply_add(left, right, b_.CreateLoad(vector(), sum)), sum);
        }
      };
      const std::int64_t whole = k.size / lanes_ * lanes_;
      if (whole > 0) for_loop(whole, lanes_, [&](Code i) { step(i, lanes_); });
      if (whole < k.size) step(number(whole), k.size - whole);
    });
    for (std::int64_t c = 0; c < columns; ++c) {
      Code sum = b_.CreateLoad(vector(), sums[static_cast<std::size_t>(c)]);
      sum = emit_join(b_, sum, lanes_, [&](Code x, Code y, unsigned) {
        return element_->isIntegerTy() ? b_.CreateAdd(x, y) : b_.CreateFAdd(x, y);
      });
      b_.CreateAlignedStore(sum, b_.CreateGEP(element_, out_, plus(at.out, number(c), n.out)), alignment());
    }
  }

  LlvmUnit& unit_;
  Shape s_;
  llvm::IRBuilder<> b_;
  llvm::Type* element_;
  std::int64_t run_;  // elements that an ordered product adds up by themselves; 0 for others
  llvm::Function* f_ = nullptr;
  Code lhs_ = nullptr, rhs_ = nullptr, out_ = nullptr;
  unsigned lanes_ = 1;
  bool along_k_ = false;
};

}  // namespace

bool can_emit_dot(Aval lhs, Aval rhs, Aval out) {
  const DType t = lhs.dtype();
  if (rhs.dtype() != t || out.dtype() != t || lhs.size() == 0 || rhs.size() == 0) return false;
  return t == f32 || t == f64 || t == i32 || t == i64 || t == u32 || t == u64;
}

double dot_work(const ir::ParamsBase* params, Aval lhs, Aval out) {
  double work = static_cast<double>(out.size());
  for (const std::int64_t d : ir::params_as<DotGeneralParams>(params).dimension_numbers.lhs_contracting)
    work *= static_cast<double>(lhs.shape(static_cast<std::size_t>(d)));
  return work;
}

llvm::Function* emit_dot(LlvmUnit& unit, const ir::ParamsBase* params, Aval lhs, Aval rhs, Aval out,
                         const std::string& name) {
  const auto& p = ir::params_as<DotGeneralParams>(params);
  return DotEmitter(unit, shape_of(p.dimension_numbers, lhs.shape(), rhs.shape()), out.dtype(), p.ordered, name).emit();
}

}  // namespace weft::cpu
