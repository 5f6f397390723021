#include "weft/transforms/jvp.h"

#include "weft/core/rules.h"

namespace weft::transforms {

namespace {

class JvpTrace final : public Trace {
 public:
  explicit JvpTrace(std::string name) : Trace(Kind::kJvp, std::move(name)) {}

  /// A value with a tangent; the bare value when the tangent is zero.
  Array wrap(Array primal, Array tangent) {
    if (!tangent.defined()) return primal;
    internal_check(tangent.aval() == primal.aval(), "jvp: a tangent must have its primal's type");
    const Aval aval = primal.aval();
    return Array(
        Ref<const Value>::adopt(new Tracer(Ref<Trace>::share(this), aval, std::move(primal), std::move(tangent), 0)));
  }
  void unwrap(const Array& a, Array& primal, Array& tangent) const {
    if (owns(a)) {
      primal = a.tracer()->primal();
      tangent = a.tracer()->tangent();
    } else {
      primal = a;
    }
  }

  void process(const Call& call, Arrays& outs) override {
    const CurrentTrace current(parent());
    Arrays primals(call.args.size()), tangents(call.args.size());
    bool any = false;
    for (std::size_t i = 0; i < call.args.size(); ++i) {
      unwrap(call.args[i], primals[i], tangents[i]);
      any |= tangents[i].defined();
    }
    if (!any) return bind(call.op, call.params, primals, outs);
    Arrays results, result_tangents;
    op_rules(call.op).jvp(Call{call.op, call.params, primals}, tangents, results, result_tangents);
    for (std::size_t i = 0; i < results.size(); ++i)
      outs.push_back(wrap(std::move(results[i]), std::move(result_tangents[i])));
  }
};

}  // namespace

void jvp(const FlatFunction& f, std::span<const Array> primals, std::span<const Array> tangents,
         const std::string& name, Arrays& outs, Arrays& out_tangents) {
  TraceScope<JvpTrace> trace(make_ref<JvpTrace>(name));
  {
    Arrays args, results;
    for (std::size_t i = 0; i < primals.size(); ++i) args.push_back(trace->wrap(primals[i], tangents[i]));
    f(args, results);
    check_results(name, results);
    for (const Array& r : results) {
      Array primal, tangent;
      trace->unwrap(r, primal, tangent);
      outs.push_back(std::move(primal));
      out_tangents.push_back(std::move(tangent));
    }
  }
  trace.end();
}

std::string mask_key(const char* tag, const std::vector<bool>& mask) {
  std::string key = std::string(tag) + ":";
  for (const bool b : mask) key += b ? '1' : '0';
  return key;
}

std::shared_ptr<const JvpJaxpr> jvp_jaxpr(const ir::Jaxpr& jaxpr, const std::vector<bool>& nonzero) {
  return jaxpr.memo<JvpJaxpr>(mask_key("jvp", nonzero), [&]() -> std::shared_ptr<const JvpJaxpr> {
    auto result = std::make_shared<JvpJaxpr>();
    ir::Avals inputs = jaxpr.input_avals();
    const std::size_t n = inputs.size();
    for (std::size_t i = 0; i < n; ++i)
      if (nonzero[i]) inputs.push_back(inputs[i]);
    const FlatFunction body = [&](std::span<const Array> args, Arrays& outs) {
      Arrays tangents(n), out_tangents;
      for (std::size_t i = 0, j = n; i < n; ++i)
        if (nonzero[i]) tangents[i] = args[j++];
      jvp([&](std::span<const Array> a, Arrays& o) { eval_jaxpr(jaxpr, a, o); }, args.first(n), tangents, "jvp", outs,
          out_tangents);
      for (Array& t : out_tangents) {
        result->out_nonzero.push_back(t.defined());
        if (t.defined()) outs.push_back(std::move(t));
      }
    };
    const Staged staged = stage(body, inputs, "jvp");
    internal_check(staged.captured.empty(), "jvp_jaxpr: a closed program captured a value");
    result->jaxpr = staged.jaxpr;
    return result;
  });
}

}  // namespace weft::transforms
