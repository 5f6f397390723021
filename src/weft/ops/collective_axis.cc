// Without groups, the mapped axis is brought in front and worked on there. With groups of m positions it is brought
// into their order and seen as [groups, m]; results for each position go back into the order of the axis.
#include "weft/ops/collective_axis.h"

#include "weft/ir/collectives.h"

namespace weft::ops {

namespace {

// x[order] along axis 0; zeros where `order` says -1. By slices of neighbours: a rule that brought an array of
// positions along could not be part of a program.
Array rows(const Array& x, DimSpan order) {
  if (order.empty()) return x;
  Arrays parts;
  Dims start(x.shape().size(), 0), limit(x.shape()), shape(x.shape());
  for (std::size_t i = 0, end; i < order.size(); i = end) {
    const std::int64_t first = order[i], step = first < 0 ? 0 : 1;
    for (end = i + 1; end < order.size() && order[end] == order[end - 1] + step;) ++end;
    const auto n = static_cast<std::int64_t>(end - i);
    if (first < 0) {
      shape[0] = n;
      parts.push_back(zeros_of(x.aval().with_shape(shape)));
    } else if (n == x.shape(0)) {
      parts.push_back(x);
    } else {
      start[0] = first;
      limit[0] = first + n;
      parts.push_back(lax::slice(x, start, limit));
    }
  }
  return parts.size() == 1 ? parts[0] : lax::concatenate(parts, 0);
}

// The positions of an axis, group after group.
struct Grouping {
  std::int64_t groups = 1, members;
  int lead = 0;  // axes in front of that of the members: one of the groups, when there are several
  Dims order;

  Grouping(const ProcessGroups& g) : members(g.axis.size) {
    if (g.replica_groups.empty()) return;
    groups = static_cast<std::int64_t>(g.replica_groups.size());
    members = static_cast<std::int64_t>(g.replica_groups[0].size());
    lead = 1;
    for (const Dims& group : g.replica_groups) order.append(group.begin(), group.end());
  }

  /// [axis, ...] as [groups, members, ...], or as it is.
  Array split(const Array& x) const {
    if (lead == 0) return x;
    Dims shape(x.shape());
    shape[0] = members;
    shape.insert(shape.begin(), groups);
    return lax::reshape(rows(x, order), shape);
  }
  /// Back again.
  Array join(const Array& x) const {
    if (lead == 0) return x;
    Dims shape(x.shape().subspan(1)), inverse(order);
    shape[0] = groups * members;
    for (std::size_t i = 0; i < order.size(); ++i)
      inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
    return rows(lax::reshape(x, shape), inverse);
  }
  /// [groups, ...], one result for each group, for its members: [axis, ...]. The same for everybody when there are
  /// none.
  void push_results(const Array& x, Arrays& outs, Bdims& out_bdims) const {
    outs.push_back(lead == 0 ? x : join(bdim_to(x, kUnmapped, 1, members)));
    out_bdims.push_back(lead == 0 ? kUnmapped : 0);
  }
};

// Axis `at` seen as two, the first of `major` positions.
Array split_axis(const Array& x, std::int64_t at, std::int64_t major) {
  Dims shape(x.shape());
  shape[static_cast<std::size_t>(at)] /= major;
  shape.insert(shape.begin() + at, major);
  return lax::reshape(x, shape);
}
// Axes `at` and `at + 1` seen as one.
Array merge_axes(const Array& x, std::int64_t at) {
  Dims shape(x.shape());
  shape[static_cast<std::size_t>(at)] *= shape[static_cast<std::size_t>(at) + 1];
  shape.erase(shape.begin() + at + 1);
  return lax::reshape(x, shape);
}

void push(Arrays& outs, Bdims& out_bdims, Array y, int bdim) {
  outs.push_back(std::move(y));
  out_bdims.push_back(bdim);
}

}  // namespace

void all_reduce_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                          Bdims& out_bdims) {
  const auto& p = call.params_as<AllReduceParams>();
  internal_check(!p.computation, "all_reduce over a named axis goes by kinds");
  const Grouping grouping(p.groups);
  for (std::size_t i = 0; i < bdims.size(); ++i) {
    const Array x = grouping.split(bdim_to_front(call.args[i], bdims[i], axis.size));
    grouping.push_results(lax::reduce(x, p.kind, Dims{grouping.lead}), outs, out_bdims);
  }
}

void all_gather_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                          Bdims& out_bdims) {
  const auto& p = call.params_as<AllGatherParams>();
  const Grouping grouping(p.groups);
  const int at = static_cast<int>(p.all_gather_dim) + grouping.lead;
  for (std::size_t i = 0; i < bdims.size(); ++i) {
    // The members go before the axis that grows.
    const Array x = grouping.split(bdim_to_front(call.args[i], bdims[i], axis.size));
    grouping.push_results(merge_axes(bdim_to(x, grouping.lead, at, p.group_size), at), outs, out_bdims);
  }
}

void reduce_scatter_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                              Bdims& out_bdims) {
  const auto& p = call.params_as<ReduceScatterParams>();
  internal_check(!p.computation, "reduce_scatter over a named axis goes by kinds");
  const Grouping grouping(p.groups);
  const Array x = grouping.split(bdim_to_front(call.args[0], bdims[0], axis.size));
  const Array y = lax::reduce(x, p.kind, Dims{grouping.lead});
  // Part m of a group's result belongs to member m.
  const int at = static_cast<int>(p.scatter_dimension) + grouping.lead;
  const Array parts = bdim_to(split_axis(y, at, grouping.members), at, grouping.lead, grouping.members);
  push(outs, out_bdims, grouping.join(parts), 0);
}

void all_to_all_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                          Bdims& out_bdims) {
  const auto& p = call.params_as<AllToAllParams>();
  const Grouping grouping(p.groups);
  for (std::size_t i = 0; i < bdims.size(); ++i) {
    const Array x = grouping.split(bdim_to_front(call.args[i], bdims[i], axis.size));
    // [from, ..., to, ...]: the receivers go in front, and the senders' parts are joined in their order.
    const int from = grouping.lead, to = static_cast<int>(p.split_dimension) + from + 1;
    const Array received = bdim_to(split_axis(x, to, p.split_count), to, from, p.split_count);  // [to, from, ...]
    const int at = static_cast<int>(p.concat_dimension) + from + 1;
    const Array y = merge_axes(bdim_to(received, from + 1, at, p.split_count), at);
    push(outs, out_bdims, grouping.join(y), 0);
  }
}

void collective_permute_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                                  Bdims& out_bdims) {
  const auto& p = call.params_as<CollectivePermuteParams>();
  Dims source(static_cast<std::size_t>(axis.size), -1);
  for (const Dims& pair : p.source_target_pairs) source[static_cast<std::size_t>(pair[1])] = pair[0];
  push(outs, out_bdims, rows(bdim_to_front(call.args[0], bdims[0], axis.size), source), 0);
}

void axis_index_over_axis(const Call&, std::span<const int>, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  push(outs, out_bdims, lax::iota(i32, Dims{axis.size}, 0), 0);
}

}  // namespace weft::ops
