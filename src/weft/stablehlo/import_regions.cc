// Operations that carry a computation. A computation that Weft has a name for (a sum, a maximum, ...) becomes the
// operation of that kind, which has fast code and derivatives; any other a generic operation with a program.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <unordered_map>

#include "weft/core/rules.h"
#include "weft/stablehlo/importer.h"
#include "weft/transforms/vmap.h"

namespace weft::stablehlo {

namespace {

// The only operation of a body that returns its only result.
const Op* only_op(const Region& region) {
  if (region.blocks.size() != 1) return nullptr;
  const Block& b = region.body();
  if (b.ops.size() != 2 || !b.ops[1].name.ends_with(".return") || b.ops[0].results.size() != 1 ||
      b.ops[1].operands.size() != 1 || b.ops[1].operands[0] != b.ops[0].results[0])
    return nullptr;
  return &b.ops[0];
}

// Whether `op` is of these two values, in this order or, when that does not matter, the other.
bool applies_to(const Op& op, ValueId x, ValueId y, bool commutes) {
  if (op.operands.size() != 2) return false;
  return (op.operands[0] == x && op.operands[1] == y) || (commutes && op.operands[0] == y && op.operands[1] == x);
}

std::optional<ReduceKind> reduction_named(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kReduceOps); ++i)
    if (name == kReduceOps[i]) return static_cast<ReduceKind>(i);
  return std::nullopt;
}

// The order in which the body of a select_and_scatter selects; nullopt for any other than that of WindowSelect.
std::optional<WindowSelect> selection_of(const Module& module, const Region& region) {
  const Op* op = only_op(region);
  if (!op || op->name != "stablehlo.compare" || region.body().arguments.size() != 2) return std::nullopt;
  const Comparison c = read_comparison(AttributeReader(module, *op, {}, {}));
  if (c.total_order || c.weak_order) return std::nullopt;
  const auto& a = region.body().arguments;
  const bool turned = applies_to(*op, a[1], a[0], false);
  if (!turned && !applies_to(*op, a[0], a[1], false)) return std::nullopt;
  // chosen >= later is later <= chosen.
  switch (c.direction) {
    case ComparisonDirection::kGe: return turned ? WindowSelect::kLe : WindowSelect::kGe;
    case ComparisonDirection::kLe: return turned ? WindowSelect::kGe : WindowSelect::kLe;
    case ComparisonDirection::kGt: return turned ? WindowSelect::kLt : WindowSelect::kGt;
    case ComparisonDirection::kLt: return turned ? WindowSelect::kGt : WindowSelect::kLt;
    default: return std::nullopt;
  }
}

// What the body of a scatter does to one of its arrays, apart from the others.
struct Update {
  ScatterKind kind;
  bool negated = false;  // a difference is the sum with the negated update, to the last bit
  bool ignored = false;  // the array stays as it is
};

std::optional<ScatterKind> scatter_kind(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::kSum: return ScatterKind::kAdd;
    case ReduceKind::kProd: return ScatterKind::kMul;
    case ReduceKind::kMax: return ScatterKind::kMax;
    case ReduceKind::kMin: return ScatterKind::kMin;
    default: return std::nullopt;
  }
}

// The updates of each array; nullopt for a body that does anything else.
std::optional<std::vector<Update>> updates_of(const Region& region) {
  if (region.blocks.size() != 1) return std::nullopt;
  const Block& body = region.body();
  const std::size_t n = body.arguments.size() / 2;
  if (body.ops.empty() || !body.ops.back().name.ends_with(".return") || body.ops.back().operands.size() != n)
    return std::nullopt;
  // Each operation makes one result, so none does anything else.
  std::unordered_map<ValueId, const Op*> made;
  for (const Op& op : std::span(body.ops).first(body.ops.size() - 1))
    if (op.results.size() == 1 && op.regions.empty()) made.emplace(op.results[0], &op);
  std::vector<Update> updates;
  std::size_t used = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const ValueId result = body.ops.back().operands[i], current = body.arguments[i], update = body.arguments[n + i];
    if (result == current) {
      updates.push_back({.kind = ScatterKind::kSet, .ignored = true});
    } else if (result == update) {
      updates.push_back({.kind = ScatterKind::kSet});
    } else {
      const auto op = made.find(result);
      if (op == made.end() || !applies_to(*op->second, current, update, op->second->name != "stablehlo.subtract"))
        return std::nullopt;
      const std::optional<ReduceKind> reduction = reduction_named(op->second->name);
      const std::optional<ScatterKind> kind = reduction ? scatter_kind(*reduction) : std::nullopt;
      if (kind)
        updates.push_back({.kind = *kind});
      else if (op->second->name == "stablehlo.subtract")
        updates.push_back({.kind = ScatterKind::kAdd, .negated = true});
      else
        return std::nullopt;
      ++used;
    }
  }
  return used == body.ops.size() - 1 ? std::optional(updates) : std::nullopt;
}

