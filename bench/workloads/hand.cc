// Loops written by hand, compiled for this machine alone with the compiler's fastest arithmetic and its library of
// vector functions (bench/CMakeLists.txt). They are no peer, but what such a shape can reach in practice.
#ifdef WEFT_BENCH_HAND
#include <omp.h>

#include <cmath>
#include <cstdlib>
#include <memory>

#include "case.h"

namespace workloads {

namespace {

using Floats = std::shared_ptr<float[]>;

constexpr long kLarge = 10'000'000, kHugePage = 2 << 20;

// Numbers like those of a normal distribution, on huge pages.
Floats floats(long n) {
  const std::size_t bytes = (static_cast<std::size_t>(n) * sizeof(float) + kHugePage - 1) / kHugePage * kHugePage;
  auto* const p = static_cast<float*>(std::aligned_alloc(kHugePage, bytes));
  std::uint32_t state = 1;
  const auto uniform = [&] { return static_cast<float>((state = state * 1664525 + 1013904223) >> 8) * 0x1p-24f; };
  for (long i = 0; i < n; ++i) p[i] = (uniform() + uniform() + uniform() + uniform() - 2) * 1.732f;
  return Floats(p, &std::free);
}

// Eight vectors of sums, so that additions do not wait for each other.
float sum(const float* x, long n) {
  float part[128] = {};
  const long whole = n / 128 * 128;
  for (long i = 0; i < whole; i += 128)
    for (int k = 0; k < 128; ++k) part[k] += x[i + k];
  float total = 0;
  for (const float p : part) total += p;
  for (long i = whole; i < n; ++i) total += x[i];
  return total;
}

float largest(const float* x, long n) {
  float m = x[0];
#pragma omp simd reduction(max : m)
  for (long i = 0; i < n; ++i) m = x[i] > m ? x[i] : m;
  return m;
}

// y[i] = f(x[i]).
template <class F>
void add_map(Cases& cases, const char* workload, const char* params, long n, Amount amount, F f) {
  cases.push_back({"hand", workload, params, amount, [=](int threads) {
                     return Runnable{[=, x = floats(n), y = floats(n)] {
                       const float* in = x.get();
                       float* out = y.get();
#pragma omp parallel for simd num_threads(threads)
                       for (long i = 0; i < n; ++i) out[i] = f(in[i]);
                     }};
                   }});
}

// `row(in, out, i)` for each row of x[rows, columns] and y, which are as large.
template <class F>
void add_rows(Cases& cases, const char* workload, const char* params, long rows, long columns, Amount amount, F row) {
  cases.push_back({"hand", workload, params, amount, [=](int threads) {
                     return Runnable{[=, x = floats(rows * columns), y = floats(rows * columns)] {
                       const float* in = x.get();
                       float* out = y.get();
#pragma omp parallel for num_threads(threads)
                       for (long i = 0; i < rows; ++i) row(in + i * columns, out, i);
                     }};
                   }});
}

// y[j] = sum over i of f(x[i, j]) of a square matrix, with a row of sums for each thread.
template <class F>
void add_column_sums(Cases& cases, const char* workload, const char* params, long n, Amount amount, F f) {
  cases.push_back({"hand", workload, params, amount, [=](int threads) {
                     return Runnable{[=, x = floats(n * n), y = floats(n), parts = floats(threads * n)] {
                       const float* in = x.get();
#pragma omp parallel num_threads(threads)
                       {
                         float* mine = parts.get() + omp_get_thread_num() * n;
                         std::fill(mine, mine + n, 0.0f);
#pragma omp for
                         for (long i = 0; i < n; ++i) {
                           const float* r = in + i * n;
#pragma omp simd
                           for (long j = 0; j < n; ++j) mine[j] += f(r[j]);
                         }
                       }
                       for (long j = 0; j < n; ++j) {
                         y[j] = 0;
                         for (int t = 0; t < threads; ++t) y[j] += parts[t * n + j];
                       }
                     }};
                   }});
}

}  // namespace

void add_hand(Cases& cases) {
  add_map(cases, "chain", "10M", kLarge, {},
          [](float v) { return std::sin(v) * std::exp(-v * v) + std::tanh(v) / (1 + v * v); });
  add_map(cases, "unary_sin", "10M", kLarge, {.bytes = 8.0 * kLarge}, [](float v) { return std::sin(v); });
  add_map(cases, "unary_exp", "10M", kLarge, {.bytes = 8.0 * kLarge}, [](float v) { return std::exp(v); });
  add_map(cases, "unary_tanh", "10M", kLarge, {.bytes = 8.0 * kLarge}, [](float v) { return std::tanh(v); });
  add_map(cases, "add", "10M", kLarge, {.bytes = 8.0 * kLarge}, [](float v) { return v + v; });
  add_map(cases, "toy_readme", "5000^2", 5000 * 5000, {}, [](float v) { return v * v + v * 2; });
  add_column_sums(cases, "toy_sum_slice", "5000^2", 5000, {},
                  [](float v) { return ((v * 2 + 1) * v - .5f) * v + std::fabs(v); });

  constexpr long kColumns = 1024;
  constexpr double kBytes = 4.0 * 4096 * kColumns;
  add_rows(cases, "softmax", "4096x1024", 4096, kColumns, {.bytes = 2 * kBytes}, [](const float* x, float* y, long i) {
    y += i * kColumns;
    const float m = largest(x, kColumns);
#pragma omp simd
    for (long j = 0; j < kColumns; ++j) y[j] = std::exp(x[j] - m);
    const float scale = 1 / sum(y, kColumns);
#pragma omp simd
    for (long j = 0; j < kColumns; ++j) y[j] *= scale;
  });
  add_rows(cases, "logsumexp", "4096x1024", 4096, kColumns, {.bytes = kBytes}, [](const float* x, float* y, long i) {
    float e[kColumns];
    const float m = largest(x, kColumns);
#pragma omp simd
    for (long j = 0; j < kColumns; ++j) e[j] = std::exp(x[j] - m);
    y[i] = m + std::log(sum(e, kColumns));
  });
  constexpr long kWidth = 768;
  add_rows(cases, "layernorm", "8192x768", 8192, kWidth, {.bytes = 8.0 * 8192 * kWidth},
           [scale = floats(kWidth), shift = floats(kWidth)](const float* x, float* y, long i) {
             y += i * kWidth;
             const float mean = sum(x, kWidth) / kWidth;
             float squares = 0;
#pragma omp simd reduction(+ : squares)
             for (long j = 0; j < kWidth; ++j) squares += (x[j] - mean) * (x[j] - mean);
             const float factor = 1 / std::sqrt(squares / kWidth + 1e-5f);
             const float *g = scale.get(), *b = shift.get();
#pragma omp simd
             for (long j = 0; j < kWidth; ++j) y[j] = (x[j] - mean) * factor * g[j] + b[j];
           });

  constexpr long kSide = 4096;
  const Amount square{.bytes = 4.0 * kSide * kSide};
  cases.push_back({"hand", "sum_all", "10M", {.bytes = 4.0 * kLarge}, [](int threads) {
                     return Runnable{[=, x = floats(kLarge), y = floats(1)] {
                       float total = 0;
#pragma omp parallel for reduction(+ : total) num_threads(threads)
                       for (int t = 0; t < threads; ++t) total += sum(x.get() + kLarge / threads * t, kLarge / threads);
                       y[0] = total;
                     }};
                   }});
  add_column_sums(cases, "sum_axis0", "4096^2", kSide, square, [](float v) { return v; });
  add_rows(cases, "sum_axis1", "4096^2", kSide, kSide, square,
           [](const float* x, float* y, long i) { y[i] = sum(x, kSide); });
}

}  // namespace workloads
#endif
