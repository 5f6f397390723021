// compare, select and clamp. Predicates of select and bounds of clamp may be 0-d: one value for
// all elements. That is the only place where operands of elementwise ops differ in shape.
#include <cmath>

#include "weft/ops/elementwise.h"

namespace weft {

using namespace ops;

namespace {

std::uint64_t vary_of(std::span<const Aval> in) {
  std::uint64_t vary = 0;
  for (const Aval a : in) vary |= a.vary();
  return vary;
}

// A 0-d array repeated to `shape`, others as they are.
Array fit(const Array& x, DimSpan shape) {
  return x.ndim() == 0 && !shape.empty() ? lax::broadcast_in_dim(x, shape, {}) : x;
}

// Like batch_elementwise, for operands that may be 0-d where `full` is not: those stay 0-d when
// they are not mapped and are repeated to the full shape when they are.
void batch_with_scalars(const Call& call, std::size_t full, std::span<const int> bdims, const MappedAxis& axis,
                        Arrays& outs, Bdims& out_bdims) {
  Dims shape(call.args[full].shape());
  if (bdims[full] != kUnmapped) shape.erase(shape.begin() + bdims[full]);
  const int to = bdims[full] == kUnmapped ? 0 : bdims[full];
  Dims batched = shape;
  batched.insert(batched.begin() + to, axis.size);
  Arrays args;
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    const Array& a = call.args[i];
    const int rank = a.ndim() - (bdims[i] != kUnmapped);
    const bool scalar = rank == 0;
    if (scalar && bdims[i] == kUnmapped && i != full && !shape.empty())
      args.push_back(a);
    else if (scalar && bdims[i] != kUnmapped)
      args.push_back(shape.empty() ? a : lax::broadcast_in_dim(a, batched, Dims{to}));
    else
      args.push_back(bdim_to(a, bdims[i], to, axis.size));
  }
  bind(call.op, call.params, args, outs);
  out_bdims.push_back(to);
}

}  // namespace

// ---- x[i] <direction> y[i], bool: no tangent ----

namespace {

void infer_compare(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  infer_elementwise(OpCode::kCompare, in, kAll, out);
  const ComparisonDirection d = ir::params_as<CompareParams>(params).direction;
  const bool equality = usual_order(d) == ComparisonDirection::kEq || usual_order(d) == ComparisonDirection::kNe;
  if (is_complex(in[0].dtype()) && (!equality || d != usual_order(d)))
    throw DTypeError("compare: complex numbers have no order; got " + operand_text(in) + ".",
                     "compare real(x), imag(x) or abs(x).");
  out.back() = out.back().with_dtype(boolean);
}

// Floats as signed integers in IEEE's total order: negative ones by descending magnitude, after them the others.
template <class T>
auto in_total_order(T x) {
  using I =
      std::conditional_t<sizeof(T) == 2, std::int16_t, std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>>;
  I bits;
  __builtin_memcpy(&bits, &x, sizeof x);
  return bits < 0 ? static_cast<I>(bits ^ std::numeric_limits<I>::max()) : bits;
}

// `d` is not total.
template <class W>
bool holds(ComparisonDirection d, W x, W y) {
  switch (d) {
    case ComparisonDirection::kEq: return x == y;
    case ComparisonDirection::kNe: return x != y;
    default: break;
  }
  if constexpr (!is_complex_v<W>) {
    switch (d) {
      case ComparisonDirection::kGe: return x >= y;
      case ComparisonDirection::kGt: return x > y;
      case ComparisonDirection::kLe: return x <= y;
      case ComparisonDirection::kLt: return x < y;
      default: break;
    }
  }
  throw InternalError("compare: no such direction");
}

void eval_compare(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const ComparisonDirection d = ir::params_as<CompareParams>(params).direction, usual = usual_order(d);
  bool* z = out[0].as<bool>();
  visit_dtype(in[0].dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* x = in[0].as<T>();
    const T* y = in[1].as<T>();
    const std::int64_t n = out[0].size();
    if constexpr (!std::is_integral_v<T> && !is_complex_v<T>) {
      if (d != usual) {
        for (std::int64_t i = 0; i < n; ++i) z[i] = holds(usual, in_total_order(x[i]), in_total_order(y[i]));
        return;
      }
    }
    for (std::int64_t i = 0; i < n; ++i) z[i] = holds<compute_t<T>>(usual, x[i], y[i]);
  });
}

}  // namespace

