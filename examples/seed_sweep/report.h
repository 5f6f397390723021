// What a sweep found, for people: names, a table, a picture. Knows nothing about training.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "model.h"
#include "train/plot.h"
#include "train/run_folder.h"
#include "weft/base/text.h"
#include "weft/weft.h"

namespace seed_sweep {

inline std::string rate_name(double rate) { return "rate " + weft::number_str(rate); }

/// "rate 0.1 seed 2", in the order of members.
inline std::vector<std::string> member_names(const std::vector<double>& rates, int seeds) {
  std::vector<std::string> names;
  for (const double rate : rates)
    for (int i = 0; i < seeds; ++i) names.push_back(rate_name(rate) + " seed " + std::to_string(i));
  return names;
}

/// "97.68 +- 0.14" of the members of a rate; one alone has no deviation.
inline std::string mean_and_deviation(const Array& accuracies) {
  const auto n = [](const Array& x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", x.item<double>());
    return std::string(text);
  };
  const std::string mean = n(np::mean(accuracies));
  return accuracies.size() == 1 ? mean : mean + " +- " + n(np::std(accuracies, {}, {.ddof = 1}));
}

/// Prints accuracies in percent, best rate first, and gives the best one's number.
inline std::size_t print_table(const std::vector<double>& rates, const Hits& accuracies) {
  const auto mean = np::mean(accuracies.members, 1).to_vector<float>();
  const auto best = np::max(accuracies.members, 1).to_vector<float>();
  const auto together = accuracies.together.to_vector<float>();
  std::vector<std::size_t> order(rates.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return mean[a] > mean[b]; });
  std::printf("\n   rate   held-out accuracy in %%    best   all %lld together\n",
              static_cast<long long>(accuracies.members.shape(1)));
  for (const std::size_t i : order)
    std::printf("%7g   %22s   %5.2f   %14.2f\n", rates[i], mean_and_deviation(accuracies.members(i)).c_str(), best[i],
                together[i]);
  return order[0];
}

/// From blue for the smallest rate over green to red for the largest.
inline train::Color color_of(std::size_t rate, std::size_t rates) {
  constexpr double kStops[3][3] = {{40, 80, 210}, {50, 165, 90}, {215, 60, 30}};
  const double x = rates == 1 ? 0 : 2 * static_cast<double>(rate) / static_cast<double>(rates - 1);
  const int below = x < 1 ? 0 : 1;
  const auto part = [&](int i) {
    const double from = kStops[below][i], to = kStops[below + 1][i];
    return static_cast<std::uint8_t>(std::lround(from + (x - below) * (to - from)));
  };
  return {part(0), part(1), part(2)};
}

/// The curves "<what> <name>" of all members, a colour for each rate. Points outside are left out: members that learn
/// nothing would leave no room for the others.
inline std::vector<train::Series> curves(train::RunFolder& folder, const std::string& what,
                                         const std::vector<double>& rates, int seeds, double low, double high) {
  std::vector<std::string> names = member_names(rates, seeds);
  for (std::string& name : names) name = what + " " + name;
  std::vector<train::Series> series = folder.series(names);
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto each = static_cast<std::size_t>(seeds), rate = i / each;
    series[i].color = color_of(rate, rates.size());
    series[i].name = i % each == 0 ? rate_name(rates[rate]) : "";
    for (double& y : series[i].y)
      if (y < low || y > high) y = NAN;
  }
  return series;
}

}  // namespace seed_sweep
