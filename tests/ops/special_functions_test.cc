// The special functions over their whole range: values from tables within budgets of units in the last
// place, limits and domains, derivatives where formulas break, and hostile operands.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "harness/errors.h"
#include "harness/functions.h"
#include "ops/special_function_values.h"
#include "weft/core/trace.h"
#include "weft/ops/lax.h"

namespace weft::testing {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The error in units of the last place of T at `want`.
template <class T>
double ulps(T got, double want) {
  if (std::isnan(got) || std::isnan(want)) return std::isnan(got) && std::isnan(want) ? 0 : kInf;
  const T rounded = static_cast<T>(want), size = std::abs(rounded);
  if (std::isinf(got) || std::isinf(rounded)) return got == rounded ? 0 : kInf;
  const double unit = static_cast<double>(std::nextafter(size, std::numeric_limits<T>::infinity())) - size;
  return std::abs(static_cast<double>(got) - want) / unit;
}

// Budgets in units in the last place. Measured (x86-64, glibc 2.36), for f64 and f32: at most 0.5 unless
// a comment says otherwise; the budgets leave room for other C libraries.
struct Budget {
  OpCode op;
  double f64, f32;
};
constexpr Budget kBudgets[] = {
    {OpCode::kIgamma, 1.5, 0.6},
    {OpCode::kIgammac, 1.5, 0.6},  // f64 0.6: erfc
    {OpCode::kIgammaGradA, 1.5, 0.6},
    {OpCode::kRandomGammaGrad, 1.5, 0.6},
    {OpCode::kRegularizedIncompleteBeta, 1.5, 0.6},
    {OpCode::kRegularizedIncompleteBetaGradA, 1.5, 0.6},
    {OpCode::kRegularizedIncompleteBetaGradB, 1.5, 0.6},
    {OpCode::kDigamma, 2, 0.6},  // f64 1
    {OpCode::kLgamma, 4, 0.6},   // f64 2.3, the C library's
    {OpCode::kZeta, 3, 0.6},     // f64 1.1; powers of large bases
    {OpCode::kZetaDerivative, 1, 0.6},
    {OpCode::kPolygamma, 1, 0.6},
    {OpCode::kErfInv, 1.5, 2},       // f64 0.9, f32 as in math_f32_test
    {OpCode::kBesselI0e, 2.5, 0.6},  // f64 1.9
    {OpCode::kBesselI1e, 2.5, 0.6},  // f64 1.8
    {OpCode::kErf, 2, 1.2},          // f64 1, the C library's; f32 as in math_f32_test
    {OpCode::kErfc, 4, 0.6},         // f64 2.9, the C library's
};

double budget(OpCode op, DType t) {
  for (const Budget& b : kBudgets)
    if (b.op == op) return t == f64 ? b.f64 : b.f32;
  return 0;
}

// Those rows whose operands are numbers of T, by column; results that T holds as normal numbers.
template <class T>
std::vector<std::vector<double>> columns(const SpecialValues& values) {
  const int width = values.operands + 1;
  std::vector<std::vector<double>> out(static_cast<std::size_t>(width));
  for (std::size_t row = 0; row < values.rows.size(); row += static_cast<std::size_t>(width)) {
    const auto cells = values.rows.subspan(row, static_cast<std::size_t>(width));
    bool fits = std::abs(cells.back()) > static_cast<double>(std::numeric_limits<T>::min()) &&
                std::abs(cells.back()) < static_cast<double>(std::numeric_limits<T>::max());
    for (const double x : cells.first(cells.size() - 1)) fits &= static_cast<double>(static_cast<T>(x)) == x;
    if (!fits) continue;
    for (std::size_t i = 0; i < cells.size(); ++i) out[i].push_back(cells[i]);
  }
  return out;
}

Array evaluated(OpCode op, const std::vector<std::vector<double>>& columns, int operands, DType t) {
  Arrays args;
  for (int i = 0; i < operands; ++i) args.push_back(lax::convert(Array(columns[static_cast<std::size_t>(i)]), t));
  Arrays outs;
  bind(op, nullptr, args, outs);
  return outs[0];
}

template <class T>
void check_budgets(DType t) {
  for (const SpecialValues& values : kSpecialValues) {
    const auto table = columns<T>(values);
    const std::vector<double>& want = table.back();
    ASSERT_GE(want.size(), 10u) << ir::op_name(values.op);
    const auto got = evaluated(values.op, table, values.operands, t).template to_vector<T>();
    for (std::size_t i = 0; i < want.size(); ++i) {
      std::string at;
      for (int k = 0; k < values.operands; ++k)
        at += (k ? ", " : "") + std::to_string(table[static_cast<std::size_t>(k)][i]);
      EXPECT_LE(ulps(got[i], want[i]), budget(values.op, t))
          << ir::op_name(values.op) << "(" << at << ") is " << want[i] << "; got " << got[i];
    }
  }
}

TEST(special_functions, of_f64_stay_within_their_budgets) { check_budgets<double>(f64); }
TEST(special_functions, of_f32_stay_within_their_budgets) { check_budgets<float>(f32); }

TEST(special_functions, of_halves_are_those_of_f32_rounded) {
  for (const SpecialValues& values : kSpecialValues)
    for (const DType t : {f16, bf16}) {
      Arrays half, single, half_out, single_out;
      for (const auto& column : columns<float>(values)) {
        half.push_back(lax::convert(Array(column), t));
        single.push_back(lax::convert(half.back(), f32));
      }
      half.pop_back();
      single.pop_back();
      bind(values.op, nullptr, half, half_out);
      bind(values.op, nullptr, single, single_out);
      const auto got = lax::convert(half_out[0], f32).to_vector<float>();
      const auto want = lax::convert(lax::convert(single_out[0], t), f32).to_vector<float>();
      for (std::size_t i = 0; i < want.size(); ++i)
        EXPECT_TRUE(got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i])))
            << ir::op_name(values.op) << " " << name(t) << " " << got[i] << " " << want[i];
    }
}

