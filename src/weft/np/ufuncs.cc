#include "weft/np/ufuncs.h"

#include <cmath>

#include "weft/ops/lax.h"

namespace weft::np {

namespace {

// One operand, as float or complex.
Array real_function(Array (*f)(const Arg&), const Arg& x) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  return f(lax::convert(a, inexact(a.dtype())));
}

Array binary(std::string_view op, Array (*f)(const Arg&, const Arg&), const Arg& x, const Arg& y) {
  const LocationScope scope(x.location());
  const auto [a, b] = promote(op, x, y);
  return f(a, b);
}
Array binary_inexact(std::string_view op, Array (*f)(const Arg&, const Arg&), const Arg& x, const Arg& y) {
  const LocationScope scope(x.location());
  const auto [a, b] = promote_inexact(op, x, y);
  return f(a, b);
}
Array comparison(std::string_view op, const Arg& x, const Arg& y, ComparisonDirection direction) {
  const LocationScope scope(x.location());
  const auto [a, b] = promote(op, x, y);
  return lax::compare(a, b, direction);
}

// x as bool: not zero.
Array truth(const Arg& x) { return lax::convert(x.array(), boolean); }

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

Array exp(const Arg& x) { return real_function(lax::exponential, x); }
Array expm1(const Arg& x) { return real_function(lax::exponential_minus_one, x); }
Array log(const Arg& x) { return real_function(lax::log, x); }
Array log1p(const Arg& x) { return real_function(lax::log_plus_one, x); }
Array sqrt(const Arg& x) { return real_function(lax::sqrt, x); }
Array cbrt(const Arg& x) { return real_function(lax::cbrt, x); }

// ---- trigonometry (radians) ----

Array sin(const Arg& x) { return real_function(lax::sine, x); }
Array cos(const Arg& x) { return real_function(lax::cosine, x); }
Array tan(const Arg& x) { return real_function(lax::tan, x); }
Array arcsin(const Arg& x) { return real_function(lax::asin, x); }
Array arccos(const Arg& x) { return real_function(lax::acos, x); }
Array arctan(const Arg& x) { return real_function(lax::atan, x); }
Array sinh(const Arg& x) { return real_function(lax::sinh, x); }
Array cosh(const Arg& x) { return real_function(lax::cosh, x); }
Array tanh(const Arg& x) { return real_function(lax::tanh, x); }
Array arcsinh(const Arg& x) { return real_function(lax::asinh, x); }
Array arccosh(const Arg& x) { return real_function(lax::acosh, x); }
Array arctanh(const Arg& x) { return real_function(lax::atanh, x); }
Array arctan2(const Arg& x, const Arg& y) { return binary_inexact("arctan2", lax::atan2, x, y); }

// ---- bits ----

Array bitwise_and(const Arg& x, const Arg& y) { return binary("bitwise_and", lax::and_, x, y); }
Array bitwise_or(const Arg& x, const Arg& y) { return binary("bitwise_or", lax::or_, x, y); }
Array bitwise_xor(const Arg& x, const Arg& y) { return binary("bitwise_xor", lax::xor_, x, y); }
Array left_shift(const Arg& x, const Arg& y) { return binary("left_shift", lax::shift_left, x, y); }

Array right_shift(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location());
  const auto [a, b] = promote("right_shift", x, y);
  return is_unsigned(a.dtype()) ? lax::shift_right_logical(a, b) : lax::shift_right_arithmetic(a, b);
}
Array bitwise_not(const Arg& x) { return lax::not_(x); }

// ---- more arithmetic ----

Array negative(const Arg& x) { return lax::negate(x); }
Array abs(const Arg& x) {
  const DType t = x.dtype();
  return t == boolean || is_unsigned(t) ? x.array() : lax::abs(x);
}
Array sign(const Arg& x) { return lax::sign(x); }
Array square(const Arg& x) { return lax::square(x); }
Array reciprocal(const Arg& x) { return divide(Arg(1, x.location()), x); }

Array power(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location());
  if (y.is_scalar() && category(y.dtype()) == Category::kInteger && !x.is_scalar()) {
    const double n = y.scalar().value().real();
    if (std::abs(n) <= 32 && (n >= 0 || is_inexact(x.dtype()))) {
      // By squaring; x^-n is 1 / x^n.
      Array base = x.array(), result;
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
  const LocationScope scope(x.location());
  const auto [a, b] = promote("floor_divide", x, y);
  if (is_float(a.dtype())) return lax::floor(lax::divide(a, b));
  const Array q = lax::divide(a, b);
  if (is_unsigned(a.dtype())) return q;
  // Truncation rounded up where the signs differ and something is left.
  const Array up = lax::and_(lax::ne(lax::sign(a), lax::sign(b)), lax::ne(lax::remainder(a, b), 0));
  return lax::select(up, lax::subtract(q, 1), q);
}

Array mod(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location());
  const auto [a, b] = promote("mod", x, y);
  const Array r = lax::remainder(a, b);
  if (is_unsigned(a.dtype())) return r;
  const Array wrong = lax::and_(lax::ne(r, 0), lax::ne(lax::lt(r, 0), lax::lt(b, 0)));
  return lax::select(wrong, lax::add(r, b), r);
}

Array fmod(const Arg& x, const Arg& y) { return binary("fmod", lax::remainder, x, y); }

Array clip(const Arg& x, std::optional<Arg> lo, std::optional<Arg> hi) {
  const LocationScope scope(x.location());
  Array a = x.array();
  if (lo) a = maximum(Arg(a, x.location()), *lo);
  if (hi) a = minimum(Arg(a, x.location()), *hi);
  return a;
}

