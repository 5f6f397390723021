// Elementwise functions with NumPy's names: operands broadcast and promote (promotion.h), and
// functions of the reals turn bool and integers into f32. z[i...] = f(x[i...], y[i...]).
//
// What holds unless said: all dtypes are taken; integers wrap around at their width; NaN gives NaN, and so does a real
// number outside of a function's domain, without an error. Complex functions are defined everywhere but at poles, on
// the principal branch; their cuts are those of C's <complex.h>. A dtype that a function does not take is a DTypeError,
// shapes that do not broadcast a ShapeError.
#pragma once

#include "weft/np/params.h"
#include "weft/np/promotion.h"

namespace weft::np {

// ---- arithmetic ----

/// x + y; or for bool.
Array add(const Arg& x, const Arg& y);
/// x - y. DTypeError for bool.
Array subtract(const Arg& x, const Arg& y);
/// x * y; and for bool.
Array multiply(const Arg& x, const Arg& y);
/// x / y; integers give f32. By zero: +-inf, NaN of 0 / 0.
Array divide(const Arg& x, const Arg& y);
/// The same.
Array true_divide(const Arg& x, const Arg& y);
/// The larger; NaN if either is. Complex numbers go by real, then imaginary part; or for bool.
Array maximum(const Arg& x, const Arg& y);
/// The smaller; NaN if either is. Complex numbers go by real, then imaginary part; and for bool.
Array minimum(const Arg& x, const Arg& y);

// ---- exponentials and logarithms ----

/// e^x.
Array exp(const Arg& x);
/// e^x - 1, accurate near 0.
Array expm1(const Arg& x);
/// The natural logarithm: -inf at 0, NaN below.
Array log(const Arg& x);
/// log(1 + x), accurate near 0: -inf at -1, NaN below.
Array log1p(const Arg& x);
/// The square root that is not negative: NaN below 0, -0 at -0.
Array sqrt(const Arg& x);
/// The cube root with x's sign; the principal one of complex numbers.
Array cbrt(const Arg& x);

// ---- trigonometry (radians) ----

/// The sine; NaN at infinities, as for cos and tan.
Array sin(const Arg& x);
/// The cosine.
Array cos(const Arg& x);
/// sin / cos.
Array tan(const Arg& x);
/// The angle in [-pi/2, pi/2] whose sine is x; NaN unless |x| <= 1.
Array arcsin(const Arg& x);
/// The angle in [0, pi] whose cosine is x; NaN unless |x| <= 1.
Array arccos(const Arg& x);
/// The angle in [-pi/2, pi/2] whose tangent is x; the ends at infinities.
Array arctan(const Arg& x);
/// (e^x - e^-x) / 2.
Array sinh(const Arg& x);
/// (e^x + e^-x) / 2.
Array cosh(const Arg& x);
/// sinh / cosh, in [-1, 1].
Array tanh(const Arg& x);
/// The inverse of sinh.
Array arcsinh(const Arg& x);
/// The number that is not negative whose cosh is x; NaN below 1.
Array arccosh(const Arg& x);
/// The inverse of tanh: +-inf at +-1, NaN beyond.
Array arctanh(const Arg& x);
/// The angle of the point (x, y), in [-pi, pi]: signed zeros tell the two sides of the negative axis apart.
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
/// x pi / 180. Reals.
Array deg2rad(const Arg& x);
/// x 180 / pi. Reals.
Array rad2deg(const Arg& x);

// ---- bits: integers, and bool where said; DTypeError otherwise ----

/// x & y: the bits that are set in both; logical and for bool.
Array bitwise_and(const Arg& x, const Arg& y);
/// x | y: the bits that are set in either; logical or for bool.
Array bitwise_or(const Arg& x, const Arg& y);
/// x ^ y: the bits that differ; whether they differ, for bool.
Array bitwise_xor(const Arg& x, const Arg& y);
/// x << y: what is shifted out is lost. 0 where y is negative, or the width of x or more.
Array left_shift(const Arg& x, const Arg& y);
/// x >> y: arithmetic for signed integers, logical for unsigned. Where y is negative, or the width of x or more, only
/// the sign is left: -1 of negative numbers, 0 of others.
Array right_shift(const Arg& x, const Arg& y);
/// ~x; logical not for bool.
Array bitwise_not(const Arg& x);
inline Array invert(const Arg& x) { return bitwise_not(x); }
/// Number of one bits of |x|. Integers.
Array bitwise_count(const Arg& x);

// ---- more arithmetic ----

/// -x. DTypeError for bool.
Array negative(const Arg& x);
/// |x|; the real modulus of complex numbers; x itself for bool and unsigned integers. Also absolute.
Array abs(const Arg& x);
inline Array absolute(const Arg& x) { return abs(x); }
/// -1, 0 or 1; NaN for NaN; x / |x| of complex numbers, 0 at 0.
Array sign(const Arg& x);
/// x x.
Array square(const Arg& x);
/// 1 / x, f32 for integers: +-inf at 0.
Array reciprocal(const Arg& x);
/// x^y. NaN where x is negative and y not whole; 1 where y is 0. A small whole number y is a chain of products, and has
/// derivatives everywhere. Integers to integers give integers: a negative number y is then a ValueError, and where y is
/// an array with negative elements, the results are 1 / x^|y| cut to integers: 1 at 1, +-1 at -1, 0 at all others.
Array power(const Arg& x, const Arg& y);
inline Array pow(const Arg& x, const Arg& y) { return power(x, y); }
/// x.
inline Array positive(const Arg& x) { return x.array(); }
/// |x|, f32 for integers.
Array fabs(const Arg& x);
/// |x| with y's sign.
Array copysign(const Arg& x, const Arg& y);
/// bool: the sign bit is set, as in -0 and some NaN. Reals.
Array signbit(const Arg& x);
/// NaN and infinities replaced: by 0, and by the largest and lowest finite numbers unless given.
Array nan_to_num(const Arg& x, double nan = 0, std::optional<double> posinf = {}, std::optional<double> neginf = {});
/// The largest whole number not above x / y; a zero has the sign of x / y. Reals. By zero: what divide gives for
/// floats; for integers every bit is set, -1, or -2 where the signs of x and 0 differ.
Array floor_divide(const Arg& x, const Arg& y);
/// x - y * floor(x / y), with y's sign, also of zeros: NaN for floats where y is 0, x for integers. Also remainder.
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
/// log(e^x + e^y) without overflow. The imaginary part of complex numbers is in [-pi, pi].
Array logaddexp(const Arg& x, const Arg& y);
/// log2(2^x + 2^y) without overflow.
Array logaddexp2(const Arg& x, const Arg& y);
/// sqrt(x^2 + y^2) without overflow.
Array hypot(const Arg& x, const Arg& y);
/// The logarithm to base 2, whole where x is a power of two: -inf at 0, NaN below.
Array log2(const Arg& x);
/// The logarithm to base 10, whole where x is a power of ten: -inf at 0, NaN below.
Array log10(const Arg& x);
/// 2^x.
Array exp2(const Arg& x);

// ---- rounding ----

/// To the nearest, halves to even; at `decimals` places (negative: before the point, integers too).
/// ValueError when an integer dtype has no such power of ten.
Array round(const Arg& x, Integer decimals = 0);
inline Array around(const Arg& x, Integer decimals = 0) { return round(x, decimals); }
inline Array rint(const Arg& x) { return round(x); }
/// The largest whole number not above x. Reals; integers as they are.
Array floor(const Arg& x);
/// The smallest whole number not below x. Reals; integers as they are.
Array ceil(const Arg& x);
/// x without its fraction. Reals; integers as they are.
Array trunc(const Arg& x);

// ---- complex ----

/// The real part, in the real dtype; x itself when it is not complex.
Array real(const Arg& x);
/// The imaginary part, in the real dtype; zeros of x's dtype when it is not complex.
Array imag(const Arg& x);
/// The complex conjugate; x itself when it is not complex.
Array conj(const Arg& x);
inline Array conjugate(const Arg& x) { return conj(x); }
/// The argument of a complex number, in (-pi, pi].
Array angle(const Arg& x);
/// bool: the imaginary part is not (is) zero; false (true) for dtypes that are not complex.
Array iscomplex(const Arg& x);
Array isreal(const Arg& x);

// ---- comparison and logic: bool results ----
// NaN is equal to nothing and neither above nor below anything, and so is a complex number with a part that is NaN.
// Complex numbers are ordered by their real parts, and by the imaginary ones where those are equal, as in NumPy; max,
// argmax and sort agree (lax::compare refuses them).

/// x == y.
Array equal(const Arg& x, const Arg& y);
/// x != y, which is true of NaN and NaN.
Array not_equal(const Arg& x, const Arg& y);
/// x > y.
Array greater(const Arg& x, const Arg& y);
/// x >= y.
Array greater_equal(const Arg& x, const Arg& y);
/// x < y.
Array less(const Arg& x, const Arg& y);
/// x <= y.
Array less_equal(const Arg& x, const Arg& y);
/// Both are not zero; NaN is not zero.
Array logical_and(const Arg& x, const Arg& y);
/// Either is not zero.
Array logical_or(const Arg& x, const Arg& y);
/// One is zero and the other is not.
Array logical_xor(const Arg& x, const Arg& y);
/// x is zero.
Array logical_not(const Arg& x);
/// x, or a part of it when complex, is NaN; false for integers.
Array isnan(const Arg& x);
/// x, or a part of it when complex, is infinite; false for integers.
Array isinf(const Arg& x);
/// x is +inf; false for integers and complex numbers.
Array isposinf(const Arg& x);
/// x is -inf; false for integers and complex numbers.
Array isneginf(const Arg& x);
/// x, or both parts of it when complex, is neither infinite nor NaN; true for integers.
Array isfinite(const Arg& x);
/// |x - y| <= atol + rtol |y|; infinities are close to themselves.
Array isclose(const Arg& x, const Arg& y, Real rtol = 1e-5, Real atol = 1e-8, Flag equal_nan = false);
/// 0-d: whether isclose holds everywhere.
Array allclose(const Arg& x, const Arg& y, Real rtol = 1e-5, Real atol = 1e-8, Flag equal_nan = false);
/// 0-d: whether shapes and all elements are equal.
Array array_equal(const Arg& x, const Arg& y, Flag equal_nan = false);
/// 0-d: whether the operands broadcast and are equal everywhere.
Array array_equiv(const Arg& x, const Arg& y);

/// condition ? x : y, everything broadcast together. Also NaN-safe for values: the branch not taken
/// does not matter (its gradient does: see the documentation of tracing).
Array where(const Arg& condition, const Arg& x, const Arg& y);

}  // namespace weft::np
