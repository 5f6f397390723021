#include "weft/control/linear_map.h"

#include <algorithm>

#include "weft/ir/prune.h"

namespace weft::control {

namespace {

std::vector<bool> residual_outputs(const transforms::LinearizedJaxpr& lin) {
  std::vector<bool> r(lin.primal.outputs().size(), false);
  std::fill(r.end() - static_cast<std::ptrdiff_t>(lin.num_residuals), r.end(), true);
  return r;
}

// The line of the first equation that takes input `v`.
std::optional<SourceLocation> first_use(const ir::Jaxpr& jaxpr, std::size_t v) {
  for (const ir::Eqn& e : jaxpr.eqns())
    for (const ir::Atom a : jaxpr.operands(e))
      if (!a.is_literal() && a.index() == v) return e.location;
  return std::nullopt;
}

SourceLocation line_of(const transforms::LinearizedJaxpr& lin, std::size_t input) {
  const ir::Jaxpr residuals = residuals_of(lin);
  if (const auto line = first_use(residuals, input)) return *line;
  // It is kept as it is: whoever takes it then.
  for (std::size_t i = 0; i < residuals.outputs().size(); ++i) {
    const ir::Atom a = residuals.outputs()[i];
    if (a.is_literal() || a.index() != input) continue;
    if (const auto line = first_use(lin.tangent, i)) return *line;
  }
  return SourceLocation();
}

}  // namespace

ir::Jaxpr residuals_of(const transforms::LinearizedJaxpr& lin) { return ir::prune(lin.primal, residual_outputs(lin)); }

std::optional<NotLinear> not_linear(const transforms::LinearizedJaxpr& lin, const std::vector<bool>& linear) {
  const std::vector<bool> read = ir::needed_inputs(lin.primal, residual_outputs(lin));
  for (std::size_t i = 0; i < linear.size(); ++i)
    if (linear[i] && read[i]) return NotLinear{i, line_of(lin, i)};
  return std::nullopt;
}

}  // namespace weft::control
