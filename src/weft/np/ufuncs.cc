#include "weft/np/ufuncs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "weft/core/checks.h"
#include "weft/np/dtypes.h"
#include "weft/ops/common.h"
#include "weft/ops/lax.h"

namespace weft::np {

namespace {

// One operand, as float or complex.
Array real_function(std::string_view op, Array (*f)(const Arg&), const Arg& x) {
  const LocationScope scope(x.location(), op);
  const Array a = x.array();
  return f(lax::convert(a, inexact_dtype(a.dtype())));
}

Array binary(std::string_view op, Array (*f)(const Arg&, const Arg&), const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), op);
  const auto [a, b] = promote(op, x, y);
  return f(a, b);
}
Array binary_inexact(std::string_view op, Array (*f)(const Arg&, const Arg&), const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), op);
  const auto [a, b] = promote_inexact(op, x, y);
  return f(a, b);
}
Array comparison(std::string_view op, const Arg& x, const Arg& y, ComparisonDirection direction) {
  const LocationScope scope(x.location(), op);
  const auto [a, b] = promote(op, x, y);
  const bool ordering = direction != ComparisonDirection::kEq && direction != ComparisonDirection::kNe;
  if (!ordering || !is_complex(a.dtype())) return lax::compare(a, b, direction);
  // As NumPy: by the real parts, and where those are equal, by the imaginary ones, of which NaN compares with nothing.
  const Array re = lax::real(a), re_b = lax::real(b), im = lax::imag(a), im_b = lax::imag(b);
  const Array numbers = lax::and_(lax::eq(im, im), lax::eq(im_b, im_b));
  return lax::select(lax::eq(re, re_b), lax::compare(im, im_b, direction),
                     lax::and_(lax::compare(re, re_b, direction), numbers));
}

constexpr double kLn2 = 0.6931471805599453, kLog2OfE = 1.4426950408889634;

// a times a real number. Of complex numbers each part, as an infinite one times the number's imaginary 0 would be NaN.
Array scaled(const Array& a, double factor) {
  if (!is_complex(a.dtype())) return lax::multiply(a, factor);
  return lax::complex(lax::multiply(lax::real(a), factor), lax::multiply(lax::imag(a), factor));
}

// x = fraction * 2^exponent, for x of f32 or f64: the exponent is whole, the fraction in [sqrt(1/2), sqrt(2)), and up
// to 2 where the exponent can go no further. The fraction has the sign of x, and is what 0, infinities and NaN are. The
// exponent being constant, a derivative by the fraction is one by x: d fraction / fraction = dx / x.
struct Split {
  Array fraction, exponent;
};
Split split_exponent(const Array& x) {
  const bool wide = x.dtype() == f64;
  const std::int64_t digits = wide ? 52 : 23, bias = wide ? 1023 : 127;
  const std::int64_t sqrt_half = wide ? 0x3fe6a09e667f3bcd : 0x3f3504f3;  // the bits of sqrt(1/2)
  const auto integer = [&](std::int64_t v) { return lax::full(x.shape(), Scalar(v), wide ? i64 : i32); };
  // Subnormal numbers have no exponent of their own; times 2^(digits + 1) they are normal.
  const Array tiny = lax::lt(lax::abs(x), std::ldexp(1.0, static_cast<int>(1 - bias)));
  const Array normal = lax::select(tiny, lax::multiply(x, std::ldexp(1.0, static_cast<int>(digits + 1))), x);
  const Array bits = lax::bitcast_convert(lax::abs(normal), wide ? i64 : i32);
  const Array raw = lax::shift_right_arithmetic(lax::subtract(bits, integer(sqrt_half)), integer(digits));
  const Array e = lax::minimum(lax::maximum(raw, integer(1 - bias)), integer(bias));
  // 2^(1 - e), whose exponent always has a code, while that of 2^-e may not.
  const Array factor =
      lax::bitcast_convert(lax::shift_left(lax::subtract(integer(bias + 1), e), integer(digits)), x.dtype());
  const Array shift = lax::select(tiny, integer(digits + 1), integer(0));
  return {lax::multiply(lax::multiply(normal, factor), 0.5), lax::convert(lax::subtract(e, shift), x.dtype())};
}

