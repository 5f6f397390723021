#include "weft/np/creation.h"

#include <cmath>

#include "weft/np/promotion.h"
#include "weft/ops/lax.h"

namespace weft::np {

void Nested::collect(std::size_t depth, Dims& shape, std::vector<Scalar>& out) const {
  const auto ragged = [&] {
    throw ShapeError("array: rows must have equal lengths and depths; got a ragged list at depth " + std::to_string(depth) + ".");
  };
  if (!is_list_) {
    if (depth != shape.size()) {
      // The first number reached fixes the depth.
      if (!out.empty()) ragged();
    }
    out.push_back(scalar_);
    return;
  }
  const auto n = static_cast<std::int64_t>(children_.size());
  if (depth == shape.size()) {
    if (!out.empty()) ragged();
    shape.push_back(n);
  } else if (shape[depth] != n) {
    ragged();
  }
  for (const Nested& c : children_) {
    if (!out.empty() && !c.is_list_ && depth + 1 != shape.size()) ragged();
    if (!out.empty() && c.is_list_ && depth + 1 == shape.size()) ragged();
    c.collect(depth + 1, shape, out);
  }
}

Array array(std::initializer_list<Nested> values, std::optional<DType> dtype) {
  Dims shape;
  std::vector<Scalar> elements;
  Nested(values).collect(0, shape, elements);
  DType t = dtype.value_or(elements.empty() ? f32 : elements[0].dtype);
  if (!dtype)
    for (const Scalar& s : elements) t = promote_types(t, s.dtype);
  const auto size = static_cast<std::size_t>(byte_size(t));
  std::vector<std::byte> bytes(elements.size() * size);
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i].write(t, bytes.data() + i * size);
  return Array::copy(t, shape, bytes.data(), elements.size());
}

Array asarray(const Arg& x, std::optional<DType> dtype) {
  const Array a = x.array();
  return dtype ? lax::convert(Arg(a, x.location()), *dtype) : a;
}

Array zeros(const Shape& shape, DType dtype) { return Array::full(shape, dtype, Scalar(0)); }
Array ones(const Shape& shape, DType dtype) { return Array::full(shape, dtype, Scalar(1)); }
Array full(const Shape& shape, const Scalar& value, std::optional<DType> dtype) {
  return Array::full(shape, dtype.value_or(value.dtype), value);
}
Array empty(const Shape& shape, DType dtype) { return zeros(shape, dtype); }
Array zeros_like(const Arg& x) { return Array::full(x.shape(), x.dtype(), Scalar(0)); }
Array ones_like(const Arg& x) { return Array::full(x.shape(), x.dtype(), Scalar(1)); }
Array empty_like(const Arg& x) { return zeros_like(x); }
Array full_like(const Arg& x, const Scalar& value) { return Array::full(x.shape(), x.dtype(), value); }

namespace detail {

std::int64_t arange_count(double start, double stop, double step) {
  if (step == 0 || step != step) throw ValueError("arange: the step must not be zero; got " + std::to_string(step) + ".");
  const double n = std::ceil((stop - start) / step);
  if (!(n < 4e18)) throw ValueError("arange: the range must be finite; got " + std::to_string(start) + " to " + std::to_string(stop) + ".");
  return n > 0 ? static_cast<std::int64_t>(n) : 0;
}

Array arange(DType t, double start, double step, std::int64_t n) {
  const Dims shape{n};
  Array i = lax::iota(t, shape, 0);
  if (step != 1) i = lax::multiply(i, lax::full(shape, Scalar(step), t));
  return start == 0 ? i : lax::add(i, lax::full(shape, Scalar(start), t));
}

Array arange_integers(DType t, std::int64_t start, std::int64_t stop, std::int64_t step) {
  if (step == 0) throw ValueError("arange: the step must not be zero; got 0.");
  std::int64_t n = 0;
  if (step > 0 && stop > start) n = (stop - start - 1) / step + 1;
  if (step < 0 && stop < start) n = (start - stop - 1) / -step + 1;
  const Dims shape{n};
  Array i = lax::iota(t, shape, 0);
  if (step != 1) i = lax::multiply(i, lax::full(shape, Scalar(step), t));
  return start == 0 ? i : lax::add(i, lax::full(shape, Scalar(start), t));
}

}  // namespace detail

