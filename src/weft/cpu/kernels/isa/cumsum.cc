// Running sums along rows and columns, in the order that ir/contraction.h fixes: floats in double, integers wrap.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"

namespace weft::cpu::WEFT_ISA {
namespace {

constexpr std::int64_t kBlock = kCumsumRun;
// Sums of blocks that are made at a time: one alone would wait for each of its additions.
constexpr int kChains = 8;

template <class T>
struct Sum {
  using Type = std::conditional_t<std::is_integral_v<T>, T, double>;
};
template <class T>
using SumOf = typename Sum<T>::Type;

template <class T>
WEFT_INLINE SumOf<T> wide(T v) {
  if constexpr (is_small_float<T>)
    return static_cast<double>(to_float(v));
  else
    return static_cast<SumOf<T>>(v);
}
template <class T>
WEFT_INLINE T rounded(SumOf<T> v) {
  if constexpr (is_small_float<T>)
    return small_from<T>(narrow_to_odd(v));
  else
    return static_cast<T>(v);
}

// Where element k of the sum lies among n.
template <bool kReverse>
WEFT_INLINE std::int64_t place(std::int64_t k, std::int64_t n) {
  return kReverse ? n - 1 - k : k;
}

// sums[b] = that of block b.
template <class T, bool kReverse>
void block_sums(const char* in, char* out, std::int64_t n) {
  const T* x = reinterpret_cast<const T*>(in);
  SumOf<T>* sums = reinterpret_cast<SumOf<T>*>(out);
  std::int64_t at = 0;
  for (; at + kChains * kBlock <= n; at += kChains * kBlock, sums += kChains) {
    SumOf<T> t[kChains] = {};
    for (std::int64_t k = 0; k < kBlock; ++k)
#pragma GCC unroll 8
      for (int c = 0; c < kChains; ++c) t[c] += wide(x[place<kReverse>(at + c * kBlock + k, n)]);
    for (int c = 0; c < kChains; ++c) sums[c] = t[c];
  }
  for (; at < n; at += kBlock) {
    SumOf<T> t = 0;
    const std::int64_t end = at + kBlock < n ? at + kBlock : n;
    for (std::int64_t k = at; k < end; ++k) t += wide(x[place<kReverse>(k, n)]);
    *sums++ = t;
  }
}

template <class T, bool kReverse>
void row(const char* in, char* out, std::int64_t n, char* carry) {
  const T* x = reinterpret_cast<const T*>(in);
  T* y = reinterpret_cast<T*>(out);
  SumOf<T> c;
  __builtin_memcpy(&c, carry, sizeof c);
  alignas(64) SumOf<T> sums[kChains * kBlock];
  std::int64_t at = 0;
  for (; at + kChains * kBlock <= n; at += kChains * kBlock) {
    // The blocks' own sums where their elements lie, then what came before.
    const T* from = x + (kReverse ? n - at - kChains * kBlock : at);
    T* to = y + (from - x);
    SumOf<T> t[kChains] = {};
    for (std::int64_t k = 0; k < kBlock; ++k)
#pragma GCC unroll 8
      for (int b = 0; b < kChains; ++b) {
        const std::int64_t i = place<kReverse>(b * kBlock + k, kChains * kBlock);
        t[b] += wide(from[i]);
        sums[i] = t[b];
      }
    for (int b = 0; b < kChains; ++b) {
      const std::int64_t first = (kReverse ? kChains - 1 - b : b) * kBlock;
      WEFT_INDEPENDENT
      for (std::int64_t i = 0; i < kBlock; ++i) to[first + i] = rounded<T>(c + sums[first + i]);
      c += t[b];
    }
  }
  for (; at < n; at += kBlock) {
    SumOf<T> t = 0;
    const std::int64_t end = at + kBlock < n ? at + kBlock : n;
    for (std::int64_t k = at; k < end; ++k) {
      const std::int64_t i = place<kReverse>(k, n);
      t += wide(x[i]);
      y[i] = rounded<T>(c + t);
    }
    c += t;
  }
  __builtin_memcpy(carry, &c, sizeof c);
}

template <class T, bool kReverse>
void columns(const char* in, char* out, std::int64_t n, std::int64_t width, std::int64_t stride) {
  alignas(64) SumOf<T> sums[kCumsumTile], before[kCumsumTile];
  const T* x = reinterpret_cast<const T*>(in);
  T* y = reinterpret_cast<T*>(out);
  for (std::int64_t j = 0; j < width; ++j) sums[j] = before[j] = 0;
  for (std::int64_t k = 0; k < n; ++k) {
    const T* from = x + place<kReverse>(k, n) * stride;
    T* to = y + (from - x);
    WEFT_INDEPENDENT
    for (std::int64_t j = 0; j < width; ++j) {
      const SumOf<T> t = sums[j] + wide(from[j]);
      sums[j] = t;
      to[j] = rounded<T>(before[j] + t);
    }
    if ((k + 1) % kBlock == 0)
      for (std::int64_t j = 0; j < width; ++j) before[j] += sums[j], sums[j] = 0;
  }
}

// Forwards, then in reverse.
template <class T>
inline constexpr CumsumKernel kCumsum[2] = {
    {row<T, false>, block_sums<T, false>, columns<T, false>, sizeof(T), sizeof(SumOf<T>), std::is_integral_v<T>},
    {row<T, true>, block_sums<T, true>, columns<T, true>, sizeof(T), sizeof(SumOf<T>), std::is_integral_v<T>}};

}  // namespace

const CumsumKernel* cumsum(DType t, bool reverse) {
  switch (t) {  // the sign of an integer makes no difference to the bits
    case DType::kI8:
    case DType::kU8: return &kCumsum<std::uint8_t>[reverse];
    case DType::kI16:
    case DType::kU16: return &kCumsum<std::uint16_t>[reverse];
    case DType::kI32:
    case DType::kU32: return &kCumsum<std::uint32_t>[reverse];
    case DType::kI64:
    case DType::kU64: return &kCumsum<std::uint64_t>[reverse];
    default: break;
  }
  return for_float(t, [&]<class T>(TypeTag<T>) { return &kCumsum<T>[reverse]; });
}

}  // namespace weft::cpu::WEFT_ISA
