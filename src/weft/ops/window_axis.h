// The arithmetic of a window that slides along one axis: how many places it has, and which windows transpose it.
// Shared by convolution and reduce_window. Private to ops/.
#pragma once

#include "weft/ops/common.h"

namespace weft::ops {

/// Elements first, first + step, ...: `count` of them.
struct Progression {
  std::int64_t first = 0, step = 1, count = 0;
};

/// One axis of an array and of the window over it. With the array dilated and padded as StableHLO says, place `o`
/// sees element i as its k-th when  i base_dilation + low = o stride + k window_dilation.
struct WindowAxis {
  std::int64_t size = 0;
  std::int64_t window = 1;
  std::int64_t stride = 1;
  std::int64_t base_dilation = 1;
  std::int64_t window_dilation = 1;
  std::int64_t low = 0;
  std::int64_t high = 0;

  /// Elements that the dilated array covers, and the dilated window.
  std::int64_t base_extent() const { return size == 0 ? 0 : (size - 1) * base_dilation + 1; }
  std::int64_t window_extent() const { return window == 0 ? 0 : (window - 1) * window_dilation + 1; }
  /// How often the window fits: 0 when the padded array is empty or shorter than it.
  std::int64_t places() const {
    const std::int64_t padded = low + base_extent() + high;
    return padded <= 0 || window_extent() > padded ? 0 : (padded - window_extent()) / stride + 1;
  }
  /// The element that is the k-th at place `o`, or -1 for padding.
  std::int64_t element(std::int64_t o, std::int64_t k) const {
    const std::int64_t at = o * stride + k * window_dilation - low;
    return at < 0 || at % base_dilation != 0 || at / base_dilation >= size ? -1 : at / base_dilation;
  }
  /// The elements that place `o` sees, ascending.
  Progression seen(std::int64_t o) const;
  /// Whether it leaves the axis as it is, place i seeing element i alone.
  bool trivial() const { return window == 1 && stride == 1 && base_dilation == 1 && low == 0 && high == 0; }
};

/// Throws ValueError when a number of `axis` is out of range: strides and dilations at least 1, sizes not negative,
/// nothing so large that the arithmetic above could overflow. `number` is the axis in messages.
void check_window_axis(std::string_view op, std::size_t number, const WindowAxis& axis);

/// The axis over which a sum over windows is transposed: its windows over the places of `axis`, read backwards, see
/// at place i exactly the places of `axis` that see element i. `axis` must have elements, a window and places.
WindowAxis transposed(const WindowAxis& axis);

}  // namespace weft::ops
