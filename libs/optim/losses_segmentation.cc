#include "optim/losses_segmentation.h"

#include "weft/np/indexing.h"
#include "weft/np/shape.h"
#include "weft/np/ufuncs.h"

namespace weft::optim {

namespace {

Array with_class_axis(const Array& x) { return np::expand_dims(x, -1); }

Array probabilities(const Array& predictions, bool from_logits) {
  if (!from_logits) return predictions;
  return predictions.shape(-1) == 1 ? lax::logistic(predictions) : np::exp(losses_detail::log_softmax(predictions, -1));
}

Array loss_of(std::string_view op, const Arg& predictions, const Arg& targets, const DiceOptions& options) {
  losses_detail::check_float(op, "predictions", predictions);
  Array x = predictions.array(), t = targets.array();
  if (x.ndim() == t.ndim() - 1) x = with_class_axis(x);
  if (t.ndim() == x.ndim() - 1) t = with_class_axis(t);
  losses_detail::check_same_shape(op, {"targets", t}, {"predictions", x});
  if (x.ndim() == 0)
    throw ShapeError(std::string(op) + ": predictions must have an axis of classes; got " + x.aval().str() + ".");
  std::vector<int> pixels;
  for (int i = 1; i < x.ndim() - 1; ++i) pixels.push_back(i);
  const np::AxisArg axis = options.axis.value_or(np::AxisArg(pixels));

  const Array p = probabilities(x, options.apply_softmax);
  const Array both = np::sum(p * t, axis);
  const Array wrong_in = np::sum(p, axis) - both, wrong_out = np::sum(t, axis) - both;
  const Array above = both + options.smooth;
  Array losses = 1.0 - above / (above + options.alpha * wrong_in + options.beta * wrong_out);
  if (options.class_weights) {
    const Array weights = options.class_weights->array();
    if (weights.ndim() != 1 || (weights.shape(0) != x.shape(-1) && weights.shape(0) != 1))
      throw ShapeError(std::string(op) + ": class_weights must have one axis, of " + std::to_string(x.shape(-1)) +
                       " classes; got " + weights.aval().str() + ".");
    losses = losses * weights;
  }
  if (options.ignore_background && x.shape(-1) > 1) losses = losses(ellipsis, slice(1, std::nullopt));
  return losses_detail::reduce_losses(losses, options.reduction, -1);
}

}  // namespace

Array dice_loss(const Arg& predictions, const Arg& targets, const DiceOptions& options) {
  const LocationScope scope(predictions.location(), "dice_loss");
  return loss_of("dice_loss", predictions, targets, options);
}

Array multiclass_generalized_dice_loss(const Arg& predictions, const Arg& targets,
                                       const GeneralizedDiceOptions& options) {
  constexpr std::string_view op = "multiclass_generalized_dice_loss";
  const LocationScope scope(predictions.location(), op);
  losses_detail::check_float(op, "predictions", predictions);
  losses_detail::check_same_shape(op, {"targets", targets}, {"predictions", predictions});
  const Array t = targets.array();
  if (t.ndim() == 0)
    throw ShapeError(std::string(op) + ": targets must have an axis of classes; got " + t.aval().str() + ".");
  std::vector<int> others;
  for (int i = 0; i < t.ndim() - 1; ++i) others.push_back(i);
  // What is added keeps a class without targets from being infinite.
  const Array weights = 1.0 / (np::square(np::sum(t, np::AxisArg(others))) + 1e-7);
  const Array scaled = weights / np::mean(weights);
  return np::mean(loss_of(op, predictions, targets,
                          {.class_weights = scaled,
                           .smooth = options.smooth,
                           .apply_softmax = options.apply_softmax,
                           .reduction = LossReduction::kNone,
                           .ignore_background = options.ignore_background}));
}

Array binary_dice_loss(const Arg& predictions, const Arg& targets, const BinaryDiceOptions& options) {
  const LocationScope scope(predictions.location(), "binary_dice_loss");
  losses_detail::check_float("binary_dice_loss", "predictions", predictions);
  Array x = predictions.array(), t = targets.array();
  if (x.ndim() == t.ndim() && (x.ndim() == 0 || x.shape(-1) != 1)) {
    x = with_class_axis(x);
    t = with_class_axis(t);
  }
  return loss_of("binary_dice_loss", x, t, {.smooth = options.smooth, .apply_softmax = options.apply_sigmoid});
}

}  // namespace weft::optim
