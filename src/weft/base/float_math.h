// e^x, e^x - 1 and log x of f32 in f32 arithmetic, for the kernels and for reference evaluation alike (within 1, 1.6
// and 1.2 ULP): the range is reduced by ln 2 in two parts, then come the minimax polynomials of Moshier's Cephes
// library. Twice as fast on vectors as evaluation in double, and what programs exported by other systems were
// computed with.
//
// Straight-line code without calls, in which compilers contract nothing but what multiply_add says: plain loops over
// these become vector code with the same bits on every instruction set. Static and always inlined, because kernels
// compile this once per instruction set.
#pragma once

#include <cstdint>

#define WEFT_FLOAT_MATH [[gnu::always_inline]] static inline

namespace weft::float_math {

template <class To, class From>
WEFT_FLOAT_MATH To bits_as(From v) {
  To r;
  static_assert(sizeof(To) == sizeof(From));
  __builtin_memcpy(&r, &v, sizeof r);
  return r;
}

WEFT_FLOAT_MATH double round_to_odd(double sum, double error) {
  // Where the sum is not exact and even, its neighbour on the side of the error is odd.
  std::uint64_t bits;
  __builtin_memcpy(&bits, &sum, sizeof bits);
  const std::uint64_t inexact = (error > 0) | (error < 0), grows = (error > 0) == (sum > 0);
  bits += (inexact & ~bits) * (2 * grows - 1);
  __builtin_memcpy(&sum, &bits, sizeof sum);
  return sum;
}
/// a b + c, rounded once, by double arithmetic: the product is exact, and its sum with c rounded to odd has digits
/// enough that the rounding to float is the only one that counts (Boldo and Melquiond, "Emulation of FMA and correctly
/// rounded sums", 2008).
WEFT_FLOAT_MATH float multiply_add_in_double(float a, float b, float c) {
  const double p = static_cast<double>(a) * b, s = p + c, of_c = s - p;
  return static_cast<float>(round_to_odd(s, (p - (s - of_c)) + (c - of_c)));
}
/// a b + c, rounded once: one instruction where the compiler says so (x86-64 since 2013, AArch64). Bitcode has it as
/// LLVM's intrinsic, for which the compiler of programs does what is right for its processor.
WEFT_FLOAT_MATH float multiply_add(float a, float b, float c) {
#if defined(__FP_FAST_FMAF) || defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(WEFT_TO_BITCODE)
  return __builtin_fmaf(a, b, c);
#else
  return multiply_add_in_double(a, b, c);
#endif
}

inline constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;

/// 2^k for -126 <= k <= 127.
WEFT_FLOAT_MATH float power_of_two(std::int32_t k) { return bits_as<float>(static_cast<std::uint32_t>(k + 127) << 23); }

/// x = k ln 2 + r, |r| <= ln 2 / 2 (k to nearest); `less_one` is e^r - 1. x within [-104, 89] or NaN.
struct Reduced {
  std::int32_t k;
  float less_one;
};
WEFT_FLOAT_MATH Reduced reduced(float x) {
  // Adding this leaves the nearest integer in the low bits of the representation.
  constexpr float kToInteger = 0x1.8p23f;
  const float shifted = multiply_add(x, 1.44269504088896341f, kToInteger);
  const float k = shifted - kToInteger;
  const float r = multiply_add(k, -kLn2Low, multiply_add(k, -kLn2High, x));
  float p = 1.9875691500e-4f;
  p = multiply_add(p, r, 1.3981999507e-3f);
  p = multiply_add(p, r, 8.3334519073e-3f);
  p = multiply_add(p, r, 4.1665795894e-2f);
  p = multiply_add(p, r, 1.6666665459e-1f);
  p = multiply_add(p, r, 5.0000001201e-1f);
  return {static_cast<std::int32_t>(bits_as<std::uint32_t>(shifted) - bits_as<std::uint32_t>(kToInteger)),
          multiply_add(p, r * r, r)};
}

WEFT_FLOAT_MATH float scaled(float x, std::int32_t k) {
  // In two steps, for 2^k itself may be out of range.
  const std::int32_t half = k >> 1;
  return x * power_of_two(half) * power_of_two(k - half);
}

/// e^x: infinity and 0 where the result leaves the range, subnormal results rounded once; NaN stays.
WEFT_FLOAT_MATH float exponential(float x) {
  x = x > 89.0f ? 89.0f : x;
  x = x < -104.0f ? -104.0f : x;
  const Reduced v = reduced(x);
  return scaled(v.less_one + 1.0f, v.k);
}

/// e^x - 1.
WEFT_FLOAT_MATH float exponential_minus_one(float x) {
  float bounded = x > 89.0f ? 89.0f : x;
  bounded = bounded < -104.0f ? -104.0f : bounded;
  const Reduced v = reduced(bounded);
  const float far = scaled(v.less_one + 1.0f, v.k) - 1.0f;
  // Near 0 the 1 would take the digits with it.
  const float scale = power_of_two(v.k < -6 ? -6 : v.k > 6 ? 6 : v.k);
  const float near = multiply_add(v.less_one, scale, scale - 1.0f);
  const float magnitude = x < 0 ? -x : x;
  return x == 0 ? x : magnitude < 4.0f ? near : far;
}

/// log x for a normal positive x.
WEFT_FLOAT_MATH float logarithm(float x) {
  // x = 2^e m with m in [sqrt(1/2), sqrt(2)).
  const std::uint32_t bits = bits_as<std::uint32_t>(x) - bits_as<std::uint32_t>(0.70710678118654752440f);
  const std::int32_t e = static_cast<std::int32_t>(bits) >> 23;
  const float m = bits_as<float>(bits_as<std::uint32_t>(x) - (static_cast<std::uint32_t>(e) << 23)) - 1.0f;
  const float q = m * m, c = q * m, k = static_cast<float>(e);
  const float p0 = multiply_add(multiply_add(7.0376836292e-2f, m, -1.1514610310e-1f), m, 1.1676998740e-1f);
  const float p1 = multiply_add(multiply_add(-1.2420140846e-1f, m, 1.4249322787e-1f), m, -1.6668057665e-1f);
  const float p2 = multiply_add(multiply_add(2.0000714765e-1f, m, -2.4999993993e-1f), m, 3.3333331174e-1f);
  const float p = multiply_add(multiply_add(multiply_add(p0, c, p1), c, p2), c, k * kLn2Low);
  return multiply_add(k, kLn2High, multiply_add(-0.5f, q, m) + p);
}

}  // namespace weft::float_math

#undef WEFT_FLOAT_MATH
