// Windows: slice (static), dynamic_slice and dynamic_update_slice (start known at run time).
#include <algorithm>

#include "weft/ir/elements.h"
#include "weft/ir/shape.h"
#include "weft/ops/common.h"

namespace weft {

using namespace ops;

// ---- slice: y[i...] = x[start + i * stride ...] ----

namespace {

std::int64_t slice_size(std::int64_t start, std::int64_t limit, std::int64_t stride) {
  return limit > start ? (limit - start - 1) / stride + 1 : 0;
}

void infer_slice(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<SliceParams>(params);
  const auto rank = static_cast<std::size_t>(in[0].ndim());
  if (p.start_indices.size() != rank || p.limit_indices.size() != rank || p.strides.size() != rank)
    throw ShapeError("slice: there must be one start, limit and stride per axis; got " + shape_str(p.start_indices) +
                     ", " + shape_str(p.limit_indices) + " and " + shape_str(p.strides) + " for " + in[0].str() + ".");
  Dims shape;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t start = p.start_indices[i], limit = p.limit_indices[i];
    if (start < 0 || limit < start || limit > in[0].shape(i))
      throw IndexError("slice: bounds must satisfy 0 <= start <= limit <= size; got start " + std::to_string(start) +
                       ", limit " + std::to_string(limit) + " for axis " + std::to_string(i) + " of " + in[0].str() +
                       ".");
    if (p.strides[i] < 1)
      throw ValueError("slice: strides must be at least 1; got " + std::to_string(p.strides[i]) + " for axis " +
                       std::to_string(i) + ".");
    shape.push_back(slice_size(start, limit, p.strides[i]));
  }
  out.push_back(in[0].with_shape(shape));
}

void eval_slice(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<SliceParams>(params);
  Dims step = row_major_strides(in[0].shape());
  const std::int64_t first = offset_of(p.start_indices, step), size = byte_size(in[0].dtype());
  // Of a single element the stride means nothing, and may be huge.
  for (std::size_t i = 0; i < step.size(); ++i) step[i] *= out[0].shape()[i] > 1 ? p.strides[i] : 0;
  std::int64_t n = 0;
  for_each_index(out[0].shape(), [&](const Dims& at) {
    copy_element(in[0].data, first + offset_of(at, step), out[0].data, n++, size);
  });
}

// The cotangent goes back where its elements came from: zeros before, after and between them.
void transpose_slice(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<SliceParams>();
  const Aval x = accums[0]->aval();
  Dims high, interior;
  for (std::size_t i = 0; i < p.strides.size(); ++i) {
    const std::int64_t n = cts[0].aval().shape(i);
    const std::int64_t between = n > 1 ? p.strides[i] - 1 : 0;  // of one element the stride may be huge
    const std::int64_t end = p.start_indices[i] + n + std::max<std::int64_t>(n - 1, 0) * between;
    high.push_back(x.shape(i) - end);
    interior.push_back(between);
  }
  accums[0]->add(lax::pad(cts[0], zeros_of(Aval(x.dtype(), {})), p.start_indices, high, interior));
}

void batch_slice(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  SliceParams p = call.params_as<SliceParams>();
  const int b = bdims[0];
  p.start_indices.insert(p.start_indices.begin() + b, 0);
  p.limit_indices.insert(p.limit_indices.begin() + b, axis.size);
  p.strides.insert(p.strides.begin() + b, 1);
  outs.push_back(lax::slice(call.args[0], p.start_indices, p.limit_indices, p.strides));
  out_bdims.push_back(b);
}

// Axes taken whole pass through; on the others a shard's elements come from its neighbours.
FactorTable window_factors(std::span<const Aval> in, DimSpan window) {
  FactorTable table;
  FactorTable::Axes x, y;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const std::int64_t n = in[0].shape(i);
    if (n == window[i]) {
      x.push_back({table.add(n)});
      y.push_back(x.back());
    } else {
      x.push_back({table.add(n, FactorTable::Kind::kPermutation)});
      y.push_back({table.add(window[i], FactorTable::Kind::kPermutation)});
    }
  }
  table.operands.push_back(std::move(x));
  table.results.push_back(std::move(y));
  return table;
}

