#include "weft/compiler/decompose_loops.h"

#include <cmath>
#include <limits>

#include "weft/compiler/decompose_axis.h"
#include "weft/compiler/simplify_axes.h"
#include "weft/compiler/simplify_literal.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/programs.h"
#include "weft/ir/shape.h"

namespace weft::compiler {

namespace {

using ir::Atom;
using simplifying::as_index;
using simplifying::axes_without;
using simplifying::contains;
using Atoms = SmallVector<Atom, 8>;

// ---- a loop's body ----

class Body {
 public:
  explicit Body(const SourceLocation& location) : location_(location) {}

  Atom constant(Aval a) { return declared(a, consts_); }
  Atom input(Aval a) { return declared(a, inputs_); }
  Atom literal(const ir::Literal& l) { return builder_.add_literal(l); }
  Aval aval(Atom a) const { return builder_.aval(a); }
  Atom make(OpCode op, ir::Params params, std::span<const Atom> operands) {
    ir::Avals in, out;
    for (const Atom a : operands) in.push_back(aval(a));
    ir::infer(op, params.get(), in, out);
    return Atom::var(builder_.add_eqn(op, std::move(params), operands, out, location_));
  }
  Atom make(OpCode op, ir::Params params, std::initializer_list<Atom> operands) {
    return make(op, std::move(params), std::span(operands.begin(), operands.size()));
  }
  Atom reshape(Atom x, const Dims& shape) {
    return Dims(aval(x).shape()) == shape ? x : make(OpCode::kReshape, ir::make_params(ReshapeParams{shape}), {x});
  }
  // a where the scalar `which` holds, else b.
  Atom chosen(Atom which, Atom a, Atom b) {
    const Dims shape(aval(a).shape());
    const Atom all = make(OpCode::kBroadcastInDim, ir::make_params(BroadcastInDimParams{{}, shape}), {which});
    return make(OpCode::kSelect, nullptr, {all, a, b});
  }
  ir::Jaxpr finish(std::span<const Atom> outputs) { return builder_.build(consts_, inputs_, outputs); }

 private:
  Atom declared(Aval a, std::vector<ir::Var>& list) {
    list.push_back(builder_.add_var(a));
    return Atom::var(list.back());
  }
  SourceLocation location_;
  ir::JaxprBuilder builder_;
  std::vector<ir::Var> consts_, inputs_;
};

Aval without_first_axis(Aval a) { return a.with_shape(Dims(a.shape().subspan(1))); }

// ---- windows ----

// Where windows lie: axis by axis of the operand, for each window; the same for gather and scatter.
struct Places {
  std::int64_t count;          // of windows
  Atoms starts;                // by axis, [count]
  std::vector<bool> known;     // by axis: always at 0, and there is no start
  std::optional<Atom> inside;  // [count], where it matters whether they are
};

bool clips(IndexMode mode) { return mode == IndexMode::kClip || mode == IndexMode::kPromise; }

// `map[j]` is the axis of component j of an index vector; axis batching[j] runs along with axis indices_batching[j] of
// the indices.
Places places_of(JaxprEdit& to, Atom indices, DimSpan map, DimSpan batching, DimSpan indices_batching, DimSpan sizes,
                 DimSpan operand, IndexMode mode) {
  Dims batch(to.shape(indices));
  batch.pop_back();
  const auto vector = as_index(static_cast<std::int64_t>(batch.size()));
  Places r{product(DimSpan(batch)), Atoms(operand.size(), indices), std::vector<bool>(operand.size(), true), {}};
  const Dims line{r.count};
  // Wide enough for every index: as i64, large ones of u64 would turn negative.
  const DType t = to.aval(indices).dtype() == u64 ? u64 : i64;
  const auto compared = [&](ComparisonDirection d, Atom a, std::int64_t n) {
    const Atom limit = to.literal(simplifying::number(Aval(t, line), static_cast<double>(n)));
    return to.make(OpCode::kCompare, ir::make_params(CompareParams{d}), {a, limit});
  };
  const auto also = [&](Atom fits) { r.inside = r.inside ? to.make(OpCode::kAnd, nullptr, {*r.inside, fits}) : fits; };
  for (std::size_t j = 0; j < map.size(); ++j) {
    const std::size_t a = as_index(map[j]);
    const auto component = static_cast<std::int64_t>(j);
    r.starts[a] = to.convert(to.reshape(to.slice(indices, vector, component, component + 1), line), t);
    r.known[a] = false;
    if (clips(mode)) continue;
    if (t == i64) also(compared(ComparisonDirection::kGe, r.starts[a], 0));
    also(compared(ComparisonDirection::kLe, r.starts[a], operand[a] - sizes[a]));
  }
  for (std::size_t j = 0; j < batching.size(); ++j) {
    const std::size_t a = as_index(batching[j]);
    const Atom along = to.make(OpCode::kIota, ir::make_params(IotaParams{indices_batching[j], t, batch}), {});
    r.starts[a] = to.reshape(along, line);
    r.known[a] = false;
  }
  return r;
}

// A window that has more than one place along an indexed axis may lie partly outside.
bool whole_windows(IndexMode mode, DimSpan map, DimSpan sizes) {
  if (mode != IndexMode::kPartial) return true;
  for (const std::int64_t a : map)
    if (sizes[as_index(a)] != 1) return false;
  return true;
}

// The places of one step: inputs of its body, and operands of the loop.
struct Step {
  Atoms starts;
  std::optional<Atom> inside;

