// Rearranging arrays, with NumPy's names. Axes may be negative.
#pragma once

#include "weft/np/creation.h"
#include "weft/np/promotion.h"

namespace weft::np {

/// The elements in row-major order under another shape; one size may be -1 and is worked out.
Array reshape(const Arg& x, const Shape& shape);
/// 1-d.
Array ravel(const Arg& x);
/// Axes in another order; reversed when none is given.
Array transpose(const Arg& x, const std::vector<int>& axes = {});
Array swapaxes(const Arg& x, int a, int b);
Array moveaxis(const Arg& x, int from, int to);
/// A new axis of size 1 at `axis`.
Array expand_dims(const Arg& x, int axis);
/// Without the axes of size 1, or without the given ones (ShapeError when their size is not 1).
Array squeeze(const Arg& x, const std::vector<int>& axes = {});
/// Joined along an axis; dtypes promote.
Array concatenate(std::span<const Array> xs, int axis = 0);
inline Array concatenate(std::initializer_list<Array> xs, int axis = 0) { return concatenate(std::span<const Array>(xs.begin(), xs.size()), axis); }
/// Joined along a new axis.
Array stack(std::span<const Array> xs, int axis = 0);
inline Array stack(std::initializer_list<Array> xs, int axis = 0) { return stack(std::span<const Array>(xs.begin(), xs.size()), axis); }
/// Joined along axis 0 (1-d arrays as rows) and along axis 1 (1-d arrays end to end).
Array vstack(std::span<const Array> xs);
Array hstack(std::span<const Array> xs);
/// Parts of equal size; ShapeError when it does not divide.
std::vector<Array> split(const Arg& x, int sections, int axis = 0);
/// The slices along an axis, without it.
std::vector<Array> unstack(const Arg& x, int axis = 0);
/// The whole array repeated `repetitions[i]` times along axis i (aligned to the right).
Array tile(const Arg& x, const std::vector<std::int64_t>& repetitions);
/// Every element repeated; along the flattened array when no axis is given.
Array repeat(const Arg& x, std::int64_t repetitions, std::optional<int> axis = {});
/// Order reversed along the axes (all when empty).
Array flip(const Arg& x, const std::vector<int>& axes = {});
/// Elements moved by `shift` along an axis, the last ones coming first; of the flattened array when none is given.
Array roll(const Arg& x, std::int64_t shift, std::optional<int> axis = {});
/// `before[i]` and `after[i]` copies of `value` around axis i.
Array pad(const Arg& x, const std::vector<std::pair<std::int64_t, std::int64_t>>& widths, const Arg& value = 0);
Array atleast_1d(const Arg& x);
Array atleast_2d(const Arg& x);

}  // namespace weft::np
