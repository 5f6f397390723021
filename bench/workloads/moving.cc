// Elements that move: sums along the way, order, rows by number, transposes.
#include "weft_case.h"

namespace workloads {

void add_moving(Cases& cases) {
  constexpr std::int64_t kLarge = 10'000'000, kOrdered = 1'000'000, kRows = 1'000'000, kTaken = 100'000, kSide = 4096;
  const auto ordered = [] { return normal(0, {kOrdered}); };
  cases.push_back(weft_case("cumsum", "10M", {.bytes = 8.0 * kLarge},
                            [] { return compiled([](Array x) { return np::cumsum(x); }, normal(0, {kLarge})); }));
  cases.push_back(
      weft_case("sort", "1M", {}, [=] { return compiled([](Array x) { return np::sort(x); }, ordered()); }));
  cases.push_back(
      weft_case("argsort", "1M", {}, [=] { return compiled([](Array x) { return np::argsort(x); }, ordered()); }));
  cases.push_back(weft_case("topk", "1M k100", {},
                            [=] { return compiled([](Array x) { return lax::top_k(x, 100); }, ordered()); }));
  cases.push_back(weft_case("gather_rows", "100k of 1Mx64", {.bytes = 2.0 * kTaken * 256}, [] {
    const Array rows = weft::random::randint(weft::random::key(1), {kTaken}, 0, static_cast<int>(kRows));
    return compiled([](Array table, Array which) { return table(which); }, normal(0, {kRows, 64}), rows);
  }));
  cases.push_back(weft_case("transpose", "4096^2", {.bytes = 8.0 * kSide * kSide}, [] {
    return compiled([](Array x) { return np::transpose(x); }, normal(0, {kSide, kSide}));
  }));
}

}  // namespace workloads