FactorTable factors_slice(const ParamsBase*, std::span<const Aval> in, std::span<const Aval> out) {
  return window_factors(in, out[0].shape());
}

}  // namespace

Array lax::slice(const Arg& x, DimSpan start, DimSpan limit, DimSpan strides) {
  const LocationScope scope(x.location(), "slice");
  Array a = x.array();
  SliceParams p{Dims(limit), Dims(start), strides.empty() ? Dims(start.size(), 1) : Dims(strides)};
  bool whole = start.size() == a.shape().size() && limit.size() == start.size() && p.strides.size() == start.size();
  for (std::size_t i = 0; whole && i < start.size(); ++i)
    whole = start[i] == 0 && limit[i] == a.aval().shape(i) && p.strides[i] == 1;
  if (whole) return a;
  return bind1(OpCode::kSlice, ir::make_params(std::move(p)), {a});
}

const ir::OpInfo op_infos::slice{
    .parse = ir::parse_params<SliceParams>, .infer = infer_slice, .eval = eval_slice, .storage_types = true};
const OpRules op_rule_table::slice{
    .jvp = jvp_linear, .transpose = transpose_slice, .batch = batch_slice, .factors = factors_slice};

// ---- dynamic_slice: y[i...] = x[s + i ...], s = clamp(start, 0, x.shape - sizes) ----

namespace {

void check_starts(const char* op, std::span<const Aval> starts, Aval x) {
  if (static_cast<int>(starts.size()) != x.ndim())
    throw ShapeError(std::string(op) + ": there must be one start index per axis; got " +
                     std::to_string(starts.size()) + " for " + x.str() + ".");
  for (const Aval s : starts)
    if (s.ndim() != 0 || !is_integer(s.dtype()))
      throw DTypeError(std::string(op) + ": start indices must be 0-d integers; got " + s.str() + ".");
}

// Element offset of the clamped window in row-major `shape`.
std::int64_t window_offset(std::span<const TensorView> starts, DimSpan shape, DimSpan sizes) {
  const Dims strides = row_major_strides(shape);
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < shape.size(); ++i)
    offset += std::clamp<std::int64_t>(integer_element(starts[i].dtype(), starts[i].data), 0, shape[i] - sizes[i]) *
              strides[i];
  return offset;
}

void check_window(const char* op, DimSpan sizes, Aval x) {
  bool fits = static_cast<int>(sizes.size()) == x.ndim();
  for (std::size_t i = 0; fits && i < sizes.size(); ++i) fits = sizes[i] >= 0 && sizes[i] <= x.shape(i);
  if (!fits)
    throw ShapeError(std::string(op) + ": the window must fit in the operand; got window " + shape_str(sizes) +
                     " for " + x.str() + ".");
}

void infer_dynamic_slice(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<DynamicSliceParams>(params);
  check_window("dynamic_slice", p.slice_sizes, in[0]);
  check_starts("dynamic_slice", in.subspan(1), in[0]);
  out.push_back(in[0].with_shape(p.slice_sizes));
}

void eval_dynamic_slice(const ParamsBase* params, std::span<const TensorView> in,
                        std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<DynamicSliceParams>(params);
  const Dims strides = row_major_strides(in[0].shape());
  const std::int64_t first = window_offset(in.subspan(1), in[0].shape(), p.slice_sizes),
                     size = byte_size(in[0].dtype());
  std::int64_t n = 0;
  for_each_index(p.slice_sizes, [&](const Dims& at) {
    copy_element(in[0].data, first + offset_of(at, strides), out[0].data, n++, size);
  });
}

void jvp_dynamic_slice(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  Arrays operands(call.args);
  operands[0] = tangents[0];
  bind(call.op, call.params, operands, out_tangents);
}

void transpose_dynamic_slice(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const std::span<const Array> starts = call.args.subspan(1);
  if (!accums[0]->value().defined()) {
    accums[0]->add(lax::dynamic_update_slice(zeros_of(accums[0]->aval()), cts[0], starts));
    return;
  }
  // A window is added to, and the rest stays where it is.
  const Array sum = accums[0]->take();
  const Array window = lax::add(lax::dynamic_slice(sum, starts, cts[0].shape()), cts[0]);
  accums[0]->add(lax::dynamic_update_slice(sum, window, starts));
}

