#include "testing/values.h"

#include <gtest/gtest.h>

#include <cmath>

#include "testing/assertion.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

struct Pair {
  Array w, b;
};

TEST(assert_trees_all_close, compares_within_tolerances) {
  const Array x = np::array({1.0f, 2.0f}), y = np::array({1.0f, 2.000001f});
  assert_trees_all_close(x, x);
  assert_trees_all_close(Pair{x, 1}, Pair{y, 1});
  assert_trees_all_close(x, np::array({1.1f, 2.1f}), {.atol = 0.11});
  assert_trees_all_close(x, np::array({1.1f, 2.2f}), {.rtol = 0.1});
  assert_trees_all_close(x, np::array({1.0, 2.0}));  // another dtype
  assert_trees_all_close(np::array({np::nan, np::inf}), np::array({np::nan, np::inf}));
  assert_trees_all_close(np::array({std::complex<float>(1, 2)}), np::array({std::complex<float>(1, 2.000001f)}));
  assert_trees_all_close(np::ones({2}, f8e4m3fn), np::ones({2}));
  // The right side is the one that tolerances are relative to.
  assert_trees_all_close(Array(1.0), Array(2.0), {.rtol = 0.5});
  EXPECT_THROW(assert_trees_all_close(Array(2.0), Array(1.0), {.rtol = 0.5}), AssertionError);
}

TEST(assert_trees_all_close, says_which_element_differs) {
  const Array w = np::array({{1.0f, 2.0f}, {3.0f, 4.0f}});
  const Pair a{w, 0.5f}, b{w.at(0, 1).set(2.5f).at(1, 0).set(2.75f), 0.5f};
  EXPECT_EQ(error_of([&] { assert_trees_all_close(a, b); }),
            kError +
                "assert_trees_all_close: leaves must be equal within rtol 1e-06 and atol 0.0; got 2.0 and 2.5 at "
                ".w[0,1] (2 of 4 elements differ, by up to 0.5).");
  EXPECT_EQ(
      error_of([&] { assert_trees_all_close(a, Pair{w, 0.75f}, {.rtol = 0, .atol = 0.1}); }),
      kError + "assert_trees_all_close: leaves must be equal within rtol 0.0 and atol 0.1; got 0.5 and 0.75 at .b.");
  EXPECT_EQ(error_of([] { assert_trees_all_close(np::array({1.0f, np::nan}), np::array({1.0f, 2.0f})); }),
            kError +
                "assert_trees_all_close: leaves must be equal within rtol 1e-06 and atol 0.0; got nan and 2.0 at "
                "[1] (1 of 2 elements differs, by up to nan).");
  EXPECT_EQ(error_of([] { assert_trees_all_close(Array(np::inf), Array(-np::inf)); }),
            kError + "assert_trees_all_close: leaves must be equal within rtol 1e-06 and atol 0.0; got inf and -inf.");
  EXPECT_EQ(error_of([&] { assert_trees_all_close(w, np::ones({4})); }),
            kError + "assert_trees_all_close: leaves must have equal shapes; got f32[2,2] and f32[4].");
  EXPECT_EQ(error_of([&] { assert_trees_all_close(a, Pair{w, Array()}); }),
            kError + "assert_trees_all_close: trees must have equal structure; got an array and none at .b.");
  EXPECT_THROW(assert_trees_all_close(Array(3.0), Array(np::inf)), AssertionError);
}

TEST(assert_trees_all_equal, compares_exactly) {
  assert_trees_all_equal(Pair{1, 2.5f}, Pair{1, 2.5f});
  assert_trees_all_equal(np::sum(np::ones({3})), 3);
  assert_trees_all_equal(np::array({0.0f, np::nan}), np::array({-0.0f, np::nan}));
  assert_trees_all_equal(np::array({1, 2}), np::array({1.0f, 2.0f}));
  const std::int64_t large = 9007199254740993;  // not a double
  assert_trees_all_equal(Array(large), Array(large));
  EXPECT_EQ(error_of([&] { assert_trees_all_equal(Array(large), Array(large - 1)); }),
            kError + "assert_trees_all_equal: leaves must be equal; got 9007199254740993 and 9007199254740992.");
  // Of two dtypes, too.
  assert_trees_all_equal(Array(large), Array(static_cast<std::uint64_t>(large)));
  EXPECT_THROW(assert_trees_all_equal(Array(large), Array(static_cast<std::uint64_t>(large - 1))), AssertionError);
  EXPECT_THROW(assert_trees_all_equal(Array(~std::uint64_t{0}), Array(std::int64_t{-1})), AssertionError);
  EXPECT_THROW(assert_trees_all_equal(Array(~std::uint64_t{0}), Array(INT64_MAX)), AssertionError);
  assert_trees_all_equal(Array(std::int8_t{-1}), Array(std::int64_t{-1}));
  assert_trees_all_equal(np::array({true, false}), np::array({1, 0}));
  EXPECT_EQ(error_of([&] { assert_trees_all_equal(np::array({true, false}), np::array({true, true})); }),
            kError +
                "assert_trees_all_equal: leaves must be equal; got False and True at [1] (1 of 2 elements differs, "
                "by up to 1.0).");
  EXPECT_EQ(error_of([&] { assert_trees_all_equal(Array(0.1f), Array(std::nextafter(0.1f, 1.0f))); }),
            kError + "assert_trees_all_equal: leaves must be equal; got 0.1 and 0.10000001.");
}

