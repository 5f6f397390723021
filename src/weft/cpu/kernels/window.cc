#include "weft/cpu/kernels/window.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/isa.h"
#include "weft/cpu/kernels/layout.h"
#include "weft/cpu/kernels/scratch.h"

namespace weft::cpu {
namespace {

// Steps of elements that are worth another thread.
constexpr std::int64_t kRange = 1 << 16;
// Windows of more taps along a line, and larger base dilations, are left to reference evaluation, which goes by what is
// seen.
constexpr std::int64_t kMostTaps = 4096;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a <= 0 ? -(-a / b) : (a - 1) / b + 1; }

// The value of no elements, as bytes.
void identity(ReduceOp op, DType t, char* to) {
  visit_dtype(t, [&]<class T>(TypeTag<T>) {
    using L = std::numeric_limits<T>;
    T v{};
    if constexpr (std::is_same_v<T, bool>) {
      v = op == ReduceOp::kAnd;
    } else if constexpr (std::is_integral_v<T>) {
      v = op == ReduceOp::kProd  ? T(1)
          : op == ReduceOp::kMax ? L::lowest()
          : op == ReduceOp::kMin ? L::max()
          : op == ReduceOp::kAnd ? static_cast<T>(~T(0))
                                 : T(0);
    } else {
      const double infinity = std::numeric_limits<double>::infinity();
      v = convert_element<T>(op == ReduceOp::kProd  ? 1.0
                             : op == ReduceOp::kMax ? -infinity
                             : op == ReduceOp::kMin ? infinity
                                                    : 0.0);
    }
    std::memcpy(to, &v, sizeof v);
  });
}

}  // namespace

bool can_reduce_window(ReduceKind kind, DType t) {
  if (is_storage(t) || is_complex(t)) return false;
  const WindowKernel* k = isa_kernels().window(t == boolean ? u8 : t);
  return k && k->combine[static_cast<int>(window_op(kind, t))];
}

ReduceOp window_op(ReduceKind kind, DType t) {
  const bool bits = t == boolean;
  switch (kind) {
    case ReduceKind::kSum: return bits ? ReduceOp::kOr : ReduceOp::kSum;
    case ReduceKind::kProd: return bits ? ReduceOp::kAnd : ReduceOp::kProd;
    case ReduceKind::kMax: return bits ? ReduceOp::kOr : ReduceOp::kMax;
    case ReduceKind::kMin: return bits ? ReduceOp::kAnd : ReduceOp::kMin;
    case ReduceKind::kAnd: return ReduceOp::kAnd;
    case ReduceKind::kOr: return ReduceOp::kOr;
    case ReduceKind::kXor: return ReduceOp::kXor;
  }
  throw InternalError("reduce_window: unknown kind");
}

bool can_select_window(DType t) {
  return t != boolean && !is_storage(t) && !is_complex(t) && isa_kernels().window(t) != nullptr;
}

