// Operations whose places only the run knows, and sums one after the other, as loops.
#pragma once

#include <optional>

#include "weft/compiler/jaxpr_edit.h"
#include "weft/ir/contraction.h"
#include "weft/ir/indexing.h"

namespace weft::compiler {

/// gather, to the bit: a step reads one window. None where a window may lie partly outside.
std::optional<ir::Atom> gathered_by_steps(JaxprWriter& to, const GatherParams& p, ir::Atom x, ir::Atom indices,
                                          Aval out);

/// scatter, to the bit: a step combines one window of updates. None where a window may lie partly outside, or where
/// updates would meet in another order than their own and that matters.
std::optional<ir::Atom> scattered_by_steps(JaxprWriter& to, const ScatterParams& p, ir::Atom x, ir::Atom indices,
                                           ir::Atom updates);

/// cumsum, to the bit: blocks side by side, an element of each in a step. Floats are summed in f64, as everywhere.
ir::Atom summed_by_steps(JaxprWriter& to, const CumsumParams& p, ir::Atom x);

}  // namespace weft::compiler
