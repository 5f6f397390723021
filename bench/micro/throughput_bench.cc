// Large operations beside the limit of the machine: memory bandwidth for elementwise ones, the
// library called directly for products. The argument is the number of threads.
#include <benchmark/benchmark.h>

#include <cstring>

#include "weft/weft.h"

#ifdef WEFT_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.h>
extern "C" void omp_set_num_threads(int);
#endif

namespace {

using weft::Array;
namespace np = weft::np;

constexpr std::int64_t kLarge = 10'000'000;

Array filled(std::int64_t n) { return weft::random::uniform(weft::random::key(0), {n}); }

void bytes(benchmark::State& state, std::int64_t per_element) {
  state.SetBytesProcessed(state.iterations() * kLarge * per_element);
}

void add_10M(benchmark::State& state) {
  weft::set_num_threads(static_cast<int>(state.range(0)));
  const Array a = filled(kLarge), b = filled(kLarge);
  for (auto _ : state) benchmark::DoNotOptimize(a + b);
  bytes(state, 12);
}
BENCHMARK(add_10M)->Arg(1)->Arg(2)->UseRealTime();

// The limit: the same traffic, two reads and a write, with nothing to compute.
void hand_add_10M(benchmark::State& state) {
  const std::vector<float> a(kLarge, 1.f), b(kLarge, 2.f);
  std::vector<float> c(kLarge);
  for (auto _ : state) {
    for (std::int64_t i = 0; i < kLarge; ++i)
      c[static_cast<std::size_t>(i)] = a[static_cast<std::size_t>(i)] + b[static_cast<std::size_t>(i)];
    benchmark::ClobberMemory();
  }
  bytes(state, 12);
}
BENCHMARK(hand_add_10M)->UseRealTime();

void multiply_by_number_10M(benchmark::State& state) {
  weft::set_num_threads(static_cast<int>(state.range(0)));
  const Array a = filled(kLarge);
  for (auto _ : state) benchmark::DoNotOptimize(a * 2.0f);
  bytes(state, 8);
}
BENCHMARK(multiply_by_number_10M)->Arg(1)->Arg(2)->UseRealTime();

void copy_10M(benchmark::State& state) {
  const std::vector<float> a(kLarge, 1.f);
  std::vector<float> c(kLarge);
  for (auto _ : state) {
    std::memcpy(c.data(), a.data(), kLarge * sizeof(float));
    benchmark::ClobberMemory();
  }
  bytes(state, 8);
}
BENCHMARK(copy_10M)->UseRealTime();

void sum_10M(benchmark::State& state) {
  weft::set_num_threads(static_cast<int>(state.range(0)));
  const Array a = filled(kLarge);
  for (auto _ : state) benchmark::DoNotOptimize(np::sum(a));
  bytes(state, 4);
}
BENCHMARK(sum_10M)->Arg(1)->Arg(2)->UseRealTime();

void exp_10M(benchmark::State& state) {
  weft::set_num_threads(static_cast<int>(state.range(0)));
  const Array a = filled(kLarge);
  for (auto _ : state) benchmark::DoNotOptimize(np::exp(a));
  bytes(state, 8);
}
BENCHMARK(exp_10M)->Arg(1)->Arg(2)->UseRealTime();

void product(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  weft::set_num_threads(static_cast<int>(state.range(1)));
  const Array a = weft::random::normal(weft::random::key(0), {n, n});
  for (auto _ : state) benchmark::DoNotOptimize(np::matmul(a, a));
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * static_cast<double>(n * n * n * state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(product)->ArgsProduct({{512, 1024, 2048}, {1, 2}})->UseRealTime()->Unit(benchmark::kMillisecond);

#ifdef WEFT_BENCH_ONEDNN
void library_product(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  omp_set_num_threads(static_cast<int>(state.range(1)));
  const std::vector<float> a = weft::random::normal(weft::random::key(0), {n, n}).to_vector<float>();
  std::vector<float> c(a.size());
  for (auto _ : state) {
    dnnl_sgemm('N', 'N', n, n, n, 1, a.data(), n, a.data(), n, 0, c.data(), n);
    benchmark::ClobberMemory();
  }
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * static_cast<double>(n * n * n * state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(library_product)->ArgsProduct({{512, 1024, 2048}, {1, 2}})->UseRealTime()->Unit(benchmark::kMillisecond);
#endif

}  // namespace
