// Convolutions of 3x3 at stride 1 by Winograd's way (Lavin and Gray, "Fast algorithms for convolutional neural
// networks", 2015): tiles of 4x4 results, a quarter of the products, at the price of some bits. What is not finite
// spreads over the tiles that read it, as NaN, and numbers above 1e36 may overflow in between. Invariant: on one
// machine the bits of a result do not depend on the number of threads.
#pragma once

#include "weft/cpu/kernels/convolution.h"
#include "weft/cpu/kernels/epilogue.h"

namespace weft::cpu {

/// Whether winograd() serves the form, and is faster than other ways: 3x3 at stride 1 with features last, sixteens of
/// them, and tiles enough; not the gradient of weights.
bool can_winograd(const ConvolutionForm& form);

/// The elements of src, weights and dst; the one that the form computes is written. Whether `epilogue`, if any, was
/// called. Throws InternalError unless can_winograd(form).
bool winograd(const ConvolutionForm& form, float* src, const float* weights, float* dst,
              const Epilogue* epilogue = nullptr);

}  // namespace weft::cpu
