// Activations against their formulas in C++, their slopes against central differences and, at kinks, against JAX's
// rules.
#include "nn/activation.h"

#include "nn/checks.h"

namespace weft::nn {
namespace {

using namespace testing;

const double kNaN = std::nan("");

double logistic(double x) { return 1 / (1 + std::exp(-x)); }
double plus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

struct Case {
  const char* name;
  Array (*f)(const Arg& x);
  double (*formula)(double x);
};
// Each is found as a function of one array.
const Case kCases[] = {
    {"identity", identity, [](double x) { return x; }},
    {"relu", relu, [](double x) { return std::max(x, 0.0); }},
    {"relu6", relu6, [](double x) { return std::clamp(x, 0.0, 6.0); }},
    {"leaky_relu", leaky_relu, [](double x) { return x >= 0 ? x : 0.01 * x; }},
    {"hard_tanh", hard_tanh, [](double x) { return std::clamp(x, -1.0, 1.0); }},
    {"hard_sigmoid", hard_sigmoid, [](double x) { return std::clamp(x + 3, 0.0, 6.0) / 6; }},
    {"hard_silu", hard_silu, [](double x) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; }},
    {"hard_swish", hard_swish, [](double x) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; }},
    {"sparse_plus", sparse_plus, [](double x) { return x <= -1  ? 0
                                                       : x >= 1 ? x
                                                                : (x + 1) * (x + 1) / 4; }},
    {"sparse_sigmoid", sparse_sigmoid, [](double x) { return std::clamp(x + 1, 0.0, 2.0) / 2; }},
    {"sigmoid", sigmoid, logistic},
    {"log_sigmoid", log_sigmoid, [](double x) { return -plus(-x); }},
    {"softplus", softplus, plus},
    {"silu", silu, [](double x) { return x * logistic(x); }},
    {"swish", swish, [](double x) { return x * logistic(x); }},
    {"mish", mish, [](double x) { return x * std::tanh(plus(x)); }},
    {"gelu", gelu,
     [](double x) { return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x))); }},
    {"elu", elu, [](double x) { return x > 0 ? x : std::expm1(x); }},
    {"celu", celu, [](double x) { return x > 0 ? x : std::expm1(x); }},
    {"selu", selu, [](double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x)); }},
    {"soft_sign", soft_sign, [](double x) { return x / (std::abs(x) + 1); }},
    {"squareplus", squareplus, [](double x) { return (x + std::sqrt(x * x + 4)) / 2; }},
    {"tanh", tanh, [](double x) { return std::tanh(x); }},
};

TEST(activation, is_its_formula) {
  const Doubles points{-400, -37.5, -7, -3.2, -1, -0.7, -1e-9, -0.0, 0, 1e-9, 0.3, 1, 2.5, 3, 5.9, 6, 8, 40, 500};
  for (const Case& c : kCases) {
    Doubles want;
    for (const double x : points) want.push_back(c.formula(x));
    EXPECT_TRUE(near(c.f(Array(points)), want, 1e-14)) << c.name;
  }
}

TEST(activation, has_the_slope_of_its_formula) {
  const Array points(Doubles{-7.1, -3.2, -1.3, -0.7, -0.1, 0.3, 1.4, 2.5, 3.3, 5.9, 8});
  for (const Case& c : kCases) {
    expect_gradient([&](const Array& x) { return np::sum(c.f(x)); }, points);
    expect_gradient([&](const Array& x) { return np::sum(grad([&](const Array& y) { return np::sum(c.f(y)); })(x)); },
                    points);
  }
}

TEST(activation, has_finite_slopes_far_out) {
  const Array points(std::vector<float>{-1e12f, -1e4f, -100, 0, 100, 1e4f, 1e12f});
  for (const Case& c : kCases) {
    const Array slopes = grad([&](const Array& x) { return np::sum(c.f(x)); })(points);
    EXPECT_TRUE(np::all(np::isfinite(slopes)).item<bool>()) << c.name << slopes;
  }
}

TEST(activation, lets_nan_go_on) {
  for (const Case& c : kCases) EXPECT_TRUE(std::isnan(values(c.f(Array(kNaN)))[0])) << c.name;
}

TEST(activation, has_jaxs_slopes_at_kinks) {
  const auto slope = [](Array (*f)(const Arg& x), double at) {
    return grad([&](const Array& x) { return f(x); })(Array(at)).item<double>();
  };
  EXPECT_EQ(slope(relu, 0), 0);
  EXPECT_EQ(slope(relu6, 0), 0);
  EXPECT_EQ(slope(relu6, 6), 0);
  EXPECT_EQ(slope(hard_sigmoid, -3), 0);
  EXPECT_EQ(slope(hard_sigmoid, 3), 0);
  EXPECT_EQ(slope(leaky_relu, 0), 1);
  EXPECT_EQ(slope(hard_tanh, -1), 1);
  EXPECT_EQ(slope(hard_tanh, 1), 1);
  EXPECT_EQ(slope(elu, 0), 1);
  EXPECT_EQ(slope(celu, 0), 1);
  EXPECT_EQ(slope(softplus, 0), 0.5);
  EXPECT_EQ(slope(soft_sign, 0), 1);
  EXPECT_EQ(slope(sparse_plus, -1), 0);
  EXPECT_EQ(slope(sparse_plus, 1), 1);
}