// ---- limits and domains ----

TEST(igamma, has_its_limits_and_is_nan_outside_of_its_domain) {
  const auto p = [](double a, double x) { return lax::igamma(Array(a), Array(x)).item<double>(); };
  const auto q = [](double a, double x) { return lax::igammac(Array(a), Array(x)).item<double>(); };
  for (const auto& [a, x, want] : std::initializer_list<std::array<double, 3>>{
           {0, 1, 1}, {0, kInf, 1}, {1, 0, 0}, {1, kInf, 1}, {kInf, 1, 0}, {kInf, 0, 0}, {1e300, 1e300, 0.5}}) {
    EXPECT_EQ(p(a, x), want) << a << " " << x;
    EXPECT_EQ(q(a, x), 1 - want) << a << " " << x;
  }
  for (const auto& [a, x] : std::initializer_list<std::array<double, 2>>{
           {0, 0}, {kInf, kInf}, {-1, 1}, {1, -1}, {kNaN, 1}, {1, kNaN}, {-kInf, 1}}) {
    EXPECT_TRUE(std::isnan(p(a, x))) << a << " " << x;
    EXPECT_TRUE(std::isnan(q(a, x))) << a << " " << x;
    EXPECT_TRUE(std::isnan(lax::igamma_grad_a(Array(a), Array(x)).item<double>())) << a << " " << x;
    EXPECT_TRUE(std::isnan(lax::random_gamma_grad(Array(a), Array(x)).item<double>())) << a << " " << x;
  }
  // At order 0 the derivative is -E1(x), from the right.
  EXPECT_NEAR(lax::igamma_grad_a(Array(0.0), Array(1.0)).item<double>(), -0.21938393439552028, 1e-16);
  EXPECT_EQ(lax::igamma_grad_a(Array(2.0), Array(0.0)).item<double>(), 0);
  EXPECT_EQ(lax::random_gamma_grad(Array(2.0), Array(0.0)).item<double>(), 0);
}

