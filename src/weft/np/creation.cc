#include "weft/np/creation.h"

#include <algorithm>
#include <cmath>

#include "weft/base/text.h"
#include "weft/core/donation.h"
#include "weft/np/promotion.h"
#include "weft/ops/common.h"

namespace weft::np {

void Nested::collect(std::size_t depth, Dims& shape, std::vector<Scalar>& out) const {
  const auto ragged = [&] {
    throw ShapeError("array: rows must have equal lengths and depths; got a ragged list at depth " +
                     std::to_string(depth) + ".");
  };
  if (!is_list_) {
    if (depth != shape.size()) ragged();
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

Array array(std::initializer_list<Nested> values, std::optional<DType> dtype, SourceLocation loc) {
  const LocationScope scope(loc, "array");
  Dims shape;
  std::vector<Scalar> elements;
  Nested(values).collect(0, shape, elements);
  DType t = dtype.value_or(elements.empty() ? f32 : elements[0].dtype);
  if (!dtype)
    for (const Scalar& s : elements) t = promote_types(t, s.dtype);
  const auto size = static_cast<std::size_t>(byte_size(t));
  std::vector<std::byte> bytes(elements.size() * size);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    elements[i].check_fits("array", t);
    elements[i].write(t, bytes.data() + i * size);
  }
  return Array::copy(t, shape, bytes.data(), elements.size());
}

namespace detail {

Array array_of(const Arg& x, std::optional<DType> dtype) {
  const LocationScope scope(x.location(), "array");
  if (x.is_scalar()) return Array::full({}, dtype.value_or(x.dtype()), x.scalar());
  return dtype ? astype(x, *dtype) : x.array();
}

Array array_of(DType from, const Dims& shape, bool ragged, const void* data, std::size_t count,
               std::optional<DType> dtype, const SourceLocation& loc) {
  const LocationScope scope(loc, "array");
  if (ragged) throw ShapeError("array: rows must have equal lengths; got rows that differ from the first ones.");
  const DType t = dtype.value_or(from);
  // What fits by its kind is not looked at: a float takes every real number.
  const bool may_not_fit = is_integer(t) ? from != t && from != boolean : is_complex(from) && is_float(t);
  if (may_not_fit)
    visit_dtype(from, [&]<class T>(TypeTag<T>) {
      for (std::size_t i = 0; i < count; ++i) Scalar(static_cast<const T*>(data)[i]).check_fits("array", t);
    });
  return astype(Array::copy(from, shape, data, count), t);
}

}  // namespace detail

Array copy(const Arg& x) {
  const Array a = x.array();
  if (a.is_donated()) {
    const LocationScope scope(x.location(), "copy");
    weft::detail::throw_donated("copy", "the array", a);
  }
  return a.buffer() ? weft::detail::same_memory(*a.buffer()) : a;
}

Array astype(const Arg& x, DType dtype) {
  const LocationScope scope(x.location(), "astype");
  // NumPy asks whether a complex number is zero; other conversions to a real type drop the imaginary part.
  return dtype == boolean ? truth(x) : lax::convert(x, dtype);
}

Array zeros(const Shape& shape, DType dtype, SourceLocation loc) {
  const LocationScope scope(loc, "zeros");
  return Array::full(shape, dtype, Scalar(0));
}
Array ones(const Shape& shape, DType dtype, SourceLocation loc) {
  const LocationScope scope(loc, "ones");
  return Array::full(shape, dtype, Scalar(1));
}
Array full(const Shape& shape, const Arg& value, std::optional<DType> dtype) {
  const LocationScope scope(value.location(), "full");
  const DType t = dtype.value_or(value.dtype());
  if (value.is_scalar()) return Array::full(shape, t, value.scalar());
  return broadcast_to(astype(value, t), shape);
}
Array empty(const Shape& shape, DType dtype, SourceLocation loc) { return zeros(shape, dtype, loc); }
Array zeros_like(const Arg& x, std::optional<DType> dtype) {
  const LocationScope scope(x.location(), "zeros_like");
  return full_like(x, 0, dtype);
}
Array ones_like(const Arg& x, std::optional<DType> dtype) {
  const LocationScope scope(x.location(), "ones_like");
  return full_like(x, 1, dtype);
}
Array empty_like(const Arg& x, std::optional<DType> dtype) { return zeros_like(x, dtype); }
Array full_like(const Arg& x, const Arg& value, std::optional<DType> dtype) {
  const LocationScope scope(x.location(), "full_like");
  return full(DimSpan(x.shape()), value, dtype.value_or(x.dtype()));
}

namespace {

// 16-bit floats cannot count: ranges are made in f32 and rounded once.
DType counting(DType t) { return is_float(t) && byte_size(t) < 4 ? f32 : t; }

// start + i * step. In integers modulo 2^bits: the numbers fit, their step need not (5, 4, 3 as u8).
template <class T>
Array ramp(DType t, T start, T step, std::int64_t n) {
  const Dims shape{n};
  const auto constant = [&](T v) {
    alignas(16) std::byte element[16];
    Scalar(v).write(t, element);
    return weft::detail::make_splat(Aval(t, shape), element);
  };
  Array i = lax::iota(t, shape, 0);
  if (step != 1) i = lax::multiply(i, constant(step));
  return start == 0 ? i : lax::add(i, constant(start));
}

}  // namespace

namespace detail {

Array arange_floats(DType type, std::optional<DType> dtype, double start, double stop, double step,
                    const SourceLocation& loc) {
  const LocationScope scope(loc, "arange");
  if (step == 0 || step != step) throw ValueError("arange: the step must not be zero; got " + number_str(step) + ".");
  const double n = std::ceil((stop - start) / step);
  if (!(n < 4e18))
    throw ValueError("arange: the range must be finite; got " + number_str(start) + " to " + number_str(stop) + ".");
  const DType t = dtype.value_or(type), work = is_inexact(t) ? counting(t) : type;
  if (n > 0) {
    Scalar(start).check_fits("arange", t);
    Scalar(start + (n - 1) * step).check_fits("arange", t);
  }
  return lax::convert(ramp(work, start, step, n > 0 ? static_cast<std::int64_t>(n) : 0), t);
}

namespace {

bool less(AnyInteger a, AnyInteger b) { return a.negative != b.negative ? a.negative : a.bits < b.bits; }

Scalar scalar(AnyInteger v) { return v.negative ? Scalar(static_cast<std::int64_t>(v.bits)) : Scalar(v.bits); }

std::string text(AnyInteger v) {
  return v.negative ? number_str(static_cast<std::int64_t>(v.bits)) : number_str(v.bits);
}

// How many numbers there are from `low` to below `high` in steps of `step`, UINT64_MAX if it is more.
std::uint64_t count_steps(AnyInteger low, AnyInteger high, std::uint64_t step) {
  const std::uint64_t distance = high.bits - low.bits;
  if (low.negative && !high.negative && distance < high.bits) return UINT64_MAX;
  return (distance - 1) / step + 1;
}

}  // namespace

Array arange_integers(DType type, std::optional<DType> dtype, AnyInteger start, AnyInteger stop, AnyInteger step,
                      const SourceLocation& loc) {
  const LocationScope scope(loc, "arange");
  if (step.bits == 0) throw ValueError("arange: the step must not be zero; got 0.");
  std::uint64_t n = 0;
  if (!step.negative && less(start, stop)) n = count_steps(start, stop, step.bits);
  if (step.negative && less(stop, start)) n = count_steps(stop, start, 0 - step.bits);
  if (n > static_cast<std::uint64_t>(INT64_MAX))
    throw ValueError("arange: a range must have fewer than 2^63 numbers; got " + text(start) + " to " + text(stop) +
                     " in steps of " + text(step) + ".");
  const DType t = dtype.value_or(type), work = t == boolean ? type : counting(t);
  if (n > 0) {
    AnyInteger last = start;
    if (step.negative) {
      const std::uint64_t way = (n - 1) * (0 - step.bits);
      last.negative |= start.bits < way;
      last.bits -= way;
    } else {
      last.negative &= !__builtin_add_overflow(start.bits, (n - 1) * step.bits, &last.bits);
    }
    scalar(start).check_fits("arange", t);
    scalar(last).check_fits("arange", t);
  }
  return lax::convert(ramp(work, static_cast<std::int64_t>(start.bits), static_cast<std::int64_t>(step.bits),
                           static_cast<std::int64_t>(n)),
                      t);
}

}  // namespace detail

namespace {

// What a range of numbers between these has for a dtype: numbers make f32, as everywhere without a dtype.
DType range_dtype(const Arg& start, const Arg& stop) {
  return start.is_scalar() && stop.is_scalar() ? f32 : inexact_dtype(result_type({start, stop}));
}

}  // namespace

Array linspace(const Arg& start, const Arg& stop, Integer num, Flag endpoint, std::optional<DType> dtype) {
  const LocationScope scope(start.location(), "linspace");
  if (num < 0)
    throw ValueError("linspace: the number of points must not be negative; got " + std::to_string(num) + ".");
  const DType result = dtype.value_or(range_dtype(start, stop));
  if (!is_inexact(result)) return lax::convert(lax::floor(linspace(start, stop, num, endpoint, f64)), result);
  const DType t = counting(result);
  const Dims ends = broadcast_shapes("linspace", start.shape(), stop.shape());
  Dims shape(ends);
  shape.insert(shape.begin(), num);
  const auto end_point = [&](const Arg& x) { return broadcast_to(lax::convert(x.filled(t, {}), t), shape); };
  const std::int64_t steps = num - (endpoint ? 1 : 0);
  if (steps <= 0) return lax::convert(end_point(start), result);
  // Both ends weighted, so that they come out exactly.
  const Array w = lax::divide(lax::iota(t, shape, 0), static_cast<double>(steps));
  const Array head = lax::multiply(lax::subtract(1.0, w), end_point(start)), tail = lax::multiply(w, end_point(stop));
  return lax::convert(lax::add(head, tail), result);
}

Array logspace(const Arg& start, const Arg& stop, Integer num, Flag endpoint, Real base, std::optional<DType> dtype) {
  const LocationScope scope(start.location(), "logspace");
  const DType result = dtype.value_or(range_dtype(start, stop));
  const Array exponents = linspace(start, stop, num, endpoint, is_inexact(result) ? counting(result) : f64);
  return lax::convert(lax::power(double{base}, exponents), result);
}

namespace {

// bool [rows, columns]: column - row <direction> k.
Array band(std::int64_t rows, std::int64_t columns, std::int64_t k, ComparisonDirection direction) {
  const Dims shape{rows, columns};
  const Array row = lax::iota(i32, shape, 0), column = lax::iota(i32, shape, 1);  // which refuse negative sizes
  // Beyond every diagonal the answer no longer changes, and k stays in range of i32.
  const std::int64_t near = std::clamp(k, -rows - 1, columns + 1);
  return lax::compare(column, lax::add(row, lax::full(shape, Scalar(near), i32)), direction);
}

Array keep_band(const char* op, const Arg& x, std::int64_t k, ComparisonDirection direction) {
  const LocationScope scope(x.location(), op);
  const Array a = x.array();
  if (a.ndim() < 2)
    throw ShapeError(std::string(op) + ": the array must have at least two axes; got " + a.aval().str() + ".");
  return lax::select(broadcast_to(band(a.shape(-2), a.shape(-1), k, direction), a.shape()), a,
                     lax::full(a.shape(), Scalar(0), a.dtype()));
}

}  // namespace

Array eye(Integer rows, std::optional<Integer> columns, Integer k, DType dtype, SourceLocation loc) {
  const LocationScope scope(loc, "eye");
  return lax::convert(band(rows, columns.value_or(rows), k, ComparisonDirection::kEq), dtype);
}
Array identity(Integer n, DType dtype, SourceLocation loc) { return eye(n, n, 0, dtype, loc); }
Array tri(Integer rows, std::optional<Integer> columns, Integer k, DType dtype, SourceLocation loc) {
  const LocationScope scope(loc, "tri");
  return lax::convert(band(rows, columns.value_or(rows), k, ComparisonDirection::kLe), dtype);
}
Array tril(const Arg& x, Integer k) { return keep_band("tril", x, k, ComparisonDirection::kLe); }
Array triu(const Arg& x, Integer k) { return keep_band("triu", x, k, ComparisonDirection::kGe); }

Array diagonal(const Arg& x, Integer offset, Axis axis1, Axis axis2) {
  const LocationScope scope(x.location(), "diagonal");
  const Array a = x.array();
  if (a.ndim() < 2) throw ShapeError("diagonal: the array must have at least two axes; got " + a.aval().str() + ".");
  const int p = ops::normal_axis("diagonal", axis1, a.aval()), q = ops::normal_axis("diagonal", axis2, a.aval());
  if (p == q)
    throw IndexError("diagonal: axes must be distinct; got " + std::to_string(axis1) + " and " + std::to_string(axis2) +
                     ".");
  Dims permutation;
  for (int i = 0; i < a.ndim(); ++i)
    if (i != p && i != q) permutation.push_back(i);
  permutation.push_back(p);
  permutation.push_back(q);
  const Array last = lax::transpose(a, permutation);
  const std::int64_t rows = last.shape(-2), columns = last.shape(-1);
  const std::int64_t row = offset < 0 ? -std::max<std::int64_t>(offset, -rows) : 0,
                     column = offset > 0 ? std::min<std::int64_t>(offset, columns) : 0;
  const std::int64_t n = std::min(rows - row, columns - column);
  // In row-major order the diagonal is every (columns + 1)-th element.
  Dims flat(last.shape().first(last.shape().size() - 2));
  flat.push_back(rows * columns);
  Dims start(flat.size(), 0), limit(flat), strides(flat.size(), 1);
  start.back() = n ? row * columns + column : 0;
  limit.back() = n ? start.back() + (n - 1) * (columns + 1) + 1 : 0;
  strides.back() = columns + 1;
  return lax::slice(lax::reshape(last, flat), start, limit, strides);
}

Array diag(const Arg& x, Integer k) {
  const LocationScope scope(x.location(), "diag");
  const Array a = x.array();
  if (a.ndim() == 2) return diagonal(a, k);
  if (a.ndim() != 1) throw ShapeError("diag: the array must have one or two axes; got " + a.aval().str() + ".");
  // Element i stands in row i + before and column i + after.
  const std::int64_t n = a.shape(0), before = std::max<std::int64_t>(-k, 0), after = std::max<std::int64_t>(k, 0);
  const Dims square{n + before + after, n + before + after};
  const Array columns = lax::pad(a, lax::full({}, Scalar(0), a.dtype()), Dims{after}, Dims{before});
  return lax::select(band(square[0], square[1], k, ComparisonDirection::kEq),
                     lax::broadcast_in_dim(columns, square, Dims{1}), lax::full(square, Scalar(0), a.dtype()));
}
Array diagflat(const Arg& x, Integer k) {
  const LocationScope scope(x.location(), "diagflat");
  return diag(lax::reshape(x, Dims{product(x.shape())}), k);
}

std::vector<Array> meshgrid(std::span<const Array> xs, std::string_view indexing, SourceLocation loc) {
  const LocationScope scope(loc, "meshgrid");
  if (indexing != "xy" && indexing != "ij")
    throw ValueError("meshgrid: indexing must be \"xy\" or \"ij\"; got \"" + std::string(indexing) + "\".");
  const bool swap = indexing == "xy" && xs.size() >= 2;
  const auto axis_of = [&](std::size_t i) { return static_cast<std::int64_t>(swap && i < 2 ? 1 - i : i); };
  Dims shape(xs.size(), 1);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (xs[i].ndim() > 1)
      throw ShapeError("meshgrid: arrays must have one axis or none; got " + xs[i].aval().str() + ".");
    shape[static_cast<std::size_t>(axis_of(i))] = xs[i].size();
  }
  std::vector<Array> r;
  r.reserve(xs.size());
  for (std::size_t i = 0; i < xs.size(); ++i)
    r.push_back(lax::broadcast_in_dim(lax::reshape(xs[i], Dims{xs[i].size()}), shape, Dims{axis_of(i)}));
  return r;
}

Array indices(const Shape& shape, DType dtype, SourceLocation loc) {
  const LocationScope scope(loc, "indices");
  Dims one(shape.dims());
  one.insert(one.begin(), 1);
  if (shape.dims().empty()) return zeros({0}, dtype);
  Arrays parts;
  for (int i = 0; i < static_cast<int>(shape.dims().size()); ++i) parts.push_back(lax::iota(dtype, one, i + 1));
  return lax::concatenate(parts, 0);
}

}  // namespace weft::np
