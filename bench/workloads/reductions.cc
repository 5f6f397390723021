// Sums and positions of the largest, over more than fits a cache.
#include "weft_case.h"

namespace workloads {

void add_reductions(Cases& cases) {
  constexpr std::int64_t kLarge = 10'000'000, kSide = 4096;
  const Amount line{.bytes = 4.0 * kLarge}, square{.bytes = 4.0 * kSide * kSide};
  const auto vector = [] { return normal(0, {kLarge}); };
  const auto matrix = [] { return normal(0, {kSide, kSide}); };
  cases.push_back(
      weft_case("sum_all", "10M", line, [=] { return compiled([](Array x) { return np::sum(x); }, vector()); }));
  cases.push_back(weft_case("sum_axis0", "4096^2", square,
                            [=] { return compiled([](Array x) { return np::sum(x, 0); }, matrix()); }));
  cases.push_back(weft_case("sum_axis1", "4096^2", square,
                            [=] { return compiled([](Array x) { return np::sum(x, 1); }, matrix()); }));
  cases.push_back(
      weft_case("argmax", "10M", line, [=] { return compiled([](Array x) { return np::argmax(x); }, vector()); }));
}

}  // namespace workloads
