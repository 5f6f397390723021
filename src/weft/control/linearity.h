// Whether what a jvp rule makes of tangents is linear in them, as far as that shows where the rule runs. What does not
// show here, its transposition finds. Private to control/.
#pragma once

#include <string>

#include "weft/core/stage.h"

namespace weft::control {

/// NotDifferentiableError, naming the function whose rule it is, where an operation is not linear in operands that are
/// tangents, or adds values that are not. `tangents`, `zeros`: which operands are tangents, and which others are zero.
void check_linear(std::string_view op, const std::string& name, OpCode used, const ir::ParamsBase* params,
                  const std::vector<bool>& tangents, const std::vector<bool>& zeros);
/// The same for a tangent that depends on none and is not zero.
[[noreturn]] void throw_constant_tangent(std::string_view op, const std::string& name);

/// Checks a rule that is a program: inputs from `num_known` on are tangents, and so are outputs from `num_results` on.
void check_linear_rule(std::string_view op, const std::string& name, const ir::Jaxpr& rule, std::size_t num_known,
                       std::size_t num_results);

/// Whether an array has a value, all of whose elements are zero (or NaN, which zero times infinity is).
bool known_zero(const Array& a);

}  // namespace weft::control
