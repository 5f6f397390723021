// Composes the block reductions of isa/reduce.cc into reductions over any dimensions.
// Dimensions are merged into alternating kept and reduced ones; the last reduced one goes first. Long ones are cut
// into blocks of a fixed size, whose results are reduced again: the blocks are the unit of parallel work.
#include "weft/cpu/kernels/reduce.h"

#include <algorithm>
#include <cstring>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/elementwise.h"
#include "weft/cpu/kernels/isa.h"
#include "weft/cpu/kernels/scratch.h"
#include "weft/ir/reduction_groups.h"
#include "weft/ir/reduction_order.h"

namespace weft::cpu {
namespace {

// Bytes of input worth handing to another thread.
constexpr std::int64_t kRangeBytes = 2 << 20;

// Where rows come from: the input as it is, or small floats converted piece by piece.
struct Source {
  const char* data;
  const ElementwiseKernel* widen;  // null: no conversion

  // Elements [at, at + n) in the kernel's type; `buffer` is used when they must be converted.
  const char* get(std::int64_t at, std::int64_t n, int bytes, char* buffer) const {
    if (!widen) return data + at * bytes;
    const char* p = data + at * widen->in_bytes[0];
    widen->loop(&p, 0, buffer, n);
    return buffer;
  }
};

// out[r] = reduce of x[r, 0 .. n)
void reduce_rows(const ReduceKernel& k, const Source& x, char* out, std::int64_t rows, std::int64_t n) {
  const std::int64_t blocks = (n - 1) / kReduceRowBlock + 1;
  if (blocks > 1) {
    Scratch parts(rows * blocks * k.bytes);
    parallel_for(rows * blocks, std::max<std::int64_t>(1, kRangeBytes / (kReduceRowBlock * k.bytes)),
                 [&](std::int64_t begin, std::int64_t end) {
                   Scratch wide(x.widen ? kReduceRowBlock * k.bytes : 0);
                   for (std::int64_t i = begin; i < end; ++i) {
                     const std::int64_t row = i / blocks, first = i % blocks * kReduceRowBlock;
                     const std::int64_t m = std::min(kReduceRowBlock, n - first);
                     k.rows(x.get(row * n + first, m, k.bytes, wide.data()), parts.data() + i * k.bytes, 1, m, m);
                   }
                 });
    reduce_rows(k, {parts.data(), nullptr}, out, rows, blocks);
    return;
  }
  // Rows that are converted go through a buffer of this many at a time.
  const std::int64_t together = x.widen ? std::max<std::int64_t>(1, kReduceRowBlock / n) : rows;
  parallel_for(rows, std::max<std::int64_t>(1, kRangeBytes / (n * k.bytes)), [&](std::int64_t begin, std::int64_t end) {
    Scratch wide(x.widen ? together * n * k.bytes : 0);
    for (std::int64_t r = begin; r < end; r += together) {
      const std::int64_t m = std::min(together, end - r);
      k.rows(x.get(r * n, m * n, k.bytes, wide.data()), out + r * k.bytes, m, n, n);
    }
  });
}

// out[a, j] = reduce of x[a, i, j] over i < n
void reduce_columns(const ReduceKernel& k, const Source& x, char* out, std::int64_t outer, std::int64_t n,
                    std::int64_t width) {
  if (const std::int64_t fold = ir::reduction_fold(n, width); fold > 1) {
    // x[a, fold * i + f, j] is also x'[a, i, f * width + j] when n is a multiple of fold; the rest goes row by row.
    const std::int64_t whole = n / fold, rest = n - whole * fold;
    if (rest == 0) {
      Scratch folded(outer * fold * width * k.bytes);
      reduce_columns(k, x, folded.data(), outer, whole, fold * width);
      reduce_columns(k, {folded.data(), nullptr}, out, outer, fold, width);
      return;
    }
    Scratch halves(2 * width * k.bytes), folded(fold * width * k.bytes);
    const int in_bytes = x.widen ? x.widen->in_bytes[0] : k.bytes;
    for (std::int64_t a = 0; a < outer; ++a) {
      const Source at{x.data + a * n * width * in_bytes, x.widen};
      const Source tail{at.data + whole * fold * width * in_bytes, x.widen};
      reduce_columns(k, at, folded.data(), 1, whole, fold * width);
      reduce_columns(k, {folded.data(), nullptr}, halves.data(), 1, fold, width);
      reduce_columns(k, tail, halves.data() + width * k.bytes, 1, rest, width);
      k.columns(halves.data(), out + a * width * k.bytes, 2, width, width);
    }
    return;
  }
  const std::int64_t blocks = (n - 1) / kReduceColumnBlock + 1;
  const std::int64_t tile = x.widen ? kReduceTile / 4 : kReduceTile;
  const std::int64_t tiles = (width - 1) / tile + 1;
  const bool single = blocks == 1;
  Scratch parts(single ? 0 : outer * blocks * width * k.bytes);
  char* to = single ? out : parts.data();
  const std::int64_t work = std::min(n, kReduceColumnBlock) * std::min(width, tile) * k.bytes;
  parallel_for(outer * blocks * tiles, std::max<std::int64_t>(1, kRangeBytes / work),
               [&](std::int64_t begin, std::int64_t end) {
                 Scratch wide(x.widen ? std::min(n, kReduceColumnBlock) * std::min(width, tile) * k.bytes : 0);
                 for (std::int64_t i = begin; i < end; ++i) {
                   const std::int64_t t = i % tiles, block = i / tiles;  // block counts over `outer` too
                   const std::int64_t a = block / blocks, first = block % blocks * kReduceColumnBlock;
                   const std::int64_t m = std::min(kReduceColumnBlock, n - first);
                   const std::int64_t column = t * tile, w = std::min(tile, width - column);
                   const std::int64_t start = (a * n + first) * width + column;
                   char* o = to + (block * width + column) * k.bytes;
                   if (!x.widen) {
                     k.columns(x.data + start * k.bytes, o, m, w, width);
                     continue;
                   }
                   for (std::int64_t r = 0; r < m; ++r)
                     x.get(start + r * width, w, k.bytes, wide.data() + r * w * k.bytes);
                   k.columns(wide.data(), o, m, w, w);
                 }
               });
  if (!single) reduce_columns(k, {parts.data(), nullptr}, out, outer, blocks, width);
}

void fill_identity(const ReduceKernel& k, char* out, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) std::memcpy(out + i * k.bytes, k.identity, k.bytes);
}

bool is_small(DType t) { return t == f16 || t == bf16; }

}  // namespace

