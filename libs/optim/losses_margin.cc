#include "optim/losses_margin.h"

#include "weft/np/ufuncs.h"

namespace weft::optim {

using losses_detail::check_float;

namespace {

// The scores, and which of them are the labels'.
std::pair<Array, Array> multiclass_operands(std::string_view op, const Arg& scores, const Arg& labels) {
  check_float(op, "scores", scores);
  losses_detail::check_labels(op, labels, {"scores", scores});
  return {scores.array(), losses_detail::one_hot(labels.array(), scores.shape().back())};
}

}  // namespace

Array hinge_loss(const Arg& predictor_outputs, const Arg& targets) {
  const LocationScope scope(predictor_outputs.location(), "hinge_loss");
  check_float("hinge_loss", "outputs", predictor_outputs);
  losses_detail::check_broadcasts("hinge_loss", {"targets", targets}, {"the outputs", predictor_outputs});
  return np::maximum(1.0 - np::multiply(predictor_outputs, targets), 0.0);
}

Array perceptron_loss(const Arg& predictor_outputs, const Arg& targets) {
  const LocationScope scope(predictor_outputs.location(), "perceptron_loss");
  check_float("perceptron_loss", "outputs", predictor_outputs);
  losses_detail::check_same_shape("perceptron_loss", {"targets", targets}, {"the outputs", predictor_outputs});
  return np::maximum(-np::multiply(predictor_outputs, targets), 0.0);
}

Array multiclass_hinge_loss(const Arg& scores, const Arg& labels) {
  const LocationScope scope(scores.location(), "multiclass_hinge_loss");
  const auto [s, right] = multiclass_operands("multiclass_hinge_loss", scores, labels);
  return np::max(s + np::where(right, np::zeros_like(s), 1.0), -1) - np::sum(np::where(right, s, 0.0), -1);
}

Array multiclass_perceptron_loss(const Arg& scores, const Arg& labels) {
  const LocationScope scope(scores.location(), "multiclass_perceptron_loss");
  const auto [s, right] = multiclass_operands("multiclass_perceptron_loss", scores, labels);
  return np::max(s, -1) - np::sum(np::where(right, s, 0.0), -1);
}

}  // namespace weft::optim