TEST(regularized_incomplete_beta, has_its_limits_and_is_nan_outside_of_its_domain) {
  const auto beta = [](double a, double b, double x) {
    return lax::regularized_incomplete_beta(Array(a), Array(b), Array(x)).item<double>();
  };
  for (const auto& [a, b, x, want] : std::initializer_list<std::array<double, 4>>{{1, 2, 0, 0},
                                                                                  {1, 2, 1, 1},
                                                                                  {0, 2, 0.5, 1},
                                                                                  {0, 2, 0, 0},
                                                                                  {2, 0, 0.5, 0},
                                                                                  {2, 0, 1, 1},
                                                                                  {2, kInf, 0.5, 1},
                                                                                  {0, kInf, 0.5, 1},
                                                                                  {kInf, 2, 0.5, 0},
                                                                                  {1, 1, 0.25, 0.25},
                                                                                  {1e14, 1e14, 0.5, 0.5}})
    EXPECT_EQ(beta(a, b, x), want) << a << " " << b << " " << x;
  for (const auto& [a, b, x] : std::initializer_list<std::array<double, 3>>{{0, 0, 0.5},
                                                                            {kInf, kInf, 0.5},
                                                                            {-1, 1, 0.5},
                                                                            {1, -1, 0.5},
                                                                            {1, 1, -0.5},
                                                                            {1, 1, 1.5},
                                                                            {kNaN, 1, 0.5},
                                                                            {1, kNaN, 0.5},
                                                                            {1, 1, kNaN}}) {
    EXPECT_TRUE(std::isnan(beta(a, b, x))) << a << " " << b << " " << x;
    EXPECT_TRUE(std::isnan(lax::regularized_incomplete_beta_grad_a(Array(a), Array(b), Array(x)).item<double>()));
    EXPECT_TRUE(std::isnan(lax::regularized_incomplete_beta_grad_b(Array(a), Array(b), Array(x)).item<double>()));
  }
}

// Every combination of these must give a probability, and soon: the slowest sums are cut off by other formulas.
TEST(incomplete_functions, of_extreme_operands_are_probabilities) {
  const double extremes[] = {5e-324, 1e-300, 1e-10, 0.5, 1, 3, 1e3, 1e6, 1e10, 1e18, 1e100, 1.7e308};
  for (const double a : extremes)
    for (const double x : extremes) {
      const double p = lax::igamma(Array(a), Array(x)).item<double>();
      const double q = lax::igammac(Array(a), Array(x)).item<double>();
      EXPECT_TRUE(p >= 0 && p <= 1 && q >= 0 && q <= 1 && std::abs(p + q - 1) < 1e-15) << a << " " << x;
      EXPECT_LE(lax::igamma_grad_a(Array(a), Array(x)).item<double>(), 0) << a << " " << x;
      EXPECT_FALSE(std::isnan(lax::random_gamma_grad(Array(a), Array(x)).item<double>())) << a << " " << x;
      for (const double y : {5e-324, 1e-300, 1e-10, 0.25, 0.5, 1 - 1e-10, 1 - 0x1p-53}) {
        const Array v(a), w(x), z(y);
        const double value = lax::regularized_incomplete_beta(v, w, z).item<double>();
        EXPECT_TRUE(value >= 0 && value <= 1) << a << " " << x << " " << y << ": " << value;
        EXPECT_LE(lax::regularized_incomplete_beta_grad_a(v, w, z).item<double>(), 0) << a << " " << x << " " << y;
        EXPECT_GE(lax::regularized_incomplete_beta_grad_b(v, w, z).item<double>(), 0) << a << " " << x << " " << y;
      }
    }
}

TEST(polygamma, has_poles_and_limits) {
  const auto psi = [](double n, double x) { return lax::polygamma(Array(n), Array(x)).item<double>(); };
  EXPECT_EQ(psi(1, 0), kInf);
  EXPECT_EQ(psi(1, -3), kInf);
  EXPECT_TRUE(std::isnan(psi(2, -3)));
  EXPECT_EQ(psi(1, kInf), 0);
  EXPECT_TRUE(std::isnan(psi(0.5, 1)));
  EXPECT_TRUE(std::isnan(psi(-1, 1)));
  EXPECT_EQ(psi(3, 1e-300), kInf);
  EXPECT_EQ(psi(1e15, 0.5), -kInf);
  EXPECT_EQ(psi(1e15 + 1, 0.5), kInf);
  EXPECT_EQ(psi(2, 1e200), 0);
  EXPECT_EQ(psi(1e100, 5e-324), -kInf);  // and ends
  EXPECT_EQ(psi(1e10, -5e-324), kInf);
  EXPECT_EQ(psi(1e305, 0.5), -kInf);
  EXPECT_EQ(psi(1e305, 1e306), 0);
}

