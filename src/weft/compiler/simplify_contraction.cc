// Rules about reduce and dot_general. Each is headed by what it says. Nothing is added up in another order.
#include "weft/compiler/simplify_axes.h"
#include "weft/compiler/simplify_forms.h"
#include "weft/compiler/simplify_literal.h"
#include "weft/ir/contraction.h"

namespace weft::compiler::simplifying {

namespace {

using Value = std::optional<Atom>;

// ---- reduce ----

std::int64_t reduced_count(const Rewriter& to, const Equation& e) {
  return product(picked(shape(to, e.operands[0]), e.params_as<ReduceParams>().axes));
}

// reduce(x) = reshape(x), of one element each; but a sum of floats starts from 0, and 0 + -0 is 0
Value reduce_of_one(Rewriter& to, const Equation& e) {
  const bool from_zero = e.params_as<ReduceParams>().kind == ReduceKind::kSum && is_inexact(e.types[0].dtype());
  if (from_zero || reduced_count(to, e) != 1) return std::nullopt;
  return reshape(to, e.operands[0], e.types[0].shape());
}

// max(c, c, ...) = c; so do min, and, or, and sum and product of bool; the sum of nothing but 0 is 0
Value reduce_of_splat(Rewriter& to, const Equation& e) {
  const Literal* l = to.literal(e.operands[0]);
  if (!l || reduced_count(to, e) == 0) return std::nullopt;
  const ReduceKind kind = e.params_as<ReduceParams>().kind;
  const bool sums = kind == ReduceKind::kSum, multiplies = kind == ReduceKind::kProd;
  const bool same = l->aval.dtype() == boolean ? kind != ReduceKind::kXor
                    : sums                     ? is_number(*l, 0)
                    : multiplies               ? false
                                               : kind != ReduceKind::kXor;
  return same ? Value(to.literal(reshaped(*l, e.types[0]))) : std::nullopt;
}

// ---- dot_general ----

// dot(transpose(x), y) = dot(x, y) by other axes, where those that are left keep their order
Value dot_of_transpose(Rewriter& to, const Equation& e) {
  auto p = e.params_as<DotGeneralParams>();
  if (p.ordered) return std::nullopt;  // those are in the one form that code is good at
  DotDimensionNumbers& d = p.dimension_numbers;
  Atoms operands = e.operands;
  const auto fold = [&](std::size_t side, Dims& contracting, Dims& batch) {
    const Equation* inner = to.definition(operands[side], OpCode::kTranspose);
    if (!inner) return;
    const Dims& permutation = inner->params_as<TransposeParams>().permutation;
    const Dims free = axes_without(permutation.size(), contracting, batch);
    if (!is_increasing(picked(permutation, free))) return;
    operands[side] = inner->operands[0];
    contracting = picked(permutation, contracting);
    batch = picked(permutation, batch);
  };
  fold(0, d.lhs_contracting, d.lhs_batch);
  fold(1, d.rhs_contracting, d.rhs_batch);
  if (operands == e.operands) return std::nullopt;
  return to.make(OpCode::kDotGeneral, ir::make_params(p), operands);
}

// transpose(dot(x, y)) = dot(y, x), where that is what it does: of a product that nobody else uses
Value transpose_of_dot(Rewriter& to, const Equation& e) {
  const Equation* dot = to.definition(e.operands[0], OpCode::kDotGeneral);
  if (!dot || !to.used_once(e.operands[0])) return std::nullopt;
  auto p = dot->params_as<DotGeneralParams>();
  if (p.ordered) return std::nullopt;
  DotDimensionNumbers& d = p.dimension_numbers;
  const Dims& permutation = e.params_as<TransposeParams>().permutation;
  const std::size_t rank = permutation.size(), num_batch = d.lhs_batch.size();
  const std::size_t num_rhs = shape(to, dot->operands[1]).size() - num_batch - d.rhs_contracting.size();
  const std::size_t num_lhs = rank - num_batch - num_rhs;
  // Batch axes may trade places among themselves; of the others, those of one side come before those of the other.
  Dims batch;
  for (std::size_t i = 0; i < num_batch; ++i) {
    if (as_index(permutation[i]) >= num_batch) return std::nullopt;
    batch.push_back(permutation[i]);
  }
  const auto follows = [&](std::size_t at, std::size_t n, std::size_t from) {
    for (std::size_t i = 0; i < n; ++i)
      if (as_index(permutation[at + i]) != from + i) return false;
    return true;
  };
  const bool swapped =
      follows(num_batch, num_rhs, num_batch + num_lhs) && follows(num_batch + num_rhs, num_lhs, num_batch);
  const bool in_order =
      follows(num_batch, num_lhs, num_batch) && follows(num_batch + num_lhs, num_rhs, num_batch + num_lhs);
  if (!swapped && !in_order) return std::nullopt;
  d.lhs_batch = picked(d.lhs_batch, batch);
  d.rhs_batch = picked(d.rhs_batch, batch);
  Atoms operands = dot->operands;
  if (swapped) {
    std::swap(operands[0], operands[1]);
    std::swap(d.lhs_batch, d.rhs_batch);
    std::swap(d.lhs_contracting, d.rhs_contracting);
  }
  return to.make(OpCode::kDotGeneral, ir::make_params(p), operands);
}

constexpr RuleOf kRules[] = {
    {OpCode::kReduce, reduce_of_one},
    {OpCode::kReduce, reduce_of_splat},
    {OpCode::kDotGeneral, dot_of_transpose},
    {OpCode::kTranspose, transpose_of_dot},
};

}  // namespace

std::span<const RuleOf> contraction_rules() { return kRules; }

}  // namespace weft::compiler::simplifying
