// Random equations without programs inside: elementwise operations, changes of type and shape, contractions and
// reductions. Parameters are chosen so that they mostly fit; ir::infer refuses the others.
#include <algorithm>
#include <array>
#include <numeric>

#include "harness/program_scope.h"
#include "weft/base/error.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/contraction.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/shape.h"
#include "weft/ir/window.h"

namespace weft::testing {

namespace {

// ---- choices ----

// All elementwise operations without parameters that take `n` operands of one type.
std::vector<OpCode> plain_elementwise(int n) {
  std::vector<OpCode> ops;
  for (int i = 0; i < kNumOps; ++i) {
    const auto op = static_cast<OpCode>(i);
    const ir::OpInfo& info = ir::op_info(op);
    if (info.elementwise && !info.parse && info.operands.least == n && info.operands.most == n &&
        op != OpCode::kSelect && op != OpCode::kClamp && op != OpCode::kCheckFinite)
      ops.push_back(op);
  }
  return ops;
}

constexpr auto not_empty = [](Aval a) { return a.ndim() > 0; };

std::int64_t random_axis(RandomSource& random, Aval a) { return random.below(a.ndim()); }

Dims some_axes(RandomSource& random, int rank, double p) {
  Dims axes;
  for (int i = 0; i < rank; ++i)
    if (random.chance(p)) axes.push_back(i);
  return axes;
}

Dims shuffled(RandomSource& random, Dims dims) {
  for (std::size_t i = dims.size(); i > 1; --i)
    std::swap(dims[i - 1], dims[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
  return dims;
}

Dims axes_up_to(int rank) {
  Dims axes(static_cast<std::size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

std::int64_t size_at(Aval a, std::int64_t axis) { return a.shape(static_cast<std::size_t>(axis)); }

// ---- elementwise ----

bool make_unary(Scope& s) {
  using enum OpCode;
  static const std::vector<OpCode> all = plain_elementwise(1);
  static constexpr OpCode kCommon[] = {kNegate, kAbs,   kExponential, kTanh, kLogistic,         kSqrt, kSquare, kSign,
                                       kNot,    kFloor, kRsqrt,       kLog,  kRoundNearestEven, kReal, kPopcnt};
  static constexpr OpCode kElementary[] = {kExponential, kExponentialMinusOne,
                                           kLog,         kLogPlusOne,
                                           kLogistic,    kTanh,
                                           kSine,        kCosine,
                                           kTan,         kAtan,
                                           kErf,         kErfc,
                                           kCbrt,        kRsqrt,
                                           kSqrt,        kSinh,
                                           kCosh,        kAsin,
                                           kAcos,        kAsinh,
                                           kAcosh,       kAtanh};
  const bool elementary = !s.generation().exact && s.random().chance(0.5), rare = s.random().chance(0.25);
  const auto x = elementary ? s.find([](Aval a) { return is_float(a.dtype()); }) : s.any();
  if (!x) return false;
  for (int tries = 0; tries < 8; ++tries) {
    const OpCode op = rare ? s.random().of(all) : elementary ? s.random().of(kElementary) : s.random().of(kCommon);
    if (s.apply(op, {}, std::array{*x})) return true;
  }
  return false;
}

bool make_binary(Scope& s) {
  static const std::vector<OpCode> all = plain_elementwise(2);
  auto x = s.any();
  if (!x) return false;
  Operand y = s.random().chance(0.05) ? *x : s.of_type(x->aval);
  if (s.random().chance(0.3)) std::swap(*x, y);
  for (int tries = 0; tries < 8; ++tries) {
    const OpCode op = s.random().chance(0.65)
                          ? s.random().of({OpCode::kAdd, OpCode::kAdd, OpCode::kMultiply, OpCode::kMultiply,
                                           OpCode::kSubtract, OpCode::kMaximum, OpCode::kMinimum, OpCode::kDivide,
                                           OpCode::kAnd, OpCode::kOr, OpCode::kXor, OpCode::kShiftLeft,
                                           OpCode::kShiftRightLogical, OpCode::kRemainder, OpCode::kComplex})
                          : s.random().of(all);
    if (s.apply(op, {}, std::array{*x, y})) return true;
  }
  return false;
}

bool make_ternary(Scope& s) {
  static const std::vector<OpCode> all = plain_elementwise(3);
  const auto x = s.find([](Aval a) { return is_float(a.dtype()) && a.size() < 300; });
  if (!x) return false;
  const Operand y = s.of_type(x->aval), z = s.of_type(x->aval);
  return s.apply(s.random().of(all), {}, std::array{*x, y, z}).has_value();
}

bool make_compare(Scope& s) {
  const auto x = s.any();
  if (!x) return false;
  const bool total = s.random().chance(0.12);
  const auto direction = static_cast<ComparisonDirection>(s.random().below(6) + (total ? 6 : 0));
  return s.apply1(OpCode::kCompare, CompareParams{direction}, {*x, s.of_type(x->aval)}).has_value();
}

bool make_select(Scope& s) {
  const auto x = s.any();
  if (!x) return false;
  const Aval scalar(boolean, Dims{}), full = x->aval.with_dtype(boolean);
  const Operand predicate = s.of_type(s.random().chance(0.3) ? scalar : full), y = s.of_type(x->aval);
  return s.apply1(OpCode::kSelect, ir::Params(), {predicate, *x, y}).has_value();
}

bool make_clamp(Scope& s) {
  const auto x = s.any();
  if (!x) return false;
  const auto bound = [&] { return s.of_type(s.random().chance(0.5) ? x->aval.with_shape({}) : x->aval); };
  const Operand low = bound(), high = bound();
  return s.apply1(OpCode::kClamp, ir::Params(), {low, *x, high}).has_value();
}

// ---- types ----

bool make_convert(Scope& s) {
  const auto x = s.any();
  if (!x) return false;
  return s.apply1(OpCode::kConvert, ConvertParams{random_dtype(s.random())}, {*x}).has_value();
}

bool make_bitcast(Scope& s) {
  const auto x = s.any();
  for (int tries = 0; x && tries < 8; ++tries)
    if (s.apply1(OpCode::kBitcastConvert, ConvertParams{random_dtype(s.random())}, {*x})) return true;
  return false;
}

bool make_reduce_precision(Scope& s) {
  const auto x = s.find([](Aval a) { return is_float(a.dtype()); });
  if (!x) return false;
  const auto [exponent, mantissa] =
      s.random().of({std::pair{5, 10}, {8, 7}, {4, 3}, {5, 2}, {8, 23}, {11, 52}, {8, 10}, {2, 1}, {3, 0}});
  return s.apply1(OpCode::kReducePrecision, ReducePrecisionParams{exponent, mantissa}, {*x}).has_value();
}

// ---- shapes ----

bool make_iota(Scope& s) {
  const Dims shape = s.random().chance(0.5) ? s.random().of(s.generation().shapes) : random_shape(s.random(), 2000);
  if (shape.empty()) return false;
  const std::int64_t d = s.random().below(static_cast<std::int64_t>(shape.size()));
  const DType t = s.random().chance(0.5) ? s.random().of({i32, u32, f32}) : random_dtype(s.random());
  return s.apply1(OpCode::kIota, IotaParams{d, t, shape}, {}).has_value();
}

// Axes split, merged, added or dropped.
bool make_reshape(Scope& s) {
  const auto x = s.any();
  if (!x) return false;
  RandomSource& random = s.random();
  Dims shape(x->aval.shape());
  for (std::int64_t n = random.between(1, 2); n > 0; --n) {
    const auto at = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(shape.size()) + 1));
    switch (random.below(4)) {
      case 0:
        if (at < shape.size()) {
          for (const std::int64_t factor : {2, 3, 5, 8, 13})
            if (shape[at] % factor == 0 && shape[at] > 0) {
              shape[at] /= factor;
              shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(at) + random.below(2), factor);
              break;
            }
        }
        break;
      case 1:
        if (at + 1 < shape.size()) {
          shape[at] *= shape[at + 1];
          shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(at) + 1);
        }
        break;
      case 2: shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(at), 1); break;
      default: shape = random.chance(0.5) && product(shape) != 0 ? Dims{product(shape)} : shape; break;
    }
  }
  return s.apply1(OpCode::kReshape, ReshapeParams{shape}, {*x}).has_value();
}

// New axes between those of the operand, whose axes of size 1 may grow, and whose order may change.
bool make_broadcast(Scope& s) {
  const auto x = s.find([](Aval a) { return a.ndim() <= 3; });
  if (!x) return false;
  RandomSource& random = s.random();
  const int rank = x->aval.ndim() + static_cast<int>(random.between(x->aval.ndim() == 0 ? 1 : 0, 2));
  Dims shape(static_cast<std::size_t>(rank)), axes = shuffled(random, axes_up_to(rank));
  axes.resize(static_cast<std::size_t>(x->aval.ndim()));
  if (random.chance(0.8)) std::sort(axes.begin(), axes.end());
  std::int64_t most = std::max<std::int64_t>(1, 3000 / std::max<std::int64_t>(1, x->aval.size()));
  for (std::int64_t& n : shape) {
    n = random_size(random, most);
    most /= std::max<std::int64_t>(1, n);
  }
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (x->aval.shape(i) != 1 || random.chance(0.3)) shape[static_cast<std::size_t>(axes[i])] = x->aval.shape(i);
  return s.apply1(OpCode::kBroadcastInDim, BroadcastInDimParams{axes, shape}, {*x}).has_value();
}

bool make_transpose(Scope& s) {
  const auto x = s.find([&](Aval a) { return a.ndim() > 1 || (a.ndim() == 1 && s.random().chance(0.1)); });
  if (!x) return false;
  return s.apply1(OpCode::kTranspose, TransposeParams{shuffled(s.random(), axes_up_to(x->aval.ndim()))}, {*x})
      .has_value();
}

bool make_reverse(Scope& s) {
  const auto x = s.find(not_empty);
  if (!x) return false;
  return s.apply1(OpCode::kReverse, ReverseParams{some_axes(s.random(), x->aval.ndim(), 0.6)}, {*x}).has_value();
}

bool make_slice(Scope& s) {
  const auto x = s.find(not_empty);
  if (!x) return false;
  SliceParams p;
  for (const std::int64_t n : x->aval.shape()) {
    const bool whole = s.random().chance(0.4);
    p.start_indices.push_back(whole ? 0 : s.random().between(0, n));
    p.limit_indices.push_back(whole ? n : s.random().between(p.start_indices.back(), n));
    if (!whole && s.random().chance(0.7)) p.limit_indices.back() = n;
    p.strides.push_back(s.random().chance(0.7) ? 1 : s.random().between(1, 4));
  }
  return s.apply1(OpCode::kSlice, p, {*x}).has_value();
}

bool make_concatenate(Scope& s) {
  const auto x = s.find(not_empty);
  if (!x) return false;
  const std::int64_t axis = random_axis(s.random(), x->aval);
  Operands parts{*x};
  for (std::int64_t n = s.random().between(0, 3); n > 0; --n) {
    const auto fits = [&](Aval a) {
      if (a.dtype() != x->aval.dtype() || a.ndim() != x->aval.ndim()) return false;
      for (int i = 0; i < a.ndim(); ++i)
        if (i != axis && size_at(a, i) != size_at(x->aval, i)) return false;
      return true;
    };
    if (const auto part = s.find(fits)) parts.push_back(*part);
    if (s.random().chance(0.3)) {
      Dims shape(x->aval.shape());
      shape[static_cast<std::size_t>(axis)] = random_size(s.random(), 9);
      parts.push_back(s.of_type(x->aval.with_shape(shape)));
    }
  }
  return s.apply(OpCode::kConcatenate, ir::make_params(ConcatenateParams{axis}), parts).has_value();
}

bool make_split(Scope& s) {
  const auto x = s.find(not_empty);
  if (!x) return false;
  SplitParams p{random_axis(s.random(), x->aval), {}};
  std::int64_t left = size_at(x->aval, p.axis);
  for (std::int64_t n = s.random().between(0, 3); n > 0; --n) {
    p.sizes.push_back(s.random().between(0, left));
    left -= p.sizes.back();
  }
  p.sizes.push_back(left);
  return s.apply(OpCode::kSplit, ir::make_params(p), std::array{*x}).has_value();
}

bool make_pad(Scope& s) {
  const auto x = s.find(not_empty);
  if (!x) return false;
  PadParams p;
  for (int i = 0; i < x->aval.ndim(); ++i) {
    const auto edge = [&] { return s.random().chance(0.4) ? 0 : s.random().between(-2, 3); };
    p.low.push_back(edge());
    p.high.push_back(edge());
    p.interior.push_back(s.random().chance(0.75) ? 0 : s.random().between(1, 2));
  }
  return s.apply1(OpCode::kPad, p, {*x, s.of_type(x->aval.with_shape({}))}).has_value();
}

// ---- contractions ----

bool make_dot(Scope& s) {
  const auto x = s.find([](Aval a) { return a.ndim() <= 4 && a.size() <= 5000; });
  if (!x) return false;
  RandomSource& random = s.random();
  // Axes of the left side are batch, contracted or kept; the right side has the first two, and others, in any order.
  DotDimensionNumbers d;
  std::vector<std::pair<std::int64_t, int>> axes;  // size; -1: kept, else the position among batch or contracted ones
  std::int64_t kept = 1;
  for (std::int64_t i = 0; i < x->aval.ndim(); ++i) {
    const double role = random.uniform();
    if (role < 0.2) {
      d.lhs_batch.push_back(i);
    } else if (role < 0.65) {
      d.lhs_contracting.push_back(i);
    } else {
      kept *= size_at(x->aval, i);
    }
  }
  for (const std::int64_t i : d.lhs_batch) axes.emplace_back(size_at(x->aval, i), static_cast<int>(i));
  for (const std::int64_t i : d.lhs_contracting) axes.emplace_back(size_at(x->aval, i), static_cast<int>(i));
  std::int64_t most = std::max<std::int64_t>(1, 3000 / std::max<std::int64_t>(1, kept));
  for (std::int64_t n = random.between(0, 2); n > 0; --n) {
    axes.emplace_back(random_size(random, std::min<std::int64_t>(most, 40)), -1);
    most /= std::max<std::int64_t>(1, axes.back().first);
  }
  for (std::size_t i = axes.size(); i > 1; --i)
    if (random.chance(0.6))
      std::swap(axes[i - 1], axes[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
  Dims shape;
  const auto place = [&](std::int64_t lhs_axis) {
    const auto at = std::find_if(axes.begin(), axes.end(), [&](const auto& a) { return a.second == lhs_axis; });
    return static_cast<std::int64_t>(at - axes.begin());
  };
  for (const auto& [size, from] : axes) shape.push_back(size);
  for (const std::int64_t i : d.lhs_batch) d.rhs_batch.push_back(place(i));
  for (const std::int64_t i : d.lhs_contracting) d.rhs_contracting.push_back(place(i));
  const Operand y = s.of_type(x->aval.with_shape(shape));
  const DType t = x->aval.dtype();
  const DType wide = random.chance(0.8) ? t : t == i8 ? i32 : t == u8 ? u32 : t == f32 ? f64 : is_float(t) ? f32 : t;
  return s.apply1(OpCode::kDotGeneral, DotGeneralParams{d, wide}, {*x, y}).has_value();
}

bool make_convolution(Scope& s) {
  const auto x = s.find([](Aval a) { return a.ndim() >= 2 && a.ndim() <= 4 && a.size() <= 3000; });
  if (!x) return false;
  RandomSource& random = s.random();
  const int rank = x->aval.ndim();
  ConvolutionParams p;
  ConvDimensionNumbers& d = p.dimension_numbers;
  const auto roles = [&](std::int64_t& first, std::int64_t& second, Dims& spatial) {
    const Dims order = random.chance(0.5) ? axes_up_to(rank) : shuffled(random, axes_up_to(rank));
    first = order[0];
    second = order[1];
    spatial = Dims(std::span(order).subspan(2));
  };
  roles(d.input_batch, d.input_feature, d.input_spatial);
  roles(d.kernel_output_feature, d.kernel_input_feature, d.kernel_spatial);
  roles(d.output_batch, d.output_feature, d.output_spatial);
  const std::int64_t features = size_at(x->aval, d.input_feature);
  p.feature_group_count = features > 0 && features % 2 == 0 && random.chance(0.2) ? 2 : 1;
  Dims kernel(static_cast<std::size_t>(rank));
  kernel[static_cast<std::size_t>(d.kernel_output_feature)] = p.feature_group_count * random.between(1, 4);
  kernel[static_cast<std::size_t>(d.kernel_input_feature)] = features / p.feature_group_count;
  for (const std::int64_t a : d.kernel_spatial) {
    kernel[static_cast<std::size_t>(a)] = random.between(1, 3);
    p.window_strides.push_back(random.chance(0.7) ? 1 : 2);
    p.padding_low.push_back(random.between(-1, 2));
    p.padding_high.push_back(random.between(0, 2));
    p.lhs_dilation.push_back(random.chance(0.8) ? 1 : 2);
    p.rhs_dilation.push_back(random.chance(0.8) ? 1 : 2);
  }
  p.preferred_element_type = x->aval.dtype();
  return s.apply1(OpCode::kConvolution, p, {*x, s.of_type(x->aval.with_shape(kernel))}).has_value();
}

// ---- reductions ----

ReduceKind random_kind(RandomSource& random, DType t) {
  using enum ReduceKind;
  if (category(t) > Category::kInteger) return random.of({kSum, kSum, kSum, kMax, kMax, kMin, kProd});
  return random.of({kSum, kProd, kMax, kMin, kAnd, kOr, kXor});
}

bool make_reduce(Scope& s) {
  const auto x = s.find([&](Aval a) { return a.ndim() > 0 || s.random().chance(0.1); });
  if (!x) return false;
  const Dims axes = s.random().chance(0.35) ? Dims{std::max<std::int64_t>(x->aval.ndim() - 1, 0)}
                                            : shuffled(s.random(), some_axes(s.random(), x->aval.ndim(), 0.5));
  return s.apply1(OpCode::kReduce, ReduceParams{random_kind(s.random(), x->aval.dtype()), axes}, {*x}).has_value();
}

bool make_arg_reduce(Scope& s) {
  const auto x = s.find(not_empty);
  if (!x) return false;
  const ArgReduceParams p{random_axis(s.random(), x->aval), s.random().of({i32, i32, i64, u32, i16, u8})};
  return s.apply1(s.random().of({OpCode::kArgmax, OpCode::kArgmin}), p, {*x}).has_value();
}

bool make_cumsum(Scope& s) {
  const auto x = s.find(not_empty);
  if (!x) return false;
  return s.apply1(OpCode::kCumsum, CumsumParams{random_axis(s.random(), x->aval), s.random().chance(0.3)}, {*x})
      .has_value();
}

Window random_window(RandomSource& random, Aval x) {
  Window w;
  for (const std::int64_t n : x.shape()) {
    const bool still = random.chance(0.4);
    w.dimensions.push_back(still ? 1 : random.between(1, std::clamp<std::int64_t>(n, 1, 4)));
    w.strides.push_back(still || random.chance(0.5) ? 1 : random.between(1, 3));
    w.base_dilations.push_back(still || random.chance(0.85) ? 1 : 2);
    w.window_dilations.push_back(still || random.chance(0.85) ? 1 : 2);
    w.padding_low.push_back(still ? 0 : random.between(-1, 2));
    w.padding_high.push_back(still ? 0 : random.between(0, 2));
  }
  return w;
}

bool make_reduce_window(Scope& s) {
  const auto x = s.find(not_empty);
  if (!x) return false;
  const ReduceWindowParams p{random_kind(s.random(), x->aval.dtype()), random_window(s.random(), x->aval)};
  return s.apply1(OpCode::kReduceWindow, p, {*x}).has_value();
}

bool make_select_and_scatter(Scope& s) {
  const auto x = s.find([](Aval a) { return a.ndim() > 0 && a.size() < 2000; });
  if (!x) return false;
  const Window w = random_window(s.random(), x->aval);
  // The places of the window, as reduce_window has them.
  ir::Avals places;
  try {
    ir::infer(OpCode::kReduceWindow, ir::make_params(ReduceWindowParams{ReduceKind::kMax, w}).get(),
              std::array{x->aval}, places);
  } catch (const Error&) {
    return false;
  }
  const WindowSelectParams p{static_cast<WindowSelect>(s.random().below(4)), w};
  return s.apply(OpCode::kSelectAndScatter, ir::make_params(p), std::array{*x, s.of_type(places[0])}).has_value();
}

// ---- identities ----

bool make_identity(Scope& s) {
  const auto x = s.any();
  if (!x) return false;
  switch (s.random().below(3)) {
    case 0: return s.apply(OpCode::kStopGradient, {}, std::array{*x}).has_value();
    case 1: return s.apply1(OpCode::kCheckpointName, CheckpointNameParams{"a"}, {*x}).has_value();
    default: {
      Operands all{*x};
      for (std::int64_t n = s.random().below(3); n > 0; --n)
        if (const auto more = s.any()) all.push_back(*more);
      return s.apply(OpCode::kOptimizationBarrier, {}, all).has_value();
    }
  }
}

}  // namespace

std::span<const WeightedMaker> equation_makers() {
  static constexpr WeightedMaker kMakers[] = {{make_unary, 20},     {make_binary, 26},
                                              {make_ternary, 0.4},  {make_compare, 5},
                                              {make_select, 5},     {make_clamp, 1.5},
                                              {make_convert, 5},    {make_bitcast, 2},
                                              {make_iota, 2},       {make_reduce_precision, 1},
                                              {make_reshape, 4},    {make_broadcast, 5},
                                              {make_transpose, 4},  {make_reverse, 1.5},
                                              {make_slice, 4},      {make_concatenate, 2.5},
                                              {make_split, 1.5},    {make_pad, 2.5},
                                              {make_dot, 4},        {make_convolution, 0.7},
                                              {make_reduce, 8},     {make_arg_reduce, 1.5},
                                              {make_cumsum, 1.5},   {make_reduce_window, 1.5},
                                              {make_identity, 1.5}, {make_select_and_scatter, 0.4}};
  return kMakers;
}

}  // namespace weft::testing
