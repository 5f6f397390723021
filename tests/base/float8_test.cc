// Small floats against an oracle that knows only the formula of the formats: the value of every code, and rounding as a
// search for the nearest of those values.
#include "weft/base/float8.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weft {
namespace {

namespace formats = small_float_formats;

struct Named {
  const char* name;
  SmallFloatFormat format;
};
constexpr Named kFormats[] = {{"e4m3fn", formats::e4m3fn},
                              {"e5m2", formats::e5m2},
                              {"e4m3fnuz", formats::e4m3fnuz},
                              {"e5m2fnuz", formats::e5m2fnuz},
                              {"e4m3b11fnuz", formats::e4m3b11fnuz},
                              {"e4m3", formats::e4m3},
                              {"e3m4", formats::e3m4},
                              {"e8m0fnu", formats::e8m0fnu},
                              {"e2m3fn", formats::e2m3fn},
                              {"e3m2fn", formats::e3m2fn},
                              {"e2m1fn", formats::e2m1fn}};

// What a code stands for, from the definitions: nullopt for NaN.
std::optional<double> value_of(const std::string& name, const SmallFloatFormat& f, int code) {
  if (name == "e8m0fnu") return code == 255 ? std::nullopt : std::optional(std::ldexp(1, code - 127));
  const int magnitude_bits = f.exponent_bits + f.mantissa_bits;
  const int negative = code >> magnitude_bits, e = code >> f.mantissa_bits & ((1 << f.exponent_bits) - 1),
            m = code & ((1 << f.mantissa_bits) - 1), ones = (1 << f.exponent_bits) - 1;
  const bool unsigned_zero = name.ends_with("fnuz"), ieee = name == "e5m2" || name == "e4m3" || name == "e3m4";
  if (unsigned_zero && code == 128) return std::nullopt;
  if (name == "e4m3fn" && e == ones && m == 7) return std::nullopt;
  if (ieee && e == ones) return m ? std::nullopt : std::optional(negative ? -INFINITY : INFINITY);
  const double size = e == 0 ? std::ldexp(m, 1 - f.bias - f.mantissa_bits)
                             : std::ldexp((1 << f.mantissa_bits) + m, e - f.bias - f.mantissa_bits);
  return negative ? -size : size;
}

int codes_of(const SmallFloatFormat& f) { return 1 << f.width(); }

bool same(double a, double b) { return (a != a && b != b) || (a == b && std::signbit(a) == std::signbit(b)); }

TEST(float8, formats_have_their_widths_and_limits) {
  const auto largest = [](const SmallFloatFormat& f) {
    return decode_small_float(f, static_cast<std::uint8_t>(f.max_code()));
  };
  EXPECT_EQ(largest(formats::e4m3fn), 448);
  EXPECT_EQ(largest(formats::e5m2), 57344);
  EXPECT_EQ(largest(formats::e4m3fnuz), 240);
  EXPECT_EQ(largest(formats::e5m2fnuz), 57344);
  EXPECT_EQ(largest(formats::e4m3b11fnuz), 30);
  EXPECT_EQ(largest(formats::e4m3), 240);
  EXPECT_EQ(largest(formats::e3m4), 15.5);
  EXPECT_EQ(largest(formats::e8m0fnu), 0x1p127);
  EXPECT_EQ(largest(formats::e2m3fn), 7.5);
  EXPECT_EQ(largest(formats::e3m2fn), 28);
  EXPECT_EQ(largest(formats::e2m1fn), 6);
  EXPECT_EQ(formats::e4m3fn.width(), 8);
  EXPECT_EQ(formats::e8m0fnu.width(), 8);
  EXPECT_EQ(formats::e2m3fn.width(), 6);
  EXPECT_EQ(formats::e3m2fn.width(), 6);
  EXPECT_EQ(formats::e2m1fn.width(), 4);
}

TEST(float8, every_code_has_the_value_of_the_formula) {
  for (const auto& [name, f] : kFormats)
    for (int code = 0; code < codes_of(f); ++code) {
      const auto want = value_of(name, f, code);
      const double got = decode_small_float(f, static_cast<std::uint8_t>(code));
      EXPECT_TRUE(same(got, want.value_or(NAN))) << name << " " << code << ": " << got;
      EXPECT_EQ(is_small_float_nan(f, static_cast<std::uint8_t>(code)), !want.has_value()) << name << " " << code;
      EXPECT_TRUE(same(static_cast<float>(got), got)) << name << " " << code << " is not exact in float";
    }
}

TEST(float8, every_number_keeps_its_code_on_the_way_through_double) {
  for (const auto& [name, f] : kFormats)
    for (int code = 0; code < codes_of(f); ++code) {
      const double v = decode_small_float(f, static_cast<std::uint8_t>(code));
      if (v != v) continue;
      EXPECT_EQ(encode_small_float(f, v), code) << name;
    }
}

// The code of x by search among all finite values, ties to the even code; x does not lie beyond the largest.
int nearest(const std::string& name, const SmallFloatFormat& f, double x) {
  int best = -1;
  double distance = INFINITY;
  for (int code = 0; code < codes_of(f); ++code) {
    const auto v = value_of(name, f, code);
    if (!v || std::isinf(*v)) continue;
    if (std::signbit(*v) != std::signbit(x) && *v != 0) continue;
    if (*v == 0 && std::signbit(*v) != std::signbit(x) && !name.ends_with("fnuz")) continue;
    const double d = std::fabs(*v - x);
    // A scale's codes have no even side: its ties go up.
    const bool wins_tie = name == "e8m0fnu" ? *v > *value_of(name, f, best) : code % 2 == 0;
    if (d < distance || (d == distance && best >= 0 && wins_tie)) {
      best = code;
      distance = d;
    }
  }
  return best;
}

TEST(float8, numbers_round_to_the_nearest_code_around_every_midpoint) {
  for (const auto& [name, f] : kFormats) {
    std::vector<double> values;
    for (unsigned code = 0; code <= f.max_code(); ++code)
      values.push_back(decode_small_float(f, static_cast<std::uint8_t>(code)));
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
      const double middle = (values[i] + values[i + 1]) / 2;
      for (const double x : {middle, std::nextafter(middle, 0), std::nextafter(middle, INFINITY),
                             std::nextafter(values[i], INFINITY), std::nextafter(values[i + 1], 0)}) {
        EXPECT_EQ(encode_small_float(f, x), nearest(name, f, x)) << name << " " << x;
        if (!f.has_sign()) continue;
        EXPECT_EQ(encode_small_float(f, -x), nearest(name, f, -x)) << name << " " << -x;
      }
    }
  }
}

