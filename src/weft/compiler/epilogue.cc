#include "weft/compiler/epilogue.h"

#include "weft/ir/nested.h"

namespace weft::compiler {

namespace {

using Statement = Schedule::Statement;

class Follower {
 public:
  Follower(const Procedure& p, const ir::Eqn& e, const Kernel& k) : p_(p), e_(e), k_(k) {}

  // Elements of the operation's result that each step takes; 0 where the kernel must wait for all of them.
  std::int64_t elements() const {
    const Aval result = p_.jaxpr.aval(e_.out_begin);
    if (e_.out_end != e_.out_begin + 1 || k_.columns || (k_.outer == 0 && k_.reduces)) return 0;
    const std::int64_t steps = k_.loops.front();
    if (steps < 2 || result.size() % steps != 0) return 0;
    const std::int64_t each = result.size() / steps;
    bool reads = false;
    for (const Instr& i : k_.body) {
      if (i.kind != Instr::Kind::kLoad || memory(i.buffer) != ir::Atom::var(e_.out_begin)) continue;
      if (!within(i.at, each)) return 0;
      reads = true;
    }
    if (!reads) return 0;
    for (const Kernel::Store& s : k_.stores) {
      const ir::Var to = memory(s.buffer).index();  // no literal is written to
      // What the operation still reads stays as it is.
      for (const ir::Atom a : p_.jaxpr.operands(e_)) {
        if (a.is_literal() || p_.schedule.memory[a.index()].is_literal()) continue;
        if (overlap(to, p_.schedule.memory[a.index()].index())) return 0;
      }
      // In the result's own place, each step replaces its elements alone.
      if (overlap(to, e_.out_begin) && !(p_.places[to] == p_.places[e_.out_begin] &&
                                         k_.buffers[s.buffer].dtype == result.dtype() && within(s.at, each)))
        return 0;
    }
    return each;
  }

 private:
  // Whose memory a buffer is.
  ir::Atom memory(std::uint32_t buffer) const { return p_.schedule.memory[k_.buffers[buffer].var]; }

  // Whether step s touches elements of [s each, (s + 1) each) only.
  bool within(const Affine& at, std::int64_t each) const {
    if (!at.dynamic.empty() || at.coeff.front() != each) return false;
    std::int64_t least = at.offset, most = at.offset;
    for (std::size_t l = 1; l < k_.loops.size(); ++l)
      (at.coeff[l] < 0 ? least : most) += at.coeff[l] * (k_.loops[l] - 1);
    return least >= 0 && most < each;
  }

  bool overlap(ir::Var a, ir::Var b) const {
    const Place &x = p_.places[a], &y = p_.places[b];
    if (x.kind != y.kind || x.kind == Place::Kind::kNone) return false;
    if (x.kind != Place::Kind::kWorkspace) return x.at == y.at;
    return x.at < y.at + p_.jaxpr.aval(b).bytes() && y.at < x.at + p_.jaxpr.aval(a).bytes();
  }

  const Procedure& p_;
  const ir::Eqn& e_;
  const Kernel& k_;
};

}  // namespace

void find_epilogues(Procedure& procedure, const Target& target) {
  const std::vector<Statement>& all = procedure.schedule.statements;
  procedure.epilogues.assign(all.size(), 0);
  // Of the statement right before it alone: what lies between two would have to wait, or to be safe as well.
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].kind != Statement::Kind::kKernel || all[i - 1].kind != Statement::Kind::kOp) continue;
    const ir::Eqn& e = procedure.jaxpr.eqns()[all[i - 1].index];
    if (ir::runs_programs(e.op) || !takes_epilogue(target, procedure.jaxpr, e)) continue;
    procedure.epilogues[i] = Follower(procedure, e, procedure.schedule.kernels[all[i].index]).elements();
  }
}

}  // namespace weft::compiler