// Complex numbers have no exponent, and storage types no functions.
bool splits(DType t) { return is_float(t) && !is_storage(t); }

// f(x) for a function that is given its operand split, in the precision of f32 or f64.
Array of_split(const Array& x, Array (*f)(const Split&)) {
  if (x.dtype() == f32 || x.dtype() == f64) return f(split_exponent(x));
  return lax::convert(f(split_exponent(lax::convert(x, f32))), x.dtype());
}

}  // namespace

// ---- arithmetic ----

Array add(const Arg& x, const Arg& y) { return binary("add", lax::add, x, y); }
Array subtract(const Arg& x, const Arg& y) { return binary("subtract", lax::subtract, x, y); }
Array multiply(const Arg& x, const Arg& y) { return binary("multiply", lax::multiply, x, y); }
Array divide(const Arg& x, const Arg& y) { return binary_inexact("divide", lax::divide, x, y); }
Array true_divide(const Arg& x, const Arg& y) { return binary_inexact("true_divide", lax::divide, x, y); }
Array maximum(const Arg& x, const Arg& y) { return binary("maximum", lax::maximum, x, y); }
Array minimum(const Arg& x, const Arg& y) { return binary("minimum", lax::minimum, x, y); }

// ---- exponentials and logarithms ----

Array exp(const Arg& x) { return real_function("exp", lax::exponential, x); }
Array expm1(const Arg& x) { return real_function("expm1", lax::exponential_minus_one, x); }
Array log(const Arg& x) { return real_function("log", lax::log, x); }
Array log1p(const Arg& x) { return real_function("log1p", lax::log_plus_one, x); }
Array sqrt(const Arg& x) { return real_function("sqrt", lax::sqrt, x); }
Array cbrt(const Arg& x) { return real_function("cbrt", lax::cbrt, x); }

// ---- trigonometry (radians) ----

Array sin(const Arg& x) { return real_function("sin", lax::sine, x); }
Array cos(const Arg& x) { return real_function("cos", lax::cosine, x); }
Array tan(const Arg& x) { return real_function("tan", lax::tan, x); }
Array arcsin(const Arg& x) { return real_function("arcsin", lax::asin, x); }
Array arccos(const Arg& x) { return real_function("arccos", lax::acos, x); }
Array arctan(const Arg& x) { return real_function("arctan", lax::atan, x); }
Array sinh(const Arg& x) { return real_function("sinh", lax::sinh, x); }
Array cosh(const Arg& x) { return real_function("cosh", lax::cosh, x); }
Array tanh(const Arg& x) { return real_function("tanh", lax::tanh, x); }
Array arcsinh(const Arg& x) { return real_function("arcsinh", lax::asinh, x); }
Array arccosh(const Arg& x) { return real_function("arccosh", lax::acosh, x); }
Array arctanh(const Arg& x) { return real_function("arctanh", lax::atanh, x); }
Array arctan2(const Arg& y, const Arg& x) { return binary_inexact("arctan2", lax::atan2, y, x); }

// ---- bits ----

Array bitwise_and(const Arg& x, const Arg& y) { return binary("bitwise_and", lax::and_, x, y); }
Array bitwise_or(const Arg& x, const Arg& y) { return binary("bitwise_or", lax::or_, x, y); }
Array bitwise_xor(const Arg& x, const Arg& y) { return binary("bitwise_xor", lax::xor_, x, y); }
Array left_shift(const Arg& x, const Arg& y) { return binary("left_shift", lax::shift_left, x, y); }

