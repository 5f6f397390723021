// Kernels that move or convert values without arithmetic: convert, select, copy, and the copy past the caches.
#include <cstring>

#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weft::cpu::WEFT_ISA {
namespace {

template <class To>
struct Convert {
  static constexpr float kCost = 0.1f;
  template <class From>
  WEFT_INLINE To apply(From v) {
    return convert_to<To>(v);
  }
};

template <class From, class To>
inline constexpr ElementwiseKernel kConvert = {
    unary_loop<Convert<To>, From, To>,
    1,
    {sizeof(From)},
    sizeof(To),
    0.1f + move_cost(sizeof(From) + sizeof(To)) + (is_small_float<From> || is_small_float<To> ? 0.3f : 0.0f)};

template <class From>
const ElementwiseKernel* convert_from(DType to) {
  switch (to) {
    case DType::kBool: return &kConvert<From, Bool>;
    case DType::kI8: return &kConvert<From, std::int8_t>;
    case DType::kI16: return &kConvert<From, std::int16_t>;
    case DType::kI32: return &kConvert<From, std::int32_t>;
    case DType::kI64: return &kConvert<From, std::int64_t>;
    case DType::kU8: return &kConvert<From, std::uint8_t>;
    case DType::kU16: return &kConvert<From, std::uint16_t>;
    case DType::kU32: return &kConvert<From, std::uint32_t>;
    case DType::kU64: return &kConvert<From, std::uint64_t>;
    case DType::kF16: return &kConvert<From, Half>;
    case DType::kBF16: return &kConvert<From, Brain>;
    case DType::kF32: return &kConvert<From, float>;
    case DType::kF64: return &kConvert<From, double>;
    default: return nullptr;
  }
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
  switch (from) {
    case DType::kBool: return convert_from<Bool>(to);
    case DType::kI8: return convert_from<std::int8_t>(to);
    case DType::kI16: return convert_from<std::int16_t>(to);
    case DType::kI32: return convert_from<std::int32_t>(to);
    case DType::kI64: return convert_from<std::int64_t>(to);
    case DType::kU8: return convert_from<std::uint8_t>(to);
    case DType::kU16: return convert_from<std::uint16_t>(to);
    case DType::kU32: return convert_from<std::uint32_t>(to);
    case DType::kU64: return convert_from<std::uint64_t>(to);
    case DType::kF16: return convert_from<Half>(to);
    case DType::kBF16: return convert_from<Brain>(to);
    case DType::kF32: return convert_from<float>(to);
    case DType::kF64: return convert_from<double>(to);
    default: return nullptr;
  }
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
