// Time to compile grows in proportion to programs, and equal parts cost little. bench/compile has the numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <limits>

#include "harness/compiler.h"
#include "harness/large_programs.h"
#include "weft/weft.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace weft::cpu {
namespace {

// Processor time of this process, the least of a few: other processes take their turns, but nothing away.
double seconds(const Jaxpr& program, Effort effort, int times) {
  double best = 1e9;
  for (int i = 0; i < times; ++i) {
    const auto now = [] {
      timespec t{};
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
      return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    };
    const double start = now();
    default_client().compile(program, {.effort = effort});
    best = std::min(best, now() - start);
  }
  return best;
}

// From programs of `n` equations to ones of ten times as many.
void grows_linearly(Effort effort, std::int64_t n) {
  for (const testing::LargeProgram& p : testing::large_programs()) {
    const Jaxpr small = p.make(n), large = p.make(10 * n);
    seconds(p.make(100), effort, 1);  // LLVM starts
    const double ratio = static_cast<double>(large.eqns().size()) / static_cast<double>(small.eqns().size());
    // The best of all: a few milliseconds are easily disturbed, and so is all of a machine's time for a while.
    double of_small = std::numeric_limits<double>::infinity(), of_large = of_small, exponent = 2;
    for (int tries = 0; tries < 5 && exponent > 1.1; ++tries) {
      of_small = std::min(of_small, seconds(small, effort, 4));
      of_large = std::min(of_large, seconds(large, effort, 2));
      exponent = std::log(of_large / of_small) / std::log(ratio);
    }
    // 1.1 is the aim, which bench/compile holds on a quiet machine; here others may use the caches that the larger
    // program needs and the smaller one does not. Quadratic time would be 2.
    EXPECT_LT(exponent, 1.5) << p.name;
  }
}

TEST(compile_time, of_code_grows_in_proportion) {
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  grows_linearly(Effort::kDefault, 1000);
}
TEST(compile_time, of_running_at_once_grows_in_proportion) {
#ifdef __GLIBC__
  // Large blocks are kept for the next program: else the kernel's page faults, which small ones are spared, are most of
  // the time.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
  grows_linearly(Effort::kNone, 3000);
}

TEST(compile_time, equal_layers_cost_like_one) {
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  const Jaxpr one = testing::equal_layers(1), many = testing::equal_layers(24);
  seconds(one, Effort::kDefault, 1);
  EXPECT_LT(seconds(many, Effort::kDefault, 3), 6 * seconds(one, Effort::kDefault, 3));
}

}  // namespace
}  // namespace weft::cpu
