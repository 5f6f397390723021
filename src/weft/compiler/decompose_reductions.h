// Reductions that have no code of their own, as elementwise operations, plain reductions and loops.
#pragma once

#include <optional>

#include "weft/compiler/jaxpr_edit.h"
#include "weft/ir/contraction.h"
#include "weft/ir/window.h"

namespace weft::compiler {

/// The operation that combines two elements as reductions and scatters of this kind do; of bool, sums and maxima are
/// or, products and minima and. None for bitwise kinds of floats.
std::optional<OpCode> combination(ReduceKind kind, DType t);

/// reduce_window of `x`, to the bit: the elements of windows one after the other, in row-major order.
std::optional<ir::Atom> windows_reduced(JaxprWriter& to, const ReduceWindowParams& p, ir::Atom x, Aval out);

/// argmax (argmin with `largest` false): the first place of the extreme value, or of a NaN if there is one.
ir::Atom place_of_extreme(JaxprWriter& to, const ArgReduceParams& p, ir::Atom x, bool largest);

}  // namespace weft::compiler
