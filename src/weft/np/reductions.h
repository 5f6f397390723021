// Reductions with NumPy's names: over all axes, or those given; `keepdims` leaves them with size 1.
#pragma once

#include "weft/np/creation.h"

namespace weft::np {

/// Axes to reduce: none given (all), one, or several.
class AxisArg {
 public:
  AxisArg() = default;
  AxisArg(int axis) : axes_{axis}, given_(true) {}                                                // NOLINT
  AxisArg(std::initializer_list<int> axes) : axes_(axes), given_(true) {}
  AxisArg(std::nullopt_t) {}                                                                      // NOLINT
  /// Counted from the front, ascending; IndexError when out of range or repeated.
  Dims resolve(std::string_view op, int rank) const;

 private:
  std::vector<int> axes_;
  bool given_ = false;
};

/// Small integers and bool are summed in i32, f16 and bf16 in f32 (and rounded once).
Array sum(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
Array prod(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
/// The largest; NaN if there is one. ShapeError over no elements. Also amax.
Array max(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
Array min(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
/// Integers give f32.
Array mean(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
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
/// Running sums along an axis; of the flattened array when none is given.
Array cumsum(const Arg& x, std::optional<int> axis = {});
/// As sum, max, min, mean, with NaN left out.
Array nansum(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
Array nanmax(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
Array nanmin(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
Array nanmean(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);
/// log(sum(exp(x))) without overflow.
Array logsumexp(const Arg& x, const AxisArg& axis = {}, bool keepdims = false);

}  // namespace weft::np
