// With groups of m positions, the axis in front is brought into their order and seen as [groups, m]; results for each
// position go back into the order of the axis. Without groups there is one, of all.
#include "weft/ops/collective_axis.h"

#include <numeric>

#include "weft/ir/collectives.h"

namespace weft::ops {

namespace {

// x[order] along axis 0; zeros where `order` says -1.
Array rows(const Array& x, DimSpan order) {
  Dims identity(order);
  std::iota(identity.begin(), identity.end(), 0);
  if (order.size() == static_cast<std::size_t>(x.shape(0)) && std::ranges::equal(order, identity)) return x;
  std::vector<std::int32_t> from;
  std::vector<bool> there;
  for (const std::int64_t i : order) {
    from.push_back(static_cast<std::int32_t>(std::max<std::int64_t>(i, 0)));
    there.push_back(i >= 0);
  }
  const auto n = static_cast<std::int64_t>(order.size());
  GatherDimensionNumbers d;
  for (int i = 1; i < x.ndim(); ++i) d.offset_dims.push_back(i);
  d.collapsed_slice_dims = {0};
  d.start_index_map = {0};
  Dims sizes(x.shape());
  sizes[0] = 1;
  const Array y = lax::gather(x, Array::from_vector(from, {n, 1}), d, sizes, IndexMode::kPromise);
  if (std::ranges::find(there, false) == there.end()) return y;
  const Array mask = lax::broadcast_in_dim(Array::from_vector(there, {n}), y.shape(), Dims{0});
  return lax::select(mask, y, zeros_of(y.aval()));
}

// The positions of an axis, group after group.
struct Grouping {
  std::int64_t groups, members;
  Dims order;  // empty: as they are

  Grouping(const ProcessGroups& g) : groups(1), members(g.axis.size) {
    if (g.replica_groups.empty()) return;
    groups = static_cast<std::int64_t>(g.replica_groups.size());
    members = static_cast<std::int64_t>(g.replica_groups[0].size());
    for (const Dims& group : g.replica_groups) order.append(group.begin(), group.end());
  }

  /// [axis, ...] as [groups, members, ...].
  Array split(const Array& x) const {
    Dims shape(x.shape());
    shape[0] = members;
    shape.insert(shape.begin(), groups);
    return lax::reshape(order.empty() ? x : rows(x, order), shape);
  }
  /// Back again.
  Array join(const Array& x) const {
    Dims shape(x.shape().subspan(1)), inverse(order);
    shape[0] = groups * members;
    const Array y = lax::reshape(x, shape);
    if (order.empty()) return y;
    for (std::size_t i = 0; i < order.size(); ++i)
      inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
    return rows(y, inverse);
  }
  /// [groups, ...], one result for each group, as [axis, ...]; [...] when all are one group.
  Array of_members(const Array& x, int& bdim) const {
    if (groups == 1) {
      bdim = kUnmapped;
      return lax::reshape(x, x.shape().subspan(1));
    }
    bdim = 0;
    return join(bdim_to(x, kUnmapped, 1, members));
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
    int bdim = 0;
    const Array y = lax::reduce(grouping.split(bdim_to_front(call.args[i], bdims[i], axis.size)), p.kind, Dims{1});
    const Array r = grouping.of_members(y, bdim);
    push(outs, out_bdims, r, bdim);
  }
}

void all_gather_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                          Bdims& out_bdims) {
  const auto& p = call.params_as<AllGatherParams>();
  const Grouping grouping(p.groups);
  const int to = static_cast<int>(p.all_gather_dim);
  for (std::size_t i = 0; i < bdims.size(); ++i) {
    // [groups, members, ...]: the members go before the axis that grows.
    const Array x = grouping.split(bdim_to_front(call.args[i], bdims[i], axis.size));
    const Array y = merge_axes(bdim_to(x, 1, to + 1, p.group_size), to + 1);
    int bdim = 0;
    const Array r = grouping.of_members(y, bdim);
    push(outs, out_bdims, r, bdim);
  }
}

void reduce_scatter_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                              Bdims& out_bdims) {
  const auto& p = call.params_as<ReduceScatterParams>();
  internal_check(!p.computation, "reduce_scatter over a named axis goes by kinds");
  const Grouping grouping(p.groups);
  const Array x = grouping.split(bdim_to_front(call.args[0], bdims[0], axis.size));
  const Array y = lax::reduce(x, p.kind, Dims{1});  // [groups, ...]
  // Part m of a group's result belongs to member m.
  const std::int64_t at = p.scatter_dimension + 1;
  const Array parts = bdim_to(split_axis(y, at, grouping.members), static_cast<int>(at), 1, grouping.members);
  push(outs, out_bdims, grouping.join(parts), 0);
}

void all_to_all_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                          Bdims& out_bdims) {
  const auto& p = call.params_as<AllToAllParams>();
  const Grouping grouping(p.groups);
  for (std::size_t i = 0; i < bdims.size(); ++i) {
    const Array x = grouping.split(bdim_to_front(call.args[i], bdims[i], axis.size));
    // [groups, from, ..., to, ...]: sender and receiver change places, and the parts are joined in the senders' order.
    const auto to_at = static_cast<int>(p.split_dimension + 2);
    const Array parts = split_axis(x, to_at, p.split_count);
    const Array received = bdim_to(parts, to_at, 1, p.split_count);  // [groups, to, from, ...]
    const auto at = static_cast<int>(p.concat_dimension + 2);
    const Array y = merge_axes(bdim_to(received, 2, at, p.split_count), at);
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
