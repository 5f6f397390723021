#include "weft/compiler/reduction_tree.h"

#include <algorithm>

#include "weft/compiler/folded_operand.h"
#include "weft/compiler/jaxpr_edit.h"
#include "weft/ir/reduction_groups.h"
#include "weft/ir/reduction_order.h"

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
  Tree(JaxprEdit& to, ReduceKind kind) : to_(to), kind_(kind) {}

  /// [width] of [n / fold, fold * width], the folded form of [n, width].
  Atom reduce_folded(Atom x, std::int64_t fold, std::int64_t width) {
    const std::int64_t whole = to_.shape(x)[0];
    return folded_columns(x, 1, whole, fold, width);
  }

  Atom reduce(Atom x, ir::ReductionGroups g) {
    for (;;) {
      std::size_t end = g.sizes.size();
      while (end > 0 && !g.reduced[end - 1]) --end;
      if (end == 0) return x;
      const std::size_t last = end - 1;
      std::int64_t outer = 1, width = 1;
      for (std::size_t i = 0; i < last; ++i) outer *= g.sizes[i];
      for (std::size_t i = last + 1; i < g.sizes.size(); ++i) width *= g.sizes[i];
      const std::int64_t n = g.sizes[last];
      x = width == 1 ? rows(to_.reshape(x, {outer, n}), outer, n)
                     : columns(to_.reshape(x, {outer, n, width}), outer, n, width);
      g.sizes.erase(g.sizes.begin() + static_cast<std::ptrdiff_t>(last));
      g.reduced.erase(g.reduced.begin() + static_cast<std::ptrdiff_t>(last));
    }
  }

 private:
  Atom reduce_axis(Atom x, std::int64_t axis) {
    return to_.make(OpCode::kReduce, ir::make_params(ReduceParams{kind_, Dims{axis}}), {x});
  }
  Atom combine(Atom a, Atom b) {
    const auto op = [&] {
      const bool of_bool = to_.aval(a).dtype() == boolean;
      switch (kind_) {
        case ReduceKind::kSum: return of_bool ? OpCode::kOr : OpCode::kAdd;
        case ReduceKind::kProd: return of_bool ? OpCode::kAnd : OpCode::kMultiply;
        case ReduceKind::kMax: return OpCode::kMaximum;
        case ReduceKind::kMin: return OpCode::kMinimum;
        case ReduceKind::kAnd: return OpCode::kAnd;
        case ReduceKind::kOr: return OpCode::kOr;
        case ReduceKind::kXor: break;
      }
      return OpCode::kXor;
    };
    return to_.make(op(), {}, {a, b});
  }

  // [outer] of [outer, n]
  Atom rows(Atom x, std::int64_t outer, std::int64_t n) {
    if (n <= kReduceRowBlock) return reduce_axis(x, 1);
    const std::int64_t blocks = n / kReduceRowBlock, whole = blocks * kReduceRowBlock;
    Atom first = whole == n ? x : to_.slice(x, 1, 0, whole);
    first = reduce_axis(to_.reshape(first, {outer, blocks, kReduceRowBlock}), 2);
    if (whole == n) return rows(first, outer, blocks);
    const Atom last = to_.reshape(reduce_axis(to_.slice(x, 1, whole, n), 1), {outer, 1});
    return rows(joined(first, last), outer, blocks + 1);
  }

  // [outer, width] of [outer, n, width]
  Atom columns(Atom x, std::int64_t outer, std::int64_t n, std::int64_t width) {
    if (const std::int64_t fold = ir::reduction_fold(n, width); fold > 1) {
      const std::int64_t whole = n / fold, rest = n - whole * fold;
      Atom folded = rest == 0 ? x : to_.slice(x, 1, 0, whole * fold);
      folded = folded_columns(folded, outer, whole, fold, width);
      if (rest == 0) return folded;
      return combine(folded, columns(to_.slice(x, 1, whole * fold, n), outer, rest, width));
    }
    if (n <= kReduceColumnBlock) return reduce_axis(x, 1);
    const std::int64_t blocks = n / kReduceColumnBlock, whole = blocks * kReduceColumnBlock;
    Atom first = whole == n ? x : to_.slice(x, 1, 0, whole);
    first = reduce_axis(to_.reshape(first, {outer, blocks, kReduceColumnBlock, width}), 2);
    if (whole == n) return columns(first, outer, blocks, width);
    const Atom last = to_.reshape(reduce_axis(to_.slice(x, 1, whole, n), 1), {outer, 1, width});
    return columns(joined(first, last), outer, blocks + 1, width);
  }
  // [outer, width] of `whole * fold` rows
  Atom folded_columns(Atom x, std::int64_t outer, std::int64_t whole, std::int64_t fold, std::int64_t width) {
    x = columns(to_.reshape(x, {outer, whole, fold * width}), outer, whole, fold * width);
    return columns(to_.reshape(x, {outer, fold, width}), outer, fold, width);
  }
  // The results of blocks, along axis 1.
  Atom joined(Atom first, Atom last) {
    const Atom parts[] = {first, last};
    return to_.concatenate(parts, 1);
  }

  JaxprEdit& to_;
  const ReduceKind kind_;
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
  const FoldedOperand::Definitions definitions = FoldedOperand::definitions_in(jaxpr);
  for (const ir::Eqn& e : eqns) {
    edit.at(e);
    std::optional<ir::ReductionGroups> g = groups(e);
    if (!g) {
      edit.keep();
      continue;
    }
    const Atom operand = jaxpr.operands(e)[0];
    const Aval out = jaxpr.aval(e.out_begin);
    // Columns over the first axes that fold evenly.
    const bool of_columns = g->sizes.size() == 2 && g->reduced[0];
    const std::int64_t fold = of_columns ? ir::reduction_fold(g->sizes[0], g->sizes[1]) : 1;
    std::optional<Atom> folded;
    if (fold > 1 && g->sizes[0] % fold == 0)
      folded = FoldedOperand(edit, jaxpr, definitions, g->sizes[0], g->sizes[1], fold).make(operand);
    Atom x = folded ? *folded : edit.now(operand);
    if (edit.aval(x).dtype() == f16 || edit.aval(x).dtype() == bf16) x = edit.convert(x, f32);
    Tree tree(edit, ir::params_as<ReduceParams>(e.params.get()).kind);
    x = folded ? tree.reduce_folded(x, fold, g->sizes[1]) : tree.reduce(x, *std::move(g));
    edit.replace(edit.convert(edit.reshape(x, Dims(out.shape())), out.dtype()));
  }
  return edit.finish();
}

}  // namespace weft::compiler
