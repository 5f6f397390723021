// Differentially private gradient descent: gradients of single examples, clipped, summed and drowned in noise (Abadi et
// al., "Deep Learning with Differential Privacy", 2016).
#pragma once

#include "optim/adding.h"
#include "optim/momentum.h"

namespace weft::optim::contrib {

struct DifferentiallyPrivateAggregateState {
  Array rng_key;  ///< of the next step
};
/// u = (sum over examples b of u[b] min(1, l2_norm_clip / |u[b]|) + N(0, (l2_norm_clip noise_multiplier)^2)) /
/// examples. The updates are gradients of examples, along their first axes (vmap of grad makes them): the first of a
/// chain. Clipped, summed and drowned in f32, or f64 where a leaf is; ShapeError, when it runs, for other updates,
/// ValueError for no examples.
struct DifferentiallyPrivateAggregate {
  static constexpr const char* kName = "differentially_private_aggregate";
  static constexpr bool kAnyUpdates = true;
  Hyperparam l2_norm_clip = 1;
  Hyperparam noise_multiplier = 1;
  Array key;
  DifferentiallyPrivateAggregateState init(const Leaves& params) const;
  void update(Leaves& u, DifferentiallyPrivateAggregateState& state, const Leaves& params) const;
};
/// `key`: u32[2], see random::key; ValueError, ShapeError or DTypeError otherwise, and ValueError for a negative bound
/// or multiplier.
OnTrees<DifferentiallyPrivateAggregate> differentially_private_aggregate(
    Hyperparam l2_norm_clip, Hyperparam noise_multiplier, const Array& key,
    SourceLocation loc = std::source_location::current());

struct DpsgdOptions {
  std::optional<Hyperparam> momentum = {};
  bool nesterov = false;
};
/// sgd of differentially_private_aggregate, whose arguments it checks (Abadi et al., 2016). ValueError unless momentum
/// is in [0, 1].
Chain<OnTrees<DifferentiallyPrivateAggregate>, Maybe<OnTrees<Trace>>, OnTrees<ScaleByLearningRate>> dpsgd(
    ScalarOrSchedule learning_rate, Hyperparam l2_norm_clip, Hyperparam noise_multiplier, const Array& key,
    DpsgdOptions options = {}, SourceLocation loc = std::source_location::current());

}  // namespace weft::optim::contrib
