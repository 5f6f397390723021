// What the places of a convolution see, copied out as rows of a matrix of patches, which products with its kernel are
// made from: in which order, and by whole places or by runs of neighbours. Knows memory and strides, not operations.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "weft/base/dims.h"

namespace weft::cpu {

/// One spatial axis: element i of lhs is read by tap k of place o when i base + low = o stride + k dilation.
struct PatchAxis {
  std::int64_t size, window, places, stride, base, dilation, low;
  bool reversed;
  std::int64_t x_stride;  // in lhs
};

/// What a convolution's taps read of one group of features.
struct Taps {
  const std::vector<PatchAxis>& axes;
  std::int64_t features, feature_stride;  // in elements of lhs
  std::int64_t batch_stride;

  /// By axis, how many (tap, feature) there are for each tap of the axes before it; last, for each tap of all axes.
  Dims below() const {
    Dims r(axes.size() + 1, features);
    for (std::size_t i = axes.size(); i-- > 0;) r[i] = r[i + 1] * axes[i].window;
    return r;
  }
};

/// The rows of patches: places of the result, numbered in the order in which it has them in memory, so that most
/// products can go straight there. Axis 0 is the batch, the others are spatial.
class Places {
 public:
  /// How many places there are along each axis, and how far apart in the result.
  Places(Dims sizes, Dims strides) : sizes_(std::move(sizes)), strides_(std::move(strides)) {
    for (std::size_t i = 0; i < sizes_.size(); ++i) order_.push_back(i);
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t p, std::size_t q) {
      return sizes_[q] == 1 ? false : sizes_[p] == 1 || strides_[p] > strides_[q];
    });
    // One stride for all rows?
    std::int64_t expected = 0;
    for (std::size_t q = order_.size(); q-- > 0;) {
      const std::size_t i = order_[q];
      if (sizes_[i] == 1) continue;
      if (expected == 0)
        step_ = strides_[i];
      else
        even_ &= strides_[i] == expected;
      expected = strides_[i] * sizes_[i];
    }
  }
  std::int64_t rows() const { return product(sizes_); }
  /// The axis along which neighbours among rows lie.
  std::size_t inner() const { return order_.back(); }
  std::int64_t size(std::size_t axis) const { return sizes_[axis]; }
  std::int64_t stride(std::size_t axis) const { return strides_[axis]; }  // in the result
  /// From each row to the next in the result; 0 when there is one, none when they are not equally far apart.
  std::optional<std::int64_t> step() const { return even_ ? std::optional(step_) : std::nullopt; }

  /// The place of a row, a number per axis.
  void place_of(std::int64_t row, std::int64_t* place) const {
    for (std::size_t q = order_.size(); q-- > 0; row /= sizes_[order_[q]]) place[order_[q]] = row % sizes_[order_[q]];
  }
  void next(std::int64_t* place) const {
    for (std::size_t q = order_.size(); q-- > 0;) {
      if (++place[order_[q]] < sizes_[order_[q]]) return;
      place[order_[q]] = 0;
    }
  }
  /// Calls f(r, run, place) for rows [row + r, row + r + run) that are neighbours along the inner axis, up to row + m.
  template <class F>
  void runs(std::int64_t row, std::int64_t m, F&& f) const {
    Dims place(sizes_.size());
    for (std::int64_t r = 0; r < m;) {
      place_of(row + r, place.data());
      const std::int64_t run = std::min(m - r, sizes_[inner()] - place[inner()]);
      f(r, run, place.data());
      r += run;
    }
  }

 private:
  Dims sizes_, strides_;
  std::vector<std::size_t> order_;
  std::int64_t step_ = 0;
  bool even_ = true;
};

/// Copies what one place sees: to[tap][feature]. Of any strides; fast where features, and taps along the last axis, are
/// neighbours in memory.
template <class T>
class PatchReader {
 public:
  explicit PatchReader(const Taps& taps) : t_(taps), below_(taps.below()) {}
  void read(const T* x, const std::int64_t* place, T* to) const { axis(0, x + place[0] * t_.batch_stride, place, to); }

 private:
  void copy(const T* x, std::int64_t taps, std::int64_t step, T* to) const {
    if (t_.feature_stride == 1 && step == t_.features) {
      std::memcpy(to, x, static_cast<std::size_t>(taps * t_.features) * sizeof(T));
      return;
    }
    for (std::int64_t k = 0; k < taps; ++k, x += step)
      for (std::int64_t c = 0; c < t_.features; ++c) *to++ = x[c * t_.feature_stride];
  }
  static void clear(T* to, std::int64_t n) {
    if (n > 0) std::memset(static_cast<void*>(to), 0, static_cast<std::size_t>(n) * sizeof(T));
  }

