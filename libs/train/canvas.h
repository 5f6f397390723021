// A picture to draw on: pixels, rectangles, smooth lines, text, small images. Knows nothing about plots.
// Invariant: drawing outside the picture is clipped, never an error. (0, 0) is the top left pixel's corner for
// lines, whose ends are not whole numbers, and the pixel itself elsewhere.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "train/png.h"

namespace weft::train {

struct Color {
  std::uint8_t r = 0, g = 0, b = 0;
  bool operator==(const Color&) const = default;
};

inline constexpr Color kWhite{255, 255, 255}, kBlack{0, 0, 0};
inline constexpr Color kInk{40, 44, 52}, kFaint{110, 116, 126};  ///< of titles and numbers

/// Which part of the text stands at the given place.
enum class Align : std::uint8_t { kLeft, kCenter, kRight };

class Canvas {
 public:
  /// ShapeError unless both sizes are between 1 and 16384.
  Canvas(int width, int height, Color background = kWhite, SourceLocation loc = std::source_location::current());

  int width() const { return image_.width; }
  int height() const { return image_.height; }
  const Image& image() const { return image_; }

  /// IndexError when the pixel is outside.
  Color pixel(int x, int y, SourceLocation loc = std::source_location::current()) const;
  /// Mixes the colour in: 0 leaves the pixel, 1 replaces it. Outside pixels are ignored.
  void blend(int x, int y, Color color, double opacity = 1);
  /// Fills width x height pixels from (x, y) down and right.
  void fill(int x, int y, int width, int height, Color color);
  /// The outline of that rectangle, `thickness` pixels inwards.
  void frame(int x, int y, int width, int height, Color color, int thickness = 1);
  /// A smooth line with round ends through the points x[i], y[i]; a single point is a dot.
  /// ShapeError unless both have equal size; pieces with a coordinate that is not finite are left out.
  void path(std::span<const double> x, std::span<const double> y, Color color, double thickness = 1,
            SourceLocation loc = std::source_location::current());
  /// The piece from (x0, y0) to (x1, y1).
  void line(double x0, double y0, double x1, double y1, Color color, double thickness = 1);
  /// An image (ShapeError unless its pixels fill it and are grey or RGB), each pixel a square of scale x scale.
  void draw(int x, int y, const Image& image, int scale = 1, SourceLocation loc = std::source_location::current());
  /// Text of one line with its top at y, cells of scale x scale pixels.
  void text(int x, int y, std::string_view text, Color color, int scale = 2, Align align = Align::kLeft);
  /// Text that runs upwards: its start is at y = bottom for kLeft, its top at x.
  void text_up(int x, int y, std::string_view text, Color color, int scale = 2, Align align = Align::kLeft);

  /// Writes the picture; BackendError when the system refuses.
  void write(const std::string& path, SourceLocation loc = std::source_location::current()) const {
    write_png(path, image_, loc);
  }

 private:
  Image image_;
};

/// The width of a line of text in pixels.
int text_width(std::string_view text, int scale = 2);
/// The height of capitals and digits; descenders reach two cells lower.
int text_height(int scale = 2);

}  // namespace weft::train
