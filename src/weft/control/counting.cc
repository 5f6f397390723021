#include "weft/control/counting.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include "weft/ir/builder.h"
#include "weft/ir/elements.h"
#include "weft/ir/elementwise.h"

namespace weft::control {

namespace {

using Direction = ComparisonDirection;
using Known = std::optional<std::int64_t>;

bool counts(Aval a) { return a.ndim() == 0 && (is_integer(a.dtype()) || a.dtype() == boolean); }

// The numbers of a dtype, without those of u64 that i64 does not have.
struct Range {
  std::int64_t least, most;
};
Range range_of(DType t) {
  const int bits = bit_width(t) - (is_signed_integer(t) ? 1 : 0);
  const std::int64_t most = bits >= 63 ? std::numeric_limits<std::int64_t>::max() : (std::int64_t{1} << bits) - 1;
  return {is_signed_integer(t) ? -most - 1 : 0, most};
}

// p if it stays in its dtype for `length` steps.
std::optional<Progression> within(DType t, Progression p, std::int64_t length) {
  std::int64_t last;
  if (__builtin_mul_overflow(p.stride, length - 1, &last) || __builtin_add_overflow(last, p.start, &last))
    return std::nullopt;
  const Range range = range_of(t);
  const auto [low, high] = std::minmax(p.start, last);
  if (low < range.least || high > range.most) return std::nullopt;
  return p;
}

Known value_of(const ir::Literal& l) {
  if (!counts(l.aval)) return std::nullopt;
  const std::int64_t v = integer_element(l.aval.dtype(), l.value.data());
  // What i64 does not have becomes its largest number.
  if (l.aval.dtype() == u64 && v == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return v;
}

// ---- operations on progressions; nullopt where the result is none, or leaves i64 ----

using Result = std::optional<Progression>;

Result sum(Progression a, Progression b) {
  Progression r;
  if (__builtin_add_overflow(a.start, b.start, &r.start) || __builtin_add_overflow(a.stride, b.stride, &r.stride))
    return std::nullopt;
  return r;
}

Result difference(Progression a, Progression b) {
  Progression r;
  if (__builtin_sub_overflow(a.start, b.start, &r.start) || __builtin_sub_overflow(a.stride, b.stride, &r.stride))
    return std::nullopt;
  return r;
}

Result product(Progression a, Progression b) {
  if (a.stride != 0) std::swap(a, b);
  Progression r;
  if (a.stride != 0 || __builtin_mul_overflow(a.start, b.start, &r.start) ||
      __builtin_mul_overflow(a.start, b.stride, &r.stride))
    return std::nullopt;
  return r;
}

bool holds(Direction d, std::int64_t difference) {
  switch (d) {
    case Direction::kEq: return difference == 0;
    case Direction::kNe: return difference != 0;
    case Direction::kGe: return difference >= 0;
    case Direction::kGt: return difference > 0;
    case Direction::kLe: return difference <= 0;
    default: return difference < 0;
  }
}

// A comparison that comes out the same at every step.
Result comparison(Direction d, Progression a, Progression b, std::int64_t length) {
  const Result gap = difference(a, b);
  if (!gap) return std::nullopt;
  const std::int64_t first = gap->start;
  std::int64_t last;
  if (__builtin_mul_overflow(gap->stride, length - 1, &last) || __builtin_add_overflow(last, first, &last))
    return std::nullopt;
  const bool equality = d == Direction::kEq || d == Direction::kNe;
  // The gap goes from the first to the last without turning; in between it may pass zero.
  if (holds(d, first) != holds(d, last) || (equality && first != last && (first < 0) != (last < 0)))
    return std::nullopt;
  return Progression{holds(d, first) ? 1 : 0, 0};
}

Result result_of(const ir::Eqn& e, std::span<const Result> in, std::int64_t length) {
  if (e.op == OpCode::kSelect) {
    if (!in[0] || in[0]->stride != 0) return std::nullopt;
    return in[0]->start ? in[1] : in[2];
  }
  for (const Result& r : in)
    if (!r) return std::nullopt;
  switch (e.op) {
    case OpCode::kAdd: return sum(*in[0], *in[1]);
    case OpCode::kSubtract: return difference(*in[0], *in[1]);
    case OpCode::kMultiply: return product(*in[0], *in[1]);
    case OpCode::kNegate: return difference({}, *in[0]);
    case OpCode::kCompare:
      return comparison(usual_order(ir::params_as<CompareParams>(e.params).direction), *in[0], *in[1], length);
    case OpCode::kConvert:
    case OpCode::kReshape:
    case OpCode::kBroadcastInDim: return in[0];
    default: return std::nullopt;
  }
}

// ---- counting ----

// a compares with b as b compares with a.
Direction turned(Direction d) {
  switch (d) {
    case Direction::kGe: return Direction::kLe;
    case Direction::kGt: return Direction::kLt;
    case Direction::kLe: return Direction::kGe;
    case Direction::kLt: return Direction::kGt;
    default: return d;
  }
}

// How often `while (i <d> bound) i += stride` steps.
Known steps(Direction d, Progression i, std::int64_t bound, DType t) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  std::int64_t distance;
  if (__builtin_sub_overflow(bound, i.start, &distance) || distance == kLeast || i.stride == kLeast)
    return std::nullopt;
  if (!holds(d, -distance)) return 0;
  const bool towards = d == Direction::kNe ? distance % std::max<std::int64_t>(std::abs(i.stride), 1) == 0 &&
                                                 (distance < 0) == (i.stride < 0)
                                           : (d == Direction::kLt || d == Direction::kLe) == (i.stride > 0);
  // Otherwise it goes on for ever, or until i wraps around.
  if (i.stride == 0 || !towards) return std::nullopt;
  const std::int64_t whole = distance / i.stride;
  const bool one_more = d == Direction::kLe || d == Direction::kGe || whole * i.stride != distance;
  if (whole > std::numeric_limits<std::int64_t>::max() - 2) return std::nullopt;
  const std::int64_t n = whole + (one_more ? 1 : 0);
  return within(t, i, n + 1) ? Known(n) : std::nullopt;
}

// c when `next` is defined as input + c.
Known added(const ir::Jaxpr& body, ir::Atom next, ir::Atom input, const Progressions& constants) {
  const ir::Eqn* e = definition(body, next);
  if (!e || (e->op != OpCode::kAdd && e->op != OpCode::kSubtract)) return std::nullopt;
  const auto constant = [&](ir::Atom a) -> Known {
    if (a.is_literal()) return value_of(body.literal(a));
    if (const Result& p = constants[a.index()]) return p->start;
    return std::nullopt;
  };
  const auto operands = body.operands(*e);
  if (e->op == OpCode::kAdd) {
    if (operands[0] == input) return constant(operands[1]);
    if (operands[1] == input) return constant(operands[0]);
    return std::nullopt;
  }
  const Known c = operands[0] == input ? constant(operands[1]) : std::nullopt;
  return c && *c != std::numeric_limits<std::int64_t>::min() ? Known(-*c) : std::nullopt;
}

}  // namespace

Progressions progressions(const ir::Jaxpr& program, const Progressions& inputs, std::int64_t length) {
  Progressions known(program.num_vars());
  std::copy(inputs.begin(), inputs.end(), known.begin());
  SmallVector<Result, 4> in;
  for (const ir::Eqn& e : program.eqns()) {
    if (e.out_end != e.out_begin + 1 || !counts(program.aval(e.out_begin))) continue;
    in.clear();
    for (const ir::Atom a : program.operands(e)) {
      if (!a.is_literal()) {
        in.push_back(counts(program.aval(a)) ? known[a.index()] : std::nullopt);
      } else if (const Known v = value_of(program.literal(a))) {
        in.push_back(Progression{*v, 0});
      } else {
        in.push_back(std::nullopt);
      }
    }
    if (const Result r = result_of(e, in, length))
      known[e.out_begin] = within(program.aval(e.out_begin).dtype(), *r, length);
  }
  return known;
}

const ir::Eqn* definition(const ir::Jaxpr& jaxpr, ir::Atom a) {
  if (a.is_literal() || a.index() < jaxpr.num_inputs()) return nullptr;
  const auto e = std::ranges::upper_bound(jaxpr.eqns(), a.index(), {}, &ir::Eqn::out_end);
  return e == jaxpr.eqns().end() ? nullptr : &*e;
}

std::optional<Counting> counting(const ir::Jaxpr& cond, const ir::Jaxpr& body, const std::vector<Known>& known) {
  // Counters may be tested and moved on in functions that are called.
  const ir::Jaxpr test = ir::inline_calls(cond), step = ir::inline_calls(body);
  const std::size_t num_cond = test.num_consts(), num_body = step.num_consts(), n = step.outputs().size();
  const auto carried = [&](std::size_t k) { return ir::Atom::var(static_cast<ir::Var>(num_body + k)); };
  const auto start = [&](std::size_t k) { return known[num_cond + num_body + k]; };
  Progressions in_test(test.num_inputs()), in_step(step.num_inputs());
  for (std::size_t i = 0; i < num_cond; ++i)
    if (known[i]) in_test[i] = Progression{*known[i], 0};
  for (std::size_t i = 0; i < num_body; ++i)
    if (known[num_cond + i]) in_step[i] = Progression{*known[num_cond + i], 0};
  for (std::size_t k = 0; k < n; ++k)
    if (start(k) && step.outputs()[k] == carried(k))
      in_test[num_cond + k] = in_step[num_body + k] = Progression{*start(k), 0};

  // Those that the body adds a constant to.
  const Progressions constants = progressions(step, in_step, 1);
  Counting result{0, in_step};
  for (std::size_t k = 0; k < n; ++k) {
    const ir::Atom next = step.outputs()[k];
    if (!start(k) || !is_integer(step.aval(next).dtype())) continue;
    if (const Known stride = added(step, next, carried(k), constants))
      result.inputs[num_body + k] = Progression{*start(k), *stride};
  }

  const ir::Eqn* compare = definition(test, test.outputs()[0]);
  if (!compare || compare->op != OpCode::kCompare) return std::nullopt;
  const Progressions bounds = progressions(test, in_test, 1);
  const auto steps_by = [&](ir::Atom counter, ir::Atom bound, Direction d) -> Known {
    if (counter.is_literal() || counter.index() < num_cond || counter.index() >= test.num_inputs() ||
        d == Direction::kEq)
      return std::nullopt;
    const Result& i = result.inputs[num_body + counter.index() - num_cond];
    const Known b = bound.is_literal()      ? value_of(test.literal(bound))
                    : bounds[bound.index()] ? Known(bounds[bound.index()]->start)
                                            : std::nullopt;
    return i && b ? steps(d, *i, *b, test.aval(counter).dtype()) : std::nullopt;
  };
  const Direction d = usual_order(ir::params_as<CompareParams>(compare->params).direction);
  const auto operands = test.operands(*compare);
  Known length = steps_by(operands[0], operands[1], d);
  if (!length) length = steps_by(operands[1], operands[0], turned(d));
  if (!length) return std::nullopt;
  result.length = *length;
  for (std::size_t i = 0; i < result.inputs.size(); ++i)
    if (Result& p = result.inputs[i]) p = within(step.aval(static_cast<ir::Var>(i)).dtype(), *p, result.length + 1);
  return result;
}

}  // namespace weft::control