// Whether elements of the body have the array's type: a body may also compute in a wider one.
bool same_dtype(std::span<const Array> xs, std::span<const Aval> arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (xs.empty() || arguments[i].dtype() != xs[i % xs.size()].dtype()) return false;
  return true;
}

Arrays converted(std::span<const Array> xs, std::span<const Aval> types) {
  Arrays out;
  for (std::size_t i = 0; i < xs.size(); ++i)
    out.push_back(xs[i].dtype() == types[i].dtype() ? xs[i] : lax::convert(xs[i], types[i].dtype()));
  return out;
}

Arrays joined(std::span<const Array> a, std::span<const Array> b, std::span<const Array> c = {}) {
  Arrays out(a);
  out.append(b.begin(), b.end());
  out.append(c.begin(), c.end());
  return out;
}

Array combined(ReduceKind kind, const Array& x, const Array& y) {
  switch (kind) {
    case ReduceKind::kSum: return lax::add(x, y);
    case ReduceKind::kProd: return lax::multiply(x, y);
    case ReduceKind::kMax: return lax::maximum(x, y);
    case ReduceKind::kMin: return lax::minimum(x, y);
    case ReduceKind::kAnd: return lax::and_(x, y);
    case ReduceKind::kOr: return lax::or_(x, y);
    default: return lax::xor_(x, y);
  }
}

}  // namespace

std::optional<ReduceKind> reduction_of(const Region& region) {
  const Op* op = only_op(region);
  if (!op || !op->regions.empty() || region.body().arguments.size() != 2) return std::nullopt;
  const auto& a = region.body().arguments;
  return applies_to(*op, a[0], a[1], true) ? reduction_named(op->name) : std::nullopt;
}

namespace {

bool is_negative_zero(const Array& v) {
  return is_float(v.dtype()) && !is_storage(v.dtype()) && v.item<double>() == 0 && std::signbit(v.item<double>());
}

// A sum that starts from -0, by one that starts from +0: they differ where there is nothing to add but -0, which then
// is the result. Both ways to compute that have the derivatives of the sum.
template <class F>
Array sum_from_negative_zero(const Array& x, F&& sum) {
  const auto fill = [&](double v) { return Array::full(x.shape(), x.dtype(), Scalar(v)); };
  const Array negative_zero = lax::and_(lax::eq(x, fill(0)), lax::lt(lax::divide(fill(1), x), fill(0)));
  const Array others = sum(lax::select(negative_zero, fill(0), fill(1)));
  return lax::select(lax::eq(others, zeros_of(others.aval())), lax::negate(sum(lax::negate(x))), sum(x));
}

}  // namespace

// An empty reduction gives the neutral element.
bool Importer::is_neutral(ReduceKind kind, const Array& init) const {
  const CurrentTrace evaluate(nullptr);
  const Array empty = Array::full(Dims{0}, init.dtype(), Scalar(0));
  const Array neutral = lax::reduce(empty, kind, Dims{0});
  const detail::HostView a = neutral.host("import"), b = init.host("import");
  return std::memcmp(a.view.data, b.view.data, static_cast<std::size_t>(byte_size(init.dtype()))) == 0;
}

