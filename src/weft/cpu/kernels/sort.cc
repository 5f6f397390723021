// Rows are sorted one at a time, or one after the other by all threads; another dimension is brought to the end first.
// One operand alone is made of its sorted keys; several are gathered by the sorted positions.
#include "weft/cpu/kernels/sort.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <complex>
#include <cstring>
#include <memory>
#include <vector>

#include "weft/base/small_vector.h"
#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/layout.h"
#include "weft/cpu/kernels/ordered_keys.h"
#include "weft/cpu/kernels/radix_sort.h"
#include "weft/cpu/kernels/scratch.h"
#include "weft/cpu/kernels/sized_element.h"

namespace weft::cpu {
namespace {

// Elements worth another thread.
constexpr std::int64_t kRange = 32 << 10;

// f(begin, end) over rows of n: many rows in parallel, few one by one so that each may use all threads.
template <class F>
void for_rows(std::int64_t rows, std::int64_t n, F&& f) {
  if (rows < num_threads() && n >= 2 * detail::kSortRange) return f(std::int64_t{0}, rows);
  parallel_for(rows, std::max<std::int64_t>(1, kRange / n), f);
}

// The elements that keys do not tell: those of x for which `is` holds, in their order.
template <class T, class Is>
void keep_order(const T* x, std::int64_t n, T* to, Is is) {
  for (std::int64_t i = 0; i < n; ++i)
    if (is(x[i])) *to++ = x[i];
}

template <class T>
void sort_values(const T* x, T* y, std::int64_t n, KeyOf<T>* keys, KeyOf<T>* scratch) {
  using K = KeyOf<T>;
  constexpr K kZero = is_float_element<T> ? kTopBit<T> : K(0), kNan = static_cast<K>(~K(0));
  std::atomic<bool> other_zeros{false}, nans{false};
  parallel_for(n, detail::kSortRange, [&](std::int64_t begin, std::int64_t end) {
    bool zeros = false, nan = false;
    for (std::int64_t i = begin; i < end; ++i) {
      keys[i] = sort_key(x[i]);
      if constexpr (is_float_element<T>) {
        zeros |= std::bit_cast<K>(x[i]) == kTopBit<T>;
        nan |= keys[i] == kNan;
      }
    }
    if (zeros) other_zeros = true;
    if (nan) nans = true;
  });
  const K* sorted = sort_keys(keys, scratch, n);
  parallel_for(n, detail::kSortRange, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = from_sort_key<T>(sorted[i]);
  });
  if (other_zeros)
    keep_order(x, n, y + (std::lower_bound(sorted, sorted + n, kZero) - sorted),
               [](T v) { return sort_key(v) == kZero; });
  if (nans)
    keep_order(x, n, y + (std::lower_bound(sorted, sorted + n, kNan) - sorted),
               [](T v) { return sort_key(v) == kNan; });
}

void sort_rows_of_one(DType t, std::int64_t rows, std::int64_t n, const void* in, void* out) {
  visit_dtype(t, [&]<class T>(TypeTag<T>) {
    if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>>) {
      using K = KeyOf<T>;
      for_rows(rows, n, [&](std::int64_t begin, std::int64_t end) {
        Scratch keys(2 * n * static_cast<std::int64_t>(sizeof(K)));
        K* const own = reinterpret_cast<K*>(keys.data());
        for (std::int64_t r = begin; r < end; ++r)
          sort_values(static_cast<const T*>(in) + r * n, static_cast<T*>(out) + r * n, n, own, own + n);
      });
    }
  });
}

// A key of one part of the elements of a row.
struct KeyPart {
  DType type;  // not complex
  const char* data;
  std::int64_t step;  // bytes from element to element

  template <class F>
  void visit(F&& f) const {
    visit_dtype(type, [&]<class T>(TypeTag<T>) {
      if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>>)
        f([data = data, step = step](std::int64_t i) {
          T v;
          std::memcpy(&v, data + i * step, sizeof v);
          return sort_key(v);
        });
    });
  }
};

