#include "weft/transforms/jvp.h"

#include "weft/core/rules.h"
#include "weft/transforms/dual.h"

namespace weft::transforms {

namespace {

class JvpTrace final : public DualTrace {
 public:
  explicit JvpTrace(std::string name) : DualTrace(Kind::kJvp, std::move(name)) {}
  Trace* rule_trace() const override { return parent(); }

 private:
  void differentiate(const Call& call, std::span<const Array> tangents, Arrays& results,
                     Arrays& result_tangents) override {
    const CurrentTrace current(parent());
    op_rules(call.op).jvp(call, tangents, results, result_tangents);
  }
};

}  // namespace

void jvp(const FlatFunction& f, std::span<const Array> primals, std::span<const Array> tangents,
         const std::string& name, Arrays& outs, Arrays& out_tangents) {
  check_usable(name, "arguments", primals);
  check_usable(name, "tangents", tangents);
  TraceScope<JvpTrace> trace(make_ref<JvpTrace>(name));
  {
    Arrays args, results;
    for (std::size_t i = 0; i < primals.size(); ++i)
      args.push_back(trace->wrap(primals[i], tangents[i], static_cast<int>(i)));
    f(args, results);
    check_usable(name, "results", results);
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
    check_closed(staged);
    result->jaxpr = staged.jaxpr;
    return result;
  });
}

}  // namespace weft::transforms
