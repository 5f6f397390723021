// What operations with custom rules share: checks of rules, calling them, their batched forms. Private to control/.
#pragma once

#include "weft/control/custom.h"
#include "weft/control/rules.h"
#include "weft/core/checks.h"

namespace weft::control {

/// Those that can have tangents.
Avals inexact(std::span<const Aval> types);
Avals concatenated(std::span<const Aval> a, std::span<const Aval> b);

/// Throws ShapeError, DTypeError or ValueError unless a rule that is a program has these types. `what`: "the jvp rule".
void check_rule(std::string_view op, std::string_view what, const ir::Rule& rule, std::span<const Aval> in,
                std::span<const Aval> out);

/// Runs the rule in the current trace. `what` as above; NotDifferentiableError when it was lost in text.
void apply_rule(std::string_view op, std::string_view what, const std::string& name, const ir::Rule& rule,
                std::span<const Array> args, Arrays& outs, detail::UserRule::Pass pass = {});

/// NotDifferentiableError when one of the first `n` operands, the captures, has a tangent.
void refuse_captured_tangents(std::string_view op, const std::string& name, std::size_t n, const Call& call,
                              std::span<const Array> tangents);

/// The same for one value that has.
[[noreturn]] void refuse_captured(std::string_view op, const std::string& name, Aval captured);
/// NotDifferentiableError: custom_vjp has no rule for forward mode.
[[noreturn]] void throw_forward(const std::string& name);

/// The tangents of operands from `n` on that are float or complex, zeros where there are none.
void append_tangents_from(std::size_t n, std::span<const Array> args, std::span<const Array> tangents, Arrays& to);

/// Results and tangents by a jvp rule: the JvpRule of an operation whose operands are captures and arguments.
void jvp_by_rule(std::string_view op, const std::string& name, const ir::Jaxpr& program, const ir::Rule& rule,
                 const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents);

// ---- batching ----

/// Where a batched rule puts the mapped axis of a result: an axis; kUnmapped for a result that has none; or this, for
/// the sum over all examples.
inline constexpr int kSummed = -2;

/// The program over operands mapped at `bdims`, with its results' mapped axes at `places` (those after the last: 0).
ir::Jaxpr batched_program(const ir::Jaxpr& program, std::span<const int> bdims, const MappedAxis& axis,
                          std::span<const int> places);
/// The same for a rule. A function's operands may be more than `bdims`: operands from `rest_at` on up to the last
/// bdims.size() - rest_at are mapped at 0 (residuals, whose number only the function knows).
ir::Rule batched_rule(const ir::Rule& rule, std::span<const int> bdims, const MappedAxis& axis,
                      std::span<const int> places, std::size_t rest_at = ~std::size_t{0});

}  // namespace weft::control
