// Trigonometric and hyperbolic functions and their inverses, for floats and complex.
// Each block is headed by the tangent of y = f(x) along t. Complex functions are holomorphic off
// their branch cuts, which are those of C99, so one formula serves both.
#include "weft/ops/complex_functions.h"
#include "weft/ops/elementwise.h"

namespace weft {

using ops::kInexact, ops::smooth_rules, ops::through_wider, ops::unary, ops::unary_info;

// sin x: t cos x
Array lax::sine(const Arg& x) { return unary(OpCode::kSine, x); }
const ir::OpInfo op_infos::sine =
    unary_info<OpCode::kSine, kInexact>([](auto x) { return through_wider([](auto z) { return std::sin(z); }, x); });
const OpRules op_rule_table::sine =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::multiply(t, lax::cosine(x)); });

// cos x: -(t sin x)
Array lax::cosine(const Arg& x) { return unary(OpCode::kCosine, x); }
const ir::OpInfo op_infos::cosine =
    unary_info<OpCode::kCosine, kInexact>([](auto x) { return through_wider([](auto z) { return std::cos(z); }, x); });
const OpRules op_rule_table::cosine = smooth_rules(
    [](const Array& t, const Array& x, const Array&) { return lax::negate(lax::multiply(t, lax::sine(x))); });

// tan x: t (1 + y^2)
Array lax::tan(const Arg& x) { return unary(OpCode::kTan, x); }
const ir::OpInfo op_infos::tan =
    unary_info<OpCode::kTan, kInexact>([](auto x) { return through_wider([](auto z) { return std::tan(z); }, x); });
const OpRules op_rule_table::tan = smooth_rules(
    [](const Array& t, const Array&, const Array& y) { return lax::multiply(t, lax::add(lax::square(y), 1.0)); });

// asin x: t / sqrt((1 - x) (1 + x)), which keeps the digits that 1 - x^2 would lose near 1
Array lax::asin(const Arg& x) { return unary(OpCode::kAsin, x); }
const ir::OpInfo op_infos::asin =
    unary_info<OpCode::kAsin, kInexact>([](auto x) { return through_wider([](auto z) { return std::asin(z); }, x); });
const OpRules op_rule_table::asin = smooth_rules([](const Array& t, const Array& x, const Array&) {
  return lax::multiply(t, lax::rsqrt(lax::multiply(lax::subtract(1.0, x), lax::add(x, 1.0))));
});

// acos x: -t / sqrt((1 - x) (1 + x))
Array lax::acos(const Arg& x) { return unary(OpCode::kAcos, x); }
const ir::OpInfo op_infos::acos =
    unary_info<OpCode::kAcos, kInexact>([](auto x) { return through_wider([](auto z) { return std::acos(z); }, x); });
const OpRules op_rule_table::acos = smooth_rules([](const Array& t, const Array& x, const Array&) {
  return lax::multiply(t, lax::negate(lax::rsqrt(lax::multiply(lax::subtract(1.0, x), lax::add(x, 1.0)))));
});

// atan x: t / (1 + x^2)
Array lax::atan(const Arg& x) { return unary(OpCode::kAtan, x); }
const ir::OpInfo op_infos::atan =
    unary_info<OpCode::kAtan, kInexact>([](auto x) { return through_wider([](auto z) { return std::atan(z); }, x); });
const OpRules op_rule_table::atan = smooth_rules(
    [](const Array& t, const Array& x, const Array&) { return lax::divide(t, lax::add(lax::square(x), 1.0)); });

// sinh x: t cosh x
Array lax::sinh(const Arg& x) { return unary(OpCode::kSinh, x); }
const ir::OpInfo op_infos::sinh =
    unary_info<OpCode::kSinh, kInexact>([](auto x) { return through_wider([](auto z) { return std::sinh(z); }, x); });
const OpRules op_rule_table::sinh =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::multiply(t, lax::cosh(x)); });

// cosh x: t sinh x
Array lax::cosh(const Arg& x) { return unary(OpCode::kCosh, x); }
const ir::OpInfo op_infos::cosh =
    unary_info<OpCode::kCosh, kInexact>([](auto x) { return through_wider([](auto z) { return std::cosh(z); }, x); });
const OpRules op_rule_table::cosh =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::multiply(t, lax::sinh(x)); });

// tanh x: t (1 + y) (1 - y), one residual instead of two
Array lax::tanh(const Arg& x) { return unary(OpCode::kTanh, x); }
const ir::OpInfo op_infos::tanh =
    unary_info<OpCode::kTanh, kInexact>([](auto x) { return through_wider([](auto z) { return std::tanh(z); }, x); });
const OpRules op_rule_table::tanh = smooth_rules([](const Array& t, const Array&, const Array& y) {
  return lax::multiply(t, lax::multiply(lax::add(y, 1.0), lax::subtract(1.0, y)));
});

// asinh x: t / sqrt(x^2 + 1)
Array lax::asinh(const Arg& x) { return unary(OpCode::kAsinh, x); }
const ir::OpInfo op_infos::asinh =
    unary_info<OpCode::kAsinh, kInexact>([](auto x) { return through_wider([](auto z) { return std::asinh(z); }, x); });
const OpRules op_rule_table::asinh = smooth_rules([](const Array& t, const Array& x, const Array&) {
  return lax::multiply(t, lax::rsqrt(lax::add(lax::square(x), 1.0)));
});

// acosh x: t / (sqrt(x - 1) sqrt(x + 1)); one square root of the product has the wrong sign for Re x < 0
Array lax::acosh(const Arg& x) { return unary(OpCode::kAcosh, x); }
const ir::OpInfo op_infos::acosh =
    unary_info<OpCode::kAcosh, kInexact>([](auto x) { return through_wider([](auto z) { return std::acosh(z); }, x); });
const OpRules op_rule_table::acosh = smooth_rules([](const Array& t, const Array& x, const Array&) {
  return lax::multiply(t, lax::multiply(lax::rsqrt(lax::subtract(x, 1.0)), lax::rsqrt(lax::add(x, 1.0))));
});

// atanh x: t / ((1 - x) (1 + x))
Array lax::atanh(const Arg& x) { return unary(OpCode::kAtanh, x); }
const ir::OpInfo op_infos::atanh =
    unary_info<OpCode::kAtanh, kInexact>([](auto x) { return through_wider([](auto z) { return std::atanh(z); }, x); });
const OpRules op_rule_table::atanh = smooth_rules([](const Array& t, const Array& x, const Array&) {
  return lax::divide(t, lax::multiply(lax::subtract(1.0, x), lax::add(x, 1.0)));
});

}  // namespace weft
