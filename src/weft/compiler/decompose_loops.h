// Operations whose places only the run knows, as loops over them.
#pragma once

#include "weft/compiler/jaxpr_edit.h"
#include "weft/ir/contraction.h"
#include "weft/ir/indexing.h"

namespace weft::compiler {

/// gather: a step reads one window. None where a window may lie partly outside.
std::optional<ir::Atom> gathered_by_steps(JaxprEdit& to, const GatherParams& p, ir::Atom x, ir::Atom indices, Aval out);

/// scatter: a step combines one window of updates. None where a window may lie partly outside, or where updates would
/// meet in another order than their own.
std::optional<ir::Atom> scattered_by_steps(JaxprEdit& to, const ScatterParams& p, ir::Atom x, ir::Atom indices,
                                           ir::Atom updates);

/// cumsum, whose sums have the order that CumsumParams tells: blocks side by side, an element of each in a step.
ir::Atom summed_by_steps(JaxprEdit& to, const CumsumParams& p, ir::Atom x);

}  // namespace weft::compiler