// The Euler-Maclaurin formula after 400 terms, in 60 digits (mpmath's own zeta is wrong in the 13th for s = 30). What q
// + k loses in rounding is lost s times in its power.
TEST(zeta, has_the_errors_of_its_powers_only) {
  constexpr double kPoints[][3] = {
      {12, 63.26537535177571, 1.5243333358929762e-21},   {8, 20.094419235894975, 1.2804003467827798e-10},
      {16, 33.06808958259227, 1.3425949932259401e-24},   {24, 41.324767758940766, 3.811183200746823e-39},
      {30, 77.23865729703572, 7.404944451330953e-57},    {5.5, 90.11972717222325, 3.6384419606970493e-10},
      {40, 61.489941037671784, 5.974642653135182e-72},   {1.25, 7.12851370603228, 2.4921710441302793},
      {2, 0.10160090470299162, 98.30379341934552},       {3, 12.48823000021634, 0.00347301610381656},
      {60, 50.22192817569032, 1.2802051443632748e-102},  {100, 80.8586880130797, 2.39202144217981e-191},
      {150, 14.077471140163606, 5.264023811366212e-173}, {700, 1.204143948702849, 3.3505394955370583e-57},
  };
  for (const auto& [s, q, want] : kPoints)
    EXPECT_LE(ulps(lax::zeta(Array(s), Array(q)).item<double>(), want), 2) << s << " " << q;
}

TEST(zeta, has_poles_and_limits) {
  const auto zeta = [](double s, double q) { return lax::zeta(Array(s), Array(q)).item<double>(); };
  EXPECT_EQ(zeta(1, 2), kInf);
  EXPECT_TRUE(std::isnan(zeta(0.5, 2)));
  EXPECT_EQ(zeta(2, 0), kInf);
  EXPECT_EQ(zeta(2, -3), kInf);
  EXPECT_TRUE(std::isnan(zeta(3, -3)));
  EXPECT_TRUE(std::isnan(zeta(2.5, -0.5)));
  EXPECT_EQ(zeta(2, kInf), 0);
  EXPECT_EQ(zeta(kInf, 1), 1);
  EXPECT_EQ(zeta(kInf, 2), 0);
  EXPECT_EQ(zeta(2, 1e-200), kInf);
  // All terms are too small for a double.
  EXPECT_EQ(zeta(3e13, 2), 0);
  EXPECT_EQ(zeta(3e38, 1.5), 0);
  EXPECT_EQ(zeta(1e14, 0.5), kInf);
  EXPECT_EQ(lax::zeta(Array(1e30f), Array(2.0f)).item<float>(), 0);
}

TEST(zeta_derivative, has_poles_and_limits_and_ends) {
  const auto z = [](double n, double s, double q) {
    return lax::zeta_derivative(Array(n), Array(s), Array(q)).item<double>();
  };
  EXPECT_EQ(z(0, 3, 2.5), lax::zeta(Array(3.0), Array(2.5)).item<double>());
  EXPECT_EQ(z(0, 3, -2.5), lax::zeta(Array(3.0), Array(-2.5)).item<double>());
  EXPECT_EQ(z(1, 1, 2), -kInf);
  EXPECT_EQ(z(2, 1, 2), kInf);
  EXPECT_EQ(z(1, 2, kInf), 0);
  EXPECT_EQ(z(1, kInf, 2), 0);
  EXPECT_EQ(z(1, kInf, 0.5), kInf);
  EXPECT_EQ(z(1, 2, 1e-200), kInf);
  EXPECT_EQ(z(3, 1e300, 1), 0);  // and ends
  EXPECT_EQ(z(3, 1e300, std::nextafter(1, 2)), 0);
  EXPECT_EQ(z(1, 1e18, 1e-3), kInf);
  EXPECT_NEAR(z(1, 2, 1.7e308) / (-(std::log(1.7e308) + 1) / 1.7e308), 1, 1e-14);
  for (const auto& [n, s, q] : std::initializer_list<std::array<double, 3>>{{0.5, 2, 1},
                                                                            {-1, 2, 1},
                                                                            {21, 2, 1},
                                                                            {kNaN, 2, 1},
                                                                            {kInf, 2, 1},
                                                                            {1, 0.5, 1},
                                                                            {1, kNaN, 1},
                                                                            {1, 2, kNaN},
                                                                            {1, 2, 0},
                                                                            {1, 2, -0.5},
                                                                            {1, 2, -kInf}})
    EXPECT_TRUE(std::isnan(z(n, s, q))) << n << " " << s << " " << q;
}

