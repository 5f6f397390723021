// How much privacy differentially private gradient descent costs. Knows nothing of arrays and models.
#pragma once

#include <cstdint>

/// The epsilon for which `steps` steps are (epsilon, delta)-differentially private: two data sets of which one has one
/// example more lead to models of nearly the same distribution, P(model in S) <= e^epsilon P'(model in S) + delta.
/// In each step every example takes part with probability `sampling_rate`, independently of all others and of other
/// steps (Poisson sampling), and the sum of gradients, each of norm 1 at most, gets noise N(0, noise_multiplier^2).
/// An upper bound, by Renyi differential privacy; infinite without noise. The work grows with 1 / noise_multiplier, and
/// below 0.05 the integral is no longer exact.
double privacy_spent(double sampling_rate, double noise_multiplier, std::int64_t steps, double delta);

/// P(Binomial(examples, sampling_rate) > room): how often a sample has more examples than there is room for.
double overflow_chance(std::int64_t examples, double sampling_rate, std::int64_t room);

/// What delta grows by when in each step, with that chance, something happens that privacy_spent knows nothing of:
/// (1 + e^epsilon) steps chance. For let M be what it knows, and M~ the same but for that, tau = steps chance. Then
/// P(M~ in S) <= P(M in S) + tau <= e^epsilon P'(M in S) + delta + tau <= e^epsilon (P'(M~ in S) + tau) + delta + tau.
double delta_of_accidents(double epsilon, std::int64_t steps, double chance);
