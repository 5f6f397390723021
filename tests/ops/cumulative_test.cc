// cumprod, cummax, cummin, cumlogsumexp.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft {
namespace {

using Doubles = std::vector<double>;
using testing::error_of;
constexpr double kInf = std::numeric_limits<double>::infinity();

Doubles doubles(const Array& a) { return a.astype(f64).to_vector<double>(); }
void expect_near(const Array& a, const Doubles& want) {
  const Doubles got = doubles(a);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-12) << i;
}

using Cumulative = Array (*)(const Arg&, int, bool);
struct Case {
  const char* name;
  Cumulative of;
  double (*combine)(double, double);
};
const Case kCases[] = {
    {"cumprod", lax::cumprod, [](double a, double b) { return a * b; }},
    {"cummax", lax::cummax, [](double a, double b) { return std::max(a, b); }},
    {"cummin", lax::cummin, [](double a, double b) { return std::min(a, b); }},
    {"cumlogsumexp", lax::cumlogsumexp, [](double a, double b) { return std::log(std::exp(a) + std::exp(b)); }},
};

TEST(cumulative, is_the_plain_loop_along_any_axis_in_both_directions) {
  for (const Case& c : kCases)
    for (const std::int64_t n : {0, 1, 2, 3, 7, 8}) {
      SCOPED_TRACE(std::string(c.name) + " of " + std::to_string(n));
      const Array x = np::sin(np::reshape(np::arange(2.0 * static_cast<double>(n)), {2, n}) + 0.5);
      for (const bool reverse : {false, true}) {
        Doubles want = doubles(x);
        for (std::int64_t row = 0; row < 2; ++row)
          for (std::int64_t i = 1; i < n; ++i) {
            const auto at = [&](std::int64_t k) {
              return static_cast<std::size_t>(row * n + (reverse ? n - 1 - k : k));
            };
            want[at(i)] = c.combine(want[at(i - 1)], want[at(i)]);
          }
        expect_near(c.of(x, 1, reverse), want);
        expect_near(c.of(x, -1, reverse), want);
        expect_near(jit([&](Array a) { return c.of(a, 1, reverse); })(x), want);
        expect_near(np::transpose(c.of(np::transpose(x), 0, reverse)), want);
        expect_near(vmap([&](Array a) { return c.of(a, 0, reverse); })(x), want);
      }
    }
}

TEST(cumulative, derivatives_agree_with_differences_to_the_second_order) {
  const Array x = np::array({0.3, -0.8, 1.7, 0.9, -1.1}), w = np::array({1.0, -2.0, 0.5, 3.0, 1.5});
  for (const Case& c : kCases)
    for (const bool reverse : {false, true}) {
      SCOPED_TRACE(c.name);
      const auto loss = [&](Array a) { return np::sum(w * np::square(c.of(a, 0, reverse))); };
      const Array slope = grad(loss)(x), second = hessian(loss)(x);
      for (int i = 0; i < 5; ++i) {
        const Array step = 1e-5 * np::eye(5).astype(f64)(i);
        EXPECT_NEAR(slope(i).item<double>(), ((loss(x + step) - loss(x - step)) / 2e-5).item<double>(), 1e-7);
        expect_near(np::round(1e6 * (second(i) - (grad(loss)(x + step) - grad(loss)(x - step)) / 2e-5)),
                    Doubles(5, 0.0));
      }
      EXPECT_NEAR(np::dot(slope, w).item<double>(), jvp(loss, x, w).second.item<double>(), 1e-12);
    }
}

TEST(cumulative, zeros_infinities_and_nan_do_no_harm) {
  // A product has the derivative of the others, also where they are zero.
  expect_near(grad([](Array x) { return lax::cumprod(x, 0)(2); })(np::array({2.0, 0.0, 3.0})), {0, 6, 0});
  expect_near(grad([](Array x) { return lax::cumprod(x, 0)(2); })(np::array({0.0, 0.0, 3.0})), {0, 0, 0});
  const Array low = np::array({-kInf, -kInf, 1.0});
  EXPECT_EQ(doubles(lax::cumlogsumexp(low, 0)), (Doubles{-kInf, -kInf, 1}));
  expect_near(grad([](Array x) { return lax::cumlogsumexp(x, 0)(2); })(low), {0, 0, 1});
  EXPECT_EQ(doubles(lax::cumlogsumexp(np::array({1.0, kInf}), 0)), (Doubles{1, kInf}));
  expect_near(lax::cumlogsumexp(np::array({1000.0, 1000.0}), 0), {1000, 1000 + std::log(2.0)});
  const Doubles after = doubles(lax::cummax(np::array({1.0, std::nan(""), 2.0}), 0));
  EXPECT_EQ(after[0], 1);
  EXPECT_TRUE(std::isnan(after[1]) && std::isnan(after[2]));
}

TEST(cumulative, equal_largest_elements_share_the_derivative) {
  // As in JAX: pair by pair, as maximum does.
  expect_near(grad([](Array x) { return lax::cummax(x, 0)(1); })(np::array({1.0, 1.0})), {0.5, 0.5});
}

TEST(cumulative, integers_and_numpys_name) {
  EXPECT_EQ(lax::cumprod(np::array({1, 2, 3, 4}), 0).to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{1, 2, 6, 24}));
  EXPECT_EQ(lax::cummax(np::array({1, 3, 2}), 0, true).to_vector<std::int32_t>(), (std::vector<std::int32_t>{3, 3, 2}));
  EXPECT_EQ(np::cumprod(np::array({{1, 2}, {3, 4}})).to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{1, 2, 6, 24}));
  EXPECT_EQ(np::cumprod(np::array({{1, 2}, {3, 4}}), 0).to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{1, 2, 3, 8}));
  EXPECT_EQ(np::cumprod(np::array({true, false})).dtype(), i32);
}

TEST(cumulative, mistakes_have_texts) {
  EXPECT_EQ(error_of([] { lax::cummax(np::array({1.0}), 1); }),
            "IndexError: cummax: axis must be in [-1, 1); got 1 for f64[1].");
  EXPECT_EQ(error_of([] { lax::cumprod(np::array({true}), 0); }),
            "DTypeError: cumprod: the operand must be integer, float or complex; got bool[1].");
  EXPECT_EQ(error_of([] { lax::cumlogsumexp(np::array({1}), 0); }),
            "DTypeError: cumlogsumexp: the operand must be float; got i32[1].");
}

}  // namespace
}  // namespace weft