// Up to the float before 1, where 1 - x^2 has few digits unless it is computed with more; within its budget of
// math_f32_test.
TEST(special_functions, the_inverse_of_erf_of_floats_keeps_its_digits_near_one) {
  std::vector<float> x;
  for (int i = 1; i < 4096; ++i) {
    x.push_back(1 - static_cast<float>(i) * 0x1p-24f);
    x.push_back(-0.99f - 0.00999f * static_cast<float>(i) / 4096);
  }
  const std::vector<float> y = lax::erf_inv(Array(x)).to_vector<float>();
  const std::vector<double> exact = lax::erf_inv(lax::convert(Array(x), f64)).to_vector<double>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float rounded = static_cast<float>(exact[i]);
    EXPECT_NEAR(y[i], exact[i], 2 * std::abs(std::nextafter(rounded, HUGE_VALF) - rounded)) << x[i];
  }
}

TEST(special_functions, keep_nan_and_have_their_values_at_infinity) {
  const auto at = [](OpCode op, double x) {
    Arrays outs;
    bind(op, nullptr, Arrays{Array(x)}, outs);
    return outs[0].item<double>();
  };
  for (const OpCode op : {OpCode::kErf, OpCode::kErfc, OpCode::kErfInv, OpCode::kLgamma, OpCode::kDigamma,
                          OpCode::kBesselI0e, OpCode::kBesselI1e})
    EXPECT_TRUE(std::isnan(at(op, kNaN))) << ir::op_name(op);
  EXPECT_EQ(at(OpCode::kErf, -kInf), -1);
  EXPECT_EQ(at(OpCode::kErfc, -kInf), 2);
  EXPECT_EQ(at(OpCode::kErfInv, 1), kInf);
  EXPECT_EQ(at(OpCode::kErfInv, -1), -kInf);
  EXPECT_TRUE(std::isnan(at(OpCode::kErfInv, 1.5)));
  EXPECT_EQ(at(OpCode::kLgamma, -2), kInf);
  EXPECT_EQ(at(OpCode::kLgamma, -kInf), kInf);
  EXPECT_EQ(at(OpCode::kDigamma, 0.0), -kInf);
  EXPECT_EQ(at(OpCode::kDigamma, -0.0), kInf);
  EXPECT_TRUE(std::isnan(at(OpCode::kDigamma, -2)));
  EXPECT_EQ(at(OpCode::kDigamma, kInf), kInf);
  EXPECT_EQ(at(OpCode::kBesselI0e, kInf), 0);
  EXPECT_DOUBLE_EQ(at(OpCode::kBesselI0e, 1.7e308), 1 / std::sqrt(2 * M_PI) / std::sqrt(1.7e308));
  EXPECT_EQ(at(OpCode::kBesselI1e, -kInf), 0);
}

// ---- derivatives where formulas break ----

double slope(OpCode op, std::vector<double> args, int by, DType t = f64) {
  Arrays xs;
  for (const double x : args) xs.push_back(lax::convert(Array(x), t));
  const FlatFunction f = [op](std::span<const Array> a, Arrays& outs) { bind(op, nullptr, a, outs); };
  xs.push_back(lax::convert(Array(1.0), t));
  return lax::convert(call(pushforward(f, args.size(), {by}), xs)[0], f64).item<double>();
}
// The second derivative of a function of one operand.
double curvature(OpCode op, double x, DType t = f64) {
  const FlatFunction f = [op](std::span<const Array> a, Arrays& outs) { bind(op, nullptr, a, outs); };
  const Array v = lax::convert(Array(x), t), one = lax::convert(Array(1.0), t);
  return lax::convert(call(pushforward(pushforward(f, 1, {0}), 2, {0}), Arrays{v, one, one})[0], f64).item<double>();
}

