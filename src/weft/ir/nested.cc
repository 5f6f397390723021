#include "weft/ir/nested.h"

#include "weft/ir/builder.h"

namespace weft::ir {

void for_each_program(const ParamsBase& params, Programs which, FunctionRef<void(const Jaxpr&)> use) {
  const auto same = [&](const Jaxpr& p) {
    use(p);
    return p;
  };
  params.with_programs({same, which == Programs::kAll});
}

Params with_programs(const Params& params, FunctionRef<Jaxpr(const Jaxpr&)> change) {
  return params->with_programs({change, true});
}

bool runs_programs(OpCode op) {
  switch (op) {
    case OpCode::kCall:
    case OpCode::kCase:
    case OpCode::kWhile:
    case OpCode::kScan:
    case OpCode::kComposite:
    case OpCode::kCheckpoint:
    case OpCode::kCustomJvpCall:
    case OpCode::kCustomVjpCall:
    case OpCode::kCustomVmapCall:
    case OpCode::kCustomLinearSolve: return true;
    default: return false;
  }
}

bool any_eqn(const Jaxpr& jaxpr, Programs which, const std::string& key, FunctionRef<bool(const Eqn&)> is) {
  return *jaxpr.memo<bool>(key + (which == Programs::kAll ? " anywhere" : ""), [&] {
    bool any = false;
    for (const Eqn& e : jaxpr.eqns()) {
      if (any) break;
      any = is(e);
      if (!any && e.params)
        for_each_program(*e.params, which, [&](const Jaxpr& p) { any = any || any_eqn(p, which, key, is); });
    }
    return std::make_shared<const bool>(any);
  });
}

Jaxpr without_eqns(const Jaxpr& jaxpr, const std::string& key, FunctionRef<bool(const Eqn&)> drop) {
  if (!any_eqn(jaxpr, Programs::kAll, "to be " + key, drop)) return jaxpr;
  return *jaxpr.memo<Jaxpr>(key, [&] {
    JaxprBuilder builder;
    std::vector<Var> consts, inputs;
    std::vector<Atom> values, operands, outputs;
    for (Var v = 0; v < jaxpr.num_inputs(); ++v) {
      const Var here = builder.add_var(jaxpr.aval(v));
      (v < jaxpr.num_consts() ? consts : inputs).push_back(here);
      values.push_back(Atom::var(here));
    }
    values.resize(jaxpr.num_vars(), Atom::var(0));
    const auto use = [&](Atom a) { return a.is_literal() ? builder.add_literal(jaxpr.literal(a)) : values[a.index()]; };
    Avals results;
    for (const Eqn& e : jaxpr.eqns()) {
      operands.clear();
      results.clear();
      for (const Atom a : jaxpr.operands(e)) operands.push_back(use(a));
      if (drop(e)) {
        internal_check(e.out_end - e.out_begin <= 1, "without_eqns: an equation with many results cannot be dropped");
        if (e.out_begin < e.out_end) values[e.out_begin] = operands[0];
        continue;
      }
      for (Var v = e.out_begin; v < e.out_end; ++v) results.push_back(jaxpr.aval(v));
      const Params params =
          e.params ? with_programs(e.params, [&](const Jaxpr& p) { return without_eqns(p, key, drop); }) : Params();
      const Var out = builder.add_eqn(e.op, params, operands, results, e.location, e.scope);
      for (Var v = e.out_begin; v < e.out_end; ++v) values[v] = Atom::var(out + (v - e.out_begin));
    }
    for (const Atom a : jaxpr.outputs()) outputs.push_back(use(a));
    return std::make_shared<const Jaxpr>(builder.build(consts, inputs, outputs));
  });
}

}  // namespace weft::ir
