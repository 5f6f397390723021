#include "weft/ir/elements.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace weft {

namespace {

// Conversions through a buffer go in blocks of so many elements.
constexpr std::int64_t kBlock = 256;

using FloatTable = std::array<float, 256>;
// The values of all codes of a storage float; bits above its width do not count.
const FloatTable& float_table(DType t) {
  constexpr int kFirst = static_cast<int>(DType::kF8E4M3FN), kCount = kNumDTypes - kFirst;
  static const auto* const tables = [] {
    auto* r = new std::array<FloatTable, kCount>;
    for (int i = 0; i < kCount; ++i) {
      const SmallFloatFormat& f = small_float_format(static_cast<DType>(kFirst + i));
      for (unsigned code = 0; code < 256; ++code)
        (*r)[static_cast<std::size_t>(i)][code] =
            static_cast<float>(decode_small_float(f, static_cast<std::uint8_t>(code & ((1u << f.width()) - 1))));
    }
    return r;
  }();
  return (*tables)[static_cast<std::size_t>(static_cast<int>(t) - kFirst)];
}

// The low bits of v, extended by their sign when `t` has one.
std::uint8_t wrapped(DType t, std::uint8_t v) {
  const int above = 8 - bit_width(t);
  const auto shifted = static_cast<std::uint8_t>(v << above);
  return is_unsigned(t) ? static_cast<std::uint8_t>(shifted >> above)
                        : static_cast<std::uint8_t>(static_cast<std::int8_t>(shifted) >> above);
}

template <class From>
void convert_from(const From* x, DType to, void* y, std::int64_t n) {
  visit_dtype(to, [&]<class To>(TypeTag<To>) {
    for (std::int64_t i = 0; i < n; ++i) static_cast<To*>(y)[i] = convert_element<To>(x[i]);
  });
}

// Neither is a storage type.
void convert_computed(DType from, const void* x, DType to, void* y, std::int64_t n) {
  visit_dtype(from, [&]<class From>(TypeTag<From>) { convert_from(static_cast<const From*>(x), to, y, n); });
}

void convert_to_float(DType from, const void* x, DType to, std::uint8_t* y, std::int64_t n) {
  const SmallFloatFormat& f = small_float_format(to);
  visit_dtype(from, [&]<class From>(TypeTag<From>) {
    for (std::int64_t i = 0; i < n; ++i) {
      const From v = static_cast<const From*>(x)[i];
      if constexpr (std::is_integral_v<From>)
        y[i] = encode_small_float(f, detail::round_to_odd(v));
      else
        y[i] = encode_small_float(f, convert_element<double>(v));
    }
  });
}

// Saturates, as conversions to wider integers do; integers wrap.
void convert_to_integer(DType from, const void* x, DType to, std::uint8_t* y, std::int64_t n) {
  const bool wraps = category(from) <= Category::kInteger;
  const int bits = bit_width(to) - !is_unsigned(to);
  const std::int64_t most = (std::int64_t{1} << bits) - 1, least = is_unsigned(to) ? 0 : -most - 1;
  std::int64_t wide[kBlock];
  for (std::int64_t i = 0; i < n; i += kBlock) {
    const std::int64_t m = std::min(kBlock, n - i);
    convert_computed(from, static_cast<const char*>(x) + i * byte_size(from), i64, wide, m);
    for (std::int64_t j = 0; j < m; ++j)
      y[i + j] = wrapped(to, static_cast<std::uint8_t>(wraps ? wide[j] : std::clamp(wide[j], least, most)));
  }
}

}  // namespace

void widen_elements(DType t, const void* x, void* y, std::int64_t n) {
  const auto* from = static_cast<const std::uint8_t*>(x);
  if (is_float(t)) {
    const FloatTable& table = float_table(t);
    for (std::int64_t i = 0; i < n; ++i) static_cast<float*>(y)[i] = table[from[i]];
  } else {
    for (std::int64_t i = 0; i < n; ++i) static_cast<std::uint8_t*>(y)[i] = wrapped(t, from[i]);
  }
}

void narrow_elements(DType t, const void* x, void* y, std::int64_t n) {
  auto* to = static_cast<std::uint8_t*>(y);
  if (is_float(t)) {
    const SmallFloatFormat& f = small_float_format(t);
    for (std::int64_t i = 0; i < n; ++i)
      to[i] = encode_small_float(f, static_cast<double>(static_cast<const float*>(x)[i]));
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i] = wrapped(t, static_cast<const std::uint8_t*>(x)[i]);
  }
}

void convert_elements(DType from, const void* x, DType to, void* y, std::int64_t n) {
  if (from == to) {
    if (n > 0) std::memcpy(y, x, static_cast<std::size_t>(n * byte_size(to)));
    return;
  }
  if (is_storage(from)) {
    alignas(float) std::byte wide[kBlock * sizeof(float)];
    for (std::int64_t i = 0; i < n; i += kBlock) {
      const std::int64_t m = std::min(kBlock, n - i);
      widen_elements(from, static_cast<const char*>(x) + i, wide, m);
      convert_elements(compute_dtype(from), wide, to, static_cast<char*>(y) + i * byte_size(to), m);
    }
    return;
  }
  if (!is_storage(to)) return convert_computed(from, x, to, y, n);
  (is_float(to) ? convert_to_float : convert_to_integer)(from, x, to, static_cast<std::uint8_t*>(y), n);
}

std::int64_t integer_element(DType t, const void* x) {
  if (t == u64) {
    std::uint64_t v;
    std::memcpy(&v, x, sizeof v);
    return v > std::uint64_t{INT64_MAX} ? INT64_MAX : static_cast<std::int64_t>(v);
  }
  std::int64_t v;
  convert_elements(t, x, i64, &v, 1);
  return v;
}

void copy_canonical(DType t, const void* x, void* y, std::int64_t n) {
  if (n == 0) return;
  if (bit_width(t) == 8 * byte_size(t) || t == boolean) {
    std::memmove(y, x, static_cast<std::size_t>(n * byte_size(t)));
    return;
  }
  const auto mask = static_cast<std::uint8_t>((1u << bit_width(t)) - 1);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint8_t v = static_cast<const std::uint8_t*>(x)[i];
    static_cast<std::uint8_t*>(y)[i] = is_float(t) ? static_cast<std::uint8_t>(v & mask) : wrapped(t, v);
  }
}

}  // namespace weft
