#include "weft/ops/special_functions.h"

#include <cmath>
#include <limits>

namespace weft::ops {

namespace {
constexpr double kPi = 3.14159265358979323846;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// B_2k / (2k)!, the coefficients of the Euler-Maclaurin formula.
constexpr double kEulerMaclaurin[] = {
    1.0 / 12,
    -1.0 / 720,
    1.0 / 30240,
    -1.0 / 1209600,
    1.0 / 47900160,
    -691.0 / 1307674368000.0,
    1.0 / 74724249600.0,
    -3617.0 / 10670622842880000.0,
    43867.0 / 5109094217170944000.0,
    -174611.0 / 802857662698291200000.0,
    77683.0 / 14101100039391805440000.0,
    -236364091.0 / 1693824136731743669452800000.0,
};
}  // namespace

float erf_inv(float x) {
  static constexpr float kCentral[] = {2.81022636e-08f,  3.43273939e-07f, -3.5233877e-06f,
                                       -4.39150654e-06f, 0.00021858087f,  -0.00125372503f,
                                       -0.00417768164f,  0.246640727f,    1.50140941f};
  static constexpr float kTail[] = {-0.000200214257f, 0.000100950558f, 0.00134934322f, -0.00367342844f, 0.00573950773f,
                                    -0.0076224613f,   0.00943887047f,  1.00167406f,    2.83297682f};
  if (std::abs(x) == 1.0f) return x * std::numeric_limits<float>::infinity();
  float w = -std::log1p(-x * x);
  const bool central = w < 5.0f;
  w = central ? w - 2.5f : std::sqrt(w) - 3.0f;
  const float* c = central ? kCentral : kTail;
  float p = c[0];
  for (int i = 1; i < 9; ++i) p = c[i] + p * w;
  return p * x;
}

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

double digamma(double x) {
  if (x != x) return x;
  if (x == 0) return std::signbit(x) ? kInf : -kInf;
  if (x == -kInf) return kNaN;
  double result = 0;
  if (x < 0) {
    // Reflection; the tangent from the distance to the nearest integer, where it is exact.
    const double distance = x - std::round(x);
    if (distance == 0) return kNaN;
    result = -kPi / std::tan(kPi * distance);
    x = 1 - x;
  }
  // Near the positive zero the asymptotic form cancels: expand around it instead.
  constexpr double kRootHigh = 1.4616321449683623, kRootLow = 9.549995429965697e-17;
  if (result == 0 && std::abs(x - kRootHigh) < 0.05) {
    const double d = (x - kRootHigh) - kRootLow;
    // psi(root + d) = sum over n >= 1 of (-1)^(n+1) zeta(n + 1, root) d^n
    double sum = 0, power = d;
    for (int n = 1; n < 16; ++n, power *= -d) sum += zeta(n + 1, kRootHigh) * power;
    return sum;
  }
  for (; x < 12; x += 1) result -= 1 / x;
  const double r = 1 / (x * x);
  // log x - 1/(2x) - sum B_2k / (2k x^2k)
  const double series =
      r * (1.0 / 12 - r * (1.0 / 120 -
                           r * (1.0 / 252 - r * (1.0 / 240 - r * (1.0 / 132 - r * (691.0 / 32760 - r * (1.0 / 12)))))));
  return result + std::log(x) - 0.5 / x - series;
}

double zeta(double x, double q) {
  if (x != x || q != q) return kNaN;
  if (x == 1) return kInf;
  if (x < 1) return kNaN;
  if (q <= 0) {
    if (q == std::floor(q)) {
      // At a pole: the sign of the infinite term decides, where it is defined.
      return x == std::floor(x) && std::fmod(x, 2) == 0 ? kInf : kNaN;
    }
    if (x != std::floor(x)) return kNaN;
  }
  if (q == kInf) return 0;
  if (q < 0) {
    // The terms with a negative base, mirrored, are a difference of two tails; adding them one by
    // one would take |q| steps.
    const double below = -std::floor(q), part = q + below;
    const double mirrored = zeta(x, 1 - part) - zeta(x, 1 - part + below);
    return zeta(x, part) + (std::fmod(x, 2) == 0 ? mirrored : -mirrored);
  }
  // Terms until the argument is large, then the integral, half a term, and the corrections.
  double sum = 0, a = q;
  for (int i = 0; i < 12 || a < 12; ++i, a += 1) {
    const double term = std::pow(a, -x);
    sum += term;
    if (a > 0 && term < sum * 1e-17) return sum;
  }
  const double w = a, power = std::pow(w, -x);
  sum += power * w / (x - 1) + power / 2;
  double factor = x, scale = power / w;
  for (int k = 0; k < 12; ++k) {
    const double term = kEulerMaclaurin[k] * factor * scale;
    sum += term;
    if (std::abs(term) < std::abs(sum) * 1e-17) break;
    factor *= (x + 2 * k + 1) * (x + 2 * k + 2);
    scale /= w * w;
  }
  return sum;
}

double polygamma(double n, double x) {
  if (!(n >= 0) || n != std::floor(n)) return kNaN;
  if (n == 0) return digamma(x);
  const double sign = std::fmod(n, 2) == 0 ? -1 : 1;
  const double z = zeta(n + 1, x);
  // n! overflows long before the product does.
  return n <= 170 ? sign * std::tgamma(n + 1) * z : sign * std::exp(lgamma(n + 1) + std::log(z));
}

namespace {

// exp(-a) I_n(a) for a >= 0 and n = 0 or 1.
double bessel_ie(int n, double a) {
  if (a == kInf) return 0;
  if (a < 40) {
    // (a/2)^n sum of (a^2/4)^k / (k! (k+n)!): every term is positive, so nothing cancels.
    const double t = a * a / 4;
    double term = 1, sum = 1;
    for (int k = 1; term > sum * 1e-18; ++k) sum += term *= t / (static_cast<double>(k) * (k + n));
    return (n ? a / 2 : 1) * sum * std::exp(-a);
  }
  // Hankel's expansion: 1/sqrt(2 pi a) * sum of (-1)^k (m - 1)(m - 9)...(m - (2k-1)^2) / (k! (8a)^k), m = 4n^2.
  double term = 1, sum = 1;
  for (int k = 1; k < 30 && std::abs(term) > 1e-18; ++k) {
    const double odd = 2 * k - 1;
    term *= -(4.0 * n * n - odd * odd) / (k * 8 * a);
    sum += term;
  }
  return sum / std::sqrt(2 * kPi * a);
}

}  // namespace

double bessel_i0e(double x) { return x != x ? x : bessel_ie(0, std::abs(x)); }
double bessel_i1e(double x) { return x != x ? x : std::copysign(bessel_ie(1, std::abs(x)), x); }

}  // namespace weft::ops
