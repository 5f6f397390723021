// How much privacy differentially private gradient descent costs. Knows nothing of arrays and models.
#pragma once

#include <cstdint>

/// The epsilon for which `steps` steps are (epsilon, delta)-differentially private: two data sets of which one has one
/// example more lead to models of nearly the same distribution, P(model in S) <= e^epsilon P'(model in S) + delta.
/// In each step every example takes part with probability `sampling_rate`, independently of all others and of other
/// steps (Poisson sampling), and the sum of gradients, each of norm 1 at most, gets noise N(0, noise_multiplier^2).
/// An upper bound, by Renyi differential privacy; infinite without noise.
double privacy_spent(double sampling_rate, double noise_multiplier, std::int64_t steps, double delta);
