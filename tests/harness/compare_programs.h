// Differential testing: one program, evaluated by definition and by executables, and whether all agree as far as they
// must. The policy (expected_results.h has what is exact):
//
//   any executable against reference evaluation   the very bits of results that depend on exact operations alone; the
//                                                 others within the error that is known for them, where one is
//   compiled at once against step by step         the very bits, but for results of library calls
//   the interpreter against reference evaluation  the very bits
//
// All NaNs of a dtype are equal. An exception is a fault, unless reference evaluation has one, too; so is an input that
// has changed.
#pragma once

#include <memory>
#include <string>

#include "harness/expected_results.h"
#include "harness/random_program.h"
#include "weft/base/function_ref.h"
#include "weft/runtime/client.h"

namespace weft::testing {

/// "" or the first element of `got` further from `want` than `errors` (by element; empty: bits) allow: "element [1,2]
/// must be 3.5; got 4. It may be off by 0.25."
std::string difference_within(const Array& got, const Array& want, const std::vector<double>& errors);

/// Makes a program ready to run.
using Compile = FunctionRef<std::shared_ptr<const Executable>(const ir::Jaxpr&)>;

/// "" or what does not agree: "compiled, result 1: element ...". `at_once` is compared with reference evaluation and
/// with `step_by_step`.
std::string disagreement(const RandomProgram& program, Compile at_once, Compile step_by_step);

/// What a person needs to see: the program's text, the types of its inputs with the first elements.
std::string description(const RandomProgram& program);

}  // namespace weft::testing