TEST(float8, double_rounds_once_where_float_would_come_between) {
  // Just above a midpoint, by less than half a step of float.
  EXPECT_EQ(decode_small_float(formats::e4m3fn, encode_small_float(formats::e4m3fn, 1.0625 + 0x1p-40)), 1.125);
  EXPECT_EQ(decode_small_float(formats::e4m3fn, encode_small_float(formats::e4m3fn, 1.0625)), 1.0);
  EXPECT_EQ(decode_small_float(formats::e5m2, encode_small_float(formats::e5m2, 1.125 + 0x1p-50)), 1.25);
  EXPECT_EQ(decode_small_float(formats::e5m2, encode_small_float(formats::e5m2, 0x1p-17 + 0x1p-60)), 0x1p-16);
  EXPECT_EQ(decode_small_float(formats::e5m2, encode_small_float(formats::e5m2, 0x1p-17)), 0);
}

TEST(float8, numbers_beyond_the_largest_go_where_the_format_says) {
  const auto encoded = [](const SmallFloatFormat& f, double x) {
    return decode_small_float(f, encode_small_float(f, x));
  };
  for (const double x : {1e9, 1e300, static_cast<double>(INFINITY)}) {
    for (const SmallFloatFormat& f : {formats::e5m2, formats::e4m3, formats::e3m4}) {
      EXPECT_EQ(encoded(f, x), INFINITY);
      EXPECT_EQ(encoded(f, -x), -INFINITY);
    }
    for (const SmallFloatFormat& f : {formats::e4m3fn, formats::e4m3fnuz, formats::e5m2fnuz, formats::e4m3b11fnuz})
      for (const double y : {x, -x}) EXPECT_TRUE(std::isnan(encoded(f, y)));
    EXPECT_EQ(encoded(formats::e2m3fn, x), 7.5);
    EXPECT_EQ(encoded(formats::e3m2fn, -x), -28);
    EXPECT_EQ(encoded(formats::e2m1fn, x), 6);
  }
  // Half a step above the largest is where the next code would begin.
  EXPECT_EQ(encoded(formats::e4m3fn, 464), 448);
  EXPECT_TRUE(std::isnan(encoded(formats::e4m3fn, 464.001)));
  EXPECT_EQ(encoded(formats::e5m2, 61439), 57344);
  EXPECT_EQ(encoded(formats::e5m2, 61440), INFINITY);
  EXPECT_EQ(encoded(formats::e4m3, 247.9), 240);
  EXPECT_EQ(encoded(formats::e4m3, 248), INFINITY);
  EXPECT_TRUE(std::isnan(encoded(formats::e8m0fnu, 0x1.8p127)));
  EXPECT_EQ(encoded(formats::e8m0fnu, 0x1.7p127), 0x1p127);
}