std::optional<SlidingWindow> SlidingWindow::make(const Window& w, DimSpan shape) {
  const std::size_t rank = shape.size();
  if (rank == 0 || product(shape) == 0) return std::nullopt;
  const Dims strides = row_major_strides(shape);
  std::vector<Axis> axes;
  std::size_t line = 0, first = rank;
  for (std::size_t i = 0; i < rank; ++i) {
    Axis a{shape[i], w.dimensions[i], w.strides[i], w.base_dilations[i], w.window_dilations[i], w.padding_low[i],
           0,        strides[i]};
    const std::int64_t extent = (a.window - 1) * a.dilation + 1,
                       padded = a.low + (a.size - 1) * a.base + 1 + w.padding_high[i];
    if (a.window < 1 || a.base > kMostTaps) return std::nullopt;
    a.places = padded <= 0 || extent > padded ? 0 : (padded - extent) / a.stride + 1;
    if (a.places == 0) return std::nullopt;
    const bool still = a.window == 1 && a.stride == 1 && a.base == 1 && a.low == 0 && w.padding_high[i] == 0;
    if (!still) {
      line = i;
      first = std::min(first, i);
    }
    axes.push_back(a);
  }
  if (first == rank) line = rank - 1;
  SlidingWindow r;
  r.size_ = product(shape);
  const std::int64_t inner = strides[line];
  const Axis& last = axes[line];
  if (last.window > kMostTaps) return std::nullopt;
  r.neighbours_ = inner;
  r.line_ = last.places * inner;
  for (std::size_t i = 0; i < line; ++i) {
    r.outer_.push_back(axes[i]);
    r.rows_ *= axes[i].places;
    r.cost_ *= std::min(axes[i].window, axes[i].size);
  }
  const std::int64_t common = std::gcd(last.stride, last.base);
  std::int64_t taken = 0;
  for (std::int64_t k = 0; k < last.window; ++k) {
    const std::int64_t shift = k * last.dilation - last.low;
    Tap tap{.place = std::max<std::int64_t>(0, ceil_div(-shift, last.stride)), .element = 0, .steps = {}};
    tap.steps = {.count = 0, .inner = inner, .place_step = last.base / common, .element_step = last.stride / common};
    // Among so many neighbours there is one that falls onto an element, or none at all.
    std::int64_t tries = tap.steps.place_step;
    while (tries > 0 && (tap.place * last.stride + shift) % last.base != 0) ++tap.place, --tries;
    if (tries == 0) continue;
    tap.element = (tap.place * last.stride + shift) / last.base;
    if (tap.place >= last.places || tap.element >= last.size) continue;
    tap.steps.count = std::min((last.places - 1 - tap.place) / tap.steps.place_step,
                               (last.size - 1 - tap.element) / tap.steps.element_step) +
                      1;
    taken += tap.steps.count * inner;
    r.taps_.push_back(tap);
  }
  // Runs of many elements only: short ones are better taken across places.
  if (!r.taps_.empty() && last.base == 1 && (last.stride == 1 || inner >= 8)) {
    r.middle_end_ = last.places;
    for (const Tap& tap : r.taps_) {
      r.middle_begin_ = std::max(r.middle_begin_, tap.place);
      r.middle_end_ = std::min(r.middle_end_, tap.place + tap.steps.count);
    }
    if (r.middle_end_ <= r.middle_begin_ || r.taps_.size() > 64) r.middle_begin_ = r.middle_end_ = 0;
  }
  r.cost_ = std::max<std::int64_t>(1, std::min(r.cost_, std::int64_t{1} << 24) * (taken + r.line_));
  // Along the axes before the first one nothing overlaps; along that one perhaps not either.
  for (std::size_t i = 0; i < std::min(first, line); ++i) r.apart_ *= axes[i].places;
  r.leading_whole_ = true;
  if (r.apart_ < 16 && first < line && axes[first].base == 1 &&
      axes[first].stride > (axes[first].window - 1) * axes[first].dilation) {
    r.apart_ *= axes[first].places;
    r.leading_whole_ = false;
  }
  return r;
}

