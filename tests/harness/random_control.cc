// Random equations with programs inside: branches, loops, calls. Every loop ends after a few steps: a counter runs from
// a known start to a known end, or one of the two is a value that was clamped.
#include <algorithm>
#include <array>

#include "harness/program_scope.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/contraction.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/programs.h"
#include "weft/ir/shape.h"

namespace weft::testing {

namespace {

constexpr std::int64_t kMostSteps = 6;

Aval scalar_type(DType t) { return Aval(t, Dims{}); }

int some_equations(Scope& s) { return static_cast<int>(s.random().between(0, s.depth() == 0 ? 7 : 4)); }

Operands some_values(Scope& s, std::int64_t most) {
  Operands values;
  for (std::int64_t n = s.random().between(0, most); n > 0; --n) {
    if (s.random().chance(0.1))
      values.push_back(s.of_type(Aval(random_dtype(s.random()), random_shape(s.random(), 60))));
    else if (const auto value = s.any())
      values.push_back(*value);
  }
  return values;
}

// A bool that depends on what there is.
Operand random_predicate(Scope& s) {
  if (s.random().chance(0.4))
    if (const auto found = s.find([](Aval a) { return a == scalar_type(boolean); })) return *found;
  auto x = s.find([](Aval a) { return !is_complex(a.dtype()) && a.size() < 3000; });
  if (x && x->aval.ndim() > 0) {
    Dims axes;
    for (int i = 0; i < x->aval.ndim(); ++i) axes.push_back(i);
    x = s.apply1(OpCode::kReduce, ReduceParams{s.random().of({ReduceKind::kMax, ReduceKind::kMin}), axes}, {*x});
  }
  if (x) {
    const auto direction =
        s.random().of({ComparisonDirection::kGt, ComparisonDirection::kLt, ComparisonDirection::kNe});
    x = s.apply1(OpCode::kCompare, CompareParams{direction}, {*x, s.literal(random_literal(x->aval, s.random()))});
  }
  return x ? *x : s.of_type(scalar_type(boolean));
}

Operands with(Operands a, std::span<const Operand> b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// ---- case ----

bool make_case(Scope& s) {
  const bool two = s.random().chance(0.5);
  const Operand index = two ? random_predicate(s)
                        : s.random().chance(0.3)
                            ? s.literal(scalar_type(i32), static_cast<double>(s.random().between(-1, 4)))
                            : s.recent_of_type(scalar_type(i32));
  const Operands values = some_values(s, 4);
  CaseParams p;
  ir::Avals types;
  for (std::int64_t n = two ? 2 : s.random().between(1, 4); n > 0; --n) {
    Scope branch(s, 1, false);
    for (const Operand& v : values) branch.add_input(v.aval);
    fill_scope(branch, some_equations(s));
    Operands outputs;
    if (p.branches.empty()) {
      outputs = branch.some_outputs(4);
      for (const Operand& o : outputs) types.push_back(o.aval);
    } else {
      for (const Aval t : types)
        outputs.push_back(s.random().chance(0.2) ? branch.of_type(t) : branch.recent_of_type(t));
    }
    p.branches.push_back(branch.finish(outputs));
  }
  return s.apply(OpCode::kCase, ir::make_params(std::move(p)), with({index}, values)).has_value();
}

// ---- while ----

// A loop counter: from where to where, and how.
struct Counting {
  Operand start;
  std::optional<Operand> limit = {};  // a value of the outer scope; none: `last`
  double last = 0;
  bool down = false;
  std::int64_t step = 1;
  std::int64_t most = 0;  // steps
};

// A value in [0, kMostSteps] that is not known.
std::optional<Operand> random_count(Scope& s, DType t) {
  const Operand x = s.recent_of_type(scalar_type(t));
  return s.apply1(OpCode::kClamp, ir::Params(),
                  {s.literal(scalar_type(t), 0), x, s.literal(scalar_type(t), static_cast<double>(kMostSteps))});
}

std::optional<Counting> random_counting(Scope& s) {
  const DType t = s.random().chance(0.75) ? i32 : s.random().of({i64, u32, i8, u64});
  const Aval type = scalar_type(t);
  Counting c{s.literal(type, 0)};
  c.down = s.random().chance(0.2);
  c.step = s.random().chance(0.8) ? 1 : 2;
  if (s.random().chance(0.3)) {
    const auto n = random_count(s, t);
    if (!n) return std::nullopt;
    c.most = kMostSteps;
    c.step = 1;
    if (c.down)
      c.start = *n;
    else
      c.limit = *n;
    return c;
  }
  c.most = s.random().between(0, kMostSteps);
  const std::int64_t length = c.most * c.step, begin = is_unsigned(t) ? 0 : s.random().of({0, 0, 0, 1, -3});
  // Downwards to `begin`; unsigned numbers must meet zero, not jump over it.
  c.start = s.literal(type, static_cast<double>(c.down ? begin + length : begin));
  c.last = static_cast<double>(c.down ? begin : begin + length);
  return c;
}

Operand going_on(Scope& cond, const Operand& counter, const Counting& c) {
  const Operand limit = c.limit ? cond.captured_as(*c.limit) : cond.literal(counter.aval, c.last);
  const auto direction = c.down ? ComparisonDirection::kGt : ComparisonDirection::kLt;
  Operand holds = *cond.apply1(OpCode::kCompare, CompareParams{direction}, {counter, limit});
  if (cond.random().chance(0.2)) {
    fill_scope(cond, static_cast<int>(cond.random().below(3)));
    const auto both = cond.apply1(OpCode::kAnd, ir::Params(), {holds, random_predicate(cond)});
    if (both) holds = *both;
  }
  return holds;
}

Operand next_count(Scope& body, const Operand& counter, const Counting& c) {
  return *body.apply1(c.down ? OpCode::kSubtract : OpCode::kAdd, ir::Params(),
                      {counter, body.literal(counter.aval, static_cast<double>(c.step))});
}

// While with `carry`, whose value `counter` counts. `step` makes the other next values.
bool make_loop(Scope& s, const Counting& c, Operands carry, std::size_t counter,
               FunctionRef<Operand(Scope& body, std::span<const Operand> state, std::size_t i)> step) {
  const auto steps = static_cast<double>(std::max<std::int64_t>(c.most, 1));
  if (!s.affords(3000 * steps)) return false;  // what counts is certain to be affordable
  carry.insert(carry.begin() + static_cast<std::ptrdiff_t>(counter), c.start);
  WhileParams p;
  Scope body(s, steps, true), cond(s, steps, true);
  Operands state, next, of_cond;
  for (const Operand& v : carry) {
    state.push_back(body.add_input(v.aval));
    of_cond.push_back(cond.add_input(v.aval));
  }
  const Operand count = next_count(body, state[counter], c), holds = going_on(cond, of_cond[counter], c);
  fill_scope(body, some_equations(s));
  for (std::size_t i = 0; i < carry.size(); ++i) next.push_back(i == counter ? count : step(body, state, i));
  p.cond_jaxpr = cond.finish(std::array{holds});
  p.body_jaxpr = body.finish(next);
  if (s.random().chance(0.15)) p.max_steps = c.most + s.random().below(3);
  if (s.random().chance(0.1)) p.number = IterationNumber::kUntold;
  return s.apply(OpCode::kWhile, ir::make_params(std::move(p)), with(with(cond.captured(), body.captured()), carry))
      .has_value();
}

bool make_while(Scope& s) {
  const auto c = random_counting(s);
  if (!c) return false;
  const Operands carry = some_values(s, 3);
  const auto counter = static_cast<std::size_t>(s.random().below(static_cast<std::int64_t>(carry.size()) + 1));
  return make_loop(s, *c, carry, counter, [](Scope& body, std::span<const Operand> state, std::size_t i) {
    return body.random().chance(0.1) ? body.of_type(state[i].aval) : body.recent_of_type(state[i].aval);
  });
}

// ---- loops that change a row of what they carry, at the counter ----

Operands row_at(Scope& body, Aval x, const Operand& count) {
  Operands starts{count};
  for (int i = 1; i < x.ndim(); ++i) starts.push_back(body.literal(count.aval, 0));
  return starts;
}

// x with row `count` changed: read, computed with, written back.
Operand with_row_changed(Scope& body, const Operand& x, const Operand& count) {
  Dims row(x.aval.shape());
  row[0] = 1;
  const Aval type = x.aval.with_shape(row);
  const Operands starts = row_at(body, x.aval, count);
  std::optional<Operand> y;
  if (body.random().chance(0.7)) {
    Operands at = starts;
    if (body.random().chance(0.3))  // the row before
      if (const auto before = body.apply1(OpCode::kSubtract, ir::Params(), {count, body.literal(count.aval, 1)}))
        at[0] = *before;
    if (const auto read = body.apply(OpCode::kDynamicSlice, ir::make_params(DynamicSliceParams{row}), with({x}, at)))
      y = read->front();
    if (y) {
      fill_scope(body, static_cast<int>(body.random().below(3)));
      const auto sum = body.apply1(body.random().of({OpCode::kAdd, OpCode::kMultiply, OpCode::kMaximum}), ir::Params(),
                                   {*y, body.of_type(type)});
      if (sum) y = sum;
    }
  }
  if (!y) y = body.recent_of_type(type);
  const auto updated = body.apply(OpCode::kDynamicUpdateSlice, {}, with({x, *y}, starts));
  return updated ? updated->front() : x;
}

bool make_update_loop(Scope& s) {
  const auto x = s.find([](Aval a) { return a.ndim() > 0 && a.size() > 0 && a.size() < 4000; });
  if (!x) return false;
  const std::int64_t steps = std::min<std::int64_t>(x->aval.shape(0), kMostSteps);
  if (s.random().chance(0.5)) {
    Counting c{s.literal(scalar_type(i32), 0)};
    c.most = steps;
    c.last = static_cast<double>(steps);
    Operands carry{*x};
    for (const Operand& more : some_values(s, 2)) carry.push_back(more);
    const auto counter = static_cast<std::size_t>(s.random().below(2));
    return make_loop(s, c, carry, counter, [&](Scope& body, std::span<const Operand> state, std::size_t i) {
      if (i == 1 - counter) return with_row_changed(body, state[i], state[counter]);
      return body.recent_of_type(state[i].aval);
    });
  }
  if (!s.affords(3000.0 * static_cast<double>(steps))) return false;
  Scope body(s, static_cast<double>(steps), true);
  const Operand count = body.add_input(scalar_type(i32)), buffer = body.add_input(x->aval);
  Operands next{*body.apply1(OpCode::kAdd, ir::Params(), {count, body.literal(count.aval, 1)})};
  fill_scope(body, some_equations(s));
  next.push_back(with_row_changed(body, buffer, count));
  const Operands carry{s.literal(scalar_type(i32), static_cast<double>(s.random().below(2))), *x};
  const ir::Jaxpr program = body.finish(next);
  return s
      .apply(OpCode::kScan, ir::make_params(ScanParams{program, steps, 2, s.random().chance(0.2)}),
             with(body.captured(), carry))
      .has_value();
}

// ---- scan ----

// What a scan may as well make slice by slice: cheap operations, one after another, on slices of many elements, beside
// what is the same in each.
Operand made_for_slices(Scope& s, std::int64_t length) {
  RandomSource& random = s.random();
  const Dims shape{length, random.between(5, 9), random.between(11, 15)};
  const DType t = random_dtype(random);
  Operand x = s.of_type(Aval(t, shape));
  for (std::int64_t n = random.between(1, 3); n > 0; --n) {
    std::optional<Operand> next;
    const DType now = x.aval.dtype();
    const auto same = [&]() -> std::optional<Operand> {
      const std::int64_t axis = random.between(1, 2);
      return s.apply1(OpCode::kBroadcastInDim, BroadcastInDimParams{{axis}, shape},
                      {s.of_type(Aval(now, Dims{shape[static_cast<std::size_t>(axis)]}))});
    };
    switch (random.below(5)) {
      case 0: next = s.apply1(OpCode::kConvert, ConvertParams{random_dtype(random)}, {x}); break;
      case 1: next = s.apply1(OpCode::kNegate, nullptr, {x}); break;
      case 2: next = s.apply1(OpCode::kMultiply, nullptr, {x, s.literal(x.aval, 2)}); break;
      default: {
        // Drawn one after the other: compilers order arguments as they like.
        const auto other = same();
        const OpCode op = random.chance(0.5) ? OpCode::kAdd : OpCode::kMaximum;
        const bool first = random.chance(0.5);
        if (other) next = first ? s.apply1(op, nullptr, {x, *other}) : s.apply1(op, nullptr, {*other, x});
      }
    }
    if (next) x = *next;
  }
  return x;
}

bool make_scan(Scope& s) {
  RandomSource& random = s.random();
  const auto first = s.find([](Aval a) { return a.ndim() > 0 && a.shape(0) <= 9; });
  const std::int64_t length = first && random.chance(0.7) ? first->aval.shape(0)
                              : random.chance(0.9)        ? random.below(6)
                                                          : 17;
  const auto steps = static_cast<double>(std::max<std::int64_t>(length, 1));
  if (!s.affords(500 * steps)) return false;
  const Operands carry = some_values(s, 3);
  Operands xs;
  for (std::int64_t n = random.between(0, 2); n > 0; --n) {
    if (length > 0 && length <= 6 && random.chance(0.2)) {
      xs.push_back(made_for_slices(s, length));
    } else if (const auto x = s.find([&](Aval a) { return a.ndim() > 0 && a.shape(0) == length; })) {
      xs.push_back(*x);
    } else {
      Dims shape = random_shape(random, 30);
      shape.insert(shape.begin(), length);
      xs.push_back(s.of_type(Aval(random_dtype(random), shape)));
    }
  }
  Scope body(s, steps, true);
  for (const Operand& c : carry) body.add_input(c.aval);
  for (const Operand& x : xs) body.add_input(x.aval.with_shape(x.aval.shape().subspan(1)));
  fill_scope(body, some_equations(s));
  Operands outputs;
  for (const Operand& c : carry) outputs.push_back(body.recent_of_type(c.aval));
  if (carry.empty() || random.chance(0.7))
    for (const Operand& y : body.some_outputs(4)) outputs.push_back(y);
  const ir::Jaxpr program = body.finish(outputs);
  const ScanParams p{program, length, static_cast<std::int64_t>(carry.size()), random.chance(0.3)};
  return s.apply(OpCode::kScan, ir::make_params(p), with(with(body.captured(), carry), xs)).has_value();
}

// ---- calls ----

bool make_call(Scope& s) {
  const Operands values = some_values(s, 4);
  const bool captures = s.random().chance(0.5);
  Scope inner(s, 1, captures);
  for (const Operand& v : values) inner.add_input(v.aval);
  fill_scope(inner, some_equations(s));
  const Operands outputs = inner.some_outputs(5);
  const ir::Jaxpr program = inner.finish(outputs);
  const Operands operands = with(inner.captured(), values);
  switch (s.random().below(4)) {
    case 0:
      return s.apply(OpCode::kComposite, ir::make_params(CompositeParams{"my.part", 1, "", program}), operands)
          .has_value();
    case 1:
      return s
          .apply(OpCode::kCheckpoint, ir::make_params(CheckpointParams{program, {}, s.random().chance(0.5)}), operands)
          .has_value();
    default: return s.apply(OpCode::kCall, ir::make_params(CallParams{"f", program}), operands).has_value();
  }
}

}  // namespace

std::span<const WeightedMaker> control_makers() {
  static constexpr WeightedMaker kMakers[] = {
      {make_case, 4}, {make_while, 3}, {make_update_loop, 2.5}, {make_scan, 4}, {make_call, 2}};
  return kMakers;
}

}  // namespace weft::testing
