// NumPy indexing: x(1, slice(0, 3), newaxis, ellipsis, ids) reads, x.at(...).set(v) makes changed
// copies. Integers and slices are static; arrays of integers may be traced.
//
// A static integer out of range is an IndexError, and so is any index into an empty axis. Integer arrays wrap once from
// the end when negative; what is still out of range reads the nearest element and is not written (see IndexMode).
#pragma once

#include "weft/core/arg.h"
#include "weft/np/axis_param.h"
#include "weft/ops/lax.h"

namespace weft {

using lax::IndexMode;

/// start:stop:step, each optional, as in Python.
struct Slice {
  std::optional<std::int64_t> start, stop, step;
};
/// All of an axis.
inline Slice slice() { return {}; }
/// The elements before `stop`.
inline Slice slice(std::optional<std::int64_t> stop) { return {{}, stop, {}}; }
/// start, start + step, ... before `stop`; std::nullopt means the end of the axis.
inline Slice slice(std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
                   std::optional<std::int64_t> step = {}) {
  return {start, stop, step};
}
struct NewAxis {};
/// A new axis of size 1.
inline constexpr NewAxis newaxis{};
struct Ellipsis {};
/// As many full slices as there are axes left.
inline constexpr Ellipsis ellipsis{};

/// One entry of an index. Implicit, so that it can record the user's line.
class Index {
 public:
  enum class Kind : std::uint8_t { kInteger, kSlice, kNewAxis, kEllipsis, kArray };

  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  Index(T i, SourceLocation loc = std::source_location::current())
      : kind_(Kind::kInteger), integer_(static_cast<std::int64_t>(i)), loc_(loc) {}
  Index(Slice s, SourceLocation loc = std::source_location::current()) : kind_(Kind::kSlice), slice_(s), loc_(loc) {}
  Index(NewAxis, SourceLocation loc = std::source_location::current()) : kind_(Kind::kNewAxis), loc_(loc) {}
  Index(Ellipsis, SourceLocation loc = std::source_location::current()) : kind_(Kind::kEllipsis), loc_(loc) {}
  /// Integers of any shape, or a bool mask over as many axes as it has (which must not be traced:
  /// the result's shape depends on it).
  Index(const Array& a, SourceLocation loc = std::source_location::current())
      : kind_(Kind::kArray), array_(a), loc_(loc) {}
  Index(std::initializer_list<int> ids, SourceLocation loc = std::source_location::current())
      : Index(Array(std::vector<int>(ids)), loc) {}
  /// Integers, or a mask as bools, in a vector, span or array.
  template <class R>
    requires(detail::IntegerRange<R> || std::is_same_v<R, std::vector<bool>>)
  Index(const R& ids, SourceLocation loc = std::source_location::current())
      : Index(Array(std::vector<std::remove_cvref_t<decltype(*std::begin(ids))>>(std::begin(ids), std::end(ids))),
              loc) {}

  Kind kind() const { return kind_; }
  std::int64_t integer() const { return integer_; }
  const Slice& slice() const { return slice_; }
  const Array& array() const { return array_; }
  const SourceLocation& location() const { return loc_; }

 private:
  Kind kind_;
  std::int64_t integer_ = 0;
  Slice slice_;
  Array array_;
  SourceLocation loc_;
};
using Indices = SmallVector<Index, 4>;

/// x.at(i...): what may be done at the indexed elements. Every method returns a new array.
class IndexUpdate {
 public:
  IndexUpdate(Array x, Indices indices) : x_(std::move(x)), indices_(std::move(indices)) {}
  /// The elements, with another mode than x(i...) has.
  Array get(IndexMode mode = IndexMode::kClip) const;
  /// x with the elements replaced by `v`, which broadcasts to their shape and takes x's dtype. ValueError for a number
  /// that does not fit it.
  /// Of several values for one element the last in row-major order wins.
  Array set(const Arg& v, IndexMode mode = IndexMode::kFillOrDrop) const;
  /// Combined with `v`; an element indexed twice is changed twice.
  Array add(const Arg& v, IndexMode mode = IndexMode::kFillOrDrop) const;
  Array multiply(const Arg& v, IndexMode mode = IndexMode::kFillOrDrop) const;
  Array min(const Arg& v, IndexMode mode = IndexMode::kFillOrDrop) const;
  Array max(const Arg& v, IndexMode mode = IndexMode::kFillOrDrop) const;

 private:
  Array update(const char* what, const Arg& v, lax::ScatterKind kind, IndexMode mode) const;
  Array x_;
  Indices indices_;
};

namespace np {

/// x(indices...) for a list made at run time.
Array index(const Array& x, std::span<const Index> indices, IndexMode mode = IndexMode::kClip);

/// x's slices at `indices` along `axis` (flattened x when none): the axis is replaced by the axes
/// of `indices`. Out of range reads NaN (or the lowest / highest integer) unless `mode` says else.
Array take(const Arg& x, const Arg& indices, OptionalAxis axis = {}, IndexMode mode = IndexMode::kFillOrDrop);
struct Wrap {};
/// A mode of take: indices count round and round, modulo the size of the axis. IndexError when that is 0.
inline constexpr Wrap wrap{};
Array take(const Arg& x, const Arg& indices, OptionalAxis axis, Wrap);
/// Indices in braces, or in a vector, span or array.
template <class Mode = IndexMode>
Array take(const Arg& x, std::initializer_list<int> indices, OptionalAxis axis = {},
           Mode mode = IndexMode::kFillOrDrop) {
  return take(x, Arg(Array(std::vector<int>(indices)), x.location()), axis, mode);
}
template <weft::detail::IntegerRange R, class Mode = IndexMode>
Array take(const Arg& x, const R& indices, OptionalAxis axis = {}, Mode mode = IndexMode::kFillOrDrop) {
  return take(x, Arg(Index(indices).array(), x.location()), axis, mode);
}

/// out[..., i, ...] = x[..., indices[..., i, ...], ...] along `axis`; the other sizes of x and
/// `indices` are equal or 1.
Array take_along_axis(const Arg& x, const Arg& indices, Axis axis, IndexMode mode = IndexMode::kFillOrDrop);

}  // namespace np

template <class List>
  requires std::is_convertible_v<const List&, std::span<const Index>>
Array Array::operator()(const List& indices) const {
  return np::index(*this, indices);
}
template <class List>
  requires std::is_convertible_v<const List&, std::span<const Index>>
IndexUpdate Array::at(const List& indices) const {
  return {*this, Indices(std::span<const Index>(indices))};
}

}  // namespace weft
