// Chooses how a product runs and splits it over threads.
// oneDNN may order its sums by the shape it is given, so what it is given depends on the problem and the machine alone,
// never on the number of threads; our own kernels give the same bits however they are split.
#include "weft/cpu/kernels/matmul.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <complex>
#include <cstring>
#include <optional>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/elementwise.h"
#include "weft/cpu/kernels/isa.h"
#include "weft/cpu/kernels/layout.h"
#include "weft/cpu/kernels/scratch.h"
#include "weft/cpu/library/onednn.h"

namespace weft::cpu {
namespace {

// Multiplications that are worth another thread, about 50 us of work.
constexpr std::int64_t kRangeProducts = 1 << 21;
// Products below this (645^3) are run by our own kernel: as fast there, and nothing has to start. oneDNN generates its
// code on the first call of a process, which takes 15 to 25 ms.
constexpr std::int64_t kLibraryProducts = 1 << 28;
// The same of bf16, which the library multiplies without widening.
constexpr std::int64_t kBf16LibraryProducts = 1 << 21;

GemmArgs args_of(const MatmulProblem& p, const void* a, const void* b, void* c, std::int64_t s, std::int64_t in_bytes,
                 std::int64_t out_bytes) {
  const std::int64_t outer = s / p.inner, inner = s % p.inner;
  return {p.m,
          p.n,
          p.k,
          static_cast<const char*>(a) + (outer * p.a_batch + inner * p.a_inner) * in_bytes,
          p.a_row,
          p.a_col,
          static_cast<const char*>(b) + (outer * p.b_batch + inner * p.b_inner) * in_bytes,
          p.b_row,
          p.b_col,
          static_cast<char*>(c) + s * p.c_batch * out_bytes,
          p.c_row};
}

// Rows [i, i + m) and columns [j, j + n) of the result.
GemmArgs piece_of(const GemmArgs& g, std::int64_t i, std::int64_t m, std::int64_t j, std::int64_t n,
                  std::int64_t in_bytes, std::int64_t out_bytes) {
  GemmArgs r = g;
  r.m = m;
  r.n = n;
  r.a = static_cast<const char*>(g.a) + i * g.a_row * in_bytes;
  r.b = static_cast<const char*>(g.b) + j * g.b_col * in_bytes;
  r.c = static_cast<char*>(g.c) + (i * g.c_row + j) * out_bytes;
  return r;
}

// A product in pieces that are computed one by one.
struct Grid {
  std::int64_t rows = 1, columns = 1;  // sizes of a piece

  // Calls f(i, m, j, n) on any thread for rows [i, i + m) and columns [j, j + n) of every piece.
  template <class F>
  void each_piece(const GemmArgs& g, F&& f) const {
    const std::int64_t across = (g.n - 1) / columns + 1, down = (g.m - 1) / rows + 1;
    parallel_for(across * down, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t q = begin; q < end; ++q) {
        const std::int64_t i = q / across * rows, j = q % across * columns;
        f(i, std::min(rows, g.m - i), j, std::min(columns, g.n - j));
      }
    });
  }
};
// How many processors the machine has, whoever may use them now.
int processors() {
  static const int n = static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_CONF)));
  return n;
}
// The grid for the library: a function of the shape and the machine. Pieces have `fast_piece` multiplications, about,
// or more, unless a processor would have none then.
Grid grid_of(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t fast_piece) {
  const double products = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  Grid g{m, n};
  // Small pieces would pack the same operand again and again; few would leave threads idle.
  const int useful = products < 6e6 ? 1 : products < 60e6 ? 2 : products < 500e6 ? 4 : products < 8e9 ? 16 : 64;
  const int most = std::min(useful, 2 * processors()), least = std::min(useful, processors());
  const int want = static_cast<int>(std::clamp<double>(products / static_cast<double>(fast_piece), least, most));
  for (int pieces = 1; pieces < want; pieces *= 2) {
    std::int64_t& side = g.rows > g.columns ? g.rows : g.columns;
    if (side < 128) break;
    side = ((side + 1) / 2 + 31) / 32 * 32;
  }
  return g;
}

