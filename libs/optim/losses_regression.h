// Losses of predictions that are numbers: elementwise, and by the angle between vectors. Source: optax.losses.
#pragma once

#include "optim/losses_common.h"

namespace weft::optim {

/// (predictions - targets)^2. `targets` has the shape of `predictions`, or is a number; ShapeError otherwise.
Array squared_error(const Arg& predictions, const Arg& targets = 0);
/// (predictions - targets)^2 / 2, so that the gradient is the error. Shapes as for squared_error.
Array l2_loss(const Arg& predictions, const Arg& targets = 0);
/// With e = predictions - targets: e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2). Its gradient is that of
/// l2_loss clipped to [-delta, delta]. `targets` broadcasts to `predictions`; ShapeError otherwise. P. J. Huber,
/// "Robust estimation of a location parameter" (1964).
Array huber_loss(const Arg& predictions, const Arg& targets = 0, const Arg& delta = 1.0);
/// log cosh(predictions - targets): near e^2 / 2 for small errors e, near |e| - log 2 for large ones, and smooth
/// between. Shapes as for huber_loss. P. Chen, G. Chen, S. Zhang, "Log hyperbolic cosine loss improves variational
/// auto-encoder" (2019).
Array log_cosh(const Arg& predictions, const Arg& targets = 0);

/// How the angle between vectors is taken.
struct CosineOptions {
  /// The least that a squared length counts. With 0, a vector of zeros gives NaN.
  Arg epsilon = 0.0;
  /// The axes along which the vectors lie.
  np::AxisArg axis = -1;
  /// bool, broadcast to the vectors: which elements count.
  std::optional<Arg> where = {};
};
/// sum_k(p[k] t[k]) / (|p| |t|) for vectors p and t along the axes, with |p|^2 at least epsilon. Operands broadcast and
/// are float (DTypeError).
Array cosine_similarity(const Arg& predictions, const Arg& targets, const CosineOptions& options = {});
/// 1 - cosine_similarity.
Array cosine_distance(const Arg& predictions, const Arg& targets, const CosineOptions& options = {});

}  // namespace weft::optim
