// The parameters of operations between processes. Tokens do not exist in jaxprs: operations with effects keep their
// order. Here, not in ops/, because compilers read them too.
#pragma once

#include <optional>

#include "weft/ir/contraction.h"
#include "weft/ir/jaxpr.h"
#include "weft/ir/mapped_axis.h"

namespace weft {

/// Which processes take part together, StableHLO's terms: `replica_groups` are padded with -1; without a channel
/// (channel_id 0 or less) they name replicas, with one replicas or partitions, or flattened ids. When an axis is named,
/// its positions take part in their place, and groups list those: vmap runs such an operation on the axis of an array.
struct ProcessGroups {
  std::vector<Dims> replica_groups;
  std::int64_t channel_id = 0;
  bool use_global_device_ids = false;
  MappedAxis axis = {};
  static constexpr auto fields(auto&& visit) {
    using P = ProcessGroups;
    return visit(ir::field("replica_groups", &P::replica_groups), ir::field("channel_id", &P::channel_id),
                 ir::field("use_global_device_ids", &P::use_global_device_ids), ir::field("axis", &P::axis));
  }
};

/// all_gather and the axis that grows. `group_size` is the number of processes in a group, 0 for as many as the groups
/// list: they list replicas alone when every partition of them takes part.
struct AllGatherParams {
  std::int64_t all_gather_dim = 0;
  ProcessGroups groups;
  std::int64_t group_size = 0;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("all_gather_dim", &AllGatherParams::all_gather_dim),
                 ir::field("groups", &AllGatherParams::groups), ir::field("group_size", &AllGatherParams::group_size));
  }
};

/// all_reduce and collective_reduce. A computation, when there is one, takes the place of the kind.
struct AllReduceParams {
  ReduceKind kind{};
  ProcessGroups groups;
  std::optional<ir::Jaxpr> computation;
  static constexpr auto fields(auto&& visit) {
    using A = AllReduceParams;
    return visit(ir::field("kind", &A::kind), ir::field("groups", &A::groups),
                 ir::field("computation", &A::computation));
  }
};

/// `group_size` as for all_gather.
struct ReduceScatterParams {
  ReduceKind kind{};
  std::int64_t scatter_dimension = 0;
  ProcessGroups groups;
  std::optional<ir::Jaxpr> computation;
  std::int64_t group_size = 0;
  static constexpr auto fields(auto&& visit) {
    using R = ReduceScatterParams;
    return visit(ir::field("kind", &R::kind), ir::field("scatter_dimension", &R::scatter_dimension),
                 ir::field("groups", &R::groups), ir::field("computation", &R::computation),
                 ir::field("group_size", &R::group_size));
  }
};

struct AllToAllParams {
  std::int64_t split_dimension = 0;
  std::int64_t concat_dimension = 0;
  std::int64_t split_count = 1;
  ProcessGroups groups;
  static constexpr auto fields(auto&& visit) {
    using A = AllToAllParams;
    return visit(ir::field("split_dimension", &A::split_dimension), ir::field("concat_dimension", &A::concat_dimension),
                 ir::field("split_count", &A::split_count), ir::field("groups", &A::groups));
  }
};

struct CollectiveBroadcastParams {
  ProcessGroups groups;
  static constexpr auto fields(auto&& visit) { return visit(ir::field("groups", &CollectiveBroadcastParams::groups)); }
};

struct CollectivePermuteParams {
  std::vector<Dims> source_target_pairs;
  std::int64_t channel_id = 0;
  MappedAxis axis = {};  // as in ProcessGroups
  static constexpr auto fields(auto&& visit) {
    using C = CollectivePermuteParams;
    return visit(ir::field("source_target_pairs", &C::source_target_pairs), ir::field("channel_id", &C::channel_id),
                 ir::field("axis", &C::axis));
  }
};

struct AxisIndexParams {
  MappedAxis axis;
  static constexpr auto fields(auto&& visit) { return visit(ir::field("axis", &AxisIndexParams::axis)); }
};

/// send and recv; `result_types` is empty for send.
struct TransferParams {
  std::int64_t channel_id = 0;
  std::int64_t channel_type = 1;
  bool is_host_transfer = false;
  std::vector<Dims> source_target_pairs;
  std::vector<Aval> result_types;
  static constexpr auto fields(auto&& visit) {
    using T = TransferParams;
    return visit(ir::field("channel_id", &T::channel_id), ir::field("channel_type", &T::channel_type),
                 ir::field("is_host_transfer", &T::is_host_transfer),
                 ir::field("source_target_pairs", &T::source_target_pairs),
                 ir::field("result_types", &T::result_types));
  }
};

/// infeed and outfeed; `result_types` is empty for outfeed.
struct FeedParams {
  std::string config;
  std::vector<Aval> result_types;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("config", &FeedParams::config), ir::field("result_types", &FeedParams::result_types));
  }
};

}  // namespace weft