// Our own kernel, f32 or f64, one problem.
void own_gemm(DType t, const GemmArgs& g, bool ordered = false) {
  const GemmKernel& k = *(ordered ? isa_kernels().ordered_gemm(t) : isa_kernels().gemm(t));
  const std::int64_t bytes = byte_size(t);
  if (k.gemv && (g.n == 1 || g.m == 1)) {
    // A single row is the transposed product with a single column.
    const GemmArgs v = g.n == 1 ? g : GemmArgs{g.n, 1, g.k, g.b, g.b_col, g.b_row, g.a, g.a_col, 1, g.c, 1};
    const std::int64_t step = std::max<std::int64_t>(64, kRangeProducts / 8 / std::max<std::int64_t>(v.k, 1) / 64 * 64);
    parallel_for(v.m, step, [&](std::int64_t begin, std::int64_t end) {
      GemmArgs part = v;
      part.m = end - begin;
      part.a = static_cast<const char*>(v.a) + begin * v.a_row * bytes;
      part.c = static_cast<char*>(v.c) + begin * v.c_row * bytes;
      k.gemv(part);
    });
    return;
  }
  const std::int64_t products = g.m * g.n * std::max<std::int64_t>(g.k, 1);
  if (products <= 4096) {
    const Scratch workspace(k.workspace_bytes(g));
    k.gemm(g, workspace.data());
    return;
  }
  // Halved along the longer side again and again: square pieces pack least. One thread packs least of all with one.
  const int threads = num_threads();
  const std::int64_t want = std::clamp<std::int64_t>(products / kRangeProducts, 1, threads == 1 ? 1 : 2 * threads);
  Grid grid{g.m, g.n};
  for (std::int64_t pieces = 1; pieces < want; pieces *= 2) {
    std::int64_t& side = grid.rows > grid.columns ? grid.rows : grid.columns;
    const std::int64_t unit = &side == &grid.rows ? k.row_step : k.column_step;
    side = ((side - 1) / 2 / unit + 1) * unit;
  }
  grid.each_piece(g, [&](std::int64_t i, std::int64_t m, std::int64_t j, std::int64_t n) {
    const GemmArgs piece = piece_of(g, i, m, j, n, bytes, bytes);
    const Scratch workspace(k.workspace_bytes(piece));
    k.gemm(piece, workspace.data());
  });
}

// An operand of the library whose neighbours along k lie a multiple of 1 KiB apart falls into a few sets of the cache,
// where the library's AVX2 kernels, which do not copy operands of small pieces, run at half speed. This makes a copy
// with rows further apart. `along` (contiguous) x k elements; `reads` times each element is used.
class SpreadRows {
 public:
  SpreadRows(const void*& data, std::int64_t& k_stride, std::int64_t along, std::int64_t along_stride, std::int64_t k,
             std::int64_t reads) {
    constexpr std::int64_t kWorth = 128, kSet = 256, kPad = 16;
    if (isa_available(Isa::kV4) || along_stride != 1 || k_stride % kSet != 0 || reads < kWorth || along < kPad) return;
    const std::int64_t stride = along % kSet == 0 ? along + kPad : along;
    copy_.emplace(k * stride * 4);
    const char* from = static_cast<const char*>(data);
    parallel_for(k, std::max<std::int64_t>(1, (1 << 16) / along), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        std::memcpy(copy_->data() + i * stride * 4, from + i * k_stride * 4, static_cast<std::size_t>(along) * 4);
    });
    data = copy_->data();
    k_stride = stride;
  }

 private:
  std::optional<Scratch> copy_;
};

