#include "weft/compiler/folded_operand.h"

#include <algorithm>

#include "weft/compiler/kernel.h"
#include "weft/compiler/simplify_literal.h"
#include "weft/ir/op.h"
#include "weft/ir/shape.h"

namespace weft::compiler {

using ir::Atom;

namespace {

constexpr std::size_t kMostLookedAt = 32;

}  // namespace

FoldedOperand::Definitions FoldedOperand::definitions_in(const ir::Jaxpr& jaxpr) {
  Definitions of(jaxpr.num_vars());
  const auto use = [&](Atom a) {
    if (!a.is_literal()) ++of[a.index()].uses;
  };
  for (const ir::Eqn& e : jaxpr.eqns()) {
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) of[v].eqn = &e;
    const std::span<const Atom> operands = jaxpr.operands(e);
    // A square uses what it is of once. Of other operations, which may have very many operands, none is looked into.
    const bool is_square = operands.size() == 2 && operands[0] == operands[1];
    for (const Atom a : is_square ? operands.first(1) : operands) use(a);
  }
  for (const Atom a : jaxpr.outputs()) use(a);
  return of;
}

std::optional<Atom> FoldedOperand::make(Atom x) {
  if (!has_repeated_row(x)) return std::nullopt;
  return folded(x);
}

bool FoldedOperand::repeats_row(const ir::Eqn& e) const {
  if (e.op != OpCode::kBroadcastInDim) return false;
  const Aval row = of_.aval(of_.operands(e)[0]), all = of_.aval(e.out_begin);
  if (row.size() != width_) return false;
  const Dims& dimensions = ir::params_as<BroadcastInDimParams>(e.params.get()).broadcast_dimensions;
  Dims from, last;  // the axes that a row is along, and the last ones, of as many elements
  for (std::size_t d = row.shape().size(); d-- > 0;)
    if (row.shape(d) != 1) from.push_back(dimensions[d]);
  std::int64_t elements = 1;
  for (std::size_t d = all.shape().size(); d-- > 0 && elements < width_; elements *= all.shape(d))
    if (all.shape(d) != 1) last.push_back(static_cast<std::int64_t>(d));
  return elements == width_ && from == last;
}

bool FoldedOperand::is_passed(const ir::Eqn& e) const {
  if (!ir::op_info(e.op).elementwise || e.out_end != e.out_begin + 1) return false;
  const Aval out = of_.aval(e.out_begin);
  if (op_cost(e.op, out.dtype()) > kCheapToRepeat) return false;
  const auto same_shape = [&](Atom a) { return Dims(of_.aval(a).shape()) == Dims(out.shape()); };
  if (!std::ranges::all_of(of_.operands(e), same_shape)) return false;
  // Others use it, in another shape: computing it here, too, must not mean computing what it is made from again.
  const auto is_read = [&](Atom a) {
    const ir::Eqn* of = eqn_of(a);
    return !of || !ir::op_info(of->op).elementwise;
  };
  return definitions_[e.out_begin].uses == 1 || std::ranges::all_of(of_.operands(e), is_read);
}

bool FoldedOperand::has_repeated_row(Atom x) {
  const ir::Eqn* e = eqn_of(x);
  if (!e) return false;
  if (const Seen* seen = find(x)) return seen->has_repeated_row;
  if (seen_.size() == kMostLookedAt) return false;
  const std::size_t at = seen_.size();
  seen_.push_back({x.index(), repeats_row(*e), {}});
  if (!seen_[at].has_repeated_row && is_passed(*e))
    for (const Atom a : of_.operands(*e))
      if (has_repeated_row(a)) seen_[at].has_repeated_row = true;
  return seen_[at].has_repeated_row;
}

FoldedOperand::Seen* FoldedOperand::find(Atom x) {
  const auto at = std::ranges::find(seen_, x.index(), &Seen::var);
  return at == seen_.end() ? nullptr : &*at;
}

Atom FoldedOperand::folded(Atom x) {
  if (x.is_literal()) return to_.literal(simplifying::reshaped(of_.literal(x), Aval(of_.aval(x).dtype(), shape_)));
  const Seen* seen = find(x);
  if (!seen || !seen->has_repeated_row) return to_.reshape(to_.now(x), shape_);
  if (seen->folded) return *seen->folded;
  const ir::Eqn& e = *eqn_of(x);
  Atom made = x;
  if (repeats_row(e)) {
    const Atom row = to_.reshape(to_.now(of_.operands(e)[0]), {width_});
    made = to_.broadcast(to_.reshape(to_.broadcast(row, {1}, {fold_, width_}), {fold_ * width_}), {1}, shape_);
  } else {
    SmallVector<Atom, 3> operands;
    for (const Atom a : of_.operands(e)) operands.push_back(folded(a));
    made = to_.make(e.op, e.params, operands);
  }
  find(x)->folded = made;
  return made;
}

}  // namespace weft::compiler
