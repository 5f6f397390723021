#include "testing/chexify.h"

#include <gtest/gtest.h>

#include "testing/assertion.h"
#include "testing/testing.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

struct Params {
  Array w, b;
};

TEST(chexify, makes_value_assertions_work_in_programs) {
  const auto f = chexify([](Params p, Array x) {
    assert_tree_all_finite(p);
    assert_trees_all_close(p.w, x, {.rtol = 0, .atol = 0.5});
    assert_trees_all_equal(p.b, 1.0f);
    return p.w * x;
  });
  const Array one = np::ones({2});
  EXPECT_EQ(f(Params{one, 1.0f}, one).to_vector<float>(), (std::vector<float>{1, 1}));
  EXPECT_EQ(error_of([&] { f(Params{np::array({np::nan, 1.0f}), 1.0f}, one); }),
            kError + "assert_tree_all_finite: every element must be finite; got [nan  1.] at .w.");
  EXPECT_EQ(
      error_of([&] { f(Params{one, 1.0f}, np::array({1.0f, 2.0f})); }),
      kError + "assert_trees_all_close: leaves must be equal within rtol 0.0 and atol 0.5; got [1. 1.] and [1. 2.].");
  EXPECT_EQ(error_of([&] { f(Params{one, 2.0f}, one); }),
            kError + "assert_trees_all_equal: leaves must be equal; got 2.0 and 1.0.");
}

constexpr int kLine = __LINE__ + 2;
Array checked_log(Array x) {
  assert_tree_all_finite(x);
  return np::log(x);
}

TEST(chexify, tells_the_line_of_the_assertion_and_keeps_going_afterwards) {
  const auto f = chexify(jit(checked_log));
  try {
    f(np::inf);
    FAIL() << "nothing was thrown";
  } catch (const AssertionError& e) {
    EXPECT_EQ(e.location().str(), "chexify_test.cc:" + std::to_string(kLine));
  }
  EXPECT_EQ(f(1.0f).item<float>(), 0);
}

TEST(chexify, is_needed_where_values_are_not_known) {
  EXPECT_EQ(error_of([] { jit(checked_log)(1.0f); }).substr(0, 64),
            "ValueError: check: in a program that is compiled, a check must h");
}

TEST(chexify, goes_through_scan_cond_and_vmap) {
  const auto sums = chexify([](Array xs) {
    return scan(
               [](Array c, Array x) {
                 assert_scalar_in(c, 0, 5);
                 return std::pair(c + x, c);
               },
               0.0f, xs)
        .first;
  });
  EXPECT_EQ(sums(np::array({1.0f, 2.0f, 3.0f})).item<float>(), 6);
  EXPECT_EQ(error_of([&] { sums(np::array({1.0f, 5.0f, 3.0f})); }),
            kError + "assert_scalar_in: x must be in [0.0, 5.0]; got 6.0.");
  const auto mapped = chexify([](Array xs) { return vmap(checked_log)(xs); });
  EXPECT_EQ(error_of([&] { mapped(np::array({1.0f, np::inf})); }),
            kError + "assert_tree_all_finite: every element must be finite; got inf.");
  const auto gradient = chexify([](Array x) { return grad([](Array y) { return checked_log(y); })(x); });
  EXPECT_EQ(gradient(2.0f).item<float>(), 0.5f);
  EXPECT_THROW(gradient(np::inf), AssertionError);
}

TEST(chexify, leaves_failures_to_the_one_around_it) {
  const auto inner = chexify(checked_log);
  const auto outer = chexify([&](Array x) { return inner(x) + 1; });
  EXPECT_EQ(outer(1.0f).item<float>(), 1);
  EXPECT_EQ(error_of([&] { outer(np::inf); }),
            kError + "assert_tree_all_finite: every element must be finite; got inf.");
}

TEST(chexify, reports_other_checks_as_checkify_does) {
  const auto f = chexify(
      [](Array x) {
        checkify::check(x > 0, "x is {}", x);
        return np::log(x);
      },
      checkify::all_checks);
  EXPECT_EQ(error_of([&] { f(-1.0f); }), "ValueError: x is -1.0");
  const auto nan = chexify([](Array x) { return np::log(x); }, checkify::float_checks);
  EXPECT_EQ(error_of([&] { nan(-1.0f); }).substr(0, 10), "ValueError");
  EXPECT_NO_THROW(with_jittable_assertions([](Array x) { return np::log(x); })(-1.0f));
}

TEST(chexify, compiles_once_and_keeps_static_arguments) {
  clear_trace_counter();
  const auto f = chexify(assert_max_traces(
      [](Array x, int n) {
        assert_tree_all_finite(x);
        return n == 2 ? x * x : x;
      },
      2));
  EXPECT_EQ(f(3.0f, 2).item<float>(), 9);
  EXPECT_EQ(f(4.0f, 2).item<float>(), 16);
  EXPECT_EQ(f(4.0f, 1).item<float>(), 4);
}

TEST(chexify, escapes_names_with_braces) {
  const auto f = chexify([](std::map<std::string, Array> m) {
    assert_tree_all_finite(m);
    return m.at("{x}");
  });
  EXPECT_EQ(error_of([&] { f(std::map<std::string, Array>{{"{x}", np::nan}}); }),
            kError + "assert_tree_all_finite: every element must be finite; got nan at ['{x}'].");
}

}  // namespace
}  // namespace weft::testing
