// Losses of embeddings that shall be near or far, without labels or with pairs alone. Source: optax.losses.
#pragma once

#include "optim/losses_common.h"

namespace weft::optim {

/// The mean over pairs i != j with equal labels of -log(e_ij / (e_ij + sum_k e_ik)), k over the examples with other
/// labels than i, where e_ij = exp(cosine_similarity(embeddings[i], embeddings[j]) / temperature). embeddings[n, d] are
/// float (DTypeError), labels[n] of any dtype (ShapeError). 0-d; 0 where there is no such pair (in Optax NaN). T. Chen,
/// S. Kornblith, M. Norouzi, G. Hinton, "A simple framework for contrastive learning of visual representations" (2020).
Array ntxent(const Arg& embeddings, const Arg& labels, const Arg& temperature = 0.07);

/// How triplet_margin_loss measures.
struct TripletOptions {
  /// The axis along which the embeddings lie.
  np::Axis axis = -1;
  /// p of the distance (eps + sum_k |a[k] - b[k]|^p)^(1/p).
  np::Real norm_degree = 2;
  Arg margin = 1.0;
  np::Real eps = 1e-6;
};
/// max(0, distance(anchors, positives) - distance(anchors, negatives) + margin), without the axis. Operands broadcast
/// and are float (DTypeError). Differs from Optax's for odd degrees, where that sums signed differences. V. Balntas,
/// E. Riba, D. Ponsa, K. Mikolajczyk, "Learning local feature descriptors with triplets" (2016).
Array triplet_margin_loss(const Arg& anchors, const Arg& positives, const Arg& negatives,
                          const TripletOptions& options = {});

}  // namespace weft::optim