Array right_shift(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "right_shift");
  const auto [a, b] = promote("right_shift", x, y);
  return is_unsigned(a.dtype()) ? lax::shift_right_logical(a, b) : lax::shift_right_arithmetic(a, b);
}
Array bitwise_not(const Arg& x) {
  const LocationScope scope(x.location(), "bitwise_not");
  return lax::not_(x);
}
Array bitwise_count(const Arg& x) {
  const LocationScope scope(x.location(), "bitwise_count");
  return lax::popcnt(is_signed_integer(x.dtype()) ? lax::abs(x) : x.array());
}

// ---- more arithmetic ----

Array negative(const Arg& x) {
  const LocationScope scope(x.location(), "negative");
  return lax::negate(x);
}
Array abs(const Arg& x) {
  const LocationScope scope(x.location(), "abs");
  const DType t = x.dtype();
  return t == boolean || is_unsigned(t) ? x.array() : lax::abs(x);
}
Array sign(const Arg& x) {
  const LocationScope scope(x.location(), "sign");
  return lax::sign(x);
}
Array square(const Arg& x) {
  const LocationScope scope(x.location(), "square");
  return lax::square(x);
}
Array reciprocal(const Arg& x) {
  const LocationScope scope(x.location(), "reciprocal");
  return divide(1, x);
}

Array fabs(const Arg& x) {
  const LocationScope scope(x.location(), "fabs");
  return lax::abs(lax::convert(x, inexact_dtype(x.dtype())));
}
Array copysign(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "copysign");
  const auto [a, b] = promote_inexact("copysign", x, y);
  const Array size = lax::abs(a);
  return lax::select(signbit(b), lax::negate(size), size);
}
Array signbit(const Arg& x) {
  const LocationScope scope(x.location(), "signbit");
  Array a = x.array();
  if (a.dtype() == boolean) return Array::full(a.shape(), boolean, Scalar(false));
  if (!is_float(a.dtype())) return lax::lt(a, 0);
  if (is_storage(a.dtype())) a = lax::convert(a, f32);
  // The bit itself: -0 and NaN have one too.
  const DType bits = byte_size(a.dtype()) == 2 ? i16 : byte_size(a.dtype()) == 4 ? i32 : i64;
  return lax::lt(lax::bitcast_convert(a, bits), 0);
}
Array nan_to_num(const Arg& x, double nan, std::optional<double> posinf, std::optional<double> neginf) {
  const LocationScope scope(x.location(), "nan_to_num");
  Array a = x.array();
  if (is_complex(a.dtype()))
    return lax::complex(nan_to_num(lax::real(a), nan, posinf, neginf), nan_to_num(lax::imag(a), nan, posinf, neginf));
  if (!is_float(a.dtype())) return a;
  if (is_storage(a.dtype())) {
    const FloatInfo limits = finfo(a.dtype());
    posinf = posinf.value_or(limits.max);
    neginf = neginf.value_or(limits.min);
    return lax::convert(nan_to_num(lax::convert(a, f32), nan, posinf, neginf), a.dtype());
  }
  const double largest = visit_dtype(a.dtype(), []<class T>(TypeTag<T>) {
    if constexpr (std::is_same_v<T, weft::float16>)
      return 65504.0;
    else if constexpr (std::is_same_v<T, weft::bfloat16>)
      return 3.3895313892515355e38;
    else if constexpr (std::is_floating_point_v<T>)
      return static_cast<double>(std::numeric_limits<T>::max());
    else
      return 0.0;
  });
  const auto fill = [&](double v) { return lax::full(a.shape(), Scalar(v), a.dtype()); };
  Array y = lax::select(lax::ne(a, a), fill(nan), a);
  y = lax::select(lax::is_pos_inf(a), fill(posinf.value_or(largest)), y);
  return lax::select(lax::is_neg_inf(a), fill(neginf.value_or(-largest)), y);
}

