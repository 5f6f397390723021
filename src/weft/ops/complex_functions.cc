#include "weft/ops/complex_functions.h"

#include <algorithm>

#include "weft/base/float_math.h"
#include "weft/ops/double_double.h"

namespace weft::ops {

namespace {

template <class T>
bool finite(std::complex<T> z) {
  return std::isfinite(z.real()) && std::isfinite(z.imag());
}
// The exponent of the larger part of a finite number that is not 0.
template <class T>
int exponent_of(std::complex<T> z) {
  return std::ilogb(std::max(std::abs(z.real()), std::abs(z.imag())));
}
template <class T>
std::complex<T> scale2(std::complex<T> z, int exponent) {
  return {std::ldexp(z.real(), exponent), std::ldexp(z.imag(), exponent)};
}

// ---- complex numbers of 32 digits ----

struct ComplexDD {
  DD re, im;
};
ComplexDD operator*(const ComplexDD& x, const ComplexDD& y) {
  return {x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re};
}

// log z of a finite number that is not 0.
ComplexDD log_of(std::complex<double> z) {
  const int e = exponent_of(z);
  const std::complex<double> m = scale2(z, -e);
  const DD square = exact_product(m.real(), m.real()) + exact_product(m.imag(), m.imag());
  // One step from the double angle t: the rest is the angle of m e^(-it), which is small.
  const double t = std::atan2(m.imag(), m.real());
  DD sine, cosine;
  sin_cos(t, sine, cosine);
  const DD rest = (cosine * m.imag() - sine * m.real()) / sqrt(square);
  return {log(square) / 2 + kLn2DD * e, rest + t};
}

// e^s (cos t, sin t), whose parts may be in range where e^s is not.
std::complex<double> polar(DD s, DD t) {
  const int shift = s.hi > 600 ? 300 : s.hi < -600 ? -300 : 0;
  const DD size = exp(s - kLn2DD * shift);
  DD sine, cosine;
  sin_cos(t, sine, cosine);
  // Infinity times 0 would be NaN.
  const auto part = [&](DD c) { return c.hi == 0 ? c.hi : (size * c).hi; };
  return scale2(std::complex<double>(part(cosine), part(sine)), shift);
}

// z^n by squaring, exact where the result is.
ComplexDD whole_power(std::complex<double> z, unsigned n) {
  ComplexDD result{1, 0}, square{z.real(), z.imag()};
  for (; n > 0; n >>= 1) {
    if (n & 1) result = result * square;
    if (n > 1) square = square * square;
  }
  return result;
}

// A number with an exponent of its own, so that products of extreme ones stay in range.
struct Ranged {
  DD mantissa;
  int exponent;
};
Ranged ranged(double x) {
  if (x == 0) return {x, -1000000};
  Ranged r{0, 0};
  r.mantissa = std::frexp(x, &r.exponent);
  return r;
}
Ranged product(double x, double y) {
  const Ranged a = ranged(x), b = ranged(y);
  return {exact_product(a.mantissa.hi, b.mantissa.hi), a.exponent + b.exponent};
}
Ranged operator+(const Ranged& x, const Ranged& y) {
  const int e = std::max(x.exponent, y.exponent);
  // What is shifted out below 2^-1100 is beyond the digits of the sum.
  const auto aligned = [&](const Ranged& v) { return scale2(v.mantissa, std::max(v.exponent - e, -1100)); };
  return {aligned(x) + aligned(y), e};
}
double quotient(const Ranged& x, const Ranged& y) {
  return std::ldexp((x.mantissa / y.mantissa).hi, std::max(x.exponent - y.exponent, -5000));
}

std::complex<double> divide_double(std::complex<double> x, std::complex<double> y) {
  // Annex G's results for zeros, infinities and NaN.
  if (!finite(x) || !finite(y) || y == 0.0 || x == 0.0) return x / y;
  const double a = x.real(), b = x.imag(), c = y.real(), d = y.imag();
  const Ranged norm = product(c, c) + product(d, d);
  return {quotient(product(a, c) + product(b, d), norm), quotient(product(b, c) + product(-a, d), norm)};
}

std::complex<double> power_double(std::complex<double> z, std::complex<double> w) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  if (w == 0.0) return 1;
  if (z == 0.0) return w.real() > 0 ? std::complex<double>(0) : std::complex<double>(kNaN, kNaN);
  if (!finite(z) || !finite(w)) return std::pow(z, w);
  // Whole exponents by squaring while nothing leaves the range, so that (1 + i)^2 is 2i exactly.
  const double size = std::abs(w.real());
  if (w.imag() == 0 && size <= 64 && size == std::floor(size) && std::abs(exponent_of(z)) * size < 400) {
    const ComplexDD p = whole_power(z, static_cast<unsigned>(size));
    if (w.real() > 0) return {p.re.hi, p.im.hi};
    const DD norm = p.re * p.re + p.im * p.im;
    return {(p.re / norm).hi, -(p.im / norm).hi};
  }
  const ComplexDD log_z = log_of(z), exponent = ComplexDD{w.real(), w.imag()} * log_z;
  return polar(exponent.re, exponent.im);
}

// z^w of two complex numbers in f32, as XLA computes it, whose results exported programs expect to the bit:
// |z|^c e^(-d arg z) cis(c arg z + d log |z|) for w = c + i d. The angle's rounding error grows with it, so the result
// is good to some 10 units of its magnitude. NaN where an intermediate result leaves the range.
std::complex<float> power_general(std::complex<float> z, std::complex<float> w) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const float a = std::abs(z.real()), b = std::abs(z.imag()), c = w.real(), d = w.imag();
  const float larger = std::max(a, b), ratio = std::min(a, b) / larger;
  const float size = larger * std::sqrt(std::fma(ratio, ratio, 1.0f)), angle = std::atan2(z.imag(), z.real());
  if (!std::isnormal(size)) return {kNaN, kNaN};
  const float magnitude = std::pow(size, c) * float_math::exponential(-d * angle);
  if (!std::isnormal(magnitude)) return {kNaN, kNaN};
  const double turn = std::fma(c, angle, d * float_math::logarithm(size));
  return {magnitude * static_cast<float>(std::cos(turn)), magnitude * static_cast<float>(std::sin(turn))};
}

}  // namespace

