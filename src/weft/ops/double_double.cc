#include "weft/ops/double_double.h"

namespace weft::ops {

namespace {

// The terms of a Taylor series for |x| below about 1, each from the one before by `next(term, k)`.
template <class Next>
DD series(DD first, Next&& next) {
  DD sum = first, term = first;
  for (int k = 1; k < 60; ++k) {
    term = next(term, k);
    sum = sum + term;
    if (std::abs(term.hi) <= 1e-33 * std::abs(sum.hi)) break;
  }
  return sum;
}

DD small_expm1(DD x) {
  return series(x, [&](DD t, int k) { return t * x / (k + 1.0); });
}

template <class N>
N log_gamma1_of(const N& x) {
  // Stirling's series from 25 on, where eleven terms suffice; below, the recurrence leads there.
  static constexpr double kNumerator[] = {1, -1, 1, -1, 1, -691, 1, -3617, 43867, -174611, 77683};
  static constexpr double kDenominator[] = {12, 360, 1260, 1680, 1188, 360360, 156, 122400, 244188, 125400, 5796};
  constexpr DD kHalfLog2Pi{0.9189385332046728, -3.8782941580672414e-17};
  N z = x + 1, shift = 1;
  for (; value_of(z).hi < 25; z = z + 1) shift = shift * z;
  const N r = N(1) / z, r2 = r * r;
  N tail = 0;
  for (int k = 10; k >= 0; --k) tail = tail * r2 + N(DD(kNumerator[k]) / kDenominator[k]);
  return (z - 0.5) * log(z) - z + kHalfLog2Pi + tail * r - log(shift);
}

}  // namespace

DD sqrt(DD x) {
  const double y = std::sqrt(x.hi);
  if (!(y > 0) || !std::isfinite(y)) return y;
  return DD(y) + (x - exact_product(y, y)) / (2 * y);
}

DD exp(DD x) {
  if (x.hi > 710) return std::numeric_limits<double>::infinity();
  if (x.hi < -746) return 0;
  if (x.hi != x.hi) return x;
  const double k = std::round(x.hi / kLn2DD.hi);
  DD s = small_expm1(scale2(x - kLn2DD * k, -9));
  // (1 + s)^2 - 1, nine times.
  for (int i = 0; i < 9; ++i) s = s * 2 + s * s;
  return scale2(s + 1, static_cast<int>(k));
}

DD expm1(DD x) { return std::abs(x.hi) < 0.35 ? small_expm1(x) : exp(x) - 1; }

DD log(DD x) {
  if (!(x.hi > 0) || !std::isfinite(x.hi)) return std::log(x.hi);
  int exponent;
  // A mantissa around 1, so that logarithms near 0 are not differences.
  if (std::frexp(x.hi, &exponent) < 0.7) --exponent;
  const DD m = scale2(x, -exponent);
  const double y = std::log(m.hi);
  // One Newton step doubles the digits.
  return DD(y) + (m * exp(DD(-y)) - 1) + kLn2DD * exponent;
}

DD log1p_minus(DD x) {
  if (std::abs(x.hi) > 0.3) return log(x + 1) - x;
  // 2 artanh(r) - x, of which 2 r - x = -x r.
  const DD r = x / (x + 2), r2 = r * r;
  DD sum = 0, power = r * r2;
  for (int k = 3; k < 80; k += 2, power = power * r2) {
    const DD term = power / k;
    sum = sum + term;
    if (std::abs(term.hi) <= 1e-33 * std::abs(sum.hi)) break;
  }
  return sum * 2 - x * r;
}

DD log1p(DD x) { return std::abs(x.hi) > 0.3 ? log(x + 1) : log1p_minus(x) + x; }

namespace {
// Taylor's series, for |x| up to about pi / 2.
DD small_sin(DD x) {
  const DD t = -(x * x);
  return series(x, [&](DD term, int k) { return term * t / (2.0 * k * (2.0 * k + 1)); });
}
DD small_cos(DD x) {
  const DD t = -(x * x);
  return series(1, [&](DD term, int k) { return term * t / (2.0 * k * (2.0 * k - 1)); });
}
}  // namespace

DD sin_pi(DD x) { return small_sin(kPiDD * x); }
// Around the zero at 1/2 through the sine, which keeps its digits there.
DD cos_pi(DD x) { return std::abs(x.hi) > 0.25 ? sin_pi(DD(0.5) - magnitude(x)) : small_cos(kPiDD * x); }

void sin_cos(DD x, DD& sine, DD& cosine) {
  if (!(std::abs(x.hi) < 1e15)) {
    // Of so large a number the digits behind the point, if it has any, are beyond 32.
    sine = std::sin(x.hi);
    cosine = std::cos(x.hi);
    return;
  }
  const double quarters = std::round(x.hi / (kPiDD.hi / 2));
  // pi / 2 to 48 digits: its multiple must be exact beyond the digits that cancel.
  constexpr double kThird = -1.4973849048591698e-33;
  const DD r = x - exact_product(kPiDD.hi / 2, quarters) - exact_product(kPiDD.lo / 2, quarters) - kThird * quarters;
  const DD s = small_sin(r), c = small_cos(r);
  switch (static_cast<int>(std::fmod(quarters, 4)) & 3) {
    case 0: sine = s, cosine = c; break;
    case 1: sine = c, cosine = -s; break;
    case 2: sine = -s, cosine = -c; break;
    default: sine = -c, cosine = s; break;
  }
}

DD log_gamma1(DD x) { return log_gamma1_of(x); }
Dual log_gamma1(const Dual& x) { return log_gamma1_of(x); }

}  // namespace weft::ops
