// Operations with regions, tokens, calls or a decomposition, as operations of the tree.
#include <algorithm>
#include <limits>
#include <numeric>

#include "weft/base/error.h"
#include "weft/ir/random.h"
#include "weft/ops/lax.h"
#include "weft/stablehlo/exporter.h"

namespace weft::stablehlo {

Exporter::Handler Exporter::handler(OpCode op) {
  using E = Exporter;
  switch (op) {
    case OpCode::kCall: return &E::call;
    case OpCode::kComposite: return &E::composite;
    case OpCode::kCustomCall: return &E::custom_call;
    case OpCode::kCase: return &E::case_op;
    case OpCode::kWhile: return &E::while_op;
    case OpCode::kReduce: return &E::reduce;
    case OpCode::kArgmax:
    case OpCode::kArgmin: return &E::arg_reduce;
    case OpCode::kCumsum: return &E::cumsum;
    case OpCode::kReduceWindow: return &E::reduce_window;
    case OpCode::kSelectAndScatter: return &E::select_and_scatter;
    case OpCode::kSelectAndGatherAdd: return &E::select_and_gather_add;
    case OpCode::kGather: return &E::gather;
    case OpCode::kScatter: return &E::scatter;
    case OpCode::kSort: return &E::sort;
    case OpCode::kRng: return &E::rng;
    case OpCode::kRngBitGenerator: return &E::rng_bit_generator;
    case OpCode::kGenericReduce: return &E::generic_reduce;
    case OpCode::kGenericReduceWindow: return &E::generic_reduce_window;
    case OpCode::kGenericSort: return &E::generic_sort;
    case OpCode::kGenericScatter: return &E::generic_scatter;
    case OpCode::kGenericSelectAndScatter: return &E::generic_select_and_scatter;
    case OpCode::kAllReduce:
    case OpCode::kCollectiveReduce: return &E::all_reduce;
    case OpCode::kReduceScatter: return &E::reduce_scatter;
    case OpCode::kSend:
    case OpCode::kRecv:
    case OpCode::kInfeed:
    case OpCode::kOutfeed: return &E::transfer;
    case OpCode::kSplit:
    case OpCode::kThreefry2x32: return &E::decomposed;
    case OpCode::kStopGradient: return &E::identity;
    case OpCode::kBesselI0e:
    case OpCode::kIgamma:
    case OpCode::kIgammac:
    case OpCode::kIgammaGradA:
    case OpCode::kRandomGammaGrad:
    case OpCode::kRegularizedIncompleteBeta:
    case OpCode::kRegularizedIncompleteBetaGradA:
    case OpCode::kRegularizedIncompleteBetaGradB: return &E::weft_call;
    default: return nullptr;
  }
}

namespace {

NamedAttribute direction(std::string_view name) {
  return {"comparison_direction", Attribute::other("#stablehlo<comparison_direction " + std::string(name) + ">")};
}

NamedAttribute comparison(DType t, bool total = false) {
  const std::string_view type = total                            ? "TOTALORDER"
                                : is_inexact(t)                  ? "FLOAT"
                                : is_unsigned(t) || t == boolean ? "UNSIGNED"
                                                                 : "SIGNED";
  return {"compare_type", Attribute::other("#stablehlo<comparison_type " + std::string(type) + ">")};
}

Aval scalar(DType t) { return Aval(t, {}); }

}  // namespace

// ---- calls ----

void Exporter::call(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<CallParams>(e.params);
  Values args = operands(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  define(e, emit("func.call", std::move(args), std::span<const Aval>(out),
                 {{"callee", Attribute::symbol(symbol_for(p.jaxpr, p.name))}}));
}

void Exporter::composite(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<CompositeParams>(e.params);
  Values args = operands(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  std::vector<NamedAttribute> attributes{{"name", Attribute::string(p.name)}};
  if (!p.attributes.empty()) attributes.push_back({"composite_attributes", parse_attribute(p.attributes)});
  attributes.push_back({"decomposition", Attribute::symbol(symbol_for(p.decomposition, p.name + ".impl"))});
  if (p.version != 0) attributes.push_back({"version", Attribute::integer(p.version, "i32")});
  define(e, emit("stablehlo.composite", std::move(args), std::span<const Aval>(out), std::move(attributes)));
}

void Exporter::custom_call(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<CustomCallParams>(e.params);
  Values args = operands(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  std::vector<NamedAttribute> attributes{{"call_target_name", Attribute::string(p.call_target_name)}};
  if (p.has_side_effect) attributes.push_back({"has_side_effect", Attribute::boolean(true)});
  if (!p.backend_config.empty()) {
    // A dictionary in the parameters' text is one in the program's.
    Attribute config = Attribute::string(p.backend_config);
    if (p.backend_config.starts_with('{')) {
      try {
        config = parse_attribute(p.backend_config);
      } catch (const ParseError&) {
        // Only text that looks like one.
      }
    }
    attributes.push_back({"backend_config", std::move(config)});
  }
  if (p.api_version != 1) attributes.push_back({"api_version", Attribute::integer(p.api_version, "i32")});
  define(e, emit("stablehlo.custom_call", std::move(args), std::span<const Aval>(out), std::move(attributes)));
}

// @weft.<name>, with the parameters in Weft's own text.
void Exporter::weft_call(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const ir::Avals out = result_types(jaxpr, e);
  Values args = operands(jaxpr, e);
  std::vector<NamedAttribute> attributes{
      {"call_target_name", Attribute::string("weft." + std::string(ir::op_name(e.op)))}};
  if (e.params) {
    std::vector<std::string> pieces;
    ir::VarNames names;
    e.params->print(pieces, 0, names, 0);
    attributes.push_back({"backend_config", Attribute::string(join(pieces, " "))});
  }
  define(e, emit("stablehlo.custom_call", std::move(args), std::span<const Aval>(out), std::move(attributes)));
}

void Exporter::identity(const ir::Jaxpr& jaxpr, const ir::Eqn& e) { define(e, operands(jaxpr, e)); }

void Exporter::decomposed(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const Staged program = decomposition(e.op, e.params.get(), operand_types(jaxpr, e));
  Values inputs;
  for (const Array& a : program.captured) inputs.push_back(constant(a));
  const Values args = operands(jaxpr, e);
  inputs.insert(inputs.end(), args.begin(), args.end());
  define(e, inline_program(program.jaxpr, std::move(inputs)));
}

// ---- control flow ----

void Exporter::case_op(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<CaseParams>(e.params);
  const Values args = operands(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  const bool predicate = jaxpr.aval(jaxpr.operands(e)[0]).dtype() == boolean && p.branches.size() == 2;
  std::vector<Region> regions;
  // All that branches take is in scope where they stand. `if` has the branch for true first.
  for (std::size_t i = 0; i < p.branches.size(); ++i)
    regions.push_back(region(p.branches[predicate ? 1 - i : i], std::span(args).subspan(1)));
  define(e, emit(predicate ? "stablehlo.if" : "stablehlo.case", {args[0]}, std::span<const Aval>(out), {},
                 std::move(regions)));
}

void Exporter::while_op(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<WhileParams>(e.params);
  const Values args = operands(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  const std::size_t nc = p.cond_jaxpr.num_consts(), nb = p.body_jaxpr.num_consts();
  // Both regions start from the same names, as the short form of a loop needs.
  std::vector<Region> regions;
  regions.push_back(region(p.cond_jaxpr, std::span(args).first(nc)));
  regions.push_back(region(p.body_jaxpr, std::span(args).subspan(nc, nb)));
  define(e, emit("stablehlo.while", Values(args.begin() + static_cast<std::ptrdiff_t>(nc + nb), args.end()),
                 std::span<const Aval>(out), {}, std::move(regions)));
}

// ---- reductions ----

ValueId Exporter::neutral(ReduceKind kind, DType t) {
  Array element;
  {
    // A reduction of nothing is the neutral element.
    const CurrentTrace evaluate(nullptr);
    element = lax::reduce(Array::full(Dims{0}, t, Scalar(0)), kind, Dims{0});
  }
  ir::Literal l{element.aval(), {}};
  const detail::HostView view = element.host("print");
  std::copy_n(static_cast<const std::byte*>(view.view.data), byte_size(t), l.value.begin());
  return literal(l);
}

Region Exporter::reduction(ReduceKind kind, DType t) {
  const Aval types[] = {scalar(t), scalar(t)};
  return region_of(types, [&](const Values& x) -> Values {
    return {emit1(std::string(kReduceOps[static_cast<int>(kind)]), x, scalar(t))};
  });
}

void Exporter::reduce(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<ReduceParams>(e.params);
  const ir::Avals out = result_types(jaxpr, e);
  Values args = operands(jaxpr, e);
  args.push_back(neutral(p.kind, out[0].dtype()));
  std::vector<Region> regions;
  regions.push_back(reduction(p.kind, out[0].dtype()));
  define(e, emit("stablehlo.reduce", std::move(args), std::span<const Aval>(out),
                 {{"dimensions", Attribute::dims(p.axes)}}, std::move(regions)));
}

// The positions along the axis beside the elements; the pair with the better element wins, a NaN over all, and among
// equals the first.
void Exporter::arg_reduce(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<ArgReduceParams>(e.params);
  const bool largest = e.op == OpCode::kArgmax;
  const ValueId x = operands(jaxpr, e)[0];
  const Aval type = jaxpr.aval(jaxpr.operands(e)[0]);
  const DType t = type.dtype(), it = p.index_dtype;
  const ValueId positions =
      emit1("stablehlo.iota", {}, type.with_dtype(it), {{"iota_dimension", Attribute::integer(p.axis)}});
  const ValueId worst = neutral(largest ? ReduceKind::kMax : ReduceKind::kMin, t);
  ir::Literal zero{scalar(it), {}};
  const ValueId first = literal(zero);
  const Aval arguments[] = {scalar(t), scalar(it), scalar(t), scalar(it)};
  const Aval flag = scalar(boolean);
  std::vector<Region> regions;
  regions.push_back(region_of(arguments, [&](const Values& a) -> Values {
    ValueId better = emit1("stablehlo.compare", {a[0], a[2]}, flag, {direction(largest ? "GT" : "LT"), comparison(t)});
    if (is_float(t)) {
      const ValueId nan = emit1("stablehlo.compare", {a[0], a[0]}, flag, {direction("NE"), comparison(t)});
      better = emit1("stablehlo.or", {better, nan}, flag);
    }
    const ValueId equal = emit1("stablehlo.compare", {a[0], a[2]}, flag, {direction("EQ"), comparison(t)});
    const ValueId before = emit1("stablehlo.compare", {a[1], a[3]}, flag, {direction("LT"), comparison(it)});
    const ValueId tie = emit1("stablehlo.and", {equal, before}, flag);
    const ValueId keep = emit1("stablehlo.or", {better, tie}, flag);
    return {emit1("stablehlo.select", {better, a[0], a[2]}, scalar(t)),
            emit1("stablehlo.select", {keep, a[1], a[3]}, scalar(it))};
  }));
  const ir::Avals out = result_types(jaxpr, e);
  const Aval results[] = {out[0].with_dtype(t), out[0]};
  define(e, {emit("stablehlo.reduce", {x, positions, worst, first}, std::span<const Aval>(results),
                  {{"dimensions", Attribute::dims(Dims{p.axis})}}, std::move(regions))[1]});
}

// A window over everything before (or after) each element.
void Exporter::cumsum(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<CumsumParams>(e.params);
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  const auto rank = static_cast<std::size_t>(in[0].ndim());
  const std::int64_t n = std::max<std::int64_t>(1, in[0].shape(static_cast<std::size_t>(p.axis)));
  Window w{Dims(rank, 1), Dims(rank, 1), Dims(rank, 1), Dims(rank, 1), Dims(rank, 0), Dims(rank, 0)};
  w.dimensions[static_cast<std::size_t>(p.axis)] = n;
  (p.reverse ? w.padding_high : w.padding_low)[static_cast<std::size_t>(p.axis)] = n - 1;
  AttributeWriter to(in, out);
  write_window(w, to);
  Values args = operands(jaxpr, e);
  args.push_back(neutral(ReduceKind::kSum, out[0].dtype()));
  std::vector<Region> regions;
  regions.push_back(reduction(ReduceKind::kSum, out[0].dtype()));
  define(e, emit("stablehlo.reduce_window", std::move(args), std::span<const Aval>(out), std::move(to.attributes),
                 std::move(regions)));
}

void Exporter::reduce_window(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<ReduceWindowParams>(e.params);
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  write_window(p.window, to);
  Values args = operands(jaxpr, e);
  args.push_back(neutral(p.kind, out[0].dtype()));
  std::vector<Region> regions;
  regions.push_back(reduction(p.kind, out[0].dtype()));
  define(e, emit("stablehlo.reduce_window", std::move(args), std::span<const Aval>(out), std::move(to.attributes),
                 std::move(regions)));
}

void Exporter::select_and_scatter(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<WindowSelectParams>(e.params);
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  const DType t = out[0].dtype();
  // StableHLO's select_and_scatter has no dilation.
  for (const Dims* d : {&p.window.base_dilations, &p.window.window_dilations})
    for (const std::int64_t v : *d)
      if (v != 1) return weft_call(jaxpr, e);
  AttributeWriter to(in, out);
  write_window(p.window, to);
  Values args = operands(jaxpr, e);
  args.push_back(neutral(ReduceKind::kSum, t));
  const Aval pair[] = {scalar(t), scalar(t)};
  std::vector<Region> regions;
  regions.push_back(region_of(pair, [&](const Values& x) -> Values {
    return {emit1("stablehlo.compare", x, scalar(boolean),
                  {direction(p.select == WindowSelect::kGe ? "GE" : "LE"), comparison(t)})};
  }));
  regions.push_back(reduction(ReduceKind::kSum, t));
  define(e, emit("stablehlo.select_and_scatter", std::move(args), std::span<const Aval>(out), std::move(to.attributes),
                 std::move(regions)));
}

// A reduce_window over pairs (selecting element, element to give); padding never wins.
void Exporter::select_and_gather_add(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<WindowSelectParams>(e.params);
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  write_window(p.window, to);
  const bool ge = p.select == WindowSelect::kGe;
  const Values args = operands(jaxpr, e);
  const DType t = in[0].dtype(), u = in[1].dtype();
  if (is_complex(t)) return weft_call(jaxpr, e);  // StableHLO does not compare them
  const ValueId worst = neutral(ge ? ReduceKind::kMax : ReduceKind::kMin, t), zero = neutral(ReduceKind::kSum, u);
  const Aval arguments[] = {scalar(t), scalar(u), scalar(t), scalar(u)};
  std::vector<Region> regions;
  regions.push_back(region_of(arguments, [&](const Values& a) -> Values {
    const ValueId keep =
        emit1("stablehlo.compare", {a[0], a[2]}, scalar(boolean), {direction(ge ? "GE" : "LE"), comparison(t)});
    return {emit1("stablehlo.select", {keep, a[0], a[2]}, scalar(t)),
            emit1("stablehlo.select", {keep, a[1], a[3]}, scalar(u))};
  }));
  const Aval results[] = {out[0].with_dtype(t), out[0].with_dtype(u)};
  define(e, {emit("stablehlo.reduce_window", {args[0], args[1], worst, zero}, std::span<const Aval>(results),
                  std::move(to.attributes), std::move(regions))[1]});
}

// ---- indexing and order ----

void Exporter::gather(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<GatherParams>(e.params);
  if (p.mode != IndexMode::kClip && p.mode != IndexMode::kPromise) return decomposed(jaxpr, e);
  const GatherDimensionNumbers& d = p.dimension_numbers;
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  to.add("dimension_numbers", AttributeWriter::Struct("gather")
                                  .dims("offset_dims", d.offset_dims)
                                  .dims("collapsed_slice_dims", d.collapsed_slice_dims)
                                  .dims("operand_batching_dims", d.operand_batching_dims)
                                  .dims("start_indices_batching_dims", d.start_indices_batching_dims)
                                  .dims("start_index_map", d.start_index_map)
                                  .integer("index_vector_dim", in[1].ndim() - 1)
                                  .done());
  to.dims("slice_sizes", p.slice_sizes);
  to.add("indices_are_sorted", Attribute::boolean(false));
  define(e, emit("stablehlo.gather", operands(jaxpr, e), std::span<const Aval>(out), std::move(to.attributes)));
}

namespace {

void write_scatter(const ScatterDimensionNumbers& d, bool unique, int index_rank, AttributeWriter& to) {
  to.add("scatter_dimension_numbers", AttributeWriter::Struct("scatter")
                                          .dims("update_window_dims", d.update_window_dims)
                                          .dims("inserted_window_dims", d.inserted_window_dims)
                                          .dims("input_batching_dims", d.input_batching_dims)
                                          .dims("scatter_indices_batching_dims", d.scatter_indices_batching_dims)
                                          .dims("scatter_dims_to_operand_dims", d.scatter_dims_to_operand_dims)
                                          .integer("index_vector_dim", index_rank - 1)
                                          .done());
  to.add("indices_are_sorted", Attribute::boolean(false));
  to.add("unique_indices", Attribute::boolean(unique));
}

}  // namespace

void Exporter::scatter(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<ScatterParams>(e.params);
  // StableHLO drops element by element. Windows that are outside as a whole or not at all are the same in other modes.
  const bool drops = p.mode != IndexMode::kClip && p.mode != IndexMode::kPromise;
  const bool single = scatters_single_elements(p.dimension_numbers, operand_types(jaxpr, e)[2]);
  if (p.mode != IndexMode::kPartial && !(drops && single)) return decomposed(jaxpr, e);
  // Operands before regions here and everywhere: literals among them are values of their own, numbered as written.
  Values args = operands(jaxpr, e);
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  write_scatter(p.dimension_numbers, p.unique_indices, in[1].ndim(), to);
  const DType t = out[0].dtype();
  std::vector<Region> regions;
  if (p.kind == ScatterKind::kSet) {
    const Aval pair[] = {scalar(t), scalar(t)};
    regions.push_back(region_of(pair, [](const Values& x) -> Values { return {x[1]}; }));
  } else {
    constexpr ReduceKind kinds[] = {ReduceKind::kSum, ReduceKind::kSum, ReduceKind::kProd, ReduceKind::kMin,
                                    ReduceKind::kMax};
    regions.push_back(reduction(kinds[static_cast<int>(p.kind)], t));
  }
  define(e, emit("stablehlo.scatter", std::move(args), std::span<const Aval>(out), std::move(to.attributes),
                 std::move(regions)));
}

// less = x0 < y0 | (x0 = y0 & (x1 < y1 | ...)); floats with -0 made 0 and every NaN the same one, in total order.
void Exporter::sort(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<SortParams>(e.params);
  Values args = operands(jaxpr, e);
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  ir::Avals arguments;
  for (const Aval a : in) {
    arguments.push_back(scalar(a.dtype()));
    arguments.push_back(scalar(a.dtype()));
  }
  const Aval flag = scalar(boolean);
  std::vector<Region> regions;
  regions.push_back(region_of(arguments, [&](const Values& a) -> Values {
    const auto normalized = [&](ValueId x, DType t) {
      if (!is_float(t)) return x;
      const auto full = [&](double v) {
        ir::Literal l{scalar(t), {}};
        Scalar(v).write(t, l.value.data());
        return literal(l);
      };
      const ValueId zero = full(0), nan = full(std::numeric_limits<double>::quiet_NaN());
      const ValueId is_zero = emit1("stablehlo.compare", {x, zero}, flag, {direction("EQ"), comparison(t)});
      const ValueId unsigned_zero = emit1("stablehlo.select", {is_zero, zero, x}, scalar(t));
      const ValueId is_nan = emit1("stablehlo.compare", {x, x}, flag, {direction("NE"), comparison(t)});
      return emit1("stablehlo.select", {is_nan, nan, unsigned_zero}, scalar(t));
    };
    struct Key {
      ValueId x, y;
      DType t;
      bool total;
    };
    std::vector<Key> keys;
    for (std::size_t k = 0; k < static_cast<std::size_t>(p.num_keys); ++k) {
      const DType t = in[k].dtype();
      if (is_complex(t)) {
        // Real parts, then imaginary parts.
        const Aval part = scalar(real_dtype(t));
        for (const char* name : {"stablehlo.real", "stablehlo.imag"})
          keys.push_back({normalized(emit1(name, {a[2 * k]}, part), part.dtype()),
                          normalized(emit1(name, {a[2 * k + 1]}, part), part.dtype()), part.dtype(), true});
      } else {
        keys.push_back({normalized(a[2 * k], t), normalized(a[2 * k + 1], t), t, is_float(t)});
      }
    }
    std::optional<ValueId> less;
    for (std::size_t k = keys.size(); k-- > 0;) {
      const Key& key = keys[k];
      const ValueId below =
          emit1("stablehlo.compare", {key.x, key.y}, flag, {direction("LT"), comparison(key.t, key.total)});
      if (less) {
        // Of normalised floats equality is that of numbers, but a NaN equals a NaN only in total order.
        const ValueId equal =
            emit1("stablehlo.compare", {key.x, key.y}, flag, {direction("EQ"), comparison(key.t, key.total)});
        const ValueId tie = emit1("stablehlo.and", {equal, *less}, flag);
        less = emit1("stablehlo.or", {below, tie}, flag);
      } else {
        less = below;
      }
    }
    return {*less};
  }));
  define(e, emit("stablehlo.sort", std::move(args), std::span<const Aval>(out),
                 {{"dimension", Attribute::integer(p.dimension)}, {"is_stable", Attribute::boolean(true)}},
                 std::move(regions)));
}

void Exporter::rng(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<RngParams>(e.params);
  // Bounds that differ by example are Weft's own.
  if (jaxpr.aval(jaxpr.operands(e)[0]).ndim() > 0 || jaxpr.aval(jaxpr.operands(e)[1]).ndim() > 0)
    return weft_call(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  Values args = operands(jaxpr, e);
  args.push_back(constant(Array(std::vector<std::int64_t>(p.shape.begin(), p.shape.end()))));
  define(e, emit("stablehlo.rng", std::move(args), std::span<const Aval>(out),
                 {{"rng_distribution",
                   Attribute::other("#stablehlo<rng_distribution " +
                                    std::string(kRngDistributionNames[static_cast<int>(p.rng_distribution)]) + ">")}}));
}

void Exporter::rng_bit_generator(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  // One state per example is Weft's own.
  if (jaxpr.aval(jaxpr.operands(e)[0]).ndim() != 1) return weft_call(jaxpr, e);
  row(jaxpr, e);
}

// ---- operations with programs: captures are in scope, so they are no operands ----

namespace {

template <class T>
std::vector<T> from(const std::vector<T>& v, std::size_t begin) {
  return std::vector<T>(v.begin() + static_cast<std::ptrdiff_t>(begin), v.end());
}

}  // namespace

void Exporter::generic_reduce(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<GenericReduceParams>(e.params);
  const Values args = operands(jaxpr, e);
  const std::size_t n = p.computation.num_consts();
  const ir::Avals out = result_types(jaxpr, e);
  std::vector<Region> regions;
  regions.push_back(region(p.computation, std::span(args).first(n)));
  define(e, emit("stablehlo.reduce", from(args, n), std::span<const Aval>(out),
                 {{"dimensions", Attribute::dims(p.axes)}}, std::move(regions)));
}

void Exporter::generic_reduce_window(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<GenericReduceWindowParams>(e.params);
  const Values args = operands(jaxpr, e);
  const std::size_t n = p.computation.num_consts();
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  write_window(p.window, to);
  std::vector<Region> regions;
  regions.push_back(region(p.computation, std::span(args).first(n)));
  define(e, emit("stablehlo.reduce_window", from(args, n), std::span<const Aval>(out), std::move(to.attributes),
                 std::move(regions)));
}

void Exporter::generic_sort(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<GenericSortParams>(e.params);
  const Values args = operands(jaxpr, e);
  const std::size_t n = p.comparator.num_consts();
  const ir::Avals out = result_types(jaxpr, e);
  std::vector<Region> regions;
  regions.push_back(region(p.comparator, std::span(args).first(n)));
  define(e, emit("stablehlo.sort", from(args, n), std::span<const Aval>(out),
                 {{"dimension", Attribute::integer(p.dimension)}, {"is_stable", Attribute::boolean(p.is_stable)}},
                 std::move(regions)));
}

void Exporter::generic_scatter(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<GenericScatterParams>(e.params);
  const Values args = operands(jaxpr, e);
  const std::size_t n = p.computation.num_consts();
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  write_scatter(p.dimension_numbers, p.unique_indices, in[n + out.size()].ndim(), to);
  std::vector<Region> regions;
  regions.push_back(region(p.computation, std::span(args).first(n)));
  define(e, emit("stablehlo.scatter", from(args, n), std::span<const Aval>(out), std::move(to.attributes),
                 std::move(regions)));
}

void Exporter::generic_select_and_scatter(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<GenericSelectAndScatterParams>(e.params);
  const Values args = operands(jaxpr, e);
  const std::size_t n = p.select.num_consts(), m = p.scatter.num_consts();
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  write_window(p.window, to);
  std::vector<Region> regions;
  regions.push_back(region(p.select, std::span(args).first(n)));
  regions.push_back(region(p.scatter, std::span(args).subspan(n, m)));
  define(e, emit("stablehlo.select_and_scatter", from(args, n + m), std::span<const Aval>(out),
                 std::move(to.attributes), std::move(regions)));
}

// ---- between processes ----

Region Exporter::reduction_or(const std::optional<ir::Jaxpr>& computation, ReduceKind kind, DType t, Values& operands) {
  if (!computation) return reduction(kind, t);
  const std::size_t n = computation->num_consts();
  Region r = region(*computation, std::span(operands).first(n));
  operands.erase(operands.begin(), operands.begin() + static_cast<std::ptrdiff_t>(n));
  return r;
}

void Exporter::all_reduce(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<AllReduceParams>(e.params);
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  write_groups(p.groups, to, true);
  Values args = operands(jaxpr, e);
  std::vector<Region> regions;
  regions.push_back(reduction_or(p.computation, p.kind, out[0].dtype(), args));
  define(e, emit(e.op == OpCode::kAllReduce ? "stablehlo.all_reduce" : "stablehlo.collective_reduce", std::move(args),
                 std::span<const Aval>(out), std::move(to.attributes), std::move(regions)));
}

void Exporter::reduce_scatter(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<ReduceScatterParams>(e.params);
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  to.integer("scatter_dimension", p.scatter_dimension);
  write_groups(p.groups, to, true);
  Values args = operands(jaxpr, e);
  std::vector<Region> regions;
  regions.push_back(reduction_or(p.computation, p.kind, out[0].dtype(), args));
  define(e, emit("stablehlo.reduce_scatter", std::move(args), std::span<const Aval>(out), std::move(to.attributes),
                 std::move(regions)));
}

ValueId Exporter::token() {
  if (!token_) {
    const TypeRef type = token_type();
    token_ = emit("stablehlo.after_all", {}, std::span<const TypeRef>(&type, 1))[0];
  }
  return *token_;
}

// The token of one transfer is the operand of the next: their order in the program.
void Exporter::transfer(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  Values args = operands(jaxpr, e);
  args.push_back(token());
  const char* name = nullptr;
  if (e.op == OpCode::kSend || e.op == OpCode::kRecv) {
    const auto& p = ir::params_as<TransferParams>(e.params);
    name = e.op == OpCode::kSend ? "stablehlo.send" : "stablehlo.recv";
    write_channel(p.channel_id, p.channel_type, to);
    to.add("is_host_transfer", Attribute::boolean(p.is_host_transfer));
    if (!p.source_target_pairs.empty()) to.add("source_target_pairs", dense_matrix(p.source_target_pairs, 2));
  } else {
    const auto& p = ir::params_as<FeedParams>(e.params);
    name = e.op == OpCode::kInfeed ? "stablehlo.infeed" : "stablehlo.outfeed";
    if (!p.config.empty())
      to.add(e.op == OpCode::kInfeed ? "infeed_config" : "outfeed_config", Attribute::string(p.config));
  }
  std::vector<TypeRef> types;
  for (const Aval a : out) types.push_back(type_of(a));
  types.push_back(token_type());
  Values results = emit(name, std::move(args), std::span<const TypeRef>(types), std::move(to.attributes));
  token_ = results.back();
  results.pop_back();
  define(e, results);
}

}  // namespace weft::stablehlo
