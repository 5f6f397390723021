#include "weft/cpu/executable.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

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
  const Array x = np::ones({n});
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

}  // namespace
}  // namespace weft::cpu