bool can_reduce(ReduceOp op, DType t) { return isa_kernels().reduce(op, is_small(t) ? f32 : t) != nullptr; }

void reduce(ReduceOp op, DType t, DimSpan shape, DimSpan axes, const void* in, void* out) {
  const bool small = is_small(t);
  const ReduceKernel* kernel = isa_kernels().reduce(op, small ? f32 : t);
  internal_check(kernel != nullptr, "reduce: no kernel for this operation and type");
  const ReduceKernel& k = *kernel;
  ir::ReductionGroups g = ir::reduction_groups(shape, axes);
  std::int64_t kept = 1, reduced = 1;
  bool any = false;
  for (std::size_t i = 0; i < g.sizes.size(); ++i) (g.reduced[i] ? reduced : kept) *= g.sizes[i], any |= g.reduced[i];
  if (kept == 0) return;
  if (!any && op == ReduceOp::kSum && is_float(t)) {
    // A sum of one element is the element, but for the sign of zero.
    g.sizes.push_back(1);
    g.reduced.push_back(true);
    any = true;
  }
  if (!any) {
    std::memcpy(out, in, static_cast<std::size_t>(kept * byte_size(t)));
    return;
  }
  // The small floats accumulate in f32 and are rounded once, at the end.
  Scratch total(small ? kept * k.bytes : 0);
  char* result = small ? total.data() : static_cast<char*>(out);
  if (reduced == 0) {
    fill_identity(k, result, kept);
  } else {
    Source x{static_cast<const char*>(in), small ? find_convert(t, f32) : nullptr};
    char* previous = nullptr;
    std::size_t previous_bytes = 0;
    for (;;) {
      std::size_t last = g.sizes.size();
      while (!g.reduced[--last]) {
      }
      std::int64_t outer = 1, width = 1;
      bool more = false;
      for (std::size_t i = 0; i < g.sizes.size(); ++i) {
        if (i < last) outer *= g.sizes[i], more |= g.reduced[i];
        if (i > last) width *= g.sizes[i];
      }
      const std::size_t bytes = static_cast<std::size_t>(outer * width * k.bytes);
      char* to = more ? static_cast<char*>(allocate(bytes)) : result;
      try {
        if (width == 1)
          reduce_rows(k, x, to, outer, g.sizes[last]);
        else
          reduce_columns(k, x, to, outer, g.sizes[last], width);
      } catch (...) {
        if (more) deallocate(to, bytes);
        deallocate(previous, previous_bytes);
        throw;
      }
      deallocate(previous, previous_bytes);
      if (!more) break;
      previous = to;
      previous_bytes = bytes;
      x = {to, nullptr};
      // The groups beside the reduced one are both kept now.
      ir::ReductionGroups next;
      for (std::size_t i = 0; i < g.sizes.size(); ++i)
        if (i != last) next.push(g.sizes[i], g.reduced[i]);
      g = std::move(next);
    }
  }
  if (small) {
    const void* from = result;
    run_flat(*find_convert(f32, t), kept, &from, 0, out);
  }
}

