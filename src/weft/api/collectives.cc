#include "weft/api/collectives.h"

#include <algorithm>

#include "weft/ir/collectives.h"
#include "weft/ops/common.h"
#include "weft/ops/lax.h"

namespace weft {

namespace {

ProcessGroups groups_of(std::string_view who, const std::string& name, const AxisGroups& groups) {
  ProcessGroups r;
  r.axis = named_axis(who, name);
  for (const auto& group : groups) r.replica_groups.emplace_back(std::span<const std::int64_t>(group));
  return r;
}

// Groups are of one axis.
void check_axes(std::string_view who, const AxisNames& axes, const AxisGroups& groups) {
  const std::size_t n = axes.names().size();
  if (n == 0) throw ValueError(std::string(who) + ": there must be an axis; got no names.");
  for (std::size_t i = 0; i < n; ++i)
    if (std::ranges::count(axes.names(), axes.names()[i]) > 1)
      throw ValueError(std::string(who) + ": axes must differ; got '" + axes.names()[i] + "' twice.");
  if (n > 1 && !groups.empty())
    throw ValueError(std::string(who) + ": groups must be of one axis; got groups and " + std::to_string(n) + " axes.");
}

std::int64_t group_size(const ProcessGroups& g) {
  return g.replica_groups.empty() ? g.axis.size : static_cast<std::int64_t>(g.replica_groups[0].size());
}

Array reduce(const char* who, const Array& x, ReduceKind kind, const AxisNames& axes, const AxisGroups& groups) {
  check_axes(who, axes, groups);
  Array r = x;
  for (const std::string& name : axes.names()) {
    const ProcessGroups g = groups_of(who, name, groups);
    // What is known already is the same for all examples: psum(1.0), the size of the axis, lets none meet another.
    const bool known = !x.is_tracer() && groups.empty() && kind == ReduceKind::kSum;
    r = known ? lax::multiply(r, Array::full(r.shape(), r.dtype(), Scalar(g.axis.size)))
              : bind1(OpCode::kAllReduce, ir::make_params(AllReduceParams{kind, g, {}}), {r});
  }
  return r;
}

// bool counts as i32.
Array summand(const Array& x) { return x.dtype() == boolean ? lax::convert(x, i32) : x; }

Array sum(const char* who, const Array& x, const AxisNames& axes, const AxisGroups& groups) {
  return reduce(who, summand(x), ReduceKind::kSum, axes, groups);
}

Array with_axis(const Array& x, int at) { return ops::bdim_to(x, kUnmapped, at, 1); }
Array without_axis(const Array& x, int at) {
  Dims shape(x.shape());
  shape.erase(shape.begin() + at);
  return lax::reshape(x, shape);
}

void check_group_size(const char* who, const Array& x, int axis, std::int64_t size) {
  if (x.shape(axis) == size) return;
  throw ShapeError(std::string(who) + ": the axis must have one position for each of " + std::to_string(size) +
                       " examples; got axis " + std::to_string(axis) + " of " + x.aval().str() + ".",
                   "set tiled to give every example several.");
}

}  // namespace

namespace api {

Array psum(const Array& x, const AxisNames& axes, const AxisGroups& groups, const SourceLocation& loc) {
  const LocationScope scope(loc, "psum");
  return sum("psum", x, axes, groups);
}
Array pmean(const Array& x, const AxisNames& axes, const AxisGroups& groups, const SourceLocation& loc) {
  const LocationScope scope(loc, "pmean");
  const Array y = sum("pmean", is_inexact(x.dtype()) ? x : lax::convert(x, f32), axes, groups);
  std::int64_t n = 1;
  for (const std::string& name : axes.names()) n *= group_size(groups_of("pmean", name, groups));
  return lax::divide(y, static_cast<double>(n));
}
Array pmax(const Array& x, const AxisNames& axes, const AxisGroups& groups, const SourceLocation& loc) {
  const LocationScope scope(loc, "pmax");
  return reduce("pmax", x, ReduceKind::kMax, axes, groups);
}
Array pmin(const Array& x, const AxisNames& axes, const AxisGroups& groups, const SourceLocation& loc) {
  const LocationScope scope(loc, "pmin");
  return reduce("pmin", x, ReduceKind::kMin, axes, groups);
}

Array all_gather(const Array& x, const AxisNames& axes, const AllGatherOptions& options, const SourceLocation& loc) {
  const LocationScope scope(loc, "all_gather");
  check_axes("all_gather", axes, options.groups);
  const int rank = x.ndim() + (options.tiled ? 0 : 1), at = ops::normal_axis("all_gather", options.axis, rank);
  Array r = options.tiled ? x : with_axis(x, at);
  // The minor axis is gathered first: its examples are neighbours.
  for (std::size_t i = axes.names().size(); i-- > 0;) {
    const ProcessGroups g = groups_of("all_gather", axes.names()[i], options.groups);
    r = bind1(OpCode::kAllGather, ir::make_params(AllGatherParams{at, g, group_size(g)}), {r});
  }
  return r;
}

Array psum_scatter(const Array& x, const AxisNames& axes, const PsumScatterOptions& options,
                   const SourceLocation& loc) {
  const LocationScope scope(loc, "psum_scatter");
  check_axes("psum_scatter", axes, options.groups);
  const int at = ops::normal_axis("psum_scatter", options.scatter_dimension, x.ndim());
  std::vector<ProcessGroups> groups;
  std::int64_t n = 1;
  for (const std::string& name : axes.names()) {
    groups.push_back(groups_of("psum_scatter", name, options.groups));
    n *= group_size(groups.back());
  }
  if (!options.tiled) check_group_size("psum_scatter", x, at, n);
  Array r = summand(x);
  for (const ProcessGroups& g : groups)
    r = bind1(OpCode::kReduceScatter, ir::make_params(ReduceScatterParams{ReduceKind::kSum, at, g, {}, group_size(g)}),
              {r});
  return options.tiled ? r : without_axis(r, at);
}

Array ppermute(const Array& x, const std::string& axis, std::span<const std::pair<std::int64_t, std::int64_t>> pairs,
               const SourceLocation& loc) {
  const LocationScope scope(loc, "ppermute");
  CollectivePermuteParams p;
  p.axis = named_axis("ppermute", axis);
  for (const auto& [source, target] : pairs) p.source_target_pairs.push_back(Dims{source, target});
  return bind1(OpCode::kCollectivePermute, ir::make_params(std::move(p)), {x});
}

Array all_to_all(const Array& x, const std::string& axis, int split_axis, int concat_axis,
                 const AllToAllOptions& options, const SourceLocation& loc) {
  const LocationScope scope(loc, "all_to_all");
  const ProcessGroups g = groups_of("all_to_all", axis, options.groups);
  int split = ops::normal_axis("all_to_all", split_axis, x.ndim());
  int concat = ops::normal_axis("all_to_all", concat_axis, x.ndim());
  const std::int64_t n = group_size(g);
  Array r = x;
  const bool moves = !options.tiled && split != concat;
  if (!options.tiled) check_group_size("all_to_all", x, split, n);
  if (moves) {
    // The parts are joined along an axis of their own; the split one then has one position.
    if (split < concat)
      ++concat;
    else
      ++split;
    r = with_axis(r, concat);
  }
  r = bind1(OpCode::kAllToAll, ir::make_params(AllToAllParams{split, concat, n, g}), {r});
  return moves ? without_axis(r, split) : r;
}

}  // namespace api

Array lax::axis_index(const AxisNames& axes, SourceLocation loc) {
  const LocationScope scope(loc, "axis_index");
  check_axes("axis_index", axes, {});
  Array r;
  for (const std::string& name : axes.names()) {
    const MappedAxis& axis = named_axis("axis_index", name);
    const Array i = bind1(OpCode::kAxisIndex, ir::make_params(AxisIndexParams{axis}), {});
    r = r.defined() ? lax::add(lax::multiply(r, axis.size), i) : i;
  }
  return r;
}

std::int64_t lax::axis_size(const AxisNames& axes, SourceLocation loc) {
  const LocationScope scope(loc, "axis_size");
  check_axes("axis_size", axes, {});
  std::int64_t n = 1;
  for (const std::string& name : axes.names()) n *= named_axis("axis_size", name).size;
  return n;
}

}  // namespace weft