template <class T>
std::complex<T> divide(std::complex<T> x, std::complex<T> y) {
  return static_cast<std::complex<T>>(
      divide_double(static_cast<std::complex<double>>(x), static_cast<std::complex<double>>(y)));
}

template <class T>
std::complex<T> expm1(std::complex<T> z) {
  using W = Wider<T>;
  const W a = z.real(), b = z.imag();
  // The angle of an infinity or of -1 + 0 is unknown.
  if (std::isinf(z.real()) && !std::isfinite(z.imag()))
    return a < 0 ? std::complex<T>(-1, 0) : std::complex<T>(z.real(), std::numeric_limits<T>::quiet_NaN());
  if (b == 0) return {static_cast<T>(std::expm1(a)), z.imag()};
  // e^a cos b - 1 = (e^a - 1) cos b - 2 sin^2(b/2), in which nothing cancels for small a and b.
  const W s = std::sin(b / 2);
  return {static_cast<T>(std::expm1(a) * std::cos(b) - 2 * s * s), static_cast<T>(std::exp(a) * std::sin(b))};
}

template <class T>
std::complex<T> log1p(std::complex<T> z) {
  using W = Wider<T>;
  if (z == T(0)) return z;  // with the signs of its zeros
  const double a = z.real(), b = z.imag();
  const W one_plus = 1 + static_cast<W>(z.real());
  const W angle = std::atan2(static_cast<W>(z.imag()), one_plus);
  if (std::abs(a) < 3 && std::abs(b) < 2) {
    // |1 + z|^2 - 1 = 2 a + a^2 + b^2, in 32 digits because it cancels on the circle |1 + z| = 1.
    const DD s = exact_product(a, a) + exact_product(b, b) + 2 * a;
    if (s.hi > -0.75) return {static_cast<T>(log1p(s).hi / 2), static_cast<T>(angle)};
  }
  return {static_cast<T>(std::log(std::hypot(one_plus, static_cast<W>(z.imag())))), static_cast<T>(angle)};
}

