// weft::lax, continued: operations between processes (core/process_grid.h). Outside a ProcessGrid there is one process.
//
// Groups of processes are StableHLO's. For all_gather, all_reduce, reduce_scatter: without a channel (channel_id <= 0)
// a group lists replicas, and each partition is apart; with a channel, the listed replicas in all their partitions;
// with use_global_device_ids, which needs a channel, replica * partitions + partition. For the others: replicas without
// a channel, partitions with one. -1 pads shorter groups; no groups at all is one group of all. A process must be in
// one group, unless said. All must call in the same order with the same types, or BackendError says who is missing.
// Operations take several arrays at once, each on its own. Derivatives are those of the linear map over all processes:
// all_reduce is its own adjoint, all_gather's is reduce_scatter.
#pragma once

#include "weft/core/arg.h"
#include "weft/ir/collectives.h"

namespace weft::lax {

/// x of all processes of the group, joined along axis `dimension` in the group's order. `group_size` is needed where
/// the groups do not list every process, or there are none.
Arrays all_gather(std::span<const Array> xs, int dimension, const ProcessGroups& groups, std::int64_t group_size = 0,
                  SourceLocation loc = std::source_location::current());

/// x of all processes of the group, combined elementwise in the group's order. `computation` takes two scalars, of x's
/// dtype or a wider one, and gives one. Derivatives: of sums, maxima and minima; others NotDifferentiableError.
Arrays all_reduce(std::span<const Array> xs, ReduceKind kind, const ProcessGroups& groups,
                  SourceLocation loc = std::source_location::current());
Arrays all_reduce(std::span<const Array> xs, const ir::Jaxpr& computation, const ProcessGroups& groups,
                  SourceLocation loc = std::source_location::current());

/// x in `split_count` parts along `split_dimension`, one for each process of the group; the parts that are for this
/// one, joined along `concat_dimension`.
Arrays all_to_all(std::span<const Array> xs, int split_dimension, int concat_dimension, std::int64_t split_count,
                  const ProcessGroups& groups, SourceLocation loc = std::source_location::current());

/// x of the first process of the group; zeros for processes in no group.
Array collective_broadcast(const Arg& x, const ProcessGroups& groups);

/// x of the process that has this one as its target in `source_target_pairs`; zeros when none has. No process is in two
/// pairs as source, or as target. Ids are replicas, or partitions with a channel.
Array collective_permute(const Arg& x, std::span<const Dims> source_target_pairs, std::int64_t channel_id = 0);

/// all_reduce for the first process of the group; zeros for the others, and for processes in no group.
Array collective_reduce(const Arg& x, ReduceKind kind, const ProcessGroups& groups);

/// The part of all_reduce(x) along axis `dimension` that belongs to this process, by its place in the group.
Array reduce_scatter(const Arg& x, ReduceKind kind, int dimension, const ProcessGroups& groups,
                     std::int64_t group_size = 0);

/// u32[]: which partition, which replica this process is.
Array partition_id(SourceLocation loc = std::source_location::current());
Array replica_id(SourceLocation loc = std::source_location::current());

/// Puts xs into a channel and goes on: to the host, from which it may be received again (`is_host_transfer`), or to
/// the process that is this one's target in `source_target_pairs`, as replica * partitions + partition; without pairs,
/// to whoever receives first. No derivatives.
void send(std::span<const Array> xs, const TransferParams& params,
          SourceLocation loc = std::source_location::current());
/// Takes values of `params.result_types` out of a channel, waiting for them; zeros for a process that is nobody's
/// target.
Arrays recv(const TransferParams& params, SourceLocation loc = std::source_location::current());

/// The values that the host fed next (HostQueues::feed), which must have the types `result_types`.
Arrays infeed(const std::vector<Aval>& result_types, const std::string& config = {},
              SourceLocation loc = std::source_location::current());
/// Hands xs to the host (HostQueues::take_outfeed).
void outfeed(std::span<const Array> xs, const std::string& config = {},
             SourceLocation loc = std::source_location::current());

}  // namespace weft::lax
