// Scalar operations that the functors of this folder are made of, written so that compilers turn loops of them into
// vector code: no branches, no calls. Compiled once per instruction set and once to bitcode, each time in a namespace
// of its own.
// Invariant: only basic IEEE operations, never contracted, so every instruction set gives the same bits.
#pragma once

#include <cstdint>
#include <type_traits>

#ifndef WEFT_ISA
#error "WEFT_ISA must name the instruction set that this is compiled for, or bitcode"
#endif

#define WEFT_INLINE [[gnu::always_inline]] static inline

namespace weft::cpu::WEFT_ISA {

// Storage of bool and of the two small floats. Not the types of base/: their inline members would be shared
// between instruction sets.
struct Bool {
  std::uint8_t v;
};
struct Half {
  std::uint16_t bits;
};
struct Brain {
  std::uint16_t bits;
};

/// The element type of a functor's result for elements of type T.
struct SameResult {
  template <class T>
  using Result = T;
};
struct BoolResult {
  template <class T>
  using Result = Bool;
};

template <class T>
inline constexpr bool is_small_float = std::is_same_v<T, Half> || std::is_same_v<T, Brain>;
template <class T>
using Own = T;
template <class T>
using Unsigned =
    std::conditional_t<sizeof(T) == 1, std::uint8_t,
                       std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                          std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
template <class T>
inline constexpr Unsigned<T> kSignBit = static_cast<Unsigned<T>>(Unsigned<T>(1) << (8 * sizeof(T) - 1));

template <class To, class From>
WEFT_INLINE To bits_as(From v) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, v);
}

// ---- small floats; the same rounding as base/float16.h ----

WEFT_INLINE float to_float(Half h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h.bits & 0x8000u) << 16;
  const std::uint32_t a = h.bits & 0x7fffu;
  const std::uint32_t normal = (a << 13) + (a >= 0x7c00u ? 0x70000000u : 0x38000000u);
  // Subnormals are multiples of 2^-24.
  const std::uint32_t tiny = bits_as<std::uint32_t>(static_cast<float>(static_cast<std::int32_t>(a)) * 0x1p-24f);
  return bits_as<float>(sign | (a < 0x0400u ? tiny : normal));
}
WEFT_INLINE float to_float(Brain b) { return bits_as<float>(static_cast<std::uint32_t>(b.bits) << 16); }

WEFT_INLINE Half half_from(float v) {
  const std::uint32_t f = bits_as<std::uint32_t>(v);
  const std::uint32_t sign = (f >> 16) & 0x8000u;
  const std::uint32_t a = f & 0x7fffffffu;
  // Subnormal results: adding 0.5 makes the float adder round at the right bit.
  const std::uint32_t tiny = bits_as<std::uint32_t>(bits_as<float>(a) + 0.5f) - 0x3f000000u;
  std::uint32_t r = (a + 0xc8000fffu + ((a >> 13) & 1u)) >> 13;
  r = a < 0x38800000u ? tiny : r;
  r = a >= 0x47800000u ? 0x7c00u : r;
  r = a > 0x7f800000u ? (0x7e00u | ((a >> 13) & 0x1ffu)) : r;
  return {static_cast<std::uint16_t>(sign | r)};
}
WEFT_INLINE Brain brain_from(float v) {
  const std::uint32_t f = bits_as<std::uint32_t>(v);
  const std::uint32_t rounded = (f + 0x7fffu + ((f >> 16) & 1u)) >> 16;
  const std::uint32_t nan = (f >> 16) | 0x40u;
  return {static_cast<std::uint16_t>((f & 0x7fffffffu) > 0x7f800000u ? nan : rounded)};
}
template <class T>
WEFT_INLINE T small_from(float v) {
  if constexpr (std::is_same_v<T, Half>)
    return half_from(v);
  else
    return brain_from(v);
}
// double to float, rounding to odd, so that the rounding to the small type is the only one that counts.
WEFT_INLINE float narrow_to_odd(double v) {
  const float f = static_cast<float>(v);
  const double back = f;
  const std::uint32_t b = bits_as<std::uint32_t>(f);
  const std::uint32_t away = __builtin_fabs(back) > __builtin_fabs(v) ? 1u : 0u;
  const bool keep = back == v || v != v || (b & 0x7fffffffu) == 0x7f800000u;
  return bits_as<float>(keep ? b : ((b - away) | 1u));
}
// A 64-bit integer to double in the same way.
template <class I>
WEFT_INLINE double integer_to_odd(I v) {
  const std::uint64_t bits = static_cast<std::uint64_t>(v);
  const bool negative = std::is_signed_v<I> && v < I(0);
  const std::uint64_t magnitude = negative ? 0 - bits : bits;
  const std::uint64_t odd = (magnitude >> 11 | static_cast<std::uint64_t>((magnitude & 0x7ff) != 0)) << 11;
  const double d = static_cast<double>(magnitude >> 53 ? odd : magnitude);
  return negative ? -d : d;
}

// ---- float helpers ----

