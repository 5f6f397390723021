// A small bitmap font for the printable ASCII characters, drawn for this library.
// Invariant: a glyph is kGlyphWidth x kGlyphHeight cells; capitals and digits stand on row 6, and rows 7
// and 8 are for descenders. The cell between characters is not part of a glyph.
#pragma once

#include <array>
#include <cstdint>

namespace weft::train {

inline constexpr int kGlyphWidth = 5;
inline constexpr int kGlyphHeight = 9;

/// Rows top to bottom; bit 4 is the leftmost cell. Characters outside printable ASCII give a hollow box.
const std::array<std::uint8_t, kGlyphHeight>& glyph(char c);

}  // namespace weft::train
