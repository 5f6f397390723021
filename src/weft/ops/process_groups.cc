#include "weft/ops/process_groups.h"

#include <algorithm>

namespace weft::ops {

Ids ids_across(const ProcessGroups& g) {
  if (g.channel_id <= 0) return Ids::kReplicas;
  return g.use_global_device_ids ? Ids::kFlattened : Ids::kReplicasAllPartitions;
}
Ids ids_along(std::int64_t channel_id) { return channel_id <= 0 ? Ids::kReplicas : Ids::kPartitions; }

void check_groups(OpCode op, const ProcessGroups& g) {
  const std::string who(ir::op_name(op));
  if (g.use_global_device_ids && g.channel_id <= 0)
    throw ValueError(who + ": global device ids need a channel; got channel_id " + std::to_string(g.channel_id) + ".");
  std::vector<std::int64_t> seen;
  for (const Dims& group : g.replica_groups)
    for (const std::int64_t id : group) {
      if (id < -1) throw ValueError(who + ": groups must hold ids, or -1; got " + std::to_string(id) + ".");
      if (id >= 0) seen.push_back(id);
    }
  std::sort(seen.begin(), seen.end());
  const auto twice = std::adjacent_find(seen.begin(), seen.end());
  if (twice != seen.end())
    throw ValueError(who + ": groups must hold each id once; got " + std::to_string(*twice) + " twice.");
  if (!g.axis || g.replica_groups.empty()) return;
  if (!seen.empty() && seen.back() >= g.axis.size)
    throw ValueError(who + ": groups must hold positions of axis '" + g.axis.name + "' below " +
                     std::to_string(g.axis.size) + "; got " + std::to_string(seen.back()) + ".");
  const std::size_t each = g.replica_groups.front().size();
  for (const Dims& group : g.replica_groups)
    if (group.size() != each)
      throw ValueError(who + ": groups of axis '" + g.axis.name + "' must be of one size; got " +
                       shape_str(g.replica_groups.front()) + " and " + shape_str(group) + ".");
  if (static_cast<std::int64_t>(seen.size()) != g.axis.size)
    throw ValueError(who + ": groups must hold every position of axis '" + g.axis.name + "'; got " +
                     std::to_string(seen.size()) + " of " + std::to_string(g.axis.size) + ".");
}

void check_no_axis(OpCode op, const MappedAxis& axis) {
  if (!axis) return;
  throw UnboundAxisError(std::string(ir::op_name(op)) + ": nothing maps axis '" + axis.name +
                             "', which the operation names, where the program runs.",
                         "run the program inside of the vmap that names the axis.");
}

void check_pairs(OpCode op, std::span<const Dims> pairs, const MappedAxis& axis) {
  const std::string who(ir::op_name(op));
  for (std::size_t side = 0; side < 2; ++side) {
    std::vector<std::int64_t> seen;
    for (const Dims& pair : pairs) {
      if (pair.size() != 2) throw ValueError(who + ": source_target_pairs must be pairs; got " + shape_str(pair) + ".");
      if (pair[side] < 0) throw ValueError(who + ": ids must not be negative; got " + shape_str(pair) + ".");
      if (axis && pair[side] >= axis.size)
        throw ValueError(who + ": pairs must hold positions of axis '" + axis.name + "' below " +
                         std::to_string(axis.size) + "; got " + shape_str(pair) + ".");
      seen.push_back(pair[side]);
    }
    std::sort(seen.begin(), seen.end());
    const auto twice = std::adjacent_find(seen.begin(), seen.end());
    if (twice != seen.end())
      throw ValueError(who + ": no process may be twice a " + (side ? "target" : "source") + "; got " +
                       std::to_string(*twice) + ".");
  }
}

namespace {

// The longest group; 0 when there are none.
std::int64_t listed_size(const ProcessGroups& g) {
  std::int64_t n = 0;
  for (const Dims& group : g.replica_groups) n = std::max(n, static_cast<std::int64_t>(group.size()));
  return n;
}

}  // namespace

std::int64_t static_group_size(OpCode op, const ProcessGroups& g, std::int64_t group_size) {
  if (g.axis && g.axis.size == 0)
    throw ValueError(std::string(ir::op_name(op)) + ": there must be examples; got axis '" + g.axis.name +
                     "' of size 0.");
  const std::int64_t n = group_size == 0 ? listed_size(g) : group_size;
  if (n < 1)
    throw ValueError(std::string(ir::op_name(op)) + ": the size of a group must be positive; got group_size " +
                     std::to_string(group_size) + " and " +
                     (g.replica_groups.empty() ? "no groups." : "empty groups."));
  return n;
}

Members members_of(OpCode op, const Dims& list, Ids ids) {
  const ProcessId me = processes::current();
  const std::int64_t replicas = processes::replicas(), partitions = processes::partitions();
  const std::int64_t count = ids == Ids::kFlattened    ? replicas * partitions
                             : ids == Ids::kPartitions ? partitions
                                                       : replicas;
  Dims present;
  for (const std::int64_t id : list) {
    if (id < 0) continue;  // padding
    if (id >= count)
      throw BackendError(std::string(ir::op_name(op)) + ": groups must hold ids below " + std::to_string(count) +
                         "; got " + std::to_string(id) + " in a grid of " + std::to_string(replicas) + " replicas of " +
                         std::to_string(partitions) + " partitions.");
    present.push_back(id);
  }
  Members members;
  switch (ids) {
    case Ids::kReplicas:
      for (const std::int64_t id : present) members.push_back({id, me.partition});
      break;
    case Ids::kPartitions:
      for (const std::int64_t id : present) members.push_back({me.replica, id});
      break;
    case Ids::kReplicasAllPartitions:
      for (std::int64_t p = 0; p < partitions; ++p)
        for (const std::int64_t id : present) members.push_back({id, p});
      break;
    case Ids::kFlattened:
      for (const std::int64_t id : present) members.push_back({id / partitions, id % partitions});
      break;
  }
  return members;
}

std::size_t place_in(const Members& members) {
  const auto it = std::find(members.begin(), members.end(), processes::current());
  return static_cast<std::size_t>(it - members.begin());
}

Members my_group(OpCode op, const ProcessGroups& g, Ids ids) {
  check_no_axis(op, g.axis);
  std::vector<Dims> groups = g.replica_groups;
  if (groups.empty()) {
    const std::int64_t n = ids == Ids::kFlattened    ? processes::replicas() * processes::partitions()
                           : ids == Ids::kPartitions ? processes::partitions()
                                                     : processes::replicas();
    for (std::int64_t i = 0; i < n; ++i) (i ? groups.back() : groups.emplace_back()).push_back(i);
  }
  for (const Dims& list : groups) {
    Members members = members_of(op, list, ids);
    if (place_in(members) < members.size()) return members;
  }
  return {};
}

Members my_group_of(OpCode op, const ProcessGroups& g, Ids ids, std::int64_t size) {
  Members members = my_group(op, g, ids);
  if (members.empty())
    throw BackendError(std::string(ir::op_name(op)) + ": every process must be in a group; got none for " +
                       processes::current().str() + ".");
  if (size > 0 && static_cast<std::int64_t>(members.size()) != size)
    throw BackendError(std::string(ir::op_name(op)) + ": groups must have " + std::to_string(size) +
                       " processes, as the type of the result says; got one of " + std::to_string(members.size()) +
                       ".");
  return members;
}

std::string meeting_name(OpCode op, std::int64_t channel, std::span<const TensorView> in) {
  std::string s = std::string(ir::op_name(op)) + ": ";
  for (const TensorView& x : in) s += x.aval.str() + " ";
  return s + "on channel " + std::to_string(channel);
}

}  // namespace weft::ops
