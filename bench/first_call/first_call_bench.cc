// The first call of an operation in a process that has done nothing yet: whatever is started, looked up or compiled
// late is paid here. Each measurement is a forked child's; the parent never touches Weft, so that children start cold.
// Budget: 1 ms. `second` is the call after it, on the same operands.
#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>

#include "weft/weft.h"

namespace {

using weft::Array;
namespace np = weft::np;

using Operation = Array (*)(const Array& x);

// Seconds of the first and the second call in a child process; x is n x n.
struct Times {
  double first = 0, second = 0;
};
bool measure(Operation op, std::int64_t n, Times& times) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    // Operands come from outside, as a user's would: no operation has run before.
    std::vector<float> data(static_cast<std::size_t>(n * n));
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = 0.5f + static_cast<float>(i % 7);
    const Array x = Array::from_vector(data, {n, n});
    const auto seconds = [&] {
      const auto begin = std::chrono::steady_clock::now();
      benchmark::DoNotOptimize(op(x));
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    Times t;
    t.first = seconds();
    t.second = seconds();
    _exit(write(ends[1], &t, sizeof t) == sizeof t ? 0 : 1);
  }
  close(ends[1]);
  const bool got = read(ends[0], &times, sizeof times) == sizeof times;
  close(ends[0]);
  int status = 0;
  return waitpid(child, &status, 0) == child && status == 0 && got;
}

void first_call(benchmark::State& state, Operation op, std::int64_t n) {
  double second = 0;
  for (auto _ : state) {
    Times t;
    if (!measure(op, n, t)) {
      state.SkipWithError("the child process failed");
      return;
    }
    state.SetIterationTime(t.first);
    second += t.second;
  }
  state.counters["second_us"] = 1e6 * second / static_cast<double>(state.iterations());
}

const struct {
  const char* name;
  Operation op;
  std::int64_t n = 64;
} kOperations[] = {
    {"add", [](const Array& x) { return x + x; }},
    {"exp", [](const Array& x) { return np::exp(x); }},
    {"sum", [](const Array& x) { return np::sum(x); }},
    {"argmax", [](const Array& x) { return np::argmax(x, 0); }},
    {"transpose", [](const Array& x) { return np::transpose(x) + x; }},
    {"index", [](const Array& x) { return x(weft::slice(1, 5), 3); }},
    {"gather", [](const Array& x) { return x(np::array({1, 2, 5})); }},
    {"at_set", [](const Array& x) { return x.at(1, 2).set(1); }},
    {"cumsum", [](const Array& x) { return np::cumsum(x, 0); }},
    {"sort", [](const Array& x) { return np::sort(x); }},
    {"matmul", [](const Array& x) { return np::matmul(x, x); }},
    {"matmul_f64", [](const Array& x) { return np::matmul(x.astype(weft::f64), x.astype(weft::f64)); }},
    {"matmul_bf16", [](const Array& x) { return np::matmul(x.astype(weft::bf16), x.astype(weft::bf16)); }},
    {"matmul_128", [](const Array& x) { return np::matmul(x, x); }, 128},
    {"matmul_512", [](const Array& x) { return np::matmul(x, x); }, 512},
    {"matmul_1024", [](const Array& x) { return np::matmul(x, x); }, 1024},  // where the library starts its code
    {"normal", [](const Array&) { return weft::random::normal(weft::random::key(0), {64, 64}); }},
    {"permutation", [](const Array&) { return weft::random::permutation(weft::random::key(0), 100); }},
    {"grad", [](const Array& x) { return weft::grad([](Array y) { return np::sum(np::tanh(y)); })(x); }},
    {"vmap", [](const Array& x) { return weft::vmap([](Array y) { return np::dot(y, y); })(x); }},
    {"jit", [](const Array& x) { return weft::jit([](Array y) { return np::tanh(y) * 2; })(x); }},
};

const bool kRegistered = [] {
  for (const auto& o : kOperations)
    benchmark::RegisterBenchmark((std::string("first_call_of/") + o.name).c_str(), first_call, o.op, o.n)
        ->UseManualTime()
        ->Iterations(20)
        ->Unit(benchmark::kMicrosecond);
  return true;
}();

}  // namespace
