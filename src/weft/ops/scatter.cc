// scatter: x with updates[batch..., window...] combined in at x[start(batch) + window], in
// row-major order of the updates.
#include <algorithm>

#include "weft/ops/gather_scatter.h"

namespace weft {

using namespace ops;

namespace ops {

Dims scatter_window(const ScatterDimensionNumbers& d, int operand_rank, DimSpan updates_shape) {
  Dims sizes(static_cast<std::size_t>(operand_rank), 1);
  const Dims window = axes_without(operand_rank, d.inserted_window_dims, d.input_batching_dims);
  for (std::size_t i = 0; i < window.size(); ++i)
    sizes[static_cast<std::size_t>(window[i])] = updates_shape[static_cast<std::size_t>(d.update_window_dims[i])];
  return sizes;
}

Array gather_updates(const Array& x, const Array& indices, const ScatterDimensionNumbers& d, DimSpan updates_shape,
                     IndexMode mode) {
  const GatherDimensionNumbers numbers{d.update_window_dims, d.inserted_window_dims, d.input_batching_dims,
                                       d.scatter_indices_batching_dims, d.scatter_dims_to_operand_dims};
  Dims sizes = scatter_window(d, x.ndim(), updates_shape);
  // An empty operand axis has no window of size 1.
  for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] = std::min(sizes[i], x.aval().shape(i));
  const bool clip = mode == IndexMode::kClip || mode == IndexMode::kPromise;
  return lax::gather(x, indices, numbers, sizes,
                     clip                          ? IndexMode::kClip
                     : mode == IndexMode::kPartial ? mode
                                                   : IndexMode::kZeroOrDrop);
}

}  // namespace ops

