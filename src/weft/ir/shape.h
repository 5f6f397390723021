// The parameters of operations that make, reshape, slice and join arrays. Here, not in ops/,
// because compilers read them too.
#pragma once

#include "weft/ir/params.h"

namespace weft {

struct IotaParams {
  std::int64_t dimension = 0;
  DType dtype = i32;
  Dims shape;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("dimension", &IotaParams::dimension), ir::field("dtype", &IotaParams::dtype),
                 ir::field("shape", &IotaParams::shape));
  }
};

struct ReshapeParams {
  Dims new_sizes;
  static constexpr auto fields(auto&& visit) { return visit(ir::field("new_sizes", &ReshapeParams::new_sizes)); }
};

struct BroadcastInDimParams {
  Dims broadcast_dimensions;
  Dims shape;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("broadcast_dimensions", &BroadcastInDimParams::broadcast_dimensions),
                 ir::field("shape", &BroadcastInDimParams::shape));
  }
};

struct TransposeParams {
  Dims permutation;
  static constexpr auto fields(auto&& visit) { return visit(ir::field("permutation", &TransposeParams::permutation)); }
};

struct ReverseParams {
  Dims dimensions;
  static constexpr auto fields(auto&& visit) { return visit(ir::field("dimensions", &ReverseParams::dimensions)); }
};

/// One start, limit and stride per axis.
struct SliceParams {
  Dims limit_indices;
  Dims start_indices;
  Dims strides;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("limit_indices", &SliceParams::limit_indices),
                 ir::field("start_indices", &SliceParams::start_indices), ir::field("strides", &SliceParams::strides));
  }
};

struct DynamicSliceParams {
  Dims slice_sizes;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("slice_sizes", &DynamicSliceParams::slice_sizes));
  }
};

struct ConcatenateParams {
  std::int64_t dimension = 0;
  static constexpr auto fields(auto&& visit) { return visit(ir::field("dimension", &ConcatenateParams::dimension)); }
};

/// The sizes of the parts along `axis`, which they fill.
struct SplitParams {
  std::int64_t axis = 0;
  Dims sizes;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("axis", &SplitParams::axis), ir::field("sizes", &SplitParams::sizes));
  }
};

/// Elements before, after and between those of each axis.
struct PadParams {
  Dims low;
  Dims high;
  Dims interior;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("low", &PadParams::low), ir::field("high", &PadParams::high),
                 ir::field("interior", &PadParams::interior));
  }
};

}  // namespace weft
