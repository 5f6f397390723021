// weft::lax: every operation, declared and documented once.
//
// These are StableHLO's and CHLO's operations with their names. They do not broadcast and do not
// promote: operands must have equal dtypes and, elementwise, equal shapes. A C++ number beside an
// array takes the array's dtype and shape. weft::np has NumPy's behaviour on top.
//
// Errors: ShapeError and DTypeError when operands do not fit, IndexError for axes out of range.
// Floats are f16, bf16, f32, f64; complex are c64, c128; integers are i8-i64, u8-u64. Storage types count too, where
// nothing else is said: f8e4m3fn and its siblings as floats, which compute in f32 and round the result once; i2, i4,
// u2, u4 as integers, which wrap at their own width.
#pragma once

#include <optional>

#include "weft/core/arg.h"
#include "weft/ir/contraction.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/indexing.h"
#include "weft/ir/linalg.h"
#include "weft/ir/random.h"
#include "weft/ir/window.h"

namespace weft::lax {

// ---- elementwise, one operand: y[i] = f(x[i]) ----

/// |x|. Signed integers, floats, complex (result is the real dtype).
Array abs(const Arg& x);
/// Inverse cosine in [0, pi]. Floats, complex (as all functions down to `tanh` unless said).
Array acos(const Arg& x);
Array acosh(const Arg& x);
Array asin(const Arg& x);
Array asinh(const Arg& x);
Array atan(const Arg& x);
Array atanh(const Arg& x);
/// exp(-|x|) I0(x), the scaled modified Bessel function of order 0. Floats.
Array bessel_i0e(const Arg& x);
/// exp(-|x|) I1(x), the scaled modified Bessel function of order 1. Floats.
Array bessel_i1e(const Arg& x);
Array cbrt(const Arg& x);
/// Smallest integer not below x. Floats.
Array ceil(const Arg& x);
/// Complex conjugate; the identity for floats. Floats, complex.
Array conj(const Arg& x);
Array cosh(const Arg& x);
Array cosine(const Arg& x);
/// Number of leading zero bits. Integers.
Array count_leading_zeros(const Arg& x);
/// d/dx log Gamma(x). Floats.
Array digamma(const Arg& x);
/// 2/sqrt(pi) * integral of exp(-t^2) from 0 to x. Floats.
Array erf(const Arg& x);
/// Inverse of erf. Floats.
Array erf_inv(const Arg& x);
/// 1 - erf(x). Floats.
Array erfc(const Arg& x);
/// e^x.
Array exponential(const Arg& x);
/// e^x - 1, accurate near 0.
Array exponential_minus_one(const Arg& x);
Array floor(const Arg& x);
/// Imaginary part; zero for floats. Floats, complex; the result has the real dtype.
Array imag(const Arg& x);
/// bool: neither infinite nor NaN. Floats, complex, integers (true).
Array is_finite(const Arg& x);
/// bool. Floats.
Array is_inf(const Arg& x);
Array is_neg_inf(const Arg& x);
Array is_pos_inf(const Arg& x);
/// log |Gamma(x)|. Floats.
Array lgamma(const Arg& x);
Array log(const Arg& x);
/// log(1 + x), accurate near 0.
Array log_plus_one(const Arg& x);
/// 1 / (1 + e^-x).
Array logistic(const Arg& x);
/// -x. Integers (wrapping), floats, complex.
Array negate(const Arg& x);
/// Bitwise complement of integers, logical not of bool.
Array not_(const Arg& x);
/// Number of one bits. Integers.
Array popcnt(const Arg& x);
/// Real part. Floats, complex; the result has the real dtype.
Array real(const Arg& x);
/// Nearest integer, halves away from zero. Floats.
Array round_nearest_afz(const Arg& x);
/// Nearest integer, halves to even. Floats.
Array round_nearest_even(const Arg& x);
/// 1 / sqrt(x).
Array rsqrt(const Arg& x);
/// -1, 0 or 1 (NaN for NaN, the zero's sign kept); x / |x| for complex. Signed integers, floats, complex; 0 or 1 for
/// unsigned.
Array sign(const Arg& x);
Array sine(const Arg& x);
Array sinh(const Arg& x);
Array sqrt(const Arg& x);
/// x * x. Integers, floats, complex.
Array square(const Arg& x);
Array tan(const Arg& x);
Array tanh(const Arg& x);

// ---- elementwise, two operands: z[i] = f(x[i], y[i]) ----

/// x + y; logical or for bool. All dtypes.
Array add(const Arg& x, const Arg& y);
/// Bitwise and logical and. Integers, bool.
Array and_(const Arg& x, const Arg& y);
/// Angle of the point (y, x): atan2(y[i], x[i]) in (-pi, pi]. Floats, complex.
Array atan2(const Arg& y, const Arg& x);
/// re + im j. f32 -> c64, f64 -> c128.
Array complex(const Arg& re, const Arg& im);
/// x / y; truncated for integers (division by zero gives -1, all bits set). Integers, floats, complex.
Array divide(const Arg& x, const Arg& y);
/// P(a, x) = integral of t^(a-1) e^-t from 0 to x, over Gamma(a): the regularized lower incomplete gamma function, the
/// cumulative distribution of gamma samples of shape a. NaN for negative operands and where both are 0 or infinite;
/// P(0, x) = 1. Differentiable by both, once by a. Floats. DLMF 8.2.4.
Array igamma(const Arg& a, const Arg& x);
/// dP/da, from the right at a = 0. Differentiable by x. Floats.
Array igamma_grad_a(const Arg& a, const Arg& x);
/// Q(a, x) = 1 - P(a, x), without cancellation: the upper function. Floats.
Array igammac(const Arg& a, const Arg& x);
/// The larger; NaN if either is; lexicographic for complex; or for bool. All dtypes.
Array maximum(const Arg& x, const Arg& y);
/// The smaller; NaN if either is; lexicographic for complex; and for bool. All dtypes.
Array minimum(const Arg& x, const Arg& y);
/// x * y; logical and for bool. All dtypes.
Array multiply(const Arg& x, const Arg& y);
/// The upper half of the product, which has twice the bits: floor(x y / 2^bits). Integers.
Array mulhi(const Arg& x, const Arg& y);
/// The next float after x towards y. Floats.
Array next_after(const Arg& x, const Arg& y);
Array or_(const Arg& x, const Arg& y);
/// d^(n+1)/dx^(n+1) log Gamma(x) for whole n >= 0, NaN for other n, by which there is no derivative. Floats.
Array polygamma(const Arg& n, const Arg& x);
/// x^y. Integers (negative exponents: 0, or +-1 for a base of +-1), floats, complex.
Array power(const Arg& x, const Arg& y);
/// dx/da of a sample x of the gamma distribution of shape a, with the uniform number behind it fixed:
/// -(dP/da) / (dP/dx) with P of `igamma`. M. Figurnov, S. Mohamed, A. Mnih, "Implicit reparameterization gradients"
/// (2018). NaN for a <= 0. Differentiable by x. Floats.
Array random_gamma_grad(const Arg& a, const Arg& x);
/// Remainder of truncated division, with x's sign; x when dividing an integer by zero. Integers, floats.
Array remainder(const Arg& x, const Arg& y);
/// Shifts by y bits; by the width or more gives 0 (or the sign, arithmetic). Integers.
Array shift_left(const Arg& x, const Arg& y);
Array shift_right_arithmetic(const Arg& x, const Arg& y);
Array shift_right_logical(const Arg& x, const Arg& y);
/// x - y. Integers, floats, complex.
Array subtract(const Arg& x, const Arg& y);
Array xor_(const Arg& x, const Arg& y);
/// Hurwitz zeta: sum over k >= 0 of (k + q)^-x. Differentiable by both. Floats.
Array zeta(const Arg& x, const Arg& q);

// ---- elementwise, three operands ----

/// I_x(a, b) = integral of t^(a-1) (1-t)^(b-1) from 0 to x, over B(a, b): the cumulative beta distribution. NaN for
/// negative a or b, for x outside of [0, 1] and where a and b are both 0 or infinite. Differentiable by all, once by a
/// and b. Floats. DLMF 8.17.2.
Array regularized_incomplete_beta(const Arg& a, const Arg& b, const Arg& x);
/// dI/da and dI/db; differentiable by x. Floats.
Array regularized_incomplete_beta_grad_a(const Arg& a, const Arg& b, const Arg& x);
Array regularized_incomplete_beta_grad_b(const Arg& a, const Arg& b, const Arg& x);
/// d^n/ds^n zeta(s, q) = sum over k >= 0 of (-log(k + q))^n (k + q)^-s, for whole n from 0 to 20; NaN for other n, for
/// s < 1 and, unless n is 0, for q <= 0. Differentiable by s and q. Floats.
Array zeta_derivative(const Arg& n, const Arg& s, const Arg& q);

// ---- compare, select, clamp ----

using weft::ComparisonDirection;
/// bool: x[i] <direction> y[i]. NaN is unequal to everything, except in the total order of floats (kTotalEq, ...):
/// -NaN < -inf < ... < -0 < 0 < ... < inf < NaN. Complex: eq and ne only. All dtypes.
Array compare(const Arg& x, const Arg& y, ComparisonDirection direction);
inline Array eq(const Arg& x, const Arg& y) { return compare(x, y, ComparisonDirection::kEq); }
inline Array ne(const Arg& x, const Arg& y) { return compare(x, y, ComparisonDirection::kNe); }
inline Array ge(const Arg& x, const Arg& y) { return compare(x, y, ComparisonDirection::kGe); }
inline Array gt(const Arg& x, const Arg& y) { return compare(x, y, ComparisonDirection::kGt); }
inline Array le(const Arg& x, const Arg& y) { return compare(x, y, ComparisonDirection::kLe); }
inline Array lt(const Arg& x, const Arg& y) { return compare(x, y, ComparisonDirection::kLt); }
/// pred[i] ? on_true[i] : on_false[i]. `pred` is bool, of the operands' shape or 0-d. All dtypes.
Array select(const Array& pred, const Arg& on_true, const Arg& on_false);
/// min(max(x, lo), hi); `lo` and `hi` of x's shape or 0-d. All dtypes, ordered as by maximum and minimum.
Array clamp(const Arg& lo, const Arg& x, const Arg& hi);

// ---- types ----

/// Elements converted: to bool is "not zero"; float to integer truncates, saturates, NaN is 0; integers wrap;
/// complex to real (and to bool) drops the imaginary part. All pairs of dtypes.
Array convert(const Arg& x, DType dtype);
/// The bits of x as another dtype, lowest first. A narrower dtype adds a trailing axis, a wider one consumes it. bool
/// has one bit, i4 four. DTypeError unless both or neither are complex and one width divides the other.
Array bitcast_convert(const Arg& x, DType dtype);
/// x rounded to `exponent_bits` and `mantissa_bits`, in its own dtype. Floats.
Array reduce_precision(const Arg& x, int exponent_bits, int mantissa_bits);

// ---- making and reshaping ----

/// y[..., i, ...] = i along `dimension`. Integers, floats, complex.
Array iota(DType dtype, DimSpan shape, int dimension, SourceLocation loc = std::source_location::current());
/// All elements equal. Costs no memory and no equation.
Array full(DimSpan shape, const Scalar& value, DType dtype, SourceLocation loc = std::source_location::current());
/// The elements in row-major order under another shape of the same size.
Array reshape(const Arg& x, DimSpan shape);
/// y[..., i_k, ...] = x[i_dims[0], i_dims[1], ...]: axis k of x becomes axis dims[k] of the result,
/// which has x's size there, or x has size 1. `dims` may not repeat.
Array broadcast_in_dim(const Arg& x, DimSpan shape, DimSpan dims);
/// y.shape[i] = x.shape[permutation[i]].
Array transpose(const Arg& x, DimSpan permutation);
/// Order reversed along `dimensions`.
Array reverse(const Arg& x, DimSpan dimensions);
/// y[i...] = x[start + i * stride ...], up to `limit` (exclusive). Empty `strides` are ones.
Array slice(const Arg& x, DimSpan start, DimSpan limit, DimSpan strides = {});
/// A window of `sizes` at run-time start indices (0-d integers of one dtype, one per axis),
/// clamped so that the window fits.
Array dynamic_slice(const Array& x, std::span<const Array> start, DimSpan sizes,
                    SourceLocation loc = std::source_location::current());
/// x with the window at `start` (clamped so that it fits) replaced by `update`.
Array dynamic_update_slice(const Array& x, const Arg& update, std::span<const Array> start);
/// Joined along `dimension`; all other sizes equal.
Array concatenate(std::span<const Array> xs, int dimension, SourceLocation loc = std::source_location::current());
inline Array concatenate(std::initializer_list<Array> xs, int dimension,
                         SourceLocation loc = std::source_location::current()) {
  return concatenate(std::span<const Array>(xs.begin(), xs.size()), dimension, loc);
}
/// The parts of x along `axis` of the given sizes, which add up to it: concatenate undone.
Arrays split(const Arg& x, DimSpan sizes, int axis);
/// `low` and `high` elements of padding at the ends of each axis (negative removes), `interior`
/// between neighbours (not negative). `value` is 0-d.
Array pad(const Arg& x, const Arg& value, DimSpan low, DimSpan high, DimSpan interior = {});

// ---- contractions and reductions ----

using weft::DotDimensionNumbers;
/// out[batch..., m..., n...] = sum_k lhs[batch, m, k] * rhs[batch, n, k], with the axes named by
/// `dims` in any order. Result axes: batch, then lhs's others, then rhs's others. All dtypes;
/// `preferred` is the dtype of products, sums and result (default: the operands').
Array dot_general(const Arg& lhs, const Arg& rhs, const DotDimensionNumbers& dims, std::optional<DType> preferred = {});

using weft::ReduceKind;
/// Combines the elements along `axes` in a fixed tree. Of no elements: 0, 1, lowest, highest,
/// all ones, 0, 0. sum, prod: numbers (bool: or, and); max, min: all; and, or, xor: integers, bool.
Array reduce(const Arg& x, ReduceKind kind, DimSpan axes);
inline Array reduce_sum(const Arg& x, DimSpan axes) { return reduce(x, ReduceKind::kSum, axes); }
inline Array reduce_prod(const Arg& x, DimSpan axes) { return reduce(x, ReduceKind::kProd, axes); }
inline Array reduce_max(const Arg& x, DimSpan axes) { return reduce(x, ReduceKind::kMax, axes); }
inline Array reduce_min(const Arg& x, DimSpan axes) { return reduce(x, ReduceKind::kMin, axes); }
inline Array reduce_and(const Arg& x, DimSpan axes) { return reduce(x, ReduceKind::kAnd, axes); }
inline Array reduce_or(const Arg& x, DimSpan axes) { return reduce(x, ReduceKind::kOr, axes); }
/// Position of the first largest (smallest) element along `axis`, which must not be empty; a NaN
/// is larger and smaller than everything. Integers, floats, bool. The result has `index_dtype`.
Array argmax(const Arg& x, int axis, DType index_dtype = i32);
Array argmin(const Arg& x, int axis, DType index_dtype = i32);
/// y[..., i, ...] = sum_{j <= i} x[..., j, ...] along `axis` (j >= i when `reverse`). Numbers.
Array cumsum(const Arg& x, int axis, bool reverse = false);
/// The same for products (numbers), the largest and the smallest (integers and floats; NaN from the first one on), and
/// log(sum_{j <= i} exp(x[..., j, ...])) without overflow (floats). IndexError for an axis out of range, DTypeError for
/// others. All derivatives. Source: jax.lax.cumprod and its kin.
Array cumprod(const Arg& x, int axis, bool reverse = false);
Array cummax(const Arg& x, int axis, bool reverse = false);
Array cummin(const Arg& x, int axis, bool reverse = false);
Array cumlogsumexp(const Arg& x, int axis, bool reverse = false);

// ---- windows ----

using weft::ConvolutionParams;
/// out[b, g O + o, s] = sum_{c, k} lhs[b, g C + c, s stride + k rhs_dilation - low] * rhs[g O + o, c, k] over features
/// c and spatial positions k, in `feature_group_count` groups g; lhs is first dilated (size n becomes (n - 1)
/// lhs_dilation
/// + 1) and padded with zeros (negative padding removes). With batch groups, group g of the output features reads part
/// g of lhs's batch instead. Axes `reversed` of rhs are read backwards, axes stand as `dimension_numbers` say. Lists
/// left empty are ones (strides, dilations) or zeros (padding). Spatial sizes:
/// (low + dilated lhs + high - dilated rhs) / stride + 1, or 0 where rhs does not fit. All dtypes (bool: or of ands);
/// `preferred` is the dtype of the result (default: the operands'). ShapeError, IndexError, ValueError for groups,
/// strides, dilations and padding out of range. StableHLO's convolution.
Array convolution(const Arg& lhs, const Arg& rhs, ConvolutionParams params, std::optional<DType> preferred = {});

using weft::Window;
/// y[o...] combines the elements of x that the window sees at place o, as `reduce` does; padding and the gaps of
/// base dilation count as the neutral element. y has (low + dilated x + high - dilated window) / stride + 1 places
/// per axis, or 0 where the window does not fit. Lists of `window` left empty are ones, or zeros for padding.
/// Dtypes as for `reduce`. ShapeError, ValueError. StableHLO's reduce_window.
Array reduce_window(const Arg& x, ReduceKind kind, const Window& window);

using weft::WindowSelect;
/// y[i...], of x's shape: the sum of source[o...] over the places o of the window that choose x[i...]. A place chooses,
/// of the elements that it sees in row-major order, the last that came in: a later one does when
/// `chosen >= later` (kGe; kLe: `<=`, kGt: `>`, kLt: `<`) is false, so NaN gives way, and comes in, always. A place
/// that sees only padding adds nothing. Operands of one dtype; complex compare lexicographically. Linear in `source`.
/// What differentiates max pooling; StableHLO's select_and_scatter.
Array select_and_scatter(const Arg& x, const Arg& source, WindowSelect select, const Window& window);
/// y[o...] = values[i...] where place o chooses x[i...] as above, 0 where it sees only padding. Operands of one type.
/// Linear in `values`; the transpose of select_and_scatter.
Array select_and_gather_add(const Arg& x, const Arg& values, WindowSelect select, const Window& window);

// ---- indexing and order ----

using weft::GatherDimensionNumbers;
using weft::IndexMode;
/// out[batch..., offset...] = x[clamp(indices[batch, :]) + offset]. `indices` are integers.
Array gather(const Arg& x, const Array& indices, const GatherDimensionNumbers& dims, DimSpan slice_sizes,
             IndexMode mode = IndexMode::kClip);

using weft::ScatterDimensionNumbers;
using weft::ScatterKind;
/// x with `updates` combined in at the windows that `indices` name, in row-major order of the
/// updates. A window that is not inside is left out; in mode kPartial, as in StableHLO, only its elements that are not
/// inside. `unique` promises that no two updates meet. Differentiable by x and the updates; a minimum or maximum shares
/// its slope between all that attain it.
Array scatter(const Arg& x, const Array& indices, const Arg& updates, const ScatterDimensionNumbers& dims,
              ScatterKind kind, IndexMode mode = IndexMode::kFillOrDrop, bool unique = false);

/// Sorts along `dimension` by the first `num_keys` operands in ascending order (floats in total
/// order with -0 = 0 and NaN last), carrying the others along. Always stable. Operands have equal shapes.
Arrays sort(std::span<const Array> xs, int dimension, int num_keys = 1,
            SourceLocation loc = std::source_location::current());

/// The `k` largest along the last axis in descending order, and their positions (i32). Floats are in total order (NaN
/// above inf, -NaN below -inf, 0 above -0); equal elements come in order of position. bool, integers, floats.
/// ShapeError for 0-d x, ValueError for k outside [0, size]. chlo.top_k.
std::pair<Array, Array> top_k(const Arg& x, std::int64_t k);

// ---- transforms and linear algebra ----

using weft::FftType;
/// The discrete Fourier transform over the last fft_length.size() axes (1 to 3). FFT: y[k] = sum_j x[j] e^(-2 pi i j k
/// / n), complex. IFFT: its inverse, e^(+...) / n. RFFT: FFT of real x, whose last axis keeps the first n / 2 + 1
/// elements. IRFFT: its inverse; x[..., n / 2 + 1] complex gives y[..., n] real, where n is fft_length's last entry.
/// Any lengths, in O(n log n). f32, f64 <-> c64, c128. ShapeError, DTypeError. StableHLO's fft.
Array fft(const Arg& x, FftType fft_type, DimSpan fft_length);

/// L with a = L L^H, lower triangular with a positive diagonal (`lower`), or U with a = U^H U, for each matrix
/// a[..., n, n]. Only that triangle of a is read (of its diagonal the real part) and the other of the result is 0. A
/// matrix that is not positive definite gives NaN. Floats, complex. ShapeError, DTypeError. StableHLO's cholesky.
Array cholesky(const Arg& a, bool lower = true);

using weft::TransposeA;
using weft::TriangularSolveParams;
/// x with op(a) x = b (`left_side`) or x op(a) = b for each pair of matrices a[..., m, m] and b[..., m, n] (or
/// b[..., n, m]), where op(a) is a, its transpose or its adjoint. Only the named triangle of a is read, and its
/// diagonal counts as ones when `unit_diagonal`. Floats, complex. ShapeError, DTypeError. StableHLO's triangular_solve.
Array triangular_solve(const Arg& a, const Arg& b, const TriangularSolveParams& params);

// ---- random bits ----

/// The Threefry 2x32 block function with 20 rounds (Salmon et al., 2011): encrypts the counters
/// (x0, x1) with the key (k0, k1), elementwise. u32; keys are 0-d or of the counters' shape.
std::pair<Array, Array> threefry2x32(const Array& k0, const Array& k1, const Array& x0, const Array& x1);

using weft::RngDistribution;
/// Numbers that differ from call to call: uniform in [a, b) (integers, floats; a unless a < b; of bool, a or b), or
/// normal with mean a and standard deviation b (floats). a and b have one type; each pair of their elements has `shape`
/// numbers of its own, so the result is a.shape + shape. They come from one stream per process, which begins at the
/// same place in every run; what a call gets depends on the calls before it. Prefer keys (weft/random). StableHLO's
/// rng, where a and b are 0-d.
Array rng(const Arg& a, const Arg& b, RngDistribution distribution, DimSpan shape);

using weft::RngAlgorithm;
/// (next state, bits): bits of dtype `dtype` that are a function of `state` alone. The state is u64[2] (kThreeFry), or
/// u64[2], u64[3] (kPhilox and kDefault, which is the same), or u32[4] for the two words of u64[2], low halves first.
/// Axes of the state in front are examples; the bits have shape state.shape[:-1] + shape. Integers, floats (their
/// bits). The bits are those of XLA's CPU client. StableHLO's rng_bit_generator.
std::pair<Array, Array> rng_bit_generator(const Array& state, RngAlgorithm algorithm, DType dtype, DimSpan shape);

// ---- identities ----

/// The operands unchanged; no optimisation moves work across it.
Arrays optimization_barrier(std::span<const Array> xs);
/// x, as a constant for differentiation.
Array stop_gradient(const Arg& x);
/// x, under a name by which policies of `checkpoint` keep it or not. The derivative is x's.
Array checkpoint_name(const Arg& x, const std::string& name);

}  // namespace weft::lax
