// What gather and scatter share: how an index vector names a window. Private to ops/.
#pragma once

#include "weft/base/function_ref.h"
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

  /// One run: n elements from i on of the result (updates), and j, j + step, ... in the operand; j is -1 outside.
  using Run = FunctionRef<void(std::int64_t i, std::int64_t j, std::int64_t n, std::int64_t step)>;

  /// Walks the result (updates) of `shape` in row-major order, in runs; `mode` says what is outside.
  void each_run(DimSpan shape, const std::vector<std::int64_t>& indices, IndexMode mode, Run f) const;

 private:
  void each_element(DimSpan shape, const std::vector<std::int64_t>& indices, Run f) const;
  void each_window(DimSpan shape, const std::vector<std::int64_t>& starts, Run f) const;
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