TEST(activation, keeps_float_types_and_makes_f32_of_integers) {
  for (const Case& c : kCases) {
    EXPECT_EQ(c.f(np::ones({2}, bf16)).dtype(), bf16) << c.name;
    EXPECT_EQ(c.f(np::ones({2}, f32)).dtype(), f32) << c.name;
    const bool whole = c.f == identity || c.f == relu || c.f == relu6 || c.f == hard_tanh;
    EXPECT_EQ(c.f(np::ones({2}, i32)).dtype(), whole ? i32 : f32) << c.name;
  }
}

TEST(activation, is_the_same_under_jit_and_vmap) {
  const Array x = draw({3, 4}, 1, f32, -4, 4);
  for (const Case& c : kCases) {
    EXPECT_TRUE(near(weft::jit([&](const Array& a) { return c.f(a); })(x), c.f(x), 1e-6)) << c.name;
    EXPECT_TRUE(near(weft::vmap([&](const Array& a) { return c.f(a); })(x), c.f(x), 1e-6)) << c.name;
  }
}

TEST(activation, takes_its_parameter) {
  const Array x(Doubles{-2, -0.5, 0, 1.5});
  EXPECT_TRUE(near(leaky_relu(x, 0.2), Doubles{-0.4, -0.1, 0, 1.5}));
  EXPECT_TRUE(near(elu(x, 2.0), Doubles{2 * std::expm1(-2.0), 2 * std::expm1(-0.5), 0, 1.5}));
  EXPECT_TRUE(near(celu(x, 2.0), Doubles{2 * std::expm1(-1.0), 2 * std::expm1(-0.25), 0, 1.5}));
  EXPECT_TRUE(near(squareplus(x, 0.0), Doubles{0, 0, 0, 1.5}));
  EXPECT_TRUE(
      near(gelu(x, false), Doubles{-2 * std::erfc(2 / std::sqrt(2)) / 2, -0.5 * std::erfc(0.5 / std::sqrt(2)) / 2, 0,
                                   1.5 * (1 + std::erf(1.5 / std::sqrt(2))) / 2}));
}

TEST(activation, log1mexp_is_accurate_near_0_and_far_out) {
  EXPECT_TRUE(near(log1mexp(Array(Doubles{1e-20, 1e-3, 0.5, 1, 40, 800})),
                   Doubles{-46.05170185988091, -6.9082552373154709, std::log(-std::expm1(-0.5)),
                           std::log1p(-std::exp(-1.0)), -std::exp(-40.0), 0},
                   1e-14));
}

// ---- along axes ----

TEST(activation, glu_multiplies_one_half_by_a_function_of_the_other) {
  const Array x = draw({2, 4, 3}, 1);
  const Doubles v = values(x);
  Doubles want;
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 6; ++j) want.push_back(v[12 * i + j] * logistic(v[12 * i + 6 + j]));
  EXPECT_TRUE(near(glu(x, 1), want));
  EXPECT_EQ(error_of([&] { glu(x); }), "ShapeError: glu: the size of the axis must be even; got axis 2 of f64[2,4,3].");
}

Doubles softmax_of(const Doubles& x) {
  double sum = 0;
  for (const double v : x) sum += std::exp(v);
  Doubles r;
  for (const double v : x) r.push_back(std::exp(v) / sum);
  return r;
}

TEST(activation, softmax_sums_to_one) {
  const Array x = draw({2, 3}, 1, f64, -3, 3);
  const Doubles v = values(x);
  Doubles want = softmax_of({v[0], v[1], v[2]}), logs;
  for (const double w : softmax_of({v[3], v[4], v[5]})) want.push_back(w);
  for (const double w : want) logs.push_back(std::log(w));
  EXPECT_TRUE(near(softmax(x), want));
  EXPECT_TRUE(near(log_softmax(x), logs));
  EXPECT_TRUE(near(softmax(x, {0, 1}), softmax_of(v)));
  EXPECT_TRUE(near(softmax(x, {}), softmax_of(v)));
  EXPECT_TRUE(near(softmax(np::transpose(x), 0), np::transpose(softmax(x))));
}

