#include "optim/contrib_schedule_free.h"

#include "harness/errors.h"
#include "optim/contrib_momo.h"
#include "optim/contrib_prodigy.h"
#include "optim/plain.h"
#include "optim/schedule.h"

namespace weft::optim::contrib {
namespace {

using plain::expect_follows;
using plain::Rule;
using plain::Tree;
using testing::error_of;

Array f(const Array& x) { return np::sum(np::square(x)); }

// The objective at the average after each step.
template <class T>
std::vector<std::string> evaluations(const T& opt) {
  Array x = np::array({1.f, 2.f, 3.f});
  auto state = opt.init(x);
  std::vector<std::string> r;
  for (int i = 0; i < 5; ++i) {
    auto [u, next] = opt.update(grad(f)(x), state, x);
    x = apply_updates(x, u);
    state = next;
    char text[32];
    std::snprintf(text, sizeof text, "%.2E", f(schedule_free_eval_params(state, x)).template item<double>());
    r.push_back(text);
  }
  return r;
}
TEST(schedule_free, sgd_gives_the_published_values) {
  const std::vector<std::string> values = evaluations(schedule_free_sgd());
  EXPECT_EQ(values[0], "1.40E+01");
  EXPECT_LT(std::stod(values[1]), 1e-12);  // 0 but for rounding: 1.75e-14 there
  EXPECT_EQ(std::vector<std::string>(values.begin() + 2, values.end()),
            (std::vector<std::string>{"9.96E-01", "8.06E-01", "2.41E-01"}));
}
TEST(schedule_free, adamw_gives_the_published_values) {
  EXPECT_EQ(evaluations(schedule_free_adamw(1.0)),
            (std::vector<std::string>{"5.00E+00", "3.05E+00", "1.73E+00", "8.94E-01", "4.13E-01"}));
}

// With rates that rise: y, z and x kept apart, and weights by the square of the largest rate.
Rule rule(std::function<double(int)> rate, double b1, double power) {
  return [=, z = Tree(), x = Tree(), weight_sum = 0.0, largest = 0.0](Tree& u, const Tree& y, int t, double) mutable {
    if (t == 1) {
      z = x = y;
      weight_sum = largest = 0;
    }
    // The base optimiser counts from 0, the average from 1.
    z = plain::add(z, -rate(t - 1), u);
    largest = std::max(largest, rate(t));
    const double weight = std::pow(largest, power);
    weight_sum += weight;
    const double c = weight_sum == 0 ? 0 : weight / weight_sum;
    x = plain::add(plain::times(1 - c, x), c, z);
    u = plain::add(plain::add(plain::times(b1, x), 1 - b1, z), -1, y);
  };
}
TEST(schedule_free, follows_its_formula_along_a_warm_up) {
  const auto rate = [](int t) { return 0.5 * std::min(t / 3.0, 1.0); };
  expect_follows(schedule_free_sgd(0.5, {.warmup_steps = 3}), rule(rate, 0.9, 2),
                 {.count = 6, .f64_tolerance = 1e-6, .f32_tolerance = 1e-3, .least = 1e-2});
  expect_follows(schedule_free(sgd(0.5), 0.5, {.b1 = 0.6, .weight_lr_power = 0}), rule([](int) { return 0.5; }, 0.6, 0),
                 {.count = 6});
}
TEST(schedule_free, decays_weights_at_the_gradients_place) {
  const auto opt = schedule_free_sgd(0.5, {.b1 = 1, .weight_decay = 0.1});
  const Array p = np::array({2.f}), g = np::array({1.f});
  EXPECT_FLOAT_EQ(opt.update(g, opt.init(p), p).first.item<float>(), -0.5f * 1.2f);
}
TEST(schedule_free, keeps_z_in_the_dtype_that_is_asked_for_and_in_memory_of_its_own) {
  const auto opt = schedule_free_sgd(0.5, {.state_dtype = f64});
  const Array p = np::array({2.f});
  auto state = opt.init(p);
  EXPECT_EQ(state.z.dtype(), f64);
  auto [u, next] = opt.update(p, state, p);
  EXPECT_EQ(next.z.dtype(), f64);
  EXPECT_EQ(u.dtype(), f32);
  const auto same = schedule_free_sgd(0.5);
  auto own = same.init(p);
  const auto step = jit(
      [&](Array p, decltype(own) s) {
        auto [u, next] = same.update(p, s, p);
        return std::pair(apply_updates(p, u), next);
      },
      {.donate = {0, 1}});
  EXPECT_NO_THROW(step(np::copy(p), own));
}
TEST(schedule_free, gives_no_array_of_its_own_to_a_state_that_is_donated) {
  // The same of the other rules that keep a hyperparameter in their state.
  const auto donated = [](const auto& opt) {
    const Array p = np::array({2.f});
    const auto step = jit(
        [&opt](decltype(opt.init(p)) s) {
          return opt.update(Array(std::vector{1.f}), s, Array(std::vector{2.f}), {.value = 1.f}).second;
        },
        {.donate = {0}});
    for (int i = 0; i < 2; ++i) {
      EXPECT_NO_THROW(step(opt.init(p)));
    }
  };
  donated(schedule_free(sgd(1.0), 1.0, {.b1 = Array(0.5f)}));
  donated(prodigy(1.0, {.estim_lr0 = Array(0.5f)}));
  donated(momo(1.0, {.lower_bound = Array(0.f)}));
  donated(momo_adam(1.0, {.lower_bound = Array(0.f)}));
}
TEST(schedule_free, refuses_hyperparameters_out_of_range) {
  EXPECT_EQ(error_of([] { schedule_free(sgd(1.0), 1.0, {.b1 = 0}); }),
            "ValueError: schedule_free: b1 must be positive; got 0.0.");
  EXPECT_EQ(error_of([] { schedule_free_adamw(1.0, {.warmup_steps = -1}); }),
            "ValueError: schedule_free_adamw: warmup_steps must be 0 or more; got -1.");
  EXPECT_EQ(error_of([] { schedule_free_adamw(1.0, {.b2 = 1}); }),
            "ValueError: schedule_free_adamw: b2 must be in [0, 1); got 1.0.");
  const std::vector<Array> two{np::ones({2}), np::ones({2})}, one{np::ones({2})};
  const auto opt = schedule_free(identity(), 1.0);
  EXPECT_EQ(error_of([&] { opt.update(one, opt.init(two), two); }).substr(0, 10), "TreeError:");
}

}  // namespace
}  // namespace weft::optim::contrib
