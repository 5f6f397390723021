#include "testing/gradients.h"

#include <gtest/gtest.h>

#include "testing/assertion.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

struct Dense {
  Array w, b;
};

Array layer(const Dense& p, const Array& x) { return np::tanh(np::matmul(x, p.w) + p.b); }

// sin whose derivative, by custom rules, is `factor` times what it is.
auto wrong_jvp(double factor) {
  return custom_jvp([](Array x) { return np::sin(x); },
                    [factor](Array x, Array dx) { return std::pair(np::sin(x), factor * np::cos(x) * dx); });
}
auto wrong_vjp(double factor) {
  return custom_vjp([](Array x) { return np::sin(x); }, [](Array x) { return std::pair(np::sin(x), x); },
                    [factor](Array x, Array ct) { return std::tuple(factor * np::cos(x) * ct); });
}

Array point() { return np::array({0.3, -0.7}); }

TEST(check_grads, passes_for_trees_dtypes_and_orders) {
  const Dense p{np::array({{0.1f, -0.2f}, {0.3f, 0.5f}}), np::array({0.1f, 0.2f})};
  const Array x = np::array({{0.5f, -1.0f}});
  check_grads(layer, std::tuple(p, x));
  check_grads(layer, std::tuple(p, x), {.order = 2});
  check_grads([](Array v) { return np::exp(np::sin(v)); }, point(), {.order = 3});
  check_grads([](Array v) { return np::sin(v); }, point(), {.order = 2, .modes = GradModes::kForward});
  check_grads([](Array v) { return np::sin(v); }, point(), {.order = 2, .modes = GradModes::kReverse});
  check_grads([](Array v) { return np::tanh(v); }, point().astype(bf16));
  check_grads([](Array v) { return np::tanh(v); }, point().astype(f16));
  check_grads([](Array z) { return z * np::exp(z); }, np::array({std::complex<double>(0.3, 0.4)}), {.order = 2});
  // Integers are constants, and results of integers are left out.
  check_grads([](Array v, Array i) { return std::pair(v(i), i + 1); }, std::tuple(point(), np::array({1, 0})));
  // Programs too.
  check_grads(jit([](Array v) { return scan([](Array c, Array u) { return std::pair(c * u, c); }, 1.0, v); }), point(),
              {.order = 2});
  assert_numerical_grads([](Array v) { return v * v; }, point(), {.order = 2});
}

TEST(check_grads, finds_a_wrong_jvp) {
  EXPECT_NO_THROW(check_grads(wrong_jvp(1), point(), {.order = 2}));
  const std::string text = error_of([] { check_grads(wrong_jvp(1.25), point(), {.rtol = 1e-3, .atol = 1e-4}); });
  EXPECT_EQ(text.substr(0, text.find("; got")),
            kError +
                "check_grads: the derivative by jvp must be that of central differences within rtol 0.001 and atol "
                "0.0001");
  EXPECT_NE(text.find(" at result[0] along args[0]."), std::string::npos) << text;
}

TEST(check_grads, finds_a_wrong_vjp) {
  EXPECT_NO_THROW(check_grads(wrong_vjp(1), point(), {.order = 2, .modes = GradModes::kReverse}));
  const auto f = [](Dense p) { return std::pair(p.w, wrong_vjp(0.5)(p.b)); };
  const Dense p{point(), point()};
  const std::string text = error_of([&] { check_grads(f, p, {.modes = GradModes::kReverse}); });
  EXPECT_EQ(
      text.substr(0, text.find("; got")),
      kError + "check_grads: <ct, J t> by vjp must be that of central differences within rtol 1e-05 and atol 1e-05");
  EXPECT_TRUE(text.ends_with(" along args[0].b.")) << text;
  EXPECT_EQ(
      error_of([&] { assert_numerical_grads(f, p, {.modes = GradModes::kReverse}); }).substr(0, kError.size() + 22),
      kError + "assert_numerical_grads");
}

constexpr DType kDTypes[] = {f64, f32, f16, bf16};