TEST(assert_trees_all_close_ulp, counts_numbers_between) {
  const auto next = [](float x, int n) {
    for (int i = 0; i < n; ++i) x = std::nextafter(x, 1e30f);
    return x;
  };
  assert_trees_all_close_ulp(Array(1.0f), Array(next(1.0f, 1)));
  assert_trees_all_close_ulp(Array(5e6f), Array(next(5e6f, 3)), 3);
  assert_trees_all_close_ulp(Array(-0x1p-149f), Array(0x1p-149f), 2);  // across 0
  assert_trees_all_close_ulp(Array(-0.0f), Array(0.0f), 0);
  assert_trees_all_close_ulp(np::array({np::nan}), np::array({np::nan}), 0);
  assert_trees_all_close_ulp(np::ones({2}, bf16), np::ones({2}, bf16) + 0.0078125f, 1);
  assert_trees_all_close_ulp(Array(1.0), Array(std::nextafter(1.0, 2.0)));
  assert_trees_all_close_ulp(np::array({1, 2}), np::array({1, 2}));
  EXPECT_EQ(error_of([&] { assert_trees_all_close_ulp(np::array({1.0f, 1.0f}), np::array({next(1, 1), next(1, 3)})); }),
            kError +
                "assert_trees_all_close_ulp: leaves must be equal within 1 ulp; got 1.0 and 1.0000004 at [1] (1 of "
                "2 elements differs, by up to 3.0 ulp).");
  EXPECT_EQ(error_of([&] { assert_trees_all_close_ulp(Array(1), Array(2)); }),
            kError +
                "assert_trees_all_close_ulp: leaves must be equal within 1 ulp; got 1 and 2 (1 of 1 element "
                "differs, by up to inf ulp).");
  EXPECT_EQ(error_of([&] { assert_trees_all_close_ulp(Array(1.0f), Array(1.0)); }),
            kError + "assert_trees_all_close_ulp: leaves must have equal shapes and dtypes; got f32[] and f64[].");
  EXPECT_THROW(assert_trees_all_close_ulp(np::array({np::nan}), np::array({1.0f}), 1000), AssertionError);
  EXPECT_THROW(jit([](Array x) {
                 assert_trees_all_close_ulp(x, x);
                 return x;
               })(1.0f),
               ConcretizationError);
}

TEST(assert_tree_all_finite, names_the_first_element) {
  assert_tree_all_finite(Pair{np::ones({2}), np::array({1, 2})});
  EXPECT_EQ(
      error_of([] { assert_tree_all_finite(Pair{1.0f, np::array({{1.0f, np::inf}, {np::nan, 2.0f}})}); }),
      kError + "assert_tree_all_finite: every element must be finite; got inf at .b[0,1] and 1 more of 4 elements.");
  EXPECT_EQ(error_of([] { assert_tree_all_finite(Array(std::complex<float>(0, np::nan))); }),
            kError + "assert_tree_all_finite: every element must be finite; got (0.0+nanj).");
}

TEST(assert_tree_all_finite, looks_at_numbers_too) {
  assert_tree_all_finite(2.0);
  assert_tree_all_finite(std::tuple(std::vector<float>{1, 2}, 3, std::string("a"), static_arg(1.0)));
  EXPECT_EQ(error_of([] { assert_tree_all_finite(std::nan("")); }),
            kError + "assert_tree_all_finite: every element must be finite; got nan.");
  EXPECT_EQ(error_of([] { assert_tree_all_finite(std::vector<float>{1, NAN}); }),
            kError + "assert_tree_all_finite: every element must be finite; got nan at [1].");
  EXPECT_EQ(error_of([] {
              assert_tree_all_finite(
                  std::tuple(np::array({np::inf}), std::complex<double>(0, INFINITY), static_arg(-INFINITY)));
            }),
            kError +
                "assert_tree_all_finite: every element must be finite; got (0.0,inf) at [1], -inf at [2] and inf "
                "at [0][0].");
}

TEST(value_assertions, are_checked_at_once_under_grad_and_vmap) {
  const auto f = [](Array x) {
    assert_tree_all_finite(x);
    return np::sum(x * x);
  };
  EXPECT_NO_THROW(grad(f)(np::ones({2})));
  EXPECT_EQ(error_of([&] { grad(f)(np::array({1.0f, np::nan})); }),
            kError + "assert_tree_all_finite: every element must be finite; got nan at [1].");
  EXPECT_NO_THROW(vmap(f)(np::ones({2, 2})));
  try {
    vmap(f)(np::array({{1.0f, 2.0f}, {3.0f, np::inf}}));
    FAIL() << "nothing was thrown";
  } catch (const AssertionError& e) {
    EXPECT_EQ(e.message(), "assert_tree_all_finite: every element must be finite; got [ 3. inf].");
    ASSERT_FALSE(e.notes().empty());
    EXPECT_EQ(e.notes()[0], "for example 1 of vmap");
  }
}

}  // namespace
}  // namespace weft::testing
