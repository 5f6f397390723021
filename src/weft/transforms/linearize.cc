#include "weft/transforms/linearize.h"

#include "weft/core/jaxpr_trace.h"
#include "weft/core/rules.h"
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
    for (const Array& a : call.args)
      if (tangents_->owns(a)) return tangents_->process(call, outs);
    const CurrentTrace current(parent());
    bind(call.op, call.params, call.args, outs);
  }

 private:
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
  // Tangent work that reaches no output would keep its residuals alive.
  std::vector<bool> kept;
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

}  // namespace weft::transforms
