// generic_scatter and generic_select_and_scatter: values combined into an array, one after the other, by a computation
// on scalars. Their derivatives are those of a scan over the values in the same order, or, where no two meet, of one
// step in which the computation runs for all of them.
#include "weft/control/computations.h"
#include "weft/control/programs.h"
#include "weft/control/rules.h"
#include "weft/ops/gather_scatter.h"

namespace weft {

using namespace control;

namespace {

// ---- generic_scatter ----

// captures..., xs..., indices, updates...
RegionOperands operands_of(const ir::Jaxpr& computation, std::span<const Aval> in) {
  const std::size_t captures = num_captures("generic_scatter", "the computation", computation, in);
  const std::size_t rest = in.size() - captures;
  if (rest < 3 || rest % 2 != 1)
    throw ShapeError("generic_scatter: operands must be arrays, indices and as many updates; got " +
                     std::to_string(rest) + " operands.");
  return {captures, rest / 2};
}

void infer_scatter(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<GenericScatterParams>(params);
  const auto [captures, n] = operands_of(p.computation, in);
  const std::span<const Aval> xs = in.subspan(captures, n), updates = in.subspan(captures + n + 1);
  check_same_shape("generic_scatter", "arrays", xs);
  check_same_shape("generic_scatter", "updates", updates);
  const std::vector<DType> dtypes = check_computation("generic_scatter", p.computation, in.first(captures), xs);
  // The dimension numbers mean what they mean in scatter.
  const ir::Params plain =
      ir::make_params(ScatterParams{ScatterKind::kSet, p.dimension_numbers, IndexMode::kFillOrDrop, p.unique_indices});
  for (std::size_t k = 0; k < n; ++k) {
    Avals unused;
    ir::infer(OpCode::kScatter, plain.get(), Avals{xs[k], in[captures + n], updates[k]}, unused);
    out.push_back(xs[k].with_dtype(dtypes[k]));
  }
}

void eval_scatter(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<GenericScatterParams>(params);
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  const std::size_t captures = p.computation.num_consts(), n = out.size();
  const TensorView &x = in[captures], &indices = in[captures + n], &update = in[captures + n + 1];
  const ir::BorrowedInterpreter program(p.computation);
  for (std::size_t i = 0; i < captures; ++i) program->set_input(i, in[i].data);
  std::vector<InDType> updates;
  std::vector<std::int64_t> sizes;
  for (std::size_t k = 0; k < n; ++k) {
    updates.emplace_back(in[captures + n + 1 + k], out[k].dtype());
    sizes.push_back(byte_size(out[k].dtype()));
    const InDType from(in[captures + k], out[k].dtype());
    if (out[k].size() > 0) std::memcpy(out[k].data, from.at(0), static_cast<std::size_t>(out[k].aval.bytes()));
  }
  const ops::WindowMap map{Dims(x.shape()),
                           Dims(indices.shape()),
                           ops::axes_without(update.ndim(), d.update_window_dims),
                           d.update_window_dims,
                           ops::axes_without(x.ndim(), d.inserted_window_dims, d.input_batching_dims),
                           d.scatter_dims_to_operand_dims,
                           d.input_batching_dims,
                           d.scatter_indices_batching_dims,
                           ops::scatter_window(d, x.ndim(), update.shape())};
  map.each_run(update.shape(), ops::read_indices(indices), IndexMode::kPartial,
               [&](std::int64_t i, std::int64_t j, std::int64_t count, std::int64_t step) {
                 for (std::int64_t c = 0; j >= 0 && c < count; ++c) {
                   for (std::size_t k = 0; k < n; ++k) {
                     program->set_input(captures + k, static_cast<std::byte*>(out[k].data) + (j + c * step) * sizes[k]);
                     program->set_input(captures + n + k, updates[k].at(i + c));
                   }
                   program->run();
                   for (std::size_t k = 0; k < n; ++k)
                     ops::copy_element(program->output(k), 0, out[k].data, j + c * step, sizes[k]);
                 }
               });
}

void batch_scatter(const Call& call, std::span<const int> bdims, const MappedAxis& mapped_axis, Arrays& outs,
                   Bdims& out_bdims) {
  GenericScatterParams p = call.params_as<GenericScatterParams>();
  ScatterDimensionNumbers& d = p.dimension_numbers;
  const std::size_t captures = p.computation.num_consts(), n = (call.args.size() - captures) / 2;
  if (!all_unmapped(bdims.first(captures))) return batch_by_loop(call, bdims, mapped_axis, outs, out_bdims);
  Arrays operands(call.args);
  for (std::size_t k = captures; k < operands.size(); ++k)
    if (k != captures + n) operands[k] = ops::bdim_to(operands[k], bdims[k], 0, mapped_axis.size);
  for (Dims* dims :
       {&d.update_window_dims, &d.inserted_window_dims, &d.input_batching_dims, &d.scatter_dims_to_operand_dims})
    for (std::int64_t& v : *dims) ++v;
  if (bdims[captures + n] == kUnmapped) {
    // The same places in every example: the mapped axis is one more axis of the window.
    d.update_window_dims.insert(d.update_window_dims.begin(), 0);
  } else {
    Array& indices = operands[captures + n];
    indices = ops::bdim_to(indices, bdims[captures + n], 0, mapped_axis.size);
    for (std::int64_t& v : d.scatter_indices_batching_dims) ++v;
    d.input_batching_dims.insert(d.input_batching_dims.begin(), 0);
    d.scatter_indices_batching_dims.insert(d.scatter_indices_batching_dims.begin(), 0);
  }
  bind(call.op, ir::make_params(p), operands, outs);
  out_bdims.assign(outs.size(), 0);
}

Array flat(const Array& x) { return lax::reshape(x, Dims{x.size()}); }
// The numbers of the elements of an array of this shape, in row-major order.
Array numbers(DimSpan shape) {
  return lax::reshape(lax::iota(ops::position_dtype(product(shape) + 1), Dims{product(shape)}, 0), shape);
}

void scatter_in_order(const GenericScatterParams& p, std::span<const Array> operands, Arrays& outs) {
  const std::size_t captures = p.computation.num_consts(), n = (operands.size() - captures) / 2;
  const Avals types = p.computation.output_avals();
  const Array &x = operands[captures], &indices = operands[captures + n];
  const DimSpan updates_shape = operands[captures + n + 1].shape();
  // Reading outside gives zero.
  const Array positions =
      flat(lax::subtract(ops::gather_updates(lax::add(numbers(x.shape()), 1), indices, p.dimension_numbers,
                                             updates_shape, IndexMode::kPartial),
                         1));
  Arrays xs, updates;
  for (std::size_t k = 0; k < n; ++k) {
    xs.push_back(lax::convert(flat(operands[captures + k]), types[k].dtype()));
    updates.push_back(lax::convert(flat(operands[captures + n + 1 + k]), types[k].dtype()));
  }
  for (const Array& r :
       update_in_order(p.computation, operands.first(captures), xs, positions, updates, p.unique_indices))
    outs.push_back(lax::reshape(r, x.shape()));
}

ir::Jaxpr program_of_scatter(const ParamsBase* params, std::span<const Aval> types) {
  const auto& p = ir::params_as<GenericScatterParams>(params);
  std::string key = std::string("generic_scatter") + (p.unique_indices ? " unique" : "");
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  for (const Dims* list : {&d.update_window_dims, &d.inserted_window_dims, &d.input_batching_dims,
                           &d.scatter_indices_batching_dims, &d.scatter_dims_to_operand_dims})
    key += shape_str(*list);
  return derive(p.computation, type_key(key, types), types, 0,
                [&](std::span<const Array> args, Arrays& outs) { scatter_in_order(p, args, outs); });
}

bool has_effects_scatter(const ParamsBase* params) {
  return ir::has_effects(ir::params_as<GenericScatterParams>(params).computation);
}

// ---- generic_select_and_scatter ----

// captures of select..., captures of scatter..., operand, source, init
struct SelectOperands {
  std::size_t select, scatter;  // captures
  std::size_t first() const { return select + scatter; }
};

void infer_select_and_scatter(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const char* const op = "generic_select_and_scatter";
  const auto& p = ir::params_as<GenericSelectAndScatterParams>(params);
  SelectOperands at{};
  at.select = num_captures(op, "the selection", p.select, in);
  at.scatter = num_captures(op, "the computation", p.scatter, in.subspan(at.select));
  const std::span<const Aval> rest = in.subspan(at.first());
  if (rest.size() != 3)
    throw ShapeError(std::string(op) + ": there must be an array, a source and an initial value; got " +
                     std::to_string(rest.size()) + " operands.");
  const Aval x = rest[0], source = rest[1], init = rest[2];
  if (source.dtype() != x.dtype() || init.dtype() != x.dtype())
    throw DTypeError(std::string(op) + ": array, source and initial value must have equal dtypes; got " + x.str() +
                     ", " + source.str() + " and " + init.str() + ".");
  if (init.ndim() != 0) throw ShapeError(std::string(op) + ": the initial value must be 0-d; got " + init.str() + ".");
  const Dims places = window_places(op, p.window, x);
  if (!same_dims(source.shape(), places))
    throw ShapeError(std::string(op) + ": the source must have one element per window, " + shape_str(places) +
                     "; got " + source.str() + ".");
  Avals types(in.first(at.select));
  for (int side = 0; side < 2; ++side) types.push_back(scalar_of(x.dtype()));
  check_inputs(op, "the selection", p.select, types);
  check_outputs(op, "the selection", p.select, Avals{scalar_of(boolean)});
  const std::vector<DType> dtypes = check_computation(op, p.scatter, in.subspan(at.select, at.scatter), rest.first(1));
  out.push_back(x.with_dtype(dtypes[0]));
}

void eval_select_and_scatter(const ParamsBase* params, std::span<const TensorView> in,
                             std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<GenericSelectAndScatterParams>(params);
  const SelectOperands at{p.select.num_consts(), p.scatter.num_consts()};
  const TensorView& x = in[at.first()];
  const DType t = out[0].dtype();
  const InDType source(in[at.first() + 1], t), init(in[at.first() + 2], t);
  const ir::BorrowedInterpreter select(p.select), scatter(p.scatter);
  for (std::size_t i = 0; i < at.select; ++i) select->set_input(i, in[i].data);
  for (std::size_t i = 0; i < at.scatter; ++i) scatter->set_input(i, in[at.select + i].data);
  const std::int64_t from_size = byte_size(x.dtype()), size = byte_size(t);
  const auto* from = static_cast<const std::byte*>(x.data);
  auto* to = static_cast<std::byte*>(out[0].data);
  for (std::int64_t i = 0; i < out[0].size(); ++i) ops::copy_element(init.at(0), 0, to, i, size);
  std::int64_t window = 0;
  ops::for_each_index(in[at.first() + 1].shape(), [&](const Dims& o) {
    std::int64_t selected = -1;
    ops::for_each_index(p.window.dimensions, [&](const Dims& w) {
      const std::int64_t i = window_position(p.window, x.shape(), o, w);
      if (i < 0) return;
      if (selected >= 0) {
        select->set_input(at.select, from + selected * from_size);
        select->set_input(at.select + 1, from + i * from_size);
        select->run();
        if (*static_cast<const bool*>(select->output(0))) return;
      }
      selected = i;
    });
    const std::int64_t s = window++;
    if (selected < 0) return;
    scatter->set_input(at.scatter, to + selected * size);
    scatter->set_input(at.scatter + 1, source.at(s));
    scatter->run();
    ops::copy_element(scatter->output(0), 0, to, selected, size);
  });
}

void batch_select_and_scatter(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                              Bdims& out_bdims) {
  GenericSelectAndScatterParams p = call.params_as<GenericSelectAndScatterParams>();
  const std::size_t first = p.select.num_consts() + p.scatter.num_consts();
  if (!all_unmapped(bdims.first(first)) || bdims[first + 2] != kUnmapped)
    return batch_by_loop(call, bdims, axis, outs, out_bdims);
  Arrays operands(call.args);
  for (std::size_t k = first; k < first + 2; ++k) operands[k] = ops::bdim_to(operands[k], bdims[k], 0, axis.size);
  p.window = window_past_front(p.window);
  bind(call.op, ir::make_params(p), operands, outs);
  out_bdims.assign(outs.size(), 0);
}

// Which element each window selects, by number; -1 for one that sees none.
Array selected(const GenericSelectAndScatterParams& p, std::span<const Array> captures, const Array& x) {
  const Array at = numbers(x.shape());
  Avals types(std::span<const Aval>(p.select.input_avals()).first(captures.size()));
  for (int side = 0; side < 2; ++side) {
    types.push_back(scalar_of(x.dtype()));
    types.push_back(scalar_of(at.dtype()));
  }
  const ir::Jaxpr choose =
      derive(p.select, type_key("choose", types), types, captures.size(), [&](std::span<const Array> in, Arrays& outs) {
        const std::span<const Array> values = in.subspan(captures.size());
        const Array &current = values[0], &place = values[1], &candidate = values[2], &its_place = values[3];
        Arrays args(in.first(captures.size())), keep;
        args.push_back(current);
        args.push_back(candidate);
        eval_jaxpr(p.select, args, keep);
        const Array stays = lax::and_(lax::ge(place, 0), lax::or_(lax::lt(its_place, 0), keep[0]));
        outs.push_back(lax::select(stays, current, candidate));
        outs.push_back(lax::select(stays, place, its_place));
      });
  const Array nothing = lax::full({}, Scalar(std::int64_t{-1}), at.dtype());
  return lax::generic_reduce_window(Arrays{x, at}, Arrays{zeros_of(scalar_of(x.dtype())), nothing}, choose, p.window,
                                    captures)[1];
}

// Whether no element is in two windows.
bool windows_are_apart(const Window& w) {
  for (std::size_t i = 0; i < w.dimensions.size(); ++i)
    if ((w.dimensions[i] - 1) * w.window_dilations[i] >= w.strides[i]) return false;
  return true;
}

void select_and_scatter_in_order(const GenericSelectAndScatterParams& p, std::span<const Array> operands,
                                 Arrays& outs) {
  const SelectOperands at{p.select.num_consts(), p.scatter.num_consts()};
  const Array &x = operands[at.first()], &source = operands[at.first() + 1], &init = operands[at.first() + 2];
  const DType t = p.scatter.output_avals()[0].dtype();
  const Array positions = flat(selected(p, operands.first(at.select), x));
  const Arrays start{lax::broadcast_in_dim(lax::convert(init, t), Dims{x.size()}, Dims{})};
  const Arrays r = update_in_order(p.scatter, operands.subspan(at.select, at.scatter), start, positions,
                                   Arrays{lax::convert(flat(source), t)}, windows_are_apart(p.window));
  outs.push_back(lax::reshape(r[0], x.shape()));
}

// Not kept: it is of two programs, and belongs to neither.
ir::Jaxpr program_of_select_and_scatter(const ParamsBase* params, std::span<const Aval> types) {
  const auto& p = ir::params_as<GenericSelectAndScatterParams>(params);
  return stage([&](std::span<const Array> args, Arrays& outs) { select_and_scatter_in_order(p, args, outs); }, types,
               "select_and_scatter")
      .jaxpr;
}

// ---- rules of both ----

template <ir::Jaxpr (*kProgram)(const ParamsBase*, std::span<const Aval>)>
void jvp_in_order(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  jvp_program("scatter", kProgram(call.params.get(), avals_of(call.args)), call.args, tangents, outs, out_tangents);
}

template <ir::Jaxpr (*kProgram)(const ParamsBase*, std::span<const Aval>)>
void linearize_in_order(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                        Arrays& out_tangents) {
  linearize_program("scatter", kProgram(call.params.get(), avals_of(call.args)), call.args, tangents, tangent_trace,
                    outs, out_tangents);
}

bool has_effects_select_and_scatter(const ParamsBase* params) {
  const auto& p = ir::params_as<GenericSelectAndScatterParams>(params);
  return ir::has_effects(p.select) || ir::has_effects(p.scatter);
}

}  // namespace

Arrays lax::generic_scatter(std::span<const Array> xs, const Array& indices, std::span<const Array> updates,
                            const ir::Jaxpr& computation, const ScatterDimensionNumbers& dims, bool unique_indices,
                            std::span<const Array> captures, SourceLocation loc) {
  const LocationScope scope(loc, "generic_scatter");
  Arrays operands(captures), outs;
  operands.append(xs.begin(), xs.end());
  operands.push_back(indices);
  operands.append(updates.begin(), updates.end());
  bind(OpCode::kGenericScatter, ir::make_params(GenericScatterParams{dims, unique_indices, computation}), operands,
       outs);
  return outs;
}

Array lax::generic_select_and_scatter(const Array& x, const Array& source, const Array& init, const ir::Jaxpr& select,
                                      const ir::Jaxpr& scatter, const Window& window, std::span<const Array> captures,
                                      SourceLocation loc) {
  const LocationScope scope(loc, "generic_select_and_scatter");
  Arrays operands(captures);
  for (const Array* a : {&x, &source, &init}) operands.push_back(*a);
  return bind1(OpCode::kGenericSelectAndScatter,
               ir::make_params(GenericSelectAndScatterParams{window, select, scatter}), operands);
}

const ir::OpInfo op_infos::generic_scatter{.operands = ir::takes_at_least(3),
                                           .parse = ir::parse_params<GenericScatterParams>,
                                           .infer = infer_scatter,
                                           .eval = eval_scatter,
                                           .storage_types = true,
                                           .has_effects = has_effects_scatter};
const OpRules op_rule_table::generic_scatter{.jvp = jvp_in_order<program_of_scatter>,
                                             .transpose = rules::not_linear,
                                             .batch = batch_scatter,
                                             .factors = factors_replicated,
                                             .linearize = linearize_in_order<program_of_scatter>};

const ir::OpInfo op_infos::generic_select_and_scatter{.operands = ir::takes_at_least(3),
                                                      .parse = ir::parse_params<GenericSelectAndScatterParams>,
                                                      .infer = infer_select_and_scatter,
                                                      .eval = eval_select_and_scatter,
                                                      .storage_types = true,
                                                      .has_effects = has_effects_select_and_scatter};
const OpRules op_rule_table::generic_select_and_scatter{.jvp = jvp_in_order<program_of_select_and_scatter>,
                                                        .transpose = rules::not_linear,
                                                        .batch = batch_select_and_scatter,
                                                        .factors = factors_replicated,
                                                        .linearize = linearize_in_order<program_of_select_and_scatter>};

}  // namespace weft
