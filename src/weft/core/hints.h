// Advice that errors of several layers give in the same words.
#pragma once

namespace weft {

/// Where two values that must have one dtype have two.
inline constexpr const char* kOneDTypeHint =
    "convert it with astype; a number takes the dtype of its C++ type: 0.0f is f32, 0.0 f64.";

}  // namespace weft