Array power(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "power");
  // An array of exponents is known only when the program runs; a number can be refused.
  if (y.is_scalar() && is_signed_integer(y.dtype()) && y.scalar().integer < 0 && !is_inexact(x.dtype())) {
    const DType t = result_type({x, y});
    throw ValueError("power: integers have no negative whole powers; got " + std::string(name(t)) + " to the " +
                         std::to_string(y.scalar().integer) + ".",
                     "make the base a float first, for example with astype(f32).");
  }
  if (y.is_scalar() && category(y.dtype()) == Category::kInteger && !x.is_scalar()) {
    const double n = y.scalar().value().real();
    if (std::abs(n) <= 32 && (n >= 0 || is_inexact(x.dtype()))) {
      // By squaring; x^-n is 1 / x^n. A bool becomes an integer first, as beside any other integer.
      Array base = lax::convert(x, result_type({x, y})), result;
      if (n == 0) return lax::full(base.shape(), Scalar(1), base.dtype());
      for (int k = static_cast<int>(std::abs(n)); k > 0; k /= 2) {
        if (k % 2) result = result.defined() ? lax::multiply(result, base) : base;
        if (k > 1) base = lax::square(base);
      }
      return n < 0 ? lax::divide(1, result) : result;
    }
  }
  const auto [a, b] = promote("power", x, y);
  return lax::power(a, b);
}

Array floor_divide(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "floor_divide");
  const auto [a, b] = promote("floor_divide", x, y);
  if (a.dtype() == boolean || is_complex(a.dtype())) return lax::remainder(a, b);  // which refuses them, as in mod
  if (is_float(a.dtype())) {
    // floor(a / b) alone is wrong where a / b rounds up to a whole number: 1 / 0.1. The remainder is
    // exact, so the quotient of what it leaves is nearly whole. By zero: +-inf, or NaN of 0 / 0.
    const Array r = lax::remainder(a, b), q = lax::round_nearest_even(lax::divide(lax::subtract(a, r), b));
    const Array down = lax::and_(lax::ne(r, 0.0), lax::ne(lax::lt(r, 0.0), lax::lt(b, 0.0)));
    // A zero has the sign of the quotient.
    const Array ratio = lax::divide(a, b), whole = lax::select(down, lax::subtract(q, 1.0), q);
    const Array zero = lax::select(signbit(ratio), -0.0, lax::full(a.shape(), Scalar(0.0), a.dtype()));
    return lax::select(lax::eq(b, 0.0), lax::floor(ratio), lax::select(lax::eq(whole, 0.0), zero, whole));
  }
  Array q = lax::divide(a, b);
  if (is_unsigned(a.dtype())) return q;
  // Truncation rounded up where the signs differ and something is left.
  const Array up = lax::and_(lax::ne(lax::sign(a), lax::sign(b)), lax::ne(lax::remainder(a, b), 0));
  return lax::select(up, lax::subtract(q, 1), q);
}

Array mod(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "mod");
  const auto [a, b] = promote("mod", x, y);
  Array r = lax::remainder(a, b);
  if (is_unsigned(a.dtype())) return r;
  const Array wrong = lax::and_(lax::ne(r, 0), lax::ne(lax::lt(r, 0), lax::lt(b, 0)));
  r = lax::select(wrong, lax::add(r, b), r);
  if (!is_float(a.dtype())) return r;
  // A zero has y's sign too: r + 0 is never -0, and -(0 - r) never 0. Both have the slope of r, as a constant has not.
  return lax::select(signbit(b), lax::negate(lax::subtract(0.0, r)), lax::add(r, 0.0));
}

std::pair<Array, Array> divmod(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "divmod");
  return {floor_divide(x, y), mod(x, y)};
}

Array fmod(const Arg& x, const Arg& y) { return binary("fmod", lax::remainder, x, y); }

Array clip(const Arg& x, std::optional<Arg> lo, std::optional<Arg> hi) {
  const LocationScope scope(x.location(), "clip");
  Array a = x.array();
  if (lo) a = maximum(Arg(a, x.location()), *lo);
  if (hi) a = minimum(Arg(a, x.location()), *hi);
  return a;
}