Importer::Reduction Importer::read_reduction(const Op& op, Operands operands) {
  need_regions(op, 1);
  if (operands.empty() || operands.size() % 2 != 0)
    fail(op, "there must be one initial value per array; got " +
                 count_str(static_cast<std::int64_t>(operands.size()), "operand", "operands") + ".");
  const std::size_t n = operands.size() / 2;
  const ir::Avals body = computation_arguments(op, op.regions[0], 2 * n);
  const Arrays all = tensors(op, operands);
  Reduction r{converted(std::span(all).first(n), body), converted(std::span(all).subspan(n), body), {}, false, false};
  if (n > 1 || r.inits[0].ndim() != 0) return r;
  r.kind = reduction_of(op.regions[0]);
  const std::optional<Array> init = body[0].dtype() == all[1].dtype() ? known(op.operands[1]) : std::nullopt;
  r.neutral = r.kind && init && is_neutral(*r.kind, *init);
  r.negative_zero = r.kind == ReduceKind::kSum && init && is_negative_zero(*init);
  return r;
}

void Importer::reduce(const Op& op, Operands operands, Results& results) {
  const Dims axes = reader(op).dims("dimensions");
  const Reduction r = read_reduction(op, operands);
  if (r.kind) {
    const ir::Params params = ir::make_params(ReduceParams{*r.kind, axes});
    if (fits(OpCode::kReduce, params, r.xs)) {
      const auto reduced = [&](const Array& x) { return bind_one(OpCode::kReduce, params, Arrays{x}); };
      if (r.negative_zero) return give(op, sum_from_negative_zero(r.xs[0], reduced), results);
      const Array y = reduced(r.xs[0]);
      return give(op, r.neutral ? y : combined(*r.kind, lax::broadcast_in_dim(r.inits[0], y.shape(), {}), y), results);
    }
  }
  const Staged computation = stage_region(op, op.regions[0]);
  give(op,
       bind_all(OpCode::kGenericReduce, ir::make_params(GenericReduceParams{axes, computation.jaxpr}),
                joined(computation.captured, r.xs, r.inits)),
       results);
}

void Importer::reduce_window(const Op& op, Operands operands, Results& results) {
  const Reduction r = read_reduction(op, operands);
  const Window window = read_window(reader(op), r.xs[0].ndim());
  // Padding has initial values, which only neutral ones are like nothing.
  if (r.neutral || r.negative_zero) {
    const ir::Params params = ir::make_params(ReduceWindowParams{*r.kind, window});
    if (fits(OpCode::kReduceWindow, params, r.xs)) {
      const auto reduced = [&](const Array& x) { return bind_one(OpCode::kReduceWindow, params, Arrays{x}); };
      return give(op, r.neutral ? reduced(r.xs[0]) : sum_from_negative_zero(r.xs[0], reduced), results);
    }
  }
  const Staged computation = stage_region(op, op.regions[0]);
  give(op,
       bind_all(OpCode::kGenericReduceWindow, ir::make_params(GenericReduceWindowParams{window, computation.jaxpr}),
                joined(computation.captured, r.xs, r.inits)),
       results);
}

void Importer::select_and_scatter(const Op& op, Operands operands, Results& results) {
  need_regions(op, 2);
  need_operands(op, 3);
  computation_arguments(op, op.regions[0], 2);
  const ir::Avals body = computation_arguments(op, op.regions[1], 2);
  Arrays all = tensors(op, operands);
  // The sum may be computed in a wider type.
  const std::optional<Array> init =
      same_dtype(std::span(all).subspan(2), std::span(body).first(1)) ? known(op.operands[2]) : std::nullopt;
  if (!same_dtype(std::span(all).first(1), std::span(body).first(1)))
    for (Array& a : all) a = lax::convert(a, body[0].dtype());
  const Window window = read_window(reader(op), all[0].ndim());
  const std::optional<WindowSelect> select = selection_of(module_, op.regions[0]);
  if (select && reduction_of(op.regions[1]) == ReduceKind::kSum && all[2].ndim() == 0) {
    const ir::Params params = ir::make_params(WindowSelectParams{*select, window});
    const Arrays args(std::span<const Array>(all).first(2));
    if (fits(OpCode::kSelectAndScatter, params, args)) {
      const auto scattered = [&](const Array& source) {
        return bind_one(OpCode::kSelectAndScatter, params, Arrays{args[0], source});
      };
      if (init && is_negative_zero(*init)) return give(op, sum_from_negative_zero(args[1], scattered), results);
      const Array y = scattered(args[1]);
      const bool neutral = init && is_neutral(ReduceKind::kSum, *init);
      return give(op, neutral ? y : lax::add(lax::broadcast_in_dim(all[2], y.shape(), {}), y), results);
    }
  }
  const Staged selecting = stage_region(op, op.regions[0]), scattering = stage_region(op, op.regions[1]);
  give(op,
       bind_all(OpCode::kGenericSelectAndScatter,
                ir::make_params(GenericSelectAndScatterParams{window, selecting.jaxpr, scattering.jaxpr}),
                joined(selecting.captured, scattering.captured, all)),
       results);
}

