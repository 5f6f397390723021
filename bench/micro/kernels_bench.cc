// The CPU kernels beside what bounds them: memcpy for what moves memory, the library's own call for products.
// Arguments are sizes; "bytes_per_second" counts each operand and result once.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "weft/base/thread_pool.h"
#include "weft/cpu/allocator.h"
#include "weft/cpu/kernels/elementwise.h"
#include "weft/cpu/kernels/layout.h"
#include "weft/cpu/kernels/matmul.h"
#include "weft/cpu/kernels/reduce.h"
#include "weft/cpu/kernels/threefry.h"

#ifdef WEFT_BENCH_ONEDNN
#include <dnnl.h>
#endif

namespace weft::cpu {
namespace {

// Memory as arrays have it.
class Memory {
 public:
  explicit Memory(std::int64_t bytes) : bytes_(static_cast<std::size_t>(bytes)), data_(allocate(bytes_)) {
    for (std::size_t i = 0; i < bytes_ / 4; ++i) static_cast<float*>(data_)[i] = 1.0f + static_cast<float>(i % 97) / 64;
  }
  ~Memory() { deallocate(data_, bytes_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  float* data() const { return static_cast<float*>(data_); }

 private:
  std::size_t bytes_;
  void* data_;
};

void rate(benchmark::State& state, std::int64_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * bytes);
}

void BM_memcpy(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  Memory a(4 * n), b(4 * n);
  for (auto _ : state) {
    std::memcpy(b.data(), a.data(), static_cast<std::size_t>(4 * n));
    benchmark::ClobberMemory();
  }
  rate(state, 8 * n);
}
BENCHMARK(BM_memcpy)->Arg(10)->Arg(4096)->Arg(65536)->Arg(1 << 20)->Arg(16 << 20);

void BM_add(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  Memory a(4 * n), b(4 * n), c(4 * n);
  const ElementwiseKernel& k = *find_binary(OpCode::kAdd, f32);
  const Operand in[2] = {{a.data(), 0}, {b.data(), 0}};
  const Dims shape{n};
  for (auto _ : state) run_elementwise(k, shape, in, c.data());
  rate(state, 12 * n);
}
BENCHMARK(BM_add)->Arg(10)->Arg(4096)->Arg(65536)->Arg(1 << 20)->Arg(16 << 20);

// [rows, columns] + an operand that repeats: 1 along rows (a bias), 2 along columns.
void BM_add_repeated(benchmark::State& state) {
  const Dims shape{state.range(0), state.range(1)};
  const std::int64_t n = product(shape);
  Memory a(4 * n), b(4 * n), c(4 * n);
  const ElementwiseKernel& k = *find_binary(OpCode::kAdd, f32);
  const Operand in[2] = {{a.data(), 0}, {b.data(), static_cast<std::uint32_t>(state.range(2))}};
  for (auto _ : state) run_elementwise(k, shape, in, c.data());
  rate(state, 8 * n);
}
BENCHMARK(BM_add_repeated)
    ->Args({128, 512, 1})
    ->Args({128, 512, 2})
    ->Args({128, 10, 1})
    ->Args({128, 10, 2})
    ->Args({20000, 3, 1})
    ->Args({20000, 3, 2})
    ->Args({4096, 4096, 1})
    ->Args({4096, 4096, 2});

void BM_sum(benchmark::State& state) {
  const Dims shape{state.range(0), state.range(1)};
  const Dims axes = state.range(2) == 2 ? Dims{0, 1} : Dims{state.range(2)};
  Memory x(4 * product(shape)), out(4 * (shape[0] + shape[1]));
  for (auto _ : state) reduce(ReduceOp::kSum, f32, shape, axes, x.data(), out.data());
  rate(state, 4 * product(shape));
}
BENCHMARK(BM_sum)
    ->Args({1, 1000, 2})
    ->Args({128, 512, 0})
    ->Args({128, 512, 1})
    ->Args({128, 10, 1})
    ->Args({60000, 10, 0})
    ->Args({4096, 4096, 0})
    ->Args({4096, 4096, 1})
    ->Args({4096, 4096, 2});

void BM_argmax(benchmark::State& state) {
  const Dims shape{state.range(0), state.range(1)};
  Memory x(4 * product(shape)), out(8 * (shape[0] + shape[1]));
  for (auto _ : state) arg_reduce(true, f32, i32, shape, state.range(2), x.data(), out.data());
  rate(state, 4 * product(shape));
}
BENCHMARK(BM_argmax)->Args({128, 10, 1})->Args({4096, 4096, 0})->Args({4096, 4096, 1});

void BM_transpose(benchmark::State& state) {
  const Dims shape{state.range(0), state.range(1)}, permutation{1, 0};
  const std::int64_t element = state.range(2);
  Memory x(element * product(shape)), out(element * product(shape));
  for (auto _ : state) transpose(element, shape, permutation, x.data(), out.data());
  rate(state, 2 * element * product(shape));
}
BENCHMARK(BM_transpose)
    ->Args({128, 512, 4})
    ->Args({4096, 4096, 1})
    ->Args({4096, 4096, 2})
    ->Args({4096, 4096, 4})
    ->Args({4096, 4096, 8});

void BM_threefry(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  Memory c0(4 * n), c1(4 * n), o0(4 * n), o1(4 * n);
  const std::uint32_t key = 7;
  const std::uint32_t* const in[4] = {&key, &key, reinterpret_cast<std::uint32_t*>(c0.data()),
                                      reinterpret_cast<std::uint32_t*>(c1.data())};
  for (auto _ : state)
    threefry2x32(n, in, 3, reinterpret_cast<std::uint32_t*>(o0.data()), reinterpret_cast<std::uint32_t*>(o1.data()));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * n);
}
BENCHMARK(BM_threefry)->Arg(10)->Arg(1 << 20);

void BM_allocate(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    void* p = allocate(bytes);
    benchmark::DoNotOptimize(p);
    deallocate(p, bytes);
  }
}
BENCHMARK(BM_allocate)->Arg(40)->Arg(4000)->Arg(1 << 20);

// m, n, k, and whether a and b are transposed in memory.
void shapes(benchmark::internal::Benchmark* b) {
  for (const auto& s : {std::vector<std::int64_t>{128, 512, 784, 0, 0},
                        {784, 512, 128, 1, 0},
                        {128, 784, 512, 0, 1},
                        {128, 10, 512, 0, 0},
                        {8, 8, 8, 0, 0},
                        {64, 64, 64, 0, 0},
                        {512, 512, 512, 0, 0},
                        {1024, 1024, 1024, 0, 0},
                        {1024, 1, 1024, 0, 0},
                        {1, 1024, 1024, 0, 0}})
    b->Args(s);
}
void flops(benchmark::State& state) {
  state.counters["flops"] =
      benchmark::Counter(2.0 * static_cast<double>(state.range(0) * state.range(1) * state.range(2)),
                         benchmark::Counter::kIsIterationInvariantRate);
}

template <DType kType>
void BM_matmul(benchmark::State& state) {
  MatmulProblem p;
  p.m = state.range(0), p.n = state.range(1), p.k = state.range(2);
  p.dtype = p.result = kType;
  p.a_row = state.range(3) ? 1 : p.k, p.a_col = state.range(3) ? p.m : 1;
  p.b_row = state.range(4) ? 1 : p.n, p.b_col = state.range(4) ? p.k : 1;
  p.c_row = p.n;
  const std::int64_t bytes = byte_size(kType);
  Memory a(bytes * p.m * p.k), b(bytes * p.k * p.n), c(bytes * p.m * p.n);
  for (auto _ : state) matmul(p, a.data(), b.data(), c.data());
  flops(state);
}
BENCHMARK(BM_matmul<DType::kF32>)->Apply(shapes)->UseRealTime();
BENCHMARK(BM_matmul<DType::kF64>)->Apply(shapes)->UseRealTime();
BENCHMARK(BM_matmul<DType::kBF16>)->Apply(shapes)->UseRealTime();

#ifdef WEFT_BENCH_ONEDNN
// With the library's own threads.
void BM_dnnl_sgemm(benchmark::State& state) {
  const std::int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  const char ta = state.range(3) ? 'T' : 'N', tb = state.range(4) ? 'T' : 'N';
  Memory a(4 * m * k), b(4 * k * n), c(4 * m * n);
  for (auto _ : state)
    dnnl_sgemm(ta, tb, m, n, k, 1.0f, a.data(), ta == 'T' ? m : k, b.data(), tb == 'T' ? k : n, 0.0f, c.data(), n);
  flops(state);
}
BENCHMARK(BM_dnnl_sgemm)->Apply(shapes)->UseRealTime();
#endif

}  // namespace
}  // namespace weft::cpu