Array fmax(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "fmax");
  const auto [a, b] = promote("fmax", x, y);
  return lax::select(lax::ne(a, a), b, lax::select(lax::ne(b, b), a, lax::maximum(a, b)));
}
Array fmin(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "fmin");
  const auto [a, b] = promote("fmin", x, y);
  return lax::select(lax::ne(a, a), b, lax::select(lax::ne(b, b), a, lax::minimum(a, b)));
}

namespace {
// log(e^a + e^b) = m + log(1 + e^(o - m)), where m is the operand with the larger real part. The imaginary part is that
// of the principal branch, in [-pi, pi].
Array complex_logaddexp(const Array& a, const Array& b) {
  const Array re_a = lax::real(a), re_b = lax::real(b);
  const Array first = lax::or_(lax::ge(re_a, re_b), lax::ne(re_a, re_a));  // NaN goes on through the sum
  const Array m = lax::select(first, a, b), o = lax::select(first, b, a);
  // inf - inf is NaN, in derivatives too: equal infinities differ by 0.
  const Array raw = lax::subtract(lax::real(o), lax::real(m));
  const Array same = lax::and_(lax::eq(re_a, re_b), lax::is_inf(re_a));
  const Array re = lax::select(same, lax::full(raw.shape(), Scalar(0.0), raw.dtype()), raw);
  const Array difference = lax::complex(re, lax::subtract(lax::imag(o), lax::imag(m)));
  const Array y = lax::add(m, lax::log_plus_one(lax::exponential(difference)));
  const Array turns = lax::round_nearest_even(lax::divide(lax::imag(y), 6.283185307179586));
  return lax::complex(lax::real(y), lax::subtract(lax::imag(y), lax::multiply(turns, 6.283185307179586)));
}

// The larger operand and the other one. By choice, not by maximum and minimum: a formula of these two that holds
// whichever they are has all its derivatives where they are equal, too.
std::pair<Array, Array> larger_first(const Array& a, const Array& b) {
  const Array first = lax::or_(lax::ge(a, b), lax::ne(a, a));  // NaN goes on
  return {lax::select(first, a, b), lax::select(first, b, a)};
}

Array real_logaddexp(const Array& a, const Array& b) {
  const auto [m, o] = larger_first(a, b);
  // inf - inf is NaN, in derivatives too: equal infinities differ by 0.
  const Array raw = lax::subtract(o, m);
  const Array same = lax::and_(lax::eq(a, b), lax::is_inf(a));
  const Array difference = lax::select(same, lax::full(raw.shape(), Scalar(0.0), raw.dtype()), raw);
  const Array middle = lax::multiply(lax::add(a, b), 0.5);  // whose slopes are equal, as those of the formula are
  return lax::add(lax::select(same, middle, m), lax::log_plus_one(lax::exponential(difference)));
}
}  // namespace

Array logaddexp(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "logaddexp");
  const auto [a, b] = promote_inexact("logaddexp", x, y);
  return weft::detail::checked_as_one(a, b, is_complex(a.dtype()) ? complex_logaddexp : real_logaddexp);
}
Array logaddexp2(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "logaddexp2");
  const auto [a, b] = promote_inexact("logaddexp2", x, y);
  const Array y2 = logaddexp(scaled(a, kLn2), scaled(b, kLn2));
  return is_complex(y2.dtype()) ? scaled(y2, kLog2OfE) : lax::divide(y2, kLn2);
}

namespace {
Array hypot_of(const Array& p, const Array& q) {
  const Array a = lax::abs(p), b = lax::abs(q);
  const auto [larger, smaller] = larger_first(a, b);
  const Array one = lax::full(a.shape(), Scalar(1.0), a.dtype());
  const Array ratio = lax::divide(smaller, lax::select(lax::eq(larger, 0.0), one, larger));
  const Array y0 = lax::multiply(larger, lax::sqrt(lax::add(lax::square(ratio), 1.0)));
  // Of an infinity, whatever the other is.
  const Array infinite = lax::or_(lax::is_inf(a), lax::is_inf(b));
  return lax::select(infinite, lax::full(a.shape(), Scalar(__builtin_inf()), a.dtype()), y0);
}
}  // namespace

