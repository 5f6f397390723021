#include "weft/compiler/decompose_reductions.h"

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
using Atoms = SmallVector<Atom, 8>;

// Windows of more elements are gone over by a loop.
constexpr std::int64_t kMostUnrolled = 16;

ir::Literal neutral(ReduceKind kind, Aval type) {
  const bool is_bool = type.dtype() == boolean;
  switch (kind) {
    case ReduceKind::kSum:
    case ReduceKind::kOr:
    case ReduceKind::kXor: return simplifying::number(type, 0);
    case ReduceKind::kProd: return simplifying::number(type, 1);
    case ReduceKind::kMax: return is_bool ? simplifying::number(type, 0) : simplifying::lowest(type);
    case ReduceKind::kMin: return is_bool ? simplifying::number(type, 1) : simplifying::highest(type);
    case ReduceKind::kAnd: return simplifying::all_ones(type);
  }
  return ir::Literal{type};
}

// Whether elements may be combined in any order.
bool has_no_order(ReduceKind kind, DType t) {
  return !is_float(t) || kind == ReduceKind::kMax || kind == ReduceKind::kMin;
}

// The elements of the windows along some axes, combined in row-major order. Along these axes `places` windows lie
// `stride` apart.
class WindowFold {
 public:
  WindowFold(JaxprWriter& to, const ReduceWindowParams& p, OpCode op, Aval out) : to_(to), p_(p), op_(op), out_(out) {}

  Atom along(Atom x, const Dims& axes) const {
    const Dims sizes = simplifying::picked(p_.window.dimensions, axes);
    const std::int64_t count = product(DimSpan(sizes));
    Dims shape(to_.shape(x));
    for (const std::int64_t a : axes) shape[as_index(a)] = out_.shape(as_index(a));
    const Atom none = to_.literal(neutral(p_.kind, to_.aval(x).with_shape(shape)));
    return count > kMostUnrolled ? by_steps(x, axes, sizes, count, none) : unrolled(x, axes, sizes, count, none);
  }

 private:
  Atom unrolled(Atom x, const Dims& axes, const Dims& sizes, std::int64_t count, Atom all) const {
    const Dims strides = row_major_strides(sizes);
    for (std::int64_t k = 0; k < count; ++k) {
      Atom element = x;
      for (std::size_t i = 0; i < axes.size(); ++i)
        element = at_places(to_, element, as_index(axes[i]), k / strides[i] % sizes[i]);
      all = to_.make(op_, nullptr, {all, element});
    }
    return all;
  }

  // Where an element lies is computed for all of them before the loop.
  Atom by_steps(Atom x, const Dims& axes, const Dims& sizes, std::int64_t count, Atom none) const {
    NewJaxpr body(to_);
    Atoms operands{x, none};
    Dims extent(to_.shape(x));
    Atoms starts(to_.rank(x), Atom::var(0));
    const Atom source = body.constant(to_.aval(x)), before = body.input(to_.aval(none));
    for (Atom& s : starts) s = body.literal(simplifying::number(Aval(i64, {}), 0));
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const std::size_t a = as_index(axes[i]);
      extent[a] = (out_.shape(a) - 1) * p_.window.strides[a] + 1;
      const Atom number =
          to_.make(OpCode::kIota, ir::make_params(IotaParams{static_cast<std::int64_t>(i), i64, sizes}), {});
      const auto dilation = static_cast<double>(p_.window.window_dilations[a]);
      const Atom start =
          to_.make(OpCode::kMultiply, nullptr, {number, to_.literal(simplifying::number(Aval(i64, sizes), dilation))});
      operands.push_back(to_.reshape(start, Dims{count}));
      starts[a] = body.input(Aval(i64, {}));
    }
    Atoms from{source};
    from.append(starts.begin(), starts.end());
    Atom element = body.make(OpCode::kDynamicSlice, ir::make_params(DynamicSliceParams{extent}), from);
    for (const std::int64_t a : axes) element = at_places(body, element, as_index(a), 0);
    const Atom outputs[] = {body.make(op_, nullptr, {before, element})};
    return to_.make(OpCode::kScan, ir::make_params(ScanParams{body.finish(outputs), count, 1, false}), operands);
  }

  Atom at_places(JaxprWriter& to, Atom x, std::size_t axis, std::int64_t k) const {
    return window_element(to, x, axis, k, out_.shape(axis), p_.window.strides[axis], p_.window.window_dilations[axis]);
  }

  JaxprWriter& to_;
  const ReduceWindowParams& p_;
  const OpCode op_;
  const Aval out_;
};

