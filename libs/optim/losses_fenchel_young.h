// Fenchel-Young losses: max_fun(s) - <s, t>, where max_fun(s) = max_p <s, p> - Omega(p) for a regularizer Omega. They
// are convex, and 0 only where the prediction grad max_fun(s) is t. M. Blondel, A. F. T. Martins, V. Niculae, "Learning
// with Fenchel-Young losses" (2020). Source: optax.losses.
#pragma once

#include "optim/losses_common.h"
#include "weft/api/vmap.h"
#include "weft/np/shape.h"

namespace weft::optim {

namespace losses_detail {
/// Scores as rows, [n, k]: their leading axes made one. Checks both operands.
Array fenchel_young_rows(const Arg& scores, const Arg& targets);
/// The values of the rows in the shape of the scores without their last axis, less sum_k targets[..., k] scores[...,
/// k].
Array fenchel_young_loss(const Array& values, const Arg& scores, const Arg& targets);
}  // namespace losses_detail

/// A function loss(scores, targets) = max_fun(scores[..., :]) - sum_k targets[..., k] scores[..., k], for a function
/// `max_fun` of vectors that gives 0-d arrays, such as [](Array s) { return np::logsumexp(s); }, whose loss is the
/// cross entropy of one-hot targets. Targets broadcast to the scores (ShapeError), which are float (DTypeError) and not
/// 0-d (ShapeError).
template <class F>
auto make_fenchel_young_loss(F&& max_fun, SourceLocation loc = std::source_location::current()) {
  return [rows = vmap(std::forward<F>(max_fun), 0, 0, loc)](const Arg& scores, const Arg& targets) -> Array {
    const Array values = rows(losses_detail::fenchel_young_rows(scores, targets));
    return losses_detail::fenchel_young_loss(values, scores, targets);
  };
}

/// sparse_plus(logits) of label 0 and sparse_plus(-logits) of label 1, elementwise, where sparse_plus(x) is 0 below -1,
/// (x + 1)^2 / 4 up to 1 and x above: 0 exactly where (logits + 1) / 2, cut to [0, 1], is the label. `labels` are bool,
/// or "not zero", and broadcast to `logits` (ShapeError).
Array sparsemax_loss(const Arg& logits, const Arg& labels);
/// <p, s> + (1 - |p|^2) / 2 - s[label] for scores s along the last axis, where p is the point of the probability
/// simplex that is nearest to s. `labels` are integers (DTypeError) in the shape of `scores` without the last axis
/// (ShapeError). A. F. T. Martins, R. F. Astudillo, "From softmax to sparsemax" (2016).
Array multiclass_sparsemax_loss(const Arg& scores, const Arg& labels);

}  // namespace weft::optim
