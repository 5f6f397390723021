// What jvp rules make of tangents must be linear in them: reverse mode says so, and whose rule it is.
#include "weft/control/linearity.h"

#include <gtest/gtest.h>

#include <string>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft {
namespace {

using testing::error_of;

template <class Rule>
auto with(Rule rule) {
  return custom_jvp([](Array x) { return np::sum(x); }, rule, {.name = "wrong"});
}

// The same at once and in programs.
template <class Rule>
std::string error(Rule rule, std::string* hint = nullptr) {
  const Array x = np::array({1.0, 2.0});
  const std::string text = error_of([&] { grad(with(rule))(x); }, hint);
  EXPECT_EQ(error_of([&] { grad(jit(with(rule)))(x); }), text);
  EXPECT_EQ(error_of([&] { jit(grad(with(rule)))(x); }), text);
  EXPECT_EQ(error_of([&] { linearize(jit(with(rule)), x); }), text);
  return text;
}

const std::string kMust =
    "NotDifferentiableError: custom_jvp: what a jvp rule makes of tangents must be linear in them; got ";

TEST(linearity, of_what_is_not_names_the_operation) {
  std::string hint;
  EXPECT_EQ(error([](Array x, Array dx) { return std::pair(np::sum(x), np::sum(dx * dx)); }, &hint),
            kMust + "multiply in a way that is not.");
  EXPECT_EQ(hint, "a rule may scale tangents by values and add them; everything else is made of the arguments.");
  EXPECT_EQ(error([](Array x, Array dx) { return std::pair(np::sum(x), np::sum(np::sin(dx))); }),
            kMust + "sine in a way that is not.");
  EXPECT_EQ(error([](Array x, Array dx) { return std::pair(np::sum(x), np::sum(x / dx)); }),
            kMust + "divide in a way that is not.");
}

TEST(linearity, of_a_tangent_that_does_not_depend_on_tangents) {
  std::string hint;
  EXPECT_EQ(error([](Array x, Array) { return std::pair(np::sum(x), np::sum(x)); }, &hint),
            kMust + "a tangent that depends on none.");
  EXPECT_EQ(hint, "return none (a default-constructed Array) where the tangent is zero.");
}

TEST(linearity, of_a_summand_that_does_not_depend_on_tangents) {
  std::string hint;
  EXPECT_EQ(error([](Array x, Array dx) { return std::pair(np::sum(x), np::sum(dx) + 1.0); }, &hint),
            kMust + "add of a tangent and a value that depends on none.");
  EXPECT_EQ(hint, "a rule may scale tangents by values and add them; a value by itself is no tangent.");
  EXPECT_EQ(error([](Array x, Array dx) { return std::pair(np::sum(x), np::sum(np::where(x > 1.5, dx, x))); }),
            kMust + "select of a tangent and a value that depends on none.");
}

TEST(linearity, of_zeros_beside_tangents_is_given) {
  const Array x = np::array({1.0, 2.0});
  const auto check = [&](auto rule, std::vector<double> want) {
    EXPECT_EQ(grad(with(rule))(x).template to_vector<double>(), want);
    EXPECT_EQ(grad(jit(with(rule)))(x).template to_vector<double>(), want);
    EXPECT_EQ(jit(grad(with(rule)))(x).template to_vector<double>(), want);
  };
  check([](Array a, Array da) { return std::pair(np::sum(a), np::sum(np::where(a > 1.5, da, 0.0))); }, {0, 1});
  check([](Array a, Array) { return std::pair(np::sum(a), Array(0.0)); }, {0, 0});
  check([](Array a, Array da) { return std::pair(np::sum(a), np::sum(da + np::zeros_like(a))); }, {1, 1});
  check([](Array a, Array da) { return std::pair(np::sum(a), np::sum(np::concatenate({da, np::zeros({2}, f64)}))); },
        {1, 1});
}

TEST(linearity, arguments_that_are_not_differentiated_have_zeros) {
  // Their share of the tangent is no constant, though it depends on no tangent.
  const auto f = custom_jvp([](Array x, Array y) { return x * y; },
                            [](Array x, Array y, Array dx, Array dy) { return std::pair(x * y, dx * y + x * dy); });
  EXPECT_EQ(grad([&](Array x) { return f(x, Array(3.0)); })(2.0).item<double>(), 3);
  EXPECT_EQ(grad([&](Array x) { return jit(f)(x, Array(3.0)); })(2.0).item<double>(), 3);
  EXPECT_EQ(jit([&](Array x, Array y) { return grad([&](Array z) { return f(z, y); })(x); })(2.0, 3.0).item<double>(),
            3);
  EXPECT_EQ(vmap([&](Array y) { return grad([&](Array z) { return f(z, y); })(2.0); })(np::array({3.0, 4.0}))
                .to_vector<double>(),
            (std::vector<double>{3, 4}));
}

TEST(linearity, is_told_with_the_rule_that_breaks_it_and_its_line) {
  for (const bool jitted : {false, true}) {
    const int line = __LINE__ + 1;
    const auto rule = [](Array x, Array dx) { return std::pair(np::sum(x), np::sum(dx * dx)); };
    try {
      if (jitted)
        grad(jit(with(rule)))(np::array({1.0}));
      else
        grad(with(rule))(np::array({1.0}));
      FAIL();
    } catch (const NotDifferentiableError& e) {
      EXPECT_EQ(e.location().str(), "linearity_test.cc:" + std::to_string(line));
      ASSERT_FALSE(e.notes().empty());
      EXPECT_EQ(e.notes()[0], "in the jvp rule of wrong");
    }
  }
}

TEST(linearity, rules_that_are_derivatives_of_loops_and_jitted_functions_are_linear) {
  const auto slope = [](Array x) {
    return scan([](Array c) { return std::pair(jit([](Array a) { return np::sin(a) * a; })(c), c); }, x, no_xs,
                {.length = 3})
        .first;
  };
  const auto counted = [](Array x) { return fori_loop(0, 3, [](Array, Array c) { return np::sin(c) * c; }, x); };
  const auto chosen = [](Array x) {
    return scan(
               [](Array c) {
                 return std::pair(cond(
                                      c > 0.0, [](Array a) { return np::sin(a) * a; }, [](Array a) { return a; }, c),
                                  std::tuple<>());
               },
               x, no_xs, {.length = 2})
        .first;
  };
  const auto check = [](auto f) {
    const auto same = custom_jvp(f, [f](Array x, Array dx) { return jvp(f, x, dx); });
    const auto by_grad = custom_jvp(f, [f](Array x, Array dx) { return std::pair(f(x), grad(f)(x) * dx); });
    for (const auto& g : {std::function<Array(Array)>(same), std::function<Array(Array)>(by_grad)}) {
      EXPECT_NEAR(grad(g)(0.9).template item<double>(), grad(f)(0.9).template item<double>(), 1e-12);
      EXPECT_NEAR(grad(jit(g))(0.9).template item<double>(), grad(f)(0.9).template item<double>(), 1e-12);
      EXPECT_NEAR(grad(grad(g))(0.9).template item<double>(), grad(grad(f))(0.9).template item<double>(), 1e-12);
      EXPECT_NEAR(hessian(jit(g))(0.9).template item<double>(), hessian(f)(0.9).template item<double>(), 1e-12);
    }
  };
  check(slope);
  check(counted);
  check(chosen);
  check([=](Array x) { return grad(counted)(x); });
  check([=](Array x) { return grad(slope)(x); });
}

}  // namespace
}  // namespace weft
