#include "weft/ops/special_functions.h"

#include <cmath>
#include <limits>

#include "weft/ops/double_double.h"

namespace weft::ops {

namespace {
constexpr double kPi = 3.14159265358979323846;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
}  // namespace

double erf_inv(double x) {
  if (!(std::abs(x) < 1)) return std::abs(x) == 1 ? x * kInf : kNaN;
  if (x == 0) return x;
  // Winitzki's approximation, good to 2e-3, then Halley steps, which treble the digits. Far out
  // erfc keeps the digits that erf would lose.
  const double a = 0.147, l = std::log1p(-x * x), h = 2 / (kPi * a) + l / 2;
  double y = std::copysign(std::sqrt(std::sqrt(h * h - l / a) - h), x);
  for (int i = 0; i < 3; ++i) {
    const double error =
        std::abs(x) < 0.5 ? std::erf(y) - x : std::copysign(1.0, x) * ((1 - std::abs(x)) - std::erfc(std::abs(y)));
    const double step = error / (2 / std::sqrt(kPi) * std::exp(-y * y));
    y -= step / (1 + y * step);
  }
  return y;
}

double lgamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);  // std::lgamma writes a global
}

namespace {

// exp(-a) I_n(a) for a >= 0 and n = 0 or 1.
double bessel_ie(int n, double a) {
  if (a == kInf) return 0;
  if (a < 40) {
    // (a/2)^n sum of (a^2/4)^k / (k! (k+n)!): every term is positive, so nothing cancels.
    const DD t = exact_product(a, a) / 4;
    DD term = 1, sum = 1;
    for (int k = 1; matters(term, sum, 1e-18); ++k) {
      term = term * t / (static_cast<double>(k) * (k + n));
      sum = sum + term;
    }
    // exp(-a) is good to half a unit; the rest adds little.
    return static_cast<double>(sum * std::exp(-a) * (n ? a / 2 : 1));
  }
  // Hankel's expansion: 1/sqrt(2 pi a) * sum of (-1)^k (m - 1)(m - 9)...(m - (2k-1)^2) / (k! (8a)^k), m = 4n^2.
  double term = 1, sum = 0;
  for (int k = 1; k < 30 && std::abs(term) > 1e-18; ++k) {
    const double odd = 2 * k - 1;
    term *= -(4.0 * n * n - odd * odd) / (k * 8 * a);
    sum += term;
  }
  // The square root of 2 pi a apart from that of a, which might overflow.
  constexpr double kSqrt2Pi = 2.5066282746310005024;
  return (1 + sum) / kSqrt2Pi / std::sqrt(a);
}

}  // namespace

double bessel_i0e(double x) { return x != x ? x : bessel_ie(0, std::abs(x)); }
double bessel_i1e(double x) { return x != x ? x : std::copysign(bessel_ie(1, std::abs(x)), x); }

}  // namespace weft::ops
