// Convolutions as tests and benchmarks write them.
#pragma once

#include "weft/ir/window.h"

namespace weft::testing {

/// Images [batch, height, width, feature], kernels [height, width, in, out].
inline ConvDimensionNumbers nhwc_hwio() {
  return {.input_batch = 0,
          .input_feature = 3,
          .input_spatial = {1, 2},
          .kernel_output_feature = 3,
          .kernel_input_feature = 2,
          .kernel_spatial = {0, 1},
          .output_batch = 0,
          .output_feature = 3,
          .output_spatial = {1, 2}};
}

/// Of images with kernels 3 x 3: the result has the image's size.
inline ConvolutionParams same_3x3() {
  return {.dimension_numbers = nhwc_hwio(), .padding_low = {1, 1}, .padding_high = {1, 1}};
}

}  // namespace weft::testing
