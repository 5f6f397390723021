// Random choices that are the same everywhere: std::mt19937_64, which is specified to the bit, with distributions of
// our own, because those of the standard library are not.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <random>
#include <span>

namespace weft::testing {

class RandomSource {
 public:
  explicit RandomSource(std::uint64_t seed) : engine_(seed * 0x9e3779b97f4a7c15u + 1) {}

  std::uint64_t bits() { return engine_(); }
  /// In [0, n).
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(n)); }
  /// In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) { return low + below(high - low + 1); }
  /// In [0, 1).
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  bool chance(double p) { return uniform() < p; }
  /// About normal: the sum of some uniform ones.
  double normal() {
    double sum = 0;
    for (int i = 0; i < 6; ++i) sum += uniform();
    return (sum - 3) * std::sqrt(2.0);
  }
  /// One of a list or an array.
  template <class List>
  const auto& of(const List& choices) {
    return std::data(choices)[below(static_cast<std::int64_t>(std::size(choices)))];
  }
  template <class T>
  T of(std::initializer_list<T> choices) {
    return choices.begin()[below(static_cast<std::int64_t>(choices.size()))];
  }
  /// The position of a weight, as often as it says.
  std::size_t weighted(std::span<const double> weights) {
    double sum = 0;
    for (const double w : weights) sum += w;
    double at = uniform() * sum;
    for (std::size_t i = 0; i + 1 < weights.size(); ++i) {
      if (at < weights[i]) return i;
      at -= weights[i];
    }
    return weights.size() - 1;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace weft::testing
