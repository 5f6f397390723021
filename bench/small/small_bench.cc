// Small programs: what compilers of arrays are worst at. Beside each stands the same loop in C++, compiled by the same
// compiler with the same instructions allowed (an attribute of the function).
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "weft/weft.h"

namespace {

using weft::Array;
namespace np = weft::np;

// Everything that this machine's processor has, for the loops in C++.
#if defined(__x86_64__) && defined(__GNUC__)
#define HAND __attribute__((noinline, target("arch=x86-64-v4")))
#else
#define HAND __attribute__((noinline))
#endif

// Memory for call_into.
struct Workspace {
  explicit Workspace(std::size_t bytes) : memory(std::aligned_alloc(64, (bytes + 127) / 64 * 64), &std::free) {}
  std::unique_ptr<void, decltype(&std::free)> memory;
};

// ---- adding ten numbers ----

HAND void add_10(const float* a, const float* b, float* c) {
  for (int i = 0; i < 10; ++i) c[i] = a[i] + b[i];
}
void hand_add_10(benchmark::State& state) {
  float a[10] = {1}, b[10] = {2}, c[10];
  for (auto _ : state) {
    add_10(a, b, c);
    benchmark::DoNotOptimize(c);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(hand_add_10);

auto compiled_add() {
  return weft::compile([](Array a, Array b) { return a + b; }, weft::abstract(weft::f32, {10}),
                       weft::abstract(weft::f32, {10}));
}
void weft_add_10_jit(benchmark::State& state) {
  const auto f = weft::jit([](Array a, Array b) { return a + b; });
  const Array a = np::arange(10).astype(weft::f32), b = a + 1.0f;
  for (auto _ : state) benchmark::DoNotOptimize(f(a, b));
}
BENCHMARK(weft_add_10_jit);
void weft_add_10_call_into(benchmark::State& state) {
  const auto f = compiled_add();
  const Workspace workspace(f.workspace_bytes());
  float a[10] = {1}, b[10] = {2}, c[10];
  const void* in[] = {a, b};
  void* out[] = {c};
  for (auto _ : state) {
    f.call_into(out, in, workspace.memory.get());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(weft_add_10_call_into);
void weft_add_10_raw(benchmark::State& state) {
  const auto f = compiled_add();
  const auto raw = f.raw();
  const Workspace workspace(f.workspace_bytes());
  float a[10] = {1}, b[10] = {2}, c[10];
  const void* in[] = {a, b};
  void* out[] = {c};
  for (auto _ : state) {
    raw(in, out, workspace.memory.get());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(weft_add_10_raw);

// ---- a policy of 6-64-8-4 ----

struct Policy {
  float w1[6 * 64], b1[64], w2[64 * 8], b2[8], w3[8 * 4], b3[4];
};
HAND void policy(const Policy& p, const float* x, float* y) {
  float h1[64], h2[8];
  for (int j = 0; j < 64; ++j) h1[j] = p.b1[j];
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 64; ++j) h1[j] += x[i] * p.w1[64 * i + j];
  for (int j = 0; j < 64; ++j) h1[j] = h1[j] > 0 ? h1[j] : 0;
  for (int j = 0; j < 8; ++j) h2[j] = p.b2[j];
  for (int i = 0; i < 64; ++i)
    for (int j = 0; j < 8; ++j) h2[j] += h1[i] * p.w2[8 * i + j];
  for (int j = 0; j < 8; ++j) h2[j] = h2[j] > 0 ? h2[j] : 0;
  for (int j = 0; j < 4; ++j) y[j] = p.b3[j];
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 4; ++j) y[j] += h2[i] * p.w3[4 * i + j];
}
void hand_policy(benchmark::State& state) {
  Policy p;
  auto* w = reinterpret_cast<float*>(&p);
  for (std::size_t i = 0; i < sizeof p / 4; ++i) w[i] = std::sin(static_cast<float>(i));
  float x[6] = {1, 2, 3, 4, 5, 6}, y[4];
  for (auto _ : state) {
    policy(p, x, y);
    benchmark::DoNotOptimize(y);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(hand_policy);
void weft_policy(benchmark::State& state) {
  const auto type = [](std::initializer_list<std::int64_t> shape) {
    return weft::abstract(weft::f32, weft::Shape(std::vector<std::int64_t>(shape)));
  };
  const auto f = weft::compile(
      [](Array x, Array w1, Array b1, Array w2, Array b2, Array w3, Array b3) {
        const Array h1 = np::maximum(np::matmul(x, w1) + b1, 0.0f);
        const Array h2 = np::maximum(np::matmul(h1, w2) + b2, 0.0f);
        return np::matmul(h2, w3) + b3;
      },
      type({6}), type({6, 64}), type({64}), type({64, 8}), type({8}), type({8, 4}), type({4}));
  const auto raw = f.raw();
  const Workspace workspace(f.workspace_bytes());
  Policy p;
  auto* w = reinterpret_cast<float*>(&p);
  for (std::size_t i = 0; i < sizeof p / 4; ++i) w[i] = std::sin(static_cast<float>(i));
  float x[6] = {1, 2, 3, 4, 5, 6}, y[4];
  const void* in[] = {x, p.w1, p.b1, p.w2, p.b2, p.w3, p.b3};
  void* out[] = {y};
  for (auto _ : state) {
    raw(in, out, workspace.memory.get());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(weft_policy);

// ---- 1,000 steps over a state of ten numbers, thirty operations each ----

template <class T>
auto step_of_30(T s) {
  for (int i = 0; i < 6; ++i) s = (s * 0.9f + 0.1f) * (s * 0.5f + 0.25f) + 0.05f;
  return s;
}
HAND void steps(const float* start, float* end) {
  float s[10];
  std::memcpy(s, start, sizeof s);
  for (int t = 0; t < 1000; ++t)
    for (int i = 0; i < 10; ++i) s[i] = step_of_30(s[i]);
  std::memcpy(end, s, sizeof s);
}
void hand_scan_1000(benchmark::State& state) {
  float a[10] = {0.1f, 0.2f, 0.3f, 0.4f}, b[10];
  for (auto _ : state) {
    steps(a, b);
    benchmark::DoNotOptimize(b);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(hand_scan_1000);
const auto scan_1000 = [](Array s) {
  return weft::fori_loop(0, 1000, [](Array, Array v) { return step_of_30(v); }, s);
};
void weft_scan_1000(benchmark::State& state) {
  const auto f = weft::jit(scan_1000);
  const Array s = np::arange(10).astype(weft::f32) * 0.1f;
  for (auto _ : state) benchmark::DoNotOptimize(f(s));
}
BENCHMARK(weft_scan_1000);
void weft_scan_1000_gradient(benchmark::State& state) {
  const auto f = weft::jit(weft::grad([](Array s) { return np::sum(scan_1000(s)); }));
  const Array s = np::arange(10).astype(weft::f32) * 0.1f;
  for (auto _ : state) benchmark::DoNotOptimize(f(s));
}
BENCHMARK(weft_scan_1000_gradient);

// ---- Kepler's equation by Newton's method: E - e sin E = M ----

HAND double kepler(double mean, double e) {
  double x = mean;
  for (int i = 0; i < 20; ++i) x = x - (x - e * std::sin(x) - mean) / (1 - e * std::cos(x));
  return x;
}
void hand_kepler(benchmark::State& state) {
  double mean = 1.5, e = 0.3;
  for (auto _ : state) {
    benchmark::DoNotOptimize(mean);
    benchmark::DoNotOptimize(kepler(mean, e));
  }
}
BENCHMARK(hand_kepler);
void weft_kepler(benchmark::State& state) {
  const auto f = weft::jit([](Array mean, Array e) {
    return weft::fori_loop(
        0, 20, [&](Array, Array x) { return x - (x - e * np::sin(x) - mean) / (1.0 - e * np::cos(x)); }, mean);
  });
  const Array mean(1.5), e(0.3);
  for (auto _ : state) benchmark::DoNotOptimize(f(mean, e));
}
BENCHMARK(weft_kepler);

// ---- a nerve's membrane after Hodgkin and Huxley (1952), 1,000 steps of Euler's method in f64 ----

// State: voltage in mV, then the gates m, h, n. Time in ms, current in uA/cm^2.
template <class T>
struct Membrane {
  T v, m, h, n;
};
template <class T, class Exp>
Membrane<T> membrane_step(const Membrane<T>& s, const T& current, Exp exp) {
  const double dt = 0.01;
  const T x = s.v + 40.0, y = s.v + 55.0;
  const T am = 0.1 * x / (1.0 - exp(x * -0.1)), bm = 4.0 * exp((s.v + 65.0) * (-1 / 18.0));
  const T ah = 0.07 * exp((s.v + 65.0) * -0.05), bh = 1.0 / (1.0 + exp((s.v + 35.0) * -0.1));
  const T an = 0.01 * y / (1.0 - exp(y * -0.1)), bn = 0.125 * exp((s.v + 65.0) * (-1 / 80.0));
  const T ionic =
      120.0 * s.m * s.m * s.m * s.h * (s.v - 50.0) + 36.0 * s.n * s.n * s.n * s.n * (s.v + 77.0) + 0.3 * (s.v + 54.387);
  return {s.v + dt * (current - ionic), s.m + dt * (am * (1.0 - s.m) - bm * s.m),
          s.h + dt * (ah * (1.0 - s.h) - bh * s.h), s.n + dt * (an * (1.0 - s.n) - bn * s.n)};
}
HAND double membrane(double current) {
  Membrane<double> s{-65, 0.05, 0.6, 0.32};
  for (int t = 0; t < 1000; ++t) s = membrane_step(s, current, [](double x) { return std::exp(x); });
  return s.v;
}
void hand_membrane(benchmark::State& state) {
  double current = 10;
  for (auto _ : state) {
    benchmark::DoNotOptimize(current);
    benchmark::DoNotOptimize(membrane(current));
  }
}
BENCHMARK(hand_membrane);
void weft_membrane(benchmark::State& state) {
  const auto f = weft::jit([](Array current) {
    const Membrane<Array> start{Array(-65.0), Array(0.05), Array(0.6), Array(0.32)};
    return weft::fori_loop(
               0, 1000,
               [&](Array, Membrane<Array> s) { return membrane_step(s, current, [](Array x) { return np::exp(x); }); },
               start)
        .v;
  });
  const Array current(10.0);
  if (std::abs(f(current).item<double>() - membrane(10)) > 1e-6) return state.SkipWithError("other results");
  for (auto _ : state) benchmark::DoNotOptimize(f(current));
}
BENCHMARK(weft_membrane);

// ---- 32 systems of three equations, solved 100 times by Cramer's rule ----

constexpr int kSystems = 32;

template <class T>
struct Vector3 {
  T x, y, z;
};
template <class T>
Vector3<T> cross(const Vector3<T>& a, const Vector3<T>& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
template <class T>
T dot(const Vector3<T>& a, const Vector3<T>& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
// The solution of a x = b, where a has the columns p, q, r.
template <class T>
Vector3<T> solve(const Vector3<T>& p, const Vector3<T>& q, const Vector3<T>& r, const Vector3<T>& b) {
  const Vector3<T> qr = cross(q, r);
  const T scale = 1.0f / dot(p, qr);
  return {dot(b, qr) * scale, dot(b, cross(r, p)) * scale, dot(b, cross(p, q)) * scale};
}
template <class T>
Vector3<T> halfway(const Vector3<T>& a, const Vector3<T>& b) {
  return {(a.x + b.x) * 0.5f, (a.y + b.y) * 0.5f, (a.z + b.z) * 0.5f};
}
// matrices[i] is row-major; b is [kSystems, 3].
HAND void solve_100(const float (*matrices)[9], float (*b)[3]) {
  for (int t = 0; t < 100; ++t)
    for (int i = 0; i < kSystems; ++i) {
      const float* m = matrices[i];
      const Vector3<float> now{b[i][0], b[i][1], b[i][2]};
      const Vector3<float> next =
          halfway(now, solve<float>({m[0], m[3], m[6]}, {m[1], m[4], m[7]}, {m[2], m[5], m[8]}, now));
      b[i][0] = next.x, b[i][1] = next.y, b[i][2] = next.z;
    }
}
struct Systems {
  float matrices[kSystems][9], b[kSystems][3];
};
Systems systems() {
  Systems s;
  for (int i = 0; i < kSystems; ++i) {
    for (int k = 0; k < 9; ++k)
      s.matrices[i][k] = (k % 4 == 0 ? 1.0f : 0.0f) + 0.001f * static_cast<float>((i + k) % 7);
    for (int k = 0; k < 3; ++k) s.b[i][k] = 0.1f * static_cast<float>(i + k);
  }
  return s;
}
void hand_solve_3x3(benchmark::State& state) {
  const Systems s = systems();
  float b[kSystems][3];
  for (auto _ : state) {
    std::memcpy(b, s.b, sizeof b);
    solve_100(s.matrices, b);
    benchmark::DoNotOptimize(b);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(hand_solve_3x3);
void weft_solve_3x3(benchmark::State& state) {
  const auto f = weft::jit([](Array m, Array b) {
    const auto column = [](const Array& a, int j) {
      return Vector3<Array>{a(weft::ellipsis, 0, j), a(weft::ellipsis, 1, j), a(weft::ellipsis, 2, j)};
    };
    return weft::fori_loop(
        0, 100,
        [&](Array, Array v) {
          const Vector3<Array> now{v(weft::ellipsis, 0), v(weft::ellipsis, 1), v(weft::ellipsis, 2)};
          const Vector3<Array> next = halfway(now, solve(column(m, 0), column(m, 1), column(m, 2), now));
          return np::stack({next.x, next.y, next.z}, 1);
        },
        b);
  });
  Systems s = systems();
  const Array m = Array::from_span(std::span<const float>(s.matrices[0], 9 * kSystems), {kSystems, 3, 3}),
              b = Array::from_span(std::span<const float>(s.b[0], 3 * kSystems), {kSystems, 3});
  const std::vector<float> got = f(m, b).to_vector<float>();
  solve_100(s.matrices, s.b);
  for (int i = 0; i < 3 * kSystems; ++i)
    if (std::abs(got[static_cast<std::size_t>(i)] - s.b[i / 3][i % 3]) > 1e-3f)
      return state.SkipWithError("other results");
  for (auto _ : state) benchmark::DoNotOptimize(f(m, b));
}
BENCHMARK(weft_solve_3x3);

// ---- the gradient of a scalar function of ten operations ----

void weft_gradient_of_10_operations(benchmark::State& state) {
  const auto f = weft::jit(weft::grad([](Array x) {
    const Array a = np::sin(x) * x, b = np::exp(-a), c = b + x * 2.0f;
    return np::tanh(c) * a + np::log(c * c + 1.0f);
  }));
  const Array x(0.7f);
  for (auto _ : state) benchmark::DoNotOptimize(f(x));
}
BENCHMARK(weft_gradient_of_10_operations);

}  // namespace