// One f32 problem, through the library piece by piece, or by our own kernel.
void f32_gemm(GemmArgs g) {
  const bool library = have_onednn() && g.m > 1 && g.n > 1 && g.m * g.n * g.k >= kLibraryProducts;
  if (!library) {
    own_gemm(f32, g);
    return;
  }
  const SpreadRows a(g.a, g.a_col, g.m, g.a_row, g.k, g.n), b(g.b, g.b_row, g.n, g.b_col, g.k, g.m);
  // The library multiplies less without packing it, at nine tenths of the speed.
  grid_of(g.m, g.n, g.k, kLibraryProducts)
      .each_piece(g, [&](std::int64_t i, std::int64_t m, std::int64_t j, std::int64_t n) {
        const GemmArgs piece = piece_of(g, i, m, j, n, 4, 4);
        if (!onednn_sgemm(piece)) own_gemm(f32, piece);
      });
}

// Calls one(s) for every problem of the batch, several threads when there are many or large ones.
template <class F>
void for_batch(const MatmulProblem& p, F&& one) {
  if (p.batch == 1) {
    one(0);
    return;
  }
  const std::int64_t products = std::max<std::int64_t>(1, p.m * p.n * p.k);
  // Few large problems are split inside.
  if (products > 4 * kRangeProducts && p.batch < 4 * num_threads()) {
    for (std::int64_t s = 0; s < p.batch; ++s) one(s);
    return;
  }
  parallel_for(p.batch, std::max<std::int64_t>(1, kRangeProducts / products),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t s = begin; s < end; ++s) one(s);
               });
}

// ---- types without vector kernels ----

template <class T>
struct Arithmetic {
  using U = std::make_unsigned_t<T>;
  using Sum = std::conditional_t<sizeof(T) < 4, std::uint32_t, U>;  // wraps, and small types do not turn signed
  static Sum zero() { return 0; }
  static void add(Sum& sum, T a, T b) { sum += static_cast<Sum>(a) * static_cast<Sum>(b); }
  static T value(Sum sum) { return static_cast<T>(sum); }
};
template <class R>
struct Arithmetic<std::complex<R>> {
  using T = std::complex<R>;
  struct Sum {
    R re, im;
  };
  static Sum zero() { return {0, 0}; }
  static void add(Sum& s, T a, T b) {
    s.re += a.real() * b.real() - a.imag() * b.imag();
    s.im += a.real() * b.imag() + a.imag() * b.real();
  }
  static T value(Sum s) { return {s.re, s.im}; }
};

template <class T>
void plain_gemm(const GemmArgs& g) {
  using A = Arithmetic<T>;
  constexpr std::int64_t kStrip = 128;
  const T* a = static_cast<const T*>(g.a);
  const T* b = static_cast<const T*>(g.b);
  T* c = static_cast<T*>(g.c);
  const std::int64_t step = std::max<std::int64_t>(1, kRangeProducts / 4 / std::max<std::int64_t>(1, g.n * g.k));
  parallel_for(g.m, step, [&](std::int64_t begin, std::int64_t end) {
    typename A::Sum sums[kStrip];
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t j0 = 0; j0 < g.n; j0 += kStrip) {
        const std::int64_t w = std::min(kStrip, g.n - j0);
        for (std::int64_t j = 0; j < w; ++j) sums[j] = A::zero();
        const T* column = b + j0 * g.b_col;
        if (g.b_row == 1 && g.b_col != 1) {
          for (std::int64_t j = 0; j < w; ++j)
            for (std::int64_t p = 0; p < g.k; ++p)
              A::add(sums[j], a[i * g.a_row + p * g.a_col], column[j * g.b_col + p]);
        } else {
          for (std::int64_t p = 0; p < g.k; ++p) {
            const T v = a[i * g.a_row + p * g.a_col];
            const T* row = column + p * g.b_row;
            for (std::int64_t j = 0; j < w; ++j) A::add(sums[j], v, row[j * g.b_col]);
          }
        }
        for (std::int64_t j = 0; j < w; ++j) c[i * g.c_row + j0 + j] = A::value(sums[j]);
      }
    }
  });
}

// ---- complex ----

