// The vectorised f32 functions against the C library in double: ULP budgets over dense samples,
// special values, and the same bits on every instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include "weft/cpu/kernels/elementwise.h"
#include "weft/cpu/kernels/isa.h"

namespace weft::cpu {
namespace {

// The largest errors, in ULP of the result, where argument and result are normal numbers, and where either is
// subnormal. They are those over all floats (the disabled test below), rounded up.
struct Case {
  const char* name;
  OpCode op;
  double (*reference)(double);
  float low, high;  // where results are neither 0 nor infinite everywhere
  double normal, subnormal;
};

// By Newton's method, of erf where it has more digits than erfc.
double erf_inv(double x) {
  const double a = std::abs(x);
  if (!(a < 1)) return a == 1 ? x * INFINITY : NAN;
  double y = a < 0.5 ? a : std::sqrt(-std::log1p(-a));
  for (int i = 0; i < 100; ++i) {
    const double error = a < 0.5 ? std::erf(y) - a : (1 - a) - std::erfc(y);
    const double step = error / (1.12837916709551257390 * std::exp(-y * y));
    y -= step;
    if (std::abs(step) <= 1e-14 * y) break;
  }
  return std::copysign(y, x);
}

const Case kCases[] = {
    {"exp", OpCode::kExponential, std::exp, -104, 89, 1.0, 0.8},
    {"expm1", OpCode::kExponentialMinusOne, std::expm1, -30, 89, 1.6, 0.0},
    {"log", OpCode::kLog, std::log, 1e-45f, 3e38f, 0.9, 0.6},
    {"log1p", OpCode::kLogPlusOne, std::log1p, -0.999999f, 3e38f, 1.5, 0.01},
    {"logistic", OpCode::kLogistic, [](double x) { return 1 / (1 + std::exp(-x)); }, -104, 90, 1.5, 1.2},
    {"tanh", OpCode::kTanh, std::tanh, -10, 10, 1.0, 0.01},
    {"sinh", OpCode::kSinh, std::sinh, -89, 89, 1.7, 0.01},
    {"cosh", OpCode::kCosh, std::cosh, -89, 89, 1.5, 0.5},
    {"erf", OpCode::kErf, std::erf, -5, 5, 1.2, 0.6},
    {"erfc", OpCode::kErfc, std::erfc, -5, 10.5f, 0.6, 0.6},
    {"erf_inv", OpCode::kErfInv, erf_inv, -1, 1, 2.0, 0.9},
    {"sin", OpCode::kSine, std::sin, -1e5f, 1e5f, 1.0, 0.01},
    {"cos", OpCode::kCosine, std::cos, -1e5f, 1e5f, 1.0, 0.6},
    {"tan", OpCode::kTan, std::tan, -1e5f, 1e5f, 0.6, 0.6},
    {"asin", OpCode::kAsin, std::asin, -1, 1, 0.6, 0.6},
    {"acos", OpCode::kAcos, std::acos, -1, 1, 0.6, 0.6},
    {"atan", OpCode::kAtan, std::atan, -1e6f, 1e6f, 0.6, 0.6},
    {"asinh", OpCode::kAsinh, std::asinh, -1e6f, 1e6f, 0.6, 0.6},
    {"acosh", OpCode::kAcosh, std::acosh, 1, 3e38f, 0.6, 0.6},
    {"atanh", OpCode::kAtanh, std::atanh, -1, 1, 0.6, 0.6},
    {"cbrt", OpCode::kCbrt, std::cbrt, -3e38f, 3e38f, 0.6, 0.6},
};

std::vector<float> run(const IsaKernels& kernels, OpCode op, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  const char* in[1] = {reinterpret_cast<const char*>(x.data())};
  kernels.unary(op, f32)->loop(in, 0, reinterpret_cast<char*>(y.data()), static_cast<std::int64_t>(x.size()));
  return y;
}

// A third evenly spaced, the others evenly in the exponent, subnormal numbers among them.
std::vector<float> samples(const Case& c) {
  std::vector<float> x;
  constexpr int kCount = 100000;
  for (int i = 0; i <= kCount; ++i) {
    x.push_back(static_cast<float>(c.low + (static_cast<double>(c.high) - c.low) * i / kCount));
    const double magnitude = std::exp(std::log(1e-45) + (std::log(std::abs(c.high)) - std::log(1e-45)) * i / kCount);
    x.push_back(static_cast<float>(magnitude));
    if (c.low < 0) x.push_back(static_cast<float>(std::max<double>(-magnitude, c.low)));
    if (c.low == 1) x.back() += 1;  // near the edge of the domain
  }
  return x;
}

double ulp(double reference) {
  int exponent;
  std::frexp(static_cast<float>(reference), &exponent);
  return std::ldexp(1.0, std::max(exponent - 24, -149));
}

struct Errors {
  double normal = 0, subnormal = 0;
  float normal_at = 0, subnormal_at = 0;

