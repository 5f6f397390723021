// Rearranging arrays, with NumPy's names. Axes may be negative.
#pragma once

#include "weft/np/creation.h"
#include "weft/np/promotion.h"

namespace weft::np {

/// Where to cut an axis, as a parameter: a number of parts, or positions (in braces or a vector).
class Cuts {
 public:
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Cuts(T sections, SourceLocation loc = std::source_location::current())  // implicit by design
      : sections_(Integer(sections, loc)) {}
  template <detail::NoInteger T>
  Cuts(T) = delete;  // a bool is no number, and a float would lose its fraction
  Cuts(std::initializer_list<std::int64_t> at) : at_(at) {}
  Cuts(std::vector<std::int64_t> at) : at_(std::move(at)) {}
  std::optional<std::int64_t> sections() const { return sections_; }
  const std::vector<std::int64_t>& at() const { return at_; }

 private:
  std::optional<std::int64_t> sections_;
  std::vector<std::int64_t> at_;
};

/// The elements in row-major order under another shape; one size may be -1 and is worked out.
Array reshape(const Arg& x, const Shape& shape);
/// 1-d.
Array ravel(const Arg& x);
/// Axes in another order; reversed when none is given. Also permute_dims.
Array transpose(const Arg& x, const std::vector<int>& axes = {});
inline Array permute_dims(const Arg& x, const std::vector<int>& axes) { return transpose(x, axes); }
/// The last two axes exchanged. ShapeError when there are fewer.
Array matrix_transpose(const Arg& x);
Array swapaxes(const Arg& x, Axis a, Axis b);
/// Axis from[i] becomes axis to[i]; the others keep their order.
Array moveaxis(const Arg& x, const Axes& from, const Axes& to);
/// New axes of size 1 at `axes` of the result.
Array expand_dims(const Arg& x, const Axes& axes);
/// Without the axes of size 1, or without the given ones (ShapeError when their size is not 1).
Array squeeze(const Arg& x, const Axes& axes = {});

// ---- joining: dtypes promote; ValueError for no arrays ----

/// Joined along an axis; without one (nullopt) flattened first. Also concat.
Array concatenate(std::span<const Array> xs, OptionalAxis axis = 0,
                  SourceLocation loc = std::source_location::current());
/// Joined along a new axis.
Array stack(std::span<const Array> xs, Axis axis = 0, SourceLocation loc = std::source_location::current());
/// Joined along axis 0 (1-d arrays as rows), along axis 1 (1-d arrays end to end), along axis 2, and as
/// columns (1-d arrays as columns).
Array vstack(std::span<const Array> xs, SourceLocation loc = std::source_location::current());
Array hstack(std::span<const Array> xs, SourceLocation loc = std::source_location::current());
Array dstack(std::span<const Array> xs, SourceLocation loc = std::source_location::current());
Array column_stack(std::span<const Array> xs, SourceLocation loc = std::source_location::current());
/// `values` after x along an axis; both flattened when none is given.
Array append(const Arg& x, const Arg& values, OptionalAxis axis = {});

// The same for arrays in braces.
using ArrayList = std::initializer_list<Array>;
inline std::span<const Array> as_span(ArrayList xs) { return {xs.begin(), xs.size()}; }
inline Array concatenate(ArrayList xs, OptionalAxis axis = 0, SourceLocation loc = std::source_location::current()) {
  return concatenate(as_span(xs), axis, loc);
}
inline Array concat(std::span<const Array> xs, OptionalAxis axis = 0,
                    SourceLocation loc = std::source_location::current()) {
  return concatenate(xs, axis, loc);
}
inline Array concat(ArrayList xs, OptionalAxis axis = 0, SourceLocation loc = std::source_location::current()) {
  return concatenate(as_span(xs), axis, loc);
}
inline Array stack(ArrayList xs, Axis axis = 0, SourceLocation loc = std::source_location::current()) {
  return stack(as_span(xs), axis, loc);
}
inline Array vstack(ArrayList xs, SourceLocation loc = std::source_location::current()) {
  return vstack(as_span(xs), loc);
}
inline Array hstack(ArrayList xs, SourceLocation loc = std::source_location::current()) {
  return hstack(as_span(xs), loc);
}
inline Array dstack(ArrayList xs, SourceLocation loc = std::source_location::current()) {
  return dstack(as_span(xs), loc);
}
inline Array column_stack(ArrayList xs, SourceLocation loc = std::source_location::current()) {
  return column_stack(as_span(xs), loc);
}

// ---- taking apart ----

/// So many parts of equal size (ShapeError when the axis does not divide), or the slices x[:at[0]],
/// x[at[0]:at[1]], ..., x[at[n]:].
std::vector<Array> split(const Arg& x, const Cuts& cuts, Axis axis = 0);
/// Parts whose sizes differ by one at most, the larger ones first.
std::vector<Array> array_split(const Arg& x, Integer sections, Axis axis = 0);
/// The slices along an axis, without it.
std::vector<Array> unstack(const Arg& x, Axis axis = 0);

// ---- repeating and moving ----

/// The whole array repeated `repetitions[i]` times along axis i (aligned to the right); one number is for the last
/// axis. ValueError for a negative number.
Array tile(const Arg& x, const Shape& repetitions);
/// Every element repeated `counts` times, or element i of the axis counts[i] times (in braces or any sequence of
/// integers); along the flattened array when no axis is given. ValueError for a negative count, ShapeError when there
/// are neither one nor as many counts as elements.
Array repeat(const Arg& x, const Shape& counts, OptionalAxis axis = {});
/// Order reversed along the axes (all when empty).
Array flip(const Arg& x, const Axes& axes = {});
inline Array fliplr(const Arg& x) { return flip(x, 1); }
inline Array flipud(const Arg& x) { return flip(x, 0); }
/// Turned by `k` right angles in the plane of two axes, from the first towards the second.
Array rot90(const Arg& x, Integer k = 1, std::pair<int, int> axes = {0, 1});
/// Elements moved by `shift` along an axis, the last ones coming first; of the flattened array when none is given.
Array roll(const Arg& x, Integer shift, OptionalAxis axis = {});
/// `widths[i].first` copies of `value` before and `widths[i].second` after axis i; one pair holds for all axes.
Array pad(const Arg& x, const std::vector<std::pair<std::int64_t, std::int64_t>>& widths, const Arg& value = 0);
/// `width` copies of `value` on every side.
Array pad(const Arg& x, Integer width, const Arg& value = 0);
/// x with leading axes of size 1 until there are at least one or two; NumPy's for three: [n] -> [1, n, 1],
/// [m, n] -> [m, n, 1].
Array atleast_1d(const Arg& x);
Array atleast_2d(const Arg& x);
Array atleast_3d(const Arg& x);

}  // namespace weft::np
