// The parameters of gather, scatter and sort. Here, not in ops/, because compilers read them too.
#pragma once

#include "weft/ir/params.h"

namespace weft {

/// What an index outside the operand does.
enum class IndexMode : std::uint8_t {
  kClip,        ///< reads and writes the nearest window that fits
  kFillOrDrop,  ///< reads NaN (or the lowest / highest integer), writes nothing
  kPromise,     ///< the caller promises that there is none; treated as kClip
  kZeroOrDrop,  ///< reads zero, writes nothing: what derivatives of kFillOrDrop do
  kPartial,  ///< as kZeroOrDrop, but element by element: StableHLO's scatter writes those of a window that are inside
};
inline constexpr std::string_view kIndexModeNames[] = {"clip", "fill_or_drop", "promise_in_bounds", "zero_or_drop",
                                                       "partial"};
constexpr std::span<const std::string_view> enum_names(IndexMode) { return kIndexModeNames; }

/// StableHLO's gather dimension numbers; index_vector_dim is always the last axis of the indices.
struct GatherDimensionNumbers {
  Dims offset_dims;                  // result axes that run over the window
  Dims collapsed_slice_dims;         // operand axes of window size 1 left out of the result
  Dims operand_batching_dims;        // operand axes that run along with ...
  Dims start_indices_batching_dims;  // ... these axes of the indices
  Dims start_index_map;              // operand axis of each component of an index vector
  static constexpr auto fields(auto&& visit) {
    using G = GatherDimensionNumbers;
    return visit(ir::field("offset_dims", &G::offset_dims), ir::field("collapsed_slice_dims", &G::collapsed_slice_dims),
                 ir::field("operand_batching_dims", &G::operand_batching_dims),
                 ir::field("start_indices_batching_dims", &G::start_indices_batching_dims),
                 ir::field("start_index_map", &G::start_index_map));
  }
};

struct GatherParams {
  GatherDimensionNumbers dimension_numbers;
  IndexMode mode{};
  Dims slice_sizes;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("dimension_numbers", &GatherParams::dimension_numbers),
                 ir::field("mode", &GatherParams::mode), ir::field("slice_sizes", &GatherParams::slice_sizes));
  }
};

/// StableHLO's scatter dimension numbers; index_vector_dim is always the last axis of the indices.
struct ScatterDimensionNumbers {
  Dims update_window_dims;             // axes of the updates that run over the window
  Dims inserted_window_dims;           // operand axes of window size 1 absent from the updates
  Dims input_batching_dims;            // operand axes that run along with ...
  Dims scatter_indices_batching_dims;  // ... these axes of the indices
  Dims scatter_dims_to_operand_dims;   // operand axis of each component of an index vector
  static constexpr auto fields(auto&& visit) {
    using S = ScatterDimensionNumbers;
    return visit(ir::field("update_window_dims", &S::update_window_dims),
                 ir::field("inserted_window_dims", &S::inserted_window_dims),
                 ir::field("input_batching_dims", &S::input_batching_dims),
                 ir::field("scatter_indices_batching_dims", &S::scatter_indices_batching_dims),
                 ir::field("scatter_dims_to_operand_dims", &S::scatter_dims_to_operand_dims));
  }
};

enum class ScatterKind : std::uint8_t { kSet, kAdd, kMul, kMin, kMax };
inline constexpr std::string_view kScatterKindNames[] = {"set", "add", "mul", "min", "max"};
constexpr std::span<const std::string_view> enum_names(ScatterKind) { return kScatterKindNames; }

/// scatter: printed as scatter, scatter_add, ...
struct ScatterParams {
  ScatterKind kind{};
  ScatterDimensionNumbers dimension_numbers;
  IndexMode mode{};
  bool unique_indices = false;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("kind", &ScatterParams::kind),
                 ir::field("dimension_numbers", &ScatterParams::dimension_numbers),
                 ir::field("mode", &ScatterParams::mode), ir::field("unique_indices", &ScatterParams::unique_indices));
  }
};

/// The k largest along the last axis.
struct TopKParams {
  std::int64_t k = 0;
  static constexpr auto fields(auto&& visit) { return visit(ir::field("k", &TopKParams::k)); }
};

struct SortParams {
  std::int64_t dimension = 0;
  std::int64_t num_keys = 1;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("dimension", &SortParams::dimension), ir::field("num_keys", &SortParams::num_keys));
  }
};

}  // namespace weft