// ---- gather and scatter ----

// Weft's index vectors are the last axis of the indices. `batching` are axes of the indices, renumbered with them.
Array Importer::index_vectors_last(const Op& op, Array indices, std::int64_t index_vector_dim, Dims* batching) {
  const std::int64_t rank = indices.ndim();
  if (index_vector_dim < 0 || index_vector_dim > rank)
    fail(op, "index_vector_dim must be in [0, " + std::to_string(rank) + "]; got " + std::to_string(index_vector_dim) +
                 ".");
  if (index_vector_dim == rank) {
    Dims shape(indices.shape());
    shape.push_back(1);
    return lax::reshape(indices, shape);
  }
  if (index_vector_dim == rank - 1) return indices;
  Dims permutation;
  for (std::int64_t i = 0; i < rank; ++i)
    if (i != index_vector_dim) permutation.push_back(i);
  permutation.push_back(index_vector_dim);
  for (std::int64_t& axis : *batching) axis -= axis > index_vector_dim;
  return lax::transpose(indices, permutation);
}

void Importer::gather(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  const AttributeFields f = from.fields("dimension_numbers", "gather",
                                        {"offset_dims", "collapsed_slice_dims", "operand_batching_dims",
                                         "start_indices_batching_dims", "start_index_map"},
                                        {"index_vector_dim"});
  GatherParams p;
  p.dimension_numbers = {f.dims("offset_dims"), f.dims("collapsed_slice_dims"), f.dims("operand_batching_dims"),
                         f.dims("start_indices_batching_dims"), f.dims("start_index_map")};
  p.mode = IndexMode::kClip;
  p.slice_sizes = op.name == "stablehlo.dynamic_gather" ? Dims(std::span<const std::int64_t>(known_integers(op, 2)))
                                                        : from.dims("slice_sizes");
  const Array indices = index_vectors_last(op, single(op, operands, 1), f.integer("index_vector_dim", 0),
                                           &p.dimension_numbers.start_indices_batching_dims);
  give(op, bind_all(OpCode::kGather, ir::make_params(std::move(p)), Arrays{single(op, operands, 0), indices}), results);
}

// One scatter of a known kind per array, when the body is made of such.
std::optional<Arrays> Importer::scatter_each(const Op& op, const ScatterDimensionNumbers& d, bool unique,
                                             std::span<const Array> xs, const Array& indices,
                                             std::span<const Array> updates) {
  const std::optional<std::vector<Update>> each = updates_of(op.regions[0]);
  if (!each) return std::nullopt;
  const IndexMode mode = scatters_single_elements(d, updates[0].aval()) ? IndexMode::kFillOrDrop : IndexMode::kPartial;
  std::vector<ir::Params> params;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    params.push_back(ir::make_params(ScatterParams{(*each)[i].kind, d, mode, unique}));
    if (!fits(OpCode::kScatter, params[i], Arrays{xs[i], indices, updates[i]})) return std::nullopt;
  }
  Arrays out;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const Update& u = (*each)[i];
    out.push_back(u.ignored ? xs[i]
                            : bind_one(OpCode::kScatter, params[i],
                                       Arrays{xs[i], indices, u.negated ? lax::negate(updates[i]) : updates[i]}));
  }
  return out;
}