namespace {

[[noreturn]] void throw_numbers(const std::string& what, std::span<const Aval> in) {
  throw ShapeError("scatter: " + what + " (operand " + in[0].str() + ", indices " + in[1].str() + ", updates " +
                   in[2].str() + ").");
}

void infer_scatter(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& d = ir::params_as<ScatterParams>(params).dimension_numbers;
  const Aval x = in[0], indices = in[1], updates = in[2];
  if (!is_integer(indices.dtype())) throw DTypeError("scatter: indices must be integers; got " + indices.str() + ".");
  if (updates.dtype() != x.dtype())
    throw DTypeError("scatter: operand and updates must have equal dtypes; got " + x.str() + " and " + updates.str() +
                     ".");
  if (indices.ndim() < 1) throw_numbers("indices must have an axis of index vectors; got a scalar", in);
  const int batch_rank = indices.ndim() - 1;
  check_roles("scatter", d.inserted_window_dims, d.input_batching_dims, x.ndim());
  check_roles("scatter", d.scatter_dims_to_operand_dims, d.input_batching_dims, x.ndim());
  check_axes("scatter", d.scatter_indices_batching_dims, batch_rank);
  check_axes("scatter", d.update_window_dims, updates.ndim());
  if (!std::is_sorted(d.update_window_dims.begin(), d.update_window_dims.end()))
    throw_numbers("update_window_dims must be ascending; got " + shape_str(d.update_window_dims), in);
  if (static_cast<std::int64_t>(d.scatter_dims_to_operand_dims.size()) !=
      indices.shape(static_cast<std::size_t>(batch_rank)))
    throw_numbers("index vectors must have one component per entry of scatter_dims_to_operand_dims; got " +
                      shape_str(d.scatter_dims_to_operand_dims),
                  in);
  if (d.input_batching_dims.size() != d.scatter_indices_batching_dims.size())
    throw_numbers("operand and indices must have as many batching dims; got " + shape_str(d.input_batching_dims) +
                      " and " + shape_str(d.scatter_indices_batching_dims),
                  in);
  for (std::size_t i = 0; i < d.input_batching_dims.size(); ++i) {
    const std::int64_t a = x.shape(static_cast<std::size_t>(d.input_batching_dims[i]));
    const std::int64_t b = indices.shape(static_cast<std::size_t>(d.scatter_indices_batching_dims[i]));
    if (a != b)
      throw_numbers("batching dims must have equal sizes; got " + std::to_string(a) + " and " + std::to_string(b), in);
  }
  const Dims window = axes_without(x.ndim(), d.inserted_window_dims, d.input_batching_dims);
  const Dims batch = axes_without(updates.ndim(), d.update_window_dims);
  if (window.size() != d.update_window_dims.size() || static_cast<int>(batch.size()) != batch_rank)
    throw_numbers("updates must have the axes of the indices and one per window axis; got update_window_dims " +
                      shape_str(d.update_window_dims),
                  in);
  for (std::size_t i = 0; i < window.size(); ++i) {
    const std::int64_t w = updates.shape(static_cast<std::size_t>(d.update_window_dims[i])),
                       n = x.shape(static_cast<std::size_t>(window[i]));
    if (w > n)
      throw_numbers(
          "the window must fit in the operand; got " + std::to_string(w) + " for axis " + std::to_string(window[i]),
          in);
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::int64_t u = updates.shape(static_cast<std::size_t>(batch[i]));
    if (u != indices.shape(i))
      throw_numbers("updates must have the sizes of the indices; got " + std::to_string(u) + " for axis " +
                        std::to_string(batch[i]),
                    in);
  }
  out.push_back(Aval(x.dtype(), x.shape(), x.vary() | indices.vary() | updates.vary()));
}

// What an update does to the value it meets. bool adds by or and multiplies by and; integers wrap.
template <ScatterKind kKind, class T>
T combine(T a, T b) {
  if constexpr (kKind == ScatterKind::kSet) {
    return b;
  } else if constexpr (std::is_same_v<T, bool>) {
    return kKind == ScatterKind::kAdd || kKind == ScatterKind::kMax ? a || b : a && b;
  } else if constexpr (kKind == ScatterKind::kAdd || kKind == ScatterKind::kMul) {
    using U = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
    const U x = static_cast<U>(a), y = static_cast<U>(b);
    return static_cast<T>(kKind == ScatterKind::kAdd ? x + y : x * y);
  } else {
    const auto less = [](T p, T q) {
      if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>)
        return p.real() < q.real() || (p.real() == q.real() && p.imag() < q.imag());
      else
        return p < q;
    };
    if (a != a || b != b) return a != a ? a : b;
    return (kKind == ScatterKind::kMin ? less(b, a) : less(a, b)) ? b : a;
  }
}

template <ScatterKind kKind, class T>
void combine_windows(const WindowMap& map, const std::vector<std::int64_t>& indices, IndexMode mode,
                     const TensorView& updates, T* y) {
  const T* u = updates.as<T>();
  map.each_run(updates.shape(), indices, mode, [&](std::int64_t i, std::int64_t j, std::int64_t n, std::int64_t step) {
    if (j < 0) return;
    for (std::int64_t k = 0; k < n; ++k) {
      T& to = y[j + k * step];
      if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>)
        to = T(combine<kKind, float>(to, u[i + k]));
      else
        to = combine<kKind, T>(to, u[i + k]);
    }
  });
}

void eval_scatter(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<ScatterParams>(params);
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  if (out[0].size()) __builtin_memcpy(out[0].data, in[0].data, static_cast<std::size_t>(out[0].aval.bytes()));
  const WindowMap map{Dims(in[0].shape()),
                      Dims(in[1].shape()),
                      axes_without(in[2].ndim(), d.update_window_dims),
                      d.update_window_dims,
                      axes_without(in[0].ndim(), d.inserted_window_dims, d.input_batching_dims),
                      d.scatter_dims_to_operand_dims,
                      d.input_batching_dims,
                      d.scatter_indices_batching_dims,
                      scatter_window(d, in[0].ndim(), in[2].shape())};
  const auto indices = read_indices(in[1]);
  visit_dtype(in[0].dtype(), [&]<class T>(TypeTag<T>) {
    T* y = out[0].as<T>();
    switch (p.kind) {
      case ScatterKind::kSet: return combine_windows<ScatterKind::kSet>(map, indices, p.mode, in[2], y);
      case ScatterKind::kAdd: return combine_windows<ScatterKind::kAdd>(map, indices, p.mode, in[2], y);
      case ScatterKind::kMul: return combine_windows<ScatterKind::kMul>(map, indices, p.mode, in[2], y);
      case ScatterKind::kMin: return combine_windows<ScatterKind::kMin>(map, indices, p.mode, in[2], y);
      case ScatterKind::kMax: return combine_windows<ScatterKind::kMax>(map, indices, p.mode, in[2], y);
    }
  });
}

