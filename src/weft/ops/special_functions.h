// Scalar special functions for reference evaluation, in double unless said. Accurate to a few
// units in the last place over their range, near their zeros too; NaN in gives NaN out. Private to ops/.
#pragma once

namespace weft::ops {

/// The inverse of erf: a start of three digits and Newton-Halley steps on erf, or on erfc far out. +-inf at +-1, NaN
/// beyond.
double erf_inv(double x);
/// log |Gamma(x)|, the C library's; +inf at the poles 0, -1, -2, ...
double lgamma(double x);
// ---- the digamma function and its derivatives (polygamma.cc) ----

/// Gamma'(x) / Gamma(x); NaN at the negative integers, -inf at 0 (by sign of zero, +inf at -0).
double digamma(double x);
/// sum over k >= 0 of (k + q)^-x, for x > 1; inf at x = 1 and at the poles q = 0, -1, ...; NaN for
/// x < 1, and for negative q with x not an integer.
double zeta(double x, double q);
/// d^n/ds^n zeta(s, q) = sum over k >= 0 of (-log(k + q))^n (k + q)^-s, for whole n from 0 to 20; NaN for other n, for
/// s < 1 and, unless n is 0, for q <= 0, where zeta is defined for whole s only.
double zeta_derivative(double n, double s, double q);
/// (-1)^(n+1) n! zeta(n + 1, x) for whole n >= 1, digamma(x) for n = 0, NaN otherwise.
double polygamma(double n, double x);
// ---- Bessel functions ----

/// exp(-|x|) I0(x) and exp(-|x|) I1(x).
double bessel_i0e(double x);
double bessel_i1e(double x);

// ---- incomplete functions (incomplete_gamma.cc, incomplete_beta.cc) ----

/// P(a, x) = integral of t^(a-1) e^-t from 0 to x, over Gamma(a), and Q = 1 - P. NaN for negative arguments, at
/// a = x = 0 and at a = x = inf; P(0, x) = P(a, inf) = 1, P(a, 0) = P(inf, x) = 0.
double igamma(double a, double x);
double igammac(double a, double x);
/// dP/da, from the right at a = 0.
double igamma_grad_a(double a, double x);
/// dx/da of a sample x of the gamma distribution of shape a: -(dP/da) / (dP/dx).
double random_gamma_grad(double a, double x);
/// I_x(a, b) = integral of t^(a-1) (1-t)^(b-1) from 0 to x, over B(a, b). NaN for negative a or b, x outside of [0, 1],
/// and where a and b are both 0 or both infinite.
double regularized_incomplete_beta(double a, double b, double x);
double regularized_incomplete_beta_grad_a(double a, double b, double x);
double regularized_incomplete_beta_grad_b(double a, double b, double x);

}  // namespace weft::ops