void Importer::scatter(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  const AttributeFields f = from.fields("scatter_dimension_numbers", "scatter",
                                        {"update_window_dims", "inserted_window_dims", "input_batching_dims",
                                         "scatter_indices_batching_dims", "scatter_dims_to_operand_dims"},
                                        {"index_vector_dim"});
  need_regions(op, 1);
  if (operands.size() < 3 || operands.size() % 2 == 0)
    fail(op, "there must be inputs, the indices and as many updates as inputs; got " +
                 count_str(static_cast<std::int64_t>(operands.size()), "operand", "operands") + ".");
  const std::size_t n = operands.size() / 2;
  const ir::Avals body = computation_arguments(op, op.regions[0], 2 * n);
  ScatterDimensionNumbers d{f.dims("update_window_dims"), f.dims("inserted_window_dims"), f.dims("input_batching_dims"),
                            f.dims("scatter_indices_batching_dims"), f.dims("scatter_dims_to_operand_dims")};
  const bool unique = from.boolean("unique_indices", false);
  const Arrays all = tensors(op, operands);
  const Arrays xs = converted(std::span(all).first(n), body);
  const Arrays updates = converted(std::span(all).subspan(n + 1), body);
  const Array indices =
      index_vectors_last(op, all[n], f.integer("index_vector_dim", 0), &d.scatter_indices_batching_dims);
  if (const std::optional<Arrays> y = scatter_each(op, d, unique, xs, indices, updates)) return give(op, *y, results);
  const Staged computation = stage_region(op, op.regions[0]);
  give(op,
       bind_all(OpCode::kGenericScatter, ir::make_params(GenericScatterParams{d, unique, computation.jaxpr}),
                joined(computation.captured, joined(xs, Arrays{indices}, updates))),
       results);
}

// ---- sort ----

namespace {

// A comparator that orders by the first operands, one after the other, as `sort` does:
//   less = x0 < y0 | (x0 = y0 & (x1 < y1 | ...))
// where floats are compared in total order with -0 made 0 and every NaN the same one.
class ComparatorMatcher {
 public:
  ComparatorMatcher(const Module& module, const Region& region) : module_(module), block_(region.body()) {
    for (const Op& op : block_.ops)
      for (const ValueId v : op.results) definitions_.emplace(v, &op);
  }

  /// The number of keys, or 0.
  std::int64_t keys() const {
    const Op& done = block_.ops.back();
    return done.operands.size() == 1 ? less(done.operands[0], 0) : 0;
  }

 private:
  const Op* definition(ValueId v, std::string_view name, std::size_t operands) const {
    const auto it = definitions_.find(v);
    return it != definitions_.end() && it->second->name == name && it->second->operands.size() == operands ? it->second
                                                                                                           : nullptr;
  }
  bool is_argument(ValueId v, std::size_t i) const { return i < block_.arguments.size() && block_.arguments[i] == v; }

  bool compares(const Op& op, ComparisonDirection direction, bool total, bool weak = false) const {
    const Comparison c = read_comparison(AttributeReader(module_, op, {}, {}));
    return c.direction == direction && c.total_order == total && c.weak_order == weak;
  }

  std::optional<double> constant(ValueId v) const {
    const Op* op = definition(v, "stablehlo.constant", 0);
    const Attribute* value = op ? op->find("value") : nullptr;
    if (!value || value->kind != Attribute::Kind::kDense || !value->type->shape.empty()) return std::nullopt;
    return dense_array(module_, *value).item<double>();
  }