// `parts` from the most significant one on.
template <class K>
void sort_row(std::span<const DType> types, std::span<const KeyPart> parts, std::int64_t n, std::int64_t row,
              const void* const* in, void* const* out) {
  PositionSort<K> sort(n);
  for (std::size_t k = parts.size(); k-- > 0;)
    parts[k].visit([&](auto key) {
      if (k + 1 == parts.size())
        sort.start([&](std::int64_t i) { return static_cast<K>(key(i)); });
      else
        sort.refine([&](std::int64_t i) { return static_cast<K>(key(i)); });
    });
  for (std::size_t k = 0; k < types.size(); ++k)
    with_element(byte_size(types[k]), [&](auto tag) {
      using T = decltype(tag);
      const T* x = static_cast<const T*>(in[k]) + row * n;
      T* y = static_cast<T*>(out[k]) + row * n;
      parallel_for(n, detail::kSortRange, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) y[i] = x[sort.position(i)];
      });
    });
}

void sort_rows_of_many(std::span<const DType> types, std::int64_t num_keys, std::int64_t rows, std::int64_t n,
                       const void* const* in, void* const* out) {
  bool wide = false;
  for (std::size_t k = 0; k < static_cast<std::size_t>(num_keys); ++k) wide |= byte_size(real_dtype(types[k])) > 4;
  for_rows(rows, n, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      SmallVector<KeyPart, 4> parts;
      for (std::size_t k = 0; k < static_cast<std::size_t>(num_keys); ++k) {
        const std::int64_t bytes = byte_size(types[k]);
        const char* const x = static_cast<const char*>(in[k]) + r * n * bytes;
        parts.push_back({real_dtype(types[k]), x, bytes});
        if (is_complex(types[k])) parts.push_back({real_dtype(types[k]), x + bytes / 2, bytes});
      }
      if (wide)
        sort_row<std::uint64_t>(types, parts, n, r, in, out);
      else
        sort_row<std::uint32_t>(types, parts, n, r, in, out);
    }
  });
}

}  // namespace

bool can_sort(std::span<const DType> types, std::int64_t n) {
  return n <= UINT32_MAX && std::none_of(types.begin(), types.end(), is_storage);
}

void sort(std::span<const DType> types, DimSpan shape, std::int64_t dimension, std::int64_t num_keys,
          const void* const* in, void* const* out) {
  const auto d = static_cast<std::size_t>(dimension);
  const std::int64_t n = shape[d], outer = product(shape.first(d)), inner = product(shape.subspan(d + 1));
  const std::int64_t size = outer * n * inner;
  internal_check(can_sort(types, n), "sort: no kernel for these types");
  if (size == 0) return;
  const auto sort_rows = [&](const void* const* x, void* const* y) {
    if (types.size() == 1 && !is_complex(types[0]))
      sort_rows_of_one(types[0], outer * inner, n, x[0], y[0]);
    else
      sort_rows_of_many(types, num_keys, outer * inner, n, x, y);
  };
  if (inner == 1) return sort_rows(in, out);
  // Rows of [outer, inner, n], in memory between.
  std::vector<std::unique_ptr<Scratch>> memory;
  SmallVector<const void*, 4> from;
  SmallVector<void*, 4> to;
  const Dims there{outer, n, inner}, back{outer, inner, n}, swapped{0, 2, 1};
  for (std::size_t k = 0; k < types.size(); ++k) {
    const std::int64_t bytes = byte_size(types[k]);
    memory.push_back(std::make_unique<Scratch>(2 * size * bytes));
    char* const own = memory.back()->data();
    transpose(bytes, there, swapped, in[k], own);
    from.push_back(own);
    to.push_back(own + size * bytes);
  }
  sort_rows(from.data(), to.data());
  for (std::size_t k = 0; k < types.size(); ++k) transpose(byte_size(types[k]), back, swapped, to[k], out[k]);
}

}  // namespace weft::cpu
