// The walk over the windows that index vectors name, as gather and scatter share it.
#include "weft/ops/gather_scatter.h"

#include "weft/ir/elements.h"

namespace weft::ops {

std::vector<std::int64_t> read_indices(const TensorView& t) {
  std::vector<std::int64_t> r(static_cast<std::size_t>(t.size()));
  convert_elements(t.dtype(), t.data, i64, r.data(), t.size());
  // Above the largest i64, not below zero.
  if (t.dtype() == u64)
    for (std::int64_t& v : r) v = v < 0 ? INT64_MAX : v;
  return r;
}

std::vector<std::int64_t> WindowMap::starts(const std::vector<std::int64_t>& indices, bool clip) const {
  const Dims strides = row_major_strides(operand_shape);
  const DimSpan batch_shape = DimSpan(indices_shape).first(indices_shape.size() - 1);
  const std::size_t components = start_map.size();
  std::vector<std::int64_t> r;
  r.reserve(static_cast<std::size_t>(product(batch_shape)));
  // A window of an empty axis has no place, wherever it starts.
  bool somewhere = product(operand_shape) > 0;
  for (std::size_t axis = 0; axis < window_sizes.size(); ++axis) somewhere &= window_sizes[axis] <= operand_shape[axis];
  const std::int64_t* vector = indices.data();
  for_each_index(batch_shape, [&](const Dims& at) {
    std::int64_t j = 0;
    bool inside = somewhere;
    for (std::size_t k = 0; k < components; ++k) {
      const auto axis = static_cast<std::size_t>(start_map[k]);
      const std::int64_t last = operand_shape[axis] - window_sizes[axis];
      inside &= vector[k] >= 0 && vector[k] <= last;
      j += (vector[k] < 0 ? 0 : vector[k] > last ? last : vector[k]) * strides[axis];
    }
    for (std::size_t b = 0; b < operand_batching.size(); ++b)
      j += at[static_cast<std::size_t>(indices_batching[b])] * strides[static_cast<std::size_t>(operand_batching[b])];
    r.push_back(inside || (clip && somewhere) ? j : -1);
    vector += components;
  });
  return r;
}

void WindowMap::each_run(DimSpan shape, const std::vector<std::int64_t>& indices, IndexMode mode, Run f) const {
  if (mode == IndexMode::kPartial)
    each_element(shape, indices, f);
  else
    each_window(shape, starts(indices, mode == IndexMode::kClip || mode == IndexMode::kPromise), f);
}

// Every element by itself is inside or not.
void WindowMap::each_element(DimSpan shape, const std::vector<std::int64_t>& indices, Run f) const {
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

void WindowMap::each_window(DimSpan shape, const std::vector<std::int64_t>& starts, Run f) const {
  // Along each axis either the window moves on (steps in the operand) or the index vector does.
  Dims window_steps(shape.size(), 0), vector_steps(shape.size(), 0);
  const Dims operand_strides = row_major_strides(operand_shape);
  for (std::size_t w = 0; w < window_axes.size(); ++w)
    window_steps[static_cast<std::size_t>(window_axes[w])] = operand_strides[static_cast<std::size_t>(operand_axes[w])];
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

void check_roles(std::string_view op, DimSpan a, DimSpan b, int rank) {
  Dims all(a);
  all.append(b.begin(), b.end());
  check_axes(op, all, rank);
}

}  // namespace weft::ops
