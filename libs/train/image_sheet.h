// A sheet of images, and of what a classifier says about them, if it does. Knows nothing about files of images.
#pragma once

#include <string>
#include <vector>

#include "train/canvas.h"
#include "weft/core/array.h"

namespace weft::train {

struct ImageSheet {
  std::string title = {};               ///< above the images
  Array images = {};                    ///< [n, height, width] or [n, height, width, 1 or 3]: u8, or floats from 0 to 1
  Array labels = {};                    ///< integers [n]: what each is
  Array predictions = {};               ///< integers [n]: what the classifier says
  std::vector<std::string> names = {};  ///< of the classes that labels and predictions count; numbers when empty
  int per_line = 16;
  int scale = 2;          ///< pixels of the sheet for each of an image's, along both sides
  bool negative = false;  ///< 255 becomes black: for digits, which have 0 for paper and 255 for ink
};

/// The grid of images, line by line. Under each is its label or its prediction, where the sheet has one of them. Where
/// it has both, it is the prediction: a wrong one in red, followed by the label in brackets, or above the label where
/// an image is too narrow for both; and under the title stands how many are right.
/// ShapeError when sizes do not agree, there is no image, or the picture is too large; DTypeError for other dtypes;
/// ValueError when per_line or scale is below 1, or a class has no name.
Canvas draw_image_sheet(const ImageSheet& sheet, SourceLocation loc = std::source_location::current());

/// Draws the sheet into a PNG file; BackendError when the system refuses.
void image_sheet(const std::string& path, const ImageSheet& sheet,
                 SourceLocation loc = std::source_location::current());

}  // namespace weft::train