TEST(activation, softmax_has_right_derivatives_of_both_orders) {
  const Array x = draw({2, 3}, 1, f64, -3, 3), w = draw({2, 3}, 2);
  const auto second = [&](const auto& f) {
    return [&w, f](const Array& a) {
      return np::sum(np::square(grad([&](const Array& b) { return np::sum(f(b) * w); })(a)));
    };
  };
  for (const int axis : {0, 1}) {
    const auto soft = [axis](const Array& a) { return softmax(a, axis); };
    const auto log_soft = [axis](const Array& a) { return log_softmax(a, axis); };
    expect_gradient([&](const Array& a) { return np::sum(soft(a) * w); }, x);
    expect_gradient([&](const Array& a) { return np::sum(log_soft(a) * w); }, x);
    expect_gradient(second(soft), x);
    expect_gradient(second(log_soft), x);
    const auto program = weft::jit(grad([&](const Array& a) { return np::sum(soft(a) * w); }));
    EXPECT_TRUE(near(program(x), grad([&](const Array& a) { return np::sum(soft(a) * w); })(x)));
  }
}

TEST(activation, softmax_does_not_overflow) {
  const Array x(std::vector<float>{1000, 999, -1000});
  EXPECT_TRUE(near(softmax(x), Doubles{logistic(1), logistic(-1), 0}, 1e-6));
  EXPECT_TRUE(near(log_softmax(x), Doubles{-plus(-1), -plus(1), -2000 - plus(-1)}, 1e-6));
}

TEST(activation, softmax_counts_what_it_is_told) {
  const Array x = np::array({{1.0, kNaN, 3.0}, {2.0, 5.0, 4.0}});
  const Array where = np::array({{true, false, true}, {true, true, false}});
  const Array y = softmax(x, -1, {.where = where}), z = log_softmax(x, -1, {.where = where});
  const Doubles want{logistic(-2), 0, logistic(2), logistic(-3), logistic(3), 0};
  EXPECT_TRUE(near(y, want));
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(std::exp(values(z)[i]), want[i], 1e-14);
  const Array g = grad([&](const Array& a) { return np::sum(np::square(softmax(a, -1, {.where = where}))); })(x);
  EXPECT_EQ(values(g)[5], 0);
}

TEST(activation, softmax_refuses_axes_that_are_not_there) {
  EXPECT_EQ(error_of([] { softmax(np::ones({2, 3}), 2); }),
            "IndexError: softmax: axis must be in [-2, 2); got 2 for f32[2,3].");
}

TEST(activation, logmeanexp_is_the_logarithm_of_a_mean) {
  const Array x = draw({2, 3}, 1);
  EXPECT_TRUE(near(logmeanexp(x, 1), np::log(np::mean(np::exp(x), 1))));
  EXPECT_TRUE(near(logmeanexp(x), np::log(np::mean(np::exp(x)))));
  EXPECT_TRUE(near(logsumexp(x, 1, true), np::log(np::sum(np::exp(x), 1, true))));
}

TEST(activation, standardize_makes_mean_0_and_variance_1) {
  const Array x = draw({3, 50}, 1, f64, 2, 5);
  const Array y = standardize(x, -1, {.epsilon = 0});
  EXPECT_TRUE(near(np::mean(y, -1), Doubles(3, 0), 1e-10));
  EXPECT_TRUE(near(np::mean(np::square(y), -1), Doubles(3, 1), 1e-10));
  EXPECT_TRUE(near(standardize(x, 1, {.mean = 3.0, .variance = 4.0}), (x - 3) / std::sqrt(4.00001)));
  const Array some = np::arange(50) < 20;
  EXPECT_TRUE(near(np::mean(standardize(x, 1, {.where = some})(slice(), slice(0, 20)), 1), Doubles(3, 0), 1e-10));
}

TEST(activation, one_hot_marks_a_class) {
  const Array y = one_hot(np::array({0, 2, 5, -1}), 3);
  EXPECT_EQ(y.dtype(), f32);
  EXPECT_TRUE(near(y, Doubles{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(near(one_hot(np::array({0, 2}), 3, {.dtype = i32, .axis = 0}), Doubles{1, 0, 0, 0, 0, 1}));
  EXPECT_TRUE(near(one_hot(np::array({true, false}), 2), Doubles{0, 1, 1, 0}));
  EXPECT_EQ(error_of([] { one_hot(np::array({0}), -1); }),
            "ValueError: one_hot: the number of classes must not be negative; got -1.");
  EXPECT_EQ(error_of([] { one_hot(np::array({0}), 2, {.axis = 2}); }),
            "IndexError: one_hot: the axis must be one of the result's 2; got 2.");
}

// ---- with parameters ----

TEST(prelu, learns_one_slope) {
  const PReLU layer{.param_dtype = f64};
  const Array x(Doubles{-2, 0, 3});
  const Variables v = layer.init(random::key(0), x);
  EXPECT_EQ(types(v), (Texts{"params/negative_slope f64[]"}));
  EXPECT_TRUE(near(layer.apply(v, x), Doubles{-0.02, 0, 3}));
  expect_layer(layer, v, draw({3}, 1));
  EXPECT_EQ(PReLU{}.apply(PReLU{}.init(random::key(0), np::ones({2}, bf16)), np::ones({2}, bf16)).dtype(), bf16);
}

}  // namespace
}  // namespace weft::nn
