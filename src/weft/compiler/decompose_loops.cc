#include "weft/compiler/decompose_loops.h"

#include <algorithm>
#include <limits>

#include "weft/compiler/decompose_axis.h"
#include "weft/compiler/decompose_reductions.h"
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

Aval without_first_axis(Aval a) { return a.with_shape(a.shape().subspan(1)); }

Atom compared(JaxprWriter& to, ComparisonDirection d, Atom a, Atom b) {
  return to.make(OpCode::kCompare, ir::make_params(CompareParams{d}), {a, b});
}
// a where the scalar `which` holds, else b.
Atom chosen(JaxprWriter& to, Atom which, Atom a, Atom b) {
  return to.make(OpCode::kSelect, nullptr, {to.broadcast(which, {}, Dims(to.shape(a))), a, b});
}
Atoms joined(Atom first, const Atoms& rest) {
  Atoms all{first};
  all.append(rest.begin(), rest.end());
  return all;
}

// ---- windows ----

// The numbers of gather and scatter, by what they say.
struct WindowNumbers {
  Dims indexed;           // operand axis of each component of an index vector
  Dims batching;          // operand axes that run along with ...
  Dims indices_batching;  // ... these axes of the indices
  Dims sizes;             // of a window, along every axis of the operand
};

bool clips(IndexMode mode) { return mode == IndexMode::kClip || mode == IndexMode::kPromise; }

// A window of more than one element along an indexed axis may lie partly outside.
bool whole_windows(IndexMode mode, const WindowNumbers& numbers) {
  return mode != IndexMode::kPartial || std::all_of(numbers.indexed.begin(), numbers.indexed.end(),
                                                    [&](auto a) { return numbers.sizes[as_index(a)] == 1; });
}

// Where each window lies.
struct Places {
  std::int64_t count = 0;                      // of windows
  SmallVector<std::optional<Atom>, 8> starts;  // [count], by axis of the operand; none: at 0
  std::optional<Atom> inside;                  // [count], where it matters
};

Places places_of(JaxprWriter& to, Atom indices, const WindowNumbers& numbers, DimSpan operand, IndexMode mode) {
  Dims batch(to.shape(indices));
  const std::size_t vectors = batch.size() - 1;
  batch.pop_back();
  Places r;
  r.count = product(DimSpan(batch));
  r.starts.resize(operand.size());
  const Dims line{r.count};
  // Wide enough for every index: as i64, large ones of u64 would turn negative.
  const DType t = to.aval(indices).dtype() == u64 ? u64 : i64;
  const auto within = [&](ComparisonDirection d, Atom start, std::int64_t limit) {
    const ir::Literal all = simplifying::number(Aval(t, line), static_cast<double>(limit));
    const Atom fits = compared(to, d, start, to.literal(all));
    r.inside = r.inside ? to.make(OpCode::kAnd, nullptr, {*r.inside, fits}) : fits;
  };
  for (std::size_t j = 0; j < numbers.indexed.size(); ++j) {
    const std::size_t a = as_index(numbers.indexed[j]);
    const auto component = static_cast<std::int64_t>(j);
    const Atom start = to.convert(to.reshape(to.slice(indices, vectors, component, component + 1), line), t);
    r.starts[a] = start;
    if (clips(mode)) continue;
    if (t == i64) within(ComparisonDirection::kGe, start, 0);
    within(ComparisonDirection::kLe, start, operand[a] - numbers.sizes[a]);
  }
  for (std::size_t j = 0; j < numbers.batching.size(); ++j) {
    const IotaParams along{numbers.indices_batching[j], i64, batch};
    r.starts[as_index(numbers.batching[j])] = to.reshape(to.make(OpCode::kIota, ir::make_params(along), {}), line);
  }
  return r;
}

// One step's part of what a loop goes over: an input of the body, and an operand of the loop.
Atom part_of(JaxprWriter& to, NewJaxpr& body, Atom all, Atoms& operands) {
  operands.push_back(all);
  return body.input(without_first_axis(to.aval(all)));
}

struct Window {
  Atoms starts;
  std::optional<Atom> inside;
};
Window window_of(JaxprWriter& to, NewJaxpr& body, const Places& places, Atoms& operands) {
  Window w;
  for (const std::optional<Atom>& s : places.starts)
    w.starts.push_back(s ? part_of(to, body, *s, operands) : body.literal(simplifying::number(Aval(i64, {}), 0)));
  if (places.inside) w.inside = part_of(to, body, *places.inside, operands);
  return w;
}

