#include "weft/runtime/program_memory.h"

#include <algorithm>
#include <ostream>
#include <utility>

namespace weft {

std::string ProgramMemory::str() const {
  const std::pair<const char*, std::int64_t> lines[] = {
      {"arguments", arguments},           {"captured", captured},      {"outputs", outputs},
      {"  in place", in_place},           {"donated, unused", unused}, {"workspace", workspace},
      {"  at least", workspace_at_least}, {"literals", literals},      {"code", code},
  };
  std::string s;
  for (const auto& [name, bytes] : lines) {
    const std::string number = std::to_string(bytes);
    std::string line(name);
    line.resize(16, ' ');
    s += line + std::string(number.size() < 14 ? 14 - number.size() : 0, ' ') + number + "\n";
  }
  return s;
}

std::ostream& operator<<(std::ostream& out, const ProgramMemory& memory) { return out << memory.str(); }

ProgramMemory stepwise_memory(const ir::Jaxpr& jaxpr) {
  ProgramMemory m;
  std::vector<bool> counts(jaxpr.num_vars(), true);  // inputs and outputs are not between
  for (ir::Var v = 0; v < jaxpr.num_inputs(); ++v) {
    m.arguments += jaxpr.aval(v).bytes();
    counts[v] = false;
  }
  for (const ir::Atom a : jaxpr.outputs()) {
    m.outputs += jaxpr.aval(a).bytes();
    if (!a.is_literal()) counts[a.index()] = false;
  }
  const ir::Jaxpr::LastUses& uses = jaxpr.last_uses();
  std::int64_t live = 0;
  for (std::size_t i = 0; i < jaxpr.eqns().size(); ++i) {
    const ir::Eqn& e = jaxpr.eqns()[i];
    // A literal is one element, whatever its shape.
    for (const ir::Atom a : jaxpr.operands(e))
      if (a.is_literal()) m.literals += byte_size(jaxpr.aval(a).dtype());
    for (ir::Var v = e.out_begin; v < e.out_end; ++v)
      if (counts[v]) live += jaxpr.aval(v).bytes();
    m.workspace = std::max(m.workspace, live);
    for (std::uint32_t u = uses.begin[i]; u < uses.begin[i + 1]; ++u)
      if (counts[uses.vars[u]]) live -= jaxpr.aval(uses.vars[u]).bytes();
  }
  m.workspace_at_least = m.workspace;
  return m;
}

}  // namespace weft
