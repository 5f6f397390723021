// Numbers of about 32 digits as unevaluated sums of two doubles, and such numbers with a derivative.
// For scalar special functions whose formulas cancel. T. J. Dekker, "A floating-point technique for
// extending the available precision" (1971); Y. Hida, X. Li, D. Bailey (2001). Relative errors are
// about 1e-31 and never matter after rounding to double. Knows no array. Private to ops/.
#pragma once

#include <cmath>
#include <limits>

namespace weft::ops {

// ---- DD ----

/// hi + lo with |lo| at most half a unit in the last place of hi.
struct DD {
  double hi = 0, lo = 0;
  constexpr DD() = default;
  constexpr DD(double x) : hi(x) {}
  constexpr DD(double h, double l) : hi(h), lo(l) {}
  explicit operator double() const { return hi; }
};

/// x + y for |x| >= |y|.
inline DD fast_sum(double x, double y) {
  const double s = x + y;
  return std::isfinite(s) ? DD(s, y - (s - x)) : DD(s);
}
/// x + y without error.
inline DD exact_sum(double x, double y) {
  const double s = x + y, part = s - x;
  return std::isfinite(s) ? DD(s, (x - (s - part)) + (y - part)) : DD(s);
}
/// x y without error.
inline DD exact_product(double x, double y) {
  const double p = x * y;
  return std::isfinite(p) ? DD(p, std::fma(x, y, -p)) : DD(p);
}

inline DD operator-(DD x) { return {-x.hi, -x.lo}; }
inline DD operator+(DD x, DD y) {
  const DD s = exact_sum(x.hi, y.hi), t = exact_sum(x.lo, y.lo);
  const DD u = fast_sum(s.hi, s.lo + t.hi);
  return fast_sum(u.hi, u.lo + t.lo);
}
inline DD operator-(DD x, DD y) { return x + -y; }
inline DD operator*(DD x, DD y) {
  const DD p = exact_product(x.hi, y.hi);
  if (!std::isfinite(p.hi)) return p;
  return fast_sum(p.hi, p.lo + (x.hi * y.lo + x.lo * y.hi));
}
inline DD operator/(DD x, DD y) {
  const double q = x.hi / y.hi;
  if (!std::isfinite(q) || !std::isfinite(y.hi)) return q;
  const DD r = x - y * q;
  const double q2 = r.hi / y.hi, q3 = (r - y * q2).hi / y.hi;
  return fast_sum(q, q2) + q3;
}
inline DD operator+(DD x, double y) {
  const DD s = exact_sum(x.hi, y);
  return fast_sum(s.hi, s.lo + x.lo);
}
inline DD operator*(DD x, double y) {
  const DD p = exact_product(x.hi, y);
  if (!std::isfinite(p.hi)) return p;
  return fast_sum(p.hi, p.lo + x.lo * y);
}
inline DD operator/(DD x, double y) {
  const double q = x.hi / y;
  if (!std::isfinite(q)) return q;
  const DD p = exact_product(q, y);
  return fast_sum(q, (((x.hi - p.hi) - p.lo) + x.lo) / y);
}
inline bool operator<(DD x, DD y) { return x.hi < y.hi || (x.hi == y.hi && x.lo < y.lo); }

inline DD scale2(DD x, int exponent) { return {std::ldexp(x.hi, exponent), std::ldexp(x.lo, exponent)}; }
inline DD magnitude(DD x) { return x.hi < 0 ? -x : x; }

inline constexpr DD kPiDD{3.141592653589793, 1.2246467991473532e-16};
inline constexpr DD kLn2DD{0.6931471805599453, 2.3190468138462996e-17};

DD sqrt(DD x);
DD exp(DD x);
/// e^x - 1 without cancellation near 0.
DD expm1(DD x);
/// log x for x > 0.
DD log(DD x);
/// log(1 + x) - x without cancellation near 0, for x > -1.
DD log1p_minus(DD x);
/// log(1 + x) without cancellation near 0, for x > -1.
DD log1p(DD x);
/// Sine and cosine of pi x for |x| <= 1/2.
DD sin_pi(DD x);
DD cos_pi(DD x);
/// Both of x, to an absolute error of about 1e-32 max(1, |x|).
void sin_cos(DD x, DD& sine, DD& cosine);

// ---- DD with a derivative ----

/// A value and its derivative by one variable. A constant converts with slope 0.
struct Dual {
  DD value, slope;
  constexpr Dual() = default;
  constexpr Dual(double v) : value(v) {}
  constexpr Dual(DD v) : value(v) {}
  constexpr Dual(DD v, DD s) : value(v), slope(s) {}
};

inline Dual operator-(const Dual& x) { return {-x.value, -x.slope}; }
inline Dual operator+(const Dual& x, const Dual& y) { return {x.value + y.value, x.slope + y.slope}; }
inline Dual operator-(const Dual& x, const Dual& y) { return {x.value - y.value, x.slope - y.slope}; }
inline Dual operator*(const Dual& x, const Dual& y) {
  return {x.value * y.value, x.slope * y.value + x.value * y.slope};
}
inline Dual operator/(const Dual& x, const Dual& y) {
  const DD q = x.value / y.value;
  return {q, (x.slope - q * y.slope) / y.value};
}
inline Dual operator+(const Dual& x, double y) { return {x.value + y, x.slope}; }
inline Dual operator*(const Dual& x, double y) { return {x.value * y, x.slope * y}; }
inline Dual operator/(const Dual& x, double y) { return {x.value / y, x.slope / y}; }
inline Dual sqrt(const Dual& x) {
  const DD y = sqrt(x.value);
  return {y, x.slope / (y * 2)};
}
inline Dual exp(const Dual& x) {
  const DD y = exp(x.value);
  return {y, x.slope * y};
}
inline Dual log(const Dual& x) { return {log(x.value), x.slope / x.value}; }
inline Dual log1p_minus(const Dual& x) { return {log1p_minus(x.value), -(x.slope * x.value) / (x.value + 1)}; }
inline Dual log1p(const Dual& x) { return {log1p(x.value), x.slope / (x.value + 1)}; }

// ---- what code over both needs ----

inline DD value_of(DD x) { return x; }
inline DD value_of(const Dual& x) { return x.value; }
inline DD slope_of(DD) { return 0; }
inline DD slope_of(const Dual& x) { return x.slope; }
/// Whether `term` is more than `share` of `sum`, or its slope of the slope of `sum`.
inline bool matters(DD term, DD sum, double share) { return std::abs(term.hi) > share * std::abs(sum.hi); }
inline bool matters(const Dual& term, const Dual& sum, double share) {
  return matters(term.value, sum.value, share) || matters(term.slope, sum.slope, share);
}

/// log Gamma(1 + x) for x >= 0, to an absolute error of about 1e-29 max(1, its size).
DD log_gamma1(DD x);
Dual log_gamma1(const Dual& x);

}  // namespace weft::ops
