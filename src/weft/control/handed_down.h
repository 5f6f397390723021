// Programs with one more constant, which they hand down to the programs that their operations carry: a mask, an index.
// Private to control/.
#pragma once

#include "weft/base/function_ref.h"
#include "weft/core/array.h"
#include "weft/ir/jaxpr.h"

namespace weft::control {

/// How a program that an operation carries takes the constant.
struct HandedDown {
  FunctionRef<bool(const ir::Jaxpr&)> needs;        ///< whether it needs it
  FunctionRef<ir::Jaxpr(const ir::Jaxpr&)> taking;  ///< the program that takes it, in front of its own constants
};

/// Runs `e` on `xs`, the programs in it taking `constant` (those of a loop only where they need it). Appends the
/// results. False, and nothing is done, for operations with rules of their own, whose programs cannot take more.
bool run_handed_down(const ir::Eqn& e, const Array& constant, std::span<const Array> xs, HandedDown how,
                     Arrays& results);

}  // namespace weft::control
