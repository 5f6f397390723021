#include "testing/traces.h"

#include <gtest/gtest.h>

#include "testing/assertion.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

TEST(assert_max_traces, counts_signatures) {
  clear_trace_counter();
  const auto f = jit(assert_max_traces([](Array x, Array y) { return x + y; }, 2));
  const Array a = np::ones({2}), b = np::ones({3});
  EXPECT_NO_THROW(f(a, a));
  EXPECT_NO_THROW(f(a, a));
  EXPECT_NO_THROW(f(b, b));
  std::string hint;
  EXPECT_EQ(error_of([&] { f(a.astype(i32), b(0)); }, &hint),
            kError +
                "assert_max_traces: the function must be traced at most 2 times; got trace 3, for i32[2], f32[] "
                "after f32[3], f32[3].");
  EXPECT_EQ(hint, "");
  EXPECT_NO_THROW(f(b, b));  // there is a program
}

TEST(assert_max_traces, finds_functions_that_are_made_anew) {
  clear_trace_counter();
  const auto step = [](const Array& x) { return jit(assert_max_traces([](Array y) { return y * y; }, 1))(x); };
  EXPECT_NO_THROW(step(1.0f));
  std::string hint;
  EXPECT_EQ(
      error_of([&] { step(2.0f); }, &hint),
      kError + "assert_max_traces: the function must be traced at most once; got trace 2, for f32[] after f32[].");
  EXPECT_EQ(hint.substr(0, 45), "a function that is made anew in each call, or");
  clear_trace_counter();
  EXPECT_NO_THROW(step(3.0f));
}

TEST(assert_max_traces, does_not_count_plain_calls) {
  clear_trace_counter();
  const auto f = assert_max_traces([](Array x) { return x + 1; }, 0);
  EXPECT_EQ(f(1.0f).item<float>(), 2);
  {
    const DisableJit disabled;
    EXPECT_EQ(jit(f)(1.0f).item<float>(), 2);
  }
  EXPECT_EQ(error_of([&] { jit(f)(1.0f); }),
            kError + "assert_max_traces: the function must be traced at most 0 times; got trace 1, for f32[].");
  EXPECT_THROW(vmap(f)(np::ones({2})), AssertionError);
}

TEST(assert_max_traces, keeps_the_parameters_of_the_function) {
  clear_trace_counter();
  // Numbers become arrays, and integers stay static, as the function says.
  const auto f = jit(assert_max_traces([](Array x, int n) { return n == 2 ? x * x : x; }, 2));
  EXPECT_EQ(f(3, 2).item<int>(), 9);
  EXPECT_EQ(f(4, 2).item<int>(), 16);
  EXPECT_EQ(f.cache_size(), 1u);
  EXPECT_EQ(grad(assert_max_traces([](const Array& x) { return x * x; }, 1))(3.0f).item<float>(), 6);
}

TEST(assert_max_traces, says_the_line_that_wraps) {
  clear_trace_counter();
  const auto f = jit(assert_max_traces([](Array x) { return x; }, 0));
  try {
    f(1.0f);
    FAIL() << "nothing was thrown";
  } catch (const AssertionError& e) {
    EXPECT_EQ(e.location().str(), "traces_test.cc:" + std::to_string(__LINE__ - 5));
  }
  EXPECT_EQ(error_of([] { assert_max_traces([](Array x) { return x; }, -1); }),
            "ValueError: assert_max_traces: the number of traces must not be negative; got -1.");
}

}  // namespace
}  // namespace weft::testing
