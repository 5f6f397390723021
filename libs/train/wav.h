// Arrays as sounds: WAV files of 16-bit samples (RIFF, "WAVE", the chunks "fmt " and "data").
#pragma once

#include <string>
#include <vector>

#include "weft/core/array.h"

namespace weft::train {

/// The files of the sounds in an array [n, frames, channels], or of the one in [frames, channels], with so many frames
/// in a second: floats from -1 to 1, where x becomes round(32768 x) within the range as in TensorFlow, and NaN 0.
/// ShapeError for other shapes, no channels or more than 65535, and sounds of 2 GB or more, DTypeError for other
/// dtypes, ValueError unless the rate is positive.
std::vector<std::string> wavs_of(const Array& x, int sample_rate, SourceLocation loc = std::source_location::current());

}  // namespace weft::train
