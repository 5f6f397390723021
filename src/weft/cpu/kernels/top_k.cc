// Candidates are collected in a buffer, and only what is above the k-th largest so far becomes one: most elements are
// passed over by the vector search. A large k sorts instead.
#include "weft/cpu/kernels/top_k.h"

#include <algorithm>
#include <vector>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/isa.h"
#include "weft/cpu/kernels/ordered_keys.h"
#include "weft/cpu/kernels/radix_sort.h"
#include "weft/cpu/kernels/scratch.h"

namespace weft::cpu {
namespace {

struct Candidate {
  std::uint64_t key;
  std::uint32_t position;
  // The order of the results.
  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.key != b.key ? a.key > b.key : a.position < b.position;
  }
};

// Elements worth another thread.
constexpr std::int64_t kRange = 128 << 10;
// After one candidate is found this many elements are looked at one by one.
constexpr std::int64_t kNear = 32;

// Appends the k first of x[begin, end), in no order, to `found`.
template <class T>
void select(DType t, const T* x, std::int64_t begin, std::int64_t end, std::int64_t k, std::vector<Candidate>& found) {
  const auto find = isa_kernels().find_above;
  const auto first = static_cast<std::ptrdiff_t>(found.size());
  const auto size = [&] { return static_cast<std::int64_t>(found.size()) - first; };
  const std::int64_t room = 2 * k + 256;
  found.reserve(found.size() + static_cast<std::size_t>(room));
  const auto candidate = [&](std::int64_t i) { return Candidate{total_key(x[i]), static_cast<std::uint32_t>(i)}; };
  std::uint64_t bound = 0;  // the k-th largest so far: later ones must be above it
  bool bounded = false;
  const auto shrink = [&] {
    if (size() <= k) return;
    std::nth_element(found.begin() + first, found.begin() + first + k - 1, found.end());
    found.resize(static_cast<std::size_t>(first + k));
    bound = found.back().key;
    bounded = true;
  };
  std::int64_t i = begin;
  for (; i < end && size() < std::min(room, k + 1); ++i) found.push_back(candidate(i));
  shrink();
  while (i < end) {
    if (bounded) i += find(t, reinterpret_cast<const char*>(x + i), end - i, bound);
    for (const std::int64_t stop = std::min(end, i + kNear); i < stop; ++i) {
      const Candidate c = candidate(i);
      if (bounded && c.key <= bound) continue;
      found.push_back(c);
      if (size() == room) shrink();
    }
  }
  shrink();
}

template <class T>
void write(const T* x, const Candidate* from, std::int64_t k, T* values, std::int32_t* positions) {
  for (std::int64_t i = 0; i < k; ++i) {
    values[i] = x[from[i].position];
    positions[i] = static_cast<std::int32_t>(from[i].position);
  }
}

template <class T>
void row(DType t, const T* x, std::int64_t n, std::int64_t k, T* values, std::int32_t* positions) {
  std::vector<Candidate> found;
  if (num_threads() > 1 && n >= 2 * kRange && n >= 64 * k) {
    // The best of each part, then the best of these.
    const std::int64_t parts = std::min<std::int64_t>(num_threads(), n / kRange);
    std::vector<std::vector<Candidate>> own(static_cast<std::size_t>(parts));
    parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t p = begin; p < end; ++p)
        select(t, x, n * p / parts, n * (p + 1) / parts, k, own[static_cast<std::size_t>(p)]);
    });
    for (const auto& part : own) found.insert(found.end(), part.begin(), part.end());
  } else {
    select(t, x, 0, n, k, found);
  }
  std::partial_sort(found.begin(), found.begin() + k, found.end());
  write(x, found.data(), k, values, positions);
}

// Many of them: all positions in order.
template <class T>
void sorted_row(const T* x, std::int64_t n, std::int64_t k, T* values, std::int32_t* positions) {
  using K = KeyOf<T>;
  PositionSort<K> sort(n);
  sort.start([&](std::int64_t i) { return static_cast<K>(~total_key(x[i])); });
  for (std::int64_t i = 0; i < k; ++i) {
    const std::uint32_t from = sort.position(i);
    values[i] = x[from];
    positions[i] = static_cast<std::int32_t>(from);
  }
}

}  // namespace

bool can_top_k(DType t) { return !is_storage(t) && !is_complex(t); }

void top_k(DType t, std::int64_t rows, std::int64_t n, std::int64_t k, const void* in, void* values,
           std::int32_t* positions) {
  internal_check(can_top_k(t), "top_k: no kernel for this type");
  if (rows * k == 0) return;
  visit_dtype(t, [&]<class T>(TypeTag<T>) {
    if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>>) {
      const T* x = static_cast<const T*>(in);
      T* y = static_cast<T*>(values);
      const auto each = [&](std::int64_t r) {
        if (k > 64 && n / k < 8)
          sorted_row(x + r * n, n, k, y + r * k, positions + r * k);
        else
          row(t, x + r * n, n, k, y + r * k, positions + r * k);
      };
      if (rows < num_threads()) {
        for (std::int64_t r = 0; r < rows; ++r) each(r);
        return;
      }
      parallel_for(rows, std::max<std::int64_t>(1, kRange / n), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r) each(r);
      });
    }
  });
}

}  // namespace weft::cpu
