// Everything here is one strided copy or a few. The copy sorts and merges dimensions, then moves runs, transposed
// blocks, or single elements, whichever the innermost dimensions allow.
#include "weft/cpu/kernels/layout.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/sized_element.h"
#include "weft/cpu/kernels/transpose_block.h"
#include "weft/ir/aval.h"

namespace weft::cpu {
namespace {

// Bytes moved that are worth another thread.
constexpr std::int64_t kRangeBytes = 1 << 20;
// Transpositions of so much go past the caches: their results would push out everything else.
constexpr std::int64_t kStreamBytes = 16 << 20;

struct Dimension {
  std::int64_t size, in, out;  // strides in elements
};

template <class T>
void copy_run(const T* in, std::int64_t in_stride, T* out, std::int64_t out_stride, std::int64_t n) {
  if (in_stride == 1 && out_stride == 1) {
    std::memcpy(out, in, static_cast<std::size_t>(n) * sizeof(T));
  } else if (in_stride == 0 && out_stride == 1) {
    const T v = *in;
    for (std::int64_t i = 0; i < n; ++i) out[i] = v;
  } else {
    for (std::int64_t i = 0; i < n; ++i) out[i * out_stride] = in[i * in_stride];
  }
}

// Calls body(in offset, out offset) for the positions [begin, end) of `dims`, the last one varying fastest.
template <class F>
void for_positions(const Dimension* dims, int rank, std::int64_t begin, std::int64_t end, F&& body) {
  std::int64_t index[kMaxRank];
  std::int64_t in = 0, out = 0, rest = begin;
  for (int d = rank - 1; d >= 0; --d) {
    index[d] = rest % dims[d].size;
    rest /= dims[d].size;
    in += index[d] * dims[d].in;
    out += index[d] * dims[d].out;
  }
  for (std::int64_t i = begin; i < end; ++i) {
    body(in, out);
    for (int d = rank - 1; d >= 0; --d) {
      in += dims[d].in;
      out += dims[d].out;
      if (++index[d] < dims[d].size) break;
      in -= dims[d].size * dims[d].in;
      out -= dims[d].size * dims[d].out;
      index[d] = 0;
    }
  }
}

std::int64_t count(const Dimension* dims, int rank) {
  std::int64_t n = 1;
  for (int d = 0; d < rank; ++d) n *= dims[d].size;
  return n;
}

}  // namespace

void copy_strided(std::int64_t element, DimSpan shape, const void* in, DimSpan in_strides, void* out,
                  DimSpan out_strides) {
  Dimension dims[kMaxRank + 1];
  int rank = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0) return;
    if (shape[d] != 1) dims[rank++] = {shape[d], in_strides[d], out_strides[d]};
  }
  // Outer to inner by the output's strides; dimensions that continue one another become one.
  for (int d = 1; d < rank; ++d)
    for (int e = d; e > 0 && std::llabs(dims[e - 1].out) < std::llabs(dims[e].out); --e)
      std::swap(dims[e - 1], dims[e]);
  int merged = 0;
  for (int d = 0; d < rank; ++d) {
    if (merged > 0 && dims[merged - 1].in == dims[d].in * dims[d].size &&
        dims[merged - 1].out == dims[d].out * dims[d].size)
      dims[merged - 1] = {dims[merged - 1].size * dims[d].size, dims[d].in, dims[d].out};
    else
      dims[merged++] = dims[d];
  }
  rank = merged;
  // A short run of elements moves as one larger element, where it lies as one would.
  if (rank > 1 && dims[rank - 1].in == 1 && dims[rank - 1].out == 1) {
    const std::int64_t run = dims[rank - 1].size, bytes = run * element;
    const auto addresses = reinterpret_cast<std::uintptr_t>(in) | reinterpret_cast<std::uintptr_t>(out);
    bool whole = (bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16) &&
                 addresses % static_cast<std::uintptr_t>(std::min<std::int64_t>(bytes, 8)) == 0;
    for (int d = 0; d < rank - 1; ++d) whole = whole && dims[d].in % run == 0 && dims[d].out % run == 0;
    if (whole) {
      element = bytes;
      --rank;
      for (int d = 0; d < rank; ++d) dims[d].in /= run, dims[d].out /= run;
    }
  }
  if (rank == 0) dims[rank++] = {1, 1, 1};
  const Dimension inner = dims[rank - 1];
  const char* from = static_cast<const char*>(in);
  char* to = static_cast<char*>(out);

  // A transposition when another dimension is the one that is dense in the input.
  int across = -1;
  if (inner.out == 1 && inner.in != 1 && inner.in != 0)
    for (int d = 0; d < rank - 1; ++d)
      if (dims[d].in == 1) across = d;
  if (across >= 0 && inner.size >= 4 && dims[across].size >= 4) {
    const Dimension cross = dims[across];
    std::copy(dims + across + 1, dims + rank - 1, dims + across);
    rank -= 2;
    // Panels along the longer side are the unit of work.
    const std::int64_t step = 256;
    const bool by_rows = inner.size >= cross.size;
    const std::int64_t panels = ((by_rows ? inner.size : cross.size) - 1) / step + 1;
    const bool past_caches = count(dims, rank) * inner.size * cross.size * element >= kStreamBytes;
    const std::int64_t panel_bytes = step * (by_rows ? cross.size : inner.size) * element;
    parallel_for(count(dims, rank) * panels, std::max<std::int64_t>(1, kRangeBytes / panel_bytes),
                 [&](std::int64_t begin, std::int64_t end) {
                   while (begin < end) {
                     const std::int64_t position = begin / panels, first = begin % panels;
                     const std::int64_t last = std::min(panels, first + end - begin);
                     for_positions(dims, rank, position, position + 1, [&](std::int64_t i, std::int64_t o) {
                       const std::int64_t start = first * step;
                       const std::int64_t size = std::min(last * step, by_rows ? inner.size : cross.size) - start;
                       if (by_rows)
                         transpose_2d(element, size, cross.size, from + (i + start * inner.in) * element, inner.in,
                                      to + (o + start) * element, cross.out, past_caches);
                       else
                         transpose_2d(element, inner.size, size, from + (i + start) * element, inner.in,
                                      to + (o + start * cross.out) * element, cross.out, past_caches);
                     });
                     begin += last - first;
                   }
                 });
    return;
  }

  --rank;
  const std::int64_t outer = count(dims, rank);
  if (outer == 1) {
    // One long run: split along it.
    parallel_for(inner.size, std::max<std::int64_t>(1, kRangeBytes / element),
                 [&](std::int64_t begin, std::int64_t end) {
                   with_element(element, [&](auto tag) {
                     using T = decltype(tag);
                     copy_run(reinterpret_cast<const T*>(from) + begin * inner.in, inner.in,
                              reinterpret_cast<T*>(to) + begin * inner.out, inner.out, end - begin);
                   });
                 });
    return;
  }
  parallel_for(outer, std::max<std::int64_t>(1, kRangeBytes / (inner.size * element)),
               [&](std::int64_t begin, std::int64_t end) {
                 with_element(element, [&](auto tag) {
                   using T = decltype(tag);
                   for_positions(dims, rank, begin, end, [&](std::int64_t i, std::int64_t o) {
                     copy_run(reinterpret_cast<const T*>(from) + i, inner.in, reinterpret_cast<T*>(to) + o, inner.out,
                              inner.size);
                   });
                 });
               });
}

