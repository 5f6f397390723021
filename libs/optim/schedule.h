// Schedules: hyperparameters as functions of the number of steps before, i32[] -> f32[]. t is the count below.
// Factories check their arguments: ValueError. Source: optax.schedules.
#pragma once

#include <map>
#include <vector>

#include "optim/hyperparam.h"

namespace weft::optim {

/// value.
Schedule constant_schedule(Hyperparam value);

/// (init - end) (1 - s)^power + end with s = clip((t - transition_begin) / transition_steps, 0, 1): from `init_value`
/// to `end_value` in `transition_steps` steps, beginning after `transition_begin`. No steps: init_value for ever.
Schedule polynomial_schedule(Hyperparam init_value, Hyperparam end_value, Hyperparam power,
                             std::int64_t transition_steps, std::int64_t transition_begin = 0,
                             SourceLocation loc = std::source_location::current());

/// polynomial_schedule of power 1.
Schedule linear_schedule(Hyperparam init_value, Hyperparam end_value, std::int64_t transition_steps,
                         std::int64_t transition_begin = 0, SourceLocation loc = std::source_location::current());

struct ExponentialDecayOptions {
  std::int64_t transition_begin = 0;
  bool staircase = false;                    ///< the exponent is rounded down
  std::optional<Hyperparam> end_value = {};  ///< a lower bound for decay rates below 1, an upper bound above
};
/// init_value * decay_rate^((t - transition_begin) / transition_steps), and init_value before. No steps: init_value.
Schedule exponential_decay(Hyperparam init_value, std::int64_t transition_steps, double decay_rate,
                           ExponentialDecayOptions options = {}, SourceLocation loc = std::source_location::current());

struct CosineDecayOptions {
  Hyperparam alpha = 0;  ///< what is left of init_value at the end
  Hyperparam exponent = 1;
};
/// init_value ((1 - alpha) (1/2 (1 + cos(pi min(t, decay_steps) / decay_steps)))^exponent + alpha) (Loshchilov and
/// Hutter, "SGDR", 2017).
Schedule cosine_decay_schedule(Hyperparam init_value, std::int64_t decay_steps, CosineDecayOptions options = {},
                               SourceLocation loc = std::source_location::current());

/// init_value times the product of all factors f with t >= b, for each (b, f): factors are not negative.
Schedule piecewise_constant_schedule(Hyperparam init_value, std::map<std::int64_t, double> boundaries_and_scales = {},
                                     SourceLocation loc = std::source_location::current());

enum class Interpolation : std::uint8_t { kLinear, kCosine };
/// From each boundary to the next, starting at 0 with init_value, along a line or half a cosine; the value at a
/// boundary is that of piecewise_constant_schedule.
Schedule piecewise_interpolate_schedule(Interpolation how, Hyperparam init_value,
                                        std::map<std::int64_t, double> boundaries_and_scales = {},
                                        SourceLocation loc = std::source_location::current());

struct LinearOnecycleOptions {
  double pct_start = 0.3;   ///< the part of the steps in which it rises
  double pct_final = 0.85;  ///< the part after which it has come back
  double div_factor = 25;   ///< the first value is peak_value / div_factor
  double final_div_factor = 1e4;
};
/// Up a line to peak_value, back, and down to peak_value / (div_factor final_div_factor) (Smith and Topin, 2017).
Schedule linear_onecycle_schedule(std::int64_t transition_steps, double peak_value, LinearOnecycleOptions options = {},
                                  SourceLocation loc = std::source_location::current());

struct CosineOnecycleOptions {
  double pct_start = 0.3;
  double div_factor = 25;
  double final_div_factor = 1e4;
};
/// Up half a cosine from peak_value / div_factor, and down to peak_value / (div_factor final_div_factor).
Schedule cosine_onecycle_schedule(std::int64_t transition_steps, double peak_value, CosineOnecycleOptions options = {},
                                  SourceLocation loc = std::source_location::current());

/// linear_schedule(init_value, peak_value, warmup_steps).
Schedule warmup_constant_schedule(Hyperparam init_value, Hyperparam peak_value, std::int64_t warmup_steps,
                                  SourceLocation loc = std::source_location::current());

struct WarmupCosine {
  double init_value = 0;
  double peak_value = 1;
  std::int64_t warmup_steps = 0;
  std::int64_t decay_steps = 0;  ///< in all, warm-up included
  double end_value = 0;
  double exponent = 1;
};
/// A line up, then half a cosine down.
Schedule warmup_cosine_decay_schedule(WarmupCosine options, SourceLocation loc = std::source_location::current());

struct WarmupExponential {
  double init_value = 0;
  double peak_value = 1;
  std::int64_t warmup_steps = 0;
  std::int64_t transition_steps = 0;
  double decay_rate = 1;
  std::int64_t transition_begin = 0;
  bool staircase = false;
  std::optional<Hyperparam> end_value = {};
};
/// A line up, then exponential_decay.
Schedule warmup_exponential_decay_schedule(WarmupExponential options,
                                           SourceLocation loc = std::source_location::current());

/// schedules[i](t - boundaries[i - 1]) from boundaries[i - 1] on. ValueError unless there is one schedule more than
/// boundaries, and the boundaries rise.
Schedule join_schedules(std::vector<Schedule> schedules, std::vector<std::int64_t> boundaries,
                        SourceLocation loc = std::source_location::current());

/// Cycles of warmup_cosine_decay_schedule one after the other, each decay_steps long (Loshchilov and Hutter, 2017).
Schedule sgdr_schedule(const std::vector<WarmupCosine>& cycles, SourceLocation loc = std::source_location::current());

}  // namespace weft::optim