template <class T>
WEFT_INLINE T absolute(T x) {
  if constexpr (std::is_same_v<T, float>)
    return __builtin_fabsf(x);
  else
    return __builtin_fabs(x);
}
template <class T>
WEFT_INLINE T copy_sign(T x, T s) {
  if constexpr (std::is_same_v<T, float>)
    return __builtin_copysignf(x, s);
  else
    return __builtin_copysign(x, s);
}
template <class T>
WEFT_INLINE T round_down(T x) {
  if constexpr (std::is_same_v<T, float>)
    return __builtin_floorf(x);
  else
    return __builtin_floor(x);
}
template <class T>
WEFT_INLINE T round_up(T x) {
  if constexpr (std::is_same_v<T, float>)
    return __builtin_ceilf(x);
  else
    return __builtin_ceil(x);
}
template <class T>
WEFT_INLINE T round_to_zero(T x) {
  if constexpr (std::is_same_v<T, float>)
    return __builtin_truncf(x);
  else
    return __builtin_trunc(x);
}
template <class T>
WEFT_INLINE T round_even(T x) {
  // Adding and taking away 2^mantissa rounds to nearest even; larger values are whole already.
  constexpr T big = std::is_same_v<T, float> ? T(8388608) : T(4503599627370496);
  const T a = absolute(x);
  const T r = (a + big) - big;
  return copy_sign(a < big ? r : a, x);
}
template <class T>
WEFT_INLINE T square_root(T x) {
  if constexpr (std::is_same_v<T, float>)
    return __builtin_sqrtf(x);
  else
    return __builtin_sqrt(x);
}

// IEEE 754-2019 maximum and minimum: NaN wins, -0 < +0. Of two numbers that are not ordered, or equal, each comparison
// picks another one; the bits of both together are those of the lesser zero, and of a NaN.
template <class T>
WEFT_INLINE T minimum(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    using U = Unsigned<T>;
    const T first = a < b ? a : b, second = b < a ? b : a;
    return bits_as<T>(static_cast<U>(bits_as<U>(first) | bits_as<U>(second)));
  } else {
    return a < b ? a : b;
  }
}
// In a chain of them the changes of sign between two cancel each other.
template <class T>
WEFT_INLINE T maximum(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return -minimum(-a, -b);
  else
    return a > b ? a : b;
}

// ---- conversion, as convert_element of ir/dtype.h ----

template <class To, class From>
WEFT_INLINE To convert_to(From v) {
  if constexpr (std::is_same_v<To, From>) {
    return v;
  } else if constexpr (std::is_same_v<From, Bool>) {
    return convert_to<To>(v.v);
  } else if constexpr (is_small_float<From>) {
    return convert_to<To>(to_float(v));
  } else if constexpr (std::is_same_v<To, Bool>) {
    return {static_cast<std::uint8_t>(v != From(0) ? 1 : 0)};
  } else if constexpr (is_small_float<To>) {
    if constexpr (std::is_same_v<From, float>)
      return small_from<To>(v);
    else if constexpr (sizeof(From) == 1)
      return small_from<To>(static_cast<float>(v));
    else if constexpr (std::is_integral_v<From> && sizeof(From) == 8)
      return small_from<To>(narrow_to_odd(integer_to_odd(v)));
    else
      return small_from<To>(narrow_to_odd(static_cast<double>(v)));
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if constexpr (sizeof(To) <= 2) {
      constexpr From lowest = std::is_signed_v<To> ? -From(kSignBit<To>) : From(0);
      constexpr From largest = static_cast<From>(static_cast<Unsigned<To>>(~Unsigned<To>(0)) >> std::is_signed_v<To>);
      const From number = v == v ? v : From(0);
      const From low = number > lowest ? number : lowest;
      return static_cast<To>(static_cast<std::int32_t>(low < largest ? low : largest));
    } else if constexpr (std::is_same_v<To, std::uint32_t>) {
      const From low = v > From(0) ? v : From(0);
      const double d = low;
      const double bounded = d < 4294967295.0 ? d : 4294967295.0;
      return static_cast<To>(static_cast<std::int64_t>(bounded));
    } else if constexpr (std::is_same_v<To, std::uint64_t>) {
      constexpr From limit = From(18446744073709551616.0), half = From(9223372036854775808.0);
      const From low = v > From(0) ? v : From(0);
      // The upper half in two steps: vector code converts to signed numbers only.
      const From part = low < half ? low : low - half;
      const To inside = static_cast<To>(static_cast<std::int64_t>(part < half ? part : From(0)));
      const To number = inside + (low < half ? To(0) : static_cast<To>(kSignBit<To>));
      return low < limit ? number : ~To(0);
    } else {
      using U = Unsigned<To>;
      constexpr From limit = sizeof(To) == 4 ? From(2147483648.0) : From(9223372036854775808.0);
      constexpr To largest = static_cast<To>(~kSignBit<To>);
      // Out of range values are replaced before the conversion, which would be undefined for them.
      const bool fits = v < limit && v >= -limit;
      const To inside = static_cast<To>(fits ? v : From(0));
      const To high = v >= limit ? largest : inside;
      return v < -limit ? static_cast<To>(U(kSignBit<To>)) : high;
    }
  } else {
    return static_cast<To>(v);
  }
}

}  // namespace weft::cpu::WEFT_ISA
