// Collectives over the mapped axis that they name: vmap runs them on the axis of one array. Private to ops/.
#pragma once

#include "weft/ops/common.h"

namespace weft::ops {

// OpRules::collective of the ops of these names.
void all_gather_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                          Bdims& out_bdims);
void all_reduce_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                          Bdims& out_bdims);
void all_to_all_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                          Bdims& out_bdims);
void axis_index_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                          Bdims& out_bdims);
void collective_permute_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                                  Bdims& out_bdims);
void reduce_scatter_over_axis(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                              Bdims& out_bdims);

}  // namespace weft::ops
