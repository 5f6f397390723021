// Contractions and sums written as operations that have code on every machine: a convolution as a product of patches,
// products of small floats as products of f32, sums over any axes as sums over the last ones. With `ordered`, so that
// what is left has one order of its sums, whatever computes it: products become ordered ones
// (DotGeneralParams::ordered), and sums of floats those of short rows. Knows nothing of machines.
#pragma once

#include "weft/ir/jaxpr.h"

namespace weft::compiler {

/// Here and in the programs inside. Results have the same types, and the same values but for the order of sums.
ir::Jaxpr decompose(const ir::Jaxpr& jaxpr, bool ordered);

}  // namespace weft::compiler
