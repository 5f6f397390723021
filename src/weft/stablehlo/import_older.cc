// Older operations as what the specification says they mean: broadcast, torch_index_select.
#include <numeric>

#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

// New axes in front.
void Importer::broadcast(const Op& op, Operands operands, Results& results) {
  const Array x = single(op, operands, 0);
  Dims shape = reader(op).dims("broadcast_sizes");
  Dims axes(x.aval().shape().size());
  std::iota(axes.begin(), axes.end(), static_cast<std::int64_t>(shape.size()));
  shape.append(x.aval().shape().begin(), x.aval().shape().end());
  give(op, lax::broadcast_in_dim(x, shape, axes), results);
}

// Rows of `dim` that the indices name; the first batch_dims axes run along.
void Importer::torch_index_select(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  const Array x = single(op, operands, 0), index = single(op, operands, 1);
  const std::int64_t dim = from.integer("dim"), batch = from.integer("batch_dims");
  if (batch < 0 || batch > index.ndim() || dim < batch || dim >= x.ndim())
    fail(op, "batch_dims and dim must be axes of the operands, batch_dims first; got " + std::to_string(batch) +
                 " and " + std::to_string(dim) + " for " + x.aval().str() + " and " + index.aval().str() + ".");
  GatherParams p;
  GatherDimensionNumbers& d = p.dimension_numbers;
  for (std::int64_t a = 0; a < x.ndim(); ++a) {
    const bool batched = a < batch;
    if (batched) {
      d.operand_batching_dims.push_back(a);
      d.start_indices_batching_dims.push_back(a);
    } else if (a != dim) {
      d.offset_dims.push_back(a < dim ? a : a - 1 + index.ndim() - batch);
    }
    p.slice_sizes.push_back(batched || a == dim ? 1 : x.aval().shape(static_cast<std::size_t>(a)));
  }
  d.collapsed_slice_dims = {dim};
  d.start_index_map = {dim};
  p.mode = IndexMode::kClip;
  Dims shape(index.aval().shape());
  shape.push_back(1);
  give(op, bind_all(OpCode::kGather, ir::make_params(std::move(p)), Arrays{x, lax::reshape(index, shape)}), results);
}

}  // namespace weft::stablehlo
