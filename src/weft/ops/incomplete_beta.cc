// The regularized incomplete beta function I_x(a, b) and its derivatives by a and b: a weight times
// a continued fraction (DLMF 8.17.22), in 32 digits.
#include <algorithm>

#include "weft/ops/double_double.h"
#include "weft/ops/special_functions.h"

namespace weft::ops {

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// log of x^a y^b Gamma(a + b + 1) / (Gamma(a + 1) Gamma(b + 1)), y = 1 - x
template <class N>
N log_weight(const N& a, const N& b, DD x, DD y) {
  return a * N(log(x)) + b * N(log(y)) + log_gamma1(a + b) - log_gamma1(a) - log_gamma1(b);
}

// b / (a + b) / (1 + d1 / (1 + d2 / ...)) by Lentz' method:
//   d(2m) = m (b-m) x / ((a+2m-1)(a+2m)),  d(2m+1) = -(a+m)(a+b+m) x / ((a+2m)(a+2m+1)).
template <class N>
N fraction(const N& a, const N& b, DD x) {
  N c = 1, d = N(1) / (N(1) - (a + b) * x / (a + 1)), h = d;
  for (int m = 1; m < 100000; ++m) {
    const N even = (b - m) * x * m / ((a + (2 * m - 1)) * (a + 2 * m));
    d = N(1) / (even * d + 1);
    c = even / c + 1;
    h = h * (c * d);
    const N odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + (2 * m + 1)));
    d = N(1) / (odd * d + 1);
    c = odd / c + 1;
    const N change = h * (c * d - 1);
    h = h + change;
    // So small because 1 minus the result may be all that is left.
    if (!matters(change, h, 1e-27)) break;
  }
  return b / (a + b) * h;
}

// erfc(-z) / 2, given also exponent = -z^2 to more digits.
DD half_erfc(DD z, DD exponent) { return DD(std::erfc(-z.hi) / 2) + exp(exponent) * z.lo / sqrt(kPiDD); }
Dual half_erfc(const Dual& z, const Dual& exponent) {
  return {half_erfc(z.value, exponent.value), exp(exponent.value) * z.slope / sqrt(kPiDD)};
}

// For a and b so large that the fraction would take too long: with n = a + b, p = a / n, q = b / n, s = sqrt(p q) and
//   eta = sign(x - p) sqrt(-2 (p log(x/p) + q log((1-x)/q))),
//   I = erfc(-eta sqrt(n/2)) / 2 + e^(-n eta^2 / 2) (1/eta - s / (x-p)) / sqrt(2 pi n).
// DLMF 8.18.9, of which the next term is smaller by 1e-9 here.
constexpr double kLarge = 1e9;

template <class N>
N by_error_function(const N& a, const N& b, double x) {
  const N n = a + b, p = a / n, q = b / n, s = sqrt(p * q), d = N(x) - p;
  const N exponent = a * log1p_minus(d / p) + b * log1p_minus(-d / q);
  const double size = value_of(d / s).hi;
  if (value_of(exponent).hi < -800 || std::abs(size) > 0.1) return size < 0 ? 0 : 1;
  // Close to the mode the leading terms of the series in x - p.
  const N skew = (q - p) / (s * 3);
  const bool close = std::abs(size) < 1e-12;
  const N eta = close ? d / s * (N(1) - d / s * skew) : sqrt(-exponent * 2 / n) * (size < 0 ? -1 : 1);
  const N correction = close ? skew : N(1) / eta - s / d;
  return half_erfc(eta * sqrt(n / 2), exponent) + exp(exponent) * correction / sqrt(n * (kPiDD * 2));
}

// I_x(a, b) for 0 < x < 1 and 0 < a, b < inf, with the slope of a and b's.
template <class N>
N regularized(const N& a, const N& b, double x) {
  const DD y = DD(1) - x;
  const double da = value_of(a).hi, db = value_of(b).hi;
  if (da > kLarge && db > kLarge) return by_error_function(a, b, x);
  // The fraction converges fast on this side of the mode; the other side is the complement, which for tiny b would be
  // a difference of equal numbers.
  const bool mirrored = !(x < (da + 1) / (da + db + 2)) && !(db < 1e-8 && y.hi > 1e-8);
  const N weight = log_weight(a, b, x, y);
  if (value_of(weight).hi < -800) return mirrored ? 1 : 0;
  const N sum = mirrored ? fraction(b, a, y) : fraction(a, b, DD(x));
  // The product of a subnormal weight would lose digits.
  const N part = value_of(weight).hi < -690 ? exp(weight + log(sum)) : exp(weight) * sum;
  return mirrored ? N(1) - part : part;
}

// One parameter so large, and the other not, that logarithms of gamma functions cancel beyond 32 digits: what remains
// is a gamma distribution, I = P(a, t) with t = -(b + (a-1)/2) log(1 - x), to a relative error of (a/b)^2 a.
// M. E. Wise, "The incomplete beta function as a contour integral and a quickly converging series" (1950).
constexpr double kHuge = 1e17;

bool gamma_of_a(double a, double b) { return b > kHuge && a <= kLarge; }
double gamma_argument(double a, double b, double log_rest) { return -(b + (a - 1) / 2) * log_rest; }

// dI/db = p(t) t / b, with t p(t) = t^a e^-t / Gamma(a).
double gamma_slope(double a, double b, double t) {
  if (!(t > 0) || t == kInf) return 0;
  return static_cast<double>(exp(DD(a) * log(DD(t)) - t - log_gamma1(DD(a))) * a / b);
}

// What the limits of the parameters give; NaN outside of the domain, -1 inside.
double at_limits(double a, double b, double x) {
  if (!(a >= 0) || !(b >= 0) || !(x >= 0) || !(x <= 1)) return kNaN;
  // All mass at 0, all mass at 1.
  const bool left = a == 0 || b == kInf, right = b == 0 || a == kInf;
  if (left && right) return kNaN;
  if (left) return x == 0 ? 0 : 1;
  if (right) return x == 1 ? 1 : 0;
  if (x == 0 || x == 1) return x;
  return -1;
}

}  // namespace

double regularized_incomplete_beta(double a, double b, double x) {
  const double limit = at_limits(a, b, x);
  if (limit != -1) return limit;
  if (gamma_of_a(a, b)) return igamma(a, gamma_argument(a, b, std::log1p(-x)));
  if (gamma_of_a(b, a)) return igammac(b, gamma_argument(b, a, std::log(x)));
  return std::clamp(static_cast<double>(regularized(DD(a), DD(b), x)), 0.0, 1.0);
}

double regularized_incomplete_beta_grad_a(double a, double b, double x) {
  const double limit = at_limits(a, b, x);
  if (limit != -1) return limit != limit ? limit : 0;
  if (gamma_of_a(a, b)) return igamma_grad_a(a, gamma_argument(a, b, std::log1p(-x)));
  if (gamma_of_a(b, a)) return 0 - gamma_slope(b, a, gamma_argument(b, a, std::log(x)));
  return static_cast<double>(regularized(Dual(a, DD(1)), Dual(b), x).slope);
}

double regularized_incomplete_beta_grad_b(double a, double b, double x) {
  const double limit = at_limits(a, b, x);
  if (limit != -1) return limit != limit ? limit : 0;
  if (gamma_of_a(a, b)) return gamma_slope(a, b, gamma_argument(a, b, std::log1p(-x)));
  if (gamma_of_a(b, a)) return 0 - igamma_grad_a(b, gamma_argument(b, a, std::log(x)));
  return static_cast<double>(regularized(Dual(a), Dual(b, DD(1)), x).slope);
}

}  // namespace weft::ops
