// Making and rearranging arrays: iota, full, reshape, broadcast_in_dim, transpose, reverse.
// Everything here moves elements without looking at them.
#include "weft/ir/shape.h"

#include <algorithm>

#include "weft/ops/common.h"

namespace weft {

using namespace ops;

namespace {

// A constant of one repeated element keeps being one whatever its shape.
bool is_splat(const Array& x) { return x.buffer() && x.buffer()->splat(); }
Array respread(const Array& x, DimSpan shape) {
  return detail::make_splat(x.aval().with_shape(shape), x.buffer()->data());
}

bool is_identity(DimSpan permutation) {
  for (std::size_t i = 0; i < permutation.size(); ++i)
    if (permutation[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

Dims inverse(DimSpan permutation) {
  Dims r(permutation.size());
  for (std::size_t i = 0; i < permutation.size(); ++i)
    r[static_cast<std::size_t>(permutation[i])] = static_cast<std::int64_t>(i);
  return r;
}

Dims with_axis(DimSpan shape, int at, std::int64_t size) {
  Dims r(shape);
  r.insert(r.begin() + at, size);
  return r;
}

}  // namespace

// ---- iota: y[i...] = i[dimension] ----

namespace {

void infer_iota(const ParamsBase* params, std::span<const Aval>, Avals& out) {
  const auto& p = ir::params_as<IotaParams>(params);
  if (p.dtype == boolean) throw DTypeError("iota: the dtype must be integer, float or complex; got bool.");
  if (p.dimension < 0 || p.dimension >= static_cast<std::int64_t>(p.shape.size()))
    throw IndexError("iota: the dimension must be in [0, " + std::to_string(p.shape.size()) + "); got " +
                     std::to_string(p.dimension) + " for shape " + shape_str(p.shape) + ".");
  out.push_back(Aval(p.dtype, p.shape));
}

void eval_iota(const ParamsBase* params, std::span<const TensorView>, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<IotaParams>(params);
  const auto d = static_cast<std::size_t>(p.dimension);
  const std::int64_t inner = product(DimSpan(p.shape).subspan(d + 1)), n = p.shape[d];
  visit_dtype(out[0].dtype(), [&]<class T>(TypeTag<T>) {
    T* y = out[0].as<T>();
    for (std::int64_t i = 0; i < out[0].size(); ++i) y[i] = convert_element<T>(i / inner % n);
  });
}

// No operand: never batched, no tangent.
void batch_iota(const Call&, std::span<const int>, const MappedAxis&, Arrays&, Bdims&) {
  throw InternalError("iota: batched, but it has no operand");
}

}  // namespace

Array lax::iota(DType dtype, DimSpan shape, int dimension, SourceLocation loc) {
  const LocationScope scope(loc, "iota");
  return bind1(OpCode::kIota, ir::make_params(IotaParams{dimension, dtype, Dims(shape)}), std::span<const Array>());
}
Array lax::full(DimSpan shape, const Scalar& value, DType dtype, SourceLocation loc) {
  const LocationScope scope(loc, "full");
  return Array::full(shape, dtype, value);
}

const ir::OpInfo op_infos::iota{
    .operands = ir::takes(0), .parse = ir::parse_params<IotaParams>, .infer = infer_iota, .eval = eval_iota};
const OpRules op_rule_table::iota{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_iota, .factors = factors_elementwise};

// ---- reshape: the same elements in row-major order ----

namespace {

void infer_reshape(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<ReshapeParams>(params);
  const Aval y = in[0].with_shape(p.new_sizes);
  if (y.size() != in[0].size())
    throw ShapeError("reshape: the number of elements must stay the same; got " + in[0].str() + " (" +
                     std::to_string(in[0].size()) + " elements) to " + shape_str(p.new_sizes) + " (" +
                     std::to_string(y.size()) + ").");
  out.push_back(y);
}

void eval_copy(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  if (out[0].size()) __builtin_memcpy(out[0].data, in[0].data, static_cast<std::size_t>(out[0].aval.bytes()));
}

void transpose_reshape(const Call&, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  accums[0]->add(lax::reshape(cts[0], accums[0]->aval().shape()));
}

void batch_reshape(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                   Bdims& out_bdims) {
  const Dims shape = with_axis(call.params_as<ReshapeParams>().new_sizes, 0, axis.size);
  outs.push_back(lax::reshape(bdim_to_front(call.args[0], bdims[0], axis.size), shape));
  out_bdims.push_back(0);
}

// Axes are matched where the products of sizes from the left agree; what lies between two such
// points is split into common factors, major to minor, as long as one side divides the other.
FactorTable factors_reshape(const ParamsBase*, std::span<const Aval> in, std::span<const Aval> out) {
  FactorTable table;
  Dims left(in[0].shape()), right(out[0].shape());
  FactorTable::Axes x(left.size()), y(right.size());
  std::size_t i = 0, j = 0;
  while (i < left.size() || j < right.size()) {
    // Sizes 1 (and 0, where nothing can be matched) stand alone.
    if (i < left.size() && left[i] == 1 && (x[i].empty() || j >= right.size())) {
      if (x[i].empty()) x[i].push_back(table.add(1));
      ++i;
      continue;
    }
    if (j < right.size() && right[j] == 1 && (y[j].empty() || i >= left.size())) {
      if (y[j].empty()) y[j].push_back(table.add(1));
      ++j;
      continue;
    }
    if (i < left.size() && left[i] == 1) {
      ++i;
      continue;
    }
    if (j < right.size() && right[j] == 1) {
      ++j;
      continue;
    }
    const bool divides = i < left.size() && j < right.size() && left[i] > 0 && right[j] > 0 &&
                         (left[i] % right[j] == 0 || right[j] % left[i] == 0);
    if (!divides) {
      for (; i < left.size(); ++i)
        if (left[i] != 1 || x[i].empty()) x[i].push_back(table.add(left[i], FactorTable::Kind::kNeedReplication));
      for (; j < right.size(); ++j)
        if (right[j] != 1 || y[j].empty()) y[j].push_back(table.add(right[j], FactorTable::Kind::kNeedReplication));
      break;
    }
    const std::int64_t common = std::min(left[i], right[j]);
    const int f = table.add(common);
    x[i].push_back(f);
    y[j].push_back(f);
    left[i] /= common;
    right[j] /= common;
    if (left[i] == 1) ++i;
    if (right[j] == 1) ++j;
  }
  table.operands.push_back(std::move(x));
  table.results.push_back(std::move(y));
  return table;
}

}  // namespace

Array lax::reshape(const Arg& x, DimSpan shape) {
  const LocationScope scope(x.location(), "reshape");
  Array a = x.array();
  if (same_dims(a.shape(), shape)) return a;
  const ir::Params params = ir::make_params(ReshapeParams{Dims(shape)});
  if (is_splat(a)) {
    Avals out;
    const Aval in = a.aval();
    infer_reshape(params.get(), {&in, 1}, out);
    return respread(a, shape);
  }
  return bind1(OpCode::kReshape, params, {a});
}

const ir::OpInfo op_infos::reshape{
    .parse = ir::parse_params<ReshapeParams>, .infer = infer_reshape, .eval = eval_copy, .storage_types = true};
const OpRules op_rule_table::reshape{
    .jvp = jvp_linear, .transpose = transpose_reshape, .batch = batch_reshape, .factors = factors_reshape};

// ---- broadcast_in_dim: y[j...] = x[j[dims[0]], j[dims[1]], ...], size-1 axes repeated ----

namespace {

void infer_broadcast(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<BroadcastInDimParams>(params);
  const DimSpan shape = in[0].shape();
  if (p.broadcast_dimensions.size() != shape.size())
    throw ShapeError("broadcast_in_dim: there must be one dimension per axis of the operand; got " +
                     std::to_string(p.broadcast_dimensions.size()) + " dimensions for " + in[0].str() + ".");
  check_axes("broadcast_in_dim", p.broadcast_dimensions, static_cast<int>(p.shape.size()));
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t to = p.shape[static_cast<std::size_t>(p.broadcast_dimensions[i])];
    if (shape[i] != to && shape[i] != 1)
      throw ShapeError("broadcast_in_dim: an axis must have size 1 or the result's; got " + std::to_string(shape[i]) +
                       " for axis " + std::to_string(i) + " of " + in[0].str() + ", and " + std::to_string(to) +
                       " for axis " + std::to_string(p.broadcast_dimensions[i]) + " of " + shape_str(p.shape) + ".");
  }
  out.push_back(in[0].with_shape(p.shape));
}

void eval_broadcast(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<BroadcastInDimParams>(params);
  const Dims strides = row_major_strides(in[0].shape());
  Dims step(p.shape.size(), 0);
  for (std::size_t i = 0; i < strides.size(); ++i)
    step[static_cast<std::size_t>(p.broadcast_dimensions[i])] = in[0].shape()[i] == 1 ? 0 : strides[i];
  std::int64_t n = 0;
  const std::int64_t size = byte_size(in[0].dtype());
  for_each_index(p.shape,
                 [&](const Dims& at) { copy_element(in[0].data, offset_of(at, step), out[0].data, n++, size); });
}

// Sum over the new axes and over the repeated ones, then back in the operand's order.
void transpose_broadcast(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<BroadcastInDimParams>();
  const Aval x = accums[0]->aval();
  Dims summed, order;  // order: operand axes in the order in which they survive the sum
  for (std::int64_t j = 0; j < static_cast<std::int64_t>(p.shape.size()); ++j) {
    const auto at = std::find(p.broadcast_dimensions.begin(), p.broadcast_dimensions.end(), j);
    const std::int64_t axis = at - p.broadcast_dimensions.begin();
    if (at == p.broadcast_dimensions.end() ||
        (x.shape(static_cast<std::size_t>(axis)) == 1 && p.shape[static_cast<std::size_t>(j)] != 1))
      summed.push_back(j);
    else
      order.push_back(axis);
  }
  Array ct = summed.empty() ? cts[0] : lax::reduce_sum(cts[0], summed);
  Dims sorted(order);
  std::sort(sorted.begin(), sorted.end());
  if (sorted != order) {
    Dims permutation;
    for (const std::int64_t a : sorted) permutation.push_back(std::find(order.begin(), order.end(), a) - order.begin());
    ct = lax::transpose(ct, permutation);
  }
  accums[0]->add(lax::reshape(ct, x.shape()));
}

void batch_broadcast(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                     Bdims& out_bdims) {
  const auto& p = call.params_as<BroadcastInDimParams>();
  Dims dims{0};
  for (const std::int64_t d : p.broadcast_dimensions) dims.push_back(d + 1);
  outs.push_back(
      lax::broadcast_in_dim(bdim_to_front(call.args[0], bdims[0], axis.size), with_axis(p.shape, 0, axis.size), dims));
  out_bdims.push_back(0);
}

FactorTable factors_broadcast(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  const auto& p = ir::params_as<BroadcastInDimParams>(params);
  FactorTable table;
  FactorTable::Axes x(in[0].shape().size()), y;
  for (const std::int64_t size : out[0].shape()) y.push_back({table.add(size)});
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto d = static_cast<std::size_t>(p.broadcast_dimensions[i]);
    // A repeated axis has one element, which every shard of the result needs.
    x[i].push_back(in[0].shape(i) == out[0].shape(d) ? y[d][0]
                                                     : table.add(in[0].shape(i), FactorTable::Kind::kNeedReplication));
  }
  table.operands.push_back(std::move(x));
  table.results.push_back(std::move(y));
  return table;
}

}  // namespace

Array lax::broadcast_in_dim(const Arg& x, DimSpan shape, DimSpan dims) {
  const LocationScope scope(x.location(), "broadcast_in_dim");
  Array a = x.array();
  if (same_dims(a.shape(), shape) && is_identity(dims)) return a;
  const ir::Params params = ir::make_params(BroadcastInDimParams{Dims(dims), Dims(shape)});
  if (is_splat(a)) {
    Avals out;
    const Aval in = a.aval();
    infer_broadcast(params.get(), {&in, 1}, out);
    return respread(a, shape);
  }
  return bind1(OpCode::kBroadcastInDim, params, {a});
}

const ir::OpInfo op_infos::broadcast_in_dim{.parse = ir::parse_params<BroadcastInDimParams>,
                                            .infer = infer_broadcast,
                                            .eval = eval_broadcast,
                                            .storage_types = true};
const OpRules op_rule_table::broadcast_in_dim{
    .jvp = jvp_linear, .transpose = transpose_broadcast, .batch = batch_broadcast, .factors = factors_broadcast};

// ---- transpose: y[i...] = x[j...] with j[permutation[k]] = i[k] ----

namespace {

void infer_transpose(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<TransposeParams>(params);
  if (p.permutation.size() != in[0].shape().size())
    throw ShapeError("transpose: the permutation must have one entry per axis; got " + shape_str(p.permutation) +
                     " for " + in[0].str() + ".");
  check_axes("transpose", p.permutation, in[0].ndim());
  Dims shape;
  for (const std::int64_t d : p.permutation) shape.push_back(in[0].shape(static_cast<std::size_t>(d)));
  out.push_back(in[0].with_shape(shape));
}

void eval_transpose(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<TransposeParams>(params);
  const Dims strides = row_major_strides(in[0].shape());
  Dims step;
  for (const std::int64_t d : p.permutation) step.push_back(strides[static_cast<std::size_t>(d)]);
  std::int64_t n = 0;
  const std::int64_t size = byte_size(in[0].dtype());
  for_each_index(out[0].shape(),
                 [&](const Dims& at) { copy_element(in[0].data, offset_of(at, step), out[0].data, n++, size); });
}

void transpose_transpose(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  accums[0]->add(lax::transpose(cts[0], inverse(call.params_as<TransposeParams>().permutation)));
}

// The mapped axis stays where it is in the operand, in front of the result.
void batch_transpose(const Call& call, std::span<const int> bdims, const MappedAxis&, Arrays& outs, Bdims& out_bdims) {
  Dims permutation = axes_past(call.params_as<TransposeParams>().permutation, bdims[0]);
  permutation.insert(permutation.begin(), bdims[0]);
  outs.push_back(lax::transpose(call.args[0], permutation));
  out_bdims.push_back(0);
}

FactorTable factors_transpose(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval>) {
  FactorTable table;
  FactorTable::Axes x, y;
  for (const std::int64_t size : in[0].shape()) x.push_back({table.add(size)});
  for (const std::int64_t d : ir::params_as<TransposeParams>(params).permutation)
    y.push_back(x[static_cast<std::size_t>(d)]);
  table.operands.push_back(std::move(x));
  table.results.push_back(std::move(y));
  return table;
}

}  // namespace

Array lax::transpose(const Arg& x, DimSpan permutation) {
  const LocationScope scope(x.location(), "transpose");
  const Array a = x.array();
  const ir::Params params = ir::make_params(TransposeParams{Dims(permutation)});
  if (is_splat(a) || (is_identity(permutation) && static_cast<int>(permutation.size()) == a.ndim())) {
    Avals out;
    const Aval in = a.aval();
    infer_transpose(params.get(), {&in, 1}, out);
    return is_identity(permutation) ? a : respread(a, out[0].shape());
  }
  return bind1(OpCode::kTranspose, params, {a});
}

const ir::OpInfo op_infos::transpose{.parse = ir::parse_params<TransposeParams>,
                                     .infer = infer_transpose,
                                     .eval = eval_transpose,
                                     .storage_types = true};
const OpRules op_rule_table::transpose{
    .jvp = jvp_linear, .transpose = transpose_transpose, .batch = batch_transpose, .factors = factors_transpose};

// ---- reverse: y[..., i, ...] = x[..., n - 1 - i, ...] along `dimensions` ----

namespace {

void infer_reverse(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  check_axes("reverse", ir::params_as<ReverseParams>(params).dimensions, in[0].ndim());
  out.push_back(in[0]);
}

void eval_reverse(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  Dims step = row_major_strides(in[0].shape());
  std::int64_t first = 0;
  for (const std::int64_t d : ir::params_as<ReverseParams>(params).dimensions) {
    const auto i = static_cast<std::size_t>(d);
    first += (in[0].shape()[i] - 1) * step[i];
    step[i] = -step[i];
  }
  std::int64_t n = 0;
  const std::int64_t size = byte_size(in[0].dtype());
  for_each_index(in[0].shape(), [&](const Dims& at) {
    copy_element(in[0].data, first + offset_of(at, step), out[0].data, n++, size);
  });
}

void transpose_reverse(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  accums[0]->add(lax::reverse(cts[0], call.params_as<ReverseParams>().dimensions));
}

void batch_reverse(const Call& call, std::span<const int> bdims, const MappedAxis&, Arrays& outs, Bdims& out_bdims) {
  outs.push_back(lax::reverse(call.args[0], axes_past(call.params_as<ReverseParams>().dimensions, bdims[0])));
  out_bdims.push_back(bdims[0]);
}

FactorTable factors_reverse(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  FactorTable table = factors_elementwise(params, in, out);
  for (const std::int64_t d : ir::params_as<ReverseParams>(params).dimensions)
    table.factors[static_cast<std::size_t>(table.results[0][static_cast<std::size_t>(d)][0])].kind =
        FactorTable::Kind::kPermutation;
  return table;
}

}  // namespace

Array lax::reverse(const Arg& x, DimSpan dimensions) {
  const LocationScope scope(x.location(), "reverse");
  Array a = x.array();
  check_axes("reverse", dimensions, a.ndim());
  if (dimensions.empty() || is_splat(a)) return a;
  return bind1(OpCode::kReverse, ir::make_params(ReverseParams{Dims(dimensions)}), {a});
}

const ir::OpInfo op_infos::reverse{
    .parse = ir::parse_params<ReverseParams>, .infer = infer_reverse, .eval = eval_reverse, .storage_types = true};
const OpRules op_rule_table::reverse{
    .jvp = jvp_linear, .transpose = transpose_reverse, .batch = batch_reverse, .factors = factors_reverse};

}  // namespace weft
