// Windows are copied run by run, from starts that are read as they are needed where the order of the result allows it.
#include "weft/cpu/kernels/gather.h"

#include <algorithm>
#include <cstring>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/scratch.h"
#include "weft/cpu/kernels/sized_element.h"

namespace weft::cpu {
namespace {

// Bytes moved, and runs, that are worth another thread.
constexpr std::int64_t kRangeBytes = 1 << 20, kRangeRuns = 16 << 10;
// Index vectors that are read at a time.
constexpr std::int64_t kVectors = 256;

template <std::int64_t kBytes>
void copy_fixed(char* to, const char* from) {
  std::memcpy(to, from, kBytes);
}
// A call of memcpy costs more than a short row.
void copy_row(char* to, const char* from, std::int64_t bytes) {
  switch (bytes) {
    case 2: return copy_fixed<2>(to, from);
    case 4: return copy_fixed<4>(to, from);
    case 8: return copy_fixed<8>(to, from);
    case 12: return copy_fixed<12>(to, from);
    case 16: return copy_fixed<16>(to, from);
    case 32: return copy_fixed<32>(to, from);
    case 64: return copy_fixed<64>(to, from);
    default: std::memcpy(to, from, static_cast<std::size_t>(bytes));
  }
}

// y[k] = x[starts[k * step] + offset]
template <class T>
void copy_elements(const T* x, const std::int64_t* starts, std::int64_t step, std::int64_t n, std::int64_t offset,
                   T fill, T* y) {
  for (std::int64_t k = 0; k < n; ++k) {
    const std::int64_t j = starts[k * step];
    y[k] = j < 0 ? fill : x[j + offset];
  }
}

template <class T>
void gather_as(const IndexWindows& w, const T* x, const void* indices, T fill, T* y) {
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
  const std::int64_t n = w.run();
  const IndexWindows::Axis inner = w.axes().back();
  const auto copy_window = [&](std::int64_t start, std::int64_t offset, T* to) {
    if (start < 0)
      std::fill_n(to, n, fill);
    else if (inner.window_step == 1)
      copy_row(reinterpret_cast<char*>(to), reinterpret_cast<const char*>(x + start + offset), n * kSize);
    else
      for (std::int64_t k = 0; k < n; ++k) to[k] = x[start + offset + k * inner.window_step];
  };
  if (w.in_order()) {
    const bool rows = w.runs_in_window();
    const std::int64_t per_vector = rows ? n : 1;
    parallel_for(w.vectors(), std::clamp<std::int64_t>(kRangeBytes / (per_vector * kSize), 1, kRangeRuns),
                 [&](std::int64_t begin, std::int64_t end) {
                   std::int64_t starts[kVectors];
                   for (std::int64_t v = begin; v < end; v += kVectors) {
                     const std::int64_t m = std::min(kVectors, end - v);
                     w.starts(indices, v, v + m, starts);
                     if (!rows) {
                       copy_elements(x, starts, 1, m, 0, fill, y + v);
                       continue;
                     }
                     for (std::int64_t k = 0; k < m; ++k) copy_window(starts[k], 0, y + (v + k) * n);
                   }
                 });
    return;
  }
  Scratch memory(w.vectors() * 8);
  auto* const starts = reinterpret_cast<std::int64_t*>(memory.data());
  parallel_for(w.vectors(), kRangeRuns,
               [&](std::int64_t begin, std::int64_t end) { w.starts(indices, begin, end, starts + begin); });
  parallel_for(w.runs(), std::clamp<std::int64_t>(kRangeBytes / (n * kSize), 1, kRangeRuns),
               [&](std::int64_t begin, std::int64_t end) {
                 if (w.runs_in_window())
                   w.each_run(begin, end, [&](std::int64_t r, std::int64_t vector, std::int64_t offset) {
                     copy_window(starts[vector], offset, y + r * n);
                   });
                 else
                   w.each_run(begin, end, [&](std::int64_t r, std::int64_t vector, std::int64_t offset) {
                     copy_elements(x, starts + vector, inner.vector_step, n, offset, fill, y + r * n);
                   });
               });
}

}  // namespace

void gather(const IndexWindows& windows, std::int64_t element, const void* in, const void* indices, const void* fill,
            void* out) {
  if (windows.runs() * windows.run() == 0) return;
  with_element(element, [&](auto tag) {
    using T = decltype(tag);
    T outside;
    std::memcpy(&outside, fill, sizeof outside);
    gather_as(windows, static_cast<const T*>(in), indices, outside, static_cast<T*>(out));
  });
}

}  // namespace weft::cpu
