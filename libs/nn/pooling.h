// Pooling: x[batch..., spatial..., features] seen through a window over the spatial axes, of which there are as many as
// `window` has numbers; there are any number of axes of batch, also none. Errors: ShapeError for inputs of too few axes
// and lists of another length, ValueError for numbers that are not positive and for padding by more than nothing
// (kCircular, kReflect, kCausal).
#pragma once

#include "nn/padding.h"
#include "weft/base/shape_param.h"
#include "weft/core/arg.h"
#include "weft/ir/contraction.h"

namespace weft::nn {

/// How a window moves.
struct Pooling {
  Shape strides = 1;  // one number, or one for each axis of the window; not the window's unless they say so
  Padding padding = Padding::kValid;
};
/// How the window of avg_pool moves.
struct AveragePooling {
  Shape strides = 1;
  Padding padding = Padding::kValid;
  /// Whether padding counts as zeros, or not at all.
  bool count_include_pad = true;
};

/// y[b..., o..., f] combines x[b..., o strides + k - low, f] over the places k of the window; padding is the neutral
/// element. Dtypes as lax::reduce_window's.
Array pool(const Arg& x, ReduceKind kind, const Shape& window, const Pooling& how = {});
/// The mean over the window, of sums in f32 where the type is smaller; integers give f32.
Array avg_pool(const Arg& x, const Shape& window, const AveragePooling& how = {});
/// The largest; its derivative goes to the first place that attains it.
Array max_pool(const Arg& x, const Shape& window, const Pooling& how = {});
/// The smallest, likewise.
Array min_pool(const Arg& x, const Shape& window, const Pooling& how = {});

}  // namespace weft::nn
