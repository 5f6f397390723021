// How index vectors name windows of an operand: what gather and scatter share. Knows shapes and the integers of the
// indices, not the elements that are moved. The "moved" array is gather's result or scatter's updates.
#pragma once

#include "weft/base/dims.h"
#include "weft/cpu/kernels/kernel.h"
#include "weft/ir/aval.h"

namespace weft::cpu {

/// The dimension numbers of gather and scatter in common terms.
struct WindowNumbers {
  Dims batch_axes;    // axes of the moved array that run over the index vectors
  Dims window_axes;   // axes of the moved array that run over the window ...
  Dims operand_axes;  // ... and the operand axis of each
  Dims start_map;     // operand axis of each component of an index vector
  Dims operand_batching, indices_batching;
  Dims window_sizes;  // by operand axis; at least 1 on axes that are not walked
};

class IndexWindows {
 public:
  /// `clip`: windows outside are moved inside; otherwise they have no place.
  IndexWindows(const WindowNumbers& numbers, DimSpan operand, DimSpan indices, DType index_type, DimSpan moved,
               bool clip);

  /// An axis of the moved array, or several that are one: either the window or the index vector moves on with it.
  struct Axis {
    std::int64_t size;
    std::int64_t window_step;  // elements of the operand
    std::int64_t vector_step;  // index vectors
  };
  /// From the outermost on; none has size 1, and there is at least one.
  const SmallVector<Axis, 4>& axes() const { return axes_; }
  std::int64_t vectors() const { return vectors_; }

  /// out[v - begin] = offset in the operand of the window of index vector v, begin <= v < end; -1 when it has no place.
  void starts(const void* indices, std::int64_t begin, std::int64_t end, std::int64_t* out) const;

  /// Runs of the moved array: all of one window, or each element of a window of its own.
  bool runs_in_window() const { return axes_.back().vector_step == 0; }
  std::int64_t run() const { return axes_.back().size; }
  std::int64_t runs() const { return runs_; }
  /// Calls f(r, vector, offset) for runs r in [begin, end): the index vector of its first element, and what the axes
  /// outside it add to the window's start.
  template <class F>
  void each_run(std::int64_t begin, std::int64_t end, F&& f) const {
    const std::size_t outer = axes_.size() - 1;
    std::int64_t at[kMaxRank], vector = 0, offset = 0, rest = begin;
    for (std::size_t d = outer; d-- > 0;) {
      at[d] = rest % axes_[d].size;
      rest /= axes_[d].size;
      vector += at[d] * axes_[d].vector_step;
      offset += at[d] * axes_[d].window_step;
    }
    for (std::int64_t r = begin; r < end; ++r) {
      f(r, vector, offset);
      for (std::size_t d = outer; d-- > 0;) {
        vector += axes_[d].vector_step;
        offset += axes_[d].window_step;
        if (++at[d] < axes_[d].size) break;
        vector -= axes_[d].size * axes_[d].vector_step;
        offset -= axes_[d].size * axes_[d].window_step;
        at[d] = 0;
      }
    }
  }
  /// Whether the vectors come in order, each once: run r is window r, or the only run is all elements.
  bool in_order() const { return axes_.size() == (runs_in_window() ? 2 : 1) && axes_[0].vector_step == 1; }

 private:
  struct Component {
    std::int64_t last, stride;  // the largest start, and what one more adds
  };
  template <class Index>
  void add_components(const Index* indices, std::int64_t n, std::int64_t* out) const;

  SmallVector<Axis, 4> axes_;
  SmallVector<Component, 4> components_;
  Dims batch_shape_, batch_steps_;  // of the index vectors; what each axis adds by batching
  std::int64_t vectors_ = 1, runs_ = 1;
  DType index_type_;
  bool clip_, somewhere_ = true, batching_ = false;
};

}  // namespace weft::cpu
