// Scalar special functions for reference evaluation, in double unless said. Accurate to a few
// units in the last place over their range; NaN in gives NaN out. Private to ops/.
#pragma once

namespace weft::ops {

/// Giles' two-branch polynomial in single precision, as XLA evaluates it: the random normals of
/// JAX depend on its last bit. M. Giles, "Approximating the erfinv function" (2010).
float erf_inv(float x);
/// The same function to double precision: a rational start and two Newton-Halley steps on erf.
double erf_inv(double x);
/// log |Gamma(x)|; +inf at the poles 0, -1, -2, ...
double lgamma(double x);
/// Gamma'(x) / Gamma(x); NaN at the negative integers, -inf at 0 (by sign of zero, +inf at -0).
double digamma(double x);
/// sum over k >= 0 of (k + q)^-x, for x > 1; inf at x = 1 and at the poles q = 0, -1, ...; NaN for
/// x < 1, and for negative q with x not an integer.
double zeta(double x, double q);
/// (-1)^(n+1) n! zeta(n + 1, x) for whole n >= 1, digamma(x) for n = 0, NaN otherwise.
double polygamma(double n, double x);
/// exp(-|x|) I0(x) and exp(-|x|) I1(x).
double bessel_i0e(double x);
double bessel_i1e(double x);

}  // namespace weft::ops