// mul, by the updates u alone: x[i] times the tangent of the product of those that meet there. They are sorted by where
// they go, which makes them neighbours, and multiplied up by doubling: after steps of 1, 2, 4, ... the last of those
// that meet has the product of all, and its tangent. Nothing is divided, so zeros need no special case.
Array met_products_tangent(const ScatterParams& p, const Array& x, const Array& indices, const Array& u,
                           const Array& tu) {
  const std::int64_t n = u.size();
  if (n == 0 || x.size() == 0) return zeros_of(x.aval());
  const auto along = [&](const Array& a) {
    return lax::reshape(gather_updates(a, indices, p.dimension_numbers, u.shape(), p.mode), Dims{n});
  };
  // Counted from 1: what is left out reads 0.
  const Array numbers = lax::add(lax::iota(position_dtype(x.size() + 1), Dims{x.size()}, 0), 1);
  const Arrays sorted =
      lax::sort(Arrays{along(lax::reshape(numbers, x.shape())), lax::iota(position_dtype(n), Dims{n}, 0)}, 0);
  const Array& places = sorted[0];
  const auto in_order = [&](const Array& a) { return take_positions(a, sorted[1], 0); };
  const auto part = [](const Array& a, std::int64_t begin, std::int64_t end) {
    return lax::slice(a, Dims{begin}, Dims{end});
  };
  Factor all{in_order(lax::reshape(u, Dims{n})), in_order(lax::reshape(tu, Dims{n}))};
  for (std::int64_t step = 1; step < n; step *= 2) {
    const Array meet = lax::eq(part(places, 0, n - step), part(places, step, n));
    const Factor before{part(all.value, 0, n - step), part(all.tangent, 0, n - step)},
        own{part(all.value, step, n), part(all.tangent, step, n)}, both = before * own;
    all = {lax::concatenate({part(all.value, 0, step), lax::select(meet, both.value, own.value)}, 0),
           lax::concatenate({part(all.tangent, 0, step), lax::select(meet, both.tangent, own.tangent)}, 0)};
  }
  const Array last = lax::concatenate(
      {lax::ne(part(places, 0, n - 1), part(places, 1, n)), Array::full(Dims{1}, boolean, Scalar(true))}, 0);
  const Array to = lax::select(last, lax::subtract(places, 1), -1);  // -1 writes nothing
  const Array own = lax::multiply(in_order(along(x)), all.tangent);
  const Array flat = lax::scatter(zeros_of(Aval(x.dtype(), Dims{x.size()})), lax::reshape(to, Dims{n, 1}), own,
                                  {.inserted_window_dims = {0}, .scatter_dims_to_operand_dims = {0}}, ScatterKind::kAdd,
                                  IndexMode::kFillOrDrop, true);
  return lax::reshape(flat, x.shape());
}

Array or_zeros(const Array& t, const Array& like) { return t.defined() ? t : zeros_of(like.aval()); }

