#include "weft/cpu/kernels/transpose_block.h"

#include <algorithm>
#include <cstring>

#include "weft/cpu/kernels/isa.h"
#include "weft/cpu/kernels/sized_element.h"
#include "weft/cpu/kernels/transpose_square.h"

namespace weft::cpu {
namespace {

template <class T>
void plain(std::int64_t rows, std::int64_t columns, const T* in, std::int64_t in_stride, T* out,
           std::int64_t out_stride) {
  for (std::int64_t j = 0; j < columns; ++j)
    for (std::int64_t i = 0; i < rows; ++i) out[j * out_stride + i] = in[i * in_stride + j];
}

template <class T>
void block(std::int64_t rows, std::int64_t columns, const T* in, std::int64_t in_stride, T* out,
           std::int64_t out_stride) {
  if constexpr (sizeof(T) == 16) {
    plain(rows, columns, in, in_stride, out, out_stride);
  } else {
    constexpr std::int64_t n = 16 / sizeof(T);
    const std::int64_t whole_rows = rows / n * n, whole_columns = columns / n * n;
    for (std::int64_t i = 0; i < whole_rows; i += n)
      for (std::int64_t j = 0; j < whole_columns; j += n)
        transpose_square(in + i * in_stride + j, in_stride, out + j * out_stride + i, out_stride);
    if (whole_columns < columns)
      plain(whole_rows, columns - whole_columns, in + whole_columns, in_stride, out + whole_columns * out_stride,
            out_stride);
    if (whole_rows < rows)
      plain(rows - whole_rows, columns, in + whole_rows * in_stride, in_stride, out + whole_rows, out_stride);
  }
}

// Squares of `kSide` elements, several cache lines wide, go through a buffer, so that both sides are read and written
// in longer runs even when the strides are powers of two and lines would push each other out.
template <class T>
void blocked(std::int64_t rows, std::int64_t columns, const T* in, std::int64_t in_stride, T* out,
             std::int64_t out_stride, bool past_caches) {
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
  constexpr std::int64_t kSide = kSize == 8 ? 64 : std::max<std::int64_t>(32, 256 / kSize);
  constexpr std::int64_t kPitch = kSide + 64 / kSize;
  if (rows * columns <= kSide * kSide / 4) {
    block(rows, columns, in, in_stride, out, out_stride);
    return;
  }
  alignas(64) T buffer[kSide * kPitch];
  const auto stream = isa_kernels().stream;
  for (std::int64_t j = 0; j < columns; j += kSide) {
    const std::int64_t w = std::min(kSide, columns - j);
    for (std::int64_t i = 0; i < rows; i += kSide) {
      const std::int64_t h = std::min(kSide, rows - i);
      block(h, w, in + i * in_stride + j, in_stride, buffer, kPitch);
      for (std::int64_t c = 0; c < w; ++c) {
        T* const to = out + (j + c) * out_stride + i;
        if (past_caches)
          stream(reinterpret_cast<char*>(to), reinterpret_cast<const char*>(buffer + c * kPitch), h * kSize);
        else
          std::memcpy(to, buffer + c * kPitch, static_cast<std::size_t>(h * kSize));
      }
    }
  }
}

}  // namespace

void transpose_2d(std::int64_t element, std::int64_t rows, std::int64_t columns, const void* in, std::int64_t in_stride,
                  void* out, std::int64_t out_stride, bool past_caches) {
  with_element(element, [&](auto tag) {
    using T = decltype(tag);
    blocked(rows, columns, static_cast<const T*>(in), in_stride, static_cast<T*>(out), out_stride, past_caches);
  });
}

}  // namespace weft::cpu
