// The losses, Optax's. Which file has which:
//
//   losses_regression.h       squared_error l2_loss huber_loss log_cosh cosine_similarity cosine_distance
//   losses_classification.h   softmax_cross_entropy (with integer labels, safe) weighted_logsoftmax
//                             sigmoid_binary_cross_entropy sigmoid_focal_loss poly_loss_cross_entropy smooth_labels
//   losses_margin.h           hinge_loss perceptron_loss multiclass_hinge_loss multiclass_perceptron_loss
//   losses_fenchel_young.h    make_fenchel_young_loss sparsemax_loss multiclass_sparsemax_loss
//   losses_divergence.h       kl_divergence (with log targets, generalized, convex)
//   losses_ctc.h              ctc_loss ctc_loss_with_forward_probs
//   losses_self_supervised.h  ntxent triplet_margin_loss
//   losses_ranking.h          ranking_softmax_loss
//   losses_segmentation.h     dice_loss multiclass_generalized_dice_loss binary_dice_loss
//
// What holds of all: the first operand is float (DTypeError), dtypes promote as np's do, and large operands give no inf
// or NaN, in the loss or its gradient, as long as differences of logits are finite. Elementwise losses keep the shape,
// the others reduce the last axis, or the axes given; nothing is averaged but where it is said, so a loss for training
// is np::mean(softmax_cross_entropy(logits, labels)). All derivatives, and they may be traced, mapped and compiled.
#pragma once

#include "optim/losses_classification.h"   // IWYU pragma: export
#include "optim/losses_ctc.h"              // IWYU pragma: export
#include "optim/losses_divergence.h"       // IWYU pragma: export
#include "optim/losses_fenchel_young.h"    // IWYU pragma: export
#include "optim/losses_margin.h"           // IWYU pragma: export
#include "optim/losses_ranking.h"          // IWYU pragma: export
#include "optim/losses_regression.h"       // IWYU pragma: export
#include "optim/losses_segmentation.h"     // IWYU pragma: export
#include "optim/losses_self_supervised.h"  // IWYU pragma: export
