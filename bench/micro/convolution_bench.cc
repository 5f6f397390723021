// Convolutions, their gradients and pooling beside oneDNN called directly in the layouts that it likes best. Features
// are last, as Weft's users have them. The argument is the number of threads.
#include <benchmark/benchmark.h>

#include "harness/convolutions.h"
#include "weft/weft.h"

#ifdef WEFT_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
extern "C" void omp_set_num_threads(int);
#endif

namespace {

using weft::Array;
using weft::Dims;

struct Layer {
  std::int64_t size, in, out;
  double products() const { return 32.0 * 9 * static_cast<double>(size * size * in * out); }
};
constexpr Layer kFirst{28, 1, 32}, kInner{56, 64, 64};

using weft::testing::same_3x3;

void count(benchmark::State& state, double products) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * products * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

Array normal(int key, const Dims& shape) { return weft::random::normal(weft::random::key(key), shape); }

void convolution(benchmark::State& state, const Layer& l) {
  weft::set_num_threads(static_cast<int>(state.range(0)));
  const Array x = normal(0, {32, l.size, l.size, l.in}), k = normal(1, {3, 3, l.in, l.out});
  for (auto _ : state) benchmark::DoNotOptimize(weft::lax::convolution(x, k, same_3x3()));
  count(state, l.products());
}
BENCHMARK_CAPTURE(convolution, first, kFirst)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(convolution, inner, kInner)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

// Forwards, and the gradients of the kernel and, but for the first layer, of the operand.
void with_gradients(benchmark::State& state, const Layer& l) {
  weft::set_num_threads(static_cast<int>(state.range(0)));
  const Array x = normal(0, {32, l.size, l.size, l.in}), k = normal(1, {3, 3, l.in, l.out}),
              ct = normal(2, {32, l.size, l.size, l.out});
  const bool both = l.in > 1;
  const auto of_kernel = weft::jit([](Array a, Array b, Array c) {
    const auto [y, pullback] =
        weft::vjp([&](Array kernel) { return weft::lax::convolution(a, kernel, same_3x3()); }, b);
    return std::pair(y, pullback(c));
  });
  const auto of_both = weft::jit([](Array a, Array b, Array c) {
    const auto [y, pullback] =
        weft::vjp([&](Array image, Array kernel) { return weft::lax::convolution(image, kernel, same_3x3()); }, a, b);
    return std::pair(y, pullback(c));
  });
  for (auto _ : state) {
    if (both)
      benchmark::DoNotOptimize(of_both(x, k, ct));
    else
      benchmark::DoNotOptimize(of_kernel(x, k, ct));
  }
  count(state, l.products() * (both ? 3 : 2));
}
BENCHMARK_CAPTURE(with_gradients, first, kFirst)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(with_gradients, inner, kInner)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

// ---- pooling: 32x56x56x64, windows of 2x2 ----

const weft::Window kPool{.dimensions = {1, 2, 2, 1}, .strides = {1, 2, 2, 1}};
constexpr std::int64_t kPooled = 32 * 56 * 56 * 64;

void pooling(benchmark::State& state, weft::ReduceKind kind) {
  weft::set_num_threads(static_cast<int>(state.range(0)));
  const Array x = normal(0, {32, 56, 56, 64});
  for (auto _ : state) benchmark::DoNotOptimize(weft::lax::reduce_window(x, kind, kPool));
  state.SetBytesProcessed(state.iterations() * kPooled * 5);
}
BENCHMARK_CAPTURE(pooling, max, weft::ReduceKind::kMax)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(pooling, sum, weft::ReduceKind::kSum)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

void pooling_gradient(benchmark::State& state, weft::ReduceKind kind) {
  weft::set_num_threads(static_cast<int>(state.range(0)));
  const Array x = normal(0, {32, 56, 56, 64}), ct = normal(1, {32, 28, 28, 64});
  const bool max = kind == weft::ReduceKind::kMax;
  // What the transposes of the two are.
  weft::Window spread{.dimensions = {1, 2, 2, 1}, .base_dilations = {1, 2, 2, 1}};
  spread.padding_low = spread.padding_high = {0, 1, 1, 0};
  for (auto _ : state)
    benchmark::DoNotOptimize(max ? weft::lax::select_and_scatter(x, ct, weft::WindowSelect::kGe, kPool)
                                 : weft::lax::reduce_window(ct, weft::ReduceKind::kSum, spread));
  state.SetBytesProcessed(state.iterations() * kPooled * (max ? 9 : 5));
}
BENCHMARK_CAPTURE(pooling_gradient, max, weft::ReduceKind::kMax)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(pooling_gradient, sum, weft::ReduceKind::kSum)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

#ifdef WEFT_BENCH_ONEDNN

using dnnl::memory;
using Tag = memory::format_tag;

const dnnl::engine& engine() {
  static const dnnl::engine* const e = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *e;
}

memory filled(const memory::desc& d) {
  memory m(d, engine());
  float* p = static_cast<float*>(m.get_data_handle());
  for (std::size_t i = 0; i < d.get_size() / sizeof(float); ++i) p[i] = static_cast<float>(i * 7 % 13) * .1f - .6f;
  return m;
}

void run(const dnnl::primitive& p, const std::unordered_map<int, memory>& args) {
  dnnl::stream stream(engine());
  p.execute(stream, args);
  stream.wait();
}

// Everything lies in the library's own layouts before the clock starts.
void library_convolution(benchmark::State& state, const Layer& l, bool gradients) {
  omp_set_num_threads(static_cast<int>(state.range(0)));
  const auto f32 = memory::data_type::f32;
  const Tag images = l.in == 1 ? Tag::nhwc : Tag::any;  // what it is fastest with
  const memory::desc s({32, l.in, l.size, l.size}, f32, images), w({l.out, l.in, 3, 3}, f32, Tag::any),
      d({32, l.out, l.size, l.size}, f32, images);
  const memory::dims one{1, 1};
  const auto way = dnnl::algorithm::convolution_auto;
  using dnnl::convolution_forward, dnnl::convolution_backward_data, dnnl::convolution_backward_weights;
  const convolution_forward::primitive_desc fd(
      convolution_forward::desc(dnnl::prop_kind::forward_training, way, s, w, d, one, one, one), engine());
  const convolution_backward_data::primitive_desc dd(convolution_backward_data::desc(way, s, w, d, one, one, one),
                                                     engine(), fd);
  const convolution_backward_weights::primitive_desc wd(convolution_backward_weights::desc(way, s, w, d, one, one, one),
                                                        engine(), fd);
  const convolution_forward forward(fd);
  const convolution_backward_data of_data(dd);
  const convolution_backward_weights of_weights(wd);
  const std::unordered_map<int, memory> forward_args{{DNNL_ARG_SRC, filled(fd.src_desc())},
                                                     {DNNL_ARG_WEIGHTS, filled(fd.weights_desc())},
                                                     {DNNL_ARG_DST, filled(fd.dst_desc())}};
  const std::unordered_map<int, memory> data_args{{DNNL_ARG_DIFF_SRC, filled(dd.diff_src_desc())},
                                                  {DNNL_ARG_WEIGHTS, filled(dd.weights_desc())},
                                                  {DNNL_ARG_DIFF_DST, filled(dd.diff_dst_desc())}};
  const std::unordered_map<int, memory> weights_args{{DNNL_ARG_SRC, filled(wd.src_desc())},
                                                     {DNNL_ARG_DIFF_WEIGHTS, filled(wd.diff_weights_desc())},
                                                     {DNNL_ARG_DIFF_DST, filled(wd.diff_dst_desc())}};
  for (auto _ : state) {
    run(forward, forward_args);
    if (!gradients) continue;
    run(of_weights, weights_args);
    if (l.in > 1) run(of_data, data_args);
  }
  count(state, l.products() * (!gradients ? 1 : l.in > 1 ? 3 : 2));
  omp_set_num_threads(1);
}
BENCHMARK_CAPTURE(library_convolution, first, kFirst, false)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(library_convolution, inner, kInner, false)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(library_convolution, first_with_gradients, kFirst, true)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(library_convolution, inner_with_gradients, kInner, true)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void library_pooling(benchmark::State& state, dnnl::algorithm way) {
  omp_set_num_threads(static_cast<int>(state.range(0)));
  const auto f32 = memory::data_type::f32;
  const memory::desc s({32, 64, 56, 56}, f32, Tag::nhwc), d({32, 64, 28, 28}, f32, Tag::nhwc);
  using dnnl::pooling_forward;
  const pooling_forward::primitive_desc pd(
      pooling_forward::desc(dnnl::prop_kind::forward_inference, way, s, d, {2, 2}, {2, 2}, {0, 0}, {0, 0}), engine());
  const pooling_forward pool(pd);
  const std::unordered_map<int, memory> args{{DNNL_ARG_SRC, filled(s)}, {DNNL_ARG_DST, filled(d)}};
  for (auto _ : state) run(pool, args);
  state.SetBytesProcessed(state.iterations() * kPooled * 5);
  omp_set_num_threads(1);
}
BENCHMARK_CAPTURE(library_pooling, max, dnnl::algorithm::pooling_max)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(library_pooling, average, dnnl::algorithm::pooling_avg)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
#endif

}  // namespace
