// Running sums. Knows dtypes and shapes, not arrays.
// Invariant: the order of additions is that of ir/contraction.h, whatever the threads and the instruction set.
#pragma once

#include "weft/base/dims.h"
#include "weft/ir/dtype.h"

namespace weft::cpu {

/// True when cumsum() serves `t`: all numbers that are computed in.
bool can_cumsum(DType t);

/// out[..., i, ...] = sum of in[..., j, ...] over j <= i along `axis`, or over j >= i with `reverse`.
/// `out` must not overlap `in`. Throws InternalError unless can_cumsum(t).
void cumsum(DType t, DimSpan shape, std::int64_t axis, bool reverse, const void* in, void* out);

}  // namespace weft::cpu