// One part of an operand (rows x columns, strided) as a dense matrix of reals.
template <class R>
void copy_part(const std::complex<R>* from, std::int64_t row, std::int64_t column, std::int64_t rows,
               std::int64_t columns, bool imaginary, R* to) {
  const R* x = reinterpret_cast<const R*>(from) + (imaginary ? 1 : 0);
  const std::int64_t grain = std::max<std::int64_t>(1, (1 << 16) / std::max<std::int64_t>(1, columns));
  parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t j = 0; j < columns; ++j) to[i * columns + j] = x[2 * (i * row + j * column)];
  });
}

// (a + bi)(c + di) by four real products.
template <class R>
void complex_gemm(const GemmArgs& g) {
  if (g.m * g.n * g.k < 4096) return plain_gemm<std::complex<R>>(g);
  const auto reals = [](std::int64_t n) { return Scratch(n * static_cast<std::int64_t>(sizeof(R))); };
  const auto data = [](const Scratch& s) { return reinterpret_cast<R*>(s.data()); };
  const Scratch a[2] = {reals(g.m * g.k), reals(g.m * g.k)}, b[2] = {reals(g.k * g.n), reals(g.k * g.n)},
                c[2] = {reals(g.m * g.n), reals(g.m * g.n)};
  for (int part = 0; part < 2; ++part) {
    copy_part(static_cast<const std::complex<R>*>(g.a), g.a_row, g.a_col, g.m, g.k, part == 1, data(a[part]));
    copy_part(static_cast<const std::complex<R>*>(g.b), g.b_row, g.b_col, g.k, g.n, part == 1, data(b[part]));
  }
  for (int part = 0; part < 2; ++part) {
    // Real: a c - b d. Imaginary: a d + b c.
    for (int term = 0; term < 2; ++term) {
      const GemmArgs real{g.m, g.n, g.k, data(a[term]), g.k, 1, data(b[part ^ term]), g.n, 1, data(c[term]), g.n};
      if constexpr (std::is_same_v<R, float>)
        f32_gemm(real);
      else
        own_gemm(f64, real);
    }
    R* out = static_cast<R*>(g.c) + part;
    const R *first = data(c[0]), *second = data(c[1]);
    parallel_for(g.m, std::max<std::int64_t>(1, (1 << 16) / g.n), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        for (std::int64_t j = 0; j < g.n; ++j) {
          const R x = first[i * g.n + j], y = second[i * g.n + j];
          out[2 * (i * g.c_row + j)] = part == 0 ? x - y : x + y;
        }
    });
  }
}

// ---- small floats ----

// An operand, rows x columns of a small float, as f32 without gaps, in the order that it has in memory.
class Widened {
 public:
  Widened(DType t, const void* x, std::int64_t rows, std::int64_t columns, std::int64_t row, std::int64_t column)
      : memory_(rows * columns * 4) {
    const ElementwiseKernel& convert = *find_convert(t, f32);
    const bool by_columns = columns == 1 || (rows != 1 && row == 1 && column != 1);
    const std::int64_t lines = by_columns ? columns : rows, length = by_columns ? rows : columns;
    const std::int64_t step = by_columns ? row : column;
    std::int64_t line = by_columns ? column : row;
    row_ = by_columns ? 1 : columns;
    column_ = by_columns ? rows : 1;
    std::optional<Scratch> dense;
    if (step != 1 && length > 1) {
      dense.emplace(rows * columns * 2);
      copy_strided(2, Dims{lines, length}, x, Dims{line, step}, dense->data(), Dims{length, 1});
      x = dense->data();
      line = length;
    }
    const bool together = line == length;
    for (std::int64_t i = 0; i < (together ? 1 : lines); ++i) {
      const char* in = static_cast<const char*>(x) + i * line * 2;
      convert.loop(&in, 0, memory_.data() + i * length * 4, together ? lines * length : length);
    }
  }
  const void* data() const { return memory_.data(); }
  std::int64_t row() const { return row_; }
  std::int64_t column() const { return column_; }

 private:
  Scratch memory_;
  std::int64_t row_, column_;
};

