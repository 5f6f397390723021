// Sparse derivatives of a banded function beside dense ones, compiled: the ratio is about n over the number of colours.
// And what finding the pattern costs, per element, for growing sizes.
#include <benchmark/benchmark.h>

#include "weft/weft.h"

namespace {

using weft::Array;
namespace np = weft::np;

Array diffusion(Array u) {
  const Array v = np::pad(np::exp(u), 1);
  return v(weft::slice(2, {})) - 2 * v(weft::slice(1, -1)) + v(weft::slice({}, -2));
}
Array rosenbrock(Array x) {
  const Array a = x(weft::slice({}, -1)), b = x(weft::slice(1, {}));
  return np::sum(100 * np::square(b - np::square(a)) + np::square(1 - a));
}

Array point(benchmark::State& state) { return np::linspace(0.0, 1.0, state.range(0)); }

void jacobian_dense(benchmark::State& state) {
  const Array x = point(state);
  const auto f = weft::jit(weft::jacfwd(diffusion));
  f(x);
  for (auto _ : state) benchmark::DoNotOptimize(f(x));
}
BENCHMARK(jacobian_dense)->Arg(100)->Arg(1000);

void jacobian_sparse(benchmark::State& state) {
  const Array x = point(state);
  const auto f = weft::jit(weft::jacobian_sparse(diffusion));
  f(x);
  for (auto _ : state) benchmark::DoNotOptimize(f(x));
}
BENCHMARK(jacobian_sparse)->Arg(100)->Arg(1000)->Arg(100000);

void hessian_dense(benchmark::State& state) {
  const Array x = point(state);
  const auto f = weft::jit(weft::hessian(rosenbrock));
  f(x);
  for (auto _ : state) benchmark::DoNotOptimize(f(x));
}
BENCHMARK(hessian_dense)->Arg(100)->Arg(1000);

void hessian_sparse(benchmark::State& state) {
  const Array x = point(state);
  const auto f = weft::jit(weft::hessian_sparse(rosenbrock));
  f(x);
  for (auto _ : state) benchmark::DoNotOptimize(f(x));
}
BENCHMARK(hessian_sparse)->Arg(100)->Arg(1000)->Arg(100000);

// Items are elements: the time of one must not grow.
void find_pattern(benchmark::State& state) {
  const Array x = weft::abstract(weft::f64, {state.range(0)});
  for (auto _ : state) benchmark::DoNotOptimize(weft::hessian_sparsity(rosenbrock)(x));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(find_pattern)->Arg(1000)->Arg(10000)->Arg(100000);

void color_pattern(benchmark::State& state) {
  const weft::SparsityPattern p = weft::SparsityPattern::banded(state.range(0), 2, 2);
  for (auto _ : state) {
    const auto copy = weft::SparsityPattern::from_csr(p.rows(), p.cols(), p.offsets(), p.columns());
    benchmark::DoNotOptimize(copy.symmetric_coloring().num_colors);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(color_pattern)->Arg(1000)->Arg(10000)->Arg(100000);

}  // namespace