Array hypot(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "hypot");
  const auto [a, b] = promote_inexact("hypot", x, y);
  return weft::detail::checked_as_one(a, b, hypot_of);
}

Array log2(const Arg& x) {
  const LocationScope scope(x.location(), "log2");
  const Array a = lax::convert(x, inexact_dtype(x.dtype()));
  if (!splits(a.dtype())) return scaled(lax::log(a), kLog2OfE);
  // Exact at powers of two, where the fraction is 1.
  return of_split(a,
                  [](const Split& s) { return lax::add(s.exponent, lax::multiply(lax::log(s.fraction), kLog2OfE)); });
}
Array log10(const Arg& x) {
  const LocationScope scope(x.location(), "log10");
  const Array a = lax::convert(x, inexact_dtype(x.dtype()));
  if (!splits(a.dtype())) return scaled(lax::log(a), 0.4342944819032518);
  // As fdlibm's e_log10.c: log10(2) in two parts, of which the first times any exponent is exact. So is the result at
  // powers of ten, for what is added to that product is small and its error much smaller than a unit of the sum.
  return of_split(a, [](const Split& s) {
    const bool wide = s.fraction.dtype() == f64;
    const double high = wide ? 0x1.34413509f6p-2 : 0x1.3441p-2, low = 0.30102999566398119521 - high;
    const Array rest =
        lax::add(lax::multiply(s.exponent, low), lax::multiply(lax::log(s.fraction), 0.4342944819032518));
    return lax::add(rest, lax::multiply(s.exponent, high));
  });
}
Array exp2(const Arg& x) {
  const LocationScope scope(x.location(), "exp2");
  const Array a = lax::convert(x, inexact_dtype(x.dtype()));
  if (is_complex(a.dtype())) return lax::exponential(scaled(a, kLn2));
  return lax::power(2.0, a);  // exact at whole numbers, unlike exp(x ln 2)
}
Array sinc(const Arg& x) {
  const LocationScope scope(x.location(), "sinc");
  const Array a = lax::multiply(lax::convert(x, inexact_dtype(x.dtype())), 3.141592653589793);
  // Near 0 by its series, which has derivatives there.
  const Array zero = lax::eq(a, 0.0);
  const Array safe = lax::select(zero, lax::full(a.shape(), Scalar(1.0), a.dtype()), a);
  const Array series = lax::subtract(1.0, lax::divide(lax::square(a), 6.0));
  return lax::select(zero, series, lax::divide(lax::sine(safe), safe));
}
namespace {
Array scaled_angle(std::string_view op, const Arg& x, double factor) {
  const LocationScope scope(x.location(), op);
  const Array a = lax::convert(x, inexact_dtype(x.dtype()));
  if (is_complex(a.dtype())) ops::throw_dtype(op, "real", std::array{a.aval()});
  return lax::multiply(a, factor);
}
}  // namespace
Array deg2rad(const Arg& x) { return scaled_angle("deg2rad", x, 0.017453292519943295); }
Array rad2deg(const Arg& x) { return scaled_angle("rad2deg", x, 57.29577951308232); }

// ---- rounding ----

