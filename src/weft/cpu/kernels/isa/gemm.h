// Matrix products on one thread. Operands are packed into panels that the caches hold, so any strides run alike;
// the inner loop keeps a tile of the result in registers (Goto and van de Geijn, "Anatomy of high-performance matrix
// multiplication", 2008). Compiled twice: with fused multiply-add where the instruction set has it (gemm.cc), and
// without, for the same bits on every one (ordered_gemm.cc).
// Invariant: an element of a product is a sum over k in order, in runs of kDepth whose results are added in order.
#pragma once

#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"
#include "weft/cpu/kernels/isa/vector.h"
#include "weft/cpu/kernels/transpose_square.h"

namespace weft::cpu::WEFT_ISA {
// Those that include this differ in how products are rounded.
namespace {  // NOLINT(google-build-namespaces)

#if defined(__AVX512F__)
constexpr int kTileRows = 12;
#elif defined(__AVX__)
constexpr int kTileRows = 6;
#else
constexpr int kTileRows = 4;
#endif

template <class T>
struct Tile {
  static constexpr int kLanes = kRegisterBytes / static_cast<int>(sizeof(T));
  static constexpr int kRows = kTileRows;
  static constexpr int kColumns = 2 * kLanes;
  // A panel of b (kDepth x kColumns) stays in the first-level cache, a block of a (kBlockRows x kDepth) in the
  // second, a block of b (kDepth x kBlockColumns) in the third.
  static constexpr std::int64_t kDepth = 1024 / sizeof(T);  // kOrderedRunBytes of ir/contraction.h
  static constexpr std::int64_t kBlockRows = 240;
  static constexpr std::int64_t kBlockColumns = 2048;
  static_assert(kBlockRows % kRows == 0 && kBlockColumns % kColumns == 0);
};

constexpr std::int64_t least(std::int64_t x, std::int64_t y) { return x < y ? x : y; }
constexpr std::int64_t round_up(std::int64_t n, std::int64_t step) { return (n + step - 1) / step * step; }

// to[p][r] = from[r * stride + p] for r < count, p < depth, with rows of `kWidth`; the others are zero.
template <class T, int kWidth>
WEFT_INLINE void pack_across(const T* from, std::int64_t stride, T* to, std::int64_t count, std::int64_t depth) {
  constexpr int kSquare = 16 / static_cast<int>(sizeof(T)), kRun = 16;
  static_assert(kRun % kSquare == 0);
  const std::int64_t squares = count / kSquare * kSquare;
  std::int64_t p = 0;
  // Runs along each row, so that every fetched line is used up.
  for (; p + kRun <= depth; p += kRun) {
    for (std::int64_t r = 0; r < squares; r += kSquare)
#pragma GCC unroll 8
      for (int q = 0; q < kRun; q += kSquare)
        transpose_square(from + r * stride + p + q, stride, to + (p + q) * kWidth + r, kWidth);
    for (std::int64_t r = squares; r < count; ++r)
      for (int q = 0; q < kRun; ++q) to[(p + q) * kWidth + r] = from[r * stride + p + q];
  }
  for (; p < depth; ++p)
    for (std::int64_t r = 0; r < count; ++r) to[p * kWidth + r] = from[r * stride + p];
  if (count < kWidth)
    for (p = 0; p < depth; ++p)
      for (std::int64_t r = count; r < kWidth; ++r) to[p * kWidth + r] = T(0);
}
// to[p][r] = from[p * step + r * stride], in the same way
template <class T, int kWidth>
void pack_along(const T* from, std::int64_t step, std::int64_t stride, T* to, std::int64_t count, std::int64_t depth) {
  for (std::int64_t p = 0; p < depth; ++p, from += step, to += kWidth) {
    if (count == kWidth && stride == 1) {
      __builtin_memcpy(to, from, sizeof(T) * kWidth);
      continue;
    }
    if (stride == 1)
      __builtin_memcpy(to, from, sizeof(T) * static_cast<std::size_t>(count));
    else
      for (std::int64_t r = 0; r < count; ++r) to[r] = from[r * stride];
    for (std::int64_t r = count; r < kWidth; ++r) to[r] = T(0);
  }
}
// Panels of rows that are adjacent, several at a time: memory is read in longer runs.
template <class T, int kWidth>
void pack_adjacent(const T* x, std::int64_t step, T* to, std::int64_t panels, std::int64_t depth) {
  for (std::int64_t p = 0; p < depth; ++p)
    for (std::int64_t q = 0; q < panels; ++q)
      __builtin_memcpy(to + (q * depth + p) * kWidth, x + p * step + q * kWidth, sizeof(T) * kWidth);
}
// Panels of kWidth rows of x[row][p].
template <class T, int kWidth>
void pack(const T* x, std::int64_t row, std::int64_t column, T* to, std::int64_t rows, std::int64_t depth) {
  constexpr std::int64_t kTogether = 8;
  for (std::int64_t r = 0; r < rows;) {
    const std::int64_t panels = row == 1 ? least((rows - r) / kWidth, kTogether) : 0;
    if (panels > 0) {
      pack_adjacent<T, kWidth>(x + r, column, to + r * depth, panels, depth);
      r += panels * kWidth;
      continue;
    }
    const std::int64_t count = least(rows - r, kWidth);
    // A whole panel by the same code with a width that is known, which unrolls.
    if (column == 1 && count == kWidth)
      pack_across<T, kWidth>(x + r * row, row, to + r * depth, kWidth, depth);
    else if (column == 1)
      pack_across<T, kWidth>(x + r * row, row, to + r * depth, count, depth);
    else
      pack_along<T, kWidth>(x + r * row, column, row, to + r * depth, count, depth);
    r += kWidth;
  }
}

// Rows of a for tiles: packed into strips, or where they lie, for products that read each strip once or twice.
template <class T>
struct PackedRows {
  const T* data;
  static constexpr std::int64_t row_step() { return 1; }
  static constexpr std::int64_t column_step() { return Tile<T>::kRows; }
};
template <class T>
struct StridedRows {
  const T* data;
  std::int64_t row, column;
  std::int64_t row_step() const { return row; }
  std::int64_t column_step() const { return column; }
};

// Columns of b that are to be read later: a tile asks the second-level cache for a line of each row. Rows of b that lie
// apart are on as many pages, and hardware does not look ahead over those.
template <class T>
struct Ahead {
  const T* data;
  std::int64_t row;
};

// A tile of the result: kRows x two vectors. `add`: c already holds the sum over earlier depths.
// Row p of b begins at b + p * b_row. With kKeep the tile packs what it reads of b on the way, which costs nothing
// beside its products.
template <class T, int kRows, bool kKeep = false, class Rows>
void tile(const Rows& rows, const T* b, std::int64_t b_row, std::int64_t depth, T* c, std::int64_t c_row,
          std::int64_t columns, bool add, Ahead<T> ahead, T* packed = nullptr) {
  using S = Tile<T>;
  using V = Vector<T>;
  V sum[kRows][2];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) sum[r][0] = sum[r][1] = V{};
  // By the time that the sums are complete, what they go to is there.
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    __builtin_prefetch(c + r * c_row, 1);
    __builtin_prefetch(c + r * c_row + S::kLanes, 1);
  }
  const T* a = rows.data;
  for (std::int64_t p = 0; p < depth; ++p) {
    const V b0 = load<V>(b), b1 = load<V>(b + S::kLanes);
    if constexpr (kKeep) {
      store(packed, b0);
      store(packed + S::kLanes, b1);
      packed += S::kColumns;
    } else {
      __builtin_prefetch(ahead.data, 0, 2);
      ahead.data += ahead.row;
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const T s = a[r * rows.row_step()];
      sum[r][0] += s * b0;
      sum[r][1] += s * b1;
    }
    a += rows.column_step();
    b += b_row;
  }
  if (columns == S::kColumns) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      T* o = c + r * c_row;
      store(o, add ? load<V>(o) + sum[r][0] : sum[r][0]);
      store(o + S::kLanes, add ? load<V>(o + S::kLanes) + sum[r][1] : sum[r][1]);
    }
    return;
  }
  // Sums that a loop has an index into would be kept in memory all the way, so they are copied by a loop without.
  T lines[kRows][S::kColumns];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    store(lines[r], sum[r][0]);
    store(lines[r] + S::kLanes, sum[r][1]);
  }
  for (int r = 0; r < kRows; ++r) {
    T* o = c + r * c_row;
    for (std::int64_t j = 0; j < columns; ++j) o[j] = add ? o[j] + lines[r][j] : lines[r][j];
  }
}