bool can_arg_reduce(DType t) { return isa_kernels().arg_reduce(true, is_small(t) ? f32 : t) != nullptr; }

void arg_reduce(bool max, DType t, DType index_type, DimSpan shape, std::int64_t axis, const void* in, void* out) {
  const ArgReduceKernel* kernel = isa_kernels().arg_reduce(max, is_small(t) ? f32 : t);
  internal_check(kernel != nullptr, "arg_reduce: no kernel for this type");
  internal_check(byte_size(index_type) >= 4 && is_integer(index_type),
                 "arg_reduce: the index type must be i32, i64, u32 or u64");
  const ArgReduceKernel& k = *kernel;
  const std::size_t at = static_cast<std::size_t>(axis);
  const std::int64_t n = shape[at], outer = product(shape.first(at)), width = product(shape.subspan(at + 1));
  if (outer * width == 0) return;
  internal_check(n > 0, "arg_reduce: the axis must have elements");
  // Positions are compared, never summed, so converting everything first costs bandwidth only.
  Scratch wide(is_small(t) ? outer * n * width * 4 : 0);
  const char* x = static_cast<const char*>(in);
  if (is_small(t)) {
    run_flat(*find_convert(t, f32), outer * n * width, &in, 0, wide.data());
    x = wide.data();
  }
  const auto write = [&](std::int64_t i, std::int64_t index) {
    if (byte_size(index_type) == 4)
      static_cast<std::int32_t*>(out)[i] = static_cast<std::int32_t>(index);
    else
      static_cast<std::int64_t*>(out)[i] = index;
  };
  if (width == 1) {
    const std::int64_t blocks = (n - 1) / kReduceRowBlock + 1;
    Scratch parts(outer * blocks * 8);
    auto* found = reinterpret_cast<std::int64_t*>(parts.data());
    parallel_for(outer * blocks, std::max<std::int64_t>(1, kRangeBytes / (std::min(n, kReduceRowBlock) * k.bytes)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i) {
                     const std::int64_t first = i % blocks * kReduceRowBlock;
                     const char* p = x + (i / blocks * n + first) * k.bytes;
                     found[i] = first + k.row(p, std::min(kReduceRowBlock, n - first));
                   }
                 });
    for (std::int64_t a = 0; a < outer; ++a) {
      const char* row = x + a * n * k.bytes;
      std::int64_t best = found[a * blocks];
      for (std::int64_t b = 1; b < blocks; ++b)
        if (k.better(row, found[a * blocks + b], best)) best = found[a * blocks + b];
      write(a, best);
    }
    return;
  }
  const std::int64_t tiles = (width - 1) / kReduceTile + 1;
  parallel_for(outer * tiles, std::max<std::int64_t>(1, kRangeBytes / (n * std::min(width, kReduceTile) * k.bytes)),
               [&](std::int64_t begin, std::int64_t end) {
                 Scratch best(2 * kReduceTile * 8);
                 auto* index = reinterpret_cast<std::int64_t*>(best.data());
                 std::int64_t* block_index = index + kReduceTile;
                 // Positions inside a block of rows fit 32 bits.
                 constexpr std::int64_t kRows = std::int64_t{1} << 30;
                 for (std::int64_t i = begin; i < end; ++i) {
                   const std::int64_t a = i / tiles, column = i % tiles * kReduceTile;
                   const std::int64_t w = std::min(kReduceTile, width - column);
                   const char* p = x + (a * n * width + column) * k.bytes;
                   k.columns(p, index, std::min(n, kRows), w, width);
                   for (std::int64_t first = kRows; first < n; first += kRows) {
                     k.columns(p + first * width * k.bytes, block_index, std::min(n - first, kRows), w, width);
                     for (std::int64_t j = 0; j < w; ++j) {
                       const std::int64_t other = first + block_index[j];
                       if (k.better(p, other * width + j, index[j] * width + j)) index[j] = other;
                     }
                   }
                   for (std::int64_t j = 0; j < w; ++j) write(a * width + column + j, index[j]);
                 }
               });
}

}  // namespace weft::cpu
