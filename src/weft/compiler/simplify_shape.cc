// Rules about operations that give all elements another order or shape, or repeat them: reshape, broadcast_in_dim,
// transpose, reverse; and about identities. Each is headed by what it says. Chains of them become one; what only
// touches axes of size 1 becomes reshape, which costs nothing.
#include "weft/compiler/simplify_axes.h"
#include "weft/compiler/simplify_forms.h"
#include "weft/compiler/simplify_literal.h"
#include "weft/ir/elementwise.h"

namespace weft::compiler::simplifying {

namespace {

using Value = std::optional<Atom>;

// ---- identities, and elements that are all the same ----

// f(x) = x
Value operand(Rewriter&, const Equation& e) { return e.operands[0]; }

// f(x) = x where both have one type
Value unchanged(Rewriter& to, const Equation& e) {
  return to.aval(e.operands[0]) == e.types[0] ? Value(e.operands[0]) : std::nullopt;
}

// The bits of the bits of x are the bits of x.
Value bits_of_bits(Rewriter& to, const Equation& e) {
  const Equation* inner = to.definition(e.operands[0], OpCode::kBitcastConvert);
  if (!inner) return std::nullopt;
  const Aval x = to.aval(inner->operands[0]), between = inner->types[0];
  const bool whole = x.dtype() != boolean && !is_storage(x.dtype()) && between.dtype() != boolean &&
                     !is_storage(between.dtype()) && byte_size(x.dtype()) == byte_size(between.dtype());
  if (!whole) return std::nullopt;
  return to.make(OpCode::kBitcastConvert, e.params, {inner->operands[0]});
}

// What moves elements of a literal gives one.
Value of_splat(Rewriter& to, const Equation& e) {
  const Literal* l = to.literal(e.operands[0]);
  return l ? Value(to.literal(reshaped(*l, e.types[0]))) : std::nullopt;
}

// iota along an axis of size 1 is 0
Value count_of_one(Rewriter& to, const Equation& e) {
  const auto& p = e.params_as<IotaParams>();
  return p.shape[as_index(p.dimension)] == 1 ? Value(to.literal(number(e.types[0], 0))) : std::nullopt;
}

// ---- reshape ----

// reshape(reshape(x)) = reshape(x)
Value reshape_of_reshape(Rewriter& to, const Equation& e) {
  const Equation* inner = to.definition(e.operands[0], OpCode::kReshape);
  return inner ? Value(reshape(to, inner->operands[0], e.types[0].shape())) : std::nullopt;
}

// reshape(broadcast(x)) = broadcast(x), of one element; also where axes of size 1 come or go
Value reshape_of_broadcast(Rewriter& to, const Equation& e) {
  const Equation* inner = to.definition(e.operands[0], OpCode::kBroadcastInDim);
  if (!inner) return std::nullopt;
  const Atom x = inner->operands[0];
  const DimSpan before = inner->types[0].shape(), after = e.types[0].shape();
  if (to.aval(x).size() == 1) return broadcast(to, reshape(to, x, {}), after, {});
  const Dims from = long_axes(before), at = long_axes(after);
  if (picked(before, from) != picked(after, at)) return std::nullopt;
  // Axes of x that became ones of size 1 are of size 1, and are left out.
  const Dims& dims = inner->params_as<BroadcastInDimParams>().broadcast_dimensions;
  Dims kept, kept_dims;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const auto axis = std::find(from.begin(), from.end(), dims[i]);
    if (axis == from.end()) continue;
    kept.push_back(to.aval(x).shape(i));
    kept_dims.push_back(at[static_cast<std::size_t>(axis - from.begin())]);
  }
  return broadcast(to, reshape(to, x, kept), after, kept_dims);
}

// ---- broadcast_in_dim ----

// broadcast(broadcast(x)) = broadcast(x)
Value broadcast_of_broadcast(Rewriter& to, const Equation& e) {
  const Equation* inner = to.definition(e.operands[0], OpCode::kBroadcastInDim);
  if (!inner) return std::nullopt;
  const Dims dims = picked(e.params_as<BroadcastInDimParams>().broadcast_dimensions,
                           inner->params_as<BroadcastInDimParams>().broadcast_dimensions);
  return broadcast(to, inner->operands[0], e.types[0].shape(), dims);
}

// broadcast(x) = reshape(transpose(x)), where nothing is repeated
Value broadcast_to_the_same_size(Rewriter& to, const Equation& e) {
  if (to.aval(e.operands[0]).size() != e.types[0].size()) return std::nullopt;
  const Dims& dims = e.params_as<BroadcastInDimParams>().broadcast_dimensions;
  Dims order = all_axes(dims.size());
  std::sort(order.begin(), order.end(),
            [&](std::int64_t a, std::int64_t b) { return dims[as_index(a)] < dims[as_index(b)]; });
  return reshape(to, transpose(to, e.operands[0], order), e.types[0].shape());
}

// broadcast(reshape(x)) = broadcast(reshape(x) without axes of size 1)
Value broadcast_of_reshape(Rewriter& to, const Equation& e) {
  const Equation* inner = to.definition(e.operands[0], OpCode::kReshape);
  if (!inner) return std::nullopt;
  const DimSpan before = inner->types[0].shape();
  const Dims kept = long_axes(before);
  if (kept.size() == before.size()) return std::nullopt;
  return broadcast(to, reshape(to, inner->operands[0], picked(before, kept)), e.types[0].shape(),
                   picked(e.params_as<BroadcastInDimParams>().broadcast_dimensions, kept));
}

// ---- transpose ----

// transpose(x) = x where no axis changes place, = reshape(x) where only those of size 1 do
Value transpose_in_order(Rewriter& to, const Equation& e) {
  Dims places;
  for (const std::int64_t axis : e.params_as<TransposeParams>().permutation)
    if (to.aval(e.operands[0]).shape(as_index(axis)) != 1) places.push_back(axis);
  return is_increasing(places) ? Value(reshape(to, e.operands[0], e.types[0].shape())) : std::nullopt;
}

// transpose_q(transpose_p(x)) = transpose_pq(x)
Value transpose_of_transpose(Rewriter& to, const Equation& e) {
  const Equation* inner = to.definition(e.operands[0], OpCode::kTranspose);
  if (!inner) return std::nullopt;
  const Dims permutation =
      picked(inner->params_as<TransposeParams>().permutation, e.params_as<TransposeParams>().permutation);
  return transpose(to, inner->operands[0], permutation);
}

// transpose(broadcast(x)) = broadcast(x)
Value transpose_of_broadcast(Rewriter& to, const Equation& e) {
  const Equation* inner = to.definition(e.operands[0], OpCode::kBroadcastInDim);
  if (!inner) return std::nullopt;
  const Dims places = inverse(e.params_as<TransposeParams>().permutation);
  const Dims dims = picked(places, inner->params_as<BroadcastInDimParams>().broadcast_dimensions);
  return broadcast(to, inner->operands[0], e.types[0].shape(), dims);
}

// ---- reverse ----

// reverse(x) = x along axes of size 1, and along those that broadcast made
Value reverse_of_equals(Rewriter& to, const Equation& e) {
  const Dims& dimensions = e.params_as<ReverseParams>().dimensions;
  const Equation* inner = to.definition(e.operands[0], OpCode::kBroadcastInDim);
  const auto repeated = [&](std::int64_t d) {
    if (!inner) return false;
    const Dims& dims = inner->params_as<BroadcastInDimParams>().broadcast_dimensions;
    for (std::size_t i = 0; i < dims.size(); ++i)
      if (dims[i] == d) return to.aval(inner->operands[0]).shape(i) == 1;
    return true;
  };
  Dims kept;
  for (const std::int64_t d : dimensions)
    if (e.types[0].shape(as_index(d)) > 1 && !repeated(d)) kept.push_back(d);
  if (kept.size() == dimensions.size() && !kept.empty()) return std::nullopt;
  return kept.empty() ? e.operands[0] : reverse(to, e.operands[0], kept);
}

// reverse(reverse(x)) = reverse(x), along the axes of one of them
Value reverse_of_reverse(Rewriter& to, const Equation& e) {
  const Equation* inner = to.definition(e.operands[0], OpCode::kReverse);
  if (!inner) return std::nullopt;
  const Dims &a = inner->params_as<ReverseParams>().dimensions, &b = e.params_as<ReverseParams>().dimensions;
  Dims once;
  for (const std::int64_t d : all_axes(e.types[0].shape().size()))
    if (contains(a, d) != contains(b, d)) once.push_back(d);
  return reverse(to, inner->operands[0], once);
}

constexpr RuleOf kRules[] = {
    {OpCode::kStopGradient, operand},
    {OpCode::kCheckpointName, operand},
    {OpCode::kConvert, unchanged},
    {OpCode::kBitcastConvert, unchanged},
    {OpCode::kBitcastConvert, bits_of_bits},
    {OpCode::kIota, count_of_one},
    {OpCode::kReshape, of_splat},
    {OpCode::kReshape, unchanged},
    {OpCode::kReshape, reshape_of_reshape},
    {OpCode::kReshape, reshape_of_broadcast},
    {OpCode::kBroadcastInDim, of_splat},
    {OpCode::kBroadcastInDim, broadcast_to_the_same_size},
    {OpCode::kBroadcastInDim, broadcast_of_broadcast},
    {OpCode::kBroadcastInDim, broadcast_of_reshape},
    {OpCode::kTranspose, of_splat},
    {OpCode::kTranspose, transpose_in_order},
    {OpCode::kTranspose, transpose_of_transpose},
    {OpCode::kTranspose, transpose_of_broadcast},
    {OpCode::kReverse, of_splat},
    {OpCode::kReverse, reverse_of_equals},
    {OpCode::kReverse, reverse_of_reverse},
};

}  // namespace

std::span<const RuleOf> shape_rules() { return kRules; }

}  // namespace weft::compiler::simplifying
