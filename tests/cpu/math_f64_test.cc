// The vectorised f64 functions against the C library in long double, which has eleven more bits or double's own number
// of them: there the budgets hold for the difference of the two. Special values; the same bits on every instruction
// set.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "weft/cpu/kernels/elementwise.h"
#include "weft/cpu/kernels/isa.h"

namespace weft::cpu {
namespace {

using Real = long double;

struct Case {
  const char* name;
  OpCode op;
  Real (*reference)(Real);
  double low, high;  // where results are neither 0 nor infinite everywhere
  double budget;     // ULP
};

Real logistic(Real x) { return 1 / (1 + std::exp(-x)); }

const Case kCases[] = {
    {"exp", OpCode::kExponential, std::exp, -745.5, 709.9, 0.9},
    {"expm1", OpCode::kExponentialMinusOne, std::expm1, -50, 709.9, 1.5},
    {"log", OpCode::kLog, std::log, 5e-324, 1e308, 0.9},
    {"log1p", OpCode::kLogPlusOne, std::log1p, -0.9999999, 1e308, 1},
    {"logistic", OpCode::kLogistic, logistic, -745, 50, 2.2},
    {"tanh", OpCode::kTanh, std::tanh, -20, 20, 2.5},
    {"sinh", OpCode::kSinh, std::sinh, -710.4, 710.4, 1.7},
    {"cosh", OpCode::kCosh, std::cosh, -710.4, 710.4, 1.5},
    {"sin", OpCode::kSine, std::sin, -9e5, 9e5, 0.8},
    {"cos", OpCode::kCosine, std::cos, -9e5, 9e5, 0.8},
    {"tan", OpCode::kTan, std::tan, -9e5, 9e5, 2.2},
    {"asin", OpCode::kAsin, std::asin, -1, 1, 2.5},
    {"acos", OpCode::kAcos, std::acos, -1, 1, 2.5},
    {"atan", OpCode::kAtan, std::atan, -1e6, 1e6, 1.5},
    {"asinh", OpCode::kAsinh, std::asinh, -1e6, 1e6, 2},
    {"acosh", OpCode::kAcosh, std::acosh, 1, 1e308, 2},
    {"atanh", OpCode::kAtanh, std::atanh, -1, 1, 2},
    {"cbrt", OpCode::kCbrt, std::cbrt, -1e308, 1e308, 1},
};

std::vector<double> run(const IsaKernels& kernels, OpCode op, const std::vector<double>& x) {
  std::vector<double> y(x.size());
  const char* in[1] = {reinterpret_cast<const char*>(x.data())};
  kernels.unary(op, f64)->loop(in, 0, reinterpret_cast<char*>(y.data()), static_cast<std::int64_t>(x.size()));
  return y;
}

// A third each evenly spaced, evenly in the exponent, and evenly in [-4, 4].
std::vector<double> samples(const Case& c) {
  std::vector<double> x;
  constexpr int kCount = 60000;
  const double smallest = std::log(1e-320), largest = std::log(std::abs(c.high));
  for (int i = 0; i <= kCount; ++i) {
    const double t = static_cast<double>(i) / kCount;
    x.push_back(c.low * (1 - t) + c.high * t);
    const double magnitude = std::exp(smallest + (largest - smallest) * t);
    x.push_back(std::min(c.low == 1 ? 1 + magnitude : magnitude, c.high));
    if (c.low < 0) x.push_back(std::max(-magnitude, c.low));
    const double near = 8 * t - 4;
    if (near >= c.low && near <= c.high) x.push_back(near);
  }
  return x;
}

Real ulp(Real reference) {
  const double f = std::abs(static_cast<double>(reference));
  return static_cast<Real>(std::nextafter(f, INFINITY)) - static_cast<Real>(f);
}

TEST(math_f64, stays_within_its_budget) {
  for (const Case& c : kCases) {
    const std::vector<double> x = samples(c), y = run(isa_kernels(), c.op, x);
    double worst = 0, at = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Real expected = c.reference(static_cast<Real>(x[i]));
      if (std::abs(expected) > static_cast<Real>(std::numeric_limits<double>::max())) continue;
      const auto error = static_cast<double>(std::abs(static_cast<Real>(y[i]) - expected) / ulp(expected));
      if (!(error <= worst)) {
        worst = error;
        at = x[i];
      }
    }
    RecordProperty(c.name, std::to_string(worst));
    EXPECT_LE(worst, c.budget) << c.name << " at " << at;
  }
}

TEST(math_f64, special_values) {
  const double inf = INFINITY, nan = NAN;
  const auto one = [](OpCode op, double x) { return run(isa_kernels(), op, {x})[0]; };
  for (const Case& c : kCases) {
    EXPECT_TRUE(std::isnan(one(c.op, nan))) << c.name;
    for (const double x : {0.0, -0.0, 1.0, -1.0, inf, -inf, 5e-324, -5e-324, 1e308, -1e308, 1.5, -1.5}) {
      const auto expected = static_cast<double>(c.reference(static_cast<Real>(x))), got = one(c.op, x);
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(got)) << c.name << " of " << x;
      } else {
        EXPECT_DOUBLE_EQ(got, expected) << c.name << " of " << x;
        EXPECT_EQ(std::signbit(got), std::signbit(expected)) << c.name << " of " << x;
      }
    }
  }
}

