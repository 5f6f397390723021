#include "weft/np/shape.h"

#include <algorithm>

#include "weft/ops/common.h"

namespace weft::np {

using ops::normal_axis;

Array reshape(const Arg& x, const Shape& shape) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  Dims sizes(shape.dims());
  const auto unknown = std::find(sizes.begin(), sizes.end(), -1);
  if (unknown != sizes.end()) {
    *unknown = 1;
    const bool once = std::find(sizes.begin(), sizes.end(), -1) == sizes.end();
    const std::int64_t known = product(sizes);
    if (!once || known == 0 || a.size() % known != 0)
      throw ShapeError("reshape: one size may be -1, and the others must divide the number of elements; got " + a.aval().str() + " to " +
                       shape_str(shape) + ".");
    *unknown = a.size() / known;
  }
  return lax::reshape(a, sizes);
}

Array ravel(const Arg& x) { return reshape(x, {-1}); }

Array transpose(const Arg& x, const std::vector<int>& axes) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  Dims permutation;
  if (axes.empty())
    for (int i = a.ndim(); i-- > 0;) permutation.push_back(i);
  for (const int i : axes) permutation.push_back(normal_axis("transpose", i, a.ndim()));
  return lax::transpose(a, permutation);
}

Array moveaxis(const Arg& x, int from, int to) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  return ops::bdim_to(a, normal_axis("moveaxis", from, a.ndim()), normal_axis("moveaxis", to, a.ndim()), 0);
}

Array swapaxes(const Arg& x, int p, int q) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  Dims permutation;
  for (int i = 0; i < a.ndim(); ++i) permutation.push_back(i);
  std::swap(permutation[static_cast<std::size_t>(normal_axis("swapaxes", p, a.ndim()))],
            permutation[static_cast<std::size_t>(normal_axis("swapaxes", q, a.ndim()))]);
  return lax::transpose(a, permutation);
}

Array expand_dims(const Arg& x, int axis) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  Dims shape(a.shape());
  shape.insert(shape.begin() + normal_axis("expand_dims", axis, a.ndim() + 1), 1);
  return lax::reshape(a, shape);
}

Array squeeze(const Arg& x, const std::vector<int>& axes) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  Dims gone, shape;
  for (const int i : axes) {
    gone.push_back(normal_axis("squeeze", i, a.ndim()));
    if (a.aval().shape(static_cast<std::size_t>(gone.back())) != 1)
      throw ShapeError("squeeze: removed axes must have size 1; got axis " + std::to_string(i) + " of " + a.aval().str() + ".");
  }
  for (std::int64_t i = 0; i < a.ndim(); ++i) {
    const std::int64_t n = a.aval().shape(static_cast<std::size_t>(i));
    const bool remove = axes.empty() ? n == 1 : std::find(gone.begin(), gone.end(), i) != gone.end();
    if (!remove) shape.push_back(n);
  }
  return lax::reshape(a, shape);
}

namespace {

// All arrays in their common dtype.
Arrays promoted(const char* op, std::span<const Array> xs) {
  if (xs.empty()) throw ValueError(std::string(op) + ": there must be at least one array; got none.");
  DType t = xs[0].dtype();
  for (const Array& x : xs) t = promote_types(t, x.dtype());
  Arrays r;
  for (const Array& x : xs) r.push_back(lax::convert(x, t));
  return r;
}

}  // namespace

Array concatenate(std::span<const Array> xs, int axis) { return lax::concatenate(promoted("concatenate", xs), axis); }

Array stack(std::span<const Array> xs, int axis) {
  Arrays parts = promoted("stack", xs);
  for (Array& p : parts) {
    if (!same_dims(p.shape(), xs[0].shape()))
      throw ShapeError("stack: arrays must have equal shapes; got " + xs[0].aval().str() + " and " + p.aval().str() + ".");
    p = expand_dims(p, axis);
  }
  return lax::concatenate(parts, axis);
}

Array vstack(std::span<const Array> xs) {
  Arrays parts = promoted("vstack", xs);
  for (Array& p : parts) p = atleast_2d(p);
  return lax::concatenate(parts, 0);
}
Array hstack(std::span<const Array> xs) {
  Arrays parts = promoted("hstack", xs);
  for (Array& p : parts) p = atleast_1d(p);
  return lax::concatenate(parts, parts[0].ndim() == 1 ? 0 : 1);
}

