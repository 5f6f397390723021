// Arg: how public functions take operands. An Array or a C++ number, built implicitly, with the
// line of the call.
#pragma once

#include "weft/core/array.h"

namespace weft {

/// Valid only as a parameter: it refers to the caller's array.
class Arg {
 public:
  Arg(const Array& a, SourceLocation loc = std::source_location::current()) : array_(&a), scalar_(0), loc_(loc) {}
  template <class T>
    requires is_element_v<T>
  Arg(T v, SourceLocation loc = std::source_location::current()) : scalar_(v), loc_(loc) {}

  Arg(const Scalar& v, SourceLocation loc = std::source_location::current()) : scalar_(v), loc_(loc) {}

  bool is_scalar() const { return array_ == nullptr; }
  const SourceLocation& location() const { return loc_; }
  /// The array's dtype, or that of the number's C++ type.
  DType dtype() const { return array_ ? array_->checked(loc_, "array").dtype() : scalar_.dtype; }
  ShapeView shape() const { return array_ ? array_->checked(loc_, "array").shape() : ShapeView(); }
  const Scalar& scalar() const { return scalar_; }
  /// The array itself, or a 0-d array of the number's own dtype.
  Array array() const { return array_ ? *array_ : Array::full({}, scalar_.dtype, scalar_); }
  /// The array itself, or an array of `shape` and `dtype` filled with the number. ValueError when it does not fit.
  Array filled(DType dtype, DimSpan shape) const { return array_ ? *array_ : Array::full(shape, dtype, scalar_); }
  /// The dtype a number takes beside an operand of type `other`: `other`'s within its category
  /// (bool < integer < float < complex), otherwise its own.
  DType dtype_beside(DType other) const {
    if (array_) return array_->checked(loc_, "array").dtype();
    return category(scalar_.dtype) <= category(other) ? other : scalar_.dtype;
  }

 private:
  const Array* array_ = nullptr;
  Scalar scalar_;
  SourceLocation loc_;
};

}  // namespace weft
