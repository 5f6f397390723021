#include "weft/transforms/linearize.h"

#include <algorithm>

#include "weft/core/jaxpr_trace.h"
#include "weft/core/rules.h"
#include "weft/ir/prune.h"
#include "weft/transforms/dual.h"
#include "weft/transforms/jvp.h"

namespace weft::transforms {

namespace {

// Stands in for the enclosing trace while an op's jvp rule runs: what depends on a tangent is
// staged, everything else is primal work and happens now.
class SplitTrace final : public Trace {
 public:
  explicit SplitTrace(JaxprTrace* tangents) : Trace(Kind::kSplit, "linearize"), tangents_(tangents) {}

  void process(const Call& call, Arrays& outs) override {
    std::vector<bool> staged;
    bool any = false;
    for (const Array& a : call.args) {
      staged.push_back(tangents_->owns(a));
      any |= staged.back();
    }
    if (!any) return bind_in(parent(), call, outs);
    if (!ir::has_parts(call.op)) return tangents_->process(call, outs);
    ir::Avals types;
    ir::infer(call.op, call.params.get(), avals_of(call.args), types);
    const std::vector<bool> later = ir::dependent_results(call.op, call.params.get(), types.size(), staged);
    std::vector<bool> now(later);
    now.flip();
    if (std::find(now.begin(), now.end(), true) == now.end()) return tangents_->process(call, outs);
    // A program that gives results beside tangents (a rule that calls jit): the results are there now.
    Arrays results(types.size());
    bind_part(parent(), call, now, results);
    bind_part(tangents_, call, later, results);
    outs.append(results.begin(), results.end());
  }

 private:
  static void bind_in(Trace* trace, const Call& call, Arrays& outs) {
    const CurrentTrace current(trace);
    bind(call.op, call.params, call.args, outs);
  }
  // The results in `wanted`.
  static void bind_part(Trace* trace, const Call& call, const std::vector<bool>& wanted, Arrays& results) {
    if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) return;
    const ir::PrunedOp part = ir::prune(call.op, call.params, call.args.size(), wanted);
    Arrays operands, outs;
    for (std::size_t i = 0; i < call.args.size(); ++i)
      if (part.operands[i]) operands.push_back(call.args[i]);
    bind_in(trace, {part.op, part.params, operands}, outs);
    for (std::size_t i = 0, next = 0; i < results.size(); ++i) {
      if (!part.results[i]) continue;
      if (wanted[i]) results[i] = outs[next];
      ++next;
    }
  }

  JaxprTrace* tangents_;
};

class LinearizeTrace final : public DualTrace {
 public:
  LinearizeTrace(std::string name, Ref<JaxprTrace> tangents)
      : DualTrace(Kind::kLinearize, std::move(name)),
        tangents_(std::move(tangents)),
        split_(make_ref<SplitTrace>(tangents_.get())) {}
  Trace* rule_trace() const override { return split_.get(); }
  Trace* tangent_trace() const override { return tangents_.get(); }

 private:
  void differentiate(const Call& call, std::span<const Array> tangents, Arrays& results,
                     Arrays& result_tangents) override {
    const OpRules& rules = op_rules(call.op);
    if (rules.linearize) {
      const CurrentTrace current(parent());
      rules.linearize(call, tangents, tangents_.get(), results, result_tangents);
    } else {
      const CurrentTrace current(split_.get());
      rules.jvp(call, tangents, results, result_tangents);
    }
  }

  Ref<JaxprTrace> tangents_;
  Ref<SplitTrace> split_;
};

}  // namespace

Linearized linearize(const FlatFunction& f, std::span<const Array> primals, const std::vector<bool>& differentiated,
                     const std::string& name) {
  check_usable(name, "arguments", primals);
  Ref<JaxprTrace> tangents = make_ref<JaxprTrace>(name);
  struct Close {
    JaxprTrace* t;
    ~Close() { t->finish(false); }
  } close{tangents.get()};
  Linearized result;
  Staged staged;
  TraceScope<LinearizeTrace> trace(make_ref<LinearizeTrace>(name, tangents));
  {
    Arrays args, outs, out_tangents;
    for (std::size_t i = 0; i < primals.size(); ++i)
      args.push_back(differentiated[i]
                         ? trace->wrap(primals[i], tangents->input(primals[i].aval()), static_cast<int>(i))
                         : primals[i]);
    f(args, outs);
    check_usable(name, "results", outs);
    for (const Array& r : outs) {
      Array primal, tangent;
      trace->unwrap(r, primal, tangent);
      result.outs.push_back(std::move(primal));
      result.has_tangent.push_back(tangent.defined());
      if (tangent.defined()) out_tangents.push_back(std::move(tangent));
    }
    staged = tangents->build(out_tangents);
  }
  trace.end();
  // Tangent work that reaches no output would keep its residuals alive, also work inside of loops.
  std::vector<bool> kept;
  const auto& eqns = staged.jaxpr.eqns();
  if (std::any_of(eqns.begin(), eqns.end(), [](const ir::Eqn& e) { return ir::has_parts(e.op); }))
    staged.jaxpr = ir::prune(staged.jaxpr, std::vector<bool>(staged.jaxpr.outputs().size(), true));
  result.tangent = ir::dce_consts(staged.jaxpr, kept);
  for (std::size_t i = 0; i < staged.captured.size(); ++i)
    if (kept[i]) result.residuals.push_back(std::move(staged.captured[i]));
  return result;
}

std::shared_ptr<const LinearizedJaxpr> linearize_jaxpr(const ir::Jaxpr& jaxpr,
                                                       const std::vector<bool>& differentiated) {
  return jaxpr.memo<LinearizedJaxpr>(
      mask_key("linearize", differentiated), [&]() -> std::shared_ptr<const LinearizedJaxpr> {
        auto result = std::make_shared<LinearizedJaxpr>();
        const FlatFunction body = [&](std::span<const Array> args, Arrays& outs) {
          Linearized lin = linearize([&](std::span<const Array> a, Arrays& o) { eval_jaxpr(jaxpr, a, o); }, args,
                                     differentiated, "linearize");
          outs = std::move(lin.outs);
          result->num_residuals = lin.residuals.size();
          for (Array& r : lin.residuals) outs.push_back(std::move(r));
          result->tangent = lin.tangent;
          result->has_tangent = std::move(lin.has_tangent);
        };
        const Staged staged = stage(body, jaxpr.input_avals(), "linearize");
        check_closed(staged);
        result->primal = staged.jaxpr;
        return result;
      });
}

Arrays linear_part(const ir::Jaxpr& jaxpr, std::span<const Array> args, std::span<const Array> tangents) {
  std::vector<bool> mask;
  for (const Array& t : tangents) mask.push_back(t.defined());
  const auto lin = linearize_jaxpr(jaxpr, mask);
  std::vector<bool> wanted(jaxpr.outputs().size(), false);
  wanted.resize(wanted.size() + lin->num_residuals, true);
  Arrays operands, outs, r;
  eval_jaxpr(ir::prune(lin->primal, wanted), args, operands);
  for (const Array& t : tangents)
    if (t.defined()) operands.push_back(t);
  eval_jaxpr(lin->tangent, operands, outs);
  std::size_t next = 0;
  for (const bool has : lin->has_tangent) r.push_back(has ? outs[next++] : Array());
  return r;
}

}  // namespace weft::transforms