TEST(float8, nan_keeps_its_sign_where_it_can) {
  EXPECT_EQ(encode_small_float(formats::e4m3fn, NAN), 0x7f);
  EXPECT_EQ(encode_small_float(formats::e4m3fn, -NAN), 0xff);
  EXPECT_EQ(encode_small_float(formats::e5m2, NAN), 0x7e);
  EXPECT_EQ(encode_small_float(formats::e4m3, NAN), 0x7c);
  EXPECT_EQ(encode_small_float(formats::e3m4, -NAN), 0xf8);
  for (const SmallFloatFormat& f : {formats::e4m3fnuz, formats::e5m2fnuz, formats::e4m3b11fnuz})
    for (const double v : {static_cast<double>(NAN), -static_cast<double>(NAN)})
      EXPECT_EQ(encode_small_float(f, v), 0x80);
  EXPECT_EQ(encode_small_float(formats::e8m0fnu, NAN), 0xff);
  // Without NaN, -0 stands for it.
  EXPECT_EQ(encode_small_float(formats::e2m3fn, NAN), 0x20);
  EXPECT_EQ(encode_small_float(formats::e3m2fn, NAN), 0x20);
  EXPECT_EQ(encode_small_float(formats::e2m1fn, -NAN), 0x08);
}

TEST(float8, zeros_have_signs_where_the_format_has_them) {
  for (const auto& [name, f] : kFormats) {
    if (!f.has_sign()) continue;
    const bool unsigned_zero = std::string(name).ends_with("fnuz");
    EXPECT_EQ(encode_small_float(f, 0.0), 0) << name;
    EXPECT_EQ(encode_small_float(f, -0.0), unsigned_zero ? 0 : f.sign_bit()) << name;
    // Underflow is such a zero.
    EXPECT_EQ(encode_small_float(f, 1e-300), 0) << name;
    EXPECT_EQ(encode_small_float(f, -5e-324), unsigned_zero ? 0 : f.sign_bit()) << name;
  }
}

TEST(float8, a_scale_has_neither_zero_nor_sign) {
  const SmallFloatFormat f = formats::e8m0fnu;
  for (const double x : {0.0, -0.0, -1.0, -1e300, -static_cast<double>(INFINITY)})
    EXPECT_EQ(encode_small_float(f, x), 0xff) << x;
  for (const double x : {0x1p-127, 0x1p-128, 1e-300, 5e-324}) EXPECT_EQ(encode_small_float(f, x), 0) << x;
  EXPECT_EQ(encode_small_float(f, 3.0), 129);  // a tie: up
  EXPECT_EQ(encode_small_float(f, 1.5), 128);
  EXPECT_EQ(encode_small_float(f, 1.49), 127);
}

TEST(float8, elements_convert_to_float_and_from_double) {
  EXPECT_EQ(static_cast<float>(float8_e4m3fn(3.1)), 3.0f);
  EXPECT_EQ(float8_e5m2(1.0).bits, 0x3c);
  EXPECT_EQ(static_cast<float>(std::numeric_limits<float8_e5m2>::max()), 57344.0f);
  EXPECT_EQ(static_cast<float>(std::numeric_limits<float8_e4m3fn>::lowest()), -448.0f);
  EXPECT_EQ(static_cast<float>(std::numeric_limits<float8_e5m2>::infinity()), INFINITY);
  EXPECT_TRUE(std::isnan(static_cast<float>(std::numeric_limits<float8_e4m3fnuz>::quiet_NaN())));
  EXPECT_EQ(static_cast<float>(std::numeric_limits<float4_e2m1fn>::denorm_min()), 0.5f);
  EXPECT_EQ(static_cast<float>(std::numeric_limits<float8_e8m0fnu>::min()), 0x1p-127f);
  static_assert(sizeof(float8_e4m3fn) == 1);
  static_assert(float8_e4m3fn(2.0).bits == 0x40, "usable in constant expressions");
}

}  // namespace
}  // namespace weft
