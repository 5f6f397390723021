#include "weft/np/reductions.h"

#include <algorithm>

#include "weft/np/promotion.h"
#include "weft/np/shape.h"
#include "weft/np/ufuncs.h"
#include "weft/ops/common.h"

namespace weft::np {

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

Array accumulate(const char* op, const Arg& x, ReduceKind kind, const AxisArg& axis, bool keepdims,
                 std::optional<DType> dtype) {
  const LocationScope scope(x.location(), op);
  const Array a = x.array();
  const Dims axes = axis.resolve(op, a.aval());
  const SumTypes t = sum_types(a.dtype(), dtype);
  const Array y = lax::reduce(lax::convert(a, t.work), kind, axes);
  return with_kept(lax::convert(y, t.result), a.shape(), axes, keepdims);
}

Array extremum(const char* op, const Arg& x, ReduceKind kind, const AxisArg& axis, bool keepdims) {
  const LocationScope scope(x.location(), op);
  const Array a = x.array();
  const Dims axes = axis.resolve(op, a.aval());
  if (count(a.shape(), axes) == 0)
    throw ShapeError(std::string(op) + ": there must be at least one element; got axes " + shape_str(axes) + " of " +
                     a.aval().str() + ".");
  return with_kept(lax::reduce(a, kind, axes), a.shape(), axes, keepdims);
}

Array truth_reduction(const char* op, const Arg& x, ReduceKind kind, const AxisArg& axis, bool keepdims) {
  const LocationScope scope(x.location(), op);
  const Array a = x.array();
  const Dims axes = axis.resolve(op, a.aval());
  return with_kept(lax::reduce(truth(a), kind, axes), a.shape(), axes, keepdims);
}

Array position(const char* op, const Arg& x, bool max, std::optional<int> axis, bool keepdims) {
  const LocationScope scope(x.location(), op);
  const Array a = axis ? x.array() : ravel(x);
  const int d = ops::normal_axis(op, axis.value_or(0), a.aval());
  Array y = max ? lax::argmax(a, d) : lax::argmin(a, d);
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

Array sum(const Arg& x, const AxisArg& axis, bool keepdims, std::optional<DType> dtype) {
  return accumulate("sum", x, ReduceKind::kSum, axis, keepdims, dtype);
}
Array prod(const Arg& x, const AxisArg& axis, bool keepdims, std::optional<DType> dtype) {
  return accumulate("prod", x, ReduceKind::kProd, axis, keepdims, dtype);
}
Array max(const Arg& x, const AxisArg& axis, bool keepdims) {
  return extremum("max", x, ReduceKind::kMax, axis, keepdims);
}
Array min(const Arg& x, const AxisArg& axis, bool keepdims) {
  return extremum("min", x, ReduceKind::kMin, axis, keepdims);
}
Array all(const Arg& x, const AxisArg& axis, bool keepdims) {
  return truth_reduction("all", x, ReduceKind::kAnd, axis, keepdims);
}
Array any(const Arg& x, const AxisArg& axis, bool keepdims) {
  return truth_reduction("any", x, ReduceKind::kOr, axis, keepdims);
}

Array mean(const Arg& x, const AxisArg& axis, bool keepdims, std::optional<DType> dtype) {
  const LocationScope scope(x.location(), "mean");
  const DType t = dtype.value_or(inexact(x.dtype()));
  if (!is_inexact(t)) throw DTypeError("mean: the dtype must be float or complex; got " + std::string(name(t)) + ".");
  const Array a = lax::convert(x, accumulator(t));
  const Dims axes = axis.resolve("mean", a.aval());
  const Array y = lax::divide(lax::reduce_sum(a, axes), static_cast<double>(count(a.shape(), axes)));
  return with_kept(lax::convert(y, t), a.shape(), axes, keepdims);
}

Array average(const Arg& x, std::optional<int> axis, const Arg& weights) {
  const LocationScope scope(x.location(), "average");
  const DType t = inexact(result_type({x, weights}));
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

Array var(const Arg& x, const AxisArg& axis, int ddof, bool keepdims) {
  const LocationScope scope(x.location(), "var");
  const Array a = lax::convert(x, inexact(x.dtype()));
  const Dims axes = axis.resolve("var", a.aval());
  const Array wide = lax::convert(a, accumulator(a.dtype()));
  const Array centred = subtract(wide, mean(wide, axis, true));
  const Array squares = is_complex(a.dtype()) ? lax::square(lax::abs(centred)) : lax::square(centred);
  const Array y = lax::divide(lax::reduce_sum(squares, axes), static_cast<double>(count(a.shape(), axes) - ddof));
  return with_kept(lax::convert(y, real_dtype(a.dtype())), a.shape(), axes, keepdims);
}
Array std(const Arg& x, const AxisArg& axis, int ddof, bool keepdims) {
  const LocationScope scope(x.location(), "std");
  return lax::sqrt(var(x, axis, ddof, keepdims));
}

Array count_nonzero(const Arg& x, const AxisArg& axis, bool keepdims) {
  const LocationScope scope(x.location(), "count_nonzero");
  return sum(truth(x), axis, keepdims);
}
Array ptp(const Arg& x, const AxisArg& axis, bool keepdims) {
  const LocationScope scope(x.location(), "ptp");
  return lax::subtract(max(x, axis, keepdims), min(x, axis, keepdims));
}

Array argmax(const Arg& x, std::optional<int> axis, bool keepdims) {
  return position("argmax", x, true, axis, keepdims);
}
Array argmin(const Arg& x, std::optional<int> axis, bool keepdims) {
  return position("argmin", x, false, axis, keepdims);
}

Array cumsum(const Arg& x, std::optional<int> axis, std::optional<DType> dtype) {
  const LocationScope scope(x.location(), "cumsum");
  const Array a = axis ? x.array() : ravel(x);
  const SumTypes t = sum_types(a.dtype(), dtype);
  const int d = ops::normal_axis("cumsum", axis.value_or(0), a.aval());
  return lax::convert(lax::cumsum(lax::convert(a, t.work), d), t.result);
}

Array diff(const Arg& x, int n, int axis) {
  const LocationScope scope(x.location(), "diff");
  Array a = x.array();
  if (n < 0) throw ValueError("diff: the order must not be negative; got " + std::to_string(n) + ".");
  const auto d = static_cast<std::size_t>(ops::normal_axis("diff", axis, a.aval()));
  for (int i = 0; i < n && a.aval().shape(d) > 0; ++i) {
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
Array count_numbers(const Array& a, const AxisArg& axis, bool keepdims, DType t) {
  return lax::convert(sum(lax::eq(a, a), axis, keepdims), t);
}

}  // namespace

Array nansum(const Arg& x, const AxisArg& axis, bool keepdims) {
  const LocationScope scope(x.location(), "nansum");
  return sum(without_nan(x.array(), 0), axis, keepdims);
}
Array nanprod(const Arg& x, const AxisArg& axis, bool keepdims) {
  const LocationScope scope(x.location(), "nanprod");
  return prod(without_nan(x.array(), 1), axis, keepdims);
}
Array nanmax(const Arg& x, const AxisArg& axis, bool keepdims) {
  const LocationScope scope(x.location(), "nanmax");
  const Array a = x.array();
  const Array y = max(without_nan(a, -__builtin_inf()), axis, keepdims);
  return is_inexact(a.dtype()) ? where(all(isnan(a), axis, keepdims), __builtin_nan(""), y) : y;
}
Array nanmin(const Arg& x, const AxisArg& axis, bool keepdims) {
  const LocationScope scope(x.location(), "nanmin");
  const Array a = x.array();
  const Array y = min(without_nan(a, __builtin_inf()), axis, keepdims);
  return is_inexact(a.dtype()) ? where(all(isnan(a), axis, keepdims), __builtin_nan(""), y) : y;
}
Array nanmean(const Arg& x, const AxisArg& axis, bool keepdims) {
  const LocationScope scope(x.location(), "nanmean");
  const DType t = inexact(x.dtype());
  const Array a = lax::convert(x, accumulator(t));
  return lax::convert(lax::divide(sum(without_nan(a, 0), axis, keepdims), count_numbers(a, axis, keepdims, a.dtype())),
                      t);
}
Array nanvar(const Arg& x, const AxisArg& axis, int ddof, bool keepdims) {
  const LocationScope scope(x.location(), "nanvar");
  const DType t = inexact(x.dtype());
  const Array a = lax::convert(x, accumulator(t));
  const Array centred = without_nan(subtract(a, nanmean(a, axis, true)), 0);
  const Array total = sum(lax::square(is_complex(t) ? lax::abs(centred) : centred), axis, keepdims);
  const Array n = lax::subtract(count_numbers(a, axis, keepdims, total.dtype()), static_cast<double>(ddof));
  const Array nan = lax::full(n.shape(), Scalar(__builtin_nan("")), n.dtype());
  return lax::convert(lax::select(lax::le(n, 0.0), nan, lax::divide(total, n)), real_dtype(t));
}
Array nanstd(const Arg& x, const AxisArg& axis, int ddof, bool keepdims) {
  const LocationScope scope(x.location(), "nanstd");
  return lax::sqrt(nanvar(x, axis, ddof, keepdims));
}

Array logsumexp(const Arg& x, const AxisArg& axis, bool keepdims) {
  const LocationScope scope(x.location(), "logsumexp");
  const DType t = inexact(x.dtype());
  const Array a = lax::convert(x, accumulator(t));
  const Dims axes = axis.resolve("logsumexp", a.aval());
  // Shifted by the largest, which is a constant for derivatives; an infinite one would make inf - inf.
  const Array largest = lax::stop_gradient(max(a, axis, true));
  const Array shift = lax::select(lax::is_finite(largest), largest, lax::full(largest.shape(), Scalar(0), a.dtype()));
  const Array total = lax::reduce_sum(lax::exponential(subtract(a, shift)), axes);
  const Array y = lax::add(lax::log(total), lax::reshape(shift, total.shape()));
  return with_kept(lax::convert(y, t), a.shape(), axes, keepdims);
}

}  // namespace weft::np
