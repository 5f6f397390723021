// Reductions with NumPy's names: over all axes, or those given; `keepdims` leaves them with size 1.
#pragma once

#include "weft/np/creation.h"

namespace weft::np {

/// Axes to reduce: none given (all), one, or several.
class AxisArg {
 public:
  AxisArg() = default;
  AxisArg(int axis) : axes_{axis}, given_(true) {}
  AxisArg(std::initializer_list<int> axes) : axes_(axes), given_(true) {}
  AxisArg(std::vector<int> axes) : axes_(std::move(axes)), given_(true) {}
  AxisArg(std::nullopt_t) {}
  /// Counted from the front of x, ascending; IndexError when out of range or repeated.
  Dims resolve(std::string_view op, Aval x) const;

 private:
  std::vector<int> axes_;
  bool given_ = false;
};

/// Summed in `dtype`; without one, bool and small integers give i32 or u32, and f16 and bf16 are summed in
/// f32 and rounded once.
Array sum(const Arg& x, const AxisArg& axis = {}, bool keepdims = false, std::optional<DType> dtype = {});
/// The product, in the dtypes of sum.
Array prod(const Arg& x, const AxisArg& axis = {}, bool keepdims = false, std::optional<DType> dtype = {});
/// The largest; NaN if there is one. ShapeError over no elements.
Array max(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
Array min(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
inline Array amax(const Arg& x, const AxisArg& axis = {}, bool keepdims = false) { return max(x, axis, keepdims); }
inline Array amin(const Arg& x, const AxisArg& axis = {}, bool keepdims = false) { return min(x, axis, keepdims); }
/// sum / n; integers give f32, and f16 and bf16 are summed in f32. DTypeError when `dtype` is an integer's.
Array mean(const Arg& x, const AxisArg& axis = {}, bool keepdims = false, std::optional<DType> dtype = {});
/// sum(x * weights) / sum(weights), over all axes or one; `weights` has x's shape, or that axis's size.
Array average(const Arg& x, std::optional<int> axis, const Arg& weights);
/// mean(|x - mean(x)|^2), with n - ddof in the denominator.
Array var(const Arg& x, const AxisArg& axis = {}, int ddof = 0, bool keepdims = false);
Array std(const Arg& x, const AxisArg& axis = {}, int ddof = 0, bool keepdims = false);
/// bool: every (some) element is not zero.
Array all(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
Array any(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
/// i32: how many elements are not zero.
Array count_nonzero(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
/// max - min.
Array ptp(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
/// i32: the first position of the largest (smallest); of the flattened array when no axis is given.
Array argmax(const Arg& x, std::optional<int> axis = {}, bool keepdims = false);
Array argmin(const Arg& x, std::optional<int> axis = {}, bool keepdims = false);
/// Running sums along an axis, in the dtypes of sum; of the flattened array when none is given.
Array cumsum(const Arg& x, std::optional<int> axis = {}, std::optional<DType> dtype = {});
/// x[i + 1] - x[i] along an axis, `n` times; for bool, whether they differ.
Array diff(const Arg& x, int n = 1, int axis = -1);
/// As sum, prod, max, min, mean, var, std, with NaN left out; NaN (0 and 1 for sum and prod) where nothing is left.
Array nansum(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
Array nanmax(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
Array nanmin(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
Array nanprod(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
Array nanmean(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
Array nanvar(const Arg& x, const AxisArg& axis = {}, int ddof = 0, bool keepdims = false);
Array nanstd(const Arg& x, const AxisArg& axis = {}, int ddof = 0, bool keepdims = false);
/// log(sum(exp(x))) without overflow.
Array logsumexp(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);

}  // namespace weft::np
