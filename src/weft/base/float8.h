// Floats of at most eight bits, one byte each: the OCP and IEEE-like 8-bit formats, their FNUZ variants, the
// microscaling formats of 6 and 4 bits, and the 8-bit scale. Storage only: nothing computes in them, values go through
// float. Invariant: bits above the format's width are zero.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace weft {

/// What a format does with the codes that IEEE 754 gives to infinities and NaN.
enum class SmallFloatSpecials : std::uint8_t {
  kIeee,      ///< an exponent of ones: infinities, NaN
  kNan,       ///< "FN": all ones is NaN, no infinities
  kUnsigned,  ///< "FNUZ": the code of -0 is NaN; no infinities, no -0
  kFinite,    ///< no infinities, no NaN: numbers beyond the largest become the largest, NaN becomes -0
  kScale,     ///< powers of two: no sign, no zero, all ones is NaN
};

/// A format by its numbers. The value of a code with sign s, exponent field e > 0 and mantissa m is
/// (-1)^s 2^(e - bias) (1 + m / 2^mantissa_bits), and (-1)^s 2^(1 - bias) m / 2^mantissa_bits where e = 0.
struct SmallFloatFormat {
  int exponent_bits;
  int mantissa_bits;
  int bias;
  SmallFloatSpecials specials;

  constexpr bool operator==(const SmallFloatFormat&) const = default;
  constexpr bool has_sign() const { return specials != SmallFloatSpecials::kScale; }
  /// Bits of a code, the sign's included.
  constexpr int width() const { return exponent_bits + mantissa_bits + has_sign(); }
  /// 0 in a format without sign.
  constexpr unsigned sign_bit() const { return has_sign() ? 1u << (exponent_bits + mantissa_bits) : 0u; }
  constexpr unsigned magnitude_mask() const { return (1u << (exponent_bits + mantissa_bits)) - 1; }
  /// Codes of magnitudes: the largest finite one, the infinite one or 0, and NaN's.
  constexpr unsigned max_code() const {
    switch (specials) {
      case SmallFloatSpecials::kIeee: return (((1u << exponent_bits) - 1) << mantissa_bits) - 1;
      case SmallFloatSpecials::kNan:
      case SmallFloatSpecials::kScale: return magnitude_mask() - 1;
      default: return magnitude_mask();
    }
  }
  constexpr unsigned infinity_code() const { return specials == SmallFloatSpecials::kIeee ? max_code() + 1 : 0; }
  constexpr unsigned nan_code() const {
    switch (specials) {
      case SmallFloatSpecials::kIeee: return infinity_code() | 1u << (mantissa_bits - 1);
      case SmallFloatSpecials::kNan:
      case SmallFloatSpecials::kScale: return magnitude_mask();
      default: return sign_bit();
    }
  }
  constexpr bool has_nan() const { return specials != SmallFloatSpecials::kFinite; }
};

namespace detail {

// 2^e for normal e.
constexpr double power_of_two(int e) { return std::bit_cast<double>(static_cast<std::uint64_t>(e + 1023) << 52); }

/// The code of a finite magnitude, rounded to nearest even as if codes went on beyond the largest; a scale's tie,
/// which has no even side, goes up.
constexpr unsigned round_magnitude(const SmallFloatFormat& f, double a) {
  const bool scale = f.specials == SmallFloatSpecials::kScale;
  const int least = scale ? -f.bias : 1 - f.bias;  // the exponent of the smallest normal number
  const int own = static_cast<int>(std::bit_cast<std::uint64_t>(a) >> 52) - 1023;
  if (own > f.bias + 2) return 2 * f.magnitude_mask() + 1;
  const int e = own < least ? least : own;
  // Exact: a power of two times a number that stays far from both ends of double.
  const double scaled = own < -1000 ? 0.0 : a * power_of_two(f.mantissa_bits - e);
  auto n = static_cast<unsigned>(scaled);
  const double rest = scaled - n;
  n += rest > 0.5 || (rest == 0.5 && (n & 1));
  if (scale) return static_cast<unsigned>(e - least) + (n == 0 ? 1 : n) - 1;
  return (static_cast<unsigned>(e - least) << f.mantissa_bits) + n;
}

}  // namespace detail

/// x rounded to nearest even, once. Numbers beyond the largest become infinite, or NaN where there is no infinity, or
/// the largest where there is neither. A scale has no zero and no negative numbers: they become NaN.
constexpr std::uint8_t encode_small_float(const SmallFloatFormat& f, double x) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  const bool negative = bits >> 63;
  const double a = std::bit_cast<double>(bits & ~(std::uint64_t{1} << 63));
  const bool keeps_sign = f.specials == SmallFloatSpecials::kIeee || f.specials == SmallFloatSpecials::kNan;
  const auto nan = static_cast<std::uint8_t>(f.nan_code() | (negative && keeps_sign ? f.sign_bit() : 0));
  if (x != x || (!f.has_sign() && (negative || a == 0))) return nan;
  const bool infinite = a > std::numeric_limits<double>::max();
  unsigned code = infinite ? f.max_code() + 1 : detail::round_magnitude(f, a);
  if (code > f.max_code()) {
    if (f.specials == SmallFloatSpecials::kIeee)
      code = f.infinity_code();
    else if (f.specials == SmallFloatSpecials::kFinite)
      code = f.max_code();
    else
      return nan;
  }
  const bool no_minus_zero = f.specials == SmallFloatSpecials::kUnsigned && code == 0;
  return static_cast<std::uint8_t>(code | (negative && !no_minus_zero ? f.sign_bit() : 0));
}

