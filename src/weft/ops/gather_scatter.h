// What gather and scatter share: how an index vector names a window. Private to ops/.
#pragma once

#include "weft/ops/common.h"

namespace weft::ops {

/// Reads integers of any integer dtype; u64 beyond 2^63 - 1 reads as the largest int64.
std::vector<std::int64_t> read_indices(const TensorView& t);

/// One window of a gather or scatter, walked in step with the other array.
struct WindowMap {
  Dims operand_shape, indices_shape;
  Dims batch_axes;    // axes of the result (updates) that run over the index vectors
  Dims window_axes;   // axes of the result (updates) that run over the window ...
  Dims operand_axes;  // ... and the operand axis of each
  Dims start_map;     // operand axis of each component of an index vector
  Dims operand_batching, indices_batching;
  Dims window_sizes;  // by operand axis; at least 1 on axes that are not walked, whatever slice_sizes says

  /// Offset in the operand of each index vector's window, in row-major order of the vectors; -1 for a window that is
  /// not inside, unless `clip` can move it there.
  std::vector<std::int64_t> starts(const std::vector<std::int64_t>& indices, bool clip) const;

  /// Walks the result (updates) of `shape` in row-major order, in runs: calls f(i, j, n, step) for n elements from i on
  /// there and j, j + step, ... in the operand; j is -1 for what `mode` says is outside.
  template <class F>
  void each_run(DimSpan shape, const std::vector<std::int64_t>& indices, IndexMode mode, F&& f) const {
    if (mode == IndexMode::kPartial)
      each_element(shape, indices, f);
    else
      each_run(shape, starts(indices, mode == IndexMode::kClip || mode == IndexMode::kPromise), f);
  }

 private:
  // Every element by itself is inside or not.
  template <class F>
  void each_element(DimSpan shape, const std::vector<std::int64_t>& indices, F& f) const {
    const Dims strides = row_major_strides(operand_shape);
    const DimSpan batch_shape = DimSpan(indices_shape).first(indices_shape.size() - 1);
    const Dims batch_strides = row_major_strides(batch_shape);
    std::int64_t i = 0;
    for_each_index(shape, [&](const Dims& at) {
      Dims position(operand_shape.size(), 0);
      std::int64_t vector = 0;
      for (std::size_t b = 0; b < batch_axes.size(); ++b)
        vector += at[static_cast<std::size_t>(batch_axes[b])] * batch_strides[b];
      bool inside = true;
      const auto components = static_cast<std::int64_t>(start_map.size());
      for (std::int64_t k = 0; k < components; ++k) {
        const auto axis = static_cast<std::size_t>(start_map[static_cast<std::size_t>(k)]);
        position[axis] = indices[static_cast<std::size_t>(vector * components + k)];
        // So that adding an offset in the window, which is smaller than the axis, cannot overflow.
        inside &= position[axis] > -operand_shape[axis] && position[axis] < operand_shape[axis];
      }
      for (std::size_t b = 0; b < operand_batching.size(); ++b)
        position[static_cast<std::size_t>(operand_batching[b])] =
            at[static_cast<std::size_t>(batch_axes[static_cast<std::size_t>(indices_batching[b])])];
      for (std::size_t w = 0; inside && w < window_axes.size(); ++w)
        position[static_cast<std::size_t>(operand_axes[w])] += at[static_cast<std::size_t>(window_axes[w])];
      for (std::size_t a = 0; inside && a < position.size(); ++a)
        inside = position[a] >= 0 && position[a] < operand_shape[a];
      f(i++, inside ? offset_of(position, strides) : std::int64_t{-1}, std::int64_t{1}, std::int64_t{0});
    });
  }

  template <class F>
  void each_run(DimSpan shape, const std::vector<std::int64_t>& starts, F& f) const {
    // Along each axis either the window moves on (steps in the operand) or the index vector does.
    Dims window_steps(shape.size(), 0), vector_steps(shape.size(), 0);
    const Dims operand_strides = row_major_strides(operand_shape);
    for (std::size_t w = 0; w < window_axes.size(); ++w)
      window_steps[static_cast<std::size_t>(window_axes[w])] =
          operand_strides[static_cast<std::size_t>(operand_axes[w])];
    std::int64_t step = 1;
    for (std::size_t b = batch_axes.size(); b-- > 0;) {
      vector_steps[static_cast<std::size_t>(batch_axes[b])] = step;
      step *= shape[static_cast<std::size_t>(batch_axes[b])];
    }
    Dims outer(shape);
    std::int64_t n = 1, run_window = 0, run_vector = 0;
    while (!outer.empty()) {
      const std::size_t d = outer.size() - 1;
      // A run grows while the next axis continues it at the same step.
      if (n > 1 && (window_steps[d] != run_window * n || vector_steps[d] != run_vector * n)) break;
      if (n == 1 && outer[d] != 1) run_window = window_steps[d], run_vector = vector_steps[d];
      n *= outer[d];
      outer.pop_back();
    }
    if (n == 0) return;
    std::int64_t i = 0;
    for_each_index(outer, [&](const Dims& at) {
      std::int64_t vector = 0, offset = 0;
      for (std::size_t d = 0; d < outer.size(); ++d) {
        vector += at[d] * vector_steps[d];
        offset += at[d] * window_steps[d];
      }
      if (run_vector == 0) {
        const std::int64_t start = starts[static_cast<std::size_t>(vector)];
        f(i, start < 0 ? -1 : start + offset, n, run_window);
      } else {
        for (std::int64_t k = 0; k < n; ++k, vector += run_vector) {
          const std::int64_t start = starts[static_cast<std::size_t>(vector)];
          f(i + k, start < 0 ? -1 : start + offset, std::int64_t{1}, std::int64_t{0});
        }
      }
      i += n;
    });
  }
};

/// The dtype that numbers the places along an axis of this size.
constexpr DType position_dtype(std::int64_t size) { return size < (std::int64_t{1} << 31) ? i32 : i64; }
/// y[..., i, ...] = x[..., positions[..., i, ...], ...] along `dimension`; positions are those of a sort.
Array take_positions(const Array& x, const Array& positions, std::int64_t dimension);

/// Throws IndexError unless the axes in `a` and `b` together are in range and distinct: an operand axis has one role.
void check_roles(std::string_view op, DimSpan a, DimSpan b, int rank);

/// The gather that reads what `scatter` with these numbers writes; reading outside gives zero.
Array gather_updates(const Array& x, const Array& indices, const ScatterDimensionNumbers& dims, DimSpan updates_shape,
                     IndexMode mode);
/// Window sizes by operand axis, from the updates' shape.
Dims scatter_window(const ScatterDimensionNumbers& dims, int operand_rank, DimSpan updates_shape);

}  // namespace weft::ops
