#include "weft/cpu/executable.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "weft/control/programs.h"
#include "weft/core/process_grid.h"
#include "weft/ops/collectives.h"
#include "weft/runtime/client.h"
#include "weft/weft.h"

namespace weft::cpu {
namespace {

// Memory beyond what is live before, at the worst moment of f().
template <class F>
std::int64_t peak_of(F&& f) {
  const std::int64_t before = memory_stats().live_bytes;
  reset_peak_memory();
  f();
  return memory_stats().peak_bytes - before;
}

TEST(executable, an_elementwise_chain_runs_in_one_buffer) {
  constexpr std::int64_t n = 100000;
  const Array x = np::ones({n}) + np::arange(n).astype(f32);
  const auto f = jit([](const Array& a) {
    Array y = a * 2.0f;
    for (int i = 0; i < 10; ++i) y = np::sin(y) + 1.0f;
    return y;
  });
  f(x);
  EXPECT_LT(peak_of([&] { f(x); }), x.nbytes() * 3 / 2);  // blocks are a little larger than asked for
}

TEST(executable, arguments_are_never_overwritten) {
  const Array x = np::arange(1000).astype(f32);
  const auto f = jit([](const Array& a) { return (a + 1.0f) * 2.0f; });
  const std::vector<float> before = x.to_vector<float>();
  const Array y = f(x), z = f(x);
  EXPECT_EQ(x.to_vector<float>(), before);
  EXPECT_EQ(y.to_vector<float>(), z.to_vector<float>());
}

TEST(executable, an_input_and_a_constant_may_be_outputs) {
  const Array x = np::arange(5).astype(f32);
  const auto f = jit([](const Array& a) { return std::tuple{a, np::full({3}, 7.0f), a, a + 0.0f}; });
  const auto [same, constant, again, sum] = f(x);
  EXPECT_EQ(same.to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(again.to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(constant.to_vector<float>(), (std::vector<float>{7, 7, 7}));
  EXPECT_EQ(sum.to_vector<float>(), x.to_vector<float>());
}

TEST(executable, a_value_that_is_needed_later_is_not_taken_for_a_result) {
  const Array x = random::uniform(random::key(0), {100});
  const auto f = [](const Array& a) {
    const Array y = a * 3.0f, z = y + 1.0f, w = np::sin(y);
    return z * w + y;
  };
  EXPECT_EQ(jit(f)(x).to_vector<float>(), f(x).to_vector<float>());
}

TEST(executable, one_program_runs_on_many_threads_at_a_time) {
  const auto f = jit([](const Array& a) { return np::sum(np::exp(a) * a); });
  const Array x = random::uniform(random::key(1), {1000});
  const float expected = f(x).item<float>();
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) wrong += f(x).item<float>() != expected;
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

// x = tanh(x w), `steps` times.
const ir::Jaxpr& iteration() {
  static const ir::Jaxpr body = ir::parse(R"({ lambda w:f32[64,64]; i:i32[] x:f32[64,64]. let
    j:i32[] = add i 1:i32[]
    y:f32[64,64] = dot_general[dimension_numbers=(([1], [0]), ([], [])) preferred_element_type=float32] x w
    z:f32[64,64] = tanh y
  in (j, z) })");
  return body;
}
Array iterated(const Array& w, const Array& x, std::int32_t steps) {
  const ir::Jaxpr cond =
      ir::parse("{ lambda ; i:i32[] x:f32[64,64]. let c:bool[] = lt i " + std::to_string(steps) + ":i32[] in (c,) }");
  return lax::while_(cond, iteration(), Arrays{w}, Arrays{Array(0), x})[1];
}

TEST(executable, programs_inside_operations_run_on_the_same_kernels) {
  const Array w = random::normal(random::key(2), {64, 64}) * 0.1f, x = random::normal(random::key(3), {64, 64});
  Array want = x;
  for (int i = 0; i < 7; ++i) want = np::tanh(np::matmul(want, w));
  // Bit by bit: not by reference evaluation, which sums in another order.
  EXPECT_EQ(iterated(w, x, 7).to_vector<float>(), want.to_vector<float>());
  const auto f = jit([](const Array& a, const Array& b) { return iterated(a, b, 7); });
  EXPECT_EQ(f(w, x).to_vector<float>(), want.to_vector<float>());
}

TEST(executable, a_loop_holds_no_more_memory_the_longer_it_runs) {
  const Array w = random::normal(random::key(2), {64, 64}) * 0.1f, x = random::normal(random::key(3), {64, 64});
  const auto peak = [&](std::int32_t steps) { return peak_of([&] { iterated(w, x, steps); }); };
  peak(2);
  EXPECT_LE(peak(200), peak(2));
}

TEST(executable, jitted_programs_of_several_processes_meet) {
  ProcessGrid grid(4, 1);
  std::atomic<int> wrong{0};
  grid.run([&](ProcessId id) {
    const auto f = jit([](const Array& a) {
      const Arrays sums = lax::all_reduce(Arrays{np::exp(a)}, ReduceKind::kSum, ProcessGroups{});
      return np::sum(sums[0]) + lax::convert(lax::replica_id(), f32);
    });
    const Array x = np::full({1000}, static_cast<float>(id.replica));
    const float want = 1000 * (1 + std::exp(1.0f) + std::exp(2.0f) + std::exp(3.0f)) + static_cast<float>(id.replica);
    for (int i = 0; i < 20; ++i) wrong += std::abs(f(x).item<float>() - want) > 0.1f;
  });
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace weft::cpu
