// Functions of the reals for f32 arguments, computed (but for e^x and e^x - 1) in double without branches, so that
// plain loops over them become vector code. The double carries some 40 good bits, so that the one rounding at the end
// is right almost always: these functions are within 0.6 ULP.
//
// No table, no call, no contraction: the same bits on every instruction set.
#pragma once

#include "weft/base/float_math.h"
#include "weft/cpu/math/math_f64.h"

namespace weft::cpu::WEFT_ISA::math_f32 {

// Adding this leaves a number's nearest integer in the low bits of its representation.
inline constexpr double kToInteger = 0x1.8p52;
inline constexpr double kLn2 = 0.693147180559945309417;

/// e^x. Far arguments saturate well outside what a float holds; NaN stays.
WEFT_INLINE double exponential(double x) {
  x = x > 300.0 ? 300.0 : x;
  x = x < -300.0 ? -300.0 : x;
  const double shifted = x * 1.44269504088896340736 + kToInteger;
  const double k = shifted - kToInteger;
  const double r = x - k * kLn2;
  // Taylor; |r| <= 0.3466.
  double p = 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  const auto scale = bits_as<double>((bits_as<std::uint64_t>(shifted) + 1023) << 52);
  return p * scale;
}

/// log x for a positive normal double; -inf at 0, NaN below, inf and NaN stay.
WEFT_INLINE double logarithm(double x) {
  // x = 2^e m with m in [sqrt(1/2), sqrt(2)).
  const auto bits = bits_as<std::uint64_t>(x) - bits_as<std::uint64_t>(0.70710678118654752440);
  const std::uint64_t e = (bits >> 52) - ((bits >> 63) << 12);  // an arithmetic shift
  const auto m = bits_as<double>(bits_as<std::uint64_t>(x) - (e << 52));
  const double exponent = bits_as<double>(e + bits_as<std::uint64_t>(kToInteger)) - kToInteger;
  // log m = 2 artanh s, s = (m - 1) / (m + 1), |s| < 0.1716.
  const double s = (m - 1) / (m + 1), q = s * s;
  double p = 2.0 / 15;
  p = p * q + 2.0 / 13;
  p = p * q + 2.0 / 11;
  p = p * q + 2.0 / 9;
  p = p * q + 2.0 / 7;
  p = p * q + 2.0 / 5;
  p = p * q + 2.0 / 3;
  p = p * q + 2.0;
  double y = exponent * kLn2 + p * s;
  y = x == 0 ? -__builtin_inf() : y;
  y = x < 0 ? __builtin_nan("") : y;
  return x < __builtin_inf() ? y : x;  // inf and NaN
}

struct Exponential {
  static constexpr float kCost = 0.3f;
  WEFT_INLINE float apply(float x) { return float_math::exponential(x); }
};
struct ExponentialMinusOne {
  static constexpr float kCost = 0.4f;
  WEFT_INLINE float apply(float x) { return float_math::exponential_minus_one(x); }
};
struct Log {
  static constexpr float kCost = 1;
  WEFT_INLINE double apply(double x) { return logarithm(x); }
};
struct LogPlusOne {
  static constexpr float kCost = 1.1f;
  WEFT_INLINE double apply(double x) {
    const double small = x * (1 - x * (0.5 - x * (1.0 / 3)));
    const double large = logarithm(1 + x);
    return absolute(x) < 1e-4 ? small : large;
  }
};
struct Logistic {
  static constexpr float kCost = 1.2f;
  WEFT_INLINE double apply(double x) { return 1 / (1 + exponential(-x)); }
};
struct Tanh {
  static constexpr float kCost = 1.3f;
  WEFT_INLINE double apply(double x) {
    const double a = absolute(x);
    const double far = 1 - 2 / (exponential(2 * a) + 1);
    const double near = a - a * a * a * (1.0 / 3);
    return copy_sign(a < 1e-3 ? near : far, x);
  }
};
struct Sinh {
  static constexpr float kCost = 1.3f;
  WEFT_INLINE double apply(double x) {
    const double q = x * x, e = exponential(absolute(x));
    const double near = absolute(x) * (1 + q * (1.0 / 6 + q * (1.0 / 120)));
    return copy_sign(q < 1e-4 ? near : (e - 1 / e) * 0.5, x);
  }
};
struct Cosh {
  static constexpr float kCost = 1.2f;
  WEFT_INLINE double apply(double x) {
    const double e = exponential(absolute(x));
    return (e + 1 / e) * 0.5;
  }
};

/// erfc x for x >= 0: t exp(-x^2 + P(t)), t = 2 / (2 + x); P is a least-maximum fit to 2e-12.
WEFT_INLINE double erfc_positive(double x) {
  const double t = 2 / (2 + x);
  double p = 0.092194320449006814;
  p = p * t - 0.71773328791612823;
  p = p * t + 2.2809681892455274;
  p = p * t - 3.3595436645707792;
  p = p * t + 0.54761732506764604;
  p = p * t + 6.7403074981649054;
  p = p * t - 12.981949641787581;
  p = p * t + 12.830726904461217;
  p = p * t - 8.1522648643493589;
  p = p * t + 3.8899721645608887;
  p = p * t - 1.413242561380172;
  p = p * t + 0.19036932853476032;
  p = p * t - 0.14766430045213697;
  p = p * t + 0.091431728401457205;
  p = p * t + 0.37428602139189926;
  p = p * t + 1.0000378759051944;
  p = p * t - 1.2655130357251965;
  return t * exponential(p - x * x);
}
struct Erfc {
  static constexpr float kCost = 1.8f;
  WEFT_INLINE double apply(double x) {
    double a = absolute(x);
    a = a > 15.0 ? 15.0 : a;
    const double y = erfc_positive(a);
    return x < 0 ? 2 - y : y;
  }
};
struct Erf {
  static constexpr float kCost = 2;
  WEFT_INLINE double apply(double x) {
    double a = absolute(x);
    a = a > 15.0 ? 15.0 : a;
    // 2/sqrt(pi) sum of (-1)^n x^(2n+1) / (n! (2n+1)), to 1e-12 for |x| < 1/2.
    const double q = a * a;
    double p = -1.0 / 75600;
    p = p * q + 1.0 / 9360;
    p = p * q - 1.0 / 1320;
    p = p * q + 1.0 / 216;
    p = p * q - 1.0 / 42;
    p = p * q + 1.0 / 10;
    p = p * q - 1.0 / 3;
    p = p * q + 1;
    const double near = 1.12837916709551257390 * a * p, far = 1 - erfc_positive(a);
    return copy_sign(a < 0.5 ? near : far, x);
  }
};

// sin(x + quarter turns): x minus a multiple of pi/2 in two parts, then the polynomial of the quadrant.
WEFT_INLINE double sine_shifted(double x, std::uint64_t quarter) {
  const double shifted = x * 0.636619772367581343076 + kToInteger;
  const double n = shifted - kToInteger;
  // The first 33 bits of pi/2, so that the product is exact; then the rest.
  const double r = (x - n * 1.57079632673412561417) - n * 6.07710050650619224932e-11;
  const double q = r * r;
  double s = -1.0 / 39916800;
  s = s * q + 1.0 / 362880;
  s = s * q - 1.0 / 5040;
  s = s * q + 1.0 / 120;
  s = s * q - 1.0 / 6;
  s = r * (1 + q * s);
  double c = 1.0 / 479001600;
  c = c * q - 1.0 / 3628800;
  c = c * q + 1.0 / 40320;
  c = c * q - 1.0 / 720;
  c = c * q + 1.0 / 24;
  c = c * q - 0.5;
  c = c * q + 1;
  const std::uint64_t quadrant = bits_as<std::uint64_t>(shifted) + quarter;
  const double y = quadrant & 1 ? c : s;
  return bits_as<double>(bits_as<std::uint64_t>(y) ^ ((quadrant & 2) << 62));
}
struct Sine {
  static constexpr float kCost = 1;
  WEFT_INLINE double apply(double x) { return sine_shifted(x, 0); }
  WEFT_INLINE double far(double x) { return math_f64::Sine::far(x); }
};
struct Cosine {
  static constexpr float kCost = 1;
  WEFT_INLINE double apply(double x) { return sine_shifted(x, 1); }
  WEFT_INLINE double far(double x) { return math_f64::Cosine::far(x); }
};

struct Power {
  static constexpr float kCost = 2.2f;
  WEFT_INLINE double apply(double x, double y) {
    const double a = absolute(x);
    const double r = exponential(y * logarithm(a));
    const double whole = round_down(y), halves = round_down(y * 0.5);
    // Bits, not &&: branches would keep the loop scalar.
    const bool odd = (whole == y) & (halves * 2 != y);
    const bool undefined = (x < 0) & (whole != y) & (a < __builtin_inf());
    const double magnitude = undefined ? __builtin_nan("") : r;
    const double defined = odd ? copy_sign(magnitude, x) : magnitude;
    // x^0 and 1^y are 1 even for NaN; so is (-1)^inf.
    const bool one = (y == 0) | (x == 1) | ((a == 1) & (absolute(y) == __builtin_inf()));
    return one ? 1.0 : defined;
  }
};

/// x p(w), w = -log(1 - x^2), with polynomials of w - 5/2 where w < 5 and of sqrt(w) beyond, which are within 8e-10 of
/// the function up to the float before 1: interpolated at Chebyshev's points of [0, 5] and of [sqrt 5, 4]. The form is
/// Giles', "Approximating the erfinv function" (2010).
struct ErfInv {
  static constexpr float kCost = 2;
  WEFT_INLINE double apply(double x) {
    const double w = -LogPlusOne::apply(-(x * x));
    const bool central = w < 5;
    const double root = square_root(w);
    const double v = (central ? w : root) - (central ? 2.5 : 3.118033988749895);
    double p = central ? 1.2346575369437536e-10 : -1.0527837140150758e-05;
    p = (central ? 4.340626701712608e-10 : -3.0282233720864845e-05) + p * v;
    p = (central ? -1.0861760937453557e-08 : 0.00014957044651393422) + p * v;
    p = (central ? 1.650364419367785e-08 : -0.00012329002867887622) + p * v;
    p = (central ? 4.786897060699023e-07 : -0.0003270327125821304) + p * v;
    p = (central ? -3.4262662105356867e-06 : 0.0012866510552047464) + p * v;
    p = (central ? -4.99600010244914e-06 : -0.0025722670883304237) + p * v;
    p = (central ? 0.0002182641252172336 : 0.003881275880930168) + p * v;
    p = (central ? -0.00125270795736626 : -0.0054080119488046285) + p * v;
    p = (central ? -0.004177325080458936 : 0.007159900497753964) + p * v;
    p = (central ? 0.24664027674858824 : 1.0036197241077056) + p * v;
    p = (central ? 1.5014093517481764 : 2.951328577024708) + p * v;
    return absolute(x) == 1 ? x * __builtin_inf() : p * x;
  }
};

}  // namespace weft::cpu::WEFT_ISA::math_f32
