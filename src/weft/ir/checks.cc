#include "weft/ir/checks.h"

#include "weft/ir/builder.h"

namespace weft::ir {

namespace {

bool is_check(OpCode op) { return op == OpCode::kCheckFinite || op == OpCode::kCheckIndex; }

const ChecksInside& checks_of(const Jaxpr& jaxpr) {
  return *jaxpr.memo<ChecksInside>("checks", [&] {
    auto all = std::make_shared<ChecksInside>();
    const auto add = [&](ChecksInside more) {
      all->any |= more.any;
      all->nans |= more.nans;
      all->infs |= more.infs;
    };
    for (const Eqn& e : jaxpr.eqns()) {
      if (e.op == OpCode::kCheckFinite) {
        const auto& p = params_as<CheckFiniteParams>(e.params);
        add({true, p.nans, p.infs});
      } else if (e.op == OpCode::kCheckIndex) {
        add({true, false, false});
      } else if (e.params) {
        add(checks_inside(*e.params));
      }
    }
    return all;
  });
}

}  // namespace

ChecksInside checks_inside(const ParamsBase& params) {
  ChecksInside all;
  params.with_programs([&](const Jaxpr& program) {
    const ChecksInside& c = checks_of(program);
    all.any |= c.any;
    all.nans |= c.nans;
    all.infs |= c.infs;
    return program;
  });
  return all;
}

Jaxpr without_checks(const Jaxpr& jaxpr) {
  if (!checks_of(jaxpr).any) return jaxpr;
  return *jaxpr.memo<Jaxpr>("without_checks", [&] {
    JaxprBuilder builder;
    std::vector<Atom> renamed(jaxpr.num_vars(), Atom::var(0)), operands, outputs;
    std::vector<Var> consts, inputs;
    for (Var v = 0; v < jaxpr.num_inputs(); ++v) {
      const Var here = builder.add_var(jaxpr.aval(v));
      renamed[v] = Atom::var(here);
      (v < jaxpr.num_consts() ? consts : inputs).push_back(here);
    }
    const auto use = [&](Atom a) {
      return a.is_literal() ? builder.add_literal(jaxpr.literal(a)) : renamed[a.index()];
    };
    Avals types;
    for (const Eqn& e : jaxpr.eqns()) {
      operands.clear();
      types.clear();
      for (const Atom a : jaxpr.operands(e)) operands.push_back(use(a));
      if (is_check(e.op)) {
        renamed[e.out_begin] = operands[0];
        continue;
      }
      for (Var v = e.out_begin; v < e.out_end; ++v) types.push_back(jaxpr.aval(v));
      const Params params =
          e.params ? e.params->with_programs([](const Jaxpr& p) { return without_checks(p); }) : Params();
      const Var out = builder.add_eqn(e.op, params, operands, types, e.location, e.scope);
      for (Var v = e.out_begin; v < e.out_end; ++v) renamed[v] = Atom::var(out + (v - e.out_begin));
    }
    for (const Atom a : jaxpr.outputs()) outputs.push_back(use(a));
    return std::make_shared<const Jaxpr>(builder.build(consts, inputs, outputs));
  });
}

}  // namespace weft::ir
