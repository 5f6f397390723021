// Conversions are compared with an oracle that knows only the value table of the format:
// round to nearest is a search for the closest entry, ties to the even bit pattern.
#include "weft/base/float16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace weft {
namespace {

// A format by its two numbers: significand bits (with the hidden one) and exponent bits.
struct Format {
  int digits, exponent_bits;
  int max_exponent_field() const { return (1 << exponent_bits) - 1; }
  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  // The value of a non-negative bit pattern, by the definition of IEEE 754 section 3.4.
  double value(int bits) const {
    const int fraction = bits & ((1 << (digits - 1)) - 1);
    const int field = bits >> (digits - 1);
    if (field == max_exponent_field()) return fraction ? NAN : INFINITY;
    if (field == 0) return std::ldexp(fraction, 1 - bias() - (digits - 1));
    return std::ldexp((1 << (digits - 1)) + fraction, field - bias() - (digits - 1));
  }
  int infinity_bits() const { return max_exponent_field() << (digits - 1); }
};
constexpr Format kHalf{11, 5}, kBrain{8, 8};

// Nearest bit pattern of |x|, ties to even; x is finite or infinite.
int nearest_bits(const Format& format, double x) {
  x = std::fabs(x);
  const int inf = format.infinity_bits();
  if (std::isinf(x)) return inf;
  int low = 0, high = inf;  // value(low) <= x < value(high)
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (format.value(middle) <= x ? low : high) = middle;
  }
  // Rounding treats the pattern after the largest finite one as the next power of two.
  const double above = high == inf ? 2 * format.value(inf - (1 << (format.digits - 1))) : format.value(high);
  const double down = x - format.value(low), up = above - x;
  if (down != up) return down < up ? low : high;
  return low % 2 == 0 ? low : high;
}

template <class F>
class small_float : public testing::Test {
 protected:
  static constexpr Format format = std::is_same_v<F, float16> ? kHalf : kBrain;
};
using SmallFloats = testing::Types<float16, bfloat16>;
TYPED_TEST_SUITE(small_float, SmallFloats);

TYPED_TEST(small_float, every_bit_pattern_has_the_value_of_the_standard) {
  for (int bits = 0; bits < 0x8000; ++bits) {
    const double expected = this->format.value(bits);
    const float plus = TypeParam::from_bits(static_cast<std::uint16_t>(bits));
    const float minus = TypeParam::from_bits(static_cast<std::uint16_t>(bits | 0x8000));
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(plus) && std::isnan(minus)) << bits;
    } else {
      ASSERT_EQ(plus, expected) << bits;
      ASSERT_EQ(minus, -expected) << bits;
      ASSERT_TRUE(std::signbit(minus)) << bits;
    }
  }
}

TYPED_TEST(small_float, every_bit_pattern_survives_the_way_through_float_and_double) {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const TypeParam x = TypeParam::from_bits(static_cast<std::uint16_t>(bits));
    const float f = x;
    if (std::isnan(f)) {
      ASSERT_TRUE(std::isnan(static_cast<float>(TypeParam(f)))) << bits;
      ASSERT_EQ(TypeParam(f).bits & 0x8000, bits & 0x8000);
    } else {
      ASSERT_EQ(TypeParam(f).bits, bits);
      ASSERT_EQ(TypeParam(static_cast<double>(f)).bits, bits);
    }
  }
}

// Around every value and every midpoint between neighbours: the places where rounding decides.
TYPED_TEST(small_float, doubles_and_floats_round_to_nearest_even_at_every_boundary) {
  const int inf = this->format.infinity_bits();
  for (int bits = 0; bits < inf; ++bits) {
    const double here = this->format.value(bits);
    const double next =
        bits + 1 < inf ? this->format.value(bits + 1) : 2 * this->format.value(inf - (1 << (this->format.digits - 1)));
    const double middle = here + (next - here) / 2;
    for (const double x : {here, std::nextafter(middle, 0.0), middle, std::nextafter(middle, INFINITY)}) {
      ASSERT_EQ(TypeParam(x).bits, nearest_bits(this->format, x)) << x;
      ASSERT_EQ(TypeParam(-x).bits, nearest_bits(this->format, x) | 0x8000) << -x;
    }
    const auto m = static_cast<float>(middle);
    for (const float x : {std::nextafter(m, 0.0f), m, std::nextafter(m, INFINITY)})
      ASSERT_EQ(TypeParam(x).bits, nearest_bits(this->format, x)) << x;
  }
}

TYPED_TEST(small_float, random_doubles_are_rounded_once) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200000; ++i) {
    const double x = std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 300) - 200);
    ASSERT_EQ(TypeParam(x).bits, nearest_bits(this->format, x)) << x;
  }
}

TYPED_TEST(small_float, doubles_outside_the_range_of_float_become_zero_or_infinity) {
  EXPECT_EQ(TypeParam(1e300).bits, this->format.infinity_bits());
  EXPECT_EQ(TypeParam(-1e300).bits, this->format.infinity_bits() | 0x8000);
  EXPECT_EQ(TypeParam(1e-300).bits, 0);
  EXPECT_EQ(TypeParam(-1e-300).bits, 0x8000);
  EXPECT_EQ(TypeParam(-0.0).bits, 0x8000);
}

TYPED_TEST(small_float, arithmetic_rounds_the_exact_result) {
  TypeParam sum(1.0f);
  sum += TypeParam(static_cast<float>(std::numeric_limits<TypeParam>::epsilon()) / 2);
  EXPECT_EQ(static_cast<float>(sum), 1.0f);  // a tie, to even
  TypeParam product(3.0f);
  product *= TypeParam(-0.5f);
  EXPECT_EQ(static_cast<float>(product), -1.5f);
}

TYPED_TEST(small_float, limits_are_those_of_the_format) {
  using Limits = std::numeric_limits<TypeParam>;
  const int inf = this->format.infinity_bits();
  EXPECT_EQ(Limits::digits, this->format.digits);
  EXPECT_EQ(static_cast<float>(Limits::max()), this->format.value(inf - 1));
  EXPECT_EQ(static_cast<float>(Limits::lowest()), -this->format.value(inf - 1));
  EXPECT_EQ(static_cast<float>(Limits::min()), this->format.value(1 << (this->format.digits - 1)));
  EXPECT_EQ(static_cast<float>(Limits::epsilon()), std::ldexp(1.0, 1 - this->format.digits));
  EXPECT_TRUE(std::isinf(static_cast<float>(Limits::infinity())));
  EXPECT_TRUE(std::isnan(static_cast<float>(Limits::quiet_NaN())));
}

TYPED_TEST(small_float, integers_convert_with_one_rounding) {
  for (int i = -3000; i <= 3000; ++i) ASSERT_EQ(TypeParam(i).bits & 0x7fff, nearest_bits(this->format, i)) << i;
  EXPECT_EQ(static_cast<float>(TypeParam(true)), 1.0f);
}

}  // namespace
}  // namespace weft
