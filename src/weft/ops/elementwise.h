// How the families of elementwise operations declare themselves in a few lines each: a scalar
// function becomes an OpInfo, a partial derivative per operand becomes an OpRules.
// Knows nothing of any particular operation. Private to ops/.
//
// A scalar function object F is called in the widest type of each category (bool, int64, uint64)
// or in the type itself (float, double, complex), so that an operation costs seven
// instantiations at most. f16, bf16 and storage floats are computed in float and rounded once. Integer results are
// truncated to the element's width (4 bits of i4); F takes the number of bits as a last argument when it matters.
#pragma once

#include <cmath>
#include <complex>
#include <limits>

#include "weft/ops/common.h"

namespace weft::ops {

inline constexpr unsigned kInexact = kAcceptFloat | kAcceptComplex;
inline constexpr unsigned kNumber = kAcceptInteger | kInexact;
inline constexpr unsigned kAll = kAcceptBool | kNumber;

template <class T>
inline constexpr bool is_complex_v = std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;

/// x y by the formula alone, as NumPy and XLA compute it; C99's operator also repairs infinities lost to NaN.
template <class T>
std::complex<T> product(std::complex<T> x, std::complex<T> y) {
  return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
}

// ---- scalar functions as tables ----

/// One operand. A null entry is a dtype that the operation does not take.
struct UnaryKernel {
  bool (*b)(bool, int) = nullptr;
  std::int64_t (*i)(std::int64_t, int) = nullptr;
  std::uint64_t (*u)(std::uint64_t, int) = nullptr;
  float (*f)(float, int) = nullptr;
  double (*d)(double, int) = nullptr;
  std::complex<float> (*cf)(std::complex<float>, int) = nullptr;
  std::complex<double> (*cd)(std::complex<double>, int) = nullptr;
};
/// Two operands of one dtype.
struct BinaryKernel {
  bool (*b)(bool, bool, int) = nullptr;
  std::int64_t (*i)(std::int64_t, std::int64_t, int) = nullptr;
  std::uint64_t (*u)(std::uint64_t, std::uint64_t, int) = nullptr;
  float (*f)(float, float, int) = nullptr;
  double (*d)(double, double, int) = nullptr;
  std::complex<float> (*cf)(std::complex<float>, std::complex<float>, int) = nullptr;
  std::complex<double> (*cd)(std::complex<double>, std::complex<double>, int) = nullptr;
};
/// Three floats, known in double.
using TernaryFunction = double (*)(double, double, double);
void run_unary(const UnaryKernel& kernel, std::span<const TensorView> in, std::span<const MutableTensorView> out);
void run_binary(const BinaryKernel& kernel, std::span<const TensorView> in, std::span<const MutableTensorView> out);
void run_ternary(TernaryFunction f, std::span<const TensorView> in, std::span<const MutableTensorView> out);

/// The scalar function object of one known in double, for unary_info and binary_info: rounded once for float.
template <auto kFunction>
inline constexpr auto kThroughDouble = []<class... T>(T... x)
  requires(std::is_invocable_v<decltype(kFunction), decltype(static_cast<double>(x))...>)
{ return static_cast<std::common_type_t<T...>>(kFunction(static_cast<double>(x)...)); };

namespace each_element {

template <class F, class W>
W call1(W x, int bits) {
  if constexpr (std::is_invocable_v<F, W, int>)
    return F{}(x, bits);
  else
    return F{}(x);
}
template <class F, class W>
W call2(W x, W y, int bits) {
  if constexpr (std::is_invocable_v<F, W, W, int>)
    return F{}(x, y, bits);
  else
    return F{}(x, y);
}

template <unsigned kAccept, class F>
constexpr UnaryKernel unary_kernel() {
  UnaryKernel k;
  if constexpr (kAccept & kAcceptBool) k.b = call1<F, bool>;
  if constexpr (kAccept & (kAcceptInteger | kAcceptSigned)) k.i = call1<F, std::int64_t>;
  if constexpr (kAccept & kAcceptInteger) k.u = call1<F, std::uint64_t>;
  if constexpr (kAccept & kAcceptFloat) {
    k.f = call1<F, float>;
    k.d = call1<F, double>;
  }
  if constexpr (kAccept & kAcceptComplex) {
    k.cf = call1<F, std::complex<float>>;
    k.cd = call1<F, std::complex<double>>;
  }
  return k;
}
template <unsigned kAccept, class F>
constexpr BinaryKernel binary_kernel() {
  BinaryKernel k;
  if constexpr (kAccept & kAcceptBool) k.b = call2<F, bool>;
  if constexpr (kAccept & kAcceptInteger) {
    k.i = call2<F, std::int64_t>;
    k.u = call2<F, std::uint64_t>;
  }
  if constexpr (kAccept & kAcceptFloat) {
    k.f = call2<F, float>;
    k.d = call2<F, double>;
  }
  if constexpr (kAccept & kAcceptComplex) {
    k.cf = call2<F, std::complex<float>>;
    k.cd = call2<F, std::complex<double>>;
  }
  return k;
}

template <unsigned kAccept, class F>
void eval_unary(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  static constexpr UnaryKernel kKernel = unary_kernel<kAccept, F>();
  run_unary(kKernel, in, out);
}
template <unsigned kAccept, class F>
void eval_binary(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  static constexpr BinaryKernel kKernel = binary_kernel<kAccept, F>();
  run_binary(kKernel, in, out);
}

template <TernaryFunction kFunction>
void eval_ternary(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  run_ternary(kFunction, in, out);
}

// A partial derivative given as f(t, x, y) for y(x), f(t, x0, x1, z) for z(x0, x1), and so on.
template <class F>
Array partial(const Array& t, std::span<const Array> x, const Array& y) {
  using A = const Array&;
  if constexpr (std::is_invocable_v<F, A, A, A>)
    return F{}(t, x[0], y);
  else if constexpr (std::is_invocable_v<F, A, A, A, A>)
    return F{}(t, x[0], x[1], y);
  else
    return F{}(t, x[0], x[1], x[2], y);
}

}  // namespace each_element

// ---- OpInfo ----

/// y[i] = F(x[i]), of x's type.
template <OpCode kOp, unsigned kAccept, class F>
constexpr ir::OpInfo unary_info(F) {
  return {.infer = infer_same<kOp, kAccept>,
          .eval = each_element::eval_unary<kAccept, F>,
          .elementwise = true,
          .storage_types = true};
}
/// z[i] = F(x[i], y[i]), all of one type.
template <OpCode kOp, unsigned kAccept, class F>
constexpr ir::OpInfo binary_info(F) {
  return {.operands = ir::takes(2),
          .infer = infer_same<kOp, kAccept>,
          .eval = each_element::eval_binary<kAccept, F>,
          .elementwise = true,
          .storage_types = true};
}
/// w[i] = f(x[i], y[i], z[i]), all of one type of floats, which is not a storage type.
template <OpCode kOp, TernaryFunction kFunction>
constexpr ir::OpInfo ternary_info() {
  return {.operands = ir::takes(3),
          .infer = infer_same<kOp, kAcceptFloat>,
          .eval = each_element::eval_ternary<kFunction>,
          .elementwise = true};
}

// ---- OpRules ----

/// One partial derivative per operand: f(t, x, y) is t dy/dx, f(t, x0, x1, z) is t dz/dxi.
template <class... F>
constexpr OpRules smooth_rules(F...) {
  return {.jvp = jvp_elementwise<each_element::partial<F>...>,
          .transpose = rules::not_linear,
          .batch = batch_elementwise,
          .factors = factors_elementwise};
}
/// The same for an op that is linear in some operand.
constexpr OpRules with_transpose(OpRules r, TransposeRule transpose) {
  r.transpose = transpose;
  return r;
}
/// Results that do not vary smoothly with any operand.
inline constexpr OpRules kZeroTangentRules{.jvp = rules::zero_tangent,
                                           .transpose = rules::not_linear,
                                           .batch = batch_elementwise,
                                           .factors = factors_elementwise};

// ---- public functions ----

inline Array unary(OpCode op, const Arg& x) {
  const LocationScope scope(x.location(), ir::op_name(op));
  return bind1(op, {x.array()});
}
inline Array binary(OpCode op, const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), ir::op_name(op));
  auto [a, b] = pair_of(x, y);
  return bind1(op, {std::move(a), std::move(b)});
}
/// Operands of the type of the first array among them; numbers are filled to it.
Array ternary(OpCode op, const Arg& x, const Arg& y, const Arg& z);

}  // namespace weft::ops