void transpose(std::int64_t element, DimSpan shape, DimSpan permutation, const void* in, void* out) {
  const Dims strides = row_major_strides(shape);
  Dims out_shape(shape.size()), in_strides(shape.size());
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::size_t p = static_cast<std::size_t>(permutation[d]);
    out_shape[d] = shape[p];
    in_strides[d] = strides[p];
  }
  copy_strided(element, out_shape, in, in_strides, out, row_major_strides(out_shape));
}

void slice(std::int64_t element, DimSpan shape, DimSpan starts, DimSpan limits, DimSpan strides, const void* in,
           void* out) {
  Dims out_shape(shape.size()), in_strides = row_major_strides(shape);
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    out_shape[d] = limits[d] > starts[d] ? (limits[d] - starts[d] - 1) / strides[d] + 1 : 0;
    offset += starts[d] * in_strides[d];
    in_strides[d] *= out_shape[d] > 1 ? strides[d] : 0;  // of one element the stride may be huge
  }
  copy_strided(element, out_shape, static_cast<const char*>(in) + offset * element, in_strides, out,
               row_major_strides(out_shape));
}

void update_slice(std::int64_t element, DimSpan shape, DimSpan starts, DimSpan update_shape, const void* update,
                  void* out) {
  const Dims strides = row_major_strides(shape);
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) offset += starts[d] * strides[d];
  copy_strided(element, update_shape, update, row_major_strides(update_shape),
               static_cast<char*>(out) + offset * element, strides);
}

