// Elementary functions of complex numbers for reference evaluation, right at branch cuts (the sign of
// a zero says the side), at infinities as C99's Annex G, and to about a unit in the last place of each
// part at every magnitude. Private to ops/.
//
// The library's own functions are good to four units; evaluated in the next wider type and rounded
// once they are good to one, and their intermediate results neither overflow nor underflow. Where no
// wider type exists (long double is double on some systems) the four units remain. Real f32 takes the
// same way, so that reference evaluation and vector kernels, which do too, differ by a unit at most; but for e^x and
// e^x - 1 (base/float_math.h), and powers of c64 with complex exponents, which are what exported programs expect.
#pragma once

#include <complex>
#include <type_traits>

namespace weft::ops {

/// The type in which functions of complex<T> are evaluated.
template <class T>
using Wider = std::conditional_t<std::is_same_v<T, float>, double, long double>;

/// f(x), evaluated in the wider type where x is float or complex; f64 is the C library's.
template <class F>
double through_wider(F f, double x) {
  return f(x);
}
template <class F>
float through_wider(F f, float x) {
  return static_cast<float>(f(static_cast<double>(x)));
}
template <class F, class T>
std::complex<T> through_wider(F f, std::complex<T> x) {
  return static_cast<std::complex<T>>(f(static_cast<std::complex<Wider<T>>>(x)));
}

/// x / y, each part rounded about once even where its sum of products cancels.
template <class T>
std::complex<T> divide(std::complex<T> x, std::complex<T> y);
/// e^z - 1, log(1 + z), 1 / (1 + e^-z), 1 / sqrt z, the principal cube root, z / |z| (0 at 0).
template <class T>
std::complex<T> expm1(std::complex<T> z);
template <class T>
std::complex<T> log1p(std::complex<T> z);
template <class T>
std::complex<T> logistic(std::complex<T> z);
template <class T>
std::complex<T> rsqrt(std::complex<T> z);
template <class T>
std::complex<T> cbrt(std::complex<T> z);
template <class T>
std::complex<T> sign(std::complex<T> z);
/// z^w = e^(w log z); 1 for w = 0; of z = 0, 0 for Re w > 0 and NaN otherwise.
template <class T>
std::complex<T> power(std::complex<T> z, std::complex<T> w);
/// -i log((x + i y) / sqrt(x^2 + y^2)), the angle of real x and y.
template <class T>
std::complex<T> atan2(std::complex<T> y, std::complex<T> x);

}  // namespace weft::ops
