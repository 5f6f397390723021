// Operations between processes that carry no program and no token.
#include "weft/stablehlo/operations.h"

namespace weft::stablehlo {

void write_groups(const ProcessGroups& g, AttributeWriter& to, bool device_ids) {
  const std::int64_t columns = g.replica_groups.empty() ? 0 : static_cast<std::int64_t>(g.replica_groups[0].size());
  to.add("replica_groups", dense_matrix(g.replica_groups, columns));
  if (g.channel_id != 0) write_channel(g.channel_id, 1, to);
  if (device_ids && g.use_global_device_ids) to.add("use_global_device_ids", Attribute());
}

std::pair<std::int64_t, std::int64_t> read_channel(const AttributeReader& from) {
  const AttributeFields f(from.module, from.find("channel_handle"), "channel_handle", {}, {"handle", "type"});
  return {f.integer("handle", 0), f.integer("type", 0)};
}

std::int64_t implied_group_size(const ProcessGroups& g, std::span<const Aval> less, std::span<const Aval> more,
                                std::int64_t axis) {
  if (less.size() != 1 || more.size() != 1 || axis < 0 || axis >= less[0].ndim() || axis >= more[0].ndim()) return 0;
  const std::int64_t small = less[0].shape(static_cast<std::size_t>(axis));
  const std::int64_t large = more[0].shape(static_cast<std::size_t>(axis));
  const std::int64_t size = small > 0 && large % small == 0 ? large / small : 0;
  const std::int64_t listed = g.replica_groups.empty() ? 0 : static_cast<std::int64_t>(g.replica_groups[0].size());
  return size == listed ? 0 : size;
}

void write_channel(std::int64_t handle, std::int64_t type, AttributeWriter& to) {
  to.add("channel_handle",
         AttributeWriter::Struct("channel_handle").integer("handle", handle).integer("type", type).done());
}

namespace {

ir::Params read_all_gather(const AttributeReader& from) {
  AllGatherParams p;
  p.all_gather_dim = from.integer("all_gather_dim");
  p.groups = read_groups(from);
  p.group_size = implied_group_size(p.groups, from.in, from.out, p.all_gather_dim);
  return ir::make_params(std::move(p));
}
void write_all_gather(const ir::ParamsBase* params, AttributeWriter& to) {
  const auto& p = ir::params_as<AllGatherParams>(params);
  to.integer("all_gather_dim", p.all_gather_dim);
  write_groups(p.groups, to, true);
}

ir::Params read_all_to_all(const AttributeReader& from) {
  AllToAllParams p;
  p.split_dimension = from.integer("split_dimension");
  p.concat_dimension = from.integer("concat_dimension");
  p.split_count = from.integer("split_count");
  p.groups = read_groups(from);
  return ir::make_params(std::move(p));
}
void write_all_to_all(const ir::ParamsBase* params, AttributeWriter& to) {
  const auto& p = ir::params_as<AllToAllParams>(params);
  to.integer("split_dimension", p.split_dimension);
  to.integer("concat_dimension", p.concat_dimension);
  to.integer("split_count", p.split_count);
  write_groups(p.groups, to, false);
}

ir::Params read_collective_broadcast(const AttributeReader& from) {
  return ir::make_params(CollectiveBroadcastParams{read_groups(from)});
}
void write_collective_broadcast(const ir::ParamsBase* params, AttributeWriter& to) {
  write_groups(ir::params_as<CollectiveBroadcastParams>(params).groups, to, false);
}

ir::Params read_collective_permute(const AttributeReader& from) {
  return ir::make_params(CollectivePermuteParams{from.matrix("source_target_pairs"), read_channel(from).first});
}
void write_collective_permute(const ir::ParamsBase* params, AttributeWriter& to) {
  const auto& p = ir::params_as<CollectivePermuteParams>(params);
  to.add("source_target_pairs", dense_matrix(p.source_target_pairs, 2));
  if (p.channel_id != 0) write_channel(p.channel_id, 1, to);
}

constexpr Operation kRows[] = {
    {OpCode::kAllGather, "stablehlo.all_gather", read_all_gather, write_all_gather},
    {OpCode::kAllToAll, "stablehlo.all_to_all", read_all_to_all, write_all_to_all},
    {OpCode::kCollectiveBroadcast, "stablehlo.collective_broadcast", read_collective_broadcast,
     write_collective_broadcast},
    {OpCode::kCollectivePermute, "stablehlo.collective_permute", read_collective_permute, write_collective_permute},
    {OpCode::kPartitionId, "stablehlo.partition_id"},
    {OpCode::kReplicaId, "stablehlo.replica_id"},
};

}  // namespace

std::span<const Operation> collective_operations() { return kRows; }

}  // namespace weft::stablehlo
