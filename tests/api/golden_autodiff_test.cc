// Derivatives that JAX prints (golden values B, the rows that need only the operations of today).
#include <gtest/gtest.h>

#include <complex>

#include "weft/weft.h"

namespace weft {
namespace {

void expect_close(const Array& got, const std::vector<double>& expected, double tolerance = 1e-6) {
  const std::vector<double> v = got.astype(f64).to_vector<double>();
  ASSERT_EQ(v.size(), expected.size());
  for (std::size_t i = 0; i < v.size(); ++i)
    EXPECT_NEAR(v[i], expected[i], tolerance * std::max(1.0, std::abs(expected[i]))) << "element " << i << " of\n"
                                                                                     << got;
}

TEST(golden_autodiff, row_77_three_derivatives_of_tanh_at_2) {
  const auto f = [](Array x) { return np::tanh(x); };
  expect_close(grad(f)(2.0f), {0.070650935});
  expect_close(grad(grad(f))(2.0f), {-0.13621889});
  expect_close(grad(grad(grad(f)))(2.0f), {0.2526544}, 3e-6);
  // The f32 derivatives cancel near 1; in f64 every printed digit is there.
  expect_close(grad(grad(grad(f)))(2.0), {0.25265407}, 2e-8);
}

struct Logistic {
  Array w, b;
};

Array predict(const Logistic& p, const Array& x) { return 0.5 * (np::tanh((np::dot(x, p.w) + p.b) / 2) + 1); }

struct LogisticData {
  Array x = np::array({{.52f, 1.12f, .77f}, {.88f, -1.08f, .15f}, {.52f, .06f, -1.30f}, {.74f, -2.49f, 1.39f}});
  Array y = np::array({true, true, false, true});
  Logistic p;
  LogisticData() {
    const auto layout = random::Layout::kOriginal;
    const Array keys = random::split(random::key(0), 3, layout);
    p = {random::normal(keys(1), {3}, f32, layout), random::normal(keys(2), {}, f32, layout)};
  }
  Array loss(const Logistic& q) const {
    const Array out = predict(q, x);
    return -np::sum(np::log(np::where(y, out, 1 - out)));
  }
};

TEST(golden_autodiff, rows_79_and_80_logistic_regression_loss_and_gradient) {
  const LogisticData d;
  expect_close(d.p.w, {-0.36838785, -2.2756889, 0.011447566});
  expect_close(d.p.b, {0.8535516});
  const auto [loss, g] = value_and_grad([&](Logistic q) { return d.loss(q); })(d.p);
  expect_close(loss, {3.051939});
  expect_close(g.w, {-.16965576, -.8774645, -1.4901344}, 2e-6);
  expect_close(g.b, {-.29227236}, 2e-6);
}

TEST(golden_autodiff, rows_82_and_83_jacobians_forward_and_reverse) {
  const LogisticData d;
  const std::vector<double> expected = {.05981756, .12883782, .088576,   .04015914, -.04928622, .00684531,
                                        .12188289, .01406341, -.3047072, .00140428, -.00472522, .00263777};
  const auto by_w = [&](Array w) { return predict({w, d.p.b}, d.x); };
  expect_close(jacfwd(by_w)(d.p.w), expected);
  expect_close(jacrev(by_w)(d.p.w), expected);
  const auto by_b = [&](Array b) { return predict({d.p.w, b}, d.x); };
  expect_close(jacfwd(by_b)(d.p.b), {.11503378, .04563539, .23439017, .00189768});
  expect_close(jacrev(by_b)(d.p.b), {.11503378, .04563539, .23439017, .00189768});
}

TEST(golden_autodiff, row_85_reverse_mode_through_an_if) {
  const auto f = [](Array x) { return x < 3 ? 2 * np::power(x, 3) : np::pi * x; };
  auto [y, pullback] = vjp(f, 4.0f);
  EXPECT_FLOAT_EQ(std::get<0>(pullback(Array(1.0f))).item<float>(), 3.1415927f);
  EXPECT_FLOAT_EQ(grad(f)(2.0f).item<float>(), 24.0f);
}

TEST(golden_autodiff, row_86_complex_gradient_of_a_real_function) {
  const auto f = [](Array z) { return np::square(np::real(z)) + np::square(np::imag(z)); };
  const auto g = grad(f)(std::complex<float>(3, 4)).item<std::complex<float>>();
  EXPECT_EQ(g, std::complex<float>(6, -8));
}

TEST(golden_autodiff, row_88_complex_gradient_through_a_cholesky_factor) {
  using C = std::complex<double>;
  const Array a =
      np::array({{C(5, 0), C(2, 3), C(0, 5)}, {C(2, -3), C(7, 0), C(1, 7)}, {C(0, -5), C(1, -7), C(12, 0)}});
  const auto f = [](Array x) {
    // JAX factors the Hermitian part.
    const Array l = lax::cholesky((x + np::conj(np::transpose(x))) / 2.0);
    return np::sum(np::square(l - np::sin(l)));
  };
  auto [y, pullback] = vjp(f, a);
  const auto g = std::get<0>(pullback(Array(C(1, 0)))).to_vector<C>();
  const C want[] = {C(-.75342447, 0),         C(-3.0509021, -10.940544), C(5.989684, 3.5422976),
                    C(-3.0509021, 10.940544), C(-8.904487, 0),           C(-5.1351547, -6.5593696),
                    C(5.989684, -3.5422976),  C(-5.1351547, 6.5593696),  C(.01320434, 0)};
  // Theirs are single precision, and the factor amplifies rounding: six digits of the largest element.
  for (std::size_t i = 0; i < 9; ++i) EXPECT_LT(std::abs(g[i] - want[i]), 1.2e-5) << i;
}

TEST(golden_autodiff, row_89_holomorphic_derivative_of_sine) {
  auto [y, pullback] = vjp([](Array z) { return np::sin(z); }, std::complex<double>(1, 2));
  const auto g = std::get<0>(pullback(Array(std::complex<double>(1, 0)))).item<std::complex<double>>();
  EXPECT_NEAR(g.real(), 2.0327230070196656, 1e-13);
  EXPECT_NEAR(g.imag(), -3.0518977991518, 1e-13);
}

TEST(golden_autodiff, row_91_four_derivatives_of_a_cubic) {
  const auto f = [](Array x) { return np::power(x, 3) + 2 * np::power(x, 2) - 3 * x + 1; };
  EXPECT_EQ(grad(f)(1.0f).item<float>(), 4);
  EXPECT_EQ(grad(grad(f))(1.0f).item<float>(), 10);
  EXPECT_EQ(grad(grad(grad(f)))(1.0f).item<float>(), 6);
  EXPECT_EQ(grad(grad(grad(grad(f))))(1.0f).item<float>(), 0);
}

TEST(golden_autodiff, row_92_hessian_of_dot) {
  expect_close(hessian([](Array x) { return np::dot(x, x); })(np::array({1.f, 2.f, 3.f})), {2, 0, 0, 0, 2, 0, 0, 0, 2});
}

TEST(golden_autodiff, row_94_temporal_difference_with_and_without_stop_gradient) {
  const Array s = np::array({1.f, 2.f, -1.f}), s_next = np::array({2.f, 1.f, 0.f});
  const auto value = [](const Array& theta, const Array& state) { return np::dot(theta, state); };
  const auto loss = [&](Array theta, bool stop) {
    const Array target = 1.0 + value(theta, s_next);
    return np::square((stop ? lax::stop_gradient(target) : target) - value(theta, s));
  };
  const Array theta = np::array({.1f, -.1f, 0.f});
  expect_close(grad(loss)(theta, false), {2.4, -2.4, 2.4});
  expect_close(grad(loss)(theta, true), {-2.4, -4.8, 2.4});
  // stop_gradient is an operation, so it also works from inside a compiled function.
  expect_close(grad(jit(loss))(theta, true), {-2.4, -4.8, 2.4});
}

TEST(golden_autodiff, row_95_straight_through_rounding) {
  const auto f = [](Array x) { return x + lax::stop_gradient(np::round(x) - x); };
  const auto [y, g] = value_and_grad(f)(3.2f);
  EXPECT_FLOAT_EQ(y.item<float>(), 3.0f);
  EXPECT_EQ(g.item<float>(), 1.0f);
  EXPECT_EQ(grad([](Array x) { return np::round(x); })(3.2f).item<float>(), 0.0f);
}

TEST(golden_autodiff, row_97_vjp_of_two_results) {
  const auto f = [](Array x, Array y) { return std::pair(np::sin(x), np::cos(y)); };
  auto [out, pullback] = vjp(f, 0.5f, 1.0f);
  const auto [gx, gy] = pullback(std::pair(Array(-0.7f), Array(0.3f)));
  expect_close(gx, {-.61430776});
  expect_close(gy, {-.2524413});
}

TEST(golden_autodiff, row_98_jvp_of_sine) {
  const auto [y, t] = jvp([](Array x) { return np::sin(x); }, 0.1f, 0.2f);
  expect_close(y, {.09983342});
  expect_close(t, {.19900084}, 2e-6);
}

TEST(golden_autodiff, row_100_hessian_of_a_polynomial) {
  const auto f = [](Array x) { return np::power(x(0), 3) - 2 * x(0) * x(1) - np::power(x(1), 6); };
  expect_close(hessian(f)(np::array({1.f, 2.f})), {6, -2, -2, -480});
}

TEST(golden_autodiff, row_103_naive_gradient_at_zero_is_nan) {
  EXPECT_TRUE(std::isnan(grad([](Array x) { return x / (1 + np::sqrt(x)); })(0.0f).item<float>()));
}

TEST(golden_autodiff, row_106_linear_transpose) {
  const auto f = [](Array x, Array y) { return 0.5 * x - 0.5 * y; };
  const auto [gx, gy] = linear_transpose(f, Array(1.0f), Array(1.0f))(Array(1.0f));
  expect_close(gx, {.5});
  expect_close(gy, {-.5});
  using C = std::complex<float>;
  const auto g = [](Array x) { return C(1, 2) * x; };
  EXPECT_EQ(std::get<0>(linear_transpose(g, abstract(c64, {}))(Array(C(3, 4)))).item<C>(), C(-5, 10));
}

TEST(golden_autodiff, row_149_ten_steps_of_the_talks_loop) {
  const auto f = [](Array y) {
    for (int i = 0; i < 10; ++i) y = y - 0.1 * y + 3;
    return y;
  };
  expect_close(f(Array(0.0f)), {19.5396468});
  expect_close(jit(f)(1.0f), {19.8883252});
}

}  // namespace
}  // namespace weft
