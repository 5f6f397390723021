// Elementwise functions, alone and in chains, over more than fits a cache.
#include "weft_case.h"

namespace workloads {

namespace {

constexpr std::int64_t kLarge = 10'000'000;

Array chain(Array x) { return np::sin(x) * np::exp(-x * x) + np::tanh(x) / (1.0f + x * x); }

// Six operations, the sums of columns, and the first ten of those.
Array sum_slice(Array x) {
  const Array y = ((x * 2.0f + 1.0f) * x - 0.5f) * x + np::abs(x);
  return np::sum(y, 0)(weft::slice(0, 10));
}

}  // namespace

void add_elementwise(Cases& cases) {
  const Amount two{.bytes = 8.0 * kLarge};
  const auto large = [&](const char* name, Amount amount, Array (*f)(Array)) {
    cases.push_back(weft_case(name, "10M", amount, [f] { return compiled(f, normal(0, {kLarge})); }));
  };
  large("chain", {}, chain);
  large("unary_sin", two, [](Array x) { return np::sin(x); });
  large("unary_exp", two, [](Array x) { return np::exp(x); });
  large("unary_tanh", two, [](Array x) { return np::tanh(x); });
  large("add", {.bytes = 12.0 * kLarge}, [](Array x) { return x + x; });
  const auto square = [&](const char* name, Array (*f)(Array)) {
    cases.push_back(weft_case(name, "5000^2", {}, [f] { return compiled(f, normal(0, {5000, 5000})); }));
  };
  square("toy_readme", [](Array m) { return m * m + m * 2.0f; });
  square("toy_sum_slice", sum_slice);
}

}  // namespace workloads
