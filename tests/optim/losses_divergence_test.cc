#include "optim/losses_divergence.h"

#include "optim/losses_harness.h"

namespace weft::optim {
namespace {

using testing::Doubles;
using testing::draw;
using testing::draw_probabilities;
using testing::error_of;
using testing::expect_finite_with_gradient;
using testing::expect_near;
using testing::expect_transforms_agree;
using testing::values;

TEST(kl_divergence, is_the_formula) {
  const Array log_p = np::log(draw_probabilities({3, 4}, 1)), t = draw_probabilities({3, 4}, 2);
  const Doubles a = values(log_p), b = values(t);
  Doubles want(3), general(3);
  for (std::size_t i = 0; i < a.size(); ++i) {
    want[i / 4] += b[i] * (std::log(b[i]) - a[i]);
    general[i / 4] += b[i] * (std::log(b[i]) - a[i]) + std::exp(a[i]) - b[i];
  }
  expect_near(kl_divergence(log_p, t), want);
  expect_near(kl_divergence_with_log_targets(log_p, np::log(t)), want);
  expect_near(generalized_kl_divergence(log_p, t), general);
  expect_near(convex_kl_divergence(log_p, t), general);
  expect_near(kl_divergence(np::log(t), t), Doubles(3), 1e-15);
  expect_near(kl_divergence(log_p.T(), t.T(), {.axis = 0}), want);
  expect_near(generalized_kl_divergence(log_p, t, {.axis = {}}), np::sum(generalized_kl_divergence(log_p, t)));
  const Array where = np::array({true, false, true, true});
  const auto some = [](const Array& x) { return x(slice(), {0, 2, 3}); };
  expect_near(kl_divergence(log_p, t, {.where = where}), kl_divergence(some(log_p), some(t)));
  expect_near(generalized_kl_divergence(log_p, t, {.where = where}), generalized_kl_divergence(some(log_p), some(t)));
  // Scaled targets, which is what the general one is for, and broadcast ones.
  expect_near(generalized_kl_divergence(log_p, t(0)), generalized_kl_divergence(log_p, np::broadcast_to(t(0), {3, 4})));
  expect_transforms_agree([](Array p, Array q) { return kl_divergence(p, q); }, log_p, t);
  expect_transforms_agree([](Array p, Array q) { return kl_divergence_with_log_targets(p, q); }, log_p, np::log(t));
  expect_transforms_agree([](Array p, Array q) { return generalized_kl_divergence(p, q); }, log_p, t);
  expect_transforms_agree([](Array q, Array p) { return kl_divergence(p, q); }, t, log_p);
}

TEST(kl_divergence, counts_targets_of_zero_as_nothing) {
  const Array t = np::array({0.f, .5f, .5f}), log_p = np::log(np::array({0.f, .25f, .75f}));
  const double want = .5 * std::log(.5 / .25) + .5 * std::log(.5 / .75);
  for (const Array& p : {log_p, np::log(np::array({.1f, .25f, .75f}))}) {
    expect_near(kl_divergence(p, t), Doubles{want}, 1e-6);
    expect_near(kl_divergence_with_log_targets(p, np::log(t)), Doubles{want}, 1e-6);
    expect_finite_with_gradient([&](Array x) { return kl_divergence(x, t); }, p);
    expect_finite_with_gradient([&](Array x) { return kl_divergence(p, x); }, t);
    expect_finite_with_gradient([&](Array x) { return generalized_kl_divergence(x, t); }, p);
    expect_finite_with_gradient([&](Array x) { return kl_divergence_with_log_targets(x, np::log(t)); }, p);
    expect_finite_with_gradient([&](Array x) { return kl_divergence_with_log_targets(p, x); }, np::log(t));
  }
}

TEST(divergences, say_what_is_wrong) {
  const Array x = np::ones({2, 3}), i = np::ones({2, 3}, i32);
  EXPECT_EQ(error_of([&] { kl_divergence(i, x); }),
            "DTypeError: kl_divergence: log_predictions must be float; got i32[2,3].");
  EXPECT_EQ(error_of([&] { generalized_kl_divergence(x, i); }),
            "DTypeError: generalized_kl_divergence: targets must be float; got i32[2,3].");
  EXPECT_EQ(error_of([&] { kl_divergence_with_log_targets(x, i); }),
            "DTypeError: kl_divergence_with_log_targets: log_targets must be float; got i32[2,3].");
  EXPECT_EQ(error_of([&] { kl_divergence(x, np::ones({2})); }).substr(0, 25), "ShapeError: kl_divergence");
  EXPECT_EQ(error_of([&] { kl_divergence(x, x, {.where = np::ones({4}, boolean)}); }).substr(0, 25),
            "ShapeError: kl_divergence");
}

}  // namespace
}  // namespace weft::optim
