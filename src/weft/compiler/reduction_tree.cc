#include "weft/compiler/reduction_tree.h"

#include <algorithm>

#include "weft/compiler/jaxpr_edit.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/op.h"
#include "weft/ir/reduction_groups.h"
#include "weft/ir/reduction_order.h"
#include "weft/ir/shape.h"

namespace weft::compiler {

namespace {

using ir::Atom;

// Whether a kernel does it as it is.
bool is_small(const ir::ReductionGroups& g) {
  const auto count = std::count(g.reduced.begin(), g.reduced.end(), true);
  if (count == 0) return true;
  if (count > 1) return false;
  if (g.reduced.back()) return g.sizes.back() <= kReduceRowBlock;
  const std::int64_t width = g.sizes.back(), n = g.sizes[g.sizes.size() - 2];
  return n <= kReduceColumnBlock && ir::reduction_fold(n, width) == 1;
}

// One reduction. Values are seen as [outer, n, width].
class Tree {
 public:
  Tree(JaxprEdit& to, const ir::Eqn& e, ReduceKind kind, DType t) : to_(to), e_(e), kind_(kind), t_(t) {}

  Atom reduce(Atom x, ir::ReductionGroups g) {
    for (;;) {
      std::size_t last = g.sizes.size();
      while (last-- > 0 && !g.reduced[last]) {
      }
      if (last >= g.sizes.size()) return x;
      std::int64_t outer = 1, width = 1;
      for (std::size_t i = 0; i < last; ++i) outer *= g.sizes[i];
      for (std::size_t i = last + 1; i < g.sizes.size(); ++i) width *= g.sizes[i];
      const std::int64_t n = g.sizes[last];
      x = width == 1 ? rows(reshape(x, {outer, n}), outer, n) : columns(reshape(x, {outer, n, width}), outer, n, width);
      g.sizes.erase(g.sizes.begin() + static_cast<std::ptrdiff_t>(last));
      g.reduced.erase(g.reduced.begin() + static_cast<std::ptrdiff_t>(last));
    }
  }
  Atom reshape(Atom x, Dims shape) {
    const Aval out = aval(shape);
    return to_.add(e_, OpCode::kReshape, ir::make_params(ReshapeParams{std::move(shape)}), {x}, out);
  }

 private:
  Aval aval(DimSpan shape) const { return Aval(t_, shape); }

  Atom reduce_axis(Atom x, Dims shape, std::int64_t axis) {
    shape.erase(shape.begin() + axis);
    return to_.add(e_, OpCode::kReduce, ir::make_params(ReduceParams{kind_, Dims{axis}}), {x}, aval(shape));
  }
  Atom slice(Atom x, const Dims& shape, std::size_t axis, std::int64_t begin, std::int64_t end) {
    SliceParams p{.limit_indices = shape, .start_indices = Dims(shape.size(), 0), .strides = Dims(shape.size(), 1)};
    p.start_indices[axis] = begin;
    p.limit_indices[axis] = end;
    Dims out = shape;
    out[axis] = end - begin;
    return to_.add(e_, OpCode::kSlice, ir::make_params(std::move(p)), {x}, aval(out));
  }
  Atom concatenate(Atom a, Atom b, Dims shape, std::int64_t axis) {
    return to_.add(e_, OpCode::kConcatenate, ir::make_params(ConcatenateParams{axis}), {a, b}, aval(shape));
  }
  Atom combine(Atom a, Atom b, const Dims& shape) {
    const auto op = [&] {
      switch (kind_) {
        case ReduceKind::kSum: return t_ == boolean ? OpCode::kOr : OpCode::kAdd;
        case ReduceKind::kProd: return t_ == boolean ? OpCode::kAnd : OpCode::kMultiply;
        case ReduceKind::kMax: return OpCode::kMaximum;
        case ReduceKind::kMin: return OpCode::kMinimum;
        case ReduceKind::kAnd: return OpCode::kAnd;
        case ReduceKind::kOr: return OpCode::kOr;
        case ReduceKind::kXor: break;
      }
      return OpCode::kXor;
    };
    return to_.add(e_, op(), {}, {a, b}, aval(shape));
  }