Atom reduced(JaxprWriter& to, ReduceKind kind, Atom x, std::size_t axis) {
  return to.make(OpCode::kReduce, ir::make_params(ReduceParams{kind, Dims{static_cast<std::int64_t>(axis)}}), {x});
}

}  // namespace

std::optional<OpCode> combination(ReduceKind kind, DType t) {
  const bool is_bool = t == boolean;
  switch (kind) {
    case ReduceKind::kSum: return is_bool ? OpCode::kOr : OpCode::kAdd;
    case ReduceKind::kProd: return is_bool ? OpCode::kAnd : OpCode::kMultiply;
    case ReduceKind::kMax: return is_bool ? OpCode::kOr : OpCode::kMaximum;
    case ReduceKind::kMin: return is_bool ? OpCode::kAnd : OpCode::kMinimum;
    default: break;
  }
  if (is_float(t)) return std::nullopt;
  return kind == ReduceKind::kAnd ? OpCode::kAnd : kind == ReduceKind::kOr ? OpCode::kOr : OpCode::kXor;
}

std::optional<Atom> windows_reduced(JaxprWriter& to, const ReduceWindowParams& p, Atom x, Aval out) {
  const std::optional<OpCode> op = combination(p.kind, out.dtype());
  if (!op) return std::nullopt;
  const Window& w = p.window;
  if (product(DimSpan(w.dimensions)) == 0) return to.literal(neutral(p.kind, out));
  const Atom padding = to.literal(neutral(p.kind, Aval(out.dtype(), {})));
  for (std::size_t i = 0; i < to.rank(x); ++i)
    x = padded(to, x, i, w.padding_low[i], w.padding_high[i], w.base_dilations[i] - 1, padding);
  const WindowFold fold(to, p, *op, out);
  const Dims axes = simplifying::all_axes(to.rank(x));
  if (!has_no_order(p.kind, out.dtype())) return fold.along(x, axes);
  for (const std::int64_t a : axes) x = fold.along(x, Dims{a});
  return x;
}

Atom place_of_extreme(JaxprWriter& to, const ArgReduceParams& p, Atom x, bool largest) {
  const DType t = to.aval(x).dtype();
  x = to.convert(x, t == boolean ? i32 : t == f16 || t == bf16 ? f32 : t);
  const Dims shape(to.shape(x));
  const std::size_t axis = as_index(p.axis);
  const Atom extreme = reduced(to, largest ? ReduceKind::kMax : ReduceKind::kMin, x, axis);
  const auto compared = [&](ComparisonDirection d, Atom a, Atom b) {
    return to.make(OpCode::kCompare, ir::make_params(CompareParams{d}), {a, b});
  };
  const Atom spread = to.broadcast(extreme, simplifying::axes_without(shape.size(), Dims{p.axis}), shape);
  Atom is_it = compared(ComparisonDirection::kEq, x, spread);
  if (is_float(t)) is_it = to.make(OpCode::kOr, nullptr, {is_it, compared(ComparisonDirection::kNe, x, x)});
  const DType place = byte_size(p.index_dtype) < 4 ? i32 : p.index_dtype;
  const Atom places = to.make(OpCode::kIota, ir::make_params(IotaParams{p.axis, place, shape}), {});
  const Atom none = to.literal(simplifying::number(Aval(place, shape), static_cast<double>(shape[axis])));
  return to.convert(reduced(to, ReduceKind::kMin, to.make(OpCode::kSelect, nullptr, {is_it, places, none}), axis),
                    p.index_dtype);
}

}  // namespace weft::compiler
