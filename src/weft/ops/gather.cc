// gather: out[batch..., offset...] = x[start(batch) + offset], start read from index vectors.
#include <algorithm>
#include <array>
#include <limits>

#include "weft/ir/elements.h"
#include "weft/ops/gather_scatter.h"

namespace weft {

using namespace ops;

namespace ops {

Array take_positions(const Array& x, const Array& positions, std::int64_t dimension) {
  const DimSpan shape = positions.shape();
  GatherDimensionNumbers d;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(shape.size()); ++i)
    if (i != dimension) d.operand_batching_dims.push_back(i);
  d.start_indices_batching_dims = d.operand_batching_dims;
  d.collapsed_slice_dims = {dimension};
  d.start_index_map = {dimension};
  Dims with_vector(shape), sizes;
  with_vector.push_back(1);
  for (const std::int64_t size : shape) sizes.push_back(std::min<std::int64_t>(size, 1));
  return lax::gather(x, lax::reshape(positions, with_vector), d, sizes, IndexMode::kPromise);
}

}  // namespace ops

namespace {

WindowMap window_map(const GatherParams& p, Aval x, Aval indices, int out_rank) {
  const GatherDimensionNumbers& d = p.dimension_numbers;
  Dims sizes(p.slice_sizes);
  for (const Dims* absent : {&d.collapsed_slice_dims, &d.operand_batching_dims})
    for (const std::int64_t a : *absent) sizes[static_cast<std::size_t>(a)] = 1;
  return {Dims(x.shape()),
          Dims(indices.shape()),
          axes_without(out_rank, d.offset_dims),
          d.offset_dims,
          axes_without(x.ndim(), d.collapsed_slice_dims, d.operand_batching_dims),
          d.start_index_map,
          d.operand_batching_dims,
          d.start_indices_batching_dims,
          std::move(sizes)};
}

[[noreturn]] void throw_numbers(const std::string& what, std::span<const Aval> in) {
  throw ShapeError("gather: " + what + " (operand " + in[0].str() + ", indices " + in[1].str() + ").");
}

void infer_gather(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<GatherParams>(params);
  const GatherDimensionNumbers& d = p.dimension_numbers;
  const Aval x = in[0], indices = in[1];
  if (!is_integer(indices.dtype())) throw DTypeError("gather: indices must be integers; got " + indices.str() + ".");
  if (indices.ndim() < 1) throw_numbers("indices must have an axis of index vectors; got a scalar", in);
  const int batch_rank = indices.ndim() - 1;
  check_roles("gather", d.collapsed_slice_dims, d.operand_batching_dims, x.ndim());
  check_roles("gather", d.start_index_map, d.operand_batching_dims, x.ndim());
  check_axes("gather", d.start_indices_batching_dims, batch_rank);
  if (static_cast<int>(p.slice_sizes.size()) != x.ndim())
    throw_numbers("there must be one slice size per operand axis; got " + shape_str(p.slice_sizes), in);
  if (static_cast<std::int64_t>(d.start_index_map.size()) != indices.shape(static_cast<std::size_t>(batch_rank)))
    throw_numbers(
        "index vectors must have one component per entry of start_index_map; got " + shape_str(d.start_index_map), in);
  if (d.operand_batching_dims.size() != d.start_indices_batching_dims.size())
    throw_numbers("operand and indices must have as many batching dims; got " + shape_str(d.operand_batching_dims) +
                      " and " + shape_str(d.start_indices_batching_dims),
                  in);
  for (std::size_t i = 0; i < p.slice_sizes.size(); ++i)
    if (p.slice_sizes[i] < 0 || p.slice_sizes[i] > x.shape(i))
      throw_numbers("slice sizes must be in [0, size]; got " + std::to_string(p.slice_sizes[i]) + " for axis " +
                        std::to_string(i),
                    in);
  for (const Dims* dims : {&d.collapsed_slice_dims, &d.operand_batching_dims})
    for (const std::int64_t a : *dims)
      if (p.slice_sizes[static_cast<std::size_t>(a)] > 1)
        throw_numbers("slice sizes must be at most 1 on collapsed and batching axes; got " +
                          std::to_string(p.slice_sizes[static_cast<std::size_t>(a)]) + " for axis " + std::to_string(a),
                      in);
  for (std::size_t i = 0; i < d.operand_batching_dims.size(); ++i) {
    const std::int64_t a = x.shape(static_cast<std::size_t>(d.operand_batching_dims[i]));
    const std::int64_t b = indices.shape(static_cast<std::size_t>(d.start_indices_batching_dims[i]));
    if (a != b)
      throw_numbers("batching dims must have equal sizes; got " + std::to_string(a) + " and " + std::to_string(b), in);
  }
  const Dims window = axes_without(x.ndim(), d.collapsed_slice_dims, d.operand_batching_dims);
  if (window.size() != d.offset_dims.size())
    throw_numbers("there must be one offset dim per window axis; got " + shape_str(d.offset_dims) + " for " +
                      std::to_string(window.size()) + " axes",
                  in);
  const int rank = batch_rank + static_cast<int>(window.size());
  check_axes("gather", d.offset_dims, rank);
  if (!std::is_sorted(d.offset_dims.begin(), d.offset_dims.end()))
    throw_numbers("offset_dims must be ascending; got " + shape_str(d.offset_dims), in);
  Dims shape(static_cast<std::size_t>(rank));
  for (std::size_t i = 0; i < window.size(); ++i)
    shape[static_cast<std::size_t>(d.offset_dims[i])] = p.slice_sizes[static_cast<std::size_t>(window[i])];
  const Dims batch = axes_without(rank, d.offset_dims);
  for (std::size_t i = 0; i < batch.size(); ++i) shape[static_cast<std::size_t>(batch[i])] = indices.shape(i);
  out.push_back(Aval(x.dtype(), shape, x.vary() | indices.vary()));
}

bool reads_zero(IndexMode mode) { return mode == IndexMode::kZeroOrDrop || mode == IndexMode::kPartial; }

// What a read outside gives: NaN, the lowest signed or the highest unsigned integer, true; or zero.
void write_fill(DType t, IndexMode mode, void* out) {
  if (is_storage(t)) {
    const double v = reads_zero(mode) ? 0
                     : is_float(t)    ? std::numeric_limits<double>::quiet_NaN()
                     : is_unsigned(t) ? std::numeric_limits<double>::max()
                                      : std::numeric_limits<double>::lowest();
    return convert_elements(f64, &v, t, out, 1);
  }
  visit_dtype(t, [&]<class T>(TypeTag<T>) {
    T v{};
    if (!reads_zero(mode)) {
      if constexpr (std::is_same_v<T, bool>)
        v = true;
      else if constexpr (std::is_integral_v<T>)
        v = std::is_signed_v<T> ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
      else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>)
        v = T(std::numeric_limits<typename T::value_type>::quiet_NaN(),
              std::numeric_limits<typename T::value_type>::quiet_NaN());
      else
        v = std::numeric_limits<T>::quiet_NaN();
    }
    __builtin_memcpy(out, &v, sizeof v);
  });
}