  // [outer] of [outer, n]
  Atom rows(Atom x, std::int64_t outer, std::int64_t n) {
    if (n <= kReduceRowBlock) return reduce_axis(x, {outer, n}, 1);
    const std::int64_t blocks = n / kReduceRowBlock, whole = blocks * kReduceRowBlock;
    Atom first = whole == n ? x : slice(x, {outer, n}, 1, 0, whole);
    first = reduce_axis(reshape(first, {outer, blocks, kReduceRowBlock}), {outer, blocks, kReduceRowBlock}, 2);
    if (whole == n) return rows(first, outer, blocks);
    const Atom last = reduce_axis(slice(x, {outer, n}, 1, whole, n), {outer, n - whole}, 1);
    return rows(concatenate(first, reshape(last, {outer, 1}), {outer, blocks + 1}, 1), outer, blocks + 1);
  }

  // [outer, width] of [outer, n, width]
  Atom columns(Atom x, std::int64_t outer, std::int64_t n, std::int64_t width) {
    const Dims shape = {outer, n, width};
    if (const std::int64_t fold = ir::reduction_fold(n, width); fold > 1) {
      const std::int64_t whole = n / fold, rest = n - whole * fold;
      Atom folded = rest == 0 ? x : slice(x, shape, 1, 0, whole * fold);
      folded = columns(reshape(folded, {outer, whole, fold * width}), outer, whole, fold * width);
      folded = columns(reshape(folded, {outer, fold, width}), outer, fold, width);
      if (rest == 0) return folded;
      const Atom tail = columns(slice(x, shape, 1, whole * fold, n), outer, rest, width);
      return combine(folded, tail, {outer, width});
    }
    if (n <= kReduceColumnBlock) return reduce_axis(x, shape, 1);
    const std::int64_t blocks = n / kReduceColumnBlock, whole = blocks * kReduceColumnBlock;
    Atom first = whole == n ? x : slice(x, shape, 1, 0, whole);
    const Dims in_blocks = {outer, blocks, kReduceColumnBlock, width};
    first = reduce_axis(reshape(first, in_blocks), in_blocks, 2);
    if (whole == n) return columns(first, outer, blocks, width);
    const Atom last = reduce_axis(slice(x, shape, 1, whole, n), {outer, n - whole, width}, 1);
    return columns(concatenate(first, reshape(last, {outer, 1, width}), {outer, blocks + 1, width}, 1), outer,
                   blocks + 1, width);
  }

  JaxprEdit& to_;
  const ir::Eqn& e_;
  ReduceKind kind_;
  DType t_;
};

}  // namespace

bool is_reduced_by_kernels(DType t, ReduceKind kind) {
  return t == boolean ? kind != ReduceKind::kXor : !is_storage(t) && !is_complex(t);
}

ir::Jaxpr with_reduction_trees(const ir::Jaxpr& jaxpr) {
  const auto groups = [&](const ir::Eqn& e) -> std::optional<ir::ReductionGroups> {
    if (e.op != OpCode::kReduce) return std::nullopt;
    const auto& p = ir::params_as<ReduceParams>(e.params.get());
    const Aval in = jaxpr.aval(jaxpr.operands(e)[0]);
    if (in.size() == 0 || !is_reduced_by_kernels(in.dtype(), p.kind)) return std::nullopt;
    ir::ReductionGroups g = ir::reduction_groups(in.shape(), p.axes);
    if (is_small(g)) return std::nullopt;
    return g;
  };
  const std::vector<ir::Eqn>& eqns = jaxpr.eqns();
  if (std::none_of(eqns.begin(), eqns.end(), [&](const ir::Eqn& e) { return groups(e).has_value(); })) return jaxpr;
  JaxprEdit edit(jaxpr);
  for (const ir::Eqn& e : eqns) {
    std::optional<ir::ReductionGroups> g = groups(e);
    if (!g) {
      edit.keep(e);
      continue;
    }
    Atom x = edit.now(jaxpr.operands(e)[0]);
    const Aval in = jaxpr.aval(jaxpr.operands(e)[0]), out = jaxpr.aval(e.out_begin);
    const DType t = in.dtype() == f16 || in.dtype() == bf16 ? f32 : in.dtype();
    const auto convert = [&](Atom a, DType to, Aval of) {
      return to == of.dtype()
                 ? a
                 : edit.add(e, OpCode::kConvert, ir::make_params(ConvertParams{to}), {a}, Aval(to, of.shape()));
    };
    Tree tree(edit, e, ir::params_as<ReduceParams>(e.params.get()).kind, t);
    x = tree.reduce(convert(x, t, in), *std::move(g));
    edit.replace(convert(tree.reshape(x, Dims(out.shape())), out.dtype(), Aval(t, out.shape())));
  }
  return edit.finish();
}

}  // namespace weft::compiler
