// Programs made smaller before they are compiled: the one entry point, and what it promises. How: simplify.cc lists the
// passes. For running programs only: what has a meaning for transformations alone (stop_gradient, names) is gone.
#pragma once

#include "weft/base/function_ref.h"
#include "weft/ir/jaxpr.h"

namespace weft::compiler {

/// Computes one operation's results for folding: the bits that running it would give.
using EvaluateOp =
    FunctionRef<void(OpCode, const ir::ParamsBase*, std::span<const TensorView>, std::span<const MutableTensorView>)>;

/// The same results to the bit (of NaN, some NaN) from fewer and simpler equations; the same effects in the same order.
/// Inputs and the number of outputs stay. Takes time linear in the equations, those of programs inside counted; what
/// became of these is kept with them. The same object when nothing changes.
ir::Jaxpr simplify(const ir::Jaxpr& jaxpr, EvaluateOp evaluate);

}  // namespace weft::compiler
