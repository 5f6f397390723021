// How long programs take to compile, and the most memory that the process takes for it. Each measurement is a forked
// child's, so that it starts with an empty compiler and its own memory; the program is traced before. `exponent` is
// that of growth since the size before: 1 is linear.
//
//   weft_bench_compile --benchmark_filter=default
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <map>

#include "harness/large_programs.h"

namespace {

using weft::Effort;

struct Result {
  double seconds = 0, megabytes = 0, trace_seconds = 0;
  std::int64_t equations = 0;
};

double megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

bool measure(weft::Jaxpr (*make)(std::int64_t), std::int64_t n, Effort effort, Result& result) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    const auto now = [] { return std::chrono::steady_clock::now(); };
    const auto seconds = [&](auto since) { return std::chrono::duration<double>(now() - since).count(); };
    Result r;
    // What a process pays once: starting LLVM, reading the math library.
    weft::default_client().compile(make(20), {.effort = effort});
    const auto traced = now();
    const weft::Jaxpr program = make(n);
    r.trace_seconds = seconds(traced);
    r.equations = static_cast<std::int64_t>(program.eqns().size());
    const double before = megabytes();
    const auto start = now();
    benchmark::DoNotOptimize(weft::default_client().compile(program, {.effort = effort}));
    r.seconds = seconds(start);
    r.megabytes = megabytes() - before;
    _exit(write(ends[1], &r, sizeof r) == sizeof r ? 0 : 1);
  }
  close(ends[1]);
  const bool got = read(ends[0], &result, sizeof result) == sizeof result;
  close(ends[0]);
  int status = 0;
  return waitpid(child, &status, 0) == child && status == 0 && got;
}

void compile_time(benchmark::State& state, const std::string& name, weft::Jaxpr (*make)(std::int64_t), std::int64_t n,
                  Effort effort) {
  static std::map<std::string, Result> smaller;
  Result best;
  for (auto _ : state) {
    Result r;
    if (!measure(make, n, effort, r)) {
      state.SkipWithError("the child process failed");
      return;
    }
    state.SetIterationTime(r.seconds);
    if (best.seconds == 0 || r.seconds < best.seconds) best = r;
  }
  state.counters["equations"] = static_cast<double>(best.equations);
  state.counters["best_ms"] = 1e3 * best.seconds;
  state.counters["trace_ms"] = 1e3 * best.trace_seconds;
  state.counters["MB"] = best.megabytes;
  if (const Result before = std::exchange(smaller[name], best); before.equations > 0)
    state.counters["exponent"] = std::log(best.seconds / before.seconds) /
                                 std::log(static_cast<double>(best.equations) / static_cast<double>(before.equations));
}

const bool kRegistered = [] {
  const auto add = [](const std::string& name, auto make, std::int64_t n, Effort effort) {
    benchmark::RegisterBenchmark((name + "/" + std::to_string(n)).c_str(),
                                 [=](benchmark::State& state) { compile_time(state, name, make, n, effort); })
        ->UseManualTime()
        ->Iterations(n <= 1000    ? 5
                     : n <= 10000 ? 2
                                  : 1)
        ->Unit(benchmark::kMillisecond);
  };
  const struct {
    const char* name;
    Effort effort;
    std::int64_t most;
  } efforts[] = {{"default", Effort::kDefault, 100000}, {"max", Effort::kMax, 10000}, {"none", Effort::kNone, 100000}};
  for (const auto& e : efforts) {
    for (const weft::testing::LargeProgram& p : weft::testing::large_programs())
      for (std::int64_t n = 100; n <= e.most; n *= 10) add(std::string(e.name) + "/" + p.name, p.make, n, e.effort);
    for (const std::int64_t n : {1, 24})
      add(std::string(e.name) + "/equal_layers", weft::testing::equal_layers, n, e.effort);
  }
  return true;
}();

}  // namespace
