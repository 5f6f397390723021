// What programs of users are full of, on purpose and with random variations: softmax, normalisation, biases and
// activations, sums of products, masks, stencils, random numbers, updates of parameters. A step that does not fit ends
// a pattern early; what is there by then stays.
#include <algorithm>
#include <array>
#include <limits>

#include "harness/program_scope.h"
#include "weft/ir/contraction.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/shape.h"

namespace weft::testing {

namespace {

using Maybe = std::optional<Operand>;

// Operations on values that may be missing, so that patterns read as formulas.
class Formula {
 public:
  explicit Formula(Scope& s) : s_(s) {}

  Maybe apply(OpCode op, const Maybe& x) { return x ? s_.apply1(op, ir::Params(), {*x}) : Maybe(); }
  Maybe apply(OpCode op, const Maybe& x, const Maybe& y) {
    return x && y ? s_.apply1(op, ir::Params(), {*x, *y}) : Maybe();
  }
  Maybe apply(OpCode op, const Maybe& x, double y) { return x ? apply(op, x, s_.literal(x->aval, y)) : Maybe(); }
  template <ir::HasFields P>
  Maybe with(OpCode op, P p, const Maybe& x) {
    return x ? s_.apply1(op, std::move(p), {*x}) : Maybe();
  }
  Maybe reduced(ReduceKind kind, const Maybe& x, const Dims& axes) {
    return with(OpCode::kReduce, ReduceParams{kind, axes}, x);
  }
  /// What was reduced, in `shape` again.
  Maybe spread(const Maybe& x, DimSpan shape, const Dims& reduced) {
    Dims axes;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(shape.size()); ++i)
      if (std::find(reduced.begin(), reduced.end(), i) == reduced.end()) axes.push_back(i);
    return with(OpCode::kBroadcastInDim, BroadcastInDimParams{axes, Dims(shape)}, x);
  }
  /// A vector along the last axis.
  Maybe along_last(const Maybe& v, DimSpan shape) {
    return with(OpCode::kBroadcastInDim,
                BroadcastInDimParams{{static_cast<std::int64_t>(shape.size()) - 1}, Dims(shape)}, v);
  }