// Low precision allows much of each element, but not that there is no derivative, of however many elements.
TEST(check_grads, finds_a_vjp_that_is_zero_in_every_dtype) {
  for (const DType dtype : kDTypes)
    for (const std::int64_t n : {1, 2, 5, 16, 24, 32, 48, 64, 100, 200, 500, 1000}) {
      const Array x = np::linspace(-0.5, 0.5, n).astype(dtype);
      check_grads(wrong_vjp(1), x, {.modes = GradModes::kReverse});
      EXPECT_THROW(check_grads(wrong_vjp(0), x, {.modes = GradModes::kReverse}), AssertionError) << dtype << " " << n;
      EXPECT_THROW(check_grads(wrong_vjp(-1), x, {.modes = GradModes::kReverse}), AssertionError) << dtype << " " << n;
    }
}

TEST(check_grads, finds_a_vjp_without_one_element_in_every_dtype) {
  const auto without = [](std::int64_t i) {
    return custom_vjp([](Array x) { return np::sin(x); }, [](Array x) { return std::pair(np::sin(x), x); },
                      [i](Array x, Array ct) { return std::tuple((np::cos(x) * ct).at(i).set(0)); });
  };
  const auto check = [&](DType dtype, std::int64_t n, std::int64_t i) {
    check_grads(without(i), np::linspace(-0.5, 0.5, n).astype(dtype), {.modes = GradModes::kReverse});
  };
  for (const DType dtype : kDTypes)
    for (const std::int64_t n : {1, 5, 8})
      for (std::int64_t i = 0; i < n; ++i)
        EXPECT_THROW(check(dtype, n, i), AssertionError) << dtype << " " << n << " " << i;
  for (const DType dtype : {f64, f32}) EXPECT_THROW(check(dtype, 1000, 321), AssertionError) << dtype;
  EXPECT_TRUE(error_of([&] { check(bf16, 5, 3); }).ends_with(" at result[3] along args[0]."))
      << error_of([&] { check(bf16, 5, 3); });
}

TEST(check_grads, finds_a_wrong_derivative_of_a_derivative) {
  // The rule is right as a number, but constant to the next derivative.
  const auto f =
      custom_jvp([](Array x) { return np::sin(x); },
                 [](Array x, Array dx) { return std::pair(np::sin(x), lax::stop_gradient(np::cos(x)) * dx); });
  EXPECT_NO_THROW(check_grads(f, point()));
  try {
    check_grads(f, point(), {.order = 2});
    FAIL() << "nothing was thrown";
  } catch (const AssertionError& e) {
    EXPECT_NE(e.message().find("at the tangent of result[0] along args[0]"), std::string::npos) << e.message();
    ASSERT_EQ(e.notes().size(), 1u);
    EXPECT_EQ(e.notes()[0], "while checking the derivatives of jvp of the function");
    EXPECT_EQ(e.location().str(), "gradients_test.cc:" + std::to_string(__LINE__ - 6));
  }
  EXPECT_THROW(check_grads(f, point(), {.order = 2, .modes = GradModes::kReverse}), AssertionError);
}

TEST(check_grads, sees_stopped_gradients) {
  EXPECT_THROW(check_grads([](Array x) { return lax::stop_gradient(x) * x; }, point()), AssertionError);
}

TEST(check_grads, needs_something_to_differentiate) {
  EXPECT_EQ(error_of([] { check_grads([](Array i) { return i.astype(f32); }, np::array({1})); }),
            "ValueError: check_grads: there must be a float or complex array in the arguments; got none.");
  EXPECT_EQ(error_of([] { check_grads([](Array x) { return x.astype(i32); }, point()); }),
            "ValueError: check_grads: there must be a float or complex array in the result; got none.");
  EXPECT_EQ(error_of([] { check_grads([](Array x) { return x; }, point(), {.order = 0}); }),
            "ValueError: check_grads: the order must be at least 1; got 0.");
}

}  // namespace
}  // namespace weft::testing
