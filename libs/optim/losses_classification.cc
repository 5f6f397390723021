#include "optim/losses_classification.h"

#include <algorithm>

#include "weft/np/indexing.h"
#include "weft/np/shape.h"
#include "weft/np/ufuncs.h"

namespace weft::optim {

using losses_detail::check_broadcasts;
using losses_detail::check_float;
using losses_detail::check_integer;

namespace {

Array mask_or_none(std::string_view op, const std::optional<Arg>& where, const Array& x, const np::AxisArg& axis) {
  return where ? losses_detail::mask_over(op, *where, x, axis) : Array();
}

// Class axes counted from the front, in the order given.
std::vector<int> class_axes(std::string_view op, const np::Axes& given, const Array& logits) {
  if (given.axes().empty()) throw ValueError(std::string(op) + ": there must be an axis of classes; got none.");
  np::AxisArg(given.axes()).resolve(op, logits.aval());  // in range and distinct
  std::vector<int> axes;
  for (const int a : given.axes()) axes.push_back(a < 0 ? a + logits.ndim() : a);
  return axes;
}

// The axes moved to the end and made one.
Array with_one_class_axis(const Array& x, const std::vector<int>& axes) {
  std::vector<int> order;
  for (int i = 0; i < x.ndim(); ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) order.push_back(i);
  Dims shape;
  for (const int i : order) shape.push_back(x.shape(i));
  shape.push_back(1);
  for (const int i : axes) shape.back() *= x.shape(i);
  order.insert(order.end(), axes.begin(), axes.end());
  return np::reshape(np::transpose(x, order), shape);
}

// Logits, and labels in their dtype.
std::pair<Array, Array> sigmoid_operands(std::string_view op, const Arg& logits, const Arg& labels) {
  check_float(op, "logits", logits);
  check_broadcasts(op, {"labels", labels}, {"logits", logits});
  return {logits.array(), np::astype(labels, logits.dtype())};
}

// -y log p - (1 - y) log(1 - p); not softplus(x) - x y, which loses all digits where the label is right and sure.
Array binary_cross_entropy(const Array& log_p, const Array& log_q, const Array& y) {
  return -y * log_p - (1.0 - y) * log_q;
}

}  // namespace

Array softmax_cross_entropy(const Arg& logits, const Arg& labels, const LossAxes& how) {
  const LocationScope scope(logits.location(), "softmax_cross_entropy");
  check_float("softmax_cross_entropy", "logits", logits);
  check_broadcasts("softmax_cross_entropy", {"labels", labels}, {"logits", logits});
  const Array x = logits.array();
  const Array mask = mask_or_none("softmax_cross_entropy", how.where, x, how.axis);
  return -np::sum(labels * losses_detail::log_softmax(x, how.axis, mask), how.axis);
}

Array softmax_cross_entropy_with_integer_labels(const Arg& logits, const Arg& labels, const ClassAxes& how) {
  constexpr std::string_view op = "softmax_cross_entropy_with_integer_labels";
  const LocationScope scope(logits.location(), op);
  check_float(op, "logits", logits);
  check_integer(op, "labels", labels);
  Array x = logits.array();
  const Array y = labels.array();
  const std::vector<int> axes = class_axes(op, how.axis, x);
  Dims examples;
  for (int i = 0; i < x.ndim(); ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) examples.push_back(x.shape(i));
  if (!same_dims(y.shape(), examples))
    throw ShapeError(std::string(op) + ": labels must have the shape of logits without the class axes, " +
                     shape_str(examples) + "; got " + y.aval().str() + " for " + x.aval().str() + ".");
  Array mask = mask_or_none(op, how.where, x, np::AxisArg(axes));
  int axis = axes[0];
  if (axes.size() > 1) {
    x = with_one_class_axis(x, axes);
    if (mask.defined()) mask = with_one_class_axis(mask, axes);
    axis = x.ndim() - 1;
  }
  // The normalizer is taken from one logit per example, not from all.
  const Array chosen = np::take_along_axis(x, np::expand_dims(y, axis), axis);
  const losses_detail::Normalizer n = losses_detail::log_sum_exp(x, axis, mask);
  const Array loss = np::squeeze(n.log_total - (chosen - n.shift), axis);
  return mask.defined() ? np::where(np::any(mask, axis), loss, 0.0) : loss;
}

Array weighted_logsoftmax(const Arg& x, const Arg& weights) {
  const LocationScope scope(x.location(), "weighted_logsoftmax");
  check_float("weighted_logsoftmax", "x", x);
  const Array log_p = losses_detail::log_softmax(x.array(), -1);
  // Replaced before the product, so that the derivative by the weights is log_p wherever that is finite.
  return weights * np::where(np::equal(weights, 0.0) & ~np::isfinite(log_p), 0.0, log_p);
}

Array safe_softmax_cross_entropy(const Arg& logits, const Arg& labels) {
  const LocationScope scope(logits.location(), "safe_softmax_cross_entropy");
  check_float("safe_softmax_cross_entropy", "logits", logits);
  check_broadcasts("safe_softmax_cross_entropy", {"labels", labels}, {"logits", logits});
  return -np::sum(weighted_logsoftmax(logits, labels), -1);
}

Array sigmoid_binary_cross_entropy(const Arg& logits, const Arg& labels) {
  const LocationScope scope(logits.location(), "sigmoid_binary_cross_entropy");
  const auto [x, y] = sigmoid_operands("sigmoid_binary_cross_entropy", logits, labels);
  return binary_cross_entropy(losses_detail::log_sigmoid(x), losses_detail::log_sigmoid(-x), y);
}

Array sigmoid_focal_loss(const Arg& logits, const Arg& labels, const FocalOptions& options) {
  const LocationScope scope(logits.location(), "sigmoid_focal_loss");
  const auto [x, labels_] = sigmoid_operands("sigmoid_focal_loss", logits, labels);
  const Array y = np::broadcast_to(labels_, DimSpan(x.shape()));
  const Array log_p = losses_detail::log_sigmoid(x), log_q = losses_detail::log_sigmoid(-x);
  // log(1 - p_t) = log((1 - y) p + y q), from logarithms, for a power of 1 - p_t has no slope where that rounds to 0.
  // A term of weight 0 does not count for the shift, by which it would overflow.
  const Array a = np::where(y == 1.0, -np::inf, log_p), b = np::where(y == 0.0, -np::inf, log_q);
  const Array top = lax::stop_gradient(np::maximum(a, b));
  const Array log_wrong = top + np::log((1.0 - y) * np::exp(a - top) + y * np::exp(b - top));
  Array loss = binary_cross_entropy(log_p, log_q, y) * np::exp(options.gamma * log_wrong);
  if (!options.alpha) return loss;
  return ((1.0 - y) + *options.alpha * (2.0 * y - 1.0)) * loss;
}

Array poly_loss_cross_entropy(const Arg& logits, const Arg& labels, const PolyLossOptions& options) {
  constexpr std::string_view op = "poly_loss_cross_entropy";
  const LocationScope scope(logits.location(), op);
  check_float(op, "logits", logits);
  check_float(op, "labels", labels);
  check_broadcasts(op, {"labels", labels}, {"logits", logits});
  const Array x = logits.array();
  const Array log_p = losses_detail::log_softmax(x, options.axis, mask_or_none(op, options.where, x, options.axis));
  // Of what the mask leaves out, log p and 1 - p are 0.
  return np::sum(labels * (options.epsilon * -np::expm1(log_p) - log_p), options.axis);
}

Array smooth_labels(const Arg& labels, const Arg& alpha) {
  const LocationScope scope(labels.location(), "smooth_labels");
  check_float("smooth_labels", "labels", labels);
  if (labels.shape().empty())
    throw ShapeError("smooth_labels: labels must have an axis of classes; got " + labels.array().aval().str() + ".");
  const Array y = labels.array();
  return y + alpha * (1.0 / static_cast<double>(y.shape(-1)) - y);
}

}  // namespace weft::optim
