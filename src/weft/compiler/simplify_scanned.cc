#include "weft/compiler/simplify_scanned.h"

#include <algorithm>

#include "weft/compiler/jaxpr_edit.h"
#include "weft/compiler/simplify_axes.h"
#include "weft/compiler/simplify_literal.h"
#include "weft/ir/programs.h"
#include "weft/ir/shape.h"

namespace weft::compiler::simplifying {

namespace {

// Smaller slices stay together, where their elements share vectors.
constexpr std::int64_t kWholeVectors = 64;

// Those that cost less than a store and a load, and all of whose operands have the shape of the result.
bool is_cheap(OpCode op) {
  switch (op) {
    case OpCode::kAdd:
    case OpCode::kSubtract:
    case OpCode::kMultiply:
    case OpCode::kNegate:
    case OpCode::kMaximum:
    case OpCode::kMinimum:
    case OpCode::kConvert: return true;
    default: return false;
  }
}

// What is broadcast along the first axis to give `a`, or null.
const Equation* repeated(const Rewriter& to, Atom a) {
  const Equation* e = to.definition(a, OpCode::kBroadcastInDim);
  return e && !contains(e->params_as<BroadcastInDimParams>().broadcast_dimensions, 0) ? e : nullptr;
}
bool same_at_each_step(const Rewriter& to, Atom a) { return to.literal(a) || repeated(to, a); }

Dims without_first(DimSpan shape) { return Dims(shape.subspan(1)); }
Aval slice_of(Aval a) { return a.with_shape(without_first(a.shape())); }

// How an operand is made.
struct Source {
  std::vector<const Equation*> equations;  // the last first
  std::optional<Atom> array;               // what they begin with, unless that is the same at each step
  bool moves(Atom operand) const { return array != operand; }
};

Source source_of(const Rewriter& to, Atom operand, bool equations_may_move) {
  Source s;
  Atom at = operand;
  while (!same_at_each_step(to, at)) {
    s.array = at;
    const Equation* e = to.producer(at);
    if (!equations_may_move || !e || !is_cheap(e->op) || !to.used_once(at)) return s;
    std::optional<Atom> before;
    for (const Atom a : e->operands) {
      if (same_at_each_step(to, a) || before == a) continue;
      if (before) return s;
      before = a;
    }
    s.equations.push_back(e);
    at = before.value_or(e->operands[0]);
  }
  s.array.reset();
  return s;
}

// Whether the body only computes with input `v`, element by element, or takes parts of it: it is then made where it is
// used.
bool is_read_by_element(const Jaxpr& body, Var v) {
  const auto is_v = [&](Atom a) { return a == Atom::var(v); };
  for (const ir::Eqn& e : body.eqns()) {
    const auto operands = body.operands(e);
    if (!ir::op_info(e.op).elementwise && e.op != OpCode::kSlice && std::any_of(operands.begin(), operands.end(), is_v))
      return false;
  }
  return std::none_of(body.outputs().begin(), body.outputs().end(), is_v);
}

// The new body, while it is written, and the operands that the scan takes for it.
class Body {
 public:
  explicit Body(const Rewriter& to) : to_(to) {}

  Atom constant(Atom from) {
    captured_.push_back(from);
    return made_.constant(to_.aval(from));
  }
  Atom carry(Atom from) {
    others_.push_back(from);
    return made_.input(to_.aval(from));
  }
  Atom scanned(Atom from) {
    others_.push_back(from);
    return made_.input(slice_of(to_.aval(from)));
  }
  // A step's slice of what `s` makes.
  Atom slice(const Source& s, Atom operand) {
    std::optional<Atom> value;
    if (s.array) value = scanned(*s.array);
    std::optional<Atom> before = s.array;
    for (std::size_t i = s.equations.size(); i-- > 0;) {
      const Equation& e = *s.equations[i];
      made_.at(e.location, e.scope);
      Atoms operands;
      for (const Atom a : e.operands) operands.push_back(a == before ? *value : repeated_slice(a));
      value = made_.make(e.op, e.params, operands);
      before = Atom::var(e.first);
    }
    return value ? *value : repeated_slice(operand);
  }
  Jaxpr finish(const Jaxpr& body, std::span<const Atom> inputs) { return made_.finish(made_.append(body, inputs)); }
  Atoms operands() const {
    Atoms all = captured_;
    all.append(others_.begin(), others_.end());
    return all;
  }

 private:
  Atom repeated_slice(Atom a) {
    if (const Literal* l = to_.literal(a)) return made_.literal(reshaped(*l, slice_of(to_.aval(a))));
    const Equation& e = *repeated(to_, a);
    const Dims sizes = without_first(to_.aval(a).shape());
    Dims axes = e.params_as<BroadcastInDimParams>().broadcast_dimensions;
    for (std::int64_t& axis : axes) --axis;
    const Atom from = e.operands[0];
    if (const Literal* l = to_.literal(from)) return made_.literal(reshaped(*l, slice_of(to_.aval(a))));
    return made_.broadcast(constant(from), axes, sizes);
  }

  const Rewriter& to_;
  NewJaxpr made_;
  Atoms captured_, others_;
};

}  // namespace

void make_slices_inside(const Rewriter& to, Equation& scan) {
  ScanParams p = scan.params_as<ScanParams>();
  const std::size_t num_consts = p.jaxpr.num_consts(), first = num_consts + static_cast<std::size_t>(p.num_carry);
  std::vector<Source> sources;
  bool any = false;
  for (std::size_t i = first; i < scan.operands.size(); ++i) {
    const auto v = static_cast<Var>(i);
    const bool may_move = p.jaxpr.aval(v).size() >= kWholeVectors && is_read_by_element(p.jaxpr, v);
    sources.push_back(source_of(to, scan.operands[i], may_move));
    any = any || sources.back().moves(scan.operands[i]);
  }
  if (!any) return;
  Body body(to);
  std::vector<Atom> inputs;
  for (std::size_t i = 0; i < scan.operands.size(); ++i) {
    const Atom operand = scan.operands[i];
    if (i < num_consts)
      inputs.push_back(body.constant(operand));
    else if (i < first)
      inputs.push_back(body.carry(operand));
    else
      inputs.push_back(body.slice(sources[i - first], operand));
  }
  p.jaxpr = body.finish(p.jaxpr, inputs);
  scan.operands = body.operands();
  scan.params = ir::make_params(std::move(p));
}

}  // namespace weft::compiler::simplifying