Array round(const Arg& x, Integer decimals) {
  const LocationScope scope(x.location(), "round");
  Array a = x.array();
  const DType t = a.dtype();
  if (is_complex(t)) return lax::complex(round(lax::real(a), decimals), round(lax::imag(a), decimals));
  if (is_float(t)) {
    if (decimals == 0) return lax::round_nearest_even(a);
    const Array wide = byte_size(t) < 4 ? lax::convert(a, f32) : a;  // f16 has no 10^5
    const double factor = std::pow(10.0, std::abs(static_cast<double>(decimals)));
    const Array y = decimals > 0 ? lax::divide(lax::round_nearest_even(lax::multiply(wide, factor)), factor)
                                 : lax::multiply(lax::round_nearest_even(lax::divide(wide, factor)), factor);
    return lax::convert(y, t);
  }
  if (decimals >= 0 || t == boolean) return a;
  if (decimals < -18 || std::pow(10.0, static_cast<double>(-decimals)) > std::pow(2.0, bit_width(t) - 2))
    throw ValueError("round: decimals must leave a digit of " + std::string(name(t)) + "; got " +
                     std::to_string(decimals) + ".");
  std::int64_t tens = 1;
  for (std::int64_t i = 0; i < -decimals; ++i) tens *= 10;
  const Array left = mod(a, tens), down = lax::subtract(a, left), odd = lax::ne(mod(floor_divide(a, tens), 2), 0);
  const Array half = lax::full(a.shape(), Scalar(tens / 2), t);
  const Array up = lax::or_(lax::gt(left, half), lax::and_(lax::eq(left, half), odd));
  return lax::select(up, lax::add(down, tens), down);
}
Array floor(const Arg& x) {
  const LocationScope scope(x.location(), "floor");
  return is_inexact(x.dtype()) ? lax::floor(x) : x.array();
}
Array ceil(const Arg& x) {
  const LocationScope scope(x.location(), "ceil");
  return is_inexact(x.dtype()) ? lax::ceil(x) : x.array();
}
Array trunc(const Arg& x) {
  const LocationScope scope(x.location(), "trunc");
  const Array a = x.array();
  return is_inexact(a.dtype()) ? lax::select(lax::lt(a, 0.0), lax::ceil(a), lax::floor(a)) : a;
}

// ---- complex ----

Array real(const Arg& x) {
  const LocationScope scope(x.location(), "real");
  return is_complex(x.dtype()) ? lax::real(x) : x.array();
}
Array imag(const Arg& x) {
  const LocationScope scope(x.location(), "imag");
  return is_complex(x.dtype()) ? lax::imag(x) : Array::full(x.shape(), x.dtype(), Scalar(0));
}
Array conj(const Arg& x) {
  const LocationScope scope(x.location(), "conj");
  return is_complex(x.dtype()) ? lax::conj(x) : x.array();
}
Array angle(const Arg& x) {
  const LocationScope scope(x.location(), "angle");
  return arctan2(imag(x), real(x));
}
Array iscomplex(const Arg& x) {
  const LocationScope scope(x.location(), "iscomplex");
  return is_complex(x.dtype()) ? lax::ne(lax::imag(x), 0) : Array::full(x.shape(), boolean, Scalar(false));
}
Array isreal(const Arg& x) {
  const LocationScope scope(x.location(), "isreal");
  return is_complex(x.dtype()) ? lax::eq(lax::imag(x), 0) : Array::full(x.shape(), boolean, Scalar(true));
}

// ---- comparison and logic ----