TEST(igamma, has_its_density_as_slope_at_the_ends_too) {
  EXPECT_EQ(slope(OpCode::kIgamma, {1, 0}, 1), 1);
  EXPECT_EQ(slope(OpCode::kIgamma, {2, 0}, 1), 0);
  EXPECT_EQ(slope(OpCode::kIgamma, {0.5, 0}, 1), kInf);
  EXPECT_EQ(slope(OpCode::kIgamma, {2, kInf}, 1), 0);
  EXPECT_EQ(slope(OpCode::kIgamma, {0, 1}, 1), 0);
  EXPECT_EQ(slope(OpCode::kIgamma, {2, 0}, 0), 0);
  EXPECT_TRUE(std::isnan(slope(OpCode::kIgamma, {kNaN, 1}, 1)));
  EXPECT_EQ(slope(OpCode::kIgammaGradA, {2, 0}, 1), 0);
  EXPECT_EQ(slope(OpCode::kIgammaGradA, {2, kInf}, 1), 0);
  EXPECT_EQ(slope(OpCode::kRandomGammaGrad, {2, 0}, 1), kInf);
  // For a large order the plain formula would keep 7 digits of these.
  EXPECT_NEAR(slope(OpCode::kIgamma, {1e6, 1e6}, 1) / 3.9894224715624403e-4, 1, 1e-14);
  EXPECT_NEAR(slope(OpCode::kIgammac, {1e6, 1.001e6}, 1) / -2.4180950473148178e-4, 1, 1e-12);
}

// Relative errors of at most `tolerance`.
void expect_slopes(OpCode op, int by, double tolerance, DType t,
                   std::initializer_list<std::pair<std::vector<double>, double>> rows) {
  for (const auto& [args, want] : rows) {
    const double got = slope(op, args, by, t);
    EXPECT_TRUE(got == want || std::abs(got / want - 1) <= tolerance)
        << ir::op_name(op) << "'s slope at " << args[0] << ", " << args[1] << " is " << want << "; got " << got;
  }
}

