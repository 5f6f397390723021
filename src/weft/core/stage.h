// Staging functions of flat arrays into programs, and running programs in the current trace.
#pragma once

#include <functional>

#include "weft/base/function_ref.h"
#include "weft/core/trace.h"
#include "weft/ir/jaxpr.h"

namespace weft {

/// A function of flat arrays, as the engines see users' functions.
using FlatFunction = std::function<void(std::span<const Array> args, Arrays& outs)>;

/// A program and the arrays it captured, which are its leading inputs.
struct Staged {
  ir::Jaxpr jaxpr;
  Arrays captured;
};

/// Traces `f` on inputs of the given types. Every operation inside is staged; arrays and outer
/// tracers that `f` closes over are captured.
Staged stage(const FlatFunction& f, std::span<const Aval> inputs, const std::string& name);
/// The same for a function that closes over `captures`, of which nothing but the types counts: their traces may have
/// ended. They are the program's first constants, in their order, whether it needs them or not.
Staged stage(const FlatFunction& f, std::span<const Aval> inputs, const std::string& name,
             std::span<const Array> captures);

/// LeakError unless nothing was captured: programs derived from programs have no place for captures. Only a rule that
/// is a C++ function (of custom_jvp, ...) can bring one in.
void check_closed(const Staged& staged);

/// Runs a program operation by operation in the current trace. Values are released after their
/// last use. `args` holds constants and inputs.
void eval_jaxpr(const ir::Jaxpr& jaxpr, std::span<const Array> args, Arrays& outs);

/// The same with `run` in the place of `bind`: appends the results of an equation.
using RunEqn = FunctionRef<void(const ir::Eqn& eqn, std::span<const Array> operands, Arrays& results)>;
void eval_jaxpr_by(const ir::Jaxpr& jaxpr, std::span<const Array> args, Arrays& outs, RunEqn run);

/// The literal as an array.
Array literal_array(const ir::Literal& literal);

}  // namespace weft
