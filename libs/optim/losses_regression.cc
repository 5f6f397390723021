#include "optim/losses_regression.h"

#include "weft/np/ufuncs.h"

namespace weft::optim {

using losses_detail::check_broadcasts;
using losses_detail::check_float;
using losses_detail::check_same_shape;

namespace {

// predictions - targets, of one shape.
Array errors_of(std::string_view op, const Arg& predictions, const Arg& targets) {
  check_float(op, "predictions", predictions);
  check_same_shape(op, {"targets", targets}, {"predictions", predictions});
  return np::subtract(predictions, targets);
}

// The same where targets may broadcast.
Array broadcast_errors(std::string_view op, const Arg& predictions, const Arg& targets) {
  check_float(op, "predictions", predictions);
  check_broadcasts(op, {"targets", targets}, {"predictions", predictions});
  return np::subtract(predictions, targets);
}

Array sum_of(const Array& x, const CosineOptions& options, bool keepdims) {
  return np::sum(x, options.axis, {.keepdims = keepdims, .where = options.where});
}

// The vectors divided by their lengths.
Array units(const Array& x, const CosineOptions& options) {
  return x / np::sqrt(np::maximum(sum_of(np::square(x), options, true), options.epsilon));
}

}  // namespace

Array squared_error(const Arg& predictions, const Arg& targets) {
  const LocationScope scope(predictions.location(), "squared_error");
  return np::square(errors_of("squared_error", predictions, targets));
}

Array l2_loss(const Arg& predictions, const Arg& targets) {
  const LocationScope scope(predictions.location(), "l2_loss");
  return 0.5 * np::square(errors_of("l2_loss", predictions, targets));
}

Array huber_loss(const Arg& predictions, const Arg& targets, const Arg& delta) {
  const LocationScope scope(predictions.location(), "huber_loss");
  const Array size = np::abs(broadcast_errors("huber_loss", predictions, targets));
  // Not a choice between two formulas, whose gradients would both count where they meet.
  const Array quadratic = np::minimum(size, delta);
  return 0.5 * np::square(quadratic) + delta * (size - quadratic);
}

Array log_cosh(const Arg& predictions, const Arg& targets) {
  const LocationScope scope(predictions.location(), "log_cosh");
  const Array e = broadcast_errors("log_cosh", predictions, targets);
  return np::logaddexp(e, -e) - 0.6931471805599453;
}

Array cosine_similarity(const Arg& predictions, const Arg& targets, const CosineOptions& options) {
  const LocationScope scope(predictions.location(), "cosine_similarity");
  check_float("cosine_similarity", "predictions", predictions);
  check_float("cosine_similarity", "targets", targets);
  return sum_of(units(predictions.array(), options) * units(targets.array(), options), options, false);
}

Array cosine_distance(const Arg& predictions, const Arg& targets, const CosineOptions& options) {
  const LocationScope scope(predictions.location(), "cosine_distance");
  return 1.0 - cosine_similarity(predictions, targets, options);
}

}  // namespace weft::optim
