// Losses of scores that put items in order. Source: optax.losses.
#pragma once

#include "optim/losses_common.h"

namespace weft::optim {

struct RankingOptions {
  /// bool, broadcast to the logits: which items there are. A list without any counts for nothing.
  std::optional<Arg> where = {};
  /// Broadcast to the logits: how much each item's label counts.
  std::optional<Arg> weights = {};
  LossReduction reduction = LossReduction::kMean;
};
/// -sum_i weights[..., i] labels[..., i] log softmax(logits)[..., i] for each list of items along the last axis, then
/// reduced over all lists; labels say how relevant an item is, and broadcast to the logits (ShapeError), whose dtype
/// they take. Z. Cao, T. Qin, T.-Y. Liu, M.-F. Tsai, H. Li, "Learning to rank: from pairwise approach to listwise
/// approach" (2007).
Array ranking_softmax_loss(const Arg& logits, const Arg& labels, const RankingOptions& options = {});

}  // namespace weft::optim
