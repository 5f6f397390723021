// Functors of one operand made of basic arithmetic, and conversion. functions.def says which operation is which.
// `apply` knows the types that are computed in; small floats are computed in float by the callers.
#pragma once

#include "weft/cpu/math/scalar.h"

namespace weft::cpu::WEFT_ISA {

struct Abs : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    if constexpr (std::is_floating_point_v<T>)
      return absolute(x);
    else if constexpr (std::is_unsigned_v<T>)
      return x;
    else
      return x < 0 ? static_cast<T>(Unsigned<T>(0) - static_cast<Unsigned<T>>(x)) : x;
  }
};
struct Negate : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    if constexpr (std::is_floating_point_v<T>)
      return -x;
    else
      return static_cast<T>(Unsigned<T>(0) - static_cast<Unsigned<T>>(x));
  }
};
struct Sign : SameResult {
  static constexpr float kCost = 0.05f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    if constexpr (std::is_floating_point_v<T>) {
      const T one = copy_sign(T(1), x);
      const T r = x == T(0) ? x : one;
      return x != x ? x : r;
    } else if constexpr (std::is_unsigned_v<T>) {
      return static_cast<T>(x != 0);
    } else {
      return static_cast<T>(static_cast<T>(x > 0) - static_cast<T>(x < 0));
    }
  }
};
struct Floor : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    return round_down(x);
  }
};
struct Ceil : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    return round_up(x);
  }
};
struct RoundEven : SameResult {
  static constexpr float kCost = 0.05f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    return round_even(x);
  }
};
struct RoundAway : SameResult {
  static constexpr float kCost = 0.05f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    const T whole = round_to_zero(x);
    const T rest = absolute(x - whole);
    return copy_sign(absolute(whole) + (rest >= T(0.5) ? T(1) : T(0)), x);
  }
};
struct Sqrt : SameResult {
  static constexpr float kCost = 0.4f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    return square_root(x);
  }
};
struct Rsqrt : SameResult {
  static constexpr float kCost = 0.8f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    return T(1) / square_root(x);
  }
};
struct Square : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    if constexpr (std::is_floating_point_v<T>)
      return x * x;
    else  // promotion would make small products signed
      return static_cast<T>(static_cast<std::common_type_t<T, unsigned>>(x) * x);
  }
};
struct IsFinite : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T x) {
    return {static_cast<std::uint8_t>(absolute(x) < T(__builtin_inf()))};
  }
};
struct IsInf : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T x) {
    return {static_cast<std::uint8_t>(absolute(x) == T(__builtin_inf()))};
  }
};
struct IsPosInf : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T x) {
    return {static_cast<std::uint8_t>(x == T(__builtin_inf()))};
  }
};
struct IsNegInf : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T x) {
    return {static_cast<std::uint8_t>(x == -T(__builtin_inf()))};
  }
};
struct Not : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    if constexpr (std::is_same_v<T, Bool>)
      return {static_cast<std::uint8_t>(x.v ^ 1u)};
    else
      return static_cast<T>(~x);
  }
};
struct Popcnt : SameResult {
  static constexpr float kCost = 0.3f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    // Counts in fields of 2, 4, then 8 bits; the product adds the bytes up into the top one.
    using U = Unsigned<T>;
    constexpr U ones = static_cast<U>(~U(0));
    U u = static_cast<U>(x);
    u = static_cast<U>(u - ((u >> 1) & U(ones / 3)));
    u = static_cast<U>((u & U(ones / 15 * 3)) + ((u >> 2) & U(ones / 15 * 3)));
    u = static_cast<U>((u + (u >> 4)) & U(ones / 255 * 15));
    return static_cast<T>(static_cast<U>(u * U(ones / 255)) >> (8 * sizeof(T) - 8));
  }
};
struct CountLeadingZeros : SameResult {
  static constexpr float kCost = 0.4f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    using U = Unsigned<T>;
    U u = static_cast<U>(x);
    // Sets every bit below the highest one; what is left clear are the leading zeros.
    for (unsigned s = 1; s < 8 * sizeof(T); s *= 2) u = static_cast<U>(u | (u >> s));
    return Popcnt::apply(static_cast<T>(static_cast<U>(~u)));
  }
};

template <class To>
struct Convert {
  static constexpr float kCost = 0.1f;
  template <class From>
  WEFT_INLINE To apply(From v) {
    return convert_to<To>(v);
  }
};

}  // namespace weft::cpu::WEFT_ISA