// f(offset) for every line of x that the places of row `row` see, in order.
template <class F>
void SlidingWindow::for_each_source(std::int64_t row, F&& f) const {
  struct Seen {
    std::int64_t step, count, done;
  };
  SmallVector<Seen, 6> seen(outer_.size());
  std::int64_t offset = 0;
  for (std::size_t i = outer_.size(); i-- > 0;) {
    const Axis& a = outer_[i];
    const std::int64_t start = row % a.places * a.stride - a.low;
    row /= a.places;
    std::int64_t tap = std::max<std::int64_t>(0, ceil_div(-start, a.dilation));
    const std::int64_t common = std::gcd(a.dilation, a.base), tap_step = a.base / common;
    std::int64_t tries = tap_step;
    while (tries > 0 && (start + tap * a.dilation) % a.base != 0) ++tap, --tries;
    const std::int64_t element = (start + tap * a.dilation) / a.base;
    if (tries == 0 || tap >= a.window || element >= a.size) return;
    const std::int64_t step = a.dilation / common;
    seen[i] = {step * a.element_stride, std::min((a.window - 1 - tap) / tap_step, (a.size - 1 - element) / step) + 1,
               0};
    offset += element * a.element_stride;
  }
  for (;;) {
    f(offset);
    std::size_t i = seen.size();
    while (i-- > 0) {
      offset += seen[i].step;
      if (++seen[i].done < seen[i].count) break;
      offset -= seen[i].step * seen[i].count;
      seen[i].done = 0;
    }
    if (i == static_cast<std::size_t>(-1)) return;
  }
}

bool SlidingWindow::reduce(ReduceOp op, DType t, const void* x, void* y, const Epilogue* epilogue) const {
  const std::int64_t bytes = byte_size(t), neighbours = neighbours_;
  const WindowKernel& kernel = *isa_kernels().window(t == boolean ? u8 : t);
  const auto combine = kernel.combine[static_cast<int>(op)];
  const auto combine_all = kernel.combine_all[static_cast<int>(op)];
  alignas(16) char none[16];
  identity(op, t, none);
  const std::int64_t middle = middle_end_ - middle_begin_;
  const auto reduce_rows = [&](std::int64_t begin, std::int64_t end) {
    SmallVector<const char*, 32> elements;
    for (std::int64_t row = begin; row < end; ++row) {
      char* to = static_cast<char*>(y) + row * line_ * bytes;
      // Places that see every tap of the line, all taps at once; the others tap by tap.
      elements.clear();
      if (middle > 0)
        for_each_source(row, [&](std::int64_t offset) {
          for (const Tap& tap : taps_)
            elements.push_back(
                static_cast<const char*>(x) +
                (offset + (tap.element + (middle_begin_ - tap.place) * tap.steps.element_step) * neighbours) * bytes);
        });
      if (elements.empty()) {
        fill(bytes, line_, none, to);
      } else {
        WindowSteps steps = taps_[0].steps;
        steps.count = middle;
        combine_all(to + middle_begin_ * neighbours * bytes, elements.data(),
                    static_cast<std::int64_t>(elements.size()), none, steps);
        fill(bytes, middle_begin_ * neighbours, none, to);
        fill(bytes, line_ - middle_end_ * neighbours, none, to + middle_end_ * neighbours * bytes);
        if (middle * neighbours == line_) continue;
      }
      for_each_source(row, [&](std::int64_t offset) {
        for (const Tap& tap : taps_) {
          const auto take = [&](std::int64_t skip, std::int64_t count) {
            if (count <= 0) return;
            WindowSteps steps = tap.steps;
            steps.count = count;
            combine(
                to + (tap.place + skip * steps.place_step) * neighbours * bytes,
                static_cast<const char*>(x) + (offset + (tap.element + skip * steps.element_step) * neighbours) * bytes,
                steps);
          };
          if (elements.empty()) {
            take(0, tap.steps.count);
          } else {
            take(0, middle_begin_ - tap.place);
            take(middle_end_ - tap.place, tap.place + tap.steps.count - middle_end_);
          }
        }
      });
    }
  };
  const std::int64_t range = std::max<std::int64_t>(1, kRange / cost_);
  const std::int64_t together = epilogue ? std::lcm(line_, epilogue->granule) / line_ : 0;
  if (together == 0 || together > std::max(range, rows_ / 8)) {
    parallel_for(rows_, range, reduce_rows);
    return false;
  }
  // So many rows that the epilogue finds them in the caches.
  const std::int64_t step = (range - 1) / together * together + together;
  parallel_for(rows_, step, [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; begin += step) {
      const std::int64_t last = std::min(begin + step, end);
      reduce_rows(begin, last);
      epilogue->run(begin * line_, last * line_);
    }
  });
  return true;
}

