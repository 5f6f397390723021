// The parameters of StableHLO's random number operations. Here, not in ops/, because compilers read them too.
#pragma once

#include "weft/ir/params.h"

namespace weft {

enum class RngDistribution : std::uint8_t { kUniform, kNormal };
inline constexpr std::string_view kRngDistributionNames[] = {"UNIFORM", "NORMAL"};
constexpr std::span<const std::string_view> enum_names(RngDistribution) { return kRngDistributionNames; }

struct RngParams {
  RngDistribution rng_distribution{};
  Dims shape;  // of what is drawn for each element of the operands
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("rng_distribution", &RngParams::rng_distribution), ir::field("shape", &RngParams::shape));
  }
};

enum class RngAlgorithm : std::uint8_t { kDefault, kThreeFry, kPhilox };
inline constexpr std::string_view kRngAlgorithmNames[] = {"DEFAULT", "THREE_FRY", "PHILOX"};
constexpr std::span<const std::string_view> enum_names(RngAlgorithm) { return kRngAlgorithmNames; }

struct RngBitGeneratorParams {
  RngAlgorithm rng_algorithm{};
  DType dtype = u32;
  Dims shape;  // of the bits of each state
  static constexpr auto fields(auto&& visit) {
    using R = RngBitGeneratorParams;
    return visit(ir::field("rng_algorithm", &R::rng_algorithm), ir::field("dtype", &R::dtype),
                 ir::field("shape", &R::shape));
  }
};

}  // namespace weft