// The first `count` rows, no more than a tile has.
template <class T, int kRows = kTileRows, class Rows>
void tile_of(std::int64_t count, const Rows& rows, const T* b, std::int64_t b_row, std::int64_t depth, T* c,
             std::int64_t c_row, std::int64_t columns, bool add, Ahead<T> ahead) {
  if constexpr (kRows > 0) {
    if (count >= kRows)
      tile<T, kRows>(rows, b, b_row, depth, c, c_row, columns, add, ahead);
    else
      tile_of<T, kRows - 1>(count, rows, b, b_row, depth, c, c_row, columns, add, ahead);
  }
}

// Rows of a are packed when more than two panels of b read them and they do not lie well anyway: contiguous, in a block
// that the second-level cache holds.
constexpr std::int64_t kSmallBlock = 1 << 15;  // elements
// Of products of so many rows, adjacent columns of b are packed by the first tile that reads them: a copy before that
// would take a large part of the time. All rows are one block then, which is done with a panel before the next: there
// is one, and the caches keep it.
constexpr std::int64_t kFewRows = 192;
static_assert(kFewRows <= Tile<float>::kBlockRows && kFewRows <= Tile<double>::kBlockRows);
inline bool packs_on_the_way(const GemmArgs& g) { return g.b_col == 1 && g.m <= kFewRows; }
template <class T>
bool packs_rows(const GemmArgs& g) {
  if (g.n <= 2 * Tile<T>::kColumns) return false;
  return g.a_col != 1 || least(g.m, Tile<T>::kBlockRows) * least(g.k, Tile<T>::kDepth) > kSmallBlock;
}
// No more than the problem needs: memory touched for the first time costs more than a small product.
template <class T>
std::int64_t packed_a_bytes(const GemmArgs& g) {
  using S = Tile<T>;
  if (!packs_rows<T>(g)) return 0;
  return round_up(
      least(round_up(g.m, S::kRows), S::kBlockRows) * least(g.k, S::kDepth) * static_cast<std::int64_t>(sizeof(T)), 64);
}
template <class T>
std::int64_t workspace_bytes(const GemmArgs& g) {
  using S = Tile<T>;
  const std::int64_t columns = packs_on_the_way(g) ? S::kColumns : S::kBlockColumns;
  return packed_a_bytes<T>(g) +
         least(round_up(g.n, S::kColumns), columns) * least(g.k, S::kDepth) * static_cast<std::int64_t>(sizeof(T));
}

