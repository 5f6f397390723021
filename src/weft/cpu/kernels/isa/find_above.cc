// The search for elements above a bound that top_k goes over its operand with.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"

namespace weft::cpu::WEFT_ISA {
namespace {

// Bits whose signed order is that of the values: of negative floats all but the sign are turned round.
template <class T, bool kFloat>
WEFT_INLINE T in_order(T bits) {
  if constexpr (kFloat)
    return static_cast<T>(bits ^ ((bits >> (8 * sizeof(T) - 1)) & static_cast<T>(~kSignBit<T>)));
  else
    return bits;
}

// `T` is the signed integer of the elements' width; for unsigned elements T is unsigned and the bound is itself.
template <class T, bool kFloat>
std::int64_t find(const char* in, std::int64_t n, std::uint64_t key) {
  constexpr std::int64_t kPiece = 1024 / sizeof(T);
  const T* x = reinterpret_cast<const T*>(in);
  const T bound =
      static_cast<T>(std::is_signed_v<T> ? static_cast<Unsigned<T>>(key) ^ kSignBit<T> : static_cast<Unsigned<T>>(key));
  std::int64_t i = 0;
  for (; i + kPiece <= n; i += kPiece) {
    Unsigned<T> any = 0;
    for (std::int64_t j = 0; j < kPiece; ++j) any |= static_cast<Unsigned<T>>(in_order<T, kFloat>(x[i + j]) > bound);
    if (any) break;
  }
  for (; i < n; ++i)
    if (in_order<T, kFloat>(x[i]) > bound) break;
  return i;
}

}  // namespace

std::int64_t find_above(DType t, const char* x, std::int64_t n, std::uint64_t bound) {
  switch (t) {
    case DType::kBool:
    case DType::kU8: return find<std::uint8_t, false>(x, n, bound);
    case DType::kU16: return find<std::uint16_t, false>(x, n, bound);
    case DType::kU32: return find<std::uint32_t, false>(x, n, bound);
    case DType::kU64: return find<std::uint64_t, false>(x, n, bound);
    case DType::kI8: return find<std::int8_t, false>(x, n, bound);
    case DType::kI16: return find<std::int16_t, false>(x, n, bound);
    case DType::kI32: return find<std::int32_t, false>(x, n, bound);
    case DType::kI64: return find<std::int64_t, false>(x, n, bound);
    case DType::kF16:
    case DType::kBF16: return find<std::int16_t, true>(x, n, bound);
    case DType::kF32: return find<std::int32_t, true>(x, n, bound);
    case DType::kF64: return find<std::int64_t, true>(x, n, bound);
    default: return 0;
  }
}

}  // namespace weft::cpu::WEFT_ISA
