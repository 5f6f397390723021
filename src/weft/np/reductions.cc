#include "weft/np/reductions.h"

#include <algorithm>

#include "weft/np/promotion.h"
#include "weft/np/shape.h"
#include "weft/np/ufuncs.h"
#include "weft/ops/common.h"

namespace weft::np {

void detail::throw_integer_wraps(std::uint64_t number, const SourceLocation& loc) {
  const LocationScope scope(loc, "integer");
  throw ValueError("integer: a count, position or seed must be below 2^63; got " + std::to_string(number) + ".",
                   "an unsigned 0 less 1 wraps round.");
}

Dims AxisArg::resolve(std::string_view op, Aval x) const {
  Dims r;
  for (int i = 0; !given_ && i < x.ndim(); ++i) r.push_back(i);
  for (const int a : axes_) r.push_back(ops::normal_axis(op, a, x));
  std::sort(r.begin(), r.end());
  if (std::adjacent_find(r.begin(), r.end()) != r.end())
    throw IndexError(std::string(op) + ": axes must be distinct; got " + shape_str(Dims(axes_.begin(), axes_.end())) +
                     " for " + x.str() + ".");
  return r;
}

namespace {

Array with_kept(const Array& y, DimSpan shape, const Dims& axes, bool keepdims) {
  if (!keepdims) return y;
  Dims kept(shape);
  for (const std::int64_t a : axes) kept[static_cast<std::size_t>(a)] = 1;
  return lax::reshape(y, kept);
}

std::int64_t count(DimSpan shape, const Dims& axes) {
  std::int64_t n = 1;
  for (const std::int64_t a : axes) n *= shape[static_cast<std::size_t>(a)];
  return n;
}

// Sums and products need more room than the operand's dtype may have.
DType accumulator(DType t) {
  if (t == boolean || t == i8 || t == i16) return i32;
  if (t == u8 || t == u16) return u32;
  if (is_storage(t) && is_integer(t)) return is_unsigned(t) ? u32 : i32;
  return t == f16 || t == bf16 ? f32 : compute_dtype(t);
}

// Where the sum is made, and what it becomes.
struct SumTypes {
  DType work, result;
};
SumTypes sum_types(DType t, std::optional<DType> asked) {
  if (asked) return {accumulator(*asked) == f32 ? f32 : *asked, *asked};
  return {accumulator(t), is_float(t) ? t : accumulator(t)};
}

// What only some reductions can be told.
void refuse(const char* op, bool given, const char* what) {
  if (given) throw ValueError(std::string(op) + ": there must be no " + what + "; got one.");
}

// The mask as bool in x's shape.
Array mask_over(const char* op, const Arg& where, const Array& x) {
  const Array mask = truth(where);
  const bool fits = mask.ndim() <= x.ndim() && broadcastable(mask.shape(), x.shape()) &&
                    same_dims(broadcast_shapes(op, mask.shape(), x.shape()), x.shape());
  if (!fits)
    throw ShapeError(std::string(op) + ": `where` must broadcast to the array's shape; got " + mask.aval().str() +
                     " for " + x.aval().str() + ".");
  return broadcast_to(mask, DimSpan(x.shape()));
}

// x with `otherwise` where the mask does not hold.
Array masked(const char* op, const Array& x, const std::optional<Arg>& where, const Array& otherwise) {
  return where ? lax::select(mask_over(op, *where, x), x, broadcast_to(otherwise, DimSpan(x.shape()))) : x;
}

// The initial value in the dtype of the reduction.
Array initial_value(const char* op, const Arg& initial, DType t) {
  if (!initial.shape().empty())
    throw ShapeError(std::string(op) + ": the initial value must be 0-d; got " + initial.array().aval().str() + ".");
  return lax::convert(initial.filled(t, {}), t);
}

Array accumulate(const char* op, const Arg& x, ReduceKind kind, const AxisArg& axis, const Reduction& how) {
  const LocationScope scope(x.location(), op);
  const bool is_sum = kind == ReduceKind::kSum;
  const Array a = x.array();
  const Dims axes = axis.resolve(op, a.aval());
  const SumTypes t = sum_types(a.dtype(), how.dtype);
  const Array terms = masked(op, lax::convert(a, t.work), how.where, Array::full({}, t.work, Scalar(is_sum ? 0 : 1)));
  Array y = lax::reduce(terms, kind, axes);
  if (how.initial) {
    const Array first = broadcast_to(initial_value(op, *how.initial, t.work), DimSpan(y.shape()));
    y = is_sum ? lax::add(first, y) : lax::multiply(first, y);
  }
  return with_kept(lax::convert(y, t.result), a.shape(), axes, how.keepdims);
}

Array extremum(const char* op, const Arg& x, ReduceKind kind, const AxisArg& axis, const Reduction& how) {
  const LocationScope scope(x.location(), op);
  refuse(op, how.dtype.has_value(), "dtype");
  const Array a = x.array();
  const Dims axes = axis.resolve(op, a.aval());
  if (!how.initial) {
    if (how.where)
      throw ValueError(std::string(op) + ": `where` needs an initial value, for it may leave no element; got none.",
                       "give `initial`, for example -np::inf or np::inf.");
    if (count(a.shape(), axes) == 0)
      throw ShapeError(std::string(op) + ": there must be at least one element; got axes " + shape_str(axes) + " of " +
                       a.aval().str() + ".");
    return with_kept(lax::reduce(a, kind, axes), a.shape(), axes, how.keepdims);
  }
  const Array first = initial_value(op, *how.initial, a.dtype());
  const Array y = lax::reduce(masked(op, a, how.where, first), kind, axes);
  const Array edge = broadcast_to(first, DimSpan(y.shape()));
  return with_kept(kind == ReduceKind::kMax ? lax::maximum(y, edge) : lax::minimum(y, edge), a.shape(), axes,
                   how.keepdims);
}

Array truth_reduction(const char* op, const Arg& x, ReduceKind kind, const AxisArg& axis, const Reduction& how) {
  const LocationScope scope(x.location(), op);
  refuse(op, how.dtype.has_value(), "dtype");
  refuse(op, how.initial.has_value(), "initial value");
  const Array a = truth(x.array());
  const Dims axes = axis.resolve(op, a.aval());
  const Array kept = masked(op, a, how.where, Array(kind == ReduceKind::kAnd));
  return with_kept(lax::reduce(kept, kind, axes), a.shape(), axes, how.keepdims);
}

// The total divided by how many elements of x it is over, less `ddof`, or by 0 where that is negative.
Array over_count(const char* op, const Array& total, const Array& x, const std::optional<Arg>& where, const Dims& axes,
                 std::int64_t ddof) {
  if (!where) {
    const std::int64_t n = count(x.shape(), axes) - ddof;
    return lax::divide(total, static_cast<double>(std::max<std::int64_t>(n, 0)));
  }
  const Array n = lax::reduce_sum(lax::convert(mask_over(op, *where, x), total.dtype()), axes);
  return lax::divide(total, ddof == 0 ? n : lax::maximum(lax::subtract(n, static_cast<double>(ddof)), 0.0));
}

DType spread_dtype(const char* op, const Arg& x, std::optional<DType> dtype) {
  const DType t = dtype.value_or(inexact_dtype(x.dtype()));
  if (!is_inexact(t))
    throw DTypeError(std::string(op) + ": the dtype must be float or complex; got " + std::string(name(t)) + ".");
  return t;
}

// Where the first NaN is, or else the first element that equals the largest (smallest) one; complex numbers go by real,
// then imaginary part, as in max.
Array complex_position(const Array& a, bool max, int d) {
  const Dims axes{d};
  Dims kept(a.shape());
  kept[static_cast<std::size_t>(d)] = 1;
  const Array edge = max ? lax::reduce_max(a, axes) : lax::reduce_min(a, axes);
  const Array best = broadcast_to(lax::reshape(edge, kept), DimSpan(a.shape()));
  // The extremum of something with NaN is NaN, and equal to nothing.
  return lax::argmax(lax::or_(lax::eq(a, best), lax::ne(a, a)), d);
}

Array position(const char* op, const Arg& x, bool max, OptionalAxis axis, Flag keepdims) {
  const LocationScope scope(x.location(), op);
  const Array a = axis ? x.array() : ravel(x);
  const int d = ops::normal_axis(op, axis.value_or(0), a.aval());
  Array y = is_complex(a.dtype()) ? complex_position(a, max, d) : max ? lax::argmax(a, d) : lax::argmin(a, d);
  if (!keepdims) return y;
  if (!axis) return lax::reshape(y, Dims(x.shape().size(), 1));
  return with_kept(y, a.shape(), Dims{d}, true);
}

// x with NaN replaced.
Array without_nan(const Array& a, double replacement) {
  if (!is_inexact(a.dtype())) return a;
  return lax::select(lax::ne(a, a), lax::full(a.shape(), Scalar(replacement), a.dtype()), a);
}

}  // namespace

Array sum(const Arg& x, const AxisArg& axis, const Reduction& how) {
  return accumulate("sum", x, ReduceKind::kSum, axis, how);
}
Array prod(const Arg& x, const AxisArg& axis, const Reduction& how) {
  return accumulate("prod", x, ReduceKind::kProd, axis, how);
}
Array max(const Arg& x, const AxisArg& axis, const Reduction& how) {
  return extremum("max", x, ReduceKind::kMax, axis, how);
}
Array min(const Arg& x, const AxisArg& axis, const Reduction& how) {
  return extremum("min", x, ReduceKind::kMin, axis, how);
}
Array all(const Arg& x, const AxisArg& axis, const Reduction& how) {
  return truth_reduction("all", x, ReduceKind::kAnd, axis, how);
}
Array any(const Arg& x, const AxisArg& axis, const Reduction& how) {
  return truth_reduction("any", x, ReduceKind::kOr, axis, how);
}
Array mean(const Arg& x, const AxisArg& axis, const Reduction& how) {
  const LocationScope scope(x.location(), "mean");
  refuse("mean", how.initial.has_value(), "initial value");
  const DType t = spread_dtype("mean", x, how.dtype);
  const Array a = lax::convert(x, accumulator(t));
  const Dims axes = axis.resolve("mean", a.aval());
  const Array total = lax::reduce_sum(masked("mean", a, how.where, Array::full({}, a.dtype(), Scalar(0))), axes);
  const Array y = over_count("mean", total, a, how.where, axes, 0);
  return with_kept(lax::convert(y, t), a.shape(), axes, how.keepdims);
}

Array sum(const Arg& x, const AxisArg& axis, Flag keepdims, std::optional<DType> dtype) {
  return sum(x, axis, {.keepdims = keepdims, .dtype = dtype});
}
Array prod(const Arg& x, const AxisArg& axis, Flag keepdims, std::optional<DType> dtype) {
  return prod(x, axis, {.keepdims = keepdims, .dtype = dtype});
}
Array max(const Arg& x, const AxisArg& axis, Flag keepdims) { return max(x, axis, {.keepdims = keepdims}); }
Array min(const Arg& x, const AxisArg& axis, Flag keepdims) { return min(x, axis, {.keepdims = keepdims}); }
Array all(const Arg& x, const AxisArg& axis, Flag keepdims) { return all(x, axis, {.keepdims = keepdims}); }
Array any(const Arg& x, const AxisArg& axis, Flag keepdims) { return any(x, axis, {.keepdims = keepdims}); }
Array mean(const Arg& x, const AxisArg& axis, Flag keepdims, std::optional<DType> dtype) {
  return mean(x, axis, {.keepdims = keepdims, .dtype = dtype});
}

Array average(const Arg& x, OptionalAxis axis, const Arg& weights) {
  const LocationScope scope(x.location(), "average");
  const DType t = inexact_dtype(result_type({x, weights}));
  const Array a = lax::convert(x, t);
  Array w = lax::convert(weights.filled(t, {}), t);
  if (axis && w.ndim() == 1 && a.ndim() != 1) {
    const int d = ops::normal_axis("average", *axis, a.aval());
    if (w.size() != a.shape(d))
      throw ShapeError("average: there must be one weight per element of axis " + std::to_string(d) + "; got " +
                       w.aval().str() + " for " + a.aval().str() + ".");
    w = lax::broadcast_in_dim(w, a.shape(), Dims{d});
  } else if (!same_dims(w.shape(), a.shape())) {
    throw ShapeError("average: weights must have the array's shape, or be 1-d beside an axis; got " + w.aval().str() +
                     " for " + a.aval().str() + ".");
  }
  const AxisArg over = axis ? AxisArg(*axis) : AxisArg();
  return lax::divide(sum(lax::multiply(a, w), over), sum(w, over));
}

Array var(const Arg& x, const AxisArg& axis, const Spread& how) {
  const LocationScope scope(x.location(), "var");
  const DType t = spread_dtype("var", x, how.dtype);
  if (is_complex(x.dtype()) && !is_complex(t))
    throw DTypeError("var: the dtype of complex numbers must be complex; got " + std::string(name(t)) + " for " +
                     x.array().aval().str() + ".");
  const Array a = lax::convert(x, accumulator(t));
  const Dims axes = axis.resolve("var", a.aval());
  const Array centred = subtract(a, mean(a, axis, {.keepdims = true, .where = how.where}));
  const Array squares = is_complex(t) ? lax::square(lax::abs(centred)) : lax::square(centred);
  const DType real = squares.dtype();
  const Array total = lax::reduce_sum(masked("var", squares, how.where, Array::full({}, real, Scalar(0))), axes);
  const Array y = over_count("var", total, squares, how.where, axes, how.ddof);
  return with_kept(lax::convert(y, real_dtype(t)), a.shape(), axes, how.keepdims);
}
Array std(const Arg& x, const AxisArg& axis, const Spread& how) {
  const LocationScope scope(x.location(), "std");
  return lax::sqrt(var(x, axis, how));
}
Array var(const Arg& x, const AxisArg& axis, Flag keepdims, Integer ddof, std::optional<DType> dtype) {
  return var(x, axis, {.keepdims = keepdims, .ddof = ddof, .dtype = dtype});
}
Array std(const Arg& x, const AxisArg& axis, Flag keepdims, Integer ddof, std::optional<DType> dtype) {
  return std(x, axis, {.keepdims = keepdims, .ddof = ddof, .dtype = dtype});
}

Array count_nonzero(const Arg& x, const AxisArg& axis, Flag keepdims) {
  const LocationScope scope(x.location(), "count_nonzero");
  return sum(truth(x), axis, keepdims);
}
Array ptp(const Arg& x, const AxisArg& axis, Flag keepdims) {
  const LocationScope scope(x.location(), "ptp");
  return lax::subtract(max(x, axis, keepdims), min(x, axis, keepdims));
}

Array argmax(const Arg& x, OptionalAxis axis, Flag keepdims) { return position("argmax", x, true, axis, keepdims); }
Array argmin(const Arg& x, OptionalAxis axis, Flag keepdims) { return position("argmin", x, false, axis, keepdims); }

namespace {

// Of the flattened array when no axis is given.
template <class Cumulative>
Array cumulative(const char* op, const Arg& x, OptionalAxis axis, std::optional<DType> dtype, Cumulative&& of) {
  const LocationScope scope(x.location(), op);
  const Array a = axis ? x.array() : ravel(x);
  const SumTypes t = sum_types(a.dtype(), dtype);
  const int d = ops::normal_axis(op, axis.value_or(0), a.aval());
  return lax::convert(of(lax::convert(a, t.work), d), t.result);
}

}  // namespace

Array cumsum(const Arg& x, OptionalAxis axis, std::optional<DType> dtype) {
  return cumulative("cumsum", x, axis, dtype, [](const Array& a, int d) { return lax::cumsum(a, d); });
}
Array cumprod(const Arg& x, OptionalAxis axis, std::optional<DType> dtype) {
  return cumulative("cumprod", x, axis, dtype, [](const Array& a, int d) { return lax::cumprod(a, d); });
}

Array diff(const Arg& x, Integer n, Axis axis) {
  const LocationScope scope(x.location(), "diff");
  Array a = x.array();
  if (n < 0) throw ValueError("diff: the order must not be negative; got " + std::to_string(n) + ".");
  const auto d = static_cast<std::size_t>(ops::normal_axis("diff", axis, a.aval()));
  for (std::int64_t i = 0; i < n && a.aval().shape(d) > 0; ++i) {
    Dims start(a.shape().size(), 0), limit(a.shape());
    start[d] = 1;
    const Array next = lax::slice(a, start, limit);
    start[d] = 0;
    limit[d] -= 1;
    const Array here = lax::slice(a, start, limit);
    a = a.dtype() == boolean ? lax::ne(next, here) : lax::subtract(next, here);
  }
  return a;
}

namespace {

// How many elements are not NaN, as numbers of dtype `t`.
Array count_numbers(const Array& a, const AxisArg& axis, Flag keepdims, DType t) {
  return lax::convert(sum(lax::eq(a, a), axis, keepdims), t);
}

}  // namespace

Array nansum(const Arg& x, const AxisArg& axis, Flag keepdims) {
  const LocationScope scope(x.location(), "nansum");
  return sum(without_nan(x.array(), 0), axis, keepdims);
}
Array nanprod(const Arg& x, const AxisArg& axis, Flag keepdims) {
  const LocationScope scope(x.location(), "nanprod");
  return prod(without_nan(x.array(), 1), axis, keepdims);
}
Array nanmax(const Arg& x, const AxisArg& axis, Flag keepdims) {
  const LocationScope scope(x.location(), "nanmax");
  const Array a = x.array();
  const Array y = max(without_nan(a, -__builtin_inf()), axis, keepdims);
  return is_inexact(a.dtype()) ? where(all(isnan(a), axis, keepdims), __builtin_nan(""), y) : y;
}
Array nanmin(const Arg& x, const AxisArg& axis, Flag keepdims) {
  const LocationScope scope(x.location(), "nanmin");
  const Array a = x.array();
  const Array y = min(without_nan(a, __builtin_inf()), axis, keepdims);
  return is_inexact(a.dtype()) ? where(all(isnan(a), axis, keepdims), __builtin_nan(""), y) : y;
}
Array nanmean(const Arg& x, const AxisArg& axis, Flag keepdims) {
  const LocationScope scope(x.location(), "nanmean");
  const DType t = inexact_dtype(x.dtype());
  const Array a = lax::convert(x, accumulator(t));
  return lax::convert(lax::divide(sum(without_nan(a, 0), axis, keepdims), count_numbers(a, axis, keepdims, a.dtype())),
                      t);
}
Array nanvar(const Arg& x, const AxisArg& axis, Flag keepdims, Integer ddof) {
  const LocationScope scope(x.location(), "nanvar");
  const DType t = inexact_dtype(x.dtype());
  const Array a = lax::convert(x, accumulator(t));
  // Only what was NaN is left out: inf - inf is not, and makes the result NaN.
  const Array raw = subtract(a, nanmean(a, axis, true));
  const Array centred = lax::select(isnan(a), lax::full(raw.shape(), Scalar(0.0), raw.dtype()), raw);
  const Array total = sum(lax::square(is_complex(t) ? lax::abs(centred) : centred), axis, keepdims);
  const Array n = lax::subtract(count_numbers(a, axis, keepdims, total.dtype()), static_cast<double>(ddof));
  const Array nan = lax::full(n.shape(), Scalar(__builtin_nan("")), n.dtype());
  return lax::convert(lax::select(lax::le(n, 0.0), nan, lax::divide(total, n)), real_dtype(t));
}
Array nanstd(const Arg& x, const AxisArg& axis, Flag keepdims, Integer ddof) {
  const LocationScope scope(x.location(), "nanstd");
  return lax::sqrt(nanvar(x, axis, keepdims, ddof));
}

Array logsumexp(const Arg& x, const AxisArg& axis, Flag keepdims) {
  const LocationScope scope(x.location(), "logsumexp");
  const DType t = inexact_dtype(x.dtype());
  const Array a = lax::convert(x, accumulator(t));
  const Dims axes = axis.resolve("logsumexp", a.aval());
  // Shifted by the largest, which is a constant for derivatives; an infinite one, as of no elements, would make inf -
  // inf.
  const Array largest = lax::stop_gradient(max(a, axis, {.keepdims = true, .initial = -__builtin_inf()}));
  const Array shift = lax::select(lax::is_finite(largest), largest, lax::full(largest.shape(), Scalar(0), a.dtype()));
  const Array total = lax::reduce_sum(lax::exponential(subtract(a, shift)), axes);
  const Array y = lax::add(lax::log(total), lax::reshape(shift, total.shape()));
  return with_kept(lax::convert(y, t), a.shape(), axes, keepdims);
}

}  // namespace weft::np
