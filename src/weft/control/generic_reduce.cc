// generic_reduce and generic_reduce_window: n arrays combined together by a computation on scalars, one position after
// the other. Their derivatives, and vmap over what the computation captures, are those of a scan over the positions in
// the same order, in which the computation runs for all results at once: nothing is asked of the computation.
#include <algorithm>

#include "weft/control/computations.h"
#include "weft/control/programs.h"
#include "weft/control/rules.h"
#include "weft/ops/common.h"

namespace weft {

using namespace control;

namespace {

// captures..., xs..., inits...
RegionOperands operands_of(std::string_view op, const ir::Jaxpr& computation, std::span<const Aval> in) {
  const std::size_t captures = num_captures(op, "the computation", computation, in);
  const std::size_t rest = in.size() - captures;
  if (rest < 2 || rest % 2 != 0)
    throw ShapeError(std::string(op) + ": there must be as many initial values as arrays, and at least one; got " +
                     std::to_string(rest) + " operands.");
  return {captures, rest / 2};
}
RegionOperands operands_of(const ir::Jaxpr& computation, std::size_t n) {
  return {computation.num_consts(), (n - computation.num_consts()) / 2};
}

// Checks what both operations share; returns the dtypes of the results.
std::vector<DType> check_reduction(std::string_view op, const ir::Jaxpr& computation, std::span<const Aval> in) {
  const auto [captures, n] = operands_of(op, computation, in);
  const std::span<const Aval> xs = in.subspan(captures, n), inits = in.subspan(captures + n);
  check_same_shape(op, "arrays", xs);
  for (std::size_t i = 0; i < n; ++i) {
    if (inits[i].ndim() != 0)
      throw ShapeError(std::string(op) + ": initial values must be 0-d; got " + inits[i].str() + ".");
    if (inits[i].dtype() != xs[i].dtype())
      throw DTypeError(std::string(op) + ": an initial value must have the dtype of its array; got " + inits[i].str() +
                       " for " + xs[i].str() + ".");
  }
  return check_computation(op, computation, in.first(captures), xs);
}

// The computation, with what it works on in place.
class Accumulator {
 public:
  Accumulator(const ir::Jaxpr& computation, std::span<const TensorView> in, std::span<const MutableTensorView> out)
      : program_(computation), out_(out), captures_(computation.num_consts()) {
    const std::size_t n = out.size();
    for (std::size_t i = 0; i < captures_; ++i) program_->set_input(i, in[i].data);
    for (std::size_t k = 0; k < n; ++k) {
      xs_.emplace_back(in[captures_ + k], out[k].dtype());
      inits_.emplace_back(in[captures_ + n + k], out[k].dtype());
    }
  }

  /// Results at position `at` begin with the initial values.
  void begin(std::int64_t at) {
    for (std::size_t k = 0; k < out_.size(); ++k) {
      std::byte* to = static_cast<std::byte*>(out_[k].data) + at * size(k);
      std::memcpy(to, inits_[k].at(0), static_cast<std::size_t>(size(k)));
      program_->set_input(captures_ + k, to);
    }
    at_ = at;
  }
  /// Combines the elements at position `i`; initial values for -1.
  void add(std::int64_t i) {
    const std::size_t n = out_.size();
    for (std::size_t k = 0; k < n; ++k) program_->set_input(captures_ + n + k, i < 0 ? inits_[k].at(0) : xs_[k].at(i));
    program_->run();
    for (std::size_t k = 0; k < n; ++k)
      std::memcpy(static_cast<std::byte*>(out_[k].data) + at_ * size(k), program_->output(k),
                  static_cast<std::size_t>(size(k)));
  }

 private:
  std::int64_t size(std::size_t k) const { return inits_[k].element_size(); }