TEST(math_f64, far_arguments_of_sin_and_cos_are_the_c_librarys) {
  std::vector<double> x;
  for (int i = 0; i < 2000; ++i) x.push_back(i % 7 ? 0.01 * i : 1e8 + i * 1e14);
  const std::vector<double> y = run(isa_kernels(), OpCode::kSine, x);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i], std::sin(x[i]), 1.2e-16) << x[i];
}

TEST(math_f64, the_angle_of_a_point_stays_within_two_ulp) {
  const auto atan2 = [](double y, double x) {
    double z;
    const char* in[2] = {reinterpret_cast<const char*>(&y), reinterpret_cast<const char*>(&x)};
    isa_kernels().binary(OpCode::kAtan2, f64)->loop(in, 0, reinterpret_cast<char*>(&z), 1);
    return z;
  };
  double worst = 0, at_y = 0, at_x = 0;
  for (int i = 0; i < 500; ++i) {
    for (int j = 0; j < 500; ++j) {
      const double y = (i % 2 ? 1 : -1) * std::exp(0.05 * (i - 250)), x = (j % 2 ? 1 : -1) * std::exp(0.05 * (j - 250));
      const Real expected = std::atan2(static_cast<Real>(y), static_cast<Real>(x));
      const auto error = static_cast<double>(std::abs(static_cast<Real>(atan2(y, x)) - expected) / ulp(expected));
      if (!(error <= worst)) {
        worst = error;
        at_y = y;
        at_x = x;
      }
    }
  }
  EXPECT_LE(worst, 2) << at_y << ", " << at_x;
  const double values[] = {0.0, -0.0, 1, -1, INFINITY, -INFINITY, 1e308, -1e308, 5e-324, -5e-324, NAN};
  for (const double y : values) {
    for (const double x : values) {
      const double expected = std::atan2(y, x), got = atan2(y, x);
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(got)) << y << ", " << x;
      } else {
        EXPECT_DOUBLE_EQ(got, expected) << y << ", " << x;
        EXPECT_EQ(std::signbit(got), std::signbit(expected)) << y << ", " << x;
      }
    }
  }
}

TEST(math_f64, every_instruction_set_gives_the_same_bits) {
  for (const Case& c : kCases) {
    const std::vector<double> x = samples(c), expected = run(isa_kernels(Isa::kBaseline), c.op, x);
    for (const Isa isa : {Isa::kV3, Isa::kV4}) {
      if (!isa_available(isa)) continue;
      const std::vector<double> y = run(isa_kernels(isa), c.op, x);
      EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.size() * sizeof(double)), 0)
          << c.name << " differs on instruction set " << static_cast<int>(isa);
    }
  }
}

}  // namespace
}  // namespace weft::cpu
