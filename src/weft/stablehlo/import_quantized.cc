// Quantised values live as their storage integers. An operation on them means: dequantise, compute, quantise
// (StableHLO's specification, "dequantize_op_quantize").
//
//   real = (stored - zero_point) * scale
//   stored = clamp(round_to_even(real / scale) + zero_point, storage_min, storage_max)
#include <algorithm>

#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

namespace {

bool is_quantized(const TypeRef& t) { return t->kind == Type::Kind::kTensor && t->element.starts_with("!quant."); }

// One number per slice along the quantised axis, or one for all, in the shape of the values.
Array parameter(const Quantization& q, DimSpan shape, std::span<const double> values) {
  std::vector<double> copy(values.begin(), values.end());
  if (q.axis < 0) return Array::full(shape, q.expressed, Scalar(copy[0]));
  const Array list = lax::convert(Array(copy), q.expressed);
  return lax::broadcast_in_dim(list, shape, Dims{q.axis});
}

}  // namespace

bool Importer::quantized(const Op& op) const {
  const auto any = [&](std::span<const ValueId> vs) {
    return std::ranges::any_of(vs, [&](ValueId v) { return is_quantized(module_.type(v)); });
  };
  return op.name.starts_with("stablehlo.") && op.regions.empty() && may_be_quantized(op.name) &&
         (any(op.operands) || any(op.results));
}

bool Importer::may_be_quantized(std::string_view op) {
  if (op == "stablehlo.uniform_quantize" || op == "stablehlo.uniform_dequantize") return true;
  const Operation* row = operation_named(op);
  return row && op.starts_with("stablehlo.") && row->op != OpCode::kOptimizationBarrier;
}

Array Importer::dequantize(const Op& op, const TypeRef& type, const Array& stored) const {
  const Quantization q = *quantization(type->element);
  if (q.axis >= stored.ndim() || (q.axis >= 0 && stored.aval().shape(static_cast<std::size_t>(q.axis)) !=
                                                     static_cast<std::int64_t>(q.scales.size())))
    fail(op, "there must be one scale per slice along the quantised axis; got " + type->text + ".");
  const std::vector<double> zeros(q.zero_points.begin(), q.zero_points.end());
  const Array real = lax::subtract(lax::convert(stored, q.expressed), parameter(q, stored.shape(), zeros));
  return lax::multiply(real, parameter(q, stored.shape(), q.scales));
}

Array Importer::quantize(const Op& op, const TypeRef& type, const Array& value) const {
  const Quantization q = *quantization(type->element);
  if (q.axis >= value.ndim() || (q.axis >= 0 && value.aval().shape(static_cast<std::size_t>(q.axis)) !=
                                                    static_cast<std::int64_t>(q.scales.size())))
    fail(op, "there must be one scale per slice along the quantised axis; got " + type->text + ".");
  const std::vector<double> zeros(q.zero_points.begin(), q.zero_points.end());
  const Array real = value.dtype() == q.expressed ? value : lax::convert(value, q.expressed);
  const Array rounded = lax::round_nearest_even(lax::divide(real, parameter(q, value.shape(), q.scales)));
  const Array stored = lax::add(rounded, parameter(q, value.shape(), zeros));
  const auto bound = [&](std::int64_t v) {
    return Array::full(value.shape(), q.expressed, Scalar(static_cast<double>(v)));
  };
  return lax::convert(lax::clamp(bound(q.storage_min), stored, bound(q.storage_max)), q.storage);
}

void Importer::apply_quantized(const Op& op, Operands operands, Results& results) {
  const Arrays stored = tensors(op, operands);
  if (op.results.size() != 1 || stored.empty())
    fail(op, "a quantised operation must have operands and one result; got " + std::to_string(stored.size()) + " and " +
                 std::to_string(op.results.size()) + ".");
  const TypeRef& result = module_.type(op.results[0]);
  if (op.name == "stablehlo.bitcast_convert") {
    // The integers themselves, seen as another type of their width.
    const Aval to = this->result(op);
    give(op, stored[0].dtype() == to.dtype() ? stored[0] : lax::bitcast_convert(stored[0], to.dtype()), results);
    return;
  }
  Arrays real;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const TypeRef& t = module_.type(op.operands[i]);
    real.push_back(is_quantized(t) ? dequantize(op, t, stored[i]) : stored[i]);
  }
  Array y;
  if (op.name == "stablehlo.uniform_quantize" || op.name == "stablehlo.uniform_dequantize") {
    need_operands(op, 1);
    y = real[0];
  } else {
    const Operation* row = operation_named(op.name);
    ir::Avals in = avals_of(real);
    Aval out = this->result(op);
    if (is_quantized(result)) out = out.with_dtype(quantization(result->element)->expressed);
    const AttributeReader from(module_, op, in, std::span<const Aval>(&out, 1));
    y = bind_one(row->op, row->read ? row->read(from) : ir::Params(), real);
  }
  give(op, is_quantized(result) ? quantize(op, result, y) : y, results);
}

}  // namespace weft::stablehlo
