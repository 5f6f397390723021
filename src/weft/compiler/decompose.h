// What has code on no machine, written as operations that have it on every one: a convolution as a product of patches,
// products of small floats as products of f32; windows as slices, gathers and scatters as loops (decompose_*.h). With
// `ordered`, contractions alone, and as ordered ones (DotGeneralParams::ordered), whose sums have one order, whatever
// computes them, as reductions always have. Knows nothing of machines.
#pragma once

#include "weft/ir/jaxpr.h"

namespace weft::compiler {

/// Here and in the programs inside. Results have the same types, and the same bits but for the order of the sums of
/// products.
ir::Jaxpr decompose(const ir::Jaxpr& jaxpr, bool ordered);

}  // namespace weft::compiler
