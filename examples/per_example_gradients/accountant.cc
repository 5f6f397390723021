#include "accountant.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace {

// log(e^a + e^b)
double log_add(double a, double b) { return std::max(a, b) + std::log1p(std::exp(-std::fabs(a - b))); }

// The Renyi divergence of order `alpha` that one step may cause, with rate q and noise s (Mironov, Talwar and Zhang,
// "Renyi Differential Privacy of the Sampled Gaussian Mechanism", 2019, sections 3.1 and 3.3):
//   log(A) / (alpha - 1), A = E[(1 - q + q e^((2z - 1) / (2 s^2)))^alpha] over z ~ N(0, s^2).
// The trapezoidal rule integrates smooth functions that vanish at both ends nearly exactly.
double renyi_divergence(double q, double s, double alpha) {
  const double h = s / 20, low = -12 * s, high = alpha + 12 * s;
  double log_sum = -std::numeric_limits<double>::infinity();
  for (double z = low; z < high; z += h) {
    const double log_ratio = log_add(std::log1p(-q), std::log(q) + (2 * z - 1) / (2 * s * s));
    log_sum = log_add(log_sum, alpha * log_ratio - z * z / (2 * s * s));
  }
  return (log_sum + std::log(h / (s * std::sqrt(2 * M_PI)))) / (alpha - 1);
}

}  // namespace

double privacy_spent(double sampling_rate, double noise_multiplier, std::int64_t steps, double delta) {
  if (steps == 0) return 0;
  double epsilon = std::numeric_limits<double>::infinity();
  if (noise_multiplier == 0) return epsilon;
  std::vector<double> orders;
  for (int i = 11; i < 110; ++i) orders.push_back(0.1 * i);
  for (int i = 11; i < 64; ++i) orders.push_back(i);
  for (const int i : {64, 128, 256, 512}) orders.push_back(i);
  // Divergences of steps add up, and each order gives a bound (Mironov, "Renyi Differential Privacy", 2017,
  // propositions 1 and 3). Canonne, Kamath and Steinke (2020) have a better one; this one is what published values go
  // by.
  for (const double alpha : orders)
    epsilon = std::min(epsilon, static_cast<double>(steps) * renyi_divergence(sampling_rate, noise_multiplier, alpha) +
                                    std::log(1 / delta) / (alpha - 1));
  return epsilon;
}

double overflow_chance(std::int64_t examples, double sampling_rate, std::int64_t room) {
  if (room >= examples) return 0;
  if (sampling_rate >= 1) return 1;
  const auto n = static_cast<double>(examples);
  // Beyond the mean each term is smaller than the one before, by a factor that falls, too.
  double k = static_cast<double>(room) + 1;
  double term = std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                         k * std::log(sampling_rate) + (n - k) * std::log1p(-sampling_rate));
  double sum = 0;
  for (; k <= n; ++k) {
    sum += term;
    term *= (n - k) / (k + 1) * sampling_rate / (1 - sampling_rate);
  }
  return std::min(sum, 1.0);
}

double delta_of_accidents(double epsilon, std::int64_t steps, double chance) {
  return chance == 0 ? 0 : (1 + std::exp(epsilon)) * static_cast<double>(steps) * chance;
}