void jvp_scatter(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<ScatterParams>();
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  const Array& x = call.args[0];
  const Array& indices = call.args[1];
  const Array& updates = call.args[2];
  const Array& tx = tangents[0];
  const Array& tu = tangents[2];
  bind(call.op, call.params, call.args, outs);
  const auto scatter = [&](const Array& a, const Array& u, ScatterKind kind) {
    return lax::scatter(a, indices, u, d, kind, p.mode, p.unique_indices);
  };
  switch (p.kind) {
    case ScatterKind::kSet:  // the same update wins for values and tangents
    case ScatterKind::kAdd: out_tangents.push_back(scatter(or_zeros(tx, x), or_zeros(tu, updates), p.kind)); return;
    case ScatterKind::kMul: {
      Array t;
      if (tx.defined()) t = scatter(tx, updates, ScatterKind::kMul);
      if (tu.defined()) {
        const auto alone = [&] {
          const Array own = lax::multiply(gather_updates(x, indices, d, updates.shape(), p.mode), tu);
          return scatter(zeros_of(x.aval()), own, ScatterKind::kAdd);
        };
        const Array u = p.unique_indices ? alone() : met_products_tangent(p, x, indices, updates, tu);
        t = t.defined() ? lax::add(t, u) : u;
      }
      out_tangents.push_back(t);
      return;
    }
    default: break;
  }
  // min, max: averaged over all that attain the result.
  const Array& y = outs[0];
  const Array hit_x = lax::convert(lax::eq(x, y), x.dtype());
  const Array hit_u = lax::convert(lax::eq(updates, gather_updates(y, indices, d, updates.shape(), p.mode)), x.dtype());
  const Array count = scatter(hit_x, hit_u, ScatterKind::kAdd);
  const Array sum =
      scatter(lax::multiply(or_zeros(tx, x), hit_x), lax::multiply(or_zeros(tu, updates), hit_u), ScatterKind::kAdd);
  out_tangents.push_back(lax::divide(sum, count));
}

void transpose_scatter(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<ScatterParams>();
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  const Array& ct = cts[0];
  const Array& indices = call.args[1];
  switch (p.kind) {
    case ScatterKind::kAdd:
      if (accums[0]) accums[0]->add(ct);
      if (accums[2]) accums[2]->add(gather_updates(ct, indices, d, accums[2]->aval().shape(), p.mode));
      return;
    case ScatterKind::kMul:  // linear in the operand
      accums[0]->add(lax::scatter(ct, indices, call.args[2], d, p.kind, p.mode, p.unique_indices));
      return;
    default: break;
  }
  internal_check(p.kind == ScatterKind::kSet, "scatter: min and max are not linear");
  const Aval updates = accums[2] ? accums[2]->aval() : call.args[2].aval();
  // Read before it is written, so that the rest can be written in place.
  const Array u_ct = accums[2] ? gather_updates(ct, indices, d, updates.shape(), p.mode) : Array();
  if (accums[0])
    accums[0]->add(lax::scatter(ct, indices, zeros_of(updates), d, ScatterKind::kSet, p.mode, p.unique_indices));
  if (!accums[2]) return;
  Array u = u_ct;
  // One window meets no other.
  if (!p.unique_indices && product(indices.shape().first(static_cast<std::size_t>(indices.ndim() - 1))) > 1) {
    // Number the updates, scatter the numbers: an update that finds its own number was the last.
    const Array ids = lax::add(lax::reshape(lax::iota(i32, Dims{updates.size()}, 0), updates.shape()), 1);
    const Array zeros = zeros_of(Aval(i32, ct.shape()));
    const Array winners = lax::scatter(zeros, indices, ids, d, ScatterKind::kSet, p.mode);
    const Array won = lax::eq(gather_updates(winners, indices, d, updates.shape(), p.mode), ids);
    u = lax::select(won, u, zeros_of(u.aval()));
  }
  accums[2]->add(u);
}

