// The loops of reference evaluation, once per element type for all elementwise operations.
#include "weft/ops/elementwise.h"

namespace weft::ops {

namespace {

// The type in which scalar functions see an element.
template <class T>
using Wide = std::conditional_t<!std::is_integral_v<T> || std::is_same_v<T, bool>, compute_t<T>,
                                std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;

template <class W, class Kernel>
auto entry(const Kernel& k) {
  if constexpr (std::is_same_v<W, bool>)
    return k.b;
  else if constexpr (std::is_same_v<W, std::int64_t>)
    return k.i;
  else if constexpr (std::is_same_v<W, std::uint64_t>)
    return k.u;
  else if constexpr (std::is_same_v<W, float>)
    return k.f;
  else if constexpr (std::is_same_v<W, double>)
    return k.d;
  else if constexpr (std::is_same_v<W, std::complex<float>>)
    return k.cf;
  else
    return k.cd;
}

}  // namespace

void run_unary(const UnaryKernel& kernel, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  visit_dtype(in[0].dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using W = Wide<T>;
    const auto f = entry<W>(kernel);
    internal_check(f != nullptr, "run_unary: the op does not take this dtype");
    const T* x = in[0].as<T>();
    T* y = out[0].as<T>();
    for (std::int64_t n = in[0].size(), i = 0; i < n; ++i)
      y[i] = static_cast<T>(f(static_cast<W>(x[i]), 8 * sizeof(T)));
  });
}

void run_binary(const BinaryKernel& kernel, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  visit_dtype(in[0].dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using W = Wide<T>;
    const auto f = entry<W>(kernel);
    internal_check(f != nullptr, "run_binary: the op does not take this dtype");
    const T* x = in[0].as<T>();
    const T* y = in[1].as<T>();
    T* z = out[0].as<T>();
    for (std::int64_t n = in[0].size(), i = 0; i < n; ++i)
      z[i] = static_cast<T>(f(static_cast<W>(x[i]), static_cast<W>(y[i]), 8 * sizeof(T)));
  });
}

}  // namespace weft::ops