Array lax::compare(const Arg& x, const Arg& y, ComparisonDirection direction) {
  const LocationScope scope(x.location(), "compare");
  auto [a, b] = pair_of(x, y);
  return bind1(OpCode::kCompare, ir::make_params(CompareParams{direction}), {std::move(a), std::move(b)});
}
namespace {
constexpr std::string_view kCompareVariants[] = {"eq",    "ne",    "ge",    "gt",    "le",    "lt",
                                                 "eq_to", "ne_to", "ge_to", "gt_to", "le_to", "lt_to"};
}
const ir::OpInfo op_infos::compare{.operands = ir::takes(2),
                                   .variants = kCompareVariants,
                                   .parse = ir::parse_params<CompareParams>,
                                   .infer = infer_compare,
                                   .eval = eval_compare,
                                   .elementwise = true};
const OpRules op_rule_table::compare = kZeroTangentRules;

// ---- p ? x : y; tangent p ? s : t; transposed: p ? ct : 0 and p ? 0 : ct ----

namespace {

void infer_select(const ParamsBase*, std::span<const Aval> in, Avals& out) {
  if (in[0].dtype() != boolean)
    throw DTypeError("select: the predicate must be bool; got " + operand_text(in) + ".",
                     "compare it with something, for example ne(pred, 0).");
  if (in[1].dtype() != in[2].dtype())
    throw DTypeError("select: on_true and on_false must have equal dtypes; got " + operand_text(in.subspan(1)) + ".",
                     "convert one of them with astype, or use np::where, which promotes.");
  if (!same_dims(in[1].shape(), in[2].shape()))
    throw ShapeError("select: on_true and on_false must have equal shapes; got " + operand_text(in.subspan(1)) + ".",
                     "lax:: does not broadcast; np::where does.");
  if (in[0].ndim() != 0 && !same_dims(in[0].shape(), in[1].shape()))
    throw ShapeError(
        "select: the predicate must have the shape of on_true and on_false or be 0-d; got " + operand_text(in) + ".",
        "lax:: does not broadcast; np::where does.");
  out.push_back(Aval(in[1].dtype(), in[1].shape(), vary_of(in)));
}

void eval_select(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const bool* pred = in[0].as<bool>();
  const std::int64_t step = in[0].ndim() > 0, size = byte_size(out[0].dtype());
  for (std::int64_t n = out[0].size(), i = 0; i < n; ++i)
    copy_element(in[pred[step * i] ? 1 : 2].data, i, out[0].data, i, size);
}

void jvp_select(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  const auto tangent = [&](std::size_t i) {
    return tangents[i].defined() ? tangents[i] : zeros_of(call.args[i].aval());
  };
  out_tangents.push_back(lax::select(call.args[0], tangent(1), tangent(2)));
}

void transpose_select(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  if (accums[0]) return rules::not_linear(call, cts, accums);
  const Array zero = zeros_of(cts[0].aval());
  if (accums[1]) accums[1]->add(lax::select(call.args[0], cts[0], zero));
  if (accums[2]) accums[2]->add(lax::select(call.args[0], zero, cts[0]));
}

void batch_select(const Call& call, std::span<const int> bdims, const MappedAxis& mapped_axis, Arrays& outs,
                  Bdims& out_bdims) {
  // A predicate with a shape fixes where the axis goes as well as any operand does.
  const bool scalar = call.args[0].ndim() - (bdims[0] != kUnmapped) == 0;
  if (!scalar) return batch_elementwise(call, bdims, mapped_axis, outs, out_bdims);
  batch_with_scalars(call, bdims[1] != kUnmapped || bdims[2] == kUnmapped ? 1 : 2, bdims, mapped_axis, outs, out_bdims);
}

}  // namespace

Array lax::select(const Array& pred, const Arg& on_true, const Arg& on_false) {
  const LocationScope scope(on_true.location(), "select");
  auto [x, y] = pair_of(on_true, on_false);
  if (on_true.is_scalar() && on_false.is_scalar() && pred.ndim() > 0) {
    x = on_true.filled(x.dtype(), pred.shape());
    y = on_false.filled(y.dtype(), pred.shape());
  }
  return bind1(OpCode::kSelect, {pred, std::move(x), std::move(y)});
}
const ir::OpInfo op_infos::select{
    .operands = ir::takes(3), .infer = infer_select, .eval = eval_select, .elementwise = true, .storage_types = true};