 private:
  Scope& s_;
};

Maybe some_floats(Scope& s) {
  const auto x = s.find([](Aval a) { return a.ndim() > 0 && is_float(a.dtype()); });
  if (x || !s.wants_inputs()) return x;
  const Maybe input = s.add_input(Aval(s.random().of({f32, f32, f64, bf16}), s.random().of(s.generation().shapes)));
  return input->aval.ndim() > 0 ? input : Maybe();
}

// Mostly the last axis.
Dims axes_of_rows(Scope& s, Aval a) {
  if (a.ndim() == 0) return {};
  return {s.random().chance(0.8) ? a.ndim() - 1 : s.random().below(a.ndim())};
}

Maybe softmax(Scope& s, const Maybe& x) {
  if (!x) return {};
  Formula f(s);
  const Dims axes = axes_of_rows(s, x->aval);
  const DimSpan shape = x->aval.shape();
  const Maybe e = f.apply(OpCode::kExponential,
                          f.apply(OpCode::kSubtract, x, f.spread(f.reduced(ReduceKind::kMax, x, axes), shape, axes)));
  const Maybe sum = f.reduced(ReduceKind::kSum, e, axes);
  if (s.random().chance(0.3))  // the logarithm of it
    return f.apply(OpCode::kSubtract, x, f.spread(f.apply(OpCode::kLog, sum), shape, axes));
  return f.apply(OpCode::kDivide, e, f.spread(sum, shape, axes));
}

bool make_softmax(Scope& s) { return softmax(s, some_floats(s)).has_value(); }

bool make_masked_softmax(Scope& s) {
  const Maybe x = some_floats(s);
  if (!x || x->aval.ndim() < 2) return false;
  Formula f(s);
  const int rank = x->aval.ndim();
  const auto positions = [&](int axis) {
    return s.apply1(OpCode::kIota, IotaParams{axis, i32, Dims(x->aval.shape())}, {});
  };
  const Maybe row = positions(rank - 2), column = positions(rank - 1);
  if (!row || !column) return false;
  const Maybe mask = s.apply1(OpCode::kCompare, CompareParams{ComparisonDirection::kGe}, {*row, *column});
  if (!mask) return false;
  const Operand other = s.literal(x->aval, s.random().of({-1e9, -std::numeric_limits<double>::infinity(), 0.0}));
  return softmax(s, s.apply1(OpCode::kSelect, ir::Params(), {*mask, *x, other})).has_value();
}

bool make_normalisation(Scope& s) {
  const Maybe x = some_floats(s);
  if (!x) return false;
  Formula f(s);
  const Dims axes = axes_of_rows(s, x->aval);
  const DimSpan shape = x->aval.shape();
  const double one_by_n = 1 / static_cast<double>(std::max<std::int64_t>(1, shape[static_cast<std::size_t>(axes[0])]));
  const auto mean = [&](const Maybe& v) {
    return f.apply(OpCode::kMultiply, f.reduced(ReduceKind::kSum, v, axes), one_by_n);
  };
  const Maybe centred = f.apply(OpCode::kSubtract, x, f.spread(mean(x), shape, axes));
  const Maybe deviation = f.apply(OpCode::kRsqrt, f.apply(OpCode::kAdd, mean(f.apply(OpCode::kSquare, centred)), 1e-5));
  const Maybe y = f.apply(OpCode::kMultiply, centred, f.spread(deviation, shape, axes));
  const Aval vector = x->aval.with_shape(Dims{shape.back()});
  const Maybe scaled = f.apply(OpCode::kMultiply, y, f.along_last(s.of_type(vector), shape));
  return f.apply(OpCode::kAdd, scaled, f.along_last(s.of_type(vector), shape)).has_value();
}

Maybe activation(Scope& s, const Maybe& x) {
  Formula f(s);
  switch (s.random().below(s.generation().exact ? 2 : 6)) {
    case 0: return f.apply(OpCode::kMaximum, x, 0.0);
    case 1: return f.apply(OpCode::kMaximum, x, f.apply(OpCode::kMultiply, x, 0.125));
    case 2: return f.apply(OpCode::kTanh, x);
    case 3: return f.apply(OpCode::kLogistic, x);
    case 4: return f.apply(OpCode::kMultiply, x, f.apply(OpCode::kLogistic, x));
    default:
      return f.apply(OpCode::kMultiply, f.apply(OpCode::kMultiply, x, 0.5),
                     f.apply(OpCode::kAdd, f.apply(OpCode::kErf, f.apply(OpCode::kMultiply, x, 0.7071)), 1.0));
  }
}

Maybe biased(Scope& s, const Maybe& x) {
  if (!x || x->aval.ndim() == 0) return {};
  Formula f(s);
  const Operand bias = s.of_type(x->aval.with_shape(Dims{x->aval.shape().back()}));
  return activation(s, f.apply(OpCode::kAdd, x, f.along_last(bias, x->aval.shape())));
}

bool make_bias_chain(Scope& s) {
  Maybe x = some_floats(s);
  for (std::int64_t n = s.random().between(1, 3); n > 0 && x; --n) x = biased(s, x);
  return x.has_value();
}

bool make_dense_layer(Scope& s) {
  const Maybe x = some_floats(s);
  if (!x || x->aval.size() > 6000) return false;
  const std::int64_t last = x->aval.ndim() - 1;
  const Operand w = s.of_type(x->aval.with_shape(Dims{x->aval.shape().back(), random_size(s.random(), 24)}));
  const DotGeneralParams p{{{last}, {0}, {}, {}}, x->aval.dtype()};
  return biased(s, s.apply1(OpCode::kDotGeneral, p, {*x, w})).has_value();
}

// sum(x y), sum(x^2), sum((x - y)^2): over everything, over rows or columns.
bool make_sum_of_products(Scope& s) {
  const Maybe x = s.find([](Aval a) { return a.ndim() > 0 && a.dtype() != boolean; });
  if (!x) return false;
  Formula f(s);
  Maybe product;
  switch (s.random().below(3)) {
    case 0: product = f.apply(OpCode::kMultiply, x, s.of_type(x->aval)); break;
    case 1: product = f.apply(OpCode::kMultiply, x, x); break;
    default: {
      const Maybe d = f.apply(OpCode::kSubtract, x, s.of_type(x->aval));
      product = f.apply(OpCode::kMultiply, d, d);
    }
  }
  Dims axes;
  for (int i = 0; i < x->aval.ndim(); ++i)
    if (s.random().chance(0.6)) axes.push_back(i);
  const Maybe sum = f.reduced(ReduceKind::kSum, product, axes);
  if (s.random().chance(0.4)) return f.reduced(ReduceKind::kMax, product, axes).has_value();
  return sum.has_value();
}

// x[1:] - x[:-1] and the like.
bool make_stencil(Scope& s) {
  const Maybe x = s.find([](Aval a) { return a.ndim() > 0 && a.shape().back() > 2; });
  if (!x) return false;
  Formula f(s);
  const auto part = [&](std::int64_t begin, std::int64_t end) {
    SliceParams p{Dims(x->aval.shape()), Dims(x->aval.shape().size(), 0), Dims(x->aval.shape().size(), 1)};
    p.start_indices.assign(p.start_indices.size(), 0);
    p.strides.assign(p.strides.size(), 1);
    p.start_indices.back() = begin;
    p.limit_indices.back() += end;
    return f.with(OpCode::kSlice, p, x);
  };
  Maybe y = f.apply(s.random().of({OpCode::kSubtract, OpCode::kMaximum}), part(1, -1), part(0, -2));
  y = f.apply(OpCode::kAdd, y, part(2, 0));
  if (y && s.random().chance(0.5)) {
    PadParams p;
    p.low.assign(y->aval.shape().size(), 0);
    p.high = p.interior = p.low;
    p.low.back() = p.high.back() = 1;
    y = s.apply1(OpCode::kPad, p, {*y, s.literal(y->aval.with_shape({}), 0)});
  }
  return y.has_value();
}

// Rows moved along by one: a concatenation of two parts.
bool make_roll(Scope& s) {
  const Maybe x = s.find([](Aval a) { return a.ndim() > 0 && a.shape(0) > 1; });
  if (!x) return false;
  const std::int64_t n = x->aval.shape(0), at = s.random().between(1, n - 1);
  const auto parts = s.apply(OpCode::kSplit, ir::make_params(SplitParams{0, {at, n - at}}), std::array{*x});
  if (!parts) return false;
  return s.apply1(OpCode::kConcatenate, ConcatenateParams{0}, {(*parts)[1], (*parts)[0]}).has_value();
}

// Numbers in [0, 1) as random::uniform makes them.
bool make_uniform(Scope& s) {
  Formula f(s);
  const Dims shape{random_size(s.random(), 200)};
  const Maybe low = s.apply1(OpCode::kIota, IotaParams{0, u32, shape}, {});
  if (!low) return false;
  const Aval key(u32, Dims{});
  const Operand zero = s.literal(low->aval, 0);
  const auto words = s.apply(OpCode::kThreefry2x32, {}, std::array{s.of_type(key), s.of_type(key), zero, *low});
  if (!words) return false;
  const Maybe mixed = f.apply(OpCode::kXor, (*words)[0], (*words)[1]);
  const Maybe mantissa = f.apply(OpCode::kShiftRightLogical, mixed, 9.0);
  const Maybe bits = f.with(OpCode::kBitcastConvert, ConvertParams{f32}, f.apply(OpCode::kOr, mantissa, 1065353216.0));
  return f.apply(OpCode::kSubtract, bits, 1.0).has_value();
}

// An optimizer's step: moments and parameters.
bool make_update(Scope& s) {
  const Maybe g = some_floats(s);
  if (!g) return false;
  Formula f(s);
  const auto blend = [&](const Maybe& old, const Maybe& now, double keep) {
    return f.apply(OpCode::kAdd, f.apply(OpCode::kMultiply, old, keep), f.apply(OpCode::kMultiply, now, 1 - keep));
  };
  const Maybe m = blend(s.of_type(g->aval), g, 0.9),
              v = blend(s.of_type(g->aval), f.apply(OpCode::kMultiply, g, g), 0.999);
  const Maybe step = f.apply(OpCode::kDivide, m, f.apply(OpCode::kAdd, f.apply(OpCode::kSqrt, v), 1e-8));
  return f.apply(OpCode::kSubtract, s.of_type(g->aval), f.apply(OpCode::kMultiply, step, 0.01)).has_value();
}

bool make_integer_hash(Scope& s) {
  Maybe x = s.find([](Aval a) { return is_integer(a.dtype()); });
  Formula f(s);
  for (std::int64_t n = s.random().between(1, 3); n > 0 && x; --n) {
    x = f.apply(OpCode::kXor, x, f.apply(OpCode::kShiftRightLogical, x, static_cast<double>(s.random().between(1, 5))));
    x = f.apply(OpCode::kMultiply, x, 91.0);
  }
  return x.has_value();
}

// One value many times: by itself, transposed, as its own bound.
bool make_many_uses(Scope& s) {
  const Maybe x = s.find([](Aval a) { return a.dtype() != boolean && !is_complex(a.dtype()); });
  if (!x) return false;
  Formula f(s);
  const Maybe a = f.apply(OpCode::kAdd, x, x), b = f.apply(OpCode::kMultiply, x, a),
              c = f.apply(OpCode::kMaximum, b, x);
  return f.apply(OpCode::kSubtract, f.apply(OpCode::kAdd, b, c), a).has_value();
}

bool make_matrix_of_sums(Scope& s) {
  // x^T + x, of square matrices; else x plus its transpose twice.
  const Maybe x = s.find([](Aval a) { return a.ndim() == 2; });
  if (!x) return false;
  Formula f(s);
  const Maybe t = f.with(OpCode::kTranspose, TransposeParams{{1, 0}}, x);
  if (const Maybe sum = f.apply(OpCode::kAdd, t, x)) return true;
  return t && f.apply(OpCode::kAdd, t, s.of_type(t->aval)).has_value();
}

}  // namespace

std::span<const WeightedMaker> pattern_makers() {
  static constexpr WeightedMaker kMakers[] = {
      {make_softmax, 3},       {make_masked_softmax, 1}, {make_normalisation, 2.5},
      {make_bias_chain, 3},    {make_dense_layer, 2},    {make_stencil, 2},
      {make_roll, 1},          {make_uniform, 1},        {make_update, 1.5},
      {make_integer_hash, 1},  {make_many_uses, 2},      {make_sum_of_products, 4},
      {make_matrix_of_sums, 2}};
  return kMakers;
}

}  // namespace weft::testing
