#include "case.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace workloads {

namespace {

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A run shorter than this is repeated inside of one timing, so that the clock costs nothing beside it.
constexpr double kShortestTimingMs = 0.2;

double timing(const std::function<void()>& run, int inner) {
  const double start = now_ms();
  for (int i = 0; i < inner; ++i) run();
  return (now_ms() - start) / inner;
}

std::string derived(const Amount& amount, double median, double least, std::size_t n) {
  std::string out;
  char text[64];
  const auto rate = [&](double what, const char* unit) {
    if (what == 0) return;
    std::snprintf(text, sizeof text, "%.1f %s; ", what / median / 1e6, unit);
    out += text;
  };
  rate(amount.flops, "GFLOP/s");
  rate(amount.bytes, "GB/s");
  std::snprintf(text, sizeof text, "min %.4g; n %zu", least, n);
  return out + text;
}

std::string line(const Case& c, int threads, const std::string& rest) {
  return c.peer + "," + c.workload + "," + c.params + "," + std::to_string(threads) + "," + rest;
}

}  // namespace

std::string failure(const Case& c, int threads, const std::string& error) {
  std::string flat = error;
  std::ranges::replace(flat, '\n', ' ');
  return line(c, threads, "NaN,FAILED " + flat);
}

std::string measure(const Case& c, const Runnable& prepared, int threads, const Effort& effort) {
  try {
    const double budget = 1e3 * effort.seconds;
    prepared.run();  // the first call pays for memory
    double once = timing(prepared.run, 1);
    // Until caches, and the memory that results come from, are as they will stay.
    const double warm_up = now_ms() + budget / 3;
    while (now_ms() < warm_up) once = timing(prepared.run, 1);
    const int inner = std::max(1, static_cast<int>(kShortestTimingMs / std::max(once, 1e-6)));

    std::vector<double> times;
    const double end = now_ms() + budget;
    while (times.empty() || now_ms() < end || (times.size() < 3 && once < budget)) {
      times.push_back(timing(prepared.run, inner));
      if (times.size() == 2000) break;
    }
    std::ranges::sort(times);
    const double median = times[times.size() / 2];
    char text[32];
    std::snprintf(text, sizeof text, "%.5g,", median);
    return line(c, threads, text + derived(c.amount, median, times[0], times.size()));
  } catch (const std::exception& e) {
    return failure(c, threads, e.what());
  }
}

}  // namespace workloads
