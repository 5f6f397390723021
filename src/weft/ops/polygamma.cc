// The digamma function, its derivatives and Hurwitz' zeta function, which is their series.
// Double where nothing cancels; 32 digits near zeros, for negative arguments and for derivatives.
#include <algorithm>

#include "weft/ops/double_double.h"
#include "weft/ops/special_functions.h"

namespace weft::ops {

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// B_2k / (2k)!, the coefficients of the Euler-Maclaurin formula.
constexpr DD kEulerMaclaurin[] = {
    {0.08333333333333333, 4.625929269271485e-18},     {-0.001388888888888889, 5.300543954373577e-20},
    {3.306878306878307e-05, -2.2300719288557665e-21}, {-8.267195767195768e-07, 3.457597454003665e-23},
    {2.08767569878681e-08, -1.2073450591132599e-24},  {-5.284190138687493e-10, 3.517096671929869e-27},
    {1.3382536530684679e-11, -2.828354019907999e-29}, {-3.3896802963225827e-13, -1.4986928409964295e-29},
    {8.586062056277845e-15, -6.05252374381974e-31},   {-2.174868698558062e-16, 4.961617782549996e-33},
    {5.5090028283602295e-18, -1.49827152194499e-35},  {-1.3954464685812522e-19, -1.0350590497256251e-35},
    {3.534707039629467e-21, 1.894231142684204e-37},   {-8.953517427037546e-23, -5.728752743153026e-39},
    {2.267952452337683e-24, 1.3043458462619563e-40},
};

// psi(x) for x > 0: the recurrence to 30, then log x - 1/(2x) - sum of B_2k / (2k x^2k).
DD digamma_positive(DD x) {
  static constexpr double kNumerator[] = {1, -1, 1, -1, 1, -691, 1, -3617, 43867, -174611, 77683, -236364091};
  static constexpr double kDenominator[] = {12, 120, 252, 240, 132, 32760, 12, 8160, 14364, 6600, 276, 65520};
  DD shift = 0;
  for (; x.hi < 30; x = x + 1) shift = shift + DD(1) / x;
  const DD r = DD(1) / x, r2 = r * r;
  DD tail = 0;
  for (int k = 11; k >= 0; --k) tail = tail * r2 + DD(kNumerator[k]) / kDenominator[k];
  return log(x) - r * 0.5 - tail * r2 - shift;
}

// psi(x) for every x but the poles.
DD digamma_precise(double x) {
  if (x > 0) return digamma_positive(x);
  const DD d = x - std::round(x);
  return digamma_positive(DD(1) - x) - kPiDD * cos_pi(d) / sin_pi(d);
}

DD power(DD x, double n) {
  DD result = 1;
  while (n > 0) {
    if (std::fmod(n, 2) != 0) result = result * x;
    n = std::floor(n / 2);
    x = x * x;
  }
  return result;
}

// a^-s for a > 0, to the error of std::pow: what `a` has beyond a double would otherwise be missing s times.
DD negative_power(DD a, double s) {
  const double rounded = std::pow(a.hi, -s);
  return a.lo == 0 ? DD(rounded) : exact_sum(rounded, -rounded * (s * (a.lo / a.hi)));
}

// zeta(s, q) 2^(s exponent) for whole s > 1 and q > 0, with the exponent chosen so that it is in range.
DD zeta_scaled(double s, DD q, int exponent) {
  const double unit = std::ldexp(1, -exponent);
  const DD first = scale2(q, -exponent);
  // Terms until the argument is large, then the integral, half a term, and the corrections.
  DD sum = 0, a = q;
  const double large = std::max(30.0, (s + 30) / 2);
  for (double k = 0; a.hi < large; ++k, a = q + k) {
    const DD term = DD(1) / power(first + k * unit, s);
    sum = sum + term;
    // Of an infinite or unknown sum no term matters.
    if (!(std::abs(term.hi) > 1e-33 * std::abs(sum.hi)) || !std::isfinite(sum.hi)) return sum;
  }
  const DD w = scale2(a, -exponent), last = DD(1) / power(w, s), r2 = DD(1) / (a * a);
  sum = sum + last * a / (s - 1) + last * 0.5;
  DD factor = last * s / a;
  for (int k = 0; k < 15; ++k) {
    const DD term = factor * kEulerMaclaurin[k];
    sum = sum + term;
    if (std::abs(term.hi) <= 1e-33 * std::abs(sum.hi)) break;
    factor = factor * r2 * (s + 2 * k + 1) * (s + 2 * k + 2);
  }
  return sum;
}

// zeta(s, q) = mantissa 2^exponent for whole s > 1 and finite q that is not a pole.
DD zeta_whole(double s, double q, int& exponent) {
  // Of the terms, the one with the base nearest to 0 is the largest.
  const double nearest = q > 0 ? q : std::min(std::abs(q - std::round(q)), std::abs(q));
  // The power of two that makes it ordinary must be a number itself.
  const int scale = std::max(std::ilogb(nearest), -1000);
  // s so large that the exponent overflows gives 0 or infinity whatever it is.
  exponent = static_cast<int>(std::clamp(-s * scale, -1e6, 1e6));
  if (q > 0) return zeta_scaled(s, q, scale);
  // The terms with a negative base, mirrored, are a difference of two tails; adding them one by one
  // would take |q| steps.
  const double below = -std::floor(q);
  const DD part = DD(q) + below, mirror = -(DD(q) + (below - 1));
  const DD mirrored = zeta_scaled(s, mirror, scale) - zeta_scaled(s, mirror + below, scale);
  return zeta_scaled(s, part, scale) + (std::fmod(s, 2) == 0 ? mirrored : -mirrored);
}

}  // namespace

