// Losses of predicted regions, by how much they overlap. Source: optax.losses.
#pragma once

#include "optim/losses_common.h"

namespace weft::optim {

struct DiceOptions {
  /// [classes]: how much each class counts.
  std::optional<Arg> class_weights = {};
  /// Added above and below the line, so that nothing is divided by 0.
  Arg smooth = 1.0;
  /// How much pixels that are wrongly in (out of) the region count.
  Arg alpha = 0.5, beta = 0.5;
  /// Whether predictions are logits, of softmax over the classes, or of a sigmoid where there is one class. Otherwise
  /// they are probabilities, which is not checked.
  np::Flag apply_softmax = true;
  /// Over the classes.
  LossReduction reduction = LossReduction::kMean;
  /// Whether class 0, of several, counts for nothing.
  np::Flag ignore_background = false;
  /// The axes of pixels; none given: all but the first and the last.
  std::optional<np::AxisArg> axis = {};
};
/// 1 - (I + smooth) / (I + alpha (P - I) + beta (T - I) + smooth) of each class, then reduced over classes: I, P and T
/// are the sums over pixels of p t, p and t for probabilities p = predictions[..., class] and targets t, from 0 to 1.
/// With alpha = beta = 1/2 this is the soft Dice loss, otherwise Tversky's. Shapes are equal (ShapeError), where one
/// operand may lack a last axis of one class. F. Milletari, N. Navab, S.-A. Ahmadi, "V-Net" (2016).
Array dice_loss(const Arg& predictions, const Arg& targets, const DiceOptions& options = {});

struct GeneralizedDiceOptions {
  Arg smooth = 1.0;
  np::Flag apply_softmax = true;
  np::Flag ignore_background = false;
};
/// The mean, over examples and classes, of dice_loss with classes weighted by 1 / (sum of their targets)^2, the weights
/// scaled to a mean of 1. 0-d. C. H. Sudre et al., "Generalised Dice overlap as a deep learning loss function for
/// highly unbalanced segmentations" (2017).
Array multiclass_generalized_dice_loss(const Arg& predictions, const Arg& targets,
                                       const GeneralizedDiceOptions& options = {});

struct BinaryDiceOptions {
  Arg smooth = 1.0;
  np::Flag apply_sigmoid = true;
};
/// dice_loss of one class, whose axis the operands may have, with size 1, or lack.
Array binary_dice_loss(const Arg& predictions, const Arg& targets, const BinaryDiceOptions& options = {});

}  // namespace weft::optim
