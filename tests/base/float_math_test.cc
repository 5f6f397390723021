// The fused multiply-add of f32 that is made of double arithmetic. What stands on it is tested where it is used: the
// kernels (tests/cpu/math_f32_test.cc) and reference evaluation.
#include "weft/base/float_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace weft::float_math {
namespace {

::testing::AssertionResult same(float a, float b, float c) {
  const float got = multiply_add_in_double(a, b, c), want = std::fma(a, b, c);
  if (bits_as<std::uint32_t>(got) == bits_as<std::uint32_t>(want) || (got != got && want != want))
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << a << " * " << b << " + " << c << " is " << want << "; got " << got;
}

TEST(float_math, multiply_add_in_double_rounds_once) {
  constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN(),
                  kMax = std::numeric_limits<float>::max(), kTiny = std::numeric_limits<float>::denorm_min();
  const float special[] = {0.0f,  -0.0f, 1.0f,   -1.0f, kInf,           -kInf,     kNan,          kMax,
                           -kMax, kTiny, -kTiny, 1.5f,  0x1.fffffep-2f, 0x1p-126f, 0x1.000002p0f, 0x1p-25f};
  for (const float a : special)
    for (const float b : special)
      for (const float c : special) EXPECT_TRUE(same(a, b, c));
}

// Sums that lie beside the middle between two floats, where rounding to double first would go the wrong way.
TEST(float_math, multiply_add_in_double_decides_ties_by_what_double_cannot_hold) {
  std::mt19937 draw(1);
  int wrong_when_rounded_twice = 0;
  for (int i = 0; i < 20000; ++i) {
    const float c = std::ldexp(static_cast<float>((draw() & 0x7fffff) | 0x800000), -23);
    // Half a unit in the last place of c, less 2^-2k of it.
    const int k = 15 + static_cast<int>(draw() % 9);
    const float a = std::ldexp(1 + std::ldexp(1.0f, -k), -24), b = 1 - std::ldexp(1.0f, -k);
    for (const float x : {a, -a})
      for (const float y : {c, -c}) {
        ASSERT_TRUE(same(x, b, y));
        wrong_when_rounded_twice += static_cast<float>(static_cast<double>(x) * b + y) != std::fma(x, b, y);
      }
  }
  EXPECT_GT(wrong_when_rounded_twice, 0) << "the numbers decide nothing";
}

TEST(float_math, multiply_add_in_double_is_right_for_any_bits) {
  std::mt19937 draw(2);
  for (int i = 0; i < 2000000; ++i) {
    const auto any = [&] { return bits_as<float>(static_cast<std::uint32_t>(draw())); };
    ASSERT_TRUE(same(any(), any(), any()));
  }
}

}  // namespace
}  // namespace weft::float_math
