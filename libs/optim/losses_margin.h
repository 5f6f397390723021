// Losses that are 0 once the right answer wins by a margin, and linear otherwise. Source: optax.losses.
#pragma once

#include "optim/losses_common.h"

namespace weft::optim {

/// max(0, 1 - outputs targets), elementwise, for targets -1 and 1 that broadcast to the outputs (ShapeError).
Array hinge_loss(const Arg& predictor_outputs, const Arg& targets);
/// max(0, -outputs targets), elementwise, for targets -1 and 1 of the outputs' shape (ShapeError).
Array perceptron_loss(const Arg& predictor_outputs, const Arg& targets);
/// max_k(scores[..., k] + [k != labels[...]]) - scores[..., labels[...]]. `labels` are integers (DTypeError) in the
/// shape of `scores` without the last axis (ShapeError); one that is no class scores 0. K. Crammer, Y. Singer, "On the
/// algorithmic implementation of multiclass kernel-based vector machines" (2001).
Array multiclass_hinge_loss(const Arg& scores, const Arg& labels);
/// max_k scores[..., k] - scores[..., labels[...]]. Labels as for multiclass_hinge_loss. M. Collins, "Discriminative
/// training methods for hidden Markov models" (2002).
Array multiclass_perceptron_loss(const Arg& scores, const Arg& labels);

}  // namespace weft::optim