  ir::BorrowedInterpreter program_;
  std::span<const MutableTensorView> out_;
  std::size_t captures_;
  std::vector<InDType> xs_, inits_;
  std::int64_t at_ = 0;
};

// ---- as a scan ----

void reduce_by_scan(const ir::Jaxpr& computation, std::span<const Array> operands, DimSpan axes, Arrays& outs) {
  const auto [num_captures, n] = operands_of(computation, operands.size());
  const std::span<const Array> captures = operands.first(num_captures), inits = operands.subspan(num_captures + n);
  const Array& first = operands[num_captures];
  const Dims kept = ops::axes_without(first.ndim(), axes);
  Dims order(axes), out_shape;
  std::sort(order.begin(), order.end());
  std::int64_t length = 1;
  for (const std::int64_t a : axes) length *= first.shape(static_cast<int>(a));
  for (const std::int64_t a : kept) out_shape.push_back(first.shape(static_cast<int>(a)));
  order.append(kept.begin(), kept.end());
  const std::int64_t rows = product(out_shape);

  const Avals types = computation.output_avals();
  Arrays xs, start;
  for (std::size_t k = 0; k < n; ++k) {
    const DType t = types[k].dtype();
    xs.push_back(lax::reshape(lax::transpose(lax::convert(operands[num_captures + k], t), order), Dims{length, rows}));
    start.push_back(lax::broadcast_in_dim(lax::convert(inits[k], t), Dims{rows}, Dims{}));
  }
  const ir::Jaxpr step = for_each_of(computation, rows);
  for (const Array& r : lax::scan_(step, captures, start, xs, length)) outs.push_back(lax::reshape(r, out_shape));
}

// The types of one example's operands.
Avals types_of(std::span<const Array> args, std::span<const int> bdims = {}) {
  Avals types;
  for (std::size_t i = 0; i < args.size(); ++i) {
    Dims shape(args[i].shape());
    if (!bdims.empty() && bdims[i] != kUnmapped) shape.erase(shape.begin() + bdims[i]);
    types.push_back(args[i].aval().with_shape(shape));
  }
  return types;
}

// ---- generic_reduce ----

void infer_reduce(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<GenericReduceParams>(params);
  const std::vector<DType> dtypes = check_reduction("generic_reduce", p.computation, in);
  const Aval x = in[p.computation.num_consts()];
  ops::check_axes("generic_reduce", p.axes, x.ndim());
  Dims shape;
  for (const std::int64_t a : ops::axes_without(x.ndim(), p.axes))
    shape.push_back(x.shape(static_cast<std::size_t>(a)));
  for (const DType t : dtypes) out.push_back(Aval(t, shape));
}

void eval_reduce(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<GenericReduceParams>(params);
  const TensorView& x = in[p.computation.num_consts()];
  Dims axes = p.axes;
  std::sort(axes.begin(), axes.end());
  const auto rows = ops::offsets_along(x.shape(), ops::axes_without(x.ndim(), axes)),
             along = ops::offsets_along(x.shape(), axes);
  Accumulator acc(p.computation, in, out);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    acc.begin(static_cast<std::int64_t>(r));
    for (const std::int64_t i : along) acc.add(rows[r] + i);
  }
}

ir::Jaxpr scan_of_reduce(const ParamsBase* params, std::span<const Aval> types) {
  const auto& p = ir::params_as<GenericReduceParams>(params);
  return derive(p.computation, type_key("generic_reduce" + shape_str(p.axes), types), types, 0,
                [&](std::span<const Array> args, Arrays& outs) { reduce_by_scan(p.computation, args, p.axes, outs); });
}

void batch_reduce(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                  Bdims& out_bdims) {
  GenericReduceParams p = call.params_as<GenericReduceParams>();
  const auto [captures, n] = operands_of(p.computation, call.args.size());
  if (!all_unmapped(bdims.first(captures)) || !all_unmapped(bdims.subspan(captures + n)))
    return batch_program("reduce", scan_of_reduce(call.params.get(), types_of(call.args, bdims)), call.args, bdims,
                         axis, outs, out_bdims);
  Arrays operands(call.args);
  for (std::size_t k = captures; k < captures + n; ++k) operands[k] = ops::bdim_to(operands[k], bdims[k], 0, axis.size);
  for (std::int64_t& a : p.axes) ++a;
  bind(call.op, ir::make_params(p), operands, outs);
  out_bdims.assign(outs.size(), 0);
}

// ---- generic_reduce_window ----

void infer_reduce_window(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<GenericReduceWindowParams>(params);
  const std::vector<DType> dtypes = check_reduction("generic_reduce_window", p.computation, in);
  const Dims shape = window_places("generic_reduce_window", p.window, in[p.computation.num_consts()]);
  for (const DType t : dtypes) out.push_back(Aval(t, shape));
}

void eval_reduce_window(const ParamsBase* params, std::span<const TensorView> in,
                        std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<GenericReduceWindowParams>(params);
  const DimSpan shape = in[p.computation.num_consts()].shape();
  Accumulator acc(p.computation, in, out);
  std::int64_t at = 0;
  ops::for_each_index(out[0].shape(), [&](const Dims& o) {
    acc.begin(at++);
    ops::for_each_index(p.window.dimensions, [&](const Dims& w) { acc.add(window_position(p.window, shape, o, w)); });
  });
}

// The windows of x, which is padded, along axis `d`: that axis becomes [places, window].
Array windows_along(const Array& x, int d, std::int64_t places, std::int64_t window, std::int64_t stride,
                    std::int64_t dilation) {
  const Dims grid{places, window};
  const Array at =
      lax::add(lax::multiply(lax::iota(i64, grid, 0), stride), lax::multiply(lax::iota(i64, grid, 1), dilation));
  GatherDimensionNumbers numbers;
  for (int i = 0; i <= x.ndim(); ++i)
    if (i != d && i != d + 1) numbers.offset_dims.push_back(i);
  numbers.collapsed_slice_dims = {d};
  numbers.start_index_map = {d};
  Dims sizes(x.shape());
  sizes[static_cast<std::size_t>(d)] = 1;
  return lax::gather(x, lax::reshape(at, Dims{places, window, 1}), numbers, sizes, IndexMode::kPromise);
}

void reduce_windows_by_scan(const GenericReduceWindowParams& p, std::span<const Array> operands, Arrays& outs) {
  const auto [captures, n] = operands_of(p.computation, operands.size());
  const Window& w = p.window;
  const Dims places = window_places("generic_reduce_window", w, operands[captures].aval());
  if (product(places) == 0) {
    for (const Aval a : p.computation.output_avals()) outs.push_back(zeros_of(Aval(a.dtype(), places)));
    return;
  }
  Arrays args(operands);
  Dims interior(w.base_dilations), axes;
  for (std::int64_t& i : interior) --i;
  for (std::size_t k = 0; k < n; ++k) {
    Array& x = args[captures + k];
    x = lax::pad(x, operands[captures + n + k], w.padding_low, w.padding_high, interior);
    for (std::size_t i = 0; i < places.size(); ++i)  // earlier axes have become two
      x = windows_along(x, static_cast<int>(2 * i), places[i], w.dimensions[i], w.strides[i], w.window_dilations[i]);
  }
  for (std::size_t i = 0; i < places.size(); ++i) axes.push_back(static_cast<std::int64_t>(2 * i + 1));
  reduce_by_scan(p.computation, args, axes, outs);
}

ir::Jaxpr scan_of_reduce_window(const ParamsBase* params, std::span<const Aval> types) {
  const auto& p = ir::params_as<GenericReduceWindowParams>(params);
  const std::string key = "generic_reduce_window" + window_key(p.window);
  return derive(p.computation, type_key(key, types), types, 0,
                [&](std::span<const Array> args, Arrays& outs) { reduce_windows_by_scan(p, args, outs); });
}

void batch_reduce_window(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                         Bdims& out_bdims) {
  GenericReduceWindowParams p = call.params_as<GenericReduceWindowParams>();
  const auto [captures, n] = operands_of(p.computation, call.args.size());
  if (!all_unmapped(bdims.first(captures)) || !all_unmapped(bdims.subspan(captures + n)))
    return batch_program("reduce_window", scan_of_reduce_window(call.params.get(), types_of(call.args, bdims)),
                         call.args, bdims, axis, outs, out_bdims);
  Arrays operands(call.args);
  for (std::size_t k = captures; k < captures + n; ++k) operands[k] = ops::bdim_to(operands[k], bdims[k], 0, axis.size);
  p.window = window_past_front(p.window);
  bind(call.op, ir::make_params(p), operands, outs);
  out_bdims.assign(outs.size(), 0);
}

// ---- rules of both ----

template <class P>
bool has_effects_inside(const ParamsBase* params) {
  return ir::has_effects(ir::params_as<P>(params).computation);
}

template <ir::Jaxpr (*kScan)(const ParamsBase*, std::span<const Aval>)>
void jvp_by_scan(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  jvp_program("reduce", kScan(call.params.get(), types_of(call.args)), call.args, tangents, outs, out_tangents);
}

template <ir::Jaxpr (*kScan)(const ParamsBase*, std::span<const Aval>)>
void linearize_by_scan(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                       Arrays& out_tangents) {
  linearize_program("reduce", kScan(call.params.get(), types_of(call.args)), call.args, tangents, tangent_trace, outs,
                    out_tangents);
}

Arrays operands_in_order(std::span<const Array> captures, std::span<const Array> xs, std::span<const Array> inits) {
  Arrays operands(captures);
  operands.append(xs.begin(), xs.end());
  operands.append(inits.begin(), inits.end());
  return operands;
}

}  // namespace

