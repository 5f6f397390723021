#include "train/canvas.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "train/font.h"
#include "weft/base/error.h"

namespace weft::train {

namespace {

constexpr int kLargestSide = 16384;
constexpr int kAdvance = kGlyphWidth + 1;
constexpr int kCapitalRows = 7;

// Distance from (px, py) to the piece from (x0, y0) to (x1, y1).
double distance(double px, double py, double x0, double y0, double x1, double y1) {
  const double dx = x1 - x0, dy = y1 - y0, length2 = dx * dx + dy * dy;
  const double t = length2 > 0 ? std::clamp(((px - x0) * dx + (py - y0) * dy) / length2, 0.0, 1.0) : 0.0;
  return std::hypot(px - x0 - t * dx, py - y0 - t * dy);
}

// Index of (x, y) in rows of `width`.
std::size_t at(int x, int y, int width) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
}

// Start of a text of `length` pixels, `sign` telling whether the axis grows along the text.
int aligned(int place, int length, int sign, Align align) {
  if (align == Align::kLeft) return place;
  return place - sign * (align == Align::kCenter ? length / 2 : length);
}

// Calls set(column, row) for every cell of the text that is inked.
template <class F>
void for_each_cell(std::string_view text, F&& set) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto& rows = glyph(text[i]);
    for (int row = 0; row < kGlyphHeight; ++row)
      for (int column = 0; column < kGlyphWidth; ++column)
        if ((rows[static_cast<std::size_t>(row)] >> (kGlyphWidth - 1 - column) & 1) != 0)
          set(static_cast<int>(i) * kAdvance + column, row);
  }
}

}  // namespace

Canvas::Canvas(int width, int height, Color background, SourceLocation loc) {
  const LocationScope scope(loc, "canvas");
  if (width < 1 || height < 1 || width > kLargestSide || height > kLargestSide)
    throw ShapeError("canvas: width and height must be between 1 and " + std::to_string(kLargestSide) + "; got " +
                     std::to_string(width) + " and " + std::to_string(height) + ".");
  image_ = {width, height, 3,
            std::vector<std::uint8_t>(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
  fill(0, 0, width, height, background);
}

Color Canvas::pixel(int x, int y, SourceLocation loc) const {
  const LocationScope scope(loc, "canvas");
  if (x < 0 || y < 0 || x >= width() || y >= height())
    throw IndexError("canvas: a pixel must lie in " + std::to_string(width()) + "x" + std::to_string(height()) +
                     "; got " + std::to_string(x) + ", " + std::to_string(y) + ".");
  const std::uint8_t* p = &image_.pixels[3 * at(x, y, width())];
  return {p[0], p[1], p[2]};
}

void Canvas::blend(int x, int y, Color color, double opacity) {
  if (x < 0 || y < 0 || x >= width() || y >= height() || !(opacity > 0)) return;
  std::uint8_t* p = &image_.pixels[3 * at(x, y, width())];
  const double a = std::min(opacity, 1.0);
  const auto mix = [a](std::uint8_t under, std::uint8_t over) {
    return static_cast<std::uint8_t>(std::lround(under + a * (over - under)));
  };
  p[0] = mix(p[0], color.r), p[1] = mix(p[1], color.g), p[2] = mix(p[2], color.b);
}

void Canvas::fill(int x, int y, int width, int height, Color color) {
  const int left = std::max(x, 0), top = std::max(y, 0);
  // In 64 bits: x + width may not fit an int.
  const auto right = static_cast<int>(std::min<std::int64_t>(this->width(), std::int64_t{x} + width));
  const auto bottom = static_cast<int>(std::min<std::int64_t>(this->height(), std::int64_t{y} + height));
  for (int row = top; row < bottom; ++row)
    for (int column = left; column < right; ++column) blend(column, row, color);
}

void Canvas::frame(int x, int y, int width, int height, Color color, int thickness) {
  fill(x, y, width, thickness, color);
  fill(x, y + height - thickness, width, thickness, color);
  fill(x, y, thickness, height, color);
  fill(x + width - thickness, y, thickness, height, color);
}

void Canvas::path(std::span<const double> x, std::span<const double> y, Color color, double thickness,
                  SourceLocation loc) {
  const LocationScope scope(loc, "canvas");
  if (x.size() != y.size())
    throw ShapeError("canvas: path must have equally many x and y; got " + std::to_string(x.size()) + " and " +
                     std::to_string(y.size()) + ".");
  if (x.empty()) return;
  // The distance to the whole path, not piece by piece: joints must not be inked twice. Distances are kept for
  // the path's bounding box only.
  const double reach = thickness / 2 + 1;
  double left = width(), right = 0, top = height(), bottom = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) continue;
    left = std::min(left, x[i] - reach), right = std::max(right, x[i] + reach);
    top = std::min(top, y[i] - reach), bottom = std::max(bottom, y[i] + reach);
  }
  const int x_begin = static_cast<int>(std::clamp<double>(std::floor(left), 0, width()));
  const int x_end = static_cast<int>(std::clamp<double>(std::ceil(right), x_begin, width()));
  const int y_begin = static_cast<int>(std::clamp<double>(std::floor(top), 0, height()));
  const int y_end = static_cast<int>(std::clamp<double>(std::ceil(bottom), y_begin, height()));
  const auto columns = static_cast<std::size_t>(x_end - x_begin);
  std::vector<float> nearest(columns * static_cast<std::size_t>(y_end - y_begin), static_cast<float>(reach));

  const auto add_piece = [&](double x0, double y0, double x1, double y1) {
    // Clipped to the box row by row, so that long slanted pieces stay cheap.
    const int row_begin = static_cast<int>(std::clamp<double>(std::floor(std::min(y0, y1) - reach), y_begin, y_end));
    const int row_end = static_cast<int>(std::clamp<double>(std::ceil(std::max(y0, y1) + reach), y_begin, y_end));
    const double dx = x1 - x0, dy = y1 - y0;
    for (int row = row_begin; row < row_end; ++row) {
      double low = std::min(x0, x1), high = std::max(x0, x1);
      if (dy != 0) {
        const double slack = reach * std::hypot(dx, dy) / std::fabs(dy) + std::fabs(dx / dy);
        const double middle = x0 + (row + 0.5 - y0) / dy * dx;
        low = std::max(low, middle - slack), high = std::min(high, middle + slack);
      }
      const int begin = static_cast<int>(std::clamp<double>(std::floor(low - reach), x_begin, x_end));
      const int end = static_cast<int>(std::clamp<double>(std::ceil(high + reach), begin, x_end));
      float* out = nearest.data() + static_cast<std::size_t>(row - y_begin) * columns;
      for (int column = begin; column < end; ++column) {
        const auto d = static_cast<float>(distance(column + 0.5, row + 0.5, x0, y0, x1, y1));
        out[column - x_begin] = std::min(out[column - x_begin], d);
      }
    }
  };
  const auto finite = [&](std::size_t i) { return std::isfinite(x[i]) && std::isfinite(y[i]); };
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!finite(i)) continue;
    const bool joined_before = i > 0 && finite(i - 1);
    if (i + 1 < x.size() && finite(i + 1))
      add_piece(x[i], y[i], x[i + 1], y[i + 1]);
    else if (!joined_before)
      add_piece(x[i], y[i], x[i], y[i]);
  }
  // A line thinner than a pixel is a pale line of one pixel.
  const double half = std::max(thickness, 1.0) / 2, strength = std::min(thickness, 1.0);
  for (int row = y_begin; row < y_end; ++row)
    for (int column = x_begin; column < x_end; ++column) {
      const double d = nearest[at(column - x_begin, row - y_begin, x_end - x_begin)];
      blend(column, row, color, strength * std::clamp(half + 0.5 - d, 0.0, 1.0));
    }
}

