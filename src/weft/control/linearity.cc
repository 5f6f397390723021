#include "weft/control/linearity.h"

#include <algorithm>
#include <cstring>

#include "weft/control/effects.h"
#include "weft/core/rules.h"
#include "weft/ir/builder.h"
#include "weft/ir/prune.h"
#include "weft/ops/lax.h"

namespace weft::control {

namespace {

// Operands that end up beside each other, or in a sum, in the result.
bool adds(OpCode op, std::size_t operand) {
  switch (op) {
    case OpCode::kAdd:
    case OpCode::kSubtract:
    case OpCode::kConcatenate: return true;
    case OpCode::kSelect: return operand > 0;
    case OpCode::kPad:
    case OpCode::kDynamicUpdateSlice: return operand < 2;
    default: return false;
  }
}

bool is_product(OpCode op) {
  return op == OpCode::kMultiply || op == OpCode::kDotGeneral || op == OpCode::kConvolution;
}

[[noreturn]] void refuse(std::string_view op, const std::string& name, const std::string& got, std::string hint) {
  // The line is that of the operation; the text is not its.
  const ForcedLocation line(current_location());
  NotDifferentiableError error(
      std::string(op) + ": what a jvp rule makes of tangents must be linear in them; got " + got + ".",
      std::move(hint));
  error.add_note("in the jvp rule of " + name);
  throw error;
}

// Operations of which a result is zero if operands are.
bool keeps_zero(OpCode op) {
  switch (op) {
    case OpCode::kBroadcastInDim:
    case OpCode::kReshape:
    case OpCode::kTranspose:
    case OpCode::kConvert:
    case OpCode::kNegate:
    case OpCode::kSlice:
    case OpCode::kStopGradient: return true;
    default: return false;
  }
}

}  // namespace

void check_linear(std::string_view op, const std::string& name, OpCode used, const ir::ParamsBase* params,
                  const std::vector<bool>& tangents, const std::vector<bool>& zeros) {
  const auto n = static_cast<std::size_t>(std::count(tangents.begin(), tangents.end(), true));
  if (n == 0 || watches(used, params)) return;
  const std::string by(ir::op_name(used));
  const bool nonlinear = op_rules(used).transpose == rules::not_linear || (is_product(used) && n > 1) ||
                         (used == OpCode::kDivide && tangents[1]);
  if (nonlinear)
    refuse(op, name, by + " in a way that is not",
           "a rule may scale tangents by values and add them; everything else is made of the arguments.");
  bool tangent = false, value = false;
  for (std::size_t i = 0; i < tangents.size(); ++i) {
    if (!adds(used, i)) continue;
    tangent |= tangents[i];
    value |= !tangents[i] && !zeros[i];
  }
  if (tangent && value)
    refuse(op, name, by + " of a tangent and a value that depends on none",
           "a rule may scale tangents by values and add them; a value by itself is no tangent.");
}

void throw_constant_tangent(std::string_view op, const std::string& name) {
  refuse(op, name, "a tangent that depends on none",
         "return none (a default-constructed Array) where the tangent is zero.");
}

bool known_zero(const Array& a) {
  const BufferValue* b = a.buffer();
  if (!b) return false;
  const CurrentTrace evaluate(nullptr);
  Dims axes;
  for (int i = 0; i < a.ndim(); ++i) axes.push_back(i);
  const Array counts = lax::and_(lax::ne(a, zeros_of(a.aval())), lax::eq(a, a));
  return !lax::reduce_or(counts, axes).item<bool>();
}

void check_linear_rule(std::string_view op, const std::string& name, const ir::Jaxpr& rule, std::size_t num_known,
                       std::size_t num_results) {
  rule.memo<bool>("linear:" + std::to_string(num_known) + "," + std::to_string(num_results), [&] {
    std::vector<bool> wanted(rule.outputs().size(), true);
    std::fill_n(wanted.begin(), num_results, false);
    const ir::Jaxpr program = ir::dce(ir::inline_calls(rule, false), wanted);
    std::vector<bool> inputs(program.num_inputs(), true), zero(program.num_vars(), false), tangents, zeros;
    std::fill_n(inputs.begin(), num_known, false);
    const std::vector<bool> depends = ir::dependent_variables(program, std::move(inputs));
    const auto is_tangent = [&](ir::Atom a) { return !a.is_literal() && depends[a.index()]; };
    const auto is_zero = [&](ir::Atom a) {
      return a.is_literal() ? known_zero(literal_array(program.literal(a))) : static_cast<bool>(zero[a.index()]);
    };
    for (const ir::Eqn& e : program.eqns()) {
      tangents.clear();
      zeros.clear();
      for (const ir::Atom a : program.operands(e)) {
        tangents.push_back(is_tangent(a));
        zeros.push_back(is_zero(a));
      }
      const bool any = std::find(zeros.begin(), zeros.end(), true) != zeros.end();
      const bool all = std::find(zeros.begin(), zeros.end(), false) == zeros.end();
      if ((is_product(e.op) && any) || (keeps_zero(e.op) && all) || (e.op == OpCode::kAdd && all))
        zero[e.out_begin] = true;
      const ForcedLocation location(e.location);
      check_linear(op, name, e.op, e.params.get(), tangents, zeros);
    }
    for (const ir::Atom a : program.outputs())
      if (!is_tangent(a) && !is_zero(a)) throw_constant_tangent(op, name);
    return std::make_shared<const bool>(true);
  });
}

}  // namespace weft::control
