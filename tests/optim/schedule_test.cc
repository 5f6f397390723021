#include "optim/schedule.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

double at(const Schedule& s, int t) { return s(Array(t)).item<double>(); }
std::vector<std::string> digits(const Schedule& s, const std::vector<int>& counts, const char* format) {
  std::vector<std::string> r;
  for (const int t : counts) {
    char text[32];
    std::snprintf(text, sizeof text, format, at(s, t));
    r.push_back(text);
  }
  return r;
}

TEST(schedules, polynomial_gives_the_published_values) {
  EXPECT_EQ(digits(polynomial_schedule(1.0, 0.01, 2, 100, 5), {0, 5, 6, 104, 105, 110}, "%.4f"),
            (std::vector<std::string>{"1.0000", "1.0000", "0.9803", "0.0101", "0.0100", "0.0100"}));
}
TEST(schedules, piecewise_interpolate_gives_the_published_values) {
  const Schedule s = piecewise_interpolate_schedule(Interpolation::kLinear, 1.0, {{4, 0.1}, {8, 0.01}});
  EXPECT_EQ(digits(s, {0, 2, 4, 6, 8, 10}, "%.6f"),
            (std::vector<std::string>{"1.000000", "0.550000", "0.100000", "0.050500", "0.001000", "0.001000"}));
}
TEST(schedules, constant_does_not_change) {
  EXPECT_EQ(at(constant_schedule(5), 0), 5);
  EXPECT_EQ(at(constant_schedule(5), 1000), 5);
}
TEST(schedules, linear_goes_along_a_line) {
  const Schedule s = linear_schedule(1, 3, 4, 2);
  for (const auto& [t, v] : std::map<int, double>{{0, 1}, {2, 1}, {3, 1.5}, {5, 2.5}, {6, 3}, {100, 3}})
    EXPECT_FLOAT_EQ(at(s, t), v) << t;
}
TEST(schedules, of_no_steps_keep_their_first_value) {
  EXPECT_EQ(at(linear_schedule(1, 3, 0), 100), 1);
  EXPECT_EQ(at(exponential_decay(2, 0, 0.5), 100), 2);
}
TEST(schedules, exponential_decay_multiplies) {
  for (int t = 0; t < 12; ++t) {
    const double plain = t <= 3 ? 2 : 2 * std::pow(0.5, (t - 3) / 4.0);
    EXPECT_NEAR(at(exponential_decay(2, 4, 0.5, {.transition_begin = 3}), t), plain, 1e-6);
    const double stairs = t <= 3 ? 2 : 2 * std::pow(0.5, std::floor((t - 3) / 4.0));
    EXPECT_NEAR(at(exponential_decay(2, 4, 0.5, {.transition_begin = 3, .staircase = true}), t), stairs, 1e-6);
    EXPECT_NEAR(at(exponential_decay(2, 4, 0.5, {.end_value = 1.5}), t), std::max(1.5, 2 * std::pow(0.5, t / 4.0)),
                1e-6);
    EXPECT_NEAR(at(exponential_decay(2, 4, 2, {.end_value = 3}), t), std::min(3.0, 2 * std::pow(2, t / 4.0)), 1e-5);
  }
}
TEST(schedules, cosine_decay_follows_half_a_cosine) {
  for (int t = 0; t < 14; ++t) {
    const double cosine = 0.5 * (1 + std::cos(M_PI * std::min(t, 10) / 10));
    EXPECT_NEAR(at(cosine_decay_schedule(3, 10), t), 3 * cosine, 1e-6);
    EXPECT_NEAR(at(cosine_decay_schedule(3, 10, {.alpha = 0.1, .exponent = 2}), t), 3 * (0.9 * cosine * cosine + 0.1),
                1e-6);
    EXPECT_NEAR(at(cosine_decay_schedule(3, 10, {.exponent = 0.5}), t), 3 * std::sqrt(cosine), 1e-3);
  }
}
TEST(schedules, piecewise_constant_multiplies_at_boundaries) {
  const Schedule s = piecewise_constant_schedule(1, {{100, 0.1}, {200, 0.01}});
  EXPECT_FLOAT_EQ(at(s, 99), 1);
  EXPECT_FLOAT_EQ(at(s, 100), 0.1);
  EXPECT_FLOAT_EQ(at(s, 199), 0.1);
  EXPECT_FLOAT_EQ(at(s, 200), 0.001);
}
TEST(schedules, piecewise_interpolate_goes_along_cosines) {
  const Schedule s = piecewise_interpolate_schedule(Interpolation::kCosine, 2, {{4, 0.5}});
  for (int t = 0; t <= 4; ++t) EXPECT_NEAR(at(s, t), 1 + 0.5 * (std::cos(M_PI * t / 4) + 1), 1e-6);
  EXPECT_FLOAT_EQ(at(piecewise_interpolate_schedule(Interpolation::kLinear, 7), 3), 7);
}
TEST(schedules, onecycle_goes_up_back_and_down) {
  const Schedule line = linear_onecycle_schedule(100, 1);
  EXPECT_FLOAT_EQ(at(line, 0), 0.04);
  EXPECT_FLOAT_EQ(at(line, 15), 0.52);
  EXPECT_FLOAT_EQ(at(line, 30), 1);
  EXPECT_FLOAT_EQ(at(line, 85), 0.04);
  EXPECT_NEAR(at(line, 100), 4e-6, 1e-8);
  const Schedule cosine = cosine_onecycle_schedule(100, 1);
  EXPECT_NEAR(at(cosine, 0), 0.04, 1e-7);
  EXPECT_FLOAT_EQ(at(cosine, 15), 0.52);
  EXPECT_FLOAT_EQ(at(cosine, 30), 1);
  EXPECT_NEAR(at(cosine, 65), 0.5, 1e-5);
  EXPECT_NEAR(at(cosine, 100), 4e-6, 1e-7);
}
TEST(schedules, onecycle_comes_down_after_it_went_up) {
  EXPECT_EQ(error_of([] { linear_onecycle_schedule(100, 1, {.pct_start = 0.9, .pct_final = 0.3}); }),
            "ValueError: linear_onecycle_schedule: pct_final must not be before pct_start; got 0.3 and 0.9.");
}
TEST(schedules, of_boundaries_that_coincide_the_last_counts) {
  EXPECT_NEAR(at(linear_onecycle_schedule(1, 1), 1), 0.04 / 25 / 1e4, 1e-9);
}
TEST(schedules, warm_up_along_a_line) {
  EXPECT_FLOAT_EQ(at(warmup_constant_schedule(0, 2, 4), 1), 0.5);
  EXPECT_FLOAT_EQ(at(warmup_constant_schedule(0, 2, 4), 9), 2);
  const Schedule cosine = warmup_cosine_decay_schedule(
      {.init_value = 0.1, .peak_value = 1, .warmup_steps = 5, .decay_steps = 25, .end_value = 0.01});
  EXPECT_FLOAT_EQ(at(cosine, 0), 0.1);
  EXPECT_FLOAT_EQ(at(cosine, 5), 1);
  EXPECT_NEAR(at(cosine, 15), 0.505, 1e-6);
  EXPECT_NEAR(at(cosine, 25), 0.01, 1e-6);
  const Schedule decay = warmup_exponential_decay_schedule(
      {.peak_value = 1, .warmup_steps = 5, .transition_steps = 10, .decay_rate = 0.5, .transition_begin = 2});
  EXPECT_FLOAT_EQ(at(decay, 4), 0.8);
  EXPECT_FLOAT_EQ(at(decay, 7), 1);
  EXPECT_NEAR(at(decay, 17), 0.5, 1e-6);
}
TEST(schedules, without_a_warm_up_begin_at_the_peak) {
  EXPECT_FLOAT_EQ(at(warmup_cosine_decay_schedule({.peak_value = 1, .decay_steps = 10}), 0), 1);
}
TEST(schedules, count_exactly_beyond_what_f32_holds) {
  // 2^24 + 1 is no number of f32.
  const int far = 1 << 24;
  EXPECT_FLOAT_EQ(at(linear_schedule(0, 4, 4, far), far + 1), 1);
  EXPECT_FLOAT_EQ(at(linear_schedule(0, 4, 4, far), far + 3), 3);
  EXPECT_FLOAT_EQ(at(exponential_decay(1, 1, 0.5, {.transition_begin = far}), far + 3), 0.125);
  EXPECT_FLOAT_EQ(at(exponential_decay(1, 3, 0.5, {.transition_begin = far, .staircase = true}), far + 3), 0.5);
  EXPECT_FLOAT_EQ(at(exponential_decay(1, far + 1, 0.5, {.staircase = true}), far), 1);
  EXPECT_FLOAT_EQ(at(piecewise_interpolate_schedule(Interpolation::kLinear, 1, {{far, 1}, {far + 4, 5}}), far + 1), 2);
}
TEST(schedules, may_begin_after_the_largest_count) {
  const std::int64_t never = std::int64_t{1} << 40;
  EXPECT_EQ(at(linear_schedule(1, 0, 10, never), 5), 1);
  EXPECT_EQ(at(exponential_decay(2, never, 0.5, {.transition_begin = never}), 5), 2);
  EXPECT_EQ(at(piecewise_constant_schedule(1, {{never, 0.1}}), 5), 1);
  EXPECT_EQ(at(piecewise_interpolate_schedule(Interpolation::kLinear, 1, {{0, 1}, {never, 1}}), 5), 1);
  EXPECT_EQ(at(join_schedules({constant_schedule(1), constant_schedule(2)}, {never}), 5), 1);
  EXPECT_FLOAT_EQ(linear_schedule(1, 0, 10, 5)(Array(3u)).item<float>(), 1);
}
TEST(schedules, join_counts_from_each_boundary) {
  const Schedule s =
      join_schedules({constant_schedule(1), linear_schedule(10, 20, 10), [](const Array&) { return 7; }}, {5, 8});
  EXPECT_EQ(at(s, 4), 1);
  EXPECT_EQ(at(s, 5), 10);
  EXPECT_FLOAT_EQ(at(s, 7), 12);
  EXPECT_EQ(at(s, 8), 7);
}
TEST(schedules, sgdr_repeats_cycles) {
  const WarmupCosine cycle{.peak_value = 1, .warmup_steps = 2, .decay_steps = 10};
  WarmupCosine second = cycle;
  second.peak_value = 0.5;
  const Schedule s = sgdr_schedule({cycle, second});
  EXPECT_FLOAT_EQ(at(s, 2), 1);
  EXPECT_FLOAT_EQ(at(s, 10), 0);
  EXPECT_FLOAT_EQ(at(s, 11), 0.25);
  EXPECT_FLOAT_EQ(at(s, 12), 0.5);
}
TEST(schedules, are_f32_and_run_on_traced_counts) {
  const Schedule s = sgdr_schedule({{.peak_value = 1, .warmup_steps = 2, .decay_steps = 10}});
  EXPECT_EQ(s(Array(3)).dtype(), f32);
  const auto traced = jit([&](Array t) { return s(t); });
  for (int t = 0; t < 12; ++t) EXPECT_NEAR(traced(t).item<double>(), at(s, t), 1e-6);
  EXPECT_EQ(traced.cache_size(), 1u);
}
TEST(schedules, take_traced_values_and_have_derivatives_by_them) {
  const auto value = [](Array peak) { return linear_schedule(0, peak, 10)(Array(4)); };
  EXPECT_FLOAT_EQ(grad(value)(2.0f).item<float>(), 0.4f);
}
TEST(schedules, refuse_arguments_out_of_range) {
  EXPECT_EQ(error_of([] { linear_schedule(0, 1, -1); }),
            "ValueError: linear_schedule: transition_steps must be 0 or more; got -1.");
  EXPECT_EQ(error_of([] { polynomial_schedule(0, 1, 2, 5, -3); }),
            "ValueError: polynomial_schedule: transition_begin must be 0 or more; got -3.");
  EXPECT_EQ(error_of([] { polynomial_schedule(NAN, 1, 2, 5); }),
            "ValueError: polynomial_schedule: init_value must be a number; got nan.");
  EXPECT_EQ(error_of([] { exponential_decay(1, 10, 0); }),
            "ValueError: exponential_decay: decay_rate must be positive; got 0.0.");
  EXPECT_EQ(error_of([] { cosine_decay_schedule(1, 0); }),
            "ValueError: cosine_decay_schedule: decay_steps must be 1 or more; got 0.");
  EXPECT_EQ(error_of([] { piecewise_constant_schedule(1, {{3, -1}}); }),
            "ValueError: piecewise_constant_schedule: a scale must be 0 or more; got -1.0.");
  EXPECT_EQ(error_of([] { piecewise_interpolate_schedule(Interpolation::kLinear, 1, {{-3, 1}}); }),
            "ValueError: piecewise_interpolate_schedule: a boundary must be 0 or more; got -3.");
  EXPECT_EQ(error_of([] { linear_onecycle_schedule(0, 1); }),
            "ValueError: linear_onecycle_schedule: transition_steps must be 1 or more; got 0.");
  EXPECT_EQ(error_of([] { cosine_onecycle_schedule(10, 1, {.pct_start = 2}); }),
            "ValueError: cosine_onecycle_schedule: pct_start must be in [0, 1]; got 2.0.");
  EXPECT_EQ(error_of([] { warmup_cosine_decay_schedule({.warmup_steps = 5, .decay_steps = 5}); }),
            "ValueError: warmup_cosine_decay_schedule: decay_steps must be 6 or more; got 5.");
  EXPECT_EQ(error_of([] { warmup_constant_schedule(0, NAN, 5); }),
            "ValueError: warmup_constant_schedule: peak_value must be a number; got nan.");
  EXPECT_EQ(error_of([] { warmup_cosine_decay_schedule({.decay_steps = 5, .end_value = NAN}); }),
            "ValueError: warmup_cosine_decay_schedule: end_value must be a number; got nan.");
  EXPECT_EQ(error_of([] { warmup_exponential_decay_schedule({.peak_value = NAN}); }),
            "ValueError: warmup_exponential_decay_schedule: peak_value must be a number; got nan.");
  EXPECT_EQ(error_of([] { join_schedules({constant_schedule(1)}, {3}); }),
            "ValueError: join_schedules: there must be one schedule more than boundaries; got 1 and 1.");
  EXPECT_EQ(error_of([] { join_schedules({constant_schedule(1), Schedule()}, {3}); }),
            "ValueError: join_schedules: schedules must be functions; got an empty one.");
  EXPECT_EQ(
      error_of([] { join_schedules({constant_schedule(1), constant_schedule(1), constant_schedule(1)}, {3, 2}); }),
      "ValueError: join_schedules: boundaries must rise; got 2 after 3.");
  EXPECT_EQ(error_of([] { sgdr_schedule({}); }), "ValueError: sgdr_schedule: there must be a cycle; got none.");
}

}  // namespace
}  // namespace weft::optim
