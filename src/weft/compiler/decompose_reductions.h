// Reductions that have no code of their own, as elementwise operations and plain reductions.
#pragma once

#include "weft/compiler/jaxpr_edit.h"
#include "weft/ir/contraction.h"
#include "weft/ir/window.h"

namespace weft::compiler {

/// reduce_window of `x`, axis by axis: small windows as slices that are combined, large ones beside each other and
/// reduced. None for kinds that mean something else of the type.
std::optional<ir::Atom> windows_reduced(JaxprEdit& to, const ReduceWindowParams& p, ir::Atom x, Aval out);

/// argmax (argmin with `largest` false): the first place of the extreme value, or of a NaN if there is one.
ir::Atom place_of_extreme(JaxprEdit& to, const ArgReduceParams& p, ir::Atom x, bool largest);

}  // namespace weft::compiler
