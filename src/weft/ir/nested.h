// Programs inside operations, seen alike: all operations that carry some, whatever each calls them.
#pragma once

#include "weft/base/function_ref.h"
#include "weft/ir/jaxpr.h"

namespace weft::ir {

/// Calls `use` with every program that running the operation may run. Custom rules are not run.
void for_each_program(OpCode op, const ParamsBase* params, FunctionRef<void(const Jaxpr&)> use);

/// The parameters with every program replaced by change(program), which must keep the types of inputs and outputs and
/// the number of constants. Custom rules that are programs, too. Null for an operation without programs.
Params with_programs(OpCode op, const ParamsBase* params, FunctionRef<Jaxpr(const Jaxpr&)> change);

/// The program without the equations that `drop` is true of, which have no results, here and in all programs inside.
/// Memoised under `key`, which says what `drop` does.
Jaxpr without_eqns(const Jaxpr& jaxpr, const std::string& key, FunctionRef<bool(const Eqn&)> drop);

/// Whether `is` holds of an equation here or in a program inside. Memoised under `key`, which says what `is` does.
bool any_eqn(const Jaxpr& jaxpr, const std::string& key, FunctionRef<bool(const Eqn&)> is);

}  // namespace weft::ir
