#include "weft/compiler/decompose_reductions.h"

#include "weft/compiler/decompose_axis.h"
#include "weft/compiler/simplify_axes.h"
#include "weft/compiler/simplify_literal.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/shape.h"

namespace weft::compiler {

namespace {

using ir::Atom;
using simplifying::as_index;

// Windows of more elements along an axis are reduced by a reduction.
constexpr std::int64_t kMostCombined = 16;

struct Combination {
  OpCode op;
  ir::Literal neutral;
};
std::optional<Combination> combination(ReduceKind kind, DType t) {
  const Aval scalar(t, {});
  const bool numbers = t != boolean, bits = !is_float(t);
  switch (kind) {
    case ReduceKind::kSum:
      return numbers ? std::optional(Combination{OpCode::kAdd, simplifying::number(scalar, 0)}) : std::nullopt;
    case ReduceKind::kProd:
      return numbers ? std::optional(Combination{OpCode::kMultiply, simplifying::number(scalar, 1)}) : std::nullopt;
    case ReduceKind::kMax:
      return numbers ? std::optional(Combination{OpCode::kMaximum, simplifying::lowest(scalar)}) : std::nullopt;
    case ReduceKind::kMin:
      return numbers ? std::optional(Combination{OpCode::kMinimum, simplifying::highest(scalar)}) : std::nullopt;
    case ReduceKind::kAnd:
      return bits ? std::optional(Combination{OpCode::kAnd, simplifying::all_ones(scalar)}) : std::nullopt;
    case ReduceKind::kOr:
      return bits ? std::optional(Combination{OpCode::kOr, simplifying::number(scalar, 0)}) : std::nullopt;
    case ReduceKind::kXor:
      return bits ? std::optional(Combination{OpCode::kXor, simplifying::number(scalar, 0)}) : std::nullopt;
  }
  return std::nullopt;
}

bool is_small_float(DType t) { return t == f16 || t == bf16; }

Atom reduced(JaxprEdit& to, ReduceKind kind, Atom x, std::size_t axis) {
  return to.make(OpCode::kReduce, ir::make_params(ReduceParams{kind, Dims{static_cast<std::int64_t>(axis)}}), {x});
}

}  // namespace

std::optional<Atom> windows_reduced(JaxprEdit& to, const ReduceWindowParams& p, Atom x, Aval out) {
  // Sums and products of small floats are rounded once, at the end.
  if (is_small_float(out.dtype())) x = to.convert(x, f32);
  const std::optional<Combination> how = combination(p.kind, to.aval(x).dtype());
  if (!how) return std::nullopt;
  const Window& w = p.window;
  for (std::size_t i = 0; i < to.rank(x); ++i) {
    const std::int64_t count = w.dimensions[i], places = out.shape(i), stride = w.strides[i],
                       dilation = w.window_dilations[i];
    x = padded(to, x, i, w.padding_low[i], w.padding_high[i], w.base_dilations[i] - 1, how->neutral);
    if (count > kMostCombined) {
      x = reduced(to, p.kind, window_elements(to, x, i, count, places, stride, dilation), i);
      continue;
    }
    Atom all = window_element(to, x, i, 0, places, stride, dilation);
    for (std::int64_t k = 1; k < count; ++k)
      all = to.make(how->op, nullptr, {all, window_element(to, x, i, k, places, stride, dilation)});
    x = all;
  }
  return to.convert(x, out.dtype());
}

Atom place_of_extreme(JaxprEdit& to, const ArgReduceParams& p, Atom x, bool largest) {
  const DType t = to.aval(x).dtype();
  x = to.convert(x, t == boolean ? i32 : is_small_float(t) ? f32 : t);
  const Dims shape(to.shape(x));
  const std::size_t axis = as_index(p.axis);
  const Atom extreme = reduced(to, largest ? ReduceKind::kMax : ReduceKind::kMin, x, axis);
  const auto equal = [&](ComparisonDirection d, Atom a, Atom b) {
    return to.make(OpCode::kCompare, ir::make_params(CompareParams{d}), {a, b});
  };
  const Dims kept = simplifying::axes_without(shape.size(), Dims{p.axis});
  const Atom spread = to.make(OpCode::kBroadcastInDim, ir::make_params(BroadcastInDimParams{kept, shape}), {extreme});
  Atom is_it = equal(ComparisonDirection::kEq, x, spread);
  if (is_float(t)) is_it = to.make(OpCode::kOr, nullptr, {is_it, equal(ComparisonDirection::kNe, x, x)});
  // Places that fit every index type's own.
  const DType place = byte_size(p.index_dtype) < 4 ? i32 : p.index_dtype;
  const Atom places = to.make(OpCode::kIota, ir::make_params(IotaParams{p.axis, place, shape}), {});
  const Atom none = to.literal(simplifying::number(Aval(place, shape), static_cast<double>(shape[axis])));
  return to.convert(reduced(to, ReduceKind::kMin, to.make(OpCode::kSelect, nullptr, {is_it, places, none}), axis),
                    p.index_dtype);
}

}  // namespace weft::compiler
