// The trajectories that Optax's documentation prints: f(x) = sum x^2 from [1, 2, 3], five steps, three digits.
#include <gtest/gtest.h>

#include <cstdio>

#include "optim/optim.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

Array f(const Array& x) { return np::sum(np::square(x)); }

std::string digits(const Array& x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2E", x.item<double>());
  return text;
}

// The objective after each step, as printed.
template <class T>
std::string trajectory(const T& opt, int steps = 5) {
  Array x = np::array({1.f, 2.f, 3.f});
  auto state = opt.init(x);
  std::string text;
  for (int i = 0; i < steps; ++i) {
    const auto [value, g] = value_and_grad(f)(x);
    auto [u, next] = opt.update(g, state, x, {.value = value, .grad = g, .value_fn = f});
    state = next;
    x = apply_updates(x, u);
    text += (i ? " " : "") + digits(f(x));
  }
  return text;
}

TEST(golden, sgd_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(sgd(0.003)), "1.38E+01 1.37E+01 1.35E+01 1.33E+01 1.32E+01");
}
TEST(golden, optimistic_gradient_descent_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(optimistic_gradient_descent(0.003)), "1.38E+01 1.37E+01 1.35E+01 1.33E+01 1.32E+01");
}
TEST(golden, radam_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(radam(0.003)), "1.38E+01 1.37E+01 1.35E+01 1.33E+01 1.32E+01");
}
TEST(golden, adam_and_its_relatives_follow_the_published_trajectory) {
  const std::string published = "1.40E+01 1.39E+01 1.39E+01 1.39E+01 1.38E+01";
  EXPECT_EQ(trajectory(adam(0.003)), published);
  EXPECT_EQ(trajectory(adamw(0.003)), published);
  EXPECT_EQ(trajectory(amsgrad(0.003)), published);
  EXPECT_EQ(trajectory(lion(0.003)), published);
  EXPECT_EQ(trajectory(sign_sgd(0.003)), published);
  EXPECT_EQ(trajectory(adamax(0.003)), published);
  EXPECT_EQ(trajectory(adamaxw(0.003)), published);
}
TEST(golden, nadam_and_nadamw_follow_the_published_trajectory) {
  EXPECT_EQ(trajectory(nadam(0.003)), "1.39E+01 1.39E+01 1.39E+01 1.38E+01 1.38E+01");
  EXPECT_EQ(trajectory(nadamw(0.003)), "1.39E+01 1.39E+01 1.39E+01 1.38E+01 1.38E+01");
}
TEST(golden, rmsprop_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(rmsprop(0.003)), "1.39E+01 1.38E+01 1.37E+01 1.37E+01 1.36E+01");
}
TEST(golden, adagrad_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(adagrad(1.0)), "5.01E+00 2.40E+00 1.25E+00 6.86E-01 3.85E-01");
}
TEST(golden, adadelta_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(adadelta(10.0)), "1.36E+01 1.32E+01 1.29E+01 1.25E+01 1.21E+01");
}
TEST(golden, adafactor_and_lamb_follow_the_published_trajectory) {
  EXPECT_EQ(trajectory(adafactor(0.003)), "1.39E+01 1.38E+01 1.38E+01 1.37E+01 1.36E+01");
  EXPECT_EQ(trajectory(lamb(0.003)), "1.39E+01 1.38E+01 1.38E+01 1.37E+01 1.36E+01");
}
TEST(golden, adan_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(adan(0.1)), "1.28E+01 1.17E+01 1.07E+01 9.68E+00 8.76E+00");
}
TEST(golden, adabelief_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(adabelief(0.003)), "1.40E+01 1.39E+01 1.39E+01 1.38E+01 1.38E+01");
}
TEST(golden, fromage_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(fromage(0.003)), "1.39E+01 1.38E+01 1.37E+01 1.37E+01 1.36E+01");
}
TEST(golden, novograd_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(novograd(0.003)), "1.40E+01 1.39E+01 1.39E+01 1.38E+01 1.37E+01");
}
TEST(golden, rprop_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(rprop(0.003)), "1.40E+01 1.40E+01 1.39E+01 1.39E+01 1.38E+01");
}
TEST(golden, yogi_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(yogi(0.002)), "1.40E+01 1.40E+01 1.39E+01 1.39E+01 1.39E+01");
}
TEST(golden, lars_and_sm3_follow_the_published_trajectory) {
  EXPECT_EQ(trajectory(lars(0.003)), "1.40E+01 1.40E+01 1.40E+01 1.40E+01 1.40E+01");
  EXPECT_EQ(trajectory(sm3(0.003)), "1.40E+01 1.40E+01 1.40E+01 1.40E+01 1.40E+01");
}
TEST(golden, noisy_sgd_follows_the_published_trajectory_of_key_0) {
  EXPECT_EQ(trajectory(noisy_sgd(0.003, random::key(0))), "1.38E+01 1.37E+01 1.35E+01 1.33E+01 1.32E+01");
}
TEST(golden, polyak_sgd_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(polyak_sgd()), "3.50E+00 8.75E-01 2.19E-01 5.47E-02 1.37E-02");
}
TEST(golden, normalize_by_update_norm_follows_the_published_trajectory) {
  EXPECT_EQ(trajectory(normalize_by_update_norm({.scale_factor = -1})), "7.52E+00 3.03E+00 5.50E-01 6.67E-02 5.50E-01");
}
TEST(golden, lbfgs_follows_the_published_trajectory) {
  // What is left after the third step is rounding: 2.65e-28 there.
  EXPECT_EQ(trajectory(lbfgs(), 2), "7.52E+00 7.46E-14");
}
TEST(golden, sgd_with_a_backtracking_search_follows_the_published_trajectory) {
  const auto opt =
      chain(sgd(1.0), scale_by_backtracking_linesearch({.max_backtracking_steps = 15, .store_grad = true}));
  EXPECT_EQ(trajectory(opt), "5.04E+00 1.81E+00 6.53E-01 2.35E-01 8.47E-02");
}
TEST(golden, sgd_with_a_zoom_search_follows_the_published_trajectory) {
  const auto opt = chain(sgd(1.0), scale_by_zoom_linesearch({.max_linesearch_steps = 15}));
  EXPECT_EQ(trajectory(opt), "0.00E+00 0.00E+00 0.00E+00 0.00E+00 0.00E+00");
}

}  // namespace
}  // namespace weft::optim
