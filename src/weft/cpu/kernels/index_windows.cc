#include "weft/cpu/kernels/index_windows.h"

#include <algorithm>

#include "weft/ir/elements.h"

namespace weft::cpu {

IndexWindows::IndexWindows(const WindowNumbers& w, DimSpan operand, DimSpan indices, DType index_type, DimSpan moved,
                           bool clip)
    : batch_shape_(indices.first(indices.size() - 1)),
      batch_steps_(batch_shape_.size(), 0),
      vectors_(product(batch_shape_)),
      index_type_(index_type),
      clip_(clip) {
  const Dims strides = row_major_strides(operand);
  // A window of an empty axis has no place, wherever it starts.
  for (std::size_t a = 0; a < operand.size(); ++a) somewhere_ = somewhere_ && w.window_sizes[a] <= operand[a];
  for (const std::int64_t axis : w.start_map) {
    const auto a = static_cast<std::size_t>(axis);
    components_.push_back({operand[a] - w.window_sizes[a], strides[a]});
  }
  for (std::size_t b = 0; b < w.operand_batching.size(); ++b) {
    batch_steps_[static_cast<std::size_t>(w.indices_batching[b])] +=
        strides[static_cast<std::size_t>(w.operand_batching[b])];
    batching_ = true;
  }
  Dims window_steps(moved.size(), 0), vector_steps(moved.size(), 0);
  for (std::size_t i = 0; i < w.window_axes.size(); ++i)
    window_steps[static_cast<std::size_t>(w.window_axes[i])] = strides[static_cast<std::size_t>(w.operand_axes[i])];
  std::int64_t step = 1;
  for (std::size_t b = w.batch_axes.size(); b-- > 0;) {
    const auto d = static_cast<std::size_t>(w.batch_axes[b]);
    vector_steps[d] = step;
    step *= moved[d];
  }
  for (std::size_t d = 0; d < moved.size(); ++d) {
    if (moved[d] == 1) continue;
    // One axis with the last when it continues that at the same step.
    if (!axes_.empty() && axes_.back().window_step == window_steps[d] * moved[d] &&
        axes_.back().vector_step == vector_steps[d] * moved[d])
      axes_.back() = {axes_.back().size * moved[d], window_steps[d], vector_steps[d]};
    else
      axes_.push_back({moved[d], window_steps[d], vector_steps[d]});
  }
  if (axes_.empty()) axes_.push_back({1, 0, 1});
  for (std::size_t d = 0; d + 1 < axes_.size(); ++d) runs_ *= axes_[d].size;
}

// out[i] += the start that components i * size() ... name, or becomes -1.
template <class Index>
void IndexWindows::add_components(const Index* indices, std::int64_t n, std::int64_t* out) const {
  const auto value = [](Index v) -> std::int64_t {
    // Beyond the largest i64, not below zero.
    if constexpr (std::is_same_v<Index, std::uint64_t>) return v > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(v);
    return static_cast<std::int64_t>(v);
  };
  if (components_.size() == 1) {
    const auto [last, stride] = components_[0];
    if (clip_)
      for (std::int64_t i = 0; i < n; ++i) out[i] += std::clamp<std::int64_t>(value(indices[i]), 0, last) * stride;
    else
      for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t v = value(indices[i]);
        out[i] = v < 0 || v > last ? -1 : out[i] + v * stride;
      }
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    bool inside = true;
    for (const auto& [last, stride] : components_) {
      const std::int64_t v = value(*indices++), at = std::clamp<std::int64_t>(v, 0, last);
      inside &= v == at;
      out[i] += at * stride;
    }
    if (!inside && !clip_) out[i] = -1;
  }
}

void IndexWindows::starts(const void* indices, std::int64_t begin, std::int64_t end, std::int64_t* out) const {
  const std::int64_t n = end - begin;
  if (!somewhere_) {
    std::fill_n(out, n, std::int64_t{-1});
    return;
  }
  if (!batching_) {
    std::fill_n(out, n, std::int64_t{0});
  } else {
    const std::size_t rank = batch_shape_.size();
    Dims at(rank, 0);
    std::int64_t rest = begin, offset = 0;
    for (std::size_t d = rank; d-- > 0;) {
      at[d] = rest % batch_shape_[d];
      rest /= batch_shape_[d];
      offset += at[d] * batch_steps_[d];
    }
    // Along the last axis at a time.
    const std::int64_t step = batch_steps_[rank - 1];
    for (std::int64_t i = 0; i < n;) {
      const std::int64_t m = std::min(n - i, batch_shape_[rank - 1] - at[rank - 1]);
      for (std::int64_t k = 0; k < m; ++k) out[i + k] = offset + k * step;
      i += m;
      offset += m * step;
      at[rank - 1] += m;
      for (std::size_t d = rank - 1; at[d] == batch_shape_[d]; --d) {
        offset -= at[d] * batch_steps_[d];
        at[d] = 0;
        if (d == 0) break;
        ++at[d - 1];
        offset += batch_steps_[d - 1];
      }
    }
  }
  const std::int64_t first = begin * static_cast<std::int64_t>(components_.size());
  const auto add = [&]<class Index>(TypeTag<Index>) {
    add_components(static_cast<const Index*>(indices) + first, n, out);
  };
  switch (index_type_) {
    case DType::kI8: return add(TypeTag<std::int8_t>{});
    case DType::kI16: return add(TypeTag<std::int16_t>{});
    case DType::kI32: return add(TypeTag<std::int32_t>{});
    case DType::kI64: return add(TypeTag<std::int64_t>{});
    case DType::kU8: return add(TypeTag<std::uint8_t>{});
    case DType::kU16: return add(TypeTag<std::uint16_t>{});
    case DType::kU32: return add(TypeTag<std::uint32_t>{});
    case DType::kU64: return add(TypeTag<std::uint64_t>{});
    default: throw InternalError("index_windows: indices must be integers that are computed in");
  }
}

}  // namespace weft::cpu