void batch_scatter(const Call& call, std::span<const int> bdims, const MappedAxis& mapped_axis, Arrays& outs,
                   Bdims& out_bdims) {
  ScatterParams p = call.params_as<ScatterParams>();
  ScatterDimensionNumbers& d = p.dimension_numbers;
  const auto shift = [](Dims& dims) {
    for (std::int64_t& v : dims) ++v;
  };
  const Array x = bdim_to_front(call.args[0], bdims[0], mapped_axis.size),
              updates = bdim_to_front(call.args[2], bdims[2], mapped_axis.size);
  Array indices = call.args[1];
  shift(d.update_window_dims);
  shift(d.inserted_window_dims);
  shift(d.input_batching_dims);
  shift(d.scatter_dims_to_operand_dims);
  if (bdims[1] == kUnmapped) {
    // The same places in every example: the mapped axis is one more axis of the window.
    d.update_window_dims.insert(d.update_window_dims.begin(), 0);
  } else {
    indices = bdim_to_front(indices, bdims[1], mapped_axis.size);
    shift(d.scatter_indices_batching_dims);
    d.input_batching_dims.insert(d.input_batching_dims.begin(), 0);
    d.scatter_indices_batching_dims.insert(d.scatter_indices_batching_dims.begin(), 0);
  }
  outs.push_back(bind1(call.op, ir::make_params(p), {x, indices, updates}));
  out_bdims.push_back(0);
}

FactorTable factors_scatter(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval>) {
  const ScatterDimensionNumbers& d = ir::params_as<ScatterParams>(params).dimension_numbers;
  FactorTable table;
  FactorTable::Axes x(in[0].shape().size()), indices(in[1].shape().size()), updates(in[2].shape().size());
  const Dims batch = axes_without(in[2].ndim(), d.update_window_dims);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto& along = d.scatter_indices_batching_dims;
    const bool passes = std::find(along.begin(), along.end(), static_cast<std::int64_t>(i)) != along.end();
    const int f =
        table.add(in[1].shape(i), passes ? FactorTable::Kind::kPassThrough : FactorTable::Kind::kNeedReplication);
    indices[i] = {f};
    updates[static_cast<std::size_t>(batch[i])] = {f};
  }
  indices.back() = {table.add(in[1].shape(in[1].shape().size() - 1), FactorTable::Kind::kNeedReplication)};
  for (std::size_t i = 0; i < d.input_batching_dims.size(); ++i)
    x[static_cast<std::size_t>(d.input_batching_dims[i])] =
        indices[static_cast<std::size_t>(d.scatter_indices_batching_dims[i])];
  const Dims window = axes_without(in[0].ndim(), d.inserted_window_dims, d.input_batching_dims);
  for (std::size_t i = 0; i < window.size(); ++i) {
    const auto a = static_cast<std::size_t>(window[i]), u = static_cast<std::size_t>(d.update_window_dims[i]);
    if (in[2].shape(u) == in[0].shape(a)) {
      x[a] = {table.add(in[0].shape(a))};
      updates[u] = x[a];
    } else {
      updates[u] = {table.add(in[2].shape(u), FactorTable::Kind::kNeedReplication)};
    }
  }
  for (std::size_t a = 0; a < x.size(); ++a)
    if (x[a].empty()) x[a] = {table.add(in[0].shape(a), FactorTable::Kind::kNeedReplication)};
  table.operands.push_back(x);
  table.operands.push_back(std::move(indices));
  table.operands.push_back(std::move(updates));
  table.results.push_back(std::move(x));
  return table;
}

constexpr std::string_view kScatterTexts[] = {"scatter", "scatter_add", "scatter_mul", "scatter_min", "scatter_max"};

}  // namespace

Array lax::scatter(const Arg& x, const Array& indices, const Arg& updates, const ScatterDimensionNumbers& dims,
                   ScatterKind kind, IndexMode mode, bool unique) {
  const LocationScope scope(x.location(), "scatter");
  return bind1(OpCode::kScatter, ir::make_params(ScatterParams{kind, dims, mode, unique}),
               {x.array(), indices, updates.array()});
}

const ir::OpInfo op_infos::scatter{.operands = ir::takes(3),
                                   .variants = kScatterTexts,
                                   .parse = ir::parse_params<ScatterParams>,
                                   .infer = infer_scatter,
                                   .eval = eval_scatter};
const OpRules op_rule_table::scatter{
    .jvp = jvp_scatter, .transpose = transpose_scatter, .batch = batch_scatter, .factors = factors_scatter};

}  // namespace weft