std::vector<Array> split(const Arg& x, int sections, int axis) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  const auto d = static_cast<std::size_t>(normal_axis("split", axis, a.ndim()));
  const std::int64_t n = a.aval().shape(d);
  if (sections < 1 || n % sections != 0)
    throw ShapeError("split: the axis must divide into equal parts; got " + std::to_string(sections) + " parts of axis " + std::to_string(d) +
                     " of " + a.aval().str() + ".");
  std::vector<Array> r;
  Dims start(a.shape().size(), 0), limit(a.shape());
  for (int i = 0; i < sections; ++i) {
    start[d] = i * (n / sections);
    limit[d] = start[d] + n / sections;
    r.push_back(lax::slice(a, start, limit));
  }
  return r;
}

std::vector<Array> unstack(const Arg& x, int axis) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  const int d = normal_axis("unstack", axis, a.ndim());
  const std::int64_t n = a.aval().shape(static_cast<std::size_t>(d));
  if (n == 0) return {};
  std::vector<Array> r = split(x, static_cast<int>(n), d);
  for (Array& p : r) p = squeeze(p, {d});
  return r;
}

Array tile(const Arg& x, const std::vector<std::int64_t>& repetitions) {
  const LocationScope scope(x.location());
  Array a = x.array();
  const std::size_t rank = std::max(repetitions.size(), a.shape().size());
  // [n0, n1] -> [r0, n0, r1, n1] -> [r0 n0, r1 n1]
  Dims wide, dims, shape;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t own = rank - a.shape().size(), given = rank - repetitions.size();
    const std::int64_t n = i < own ? 1 : a.aval().shape(i - own), r = i < given ? 1 : repetitions[i - given];
    if (r < 0) throw ValueError("tile: repetitions must not be negative; got " + std::to_string(r) + ".");
    wide.push_back(r);
    if (i >= own) dims.push_back(static_cast<std::int64_t>(wide.size()));
    wide.push_back(n);
    shape.push_back(n * r);
  }
  return lax::reshape(lax::broadcast_in_dim(a, wide, dims), shape);
}

Array repeat(const Arg& x, std::int64_t repetitions, std::optional<int> axis) {
  const LocationScope scope(x.location());
  if (repetitions < 0) throw ValueError("repeat: repetitions must not be negative; got " + std::to_string(repetitions) + ".");
  const Array a = axis ? x.array() : ravel(x);
  const int d = normal_axis("repeat", axis.value_or(0), a.ndim());
  Dims wide(a.shape()), dims, shape(a.shape());
  wide.insert(wide.begin() + d + 1, repetitions);
  for (int i = 0; i < a.ndim(); ++i) dims.push_back(i + (i > d));
  shape[static_cast<std::size_t>(d)] *= repetitions;
  return lax::reshape(lax::broadcast_in_dim(a, wide, dims), shape);
}

Array flip(const Arg& x, const std::vector<int>& axes) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  Dims dims;
  for (int i = 0; axes.empty() && i < a.ndim(); ++i) dims.push_back(i);
  for (const int i : axes) dims.push_back(normal_axis("flip", i, a.ndim()));
  return lax::reverse(a, dims);
}

Array roll(const Arg& x, std::int64_t shift, std::optional<int> axis) {
  const LocationScope scope(x.location());
  const Array a = axis ? x.array() : ravel(x);
  const auto d = static_cast<std::size_t>(normal_axis("roll", axis.value_or(0), a.ndim()));
  const std::int64_t n = a.aval().shape(d);
  if (n == 0) return x.array();
  const std::int64_t by = ((shift % n) + n) % n;
  Dims start(a.shape().size(), 0), limit(a.shape());
  limit[d] = n - by;
  const Array head = lax::slice(a, start, limit);
  start[d] = n - by;
  limit[d] = n;
  const Array rolled = lax::concatenate({lax::slice(a, start, limit), head}, static_cast<int>(d));
  return lax::reshape(rolled, x.shape());
}

Array pad(const Arg& x, const std::vector<std::pair<std::int64_t, std::int64_t>>& widths, const Arg& value) {
  const LocationScope scope(x.location());
  const Array a = x.array();
  Dims low, high;
  for (const auto& [before, after] : widths) {
    if (before < 0 || after < 0) throw ValueError("pad: widths must not be negative; got (" + std::to_string(before) + ", " + std::to_string(after) + ").");
    low.push_back(before);
    high.push_back(after);
  }
  if (widths.size() == 1) {
    low = Dims(a.shape().size(), low[0]);
    high = Dims(a.shape().size(), high[0]);
  }
  return lax::pad(a, lax::convert(value.filled(a.dtype(), {}), a.dtype()), low, high);
}

Array atleast_1d(const Arg& x) { return x.shape().empty() ? reshape(x, {1}) : x.array(); }
Array atleast_2d(const Arg& x) {
  const Array a = x.array();
  return a.ndim() >= 2 ? a : reshape(x, {1, a.size()});
}

}  // namespace weft::np