Array logaddexp(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location());
  const auto [a, b] = promote_inexact("logaddexp", x, y);
  const Array larger = lax::maximum(a, b), difference = lax::subtract(a, b);
  const Array sum = lax::add(larger, lax::log_plus_one(lax::exponential(lax::negate(lax::abs(difference)))));
  // inf - inf is NaN; there the result is the sum, which keeps both infinities and NaN.
  return lax::select(lax::ne(difference, difference), lax::add(a, b), sum);
}

Array hypot(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location());
  const auto [p, q] = promote_inexact("hypot", x, y);
  const Array a = lax::abs(p), b = lax::abs(q);
  const Array larger = lax::maximum(a, b), smaller = lax::minimum(a, b);
  const Array zero = lax::eq(larger, 0.0);
  const Array ratio = lax::divide(smaller, lax::select(zero, lax::full(a.shape(), Scalar(1.0), a.dtype()), larger));
  return lax::multiply(larger, lax::sqrt(lax::add(lax::square(ratio), 1.0)));
}

Array log2(const Arg& x) { return multiply(log(x), 1.4426950408889634); }
Array log10(const Arg& x) { return multiply(log(x), 0.4342944819032518); }
Array exp2(const Arg& x) { return exp(multiply(x, 0.6931471805599453)); }

// ---- rounding ----

Array round(const Arg& x, int decimals) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  if (!is_inexact(a.dtype())) return a;
  if (decimals == 0) return lax::round_nearest_even(a);
  const double factor = std::pow(10.0, std::abs(decimals));
  return decimals > 0 ? lax::divide(lax::round_nearest_even(lax::multiply(a, factor)), factor)
                      : lax::multiply(lax::round_nearest_even(lax::divide(a, factor)), factor);
}
Array floor(const Arg& x) { return is_inexact(x.dtype()) ? lax::floor(x) : x.array(); }
Array ceil(const Arg& x) { return is_inexact(x.dtype()) ? lax::ceil(x) : x.array(); }
Array trunc(const Arg& x) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  return is_inexact(a.dtype()) ? lax::select(lax::lt(a, 0.0), lax::ceil(a), lax::floor(a)) : a;
}

// ---- complex ----

Array real(const Arg& x) { return is_complex(x.dtype()) ? lax::real(x) : x.array(); }
Array imag(const Arg& x) { return is_complex(x.dtype()) ? lax::imag(x) : Array::full(x.shape(), x.dtype(), Scalar(0)); }
Array conj(const Arg& x) { return is_complex(x.dtype()) ? lax::conj(x) : x.array(); }
Array angle(const Arg& x) { return arctan2(imag(x), real(x)); }

// ---- comparison and logic ----

Array equal(const Arg& x, const Arg& y) { return comparison("equal", x, y, ComparisonDirection::kEq); }
Array not_equal(const Arg& x, const Arg& y) { return comparison("not_equal", x, y, ComparisonDirection::kNe); }
Array greater(const Arg& x, const Arg& y) { return comparison("greater", x, y, ComparisonDirection::kGt); }
Array greater_equal(const Arg& x, const Arg& y) { return comparison("greater_equal", x, y, ComparisonDirection::kGe); }
Array less(const Arg& x, const Arg& y) { return comparison("less", x, y, ComparisonDirection::kLt); }
Array less_equal(const Arg& x, const Arg& y) { return comparison("less_equal", x, y, ComparisonDirection::kLe); }
Array logical_and(const Arg& x, const Arg& y) { return binary("logical_and", lax::and_, truth(x), truth(y)); }
Array logical_or(const Arg& x, const Arg& y) { return binary("logical_or", lax::or_, truth(x), truth(y)); }
Array logical_xor(const Arg& x, const Arg& y) { return binary("logical_xor", lax::xor_, truth(x), truth(y)); }
Array logical_not(const Arg& x) {
  const LocationScope scope(x.location());
  return lax::not_(truth(x));
}
Array isnan(const Arg& x) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  return lax::ne(a, a);
}
Array isinf(const Arg& x) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  if (is_float(a.dtype())) return lax::is_inf(a);
  if (is_complex(a.dtype())) return lax::or_(lax::is_inf(lax::real(a)), lax::is_inf(lax::imag(a)));
  return Array::full(a.shape(), boolean, Scalar(false));
}
Array isfinite(const Arg& x) {
  return is_inexact(x.dtype()) ? lax::is_finite(x) : Array::full(x.shape(), boolean, Scalar(true));
}

Array isclose(const Arg& x, const Arg& y, double rtol, double atol, bool equal_nan) {
  const LocationScope scope(x.location());
  const auto [a, b] = promote_inexact("isclose", x, y);
  const Array bound = lax::add(lax::multiply(lax::abs(b), rtol), atol);
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

Array allclose(const Arg& x, const Arg& y, double rtol, double atol, bool equal_nan) {
  const LocationScope scope(x.location());
  return all_of(isclose(x, y, rtol, atol, equal_nan));
}
Array array_equal(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location());
  if (!same_dims(x.shape(), y.shape())) return Array(false);
  return all_of(equal(x, y));
}

Array where(const Arg& condition, const Arg& x, const Arg& y) {
  const LocationScope scope(condition.location());
  const Array pred = truth(condition);
  const auto [a, b] = promote("where", x, y);
  const Dims shape = broadcast_shapes("where", pred.shape(), a.shape());
  return lax::select(broadcast_to(pred, shape), broadcast_to(a, shape), broadcast_to(b, shape));
}

}  // namespace weft::np
