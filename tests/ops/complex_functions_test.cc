// Complex elementary functions: values from tables within budgets by part, both sides of every branch
// cut, infinities as in C99's Annex G, and the ends of the range.
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <complex>
#include <limits>

#include "ops/complex_function_values.h"
#include "weft/core/trace.h"
#include "weft/ops/lax.h"

namespace weft::testing {
namespace {

using C = std::complex<double>;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kPi = 3.14159265358979323846;

// Units in the last place of each part. Measured (x86-64, glibc 2.36): 0.5 for c64 and c128. Without a
// type wider than double c128 has the C library's errors, up to 4.
constexpr double kBudgetC64 = 0.6;
constexpr double kBudgetC128 = LDBL_MANT_DIG > DBL_MANT_DIG ? 0.6 : 5;

template <class T>
double ulps(T got, double want) {
  const T rounded = static_cast<T>(want), size = std::abs(rounded);
  if (!std::isfinite(got) || !std::isfinite(rounded)) return got == rounded ? 0 : kInf;
  const double unit = static_cast<double>(std::nextafter(size, std::numeric_limits<T>::infinity())) - size;
  return std::abs(static_cast<double>(got) - want) / unit;
}

template <class T>
bool fits(std::span<const double> xs) {
  for (const double x : xs)
    if (static_cast<double>(static_cast<T>(x)) != x) return false;
  return true;
}

// General powers of c64 follow a formula in f32 (what other systems' programs expect): the error, as a part of the
// magnitude, in units of 2^-24 per unit of the exponent w log z, whose rounding it is.
constexpr double kBudgetPowerC64 = 4;

double power_error(C z, C w, C got, C want) {
  if (got == want || std::abs(got - want) < FLT_MIN) return 0;
  return std::abs(got - want) / std::abs(want) / (0x1p-24 * (1 + std::abs(w * std::log(z))));
}

template <class T>
void check_budgets(double budget, std::size_t at_least) {
  for (const ComplexValues& values : kComplexValues) {
    const auto parts = static_cast<std::size_t>(2 * values.operands), width = parts + 2;
    std::vector<std::vector<std::complex<T>>> operands(static_cast<std::size_t>(values.operands));
    std::vector<C> want;
    for (std::size_t row = 0; row < values.rows.size(); row += width) {
      const auto cells = values.rows.subspan(row, width);
      if (!fits<T>(cells.first(parts))) continue;
      for (std::size_t i = 0; i < operands.size(); ++i)
        operands[i].emplace_back(static_cast<T>(cells[2 * i]), static_cast<T>(cells[2 * i + 1]));
      want.emplace_back(cells[parts], cells[parts + 1]);
    }
    ASSERT_GE(want.size(), at_least) << ir::op_name(values.op);
    Arrays args, outs;
    for (const auto& x : operands) args.push_back(Array(x));
    bind(values.op, nullptr, args, outs);
    const auto got = outs[0].to_vector<std::complex<T>>();
    for (std::size_t i = 0; i < want.size(); ++i) {
      if (values.op == OpCode::kPower && std::is_same_v<T, float> && operands[1][i].imag() != 0) {
        EXPECT_LE(power_error(operands[0][i], operands[1][i], got[i], want[i]), kBudgetPowerC64)
            << operands[0][i] << "^" << operands[1][i] << " is " << want[i] << "; got " << got[i];
        continue;
      }
      EXPECT_TRUE(ulps(got[i].real(), want[i].real()) <= budget && ulps(got[i].imag(), want[i].imag()) <= budget)
          << ir::op_name(values.op) << operands[0][i] << (operands.size() > 1 ? operands[1][i] : std::complex<T>())
          << " is " << want[i] << "; got " << got[i];
    }
  }
}

TEST(complex_functions, of_c128_stay_within_their_budget) { check_budgets<double>(kBudgetC128, 18); }
TEST(complex_functions, of_c64_stay_within_their_budget) { check_budgets<float>(kBudgetC64, 15); }

// ---- exact results, with the signs of zeros ----

bool same(double x, double y) {
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) && std::isnan(y);
  return x == y ? std::signbit(x) == std::signbit(y) : std::abs(x - y) <= 1e-15 * std::abs(y);
}

struct Exact {
  OpCode op;
  C x, want;
};
void check(std::initializer_list<Exact> cases) {
  for (const Exact& c : cases) {
    Arrays outs;
    bind(c.op, nullptr, Arrays{Array(c.x)}, outs);
    const C got = outs[0].item<C>();
    EXPECT_TRUE(same(got.real(), c.want.real()) && same(got.imag(), c.want.imag()))
        << ir::op_name(c.op) << c.x << " is " << c.want << "; got " << got;
  }
}

// The sign of a zero part says on which side of the cut a number lies.
TEST(complex_functions, are_continuous_from_either_side_of_a_branch_cut) {
  const double log2 = std::log(2.0), s3 = std::sqrt(3.0), acosh2 = std::acosh(2.0), atanh_half = std::atanh(0.5);
  check({{OpCode::kSqrt, {-4, 0.0}, {0, 2}},
         {OpCode::kSqrt, {-4, -0.0}, {0, -2}},
         {OpCode::kRsqrt, {-4, 0.0}, {0, -0.5}},
         {OpCode::kRsqrt, {-4, -0.0}, {0, 0.5}},
         {OpCode::kLog, {-2, 0.0}, {log2, kPi}},
         {OpCode::kLog, {-2, -0.0}, {log2, -kPi}},
         {OpCode::kLogPlusOne, {-3, 0.0}, {log2, kPi}},
         {OpCode::kLogPlusOne, {-3, -0.0}, {log2, -kPi}},
         {OpCode::kCbrt, {-8, 0.0}, {1, s3}},
         {OpCode::kCbrt, {-8, -0.0}, {1, -s3}},
         {OpCode::kAsin, {2, 0.0}, {kPi / 2, acosh2}},
         {OpCode::kAsin, {2, -0.0}, {kPi / 2, -acosh2}},
         {OpCode::kAsin, {-2, 0.0}, {-kPi / 2, acosh2}},
         {OpCode::kAcos, {2, 0.0}, {0, -acosh2}},
         {OpCode::kAcos, {2, -0.0}, {0, acosh2}},
         {OpCode::kAcos, {-2, 0.0}, {kPi, -acosh2}},
         {OpCode::kAtan, {0.0, 2}, {kPi / 2, atanh_half}},
         {OpCode::kAtan, {-0.0, 2}, {-kPi / 2, atanh_half}},
         {OpCode::kAsinh, {0.0, 2}, {acosh2, kPi / 2}},
         {OpCode::kAsinh, {-0.0, 2}, {-acosh2, kPi / 2}},
         {OpCode::kAcosh, {-2, 0.0}, {acosh2, kPi}},
         {OpCode::kAcosh, {-2, -0.0}, {acosh2, -kPi}},
         {OpCode::kAcosh, {0.5, -0.0}, {0, -kPi / 3}},
         {OpCode::kAtanh, {2, 0.0}, {atanh_half, kPi / 2}},
         {OpCode::kAtanh, {2, -0.0}, {atanh_half, -kPi / 2}}});
}

TEST(complex_functions, keep_the_sign_of_zeros) {
  for (const OpCode op : {OpCode::kSine, OpCode::kTan, OpCode::kSinh, OpCode::kTanh, OpCode::kAsin, OpCode::kAtan,
                          OpCode::kAsinh, OpCode::kAtanh, OpCode::kExponentialMinusOne, OpCode::kLogPlusOne})
    for (const C z : {C(0.0, 0.0), C(0.0, -0.0), C(-0.0, 0.0), C(-0.0, -0.0)}) check({{op, z, z}});
}

TEST(complex_functions, of_infinities_follow_annex_g) {
  check({{OpCode::kSqrt, {-kInf, 1}, {0, kInf}},
         {OpCode::kSqrt, {kNaN, kInf}, {kInf, kInf}},
         {OpCode::kExponential, {-kInf, 1}, {0, 0}},
         {OpCode::kExponential, {kInf, 0}, {kInf, 0}},
         {OpCode::kExponential, {kInf, kNaN}, {kInf, kNaN}},
         {OpCode::kExponentialMinusOne, {-kInf, 1}, {-1, 0}},
         {OpCode::kExponentialMinusOne, {-kInf, kInf}, {-1, 0}},
         {OpCode::kExponentialMinusOne, {kInf, 0}, {kInf, 0}},
         {OpCode::kLog, {0, 0}, {-kInf, 0}},
         {OpCode::kLog, {-kInf, kInf}, {kInf, 3 * kPi / 4}},
         {OpCode::kLog, {kNaN, kInf}, {kInf, kNaN}},
         {OpCode::kLogPlusOne, {-1, 0}, {-kInf, 0}},
         {OpCode::kLogPlusOne, {kInf, -kInf}, {kInf, -kPi / 4}},
         {OpCode::kTanh, {kInf, 1}, {1, 0}},
         {OpCode::kTanh, {-kInf, kNaN}, {-1, 0}},
         {OpCode::kTan, {1, kInf}, {0, 1}},
         {OpCode::kAsinh, {kInf, kInf}, {kInf, kPi / 4}},
         {OpCode::kAcos, {-kInf, kInf}, {3 * kPi / 4, -kInf}},
         {OpCode::kAtanh, {kInf, 1}, {0, kPi / 2}},
         {OpCode::kAtanh, {1, 0}, {kInf, 0}},
         {OpCode::kLogistic, {kInf, kNaN}, {1, 0}},
         {OpCode::kLogistic, {-kInf, kInf}, {0, 0}},
         {OpCode::kLogistic, {kInf, 1}, {1, 0}},
         {OpCode::kRsqrt, {kInf, 0}, {0, 0}}});
}

TEST(complex_functions, neither_overflow_nor_underflow_on_the_way) {
  const double huge = 1e300, tiny = 1e-300;
  check({{OpCode::kSqrt, {huge, huge}, {1.0986841134678098e150, 4.550898605622274e149}},
         {OpCode::kRsqrt, {tiny, 0}, {1e150, -0.0}},
         {OpCode::kLog, {huge, huge}, {std::log(huge) + std::log(2.0) / 2, kPi / 4}},
         {OpCode::kLogPlusOne, {huge, huge}, {std::log(huge) + std::log(2.0) / 2, kPi / 4}},
         {OpCode::kLogPlusOne, {tiny, tiny}, {tiny, tiny}},
         {OpCode::kAsin, {1e200, 1e-200}, {kPi / 2, std::log(2.0) + std::log(1e200)}},
         {OpCode::kTan, {1, 1000}, {0, 1}},
         {OpCode::kTan, {1e-200, 1e-200}, {1e-200, 1e-200}},
         {OpCode::kLogistic, {-800, 1}, {0, 0}},
         {OpCode::kLogistic, {800, 1}, {1, 0}},
         {OpCode::kSign, {huge, huge}, {std::sqrt(0.5), std::sqrt(0.5)}},
         {OpCode::kSign, {1.7e308, 1.7e308}, {std::sqrt(0.5), std::sqrt(0.5)}},
         {OpCode::kSign, {5e-324, 0}, {1, 0}},
         {OpCode::kSign, {5e-324, -5e-324}, {std::sqrt(0.5), -std::sqrt(0.5)}}});
  EXPECT_EQ(lax::abs(Array(C(huge, huge))).item<double>(), std::sqrt(2.0) * huge);
  EXPECT_EQ(lax::abs(Array(std::complex<float>(3e38f, 1e38f))).item<float>(), 3.16227766e38f);
}

TEST(divide, of_complex_numbers_holds_at_every_magnitude) {
  const auto quotient = [](C x, C y) { return lax::divide(Array(x), Array(y)).item<C>(); };
  EXPECT_EQ(quotient({1e300, 1e300}, {1e300, 1e300}), C(1, 0));
  EXPECT_EQ(quotient({1e-300, 1e-300}, {1e-300, 1e-300}), C(1, 0));
  EXPECT_EQ(quotient({1e300, 1e-300}, {1e300, 1e-300}), C(1, 0));
  EXPECT_EQ(quotient({5e-324, 5e-324}, {5e-324, 0}), C(1, 1));
  EXPECT_EQ(quotient({1, 1}, {1e308, 1e308}), C(1e-308, 0));
  // Parts that cancel keep their digits.
  EXPECT_EQ(quotient({1 + 0x1p-30, 1}, {1, 1 + 0x1p-30}).imag() * (2 + 0x1p-29 + 0x1p-60), -0x1p-29 - 0x1p-60);
  EXPECT_EQ(quotient({1, 1}, {0, 0}).real(), kInf);
  EXPECT_EQ(quotient({1, 1}, {kInf, 0}), C(0, 0));
  EXPECT_EQ(quotient({kInf, 1}, {1, 1}), C(kInf, -kInf));
  EXPECT_EQ(quotient({0, 0}, {2, 3}), C(0, 0));
}

TEST(power, of_complex_numbers_has_exact_and_special_cases) {
  const auto power = [](C z, C w) { return lax::power(Array(z), Array(w)).item<C>(); };
  EXPECT_EQ(power({1, 1}, 2), C(0, 2));
  EXPECT_EQ(power({1, 2}, 3), C(-11, -2));
  EXPECT_EQ(power({-2, 0}, 3), C(-8, 0));
  EXPECT_EQ(power({0, 1}, -1), C(0, -1));
  EXPECT_EQ(power({2, 0}, 0.5), C(std::sqrt(2.0), 0));
  EXPECT_EQ(power({0, 0}, 2), C(0, 0));
  EXPECT_EQ(power({0, 0}, 0), C(1, 0));
  EXPECT_EQ(power({kNaN, 0}, 0), C(1, 0));
  EXPECT_TRUE(std::isnan(power({0, 0}, -1).real()));
  EXPECT_EQ(power({1e300, 1e300}, 0.5), lax::sqrt(Array(C(1e300, 1e300))).item<C>());
  EXPECT_EQ(power({1e-300, 0}, 2), C(0, 0));
}

TEST(atan2, of_complex_numbers_extends_that_of_reals) {
  const auto angle = [](C y, C x) { return lax::atan2(Array(y), Array(x)).item<C>(); };
  for (const double y : {-2.0, 1e-12, 3.0})
    for (const double x : {-1.5, 1e-3, 2.0}) {
      EXPECT_NEAR(angle(y, x).real(), std::atan2(y, x), 1e-15 * std::abs(std::atan2(y, x))) << y << " " << x;
      EXPECT_EQ(angle(y, x).imag(), 0);
    }
  EXPECT_EQ(angle(1, 0), C(kPi / 2, 0));
}

}  // namespace
}  // namespace weft::testing
