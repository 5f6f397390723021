// Transformations inside transformations, in any order and to any depth.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "weft/weft.h"

namespace weft {
namespace {

// x e^x sin x: every derivative is different from the others and from zero.
Array wave(const Array& x) { return x * np::exp(x) * np::sin(x); }
double wave_derivative(int n, double x) {
  // d^n (x g) = x g^(n) + n g^(n-1), and e^x sin x turns by 45 degrees and grows by sqrt 2 each time.
  const auto g = [x](int k) { return std::pow(std::sqrt(2.0), k) * std::exp(x) * std::sin(x + k * M_PI / 4); };
  return x * g(n) + (n ? n * g(n - 1) : 0);
}

struct Grad {
  template <class F>
  static auto of(F f) {
    return grad(f);
  }
};
struct Forward {
  template <class F>
  static auto of(F f) {
    return [f](Array x) { return jvp(f, x, lax::full(x.shape(), 1.0, x.dtype())).second; };
  }
};
struct Linear {
  template <class F>
  static auto of(F f) {
    return [f](Array x) { return linearize(f, x).second(lax::full(x.shape(), 1.0, x.dtype())); };
  }
};
struct Reverse {
  template <class F>
  static auto of(F f) {
    return [f](Array x) {
      auto [y, pullback] = vjp(f, x);
      return std::get<0>(pullback(lax::full(y.shape(), 1.0, y.dtype())));
    };
  }
};
struct Compiled {
  template <class F>
  static auto of(F f) {
    return jit(f);
  }
};
// The derivative through a batch of two: picks the mapped result again.
struct Batched {
  template <class F>
  static auto of(F f) {
    return [f](Array x) { return vmap(f)(np::stack({x, 2 * x}))(0); };
  }
};

template <class... T>
struct Tower;
template <>
struct Tower<> {
  static auto make() {
    return [](Array x) { return wave(x); };
  }
  static constexpr int kOrder = 0;
};
template <class T, class... Rest>
struct Tower<T, Rest...> {
  static auto make() { return T::of(Tower<Rest...>::make()); }
  static constexpr int kOrder =
      Tower<Rest...>::kOrder + (std::is_same_v<T, Compiled> || std::is_same_v<T, Batched> ? 0 : 1);
};

template <class T>
class nesting : public testing::Test {};
using Towers = testing::Types<
    Tower<Grad>, Tower<Grad, Grad>, Tower<Grad, Grad, Grad>, Tower<Forward, Grad>, Tower<Grad, Forward>,
    Tower<Forward, Forward, Forward>, Tower<Reverse, Reverse>, Tower<Linear, Reverse>, Tower<Reverse, Linear>,
    Tower<Linear, Linear>, Tower<Forward, Reverse, Linear>, Tower<Compiled, Grad>, Tower<Grad, Compiled>,
    Tower<Compiled, Grad, Compiled, Grad, Compiled, Grad, Compiled>, Tower<Forward, Compiled, Grad>,
    Tower<Grad, Compiled, Forward>, Tower<Compiled, Forward, Compiled, Grad, Compiled>, Tower<Batched, Grad>,
    Tower<Grad, Batched>, Tower<Batched, Grad, Batched, Grad, Batched>,
    Tower<Compiled, Batched, Grad, Compiled, Batched>, Tower<Batched, Compiled, Forward, Batched, Compiled, Grad>,
    Tower<Linear, Batched, Compiled, Reverse>, Tower<Batched, Linear, Compiled, Linear>>;
TYPED_TEST_SUITE(nesting, Towers);

TYPED_TEST(nesting, tower_gives_the_derivative) {
  const double x = 0.7;
  const double expected = wave_derivative(TypeParam::kOrder, x);
  EXPECT_NEAR(TypeParam::make()(Array(x)).template item<double>(), expected, 1e-9 * std::abs(expected));
}

TEST(closures, every_level_may_use_the_values_of_the_outer_ones) {
  // d/dx [ x * d/dy ( y^2 x + d/dz (z x y)|z=x )|y=x ] at 3, with x captured at every level.
  // Inner: d/dz = x y; so d/dy (y^2 x + x y) = 2 x y + x = 2 x^2 + x at y = x; times x: 2 x^3 + x^2.
  const auto f = [](Array x) {
    return x * grad([&](Array y) { return y * y * x + grad([&](Array z) { return z * x * y; })(x); })(x);
  };
  EXPECT_DOUBLE_EQ(f(Array(3.0)).item<double>(), 2 * 27 + 9);
  EXPECT_DOUBLE_EQ(grad(f)(3.0).item<double>(), 6 * 9 + 2 * 3);
  EXPECT_DOUBLE_EQ(jit(grad(f))(3.0).item<double>(), 60);
  EXPECT_DOUBLE_EQ(grad(grad(f))(3.0).item<double>(), 12 * 3 + 2);
}

TEST(closures, a_jitted_function_may_capture_tracers) {
  const auto f = [](Array x) {
    const auto inner = jit([&](Array y) { return np::sin(y) * x; });
    return inner(x) + inner(2 * x);
  };
  const double x = 0.3;
  const double expected = std::sin(x) + x * std::cos(x) + std::sin(2 * x) + 2 * x * std::cos(2 * x);
  EXPECT_NEAR(grad(f)(x).item<double>(), expected, 1e-14);
  EXPECT_NEAR(jit(grad(f))(x).item<double>(), expected, 1e-14);
  EXPECT_NEAR(vmap(grad(f))(np::array({x, 1.0}))(0).item<double>(), expected, 1e-14);
}

// Of each kind as many as may nest, with the most stack between them that std::function adds.
TEST(depth, every_transformation_nests_as_deep_as_it_may) {
  using Level = std::function<Array(Array, int)>;
  const int n = kMostNestedTraces - 2;
  Level f = [&](Array x, int k) { return k == 0 ? np::sin(x) : jit([&f, k](Array y) { return f(y, k - 1); })(x); };
  EXPECT_EQ(f(1.0f, n).item<float>(), np::sin(1.0f).item<float>());
  // The derivative of a program inside a program takes two levels.
  EXPECT_NEAR(grad([&](Array x) { return f(x, n / 2 - 1); })(1.0f).item<float>(), std::cos(1.0f), 1e-6);
  f = [&](Array x, int k) { return k == 0 ? np::exp(x) : grad([&f, k](Array y) { return f(y, k - 1); })(x); };
  EXPECT_NEAR(f(1.0f, n).item<float>(), std::exp(1.0f), 1e-5);
  f = [&](Array x, int k) {
    return k == 0 ? x * 2 : jvp([&f, k](Array y) { return f(y, k - 1); }, x, Array(1.0f)).first;
  };
  EXPECT_EQ(f(1.0f, n).item<float>(), 2);
  f = [&](Array x, int k) {
    const auto inner = [&f, &x, k](Array) { return f(x, k - 1); };
    return k == 0 ? x * 2 : np::sum(vmap(inner)(np::ones({1})));
  };
  EXPECT_EQ(f(1.0f, n).item<float>(), 2);
}

TEST(depth, one_level_more_is_an_error_and_leaves_nothing_behind) {
  using Level = std::function<Array(Array, int)>;
  Level f = [&](Array x, int k) { return k == 0 ? np::sin(x) : jit([&f, k](Array y) { return f(y, k - 1); })(x); };
  EXPECT_THROW(f(1.0f, kMostNestedTraces + 1), ValueError);
  EXPECT_THROW(f(1.0f, 100000), ValueError);
  EXPECT_TRUE(evaluating());
  EXPECT_EQ(f(1.0f, kMostNestedTraces).item<float>(), np::sin(1.0f).item<float>());
}

// J. M. Siskind, B. A. Pearlmutter: Perturbation confusion and referential transparency (2005).
TEST(perturbation_confusion, the_inner_derivative_does_not_see_the_outer_one) {
  const auto f = [](Array x) { return x * grad([&](Array y) { return x + y; })(1.0); };
  EXPECT_EQ(grad(f)(1.0).item<double>(), 1);
  const auto forward = [](Array x) { return x * jvp([&](Array y) { return x + y; }, Array(1.0), Array(1.0)).second; };
  EXPECT_EQ(jvp(forward, 1.0, 1.0).second.item<double>(), 1);
  EXPECT_EQ(grad(forward)(1.0).item<double>(), 1);
}

// O. Manzyuk et al.: Perturbation confusion in forward automatic differentiation of higher-order
// functions (2019): a derivative operator applied to a function that itself differentiates.
TEST(perturbation_confusion, a_shifted_derivative_operator_is_applied_twice) {
  const auto shifted = [](Array u) { return [u](auto g) { return [u, g](Array x) { return g(x + u); }; }; };
  // h = D_u at 0 of (g -> g(. + u)) is d/dx; h(h(exp)) at 1 is e.
  const auto h = [shifted](auto g) {
    return
        [shifted, g](Array y) { return jvp([&](Array u) { return shifted(u)(g)(y); }, Array(0.0), Array(1.0)).second; };
  };
  const auto exponential = [](Array x) { return np::exp(x); };
  EXPECT_NEAR(h(h(exponential))(Array(1.0)).item<double>(), std::exp(1.0), 1e-14);
}

TEST(vmap_of_grad, gives_gradients_per_example) {
  struct Params {
    Array w, b;
  };
  const Params p{np::array({{1.0, -2.0}, {0.5, 3.0}}), np::array({0.1, 0.2})};
  const auto loss = [](Params q, Array x, Array y) { return np::sum(np::square(np::tanh(np::dot(x, q.w) + q.b) - y)); };
  const Array xs = random::normal(random::key(1), {5, 2}, f64), ys = random::normal(random::key(2), {5, 2}, f64);
  const Params per_example = vmap(grad(loss), {unmapped, 0, 0})(p, xs, ys);
  EXPECT_EQ(per_example.w.aval().str(), "f64[5,2,2]");
  for (int i = 0; i < 5; ++i) {
    const Params one = grad(loss)(p, xs(i), ys(i));
    EXPECT_TRUE(bool(np::allclose(per_example.w(i), one.w, 1e-12)));
    EXPECT_TRUE(bool(np::allclose(per_example.b(i), one.b, 1e-12)));
  }
}

TEST(hessian, of_a_function_of_a_matrix_is_symmetric) {
  const auto f = [](Array m) { return np::sum(np::exp(np::sin(np::matmul(m, m)))); };
  const Array m = random::normal(random::key(0), {2, 2}, f64);
  const Array h = np::reshape(hessian(f)(m), {4, 4});
  EXPECT_TRUE(bool(np::allclose(h, h.T(), 1e-12)));
  const Array by_reverse = np::reshape(jacrev(jacrev(f))(m), {4, 4});
  EXPECT_TRUE(bool(np::allclose(h, by_reverse, 1e-12)));
}

}  // namespace
}  // namespace weft