  void axis(std::size_t i, const T* from, const std::int64_t* place, T* to) const {
    if (i == t_.axes.size()) return copy(from, 1, 0, to);
    const PatchAxis& a = t_.axes[i];
    const std::int64_t start = place[i + 1] * a.stride - a.low;
    if (i + 1 == t_.axes.size() && a.base == 1) {
      // Taps [first, last) read elements.
      const std::int64_t first = start >= 0 ? 0 : std::min(a.window, (-start + a.dilation - 1) / a.dilation);
      const std::int64_t last =
          start >= a.size ? first : std::clamp((a.size - 1 - start) / a.dilation + 1, first, a.window);
      clear(to, first * below_[i + 1]);
      if (first < last)
        copy(from + (start + first * a.dilation) * a.x_stride, last - first, a.dilation * a.x_stride,
             to + first * below_[i + 1]);
      clear(to + last * below_[i + 1], (a.window - last) * below_[i + 1]);
      return;
    }
    for (std::int64_t k = 0; k < a.window; ++k, to += below_[i + 1]) {
      const std::int64_t e = start + k * a.dilation;
      if (e < 0 || e % a.base != 0 || e / a.base >= a.size)
        clear(to, below_[i + 1]);
      else
        axis(i + 1, from + e / a.base * a.x_stride, place, to);
    }
  }

  const Taps& t_;
  Dims below_;  // Taps::below
};

/// Whether places that are neighbours along that axis see neighbours in lhs, which RunReader asks for.
inline bool reads_runs(const Taps& taps, std::size_t inner) {
  if (inner == 0) return taps.batch_stride == 1;
  const PatchAxis& a = taps.axes[inner - 1];
  return a.base == 1 && a.stride == 1 && a.x_stride == 1;
}

/// Copies what neighbouring places see, which are neighbours in lhs too: to[(tap, feature) * step + place].
template <class T>
class RunReader {
 public:
  /// Along the axis `inner` of the places.
  RunReader(const Taps& taps, std::size_t inner) : t_(taps), inner_(inner), below_(taps.below()) {
    if (inner > 0) steps_.resize(static_cast<std::size_t>(taps.axes[inner - 1].window));
  }
  void read(const T* x, const std::int64_t* place, std::int64_t size, T* to, std::int64_t step) {
    size_ = size;
    if (inner_ > 0) {
      const PatchAxis& a = t_.axes[inner_ - 1];
      std::int64_t e = place[inner_] - a.low;
      for (Step& s : steps_) {
        s.first = std::clamp<std::int64_t>(-e, 0, size);
        s.last = std::clamp(a.size - e, s.first, size);
        s.from = e;
        e += a.dilation;
      }
    }
    axis(0, x + place[0] * t_.batch_stride, place, {0, size, 0}, to, step);
  }

 private:
  // Of the places, [first, last) see elements; the first place that of x + from.
  struct Step {
    std::int64_t first, last, from;
  };
  // Runs are short, and a call of memcpy would take longer.
  static void copy(const T* from, T* to, std::int64_t n) {
    constexpr std::int64_t kChunk = std::max<std::int64_t>(1, 32 / sizeof(T));
    std::int64_t i = 0;
    for (; i + kChunk <= n; i += kChunk) std::memcpy(to + i, from + i, sizeof(T) * kChunk);
    for (; i < n; ++i) to[i] = from[i];
  }
  void clear(T* to, std::int64_t step, std::int64_t rows) const {
    for (std::int64_t c = 0; c < rows; ++c, to += step) std::fill(to, to + size_, T{});
  }
  void features(const T* from, const Step& s, T* to, std::int64_t step) const {
    from += s.from;
    for (std::int64_t c = 0; c < t_.features; ++c, from += t_.feature_stride, to += step) {
      for (std::int64_t i = 0; i < s.first; ++i) to[i] = T{};
      copy(from + s.first, to + s.first, s.last - s.first);
      for (std::int64_t i = s.last; i < size_; ++i) to[i] = T{};
    }
  }
  void axis(std::size_t i, const T* from, const std::int64_t* place, const Step& run, T* to, std::int64_t step) const {
    if (i == t_.axes.size()) return features(from, run, to, step);
    const PatchAxis& a = t_.axes[i];
    const std::int64_t below = below_[i + 1];
    if (i + 1 == inner_) {
      for (const Step& s : steps_) {
        if (s.first == s.last)
          clear(to, step, below);
        else
          axis(i + 1, from, place, s, to, step);
        to += below * step;
      }
      return;
    }
    std::int64_t e = place[i + 1] * a.stride - a.low;
    for (std::int64_t k = 0; k < a.window; ++k, to += below * step, e += a.dilation) {
      const std::int64_t element = a.base == 1 ? e : e % a.base == 0 ? e / a.base : -1;
      if (element < 0 || element >= a.size)
        clear(to, step, below);
      else
        axis(i + 1, from + element * a.x_stride, place, run, to, step);
    }
  }

  const Taps& t_;
  std::size_t inner_;
  Dims below_;               // Taps::below
  std::vector<Step> steps_;  // of the taps of the inner axis
  std::int64_t size_ = 0;
};

}  // namespace weft::cpu
