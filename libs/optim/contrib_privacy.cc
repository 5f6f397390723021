#include "optim/contrib_privacy.h"

#include "optim/clipping.h"
#include "weft/weft.h"

namespace weft::optim::contrib {

OnTrees<DifferentiallyPrivateAggregate> differentially_private_aggregate(Hyperparam l2_norm_clip,
                                                                         Hyperparam noise_multiplier, const Array& key,
                                                                         SourceLocation loc) {
  const detail::Require check("differentially_private_aggregate", loc);
  check.not_negative("l2_norm_clip", l2_norm_clip).not_negative("noise_multiplier", noise_multiplier);
  detail::check_key("differentially_private_aggregate", key);
  return {{std::move(l2_norm_clip), std::move(noise_multiplier), key}};
}

DifferentiallyPrivateAggregateState DifferentiallyPrivateAggregate::init(const Leaves&) const {
  return {np::copy(key)};
}

void DifferentiallyPrivateAggregate::update(Leaves& u, DifferentiallyPrivateAggregateState& state,
                                            const Leaves& params) const {
  const std::int64_t examples = detail::check_examples(kName, u);
  if (examples == 0)
    throw ValueError(std::string(kName) + ": there must be an example; got " + u[0].aval().str() + ".");
  const DType t = detail::precision(u);
  const Leaves given = u;
  detail::clip_examples(u, l2_norm_clip.in(t));
  detail::check_shapes(kName, "sums of updates", u, "parameters", params,
                       [](std::size_t i) { return "leaf " + std::to_string(i); });
  // One key for the next step, and one for each leaf.
  const Array keys = random::split(state.rng_key, u.size() + 1);
  state.rng_key = keys(0);
  const Array multiplier = noise_multiplier.in(t);
  // Without noise the bound may be infinite.
  const Array stddev = np::where(multiplier == 0, 0, l2_norm_clip.in(t)*multiplier);
  for (std::size_t i = 0; i < u.size(); ++i) {
    // Rounded after the noise: what comes later cannot take privacy away.
    const Array noise = random::normal(keys(i + 1), u[i].shape(), u[i].dtype());
    u[i] = detail::cast_like((u[i] + stddev * noise) / static_cast<double>(examples), given[i]);
  }
}

Chain<OnTrees<DifferentiallyPrivateAggregate>, Maybe<OnTrees<Trace>>, OnTrees<ScaleByLearningRate>> dpsgd(
    ScalarOrSchedule learning_rate, Hyperparam l2_norm_clip, Hyperparam noise_multiplier, const Array& key,
    DpsgdOptions options, SourceLocation loc) {
  const detail::Require check("dpsgd", loc);
  if (options.momentum) check.fraction("momentum", *options.momentum);
  Maybe<OnTrees<Trace>> momentum;
  if (options.momentum) momentum.inner = trace(*options.momentum, {.nesterov = options.nesterov});
  return chain(differentially_private_aggregate(std::move(l2_norm_clip), std::move(noise_multiplier), key),
               std::move(momentum), scale_by_learning_rate(std::move(learning_rate)));
}

}  // namespace weft::optim::contrib
