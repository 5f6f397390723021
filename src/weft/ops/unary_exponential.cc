// Exponentials, logarithms, roots and the square, for floats and complex (square: integers too).
// Each block is headed by the tangent of y = f(x) along t; it uses y where that saves work.
#include "weft/ops/elementwise.h"

namespace weft {

using ops::is_complex_v, ops::kAcceptFloat, ops::kInexact, ops::kNumber, ops::smooth_rules, ops::unary, ops::unary_info;

// e^x: t y
Array lax::exponential(const Arg& x) { return unary(OpCode::kExponential, x); }
const ir::OpInfo op_infos::exponential = unary_info<OpCode::kExponential, kInexact>([](auto x) { return std::exp(x); });
const OpRules op_rule_table::exponential =
    smooth_rules([](const Array& t, const Array&, const Array& y) { return lax::multiply(t, y); });

// e^x - 1: t (y + 1)
Array lax::exponential_minus_one(const Arg& x) { return unary(OpCode::kExponentialMinusOne, x); }
const ir::OpInfo op_infos::exponential_minus_one = unary_info<OpCode::kExponentialMinusOne, kInexact>([](auto x) {
  if constexpr (is_complex_v<decltype(x)>) {
    // e^a cos b - 1 = (e^a - 1) cos b - 2 sin^2(b/2), in which nothing cancels for small a and b.
    const auto a = x.real(), b = x.imag();
    if (b == 0) return decltype(x)(std::expm1(a), b);
    const auto s = std::sin(b / 2);
    return decltype(x)(std::expm1(a) * std::cos(b) - 2 * s * s, std::exp(a) * std::sin(b));
  } else {
    return std::expm1(x);
  }
});
const OpRules op_rule_table::exponential_minus_one =
    smooth_rules([](const Array& t, const Array&, const Array& y) { return lax::multiply(t, lax::add(y, 1.0)); });

// log x: t / x
Array lax::log(const Arg& x) { return unary(OpCode::kLog, x); }
const ir::OpInfo op_infos::log = unary_info<OpCode::kLog, kInexact>([](auto x) { return std::log(x); });
const OpRules op_rule_table::log =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::divide(t, x); });

// log(1 + x): t / (1 + x)
Array lax::log_plus_one(const Arg& x) { return unary(OpCode::kLogPlusOne, x); }
const ir::OpInfo op_infos::log_plus_one = unary_info<OpCode::kLogPlusOne, kInexact>([](auto x) {
  if constexpr (is_complex_v<decltype(x)>) {
    // |1 + x|^2 - 1 = a (2 + a) + b^2 keeps the digits that 1 + a would lose.
    const auto a = x.real(), b = x.imag();
    const bool small = std::abs(a) < 0.5f && std::abs(b) < 0.5f;
    const auto re = small ? std::log1p(a * (2 + a) + b * b) / 2 : std::log(std::hypot(1 + a, b));
    return decltype(x)(re, std::atan2(b, 1 + a));
  } else {
    return std::log1p(x);
  }
});
const OpRules op_rule_table::log_plus_one =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::divide(t, lax::add(x, 1.0)); });

// 1 / (1 + e^-x): t y (1 - y)
Array lax::logistic(const Arg& x) { return unary(OpCode::kLogistic, x); }
const ir::OpInfo op_infos::logistic = unary_info<OpCode::kLogistic, kInexact>([](auto x) {
  using T = decltype(x);
  // Of e^x and e^-x, the one that does not overflow.
  if (std::real(x) < 0) {
    const T e = std::exp(x);
    return e / (T(1) + e);
  }
  return T(1) / (T(1) + std::exp(-x));
});
const OpRules op_rule_table::logistic = smooth_rules([](const Array& t, const Array&, const Array& y) {
  return lax::multiply(t, lax::multiply(y, lax::subtract(1.0, y)));
});

// sqrt x: t / (2 y)
Array lax::sqrt(const Arg& x) { return unary(OpCode::kSqrt, x); }
const ir::OpInfo op_infos::sqrt = unary_info<OpCode::kSqrt, kInexact>([](auto x) { return std::sqrt(x); });
const OpRules op_rule_table::sqrt =
    smooth_rules([](const Array& t, const Array&, const Array& y) { return lax::multiply(t, lax::divide(0.5, y)); });

// 1 / sqrt x: -t y / (2 x)
Array lax::rsqrt(const Arg& x) { return unary(OpCode::kRsqrt, x); }
const ir::OpInfo op_infos::rsqrt =
    unary_info<OpCode::kRsqrt, kInexact>([](auto x) { return decltype(x)(1) / std::sqrt(x); });
const OpRules op_rule_table::rsqrt = smooth_rules([](const Array& t, const Array& x, const Array& y) {
  return lax::multiply(t, lax::multiply(lax::divide(y, x), -0.5));
});

// x^(1/3): t / (3 y^2), infinite at 0
Array lax::cbrt(const Arg& x) { return unary(OpCode::kCbrt, x); }
const ir::OpInfo op_infos::cbrt = unary_info<OpCode::kCbrt, kInexact>([](auto x) {
  using T = decltype(x);
  if constexpr (is_complex_v<T>) {
    using R = typename T::value_type;
    return std::polar(std::cbrt(std::abs(x)), std::arg(x) / R(3));
  } else {
    return std::cbrt(x);
  }
});
const OpRules op_rule_table::cbrt = smooth_rules([](const Array& t, const Array&, const Array& y) {
  return lax::multiply(t, lax::divide(1.0 / 3.0, lax::square(y)));
});

// x^2: t 2 x
Array lax::square(const Arg& x) { return unary(OpCode::kSquare, x); }
const ir::OpInfo op_infos::square = unary_info<OpCode::kSquare, kNumber>([](auto x) {
  if constexpr (std::is_integral_v<decltype(x)>)
    return static_cast<decltype(x)>(static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(x));
  else if constexpr (is_complex_v<decltype(x)>)
    return ops::product(x, x);
  else
    return x * x;
});
const OpRules op_rule_table::square =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::multiply(t, lax::multiply(x, 2.0)); });

}  // namespace weft
