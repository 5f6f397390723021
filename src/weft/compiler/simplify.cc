// The passes of simplify, in order, to a fixpoint.
#include "weft/compiler/simplify.h"

#include <algorithm>
#include <string>

#include "weft/compiler/simplify_narrow.h"
#include "weft/compiler/simplify_rewriter.h"
#include "weft/ir/builder.h"
#include "weft/ir/nested.h"

namespace weft::compiler {

using ir::Jaxpr;

namespace {

// Few programs change after the second round.
constexpr int kRounds = 4;

bool is_call(const ir::Eqn& e) {
  return ir::runs_programs(e.op) && e.op != OpCode::kCase && e.op != OpCode::kWhile && e.op != OpCode::kScan;
}

// Small calls in a program inside an equation become its own equations, as those of the whole program have before.
Jaxpr without_small_calls(const Jaxpr& program) {
  const auto& eqns = program.eqns();
  return std::any_of(eqns.begin(), eqns.end(), is_call) ? ir::inline_calls(program) : program;
}

Jaxpr simplify(const Jaxpr& program, EvaluateOp evaluate, int rounds, bool inside);

// Whether nothing more is to be done.
bool run_passes(Jaxpr& program, EvaluateOp evaluate, int rounds) {
  // What programs inside become is worked out in the first round; later ones only follow up what changed around them.
  // So the time is not exponential in how deep they nest.
  int rounds_inside = rounds;
  const auto nested = [&](const Jaxpr& p) { return simplify(p, evaluate, rounds_inside, true); };
  program = simplifying::narrow(program);
  for (int round = 0; round < rounds; ++round) {
    const Jaxpr next = simplifying::narrow(simplifying::Rewriter(evaluate, nested).rewrite(program));
    if (next == program) return true;
    program = next;
    rounds_inside = 1;
  }
  return rounds == kRounds;
}

// What became of a program is kept with it.
Jaxpr simplify(const Jaxpr& program, EvaluateOp evaluate, int rounds, bool inside) {
  const auto key = [&](int n) { return "simplify " + std::to_string(n) + (inside ? " inside" : ""); };
  // Null stands for the program itself, which must not hold itself.
  const auto nothing_to_do = [&](const Jaxpr& p) {
    for (const int n : {1, kRounds}) p.memo<Jaxpr>(key(n), [] { return std::make_shared<const Jaxpr>(); });
  };
  const Jaxpr kept = *program.memo<Jaxpr>(key(rounds), [&] {
    Jaxpr made = inside ? without_small_calls(program) : program;
    const bool done = run_passes(made, evaluate, rounds);
    if (made == program) return std::make_shared<const Jaxpr>();
    if (done) nothing_to_do(made);
    return std::make_shared<const Jaxpr>(made);
  });
  return kept ? kept : program;
}

}  // namespace

Jaxpr simplify(const Jaxpr& jaxpr, EvaluateOp evaluate) { return simplify(jaxpr, evaluate, kRounds, false); }

}  // namespace weft::compiler
