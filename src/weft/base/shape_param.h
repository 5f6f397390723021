// Shapes as function parameters, so that calls may write `{2, 3}`.
#pragma once

#include <initializer_list>
#include <iterator>
#include <optional>
#include <type_traits>

#include "weft/base/dims.h"

namespace weft {

namespace detail {
// Not characters, so that text is no shape.
template <class T>
concept Integer = std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>;
template <class R>
concept IntegerRange = requires(const R& r) {
  requires Integer<std::remove_cvref_t<decltype(*std::begin(r))>>;
  std::end(r);
};
/// A size in braces: of any integer type, so that `{v.size(), 3}` needs no cast.
struct Size {
  template <Integer T>
  constexpr Size(T n) : value(static_cast<std::int64_t>(n)) {}  // implicit by design
  std::int64_t value;
};
}  // namespace detail

/// A shape parameter: `{2, 3}`, a number of elements, or any sequence of sizes of any integer type.
class Shape {
 public:
  Shape(std::initializer_list<detail::Size> sizes) {
    for (const detail::Size s : sizes) dims_.push_back(s.value);
  }
  Shape(DimSpan sizes) : dims_(sizes) {}
  Shape(const Dims& sizes) : dims_(sizes) {}
  template <detail::IntegerRange R>
  Shape(const R& sizes) {
    for (const auto n : sizes) dims_.push_back(static_cast<std::int64_t>(n));
  }
  template <detail::Integer T>
  Shape(T size) : dims_{static_cast<std::int64_t>(size)} {}
  operator ShapeView() const { return DimSpan(dims_); }
  const Dims& dims() const { return dims_; }

 private:
  Dims dims_;
};

/// A shape that may be left out: `{}` or std::nullopt.
class OptionalShape {
 public:
  OptionalShape() = default;
  OptionalShape(std::nullopt_t) {}
  OptionalShape(std::initializer_list<detail::Size> sizes) : shape_(sizes) {}
  template <class T>
    requires std::is_convertible_v<const T&, Shape>
  OptionalShape(const T& shape) : shape_(Shape(shape)) {}
  explicit operator bool() const { return shape_.has_value(); }
  const Shape& operator*() const { return *shape_; }
  const Shape* operator->() const { return &*shape_; }

 private:
  std::optional<Shape> shape_;
};

}  // namespace weft