Array equal(const Arg& x, const Arg& y) { return comparison("equal", x, y, ComparisonDirection::kEq); }
Array not_equal(const Arg& x, const Arg& y) { return comparison("not_equal", x, y, ComparisonDirection::kNe); }
Array greater(const Arg& x, const Arg& y) { return comparison("greater", x, y, ComparisonDirection::kGt); }
Array greater_equal(const Arg& x, const Arg& y) { return comparison("greater_equal", x, y, ComparisonDirection::kGe); }
Array less(const Arg& x, const Arg& y) { return comparison("less", x, y, ComparisonDirection::kLt); }
Array less_equal(const Arg& x, const Arg& y) { return comparison("less_equal", x, y, ComparisonDirection::kLe); }
Array logical_and(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "logical_and");
  return binary("logical_and", lax::and_, truth(x), truth(y));
}
Array logical_or(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "logical_or");
  return binary("logical_or", lax::or_, truth(x), truth(y));
}
Array logical_xor(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "logical_xor");
  return binary("logical_xor", lax::xor_, truth(x), truth(y));
}
Array logical_not(const Arg& x) {
  const LocationScope scope(x.location(), "logical_not");
  return lax::not_(truth(x));
}
Array isnan(const Arg& x) {
  const LocationScope scope(x.location(), "isnan");
  const Array a = x.array();
  return lax::ne(a, a);
}
Array isinf(const Arg& x) {
  const LocationScope scope(x.location(), "isinf");
  const Array a = x.array();
  if (is_float(a.dtype())) return lax::is_inf(a);
  if (is_complex(a.dtype())) return lax::or_(lax::is_inf(lax::real(a)), lax::is_inf(lax::imag(a)));
  return Array::full(a.shape(), boolean, Scalar(false));
}
namespace {
Array infinity(std::string_view op, const Arg& x, Array (*f)(const Arg&)) {
  const LocationScope scope(x.location(), op);
  return is_float(x.dtype()) ? f(x) : Array::full(x.shape(), boolean, Scalar(false));
}
}  // namespace
Array isposinf(const Arg& x) { return infinity("isposinf", x, lax::is_pos_inf); }
Array isneginf(const Arg& x) { return infinity("isneginf", x, lax::is_neg_inf); }
Array isfinite(const Arg& x) {
  const LocationScope scope(x.location(), "isfinite");
  return is_inexact(x.dtype()) ? lax::is_finite(x) : Array::full(x.shape(), boolean, Scalar(true));
}

Array isclose(const Arg& x, const Arg& y, Real rtol, Real atol, Flag equal_nan) {
  const LocationScope scope(x.location(), "isclose");
  const auto [a, b] = promote_inexact("isclose", x, y);
  const weft::detail::NoChecks may_be_nan;
  const Array bound = lax::add(lax::multiply(lax::abs(b), double{rtol}), double{atol});
  const Array near = lax::le(lax::abs(lax::subtract(a, b)), bound);
  const Array finite = lax::and_(lax::is_finite(a), lax::is_finite(b));
  Array close = lax::or_(lax::and_(near, finite), lax::eq(a, b));
  if (equal_nan) close = lax::or_(close, lax::and_(lax::ne(a, a), lax::ne(b, b)));
  return close;
}

namespace {
Array all_of(const Array& x) {
  Dims axes;
  for (int i = 0; i < x.ndim(); ++i) axes.push_back(i);
  return lax::reduce_and(x, axes);
}
}  // namespace

Array allclose(const Arg& x, const Arg& y, Real rtol, Real atol, Flag equal_nan) {
  const LocationScope scope(x.location(), "allclose");
  return all_of(isclose(x, y, rtol, atol, equal_nan));
}
Array array_equal(const Arg& x, const Arg& y, Flag equal_nan) {
  const LocationScope scope(x.location(), "array_equal");
  if (!same_dims(x.shape(), y.shape())) return Array(false);
  const auto [a, b] = promote("array_equal", x, y);
  Array same = lax::eq(a, b);
  if (equal_nan) same = lax::or_(same, lax::and_(lax::ne(a, a), lax::ne(b, b)));
  return all_of(same);
}
Array array_equiv(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "array_equiv");
  // One shape must be the common one, after broadcasting either.
  const DimSpan a = x.shape(), b = y.shape();
  for (std::size_t i = 1; i <= std::min(a.size(), b.size()); ++i)
    if (const auto p = a[a.size() - i], q = b[b.size() - i]; p != q && p != 1 && q != 1) return Array(false);
  return all_of(equal(x, y));
}

Array where(const Arg& condition, const Arg& x, const Arg& y) {
  const LocationScope scope(condition.location(), "where");
  const Array pred = truth(condition);
  const auto [a, b] = promote("where", x, y);
  if (same_dims(pred.shape(), a.shape())) return lax::select(pred, a, b);
  const Dims shape = broadcast_shapes("where", pred.shape(), a.shape());
  return lax::select(broadcast_to(pred, shape), broadcast_to(a, shape), broadcast_to(b, shape));
}

}  // namespace weft::np
