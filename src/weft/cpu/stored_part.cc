#include "weft/cpu/stored_part.h"

#include <algorithm>

#include "weft/ir/contraction.h"
#include "weft/ir/indexing.h"
#include "weft/ir/shape.h"

namespace weft::cpu {
namespace {

bool has(const Dims& dims, std::int64_t d) { return std::find(dims.begin(), dims.end(), d) != dims.end(); }

}  // namespace

std::optional<StoredPart> stored_part(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in, Aval stored,
                                      std::uint32_t repeated, Aval out) {
  const auto repeats = [&](std::size_t axis) { return (repeated >> axis & 1u) != 0; };
  const std::size_t rank = in[0].shape().size();
  Dims shape(out.shape());
  const auto part = [&](ir::Params smaller, std::uint32_t axes) {
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (axes >> i & 1u) shape[i] = 1;
    return StoredPart{std::move(smaller), stored, out.with_shape(shape), axes};
  };
  // Without elements there is nothing to repeat.
  if (in[0].size() == 0 || out.size() == 0) return std::nullopt;
  switch (op) {
    case OpCode::kSlice: {
      SliceParams p = ir::params_as<SliceParams>(params);
      for (std::size_t i = 0; i < rank; ++i)
        if (repeats(i)) p.start_indices[i] = 0, p.limit_indices[i] = 1, p.strides[i] = 1;
      return part(ir::make_params(std::move(p)), repeated);
    }
    case OpCode::kDynamicSlice: {
      DynamicSliceParams p = ir::params_as<DynamicSliceParams>(params);
      for (std::size_t i = 0; i < rank; ++i)
        if (repeats(i)) p.slice_sizes[i] = 1;  // any start is clamped to 0
      return part(ir::make_params(std::move(p)), repeated);
    }
    case OpCode::kReverse: return part({}, repeated);
    case OpCode::kTranspose: {
      const Dims& from = ir::params_as<TransposeParams>(params).permutation;
      std::uint32_t axes = 0;
      for (std::size_t i = 0; i < rank; ++i)
        if (repeats(static_cast<std::size_t>(from[i]))) axes |= 1u << i;
      return part({}, axes);
    }
    case OpCode::kGather: {
      GatherParams p = ir::params_as<GatherParams>(params);
      const GatherDimensionNumbers& d = p.dimension_numbers;
      const bool inside = p.mode == IndexMode::kClip || p.mode == IndexMode::kPromise;
      std::uint32_t axes = 0;
      std::size_t window = 0;  // which of offset_dims the operand's axis becomes
      for (std::size_t i = 0; i < rank; ++i) {
        const auto axis = static_cast<std::int64_t>(i);
        const bool batching = has(d.operand_batching_dims, axis), collapsed = has(d.collapsed_slice_dims, axis);
        if (repeats(i)) {
          // Outside or not is a matter of the whole size; batching axes must have the size of the indices'.
          if (batching || (!inside && has(d.start_index_map, axis))) return std::nullopt;
          p.slice_sizes[i] = 1;
          if (!collapsed) axes |= 1u << d.offset_dims[window];
        }
        if (!batching && !collapsed) ++window;
      }
      return part(ir::make_params(std::move(p)), axes);
    }
    case OpCode::kReduce: {
      const auto& p = ir::params_as<ReduceParams>(params);
      // Sums and products depend on how often; the others do not.
      if (p.kind == ReduceKind::kSum || p.kind == ReduceKind::kProd || p.kind == ReduceKind::kXor) return std::nullopt;
      std::uint32_t axes = 0;
      unsigned kept = 0;
      for (std::size_t i = 0; i < rank; ++i) {
        if (has(p.axes, static_cast<std::int64_t>(i))) continue;
        if (repeats(i)) axes |= 1u << kept;
        ++kept;
      }
      return part({}, axes);
    }
    default: return std::nullopt;
  }
}

}  // namespace weft::cpu
