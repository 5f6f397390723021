#include "optim/losses_divergence.h"

#include "weft/np/ufuncs.h"

namespace weft::optim {

using losses_detail::check_float;

namespace {

Array total(const Array& x, const LossAxes& how) { return np::sum(x, how.axis, {.where = how.where}); }

}  // namespace

Array kl_divergence(const Arg& log_predictions, const Arg& targets, const LossAxes& how) {
  const LocationScope scope(log_predictions.location(), "kl_divergence");
  check_float("kl_divergence", "log_predictions", log_predictions);
  check_float("kl_divergence", "targets", targets);
  // Both factors are replaced where the target is 0: a term that is not taken must not be NaN for the gradient's sake.
  const Array t = targets.array(), none = t == 0.0;
  return total(t * (np::log(np::where(none, 1.0, t)) - np::where(none, 0.0, log_predictions)), how);
}

Array kl_divergence_with_log_targets(const Arg& log_predictions, const Arg& log_targets, const LossAxes& how) {
  const LocationScope scope(log_predictions.location(), "kl_divergence_with_log_targets");
  check_float("kl_divergence_with_log_targets", "log_predictions", log_predictions);
  check_float("kl_divergence_with_log_targets", "log_targets", log_targets);
  const Array t = log_targets.array(), none = np::isneginf(t);
  return total(np::exp(t) * (np::where(none, 0.0, t) - np::where(none, 0.0, log_predictions)), how);
}

Array generalized_kl_divergence(const Arg& log_predictions, const Arg& targets, const LossAxes& how) {
  const LocationScope scope(log_predictions.location(), "generalized_kl_divergence");
  return kl_divergence(log_predictions, targets, how) + total(np::exp(log_predictions) - targets, how);
}

}  // namespace weft::optim
