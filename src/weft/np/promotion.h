// Which dtype and shape operands share. JAX's lattice, without weak types: numbers take their
// neighbour's dtype at the call (Arg), so arrays promote among themselves only.
#pragma once

#include <utility>

#include "weft/core/arg.h"
#include "weft/np/shape_param.h"

namespace weft::np {

/// The least dtype that both convert to:
/// bool < u8 < u16 < u32 < u64, i8 < i16 < i32 < i64, uN < i2N, all integers < f16, bf16 < f32 < f64,
/// f32 < c64 < c128, f64 < c128. f16 with bf16, and u64 with a signed integer, give f32.
/// DTypeError for a storage type (f8, i4, ...) with another type: how precise the result should be is for the user to
/// say.
DType promote_types(DType a, DType b);

/// An operand of result_type: an array, a C++ number, or a dtype, which counts as an array of it.
class TypeArg {
 public:
  TypeArg(const Arg& x) : dtype_(x.dtype()), number_(x.is_scalar()) {}
  TypeArg(const Array& x, SourceLocation loc = std::source_location::current());
  TypeArg(DType t) : dtype_(t) {}
  template <class T>
    requires is_element_v<T>
  TypeArg(T) : dtype_(dtype_of<T>()), number_(true) {}
  DType dtype() const { return dtype_; }
  /// A number takes a neighbour's dtype unless its category is higher.
  bool is_number() const { return number_; }

 private:
  DType dtype_;
  bool number_ = false;
};

/// The dtype of the operands together: arrays' promoted, then raised to a number's own dtype where its category is
/// higher; numbers alone promote as arrays do. ValueError for none.
DType result_type(std::span<const TypeArg> args, SourceLocation loc = std::source_location::current());
inline DType result_type(std::initializer_list<TypeArg> args, SourceLocation loc = std::source_location::current()) {
  return result_type(std::span<const TypeArg>(args.begin(), args.size()), loc);
}
inline DType result_type(const TypeArg& a) { return a.dtype(); }
inline DType result_type(const TypeArg& a, const TypeArg& b) { return result_type({a, b}); }
inline DType result_type(const TypeArg& a, const TypeArg& b, const TypeArg& c) { return result_type({a, b, c}); }
inline DType result_type(const TypeArg& a, const TypeArg& b, const TypeArg& c, const TypeArg& d) {
  return result_type({a, b, c, d});
}

/// `t` itself when float or complex, else f32: what sin and division make of integers.
inline DType inexact_dtype(DType t) { return is_inexact(t) ? t : f32; }

/// NumPy's broadcast of two shapes; ShapeError naming `op` when they do not fit.
Dims broadcast_shapes(std::string_view op, DimSpan a, DimSpan b);
/// Whether two shapes broadcast together.
bool broadcastable(DimSpan a, DimSpan b);
/// The shape that all shapes broadcast to; () of none.
Dims broadcast_shapes(std::span<const Dims> shapes);
inline Dims broadcast_shapes(std::initializer_list<Dims> shapes) {
  return broadcast_shapes(std::span<const Dims>(shapes.begin(), shapes.size()));
}

/// x repeated to `shape`, aligned to the right. ShapeError when it does not fit.
Array broadcast_to(const Arg& x, const Shape& shape);
/// All arrays in their common shape, each in its own dtype.
std::vector<Array> broadcast_arrays(std::span<const Array> xs, SourceLocation loc = std::source_location::current());
inline std::vector<Array> broadcast_arrays(std::initializer_list<Array> xs,
                                           SourceLocation loc = std::source_location::current()) {
  return broadcast_arrays(std::span<const Array>(xs.begin(), xs.size()), loc);
}

/// Both operands in their common dtype and shape.
std::pair<Array, Array> promote(std::string_view op, const Arg& x, const Arg& y);
/// As promote, and integers and bool become f32.
std::pair<Array, Array> promote_inexact(std::string_view op, const Arg& x, const Arg& y);

/// x != 0 as bool. Of complex numbers both parts count, while lax::convert drops the imaginary one.
Array truth(const Arg& x);

}  // namespace weft::np
