#include "weft/np/indexing.h"

#include <algorithm>

#include "weft/base/text.h"
#include "weft/core/concretization.h"
#include "weft/np/ufuncs.h"
#include "weft/ops/common.h"

namespace weft {

namespace detail {

void throw_index_wraps(std::uint64_t index, const SourceLocation& loc) {
  const LocationScope scope(loc, "index");
  throw IndexError("index: an index must be below 2^63; got " + number_str(index) + ".",
                   "an unsigned 0 less 1 wraps round; a signed number, or -1 itself, counts from the end.");
}

Array index_rows(DType t, const void* data, std::size_t rows, std::size_t columns, bool ragged,
                 const SourceLocation& loc) {
  const LocationScope scope(loc, "index");
  if (ragged)
    throw ShapeError("index: rows in braces must have equal lengths; got rows that differ from the first, of " +
                     count_str(static_cast<std::int64_t>(columns), "element", "elements") + ".");
  // No rows are no elements, of one axis.
  if (rows == 0) return Array::copy(t, Dims{0}, data, 0, loc);
  const Dims shape{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)};
  return Array::copy(t, shape, data, rows * columns, loc);
}

}  // namespace detail

namespace {

std::string axis_text(std::size_t axis, const Array& x) {
  return "axis " + std::to_string(axis) + " of " + x.aval().str();
}

// A slice over an axis of known size: `count` elements from `start` in steps of `step`.
struct Range {
  std::int64_t start, step, count;
};

Range resolve(const Slice& s, std::int64_t size) {
  const std::int64_t step = s.step.value_or(1);
  if (step == 0) throw ValueError("index: the step of a slice must not be zero; got 0.");
  const auto clamp = [&](std::int64_t i, std::int64_t lo, std::int64_t hi) {
    return std::min(std::max(i < 0 ? i + size : i, lo), hi);
  };
  if (step > 0) {
    const std::int64_t start = s.start ? clamp(*s.start, 0, size) : 0, stop = s.stop ? clamp(*s.stop, 0, size) : size;
    return {start, step, stop > start ? (stop - start - 1) / step + 1 : 0};
  }
  const std::int64_t start = s.start ? clamp(*s.start, -1, size - 1) : size - 1,
                     stop = s.stop ? clamp(*s.stop, -1, size - 1) : -1;
  // The smallest integer has no negative; any other step beyond the size gives the same one element.
  const std::int64_t back = std::max(step, -INT64_MAX);
  return {start, back, start > stop ? (start - stop - 1) / -back + 1 : 0};
}

std::int64_t resolve(std::int64_t i, std::size_t axis, const Array& x) {
  const std::int64_t size = x.aval().shape(axis);
  if (i < -size || i >= size)
    throw IndexError("index: " + axis_text(axis, x) + " takes indices in [" + std::to_string(-size) + ", " +
                     std::to_string(size) + "); got " + std::to_string(i) + ".");
  return i < 0 ? i + size : i;
}

std::vector<bool> mask_values(const Array& mask) {
  if (const Tracer* t = unknown_tracer(mask, "index"))
    throw concretization_error(
        *t,
        "index: a bool array used as an index must have known values, for the result's shape depends on them; got " +
            unknown_str(*t) + ".",
        "np::where(mask, x, 0) keeps the shape.");
  return mask.to_vector<bool>();
}

// The positions of the true elements of a mask, one index array per axis.
Arrays nonzero(const Array& mask) {
  const std::vector<bool> values = mask_values(mask);
  std::vector<std::vector<std::int32_t>> found(static_cast<std::size_t>(mask.ndim()));
  std::size_t n = 0;
  ops::for_each_index(mask.shape(), [&](const Dims& at) {
    if (!values[n++]) return;
    for (std::size_t i = 0; i < found.size(); ++i) found[i].push_back(static_cast<std::int32_t>(at[i]));
  });
  Arrays r;
  for (const auto& f : found) r.push_back(Array(f));
  return r;
}

// One axis of the operand, or a new axis of the result.
struct Entry {
  enum class Kind : std::uint8_t { kInteger, kRange, kArray, kNewAxis } kind;
  std::size_t axis = 0;
  std::int64_t integer = 0;
  Range range{};
  Array array;
};

// The index spelled out: ellipsis and masks expanded, one entry per axis in order. A mask of no axes indexes a new
// axis of size 1, which `x` is given.
std::vector<Entry> expand(Array& x, std::span<const Index> indices) {
  std::size_t used = 0, ellipses = 0;
  for (const Index& i : indices) {
    switch (i.kind()) {
      case Index::Kind::kInteger:
      case Index::Kind::kSlice: ++used; break;
      case Index::Kind::kArray:
        if (!i.array().defined())
          throw ValueError("index: an index array must hold a value; got none (a default-constructed Array).");
        if (category(i.array().dtype()) > Category::kInteger)
          throw DTypeError("index: index arrays must be integers or bool; got " + i.array().aval().str() + ".");
        used += i.array().dtype() == boolean ? static_cast<std::size_t>(i.array().ndim()) : 1;
        break;
      case Index::Kind::kEllipsis: ++ellipses; break;
      case Index::Kind::kNewAxis: break;
    }
  }
  const auto rank = static_cast<std::size_t>(x.ndim());
  if (ellipses > 1)
    throw IndexError("index: there must be at most one ellipsis; got " + std::to_string(ellipses) + ".");
  if (used > rank)
    throw IndexError("index: there must be at most one index per axis; got " +
                     count_str(static_cast<std::int64_t>(used), "index", "indices") + " for " + x.aval().str() + ".");
  std::vector<Entry> entries;
  std::size_t axis = 0;
  const auto full = [&](std::size_t n) {
    for (; n > 0; --n, ++axis) entries.push_back({Entry::Kind::kRange, axis, 0, {0, 1, x.aval().shape(axis)}, {}});
  };
  for (const Index& i : indices) {
    switch (i.kind()) {
      case Index::Kind::kInteger:
        entries.push_back({Entry::Kind::kInteger, axis, resolve(i.integer(), axis, x), {}, {}});
        ++axis;
        break;
      case Index::Kind::kSlice:
        entries.push_back({Entry::Kind::kRange, axis, 0, resolve(i.slice(), x.aval().shape(axis)), {}});
        ++axis;
        break;
      case Index::Kind::kNewAxis: entries.push_back({Entry::Kind::kNewAxis, axis, 0, {}, {}}); break;
      case Index::Kind::kEllipsis: full(rank - used); break;
      case Index::Kind::kArray: {
        const Array& a = i.array();
        if (a.dtype() != boolean) {
          entries.push_back({Entry::Kind::kArray, axis++, 0, {}, a});
          break;
        }
        if (a.ndim() == 0) {
          Dims shape(x.shape());
          shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), 1);
          x = lax::reshape(x, shape);
          entries.push_back(
              {Entry::Kind::kArray, axis++, 0, {}, lax::full(Dims{mask_values(a)[0] ? 1 : 0}, Scalar(0), i32)});
          break;
        }
        for (int j = 0; j < a.ndim(); ++j)
          if (a.shape(j) != x.aval().shape(axis + static_cast<std::size_t>(j)))
            throw IndexError("index: a mask must have the sizes of the axes it indexes; got " + a.aval().str() +
                             " at axis " + std::to_string(axis) + " of " + x.aval().str() + ".");
        for (Array& positions : nonzero(a))
          entries.push_back({Entry::Kind::kArray, axis++, 0, {}, std::move(positions)});
        break;
      }
    }
  }
  if (ellipses == 0) full(rank - used);
  return entries;
}