template <class T>
void gemm_blocks(const GemmArgs& g, char* workspace) {
  using S = Tile<T>;
  const T* a = static_cast<const T*>(g.a);
  const T* b = static_cast<const T*>(g.b);
  T* c = static_cast<T*>(g.c);
  T* packed_a = reinterpret_cast<T*>(workspace);
  T* packed_b = reinterpret_cast<T*>(workspace + packed_a_bytes<T>(g));
  constexpr std::int64_t kLine = 64 / sizeof(T);
  const bool packs_a = packs_rows<T>(g);
  const bool on_the_way = packs_on_the_way(g);
  for (std::int64_t j0 = 0; j0 < g.n; j0 += S::kBlockColumns) {
    const std::int64_t columns = least(S::kBlockColumns, g.n - j0);
    for (std::int64_t p0 = 0; p0 < g.k; p0 += S::kDepth) {
      const std::int64_t depth = least(S::kDepth, g.k - p0);
      const T* from = b + p0 * g.b_row + j0 * g.b_col;
      if (!on_the_way) pack<T, S::kColumns>(from, g.b_col, g.b_row, packed_b, columns, depth);
      for (std::int64_t i0 = 0; i0 < g.m; i0 += S::kBlockRows) {
        const std::int64_t rows = least(S::kBlockRows, g.m - i0);
        const T* block = a + i0 * g.a_row + p0 * g.a_col;
        if (packs_a) pack<T, S::kRows>(block, g.a_row, g.a_col, packed_a, rows, depth);
        for (std::int64_t j = 0; j < columns; j += S::kColumns) {
          const std::int64_t w = least(S::kColumns, columns - j);
          T* panel = on_the_way ? packed_b : packed_b + j * depth;
          const bool unpacked = on_the_way && w == S::kColumns;
          if (on_the_way && !unpacked) pack<T, S::kColumns>(from + j, 1, g.b_row, panel, w, depth);
          const bool more = on_the_way && j + 2 * S::kColumns <= columns;
          const auto tile_at = [&](std::int64_t i, const auto& block_rows) {
            T* o = c + (i0 + i) * g.c_row + j0 + j;
            Ahead<T> ahead{o, 0};  // which is there anyway
            // Each tile but the one that packs asks for a line of every row of the next panel, in turn.
            const std::int64_t turn = i / S::kRows - (i > 0);
            if (more) ahead = {from + j + S::kColumns + turn * kLine % S::kColumns, g.b_row};
            if (!unpacked || i > 0)
              tile_of<T>(rows - i, block_rows, panel, S::kColumns, depth, o, g.c_row, w, p0 > 0, ahead);
            else if (rows > S::kRows)
              tile<T, S::kRows, true>(block_rows, from + j, g.b_row, depth, o, g.c_row, w, p0 > 0, ahead, panel);
            else
              tile_of<T>(rows, block_rows, from + j, g.b_row, depth, o, g.c_row, w, p0 > 0, ahead);
          };
          for (std::int64_t i = 0; i < rows; i += S::kRows) {
            if (packs_a)
              tile_at(i, PackedRows<T>{packed_a + i * depth});
            else
              tile_at(i, StridedRows<T>{block + i * g.a_row, g.a_row, g.a_col});
          }
        }
      }
    }
  }
}

