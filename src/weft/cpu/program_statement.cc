#include "weft/cpu/program_statement.h"

#include <algorithm>
#include <set>

namespace weft::cpu {

namespace {

using compiler::Instr;
using compiler::Kernel;
using compiler::Procedure;

// "kernel [128,512]: add max", what it computes, each operation once.
std::string name_of(const Kernel& k) {
  std::string s = "kernel " + shape_str(k.loops);
  std::set<std::string> seen;
  std::string sep = ": ";
  for (const Instr& i : k.body) {
    std::string what;
    if (i.kind == Instr::Kind::kApply) what = ir::op_name(i.op);
    if (i.kind == Instr::Kind::kReduce) what = "reduce_" + std::string(enum_names(i.reduce)[std::size_t(i.reduce)]);
    if (what.empty() || !seen.insert(what).second) continue;
    s += sep + what;
    sep = " ";
  }
  return s + (seen.empty() ? ": move" : "");
}

// Of each buffer all of it, or what the loops touch when that is less.
double bytes_of(const Procedure& p, const Kernel& k) {
  const auto iterations = static_cast<double>(product(k.loops));
  std::vector<double> touched(k.buffers.size(), 0);
  for (const Instr& i : k.body)
    if (i.kind == Instr::Kind::kLoad) touched[i.buffer] += iterations;
  for (const Kernel::Store& s : k.stores) touched[s.buffer] += iterations;
  double bytes = 0;
  for (std::size_t b = 0; b < k.buffers.size(); ++b) {
    const Aval aval = p.jaxpr.aval(k.buffers[b].var);
    bytes += std::min(touched[b], static_cast<double>(aval.size())) * static_cast<double>(byte_size(aval.dtype()));
  }
  return bytes;
}

// The line of the equation that makes a variable.
SourceLocation location_of(const Procedure& p, ir::Var v) {
  const std::vector<ir::Eqn>& eqns = p.jaxpr.eqns();
  const auto after =
      std::upper_bound(eqns.begin(), eqns.end(), v, [](ir::Var x, const ir::Eqn& e) { return x < e.out_begin; });
  return after == eqns.begin() ? p.location : p.location_of(*std::prev(after));
}

}  // namespace

ProgramStatement program_statement(const Procedure& procedure, std::uint32_t index) {
  using Statement = compiler::Schedule::Statement;
  const Statement& s = procedure.schedule.statements[index];
  switch (s.kind) {
    case Statement::Kind::kKernel: {
      const Kernel& k = procedure.schedule.kernels[s.index];
      const SourceLocation at = k.stores.empty() ? procedure.location : location_of(procedure, k.stores.front().root);
      return {name_of(k), at, bytes_of(procedure, k), 0};
    }
    case Statement::Kind::kUpdate: {
      const Aval aval = procedure.jaxpr.aval(s.var);
      const bool moves =
          s.from.is_literal() || procedure.schedule.memory[s.from.index()].is_literal() ||
          !(procedure.places[procedure.schedule.memory[s.from.index()].index()] == procedure.places[s.var]);
      return {"copy " + aval.str(), location_of(procedure, s.var), moves ? 2.0 * static_cast<double>(aval.bytes()) : 0,
              0};
    }
    case Statement::Kind::kOp: break;
  }
  const ir::Eqn& e = procedure.jaxpr.eqns()[s.index];
  ProgramStatement statement = statement_of(procedure.jaxpr, e);
  statement.location = procedure.location_of(e);
  if (procedure.nested.contains(s.index)) statement.bytes = 0;  // what is inside counts
  return statement;
}

}  // namespace weft::cpu
