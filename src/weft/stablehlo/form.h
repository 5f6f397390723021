// The two ways to write a program down.
#pragma once

#include <cstdint>

namespace weft::stablehlo {

enum class Form : std::uint8_t {
  kPretty,   ///< for people: the published assembly formats
  kGeneric,  ///< for other compilers: every operation in quotes, which needs no knowledge of dialects
};

}  // namespace weft::stablehlo
