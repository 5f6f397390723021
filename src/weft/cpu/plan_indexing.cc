#include "weft/cpu/plan_indexing.h"

#include <algorithm>
#include <complex>
#include <limits>

#include "weft/cpu/kernels/cumsum.h"
#include "weft/cpu/kernels/gather.h"
#include "weft/cpu/kernels/scatter.h"
#include "weft/cpu/kernels/sort.h"
#include "weft/cpu/kernels/top_k.h"
#include "weft/ir/contraction.h"
#include "weft/ir/elements.h"
#include "weft/ir/indexing.h"

namespace weft::cpu {

namespace {

using DenseRun = std::function<void(const void* const* in, void* const* out)>;

bool has(DimSpan dims, std::int64_t d) { return std::find(dims.begin(), dims.end(), d) != dims.end(); }

// Axes in [0, rank) that are in neither list.
Dims axes_without(int rank, DimSpan a, DimSpan b = {}) {
  Dims r;
  for (std::int64_t i = 0; i < rank; ++i)
    if (!has(a, i) && !has(b, i)) r.push_back(i);
  return r;
}

bool clips(IndexMode mode) { return mode == IndexMode::kClip || mode == IndexMode::kPromise; }

// A window of one element along the indexed axes is inside as a whole or not at all.
bool whole_windows(IndexMode mode, const WindowNumbers& numbers) {
  return mode != IndexMode::kPartial ||
         std::all_of(numbers.start_map.begin(), numbers.start_map.end(),
                     [&](std::int64_t a) { return numbers.window_sizes[static_cast<std::size_t>(a)] == 1; });
}

// What a read outside gives: NaN, the lowest signed or the highest unsigned integer, true; or zero.
struct Fill {
  alignas(16) std::byte bytes[16] = {};

  Fill(DType t, IndexMode mode) {
    if (mode == IndexMode::kZeroOrDrop || mode == IndexMode::kPartial) return;
    if (is_storage(t)) {
      const double v = is_float(t)      ? std::numeric_limits<double>::quiet_NaN()
                       : is_unsigned(t) ? std::numeric_limits<double>::max()
                                        : std::numeric_limits<double>::lowest();
      convert_elements(f64, &v, t, bytes, 1);
      return;
    }
    visit_dtype(t, [&]<class T>(TypeTag<T>) {
      T v;
      if constexpr (std::is_same_v<T, bool>) {
        v = true;
      } else if constexpr (std::is_integral_v<T>) {
        v = std::is_signed_v<T> ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
      } else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
        using R = typename T::value_type;
        v = T(std::numeric_limits<R>::quiet_NaN(), std::numeric_limits<R>::quiet_NaN());
      } else {
        v = std::numeric_limits<T>::quiet_NaN();
      }
      __builtin_memcpy(bytes, &v, sizeof v);
    });
  }
};

DenseRun plan_gather(const GatherParams& p, Aval x, Aval indices, Aval out) {
  const GatherDimensionNumbers& d = p.dimension_numbers;
  WindowNumbers numbers{axes_without(out.ndim(), d.offset_dims),
                        d.offset_dims,
                        axes_without(x.ndim(), d.collapsed_slice_dims, d.operand_batching_dims),
                        d.start_index_map,
                        d.operand_batching_dims,
                        d.start_indices_batching_dims,
                        p.slice_sizes};
  for (const Dims* absent : {&d.collapsed_slice_dims, &d.operand_batching_dims})
    for (const std::int64_t a : *absent) numbers.window_sizes[static_cast<std::size_t>(a)] = 1;
  if (is_storage(indices.dtype()) || !whole_windows(p.mode, numbers)) return nullptr;
  return [windows = IndexWindows(numbers, x.shape(), indices.shape(), indices.dtype(), out.shape(), clips(p.mode)),
          element = byte_size(x.dtype()), fill = Fill(x.dtype(), p.mode)](const void* const* in, void* const* y) {
    gather(windows, element, in[0], in[1], fill.bytes, y[0]);
  };
}

DenseRun plan_scatter(const ScatterParams& p, Aval x, Aval indices, Aval updates) {
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  WindowNumbers numbers{axes_without(updates.ndim(), d.update_window_dims),
                        d.update_window_dims,
                        axes_without(x.ndim(), d.inserted_window_dims, d.input_batching_dims),
                        d.scatter_dims_to_operand_dims,
                        d.input_batching_dims,
                        d.scatter_indices_batching_dims,
                        Dims(static_cast<std::size_t>(x.ndim()), 1)};
  for (std::size_t i = 0; i < numbers.window_axes.size(); ++i)
    numbers.window_sizes[static_cast<std::size_t>(numbers.operand_axes[i])] =
        updates.shape(static_cast<std::size_t>(numbers.window_axes[i]));
  if (is_storage(indices.dtype()) || !can_scatter(x.dtype()) || !whole_windows(p.mode, numbers)) return nullptr;
  return [windows = IndexWindows(numbers, x.shape(), indices.shape(), indices.dtype(), updates.shape(), clips(p.mode)),
          kind = p.kind, x](const void* const* in, void* const* y) {
    scatter(windows, kind, x.dtype(), x.size(), in[0], in[1], in[2], y[0]);
  };
}

DenseRun plan_sort(const SortParams& p, std::span<const Aval> in) {
  SmallVector<DType, 4> types;
  for (const Aval a : in) types.push_back(a.dtype());
  const Aval x = in[0];
  if (!can_sort(types, x.shape(static_cast<std::size_t>(p.dimension)))) return nullptr;
  return [types, x, p](const void* const* from, void* const* to) {
    sort(types, x.shape(), p.dimension, p.num_keys, from, to);
  };
}

}  // namespace

std::function<void(const void* const* in, void* const* out)> plan_indexing(OpCode op, const ir::ParamsBase* params,
                                                                           std::span<const Aval> in,
                                                                           std::span<const Aval> out) {
  switch (op) {
    case OpCode::kGather: return plan_gather(ir::params_as<GatherParams>(params), in[0], in[1], out[0]);
    case OpCode::kScatter: return plan_scatter(ir::params_as<ScatterParams>(params), in[0], in[1], in[2]);
    case OpCode::kSort: return plan_sort(ir::params_as<SortParams>(params), in);
    case OpCode::kTopK: {
      if (!can_top_k(in[0].dtype())) return nullptr;
      return [x = in[0], k = ir::params_as<TopKParams>(params).k](const void* const* from, void* const* to) {
        const std::int64_t n = x.shape().back();
        if (n > 0) top_k(x.dtype(), x.size() / n, n, k, from[0], to[0], static_cast<std::int32_t*>(to[1]));
      };
    }
    case OpCode::kCumsum: {
      if (!can_cumsum(in[0].dtype())) return nullptr;
      return [x = in[0], p = ir::params_as<CumsumParams>(params)](const void* const* from, void* const* to) {
        cumsum(x.dtype(), x.shape(), p.axis, p.reverse, from[0], to[0]);
      };
    }
    default: return nullptr;
  }
}

}  // namespace weft::cpu
