// The loops of reference evaluation, once per element type for all elementwise operations.
#include "weft/ops/elementwise.h"

#include <algorithm>

#include "weft/ir/elements.h"

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

template <class T>
void unary_loop(const UnaryKernel& kernel, int bits, std::int64_t n, const void* in, void* out) {
  using W = Wide<T>;
  const auto f = entry<W>(kernel);
  internal_check(f != nullptr, "run_unary: the op does not take this dtype");
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<T>(f(static_cast<W>(x[i]), bits));
}

template <class T>
void binary_loop(const BinaryKernel& kernel, int bits, std::int64_t n, const void* lhs, const void* rhs, void* out) {
  using W = Wide<T>;
  const auto f = entry<W>(kernel);
  internal_check(f != nullptr, "run_binary: the op does not take this dtype");
  const T* x = static_cast<const T*>(lhs);
  const T* y = static_cast<const T*>(rhs);
  T* z = static_cast<T*>(out);
  for (std::int64_t i = 0; i < n; ++i) z[i] = static_cast<T>(f(static_cast<W>(x[i]), static_cast<W>(y[i]), bits));
}

// Elements of a storage type go through its compute type in blocks of so many; `bits` stays that of the storage type.
constexpr std::int64_t kBlock = 256;
struct Block {
  alignas(float) std::byte data[kBlock * sizeof(float)];
};
const std::byte* bytes_at(const void* data, std::int64_t i) { return static_cast<const std::byte*>(data) + i; }

}  // namespace

void run_unary(const UnaryKernel& kernel, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const DType t = in[0].dtype();
  const int bits = bit_width(t);
  const std::int64_t n = in[0].size();
  visit_dtype(compute_dtype(t), [&]<class T>(TypeTag<T>) {
    if (!is_storage(t)) return unary_loop<T>(kernel, bits, n, in[0].data, out[0].data);
    Block x, y;
    for (std::int64_t i = 0; i < n; i += kBlock) {
      const std::int64_t m = std::min(kBlock, n - i);
      widen_elements(t, bytes_at(in[0].data, i), x.data, m);
      unary_loop<T>(kernel, bits, m, x.data, y.data);
      narrow_elements(t, y.data, static_cast<std::byte*>(out[0].data) + i, m);
    }
  });
}

void run_binary(const BinaryKernel& kernel, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const DType t = in[0].dtype();
  const int bits = bit_width(t);
  const std::int64_t n = in[0].size();
  visit_dtype(compute_dtype(t), [&]<class T>(TypeTag<T>) {
    if (!is_storage(t)) return binary_loop<T>(kernel, bits, n, in[0].data, in[1].data, out[0].data);
    Block x, y, z;
    for (std::int64_t i = 0; i < n; i += kBlock) {
      const std::int64_t m = std::min(kBlock, n - i);
      widen_elements(t, bytes_at(in[0].data, i), x.data, m);
      widen_elements(t, bytes_at(in[1].data, i), y.data, m);
      binary_loop<T>(kernel, bits, m, x.data, y.data, z.data);
      narrow_elements(t, z.data, static_cast<std::byte*>(out[0].data) + i, m);
    }
  });
}

}  // namespace weft::ops
