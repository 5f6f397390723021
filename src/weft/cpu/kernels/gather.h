// Reads windows that index vectors name. Knows element sizes, not dtypes.
#pragma once

#include "weft/cpu/kernels/index_windows.h"

namespace weft::cpu {

/// out[batch..., offset...] = in[start(batch) + offset], or the element at `fill` where the window has no place.
/// `element` is 1, 2, 4, 8 or 16 bytes. `out` must not overlap `in`.
void gather(const IndexWindows& windows, std::int64_t element, const void* in, const void* indices, const void* fill,
            void* out);

}  // namespace weft::cpu