// Start indices as index vectors [batch, rank] for gather and scatter; i64 when any is that wide.
Array stack_starts(std::span<const Array> starts, std::span<const int> bdims, std::int64_t size) {
  DType t = i32;
  for (const Array& s : starts)
    if (byte_size(s.dtype()) == 8 || s.dtype() == u32) t = i64;
  Arrays columns;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    // What is too large for i64 must stay beyond the end.
    const Array start = starts[i].dtype() == u64 ? lax::minimum(starts[i], INT64_MAX) : starts[i];
    columns.push_back(lax::reshape(bdim_to_front(lax::convert(start, t), bdims[i], size), Dims{size, 1}));
  }
  return lax::concatenate(columns, 1);
}

bool any_mapped(std::span<const int> bdims) {
  return std::any_of(bdims.begin(), bdims.end(), [](int b) { return b != kUnmapped; });
}

// With one start for all examples the window grows by the mapped axis; with one each it is a gather.
void batch_dynamic_slice(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                         Bdims& out_bdims) {
  Dims sizes = call.params_as<DynamicSliceParams>().slice_sizes;
  if (!any_mapped(bdims.subspan(1))) {
    Arrays starts(call.args.subspan(1));
    starts.insert(starts.begin() + bdims[0], Array::full({}, starts.empty() ? i32 : starts[0].dtype(), Scalar(0)));
    sizes.insert(sizes.begin() + bdims[0], axis.size);
    outs.push_back(lax::dynamic_slice(call.args[0], starts, sizes));
    out_bdims.push_back(bdims[0]);
    return;
  }
  const Array indices = stack_starts(call.args.subspan(1), bdims.subspan(1), axis.size);
  const auto rank = static_cast<std::int64_t>(sizes.size());
  GatherDimensionNumbers d;
  for (std::int64_t i = 0; i < rank; ++i) d.offset_dims.push_back(i + 1);
  if (bdims[0] == kUnmapped) {
    for (std::int64_t i = 0; i < rank; ++i) d.start_index_map.push_back(i);
  } else {
    for (std::int64_t i = 0; i < rank; ++i) d.start_index_map.push_back(i + (i >= bdims[0]));
    d.operand_batching_dims = {bdims[0]};
    d.start_indices_batching_dims = {0};
    sizes.insert(sizes.begin() + bdims[0], std::min<std::int64_t>(axis.size, 1));
  }
  outs.push_back(lax::gather(call.args[0], indices, d, sizes, IndexMode::kClip));
  out_bdims.push_back(0);
}

FactorTable factors_dynamic_slice(const ParamsBase*, std::span<const Aval> in, std::span<const Aval> out) {
  FactorTable table = window_factors(in, out[0].shape());
  for (std::size_t i = 1; i < in.size(); ++i) table.operands.push_back({});
  return table;
}

}  // namespace

Array lax::dynamic_slice(const Array& x, std::span<const Array> start, DimSpan sizes, SourceLocation loc) {
  const LocationScope scope(loc, "dynamic_slice");
  Arrays operands{x};
  operands.append(start.begin(), start.end());
  return bind1(OpCode::kDynamicSlice, ir::make_params(DynamicSliceParams{Dims(sizes)}), operands);
}

const ir::OpInfo op_infos::dynamic_slice{.operands = ir::takes_at_least(1),
                                         .parse = ir::parse_params<DynamicSliceParams>,
                                         .infer = infer_dynamic_slice,
                                         .eval = eval_dynamic_slice,
                                         .storage_types = true};
const OpRules op_rule_table::dynamic_slice{.jvp = jvp_dynamic_slice,
                                           .transpose = transpose_dynamic_slice,
                                           .batch = batch_dynamic_slice,
                                           .factors = factors_dynamic_slice};

// ---- dynamic_update_slice: x with the window at clamp(start) replaced by `update` ----

