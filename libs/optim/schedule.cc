#include "optim/schedule.h"

#include <cmath>
#include <limits>

#include "weft/base/text.h"
#include "weft/weft.h"

namespace weft::optim {

using detail::Require;

namespace {

// Counts stay at the largest i32: what is to come later is as good as there.
std::int64_t reachable(std::int64_t step) {
  return std::min<std::int64_t>(step, std::numeric_limits<std::int32_t>::max());
}

// Steps since `begin`, 0 before, of which f32 holds 2^24 exactly: the count itself may be larger.
Array steps_since(const Array& count, std::int64_t begin) {
  return np::maximum(count, reachable(begin)) - reachable(begin);
}

// The part of `steps` that is past at `count`, from 0 to 1.
Array part_of(const Array& count, std::int64_t begin, std::int64_t steps) {
  return np::minimum(steps_since(count, begin), reachable(steps)).astype(f32) / static_cast<double>(steps);
}

// NaN would spread silently through all later values.
void check_scales(const Require& check, const std::map<std::int64_t, double>& boundaries_and_scales) {
  for (const auto& [boundary, scale] : boundaries_and_scales) {
    check.at_least("a boundary", boundary, 0);
    check.not_negative("a scale", Hyperparam(scale));
  }
}

}  // namespace

Schedule constant_schedule(Hyperparam value) {
  return [value = std::move(value)](const Array&) { return value.in(f32); };
}

Schedule polynomial_schedule(Hyperparam init_value, Hyperparam end_value, Hyperparam power,
                             std::int64_t transition_steps, std::int64_t transition_begin, SourceLocation loc) {
  const Require check("polynomial_schedule", loc);
  check.number("init_value", init_value).number("end_value", end_value).not_negative("power", power);
  check.at_least("transition_steps", transition_steps, 0).at_least("transition_begin", transition_begin, 0);
  if (transition_steps == 0) return constant_schedule(std::move(init_value));
  return [=](const Array& count) {
    const Array left = 1 - part_of(count, transition_begin, transition_steps);
    const Array part = power.is_number() ? np::power(left, power.number()) : np::power(left, power.in(f32));
    const Array end = end_value.in(f32);
    return (init_value.in(f32)-end) * part + end;
  };
}

Schedule linear_schedule(Hyperparam init_value, Hyperparam end_value, std::int64_t transition_steps,
                         std::int64_t transition_begin, SourceLocation loc) {
  const Require check("linear_schedule", loc);
  return polynomial_schedule(std::move(init_value), std::move(end_value), 1, transition_steps, transition_begin, loc);
}

Schedule exponential_decay(Hyperparam init_value, std::int64_t transition_steps, double decay_rate,
                           ExponentialDecayOptions options, SourceLocation loc) {
  const Require check("exponential_decay", loc);
  check.number("init_value", init_value).positive("decay_rate", Hyperparam(decay_rate));
  check.at_least("transition_steps", transition_steps, 0);
  check.at_least("transition_begin", options.transition_begin, 0);
  if (options.end_value) check.number("end_value", *options.end_value);
  if (transition_steps == 0) return constant_schedule(std::move(init_value));
  const double log_rate = std::log(decay_rate);
  return [=, begin = options.transition_begin, end = options.end_value,
          staircase = options.staircase](const Array& count) {
    const Array past = steps_since(count, begin);
    const Array exponent = staircase ? np::floor_divide(past, reachable(transition_steps)).astype(f32)
                                     : past.astype(f32) / static_cast<double>(transition_steps);
    const Array value = init_value.in(f32)*np::exp(exponent * log_rate);
    if (!end) return value;
    return decay_rate < 1 ? np::maximum(value, end->in(f32)) : np::minimum(value, end->in(f32));
  };
}

Schedule cosine_decay_schedule(Hyperparam init_value, std::int64_t decay_steps, CosineDecayOptions options,
                               SourceLocation loc) {
  const Require check("cosine_decay_schedule", loc);
  check.number("init_value", init_value).number("alpha", options.alpha).not_negative("exponent", options.exponent);
  check.at_least("decay_steps", decay_steps, 1);
  return [=](const Array& count) {
    const Array cosine = 0.5 * (1 + np::cos(np::pi * part_of(count, 0, decay_steps)));
    // An approximate cosine may lie below -1, and a root of it would be NaN.
    const Array curve = options.exponent.is(1) ? cosine : np::power(np::maximum(cosine, 0.0), options.exponent.in(f32));
    const Array alpha = options.alpha.in(f32);
    return init_value.in(f32) * ((1 - alpha) * curve + alpha);
  };
}

Schedule piecewise_constant_schedule(Hyperparam init_value, std::map<std::int64_t, double> boundaries_and_scales,
                                     SourceLocation loc) {
  const Require check("piecewise_constant_schedule", loc);
  check.number("init_value", init_value);
  check_scales(check, boundaries_and_scales);
  return [=](const Array& count) {
    Array value = init_value.in(f32);
    for (const auto& [boundary, scale] : boundaries_and_scales)
      value = np::where(count >= reachable(boundary), value * scale, value);
    return value;
  };
}

Schedule piecewise_interpolate_schedule(Interpolation how, Hyperparam init_value,
                                        std::map<std::int64_t, double> boundaries_and_scales, SourceLocation loc) {
  const Require check("piecewise_interpolate_schedule", loc);
  check.number("init_value", init_value);
  check_scales(check, boundaries_and_scales);
  return [=](const Array& count) {
    Array from = init_value.in(f32), value = from;
    std::int64_t begin = 0;
    for (const auto& [end, scale] : boundaries_and_scales) {
      const Array to = from * scale;
      const Array part = part_of(count, begin, std::max<std::int64_t>(end - begin, 1));
      const Array between = how == Interpolation::kLinear ? (to - from) * part + from
                                                          : to + (from - to) * 0.5 * (np::cos(np::pi * part) + 1);
      value = np::where(count < reachable(begin), value, np::where(count < reachable(end), between, to));
      from = to;
      begin = end;
    }
    return value;
  };
}

Schedule linear_onecycle_schedule(std::int64_t transition_steps, double peak_value, LinearOnecycleOptions options,
                                  SourceLocation loc) {
  const Require check("linear_onecycle_schedule", loc);
  check.at_least("transition_steps", transition_steps, 1).number("peak_value", Hyperparam(peak_value));
  check.fraction("pct_start", options.pct_start).fraction("pct_final", options.pct_final);
  if (options.pct_final < options.pct_start)
    check.fail("pct_final must not be before pct_start",
               number_str(options.pct_final) + " and " + number_str(options.pct_start));
  check.positive("div_factor", options.div_factor).positive("final_div_factor", options.final_div_factor);
  const auto step = [&](double part) {
    return static_cast<std::int64_t>(part * static_cast<double>(transition_steps));
  };
  std::map<std::int64_t, double> scales;  // of boundaries that coincide the last one counts
  scales[step(options.pct_start)] = options.div_factor;
  scales[step(options.pct_final)] = 1 / options.div_factor;
  scales[transition_steps] = 1 / options.final_div_factor;
  return piecewise_interpolate_schedule(Interpolation::kLinear, peak_value / options.div_factor, std::move(scales),
                                        loc);
}

Schedule cosine_onecycle_schedule(std::int64_t transition_steps, double peak_value, CosineOnecycleOptions options,
                                  SourceLocation loc) {
  const Require check("cosine_onecycle_schedule", loc);
  check.at_least("transition_steps", transition_steps, 1).number("peak_value", Hyperparam(peak_value));
  check.fraction("pct_start", options.pct_start);
  check.positive("div_factor", options.div_factor).positive("final_div_factor", options.final_div_factor);
  std::map<std::int64_t, double> scales;
  scales[static_cast<std::int64_t>(options.pct_start * static_cast<double>(transition_steps))] = options.div_factor;
  scales[transition_steps] = 1 / (options.div_factor * options.final_div_factor);
  return piecewise_interpolate_schedule(Interpolation::kCosine, peak_value / options.div_factor, std::move(scales),
                                        loc);
}

Schedule warmup_constant_schedule(Hyperparam init_value, Hyperparam peak_value, std::int64_t warmup_steps,
                                  SourceLocation loc) {
  const Require check("warmup_constant_schedule", loc);
  check.number("init_value", init_value).number("peak_value", peak_value).at_least("warmup_steps", warmup_steps, 0);
  return linear_schedule(std::move(init_value), std::move(peak_value), warmup_steps, 0, loc);
}

Schedule warmup_cosine_decay_schedule(WarmupCosine options, SourceLocation loc) {
  const Require check("warmup_cosine_decay_schedule", loc);
  check.at_least("warmup_steps", options.warmup_steps, 0);
  check.at_least("decay_steps", options.decay_steps, options.warmup_steps + 1);
  check.number("init_value", Hyperparam(options.init_value)).number("peak_value", Hyperparam(options.peak_value));
  check.number("end_value", Hyperparam(options.end_value));
  const double alpha = options.peak_value == 0 ? 0 : options.end_value / options.peak_value;
  return join_schedules({linear_schedule(options.init_value, options.peak_value, options.warmup_steps, 0, loc),
                         cosine_decay_schedule(options.peak_value, options.decay_steps - options.warmup_steps,
                                               {.alpha = alpha, .exponent = options.exponent}, loc)},
                        {options.warmup_steps}, loc);
}

Schedule warmup_exponential_decay_schedule(WarmupExponential options, SourceLocation loc) {
  const Require check("warmup_exponential_decay_schedule", loc);
  check.at_least("warmup_steps", options.warmup_steps, 0);
  check.number("init_value", Hyperparam(options.init_value)).number("peak_value", Hyperparam(options.peak_value));
  return join_schedules({linear_schedule(options.init_value, options.peak_value, options.warmup_steps, 0, loc),
                         exponential_decay(options.peak_value, options.transition_steps, options.decay_rate,
                                           {.transition_begin = options.transition_begin,
                                            .staircase = options.staircase,
                                            .end_value = options.end_value},
                                           loc)},
                        {options.warmup_steps}, loc);
}

Schedule join_schedules(std::vector<Schedule> schedules, std::vector<std::int64_t> boundaries, SourceLocation loc) {
  const Require check("join_schedules", loc);
  if (schedules.size() != boundaries.size() + 1)
    check.fail("there must be one schedule more than boundaries",
               number_str(schedules.size()) + " and " + number_str(boundaries.size()));
  for (const Schedule& s : schedules)
    if (!s) check.fail("schedules must be functions", "an empty one");
  for (std::size_t i = 1; i < boundaries.size(); ++i)
    if (boundaries[i] < boundaries[i - 1])
      check.fail("boundaries must rise", number_str(boundaries[i]) + " after " + number_str(boundaries[i - 1]));
  return [schedules = std::move(schedules), boundaries = std::move(boundaries)](const Array& count) {
    Array value = ScalarOrSchedule(schedules[0]).at(count).in(f32);
    for (std::size_t i = 0; i < boundaries.size(); ++i) {
      const Array later = ScalarOrSchedule(schedules[i + 1]).at(count - reachable(boundaries[i])).in(f32);
      value = np::where(count < reachable(boundaries[i]), value, later);
    }
    return value;
  };
}

Schedule sgdr_schedule(const std::vector<WarmupCosine>& cycles, SourceLocation loc) {
  const Require check("sgdr_schedule", loc);
  if (cycles.empty()) check.fail("there must be a cycle", "none");
  std::vector<Schedule> schedules;
  std::vector<std::int64_t> boundaries;
  std::int64_t end = 0;
  for (const WarmupCosine& cycle : cycles) {
    schedules.push_back(warmup_cosine_decay_schedule(cycle, loc));
    end += cycle.decay_steps;
    boundaries.push_back(end);
  }
  boundaries.pop_back();
  return join_schedules(std::move(schedules), std::move(boundaries), loc);
}

}  // namespace weft::optim