  // select(x != x, NaN, select(x == 0, 0, x)) of an argument.
  bool is_normalized(ValueId v, std::size_t argument) const {
    const Op* nan = definition(v, "stablehlo.select", 3);
    if (!nan) return false;
    const Op* zero = definition(nan->operands[2], "stablehlo.select", 3);
    const Op* unequal = definition(nan->operands[0], "stablehlo.compare", 2);
    if (!zero || !unequal) return false;
    const Op* equal = definition(zero->operands[0], "stablehlo.compare", 2);
    const std::optional<double> fill = constant(nan->operands[1]), none = constant(zero->operands[1]);
    // Of NaNs those without a sign are the ones that come last.
    return equal && fill && none && *fill != *fill && !std::signbit(*fill) && *none == 0 &&
           compares(*unequal, ComparisonDirection::kNe, false) && compares(*equal, ComparisonDirection::kEq, false) &&
           is_argument(unequal->operands[0], argument) && is_argument(unequal->operands[1], argument) &&
           is_argument(equal->operands[0], argument) && constant(equal->operands[1]) == 0.0 &&
           is_argument(zero->operands[2], argument);
  }

  // Compares key `k` of both sides in `direction`.
  bool compares_key(ValueId v, std::size_t k, ComparisonDirection direction) const {
    const Op* op = definition(v, "stablehlo.compare", 2);
    if (!op || 2 * k + 1 >= block_.arguments.size()) return false;
    const std::optional<DType> t = element_dtype(module_.type(block_.arguments[2 * k])->element);
    if (!t || is_complex(*t)) return false;
    if (is_float(*t) && compares(*op, direction, true))
      return is_normalized(op->operands[0], 2 * k) && is_normalized(op->operands[1], 2 * k + 1);
    // The weak order says the same in one word.
    return compares(*op, direction, false, is_float(*t)) && is_argument(op->operands[0], 2 * k) &&
           is_argument(op->operands[1], 2 * k + 1);
  }

  std::int64_t less(ValueId v, std::size_t k) const {
    if (compares_key(v, k, ComparisonDirection::kLt)) return 1;
    const Op* either = definition(v, "stablehlo.or", 2);
    if (!either || !compares_key(either->operands[0], k, ComparisonDirection::kLt)) return 0;
    const Op* tie = definition(either->operands[1], "stablehlo.and", 2);
    if (!tie || !compares_key(tie->operands[0], k, ComparisonDirection::kEq)) return 0;
    const std::int64_t rest = less(tie->operands[1], k + 1);
    return rest ? rest + 1 : 0;
  }

  const Module& module_;
  const Block& block_;
  std::unordered_map<ValueId, const Op*> definitions_;
};

}  // namespace

void Importer::sort(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  need_regions(op, 1);
  if (operands.empty()) fail(op, "there must be at least one operand; got none.");
  computation_arguments(op, op.regions[0], 2 * operands.size());
  const Arrays xs = tensors(op, operands);
  std::int64_t dimension = from.integer("dimension", -1);
  if (dimension < 0) dimension += xs[0].ndim();
  if (!op.regions[0].body().ops.empty()) {
    const std::int64_t keys = ComparatorMatcher(module_, op.regions[0]).keys();
    if (keys > 0) return give(op, bind_all(OpCode::kSort, ir::make_params(SortParams{dimension, keys}), xs), results);
  }
  const Staged comparator = stage_region(op, op.regions[0]);
  give(op,
       bind_all(OpCode::kGenericSort,
                ir::make_params(GenericSortParams{dimension, from.boolean("is_stable", false), comparator.jaxpr}),
                joined(comparator.captured, xs)),
       results);
}

// ---- map: the body for each element, which is the body batched over every axis ----

FlatFunction mapped_over_first(FlatFunction f, std::int64_t size, std::string name) {
  return [inner = std::move(f), size, name = std::move(name)](std::span<const Array> args, Arrays& outs) {
    const Bdims in(args.size(), 0);
    Bdims out;
    Arrays mapped;
    transforms::vmap(inner, args, in, MappedAxis{size}, name, mapped, out);
    for (std::size_t i = 0; i < mapped.size(); ++i) {
      const Array& y = mapped[i];
      if (out[i] == 0) {
        outs.push_back(y);
      } else if (out[i] == kUnmapped) {
        Dims shape{size}, dims(y.aval().shape().size());
        shape.append(y.aval().shape().begin(), y.aval().shape().end());
        std::iota(dims.begin(), dims.end(), 1);
        outs.push_back(lax::broadcast_in_dim(y, shape, dims));
      } else {
        Dims permutation{out[i]};
        for (int d = 0; d < y.ndim(); ++d)
          if (d != out[i]) permutation.push_back(d);
        outs.push_back(lax::transpose(y, permutation));
      }
    }
  };
}