// One problem, through f32: whole operands are widened, so that each is once.
void widened_gemm(DType t, DType result, const GemmArgs& g) {
  const Widened a(t, g.a, g.m, g.k, g.a_row, g.a_col), b(t, g.b, g.k, g.n, g.b_row, g.b_col);
  GemmArgs wide{g.m, g.n, g.k, a.data(), a.row(), a.column(), b.data(), b.row(), b.column(), g.c, g.c_row};
  if (result == f32) {
    f32_gemm(wide);
    return;
  }
  const Scratch sums(g.m * g.n * 4);
  wide.c = sums.data();
  wide.c_row = g.n;
  f32_gemm(wide);
  const ElementwiseKernel& narrow = *find_convert(f32, result);
  const bool together = g.c_row == g.n;
  for (std::int64_t i = 0; i < (together ? 1 : g.m); ++i) {
    const void* row = sums.data() + i * g.n * 4;
    run_flat(narrow, together ? g.m * g.n : g.n, &row, 0, static_cast<char*>(g.c) + i * g.c_row * 2);
  }
}

void small_float_matmul(const MatmulProblem& p, const void* a, const void* b, void* c) {
  const bool large = p.m > 1 && p.n > 1 && p.m * p.n * p.k >= kBf16LibraryProducts && p.k > 0;
  if (p.dtype == bf16 && large && active_isa() == Isa::kV4) {
    // Whole problems to the library, split like f32 ones. Where it declines a piece, all is made anew below.
    const std::int64_t out_bytes = byte_size(p.result);
    const Grid grid = grid_of(p.m, p.n, p.k, kBf16LibraryProducts);
    const std::int64_t across = (p.n - 1) / grid.columns + 1, down = (p.m - 1) / grid.rows + 1;
    std::atomic<bool> declined{!onednn_takes_bf16(args_of(p, a, b, c, 0, 2, out_bytes))};
    const auto run = [&](std::int64_t q) {
      const GemmArgs g = args_of(p, a, b, c, q / (across * down), 2, out_bytes);
      const std::int64_t i = q % (across * down) / across * grid.rows, j = q % across * grid.columns;
      return onednn_bf16_gemm(
          piece_of(g, i, std::min(grid.rows, p.m - i), j, std::min(grid.columns, p.n - j), 2, out_bytes),
          p.result == bf16);
    };
    if (!declined)
      parallel_for(p.batch * across * down, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t q = begin; q < end && !declined; ++q)
          if (!run(q)) declined = true;
      });
    if (!declined) return;
  }
  for_batch(p,
            [&](std::int64_t s) { widened_gemm(p.dtype, p.result, args_of(p, a, b, c, s, 2, byte_size(p.result))); });
}

}  // namespace

bool can_matmul(DType dtype, DType result) {
  if (dtype == f16 || dtype == bf16) return result == dtype || result == f32;
  return dtype == result && dtype != boolean && !is_storage(dtype);
}

void matmul(const MatmulProblem& p, const void* a, const void* b, void* c) {
  internal_check(can_matmul(p.dtype, p.result), "matmul: no kernel for these types");
  if (p.batch == 0 || p.m == 0 || p.n == 0) return;
  if (p.dtype == f16 || p.dtype == bf16) {
    small_float_matmul(p, a, b, c);
    return;
  }
  const std::int64_t bytes = byte_size(p.dtype);
  const auto args = [&](std::int64_t s) { return args_of(p, a, b, c, s, bytes, bytes); };
  if (p.ordered) {
    internal_check(p.dtype == f32 || p.dtype == f64, "matmul: an ordered product of another type");
    for_batch(p, [&](std::int64_t s) { own_gemm(p.dtype, args(s), true); });
  } else if (p.dtype == f32) {
    for_batch(p, [&](std::int64_t s) { f32_gemm(args(s)); });
  } else if (p.dtype == f64) {
    for_batch(p, [&](std::int64_t s) { own_gemm(f64, args(s)); });
  } else {
    visit_dtype(p.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
        for_batch(p, [&](std::int64_t s) { plain_gemm<T>(args(s)); });
      else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>)
        for_batch(p, [&](std::int64_t s) { complex_gemm<typename T::value_type>(args(s)); });
    });
  }
}

}  // namespace weft::cpu
