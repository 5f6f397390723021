// What Weft costs beyond the work itself: eager operations, tracing, compiled calls. Peers: the
// same work by hand.
#include <benchmark/benchmark.h>

#include "weft/weft.h"

namespace {

using weft::Array;
namespace np = weft::np;

// Budget: 1 us.
void eager_add_10(benchmark::State& state) {
  const Array a = np::array(std::vector<float>(10, 1.f)), b = a;
  for (auto _ : state) benchmark::DoNotOptimize(a + b);
}
BENCHMARK(eager_add_10);

void hand_add_10(benchmark::State& state) {
  const std::vector<float> a(10, 1.f), b = a;
  for (auto _ : state) {
    std::vector<float> c(10);
    for (int i = 0; i < 10; ++i)
      c[static_cast<std::size_t>(i)] = a[static_cast<std::size_t>(i)] + b[static_cast<std::size_t>(i)];
    benchmark::DoNotOptimize(c.data());
  }
}
BENCHMARK(hand_add_10);

// Budget: 1 us per equation (items are equations).
void trace_equations(benchmark::State& state) {
  const Array x = np::ones({10});
  const auto f = [](Array y) {
    for (int i = 0; i < 1000; ++i) y = np::sin(y) * 2.0f;
    return y;
  };
  for (auto _ : state) benchmark::DoNotOptimize(weft::make_jaxpr(f)(x));
  state.SetItemsProcessed(2000 * state.iterations());
}
BENCHMARK(trace_equations);

void trace_gradient_equations(benchmark::State& state) {
  const Array x = np::ones({10});
  const auto f = [](Array y) {
    for (int i = 0; i < 1000; ++i) y = np::sin(y);
    return np::sum(y);
  };
  std::int64_t equations = 0;
  for (auto _ : state) equations += static_cast<std::int64_t>(weft::make_jaxpr(weft::grad(f))(x).eqns().size());
  state.SetItemsProcessed(equations);
}
BENCHMARK(trace_gradient_equations);

// Budget: 2 us plus the work of the ops.
void jit_call_add_10(benchmark::State& state) {
  const Array a = np::array(std::vector<float>(10, 1.f)), b = a;
  const auto f = weft::jit([](Array x, Array y) { return x + y; });
  f(a, b);
  for (auto _ : state) benchmark::DoNotOptimize(f(a, b));
}
BENCHMARK(jit_call_add_10);

void grad_scalar_10_ops(benchmark::State& state) {
  const auto f = [](Array x) {
    for (int i = 0; i < 5; ++i) x = np::sin(x) * x;
    return x;
  };
  const auto g = weft::jit(weft::grad(f));
  const Array x(0.5f);
  g(x);
  for (auto _ : state) benchmark::DoNotOptimize(g(x));
}
BENCHMARK(grad_scalar_10_ops);

void grad_scalar_10_ops_eager(benchmark::State& state) {
  const auto f = [](Array x) {
    for (int i = 0; i < 5; ++i) x = np::sin(x) * x;
    return x;
  };
  const auto g = weft::grad(f);
  const Array x(0.5f);
  for (auto _ : state) benchmark::DoNotOptimize(g(x));
}
BENCHMARK(grad_scalar_10_ops_eager);

}  // namespace
