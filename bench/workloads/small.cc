// What a call costs: programs of almost no work.
#include "weft_case.h"

namespace workloads {

namespace {

Array ten_operations(Array x) { return np::tanh(np::sin(x) * np::exp(-x) + x * x) / (1.0f + np::cos(x) * x); }

}  // namespace

void add_small(Cases& cases) {
  cases.push_back(weft_case("dispatch_add", "10", {}, [] {
    return compiled([](Array a, Array b) { return a + b; }, normal(0, {10}), normal(1, {10}));
  }));
  cases.push_back(
      weft_case("grad_scalar10", "10 ops", {}, [] { return compiled(weft::grad(ten_operations), Array(0.7f)); }));
}

}  // namespace workloads