Array linspace(double start, double stop, std::int64_t num, bool endpoint, DType dtype) {
  if (num < 0) throw ValueError("linspace: the number of points must not be negative; got " + std::to_string(num) + ".");
  if (!is_inexact(dtype)) return lax::convert(lax::floor(linspace(start, stop, num, endpoint, f64)), dtype);
  const Dims shape{num};
  if (num == 0) return zeros(shape, dtype);
  const std::int64_t steps = endpoint ? num - 1 : num;
  if (steps == 0) return full(shape, Scalar(start), dtype);
  // Both ends weighted, so that they come out exactly.
  const Array i = lax::iota(dtype, shape, 0);
  const Array w = lax::divide(i, lax::full(shape, Scalar(static_cast<double>(steps)), dtype));
  const Array line = lax::add(lax::multiply(lax::subtract(1.0, w), lax::full(shape, Scalar(start), dtype)),
                              lax::multiply(w, lax::full(shape, Scalar(stop), dtype)));
  return line;
}

namespace {

// bool [rows, columns]: column - row <direction> k.
Array band(std::int64_t rows, std::int64_t columns, int k, ComparisonDirection direction) {
  const Dims shape{rows, columns};
  return lax::compare(lax::iota(i32, shape, 1), lax::add(lax::iota(i32, shape, 0), lax::full(shape, Scalar(k), i32)), direction);
}

Array keep_band(const char* op, const Arg& x, int k, ComparisonDirection direction) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  if (a.ndim() < 2) throw ShapeError(std::string(op) + ": the array must have at least two axes; got " + a.aval().str() + ".");
  return lax::select(broadcast_to(band(a.shape(-2), a.shape(-1), k, direction), a.shape()), a, lax::full(a.shape(), Scalar(0), a.dtype()));
}

}  // namespace

Array eye(std::int64_t rows, std::optional<std::int64_t> columns, int k, DType dtype) {
  return lax::convert(band(rows, columns.value_or(rows), k, ComparisonDirection::kEq), dtype);
}
Array identity(std::int64_t n, DType dtype) { return eye(n, n, 0, dtype); }
Array tri(std::int64_t rows, std::optional<std::int64_t> columns, int k, DType dtype) {
  return lax::convert(band(rows, columns.value_or(rows), k, ComparisonDirection::kLe), dtype);
}
Array tril(const Arg& x, int k) { return keep_band("tril", x, k, ComparisonDirection::kLe); }
Array triu(const Arg& x, int k) { return keep_band("triu", x, k, ComparisonDirection::kGe); }

Array diagonal(const Arg& x) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  if (a.ndim() < 2) throw ShapeError("diagonal: the array must have at least two axes; got " + a.aval().str() + ".");
  const std::int64_t n = std::min(a.shape(-2), a.shape(-1));
  Dims start(a.shape().size(), 0), limit(a.shape());
  limit[limit.size() - 1] = limit[limit.size() - 2] = n;
  const Array square = lax::slice(a, start, limit);
  const Array masked = lax::select(broadcast_to(band(n, n, 0, ComparisonDirection::kEq), square.shape()), square,
                                   lax::full(square.shape(), Scalar(0), a.dtype()));
  const Dims last{a.ndim() - 1};
  return a.dtype() == boolean ? lax::reduce_or(masked, last) : lax::reduce_sum(masked, last);
}

Array diag(const Arg& x) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  if (a.ndim() == 2) return diagonal(x);
  if (a.ndim() != 1) throw ShapeError("diag: the array must have one or two axes; got " + a.aval().str() + ".");
  const Dims square{a.shape(0), a.shape(0)};
  return lax::select(band(square[0], square[1], 0, ComparisonDirection::kEq), lax::broadcast_in_dim(a, square, Dims{1}),
                     lax::full(square, Scalar(0), a.dtype()));
}

}  // namespace weft::np
