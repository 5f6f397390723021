#include "weft/ir/nested.h"

#include <algorithm>

#include "weft/ir/builder.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/collectives.h"
#include "weft/ir/custom_rules.h"
#include "weft/ir/programs.h"

namespace weft::ir {

namespace {

// Where `with_programs` and `for_each_program` meet: the parameters of type P as a copy, and its programs in place.
template <class P, class Visit>
Params visited(const ParamsBase* params, Visit&& visit) {
  P p = params_as<P>(params);
  visit(p);
  return make_params(std::move(p));
}

// Calls `program` with a reference to each program and `rule` with one to each rule, of a copy of the parameters.
Params visit_programs(OpCode op, const ParamsBase* params, FunctionRef<void(Jaxpr&)> program,
                      FunctionRef<void(Rule&)> rule) {
  switch (op) {
    case OpCode::kCall: return visited<CallParams>(params, [&](auto& p) { program(p.jaxpr); });
    case OpCode::kComposite: return visited<CompositeParams>(params, [&](auto& p) { program(p.decomposition); });
    case OpCode::kCheckpoint: return visited<CheckpointParams>(params, [&](auto& p) { program(p.jaxpr); });
    case OpCode::kScan: return visited<ScanParams>(params, [&](auto& p) { program(p.jaxpr); });
    case OpCode::kCase:
      return visited<CaseParams>(params, [&](auto& p) {
        for (Jaxpr& branch : p.branches) program(branch);
      });
    case OpCode::kWhile:
      return visited<WhileParams>(params, [&](auto& p) {
        program(p.cond_jaxpr);
        program(p.body_jaxpr);
      });
    case OpCode::kCustomJvpCall:
      return visited<CustomJvpCallParams>(params, [&](auto& p) {
        program(p.call_jaxpr);
        rule(p.jvp);
      });
    case OpCode::kCustomVjpCall:
      return visited<CustomVjpCallParams>(params, [&](auto& p) {
        program(p.call_jaxpr);
        for (Rule* r : {&p.fwd, &p.bwd, &p.jvp}) rule(*r);
      });
    case OpCode::kCustomVjpTangent:
      return visited<CustomVjpTangentParams>(params, [&](auto& p) {
        for (Rule* r : {&p.bwd, &p.jvp}) rule(*r);
      });
    case OpCode::kCustomVmapCall:
      return visited<CustomVmapCallParams>(params, [&](auto& p) {
        program(p.call_jaxpr);
        rule(p.rule);
      });
    case OpCode::kCustomLinearSolve:
      return visited<CustomLinearSolveParams>(params, [&](auto& p) {
        program(p.matvec);
        program(p.solve);
        rule(p.transpose_solve);
      });
    case OpCode::kGenericReduce: return visited<GenericReduceParams>(params, [&](auto& p) { program(p.computation); });
    case OpCode::kGenericReduceWindow:
      return visited<GenericReduceWindowParams>(params, [&](auto& p) { program(p.computation); });
    case OpCode::kGenericSort: return visited<GenericSortParams>(params, [&](auto& p) { program(p.comparator); });
    case OpCode::kGenericScatter:
      return visited<GenericScatterParams>(params, [&](auto& p) { program(p.computation); });
    case OpCode::kGenericSelectAndScatter:
      return visited<GenericSelectAndScatterParams>(params, [&](auto& p) {
        program(p.select);
        program(p.scatter);
      });
    case OpCode::kAllReduce:
    case OpCode::kCollectiveReduce:
      if (!params_as<AllReduceParams>(params).computation) return {};
      return visited<AllReduceParams>(params, [&](auto& p) { program(*p.computation); });
    case OpCode::kReduceScatter:
      if (!params_as<ReduceScatterParams>(params).computation) return {};
      return visited<ReduceScatterParams>(params, [&](auto& p) { program(*p.computation); });
    default: return {};
  }
}

}  // namespace

void for_each_program(OpCode op, const ParamsBase* params, FunctionRef<void(const Jaxpr&)> use) {
  visit_programs(op, params, [&](Jaxpr& p) { use(p); }, [](Rule&) {});
}

Params with_programs(OpCode op, const ParamsBase* params, FunctionRef<Jaxpr(const Jaxpr&)> change) {
  return visit_programs(
      op, params, [&](Jaxpr& p) { p = change(p); },
      [&](Rule& r) {
        if (r.is_program()) r = Rule(change(r.program()));
      });
}

bool any_eqn(const Jaxpr& jaxpr, const std::string& key, FunctionRef<bool(const Eqn&)> is) {
  return *jaxpr.memo<bool>(key, [&] {
    bool any = false;
    for (const Eqn& e : jaxpr.eqns()) {
      if (any) break;
      any = is(e);
      if (!any && e.params)
        for_each_program(e.op, e.params.get(), [&](const Jaxpr& p) { any = any || any_eqn(p, key, is); });
    }
    return std::make_shared<const bool>(any);
  });
}

Jaxpr without_eqns(const Jaxpr& jaxpr, const std::string& key, FunctionRef<bool(const Eqn&)> drop) {
  return *jaxpr.memo<Jaxpr>(key, [&] {
    JaxprBuilder builder;
    std::vector<Var> consts, inputs;
    std::vector<Atom> values;
    for (std::size_t i = 0; i < jaxpr.num_inputs(); ++i) {
      const Var v = builder.add_var(jaxpr.aval(static_cast<Var>(i)));
      (i < jaxpr.num_consts() ? consts : inputs).push_back(v);
      values.push_back(Atom::var(v));
    }
    values.resize(jaxpr.num_vars(), Atom::var(0));
    const auto use = [&](Atom a) { return a.is_literal() ? builder.add_literal(jaxpr.literal(a)) : values[a.index()]; };
    std::vector<Atom> operands, outputs;
    Avals results;
    for (const Eqn& e : jaxpr.eqns()) {
      if (drop(e)) {
        internal_check(e.out_begin == e.out_end, "without_eqns: an equation with results cannot be dropped");
        continue;
      }
      operands.clear();
      results.clear();
      for (const Atom a : jaxpr.operands(e)) operands.push_back(use(a));
      for (Var v = e.out_begin; v < e.out_end; ++v) results.push_back(jaxpr.aval(v));
      Params params = e.params;
      if (Params changed =
              params ? with_programs(e.op, params.get(), [&](const Jaxpr& p) { return without_eqns(p, key, drop); })
                     : Params())
        params = std::move(changed);
      const Var out = builder.add_eqn(e.op, std::move(params), operands, results, e.location, e.scope);
      for (Var v = e.out_begin; v < e.out_end; ++v) values[v] = Atom::var(out + (v - e.out_begin));
    }
    for (const Atom a : jaxpr.outputs()) outputs.push_back(use(a));
    return std::make_shared<const Jaxpr>(builder.build(consts, inputs, outputs));
  });
}

}  // namespace weft::ir
