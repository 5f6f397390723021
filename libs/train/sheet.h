// A sheet of images with what a classifier says about each.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "train/canvas.h"

namespace weft::train {

struct DigitSheet {
  std::string title = {};                          ///< above the digits; how many are right is added below it
  std::span<const std::uint8_t> images = {};       ///< u8[n, rows, cols], 0 is paper, 255 is ink
  std::span<const std::uint8_t> labels = {};       ///< u8[n]: what each is
  std::span<const std::int32_t> predictions = {};  ///< i32[n]: what the classifier says
  int rows = 28;
  int cols = 28;
  int per_line = 20;
  int scale = 2;
};

/// The grid of images, dark on light, the predicted label under each; a wrong one in red, followed by the true
/// label in brackets. ShapeError when the sizes do not agree or the picture is too large,
/// ValueError when a size is below 1.
Canvas draw_digit_sheet(const DigitSheet& sheet, SourceLocation loc = std::source_location::current());

/// Draws the sheet into a PNG file; BackendError when the system refuses.
void digit_sheet(const std::string& path, const DigitSheet& sheet,
                 SourceLocation loc = std::source_location::current());

}  // namespace weft::train
