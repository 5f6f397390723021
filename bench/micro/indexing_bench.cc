// Operations that index, order, add up and draw, as a user calls them, in the shapes of the peers' measurements
// (shared/peers/PEERS.md). WEFT_NUM_THREADS says how many threads.
#include <benchmark/benchmark.h>

#include "weft/weft.h"

namespace weft {
namespace {

constexpr std::int64_t kMillion = 1000000;

Array normals(const np::Shape& shape) { return random::normal(random::key(0), shape); }
Array positions(std::int64_t n, std::int64_t below) {
  return random::randint(random::key(1), {n}, 0, static_cast<int>(below));
}

template <class F>
void measure(benchmark::State& state, std::int64_t bytes, F&& f) {
  for (auto _ : state) benchmark::DoNotOptimize(f());
  state.SetBytesProcessed(state.iterations() * bytes);
}

void BM_sum_all(benchmark::State& state) {
  const Array x = normals({10 * kMillion});
  measure(state, x.aval().bytes(), [&] { return np::sum(x); });
}
BENCHMARK(BM_sum_all)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_sum_axis(benchmark::State& state) {
  const Array x = normals({4096, 4096});
  const int axis = static_cast<int>(state.range(0));
  measure(state, x.aval().bytes(), [&] { return np::sum(x, axis); });
}
BENCHMARK(BM_sum_axis)->Arg(0)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_argmax(benchmark::State& state) {
  const Array x = normals({10 * kMillion});
  measure(state, x.aval().bytes(), [&] { return np::argmax(x); });
}
BENCHMARK(BM_argmax)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_cumsum(benchmark::State& state) {
  const Array x = normals({10 * kMillion});
  measure(state, 2 * x.aval().bytes(), [&] { return np::cumsum(x); });
}
BENCHMARK(BM_cumsum)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_cumsum_axis(benchmark::State& state) {
  const Array x = normals({4096, 4096});
  const int axis = static_cast<int>(state.range(0));
  measure(state, 2 * x.aval().bytes(), [&] { return np::cumsum(x, axis); });
}
BENCHMARK(BM_cumsum_axis)->Arg(0)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_cummax(benchmark::State& state) {
  const Array x = normals({kMillion});
  measure(state, 2 * x.aval().bytes(), [&] { return lax::cummax(x, 0); });
}
BENCHMARK(BM_cummax)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_sort(benchmark::State& state) {
  const Array x = lax::reshape(normals({kMillion}), Dims{kMillion / state.range(0), state.range(0)});
  measure(state, 2 * x.aval().bytes(), [&] { return np::sort(x); });
}
BENCHMARK(BM_sort)->Arg(kMillion)->Arg(1000)->Arg(100)->Arg(10)->UseRealTime()->Unit(benchmark::kMillisecond);

template <DType kType>
void BM_sort_of(benchmark::State& state) {
  const Array x = (normals({kMillion}) * 1e4f).astype(kType);
  measure(state, 2 * x.aval().bytes(), [&] { return np::sort(x); });
}
BENCHMARK(BM_sort_of<DType::kI32>)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_sort_of<DType::kF64>)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_sort_of<DType::kBF16>)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_argsort(benchmark::State& state) {
  const Array x = lax::reshape(normals({kMillion}), Dims{kMillion / state.range(0), state.range(0)});
  measure(state, 2 * x.aval().bytes(), [&] { return np::argsort(x); });
}
BENCHMARK(BM_argsort)->Arg(kMillion)->Arg(1000)->Arg(100)->Arg(10)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_top_k(benchmark::State& state) {
  const Array x = normals({kMillion});
  measure(state, x.aval().bytes(), [&] { return lax::top_k(x, state.range(0)); });
}
BENCHMARK(BM_top_k)->Arg(100)->Arg(10000)->Arg(kMillion)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_gather_rows(benchmark::State& state) {
  const Array x = np::ones({kMillion, 64}) * 1.0f, i = positions(100000, kMillion);
  measure(state, 100000 * 64 * 8, [&] { return np::take(x, i, 0); });
}
BENCHMARK(BM_gather_rows)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_gather_elements(benchmark::State& state) {
  const Array x = normals({kMillion}), i = positions(kMillion, kMillion);
  measure(state, kMillion * 12, [&] { return np::take(x, i, 0); });
}
BENCHMARK(BM_gather_elements)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_gather_columns(benchmark::State& state) {
  const Array x = normals({1000, 1000}), i = positions(1000, 1000);
  measure(state, kMillion * 8, [&] { return np::take(x, i, 1); });
}
BENCHMARK(BM_gather_columns)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_take_along_axis(benchmark::State& state) {
  const Array x = normals({1000, 1000}), i = np::argsort(x, 1);
  measure(state, kMillion * 12, [&] { return np::take_along_axis(x, i, 1); });
}
BENCHMARK(BM_take_along_axis)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_scatter_rows(benchmark::State& state) {
  const Array x = np::zeros({100000, 64}) * 1.0f, u = normals({100000, 64}), i = positions(100000, 100000);
  measure(state, x.aval().bytes() * 4, [&] { return x.at(i).add(u); });
}
BENCHMARK(BM_scatter_rows)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_scatter_elements(benchmark::State& state) {
  const Array x = np::zeros({kMillion}) * 1.0f, u = normals({kMillion}), i = positions(kMillion, kMillion);
  measure(state, kMillion * 20, [&] { return x.at(i).add(u); });
}
BENCHMARK(BM_scatter_elements)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_transpose(benchmark::State& state) {
  const Array x = normals({4096, 4096});
  measure(state, 2 * x.aval().bytes(), [&] { return lax::transpose(x, Dims{1, 0}); });
}
BENCHMARK(BM_transpose)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_uniform(benchmark::State& state) {
  const Array k = random::key(0);
  measure(state, 40 * kMillion, [&] { return random::uniform(k, {10 * kMillion}); });
}
void BM_uniform_jit(benchmark::State& state) {
  const Array k = random::key(0);
  const auto draw = jit([](Array key) { return random::uniform(key, {10 * kMillion}); });
  measure(state, 40 * kMillion, [&] { return draw(k); });
}
BENCHMARK(BM_uniform_jit)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_normal_jit(benchmark::State& state) {
  const Array k = random::key(0);
  const auto draw = jit([](Array key) { return random::normal(key, {10 * kMillion}); });
  measure(state, 40 * kMillion, [&] { return draw(k); });
}
BENCHMARK(BM_normal_jit)->UseRealTime()->Unit(benchmark::kMillisecond);

BENCHMARK(BM_uniform)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_normal(benchmark::State& state) {
  const Array k = random::key(0);
  measure(state, 40 * kMillion, [&] { return random::normal(k, {10 * kMillion}); });
}
BENCHMARK(BM_normal)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weft