// Integers, slices and new axes only: slice, reverse, reshape.
Array index_basic(const Array& x, const std::vector<Entry>& entries) {
  Dims start, limit, strides, reversed, shape;
  for (const Entry& e : entries) {
    if (e.kind == Entry::Kind::kNewAxis) {
      shape.push_back(1);
      continue;
    }
    if (e.kind == Entry::Kind::kInteger) {
      start.push_back(e.integer);
      limit.push_back(e.integer + 1);
      strides.push_back(1);
      continue;
    }
    const Range& r = e.range;
    shape.push_back(r.count);
    if (r.count == 0) {
      start.push_back(0);
      limit.push_back(0);
      strides.push_back(1);
    } else if (r.step > 0) {
      start.push_back(r.start);
      limit.push_back(r.start + (r.count - 1) * r.step + 1);
      strides.push_back(r.step);
    } else {
      start.push_back(r.start + (r.count - 1) * r.step);
      limit.push_back(r.start + 1);
      strides.push_back(-r.step);
      if (r.count > 1) reversed.push_back(static_cast<std::int64_t>(e.axis));
    }
  }
  Array y = lax::slice(x, start, limit, strides);
  if (!reversed.empty()) y = lax::reverse(y, reversed);
  return lax::reshape(y, shape);
}