double digamma(double x) {
  if (x != x) return x;
  if (x == 0) return std::signbit(x) ? kInf : -kInf;
  if (x == -kInf) return kNaN;
  double largest = 0, v = x;
  DD result = 0;
  const auto add = [&](double term) {
    result = result + term;
    largest = std::max(largest, std::abs(term));
  };
  if (x < 0) {
    // Reflection; the tangent from the distance to the nearest integer, where it is exact.
    const double distance = x - std::round(x);
    if (distance == 0) return kNaN;
    add(-kPi / std::tan(kPi * distance));
    v = 1 - x;
  }
  while (v < 12) {
    add(-1 / v);
    v += 1;
  }
  const double r = 1 / (v * v);
  // log x - 1/(2x) - sum B_2k / (2k x^2k)
  const double series =
      r * (1.0 / 12 - r * (1.0 / 120 -
                           r * (1.0 / 252 - r * (1.0 / 240 - r * (1.0 / 132 - r * (691.0 / 32760 - r * (1.0 / 12)))))));
  add(std::log(v));
  result = result - 0.5 / v - series;
  // Near a zero the terms cancel.
  return static_cast<double>(std::abs(result.hi) < largest ? digamma_precise(x) : result);
}

double zeta(double x, double q) {
  if (x != x || q != q) return kNaN;
  if (x == 1) return kInf;
  if (x < 1) return kNaN;
  const bool whole = x == std::floor(x);
  if (q <= 0 && q == std::floor(q)) {
    // At a pole: the sign of the infinite term decides, where it is defined.
    return whole && std::fmod(x, 2) == 0 ? kInf : kNaN;
  }
  if (q == kInf) return 0;
  if (x == kInf) return q < 1 ? (q > 0 ? kInf : kNaN) : q == 1 ? 1 : 0;
  if (q < 0) {
    if (!whole) return kNaN;
    int exponent;
    const DD z = zeta_whole(x, q, exponent);
    return std::ldexp(z.hi, exponent);
  }
  // Terms until the argument is large, then the integral, half a term, and the corrections; summed
  // in 32 digits, so that only the powers' own errors remain.
  DD sum = 0, a = q;
  for (int i = 0; i < 12 || a.hi < 12; ++i, a = DD(q) + i) {
    const DD term = negative_power(a, x);
    sum = sum + term;
    // Where even the first term and the integral are 0, so is all.
    if (term.hi * std::max(1.0, a.hi / (x - 1)) < sum.hi * 1e-18 || (sum.hi == 0 && negative_power(a, x - 1).hi == 0))
      return sum.hi;
  }
  const DD power = negative_power(a, x);
  // Of an integral that is in range the power may not be.
  sum = sum + (power.hi > 1e-290 ? power * a : negative_power(a, x - 1)) / exact_sum(x, -1) + power * 0.5;
  double factor = x, scale = power.hi / a.hi;
  for (int k = 0; k < 12; ++k) {
    const double term = kEulerMaclaurin[k].hi * factor * scale;
    sum = sum + term;
    if (std::abs(term) < sum.hi * 1e-18) break;
    factor *= (x + 2 * k + 1) * (x + 2 * k + 2);
    scale /= a.hi * a.hi;
  }
  return sum.hi;
}

