// Arrays as pictures. Knows nothing about files.
#pragma once

#include <vector>

#include "train/png.h"
#include "weft/core/array.h"

namespace weft::train {

/// The pictures in an array [n, height, width, channels], or the one in [height, width, channels]: of u8, or of floats
/// from 0 to 1, where x becomes floor(255.5 x) within 0 to 255 as in TensorFlow, and NaN 0. ShapeError for other shapes
/// and channels than 1 and 3, DTypeError for other dtypes.
std::vector<Image> images_of(const Array& x, SourceLocation loc = std::source_location::current());

/// The pixels of a picture, u8[height, width, channels].
Array array_of(const Image& image);

}  // namespace weft::train