// How an index with arrays maps to gather and scatter. Result axes in order; an axis is either a
// window over an operand axis, or an axis of the index arrays, or new.
struct Plan {
  struct Axis {
    enum class Kind : std::uint8_t { kWindow, kBatch, kNew } kind;
    std::int64_t size;
  };
  std::vector<Axis> result;
  Dims slice_sizes;  // by operand axis
  Dims indexed;      // operand axes with a component in the index vectors
  Dims collapsed;    // operand axes absent from the windows
  Array indices;     // [batch..., components]
  Dims shape() const {
    Dims s;
    for (const Axis& a : result) s.push_back(a.size);
    return s;
  }
  // Positions of the windows among the result axes without the new ones.
  Dims window_positions() const {
    Dims p;
    std::int64_t at = 0;
    for (const Axis& a : result) {
      if (a.kind == Axis::Kind::kWindow) p.push_back(at);
      at += a.kind != Axis::Kind::kNew;
    }
    return p;
  }
  Dims shape_without_new() const {
    Dims s;
    for (const Axis& a : result)
      if (a.kind != Axis::Kind::kNew) s.push_back(a.size);
    return s;
  }
};

std::string index_types(const std::vector<Entry>& entries) {
  std::string s;
  for (const Entry& e : entries)
    if (e.kind == Entry::Kind::kArray) s += (s.empty() ? "" : " and ") + e.array.aval().str();
  return s;
}

