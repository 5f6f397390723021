// Rules about numbers: elementwise operations. Each is headed by what it says, which holds to the bit for -0, NaN and
// infinities, and for integers that wrap. Where a float rule looks as if it were missing (x + 0, -(x - y)), the sign of
// a zero is why.
#include <array>
#include <cmath>

#include "weft/compiler/simplify_literal.h"
#include "weft/compiler/simplify_rewriter.h"
#include "weft/ir/elements.h"
#include "weft/ir/elementwise.h"

namespace weft::compiler::simplifying {

namespace {

using Value = std::optional<Atom>;

DType dtype(const Equation& e) { return e.types[0].dtype(); }
bool is_real(DType t) { return !is_complex(t); }

bool is_literally(const Rewriter& to, Atom a, double value) {
  const Literal* l = to.literal(a);
  return l && is_number(*l, value);
}
bool has_all_bits(const Rewriter& to, Atom a) {
  const Literal* l = to.literal(a);
  return l && is_all_ones(*l);
}
bool is_literally(const Rewriter& to, Atom a, const Literal& other) {
  const Literal* l = to.literal(a);
  return l && same_element(*l, other);
}

// The other operand of two, if `is` holds of one.
template <class Is>
Value beside(const Equation& e, Is is) {
  for (const std::size_t i : {0u, 1u})
    if (is(e.operands[i])) return e.operands[1 - i];
  return std::nullopt;
}
// The operand of the unary operation that gave `a`.
Value undone(const Rewriter& to, Atom a, OpCode op) {
  const Equation* inner = to.definition(a, op);
  return inner ? Value(inner->operands[0]) : std::nullopt;
}

// ---- sums and products ----

// x + 0 = x, where 0 is -0 of floats: 0 + -0 is 0
Value add_nothing(Rewriter& to, const Equation& e) {
  if (is_complex(dtype(e))) return std::nullopt;
  const double nothing = is_float(dtype(e)) ? -0.0 : 0.0;
  return beside(e, [&](Atom a) { return is_literally(to, a, nothing); });
}

// x + -y = x - y
Value add_negated(Rewriter& to, const Equation& e) {
  for (const std::size_t i : {1u, 0u})
    if (const Value y = undone(to, e.operands[i], OpCode::kNegate))
      return to.make(OpCode::kSubtract, {}, {e.operands[1 - i], *y});
  return std::nullopt;
}

// x - 0 = x
Value subtract_nothing(Rewriter& to, const Equation& e) {
  return is_literally(to, e.operands[1], 0) ? Value(e.operands[0]) : std::nullopt;
}

// x - -y = x + y
Value subtract_negated(Rewriter& to, const Equation& e) {
  const Value y = undone(to, e.operands[1], OpCode::kNegate);
  return y ? Value(to.make(OpCode::kAdd, {}, {e.operands[0], *y})) : std::nullopt;
}

// x - x = 0, x ^ x = 0 of integers; infinity - infinity is NaN
Value cancel(Rewriter& to, const Equation& e) {
  if (is_inexact(dtype(e)) || e.operands[0] != e.operands[1]) return std::nullopt;
  return to.literal(number(e.types[0], 0));
}

// x * 1 = x
Value multiply_by_one(Rewriter& to, const Equation& e) {
  if (is_complex(dtype(e))) return std::nullopt;
  return beside(e, [&](Atom a) { return is_literally(to, a, 1); });
}

// x * 0 = 0, x & 0 = 0 of integers
Value times_nothing(Rewriter& to, const Equation& e) {
  if (is_inexact(dtype(e))) return std::nullopt;
  for (const Atom a : e.operands)
    if (is_literally(to, a, 0)) return a;
  return std::nullopt;
}

// x / 1 = x
Value divide_by_one(Rewriter& to, const Equation& e) {
  return is_real(dtype(e)) && is_literally(to, e.operands[1], 1) ? Value(e.operands[0]) : std::nullopt;
}

// x / 2^k = x * 2^-k of floats: both are the same number, rounded once
Value divide_by_power_of_two(Rewriter& to, const Equation& e) {
  const Literal* by = to.literal(e.operands[1]);
  if (!is_float(dtype(e)) || !by) return std::nullopt;
  double value;
  convert_elements(dtype(e), by->value.data(), f64, &value, 1);
  int exponent;
  if (!std::isfinite(value) || std::abs(std::frexp(value, &exponent)) != 0.5) return std::nullopt;
  const Literal inverse = number(by->aval, 1 / value);
  // 2^-k must be there, and normal, also when k is large.
  double again;
  convert_elements(dtype(e), inverse.value.data(), f64, &again, 1);
  const bool normal = std::abs(exponent) < (dtype(e) == f16 ? 14 : dtype(e) == f64 ? 1022 : 126);
  if (!normal || again != 1 / value) return std::nullopt;
  return to.make(OpCode::kMultiply, {}, {e.operands[0], to.literal(inverse)});
}

// ---- order ----

// max(x, x) = x, x & x = x, x | x = x
Value both_the_same(Rewriter&, const Equation& e) {
  return e.operands[0] == e.operands[1] ? Value(e.operands[0]) : std::nullopt;
}

// max(x, lowest) = x, min(x, highest) = x
Value not_bounding(Rewriter& to, const Equation& e) {
  if (is_complex(dtype(e))) return std::nullopt;
  const Literal bound = e.op == OpCode::kMaximum ? lowest(e.types[0]) : highest(e.types[0]);
  return beside(e, [&](Atom a) { return is_literally(to, a, bound); });
}

// max(x, highest) = highest, min(x, lowest) = lowest of integers; of floats there is NaN
Value bound_reached(Rewriter& to, const Equation& e) {
  if (!is_integer(dtype(e))) return std::nullopt;
  const Literal bound = e.op == OpCode::kMaximum ? highest(e.types[0]) : lowest(e.types[0]);
  for (const Atom a : e.operands)
    if (is_literally(to, a, bound)) return a;
  return std::nullopt;
}

// clamp(lowest, x, highest) = x
Value clamp_to_all(Rewriter& to, const Equation& e) {
  if (is_complex(dtype(e)) || dtype(e) == boolean) return std::nullopt;
  const bool all =
      is_literally(to, e.operands[0], lowest(e.types[0])) && is_literally(to, e.operands[2], highest(e.types[0]));
  return all ? Value(e.operands[1]) : std::nullopt;
}

// x == x, where it cannot be NaN
Value compare_with_itself(Rewriter& to, const Equation& e) {
  const ComparisonDirection d = e.params_as<CompareParams>().direction, usual = usual_order(d);
  if (e.operands[0] != e.operands[1] || (d == usual && is_inexact(to.aval(e.operands[0]).dtype()))) return std::nullopt;
  const bool holds =
      usual == ComparisonDirection::kEq || usual == ComparisonDirection::kGe || usual == ComparisonDirection::kLe;
  return to.literal(number(e.types[0], holds));
}

// ---- bits and truth ----

// x + y = x | y, x * y = x & y, max(x, y) = x | y, min(x, y) = x & y of bool
Value in_terms_of_logic(Rewriter& to, const Equation& e) {
  if (dtype(e) != boolean) return std::nullopt;
  const bool either = e.op == OpCode::kAdd || e.op == OpCode::kMaximum;
  return to.make(either ? OpCode::kOr : OpCode::kAnd, {}, e.operands);
}

// x & ~0 = x
Value and_all(Rewriter& to, const Equation& e) {
  return beside(e, [&](Atom a) { return has_all_bits(to, a); });
}

// x | ~0 = ~0
Value or_all(Rewriter& to, const Equation& e) {
  for (const Atom a : e.operands)
    if (has_all_bits(to, a)) return a;
  return std::nullopt;
}

// x | 0 = x, x ^ 0 = x
Value or_nothing(Rewriter& to, const Equation& e) {
  return beside(e, [&](Atom a) { return is_literally(to, a, 0); });
}

// x ^ ~0 = ~x
Value xor_all(Rewriter& to, const Equation& e) {
  const Value x = and_all(to, e);
  return x ? Value(to.make(OpCode::kNot, {}, {*x})) : std::nullopt;
}

// x << 0 = x
Value shift_by_nothing(Rewriter& to, const Equation& e) {
  return is_literally(to, e.operands[1], 0) ? Value(e.operands[0]) : std::nullopt;
}

// !(x < y) = x >= y, where neither can be NaN; !(x == y) = x != y
Value not_compare(Rewriter& to, const Equation& e) {
  using D = ComparisonDirection;
  static constexpr std::array kOpposite = {D::kNe, D::kEq, D::kLt, D::kLe, D::kGt, D::kGe};
  const Equation* c = to.definition(e.operands[0], OpCode::kCompare);
  if (!c) return std::nullopt;
  const D d = c->params_as<CompareParams>().direction, usual = usual_order(d);
  const bool equality = usual == D::kEq || usual == D::kNe;
  if (d == usual && is_inexact(to.aval(c->operands[0]).dtype()) && !equality) return std::nullopt;
  const int total = static_cast<int>(d) - static_cast<int>(usual);
  const auto opposite = static_cast<D>(static_cast<int>(kOpposite[static_cast<std::size_t>(usual)]) + total);
  return to.make(OpCode::kCompare, ir::make_params(CompareParams{opposite}), c->operands);
}

// ---- one operand ----

// -(-x) = x, !(!x) = x
Value twice_is_none(Rewriter& to, const Equation& e) { return undone(to, e.operands[0], e.op); }

// floor(floor(x)) = floor(x)
Value twice_is_once(Rewriter& to, const Equation& e) {
  return is_real(dtype(e)) && undone(to, e.operands[0], e.op) ? Value(e.operands[0]) : std::nullopt;
}

// |-x| = |x|
Value abs_of_negated(Rewriter& to, const Equation& e) {
  const Value x = undone(to, e.operands[0], OpCode::kNegate);
  return x ? Value(to.make(OpCode::kAbs, {}, {*x})) : std::nullopt;
}

// real(complex(x, y)) = x, imag(complex(x, y)) = y
Value part_of_complex(Rewriter& to, const Equation& e) {
  const Equation* z = to.definition(e.operands[0], OpCode::kComplex);
  return z ? Value(z->operands[e.op == OpCode::kReal ? 0 : 1]) : std::nullopt;
}

// complex(real(z), imag(z)) = z
Value complex_of_parts(Rewriter& to, const Equation& e) {
  const Value z = undone(to, e.operands[0], OpCode::kReal);
  return z && z == undone(to, e.operands[1], OpCode::kImag) ? z : std::nullopt;
}

// ---- choice ----

// true ? x : y = x
Value select_known(Rewriter& to, const Equation& e) {
  const Literal* p = to.literal(e.operands[0]);
  return p ? Value(e.operands[is_all_ones(*p) ? 1 : 2]) : std::nullopt;
}

// p ? x : x = x
Value select_the_same(Rewriter&, const Equation& e) {
  return e.operands[1] == e.operands[2] ? Value(e.operands[1]) : std::nullopt;
}

// !p ? x : y = p ? y : x
Value select_by_not(Rewriter& to, const Equation& e) {
  const Value p = undone(to, e.operands[0], OpCode::kNot);
  return p ? Value(to.make(OpCode::kSelect, {}, {*p, e.operands[2], e.operands[1]})) : std::nullopt;
}

// p ? (p ? x : y) : z = p ? x : z
Value select_again(Rewriter& to, const Equation& e) {
  for (const std::size_t i : {1u, 2u}) {
    const Equation* inner = to.definition(e.operands[i], OpCode::kSelect);
    if (!inner || inner->operands[0] != e.operands[0]) continue;
    Atoms operands = e.operands;
    operands[i] = inner->operands[i];
    return to.make(OpCode::kSelect, {}, operands);
  }
  return std::nullopt;
}

// p ? true : y = p | y, p ? x : false = p & x, p ? false : true = !p
Value select_truth(Rewriter& to, const Equation& e) {
  const Atom p = e.operands[0], x = e.operands[1], y = e.operands[2];
  if (dtype(e) != boolean || to.aval(p) != e.types[0]) return std::nullopt;
  if (is_literally(to, x, 1)) return to.make(OpCode::kOr, {}, {p, y});
  if (is_literally(to, y, 0)) return to.make(OpCode::kAnd, {}, {p, x});
  if (is_literally(to, x, 0) && is_literally(to, y, 1)) return to.make(OpCode::kNot, {}, {p});
  return std::nullopt;
}

// ---- types ----

// Whether every value of `from` is one of `to`.
bool holds_all(DType to, DType from) {
  if (is_storage(to) || is_storage(from) || to == boolean) return to == from;
  if (from == boolean || to == from) return true;
  if (is_complex(from)) return to == c128;
  if (is_complex(to)) return holds_all(real_dtype(to), from);
  if (is_float(from)) return is_float(to) && (to == f64 || (to == f32 && from != f64));
  const std::int64_t bits = 8 * byte_size(from);
  if (is_float(to)) {
    const int digits = to == f64 ? 53 : to == f32 ? 24 : to == f16 ? 11 : 8;
    return bits - is_signed_integer(from) <= digits;
  }
  if (is_unsigned(to)) return is_unsigned(from) && byte_size(to) >= byte_size(from);
  return 8 * byte_size(to) >= bits + is_unsigned(from);
}

// t(s(x)) = t(x), where s holds all values of x's type. Floats are kept in an integer's range, and integers wrap: what
// goes from integer to integer by way of a float must fit.
Value convert_again(Rewriter& to, const Equation& e) {
  const Equation* inner = to.definition(e.operands[0], OpCode::kConvert);
  if (!inner) return std::nullopt;
  const Atom x = inner->operands[0];
  const DType from = to.aval(x).dtype(), between = inner->params_as<ConvertParams>().new_dtype;
  if (!holds_all(between, from)) return std::nullopt;
  if (is_integer(from) && is_inexact(between) && is_integer(dtype(e)) && !holds_all(dtype(e), from))
    return std::nullopt;
  return to.make(OpCode::kConvert, e.params, {x});
}

constexpr RuleOf kRules[] = {
    {OpCode::kAdd, in_terms_of_logic},
    {OpCode::kAdd, add_nothing},
    {OpCode::kAdd, add_negated},
    {OpCode::kSubtract, subtract_nothing},
    {OpCode::kSubtract, subtract_negated},
    {OpCode::kSubtract, cancel},
    {OpCode::kMultiply, in_terms_of_logic},
    {OpCode::kMultiply, multiply_by_one},
    {OpCode::kMultiply, times_nothing},
    {OpCode::kDivide, divide_by_one},
    {OpCode::kDivide, divide_by_power_of_two},
    {OpCode::kMaximum, in_terms_of_logic},
    {OpCode::kMaximum, both_the_same},
    {OpCode::kMaximum, not_bounding},
    {OpCode::kMaximum, bound_reached},
    {OpCode::kMinimum, in_terms_of_logic},
    {OpCode::kMinimum, both_the_same},
    {OpCode::kMinimum, not_bounding},
    {OpCode::kMinimum, bound_reached},
    {OpCode::kClamp, clamp_to_all},
    {OpCode::kCompare, compare_with_itself},
    {OpCode::kAnd, both_the_same},
    {OpCode::kAnd, times_nothing},
    {OpCode::kAnd, and_all},
    {OpCode::kOr, both_the_same},
    {OpCode::kOr, or_nothing},
    {OpCode::kOr, or_all},
    {OpCode::kXor, cancel},
    {OpCode::kXor, or_nothing},
    {OpCode::kXor, xor_all},
    {OpCode::kShiftLeft, shift_by_nothing},
    {OpCode::kShiftRightArithmetic, shift_by_nothing},
    {OpCode::kShiftRightLogical, shift_by_nothing},
    {OpCode::kNot, twice_is_none},
    {OpCode::kNot, not_compare},
    {OpCode::kNegate, twice_is_none},
    {OpCode::kConj, twice_is_none},
    {OpCode::kAbs, twice_is_once},
    {OpCode::kAbs, abs_of_negated},
    {OpCode::kCeil, twice_is_once},
    {OpCode::kFloor, twice_is_once},
    {OpCode::kRoundNearestAfz, twice_is_once},
    {OpCode::kRoundNearestEven, twice_is_once},
    {OpCode::kSign, twice_is_once},
    {OpCode::kReal, part_of_complex},
    {OpCode::kImag, part_of_complex},
    {OpCode::kComplex, complex_of_parts},
    {OpCode::kSelect, select_known},
    {OpCode::kSelect, select_the_same},
    {OpCode::kSelect, select_by_not},
    {OpCode::kSelect, select_again},
    {OpCode::kSelect, select_truth},
    {OpCode::kConvert, convert_again},
};

}  // namespace

std::span<const RuleOf> arithmetic_rules() { return kRules; }

}  // namespace weft::compiler::simplifying
