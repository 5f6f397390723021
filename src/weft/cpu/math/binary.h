// Functors of two operands made of basic arithmetic, comparisons, and clamp. functions.def says which operation is
// which. `apply` knows the types that are computed in; small floats are computed in float by the callers.
#pragma once

#include "weft/cpu/math/scalar.h"

namespace weft::cpu::WEFT_ISA {

template <class T>
inline constexpr bool is_int = std::is_integral_v<T>;

// Operations on integers wrap; unsigned arithmetic says so.
struct Add : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    if constexpr (is_int<T>)
      return static_cast<T>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(b));
    else
      return a + b;
  }
};
struct Subtract : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    if constexpr (is_int<T>)
      return static_cast<T>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b));
    else
      return a - b;
  }
};
struct Multiply : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    // Promotion would make small unsigned products signed.
    if constexpr (is_int<T>)
      return static_cast<T>(static_cast<std::common_type_t<Unsigned<T>, unsigned>>(a) *
                            static_cast<std::common_type_t<Unsigned<T>, unsigned>>(b));
    else
      return a * b;
  }
};
// Integer quotients. 32-bit ones go through doubles, exactly: the quotient of such integers is further from the
// next whole number than the division's rounding.
template <class T>
WEFT_INLINE T quotient(T a, T b) {
  using U = Unsigned<T>;
  if constexpr (sizeof(T) <= 4) {
    const double d = static_cast<double>(b == 0 ? T(1) : b);
    const double q = static_cast<double>(a) / d;
    const T r = static_cast<T>(static_cast<std::int64_t>(q));  // 2^31 wraps to INT_MIN
    return b == 0 ? static_cast<T>(~U(0)) : r;
  } else {
    const bool zero = b == 0, minus_one = std::is_signed_v<T> && b == static_cast<T>(-1);
    const T q = a / (zero || minus_one ? T(1) : b);
    const T r = minus_one ? static_cast<T>(U(0) - static_cast<U>(a)) : q;
    return zero ? static_cast<T>(~U(0)) : r;
  }
}
struct Divide : SameResult {
  static constexpr float kCost = 0.5f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    if constexpr (is_int<T>)
      return quotient(a, b);
    else
      return a / b;
  }
};
// x - trunc(x / y) y, exactly: by the digits of the quotient, eleven at a time.
WEFT_INLINE double remainder_by_digits(double x, double y) {
  const std::uint64_t a = bits_as<std::uint64_t>(absolute(x)), b = bits_as<std::uint64_t>(absolute(y));
  constexpr std::uint64_t kMantissa = 0xfffffffffffff, kOne = kMantissa + 1, kInfinite = 0x7ff0000000000000;
  if (a >= kInfinite || b > kInfinite || b == 0) return (x * y) / (x * y);  // NaN
  if (a < b) return x;
  const std::uint64_t ea = a >> 52, eb = b >> 52;
  const std::uint64_t ma = ea ? (a & kMantissa) | kOne : a, mb = eb ? (b & kMantissa) | kOne : b;
  const std::uint64_t scale = eb ? eb : 1;
  std::uint64_t rest = ma % mb;
  for (std::uint64_t left = (ea ? ea : 1) - scale; left > 0;) {
    const std::uint64_t some = left < 11 ? left : 11;
    rest = (rest << some) % mb;
    left -= some;
  }
  if (rest == 0) return copy_sign(0.0, x);
  const auto zeros = static_cast<std::uint64_t>(__builtin_clzll(rest)) - 11;
  const std::uint64_t bits = zeros < scale ? (rest << zeros) - kOne + ((scale - zeros) << 52) : rest << (scale - 1);
  return copy_sign(bits_as<double>(bits), x);
}
struct Remainder : SameResult {
  static constexpr float kCost = 1.5f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    if constexpr (is_int<T>) {
      using U = Unsigned<T>;
      const T of_others = quotient(a, b), q = b == 0 ? T(0) : of_others;
      return static_cast<T>(static_cast<U>(a) - static_cast<U>(static_cast<U>(q) * static_cast<U>(b)));
    } else if constexpr (std::is_same_v<T, float>) {
      // Below 2^20 the quotient in double truncates correctly and the product is exact.
      const double x = a, y = b, q = x / y;
      if (__builtin_fabs(q) < 1048576.0) [[likely]]
        return copy_sign(static_cast<float>(__builtin_fabs(q) < 1.0 ? x : x - round_to_zero(q) * y),
                         a);  // y may be infinite
      return static_cast<float>(remainder_by_digits(x, y));
    } else {
      return remainder_by_digits(a, b);
    }
  }
};
struct Maximum : SameResult {
  static constexpr float kCost = 0.05f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    return maximum(a, b);
  }
};
struct Minimum : SameResult {
  static constexpr float kCost = 0.05f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    return minimum(a, b);
  }
};
struct And : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct Or : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct Xor : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};
struct ShiftLeft : SameResult {
  static constexpr float kCost = 0.1f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    using U = Unsigned<T>;
    constexpr U width = 8 * sizeof(T);
    const U n = static_cast<U>(b);
    const U r = static_cast<U>(static_cast<U>(a) << (n & (width - 1)));
    return static_cast<T>(n < width ? r : U(0));
  }
};
struct ShiftRightLogical : SameResult {
  static constexpr float kCost = 0.1f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    using U = Unsigned<T>;
    constexpr U width = 8 * sizeof(T);
    const U n = static_cast<U>(b);
    const U r = static_cast<U>(static_cast<U>(a) >> (n & (width - 1)));
    return static_cast<T>(n < width ? r : U(0));
  }
};
struct ShiftRightArithmetic : SameResult {
  static constexpr float kCost = 0.1f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    using U = Unsigned<T>;
    using S = std::make_signed_t<T>;
    constexpr U width = 8 * sizeof(T);
    const U n = static_cast<U>(b);
    return static_cast<T>(static_cast<S>(a) >> (n < width ? n : U(width - 1)));
  }
};

struct Eq : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T a, T b) {
    return {static_cast<std::uint8_t>(a == b)};
  }
};
struct Ne : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T a, T b) {
    return {static_cast<std::uint8_t>(a != b)};
  }
};
struct Lt : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T a, T b) {
    return {static_cast<std::uint8_t>(a < b)};
  }
};
struct Le : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T a, T b) {
    return {static_cast<std::uint8_t>(a <= b)};
  }
};
struct Gt : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T a, T b) {
    return {static_cast<std::uint8_t>(a > b)};
  }
};
struct Ge : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T a, T b) {
    return {static_cast<std::uint8_t>(a >= b)};
  }
};

struct Clamp {
  template <class T>
  WEFT_INLINE T apply(T lo, T x, T hi) {
    return minimum(maximum(x, lo), hi);
  }
};

}  // namespace weft::cpu::WEFT_ISA