template <class T>
std::complex<T> logistic(std::complex<T> z) {
  using W = Wider<T>;
  const W x = z.real(), y = z.imag(), t = std::exp(-std::abs(x));
  if (t == 0 && !std::isfinite(z.imag())) return x < 0 ? T(0) : T(1);
  // With t = e^-|x|: |1 + e^-z|^2 = (1 - t)^2 + 4 t cos^2(y/2) up to a factor, which cancels nowhere.
  const W half = std::cos(y / 2), fall = -std::expm1(-std::abs(x)), twice = 2 * half * half;
  const W norm = fall * fall + 2 * t * twice;
  const W re = x < 0 ? t * (twice - fall) : fall + t * twice;
  return {static_cast<T>(re / norm), static_cast<T>(t * std::sin(y) / norm)};
}

template <class T>
std::complex<T> rsqrt(std::complex<T> z) {
  using W = Wider<T>;
  const std::complex<W> root = std::sqrt(static_cast<std::complex<W>>(z));
  if (!finite(z) || z == T(0)) return static_cast<std::complex<T>>(W(1) / root);
  // |root|^2 = |z|, which neither cancels nor leaves the range.
  const W norm = std::hypot(static_cast<W>(z.real()), static_cast<W>(z.imag()));
  return {static_cast<T>(root.real() / norm), static_cast<T>(-root.imag() / norm)};
}

template <class T>
std::complex<T> cbrt(std::complex<T> z) {
  using W = Wider<T>;
  const W re = z.real(), im = z.imag(), size = std::cbrt(std::hypot(re, im)), angle = std::atan2(im, re) / 3;
  // Infinity times the sine of 0 would be NaN.
  if (angle == 0) return {static_cast<T>(size), z.imag()};
  return {static_cast<T>(size * std::cos(angle)), static_cast<T>(size * std::sin(angle))};
}

template <class T>
std::complex<T> sign(std::complex<T> z) {
  if (z == T(0)) return T(0);
  if (!finite(z)) return z / std::abs(z);
  // Scaled, because the magnitude of a subnormal number has few digits.
  const std::complex<T> m = scale2(z, -exponent_of(z));
  const Wider<T> re = m.real(), im = m.imag(), size = std::hypot(re, im);
  return {static_cast<T>(re / size), static_cast<T>(im / size)};
}

template <class T>
std::complex<T> power(std::complex<T> z, std::complex<T> w) {
  if constexpr (std::is_same_v<T, float>)
    if (finite(z) && finite(w) && w.imag() != 0) {
      const std::complex<float> p = power_general(z, w);
      if (finite(p)) return p;
    }
  return static_cast<std::complex<T>>(
      power_double(static_cast<std::complex<double>>(z), static_cast<std::complex<double>>(w)));
}

template <class T>
std::complex<T> atan2(std::complex<T> y, std::complex<T> x) {
  using W = Wider<T>;
  using C = std::complex<W>;
  const C p = static_cast<C>(y), q = static_cast<C>(x), i(0, 1);
  const C angle = -i * std::log((q + i * p) / std::sqrt(q * q + p * p));
  if (x == T(0)) return static_cast<std::complex<T>>(angle);
  // The definition loses a small angle in a logarithm near 0; the arctangent does not, and differs by a multiple of pi.
  constexpr W kPi = 3.14159265358979323846264338327950288L;
  const C small = std::atan(p / q);
  const W turns = std::round((angle.real() - small.real()) / kPi);
  return std::isfinite(turns) ? static_cast<std::complex<T>>(small + turns * kPi) : static_cast<std::complex<T>>(angle);
}

#define WEFT_INSTANTIATE(T)                                          \
  template std::complex<T> divide(std::complex<T>, std::complex<T>); \
  template std::complex<T> expm1(std::complex<T>);                   \
  template std::complex<T> log1p(std::complex<T>);                   \
  template std::complex<T> logistic(std::complex<T>);                \
  template std::complex<T> rsqrt(std::complex<T>);                   \
  template std::complex<T> cbrt(std::complex<T>);                    \
  template std::complex<T> sign(std::complex<T>);                    \
  template std::complex<T> power(std::complex<T>, std::complex<T>);  \
  template std::complex<T> atan2(std::complex<T>, std::complex<T>);
WEFT_INSTANTIATE(float)
WEFT_INSTANTIATE(double)
#undef WEFT_INSTANTIATE

}  // namespace weft::ops