  void add(float x, float y, double expected) {
    constexpr double kSmallest = std::numeric_limits<float>::min();
    if (std::abs(expected) > std::numeric_limits<float>::max() || (std::isnan(expected) && std::isnan(y))) return;
    const bool is_normal = std::abs(x) >= kSmallest && std::abs(expected) >= kSmallest;
    const double difference = y == expected ? 0 : std::abs(y - expected) / ulp(expected);
    const double error = std::isnan(difference) ? INFINITY : difference;
    if (error <= (is_normal ? normal : subnormal)) return;
    (is_normal ? normal : subnormal) = error;
    (is_normal ? normal_at : subnormal_at) = x;
  }
};

TEST(math_f32, stays_within_its_budget) {
  for (const Case& c : kCases) {
    const std::vector<float> x = samples(c), y = run(isa_kernels(), c.op, x);
    Errors errors;
    for (std::size_t i = 0; i < x.size(); ++i) errors.add(x[i], y[i], c.reference(static_cast<double>(x[i])));
    EXPECT_LE(errors.normal, c.normal) << c.name << " at " << errors.normal_at;
    EXPECT_LE(errors.subnormal, c.subnormal) << c.name << " at " << errors.subnormal_at;
  }
}

// Minutes for each function: run it with --gtest_also_run_disabled_tests after changing one. The kernels of f64 are the
// reference, where there are any: math_f64_test knows them to be right within 2.5 ULP of theirs.
class every_float : public testing::TestWithParam<Case> {};
TEST_P(every_float, DISABLED_stays_within_its_budget) {
  const Case& c = GetParam();
  const ElementwiseKernel* wide = isa_kernels().unary(c.op, f64);
  constexpr std::uint32_t kBlock = 1 << 12;
  std::vector<float> x(kBlock);
  std::vector<double> in(kBlock), expected(kBlock);
  Errors errors;
  for (std::uint64_t begin = 0; begin < std::uint64_t{1} << 32; begin += kBlock) {
    for (std::uint32_t i = 0; i < kBlock; ++i) {
      x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(begin) + i);
      in[i] = x[i];
    }
    const char* operands[1] = {reinterpret_cast<const char*>(in.data())};
    if (wide)
      wide->loop(operands, 0, reinterpret_cast<char*>(expected.data()), kBlock);
    else
      for (std::uint32_t i = 0; i < kBlock; ++i) expected[i] = c.reference(in[i]);
    const std::vector<float> y = run(isa_kernels(), c.op, x);
    for (std::uint32_t i = 0; i < kBlock; ++i) errors.add(x[i], y[i], expected[i]);
  }
  std::cout << c.name << ": " << errors.normal << " ULP at " << errors.normal_at << ", with subnormal numbers "
            << errors.subnormal << " at " << errors.subnormal_at << "\n";
  EXPECT_LE(errors.normal, c.normal);
  EXPECT_LE(errors.subnormal, c.subnormal);
}
INSTANTIATE_TEST_SUITE_P(math_f32, every_float, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(math_f32, special_values) {
  const float inf = INFINITY, nan = NAN;
  const auto one = [](OpCode op, float x) { return run(isa_kernels(), op, {x})[0]; };
  for (const Case& c : kCases) {
    EXPECT_TRUE(std::isnan(one(c.op, nan))) << c.name;
    for (const float x : {0.0f, -0.0f, inf, -inf, 1e-45f, -1e-45f, 3e38f, -3e38f}) {
      const auto expected = static_cast<float>(c.reference(static_cast<double>(x))), got = one(c.op, x);
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(got)) << c.name << " of " << x;
        continue;
      }
      EXPECT_EQ(std::signbit(got), std::signbit(expected)) << c.name << " of " << x;
      // Other results have their budget above.
      if (x == 0 || std::isinf(x) || expected == 0 || std::isinf(expected)) {
        EXPECT_EQ(got, expected) << c.name << " of " << x;
      }
    }
  }
  EXPECT_EQ(one(OpCode::kErfInv, 1), inf);
  EXPECT_EQ(one(OpCode::kErfInv, -1), -inf);
  EXPECT_TRUE(std::isnan(one(OpCode::kErfInv, 1.5f)));
}

struct Case2 {
  const char* name;
  OpCode op;
  double (*reference)(double, double);
};
const Case2 kCases2[] = {{"pow", OpCode::kPower, std::pow}, {"atan2", OpCode::kAtan2, std::atan2}};

float run(const IsaKernels& kernels, OpCode op, float x, float y) {
  float z;
  const char* in[2] = {reinterpret_cast<const char*>(&x), reinterpret_cast<const char*>(&y)};
  kernels.binary(op, f32)->loop(in, 0, reinterpret_cast<char*>(&z), 1);
  return z;
}

