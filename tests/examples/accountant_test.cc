// The privacy that differentially private gradient descent costs: published values, closed forms, and what must grow
// with what.
#include "per_example_gradients/accountant.h"

#include <gtest/gtest.h>

#include <cmath>

namespace {

constexpr double kRate = 256.0 / 60000, kDelta = 1e-5;

double after_epochs(double noise, int epochs) { return privacy_spent(kRate, noise, epochs * 234, kDelta); }

// The rows of the README, from tutorials of TensorFlow Privacy.
TEST(accountant, published_values_are_met) {
  EXPECT_NEAR(after_epochs(1.3, 15), 1.19, 0.005);
  EXPECT_NEAR(after_epochs(1.1, 60), 3.01, 0.005);
  EXPECT_NEAR(after_epochs(0.7, 45), 7.10, 0.005);
  EXPECT_NEAR(after_epochs(1.12, 60), 2.92, 0.005);
  EXPECT_NEAR(after_epochs(1.2, 10), 1.20, 0.005);
}

// Without sampling the divergence of order alpha is alpha / (2 noise^2), so that the best bound is
// steps alpha / (2 noise^2) + log(1 / delta) / (alpha - 1) at alpha = 1 + noise sqrt(2 log(1 / delta) / steps).
TEST(accountant, without_sampling_the_bound_has_a_closed_form) {
  struct {
    double noise, alpha;
    std::int64_t steps;
  } const cases[] = {{2, 2, 80}, {5, 2, 500}, {10, 6, 8}, {0.5, 1.5, 20}, {0.05, 1.5, 2}};
  for (const auto& [noise, alpha, steps] : cases) {
    const double divergence = static_cast<double>(steps) * alpha / (2 * noise * noise);
    const double log_inverse_delta = divergence / alpha * (alpha - 1) * (alpha - 1);
    EXPECT_NEAR(
        privacy_spent(1, noise, steps, std::exp(-log_inverse_delta)) / (divergence + log_inverse_delta / (alpha - 1)),
        1, 1e-9)
        << noise << " " << alpha;
  }
}

// Of an order that is a whole number the divergence is a finite sum: log(sum over k of C(alpha, k) (1 - q)^(alpha - k)
// q^k e^(k (k - 1) / (2 noise^2))) / (alpha - 1).
double divergence_of_whole_order(double q, double noise, int alpha) {
  double sum = 0;
  for (int k = 0; k <= alpha; ++k)
    sum += std::exp(std::lgamma(alpha + 1) - std::lgamma(k + 1) - std::lgamma(alpha - k + 1) +
                    (alpha - k) * std::log1p(-q) + k * std::log(q) + k * (k - 1) / (2 * noise * noise));
  return std::log(sum) / (alpha - 1);
}

TEST(accountant, with_sampling_whole_orders_are_finite_sums) {
  struct {
    double q, noise;
    std::int64_t steps;
  } const cases[] = {{0.01, 4, 1000}, {kRate, 1.3, 20}, {0.05, 8, 500}, {0.01, 0.5, 1}, {0.001, 0.3, 10}};
  int exact = 0;
  for (const auto& [q, noise, steps] : cases) {
    double best = INFINITY;
    int order = 0;
    for (int alpha = 2; alpha < 64; ++alpha) {
      const double epsilon =
          static_cast<double>(steps) * divergence_of_whole_order(q, noise, alpha) - std::log(kDelta) / (alpha - 1);
      if (epsilon < best) best = epsilon, order = alpha;
    }
    // Up to 11 there are orders between, which may be better.
    const double epsilon = privacy_spent(q, noise, steps, kDelta);
    EXPECT_LE(epsilon, best * (1 + 1e-9)) << q << " " << noise;
    EXPECT_GE(epsilon, best * (order < 12 ? 0.9 : 1 - 1e-9)) << q << " " << noise;
    exact += order < 12 ? 0 : 1;
  }
  EXPECT_GE(exact, 2);
}

TEST(accountant, more_noise_costs_less_and_all_else_more) {
  const double base = privacy_spent(0.01, 1, 1000, 1e-5);
  EXPECT_GT(base, 0);
  EXPECT_LT(privacy_spent(0.01, 1.1, 1000, 1e-5), base);
  EXPECT_GT(privacy_spent(0.011, 1, 1000, 1e-5), base);
  EXPECT_GT(privacy_spent(0.01, 1, 1001, 1e-5), base);
  EXPECT_GT(privacy_spent(0.01, 1, 1000, 1e-6), base);
  EXPECT_LT(privacy_spent(0.01, 1, 1000, 1e-5), privacy_spent(1, 1, 1000, 1e-5));
  EXPECT_EQ(privacy_spent(0.01, 1, 0, 1e-5), 0);
  EXPECT_EQ(privacy_spent(0.01, 0, 1, 1e-5), INFINITY);
}

TEST(accountant, samples_are_larger_than_the_room_as_often_as_the_binomial_distribution_says) {
  // P(X > 2) of 4 throws of a coin is 5 / 16.
  EXPECT_NEAR(overflow_chance(4, 0.5, 2), 5.0 / 16, 1e-12);
  EXPECT_NEAR(overflow_chance(4, 0.5, 3), 1.0 / 16, 1e-12);
  EXPECT_EQ(overflow_chance(4, 0.5, 4), 0);
  EXPECT_EQ(overflow_chance(4, 1, 3), 1);
  // What the README says of the room for samples of 256 on average.
  EXPECT_NEAR(overflow_chance(60000, kRate, 375), 1.2e-12, 0.05e-12);
}

TEST(accountant, delta_pays_for_accidents) {
  EXPECT_EQ(delta_of_accidents(1, 1000, 0), 0);
  EXPECT_EQ(delta_of_accidents(INFINITY, 1000, 0), 0);
  EXPECT_NEAR(delta_of_accidents(std::log(3), 1000, 1e-9), 4e-6, 1e-15);
}

}  // namespace
