// Combines updates into windows that index vectors name. Knows dtypes, not arrays.
// Invariant: every element meets its updates in row-major order of the updates, whatever the threads.
#pragma once

#include "weft/cpu/kernels/index_windows.h"
#include "weft/ir/indexing.h"

namespace weft::cpu {

/// True when scatter() serves `t`: all dtypes that are computed in.
bool can_scatter(DType t);

/// out = in (of `size` elements, and may be the same memory), then out[start(batch) + window] = itself combined with
/// updates[batch..., window...]. Windows without a place are left out.
void scatter(const IndexWindows& windows, ScatterKind kind, DType t, std::int64_t size, const void* in,
             const void* indices, const void* updates, void* out);

}  // namespace weft::cpu
