// Which processes take part together: StableHLO's process groups, checked and resolved. Private to ops/.
#pragma once

#include <vector>

#include "weft/core/process_grid.h"
#include "weft/ir/collectives.h"
#include "weft/ir/op.h"

namespace weft::ops {

using Members = std::vector<ProcessId>;

/// What the numbers in groups are.
enum class Ids : std::uint8_t {
  kReplicas,               // of the same partition
  kPartitions,             // of the same replica
  kReplicasAllPartitions,  // with all their partitions
  kFlattened,              // replica * partitions + partition
};
/// Those of all_gather, all_reduce and reduce_scatter.
Ids ids_across(const ProcessGroups& g);
/// Those of the others.
Ids ids_along(std::int64_t channel_id);

// ---- what can be known without a grid ----

/// ValueError unless each id is in one group, once; on a named axis all positions must be in groups of one size.
void check_groups(OpCode op, const ProcessGroups& g);
/// ValueError unless source_target_pairs are pairs, and no process (position of `axis`, when it has a name) is twice a
/// source or twice a target.
void check_pairs(OpCode op, std::span<const Dims> pairs, const MappedAxis& axis = {});
/// How many processes a group has: `group_size`, or the length of the longest group when that is 0. ValueError when
/// neither says.
std::int64_t static_group_size(OpCode op, const ProcessGroups& g, std::int64_t group_size);

// ---- in the grid of this process ----

/// The processes that `list` means from where this process is. BackendError for ids that the grid does not have.
Members members_of(OpCode op, const Dims& list, Ids ids);
/// Where this process is among them; their number when it is not.
std::size_t place_in(const Members& members);
/// The group of this process; empty when it is in none.
Members my_group(OpCode op, const ProcessGroups& g, Ids ids);
/// The same, which must exist and have `size` members (0: any number), else BackendError.
Members my_group_of(OpCode op, const ProcessGroups& g, Ids ids, std::int64_t size);

/// UnboundAxisError when the op names an axis: whoever maps it would have replaced the op.
void check_no_axis(OpCode op, const MappedAxis& axis);

/// Names a meeting for `exchange`: processes that bring something else do not meet.
std::string meeting_name(OpCode op, std::int64_t channel, std::span<const TensorView> in);

}  // namespace weft::ops