namespace {

void infer_update(const ParamsBase*, std::span<const Aval> in, Avals& out) {
  if (in[1].dtype() != in[0].dtype())
    throw DTypeError("dynamic_update_slice: operand and update must have equal dtypes; got " + in[0].str() + " and " +
                     in[1].str() + ".");
  check_window("dynamic_update_slice", in[1].shape(), in[0]);
  check_starts("dynamic_update_slice", in.subspan(2), in[0]);
  out.push_back(in[0]);
}

void eval_update(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  if (in[0].size()) __builtin_memcpy(out[0].data, in[0].data, static_cast<std::size_t>(in[0].aval.bytes()));
  const Dims strides = row_major_strides(in[0].shape());
  const std::int64_t first = window_offset(in.subspan(2), in[0].shape(), in[1].shape()),
                     size = byte_size(in[0].dtype());
  std::int64_t n = 0;
  for_each_index(in[1].shape(), [&](const Dims& at) {
    copy_element(in[1].data, n++, out[0].data, first + offset_of(at, strides), size);
  });
}

// Linear in operand and update together.
void jvp_update(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  Arrays operands(call.args);
  for (std::size_t i = 0; i < 2; ++i) operands[i] = tangents[i].defined() ? tangents[i] : zeros_of(call.args[i].aval());
  bind(call.op, call.params, operands, out_tangents);
}

void transpose_update(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const std::span<const Array> starts = call.args.subspan(2);
  if (accums[0]) {
    const Aval update = accums[1] ? accums[1]->aval() : call.args[1].aval();
    accums[0]->add(lax::dynamic_update_slice(cts[0], zeros_of(update), starts));
  }
  if (accums[1]) accums[1]->add(lax::dynamic_slice(cts[0], starts, accums[1]->aval().shape()));
}

void batch_update(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                  Bdims& out_bdims) {
  const Array x = bdim_to_front(call.args[0], bdims[0], axis.size),
              update = bdim_to_front(call.args[1], bdims[1], axis.size);
  const std::span<const Array> starts = call.args.subspan(2);
  out_bdims.push_back(0);
  if (!any_mapped(bdims.subspan(2))) {
    Arrays all{Array::full({}, starts.empty() ? i32 : starts[0].dtype(), Scalar(0))};
    all.append(starts.begin(), starts.end());
    outs.push_back(lax::dynamic_update_slice(x, update, all));
    return;
  }
  ScatterDimensionNumbers d;
  d.input_batching_dims = {0};
  d.scatter_indices_batching_dims = {0};
  for (std::int64_t i = 1; i < x.ndim(); ++i) {
    d.update_window_dims.push_back(i);
    d.scatter_dims_to_operand_dims.push_back(i);
  }
  outs.push_back(lax::scatter(x, stack_starts(starts, bdims.subspan(2), axis.size), update, d, ScatterKind::kSet,
                              IndexMode::kClip, true));
}

FactorTable factors_update(const ParamsBase*, std::span<const Aval> in, std::span<const Aval>) {
  FactorTable window = window_factors(in, in[1].shape());
  FactorTable table;
  table.factors = window.factors;
  table.operands.push_back(window.operands[0]);
  table.operands.push_back(window.results[0]);
  for (std::size_t i = 2; i < in.size(); ++i) table.operands.push_back({});
  table.results.push_back(window.operands[0]);
  return table;
}

}  // namespace

Array lax::dynamic_update_slice(const Array& x, const Arg& update, std::span<const Array> start) {
  const LocationScope scope(update.location(), "dynamic_update_slice");
  Arrays operands{x, update.is_scalar() ? update.filled(x.dtype(), Dims(x.shape().size(), 1)) : update.array()};
  operands.append(start.begin(), start.end());
  return bind1(OpCode::kDynamicUpdateSlice, ir::Params(), operands);
}

const ir::OpInfo op_infos::dynamic_update_slice{
    .operands = ir::takes_at_least(2), .infer = infer_update, .eval = eval_update, .storage_types = true};
const OpRules op_rule_table::dynamic_update_slice{
    .jvp = jvp_update, .transpose = transpose_update, .batch = batch_update, .factors = factors_update};

}  // namespace weft