void Canvas::line(double x0, double y0, double x1, double y1, Color color, double thickness) {
  const double x[] = {x0, x1}, y[] = {y0, y1};
  path(x, y, color, thickness);
}

void Canvas::draw(int x, int y, const Image& image, int scale, SourceLocation loc) {
  const LocationScope scope(loc, "canvas");
  const auto& [width, height, channels, pixels] = image;
  if (width < 0 || height < 0 || (channels != 1 && channels != 3) ||
      pixels.size() !=
          static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * static_cast<std::size_t>(channels))
    throw ShapeError("canvas: an image must have width * height pixels of 1 or 3 channels; got " +
                     std::to_string(pixels.size()) + " bytes for " + std::to_string(width) + "x" +
                     std::to_string(height) + "x" + std::to_string(channels) + ".");
  const std::uint8_t* p = pixels.data();
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column, p += channels)
      fill(x + column * scale, y + row * scale, scale, scale,
           channels == 1 ? Color{p[0], p[0], p[0]} : Color{p[0], p[1], p[2]});
}

void Canvas::text(int x, int y, std::string_view text, Color color, int scale, Align align) {
  const int start = aligned(x, text_width(text, scale), 1, align);
  for_each_cell(text, [&](int column, int row) { fill(start + column * scale, y + row * scale, scale, scale, color); });
}

void Canvas::text_up(int x, int y, std::string_view text, Color color, int scale, Align align) {
  const int start = aligned(y, text_width(text, scale), -1, align);
  for_each_cell(text,
                [&](int column, int row) { fill(x + row * scale, start - (column + 1) * scale, scale, scale, color); });
}

int text_width(std::string_view text, int scale) {
  return text.empty() ? 0 : (static_cast<int>(text.size()) * kAdvance - 1) * scale;
}

int text_height(int scale) { return kCapitalRows * scale; }

}  // namespace weft::train
