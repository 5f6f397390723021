// What the loss files share: how losses are told where to sum, checks of operands, and logarithms of sums of
// exponentials over the elements that count. losses_detail is private to them.
#pragma once

#include <string_view>

#include "weft/np/params.h"
#include "weft/np/promotion.h"
#include "weft/np/reductions.h"

namespace weft::optim {

/// Where a loss sums: softmax_cross_entropy(logits, labels, {.axis = 1, .where = valid}).
struct LossAxes {
  /// The axes that go; all with `{}`.
  np::AxisArg axis = -1;
  /// bool (or "not zero"): which elements count.
  std::optional<Arg> where = {};
};

/// What becomes of the losses of the examples, or classes.
enum class LossReduction : std::uint8_t { kMean, kSum, kNone };

namespace losses_detail {

/// DTypeError unless x, called `what`, is float.
void check_float(std::string_view op, std::string_view what, const Arg& x);
/// DTypeError unless x, called `what`, is an integer.
void check_integer(std::string_view op, std::string_view what, const Arg& x);
/// An operand and what it is called in errors.
struct Named {
  std::string_view name;
  const Arg& value;
};
/// ShapeError unless `x` has the shape of `like`; C++ numbers have any.
void check_same_shape(std::string_view op, const Named& x, const Named& like);
/// ShapeError unless `x` broadcasts to the shape of `like`; C++ numbers have any.
void check_broadcasts(std::string_view op, const Named& x, const Named& like);
/// ShapeError unless labels[...] stand beside scores[..., k]; DTypeError unless they are integers.
void check_labels(std::string_view op, const Arg& labels, const Named& scores);

/// `where` as bool in the shape of x: it has x's axes, or all of them but `axis`. ShapeError otherwise.
Array mask_over(std::string_view op, const Arg& where, const Array& x, const np::AxisArg& axis);
/// out[..., k] = labels[...] == k, bool, for k below `n`.
Array one_hot(const Array& labels, std::int64_t n);

/// log(sum exp(x)) over the axes, which keep size 1, and the elements of `mask` (all, when it is none), in two parts
/// that are apart so that x - shift - log_total keeps the digits of large x. Without overflow; where no element counts,
/// log_total is -inf and derivatives are 0.
struct Normalizer {
  Array shift;  ///< a constant for derivatives
  Array log_total;
};
Normalizer log_sum_exp(const Array& x, const np::AxisArg& axis, const Array& mask = {});
/// x - log_sum_exp(x), and 0 where the mask is false.
Array log_softmax(const Array& x, const np::AxisArg& axis, const Array& mask = {});
/// log(1 / (1 + e^-x)) without overflow.
Array log_sigmoid(const Array& x);

/// The reduction of `losses` over all axes, or over one, counting those where `mask` holds (all, when it is none). The
/// mean of no losses is 0; with kNone, losses that do not count are 0.
Array reduce_losses(const Array& losses, LossReduction reduction, const np::AxisArg& axis, const Array& mask = {});

}  // namespace losses_detail
}  // namespace weft::optim
