#include "weft/np/shape.h"

#include <algorithm>

#include "weft/base/text.h"
#include "weft/np/indexing.h"
#include "weft/ops/common.h"

namespace weft::np {

using ops::normal_axis;

Array reshape(const Arg& x, const Shape& shape) {
  const LocationScope scope(x.location(), "reshape");
  const Array a = x.array();
  Dims sizes(shape.dims());
  const auto unknown = std::find(sizes.begin(), sizes.end(), -1);
  const auto refuse = [&](const std::string& must) {
    throw ShapeError("reshape: " + must + "; got " + a.aval().str() + " (" +
                     count_str(a.size(), "element", "elements") + ") to " + shape_str(shape) + ".");
  };
  if (std::count(sizes.begin(), sizes.end(), -1) > 1) refuse("at most one size may be -1");
  if (std::any_of(sizes.begin(), sizes.end(), [](std::int64_t n) { return n < -1; }))
    refuse("sizes must not be negative, except one that is -1");
  if (unknown != sizes.end()) {
    *unknown = 1;
    const std::int64_t known = product(sizes);
    if (known == 0 || a.size() % known != 0) refuse("the sizes beside -1 must divide the number of elements");
    *unknown = a.size() / known;
  }
  return lax::reshape(a, sizes);
}

Array ravel(const Arg& x) { return reshape(x, {-1}); }

Array transpose(const Arg& x, const std::vector<int>& axes) {
  const LocationScope scope(x.location(), "transpose");
  const Array a = x.array();
  Dims permutation;
  if (axes.empty())
    for (int i = a.ndim(); i-- > 0;) permutation.push_back(i);
  for (const int i : axes) permutation.push_back(normal_axis("transpose", i, a.aval()));
  return lax::transpose(a, permutation);
}

Array matrix_transpose(const Arg& x) {
  const LocationScope scope(x.location(), "matrix_transpose");
  if (x.shape().size() < 2)
    throw ShapeError("matrix_transpose: the array must have at least two axes; got " + x.array().aval().str() + ".");
  return swapaxes(x, -1, -2);
}

namespace {

// Axes counted from the front, in the order given; IndexError when one repeats.
// `of` is the array, or the rank of the result.
template <class Of>
Dims resolved(const char* op, const Axes& axes, Of of) {
  Dims r;
  for (const int i : axes.axes()) {
    const int d = normal_axis(op, i, of);
    if (std::find(r.begin(), r.end(), d) != r.end()) {
      const std::vector<int>& given = axes.axes();
      std::string got;
      if constexpr (std::is_same_v<Of, Aval>) got = " for " + of.str();
      throw IndexError(std::string(op) + ": axes must be distinct; got " + shape_str(Dims(given.begin(), given.end())) +
                       got + ".");
    }
    r.push_back(d);
  }
  return r;
}

}  // namespace

Array moveaxis(const Arg& x, const Axes& from, const Axes& to) {
  const LocationScope scope(x.location(), "moveaxis");
  const Array a = x.array();
  if (from.axes().size() != to.axes().size())
    throw ValueError("moveaxis: there must be as many destinations as sources; got " +
                     std::to_string(to.axes().size()) + " for " + std::to_string(from.axes().size()) + ".");
  const Dims source = resolved("moveaxis", from, a.aval()), target = resolved("moveaxis", to, a.aval());
  Dims permutation(a.shape().size(), -1);
  for (std::size_t i = 0; i < source.size(); ++i) permutation[static_cast<std::size_t>(target[i])] = source[i];
  std::int64_t next = 0;
  for (std::int64_t& p : permutation) {
    if (p >= 0) continue;
    while (std::find(source.begin(), source.end(), next) != source.end()) ++next;
    p = next++;
  }
  return lax::transpose(a, permutation);
}

Array swapaxes(const Arg& x, Axis p, Axis q) {
  const LocationScope scope(x.location(), "swapaxes");
  const Array a = x.array();
  Dims permutation;
  for (int i = 0; i < a.ndim(); ++i) permutation.push_back(i);
  std::swap(permutation[static_cast<std::size_t>(normal_axis("swapaxes", p, a.aval()))],
            permutation[static_cast<std::size_t>(normal_axis("swapaxes", q, a.aval()))]);
  return lax::transpose(a, permutation);
}

Array expand_dims(const Arg& x, const Axes& axes) {
  const LocationScope scope(x.location(), "expand_dims");
  const Array a = x.array();
  Dims added = resolved("expand_dims", axes, a.ndim() + static_cast<int>(axes.axes().size()));
  std::sort(added.begin(), added.end());
  Dims shape(a.shape());
  for (const std::int64_t i : added) shape.insert(shape.begin() + i, 1);
  return lax::reshape(a, shape);
}

Array squeeze(const Arg& x, const Axes& axes) {
  const LocationScope scope(x.location(), "squeeze");
  const Array a = x.array();
  const Dims gone = resolved("squeeze", axes, a.aval());
  Dims shape;
  for (const std::int64_t i : gone)
    if (a.aval().shape(static_cast<std::size_t>(i)) != 1)
      throw ShapeError("squeeze: removed axes must have size 1; got axis " + std::to_string(i) + " of " +
                       a.aval().str() + ".");
  for (std::int64_t i = 0; i < a.ndim(); ++i) {
    const std::int64_t n = a.aval().shape(static_cast<std::size_t>(i));
    const bool remove = gone.empty() ? n == 1 : std::find(gone.begin(), gone.end(), i) != gone.end();
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

Array concatenate(std::span<const Array> xs, OptionalAxis axis, SourceLocation loc) {
  const LocationScope scope(loc, "concatenate");
  Arrays parts = promoted("concatenate", xs);
  if (!axis)
    for (Array& p : parts) p = ravel(p);
  if (parts[0].ndim() == 0)
    throw ShapeError("concatenate: arrays must have at least one axis; got " + parts[0].aval().str() + ".",
                     "np::stack joins 0-d arrays.");
  const int d = normal_axis("concatenate", axis.value_or(0), parts[0].aval());
  return lax::concatenate(parts, d);
}

Array stack(std::span<const Array> xs, Axis axis, SourceLocation loc) {
  const LocationScope scope(loc, "stack");
  Arrays parts = promoted("stack", xs);
  for (Array& p : parts) {
    if (!same_dims(p.shape(), xs[0].shape()))
      throw ShapeError("stack: arrays must have equal shapes; got " + xs[0].aval().str() + " and " + p.aval().str() +
                       ".");
    p = expand_dims(p, axis);
  }
  return lax::concatenate(parts, normal_axis("stack", axis, parts[0].aval()));
}

Array vstack(std::span<const Array> xs, SourceLocation loc) {
  const LocationScope scope(loc, "vstack");
  Arrays parts = promoted("vstack", xs);
  for (Array& p : parts) p = atleast_2d(p);
  return lax::concatenate(parts, 0);
}
Array hstack(std::span<const Array> xs, SourceLocation loc) {
  const LocationScope scope(loc, "hstack");
  Arrays parts = promoted("hstack", xs);
  for (Array& p : parts) p = atleast_1d(p);
  return lax::concatenate(parts, parts[0].ndim() == 1 ? 0 : 1);
}
Array dstack(std::span<const Array> xs, SourceLocation loc) {
  const LocationScope scope(loc, "dstack");
  Arrays parts = promoted("dstack", xs);
  for (Array& p : parts) p = atleast_3d(p);
  return lax::concatenate(parts, 2);
}
Array column_stack(std::span<const Array> xs, SourceLocation loc) {
  const LocationScope scope(loc, "column_stack");
  Arrays parts = promoted("column_stack", xs);
  for (Array& p : parts)
    if (p.ndim() < 2) p = lax::reshape(p, Dims{p.size(), 1});
  return lax::concatenate(parts, 1);
}
Array append(const Arg& x, const Arg& values, OptionalAxis axis) {
  const LocationScope scope(x.location(), "append");
  const DType t = result_type({x, values});
  return concatenate({lax::convert(x, t), lax::convert(values.filled(t, {}), t)}, axis);
}

namespace {

// Slices between positions, which are clamped to the axis as NumPy's are.
std::vector<Array> cut(const Array& a, int axis, const std::vector<std::int64_t>& at) {
  const auto d = static_cast<std::size_t>(axis);
  const std::int64_t n = a.aval().shape(d);
  const auto position = [n](std::int64_t p) { return std::clamp<std::int64_t>(p < 0 ? p + n : p, 0, n); };
  Dims bounds{0};
  for (const std::int64_t p : at) bounds.push_back(position(p));
  bounds.push_back(n);
  // One operation, whose gradient is one concatenation; a slice per part has a gradient as large as the array each.
  if (std::is_sorted(bounds.begin(), bounds.end())) {
    Dims sizes;
    for (std::size_t i = 1; i < bounds.size(); ++i) sizes.push_back(bounds[i] - bounds[i - 1]);
    const Arrays parts = lax::split(a, sizes, axis);
    return {parts.begin(), parts.end()};
  }
  std::vector<Array> r;
  Dims start(a.shape().size(), 0), limit(a.shape());
  for (std::size_t i = 1; i < bounds.size(); ++i) {
    start[d] = bounds[i - 1];
    limit[d] = std::max(start[d], bounds[i]);
    r.push_back(lax::slice(a, start, limit));
  }
  return r;
}

std::vector<Array> nearly_equal_parts(const Array& a, int axis, std::int64_t sections) {
  const std::int64_t n = a.shape(axis);
  std::vector<std::int64_t> at;
  for (std::int64_t i = 1; i < sections; ++i) at.push_back(i * (n / sections) + std::min(i, n % sections));
  return cut(a, axis, at);
}

}  // namespace

std::vector<Array> split(const Arg& x, const Cuts& cuts, Axis axis) {
  const LocationScope scope(x.location(), "split");
  const Array a = x.array();
  const int d = normal_axis("split", axis, a.aval());
  if (!cuts.sections()) return cut(a, d, cuts.at());
  const std::int64_t sections = *cuts.sections();
  if (sections < 1) throw ValueError("split: there must be at least one part; got " + std::to_string(sections) + ".");
  if (a.shape(d) % sections != 0)
    throw ShapeError("split: the axis must divide into equal parts; got " + std::to_string(sections) +
                         " parts of axis " + std::to_string(d) + " of " + a.aval().str() + ".",
                     "np::array_split makes parts of nearly equal size.");
  return nearly_equal_parts(a, d, sections);
}
std::vector<Array> array_split(const Arg& x, Integer sections, Axis axis) {
  const LocationScope scope(x.location(), "array_split");
  const Array a = x.array();
  const int d = normal_axis("array_split", axis, a.aval());
  if (sections < 1)
    throw ValueError("array_split: there must be at least one part; got " + std::to_string(sections) + ".");
  return nearly_equal_parts(a, d, sections);
}

std::vector<Array> unstack(const Arg& x, Axis axis) {
  const LocationScope scope(x.location(), "unstack");
  const Array a = x.array();
  const int d = normal_axis("unstack", axis, a.aval());
  const std::int64_t n = a.aval().shape(static_cast<std::size_t>(d));
  if (n == 0) return {};
  std::vector<Array> r = nearly_equal_parts(a, d, n);
  for (Array& p : r) p = squeeze(p, d);
  return r;
}

Array tile(const Arg& x, const Shape& counts) {
  const LocationScope scope(x.location(), "tile");
  const Dims& repetitions = counts.dims();
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

namespace {

// Axis `d` with element i so many times: read at positions worked out here.
Array repeat_each(const Array& a, int d, DimSpan counts) {
  std::int64_t total = 0;
  for (const std::int64_t n : counts)
    if (__builtin_add_overflow(total, n, &total) || total > INT32_MAX)
      throw ValueError("repeat: the counts must sum to less than 2^31; got " + shape_str(counts) + ".");
  std::vector<std::int32_t> from;
  from.reserve(static_cast<std::size_t>(total));
  for (std::size_t i = 0; i < counts.size(); ++i)
    from.insert(from.end(), static_cast<std::size_t>(counts[i]), static_cast<std::int32_t>(i));
  return take(a, Array(from), d, IndexMode::kPromise);
}

}  // namespace

Array repeat(const Arg& x, const Shape& times, OptionalAxis axis) {
  const LocationScope scope(x.location(), "repeat");
  const DimSpan counts = times.dims();
  const Array a = axis ? x.array() : ravel(x);
  const int d = normal_axis("repeat", axis.value_or(0), a.aval());
  const std::int64_t size = a.aval().shape(static_cast<std::size_t>(d));
  for (const std::int64_t n : counts)
    if (n < 0) throw ValueError("repeat: repetitions must not be negative; got " + std::to_string(n) + ".");
  if (counts.size() != 1 && static_cast<std::int64_t>(counts.size()) != size)
    throw ShapeError("repeat: there must be one count, or one for every element of axis " + std::to_string(d) +
                     "; got " + count_str(static_cast<std::int64_t>(counts.size()), "count", "counts") + " for " +
                     a.aval().str() + ".");
  if (counts.size() != 1) return repeat_each(a, d, counts);
  Dims wide(a.shape()), dims, shape(a.shape());
  wide.insert(wide.begin() + d + 1, counts[0]);
  for (int i = 0; i < a.ndim(); ++i) dims.push_back(i + (i > d));
  if (__builtin_mul_overflow(size, counts[0], &shape[static_cast<std::size_t>(d)]))
    throw ShapeError("repeat: sizes must be less than 2^63; got " + std::to_string(counts[0]) + " times " +
                     a.aval().str() + ".");
  return lax::reshape(lax::broadcast_in_dim(a, wide, dims), shape);
}

Array flip(const Arg& x, const Axes& axes) {
  const LocationScope scope(x.location(), "flip");
  const Array a = x.array();
  Dims dims = resolved("flip", axes, a.aval());
  for (int i = 0; axes.axes().empty() && i < a.ndim(); ++i) dims.push_back(i);
  return lax::reverse(a, dims);
}

Array rot90(const Arg& x, Integer k, std::pair<int, int> axes) {
  const LocationScope scope(x.location(), "rot90");
  Array a = x.array();
  const Dims d = resolved("rot90", {axes.first, axes.second}, a.aval());
  const Dims second{d[1]};
  const auto swapped = [&](const Array& y) { return swapaxes(y, static_cast<int>(d[0]), static_cast<int>(d[1])); };
  switch ((k % 4 + 4) % 4) {
    case 0: return a;
    case 1: return swapped(lax::reverse(a, second));
    case 2: return lax::reverse(a, d);
    default: return lax::reverse(swapped(a), second);
  }
}

Array roll(const Arg& x, Integer shift, OptionalAxis axis) {
  const LocationScope scope(x.location(), "roll");
  const Array a = axis ? x.array() : ravel(x);
  const auto d = static_cast<std::size_t>(normal_axis("roll", axis.value_or(0), a.aval()));
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
  const LocationScope scope(x.location(), "pad");
  const Array a = x.array();
  if (widths.size() != 1 && widths.size() != a.shape().size())
    throw ValueError("pad: there must be one pair of widths, or one for every axis; got " +
                     count_str(static_cast<std::int64_t>(widths.size()), "pair", "pairs") + " for " + a.aval().str() +
                     ".");
  Dims low, high;
  for (const auto& [before, after] : widths) {
    if (before < 0 || after < 0)
      throw ValueError("pad: widths must not be negative; got (" + std::to_string(before) + ", " +
                       std::to_string(after) + ").");
    low.push_back(before);
    high.push_back(after);
  }
  if (widths.size() == 1) {
    low = Dims(a.shape().size(), low[0]);
    high = Dims(a.shape().size(), high[0]);
  }
  return lax::pad(a, lax::convert(value.filled(a.dtype(), {}), a.dtype()), low, high);
}

Array pad(const Arg& x, Integer width, const Arg& value) { return pad(x, {{width, width}}, value); }

Array atleast_1d(const Arg& x) { return x.shape().empty() ? reshape(x, {1}) : x.array(); }
Array atleast_2d(const Arg& x) {
  const DimSpan shape = x.shape();
  return shape.size() >= 2 ? x.array() : reshape(x, {1, product(shape)});
}
Array atleast_3d(const Arg& x) {
  const DimSpan shape = x.shape();
  if (shape.size() >= 3) return x.array();
  return shape.size() == 2 ? reshape(x, {shape[0], shape[1], 1}) : reshape(x, {1, product(shape), 1});
}

}  // namespace weft::np