void eval_gather(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<GatherParams>(params);
  alignas(16) std::byte fill[16];
  write_fill(in[0].dtype(), p.mode, fill);
  const WindowMap map = window_map(p, in[0].aval, in[1].aval, out[0].ndim());
  const auto indices = read_indices(in[1]);
  // By size alone: elements are moved, not read.
  const auto copy = [&]<class T>(TypeTag<T>) {
    const T* x = static_cast<const T*>(in[0].data);
    T* y = static_cast<T*>(out[0].data);
    T outside;
    __builtin_memcpy(&outside, fill, sizeof outside);
    map.each_run(out[0].shape(), indices, p.mode,
                 [&](std::int64_t i, std::int64_t j, std::int64_t n, std::int64_t step) {
                   if (j < 0)
                     std::fill_n(y + i, n, outside);
                   else if (step == 1)
                     std::copy_n(x + j, n, y + i);
                   else
                     for (std::int64_t k = 0; k < n; ++k) y[i + k] = x[j + k * step];
                 });
  };
  switch (byte_size(in[0].dtype())) {
    case 1: return copy(TypeTag<std::uint8_t>{});
    case 2: return copy(TypeTag<std::uint16_t>{});
    case 4: return copy(TypeTag<std::uint32_t>{});
    case 8: return copy(TypeTag<std::uint64_t>{});
    default: return copy(TypeTag<std::array<std::uint64_t, 2>>{});
  }
}

void jvp_gather(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  GatherParams p = call.params_as<GatherParams>();
  bind(call.op, call.params, call.args, outs);
  if (p.mode == IndexMode::kFillOrDrop) p.mode = IndexMode::kZeroOrDrop;  // the fill is constant
  out_tangents.push_back(bind1(call.op, ir::make_params(p), {tangents[0], call.args[1]}));
}

void transpose_gather(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<GatherParams>();
  const GatherDimensionNumbers& d = p.dimension_numbers;
  const ScatterDimensionNumbers numbers{d.offset_dims, d.collapsed_slice_dims, d.operand_batching_dims,
                                        d.start_indices_batching_dims, d.start_index_map};
  const bool clip = p.mode == IndexMode::kClip || p.mode == IndexMode::kPromise;
  const IndexMode mode = clip ? IndexMode::kClip : p.mode == IndexMode::kPartial ? p.mode : IndexMode::kFillOrDrop;
  accums[0]->add(lax::scatter(accums[0]->take_or_zeros(), call.args[1], cts[0], numbers, ScatterKind::kAdd, mode));
}