void Importer::map(const Op& op, Operands operands, Results& results) {
  need_regions(op, 1);
  if (operands.empty()) fail(op, "there must be at least one operand; got none.");
  computation_arguments(op, op.regions[0], operands.size());
  const Arrays xs = tensors(op, operands);
  const Staged body = stage_region(op, op.regions[0]);
  FlatFunction f = [&](std::span<const Array> args, Arrays& outs) {
    eval_jaxpr(body.jaxpr, joined(body.captured, args), outs);
  };
  for (int axis = xs[0].ndim(); axis-- > 0;)
    f = mapped_over_first(std::move(f), xs[0].aval().shape(static_cast<std::size_t>(axis)), op.name);
  for (const Array& x : xs)
    if (!same_dims(x.shape(), xs[0].shape()))
      fail(op, "operands must have equal shapes; got " + x.aval().str() + " beside " + xs[0].aval().str() + ".");
  Arrays outs;
  f(xs, outs);
  give(op, outs, results);
}

// ---- collectives ----

void Importer::all_reduce(const Op& op, Operands operands, Results& results) {
  AllReduceParams p;
  p.groups = read_groups(reader(op));
  Arrays captured;
  if (op.name == "stablehlo.cross-replica-sum") {
    p.kind = ReduceKind::kSum;
  } else {
    need_regions(op, 1);
    const ir::Avals body = computation_arguments(op, op.regions[0], 2);
    // A computation in a wider type gives that type.
    const std::optional<ReduceKind> kind =
        same_dtype(tensors(op, operands), body) ? reduction_of(op.regions[0]) : std::nullopt;
    if (kind) {
      p.kind = *kind;
    } else {
      Staged computation = stage_region(op, op.regions[0]);
      p.computation = computation.jaxpr;
      captured = computation.captured;
    }
  }
  const OpCode code = op.name == "stablehlo.collective_reduce" ? OpCode::kCollectiveReduce : OpCode::kAllReduce;
  const ir::Params params = ir::make_params(std::move(p));
  // Several operands are as many reductions; each process meets them in the same order.
  Arrays outs;
  for (const Array& x : flat(operands)) outs.push_back(bind_one(code, params, joined(captured, Arrays{x})));
  give(op, outs, results);
}

void Importer::reduce_scatter(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  ReduceScatterParams p;
  p.scatter_dimension = from.integer("scatter_dimension");
  p.groups = read_groups(from);
  const ir::Avals in = avals(op.operands), out = avals(op.results);
  p.group_size = implied_group_size(p.groups, out, in, p.scatter_dimension);
  need_regions(op, 1);
  const ir::Avals body = computation_arguments(op, op.regions[0], 2);
  const std::optional<ReduceKind> kind =
      same_dtype(tensors(op, operands), body) ? reduction_of(op.regions[0]) : std::nullopt;
  Arrays captured;
  if (kind) {
    p.kind = *kind;
  } else {
    Staged computation = stage_region(op, op.regions[0]);
    p.computation = computation.jaxpr;
    captured = computation.captured;
  }
  give(op, bind_all(OpCode::kReduceScatter, ir::make_params(std::move(p)), joined(captured, flat(operands))), results);
}

void Importer::each_operand(const Op& op, Operands operands, Results& results) {
  const Operation* row = operation_named(op.name);
  const Arrays xs = tensors(op, operands);
  const ir::Avals in = avals(op.operands), out = avals(op.results);
  if (out.size() != xs.size())
    fail(op, "there must be one result per operand; got " + std::to_string(out.size()) + " for " +
                 std::to_string(xs.size()) + ".");
  Arrays outs;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const AttributeReader from(module_, op, std::span(in).subspan(i, 1), std::span(out).subspan(i, 1));
    outs.push_back(bind_one(row->op, row->read(from), Arrays{xs[i]}));
  }
  give(op, outs, results);
}

}  // namespace weft::stablehlo
