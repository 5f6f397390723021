// The smallest piece of a transposition: a square of 16 bytes by as many rows as fit. Always inlined, for files that
// are compiled once per instruction set include it, too.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

namespace weft::cpu {

template <class T>
struct SquareRow {
  typedef T type __attribute__((vector_size(16)));
};

// Interleaves the lower (kHigh = 0) or upper halves of two vectors.
template <class T, int kHigh, std::size_t... I>
[[gnu::always_inline]] static inline typename SquareRow<T>::type interleave(typename SquareRow<T>::type a,
                                                                            typename SquareRow<T>::type b,
                                                                            std::index_sequence<I...>) {
  constexpr int n = 16 / sizeof(T);
  return __builtin_shufflevector(a, b, static_cast<int>(kHigh * n / 2 + I / 2 + (I % 2) * n)...);
}

/// out[j * out_stride + i] = in[i * in_stride + j] for i, j < 16 / sizeof(T), in registers: interleaving row r with
/// row r + n/2, log2(n) times, transposes the n rows.
template <class T>
[[gnu::always_inline]] static inline void transpose_square(const T* in, std::int64_t in_stride, T* out,
                                                           std::int64_t out_stride) {
  using V = typename SquareRow<T>::type;
  constexpr int n = 16 / sizeof(T);
  using Lanes = std::make_index_sequence<n>;
  V rows[n], next[n];
  // Unrolled, the rows are registers.
#pragma GCC unroll 16
  for (int r = 0; r < n; ++r) std::memcpy(&rows[r], in + r * in_stride, 16);
#pragma GCC unroll 4
  for (int step = 1; step < n; step *= 2) {
#pragma GCC unroll 16
    for (int r = 0; r < n / 2; ++r) {
      next[2 * r] = interleave<T, 0>(rows[r], rows[r + n / 2], Lanes{});
      next[2 * r + 1] = interleave<T, 1>(rows[r], rows[r + n / 2], Lanes{});
    }
#pragma GCC unroll 16
    for (int r = 0; r < n; ++r) rows[r] = next[r];
  }
#pragma GCC unroll 16
  for (int r = 0; r < n; ++r) std::memcpy(out + r * out_stride, &rows[r], 16);
}

}  // namespace weft::cpu
