// Handwriting-like digits drawn by the program: a stand-in for MNIST where there is neither a file nor a network.
// Knows pen strokes only; nothing here comes from a data set.
// Invariant: image i depends on (seed, i) alone, so a longer set starts with a shorter one.
#pragma once

#include <cstdint>
#include <vector>

#include "weft/base/location.h"

namespace weft::train {

struct DrawnDigits {
  std::vector<std::uint8_t> images;  ///< u8[n, 28, 28], 0 is paper, 255 is ink
  std::vector<std::uint8_t> labels;  ///< u8[n], 0 to 9, all equally likely
};

/// Draws n digits: a random variant of each glyph with jittered points, slant, size, place, stroke width and noise.
/// ValueError when n is negative.
DrawnDigits draw_digits(std::int64_t n, std::uint64_t seed, SourceLocation loc = std::source_location::current());

}  // namespace weft::train