void pad(std::int64_t element, DimSpan shape, DimSpan low, DimSpan high, DimSpan interior, const void* in,
         const void* value, void* out) {
  const std::size_t rank = shape.size();
  Dims out_shape(rank), kept(rank), in_strides = row_major_strides(shape);
  for (std::size_t d = 0; d < rank; ++d)
    out_shape[d] = low[d] + high[d] + shape[d] + std::max<std::int64_t>(shape[d] - 1, 0) * interior[d];
  Dims out_strides = row_major_strides(out_shape);
  std::int64_t in_offset = 0, out_offset = 0;
  bool covers = true;
  for (std::size_t d = 0; d < rank; ++d) {
    // Element i lands at low + i * step; those outside [0, out size) are cropped.
    const std::int64_t step = interior[d] + 1;
    const std::int64_t first = low[d] >= 0 ? 0 : (-low[d] + step - 1) / step;
    const std::int64_t past =
        out_shape[d] - low[d] <= 0 ? 0 : std::min(shape[d], (out_shape[d] - low[d] - 1) / step + 1);
    kept[d] = std::max<std::int64_t>(past - first, 0);
    covers = covers && kept[d] == out_shape[d];
    if (kept[d] == 0) continue;  // then nothing is copied, and the position may be far outside
    in_offset += first * in_strides[d];
    out_offset += (low[d] + first * step) * out_strides[d];
    out_strides[d] *= kept[d] > 1 ? step : 0;
  }
  if (!covers) fill(element, product(out_shape), value, out);
  if (product(kept) == 0) return;
  copy_strided(element, kept, static_cast<const char*>(in) + in_offset * element, in_strides,
               static_cast<char*>(out) + out_offset * element, out_strides);
}

void concatenate(std::int64_t element, DimSpan shape, std::int64_t dimension, std::span<const ConcatenateInput> inputs,
                 void* out) {
  const Dims out_strides = row_major_strides(shape);
  const std::size_t d = static_cast<std::size_t>(dimension);
  Dims part(shape.begin(), shape.end());
  std::int64_t at = 0;
  for (const ConcatenateInput& input : inputs) {
    part[d] = input.size;
    copy_strided(element, part, input.data, row_major_strides(part),
                 static_cast<char*>(out) + at * out_strides[d] * element, out_strides);
    at += input.size;
  }
}

void reverse(std::int64_t element, DimSpan shape, DimSpan dimensions, const void* in, void* out) {
  if (product(shape) == 0) return;
  Dims in_strides = row_major_strides(shape);
  std::int64_t offset = 0;
  for (const std::int64_t dimension : dimensions) {
    const std::size_t d = static_cast<std::size_t>(dimension);
    offset += (shape[d] - 1) * in_strides[d];
    in_strides[d] = -in_strides[d];
  }
  copy_strided(element, shape, static_cast<const char*>(in) + offset * element, in_strides, out,
               row_major_strides(shape));
}

void broadcast(std::int64_t element, DimSpan shape, Operand in, void* out) {
  Dims in_strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (in.repeated >> d & 1u) continue;
    in_strides[d] = step;
    step *= shape[d];
  }
  copy_strided(element, shape, in.data, in_strides, out, row_major_strides(shape));
}

void fill(std::int64_t element, std::int64_t n, const void* value, void* out) {
  const std::int64_t zero = 0, one = 1;
  copy_strided(element, {&n, 1}, value, {&zero, 1}, out, {&one, 1});
}

void iota(DType t, DimSpan shape, std::int64_t dimension, void* out) {
  const std::size_t d = static_cast<std::size_t>(dimension);
  const std::int64_t n = shape[d], outer = product(shape.first(d)), inner = product(shape.subspan(d + 1));
  if (outer * n * inner == 0) return;
  const std::int64_t bytes = byte_size(t);
  char* const o = static_cast<char*>(out);
  visit_dtype(t, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (!std::is_same_v<T, bool>) {
      T* first = reinterpret_cast<T*>(o);
      for (std::int64_t i = 0; i < n; ++i) first[i * inner] = convert_element<T>(i);
    }
  });
  // The rest repeats what is there: along the inner dimensions, then over the outer ones.
  for (std::int64_t i = 0; i < n && inner > 1; ++i) {
    char* row = o + i * inner * bytes;
    const std::int64_t m = inner - 1, zero = 0, one = 1;
    copy_strided(bytes, {&m, 1}, row, {&zero, 1}, row + bytes, {&one, 1});
  }
  parallel_for(outer - 1, std::max<std::int64_t>(1, kRangeBytes / (n * inner * bytes)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i)
                   std::memcpy(o + (i + 1) * n * inner * bytes, o, static_cast<std::size_t>(n * inner * bytes));
               });
}

}  // namespace weft::cpu