// What a read outside gives.
ir::Literal fill_of(IndexMode mode, Aval type) {
  const DType t = type.dtype();
  if (mode != IndexMode::kFillOrDrop) return simplifying::number(type, 0);
  if (t == boolean) return simplifying::all_ones(type);
  if (is_float(t)) return simplifying::number(type, std::numeric_limits<double>::quiet_NaN());
  return is_unsigned(t) ? simplifying::highest(type) : simplifying::lowest(type);
}

// The order of axes that makes of [batch..., window...] an array whose window axes are `window`.
Dims from_windows(std::size_t rank, DimSpan window) {
  Dims order(rank);
  std::int64_t batch = 0, next = static_cast<std::int64_t>(rank - window.size());
  for (const std::int64_t a : axes_without(rank, window)) order[as_index(a)] = batch++;
  for (const std::int64_t a : window) order[as_index(a)] = next++;
  return order;
}

// ---- scatter ----

// Updates meet in their row-major order. Window by window, that of those that meet is the same, unless places along an
// axis of the window that comes before one of windows depend on the window.
bool meet_in_order(const ScatterDimensionNumbers& d, DimSpan kept, DimSpan updates) {
  const Dims windows = axes_without(updates.size(), d.update_window_dims);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const std::int64_t axis = d.update_window_dims[i];
    const bool before = !windows.empty() && axis < windows.back() && updates[as_index(axis)] > 1;
    if (before && contains(d.scatter_dims_to_operand_dims, kept[i])) return false;
  }
  return true;
}

ReduceKind reduce_kind(ScatterKind kind) {
  switch (kind) {
    case ScatterKind::kMul: return ReduceKind::kProd;
    case ScatterKind::kMin: return ReduceKind::kMin;
    case ScatterKind::kMax: return ReduceKind::kMax;
    default: return ReduceKind::kSum;
  }
}

// What an update makes of the old value. Zeros of either sign are equal, and the old one stays.
Atom updated(JaxprWriter& to, ScatterKind kind, Atom old, Atom update) {
  const DType t = to.aval(old).dtype();
  if (kind == ScatterKind::kSet) return update;
  if (!is_float(t) || kind == ScatterKind::kAdd || kind == ScatterKind::kMul)
    return to.make(*combination(reduce_kind(kind), t), nullptr, {old, update});
  using Direction = ComparisonDirection;
  const Atom farther = compared(to, kind == ScatterKind::kMin ? Direction::kLt : Direction::kGt, update, old);
  const Atom first_nan = to.make(
      OpCode::kAnd, nullptr, {compared(to, Direction::kNe, update, update), compared(to, Direction::kEq, old, old)});
  return to.make(OpCode::kSelect, nullptr, {to.make(OpCode::kOr, nullptr, {farther, first_nan}), update, old});
}

// ---- cumsum ----

// The sums of x[n, ...] up to each step, or before it, and the sum of all.
struct Sums {
  Atom each, all;
};
Sums running_sums(JaxprWriter& to, Atom x, bool before) {
  const Aval row = without_first_axis(to.aval(x));
  NewJaxpr body(to);
  const Atom sum = body.input(row), more = body.input(row);
  const Atom next = body.make(OpCode::kAdd, nullptr, {sum, more});
  const Atom outputs[] = {next, before ? sum : next};
  const Atom operands[] = {to.literal(simplifying::number(row, 0)), x};
  const ir::Params params = ir::make_params(ScanParams{body.finish(outputs), to.shape(x)[0], 1, false});
  const ir::Var first = to.make_all(OpCode::kScan, params, operands);
  return {Atom::var(first + 1), Atom::var(first)};
}

}  // namespace

std::optional<Atom> gathered_by_steps(JaxprWriter& to, const GatherParams& p, Atom x, Atom indices, Aval out) {
  const GatherDimensionNumbers& d = p.dimension_numbers;
  WindowNumbers numbers{d.start_index_map, d.operand_batching_dims, d.start_indices_batching_dims, p.slice_sizes};
  // Such axes have one element, whatever is said.
  for (const Dims* absent : {&d.collapsed_slice_dims, &d.operand_batching_dims})
    for (const std::int64_t a : *absent) numbers.sizes[as_index(a)] = 1;
  if (!whole_windows(p.mode, numbers)) return std::nullopt;
  const Places places = places_of(to, indices, numbers, to.shape(x), p.mode);
  NewJaxpr body(to);
  Atoms operands{x};
  const Atom source = body.constant(to.aval(x));
  const Window at = window_of(to, body, places, operands);
  const Dims window =
      simplifying::picked(numbers.sizes, axes_without(to.rank(x), d.collapsed_slice_dims, d.operand_batching_dims));
  Atom part =
      body.make(OpCode::kDynamicSlice, ir::make_params(DynamicSliceParams{numbers.sizes}), joined(source, at.starts));
  part = body.reshape(part, window);
  if (at.inside) part = chosen(body, *at.inside, part, body.literal(fill_of(p.mode, body.aval(part))));
  const ir::Params scan = ir::make_params(ScanParams{body.finish(std::span(&part, 1)), places.count, 0, false});
  Dims shape(to.shape(indices));
  shape.pop_back();
  shape.append(window.begin(), window.end());
  return to.transpose(to.reshape(to.make(OpCode::kScan, scan, operands), shape),
                      from_windows(out.shape().size(), d.offset_dims));
}

