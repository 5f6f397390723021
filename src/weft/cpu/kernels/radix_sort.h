// Stable sorting of unsigned integer keys, alone or with their positions: byte by byte from the lowest (LSD radix
// sort), short rows by comparisons. Knows keys, not dtypes (ordered_keys.h makes keys). Invariant: the result is the
// only stable order there is, so threads make no difference.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/scratch.h"

namespace weft::cpu {

namespace detail {

// Rows up to so long are sorted by comparisons.
inline constexpr std::int64_t kShortRow = 64;
// Elements worth another thread.
inline constexpr std::int64_t kSortRange = 64 << 10;

using DigitCounts = std::array<std::int64_t, 256>;

/// Moves elements to where their digits say; `places` are the positions of the next of each digit.
template <class E, class Digit>
void move_by_digit(const E* from, E* to, std::int64_t n, DigitCounts& places, Digit digit) {
  for (std::int64_t i = 0; i < n; ++i) to[places[digit(from[i])]++] = from[i];
}

template <class E, int kDigits, class Digit>
E* radix_sort_serial(E* a, E* b, std::int64_t n, Digit digit) {
  std::array<DigitCounts, kDigits> counts{};
  for (std::int64_t i = 0; i < n; ++i)
#pragma GCC unroll 8
    for (int d = 0; d < kDigits; ++d) ++counts[static_cast<std::size_t>(d)][digit(a[i], d)];
  for (int d = 0; d < kDigits; ++d) {
    DigitCounts& c = counts[static_cast<std::size_t>(d)];
    if (c[digit(a[0], d)] == n) continue;  // all the same
    std::int64_t before = 0;
    for (std::int64_t& v : c) {
      const std::int64_t own = v;
      v = before;
      before += own;
    }
    move_by_digit(a, b, n, c, [&](const E& e) { return digit(e, d); });
    std::swap(a, b);
  }
  return a;
}

/// Each thread counts and moves a part of the elements of its own.
template <class E, int kDigits, class Digit>
E* radix_sort_parallel(E* a, E* b, std::int64_t n, std::int64_t parts, Digit digit) {
  std::vector<DigitCounts> counts(static_cast<std::size_t>(parts));
  const auto each_part = [&](auto&& f) {
    parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t p = begin; p < end; ++p)
        f(counts[static_cast<std::size_t>(p)], n * p / parts, n * (p + 1) / parts);
    });
  };
  for (int d = 0; d < kDigits; ++d) {
    each_part([&](DigitCounts& counts_of_part, std::int64_t begin, std::int64_t end) {
      DigitCounts c{};
      for (std::int64_t i = begin; i < end; ++i) ++c[digit(a[i], d)];
      counts_of_part = c;
    });
    std::int64_t before = 0;
    bool same = false;
    for (std::size_t v = 0; v < 256; ++v) {
      const std::int64_t first = before;
      for (DigitCounts& c : counts) {
        const std::int64_t own = c[v];
        c[v] = before;
        before += own;
      }
      same = same || before - first == n;
    }
    if (same) continue;
    each_part([&](DigitCounts& places, std::int64_t begin, std::int64_t end) {
      DigitCounts own = places;
      move_by_digit(a + begin, b, end - begin, own, [&](const E& e) { return digit(e, d); });
    });
    std::swap(a, b);
  }
  return a;
}

/// Sorts a[0 .. n) with b as scratch; the result is in the one that is returned.
template <class E, int kDigits, class Digit>
E* radix_sort(E* a, E* b, std::int64_t n, Digit digit) {
  const std::int64_t parts = std::min<std::int64_t>(num_threads(), n / kSortRange);
  if (parts > 1) return radix_sort_parallel<E, kDigits>(a, b, n, parts, digit);
  return radix_sort_serial<E, kDigits>(a, b, n, digit);
}

}  // namespace detail

/// Sorts keys[0 .. n), with as much scratch; the result is in the one that is returned.
template <class K>
K* sort_keys(K* keys, K* scratch, std::int64_t n) {
  if (n <= detail::kShortRow) {
    std::sort(keys, keys + n);
    return keys;
  }
  return detail::radix_sort<K, sizeof(K)>(keys, scratch, n, [](K k, int d) {
    return static_cast<std::size_t>(static_cast<std::uint64_t>(k) >> (8 * d) & 0xff);
  });
}

/// Positions 0 ... n - 1 in the order of keys of type K, or narrower ones; n is at most 2^32.
template <class K>
class PositionSort {
 public:
  explicit PositionSort(std::int64_t n)
      : n_(n),
        memory_(2 * n * static_cast<std::int64_t>(sizeof(Entry))),
        entries_(reinterpret_cast<Entry*>(memory_.data())),
        other_(entries_ + n) {}

  /// By key(i).
  template <class Key>
  void start(Key&& key) {
    parallel_for(n_, detail::kSortRange, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) entries_[i] = make(key(i), static_cast<std::uint32_t>(i));
    });
    if (n_ <= detail::kShortRow)
      std::sort(entries_, entries_ + n_);  // positions differ, so entries do
    else
      sort_long();
  }
  /// By key(i), those with equal ones as before.
  template <class Key>
  void refine(Key&& key) {
    parallel_for(n_, detail::kSortRange, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::uint32_t p = position(i);
        entries_[i] = make(key(p), p);
      }
    });
    if (n_ <= detail::kShortRow)
      std::stable_sort(entries_, entries_ + n_, [](Entry a, Entry b) { return key_of(a) < key_of(b); });
    else
      sort_long();
  }

  std::uint32_t position(std::int64_t i) const {
    if constexpr (kPacked)
      return static_cast<std::uint32_t>(entries_[i]);
    else
      return entries_[i].position;
  }

 private:
  static constexpr bool kPacked = sizeof(K) <= 4;
  struct Wide {
    std::uint64_t key;
    std::uint32_t position;
    friend bool operator<(const Wide& a, const Wide& b) {
      return a.key != b.key ? a.key < b.key : a.position < b.position;
    }
  };
  using Entry = std::conditional_t<kPacked, std::uint64_t, Wide>;

  static Entry make(K key, std::uint32_t position) {
    if constexpr (kPacked)
      return static_cast<std::uint64_t>(key) << 32 | position;
    else
      return {key, position};
  }
  static K key_of(const Entry& e) {
    if constexpr (kPacked)
      return static_cast<K>(e >> 32);
    else
      return e.key;
  }
  void sort_long() {
    Entry* const sorted = detail::radix_sort<Entry, sizeof(K)>(entries_, other_, n_, [](const Entry& e, int d) {
      return static_cast<std::size_t>(static_cast<std::uint64_t>(key_of(e)) >> (8 * d) & 0xff);
    });
    if (sorted != entries_) std::swap(entries_, other_);
  }

  std::int64_t n_;
  Scratch memory_;
  Entry *entries_, *other_;
};

}  // namespace weft::cpu
