// Reference evaluation in few types: operands are widened once, the arithmetic is written once per category, and
// results are rounded once. Private to ops/. Sizes and strides are the caller's.
#pragma once

#include <vector>

#include "weft/ops/common.h"

namespace weft::ops {

/// Calls `f(TypeTag<W>{})` with the wide type of `t`: uint64 for bool and unsigned integers, int64, double,
/// complex<double>.
template <class F>
decltype(auto) visit_wide(DType t, F&& f) {
  switch (category(t)) {
    case Category::kBool: return f(TypeTag<std::uint64_t>{});
    case Category::kInteger:
      if (is_signed_integer(t)) return f(TypeTag<std::int64_t>{});
      return f(TypeTag<std::uint64_t>{});
    case Category::kFloat: return f(TypeTag<double>{});
    default: return f(TypeTag<std::complex<double>>{});
  }
}

/// The same with the type in which sums of products are made, so that results are those of StableHLO's reference even
/// where terms cancel: floats in their own type, f16 and bf16 in float.
template <class F>
decltype(auto) visit_accumulator(DType t, F&& f) {
  switch (t) {
    case f16:
    case bf16:
    case f32: return f(TypeTag<float>{});
    case c64: return f(TypeTag<std::complex<float>>{});
    default: return visit_wide(t, std::forward<F>(f));
  }
}

/// All elements of x, whose type or wide type W must be, or a real or narrower one's.
template <class W>
std::vector<W> widened(const TensorView& x) {
  std::vector<W> r(static_cast<std::size_t>(x.size()));
  visit_dtype(x.dtype(), [&]<class T>(TypeTag<T>) {
    const T* from = x.as<T>();
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = convert_element<W>(from[i]);
  });
  return r;
}

/// Writes all elements of `to`: integers wrap to its width, floats are rounded, bool is "not zero".
template <class W>
void narrow(const std::vector<W>& from, const MutableTensorView& to) {
  visit_dtype(to.dtype(), [&]<class T>(TypeTag<T>) {
    T* y = to.as<T>();
    for (std::size_t i = 0; i < from.size(); ++i) {
      if constexpr (std::is_integral_v<W> && std::is_integral_v<T> && !std::is_same_v<T, bool>)
        y[i] = static_cast<T>(from[i]);
      else
        y[i] = convert_element<T>(from[i]);
    }
  });
}

/// x + y and x y: integers wrap, complex products are the formula alone (as NumPy and XLA compute them).
template <class W>
W wide_sum(W x, W y) {
  if constexpr (std::is_integral_v<W>)
    return static_cast<W>(static_cast<std::uint64_t>(x) + static_cast<std::uint64_t>(y));
  else
    return x + y;
}
template <class W>
W wide_product(W x, W y) {
  if constexpr (std::is_integral_v<W>)
    return static_cast<W>(static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(y));
  else if constexpr (std::is_same_v<W, std::complex<double>> || std::is_same_v<W, std::complex<float>>)
    return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
  else
    return x * y;
}

}  // namespace weft::ops
