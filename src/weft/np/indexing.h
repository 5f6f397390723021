// NumPy indexing: x(1, slice(0, 3), newaxis, ellipsis, ids) reads, x.at(...).set(v) makes changed
// copies. Integers and slices are static; arrays of integers may be traced.
//
// A static integer out of range is an IndexError, and so is any index into an empty axis. Integer arrays wrap once from
// the end when negative; what is still out of range reads the nearest element and is not written (see IndexMode).
#pragma once

#include "weft/core/arg.h"
#include "weft/np/params.h"
#include "weft/ops/lax.h"

namespace weft {

using lax::IndexMode;

namespace detail {
template <class T>
concept IndexInteger = std::is_integral_v<T> && !std::is_same_v<T, bool>;
template <class R>
concept BoolRange = requires(const R& r) {
  requires std::is_same_v<std::remove_cvref_t<decltype(*std::begin(r))>, bool> ||
               std::is_same_v<R, std::vector<bool>>;  // whose elements are proxies
  std::end(r);
};
/// What an index in braces is of.
template <class T>
concept IndexElement = IndexInteger<T> || std::is_same_v<T, bool>;
Array index_rows(DType t, const void* data, std::size_t rows, std::size_t columns, bool ragged,
                 const SourceLocation& loc);
template <class T>
Array index_rows(std::initializer_list<std::initializer_list<T>> rows, const SourceLocation& loc) {
  const std::size_t columns = rows.size() == 0 ? 0 : rows.begin()->size();
  std::vector<std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>> elements;
  bool ragged = false;
  for (const auto& row : rows) {
    ragged |= row.size() != columns;
    elements.insert(elements.end(), row.begin(), row.end());
  }
  return index_rows(dtype_of<T>(), elements.data(), rows.size(), columns, ragged, loc);
}
template <class R>
auto index_vector(const R& r) {
  using T = std::conditional_t<BoolRange<R>, bool, std::remove_cvref_t<decltype(*std::begin(r))>>;
  return std::vector<T>(std::begin(r), std::end(r));
}
[[noreturn]] void throw_index_wraps(std::uint64_t index, const SourceLocation& loc);
/// IndexError for unsigned integers beyond all others: nearly always a size of 0 less 1, which would count from the
/// end.
template <IndexInteger T>
std::int64_t index_value(T i, const SourceLocation& loc) {
  if constexpr (std::is_unsigned_v<T> && sizeof(T) == 8)
    if (i > static_cast<T>(INT64_MAX)) [[unlikely]]
      throw_index_wraps(i, loc);
  return static_cast<std::int64_t>(i);
}
}  // namespace detail

/// start:stop:step, each optional, as in Python.
struct Slice {
  std::optional<std::int64_t> start, stop, step;
};
/// A number of a slice, or none: `{}` or std::nullopt. IndexError for unsigned integers from 2^63.
class SliceNumber {
 public:
  SliceNumber() = default;
  SliceNumber(std::nullopt_t) {}
  template <detail::IndexInteger T>
  SliceNumber(T i, SourceLocation loc = std::source_location::current()) : value_(detail::index_value(i, loc)) {}
  SliceNumber(std::optional<std::int64_t> i) : value_(i) {}
  operator const std::optional<std::int64_t>&() const { return value_; }

 private:
  std::optional<std::int64_t> value_;
};
/// All of an axis.
inline Slice slice() { return {}; }
/// The elements before `stop`.
inline Slice slice(SliceNumber stop) { return {{}, stop, {}}; }
/// start, start + step, ... before `stop`; std::nullopt means the end of the axis.
inline Slice slice(SliceNumber start, SliceNumber stop, SliceNumber step = {}) { return {start, stop, step}; }
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

  /// IndexError for unsigned integers from 2^63.
  template <detail::IndexInteger T>
  Index(T i, SourceLocation loc = std::source_location::current())
      : kind_(Kind::kInteger), integer_(detail::index_value(i, loc)), loc_(loc) {}
  Index(Slice s, SourceLocation loc = std::source_location::current()) : kind_(Kind::kSlice), slice_(s), loc_(loc) {}
  Index(NewAxis, SourceLocation loc = std::source_location::current()) : kind_(Kind::kNewAxis), loc_(loc) {}
  Index(Ellipsis, SourceLocation loc = std::source_location::current()) : kind_(Kind::kEllipsis), loc_(loc) {}
  /// Integers of any shape, or a bool mask over as many axes as it has (which must not be traced:
  /// the result's shape depends on it).
  Index(const Array& a, SourceLocation loc = std::source_location::current())
      : kind_(Kind::kArray), array_(a), loc_(loc) {}
  /// Integers or bools, a mask, in braces: {0, 2}, {true, false, true}. In rows, {{0, 1}, {2, 3}}, which are of one
  /// length (ShapeError otherwise).
  template <detail::IndexElement T>
  Index(std::initializer_list<T> list, SourceLocation loc = std::source_location::current())
      : Index(Array(std::vector<T>(list)), loc) {}
  template <detail::IndexElement T>
  Index(std::initializer_list<std::initializer_list<T>> rows, SourceLocation loc = std::source_location::current())
      : Index(detail::index_rows<T>(rows, loc), loc) {}
  // For braces whose elements differ in type, or of which there are none.
  template <class T = std::int64_t>
  Index(std::initializer_list<std::type_identity_t<T>> list, SourceLocation loc = std::source_location::current())
      : Index(Array(std::vector<T>(list)), loc) {}
  Index(std::initializer_list<std::initializer_list<std::int64_t>> rows,
        SourceLocation loc = std::source_location::current())
      : Index(detail::index_rows<std::int64_t>(rows, loc), loc) {}
  /// Integers, or a mask as bools, in a vector, span or array.
  template <class R>
    requires(detail::IntegerRange<R> || detail::BoolRange<R>)
  Index(const R& ids, SourceLocation loc = std::source_location::current())
      : Index(Array(detail::index_vector(ids)), loc) {}

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
template <weft::detail::IndexInteger T, class Mode = IndexMode>
Array take(const Arg& x, std::initializer_list<T> indices, OptionalAxis axis = {}, Mode mode = IndexMode::kFillOrDrop) {
  return take(x, Arg(Array(std::vector<T>(indices)), x.location()), axis, mode);
}
// For braces whose elements differ in type, or of which there are none.
template <class Mode = IndexMode>
Array take(const Arg& x, std::initializer_list<std::int64_t> indices, OptionalAxis axis = {},
           Mode mode = IndexMode::kFillOrDrop) {
  return take(x, Arg(Array(std::vector<std::int64_t>(indices)), x.location()), axis, mode);
}
template <std::same_as<bool> B, class Mode = IndexMode>
Array take(const Arg& x, std::initializer_list<B> mask, OptionalAxis axis = {},
           Mode mode = IndexMode::kFillOrDrop) = delete;  // a mask is no list of positions: x(mask)
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
