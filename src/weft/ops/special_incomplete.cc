// The incomplete gamma and beta functions and their derivatives by their parameters, which are
// operations of their own. Each block is headed by the partial derivatives.
#include "weft/ops/elementwise.h"
#include "weft/ops/special_functions.h"

namespace weft {

using ops::binary, ops::binary_info, ops::kAcceptFloat, ops::kThroughDouble, ops::smooth_rules, ops::ternary,
    ops::ternary_info;

namespace {

// First derivatives by the parameters are functions of their own; what would be second ones ends here.
[[noreturn]] Array refuse(std::string_view op, std::string_view parameter, int operand) {
  throw NotDifferentiableError(std::string(op) + ": there is no formula for second derivatives by " +
                                   std::string(parameter) + ", only for first ones; got a tangent for operand " +
                                   std::to_string(operand) + ".",
                               "wrap " + std::string(parameter) +
                                   " in lax::stop_gradient if it is a constant, or take differences of the first "
                                   "derivative.");
}

// n log x, 0 for n = 0.
Array times_log(const Array& n, const Array& x) {
  const Array none = lax::eq(n, 0.0);
  return lax::multiply(n, lax::log(lax::select(none, 1.0, x)));
}
Array times_log_plus_one(const Array& n, const Array& x) {
  const Array none = lax::eq(n, 0.0);
  return lax::multiply(n, lax::log_plus_one(lax::select(none, 0.0, x)));
}

// Exponents in the thousands turn relative errors into absolute ones, so densities are computed in
// f64 whatever the operands are.
Array wide(const Array& x) { return lax::convert(x, f64); }

// log(1 + m) - m. Densities of large parameters are products of e^(n times this), and factors that do not cancel.
Array log_plus_one_minus(const Array& m) { return lax::subtract(lax::log_plus_one(m), m); }

// Stirling's series log Gamma(n) - (n - 1/2) log n + n - log(2 pi) / 2, for n above 30:
// 1/(12 n) - 1/(360 n^3) + 1/(1260 n^5) - 1/(1680 n^7).
Array stirling_tail(const Array& n) {
  const Array r = lax::divide(1.0, lax::square(n));
  Array tail = lax::subtract(1.0 / 1260, lax::multiply(r, 1.0 / 1680));
  tail = lax::subtract(1.0 / 360, lax::multiply(r, tail));
  return lax::divide(lax::subtract(1.0 / 12, lax::multiply(r, tail)), n);
}

constexpr double kOneOverTwoPi = 0.15915494309189535;

// The density p = x^(a-1) e^-x / Gamma(a) in f64, 0 at infinity.
Array gamma_density(const Array& a, const Array& x) {
  const Array plain = lax::subtract(lax::subtract(times_log(lax::subtract(a, 1.0), x), x), lax::lgamma(a));
  // For large a that sum cancels; with m = x/a - 1,
  // p = sqrt(a / 2 pi) / x e^(a (log(1 + m) - m) - tail(a)).
  const Array finite = lax::and_(lax::is_finite(a), lax::is_finite(x));
  const Array large = lax::and_(finite, lax::and_(lax::gt(a, 30.0), lax::gt(x, 0.0)));
  const Array n = lax::select(large, a, 1.0), v = lax::select(large, x, 1.0);
  const Array around = lax::multiply(n, log_plus_one_minus(lax::divide(lax::subtract(v, n), n)));
  const Array scale = lax::subtract(lax::multiply(lax::log(lax::multiply(n, kOneOverTwoPi)), 0.5), lax::log(v));
  const Array exponent = lax::add(lax::subtract(around, stirling_tail(n)), scale);
  const Array density = lax::exponential(lax::select(large, exponent, plain));
  const Array unknown = lax::or_(lax::ne(a, a), lax::ne(x, x));
  return lax::select(finite, density, lax::select(unknown, lax::add(a, x), 0.0));
}

// log x - psi(a) in f64, which is small where x is near a large a.
Array log_minus_digamma(const Array& x, const Array& a) {
  const Array near = lax::and_(lax::and_(lax::gt(a, 1e3), lax::is_finite(a)), lax::gt(x, lax::multiply(a, 0.5)));
  // log a - psi(a) = 1/(2a) + 1/(12 a^2) - 1/(120 a^4) + ...
  const Array n = lax::select(near, a, 1.0), v = lax::select(near, x, 1.0), r = lax::divide(1.0, n);
  const Array tail = lax::add(0.5, lax::multiply(r, lax::subtract(1.0 / 12, lax::multiply(lax::square(r), 1.0 / 120))));
  const Array around = lax::add(lax::log_plus_one(lax::divide(lax::subtract(v, n), n)), lax::multiply(r, tail));
  return lax::select(near, around, lax::subtract(lax::log(x), lax::digamma(a)));
}

// Parameters below this have slopes of densities by the recurrences of Gamma and psi: at 0, where the density vanishes,
// its slope does not.
constexpr double kSmallParameter = 0.125;

// dp/da = p (log x - psi(a)) of the density p of gamma_density, 0 where that vanishes.
Array gamma_density_slope(const Array& a, const Array& x) {
  const Array density = gamma_density(a, x), vanishes = lax::eq(density, 0.0);
  const Array slope = lax::multiply(density, log_minus_digamma(lax::select(vanishes, 1.0, x), a));
  // p / a = x^(a-1) e^-x / Gamma(a + 1), and a psi(a) = a psi(a + 1) - 1.
  const Array next = lax::add(a, 1.0);
  const Array weight =
      lax::exponential(lax::subtract(lax::subtract(times_log(lax::subtract(a, 1.0), x), x), lax::lgamma(next)));
  const Array none = lax::eq(weight, 0.0), v = lax::select(none, 1.0, x);
  const Array small_slope =
      lax::multiply(weight, lax::add(1.0, lax::multiply(a, lax::subtract(lax::log(v), lax::digamma(next)))));
  return lax::select(lax::lt(a, kSmallParameter), lax::select(none, 0.0, small_slope),
                     lax::select(vanishes, 0.0, slope));
}

// log of x^(a-1) (1-x)^(b-1)
Array beta_log_powers(const Array& a, const Array& b, const Array& x) {
  return lax::add(times_log(lax::subtract(a, 1.0), x), times_log_plus_one(lax::subtract(b, 1.0), lax::negate(x)));
}

// The density p = x^(a-1) (1-x)^(b-1) / B(a, b) in f64.
Array beta_density(const Array& a, const Array& b, const Array& x) {
  const Array log_beta = lax::subtract(lax::add(lax::lgamma(a), lax::lgamma(b)), lax::lgamma(lax::add(a, b)));
  const Array powers = beta_log_powers(a, b, x);
  // For large a and b, with n = a + b, d = x - a/n, u = d / (a/n), v = -d / (b/n),
  // p = sqrt(a b / (2 pi n)) / (x (1-x)) e^(a (log(1+u) - u) + b (log(1+v) - v) + tail(n) - tail(a) - tail(b)).
  const Array inside = lax::and_(lax::gt(x, 0.0), lax::lt(x, 1.0));
  const Array finite = lax::and_(lax::is_finite(a), lax::is_finite(b));
  const Array large = lax::and_(lax::and_(inside, finite), lax::and_(lax::gt(a, 30.0), lax::gt(b, 30.0)));
  const Array a1 = lax::select(large, a, 1.0), b1 = lax::select(large, b, 1.0), x1 = lax::select(large, x, 0.5);
  const Array n = lax::add(a1, b1), p = lax::divide(a1, n), q = lax::divide(b1, n), d = lax::subtract(x1, p);
  const Array around = lax::add(lax::multiply(a1, log_plus_one_minus(lax::divide(d, p))),
                                lax::multiply(b1, log_plus_one_minus(lax::negate(lax::divide(d, q)))));
  const Array tails = lax::subtract(lax::subtract(stirling_tail(n), stirling_tail(a1)), stirling_tail(b1));
  const Array root = lax::sqrt(lax::multiply(lax::multiply(a1, q), kOneOverTwoPi));
  const Array scale = lax::divide(lax::divide(root, x1), lax::subtract(1.0, x1));
  return lax::multiply(lax::exponential(lax::select(large, lax::add(around, tails), lax::subtract(powers, log_beta))),
                       lax::select(large, scale, 1.0));
}

// t y rounded once to t's type.
Array times_wide(const Array& t, const Array& y) { return lax::convert(lax::multiply(wide(t), y), t.dtype()); }

}  // namespace

// P(a, x): s dP/da, t x^(a-1) e^-x / Gamma(a)
Array lax::igamma(const Arg& a, const Arg& x) { return binary(OpCode::kIgamma, a, x); }
const ir::OpInfo op_infos::igamma = binary_info<OpCode::kIgamma, kAcceptFloat>(kThroughDouble<ops::igamma>);
const OpRules op_rule_table::igamma =
    smooth_rules([](const Array& s, const Array& a, const Array& x,
                    const Array&) { return lax::multiply(s, lax::igamma_grad_a(a, x)); },
                 [](const Array& t, const Array& a, const Array& x, const Array&) {
                   return times_wide(t, gamma_density(wide(a), wide(x)));
                 });

// Q = 1 - P
Array lax::igammac(const Arg& a, const Arg& x) { return binary(OpCode::kIgammac, a, x); }
const ir::OpInfo op_infos::igammac = binary_info<OpCode::kIgammac, kAcceptFloat>(kThroughDouble<ops::igammac>);
const OpRules op_rule_table::igammac =
    smooth_rules([](const Array& s, const Array& a, const Array& x,
                    const Array&) { return lax::multiply(s, lax::negate(lax::igamma_grad_a(a, x))); },
                 [](const Array& t, const Array& a, const Array& x, const Array&) {
                   return times_wide(t, lax::negate(gamma_density(wide(a), wide(x))));
                 });

// dP/da: by x the density's slope by a, t p (log x - psi(a)), 0 at infinity
Array lax::igamma_grad_a(const Arg& a, const Arg& x) { return binary(OpCode::kIgammaGradA, a, x); }
const ir::OpInfo op_infos::igamma_grad_a =
    binary_info<OpCode::kIgammaGradA, kAcceptFloat>(kThroughDouble<ops::igamma_grad_a>);
const OpRules op_rule_table::igamma_grad_a = smooth_rules(
    [](const Array&, const Array&, const Array&, const Array&) -> Array { refuse("igamma_grad_a", "the order", 0); },
    [](const Array& t, const Array& order, const Array& argument, const Array&) {
      return times_wide(t, gamma_density_slope(wide(order), wide(argument)));
    });

// y = -(dP/da) / p: by x, with the slopes of dP/da and p, t (psi(a) - log x + y (x - a + 1) / x)
Array lax::random_gamma_grad(const Arg& a, const Arg& x) { return binary(OpCode::kRandomGammaGrad, a, x); }
const ir::OpInfo op_infos::random_gamma_grad =
    binary_info<OpCode::kRandomGammaGrad, kAcceptFloat>(kThroughDouble<ops::random_gamma_grad>);
const OpRules op_rule_table::random_gamma_grad =
    smooth_rules([](const Array&, const Array&, const Array&,
                    const Array&) -> Array { refuse("random_gamma_grad", "the shape", 0); },
                 [](const Array& t, const Array& shape, const Array& sample, const Array&) {
                   const Array a = wide(shape), x = wide(sample), zero = lax::eq(x, 0.0);
                   const Array share = lax::divide(lax::random_gamma_grad(a, x), lax::select(zero, 1.0, x));
                   const Array pull = lax::multiply(share, lax::add(lax::subtract(x, a), 1.0));
                   // Infinite at 0, where log x outweighs the pull.
                   return times_wide(t, lax::subtract(lax::select(zero, 0.0, pull), log_minus_digamma(x, a)));
                 });

// I_x(a, b): dI/da, dI/db, t x^(a-1) (1-x)^(b-1) / B(a, b)
Array lax::regularized_incomplete_beta(const Arg& a, const Arg& b, const Arg& x) {
  return ternary(OpCode::kRegularizedIncompleteBeta, a, b, x);
}
const ir::OpInfo op_infos::regularized_incomplete_beta =
    ternary_info<OpCode::kRegularizedIncompleteBeta, ops::regularized_incomplete_beta>();
const OpRules op_rule_table::regularized_incomplete_beta =
    smooth_rules([](const Array& t, const Array& a, const Array& b, const Array& x,
                    const Array&) { return lax::multiply(t, lax::regularized_incomplete_beta_grad_a(a, b, x)); },
                 [](const Array& t, const Array& a, const Array& b, const Array& x, const Array&) {
                   return lax::multiply(t, lax::regularized_incomplete_beta_grad_b(a, b, x));
                 },
                 [](const Array& t, const Array& a, const Array& b, const Array& x, const Array&) {
                   return times_wide(t, beta_density(wide(a), wide(b), wide(x)));
                 });

// dI/da and dI/db: by x the density's slopes, t p (log x - psi(a) + psi(a + b)) and t p (log(1-x) - psi(b) + psi(a +
// b))
Array lax::regularized_incomplete_beta_grad_a(const Arg& a, const Arg& b, const Arg& x) {
  return ternary(OpCode::kRegularizedIncompleteBetaGradA, a, b, x);
}
Array lax::regularized_incomplete_beta_grad_b(const Arg& a, const Arg& b, const Arg& x) {
  return ternary(OpCode::kRegularizedIncompleteBetaGradB, a, b, x);
}
const ir::OpInfo op_infos::regularized_incomplete_beta_grad_a =
    ternary_info<OpCode::kRegularizedIncompleteBetaGradA, ops::regularized_incomplete_beta_grad_a>();
const ir::OpInfo op_infos::regularized_incomplete_beta_grad_b =
    ternary_info<OpCode::kRegularizedIncompleteBetaGradB, ops::regularized_incomplete_beta_grad_b>();

namespace {

// t times the density's slope by a (kB false) or b.
template <bool kB>
Array density_slope(const Array& t, const Array& first, const Array& second, const Array& argument) {
  const Array a = wide(first), b = wide(second), x = wide(argument), sum = lax::add(a, b);
  const auto log_factor = [&](const Array& without) {
    const Array inside = lax::select(without, 0.5, x);
    return kB ? lax::log_plus_one(lax::negate(inside)) : lax::log(inside);
  };
  const Array& own = kB ? b : a;
  const Array density = beta_density(a, b, x), vanishes = lax::eq(density, 0.0);
  const Array slope =
      lax::multiply(density, lax::subtract(lax::add(log_factor(vanishes), lax::digamma(sum)), lax::digamma(own)));
  // With n the parameter: p / n has Gamma(n + 1) for Gamma(n), and n psi(n) = n psi(n + 1) - 1.
  const Array next = lax::add(own, 1.0);
  const Array log_beta = lax::subtract(lax::add(lax::lgamma(next), lax::lgamma(kB ? a : b)), lax::lgamma(sum));
  const Array weight = lax::exponential(lax::subtract(beta_log_powers(a, b, x), log_beta));
  const Array none = lax::eq(weight, 0.0);
  const Array change = lax::subtract(lax::add(log_factor(none), lax::digamma(sum)), lax::digamma(next));
  const Array small_slope = lax::multiply(weight, lax::add(1.0, lax::multiply(own, change)));
  return times_wide(t, lax::select(lax::lt(own, kSmallParameter), lax::select(none, 0.0, small_slope),
                                   lax::select(vanishes, 0.0, slope)));
}
template <OpCode kOp>
constexpr OpRules beta_grad_rules(auto by_x) {
  return smooth_rules([](const Array&, const Array&, const Array&, const Array&,
                         const Array&) -> Array { refuse(ir::op_name(kOp), "a", 0); },
                      [](const Array&, const Array&, const Array&, const Array&, const Array&) -> Array {
                        refuse(ir::op_name(kOp), "b", 1);
                      },
                      by_x);
}

}  // namespace

const OpRules op_rule_table::regularized_incomplete_beta_grad_a =
    beta_grad_rules<OpCode::kRegularizedIncompleteBetaGradA>(
        [](const Array& t, const Array& a, const Array& b, const Array& x, const Array&) {
          return density_slope<false>(t, a, b, x);
        });
const OpRules op_rule_table::regularized_incomplete_beta_grad_b =
    beta_grad_rules<OpCode::kRegularizedIncompleteBetaGradB>(
        [](const Array& t, const Array& a, const Array& b, const Array& x, const Array&) {
          return density_slope<true>(t, a, b, x);
        });

}  // namespace weft
