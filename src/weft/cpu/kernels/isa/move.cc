// Kernels that move or convert values without arithmetic: convert, select, copy, and the copy past the caches.
#include <cstring>

#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"
#include "weft/cpu/math/unary.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weft::cpu::WEFT_ISA {
namespace {

template <class From, class To>
inline constexpr ElementwiseKernel kConvert = {
    unary_loop<Convert<To>, From, To>,
    1,
    {sizeof(From)},
    sizeof(To),
    0.1f + move_cost(sizeof(From) + sizeof(To)) + (is_small_float<From> || is_small_float<To> ? 0.3f : 0.0f)};

template <class From>
const ElementwiseKernel* convert_from(DType to) {
  const auto find = []<class To>(TypeTag<To>) { return &kConvert<From, To>; };
  if (to == DType::kBool) return find(TypeTag<Bool>{});
  const ElementwiseKernel* k = for_integer(to, find);
  return k ? k : for_float(to, find);
}

// Sixteen bytes, for c128.
struct Pair {
  std::uint64_t a, b;
};

struct Choose {
  template <class T>
  WEFT_INLINE T apply(std::uint8_t p, T a, T b) {
    if constexpr (std::is_same_v<T, Pair>)
      return {p ? a.a : b.a, p ? a.b : b.b};
    else
      return p ? a : b;
  }
};
struct Same : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    return x;
  }
};

}  // namespace

const ElementwiseKernel* convert(DType from, DType to) {
  const auto find = [to]<class From>(TypeTag<From>) { return convert_from<From>(to); };
  if (from == DType::kBool) return find(TypeTag<Bool>{});
  const ElementwiseKernel* k = for_integer(from, find);
  return k ? k : for_float(from, find);
}

const ElementwiseKernel* select(DType t) {
  switch (detail::kDTypeInfo[static_cast<int>(t)].size) {
    case 1: return &kTernary<Choose, std::uint8_t, std::uint8_t, std::uint8_t>;
    case 2: return &kTernary<Choose, std::uint8_t, std::uint16_t, std::uint16_t>;
    case 4: return &kTernary<Choose, std::uint8_t, std::uint32_t, std::uint32_t>;
    case 8: return &kTernary<Choose, std::uint8_t, std::uint64_t, std::uint64_t>;
    case 16: return &kTernary<Choose, std::uint8_t, Pair, Pair>;
    default: return nullptr;
  }
}

const ElementwiseKernel* copy(DType t) {
  switch (detail::kDTypeInfo[static_cast<int>(t)].size) {
    case 1: return &kUnary<Same, std::uint8_t>;
    case 2: return &kUnary<Same, std::uint16_t>;
    case 4: return &kUnary<Same, std::uint32_t>;
    case 8: return &kUnary<Same, std::uint64_t>;
    case 16: return &kUnary<Same, Pair>;
    default: return nullptr;
  }
}

void stream(char* out, const char* in, std::int64_t bytes) {
#ifdef __SSE2__
  // Up to the first 16-byte boundary of the output, then whole 16-byte pieces past the caches.
  std::int64_t head = static_cast<std::int64_t>(-reinterpret_cast<std::uintptr_t>(out) & 15u);
  if (head > bytes) head = bytes;
  std::memcpy(out, in, static_cast<std::size_t>(head));
  std::int64_t i = head;
  for (; i + 16 <= bytes; i += 16)
    _mm_stream_si128(reinterpret_cast<__m128i*>(out + i), _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i)));
  std::memcpy(out + i, in + i, static_cast<std::size_t>(bytes - i));
#else
  std::memcpy(out, in, static_cast<std::size_t>(bytes));
#endif
}

}  // namespace weft::cpu::WEFT_ISA
