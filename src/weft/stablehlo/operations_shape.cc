// Operations that make, reshape, slice and join arrays, and pick from them.
#include <algorithm>

#include "weft/ir/indexing.h"
#include "weft/ir/shape.h"
#include "weft/stablehlo/operations.h"

namespace weft::stablehlo {

namespace {

ir::Params read_iota(const AttributeReader& from) {
  const Aval r = from.result();
  return ir::make_params(IotaParams{from.integer("iota_dimension"), r.dtype(), Dims(r.shape())});
}
void write_iota(const ir::ParamsBase* params, AttributeWriter& to) {
  to.integer("iota_dimension", ir::params_as<IotaParams>(params).dimension);
}

ir::Params read_reshape(const AttributeReader& from) {
  return ir::make_params(ReshapeParams{Dims(from.result().shape())});
}

ir::Params read_broadcast(const AttributeReader& from) {
  return ir::make_params(BroadcastInDimParams{from.dims("broadcast_dimensions"), Dims(from.result().shape())});
}
void write_broadcast(const ir::ParamsBase* params, AttributeWriter& to) {
  to.dims("broadcast_dimensions", ir::params_as<BroadcastInDimParams>(params).broadcast_dimensions);
}

ir::Params read_transpose(const AttributeReader& from) {
  return ir::make_params(TransposeParams{from.dims("permutation")});
}
void write_transpose(const ir::ParamsBase* params, AttributeWriter& to) {
  to.dims("permutation", ir::params_as<TransposeParams>(params).permutation);
}

ir::Params read_reverse(const AttributeReader& from) { return ir::make_params(ReverseParams{from.dims("dimensions")}); }
void write_reverse(const ir::ParamsBase* params, AttributeWriter& to) {
  to.dims("dimensions", ir::params_as<ReverseParams>(params).dimensions);
}

ir::Params read_slice(const AttributeReader& from) {
  SliceParams p;
  p.start_indices = from.dims("start_indices");
  p.limit_indices = from.dims("limit_indices");
  p.strides = from.dims("strides", Dims(p.start_indices.size(), 1));
  return ir::make_params(std::move(p));
}
void write_slice(const ir::ParamsBase* params, AttributeWriter& to) {
  const auto& p = ir::params_as<SliceParams>(params);
  to.dims("start_indices", p.start_indices);
  to.dims("limit_indices", p.limit_indices);
  to.dims("strides", p.strides);
}

ir::Params read_dynamic_slice(const AttributeReader& from) {
  return ir::make_params(DynamicSliceParams{from.dims("slice_sizes")});
}
void write_dynamic_slice(const ir::ParamsBase* params, AttributeWriter& to) {
  to.dims("slice_sizes", ir::params_as<DynamicSliceParams>(params).slice_sizes);
}

ir::Params read_concatenate(const AttributeReader& from) {
  return ir::make_params(ConcatenateParams{from.integer("dimension")});
}
void write_concatenate(const ir::ParamsBase* params, AttributeWriter& to) {
  to.integer("dimension", ir::params_as<ConcatenateParams>(params).dimension);
}

ir::Params read_pad(const AttributeReader& from) {
  PadParams p;
  p.low = from.dims("edge_padding_low");
  p.high = from.dims("edge_padding_high");
  p.interior = from.dims("interior_padding");
  return ir::make_params(std::move(p));
}
void write_pad(const ir::ParamsBase* params, AttributeWriter& to) {
  const auto& p = ir::params_as<PadParams>(params);
  to.dims("edge_padding_low", p.low);
  to.dims("edge_padding_high", p.high);
  to.dims("interior_padding", p.interior);
}

ir::Params read_top_k(const AttributeReader& from) { return ir::make_params(TopKParams{from.integer("k")}); }
void write_top_k(const ir::ParamsBase* params, AttributeWriter& to) {
  to.integer("k", ir::params_as<TopKParams>(params).k);
}

constexpr Operation kRows[] = {
    {OpCode::kIota, "stablehlo.iota", read_iota, write_iota},
    {OpCode::kReshape, "stablehlo.reshape", read_reshape, write_nothing},
    {OpCode::kBroadcastInDim, "stablehlo.broadcast_in_dim", read_broadcast, write_broadcast},
    {OpCode::kTranspose, "stablehlo.transpose", read_transpose, write_transpose},
    {OpCode::kReverse, "stablehlo.reverse", read_reverse, write_reverse},
    {OpCode::kSlice, "stablehlo.slice", read_slice, write_slice},
    {OpCode::kDynamicSlice, "stablehlo.dynamic_slice", read_dynamic_slice, write_dynamic_slice},
    {OpCode::kDynamicUpdateSlice, "stablehlo.dynamic_update_slice"},
    {OpCode::kConcatenate, "stablehlo.concatenate", read_concatenate, write_concatenate},
    {OpCode::kPad, "stablehlo.pad", read_pad, write_pad},
    {OpCode::kTopK, "chlo.top_k", read_top_k, write_top_k},
    {OpCode::kOptimizationBarrier, "stablehlo.optimization_barrier"},
};

}  // namespace

std::span<const Operation> shape_operations() { return kRows; }

bool scatters_single_elements(const ScatterDimensionNumbers& d, const Aval& updates) {
  const auto in = [](const Dims& list, std::int64_t a) { return std::find(list.begin(), list.end(), a) != list.end(); };
  std::int64_t axis = 0;  // of the operand
  for (const std::int64_t u : d.update_window_dims) {
    while (in(d.inserted_window_dims, axis) || in(d.input_batching_dims, axis)) ++axis;
    if (in(d.scatter_dims_to_operand_dims, axis) &&
        (u < 0 || u >= updates.ndim() || updates.shape(static_cast<std::size_t>(u)) != 1))
      return false;
    ++axis;
  }
  return true;
}

}  // namespace weft::stablehlo
