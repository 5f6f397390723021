// Functions of the reals for f32 arguments, without branches, so that plain loops over them become vector code: those
// that programs are full of in f32 arithmetic, with twice the lanes of double, the others in double, whose one rounding
// at the end is right almost always (within 0.6 ULP).
//
// tests/cpu/math_f32_test.cc has the largest error of each function over all floats. In f32, what a sum loses and
// matters is carried in a second number: s = a + b with |a| >= |b| lacks exactly b - (s - a). Polynomials without a
// source are minimax fits of the result's relative error (Remez; the coefficients rounded to f32 one after the other,
// the later ones fitted anew each time), up to 0.1 ULP off.
//
// No table, no call, no contraction but by multiply_add: the same bits on every instruction set.
#pragma once

#include "weft/base/float_math.h"
#include "weft/cpu/math/math_f64.h"

namespace weft::cpu::WEFT_ISA::math_f32 {

using float_math::multiply_add;

// ---- in f32 ----

struct Exponential {
  static constexpr float kCost = 0.3f;
  WEFT_INLINE float apply(float x) { return float_math::exponential(x); }
};
struct ExponentialMinusOne {
  static constexpr float kCost = 0.4f;
  WEFT_INLINE float apply(float x) { return float_math::exponential_minus_one(x); }
};

/// log(2^k (1 + f)) with 1 + f in about [sqrt(1/2), sqrt(2)]; k is whole.
WEFT_INLINE float logarithm_of_parts(float f, float k) {
  const float q = f * f;
  float p = -0.0786534846f;
  p = multiply_add(p, f, 0.128851056f);
  p = multiply_add(p, f, -0.131282568f);
  p = multiply_add(p, f, 0.141806886f);
  p = multiply_add(p, f, -0.166245565f);
  p = multiply_add(p, f, 0.200023085f);
  p = multiply_add(p, f, -0.250008106f);
  p = multiply_add(p, f, 0.333333164f);
  // f - f^2 / 2 + f^3 p + k ln 2, the large terms first and with what their sum loses.
  const float turns = k * float_math::kLn2High, sum = turns + f, lost = f - (sum - turns);
  return sum + (lost + multiply_add(-0.5f, q, multiply_add(f * q, p, k * float_math::kLn2Low)));
}
// The exponent of a positive normal x = 2^e m with m in [sqrt(1/2), sqrt(2)).
WEFT_INLINE std::int32_t exponent_of(float x) {
  return static_cast<std::int32_t>(bits_as<std::uint32_t>(x) - bits_as<std::uint32_t>(0.70710678118654752440f)) >> 23;
}
// log(2^-halvings u) for a normal positive u.
WEFT_INLINE float logarithm_of_normal(float u, std::int32_t halvings) {
  const std::int32_t e = exponent_of(u);
  const auto m = bits_as<float>(bits_as<std::uint32_t>(u) - (static_cast<std::uint32_t>(e) << 23));
  return logarithm_of_parts(m - 1, static_cast<float>(e - halvings));
}
// y, but for a logarithm's argument u that is 0 (-inf), negative (NaN), infinite or NaN (itself).
WEFT_INLINE float with_edges_of_logarithm(float y, float u) {
  const float edge = u == 0 ? -__builtin_inff() : __builtin_nanf("");
  const float proper = u > 0 ? y : edge;
  return u < __builtin_inff() ? proper : u;
}

struct Log {
  static constexpr float kCost = 0.45f;
  WEFT_INLINE float apply(float x) {
    // Subnormal numbers are made normal.
    const bool tiny = x < 0x1p-126f;
    return with_edges_of_logarithm(logarithm_of_normal(tiny ? x * 0x1p23f : x, tiny ? 23 : 0), x);
  }
};
struct LogPlusOne {
  static constexpr float kCost = 0.5f;
  WEFT_INLINE float apply(float x) {
    // 1 + x = 2^e m only says what e is: m - 1 = 2^-e x + (2^-e - 1) comes from x itself, rounded once at most.
    const float u = 1 + x;
    const std::int32_t e = exponent_of(u);
    const float scale = float_math::power_of_two(2 - e);  // 2^-128 would be none
    const float f = multiply_add(x * scale, 0.25f, multiply_add(scale, 0.25f, -1));
    const float y = with_edges_of_logarithm(logarithm_of_parts(f, static_cast<float>(e)), u);
    return x == 0 ? x : y;  // keeps -0
  }
};

/// e^x = 2^k (1 + less_one) with r = x - k ln 2, less by one term than base/float_math.h has and of less depth.
WEFT_INLINE float less_one(float r) {
  const float q = r * r;
  const float high = multiply_add(0.00138479576f, q, multiply_add(0.00837001763f, r, 0.041668009f));
  return multiply_add(multiply_add(high, q, multiply_add(0.166665092f, r, 0.49999994f)), q, r);
}
// Adding this leaves a number's nearest integer in the low bits of its representation.
inline constexpr float kToInteger = 0x1.8p23f;

WEFT_INLINE float_math::Reduced reduced(float x) {
  const float shifted = multiply_add(x, 1.44269504088896341f, kToInteger), k = shifted - kToInteger;
  return {static_cast<std::int32_t>(bits_as<std::uint32_t>(shifted) - bits_as<std::uint32_t>(kToInteger)),
          less_one(multiply_add(k, -float_math::kLn2Low, multiply_add(k, -float_math::kLn2High, x)))};
}
// The same where e^x is small against what it is added to, or 1 / e^x is. The float next to ln 2 ends in four zeros and
// is 0.03 ULP off.
WEFT_INLINE float_math::Reduced reduced_beside_one(float x) {
  const float shifted = multiply_add(x, 1.44269504088896341f, kToInteger), k = shifted - kToInteger;
  return {static_cast<std::int32_t>(bits_as<std::uint32_t>(shifted) - bits_as<std::uint32_t>(kToInteger)),
          less_one(multiply_add(k, -0.693147180559945309f, x))};
}

struct Logistic {
  static constexpr float kCost = 0.5f;
  WEFT_INLINE float apply(float x) {
    // 1 / (1 + e^t); where e^t may leave the range, numerator and denominator are 2^-64 of themselves.
    float t = -x > 104.0f ? 104.0f : -x;
    t = t < -30.0f ? -30.0f : t;
    const float_math::Reduced v = reduced(t);
    const bool large = v.k > 64;
    const float one = large ? 0x1p-64f : 1.0f, scale = float_math::power_of_two(v.k - (large ? 64 : 0));
    // 1 + e^t = (1 + scale) + scale (e^r - 1) with what both sums lose.
    const float whole = one + scale, part = scale * v.less_one, sum = whole + part;
    const float lost = (part - (sum - whole)) + (one - (whole - scale));
    const float first = 1 / sum, y = (first - first * lost * first) * one;
    return x != x ? x : y;  // compilers negate x early or late, and with it a NaN's sign
  }
};
struct Tanh {
  static constexpr float kCost = 0.45f;
  WEFT_INLINE float apply(float x) {
    const float magnitude = absolute(x), a = magnitude > 9.1f ? 9.1f : magnitude;  // 1 from there
    // 1 - 2 / (e^2a + 1), and where that is small a - a^3 / d(a^2): what is subtracted is small, and so are its errors.
    const float_math::Reduced v = reduced_beside_one(a + a);
    const float scale = float_math::power_of_two(v.k), far = multiply_add(scale, v.less_one, scale + 1);
    const float q = a * a;
    float d = 0.000232012477f;
    d = multiply_add(d, q, -0.00570033863f);
    d = multiply_add(d, q, 1.19999659f);
    d = multiply_add(d, q, 3.00000024f);
    const bool near = a < 0.9f;
    return copy_sign((near ? a : 1.0f) - (near ? a * q : 2.0f) / (near ? d : far), x);
  }
};
// e^x / 4 for x >= 0, which is finite wherever sinh and cosh are.
WEFT_INLINE float quarter_of_exponential(float x) {
  const float_math::Reduced v = reduced(x > 89.5f ? 89.5f : x);
  const float scale = bits_as<float>(static_cast<std::uint32_t>(v.k + 125) << 23);
  return multiply_add(scale, v.less_one, scale);
}
struct Sinh {
  static constexpr float kCost = 0.5f;
  WEFT_INLINE float apply(float x) {
    const float a = absolute(x), q = a * a, e = quarter_of_exponential(a);
    float p = 2.78221319e-6f;
    p = multiply_add(p, q, 0.000198428956f);
    p = multiply_add(p, q, 0.00833331048f);
    p = multiply_add(p, q, 0.166666672f);
    const float near = multiply_add(a * q, p, a), far = (e - 0.0625f / e) * 2;
    return copy_sign(a < 1 ? near : far, x);
  }
};
struct Cosh {
  static constexpr float kCost = 0.35f;
  WEFT_INLINE float apply(float x) {
    const float e = quarter_of_exponential(absolute(x));
    return (e + 0.0625f / e) * 2;
  }
};

struct Erf {
  static constexpr float kCost = 0.7f;
  WEFT_INLINE float apply(float x) {
    const float magnitude = absolute(x), a = magnitude > 3.95f ? 3.95f : magnitude;  // 1 from there
    const float q = a * a;
    float n = 7.94321022e-5f;
    n = multiply_add(n, q, -0.000803976727f);
    n = multiply_add(n, q, 0.00519175362f);
    n = multiply_add(n, q, -0.02685556f);
    n = multiply_add(n, q, 0.112836242f);
    n = multiply_add(n, q, -0.376126289f);
    n = multiply_add(n, q, 0.128379166f);
    // 1 - e^p with p = log erfc a.
    float p = 0.000198215814f;
    p = multiply_add(p, a, -0.00306545058f);
    p = multiply_add(p, a, 0.0223150495f);
    p = multiply_add(p, a, -0.104113333f);
    p = multiply_add(p, a, -0.63697648f);
    p = multiply_add(p, a, -1.12779701f);
    p = multiply_add(p, a, -0.000166503523f);
    const float_math::Reduced v = reduced_beside_one(p);
    const float scale = float_math::power_of_two(v.k);
    const float near = multiply_add(a, n, a), far = multiply_add(-scale, v.less_one, 1 - scale);
    return copy_sign(a < 0.9f ? near : far, x);
  }
};
/// x p(w), w = -log(1 - x^2), with polynomials of w where that is small and of sqrt(w) beyond. The form is Giles',
/// "Approximating the erfinv function" (2010).
struct ErfInv {
  static constexpr float kCost = 1.2f;
  WEFT_INLINE float apply(float x) {
    const float a = absolute(x);
    // Where this is rounded, near x = 0, p hardly changes.
    const float w = -logarithm_of_normal((1 - a) * (1 + a), 0);
    const float root = square_root(w);
    const bool central = w < 4.75f;
    const float v = (central ? w : root) - (central ? 0.5625f : 3.125f);
    float p = central ? -9.19897403e-09f : 0.000133072914f;
    p = multiply_add(p, v, central ? 1.82392228e-07f : -0.000173932538f);
    p = multiply_add(p, v, central ? -1.114258e-06f : -0.000329404807f);
    p = multiply_add(p, v, central ? -1.8894458e-06f : 0.00131069566f);
    p = multiply_add(p, v, central ? 4.68785656e-05f : -0.00251766713f);
    p = multiply_add(p, v, central ? 5.94125004e-06f : 0.0037818409f);
    p = multiply_add(p, v, central ? -0.00247214665f : -0.00530166831f);
    p = multiply_add(p, v, central ? 0.00745065417f : 0.00704896031f);
    p = multiply_add(p, v, central ? 0.24272278f : 1.00371873f);
    const float first = central ? 1.01996315f : 2.95832014f, others = p * v, sum = first + others;
    const float lost = others - (sum - first);
    const float y = multiply_add(sum, x, lost * x), edge = a == 1 ? x * __builtin_inff() : __builtin_nanf("");
    return a < 1 ? y : edge;
  }
};

// sin(x + quarter turns) for |x| < Sine::kLimit.
WEFT_INLINE float sine_shifted(float x, std::uint32_t quarter) {
  const float shifted = multiply_add(x, 0.636619772367581343076f, kToInteger);
  const float n = shifted - kToInteger;
  // x - n pi/2. The first three parts of pi/2 have 12 bits and end at 2^-11, 2^-23 and 2^-35: their products with n
  // are exact, and so are the first two differences; what the third loses goes on with the rest.
  const float high = multiply_add(n, 0x1.28p-18f, multiply_add(n, -0x1.922p+0f, x));
  const float middle = n * -0x1.778p-25f;
  const float r = high - middle, rest = multiply_add(n, -0x1.68c234p-39f, (high - r) - middle);
  // sin r = r + r^3 s and cos r = 13/16 + (3/16 - r^2 / 2) + r^4 c, of which one is wanted; small terms first.
  const float q = r * r;
  const std::uint32_t quadrant = bits_as<std::uint32_t>(shifted) + quarter;
  const bool odd = quadrant & 1;
  float p = odd ? 2.44306702e-5f : -0.000195178072f;
  p = multiply_add(p, q, odd ? -0.00138873013f : 0.00833218731f);
  p = multiply_add(p, q, odd ? 0.0416666456f : -0.166666552f);
  const float of_cosine = multiply_add(-r, rest, multiply_add(-0.5f, q, 0.1875f));
  const float y = (odd ? 0.8125f : r) + multiply_add((odd ? q : r) * q, p, odd ? of_cosine : rest);
  return bits_as<float>(bits_as<std::uint32_t>(y) ^ ((quadrant & 2) << 30));
}
struct Sine {
  static constexpr float kCost = 0.4f;
  /// Beyond this n has more than 12 bits.
  static constexpr float kLimit = 6400;
  WEFT_INLINE float apply(float x) {
    const std::uint32_t sign = bits_as<std::uint32_t>(x) & kSignBit<float>;
    return bits_as<float>(bits_as<std::uint32_t>(sine_shifted(absolute(x), 0)) ^ sign);
  }
  WEFT_INLINE double far(double x) {
    return absolute(x) < math_f64::kTrigLimit ? math_f64::Sine::apply(x) : math_f64::Sine::far(x);
  }
};
struct Cosine {
  static constexpr float kCost = 0.4f;
  static constexpr float kLimit = Sine::kLimit;
  WEFT_INLINE float apply(float x) { return sine_shifted(x, 1); }
  WEFT_INLINE double far(double x) {
    return absolute(x) < math_f64::kTrigLimit ? math_f64::Cosine::apply(x) : math_f64::Cosine::far(x);
  }
};

// ---- in double ----

inline constexpr double kToIntegerOfDouble = 0x1.8p52;
inline constexpr double kLn2 = 0.693147180559945309417;

/// e^x. Far arguments saturate well outside what a float holds; NaN stays.
WEFT_INLINE double exponential(double x) {
  x = x > 300.0 ? 300.0 : x;
  x = x < -300.0 ? -300.0 : x;
  const double shifted = x * 1.44269504088896340736 + kToIntegerOfDouble;
  const double k = shifted - kToIntegerOfDouble;
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
  const double exponent = bits_as<double>(e + bits_as<std::uint64_t>(kToIntegerOfDouble)) - kToIntegerOfDouble;
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

}  // namespace weft::cpu::WEFT_ISA::math_f32
