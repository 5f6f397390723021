// The logarithm of the gamma function, its derivatives, and Hurwitz' zeta function.
// Each block is headed by the tangent along t (r for a first operand).
#include "weft/ops/elementwise.h"
#include "weft/ops/special_functions.h"

namespace weft {

using ops::binary, ops::binary_info, ops::kAcceptFloat, ops::kThroughDouble, ops::smooth_rules, ops::ternary,
    ops::ternary_info, ops::unary, ops::unary_info;

namespace {

// Between whole numbers the functions are not defined.
template <OpCode kOp>
constexpr auto refuse_order = [](const auto&...) -> Array {
  throw NotDifferentiableError(
      std::string(ir::op_name(kOp)) +
          ": there is no derivative by the order, a whole number; got a tangent for operand 0.",
      "wrap the order in lax::stop_gradient if it is a constant.");
};

}  // namespace

// log |Gamma(x)|: t psi(x)
Array lax::lgamma(const Arg& x) { return unary(OpCode::kLgamma, x); }
const ir::OpInfo op_infos::lgamma = unary_info<OpCode::kLgamma, kAcceptFloat>(kThroughDouble<ops::lgamma>);
const OpRules op_rule_table::lgamma =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::multiply(t, lax::digamma(x)); });

// psi(x): t psi'(x)
Array lax::digamma(const Arg& x) { return unary(OpCode::kDigamma, x); }
const ir::OpInfo op_infos::digamma = unary_info<OpCode::kDigamma, kAcceptFloat>(kThroughDouble<ops::digamma>);
const OpRules op_rule_table::digamma =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::multiply(t, lax::polygamma(1.0, x)); });

// psi^(n)(x): t psi^(n+1)(x) by x
Array lax::polygamma(const Arg& n, const Arg& x) { return binary(OpCode::kPolygamma, n, x); }
const ir::OpInfo op_infos::polygamma = binary_info<OpCode::kPolygamma, kAcceptFloat>(kThroughDouble<ops::polygamma>);
const OpRules op_rule_table::polygamma =
    smooth_rules(refuse_order<OpCode::kPolygamma>, [](const Array& t, const Array& n, const Array& x, const Array&) {
      return lax::multiply(t, lax::polygamma(lax::add(n, 1.0), x));
    });

// zeta(s, q): r d/ds zeta(s, q) by s, -t s zeta(s + 1, q) by q
Array lax::zeta(const Arg& x, const Arg& q) { return binary(OpCode::kZeta, x, q); }
const ir::OpInfo op_infos::zeta = binary_info<OpCode::kZeta, kAcceptFloat>(kThroughDouble<ops::zeta>);
const OpRules op_rule_table::zeta =
    smooth_rules([](const Array& r, const Array& s, const Array& q,
                    const Array&) { return lax::multiply(r, lax::zeta_derivative(1.0, s, q)); },
                 [](const Array& t, const Array& s, const Array& q, const Array&) {
                   return lax::multiply(t, lax::negate(lax::multiply(s, lax::zeta(lax::add(s, 1.0), q))));
                 });

// z_n(s, q) = sum of (-log a)^n a^-s over a = q + k: r z_(n+1)(s, q) by s, -t (s z_n(s + 1, q) + n z_(n-1)(s + 1, q))
// by q
Array lax::zeta_derivative(const Arg& n, const Arg& s, const Arg& q) {
  return ternary(OpCode::kZetaDerivative, n, s, q);
}
const ir::OpInfo op_infos::zeta_derivative = ternary_info<OpCode::kZetaDerivative, ops::zeta_derivative>();
const OpRules op_rule_table::zeta_derivative = smooth_rules(
    refuse_order<OpCode::kZetaDerivative>,
    [](const Array& r, const Array& n, const Array& s, const Array& q, const Array&) {
      return lax::multiply(r, lax::zeta_derivative(lax::add(n, 1.0), s, q));
    },
    [](const Array& t, const Array& n, const Array& s, const Array& q, const Array&) {
      const Array next = lax::add(s, 1.0), below = lax::maximum(lax::subtract(n, 1.0), 0.0);
      return lax::multiply(t, lax::negate(lax::add(lax::multiply(s, lax::zeta_derivative(n, next, q)),
                                                   lax::multiply(n, lax::zeta_derivative(below, next, q)))));
    });

}  // namespace weft
