// Schedule-free learning: averaging in place of a falling learning rate (Defazio et al., "The Road Less Scheduled",
// 2024).
#pragma once

#include "optim/optimizers.h"

namespace weft::optim::detail {
/// (y - (1 - b1) z) / b1.
Leaves averaged_params(const Leaves& y, const Leaves& z, const Array& b1);
/// One step after the base optimiser's, whose z comes in: y's updates, with weights in the state.
Leaves schedule_free_step(const Leaves& y, const Leaves& last_z, const Leaves& z, const Array& b1, const Array& rate,
                          const Hyperparam& weight_lr_power, Array& weight_sum, Array& max_lr);
}  // namespace weft::optim::detail

namespace weft::optim::contrib {

template <class P, class S>
struct ScheduleFreeState {
  Array b1;
  Array weight_sum;
  Array step_count;  ///< of the step to come, from 1, i32[]
  Array max_lr;
  S base_optimizer_state;
  P z;  ///< what the base optimiser moves
};

/// The average x that evaluations are for; training has its gradients at the parameters y.
template <class P, class S>
P schedule_free_eval_params(const ScheduleFreeState<P, S>& state, const P& params,
                            SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "schedule_free_eval_params");
  tree::check_same_structure("schedule_free_eval_params", params, state.z);
  return tree::with_leaves(params,
                           detail::averaged_params(detail::leaves_of(params), detail::leaves_of(state.z), state.b1));
}

struct ScheduleFreeOptions {
  Hyperparam b1 = 0.9;                    ///< in (0, 1]
  Hyperparam weight_lr_power = 2;         ///< how much the largest learning rate so far counts in the average
  std::optional<DType> state_dtype = {};  ///< of z
};
/// y = (1 - b1) z + b1 x;  z = z + base update at y;  x = (1 - c) x + c z, c the share of this step's weight
/// max(learning rate so far)^weight_lr_power in the sum of all. The base optimiser must have no momentum.
template <class T>
struct ScheduleFree {
  static_assert(detail::check_transformation<T>());
  T base_optimizer;
  ScalarOrSchedule learning_rate;
  ScheduleFreeOptions options;

  template <class P>
  ScheduleFreeState<P, StateOf<T, P>> init(const P& params,
                                           SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "schedule_free");
    const Leaves p = detail::leaves_of(params);
    const DType t = detail::precision(p);
    Leaves z = detail::copies(p);
    if (options.state_dtype)
      for (Array& x : z) x = x.astype(*options.state_dtype);
    return {options.b1.copy_in(t), Hyperparam(0).in(t),         Hyperparam(1).in(i32),
            Hyperparam(0).in(t),   base_optimizer.init(params), tree::with_leaves(params, z)};
  }
  template <class P, class S>
  std::pair<P, ScheduleFreeState<P, S>> update(P updates, ScheduleFreeState<P, S> state, const P& params,
                                               const Extra<P>& extra = {},
                                               SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "schedule_free");
    tree::check_same_structure("schedule_free", updates, params);
    tree::check_same_structure("schedule_free", params, state.z);
    const Array rate = learning_rate.at(state.step_count).in(state.max_lr.dtype());
    auto [base, base_state] =
        detail::run(base_optimizer, std::move(updates), std::move(state.base_optimizer_state), params, extra);
    const Leaves last_z = detail::leaves_of(state.z), z = detail::sums_like(last_z, detail::leaves_of(base));
    const Leaves u = detail::schedule_free_step(detail::leaves_of(params), last_z, z, state.b1, rate,
                                                options.weight_lr_power, state.weight_sum, state.max_lr);
    state.step_count = safe_increment(state.step_count);
    state.base_optimizer_state = std::move(base_state);
    state.z = tree::with_leaves(std::move(state.z), z);
    return {tree::with_leaves(std::move(base), u), std::move(state)};
  }
};
/// ValueError unless b1 is in (0, 1].
template <class T>
ScheduleFree<T> schedule_free(T base_optimizer, ScalarOrSchedule learning_rate, ScheduleFreeOptions options = {},
                              SourceLocation loc = std::source_location::current()) {
  const detail::Require check("schedule_free", loc);
  check.number("learning_rate", learning_rate).positive("b1", options.b1).fraction("b1", options.b1);
  check.number("weight_lr_power", options.weight_lr_power).floating("state_dtype", options.state_dtype);
  return {std::move(base_optimizer), std::move(learning_rate), std::move(options)};
}

struct ScheduleFreeSgdOptions {
  std::int64_t warmup_steps = 0;  ///< of a line up to the learning rate
  Hyperparam b1 = 0.9;
  std::optional<Hyperparam> weight_decay = {};
  Hyperparam weight_lr_power = 2;
  std::optional<DType> state_dtype = {};
};
/// schedule_free around sgd, with decayed weights where given (Defazio et al., 2024); the learning rate is larger than
/// what sgd wants. ValueError for hyperparameters out of range, see schedule_free.
ScheduleFree<Chain<Maybe<Masked<OnTrees<AddDecayedWeights>>>, Sgd>> schedule_free_sgd(
    Hyperparam learning_rate = 1.0, ScheduleFreeSgdOptions options = {},
    SourceLocation loc = std::source_location::current());

struct ScheduleFreeAdamWOptions {
  std::int64_t warmup_steps = 0;
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-8;
  Hyperparam weight_decay = 0;
  Hyperparam weight_lr_power = 2;
  std::optional<DType> state_dtype = {};
};
/// schedule_free around adamw without its first moment, which averaging replaces (Defazio et al., 2024). ValueError for
/// hyperparameters out of range, see schedule_free.
ScheduleFree<DecayedDescent<ScaleByRms>> schedule_free_adamw(Hyperparam learning_rate = 0.0025,
                                                             ScheduleFreeAdamWOptions options = {},
                                                             SourceLocation loc = std::source_location::current());

}  // namespace weft::optim::contrib