const OpRules op_rule_table::select{
    .jvp = jvp_select, .transpose = transpose_select, .batch = batch_select, .factors = factors_elementwise};

// ---- min(max(x, lo), hi): the tangent of x strictly inside, of lo below and of hi above ----

namespace {

void infer_clamp(const ParamsBase*, std::span<const Aval> in, Avals& out) {
  if (in[0].dtype() != in[1].dtype() || in[2].dtype() != in[1].dtype())
    throw DTypeError("clamp: lo, x and hi must have equal dtypes; got " + operand_text(in) + ".",
                     "convert with astype, or use np::clip, which promotes.");
  for (const std::size_t i : {0, 2})
    if (in[i].ndim() != 0 && !same_dims(in[i].shape(), in[1].shape()))
      throw ShapeError("clamp: lo and hi must have the shape of x or be 0-d; got " + operand_text(in) + ".",
                       "lax:: does not broadcast; np::clip does.");
  out.push_back(Aval(in[1].dtype(), in[1].shape(), vary_of(in)));
}

// As in maximum and minimum: NaN wins, +0 is above -0, complex numbers compare by real, then imaginary part.
template <class T>
T larger_or_smaller(T x, T y, bool larger) {
  const compute_t<T> a = x, b = y;
  if (a != a) return x;
  if (b != b) return y;
  if constexpr (std::is_floating_point_v<compute_t<T>>)
    if (a == b) return std::signbit(a) == larger ? y : x;
  bool less;
  if constexpr (is_complex_v<T>)
    less = a.real() < b.real() || (a.real() == b.real() && a.imag() < b.imag());
  else
    less = a < b;
  return less == larger ? y : x;
}

void eval_clamp(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  visit_dtype(in[1].dtype(), [&]<class T>(TypeTag<T>) {
    const T *lo = in[0].as<T>(), *x = in[1].as<T>(), *hi = in[2].as<T>();
    const std::int64_t lo_step = in[0].ndim() > 0, hi_step = in[2].ndim() > 0;
    T* y = out[0].as<T>();
    for (std::int64_t n = out[0].size(), i = 0; i < n; ++i)
      y[i] = larger_or_smaller(larger_or_smaller(x[i], lo[lo_step * i], true), hi[hi_step * i], false);
  });
}

void jvp_clamp(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  const DimSpan shape = call.args[1].shape();
  const Array lo = fit(call.args[0], shape), x = call.args[1], hi = fit(call.args[2], shape);
  Array sum;
  const auto add = [&](const Array& where, const Array& t) {
    const Array term = lax::select(where, fit(t, shape), zeros_of(x.aval()));
    sum = sum.defined() ? lax::add(sum, term) : term;
  };
  // Where there is no lt, the smaller is the one that the minimum is equal to.
  const bool ordered = !is_complex(x.dtype());
  const auto less = [&](const Array& a, const Array& b) {
    return ordered ? lax::lt(a, b) : lax::and_(lax::eq(lax::minimum(a, b), a), lax::ne(a, b));
  };
  const auto greater = [&](const Array& a, const Array& b) { return ordered ? lax::gt(a, b) : less(b, a); };
  if (tangents[0].defined()) add(lax::and_(greater(lo, x), less(lo, hi)), tangents[0]);
  if (tangents[1].defined()) add(lax::and_(greater(x, lo), less(x, hi)), tangents[1]);
  if (tangents[2].defined()) add(less(hi, x), tangents[2]);
  out_tangents.push_back(std::move(sum));
}

void batch_clamp(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  batch_with_scalars(call, 1, bdims, axis, outs, out_bdims);
}

}  // namespace

Array lax::clamp(const Arg& lo, const Arg& x, const Arg& hi) {
  const LocationScope scope(lo.location(), "clamp");
  const DType t =
      x.is_scalar() ? (lo.is_scalar() ? x.dtype_beside(hi.dtype()) : x.dtype_beside(lo.dtype())) : x.dtype();
  const auto bound = [&](const Arg& b) { return b.filled(b.dtype_beside(t), {}); };
  return bind1(OpCode::kClamp, {bound(lo), x.filled(t, {}), bound(hi)});
}
const ir::OpInfo op_infos::clamp{
    .operands = ir::takes(3), .infer = infer_clamp, .eval = eval_clamp, .elementwise = true};
const OpRules op_rule_table::clamp{
    .jvp = jvp_clamp, .transpose = rules::not_linear, .batch = batch_clamp, .factors = factors_elementwise};

}  // namespace weft