/// Whether the code stands for NaN.
constexpr bool is_small_float_nan(const SmallFloatFormat& f, std::uint8_t code) {
  switch (f.specials) {
    case SmallFloatSpecials::kIeee: return (code & f.magnitude_mask()) > f.infinity_code();
    case SmallFloatSpecials::kNan: return (code & f.magnitude_mask()) == f.nan_code();
    case SmallFloatSpecials::kUnsigned:
    case SmallFloatSpecials::kScale: return code == f.nan_code();
    default: return false;
  }
}

/// The code's value, which is exact in float too; of NaN, a quiet NaN with the code's sign.
constexpr double decode_small_float(const SmallFloatFormat& f, std::uint8_t code) {
  const unsigned magnitude = code & f.magnitude_mask();
  const double sign = code & f.sign_bit() ? -1.0 : 1.0;
  if (is_small_float_nan(f, code)) {
    const std::uint64_t quiet = std::uint64_t{0x7ff8} << 48;
    const bool negative = code & f.sign_bit() && f.specials != SmallFloatSpecials::kUnsigned;
    return std::bit_cast<double>(quiet | (negative ? std::uint64_t{1} << 63 : 0));
  }
  if (f.infinity_code() != 0 && magnitude == f.infinity_code()) return sign * std::numeric_limits<double>::infinity();
  const int e = static_cast<int>(magnitude >> f.mantissa_bits);
  const unsigned m = magnitude & ((1u << f.mantissa_bits) - 1);
  if (f.specials == SmallFloatSpecials::kScale) return detail::power_of_two(e - f.bias);
  if (e == 0) return sign * m * detail::power_of_two(1 - f.bias - f.mantissa_bits);
  return sign * (m + (1u << f.mantissa_bits)) * detail::power_of_two(e - f.bias - f.mantissa_bits);
}

/// One element of a format.
template <SmallFloatFormat kFormat>
struct SmallFloat {
  static constexpr SmallFloatFormat format = kFormat;
  std::uint8_t bits = 0;

  SmallFloat() = default;
  constexpr explicit SmallFloat(double v) : bits(encode_small_float(kFormat, v)) {}
  constexpr operator float() const { return static_cast<float>(decode_small_float(kFormat, bits)); }
  static constexpr SmallFloat from_bits(std::uint8_t b) {
    SmallFloat r;
    r.bits = b;
    return r;
  }
};

template <class T>
inline constexpr bool is_small_float_v = false;
template <SmallFloatFormat kFormat>
inline constexpr bool is_small_float_v<SmallFloat<kFormat>> = true;

namespace small_float_formats {
using enum SmallFloatSpecials;
inline constexpr SmallFloatFormat e4m3fn{4, 3, 7, kNan}, e5m2{5, 2, 15, kIeee}, e4m3fnuz{4, 3, 8, kUnsigned},
    e5m2fnuz{5, 2, 16, kUnsigned}, e4m3b11fnuz{4, 3, 11, kUnsigned}, e4m3{4, 3, 7, kIeee}, e3m4{3, 4, 3, kIeee},
    e8m0fnu{8, 0, 127, kScale}, e2m3fn{2, 3, 1, kFinite}, e3m2fn{3, 2, 3, kFinite}, e2m1fn{2, 1, 1, kFinite};
}  // namespace small_float_formats

/// OCP 8-bit floats.
using float8_e4m3fn = SmallFloat<small_float_formats::e4m3fn>;
using float8_e5m2 = SmallFloat<small_float_formats::e5m2>;
/// Without infinities and -0.
using float8_e4m3fnuz = SmallFloat<small_float_formats::e4m3fnuz>;
using float8_e5m2fnuz = SmallFloat<small_float_formats::e5m2fnuz>;
using float8_e4m3b11fnuz = SmallFloat<small_float_formats::e4m3b11fnuz>;
/// Built like IEEE 754's formats.
using float8_e4m3 = SmallFloat<small_float_formats::e4m3>;
using float8_e3m4 = SmallFloat<small_float_formats::e3m4>;
/// The scale of OCP's microscaling formats: 2^-127 ... 2^127.
using float8_e8m0fnu = SmallFloat<small_float_formats::e8m0fnu>;
/// The elements of OCP's microscaling formats, in the low bits of a byte.
using float6_e2m3fn = SmallFloat<small_float_formats::e2m3fn>;
using float6_e3m2fn = SmallFloat<small_float_formats::e3m2fn>;
using float4_e2m1fn = SmallFloat<small_float_formats::e2m1fn>;

}  // namespace weft

template <weft::SmallFloatFormat kFormat>
class std::numeric_limits<weft::SmallFloat<kFormat>> {
  using T = weft::SmallFloat<kFormat>;
  static constexpr T code(unsigned c) { return T::from_bits(static_cast<std::uint8_t>(c)); }

 public:
  static constexpr bool is_specialized = true, is_signed = kFormat.has_sign(), is_integer = false,
                        has_infinity = kFormat.infinity_code() != 0, has_quiet_NaN = kFormat.has_nan();
  static constexpr int digits = kFormat.mantissa_bits + 1;
  static constexpr T max() { return code(kFormat.max_code()); }
  static constexpr T lowest() { return code(is_signed ? kFormat.max_code() | kFormat.sign_bit() : 0); }
  static constexpr T min() { return code(is_signed ? 1u << kFormat.mantissa_bits : 0); }
  static constexpr T denorm_min() { return code(is_signed && kFormat.mantissa_bits > 0 ? 1 : 0); }
  /// 0 and NaN's stand-in where the format has none.
  static constexpr T infinity() { return code(kFormat.infinity_code()); }
  static constexpr T quiet_NaN() { return code(kFormat.nan_code()); }
};
