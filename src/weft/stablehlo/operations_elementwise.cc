// Elementwise operations: most have nothing but a name.
#include "weft/ir/elementwise.h"
#include "weft/stablehlo/operations.h"

namespace weft::stablehlo {

namespace {

// Six directions, each in the order of numbers or in the total order of floats.
constexpr int kDirections = 6;

ir::Params read_compare(const AttributeReader& from) {
  const Comparison c = read_comparison(from);
  // Of the weak order the importer has made a total one.
  const bool total = (c.total_order || c.weak_order) && !from.in.empty() && is_float(from.in[0].dtype());
  return ir::make_params(
      CompareParams{static_cast<ComparisonDirection>(static_cast<int>(c.direction) + (total ? kDirections : 0))});
}

void write_compare(const ir::ParamsBase* params, AttributeWriter& to) {
  const int d = static_cast<int>(ir::params_as<CompareParams>(params).direction);
  to.enumerator("comparison_direction", "comparison_direction", kComparisonDirectionNames[d % kDirections]);
  to.enumerator("compare_type", "comparison_type", comparison_type(to.in[0].dtype(), d >= kDirections));
}

ir::Params read_convert(const AttributeReader& from) { return ir::make_params(ConvertParams{from.result().dtype()}); }

ir::Params read_reduce_precision(const AttributeReader& from) {
  return ir::make_params(ReducePrecisionParams{from.integer("exponent_bits"), from.integer("mantissa_bits")});
}

void write_reduce_precision(const ir::ParamsBase* params, AttributeWriter& to) {
  const auto& p = ir::params_as<ReducePrecisionParams>(params);
  to.integer("exponent_bits", p.exponent_bits, "i32");
  to.integer("mantissa_bits", p.mantissa_bits, "i32");
}

constexpr Operation kRows[] = {
    {OpCode::kAbs, "stablehlo.abs"},
    {OpCode::kCbrt, "stablehlo.cbrt"},
    {OpCode::kCeil, "stablehlo.ceil"},
    {OpCode::kCosine, "stablehlo.cosine"},
    {OpCode::kCountLeadingZeros, "stablehlo.count_leading_zeros"},
    {OpCode::kExponential, "stablehlo.exponential"},
    {OpCode::kExponentialMinusOne, "stablehlo.exponential_minus_one"},
    {OpCode::kFloor, "stablehlo.floor"},
    {OpCode::kImag, "stablehlo.imag"},
    {OpCode::kIsFinite, "stablehlo.is_finite"},
    {OpCode::kLog, "stablehlo.log"},
    {OpCode::kLogPlusOne, "stablehlo.log_plus_one"},
    {OpCode::kLogistic, "stablehlo.logistic"},
    {OpCode::kNegate, "stablehlo.negate"},
    {OpCode::kNot, "stablehlo.not"},
    {OpCode::kPopcnt, "stablehlo.popcnt"},
    {OpCode::kReal, "stablehlo.real"},
    {OpCode::kRoundNearestAfz, "stablehlo.round_nearest_afz"},
    {OpCode::kRoundNearestEven, "stablehlo.round_nearest_even"},
    {OpCode::kRsqrt, "stablehlo.rsqrt"},
    {OpCode::kSign, "stablehlo.sign"},
    {OpCode::kSine, "stablehlo.sine"},
    {OpCode::kSqrt, "stablehlo.sqrt"},
    {OpCode::kTan, "stablehlo.tan"},
    {OpCode::kTanh, "stablehlo.tanh"},
    {OpCode::kAdd, "stablehlo.add"},
    {OpCode::kAnd, "stablehlo.and"},
    {OpCode::kAtan2, "stablehlo.atan2"},
    {OpCode::kComplex, "stablehlo.complex"},
    {OpCode::kDivide, "stablehlo.divide"},
    {OpCode::kMaximum, "stablehlo.maximum"},
    {OpCode::kMinimum, "stablehlo.minimum"},
    {OpCode::kMultiply, "stablehlo.multiply"},
    {OpCode::kOr, "stablehlo.or"},
    {OpCode::kPower, "stablehlo.power"},
    {OpCode::kRemainder, "stablehlo.remainder"},
    {OpCode::kShiftLeft, "stablehlo.shift_left"},
    {OpCode::kShiftRightArithmetic, "stablehlo.shift_right_arithmetic"},
    {OpCode::kShiftRightLogical, "stablehlo.shift_right_logical"},
    {OpCode::kSubtract, "stablehlo.subtract"},
    {OpCode::kXor, "stablehlo.xor"},
    {OpCode::kSelect, "stablehlo.select"},
    {OpCode::kClamp, "stablehlo.clamp"},
    {OpCode::kAcos, "chlo.acos"},
    {OpCode::kAcosh, "chlo.acosh"},
    {OpCode::kAsin, "chlo.asin"},
    {OpCode::kAsinh, "chlo.asinh"},
    {OpCode::kAtan, "chlo.atan"},
    {OpCode::kAtanh, "chlo.atanh"},
    {OpCode::kBesselI1e, "chlo.bessel_i1e"},
    {OpCode::kConj, "chlo.conj"},
    {OpCode::kCosh, "chlo.cosh"},
    {OpCode::kDigamma, "chlo.digamma"},
    {OpCode::kErf, "chlo.erf"},
    {OpCode::kErfInv, "chlo.erf_inv"},
    {OpCode::kErfc, "chlo.erfc"},
    {OpCode::kIsInf, "chlo.is_inf"},
    {OpCode::kIsNegInf, "chlo.is_neg_inf"},
    {OpCode::kIsPosInf, "chlo.is_pos_inf"},
    {OpCode::kLgamma, "chlo.lgamma"},
    {OpCode::kSinh, "chlo.sinh"},
    {OpCode::kSquare, "chlo.square"},
    {OpCode::kSquare, "stablehlo.square"},  // read too
    {OpCode::kNextAfter, "chlo.next_after"},
    {OpCode::kPolygamma, "chlo.polygamma"},
    {OpCode::kZeta, "chlo.zeta"},
    {OpCode::kMulhi, "chlo.mulhi"},
    {OpCode::kTan, "chlo.tan"},  // read too; the row above is what is written
    {OpCode::kCompare, "stablehlo.compare", read_compare, write_compare},
    {OpCode::kConvert, "stablehlo.convert", read_convert, write_nothing},
    {OpCode::kBitcastConvert, "stablehlo.bitcast_convert", read_convert, write_nothing},
    {OpCode::kReducePrecision, "stablehlo.reduce_precision", read_reduce_precision, write_reduce_precision},
};

}  // namespace

std::span<const Operation> elementwise_operations() { return kRows; }

Comparison read_comparison(const AttributeReader& from) {
  static constexpr std::string_view kTypes[] = {"NOTYPE", "FLOAT", "TOTALORDER", "SIGNED", "UNSIGNED", "WEAKORDER"};
  const std::span<const std::string_view> directions = std::span(kComparisonDirectionNames).first(kDirections);
  Comparison c;
  c.direction =
      static_cast<ComparisonDirection>(from.enumerator("comparison_direction", "comparison_direction", directions));
  if (!from.has("compare_type")) return c;
  const std::string_view type = kTypes[from.enumerator("compare_type", "comparison_type", kTypes)];
  c.total_order = type == "TOTALORDER";
  c.weak_order = type == "WEAKORDER";
  return c;
}

}  // namespace weft::stablehlo
