// Losses of predicted classes: one of several (softmax) or each for itself (sigmoid). Logits are log probabilities up
// to a constant. Source: optax.losses.
#pragma once

#include "optim/losses_common.h"

namespace weft::optim {

/// -sum_k labels[..., k] log softmax(logits)[..., k], over the axes of `how`. `labels` are probabilities, one-hot for
/// instance, that broadcast to the shape of `logits` (ShapeError). `how.where` has the shape of `logits`, or that
/// without the axes; what it leaves out is not in the softmax either, and an example of which nothing counts gives 0.
/// A logit of -inf gives NaN; safe_softmax_cross_entropy does not.
Array softmax_cross_entropy(const Arg& logits, const Arg& labels, const LossAxes& how = {});

/// Along which axes the classes lie.
struct ClassAxes {
  /// Of several, a label counts the elements in row-major order of the axes as they are given here.
  np::Axes axis = -1;
  /// As in LossAxes.
  std::optional<Arg> where = {};
};
/// log(sum_k exp(logits[..., k])) - logits[..., labels[...]]: the same for integer labels, without making them one-hot.
/// `labels` has the shape of `logits` without the class axes (ShapeError; DTypeError unless integers). Negative labels
/// count from the end; one that is no class gives NaN. ValueError when there are no class axes.
Array softmax_cross_entropy_with_integer_labels(const Arg& logits, const Arg& labels, const ClassAxes& how = {});

/// out[..., k] = weights[..., k] log softmax(x)[..., k], where 0 log 0 = 0. Shapes broadcast.
Array weighted_logsoftmax(const Arg& x, const Arg& weights);
/// softmax_cross_entropy over the last axis in which a label of 0 makes a logit of -inf count 0.
Array safe_softmax_cross_entropy(const Arg& logits, const Arg& labels);

/// -labels log(p) - (1 - labels) log(1 - p) with p = 1 / (1 + exp(-logits)), elementwise. `labels`, from 0 to 1,
/// broadcast to `logits` (ShapeError), whose dtype they take. I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning"
/// (2016), 6.2.2.2.
Array sigmoid_binary_cross_entropy(const Arg& logits, const Arg& labels);

struct FocalOptions {
  /// Weight of label 1, and 1 - alpha of label 0; none: both count 1.
  std::optional<Arg> alpha = {};
  /// How little examples count that are right already.
  Arg gamma = 2.0;
};
/// -alpha_t (1 - p_t)^gamma log(p_t), where p_t is the probability of the label: p of label 1, 1 - p of label 0, and
/// labels between mix them. Shapes and dtypes as for sigmoid_binary_cross_entropy. T.-Y. Lin, P. Goyal, R. Girshick,
/// K. He, P. Dollar, "Focal loss for dense object detection" (2017).
Array sigmoid_focal_loss(const Arg& logits, const Arg& labels, const FocalOptions& options = {});

struct PolyLossOptions {
  /// The weight of the polynomial's first term; 2 for images, -1 for detection.
  Arg epsilon = 2.0;
  np::AxisArg axis = -1;
  std::optional<Arg> where = {};
};
/// sum_k labels[..., k] (epsilon (1 - p[..., k]) - log p[..., k]) with p = softmax(logits). Shapes as for
/// softmax_cross_entropy; labels are float (DTypeError). Z. Leng et al., "PolyLoss: a polynomial expansion perspective
/// of classification loss functions" (2022).
Array poly_loss_cross_entropy(const Arg& logits, const Arg& labels, const PolyLossOptions& options = {});

/// (1 - alpha) labels[..., k] + alpha / n for n classes along the last axis: labels for a cross entropy that are less
/// sure of themselves. `labels` are float (DTypeError) and not 0-d (ShapeError). R. Mueller, S. Kornblith, G. Hinton,
/// "When does label smoothing help?" (2019).
Array smooth_labels(const Arg& labels, const Arg& alpha);

}  // namespace weft::optim
