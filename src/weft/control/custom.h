// Functions with rules of their own, on programs that are already staged (weft/api/custom.h takes functions).
//
// `captures` are the leading inputs of every program and rule; "tangents of xs" are one for each x that is float or
// complex. Rules give no derivative by captures: NotDifferentiableError when one is asked for.
// Errors: ShapeError and DTypeError when programs and operands do not fit.
#pragma once

#include <functional>

#include "weft/base/function_ref.h"
#include "weft/core/arg.h"
#include "weft/core/stage.h"
#include "weft/ir/custom_rules.h"

namespace weft {

namespace control {

/// A custom function in errors: what made it ("custom_jvp"), its name, and where.
struct CustomInfo {
  const char* what;
  std::string name;
  SourceLocation loc;
  /// "custom_jvp(f) at model.cc:12".
  std::string str() const { return std::string(what) + "(" + name + ")" + (loc ? " at " + loc.str() : std::string()); }
};

/// A rule that is run as it is, in the trace that needs it.
ir::Rule function_rule(FlatFunction f);
/// f at captures, and arguments that are mapped in front where `mapped`, one per argument, says so; all its results
/// are.
using VmapFunction =
    std::function<void(std::int64_t size, const std::vector<bool>& mapped, std::span<const Array> args, Arrays& outs)>;
ir::Rule vmap_rule(VmapFunction f);

// ---- rules at once ----
// Where the current trace is one of differentiation, a custom function need not become an operation: its rule runs as
// those of operations do, and C++ may look at the values of its arrays if they have some. Both return false, and have
// done nothing, where that is not so, or no argument has a tangent.

/// `rule` gives results, and a tangent for each (none for integers).
using DualRule = FunctionRef<void(std::span<const Array> primals, std::span<const Array> tangents, Arrays& outs,
                                  Arrays& out_tangents)>;
bool differentiate_now(const CustomInfo& info, DualRule rule, std::span<const Array> args, Arrays& outs);
/// `fwd` gives results and, apart, residuals; `bwd` is as of custom_vjp_call without captures. Reverse mode only:
/// NotDifferentiableError in forward mode.
using ForwardRule = FunctionRef<void(std::span<const Array> args, Arrays& outs, Arrays& residuals)>;
bool linearize_now(const CustomInfo& info, ForwardRule fwd, const FlatFunction& bwd, std::span<const Array> args,
                   Arrays& outs);

/// c -> A^T c for a linear program x -> A x, with the same captures.
ir::Jaxpr transposed_map(const ir::Jaxpr& map);

}  // namespace control

namespace lax {

/// program(captures..., xs...), whose derivatives are those that `jvp` gives, in both modes:
/// (captures, xs, tangents of xs) -> (results, tangents of results).
Arrays custom_jvp_call(const std::string& name, const ir::Jaxpr& program, const ir::Rule& jvp,
                       std::span<const Array> captures, std::span<const Array> xs,
                       SourceLocation loc = std::source_location::current());

/// program(captures..., xs...), whose derivatives in reverse mode are those of the pair
/// `fwd`: (captures, xs) -> (results, residuals), `bwd`: (captures, residuals, cotangents of results) -> cotangents of
/// xs. Forward mode is that of `jvp`, NotDifferentiableError when there is none.
Arrays custom_vjp_call(const std::string& name, const ir::Jaxpr& program, const ir::Rule& fwd, const ir::Rule& bwd,
                       const ir::Rule& jvp, std::span<const Array> captures, std::span<const Array> xs,
                       SourceLocation loc = std::source_location::current());

/// The derivative of a custom_vjp_call at `xs` along `tangents`, as it stands until it is transposed: the transpose is
/// `bwd`; the value is that of `jvp`, NotDifferentiableError when there is none. `xs` are given only when there is.
Arrays custom_vjp_tangent(const std::string& name, const std::vector<Aval>& result_types, const ir::Rule& bwd,
                          const ir::Rule& jvp, std::span<const Array> captures, std::span<const Array> residuals,
                          std::span<const Array> xs, std::span<const Array> tangents,
                          SourceLocation loc = std::source_location::current());

/// program(captures..., xs...), of which vmap is `rule` (of control::vmap_rule; none: vmap of the program). Derivatives
/// are those of the program.
Arrays custom_vmap_call(const std::string& name, const ir::Jaxpr& program, const ir::Rule& rule,
                        std::span<const Array> captures, std::span<const Array> xs,
                        SourceLocation loc = std::source_location::current());

/// solve(captures..., b...): the x with matvec(captures..., x...) = b, which is linear in x. Derivatives by b and by
/// what matvec does with captures are those of the equation, whatever `solve` does; reverse mode runs
/// `transpose_solve`, NotDifferentiableError when there is none.
Arrays custom_linear_solve(const ir::Jaxpr& matvec, const ir::Jaxpr& solve, const ir::Rule& transpose_solve,
                           std::span<const Array> captures, std::span<const Array> b,
                           SourceLocation loc = std::source_location::current());

}  // namespace lax

}  // namespace weft