// From mpmath with 60 digits: near order 0, where Gamma has its pole, far down and up, and where log x - psi(a)
// cancels.
TEST(igamma_grad_a, has_its_slope_where_terms_cancel) {
  expect_slopes(OpCode::kIgammaGradA, 1, 2e-12, f64,
                {{{1e-8, 0.5}, 1.2130613166126258},
                 {{1e-300, 2}, 0.067667641618306346},
                 {{5e-324, 2}, 0.067667641618306346},
                 {{0, 2}, 0.067667641618306346},
                 {{0.1, 1e-10}, -1324652944.7842501},
                 {{0.5, 1e-5}, -1703.7172007218229},
                 {{0.1, 0}, -kInf},
                 {{5, 100}, 4.8036295079116866e-37},
                 {{0, kInf}, 0},
                 {{1e4, 1.01e4}, 2.403748984326719e-5},
                 {{1e6, 1000500}, 1.7608398349743935e-7}});
  expect_slopes(OpCode::kIgammaGradA, 1, 1e-6, f32,
                {{{1e6, 1000500}, 1.7608398349743935e-7}, {{0, 2}, 0.067667641618306346}});
}
TEST(random_gamma_grad, has_its_slope_where_terms_cancel) {
  const std::initializer_list<std::pair<std::vector<double>, double>> rows{
      {{0.5, 1e-10}, 44.124681814032469},   {{0.001, 0.001}, 5345.8433019641262}, {{2, 1e-6}, 6.869152303742653},
      {{1, 50}, 0.01961510993011487},       {{5, 0.01}, 1.0662518714981958},      {{300, 290}, 0.0017056069067281309},
      {{1e4, 1.01e4}, 4.966997356477749e-5}};
  expect_slopes(OpCode::kRandomGammaGrad, 1, 1e-10, f64, rows);
  // Rounding the operands alone changes the results by about as much.
  expect_slopes(OpCode::kRandomGammaGrad, 1, 1e-6, f32, rows);
}
TEST(regularized_incomplete_beta, has_slopes_by_parameters_that_vanish) {
  // (1-x)^(b-1) / x at a = 0, x^(a-1) / (1-x) at b = 0.
  EXPECT_NEAR(slope(OpCode::kRegularizedIncompleteBetaGradA, {0, 3, 0.25}, 2), 0.75 * 0.75 / 0.25, 1e-14);
  EXPECT_NEAR(slope(OpCode::kRegularizedIncompleteBetaGradB, {3, 0, 0.25}, 2), 0.25 * 0.25 / 0.75, 1e-14);
}
TEST(gamma_functions, have_their_slopes_beside_poles_and_zeros) {
  EXPECT_DOUBLE_EQ(slope(OpCode::kLgamma, {1e-300}, 0), -1e300);
  EXPECT_EQ(slope(OpCode::kLgamma, {0}, 0), -kInf);
  EXPECT_EQ(slope(OpCode::kLgamma, {-0.0}, 0), kInf);
  EXPECT_EQ(slope(OpCode::kLgamma, {kInf}, 0), kInf);
  EXPECT_TRUE(std::isnan(slope(OpCode::kLgamma, {-2}, 0)));
  EXPECT_NEAR(slope(OpCode::kLgamma, {-0.5}, 0), 0.036489973978576521, 1e-16);
  EXPECT_NEAR(slope(OpCode::kLgamma, {1.4616321449683623}, 0), 0, 1e-15);
  EXPECT_NEAR(slope(OpCode::kDigamma, {1e-8}, 0) / 1e16, 1, 1e-15);
  EXPECT_NEAR(slope(OpCode::kDigamma, {-1e-8}, 0) / 1e16, 1, 1e-15);
  EXPECT_NEAR(slope(OpCode::kDigamma, {-2.5}, 0), 9.5392466449891238, 1e-14);
  EXPECT_EQ(slope(OpCode::kDigamma, {0}, 0), kInf);
  EXPECT_EQ(slope(OpCode::kDigamma, {kInf}, 0), 0);
}
TEST(bessel_functions, have_slopes_and_curvatures_at_subnormal_arguments) {
  // e^-|x| I1(x) = x/2 - x |x|/2 + ..., e^-|x| I0(x) = 1 - |x| + 3 x^2/4 - ...
  for (const auto& [t, x] : std::initializer_list<std::pair<DType, double>>{{f32, 1e-40},
                                                                            {f32, 1e-45},
                                                                            {f32, 1e-30},
                                                                            {f64, 5e-324},
                                                                            {f64, 1e-310},
                                                                            {f64, 1e-200},
                                                                            {f16, 6e-8},
                                                                            {bf16, 1e-40}})
    for (const double sign : {1.0, -1.0}) {
      EXPECT_EQ(slope(OpCode::kBesselI1e, {sign * x}, 0, t), 0.5) << x;
      EXPECT_EQ(slope(OpCode::kBesselI0e, {sign * x}, 0, t), -sign) << x;
      EXPECT_EQ(curvature(OpCode::kBesselI1e, sign * x, t), -sign) << x;
      EXPECT_EQ(curvature(OpCode::kBesselI0e, sign * x, t), 1.5) << x;
    }
  EXPECT_EQ(slope(OpCode::kBesselI1e, {0}, 0), 0.5);
  // Both formulas where one takes over from the other: from mpmath.
  EXPECT_NEAR(slope(OpCode::kBesselI1e, {0x1p-7}, 0), 0.49224444331961555, 1e-15);
  EXPECT_NEAR(slope(OpCode::kBesselI1e, {0x1.fffp-8}, 0), 0.4922453831263015, 1e-15);
  EXPECT_NEAR(curvature(OpCode::kBesselI1e, 0x1p-7), -0.98545785439797258, 1e-13);
  EXPECT_NEAR(curvature(OpCode::kBesselI1e, 0x1.fffp-8), -0.98545961665191166, 1e-13);
}