void batch_gather(const Call& call, std::span<const int> bdims, const MappedAxis& mapped_axis, Arrays& outs,
                  Bdims& out_bdims) {
  GatherParams p = call.params_as<GatherParams>();
  GatherDimensionNumbers& d = p.dimension_numbers;
  const auto shift = [](Dims& dims) {
    for (std::int64_t& v : dims) ++v;
  };
  Array x = call.args[0], indices = call.args[1];
  shift(d.offset_dims);
  if (bdims[0] != kUnmapped) {
    x = bdim_to_front(x, bdims[0], mapped_axis.size);
    shift(d.collapsed_slice_dims);
    shift(d.operand_batching_dims);
    shift(d.start_index_map);
  }
  if (bdims[1] != kUnmapped) {
    indices = bdim_to_front(indices, bdims[1], mapped_axis.size);
    shift(d.start_indices_batching_dims);
  }
  if (bdims[0] != kUnmapped && bdims[1] != kUnmapped) {
    d.operand_batching_dims.insert(d.operand_batching_dims.begin(), 0);
    d.start_indices_batching_dims.insert(d.start_indices_batching_dims.begin(), 0);
    p.slice_sizes.insert(p.slice_sizes.begin(), mapped_axis.size == 0 ? 0 : 1);
  } else if (bdims[0] != kUnmapped) {
    // The same places in every example: the mapped axis is one more axis of the window.
    d.offset_dims.insert(d.offset_dims.begin(), 0);
    p.slice_sizes.insert(p.slice_sizes.begin(), mapped_axis.size);
  }
  outs.push_back(lax::gather(x, indices, d, p.slice_sizes, p.mode));
  out_bdims.push_back(0);
}

FactorTable factors_gather(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  const auto& p = ir::params_as<GatherParams>(params);
  const GatherDimensionNumbers& d = p.dimension_numbers;
  FactorTable table;
  FactorTable::Axes x(in[0].shape().size()), indices(in[1].shape().size()), y(out[0].shape().size());
  const Dims batch = axes_without(out[0].ndim(), d.offset_dims);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const int f = table.add(in[1].shape(i));
    indices[i] = {f};
    y[static_cast<std::size_t>(batch[i])] = {f};
  }
  indices.back() = {table.add(in[1].shape(in[1].shape().size() - 1), FactorTable::Kind::kNeedReplication)};
  for (std::size_t i = 0; i < d.operand_batching_dims.size(); ++i)
    x[static_cast<std::size_t>(d.operand_batching_dims[i])] =
        indices[static_cast<std::size_t>(d.start_indices_batching_dims[i])];
  const Dims window = axes_without(in[0].ndim(), d.collapsed_slice_dims, d.operand_batching_dims);
  for (std::size_t i = 0; i < window.size(); ++i) {
    const auto a = static_cast<std::size_t>(window[i]), o = static_cast<std::size_t>(d.offset_dims[i]);
    if (p.slice_sizes[a] == in[0].shape(a)) {
      x[a] = {table.add(in[0].shape(a))};
      y[o] = x[a];
    } else {
      y[o] = {table.add(p.slice_sizes[a], FactorTable::Kind::kNeedReplication)};
    }
  }
  for (std::size_t a = 0; a < x.size(); ++a)
    if (x[a].empty()) x[a] = {table.add(in[0].shape(a), FactorTable::Kind::kNeedReplication)};
  table.operands.push_back(std::move(x));
  table.operands.push_back(std::move(indices));
  table.results.push_back(std::move(y));
  return table;
}

}  // namespace

Array lax::gather(const Arg& x, const Array& indices, const GatherDimensionNumbers& dims, DimSpan slice_sizes,
                  IndexMode mode) {
  const LocationScope scope(x.location(), "gather");
  return bind1(OpCode::kGather, ir::make_params(GatherParams{dims, mode, Dims(slice_sizes)}), {x.array(), indices});
}

const ir::OpInfo op_infos::gather{.operands = ir::takes(2),
                                  .parse = ir::parse_params<GatherParams>,
                                  .infer = infer_gather,
                                  .eval = eval_gather,
                                  .storage_types = true};
const OpRules op_rule_table::gather{
    .jvp = jvp_gather, .transpose = transpose_gather, .batch = batch_gather, .factors = factors_gather};

}  // namespace weft
