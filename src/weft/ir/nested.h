// Programs inside operations, seen alike: all operations that carry some, whatever each calls them.
#pragma once

#include "weft/base/function_ref.h"
#include "weft/ir/jaxpr.h"

namespace weft::ir {

enum class Programs : std::uint8_t {
  kRun,  ///< Those that running the operation may run.
  kAll,  ///< The rules of custom functions, too.
};

/// Whether running the operation is running the programs that it carries, and nothing else: call, case, while, scan,
/// composite, checkpoint and custom_..._call.
bool runs_programs(OpCode op);

/// Calls `use` with each program in the parameters.
void for_each_program(const ParamsBase& params, Programs which, FunctionRef<void(const Jaxpr&)> use);

/// The parameters with every program replaced by change(program), which must keep the types of inputs and outputs and
/// the number of constants. The same object when that changes nothing.
Params with_programs(const Params& params, FunctionRef<Jaxpr(const Jaxpr&)> change);

/// The program without the equations that `drop` is true of, here and in all programs inside. What uses the result of
/// one takes its first operand instead. The same object when there are none. Memoised under `key`, which says what
/// `drop` does.
Jaxpr without_eqns(const Jaxpr& jaxpr, const std::string& key, FunctionRef<bool(const Eqn&)> drop);

/// Whether `is` holds of an equation here or in a program inside. Memoised under `key`, which says what `is` does, and
/// `which`.
bool any_eqn(const Jaxpr& jaxpr, Programs which, const std::string& key, FunctionRef<bool(const Eqn&)> is);

}  // namespace weft::ir
