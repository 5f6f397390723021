// How far a predicted distribution is from a target one: Kullback-Leibler divergences, with predictions as logarithms.
// 0 log 0 is 0 in all of them, whatever the prediction there. S. Kullback, R. A. Leibler, "On information and
// sufficiency" (1951). Source: optax.losses.
#pragma once

#include "optim/losses_common.h"

namespace weft::optim {

/// sum_k t[..., k] (log t[..., k] - log_predictions[..., k]) for targets t, over the axes of `how`, whose `where`
/// broadcasts to the operands. These broadcast and are float (DTypeError).
Array kl_divergence(const Arg& log_predictions, const Arg& targets, const LossAxes& how = {});
/// The same for targets given as logarithms.
Array kl_divergence_with_log_targets(const Arg& log_predictions, const Arg& log_targets, const LossAxes& how = {});
/// kl_divergence + sum_k(exp(log_predictions[..., k]) - targets[..., k]), for what need not sum to 1: the divergence
/// that the convex function x log x - x generates. L. M. Bregman, "The relaxation method of finding the common point of
/// convex sets" (1967).
Array generalized_kl_divergence(const Arg& log_predictions, const Arg& targets, const LossAxes& how = {});
/// Its older name.
inline Array convex_kl_divergence(const Arg& log_predictions, const Arg& targets, const LossAxes& how = {}) {
  return generalized_kl_divergence(log_predictions, targets, how);
}

}  // namespace weft::optim
