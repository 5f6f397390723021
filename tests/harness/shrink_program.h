// From a program that shows a fault to a small one that still does. Types stay as they are: an equation goes, with
// what it gave becoming an input, a literal or another value of its type; outputs, inputs and dead equations go; a
// branch or a body takes the place of the operation that carries it; the same happens inside of programs.
//
// Loops of candidates need not end by themselves: every `while` gets a bound on its steps first (a loop that exceeds it
// throws ValueError), and where the fault is gone with the bounds, only outputs and dead equations are dropped.
#pragma once

#include "harness/random_program.h"
#include "weft/base/function_ref.h"

namespace weft::testing {

/// A program of which no part can be left out in the ways above; `still_fails` is true of it, as it must be of `jaxpr`.
ir::Jaxpr shrink(const ir::Jaxpr& jaxpr, FunctionRef<bool(const ir::Jaxpr&)> still_fails);

/// The same with inputs: what becomes one has the elements that the equation gave.
RandomProgram shrink(const RandomProgram& program, FunctionRef<bool(const RandomProgram&)> still_fails);

}  // namespace weft::testing
