#include "weft/transforms/transpose.h"

#include <algorithm>

#include "weft/core/checks.h"
#include "weft/core/name_scope.h"
#include "weft/core/rules.h"
#include "weft/ir/prune.h"
#include "weft/transforms/jvp.h"

namespace weft::transforms {

Arrays backward_pass(const ir::Jaxpr& jaxpr, Arrays args, Arrays cts, Arrays sums) {
  internal_check(args.size() == jaxpr.num_inputs() && cts.size() == jaxpr.outputs().size(),
                 "backward_pass: wrong number of operands");
  const auto& eqns = jaxpr.eqns();
  std::vector<bool> linear(jaxpr.num_vars(), false);
  std::vector<Array> values(jaxpr.num_vars());
  for (std::size_t i = 0; i < args.size(); ++i) {
    linear[i] = !args[i].defined();
    values[i] = std::move(args[i]);
  }
  const auto read = [&](ir::Atom a) { return a.is_literal() ? literal_array(jaxpr.literal(a)) : values[a.index()]; };
  const auto is_linear = [&](ir::Atom a) { return !a.is_literal() && linear[a.index()]; };

  // Forwards: run what does not depend on a linear input, list the rest. `first_use[v]` is the
  // first listed equation that reads the known value v: the last one to need it backwards.
  std::vector<std::uint32_t> listed;
  const detail::NoChecks has_its_own;
  constexpr std::uint32_t kNever = ~0u;
  std::vector<std::uint32_t> first_use(jaxpr.num_vars(), kNever);
  Arrays operands, results;
  std::vector<bool> linear_operands;
  for (std::uint32_t i = 0; i < eqns.size(); ++i) {
    const ir::Eqn& e = eqns[i];
    const std::size_t num_results = e.out_end - e.out_begin;
    linear_operands.clear();
    bool any = false;
    for (const ir::Atom a : jaxpr.operands(e)) {
      linear_operands.push_back(is_linear(a));
      any |= is_linear(a);
    }
    ir::PrunedOp known{e.op, e.params, {}, {}};
    if (any) {
      for (const ir::Atom a : jaxpr.operands(e))
        if (!a.is_literal() && !linear[a.index()] && first_use[a.index()] == kNever) first_use[a.index()] = i;
      listed.push_back(i);
      std::fill(linear.begin() + e.out_begin, linear.begin() + e.out_end, true);
      if (!ir::has_parts(e.op)) continue;
      // A program that gives tangents beside what they are tangents of: the latter is known.
      std::vector<bool> wanted = ir::dependent_results(e.op, e.params.get(), num_results, linear_operands);
      std::copy(wanted.begin(), wanted.end(), linear.begin() + e.out_begin);
      wanted.flip();
      if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) continue;
      known = ir::prune(e.op, e.params, linear_operands.size(), wanted);
    }
    const ForcedLocation location(e.location);
    const NameScopeOf scope(e.scope);
    operands.clear();
    results.clear();
    for (std::size_t k = 0; k < linear_operands.size(); ++k)
      if (!any || known.operands[k]) operands.push_back(read(jaxpr.operands(e)[k]));
    bind(known.op, known.params, operands, results);
    for (std::size_t k = 0, next = 0; k < num_results; ++k)
      if (!any || known.results[k]) values[e.out_begin + k] = std::move(results[next++]);
  }

  std::vector<GradAccum> accums(jaxpr.num_vars());
  for (ir::Var v = 0; v < jaxpr.num_vars(); ++v)
    if (linear[v]) accums[v] = GradAccum(jaxpr.aval(v));
  for (std::size_t i = 0; i < sums.size(); ++i) accums[i].add(std::move(sums[i]));
  sums.clear();
  for (std::size_t i = 0; i < cts.size(); ++i) {
    const ir::Atom a = jaxpr.outputs()[i];
    if (is_linear(a)) accums[a.index()].add(std::move(cts[i]));
  }
  cts.clear();

  // Known values that no listed equation reads are not needed any more.
  for (ir::Var v = 0; v < jaxpr.num_vars(); ++v)
    if (first_use[v] == kNever) values[v] = Array();

  SmallVector<GradAccum*, 4> targets;
  Arrays out_cts;
  for (std::size_t k = listed.size(); k-- > 0;) {
    const ir::Eqn& e = eqns[listed[k]];
    out_cts.clear();
    bool any = false;
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) {
      out_cts.push_back(accums[v].take());
      any |= out_cts.back().defined();
    }
    operands.clear();
    targets.clear();
    for (const ir::Atom a : jaxpr.operands(e)) {
      operands.push_back(any && !is_linear(a) ? read(a) : Array());
      targets.push_back(is_linear(a) ? &accums[a.index()] : nullptr);
    }
    // Only when all are read: one value may be several operands.
    for (const ir::Atom a : jaxpr.operands(e))
      if (!a.is_literal() && first_use[a.index()] == listed[k]) values[a.index()] = Array();
    if (!any) continue;
    const ForcedLocation location(e.location);
    const NameScopeOf scope(e.scope);
    op_rules(e.op).transpose(Call{e.op, e.params, operands}, out_cts, targets);
  }
  operands.clear();
  out_cts.clear();

  Arrays input_cts;
  for (std::size_t i = 0; i < jaxpr.num_inputs(); ++i) input_cts.push_back(accums[i].take());
  return input_cts;
}

std::shared_ptr<const TransposedJaxpr> transpose_jaxpr(const ir::Jaxpr& jaxpr, const std::vector<bool>& linear,
                                                       const std::vector<bool>& nonzero_cts,
                                                       const std::vector<bool>& summed) {
  const std::string key = mask_key("transpose", linear) + mask_key("", nonzero_cts) + mask_key("", summed);
  return jaxpr.memo<TransposedJaxpr>(key, [&]() -> std::shared_ptr<const TransposedJaxpr> {
    auto result = std::make_shared<TransposedJaxpr>();
    ir::Avals inputs;
    for (std::size_t i = 0; i < jaxpr.num_inputs(); ++i)
      if (!linear[i]) inputs.push_back(jaxpr.aval(static_cast<ir::Var>(i)));
    for (std::size_t i = 0; i < jaxpr.outputs().size(); ++i)
      if (nonzero_cts[i]) inputs.push_back(jaxpr.aval(jaxpr.outputs()[i]));
    for (std::size_t i = 0; i < summed.size(); ++i)
      if (summed[i]) inputs.push_back(jaxpr.aval(static_cast<ir::Var>(i)));
    const FlatFunction body = [&](std::span<const Array> flat, Arrays& outs) {
      Arrays args(jaxpr.num_inputs()), cts(jaxpr.outputs().size()), sums(summed.size());
      std::size_t next = 0;
      for (std::size_t i = 0; i < args.size(); ++i)
        if (!linear[i]) args[i] = flat[next++];
      for (std::size_t i = 0; i < cts.size(); ++i)
        if (nonzero_cts[i]) cts[i] = flat[next++];
      for (std::size_t i = 0; i < sums.size(); ++i)
        if (summed[i]) sums[i] = flat[next++];
      Arrays input_cts = backward_pass(jaxpr, std::move(args), std::move(cts), std::move(sums));
      for (std::size_t i = 0; i < input_cts.size(); ++i) {
        if (!linear[i]) continue;
        result->out_nonzero.push_back(input_cts[i].defined());
        if (input_cts[i].defined()) outs.push_back(std::move(input_cts[i]));
      }
    };
    const Staged staged = stage(body, inputs, "transpose");
    check_closed(staged);
    result->jaxpr = staged.jaxpr;
    return result;
  });
}

}  // namespace weft::transforms