void SlidingWindow::choose_row(WindowSelect select, DType t, const char* x, std::int64_t row, char* best,
                               std::int32_t* chosen) const {
  const std::int64_t bytes = byte_size(t), neighbours = neighbours_;
  const auto choose = isa_kernels().window(t)->choose[static_cast<int>(select)];
  std::fill(chosen, chosen + line_, -1);
  std::int32_t number = 0;
  for_each_source(row, [&](std::int64_t offset) {
    for (const Tap& tap : taps_)
      choose(best + tap.place * neighbours * bytes, chosen + tap.place * neighbours,
             x + (offset + tap.element * neighbours) * bytes, tap.steps, number++);
  });
}

void SlidingWindow::select_and_scatter(WindowSelect select, DType t, const void* x, const void* source, void* y) const {
  const std::int64_t bytes = byte_size(t), neighbours = neighbours_;
  const auto scatter = isa_kernels().window(t)->scatter;
  const std::int64_t rows = rows_ / apart_, elements = size_ / apart_;
  if (!leading_whole_) std::memset(y, 0, static_cast<std::size_t>(size_ * bytes));
  parallel_for(apart_, std::max<std::int64_t>(1, kRange / (rows * cost_)), [&](std::int64_t begin, std::int64_t end) {
    const Scratch best(line_ * bytes), chosen_memory(line_ * 4);
    auto* chosen = reinterpret_cast<std::int32_t*>(chosen_memory.data());
    for (std::int64_t part = begin; part < end; ++part) {
      if (leading_whole_)
        std::memset(static_cast<char*>(y) + part * elements * bytes, 0, static_cast<std::size_t>(elements * bytes));
      for (std::int64_t row = part * rows; row < (part + 1) * rows; ++row) {
        choose_row(select, t, static_cast<const char*>(x), row, best.data(), chosen);
        std::int32_t number = 0;
        // An element gets its sum in order of places: later taps see it from earlier ones.
        for_each_source(row, [&](std::int64_t offset) {
          number += static_cast<std::int32_t>(taps_.size());
          for (std::size_t k = taps_.size(); k-- > 0;) {
            const Tap& tap = taps_[k];
            scatter(static_cast<char*>(y) + (offset + tap.element * neighbours) * bytes,
                    chosen + tap.place * neighbours,
                    static_cast<const char*>(source) + (row * line_ + tap.place * neighbours) * bytes, tap.steps,
                    number - static_cast<std::int32_t>(taps_.size() - k));
          }
        });
      }
    }
  });
}

void SlidingWindow::select_and_gather(WindowSelect select, DType t, const void* x, const void* values, void* y) const {
  const std::int64_t bytes = byte_size(t), neighbours = neighbours_;
  const auto gather = isa_kernels().window(t)->gather;
  parallel_for(rows_, std::max<std::int64_t>(1, kRange / cost_), [&](std::int64_t begin, std::int64_t end) {
    const Scratch best(line_ * bytes), chosen_memory(line_ * 4);
    auto* chosen = reinterpret_cast<std::int32_t*>(chosen_memory.data());
    for (std::int64_t row = begin; row < end; ++row) {
      choose_row(select, t, static_cast<const char*>(x), row, best.data(), chosen);
      char* to = static_cast<char*>(y) + row * line_ * bytes;
      std::memset(to, 0, static_cast<std::size_t>(line_ * bytes));
      std::int32_t number = 0;
      for_each_source(row, [&](std::int64_t offset) {
        for (const Tap& tap : taps_)
          gather(to + tap.place * neighbours * bytes, chosen + tap.place * neighbours,
                 static_cast<const char*>(values) + (offset + tap.element * neighbours) * bytes, tap.steps, number++);
      });
    }
  });
}

}  // namespace weft::cpu
