// The parameters of the elementwise operations that have some; all others are told apart by
// their OpCode alone. Here, not in ops/, because compilers read them too.
#pragma once

#include "weft/ir/params.h"

namespace weft {

/// The last six compare floats in IEEE's total order: -NaN < -inf < ... < -0 < 0 < ... < inf < NaN.
enum class ComparisonDirection : std::uint8_t {
  kEq,
  kNe,
  kGe,
  kGt,
  kLe,
  kLt,
  kTotalEq,
  kTotalNe,
  kTotalGe,
  kTotalGt,
  kTotalLe,
  kTotalLt
};
inline constexpr std::string_view kComparisonDirectionNames[] = {
    "EQ", "NE", "GE", "GT", "LE", "LT", "TOTAL_EQ", "TOTAL_NE", "TOTAL_GE", "TOTAL_GT", "TOTAL_LE", "TOTAL_LT"};
constexpr std::span<const std::string_view> enum_names(ComparisonDirection) { return kComparisonDirectionNames; }

/// The direction without "total": the same question where all numbers are ordered (integers, bool).
constexpr ComparisonDirection usual_order(ComparisonDirection d) {
  constexpr int kUsual = static_cast<int>(ComparisonDirection::kTotalEq);
  return static_cast<ComparisonDirection>(static_cast<int>(d) % kUsual);
}

/// compare: printed as eq, ne, ge, gt, le, lt; in total order as eq_to, ne_to, ...
struct CompareParams {
  ComparisonDirection direction{};
  static constexpr auto fields(auto&& visit) { return visit(ir::field("direction", &CompareParams::direction)); }
};

/// convert and bitcast_convert.
struct ConvertParams {
  DType new_dtype{};
  static constexpr auto fields(auto&& visit) { return visit(ir::field("new_dtype", &ConvertParams::new_dtype)); }
};

/// reduce_precision. At least 1 exponent bit and no fewer than 0 mantissa bits.
struct ReducePrecisionParams {
  std::int64_t exponent_bits = 0;
  std::int64_t mantissa_bits = 0;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("exponent_bits", &ReducePrecisionParams::exponent_bits),
                 ir::field("mantissa_bits", &ReducePrecisionParams::mantissa_bits));
  }
};

}  // namespace weft
