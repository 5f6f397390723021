// What each ReduceKind does to two elements and gives for none. Shared by reduce and reduce_window. Private to ops/.
#pragma once

#include <cmath>
#include <limits>

#include "weft/ops/common.h"

namespace weft::ops {

template <class T>
inline constexpr bool is_complex_type =
    std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;

/// a > b, lexicographic for complex.
template <class T>
bool greater(T a, T b) {
  if constexpr (is_complex_type<T>)
    return a.real() > b.real() || (a.real() == b.real() && a.imag() > b.imag());
  else
    return a > b;
}
template <class T>
bool is_nan(T v) {
  if constexpr (is_complex_type<T>)
    return v.real() != v.real() || v.imag() != v.imag();
  else
    return v != v;
}

/// As lax::maximum and lax::minimum: NaN if either is, +0 above -0.
template <bool kMax, class T>
T extremum(T a, T b) {
  if (is_nan(a)) return a;
  if (is_nan(b)) return b;
  if constexpr (std::is_floating_point_v<T>)
    if (a == b) return std::signbit(a) == kMax ? b : a;
  return (kMax ? greater(b, a) : greater(a, b)) ? b : a;
}

/// a o b. Integers wrap.
template <class W>
W combine(ReduceKind kind, W a, W b) {
  using U = std::conditional_t<std::is_integral_v<W>, std::uint64_t, W>;  // integers wrap
  switch (kind) {
    case ReduceKind::kSum: return static_cast<W>(static_cast<U>(a) + static_cast<U>(b));
    case ReduceKind::kProd: return static_cast<W>(static_cast<U>(a) * static_cast<U>(b));
    case ReduceKind::kMax: return extremum<true>(a, b);
    case ReduceKind::kMin: return extremum<false>(a, b);
    default: break;
  }
  if constexpr (std::is_integral_v<W>) {
    if (kind == ReduceKind::kAnd) return static_cast<W>(a & b);
    if (kind == ReduceKind::kOr) return static_cast<W>(a | b);
    return static_cast<W>(a ^ b);
  }
  throw InternalError("reduce: a bitwise kind over floats");
}

/// The value of no elements.
template <class T>
T reduce_identity(ReduceKind kind) {
  if constexpr (is_complex_type<T>) {
    using R = typename T::value_type;
    switch (kind) {
      case ReduceKind::kSum: return T(0);
      case ReduceKind::kProd: return T(1);
      case ReduceKind::kMax: return T(-std::numeric_limits<R>::infinity(), -std::numeric_limits<R>::infinity());
      default: return T(std::numeric_limits<R>::infinity(), std::numeric_limits<R>::infinity());
    }
  } else {
    using L = std::numeric_limits<T>;
    switch (kind) {
      case ReduceKind::kSum:
      case ReduceKind::kOr:
      case ReduceKind::kXor: return T(0);
      case ReduceKind::kProd: return T(1);
      case ReduceKind::kMax:
        if constexpr (L::has_infinity)
          return T(-static_cast<float>(L::infinity()));
        else
          return L::lowest();
      case ReduceKind::kMin:
        if constexpr (L::has_infinity)
          return L::infinity();
        else
          return L::max();
      default:
        if constexpr (std::is_same_v<T, bool>)
          return true;
        else if constexpr (std::is_integral_v<T>)
          return static_cast<T>(~T(0));
        else
          return T(0);
    }
  }
}

/// The same for a storage type: of max the lowest value, infinite where the type has infinities; of min the largest.
double storage_identity(ReduceKind kind, DType t);

}  // namespace weft::ops
