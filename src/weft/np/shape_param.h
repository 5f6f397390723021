// Shapes as function parameters, so that calls may write `{2, 3}`.
#pragma once

#include <initializer_list>
#include <optional>
#include <type_traits>
#include <vector>

#include "weft/base/dims.h"

namespace weft::np {

/// A shape parameter: `{2, 3}`, a number of elements, or any sequence of sizes.
class Shape {
 public:
  Shape(std::initializer_list<std::int64_t> sizes) : dims_(sizes) {}
  Shape(DimSpan sizes) : dims_(sizes) {}
  Shape(const Dims& sizes) : dims_(sizes) {}
  Shape(const std::vector<std::int64_t>& sizes) : dims_(sizes.begin(), sizes.end()) {}
  template <class T>
    requires std::is_integral_v<T>
  Shape(T size) : dims_{static_cast<std::int64_t>(size)} {}
  operator DimSpan() const { return dims_; }
  const Dims& dims() const { return dims_; }

 private:
  Dims dims_;
};

/// A shape that may be left out: `{}` or std::nullopt.
class OptionalShape {
 public:
  OptionalShape() = default;
  OptionalShape(std::nullopt_t) {}
  OptionalShape(std::initializer_list<std::int64_t> sizes) : shape_(sizes) {}
  template <class T>
    requires std::is_convertible_v<const T&, Shape>
  OptionalShape(const T& shape) : shape_(Shape(shape)) {}
  explicit operator bool() const { return shape_.has_value(); }
  const Shape& operator*() const { return *shape_; }
  const Shape* operator->() const { return &*shape_; }

 private:
  std::optional<Shape> shape_;
};

}  // namespace weft::np