// Columns [j, n) of one row of a small product, in vectors of kBytes and then shorter ones.
template <class T, int kBytes>
void small_row(const T* a, std::int64_t a_col, const T* b, std::int64_t b_row, std::int64_t k, T* o, std::int64_t j,
               std::int64_t n) {
  if constexpr (kBytes >= 16) {
    using V = Vector<T, kBytes>;
    constexpr int kLanes = kBytes / static_cast<int>(sizeof(T));
    for (; j + kLanes <= n; j += kLanes) {
      V sum{};
      for (std::int64_t p = 0; p < k; ++p) sum += a[p * a_col] * load<V>(b + p * b_row + j);
      store(o + j, sum);
    }
    small_row<T, kBytes / 2>(a, a_col, b, b_row, k, o, j, n);
  } else {
    for (; j < n; ++j) {
      T sum = 0;
      for (std::int64_t p = 0; p < k; ++p) sum += a[p * a_col] * b[p * b_row + j];
      o[j] = sum;
    }
  }
}

// Small products: no packing, rows of b scaled and added. The sums have the order of the blocked form.
template <class T>
void gemm_small(const GemmArgs& g) {
  const T* a = static_cast<const T*>(g.a);
  const T* b = static_cast<const T*>(g.b);
  for (std::int64_t i = 0; i < g.m; ++i, a += g.a_row) {
    T* o = static_cast<T*>(g.c) + i * g.c_row;
    if (g.b_col == 1) {
      small_row<T, kRegisterBytes>(a, g.a_col, b, g.b_row, g.k, o, 0, g.n);
      continue;
    }
    for (std::int64_t j = 0; j < g.n; ++j) {
      T sum = 0;
      for (std::int64_t p = 0; p < g.k; ++p) sum += a[p * g.a_col] * b[p * g.b_row + j * g.b_col];
      o[j] = sum;
    }
  }
}

template <class T>
void gemm_any(const GemmArgs& g, char* workspace) {
  if (g.k == 0) {
    for (std::int64_t i = 0; i < g.m; ++i)
      for (std::int64_t j = 0; j < g.n; ++j) static_cast<T*>(g.c)[i * g.c_row + j] = T(0);
    return;
  }
  // The same test for every piece of a split product: only k may choose between ways whose sums could differ.
  if (g.k <= Tile<T>::kDepth && g.m * g.n * g.k <= 4096)
    gemm_small<T>(g);
  else
    gemm_blocks<T>(g, workspace);
}

