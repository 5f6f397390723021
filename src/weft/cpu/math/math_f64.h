// Functions of the reals for f64 arguments, and for f32 where the double's accuracy costs little: no branches, so that
// plain loops over them become vector code. Errors in units in the last place: tests/cpu/math_f64_test.cc.
//
// No table, no call, no contraction: the same bits on every instruction set. Polynomials in decimal are least-maximum
// fits to 1e-18 or better.
#pragma once

#include <utility>

#include "weft/cpu/math/scalar.h"

namespace weft::cpu::WEFT_ISA::math_f64 {

inline constexpr double kInfinity = __builtin_inf();
// Adding this leaves a number's nearest integer in the low bits of its representation.
inline constexpr double kToInteger = 0x1.8p52;
// log 2 in two parts; products of the first with an exponent are exact.
inline constexpr double kLn2Hi = 0x1.62e42fef00000p-1, kLn2Lo = 0x1.473de6af278edp-34;
inline constexpr double kPi = 0x1.921fb54442d18p+1, kPiLo = 0x1.1a62633145c07p-53;

// Pairs of terms, then pairs of pairs, and so on (Estrin's scheme): the sums of a long polynomial need not wait for one
// another, which is what a program of single numbers waits for.
template <int kCount>
struct Coefficients {
  double c[kCount];
};
template <int kCount, int... I>
WEFT_INLINE Coefficients<(kCount + 1) / 2> paired(const Coefficients<kCount>& p, double x,
                                                  std::integer_sequence<int, I...>) {
  if constexpr (kCount % 2 == 0)
    return {{(p.c[2 * I] + p.c[2 * I + 1] * x)...}};
  else
    return {{(p.c[2 * I] + p.c[2 * I + 1] * x)..., p.c[kCount - 1]}};
}
template <int kCount>
WEFT_INLINE double value_at(const Coefficients<kCount>& p, double x) {
  if constexpr (kCount == 1)
    return p.c[0];
  else
    return value_at(paired(p, x, std::make_integer_sequence<int, kCount / 2>{}), x * x);
}
/// c0 + c1 x + c2 x^2 + ...
template <class... C>
WEFT_INLINE double polynomial(double x, C... c) {
  return value_at(Coefficients<static_cast<int>(sizeof...(C))>{{c...}}, x);
}

/// x = k log 2 + r + tail, |r| <= log(2) / 2; the polynomial is (e^r - 1 - r) / r^2.
struct ExponentialParts {
  std::uint64_t k;  // two's complement
  double r, tail, p;
};
WEFT_INLINE ExponentialParts exponential_parts(double x) {
  const double shifted = x * 1.44269504088896340736 + kToInteger;
  const double k = shifted - kToInteger;
  const double high = x - k * kLn2Hi, low = k * kLn2Lo;
  const double r = high - low;
  const double p =
      polynomial(r, 0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326136, 0.0013888888888883748,
                 0.00019841269874820627, 2.4801587325547743e-05, 2.7557255400206422e-06, 2.75572736431103e-07,
                 2.5105217004720745e-08, 2.0914686968086876e-09);
  return {bits_as<std::uint64_t>(shifted) - bits_as<std::uint64_t>(kToInteger), r, (high - r) - low, p};
}
/// 2^k for -1023 < k < 1024.
WEFT_INLINE double power_of_two(std::uint64_t k) { return bits_as<double>((k + 1023) << 52); }

/// 2^shift e^x, without overflow or underflow in between.
WEFT_INLINE double exponential(double x, int shift = 0) {
  x = x > 720.0 ? 720.0 : x;
  x = x < -750.0 ? -750.0 : x;
  const ExponentialParts e = exponential_parts(x);
  const double y = 1 + (e.r + (e.r * e.r * e.p + e.tail));
  const std::uint64_t k = e.k + static_cast<std::uint64_t>(static_cast<std::int64_t>(shift));
  const std::uint64_t half = ((k + 4096) >> 1) - 2048;
  return y * power_of_two(half) * power_of_two(k - half);
}

/// e^x - 1.
WEFT_INLINE double exponential_minus_one(double x) {
  double a = x > 709.9 ? 709.9 : x;
  a = a < -64.0 ? -64.0 : a;
  const ExponentialParts e = exponential_parts(a);
  const double y = e.r + (e.r * e.r * e.p + e.tail);
  // Half of it: 2^1024 has no double.
  const double scale = power_of_two(e.k - 1);
  const double far = 2 * (scale * y + (scale - 0.5));
  const double result = e.k == 0 ? y : far;
  return x == 0 ? x : result;  // keeps -0
}

/// log(u) + c / u for a positive u.
WEFT_INLINE double logarithm(double u, double c) {
  // Subnormal numbers are made normal.
  const bool tiny = u < 0x1p-1022;
  const double n = tiny ? u * 0x1p54 : u;
  // n = 2^e m with m in [sqrt(1/2), sqrt(2)).
  const auto bits = bits_as<std::uint64_t>(n) - bits_as<std::uint64_t>(0.70710678118654752440);
  const std::uint64_t e = (bits >> 52) - ((bits >> 63) << 12);  // an arithmetic shift
  const auto m = bits_as<double>(bits_as<std::uint64_t>(n) - (e << 52));
  const double exponent = bits_as<double>(e + bits_as<std::uint64_t>(kToInteger)) - kToInteger - (tiny ? 54.0 : 0.0);
  // log m = f - s (f - R(s^2)) with f = m - 1 and s = f / (2 + f), |s| < 0.1716, arranged so that f is added last.
  const double f = m - 1, s = f / (2 + f), q = s * s, half_square = 0.5 * f * f;
  const double p = polynomial(q, 0.6666666666666666, 0.4000000000000088, 0.28571428570803614, 0.22222222391713917,
                              0.18181795640132906, 0.15386239702814658, 0.13268773138656886, 0.13086626147840102);
  const double low = s * (half_square + q * p) + (exponent * kLn2Lo + c);
  double y = exponent * kLn2Hi - ((half_square - low) - f);
  y = u == 0 ? -kInfinity : y;
  y = u < 0 ? __builtin_nan("") : y;
  return u < kInfinity ? y : u;  // inf and NaN
}
WEFT_INLINE double log_plus_one(double x) {
  const double u = 1 + x, back = u - 1;
  const double lost = (1 - (u - back)) + (x - back);
  const double correction = lost / u;
  const double y = logarithm(u, absolute(correction) < 1 ? correction : 0);  // u is 0 or infinite
  return absolute(x) < 0x1p-54 ? x : y;
}

struct Exponential {
  static constexpr float kCost = 1;
  WEFT_INLINE double apply(double x) { return exponential(x); }
};
struct ExponentialMinusOne {
  static constexpr float kCost = 1.1f;
  WEFT_INLINE double apply(double x) { return exponential_minus_one(x); }
};
struct Log {
  static constexpr float kCost = 1.2f;
  WEFT_INLINE double apply(double x) { return logarithm(x, 0); }
};
struct LogPlusOne {
  static constexpr float kCost = 1.5f;
  WEFT_INLINE double apply(double x) { return log_plus_one(x); }
};
struct Logistic {
  static constexpr float kCost = 1.3f;
  WEFT_INLINE double apply(double x) {
    const double e = exponential(-absolute(x));
    return (x < 0 ? e : 1.0) / (1 + e);
  }
};
struct Tanh {
  static constexpr float kCost = 1.4f;
  WEFT_INLINE double apply(double x) {
    const double t = exponential_minus_one(-2 * absolute(x));
    return copy_sign(t / (t + 2), x);
  }
};
struct Sinh {
  static constexpr float kCost = 1.6f;
  WEFT_INLINE double apply(double x) {
    const double a = absolute(x), q = x * x, half = exponential(a, -1);
    double p = 2.8445264169895285e-15;
    p = p * q + 7.646625361656657e-13;
    p = p * q + 1.6059048396350562e-10;
    p = p * q + 2.505210836405804e-08;
    p = p * q + 2.755731922404034e-06;
    p = p * q + 0.00019841269841269773;
    p = p * q + 0.008333333333333333;
    p = p * q + 0.16666666666666666;
    const double near = a + a * q * p, far = half - 0.25 / half;
    return copy_sign(a < 1 ? near : far, x);
  }
};
struct Cosh {
  static constexpr float kCost = 1.3f;
  WEFT_INLINE double apply(double x) {
    const double half = exponential(absolute(x), -1);
    return half + 0.25 / half;
  }
};

/// Beyond this the quick reduction loses digits, and the one for far arguments begins.
inline constexpr double kTrigLimit = 1e6;

/// x = n pi/2 + r + tail, |r| <= pi/4, with sin and cos of r + tail.
struct Circle {
  std::uint64_t quadrant;  // n in the lowest bits
  double sine, cosine;
};
WEFT_INLINE Circle circle_at(std::uint64_t quadrant, double r, double tail) {
  const double q = r * r;
  const double s =
      polynomial(q, -0.16666666666666666, 0.008333333333333331, -0.0001984126984126506, 2.7557319219335453e-06,
                 -2.5052106231157904e-08, 1.605853141458901e-10, -7.586685070091267e-13);
  const double half = 0.5 * q, one_less = 1 - half;
  const double c =
      polynomial(q, 0.041666666666666664, -0.0013888888888888887, 2.4801587301584645e-05, -2.755731922140076e-07,
                 2.0876755790363397e-09, -1.1470460773969325e-11, 4.7458652037874553e-14);
  return {quadrant, r + (r * q * s + tail * one_less), one_less + (((1 - one_less) - half) + (q * q * c - r * tail))};
}
WEFT_INLINE Circle circle(double x) {
  const double shifted = x * 0.636619772367581343076 + kToInteger;
  const double n = shifted - kToInteger;
  // pi/2 in three parts; the products with the first two are exact.
  const double high = x - n * 0x1.921fb54400000p+0, middle = n * 0x1.0b4611a600000p-34;
  const double difference = high - middle, back = high - difference;
  const double lost = (high - (difference + back)) + (back - middle);
  const double rest = lost - n * 0x1.3198a2e037073p-69;
  const double r = difference + rest, tail = (difference - r) + rest;
  return circle_at(bits_as<std::uint64_t>(shifted), r, tail);
}

/// Word `i` of the binary digits of 2/pi, 64 to a word, behind 64 zeros; i < 20. By masks, because code that is
/// copied from here cannot have tables, which compilers make of selections.
WEFT_INLINE std::uint64_t two_over_pi(std::uint64_t i) {
  constexpr std::uint64_t kDigits[] = {0,
                                       0xa2f9836e4e441529,
                                       0xfc2757d1f534ddc0,
                                       0xdb6295993c439041,
                                       0xfe5163abdebbc561,
                                       0xb7246e3a424dd2e0,
                                       0x06492eea09d1921c,
                                       0xfe1deb1cb129a73e,
                                       0xe88235f52ebb4484,
                                       0xe99c7026b45f7e41,
                                       0x3991d639835339f4,
                                       0x9c845f8bbdf9283b,
                                       0x1ff897ffde05980f,
                                       0xef2f118b5a0a6d1f,
                                       0x6d367ecf27cb09b7,
                                       0x4f463f669e5fea2d,
                                       0x7527bac7ebe5f17b,
                                       0x3d0739f78a5292ea,
                                       0x6bfb5fb11f8d5d08,
                                       0x56033046fc7b6bab};
  std::uint64_t digits = 0;
#pragma GCC unroll 20
  for (std::uint64_t k = 0; k < 20; ++k) digits |= kDigits[k] & (0 - (((i ^ k) - 1) >> 63));
  return digits;
}

/// circle(x) for |x| > 2^19, by as many digits of 2/pi as it takes (Payne and Hanek, 1983). Of infinities and NaN it is
/// anything.
WEFT_INLINE Circle far_circle(double x) {
  using Wide = unsigned __int128;
  const std::uint64_t bits = bits_as<std::uint64_t>(absolute(x));
  const std::uint64_t m = (bits & 0xfffffffffffff) | 0x10000000000000;
  // |x| = m 2^e, and m 2^e (2/pi) / 4 is wanted without its whole part: what the first e - 2 digits give is whole.
  const std::uint64_t first = ((bits >> 52) & 0x7ff) - 1075 + 62, word = first >> 6 & 31, by = first & 63;
  const std::uint64_t w0 = two_over_pi(word), w1 = two_over_pi(word + 1), w2 = two_over_pi(word + 2),
                      w3 = two_over_pi(word + 3);
  const std::uint64_t d0 = w0 << by | w1 >> 1 >> (63 - by), d1 = w1 << by | w2 >> 1 >> (63 - by),
                      d2 = w2 << by | w3 >> 1 >> (63 - by);
  const Wide low = Wide(d2) * m, middle = Wide(d1) * m + static_cast<std::uint64_t>(low >> 64);
  const std::uint64_t p2 = static_cast<std::uint64_t>(low), p1 = static_cast<std::uint64_t>(middle),
                      p0 = d0 * m + static_cast<std::uint64_t>(middle >> 64);
  // Of the product the first two digits are the quadrant; from the nearest one on the rest is a signed part of one.
  const std::uint64_t n = ((p0 >> 61) + 1) >> 1;
  std::uint64_t r0 = p0 << 2 | p1 >> 62, r1 = p1 << 2 | p2 >> 62, r2 = p2 << 2;
  const bool below = r0 >> 63;
  const std::uint64_t flip = below ? ~std::uint64_t(0) : 0;
  r0 ^= flip, r1 ^= flip, r2 ^= flip;
  const bool empty = r0 == 0;
  r0 = empty ? r1 : r0, r1 = empty ? r2 : r1, r2 = empty ? 0 : r2;
  const std::uint64_t zeros = static_cast<std::uint64_t>(__builtin_clzll(r0 | 1));
  const std::uint64_t h0 = r0 << zeros | r1 >> 1 >> (63 - zeros), h1 = r1 << zeros | r2 >> 1 >> (63 - zeros);
  // Times pi/2, in units of 2^-127 at h0's scale.
  constexpr std::uint64_t kHalfPi0 = 0xc90fdaa22168c234, kHalfPi1 = 0xc4c6628b80dc1cd1;
  const Wide y = Wide(h0) * kHalfPi0 + static_cast<std::uint64_t>(Wide(h0) * kHalfPi1 >> 64) +
                 static_cast<std::uint64_t>(Wide(h1) * kHalfPi0 >> 64);
  const std::uint64_t lost = zeros + (empty ? 64 : 0);
  const double scale = bits_as<double>((1023 - lost) << 52);
  const double high = static_cast<double>(static_cast<std::int64_t>(y >> 75)) * 0x1p-52 * scale;
  const double rest =
      static_cast<double>(static_cast<std::int64_t>(static_cast<std::uint64_t>(y >> 12) & ~(std::uint64_t(1) << 63))) *
      0x1p-115 * scale;
  const double r = high + rest, tail = (high - r) + rest;
  const bool negative = (x < 0) != below;
  return circle_at(x < 0 ? 0 - n : n, negative ? -r : r, negative ? -tail : tail);
}
WEFT_INLINE double negated_if(double x, std::uint64_t bit_1) {
  return bits_as<double>(bits_as<std::uint64_t>(x) ^ ((bit_1 & 2) << 62));
}
// Far arguments, of which infinities have no value.
WEFT_INLINE double if_finite(double x, double y) { return absolute(x) < kInfinity ? y : x - x; }
struct Sine {
  static constexpr float kCost = 1.6f;
  static constexpr double kLimit = kTrigLimit;
  WEFT_INLINE double of(Circle c) { return negated_if(c.quadrant & 1 ? c.cosine : c.sine, c.quadrant); }
  WEFT_INLINE double apply(double x) {
    const double y = of(circle(x));
    return x == 0 ? x : y;  // keeps -0
  }
  WEFT_INLINE double far(double x) { return if_finite(x, of(far_circle(x))); }
};
struct Cosine {
  static constexpr float kCost = 1.6f;
  static constexpr double kLimit = kTrigLimit;
  WEFT_INLINE double of(Circle c) { return negated_if(c.quadrant & 1 ? c.sine : c.cosine, c.quadrant + 1); }
  WEFT_INLINE double apply(double x) { return of(circle(x)); }
  WEFT_INLINE double far(double x) { return if_finite(x, of(far_circle(x))); }
};
struct Tan {
  static constexpr float kCost = 2;
  static constexpr double kLimit = kTrigLimit;
  WEFT_INLINE double of(Circle c) {
    const bool odd = c.quadrant & 1;
    return negated_if((odd ? c.cosine : c.sine) / (odd ? c.sine : c.cosine), c.quadrant << 1);
  }
  WEFT_INLINE double apply(double x) {
    const double y = of(circle(x));
    return x == 0 ? x : y;
  }
  WEFT_INLINE double far(double x) { return if_finite(x, of(far_circle(x))); }
};

/// The angle in [0, pi/2] of the point (x, y) of the first quadrant; 0 at the origin.
WEFT_INLINE double angle(double y, double x) {
  // atan(y / x) = c + atan u with |u| <= tan(pi/8): c is 0, pi/4 or pi/2, and u is y / x, (y - x) / (y + x) or -x / y.
  const bool low = y <= 0.41421356237309504880 * x, high = y > 2.41421356237309504880 * x;
  const double over = (high ? 0.0 : y) - (low ? 0.0 : x), under = (low ? 0.0 : y) + (high ? 0.0 : x);
  const double u = over / (under == 0 ? 1 : under), q = u * u;
  const double p = polynomial(q, -0.3333333333333333, 0.19999999999999804, -0.14285714285659779, 0.11111111105150588,
                              -0.09090908753259112, 0.07692296368042296, -0.0666642476020052, 0.05878927554473807,
                              -0.05230443640686948, 0.045515447340221615, -0.03456931506332609, 0.016284375050043393);
  const double c = (low ? 0.0 : 0.25 * kPi) + (high ? 0.25 * kPi : 0.0);
  const double c_low = (low ? 0.0 : 0.25 * kPiLo) + (high ? 0.25 * kPiLo : 0.0);
  return c + (u + (u * q * p + c_low));
}
struct Atan {
  static constexpr float kCost = 1.6f;
  WEFT_INLINE double apply(double x) { return copy_sign(angle(absolute(x), 1), x); }
};
struct Atan2 {
  static constexpr float kCost = 2;
  WEFT_INLINE double apply(double y, double x) {
    // The angle of (inf, inf) is that of (1, 1). Far points come nearer, so that sums stay finite.
    const double ax = absolute(x), ay = absolute(y);
    const bool far = (ax > 0x1p1021) | (ay > 0x1p1021), both = (ax == kInfinity) & (ay == kInfinity);
    const double scale = far ? 0x1p-3 : 1.0;
    const double a = angle(both ? 1.0 : ay * scale, both ? 1.0 : ax * scale);
    const bool left = bits_as<std::uint64_t>(x) >> 63;
    const double r = left ? kPi - (a - kPiLo) : a;
    const bool nan = (x != x) | (y != y);
    return nan ? x + y : copy_sign(r, y);
  }
};
struct Asin {
  static constexpr float kCost = 2.2f;
  WEFT_INLINE double apply(double x) { return copy_sign(angle(absolute(x), square_root((1 - x) * (1 + x))), x); }
};
struct Acos {
  static constexpr float kCost = 2.2f;
  WEFT_INLINE double apply(double x) {
    const double a = angle(square_root((1 - x) * (1 + x)), absolute(x));
    return x < 0 ? kPi - (a - kPiLo) : a;
  }
};

// Squares of larger numbers add nothing to 1; they may overflow.
inline constexpr double kLarge = 0x1p28;

struct Asinh {
  static constexpr float kCost = 2.5f;
  WEFT_INLINE double apply(double x) {
    const double a = absolute(x), s = a < kLarge ? a : 0;
    const double near = s + s * s / (1 + square_root(s * s + 1));
    const double y = log_plus_one(a < kLarge ? near : a - 1) + (a < kLarge ? 0.0 : kLn2Hi + kLn2Lo);
    return copy_sign(y, x);
  }
};
struct Acosh {
  static constexpr float kCost = 2.5f;
  WEFT_INLINE double apply(double x) {
    const double t = x - 1, s = x < kLarge ? t : 0;
    const double near = s + square_root(2 * s + s * s);
    const double y = log_plus_one(x < kLarge ? near : t) + (x < kLarge ? 0.0 : kLn2Hi + kLn2Lo);
    return x < 1 ? __builtin_nan("") : y;
  }
};
struct Atanh {
  static constexpr float kCost = 2;
  WEFT_INLINE double apply(double x) {
    const double a = absolute(x);
    return copy_sign(0.5 * log_plus_one(2 * a / (1 - a)), x);
  }
};
struct Cbrt {
  static constexpr float kCost = 2.2f;
  // Halley's step cubes the error.
  WEFT_INLINE double nearer_root(double t, double n) {
    const double cube = t * t * t;
    return t + t * ((n - cube) / (2 * cube + n));
  }
  WEFT_INLINE double apply(double x) {
    const double a = absolute(x);
    // Away from the ends of the range, where cubes or their differences would leave it.
    const bool tiny = a < 0x1p-900, huge = a > 0x1p1000;
    const double n = a * (tiny ? 0x1p150 : huge ? 0x1p-150 : 1.0);
    // A third of the exponent and of the mantissa: 5 % off at most.
    const auto third = static_cast<double>(static_cast<std::uint32_t>(bits_as<std::uint64_t>(n) >> 32)) * (1.0 / 3);
    const auto start = static_cast<std::uint64_t>(static_cast<std::int64_t>(third) + 715094163);
    double t = bits_as<double>(start << 32);
    t = nearer_root(t, n);
    t = nearer_root(t, n);
    t = nearer_root(t, n);
    t = t * (tiny ? 0x1p-50 : huge ? 0x1p50 : 1.0);
    const bool stays = (x == 0) | !(a < kInfinity);
    return stays ? x : copy_sign(t, x);
  }
};

}  // namespace weft::cpu::WEFT_ISA::math_f64
