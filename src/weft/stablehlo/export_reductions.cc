// Reductions over axes, windows and processes.
#include <algorithm>

#include "weft/ops/lax.h"
#include "weft/stablehlo/exporter.h"

namespace weft::stablehlo {

// ---- over axes ----

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

void Exporter::generic_reduce(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<GenericReduceParams>(e.params);
  const Values args = operands(jaxpr, e);
  const std::size_t n = p.computation.num_consts();
  const ir::Avals out = result_types(jaxpr, e);
  std::vector<Region> regions;
  regions.push_back(region(p.computation, std::span(args).first(n)));
  define(e, emit("stablehlo.reduce", past_captures(args, n), std::span<const Aval>(out),
                 {{"dimensions", Attribute::dims(p.axes)}}, std::move(regions)));
}

// ---- over windows ----

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

namespace {

std::string_view direction_of(WindowSelect select) {
  switch (select) {
    case WindowSelect::kGe: return "GE";
    case WindowSelect::kLe: return "LE";
    case WindowSelect::kGt: return "GT";
    default: return "LT";
  }
}

// Whether windows see elements only: nothing is between them or beside them.
bool sees_elements_only(const Window& w) {
  const auto all = [](const Dims& list, std::int64_t most) {
    return std::ranges::all_of(list, [&](std::int64_t v) { return v <= most; });
  };
  return all(w.base_dilations, 1) && all(w.padding_low, 0) && all(w.padding_high, 0);
}

}  // namespace

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
    return {emit1("stablehlo.compare", x, scalar(boolean), {direction(direction_of(p.select)), comparison(t)})};
  }));
  regions.push_back(reduction(ReduceKind::kSum, t));
  define(e, emit("stablehlo.select_and_scatter", std::move(args), std::span<const Aval>(out), std::move(to.attributes),
                 std::move(regions)));
}

// A reduce_window over pairs (selecting element, element to give); padding never wins, and is not there where it might:
// of equals the last is selected.
void Exporter::select_and_gather_add(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<WindowSelectParams>(e.params);
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  write_window(p.window, to);
  const bool largest = p.select == WindowSelect::kGe || p.select == WindowSelect::kGt;
  const bool last = p.select == WindowSelect::kGt || p.select == WindowSelect::kLt;
  const Values args = operands(jaxpr, e);
  const DType t = in[0].dtype(), u = in[1].dtype();
  if (last && !sees_elements_only(p.window)) return weft_call(jaxpr, e);
  if (is_complex(t)) return weft_call(jaxpr, e);  // StableHLO does not compare them
  const ValueId worst = neutral(largest ? ReduceKind::kMax : ReduceKind::kMin, t), zero = neutral(ReduceKind::kSum, u);
  const Aval arguments[] = {scalar(t), scalar(u), scalar(t), scalar(u)};
  std::vector<Region> regions;
  regions.push_back(region_of(arguments, [&](const Values& a) -> Values {
    const ValueId keep =
        emit1("stablehlo.compare", {a[0], a[2]}, scalar(boolean), {direction(direction_of(p.select)), comparison(t)});
    return {emit1("stablehlo.select", {keep, a[0], a[2]}, scalar(t)),
            emit1("stablehlo.select", {keep, a[1], a[3]}, scalar(u))};
  }));
  const Aval results[] = {out[0].with_dtype(t), out[0].with_dtype(u)};
  define(e, {emit("stablehlo.reduce_window", {args[0], args[1], worst, zero}, std::span<const Aval>(results),
                  std::move(to.attributes), std::move(regions))[1]});
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
  define(e, emit("stablehlo.reduce_window", past_captures(args, n), std::span<const Aval>(out),
                 std::move(to.attributes), std::move(regions)));
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
  define(e, emit("stablehlo.select_and_scatter", past_captures(args, n + m), std::span<const Aval>(out),
                 std::move(to.attributes), std::move(regions)));
}

// ---- over processes ----

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

}  // namespace weft::stablehlo
