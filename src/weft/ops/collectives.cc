// Collectives that move arrays between processes as they are, and the numbers of processes
// (collective_reductions.cc: those that combine them).
#include "weft/ops/collectives.h"

#include "weft/ops/collective_axis.h"
#include "weft/ops/collective_rules.h"

namespace weft {

using namespace ops;

namespace {

using processes::Contribution;

// ---- all_gather: y = concatenate(x of the group) ----

void infer_all_gather(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<AllGatherParams>(params);
  check_groups(OpCode::kAllGather, p.groups);
  const std::int64_t n = static_group_size(OpCode::kAllGather, p.groups, p.group_size);
  for (const Aval x : in) {
    check_axes("all_gather", Dims{p.all_gather_dim}, x.ndim());
    Dims shape(x.shape());
    std::int64_t& size = shape[static_cast<std::size_t>(p.all_gather_dim)];
    if (__builtin_mul_overflow(size, n, &size))
      throw ShapeError("all_gather: the result must be of a size below 2^62; got " + std::to_string(n) + " times " +
                       x.str() + ".");
    out.push_back(x.with_shape(shape));
  }
}

void eval_all_gather(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<AllGatherParams>(params);
  const Members group = my_group_of(OpCode::kAllGather, p.groups, ids_across(p.groups),
                                    static_group_size(OpCode::kAllGather, p.groups, p.group_size));
  processes::exchange(
      meeting_name(OpCode::kAllGather, p.groups.channel_id, in), group, in, [&](std::span<const Contribution> all) {
        for (std::size_t k = 0; k < in.size(); ++k) {
          const AxisBytes from = axis_of(in[k].aval, p.all_gather_dim), to = axis_of(out[k].aval, p.all_gather_dim);
          for (std::size_t i = 0; i < all.size(); ++i)
            copy_positions(all[i][k].data, from, 0, out[k].data, to, static_cast<std::int64_t>(i) * from.size,
                           from.size);
        }
      });
}

void transpose_all_gather(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<AllGatherParams>();
  const std::int64_t n = static_group_size(call.op, p.groups, p.group_size);
  const ir::Params adjoint = ir::make_params(ReduceScatterParams{ReduceKind::kSum, p.all_gather_dim, p.groups, {}, n});
  for (std::size_t i = 0; i < cts.size(); ++i)
    if (cts[i].defined() && accums[i]) accums[i]->add(bind1(OpCode::kReduceScatter, adjoint, {cts[i]}));
}

void batch_all_gather(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                      Bdims& out_bdims) {
  AllGatherParams p = call.params_as<AllGatherParams>();
  ++p.all_gather_dim;
  batch_in_front(call, ir::make_params(p), bdims, axis, outs, out_bdims);
}

// ---- all_to_all: part i of x goes to the i-th process of the group ----

void infer_all_to_all(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<AllToAllParams>(params);
  check_groups(OpCode::kAllToAll, p.groups);
  static_group_size(OpCode::kAllToAll, p.groups, p.split_count);
  if (p.split_count < 1)
    throw ValueError("all_to_all: split_count must be positive; got " + std::to_string(p.split_count) + ".");
  for (const Aval x : in) {
    check_axes("all_to_all", Dims{p.split_dimension}, x.ndim());
    check_axes("all_to_all", Dims{p.concat_dimension}, x.ndim());
    Dims shape(x.shape());
    std::int64_t& split = shape[static_cast<std::size_t>(p.split_dimension)];
    if (split % p.split_count != 0)
      throw ShapeError("all_to_all: the split axis must divide into split_count parts; got axis " +
                       std::to_string(p.split_dimension) + " of " + x.str() + " for " + std::to_string(p.split_count) +
                       ".");
    split /= p.split_count;
    std::int64_t& concat = shape[static_cast<std::size_t>(p.concat_dimension)];
    if (__builtin_mul_overflow(concat, p.split_count, &concat))
      throw ShapeError("all_to_all: the result must be of a size below 2^62; got " + std::to_string(p.split_count) +
                       " times axis " + std::to_string(p.concat_dimension) + " of " + x.str() + ".");
    out.push_back(x.with_shape(shape));
  }
}

void eval_all_to_all(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<AllToAllParams>(params);
  const Members group = my_group_of(OpCode::kAllToAll, p.groups, ids_along(p.groups.channel_id), p.split_count);
  processes::exchange(
      meeting_name(OpCode::kAllToAll, p.groups.channel_id, in), group, in, [&](std::span<const Contribution> all) {
        const auto me = static_cast<std::int64_t>(place_in(group));
        for (std::size_t k = 0; k < in.size(); ++k) {
          // What one process sends to another: x cut along the split axis, before it is joined.
          const Aval x = in[k].aval;
          Dims shape(x.shape());
          shape[static_cast<std::size_t>(p.split_dimension)] /= p.split_count;
          const Aval part = x.with_shape(shape);
          std::vector<std::byte> memory(static_cast<std::size_t>(part.bytes()));
          const AxisBytes whole = axis_of(x, p.split_dimension), cut = axis_of(part, p.split_dimension);
          const AxisBytes piece = axis_of(part, p.concat_dimension), joined = axis_of(out[k].aval, p.concat_dimension);
          for (std::size_t i = 0; i < all.size(); ++i) {
            copy_positions(all[i][k].data, whole, me * cut.size, memory.data(), cut, 0, cut.size);
            copy_positions(memory.data(), piece, 0, out[k].data, joined, static_cast<std::int64_t>(i) * piece.size,
                           piece.size);
          }
        }
      });
}

void transpose_all_to_all(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  AllToAllParams p = call.params_as<AllToAllParams>();
  std::swap(p.split_dimension, p.concat_dimension);
  transpose_each(call.op, ir::make_params(p), cts, accums);
}

void batch_all_to_all(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                      Bdims& out_bdims) {
  AllToAllParams p = call.params_as<AllToAllParams>();
  ++p.split_dimension;
  ++p.concat_dimension;
  batch_in_front(call, ir::make_params(p), bdims, axis, outs, out_bdims);
}

// ---- collective_broadcast: y = x of the group's first process ----

void infer_collective_broadcast(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  check_groups(OpCode::kCollectiveBroadcast, ir::params_as<CollectiveBroadcastParams>(params).groups);
  out.push_back(in[0]);
}

void eval_collective_broadcast(const ParamsBase* params, std::span<const TensorView> in,
                               std::span<const MutableTensorView> out) {
  const ProcessGroups& g = ir::params_as<CollectiveBroadcastParams>(params).groups;
  const Members group = my_group(OpCode::kCollectiveBroadcast, g, ids_along(g.channel_id));
  if (group.empty()) return fill_zero(out[0]);
  processes::exchange(meeting_name(OpCode::kCollectiveBroadcast, g.channel_id, in), group, in,
                      [&](std::span<const Contribution> all) { copy_all(all[0][0], out[0]); });
}

void transpose_collective_broadcast(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const ProcessGroups& g = call.params_as<CollectiveBroadcastParams>().groups;
  transpose_each(OpCode::kCollectiveReduce, ir::make_params(AllReduceParams{ReduceKind::kSum, g, {}}), cts, accums);
}

// ---- collective_permute: y = x of this process's source ----

void infer_collective_permute(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<CollectivePermuteParams>(params);
  check_pairs(OpCode::kCollectivePermute, p.source_target_pairs, p.axis);
  out.push_back(in[0]);
}

bool meets_processes_permute(const ParamsBase* params) { return !ir::params_as<CollectivePermuteParams>(params).axis; }

void eval_collective_permute(const ParamsBase* params, std::span<const TensorView> in,
                             std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<CollectivePermuteParams>(params);
  check_no_axis(OpCode::kCollectivePermute, p.axis);
  const ProcessId me = processes::current();
  fill_zero(out[0]);
  // Pair by pair: all processes meet in the order of the list, so nobody waits in a circle.
  for (const Dims& ids : p.source_target_pairs) {
    const Members pair = members_of(OpCode::kCollectivePermute, ids, ids_along(p.channel_id));
    if (me != pair[0] && me != pair[1]) continue;
    const Members group = pair[0] == pair[1] ? Members{me} : pair;
    processes::exchange(meeting_name(OpCode::kCollectivePermute, p.channel_id, in), group, in,
                        [&](std::span<const Contribution> all) {
                          if (me == pair[1]) copy_all(all[0][0], out[0]);
                        });
  }
}

void transpose_collective_permute(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  CollectivePermuteParams p = call.params_as<CollectivePermuteParams>();
  for (Dims& pair : p.source_target_pairs) std::swap(pair[0], pair[1]);
  transpose_each(call.op, ir::make_params(p), cts, accums);
}

// ---- partition_id, replica_id ----

void infer_id(const ParamsBase*, std::span<const Aval>, Avals& out) { out.push_back(Aval(u32, {})); }

template <std::int64_t ProcessId::* kMember>
void eval_id(const ParamsBase*, std::span<const TensorView>, std::span<const MutableTensorView> out) {
  *out[0].as<std::uint32_t>() = static_cast<std::uint32_t>(processes::current().*kMember);
}

// ---- axis_index: the position along a named axis ----

void infer_axis_index(const ParamsBase*, std::span<const Aval>, Avals& out) { out.push_back(Aval(i32, {})); }

void eval_axis_index(const ParamsBase* params, std::span<const TensorView>, std::span<const MutableTensorView>) {
  check_no_axis(OpCode::kAxisIndex, ir::params_as<AxisIndexParams>(params).axis);
}

// Nothing to map.
void batch_id(const Call& call, std::span<const int>, const MappedAxis&, Arrays& outs, Bdims& out_bdims) {
  bind(call.op, call.params, call.args, outs);
  out_bdims.push_back(kUnmapped);
}

}  // namespace

Arrays lax::all_gather(std::span<const Array> xs, int dimension, const ProcessGroups& groups, std::int64_t group_size,
                       SourceLocation loc) {
  const LocationScope scope(loc, "all_gather");
  Arrays outs;
  const std::int64_t axis = xs.empty() ? dimension : normal_axis("all_gather", dimension, xs[0].aval());
  bind(OpCode::kAllGather, ir::make_params(AllGatherParams{axis, groups, group_size}), xs, outs);
  return outs;
}
Arrays lax::all_to_all(std::span<const Array> xs, int split_dimension, int concat_dimension, std::int64_t split_count,
                       const ProcessGroups& groups, SourceLocation loc) {
  const LocationScope scope(loc, "all_to_all");
  AllToAllParams p{split_dimension, concat_dimension, split_count, groups};
  if (!xs.empty()) {
    p.split_dimension = normal_axis("all_to_all", split_dimension, xs[0].aval());
    p.concat_dimension = normal_axis("all_to_all", concat_dimension, xs[0].aval());
  }
  Arrays outs;
  bind(OpCode::kAllToAll, ir::make_params(p), xs, outs);
  return outs;
}
Array lax::collective_broadcast(const Arg& x, const ProcessGroups& groups) {
  const LocationScope scope(x.location(), "collective_broadcast");
  return bind1(OpCode::kCollectiveBroadcast, ir::make_params(CollectiveBroadcastParams{groups}), {x.array()});
}
Array lax::collective_permute(const Arg& x, std::span<const Dims> source_target_pairs, std::int64_t channel_id) {
  const LocationScope scope(x.location(), "collective_permute");
  const CollectivePermuteParams p{{source_target_pairs.begin(), source_target_pairs.end()}, channel_id};
  return bind1(OpCode::kCollectivePermute, ir::make_params(p), {x.array()});
}
Array lax::partition_id(SourceLocation loc) {
  const LocationScope scope(loc, "partition_id");
  return bind1(OpCode::kPartitionId, {});
}
Array lax::replica_id(SourceLocation loc) {
  const LocationScope scope(loc, "replica_id");
  return bind1(OpCode::kReplicaId, {});
}

const ir::OpInfo op_infos::all_gather{.operands = ir::takes_at_least(1),
                                      .parse = ir::parse_params<AllGatherParams>,
                                      .infer = infer_all_gather,
                                      .eval = eval_all_gather,
                                      .storage_types = true,
                                      .has_effects = meets_processes<AllGatherParams>};
const OpRules op_rule_table::all_gather{.jvp = jvp_each,
                                        .transpose = transpose_all_gather,
                                        .batch = batch_all_gather,
                                        .collective = all_gather_over_axis,
                                        .factors = factors_replicated};

const ir::OpInfo op_infos::all_to_all{.operands = ir::takes_at_least(1),
                                      .parse = ir::parse_params<AllToAllParams>,
                                      .infer = infer_all_to_all,
                                      .eval = eval_all_to_all,
                                      .storage_types = true,
                                      .has_effects = meets_processes<AllToAllParams>};
const OpRules op_rule_table::all_to_all{.jvp = jvp_each,
                                        .transpose = transpose_all_to_all,
                                        .batch = batch_all_to_all,
                                        .collective = all_to_all_over_axis,
                                        .factors = factors_replicated};

const ir::OpInfo op_infos::collective_broadcast{.parse = ir::parse_params<CollectiveBroadcastParams>,
                                                .infer = infer_collective_broadcast,
                                                .eval = eval_collective_broadcast,
                                                .storage_types = true,
                                                .has_effects = meets_processes<CollectiveBroadcastParams>};
const OpRules op_rule_table::collective_broadcast{.jvp = jvp_linear,
                                                  .transpose = transpose_collective_broadcast,
                                                  .batch = batch_anywhere,
                                                  .factors = factors_replicated};

const ir::OpInfo op_infos::collective_permute{.parse = ir::parse_params<CollectivePermuteParams>,
                                              .infer = infer_collective_permute,
                                              .eval = eval_collective_permute,
                                              .storage_types = true,
                                              .has_effects = meets_processes_permute};
const OpRules op_rule_table::collective_permute{.jvp = jvp_linear,
                                                .transpose = transpose_collective_permute,
                                                .batch = batch_anywhere,
                                                .collective = collective_permute_over_axis,
                                                .factors = factors_replicated};

const ir::OpInfo op_infos::partition_id{
    .operands = ir::takes(0), .infer = infer_id, .eval = eval_id<&ProcessId::partition>};
const OpRules op_rule_table::partition_id{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_id, .factors = factors_replicated};

const ir::OpInfo op_infos::axis_index{.operands = ir::takes(0),
                                      .parse = ir::parse_params<AxisIndexParams>,
                                      .infer = infer_axis_index,
                                      .eval = eval_axis_index};
const OpRules op_rule_table::axis_index{.jvp = rules::zero_tangent,
                                        .transpose = rules::not_linear,
                                        .batch = batch_id,
                                        .collective = axis_index_over_axis,
                                        .factors = factors_replicated};

const ir::OpInfo op_infos::replica_id{
    .operands = ir::takes(0), .infer = infer_id, .eval = eval_id<&ProcessId::replica>};
const OpRules op_rule_table::replica_id{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_id, .factors = factors_replicated};

}  // namespace weft