std::optional<Atom> scattered_by_steps(JaxprWriter& to, const ScatterParams& p, Atom x, Atom indices, Atom updates) {
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  const std::size_t rank = to.rank(x);
  const Dims kept = axes_without(rank, d.inserted_window_dims, d.input_batching_dims);
  WindowNumbers numbers{d.scatter_dims_to_operand_dims, d.input_batching_dims, d.scatter_indices_batching_dims,
                        Dims(rank, 1)};
  for (std::size_t i = 0; i < kept.size(); ++i)
    numbers.sizes[as_index(kept[i])] = to.shape(updates)[as_index(d.update_window_dims[i])];
  const bool has_no_order = p.unique_indices || (!is_float(to.aval(x).dtype()) && p.kind != ScatterKind::kSet);
  if (!whole_windows(p.mode, numbers) || (!has_no_order && !meet_in_order(d, kept, to.shape(updates))))
    return std::nullopt;
  const Places places = places_of(to, indices, numbers, to.shape(x), p.mode);
  Dims lines{places.count};
  lines.append(numbers.sizes.begin(), numbers.sizes.end());
  const Atom windows = to.reshape(
      to.transpose(updates, simplifying::inverse(from_windows(to.rank(updates), d.update_window_dims))), lines);

  NewJaxpr body(to);
  Atoms operands{x};
  const Atom carried = body.input(to.aval(x));
  const Window at = window_of(to, body, places, operands);
  Atom part = part_of(to, body, windows, operands);
  if (p.kind != ScatterKind::kSet || at.inside) {
    const Atom old = body.make(OpCode::kDynamicSlice, ir::make_params(DynamicSliceParams{numbers.sizes}),
                               joined(carried, at.starts));
    part = updated(body, p.kind, old, part);
    if (at.inside) part = chosen(body, *at.inside, part, old);
  }
  const Atom next = body.make(OpCode::kDynamicUpdateSlice, nullptr, joined(carried, joined(part, at.starts)));
  const ir::Params scan = ir::make_params(ScanParams{body.finish(std::span(&next, 1)), places.count, 1, false});
  return to.make(OpCode::kScan, scan, operands);
}

Atom summed_by_steps(JaxprWriter& to, const CumsumParams& p, Atom x) {
  const DType t = to.aval(x).dtype();
  const auto reversed = [&](Atom a) {
    return p.reverse ? to.make(OpCode::kReverse, ir::make_params(ReverseParams{Dims{p.axis}}), {a}) : a;
  };
  x = reversed(to.convert(x, is_float(t) ? f64 : t));
  Dims front = axes_without(to.rank(x), Dims{p.axis});
  front.insert(front.begin(), p.axis);
  x = to.transpose(x, front);
  const Dims shape(to.shape(x));
  const std::int64_t n = shape[0], rest = product(DimSpan(shape).subspan(1)), block = std::min(n, kCumsumBlock),
                     blocks = (n - 1) / block + 1;
  // Zeros behind the last make whole blocks.
  const Atom zero = to.literal(simplifying::number(Aval(to.aval(x).dtype(), {}), 0));
  x = padded(to, to.reshape(x, Dims{n, rest}), 0, 0, blocks * block - n, 0, zero);
  const Sums inside = running_sums(to, to.transpose(to.reshape(x, Dims{blocks, block, rest}), Dims{1, 0, 2}), false);
  Atom sums = inside.each;
  if (blocks > 1) {
    const Atom before = running_sums(to, inside.all, true).each;
    sums = to.make(OpCode::kAdd, nullptr, {to.broadcast(before, Dims{1, 2}, Dims(to.shape(sums))), sums});
  }
  sums = to.slice(to.reshape(to.transpose(sums, Dims{1, 0, 2}), Dims{blocks * block, rest}), 0, 0, n);
  return to.convert(reversed(to.transpose(to.reshape(sums, shape), simplifying::inverse(front))), t);
}

}  // namespace weft::compiler