TEST(math_f32, functions_of_two_numbers_stay_within_0_6_ulp) {
  for (const Case2& c : kCases2) {
    double worst = 0;
    float at_x = 0, at_y = 0;
    for (int i = 0; i < 300; ++i) {
      for (int j = 0; j < 300; ++j) {
        const auto x = static_cast<float>(std::exp(0.3 * (i - 150))) * (i % 2 && c.op == OpCode::kAtan2 ? -1 : 1);
        const auto y = static_cast<float>((j % 3 ? 1 : -1) * std::exp(0.1 * (j - 150)));
        const double expected = c.reference(static_cast<double>(x), static_cast<double>(y));
        if (std::abs(expected) > std::numeric_limits<float>::max()) continue;
        const double error = std::abs(run(isa_kernels(), c.op, x, y) - expected) / ulp(expected);
        if (!(error <= worst)) {
          worst = error;
          at_x = x;
          at_y = y;
        }
      }
    }
    EXPECT_LE(worst, 0.6) << c.name << " at " << at_x << ", " << at_y;
  }
}

TEST(math_f32, special_values_of_functions_of_two_numbers) {
  const float inf = INFINITY, nan = NAN;
  const float values[] = {0.0f, -0.0f, 1,    -1,  0.5f, -0.5f,  2,      -2,   3,   -3,
                          1e9f, -1e9f, 3e7f, inf, -inf, 1e-45f, -3e38f, 2.5f, nan, -2.5f};
  for (const Case2& c : kCases2) {
    for (const float x : values) {
      for (const float y : values) {
        const auto expected = static_cast<float>(c.reference(static_cast<double>(x), static_cast<double>(y)));
        for (const Isa isa : {Isa::kBaseline, active_isa()}) {
          const float got = run(isa_kernels(isa), c.op, x, y);
          if (std::isnan(expected)) {
            EXPECT_TRUE(std::isnan(got)) << c.name << " of " << x << ", " << y;
          } else {
            EXPECT_FLOAT_EQ(got, expected) << c.name << " of " << x << ", " << y;
            EXPECT_EQ(std::signbit(got), std::signbit(expected)) << c.name << " of " << x << ", " << y;
          }
        }
      }
    }
  }
}

TEST(math_f32, far_arguments_of_sin_and_cos_are_the_c_librarys) {
  std::vector<float> x;
  for (int i = 0; i < 2000; ++i)
    x.push_back(i % 7 ? 0.01f * static_cast<float>(i) : 1e8f + static_cast<float>(i) * 1e4f);
  const std::vector<float> y = run(isa_kernels(), OpCode::kSine, x);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i], std::sin(static_cast<double>(x[i])), 6.1e-8) << x[i];
}

// Where the difference to a multiple of pi/2 has the fewest digits.
TEST(math_f32, sin_and_cos_are_as_exact_next_to_their_zeros) {
  std::vector<float> x;
  for (int n = 1; n < 5000; ++n) {
    const auto nearest = static_cast<float>(n * 1.57079632679489661923);
    for (const float v : {std::nextafter(nearest, 0.0f), nearest, std::nextafter(nearest, INFINITY)})
      x.insert(x.end(), {v, -v});
  }
  const std::vector<float> sines = run(isa_kernels(), OpCode::kSine, x),
                           cosines = run(isa_kernels(), OpCode::kCosine, x);
  Errors sine, cosine;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sine.add(x[i], sines[i], std::sin(static_cast<double>(x[i])));
    cosine.add(x[i], cosines[i], std::cos(static_cast<double>(x[i])));
  }
  EXPECT_LE(sine.normal, 1.0) << "at " << sine.normal_at;
  EXPECT_LE(cosine.normal, 1.0) << "at " << cosine.normal_at;
}

TEST(math_f32, odd_functions_keep_the_sign) {
  for (const OpCode op : {OpCode::kTanh, OpCode::kSinh, OpCode::kErf, OpCode::kErfInv, OpCode::kSine}) {
    std::vector<float> x;
    for (int i = 0; i <= 100000; ++i) x.push_back(std::exp(static_cast<float>(i - 99000) * 1e-3f));
    x.push_back(0);
    const std::vector<float> y = run(isa_kernels(), op, x);
    for (float& v : x) v = -v;
    const std::vector<float> z = run(isa_kernels(), op, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const bool same = std::bit_cast<std::uint32_t>(z[i]) == std::bit_cast<std::uint32_t>(-y[i]);
      EXPECT_TRUE(same || std::isnan(y[i])) << x[i] << ": " << y[i] << ", " << z[i];
    }
  }
}

TEST(math_f32, every_instruction_set_gives_the_same_bits) {
  for (const Case& c : kCases) {
    const std::vector<float> x = samples(c), expected = run(isa_kernels(Isa::kBaseline), c.op, x);
    for (const Isa isa : {Isa::kV3, Isa::kV4}) {
      if (!isa_available(isa)) continue;
      const std::vector<float> y = run(isa_kernels(isa), c.op, x);
      EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.size() * sizeof(float)), 0)
          << c.name << " differs on instruction set " << static_cast<int>(isa);
    }
  }
}

}  // namespace
}  // namespace weft::cpu
