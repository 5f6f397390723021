#include "weft/compiler/simplify_scanned.h"

#include <algorithm>

#include "weft/compiler/jaxpr_edit.h"
#include "weft/compiler/simplify_axes.h"
#include "weft/compiler/simplify_literal.h"
#include "weft/ir/nested.h"
#include "weft/ir/programs.h"
#include "weft/ir/shape.h"

namespace weft::compiler::simplifying {

namespace {

// Smaller slices stay together, where their elements share vectors.
constexpr std::int64_t kWholeVectors = 64;

// Types of which kernels are made; others are computed by operations of their own, on memory.
bool in_kernels(DType t) { return !is_complex(t) && !is_storage(t); }

// Whether it costs less than a store and a load; all of its operands have the shape of the result.
bool is_cheap(const Rewriter& to, const Equation& e) {
  switch (e.op) {
    case OpCode::kAdd:
    case OpCode::kSubtract:
    case OpCode::kMultiply:
    case OpCode::kNegate:
    case OpCode::kMaximum:
    case OpCode::kMinimum:
    case OpCode::kConvert: break;
    default: return false;
  }
  return in_kernels(e.types[0].dtype()) &&
         std::all_of(e.operands.begin(), e.operands.end(), [&](Atom a) { return in_kernels(to.aval(a).dtype()); });
}

// Whether the value is in memory whatever becomes of its users.
bool is_stored_anyway(const Rewriter& to, Atom a) {
  const Equation* e = to.producer(a);
  return !e || e->op == OpCode::kDotGeneral || e->op == OpCode::kConvolution || ir::runs_programs(e->op);
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
  std::vector<const Equation*> equations = {};  // the last first
  std::optional<Atom> array = {};               // what they begin with, unless that is the same at each step
};

Source source_of(const Rewriter& to, Atom operand) {
  Source s;
  Atom at = operand;
  while (!same_at_each_step(to, at)) {
    s.array = at;
    const Equation* e = to.producer(at);
    if (!e || !to.used_once(at) || !is_cheap(to, *e)) break;
    std::optional<Atom> before;
    bool one = true;
    for (const Atom a : e->operands) {
      if (same_at_each_step(to, a)) continue;
      one = one && (!before || before == a);
      before = a;
    }
    if (!one) break;
    s.equations.push_back(e);
    at = before.value_or(e->operands[0]);
    s.array = before;
  }
  // A wider array in the place of a narrower one would be more to store and to read.
  const auto width = [&](Atom a) { return byte_size(to.aval(a).dtype()); };
  while (s.array && !s.equations.empty() && width(*s.array) > width(operand) && !is_stored_anyway(to, *s.array)) {
    s.array = Atom::var(s.equations.back()->first);
    s.equations.pop_back();
  }
  return s;
}

// Which inputs the body reads other than element by element, or in parts: those are in memory.
std::vector<bool> read_whole(const Jaxpr& body) {
  std::vector<bool> r(body.num_vars(), false);
  const auto mark = [&](std::span<const Atom> atoms) {
    for (const Atom a : atoms)
      if (!a.is_literal()) r[a.index()] = true;
  };
  for (const ir::Eqn& e : body.eqns())
    if (!ir::op_info(e.op).elementwise && e.op != OpCode::kSlice) mark(body.operands(e));
  mark(body.outputs());
  return r;
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
      Atoms operands;
      for (const Atom a : e.operands) operands.push_back(a == before ? *value : repeated_slice(a));
      made_.at(e.location, e.scope);
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
    made_.at(e.location, e.scope);
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

void make_slices_inside(const Rewriter& to, Equation& scan, std::span<const std::optional<Atom>> known) {
  ScanParams p = scan.params_as<ScanParams>();
  const std::size_t num_consts = p.jaxpr.num_consts(), first = num_consts + static_cast<std::size_t>(p.num_carry);
  std::vector<Source> sources;  // of what is scanned over
  std::vector<bool> whole;      // found out when something has equations that could move
  bool any = false;
  for (std::size_t i = first; i < scan.operands.size(); ++i) {
    const Atom operand = scan.operands[i];
    const bool is_result = std::find(known.begin(), known.end(), std::optional(operand)) != known.end();
    Source s = is_result ? Source{.array = operand} : source_of(to, operand);
    if (!s.equations.empty()) {
      if (whole.empty()) whole = read_whole(p.jaxpr);
      if (whole[i] || p.jaxpr.aval(static_cast<Var>(i)).size() < kWholeVectors) s = {.array = operand};
    }
    any = any || s.array != operand;
    sources.push_back(std::move(s));
  }
  if (!any) return;
  Body body(to);
  std::vector<Atom> inputs;
  for (std::size_t i = 0; i < scan.operands.size(); ++i) {
    const Atom operand = scan.operands[i];
    inputs.push_back(i < num_consts ? body.constant(operand)
                     : i < first    ? body.carry(operand)
                                    : body.slice(sources[i - first], operand));
  }
  p.jaxpr = body.finish(p.jaxpr, inputs);
  scan.operands = body.operands();
  scan.params = ir::make_params(std::move(p));
}

}  // namespace weft::compiler::simplifying
