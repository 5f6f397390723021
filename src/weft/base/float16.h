// IEEE binary16 and bfloat16 as storage types. Arithmetic converts to float and rounds
// back to nearest even, which is exact rounding for + - * / and sqrt.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace weft {

namespace detail {

inline std::uint16_t float_to_half_bits(float value) {
  const std::uint32_t f = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (f >> 16) & 0x8000u;
  std::uint32_t a = f & 0x7fffffffu;
  if (a > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u | ((a >> 13) & 0x1ffu));
  if (a >= 0x47800000u) return static_cast<std::uint16_t>(sign | 0x7c00u);
  if (a < 0x38800000u) {
    // Subnormal: let the float adder round at the right bit.
    const float magic = std::bit_cast<float>(0x3f000000u);
    const float r = std::bit_cast<float>(a) + magic;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(r) - 0x3f000000u));
  }
  a += 0xc8000fffu + ((a >> 13) & 1u);
  return static_cast<std::uint16_t>(sign | (a >> 13));
}

inline float half_bits_to_float(std::uint16_t h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000u) << 16;
  const std::uint32_t a = h & 0x7fffu;
  if (a >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | ((a & 0x3ffu) << 13));
  if (a < 0x0400u) {
    const float r = static_cast<float>(a) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(r));
  }
  return std::bit_cast<float>(sign | ((a << 13) + 0x38000000u));
}

inline std::uint16_t float_to_bfloat_bits(float value) {
  const std::uint32_t f = std::bit_cast<std::uint32_t>(value);
  if ((f & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((f >> 16) | 0x40u);
  return static_cast<std::uint16_t>((f + 0x7fffu + ((f >> 16) & 1u)) >> 16);
}

/// An integer as a double whose last bit is set when bits were lost, so that rounding it to a format of fewer bits
/// rounds as if from the integer itself.
template <class I>
constexpr double round_to_odd(I v) {
  const bool negative = std::is_signed_v<I> && v < I(0);
  auto magnitude = static_cast<std::uint64_t>(v);
  if (negative) magnitude = 0 - magnitude;
  if (magnitude >> 53) magnitude = (magnitude >> 11 | ((magnitude & 0x7ff) != 0)) << 11;
  return negative ? -static_cast<double>(magnitude) : static_cast<double>(magnitude);
}

}  // namespace detail

#define WEFT_SMALL_FLOAT(Name, FROM, TO)                                                                 \
  struct Name {                                                                                          \
    std::uint16_t bits = 0;                                                                              \
    Name() = default;                                                                                    \
    Name(float v) : bits(FROM(v)) {}                                                                     \
    explicit Name(double v) : bits(FROM(narrow(v))) {}                                                   \
    template <class I>                                                                                   \
      requires std::is_integral_v<I>                                                                     \
    explicit Name(I v) : Name(detail::round_to_odd(v)) {}                                                \
    operator float() const { return TO; }                                                                \
    static Name from_bits(std::uint16_t b) {                                                             \
      Name r;                                                                                            \
      r.bits = b;                                                                                        \
      return r;                                                                                          \
    }                                                                                                    \
    Name& operator+=(Name o) { return *this = Name(float(*this) + float(o)); }                           \
    Name& operator*=(Name o) { return *this = Name(float(*this) * float(o)); }                           \
                                                                                                         \
   private:                                                                                              \
    /* double to float, rounding to odd so that the second rounding is the only one that counts */       \
    static float narrow(double v) {                                                                      \
      float f = static_cast<float>(v);                                                                   \
      if (static_cast<double>(f) != v && v == v && f - f == 0) {                                         \
        std::uint32_t b = std::bit_cast<std::uint32_t>(f);                                               \
        const bool away = (f < 0 ? -static_cast<double>(f) : static_cast<double>(f)) > (v < 0 ? -v : v); \
        if (away) --b;                                                                                   \
        f = std::bit_cast<float>(b | 1u);                                                                \
      }                                                                                                  \
      return f;                                                                                          \
    }                                                                                                    \
  }

/// IEEE binary16.
WEFT_SMALL_FLOAT(float16, detail::float_to_half_bits, detail::half_bits_to_float(bits));
/// The upper half of an IEEE binary32.
WEFT_SMALL_FLOAT(bfloat16, detail::float_to_bfloat_bits, std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16));

#undef WEFT_SMALL_FLOAT

}  // namespace weft

template <>
class std::numeric_limits<weft::float16> {
 public:
  static constexpr bool is_specialized = true, is_signed = true, is_integer = false, has_infinity = true,
                        has_quiet_NaN = true;
  static constexpr int digits = 11;
  static weft::float16 max() { return weft::float16::from_bits(0x7bff); }
  static weft::float16 lowest() { return weft::float16::from_bits(0xfbff); }
  static weft::float16 min() { return weft::float16::from_bits(0x0400); }
  static weft::float16 epsilon() { return weft::float16::from_bits(0x1400); }
  static weft::float16 infinity() { return weft::float16::from_bits(0x7c00); }
  static weft::float16 quiet_NaN() { return weft::float16::from_bits(0x7e00); }
};

template <>
class std::numeric_limits<weft::bfloat16> {
 public:
  static constexpr bool is_specialized = true, is_signed = true, is_integer = false, has_infinity = true,
                        has_quiet_NaN = true;
  static constexpr int digits = 8;
  static weft::bfloat16 max() { return weft::bfloat16::from_bits(0x7f7f); }
  static weft::bfloat16 lowest() { return weft::bfloat16::from_bits(0xff7f); }
  static weft::bfloat16 min() { return weft::bfloat16::from_bits(0x0080); }
  static weft::bfloat16 epsilon() { return weft::bfloat16::from_bits(0x3c00); }
  static weft::bfloat16 infinity() { return weft::bfloat16::from_bits(0x7f80); }
  static weft::bfloat16 quiet_NaN() { return weft::bfloat16::from_bits(0x7fc0); }
};