Arrays lax::generic_reduce(std::span<const Array> xs, std::span<const Array> inits, const ir::Jaxpr& computation,
                           DimSpan axes, std::span<const Array> captures, SourceLocation loc) {
  const LocationScope scope(loc, "generic_reduce");
  Arrays outs;
  bind(OpCode::kGenericReduce, ir::make_params(GenericReduceParams{Dims(axes), computation}),
       operands_in_order(captures, xs, inits), outs);
  return outs;
}

Arrays lax::generic_reduce_window(std::span<const Array> xs, std::span<const Array> inits, const ir::Jaxpr& computation,
                                  const Window& window, std::span<const Array> captures, SourceLocation loc) {
  const LocationScope scope(loc, "generic_reduce_window");
  Arrays outs;
  bind(OpCode::kGenericReduceWindow, ir::make_params(GenericReduceWindowParams{window, computation}),
       operands_in_order(captures, xs, inits), outs);
  return outs;
}

const ir::OpInfo op_infos::generic_reduce{.operands = ir::takes_at_least(2),
                                          .parse = ir::parse_params<GenericReduceParams>,
                                          .infer = infer_reduce,
                                          .eval = eval_reduce,
                                          .storage_types = true,
                                          .has_effects = has_effects_inside<GenericReduceParams>};
const OpRules op_rule_table::generic_reduce{.jvp = jvp_by_scan<scan_of_reduce>,
                                            .transpose = rules::not_linear,
                                            .batch = batch_reduce,
                                            .factors = factors_replicated,
                                            .linearize = linearize_by_scan<scan_of_reduce>};

const ir::OpInfo op_infos::generic_reduce_window{.operands = ir::takes_at_least(2),
                                                 .parse = ir::parse_params<GenericReduceWindowParams>,
                                                 .infer = infer_reduce_window,
                                                 .eval = eval_reduce_window,
                                                 .storage_types = true,
                                                 .has_effects = has_effects_inside<GenericReduceWindowParams>};
const OpRules op_rule_table::generic_reduce_window{.jvp = jvp_by_scan<scan_of_reduce_window>,
                                                   .transpose = rules::not_linear,
                                                   .batch = batch_reduce_window,
                                                   .factors = factors_replicated,
                                                   .linearize = linearize_by_scan<scan_of_reduce_window>};

}  // namespace weft
