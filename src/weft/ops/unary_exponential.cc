// Exponentials, logarithms, roots and the square, for floats and complex (square: integers too).
// Each block is headed by the tangent of y = f(x) along t; it uses y where that saves work.
#include "weft/base/float_math.h"
#include "weft/ops/complex_functions.h"
#include "weft/ops/elementwise.h"

namespace weft {

using ops::is_complex_v, ops::kInexact, ops::kNumber, ops::smooth_rules, ops::through_wider, ops::unary,
    ops::unary_info;

// e^x: t y
Array lax::exponential(const Arg& x) { return unary(OpCode::kExponential, x); }
const ir::OpInfo op_infos::exponential = unary_info<OpCode::kExponential, kInexact>([](auto x) {
  if constexpr (std::is_same_v<decltype(x), float>)
    return float_math::exponential(x);
  else
    return through_wider([](auto z) { return std::exp(z); }, x);
});
const OpRules op_rule_table::exponential =
    smooth_rules([](const Array& t, const Array&, const Array& y) { return lax::multiply(t, y); });

// e^x - 1: t (y + 1)
Array lax::exponential_minus_one(const Arg& x) { return unary(OpCode::kExponentialMinusOne, x); }
const ir::OpInfo op_infos::exponential_minus_one = unary_info<OpCode::kExponentialMinusOne, kInexact>([](auto x) {
  if constexpr (is_complex_v<decltype(x)>)
    return ops::expm1(x);
  else if constexpr (std::is_same_v<decltype(x), float>)
    return float_math::exponential_minus_one(x);
  else
    return through_wider([](double v) { return std::expm1(v); }, x);
});
const OpRules op_rule_table::exponential_minus_one =
    smooth_rules([](const Array& t, const Array&, const Array& y) { return lax::multiply(t, lax::add(y, 1.0)); });

// log x: t / x
Array lax::log(const Arg& x) { return unary(OpCode::kLog, x); }
const ir::OpInfo op_infos::log =
    unary_info<OpCode::kLog, kInexact>([](auto x) { return through_wider([](auto z) { return std::log(z); }, x); });
const OpRules op_rule_table::log =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::divide(t, x); });

// log(1 + x): t / (1 + x)
Array lax::log_plus_one(const Arg& x) { return unary(OpCode::kLogPlusOne, x); }
const ir::OpInfo op_infos::log_plus_one = unary_info<OpCode::kLogPlusOne, kInexact>([](auto x) {
  if constexpr (is_complex_v<decltype(x)>)
    return ops::log1p(x);
  else
    return through_wider([](double v) { return std::log1p(v); }, x);
});
const OpRules op_rule_table::log_plus_one =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::divide(t, lax::add(x, 1.0)); });

// 1 / (1 + e^-x): t y (1 - y)
Array lax::logistic(const Arg& x) { return unary(OpCode::kLogistic, x); }
const ir::OpInfo op_infos::logistic = unary_info<OpCode::kLogistic, kInexact>([](auto x) {
  using T = decltype(x);
  if constexpr (is_complex_v<T>) {
    return ops::logistic(x);
  } else {
    // Of e^x and e^-x, the one that does not overflow.
    const T e = std::exp(-std::abs(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
  }
});
const OpRules op_rule_table::logistic = smooth_rules([](const Array& t, const Array&, const Array& y) {
  return lax::multiply(t, lax::multiply(y, lax::subtract(1.0, y)));
});

// sqrt x: t / (2 y)
Array lax::sqrt(const Arg& x) { return unary(OpCode::kSqrt, x); }
const ir::OpInfo op_infos::sqrt =
    unary_info<OpCode::kSqrt, kInexact>([](auto x) { return through_wider([](auto z) { return std::sqrt(z); }, x); });
const OpRules op_rule_table::sqrt =
    smooth_rules([](const Array& t, const Array&, const Array& y) { return lax::multiply(t, lax::divide(0.5, y)); });

// 1 / sqrt x: -t y / (2 x)
Array lax::rsqrt(const Arg& x) { return unary(OpCode::kRsqrt, x); }
const ir::OpInfo op_infos::rsqrt = unary_info<OpCode::kRsqrt, kInexact>([](auto x) {
  if constexpr (is_complex_v<decltype(x)>)
    return ops::rsqrt(x);
  else
    return 1 / std::sqrt(x);
});
const OpRules op_rule_table::rsqrt = smooth_rules([](const Array& t, const Array& x, const Array& y) {
  return lax::multiply(t, lax::multiply(lax::divide(y, x), -0.5));
});

// x^(1/3): t / (3 y^2), infinite at 0
Array lax::cbrt(const Arg& x) { return unary(OpCode::kCbrt, x); }
const ir::OpInfo op_infos::cbrt = unary_info<OpCode::kCbrt, kInexact>([](auto x) {
  if constexpr (is_complex_v<decltype(x)>)
    return ops::cbrt(x);
  else
    return through_wider([](double v) { return std::cbrt(v); }, x);
});
const OpRules op_rule_table::cbrt = smooth_rules([](const Array& t, const Array&, const Array& y) {
  return lax::multiply(t, lax::divide(1.0 / 3.0, lax::square(y)));
});

namespace {

// (a + bi)^2 = (a - b) (a + b) + 2 a b i, whose real part is right where a^2 and b^2 are infinite or nearly equal.
template <class T>
std::complex<T> complex_square(std::complex<T> x) {
  const T a = x.real(), b = x.imag(), ab = a * b;
  const bool equal = std::abs(a) == std::abs(b) && a - a == 0;
  return {equal ? T(0) : (a - b) * (a + b), ab + ab};
}

}  // namespace

// x^2: t 2 x
Array lax::square(const Arg& x) { return unary(OpCode::kSquare, x); }
const ir::OpInfo op_infos::square = unary_info<OpCode::kSquare, kNumber>([](auto x) {
  if constexpr (std::is_integral_v<decltype(x)>)
    return static_cast<decltype(x)>(static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(x));
  else if constexpr (is_complex_v<decltype(x)>)
    return complex_square(x);
  else
    return x * x;
});
const OpRules op_rule_table::square =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::multiply(t, lax::multiply(x, 2.0)); });

}  // namespace weft