// ---- matrix times vector ----

struct Plus {
  template <class V>
  WEFT_INLINE V apply(V p, V q) {
    return p + q;
  }
};

// Rows of a times x: 128 bytes of partial sums each, joined in a fixed tree.
template <class T, int kRows>
void dot_rows(const T* a, std::int64_t a_row, const T* x, std::int64_t k, T* y, std::int64_t y_step) {
  using G = Group<T>;
  constexpr int kLanes = G::kLanes;
  using V = Vector<T>;
  G sum[kRows][2] = {};
  std::int64_t p = 0;
  for (; p + 2 * kLanes <= k; p += 2 * kLanes) {
    const G x0 = load_group(x + p), x1 = load_group(x + p + kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const G a0 = load_group(a + r * a_row + p), a1 = load_group(a + r * a_row + p + kLanes);
#pragma GCC unroll 4
      for (int q = 0; q < G::kParts; ++q) {
        sum[r][0].part[q] += V(a0.part[q] * x0.part[q]);
        sum[r][1].part[q] += V(a1.part[q] * x1.part[q]);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    T rest = 0;
    for (std::int64_t q = p; q < k; ++q) rest += a[r * a_row + q] * x[q];
    y[r * y_step] = join_lanes<Plus, T>(apply<Plus>(sum[r][0], sum[r][1])) + rest;
  }
}

template <class T>
void gemv_any(const GemmArgs& g) {
  const T* a = static_cast<const T*>(g.a);
  const T* x = static_cast<const T*>(g.b);
  T* y = static_cast<T*>(g.c);
  if (g.a_col == 1 && g.b_row == 1) {
    std::int64_t i = 0;
    for (; i + 2 <= g.m; i += 2) dot_rows<T, 2>(a + i * g.a_row, g.a_row, x, g.k, y + i * g.c_row, g.c_row);
    if (i < g.m) dot_rows<T, 1>(a + i * g.a_row, g.a_row, x, g.k, y + i * g.c_row, g.c_row);
    return;
  }
  if (g.a_row == 1) {
    // Columns scaled and added to a strip of results that stays in the first-level cache, four columns at a time.
    constexpr std::int64_t kStrip = 2048;
    T strip[kStrip];
    for (std::int64_t i = 0; i < g.m; i += kStrip) {
      const std::int64_t rows = g.m - i < kStrip ? g.m - i : kStrip;
      for (std::int64_t r = 0; r < rows; ++r) strip[r] = T(0);
      std::int64_t p = 0;
      for (; p + 4 <= g.k; p += 4) {
        const T* c0 = a + p * g.a_col + i;
        const T *c1 = c0 + g.a_col, *c2 = c1 + g.a_col, *c3 = c2 + g.a_col;
        const T x0 = x[p * g.b_row], x1 = x[(p + 1) * g.b_row], x2 = x[(p + 2) * g.b_row], x3 = x[(p + 3) * g.b_row];
        WEFT_INDEPENDENT
        for (std::int64_t r = 0; r < rows; ++r) {
          T sum = strip[r] + c0[r] * x0;
          sum += c1[r] * x1;
          sum += c2[r] * x2;
          sum += c3[r] * x3;
          strip[r] = sum;
        }
      }
      for (; p < g.k; ++p) {
        const T* c0 = a + p * g.a_col + i;
        const T x0 = x[p * g.b_row];
        WEFT_INDEPENDENT
        for (std::int64_t r = 0; r < rows; ++r) strip[r] += c0[r] * x0;
      }
      for (std::int64_t r = 0; r < rows; ++r) y[(i + r) * g.c_row] = strip[r];
    }
    return;
  }
  for (std::int64_t i = 0; i < g.m; ++i) {
    T sum = 0;
    for (std::int64_t p = 0; p < g.k; ++p) sum += a[i * g.a_row + p * g.a_col] * x[p * g.b_row];
    y[i * g.c_row] = sum;
  }
}

}  // namespace

}  // namespace weft::cpu::WEFT_ISA