TEST(regularized_incomplete_beta, has_its_density_as_slope_at_the_ends_too) {
  constexpr OpCode kBeta = OpCode::kRegularizedIncompleteBeta;
  EXPECT_NEAR(slope(kBeta, {1, 3, 0}, 2), 3, 1e-14);
  EXPECT_NEAR(slope(kBeta, {4, 1, 1}, 2), 4, 1e-14);
  EXPECT_EQ(slope(kBeta, {2, 3, 0}, 2), 0);
  EXPECT_EQ(slope(kBeta, {2, 3, 1}, 2), 0);
  EXPECT_EQ(slope(kBeta, {0.5, 3, 0}, 2), kInf);
  EXPECT_EQ(slope(kBeta, {2, 3, 0}, 0), 0);
  // For large parameters the plain formula would keep 8 digits of these.
  EXPECT_NEAR(slope(kBeta, {1e6, 2e6, 0.3335}, 2) / 1214.9313837725986, 1, 1e-12);
  EXPECT_NEAR(slope(kBeta, {100, 50, 0.625}, 2) / 5.576317133125446, 1, 1e-13);
  EXPECT_EQ(slope(kBeta, {2, 3, 1}, 1), 0);
  EXPECT_EQ(slope(OpCode::kRegularizedIncompleteBetaGradA, {2, 3, 0}, 2), 0);
}

TEST(incomplete_functions, refuse_second_derivatives_by_parameters) {
  EXPECT_EQ(message_of<NotDifferentiableError>([] { slope(OpCode::kIgammaGradA, {2, 1}, 0); }),
            "igamma_grad_a: there is no formula for second derivatives by the order, only for first ones; got a "
            "tangent for operand 0.");
  EXPECT_EQ(message_of<NotDifferentiableError>([] { slope(OpCode::kRandomGammaGrad, {2, 1}, 0); }),
            "random_gamma_grad: there is no formula for second derivatives by the shape, only for first ones; got a "
            "tangent for operand 0.");
  EXPECT_EQ(message_of<NotDifferentiableError>([] { slope(OpCode::kRegularizedIncompleteBetaGradB, {2, 1, 0.5}, 1); }),
            "regularized_incomplete_beta_grad_b: there is no formula for second derivatives by b, only for first ones; "
            "got a tangent for operand 1.");
}

TEST(regularized_incomplete_beta, fits_numbers_to_the_array_among_its_operands) {
  const Array x(std::vector<float>{0.25f, 0.5f});
  const Array y = lax::regularized_incomplete_beta(1, 1, x);
  EXPECT_EQ(y.dtype(), f32);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0.25f, 0.5f}));
  EXPECT_THROW(lax::regularized_incomplete_beta(x, x, Array(0.5f)), ShapeError);
  EXPECT_THROW(lax::igamma(Array(1), Array(2)), DTypeError);
}

// ---- mulhi ----

TEST(mulhi, is_the_upper_half_of_the_product) {
  const auto high = [](auto x, auto y) { return lax::mulhi(Array(x), Array(y)).template item<decltype(x)>(); };
  EXPECT_EQ(high(std::int8_t{-128}, std::int8_t{-128}), 64);
  EXPECT_EQ(high(std::int8_t{-1}, std::int8_t{1}), -1);
  EXPECT_EQ(high(std::uint8_t{255}, std::uint8_t{255}), 254);
  EXPECT_EQ(high(std::int32_t{INT32_MIN}, std::int32_t{INT32_MAX}), -1073741824);
  EXPECT_EQ(high(std::uint32_t{UINT32_MAX}, std::uint32_t{UINT32_MAX}), UINT32_MAX - 1);
  EXPECT_EQ(high(std::int64_t{INT64_MIN}, std::int64_t{INT64_MIN}), std::int64_t{1} << 62);
  EXPECT_EQ(high(std::uint64_t{UINT64_MAX}, std::uint64_t{UINT64_MAX}), UINT64_MAX - 1);
  EXPECT_EQ(high(std::uint64_t{1} << 63, std::uint64_t{6}), 3u);
}

}  // namespace
}  // namespace weft::testing
