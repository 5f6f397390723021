// gather, scatter and sort.
#include <limits>

#include "weft/stablehlo/exporter.h"

namespace weft::stablehlo {

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

void Exporter::generic_scatter(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<GenericScatterParams>(e.params);
  const Values args = operands(jaxpr, e);
  const std::size_t n = p.computation.num_consts();
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  write_scatter(p.dimension_numbers, p.unique_indices, in[n + out.size()].ndim(), to);
  std::vector<Region> regions;
  regions.push_back(region(p.computation, std::span(args).first(n)));
  define(e, emit("stablehlo.scatter", past_captures(args, n), std::span<const Aval>(out), std::move(to.attributes),
                 std::move(regions)));
}

// ---- sort ----

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

void Exporter::generic_sort(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<GenericSortParams>(e.params);
  const Values args = operands(jaxpr, e);
  const std::size_t n = p.comparator.num_consts();
  const ir::Avals out = result_types(jaxpr, e);
  std::vector<Region> regions;
  regions.push_back(region(p.comparator, std::span(args).first(n)));
  define(e, emit("stablehlo.sort", past_captures(args, n), std::span<const Aval>(out),
                 {{"dimension", Attribute::integer(p.dimension)}, {"is_stable", Attribute::boolean(p.is_stable)}},
                 std::move(regions)));
}

}  // namespace weft::stablehlo
