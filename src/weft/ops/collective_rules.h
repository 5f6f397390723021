// What collectives share: each process brings its operands to a meeting of its group (core/process_grid.h), reads what
// the others brought, and computes its own results from that. Private to ops/.
#pragma once

#include <cstring>

#include "weft/ops/common.h"
#include "weft/ops/process_groups.h"

namespace weft::ops {

/// OpInfo::has_effects of operations that talk to others, whatever their parameters.
inline bool has_effects_always(const ParamsBase*) { return true; }
/// Of collectives: meeting other processes is one. What stays in an array is not.
template <class P>
bool meets_processes(const ParamsBase* params) {
  return !ir::params_as<P>(params).groups.axis;
}

// ---- pieces of arrays ----

/// An axis seen as [outer, size, inner] bytes.
struct AxisBytes {
  std::int64_t outer, size, inner;
};
AxisBytes axis_of(Aval a, std::int64_t axis);
/// Copies `count` positions of an axis of `from`, from `begin` on, to `at` in an axis of `to` of equal outer and inner
/// sizes.
void copy_positions(const void* from, const AxisBytes& a, std::int64_t begin, void* to, const AxisBytes& b,
                    std::int64_t at, std::int64_t count);
void fill_zero(const MutableTensorView& v);
void copy_all(const TensorView& from, const MutableTensorView& to);

// ---- rules ----

/// JvpRule of those that are linear in all operands together, each on its own: the operands that have a tangent make
/// the same journey.
void jvp_each(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents);
/// Of the same, where the adjoint is `op` with `params`.
void transpose_each(OpCode op, const ir::Params& params, std::span<const Array> cts,
                    std::span<GradAccum* const> accums);
/// BatchRule of those for which the mapped axis is one like any other, wherever it is.
void batch_anywhere(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                    Bdims& out_bdims);
/// Of those whose parameters name axes: mapped ones in front, so that all axes in `params` are one further.
void batch_in_front(const Call& call, const ir::Params& params, std::span<const int> bdims, const MappedAxis& axis,
                    Arrays& outs, Bdims& out_bdims);

}  // namespace weft::ops
