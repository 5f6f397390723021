// Images of 8 bits per channel, and PNG files of them. Knows nothing about drawing.
// Invariant: pixels.size() == width * height * channels, rows top to bottom; encode_png checks it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weft/base/location.h"

namespace weft::train {

struct Image {
  int width = 0;
  int height = 0;
  int channels = 1;  ///< 1 (grey) or 3 (red, green, blue)
  std::vector<std::uint8_t> pixels;
};

/// The image as a PNG file's bytes. ShapeError for an empty image, other channels or pixels that do not fill it.
std::vector<std::byte> encode_png(const Image& image, SourceLocation loc = std::source_location::current());

/// The image in a PNG file's bytes, grey for grey files and RGB for all others, 16 bits reduced to 8, blended onto
/// black where transparent. ParseError naming `source` when the bytes are not a PNG file or are damaged.
Image decode_png(std::span<const std::byte> bytes, const std::string& source,
                 SourceLocation loc = std::source_location::current());

/// Writes a PNG file under a temporary name and renames it; BackendError when the system refuses.
void write_png(const std::string& path, const Image& image, SourceLocation loc = std::source_location::current());

/// The image in a PNG file; BackendError when it cannot be read, ParseError when it is damaged.
Image read_png(const std::string& path, SourceLocation loc = std::source_location::current());

}  // namespace weft::train
