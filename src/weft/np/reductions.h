// Reductions with NumPy's names: over all axes, or those given; `keepdims` leaves them with size 1.
#pragma once

#include "weft/np/creation.h"

namespace weft::np {

/// What a reduction may be told beside the axes: `np::sum(x, 0, {.where = x > 0, .initial = 1})`.
struct Reduction {
  Flag keepdims = false;
  /// For sum, prod and mean.
  std::optional<DType> dtype = {};
  /// bool (or "not zero"), broadcast to x's shape: which elements count.
  std::optional<Arg> where = {};
  /// Taken in beside the elements; 0-d. Lets max and min be of no elements, which `where` may leave.
  std::optional<Arg> initial = {};
};

/// What var and std may be told: `np::var(x, 0, {.ddof = 1})`.
struct Spread {
  Flag keepdims = false;
  /// The denominator is n - ddof.
  Integer ddof = 0;
  std::optional<DType> dtype = {};
  std::optional<Arg> where = {};
};

/// Summed in `dtype`; without one, bool and small integers give i32 or u32, and f16 and bf16 are summed in
/// f32 and rounded once.
Array sum(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false, std::optional<DType> dtype = {});
/// The product, in the dtypes of sum.
Array prod(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false, std::optional<DType> dtype = {});
/// The largest (smallest); NaN if there is one; complex numbers go by real, then imaginary part. ShapeError over no
/// elements, unless there is an initial value.
Array max(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false);
/// See max.
Array min(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false);
inline Array amax(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false) { return max(x, axis, keepdims); }
inline Array amin(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false) { return min(x, axis, keepdims); }
/// sum / n; integers give f32, and f16 and bf16 are summed in f32. DTypeError when `dtype` is an integer's.
Array mean(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false, std::optional<DType> dtype = {});
/// sum(x * weights) / sum(weights), over all axes or one; `weights` has x's shape, or that axis's size.
Array average(const Arg& x, OptionalAxis axis, const Arg& weights);
/// mean(|x - mean(x)|^2), with n - ddof in the denominator; computed in `dtype` (float or complex), x's unless given.
Array var(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false, Integer ddof = 0,
          std::optional<DType> dtype = {});
Array std(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false, Integer ddof = 0,
          std::optional<DType> dtype = {});
/// bool: every (some) element is not zero.
Array all(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false);
Array any(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false);

// The same, told more. ValueError for `where` without `initial` in max and min, for `initial` in mean, all and any, and
// for `dtype` in max, min, all and any; ShapeError when `where` does not broadcast to x, or `initial` is not 0-d.
Array sum(const Arg& x, const AxisArg& axis, const Reduction& how);
Array prod(const Arg& x, const AxisArg& axis, const Reduction& how);
Array max(const Arg& x, const AxisArg& axis, const Reduction& how);
Array min(const Arg& x, const AxisArg& axis, const Reduction& how);
Array mean(const Arg& x, const AxisArg& axis, const Reduction& how);
Array all(const Arg& x, const AxisArg& axis, const Reduction& how);
Array any(const Arg& x, const AxisArg& axis, const Reduction& how);
Array var(const Arg& x, const AxisArg& axis, const Spread& how);
Array std(const Arg& x, const AxisArg& axis, const Spread& how);

/// i32: how many elements are not zero.
Array count_nonzero(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false);
/// max - min.
Array ptp(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false);
/// i32: the first position of the largest (smallest), or of a NaN if there is one; of the flattened array when no axis
/// is given. Complex numbers go by real, then imaginary part. ShapeError over no elements.
Array argmax(const Arg& x, OptionalAxis axis = {}, Flag keepdims = false);
Array argmin(const Arg& x, OptionalAxis axis = {}, Flag keepdims = false);
/// Running sums along an axis, in the dtypes of sum; of the flattened array when none is given.
Array cumsum(const Arg& x, OptionalAxis axis = {}, std::optional<DType> dtype = {});
/// Running products, likewise.
Array cumprod(const Arg& x, OptionalAxis axis = {}, std::optional<DType> dtype = {});
/// x[i + 1] - x[i] along an axis, `n` times; for bool, whether they differ.
Array diff(const Arg& x, Integer n = 1, Axis axis = -1);
/// As sum, prod, max, min, mean, var, std, with NaN left out; NaN (0 and 1 for sum and prod) where nothing is left.
Array nansum(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false);
Array nanmax(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false);
Array nanmin(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false);
Array nanprod(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false);
Array nanmean(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false);
Array nanvar(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false, Integer ddof = 0);
Array nanstd(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false, Integer ddof = 0);
/// log(sum(exp(x))) without overflow; -inf of no elements.
Array logsumexp(const Arg& x, const AxisArg& axis = {}, Flag keepdims = false);

}  // namespace weft::np