Plan make_plan(const Array& x, const std::vector<Entry>& entries) {
  using AxisKind = Plan::Axis::Kind;
  // The common shape of the index arrays; an integer among them is an array of no axes.
  Dims common;
  bool any_array = false, wide = false;
  for (const Entry& e : entries) {
    if (e.kind != Entry::Kind::kArray) continue;
    any_array = true;
    wide |= byte_size(e.array.dtype()) == 8 || e.array.dtype() == u32;
    const DimSpan s = e.array.shape();
    if (s.size() > common.size())
      common = [&] {
        Dims c(s.size(), 1);
        std::copy_backward(common.begin(), common.end(), c.end());
        return c;
      }();
    for (std::size_t i = 0; i < s.size(); ++i) {
      std::int64_t& c = common[common.size() - s.size() + i];
      if (c != s[i] && c != 1 && s[i] != 1)
        throw IndexError("index: index arrays must broadcast together; got " + index_types(entries) + ".",
                         "to pick rows and columns independently, index twice or add an axis: rows(slice(), newaxis).");
      if (c == 1) c = s[i];
    }
  }
  for (const std::int64_t size : x.shape()) wide |= size > INT32_MAX;
  const DType dtype = wide ? i64 : i32;

  // Arrays and integers that are all neighbours put their axes where they stand, else in front.
  bool adjacent = true, seen = false, ended = false;
  for (const Entry& e : entries) {
    const bool advanced = e.kind == Entry::Kind::kArray || (e.kind == Entry::Kind::kInteger && any_array);
    if (advanced && ended) adjacent = false;
    if (!advanced && seen) ended = true;
    seen |= advanced;
  }

  Plan plan;
  plan.slice_sizes = Dims(x.shape());
  struct Component {
    Array array;               // values, over `axes` of the batch
    std::size_t first, count;  // batch axes it runs over
  };
  std::vector<Component> components;
  std::size_t num_batch = 0, common_at = 0;
  bool placed = !any_array;
  const auto place_common = [&] {
    if (placed) return;
    placed = true;
    common_at = num_batch;
    for (const std::int64_t size : common) plan.result.push_back({AxisKind::kBatch, size});
    num_batch += common.size();
  };
  if (!adjacent) place_common();
  for (const Entry& e : entries) {
    const auto axis = static_cast<std::int64_t>(e.axis);
    const std::int64_t size = e.kind == Entry::Kind::kNewAxis ? 0 : x.aval().shape(e.axis);
    switch (e.kind) {
      case Entry::Kind::kNewAxis: plan.result.push_back({AxisKind::kNew, 1}); break;
      case Entry::Kind::kInteger:
        if (any_array) place_common();
        components.push_back({Array::full({}, dtype, Scalar(e.integer)), 0, 0});
        plan.indexed.push_back(axis);
        plan.collapsed.push_back(axis);
        plan.slice_sizes[e.axis] = 1;
        break;
      case Entry::Kind::kRange:
        if (e.range.step == 1) {
          plan.result.push_back({AxisKind::kWindow, e.range.count});
          plan.slice_sizes[e.axis] = e.range.count;
          if (e.range.start != 0) {
            components.push_back({Array::full({}, dtype, Scalar(e.range.start)), 0, 0});
            plan.indexed.push_back(axis);
          }
        } else {
          // Steps are spelled out as an index array with an axis of its own.
          const Dims shape{e.range.count};
          const Array steps = lax::multiply(lax::iota(dtype, shape, 0), lax::full(shape, Scalar(e.range.step), dtype));
          components.push_back({lax::add(steps, lax::full(shape, Scalar(e.range.start), dtype)), num_batch++, 1});
          plan.result.push_back({AxisKind::kBatch, e.range.count});
          plan.indexed.push_back(axis);
          plan.collapsed.push_back(axis);
          plan.slice_sizes[e.axis] = 1;
        }
        break;
      case Entry::Kind::kArray: {
        place_common();
        // Beyond every i64 is beyond every axis, and must not wrap to the other end.
        Array a = e.array.dtype() == u64 ? lax::minimum(e.array, INT64_MAX) : e.array;
        a = lax::convert(a, dtype);
        if (!is_unsigned(e.array.dtype()))
          a = lax::select(lax::lt(a, 0), lax::add(a, lax::full(a.shape(), Scalar(size), dtype)), a);
        components.push_back({std::move(a), common_at, common.size()});
        plan.indexed.push_back(axis);
        plan.collapsed.push_back(axis);
        plan.slice_sizes[e.axis] = std::min<std::int64_t>(size, 1);
        if (size == 0 && product(common) > 0)
          throw IndexError("index: " + axis_text(e.axis, x) + " has no elements; got " +
                           count_str(product(common), "index", "indices") + ".");
        break;
      }
    }
  }

  Dims batch;
  for (const Plan::Axis& a : plan.result)
    if (a.kind == AxisKind::kBatch) batch.push_back(a.size);
  Dims full_shape(batch);
  full_shape.push_back(1);
  Arrays columns;
  for (const Component& c : components) {
    // Aligned to the right of the axes it runs over, as broadcasting aligns.
    Dims dims, sizes;
    const auto rank = static_cast<std::size_t>(c.array.ndim());
    Array a = c.array;
    for (std::size_t i = 0; i < rank; ++i) dims.push_back(static_cast<std::int64_t>(c.first + c.count - rank + i));
    columns.push_back(lax::broadcast_in_dim(a, full_shape, dims));
  }
  if (columns.empty()) {
    full_shape.back() = 0;
    plan.indices = lax::full(full_shape, Scalar(0), dtype);
  } else {
    plan.indices = columns.size() == 1 ? columns[0] : lax::concatenate(columns, static_cast<int>(batch.size()));
  }
  return plan;
}

