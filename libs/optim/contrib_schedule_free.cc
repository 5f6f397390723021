#include "optim/contrib_schedule_free.h"

#include "optim/schedule.h"
#include "weft/weft.h"

namespace weft::optim::detail {

Leaves averaged_params(const Leaves& y, const Leaves& z, const Array& b1) {
  Leaves x;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const DType t = np::promote_types(y[i].dtype(), z[i].dtype());
    const Array b = b1.astype(t);
    x.push_back(cast_like((y[i] - (1 - b) * z[i]) / b, y[i]));
  }
  return x;
}

Leaves schedule_free_step(const Leaves& y, const Leaves& last_z, const Leaves& z, const Array& b1, const Array& rate,
                          const Hyperparam& weight_lr_power, Array& weight_sum, Array& max_lr) {
  max_lr = np::maximum(max_lr, rate);
  const Array weight = np::power(max_lr, weight_lr_power.in(max_lr.dtype()));
  weight_sum = weight_sum + weight;
  // While the learning rate is 0, at the begin of a warm-up, nothing counts.
  const Array some = weight_sum != 0;
  const Array share = np::where(some, weight / np::where(some, weight_sum, 1), 0);
  const Leaves x = averaged_params(y, last_z, b1);
  Leaves u;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const Array c = cast_like(share, y[i]), b = cast_like(b1, y[i]), to = cast_like(z[i], y[i]);
    u.push_back(b * ((1 - c) * x[i] + c * to) + (1 - b) * to - y[i]);
  }
  return u;
}

}  // namespace weft::optim::detail

namespace weft::optim::contrib {

namespace {

ScalarOrSchedule warmed_up(const Hyperparam& learning_rate, std::int64_t warmup_steps) {
  if (warmup_steps == 0) return learning_rate;
  return warmup_constant_schedule(0, learning_rate, warmup_steps);
}

}  // namespace

ScheduleFree<Chain<Maybe<Masked<OnTrees<AddDecayedWeights>>>, Sgd>> schedule_free_sgd(Hyperparam learning_rate,
                                                                                      ScheduleFreeSgdOptions o,
                                                                                      SourceLocation loc) {
  const detail::Require check("schedule_free_sgd", loc);
  check.number("learning_rate", learning_rate).at_least("warmup_steps", o.warmup_steps, 0);
  const ScalarOrSchedule rate = warmed_up(learning_rate, o.warmup_steps);
  Maybe<Masked<OnTrees<AddDecayedWeights>>> decay;
  if (o.weight_decay) decay.inner = add_decayed_weights(*o.weight_decay);
  return schedule_free(chain(std::move(decay), sgd(rate)), rate,
                       {.b1 = o.b1, .weight_lr_power = o.weight_lr_power, .state_dtype = o.state_dtype});
}

ScheduleFree<DecayedDescent<ScaleByRms>> schedule_free_adamw(Hyperparam learning_rate, ScheduleFreeAdamWOptions o,
                                                             SourceLocation loc) {
  const detail::Require check("schedule_free_adamw", loc);
  check.number("learning_rate", learning_rate).at_least("warmup_steps", o.warmup_steps, 0).decay("b2", o.b2);
  const ScalarOrSchedule rate = warmed_up(learning_rate, o.warmup_steps);
  return schedule_free(chain(scale_by_rms({.decay = o.b2, .eps = o.eps, .eps_in_sqrt = false, .bias_correction = true}),
                             add_decayed_weights(o.weight_decay), scale_by_learning_rate(rate)),
                       rate, {.b1 = o.b1, .weight_lr_power = o.weight_lr_power, .state_dtype = o.state_dtype});
}

}  // namespace weft::optim::contrib
