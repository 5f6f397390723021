// Elementwise functions with NumPy's names: operands broadcast and promote (promotion.h), and
// functions of the reals turn integers into f32. z[i...] = f(x[i...], y[i...]).
#pragma once

#include "weft/np/promotion.h"

namespace weft::np {

// ---- arithmetic ----

/// x + y; or for bool.
Array add(const Arg& x, const Arg& y);
/// x - y.
Array subtract(const Arg& x, const Arg& y);
/// x * y; and for bool.
Array multiply(const Arg& x, const Arg& y);
/// x / y; integers give f32. Also true_divide.
Array divide(const Arg& x, const Arg& y);
Array true_divide(const Arg& x, const Arg& y);
/// The larger; NaN if either is.
Array maximum(const Arg& x, const Arg& y);
/// The smaller; NaN if either is.
Array minimum(const Arg& x, const Arg& y);

// ---- exponentials and logarithms ----

Array exp(const Arg& x);
Array expm1(const Arg& x);
Array log(const Arg& x);
Array log1p(const Arg& x);
Array sqrt(const Arg& x);
Array cbrt(const Arg& x);

// ---- trigonometry (radians) ----

Array sin(const Arg& x);
Array cos(const Arg& x);
Array tan(const Arg& x);
Array arcsin(const Arg& x);
Array arccos(const Arg& x);
Array arctan(const Arg& x);
Array sinh(const Arg& x);
Array cosh(const Arg& x);
Array tanh(const Arg& x);
Array arcsinh(const Arg& x);
Array arccosh(const Arg& x);
Array arctanh(const Arg& x);
/// The angle of the point (x, y), in (-pi, pi].
Array arctan2(const Arg& y, const Arg& x);
inline Array asin(const Arg& x) { return arcsin(x); }
inline Array acos(const Arg& x) { return arccos(x); }
inline Array atan(const Arg& x) { return arctan(x); }
inline Array asinh(const Arg& x) { return arcsinh(x); }
inline Array acosh(const Arg& x) { return arccosh(x); }
inline Array atanh(const Arg& x) { return arctanh(x); }
inline Array atan2(const Arg& y, const Arg& x) { return arctan2(y, x); }
/// sin(pi x) / (pi x); 1 at 0.
Array sinc(const Arg& x);
Array deg2rad(const Arg& x);
Array rad2deg(const Arg& x);

// ---- bits ----

Array bitwise_and(const Arg& x, const Arg& y);
Array bitwise_or(const Arg& x, const Arg& y);
Array bitwise_xor(const Arg& x, const Arg& y);
Array left_shift(const Arg& x, const Arg& y);

/// x >> y: arithmetic for signed integers, logical for unsigned.
Array right_shift(const Arg& x, const Arg& y);
/// ~x; logical not for bool.
Array bitwise_not(const Arg& x);
inline Array invert(const Arg& x) { return bitwise_not(x); }
/// Number of one bits of |x|. Integers.
Array bitwise_count(const Arg& x);

// ---- more arithmetic ----

Array negative(const Arg& x);
/// |x|; the real modulus of complex numbers. Also absolute.
Array abs(const Arg& x);
inline Array absolute(const Arg& x) { return abs(x); }
/// -1, 0 or 1; NaN for NaN.
Array sign(const Arg& x);
Array square(const Arg& x);
/// 1 / x, f32 for integers.
Array reciprocal(const Arg& x);
/// x^y. A small whole number y is a chain of products.
Array power(const Arg& x, const Arg& y);
inline Array pow(const Arg& x, const Arg& y) { return power(x, y); }
/// x.
inline Array positive(const Arg& x) { return x.array(); }
/// |x|, f32 for integers.
Array fabs(const Arg& x);
/// |x| with y's sign.
Array copysign(const Arg& x, const Arg& y);
/// bool: the sign bit is set, as in -0 and some NaN.
Array signbit(const Arg& x);
/// NaN and infinities replaced: by 0, and by the largest and lowest finite numbers unless given.
Array nan_to_num(const Arg& x, double nan = 0, std::optional<double> posinf = {}, std::optional<double> neginf = {});
/// The largest whole number not above x / y.
Array floor_divide(const Arg& x, const Arg& y);
/// x - y * floor(x / y), with y's sign. Also remainder.
Array mod(const Arg& x, const Arg& y);
inline Array remainder(const Arg& x, const Arg& y) { return mod(x, y); }
/// floor_divide and mod.
std::pair<Array, Array> divmod(const Arg& x, const Arg& y);
/// The remainder of truncated division, with x's sign.
Array fmod(const Arg& x, const Arg& y);
/// min(max(x, lo), hi); a bound may be left out.
Array clip(const Arg& x, std::optional<Arg> lo, std::optional<Arg> hi = {});
/// The larger (smaller), leaving NaN out where the other is a number.
Array fmax(const Arg& x, const Arg& y);
Array fmin(const Arg& x, const Arg& y);
/// log(e^x + e^y) without overflow.
Array logaddexp(const Arg& x, const Arg& y);
/// log2(2^x + 2^y) without overflow.
Array logaddexp2(const Arg& x, const Arg& y);
/// sqrt(x^2 + y^2) without overflow.
Array hypot(const Arg& x, const Arg& y);
Array log2(const Arg& x);
Array log10(const Arg& x);
/// 2^x.
Array exp2(const Arg& x);

// ---- rounding ----

/// To the nearest, halves to even; at `decimals` places (negative: before the point, integers too).
/// ValueError when an integer dtype has no such power of ten.
Array round(const Arg& x, int decimals = 0);
inline Array around(const Arg& x, int decimals = 0) { return round(x, decimals); }
inline Array rint(const Arg& x) { return round(x); }
Array floor(const Arg& x);
Array ceil(const Arg& x);
Array trunc(const Arg& x);

// ---- complex ----

Array real(const Arg& x);
Array imag(const Arg& x);
Array conj(const Arg& x);
inline Array conjugate(const Arg& x) { return conj(x); }
/// The argument of a complex number, in (-pi, pi].
Array angle(const Arg& x);
/// bool: the imaginary part is not (is) zero.
Array iscomplex(const Arg& x);
Array isreal(const Arg& x);

// ---- comparison and logic: bool results ----

Array equal(const Arg& x, const Arg& y);
Array not_equal(const Arg& x, const Arg& y);
Array greater(const Arg& x, const Arg& y);
Array greater_equal(const Arg& x, const Arg& y);
Array less(const Arg& x, const Arg& y);
Array less_equal(const Arg& x, const Arg& y);
Array logical_and(const Arg& x, const Arg& y);
Array logical_or(const Arg& x, const Arg& y);
Array logical_xor(const Arg& x, const Arg& y);
Array logical_not(const Arg& x);
Array isnan(const Arg& x);
Array isinf(const Arg& x);
Array isposinf(const Arg& x);
Array isneginf(const Arg& x);
Array isfinite(const Arg& x);
/// |x - y| <= atol + rtol |y|; infinities are close to themselves.
Array isclose(const Arg& x, const Arg& y, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);
/// 0-d: whether isclose holds everywhere.
Array allclose(const Arg& x, const Arg& y, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);
/// 0-d: whether shapes and all elements are equal.
Array array_equal(const Arg& x, const Arg& y, bool equal_nan = false);
/// 0-d: whether the operands broadcast and are equal everywhere.
Array array_equiv(const Arg& x, const Arg& y);

/// condition ? x : y, everything broadcast together. Also NaN-safe for values: the branch not taken
/// does not matter (its gradient does: see the documentation of tracing).
Array where(const Arg& condition, const Arg& x, const Arg& y);

}  // namespace weft::np
