#include "weft/np/promotion.h"

#include <algorithm>

#include "weft/ops/lax.h"

namespace weft::np {

DType promote_types(DType a, DType b) {
  if (a == b) return a;
  if (is_storage(a) || is_storage(b))
    throw DTypeError(
        "promote_types: " + std::string(name(is_storage(a) ? a : b)) + " does not promote implicitly; got " +
            std::string(name(a)) + " and " + std::string(name(b)) + ".",
        "convert one of them with astype, for example to " + std::string(name(is_storage(a) ? b : a)) + ".");
  if (category(a) > category(b)) std::swap(a, b);
  // From here category(a) <= category(b).
  switch (category(b)) {
    case Category::kBool: return b;
    case Category::kInteger: {
      if (category(a) == Category::kBool) return b;
      if (is_unsigned(a) == is_unsigned(b)) return byte_size(a) > byte_size(b) ? a : b;
      const DType u = is_unsigned(a) ? a : b, s = is_unsigned(a) ? b : a;
      if (byte_size(s) > byte_size(u)) return s;
      return u == u8 ? i16 : u == u16 ? i32 : u == u32 ? i64 : f32;
    }
    case Category::kFloat:
      if (category(a) < Category::kFloat) return b;
      if (byte_size(a) == byte_size(b)) return f32;  // f16 and bf16
      return byte_size(a) > byte_size(b) ? a : b;
    default: return a == f64 || a == c128 || b == c128 ? c128 : c64;
  }
}

TypeArg::TypeArg(const Array& x, SourceLocation loc) {
  const LocationScope scope(loc, "result_type");
  dtype_ = x.dtype();
}

DType result_type(std::span<const TypeArg> args, SourceLocation loc) {
  if (args.empty()) {
    const LocationScope scope(loc, "result_type");
    throw ValueError("result_type: there must be at least one operand; got none.");
  }
  std::optional<DType> t;
  for (const TypeArg& a : args)
    if (!a.is_number()) t = t ? promote_types(*t, a.dtype()) : a.dtype();
  const bool arrays = t.has_value();
  for (const TypeArg& a : args) {
    if (!a.is_number()) continue;
    if (!t)
      t = a.dtype();
    else if (!arrays || category(a.dtype()) > category(*t))
      t = promote_types(*t, a.dtype());
  }
  return *t;
}

namespace {

// False when the shapes do not fit.
bool join(DimSpan a, DimSpan b, Dims& out) {
  out.assign(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return false;
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return true;
}

[[noreturn]] void throw_apart(std::string_view op, const std::string& a, const std::string& b) {
  throw ShapeError(std::string(op) + ": shapes must broadcast; got " + a + " and " + b + ".",
                   "aligned to the right, sizes must be equal or 1; insert an axis with x(newaxis, ...) or reshape.");
}

}  // namespace

bool broadcastable(DimSpan a, DimSpan b) {
  Dims r;
  return join(a, b, r);
}

Dims broadcast_shapes(std::string_view op, DimSpan a, DimSpan b) {
  Dims r;
  if (!join(a, b, r)) throw_apart(op, shape_str(a), shape_str(b));
  return r;
}

Dims broadcast_shapes(std::span<const Dims> shapes) {
  Dims r;
  for (const Dims& s : shapes) r = broadcast_shapes("broadcast_shapes", r, s);
  return r;
}

std::vector<Array> broadcast_arrays(std::span<const Array> xs, SourceLocation loc) {
  const LocationScope scope(loc, "broadcast_arrays");
  Dims shape;
  for (const Array& x : xs) shape = broadcast_shapes("broadcast_arrays", shape, x.shape());
  std::vector<Array> r;
  for (const Array& x : xs) r.push_back(broadcast_to(x, shape));
  return r;
}

Array broadcast_to(const Arg& x, const Shape& sizes) {
  const LocationScope scope(x.location(), "broadcast_to");
  const DimSpan shape = sizes;
  Array a = x.array();
  if (same_dims(a.shape(), shape)) return a;
  const DimSpan from = a.shape();
  bool fits = from.size() <= shape.size();
  Dims dims;
  for (std::size_t i = 0; fits && i < from.size(); ++i) {
    const std::size_t to = shape.size() - from.size() + i;
    dims.push_back(static_cast<std::int64_t>(to));
    fits = from[i] == 1 || from[i] == shape[to];
  }
  if (!fits)
    throw ShapeError("broadcast_to: the array must broadcast to the shape; got " + a.aval().str() + " to " +
                     shape_str(shape) + ".");
  return lax::broadcast_in_dim(a, shape, dims);
}

namespace {

// A number beside an array whose dtype it takes: the array as it is, and its type's splat, without looking
// up a type. The common case of `x * 2`.
bool number_beside(std::string_view op, const Arg& array, const Arg& number, Array& splat) {
  const Aval t = array.array().aval();
  if (number.dtype_beside(t.dtype()) != t.dtype() || t.vary()) return false;
  // Wrapping round would be silent nonsense: 300 is no u8.
  if (!number.scalar().fits(t.dtype()))
    number.scalar().check_fits(op, t.dtype(), "convert the array first, for example with astype(i64).");
  alignas(16) std::byte element[16];
  number.scalar().write(t.dtype(), element);
  splat = weft::detail::make_splat(t, element);
  return true;
}

// Operands that need no conversion.
bool as_they_are(std::string_view op, const Arg& x, const Arg& y, std::pair<Array, Array>& out) {
  if (x.is_scalar() == y.is_scalar()) {
    if (x.is_scalar()) return false;
    out = {x.array(), y.array()};
    return out.first.aval() == out.second.aval();
  }
  if (y.is_scalar()) {
    out.first = x.array();
    return number_beside(op, x, y, out.second);
  }
  out.second = y.array();
  return number_beside(op, y, x, out.first);
}

std::pair<Array, Array> to_common(std::string_view op, const Arg& x, const Arg& y, DType t) {
  // A number becomes an array of the other's shape, which costs one element.
  if (x.is_scalar() && !y.is_scalar()) return {x.filled(t, y.shape()), lax::convert(y, t)};
  if (y.is_scalar() && !x.is_scalar()) return {lax::convert(x, t), y.filled(t, x.shape())};
  const Array a = x.filled(t, {}), b = y.filled(t, {});
  Dims shape;
  if (!join(a.shape(), b.shape(), shape)) throw_apart(op, a.aval().str(), b.aval().str());
  return {broadcast_to(lax::convert(a, t), shape), broadcast_to(lax::convert(b, t), shape)};
}

}  // namespace

Array truth(const Arg& x) { return is_complex(x.dtype()) ? lax::ne(x, 0.0) : lax::convert(x.array(), boolean); }

std::pair<Array, Array> promote(std::string_view op, const Arg& x, const Arg& y) {
  std::pair<Array, Array> r;
  if (as_they_are(op, x, y, r)) return r;
  return to_common(op, x, y, result_type({x, y}));
}

std::pair<Array, Array> promote_inexact(std::string_view op, const Arg& x, const Arg& y) {
  std::pair<Array, Array> r;
  if (is_inexact((x.is_scalar() ? y : x).dtype()) && as_they_are(op, x, y, r)) return r;
  return to_common(op, x, y, inexact_dtype(result_type({x, y})));
}

}  // namespace weft::np