const SourceLocation& location_of(std::span<const Index> indices) {
  static const SourceLocation unknown;
  return indices.empty() ? unknown : indices[0].location();
}

Array index_array(Array x, std::span<const Index> indices, IndexMode mode) {
  const LocationScope scope(location_of(indices), "index");
  const std::vector<Entry> entries = expand(x, indices);
  if (std::none_of(entries.begin(), entries.end(), [](const Entry& e) { return e.kind == Entry::Kind::kArray; }))
    return index_basic(x, entries);
  const Plan plan = make_plan(x, entries);
  const lax::GatherDimensionNumbers dims{.offset_dims = plan.window_positions(),
                                         .collapsed_slice_dims = plan.collapsed,
                                         .operand_batching_dims = {},
                                         .start_indices_batching_dims = {},
                                         .start_index_map = plan.indexed};
  return lax::reshape(lax::gather(x, plan.indices, dims, plan.slice_sizes, mode), plan.shape());
}

}  // namespace

Array IndexUpdate::get(IndexMode mode) const { return index_array(x_, indices_, mode); }

Array IndexUpdate::update(const char* what, const Arg& v, lax::ScatterKind kind, IndexMode mode) const {
  const LocationScope scope(location_of(indices_), what);
  if (category(v.dtype()) > category(x_.dtype()))
    throw DTypeError(std::string(what) + ": the value must be of the array's kind of numbers or a lesser one; got " +
                         v.array().aval().str() + " for " + x_.aval().str() + ".",
                     "convert the array first with astype(" + std::string(name(v.dtype())) + "), or " +
                         (is_complex(v.dtype()) ? std::string("take np::real of the value.")
                                                : "the value with astype(" + std::string(name(x_.dtype())) + ")."));
  Array x = x_;
  const std::vector<Entry> entries = expand(x, indices_);
  const Plan plan = make_plan(x, entries);
  const Dims shape = plan.shape();
  Array value = v.filled(x_.dtype(), shape);
  const std::size_t rank = value.shape().size();
  Dims dims;
  bool fits = rank <= shape.size();
  for (std::size_t i = 0; fits && i < rank; ++i) {
    dims.push_back(static_cast<std::int64_t>(shape.size() - rank + i));
    fits = value.aval().shape(i) == 1 || value.aval().shape(i) == shape[shape.size() - rank + i];
  }
  if (!fits)
    throw ShapeError(std::string(what) + ": the value must broadcast to the shape of the indexed elements; got " +
                     value.aval().str() + " for " + shape_str(shape) + ".");
  if (value.dtype() != x_.dtype()) {
    value = lax::convert(value, x_.dtype());
  }
  value = lax::reshape(lax::broadcast_in_dim(value, shape, dims), plan.shape_without_new());
  const lax::ScatterDimensionNumbers numbers{.update_window_dims = plan.window_positions(),
                                             .inserted_window_dims = plan.collapsed,
                                             .input_batching_dims = {},
                                             .scatter_indices_batching_dims = {},
                                             .scatter_dims_to_operand_dims = plan.indexed};
  // Integers, slices and masks name every element once, which is what a product's derivative needs to know.
  const bool unique = std::none_of(indices_.begin(), indices_.end(), [](const Index& i) {
    return i.kind() == Index::Kind::kArray && i.array().dtype() != boolean;
  });
  return lax::reshape(lax::scatter(x, plan.indices, value, numbers, kind, mode, unique), x_.shape());
}

