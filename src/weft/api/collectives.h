// Operations between the examples of a vmap that names its axis: vmap(f, {.axis_name = "i"}), where f uses
// lax::psum(x, "i"). (Between processes: ops/collectives.h.)
#pragma once

#include "weft/api/callable.h"
#include "weft/core/named_axes.h"

namespace weft {

/// The names of one or several mapped axes; of several, the first is the major one.
class AxisNames {
 public:
  AxisNames(const char* name) : names_{name} {}  // implicit by design
  AxisNames(std::string name) : names_{std::move(name)} {}
  AxisNames(std::initializer_list<std::string> names) : names_(names) {}
  std::span<const std::string> names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

/// Positions of an axis that take part together, each position in one group, groups of one size; none: all of them.
using AxisGroups = std::vector<std::vector<std::int64_t>>;

struct AllGatherOptions {
  /// Where the new axis is in the result; with `tiled`, the axis along which the examples are joined.
  int axis = 0;
  bool tiled = false;
  AxisGroups groups = {};
};
struct PsumScatterOptions {
  /// The axis of the sum of which every position keeps a part: it must have the size of the group, and goes; with
  /// `tiled` it must divide by that size, and stays.
  int scatter_dimension = 0;
  bool tiled = false;
  AxisGroups groups = {};
};
struct AllToAllOptions {
  /// With `tiled` the split axis need only divide by the size of the group, and parts are joined along concat_axis.
  bool tiled = false;
  AxisGroups groups = {};
};

namespace api {

Array psum(const Array& x, const AxisNames& axes, const AxisGroups& groups, const SourceLocation& loc);
Array pmean(const Array& x, const AxisNames& axes, const AxisGroups& groups, const SourceLocation& loc);
Array pmax(const Array& x, const AxisNames& axes, const AxisGroups& groups, const SourceLocation& loc);
Array pmin(const Array& x, const AxisNames& axes, const AxisGroups& groups, const SourceLocation& loc);
Array all_gather(const Array& x, const AxisNames& axes, const AllGatherOptions& options, const SourceLocation& loc);
Array psum_scatter(const Array& x, const AxisNames& axes, const PsumScatterOptions& options, const SourceLocation& loc);
Array ppermute(const Array& x, const std::string& axis, std::span<const std::pair<std::int64_t, std::int64_t>> pairs,
               const SourceLocation& loc);
Array all_to_all(const Array& x, const std::string& axis, int split_axis, int concat_axis,
                 const AllToAllOptions& options, const SourceLocation& loc);

/// f of every array of a tree; a number is an array.
template <class T, class F>
auto over_leaves(const T& x, F&& f) {
  if constexpr (std::is_constructible_v<Arg, const T&>) {
    return f(Arg(x).array());
  } else {
    T r = x;
    tree::for_each(r, [&](Array& a) { a = f(std::as_const(a)); });
    return r;
  }
}

}  // namespace api

namespace lax {

// x is an array or a tree of arrays in all of these. Errors: UnboundAxisError when nothing maps an axis of that name,
// ValueError for groups that do not fit the axis, a name given twice, and (all_gather, psum_scatter, all_to_all) an
// axis without examples, ShapeError and IndexError as for the operations on arrays.
//
// Derivatives take every example to have its own copy of every value, as JAX's do under vmap: they are of the sum of
// all examples' results. So psum is its own transpose: the gradient of f(psum(x)) by one example's x sums what all
// examples ask for.

/// The sum over all examples, which every one gets. bool counts as i32.
template <class T>
auto psum(const T& x, const AxisNames& axes, const AxisGroups& groups = {},
          SourceLocation loc = std::source_location::current()) {
  return api::over_leaves(x, [&](const Array& a) { return api::psum(a, axes, groups, loc); });
}
/// The mean over all examples; integers give f32.
template <class T>
auto pmean(const T& x, const AxisNames& axes, const AxisGroups& groups = {},
           SourceLocation loc = std::source_location::current()) {
  return api::over_leaves(x, [&](const Array& a) { return api::pmean(a, axes, groups, loc); });
}
/// The elementwise maximum over all examples. Its derivative is shared between those that attain it.
template <class T>
auto pmax(const T& x, const AxisNames& axes, const AxisGroups& groups = {},
          SourceLocation loc = std::source_location::current()) {
  return api::over_leaves(x, [&](const Array& a) { return api::pmax(a, axes, groups, loc); });
}
/// The elementwise minimum, likewise.
template <class T>
auto pmin(const T& x, const AxisNames& axes, const AxisGroups& groups = {},
          SourceLocation loc = std::source_location::current()) {
  return api::over_leaves(x, [&](const Array& a) { return api::pmin(a, axes, groups, loc); });
}
/// x of all examples, stacked along a new axis or (`tiled`) joined along one, which every one gets.
template <class T>
auto all_gather(const T& x, const AxisNames& axes, const AllGatherOptions& options = {},
                SourceLocation loc = std::source_location::current()) {
  return api::over_leaves(x, [&](const Array& a) { return api::all_gather(a, axes, options, loc); });
}
/// The part of psum(x) that belongs to this example, by its position. The transpose of all_gather.
template <class T>
auto psum_scatter(const T& x, const AxisNames& axes, const PsumScatterOptions& options = {},
                  SourceLocation loc = std::source_location::current()) {
  return api::over_leaves(x, [&](const Array& a) { return api::psum_scatter(a, axes, options, loc); });
}
/// x of the example whose position is paired with this one's as {source, target}; zeros when none is. No position is
/// twice a source or twice a target (ValueError).
template <class T>
auto ppermute(const T& x, const std::string& axis, const std::vector<std::pair<std::int64_t, std::int64_t>>& pairs,
              SourceLocation loc = std::source_location::current()) {
  return api::over_leaves(x, [&](const Array& a) { return api::ppermute(a, axis, pairs, loc); });
}
/// x[j] along `split_axis`, which has the size of the axis, goes to example j; what comes in from all is stacked along
/// `concat_axis` of the result. ShapeError when the split axis has another size.
template <class T>
auto all_to_all(const T& x, const std::string& axis, int split_axis, int concat_axis,
                const AllToAllOptions& options = {}, SourceLocation loc = std::source_location::current()) {
  return api::over_leaves(
      x, [&](const Array& a) { return api::all_to_all(a, axis, split_axis, concat_axis, options, loc); });
}
/// i32[]: the position of this example along the axis; of several, in row-major order.
Array axis_index(const AxisNames& axes, SourceLocation loc = std::source_location::current());
/// How many examples there are; of several axes, together.
std::int64_t axis_size(const AxisNames& axes, SourceLocation loc = std::source_location::current());

}  // namespace lax

}  // namespace weft