double zeta_derivative(double n, double s, double q) {
  // So that corrections of the Euler-Maclaurin formula, which grow with n, stay below 1e-20 of the sum.
  constexpr int kMaxOrder = 20;
  if (!(n >= 0 && n <= kMaxOrder) || n != std::floor(n)) return kNaN;
  if (n == 0) return zeta(s, q);
  const int order = static_cast<int>(n);
  if (!(s >= 1) || !(q > 0)) return kNaN;
  if (s == 1) return order % 2 ? -kInf : kInf;
  if (q == kInf) return 0;
  if (s == kInf) return q < 1 ? kInf : 0;
  // As in zeta_scaled: terms until the argument is large, ...
  DD sum = 0, a = q;
  const double large = std::max(30.0, (s + 30) / 2);
  for (double k = 0; a.hi < large; ++k, a = DD(q) + k) {
    const DD l = log(a), term = exp(-(l * s)) * power(-l, order);
    sum = sum + term;
    if (!std::isfinite(sum.hi)) return sum.hi;
    // For s - 1 >= 2 n / log a all later terms together are less than this one times 2 a / (s - 1).
    if (l.hi > 0 && (s - 1) * l.hi >= 2 * n && std::abs(term.hi) * (2 * a.hi / (s - 1)) <= 1e-20 * std::abs(sum.hi))
      return sum.hi;
  }
  // ... then the integral of (-log t)^n t^-s from a, by parts ...
  const DD l = log(a), r = DD(1) / a, decrement = DD(s) - 1;
  const DD boundary = exp(-(l * decrement)) / decrement;
  DD integral = boundary, log_power = 1;
  // ... and half a term and corrections, for whose factor s (s+1) ... a^-s-2k+1 all derivatives by s are kept.
  DD factor[kMaxOrder + 1] = {exp(-(l * s))};
  for (int j = 1; j <= order; ++j) {
    log_power = log_power * -l;
    integral = boundary * log_power - integral * j / decrement;
    factor[j] = factor[j - 1] * -l;
  }
  sum = sum + integral + factor[order] * 0.5;
  const auto multiply_by_s_plus = [&](int m) {
    for (int j = order; j >= 0; --j) {
      factor[j] = factor[j] * (DD(s) + m) * r;
      if (j > 0) factor[j] = factor[j] + factor[j - 1] * j * r;
    }
  };
  multiply_by_s_plus(0);
  for (int k = 0; k < 15; ++k) {
    const DD term = factor[order] * kEulerMaclaurin[k];
    sum = sum + term;
    multiply_by_s_plus(2 * k + 1);
    multiply_by_s_plus(2 * k + 2);
  }
  return sum.hi;
}

double polygamma(double n, double x) {
  if (!(n >= 0) || n != std::floor(n) || x != x) return kNaN;
  if (n == 0) return digamma(x);
  if (n == kInf || std::isinf(x) || (x <= 0 && x == std::floor(x))) {
    const double z = zeta(n + 1, x);
    return std::fmod(n, 2) == 0 ? -z : z;
  }
  // -n! x^(-n-1), as far as it can be told from 0 and infinity: n is even.
  if (n > 1e20 && x > 0) return std::log(n / x) > 1 ? -kInf : -0.0;
  int exponent;
  DD z = zeta_whole(n + 1, x, exponent);
  if (std::fmod(n, 2) == 0) z = -z;
  // The factorial overflows long before the product does.
  if (n <= 170) {
    for (int k = 2; k <= static_cast<int>(n); ++k) z = z * k;
    return std::ldexp(z.hi, exponent);
  }
  const DD size = exp(log_gamma1(DD(n)) + log(magnitude(z)) + kLn2DD * exponent);
  return z.hi < 0 ? -size.hi : size.hi;
}

}  // namespace weft::ops
