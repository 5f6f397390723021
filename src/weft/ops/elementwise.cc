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

// Elements of a storage type go through its compute type T in blocks of so many; `bits` stays that of the storage type.
constexpr std::int64_t kBlock = 256;
const std::byte* bytes_at(const void* data, std::int64_t i) { return static_cast<const std::byte*>(data) + i; }

template <class T>
void stored_unary_loop(const UnaryKernel& kernel, const TensorView& in, const MutableTensorView& out) {
  const DType t = in.dtype();
  T x[kBlock], y[kBlock];
  for (std::int64_t n = in.size(), i = 0; i < n; i += kBlock) {
    const std::int64_t m = std::min(kBlock, n - i);
    widen_elements(t, bytes_at(in.data, i), x, m);
    unary_loop<T>(kernel, bit_width(t), m, x, y);
    narrow_elements(t, y, static_cast<std::byte*>(out.data) + i, m);
  }
}

template <class T>
void stored_binary_loop(const BinaryKernel& kernel, const TensorView& lhs, const TensorView& rhs,
                        const MutableTensorView& out) {
  const DType t = lhs.dtype();
  T x[kBlock], y[kBlock], z[kBlock];
  for (std::int64_t n = lhs.size(), i = 0; i < n; i += kBlock) {
    const std::int64_t m = std::min(kBlock, n - i);
    widen_elements(t, bytes_at(lhs.data, i), x, m);
    widen_elements(t, bytes_at(rhs.data, i), y, m);
    binary_loop<T>(kernel, bit_width(t), m, x, y, z);
    narrow_elements(t, z, static_cast<std::byte*>(out.data) + i, m);
  }
}

// Calls `stored` with the compute type of the storage type `t`.
template <class F>
void with_compute_type(DType t, F&& stored) {
  if (is_float(t))
    stored(TypeTag<float>{});
  else if (is_unsigned(t))
    stored(TypeTag<std::uint8_t>{});
  else
    stored(TypeTag<std::int8_t>{});
}

}  // namespace

void run_unary(const UnaryKernel& kernel, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const DType t = in[0].dtype();
  if (is_storage(t))
    return with_compute_type(t, [&]<class T>(TypeTag<T>) { stored_unary_loop<T>(kernel, in[0], out[0]); });
  visit_dtype(t,
              [&]<class T>(TypeTag<T>) { unary_loop<T>(kernel, bit_width(t), in[0].size(), in[0].data, out[0].data); });
}

void run_binary(const BinaryKernel& kernel, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const DType t = in[0].dtype();
  if (is_storage(t))
    return with_compute_type(t, [&]<class T>(TypeTag<T>) { stored_binary_loop<T>(kernel, in[0], in[1], out[0]); });
  visit_dtype(t, [&]<class T>(TypeTag<T>) {
    binary_loop<T>(kernel, bit_width(t), in[0].size(), in[0].data, in[1].data, out[0].data);
  });
}

void run_ternary(TernaryFunction f, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  visit_dtype(in[0].dtype(), [&]<class T>(TypeTag<T>) {
    if constexpr (std::is_floating_point_v<Wide<T>>) {
      const auto at = [&](int k, std::int64_t i) {
        return static_cast<double>(static_cast<Wide<T>>(in[k].as<T>()[i]));
      };
      for (std::int64_t n = out[0].size(), i = 0; i < n; ++i)
        out[0].as<T>()[i] = static_cast<T>(static_cast<Wide<T>>(f(at(0, i), at(1, i), at(2, i))));
    }
  });
}

Array ternary(OpCode op, const Arg& x, const Arg& y, const Arg& z) {
  const LocationScope scope(x.location(), ir::op_name(op));
  const Arg& like = !x.is_scalar() ? x : !y.is_scalar() ? y : z;
  const auto fit = [&](const Arg& a) { return pair_of(a, like).first; };
  return bind1(op, {fit(x), fit(y), fit(z)});
}

}  // namespace weft::ops