  Step(Body& body, JaxprEdit& to, const Places& p, Atoms& operands) {
    const auto taken = [&](Atom a) {
      operands.push_back(a);
      return body.input(without_first_axis(to.aval(a)));
    };
    const Aval scalar(i64, {});
    for (std::size_t a = 0; a < p.starts.size(); ++a)
      starts.push_back(p.known[a] ? body.literal(simplifying::number(scalar, 0)) : taken(p.starts[a]));
    // One type for all of them.
    DType t = i64;
    for (const Atom s : starts)
      if (body.aval(s).dtype() == u64) t = u64;
    for (Atom& s : starts)
      if (body.aval(s).dtype() != t) s = body.literal(simplifying::number(Aval(t, {}), 0));
    if (p.inside) inside = taken(*p.inside);
  }
};

Atoms with(Atom first, const Atoms& rest) {
  Atoms all{first};
  all.append(rest.begin(), rest.end());
  return all;
}

// What a read outside gives.
ir::Literal fill_of(IndexMode mode, Aval type) {
  const DType t = type.dtype();
  if (mode != IndexMode::kFillOrDrop) return simplifying::number(type, 0);
  if (t == boolean) return simplifying::all_ones(type);
  if (is_float(t)) return simplifying::number(type, std::numeric_limits<double>::quiet_NaN());
  return is_unsigned(t) ? simplifying::highest(type) : simplifying::lowest(type);
}

// The axes of [batch..., window...], where in an array the window's are `window`: what transpose makes of it.
Dims from_windows(std::size_t rank, DimSpan window) {
  const std::size_t batch = rank - window.size();
  Dims order(rank);
  std::int64_t next = 0;
  for (std::size_t i = 0; i < window.size(); ++i) order[as_index(window[i])] = static_cast<std::int64_t>(batch + i);
  for (const std::int64_t a : axes_without(rank, window)) order[as_index(a)] = next++;
  return order;
}

// Updates meet in their row-major order. Window by window, that of those that meet is the same, unless places along an
// axis of the window that comes before one of windows depend on the window.
bool meet_in_order(const ScatterParams& p, DimSpan kept, DimSpan updates) {
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  if (p.unique_indices) return true;
  const Dims windows = axes_without(updates.size(), d.update_window_dims);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const std::int64_t axis = d.update_window_dims[i];
    const bool before = !windows.empty() && axis < windows.back() && updates[as_index(axis)] > 1;
    if (before && contains(d.scatter_dims_to_operand_dims, kept[i])) return false;
  }
  return true;
}

std::optional<OpCode> combines(ScatterKind kind, DType t) {
  switch (kind) {
    case ScatterKind::kSet: return std::nullopt;
    case ScatterKind::kAdd: return t == boolean ? OpCode::kOr : OpCode::kAdd;
    case ScatterKind::kMul: return t == boolean ? OpCode::kAnd : OpCode::kMultiply;
    case ScatterKind::kMin: return t == boolean ? OpCode::kAnd : OpCode::kMinimum;
    case ScatterKind::kMax: return t == boolean ? OpCode::kOr : OpCode::kMaximum;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Atom> gathered_by_steps(JaxprEdit& to, const GatherParams& p, Atom x, Atom indices, Aval out) {
  const GatherDimensionNumbers& d = p.dimension_numbers;
  if (!whole_windows(p.mode, d.start_index_map, p.slice_sizes)) return std::nullopt;
  const Places places = places_of(to, indices, d.start_index_map, d.operand_batching_dims,
                                  d.start_indices_batching_dims, p.slice_sizes, to.shape(x), p.mode);
  Body body(to.location());
  Atoms operands{x};
  const Atom source = body.constant(to.aval(x));
  const Step step(body, to, places, operands);
  Atom part =
      body.make(OpCode::kDynamicSlice, ir::make_params(DynamicSliceParams{p.slice_sizes}), with(source, step.starts));
  const Dims kept = axes_without(to.rank(x), d.collapsed_slice_dims, d.operand_batching_dims);
  const Dims window = simplifying::picked(p.slice_sizes, kept);
  part = body.reshape(part, window);
  if (step.inside) part = body.chosen(*step.inside, part, body.literal(fill_of(p.mode, body.aval(part))));
  const Atom outputs[] = {part};
  const Atom all =
      to.make(OpCode::kScan, ir::make_params(ScanParams{body.finish(outputs), places.count, 0, false}), operands);
  Dims shape(to.shape(indices));
  shape.pop_back();
  shape.append(window.begin(), window.end());
  return to.transpose(to.reshape(all, shape), from_windows(out.shape().size(), d.offset_dims));
}

std::optional<Atom> scattered_by_steps(JaxprEdit& to, const ScatterParams& p, Atom x, Atom indices, Atom updates) {
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  const std::size_t rank = to.rank(x);
  Dims sizes(rank, 1);
  const Dims kept = axes_without(rank, d.inserted_window_dims, d.input_batching_dims);
  for (std::size_t i = 0; i < kept.size(); ++i)
    sizes[as_index(kept[i])] = to.shape(updates)[as_index(d.update_window_dims[i])];
  if (!whole_windows(p.mode, d.scatter_dims_to_operand_dims, sizes) || !meet_in_order(p, kept, to.shape(updates)))
    return std::nullopt;
  const Places places = places_of(to, indices, d.scatter_dims_to_operand_dims, d.input_batching_dims,
                                  d.scatter_indices_batching_dims, sizes, to.shape(x), p.mode);
  Dims lines{places.count};
  lines.append(sizes.begin(), sizes.end());
  const Atom in_order = to.reshape(
      to.transpose(updates, simplifying::inverse(from_windows(to.rank(updates), d.update_window_dims))), lines);

  Body body(to.location());
  Atoms operands{x};
  const Atom carried = body.input(to.aval(x));
  const Step step(body, to, places, operands);
  operands.push_back(in_order);
  Atom part = body.input(without_first_axis(to.aval(in_order)));
  const std::optional<OpCode> op = combines(p.kind, to.aval(x).dtype());
  if (op || step.inside) {
    const Atom old =
        body.make(OpCode::kDynamicSlice, ir::make_params(DynamicSliceParams{sizes}), with(carried, step.starts));
    if (op) part = body.make(*op, nullptr, {old, part});
    if (step.inside) part = body.chosen(*step.inside, part, old);
  }
  const Atom outputs[] = {body.make(OpCode::kDynamicUpdateSlice, nullptr, with(carried, with(part, step.starts)))};
  return to.make(OpCode::kScan, ir::make_params(ScanParams{body.finish(outputs), places.count, 1, false}), operands);
}

namespace {

// The sums of x[n, ...] up to each step, and of what was before it: carried through a loop.
struct Sums {
  Atom each, all;
};
Sums running_sums(JaxprEdit& to, Atom x, bool before) {
  const Aval row = without_first_axis(to.aval(x));
  Body body(to.location());
  const Atom sum = body.input(row), more = body.input(row);
  const Atom next = body.make(OpCode::kAdd, nullptr, {sum, more});
  const Atom outputs[] = {next, before ? sum : next};
  const ir::Params params = ir::make_params(ScanParams{body.finish(outputs), to.shape(x)[0], 1, false});
  const Atom operands[] = {to.literal(simplifying::number(row, 0)), x};
  const ir::Var first = to.make_all(OpCode::kScan, params, operands);
  return {Atom::var(first + 1), Atom::var(first)};
}

}  // namespace

Atom summed_by_steps(JaxprEdit& to, const CumsumParams& p, Atom x) {
  const DType t = to.aval(x).dtype();
  x = to.convert(x, t == f16 || t == bf16 ? f32 : t);
  const auto reversed = [&](Atom a) {
    return p.reverse ? to.make(OpCode::kReverse, ir::make_params(ReverseParams{Dims{p.axis}}), {a}) : a;
  };
  x = reversed(x);
  // [n, rest], and as many zeros as make whole blocks.
  Dims front = axes_without(to.rank(x), Dims{p.axis});
  front.insert(front.begin(), p.axis);
  x = to.transpose(x, front);
  const Dims shape(to.shape(x));
  const std::int64_t n = shape[0], rest = product(DimSpan(shape).subspan(1)), block = std::min(n, kCumsumBlock),
                     blocks = (n - 1) / block + 1;
  const ir::Literal zero = simplifying::number(Aval(to.aval(x).dtype(), {}), 0);
  x = padded(to, to.reshape(x, Dims{n, rest}), 0, 0, blocks * block - n, 0, zero);
  const Sums in_block = running_sums(to, to.transpose(to.reshape(x, Dims{blocks, block, rest}), Dims{1, 0, 2}), false);
  Atom sums = in_block.each;
  if (blocks > 1) {
    const Atom before = running_sums(to, in_block.all, true).each;
    const Dims all(to.shape(sums));
    sums = to.make(
        OpCode::kAdd, nullptr,
        {to.make(OpCode::kBroadcastInDim, ir::make_params(BroadcastInDimParams{Dims{1, 2}, all}), {before}), sums});
  }
  sums = to.reshape(to.transpose(sums, Dims{1, 0, 2}), Dims{blocks * block, rest});
  if (blocks * block > n) sums = to.slice(sums, 0, 0, n);
  sums = to.transpose(to.reshape(sums, shape), simplifying::inverse(front));
  return to.convert(reversed(sums), t);
}

}  // namespace weft::compiler
