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

  /// Calls f(i, j) for every element: i in the result (updates) of `shape`, in row-major order, j in
  /// the operand or -1 when the window is not inside, unless `clip` can move it there.
  template <class F>
  void each(DimSpan shape, const std::vector<std::int64_t>& indices, bool clip, F&& f) const {
    const Dims operand_strides = row_major_strides(operand_shape);
    Dims vectors(indices_shape);
    vectors.back() = 1;  // an index into the first component
    const Dims index_strides = row_major_strides(indices_shape);
    std::int64_t i = 0;
    for_each_index(shape, [&](const Dims& at) {
      std::int64_t vector = 0;
      for (std::size_t b = 0; b < batch_axes.size(); ++b)
        vector += at[static_cast<std::size_t>(batch_axes[b])] * index_strides[b];
      std::int64_t j = 0;
      bool inside = true, fits = true;
      for (std::size_t k = 0; k < start_map.size(); ++k) {
        const auto axis = static_cast<std::size_t>(start_map[k]);
        const std::int64_t start = indices[static_cast<std::size_t>(vector) + k],
                           last = operand_shape[axis] - window_sizes[axis];
        inside &= start >= 0 && start <= last;
        fits &= last >= 0;  // false for an element of an empty axis
        j += (start < 0 ? 0 : start > last ? last : start) * operand_strides[axis];
      }
      for (std::size_t b = 0; b < operand_batching.size(); ++b)
        j += at[static_cast<std::size_t>(batch_axes[static_cast<std::size_t>(indices_batching[b])])] *
             operand_strides[static_cast<std::size_t>(operand_batching[b])];
      for (std::size_t w = 0; w < window_axes.size(); ++w)
        j += at[static_cast<std::size_t>(window_axes[w])] * operand_strides[static_cast<std::size_t>(operand_axes[w])];
      f(i++, inside || (clip && fits) ? j : -1);
    });
  }
};

/// Throws IndexError unless the axes in `a` and `b` together are in range and distinct: an operand axis has one role.
void check_roles(std::string_view op, DimSpan a, DimSpan b, int rank);

/// Axes in [0, rank) that are in neither list, in order.
Dims axes_without(int rank, DimSpan a, DimSpan b = {});

/// The gather that reads what `scatter` with these numbers writes; reading outside gives zero.
Array gather_updates(const Array& x, const Array& indices, const ScatterDimensionNumbers& dims, DimSpan updates_shape,
                     IndexMode mode);
/// Window sizes by operand axis, from the updates' shape.
Dims scatter_window(const ScatterDimensionNumbers& dims, int operand_rank, DimSpan updates_shape);

}  // namespace weft::ops
