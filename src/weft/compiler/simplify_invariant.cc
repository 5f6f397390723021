#include "weft/compiler/simplify_invariant.h"

#include <algorithm>

#include "weft/compiler/jaxpr_edit.h"
#include "weft/ir/nested.h"
#include "weft/ir/programs.h"

namespace weft::compiler::simplifying {

namespace {

// What costs nothing where it is used: kernels read through it.
bool is_view(OpCode op) {
  switch (op) {
    case OpCode::kBroadcastInDim:
    case OpCode::kReshape:
    case OpCode::kTranspose:
    case OpCode::kReverse:
    case OpCode::kSlice:
    case OpCode::kIota:
    case OpCode::kPad: return true;
    default: return false;
  }
}

bool may_move(const ir::Eqn& e) {
  return !ir::has_effects(e.op, e.params.get()) && !ir::runs_programs(e.op) && e.op != OpCode::kOptimizationBarrier;
}

// What operations read that are not kernels: they need it in memory, and so what it is a view of.
std::vector<bool> read_from_memory(const Jaxpr& body) {
  std::vector<bool> r(body.num_vars(), false);
  for (std::size_t i = body.eqns().size(); i-- > 0;) {
    const ir::Eqn& e = body.eqns()[i];
    const bool kernel = ir::op_info(e.op).elementwise || e.op == OpCode::kReduce;
    const bool through = is_view(e.op) && r[e.out_begin];
    if (is_view(e.op) ? !through : kernel) continue;
    for (const Atom a : body.operands(e))
      if (!a.is_literal()) r[a.index()] = true;
  }
  return r;
}

// Whether to compute it once is less work than to compute it at each step. Kernels compute for nothing what is as large
// as what they would read instead, or larger; the same of views.
bool is_worth_keeping(const Jaxpr& body, const ir::Eqn& e, std::span<const std::int64_t> sizes, bool in_memory) {
  if (is_view(e.op)) return in_memory && e.op != OpCode::kReshape && e.op != OpCode::kTranspose;
  if (!ir::op_info(e.op).elementwise || in_memory) return true;
  std::int64_t read = 0, made = 0;
  for (const Atom a : body.operands(e))
    if (!a.is_literal()) read += sizes[a.index()];
  for (Var v = e.out_begin; v < e.out_end; ++v) made += body.aval(v).bytes();
  return made <= read;
}

struct Invariants {
  std::vector<bool> moved;  // by equation: computed before the loop
  std::vector<bool> kept;   // by variable: a result that the loop captures
  bool any = false;
};

Invariants invariants_of(const Jaxpr& body) {
  const auto& eqns = body.eqns();
  std::vector<bool> same(body.num_vars(), false);
  std::fill_n(same.begin(), body.num_consts(), true);
  // Bytes that a read of the variable touches: those of what a view is of.
  std::vector<std::int64_t> sizes(body.num_vars(), 0);
  for (Var v = 0; v < body.num_inputs(); ++v) sizes[v] = body.aval(v).bytes();
  Invariants r{std::vector<bool>(eqns.size(), false), std::vector<bool>(body.num_vars(), false)};
  std::vector<bool> worth(eqns.size(), false);
  const std::vector<bool> in_memory = read_from_memory(body);
  for (std::size_t i = 0; i < eqns.size(); ++i) {
    const ir::Eqn& e = eqns[i];
    const auto operands = body.operands(e);
    const bool invariant = may_move(e) && std::all_of(operands.begin(), operands.end(),
                                                      [&](Atom a) { return a.is_literal() || same[a.index()]; });
    worth[i] = invariant && is_worth_keeping(body, e, sizes, in_memory[e.out_begin]);
    for (Var v = e.out_begin; v < e.out_end; ++v) {
      same[v] = invariant;
      sizes[v] = body.aval(v).bytes();
      if (is_view(e.op) && !operands.empty() && !operands[0].is_literal())
        sizes[v] = std::min(sizes[v], sizes[operands[0].index()]);
    }
  }
  // What is worth it moves, with all that it is computed from.
  std::vector<bool> needed(body.num_vars(), false);
  for (std::size_t i = eqns.size(); i-- > 0;) {
    const ir::Eqn& e = eqns[i];
    r.moved[i] = worth[i];
    for (Var v = e.out_begin; v < e.out_end; ++v) r.moved[i] = r.moved[i] || needed[v];
    if (!r.moved[i]) continue;
    r.any = true;
    for (const Atom a : body.operands(e))
      if (!a.is_literal() && a.index() >= body.num_inputs()) needed[a.index()] = true;
    for (Var v = e.out_begin; v < e.out_end; ++v) r.kept[v] = worth[i];
  }
  return r;
}

// The body without what has moved, which it takes as constants behind the others; appends those to `captures`.
Jaxpr without(const Jaxpr& body, const Invariants& moved, const std::vector<Atom>& before, Atoms& captures) {
  std::vector<bool> used(body.num_vars(), false);
  const auto use = [&](Atom a) {
    if (!a.is_literal()) used[a.index()] = true;
  };
  // A view that has moved as a part of something is made here, too, where something else needs it.
  std::vector<bool> stays(body.eqns().size());
  for (const Atom a : body.outputs()) use(a);
  for (std::size_t i = body.eqns().size(); i-- > 0;) {
    const ir::Eqn& e = body.eqns()[i];
    bool wanted = !moved.moved[i];
    for (Var v = e.out_begin; v < e.out_end; ++v) wanted = wanted || (used[v] && !moved.kept[v]);
    stays[i] = wanted;
    if (wanted)
      for (const Atom a : body.operands(e)) use(a);
  }
  NewJaxpr made;
  std::vector<Atom> values(body.num_vars(), Atom::var(0)), outputs;
  for (Var v = 0; v < body.num_inputs(); ++v)
    values[v] = v < body.num_consts() ? made.constant(body.aval(v)) : made.input(body.aval(v));
  const auto value = [&](Atom a) { return a.is_literal() ? made.literal(body.literal(a)) : values[a.index()]; };
  for (std::size_t i = 0; i < body.eqns().size(); ++i) {
    const ir::Eqn& e = body.eqns()[i];
    if (stays[i]) {
      Atoms operands;
      for (const Atom a : body.operands(e)) operands.push_back(value(a));
      made.at(e.location, e.scope);
      const Var first = made.make_all(e.op, e.params, operands);
      for (Var v = e.out_begin; v < e.out_end; ++v) values[v] = Atom::var(first + (v - e.out_begin));
      continue;
    }
    for (Var v = e.out_begin; v < e.out_end; ++v) {
      if (!moved.kept[v] || !used[v]) continue;
      values[v] = made.constant(body.aval(v));
      captures.push_back(before[v]);
    }
  }
  for (const Atom a : body.outputs()) outputs.push_back(value(a));
  return made.finish(outputs);
}

// What the moved equations give, by variable of the body.
std::vector<Atom> write_before(Rewriter& to, const Jaxpr& body, const Invariants& moved,
                               std::span<const Atom> captures) {
  std::vector<Atom> values(captures.begin(), captures.end());
  values.resize(body.num_vars(), Atom::var(0));
  for (std::size_t i = 0; i < body.eqns().size(); ++i) {
    if (!moved.moved[i]) continue;
    const ir::Eqn& e = body.eqns()[i];
    Equation outside{
        .op = e.op, .params = e.params, .operands = {}, .types = {}, .location = e.location, .scope = e.scope};
    for (const Atom a : body.operands(e))
      outside.operands.push_back(a.is_literal() ? to.literal(body.literal(a)) : values[a.index()]);
    for (Var v = e.out_begin; v < e.out_end; ++v) outside.types.push_back(body.aval(v));
    const Atoms results = to.write(std::move(outside));
    for (Var v = e.out_begin; v < e.out_end; ++v) values[v] = results[v - e.out_begin];
  }
  return values;
}

}  // namespace

void hoist_invariants(Rewriter& to, Equation& loop) {
  const bool is_scan = loop.op == OpCode::kScan;
  const Jaxpr body = is_scan ? loop.params_as<ScanParams>().jaxpr : loop.params_as<WhileParams>().body_jaxpr;
  const std::size_t first = is_scan ? 0 : loop.params_as<WhileParams>().cond_jaxpr.num_consts();
  const std::span<const Atom> captures = std::span<const Atom>(loop.operands).subspan(first, body.num_consts());
  const Invariants moved = invariants_of(body);
  if (!moved.any) return;
  const std::vector<Atom> before = write_before(to, body, moved, captures);
  Atoms operands(loop.operands.begin(), loop.operands.begin() + static_cast<std::ptrdiff_t>(first + captures.size()));
  const Jaxpr rest = without(body, moved, before, operands);
  operands.append(loop.operands.begin() + static_cast<std::ptrdiff_t>(first + captures.size()), loop.operands.end());
  loop.operands = operands;
  if (is_scan) {
    ScanParams p = loop.params_as<ScanParams>();
    p.jaxpr = rest;
    loop.params = ir::make_params(std::move(p));
  } else {
    WhileParams p = loop.params_as<WhileParams>();
    p.body_jaxpr = rest;
    loop.params = ir::make_params(std::move(p));
  }
}

}  // namespace weft::compiler::simplifying
