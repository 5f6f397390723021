// How many multiplications and additions an equation needs.
#pragma once

#include "weft/ir/jaxpr.h"

namespace weft::ir {

/// Of a product or a convolution, two per multiplication; 0 for all other operations.
double flops(const Jaxpr& jaxpr, const Eqn& eqn);

}  // namespace weft::ir