Array IndexUpdate::set(const Arg& v, IndexMode mode) const { return update("at.set", v, lax::ScatterKind::kSet, mode); }
Array IndexUpdate::add(const Arg& v, IndexMode mode) const { return update("at.add", v, lax::ScatterKind::kAdd, mode); }
Array IndexUpdate::multiply(const Arg& v, IndexMode mode) const {
  return update("at.multiply", v, lax::ScatterKind::kMul, mode);
}
Array IndexUpdate::min(const Arg& v, IndexMode mode) const { return update("at.min", v, lax::ScatterKind::kMin, mode); }
Array IndexUpdate::max(const Arg& v, IndexMode mode) const { return update("at.max", v, lax::ScatterKind::kMax, mode); }

namespace np {

Array index(const Array& x, std::span<const Index> indices, IndexMode mode) { return index_array(x, indices, mode); }

Array take(const Arg& x, const Arg& indices, OptionalAxis axis, IndexMode mode) {
  const LocationScope scope(x.location(), "take");
  Array a = x.array();
  if (!axis) a = lax::reshape(a, Dims{a.size()});
  const int at = ops::normal_axis("take", axis.value_or(0), a.aval());
  Indices list;
  for (int i = 0; i < at; ++i) list.push_back(Index(slice(), x.location()));
  list.push_back(Index(indices.array(), x.location()));
  return index_array(a, list, mode);
}

Array take(const Arg& x, const Arg& indices, OptionalAxis axis, Wrap) {
  const LocationScope scope(x.location(), "take");
  const Array a = axis ? x.array() : lax::reshape(x, Dims{product(x.shape())});
  const int at = ops::normal_axis("take", axis.value_or(0), a.aval());
  const std::int64_t n = a.aval().shape(static_cast<std::size_t>(at));
  Array ids = indices.array();
  if (!is_integer(ids.dtype())) throw DTypeError("take: indices must be integers; got " + ids.aval().str() + ".");
  if (n == 0 && ids.size() > 0)
    throw IndexError("take: " + axis_text(static_cast<std::size_t>(at), a) + " has no elements; got " +
                     count_str(ids.size(), "index", "indices") + ".");
  // In a dtype that holds the size; then the result is in range.
  if (byte_size(ids.dtype()) < 8) ids = lax::convert(ids, n > INT32_MAX || ids.dtype() == u32 ? i64 : i32);
  return take(Arg(a, x.location()), n == 0 ? ids : mod(ids, n), at, IndexMode::kPromise);
}

Array take_along_axis(const Arg& x, const Arg& indices, Axis axis, IndexMode mode) {
  const LocationScope scope(x.location(), "take_along_axis");
  const Array a = x.array(), ids = indices.array();
  if (ids.ndim() != a.ndim())
    throw ShapeError("take_along_axis: the indices must have as many axes as the array; got " + ids.aval().str() +
                     " for " + a.aval().str() + ".");
  const int at = ops::normal_axis("take_along_axis", axis, a.aval());
  Indices list;
  for (int i = 0; i < a.ndim(); ++i) {
    if (i == at) {
      list.push_back(Index(ids, x.location()));
      continue;
    }
    // A row counter along axis i, except where the array has only one row to read.
    Dims shape(static_cast<std::size_t>(a.ndim()), 1);
    const std::int64_t n = a.shape(i), m = ids.shape(i);
    if (n != m && n != 1 && m != 1)
      throw ShapeError("take_along_axis: sizes must be equal or 1 on the other axes; got " + ids.aval().str() +
                       " for " + a.aval().str() + ".");
    shape[static_cast<std::size_t>(i)] = n;
    list.push_back(Index(lax::iota(i32, shape, i), x.location()));
  }
  return index_array(a, list, mode);
}

}  // namespace np
}  // namespace weft
