#include "weft/transforms/vmap.h"

#include <algorithm>

#include "weft/core/named_axes.h"

namespace weft::transforms {

namespace {

class BatchTrace final : public Trace {
 public:
  BatchTrace(std::string name, MappedAxis axis) : Trace(Kind::kBatch, std::move(name)), axis_(std::move(axis)) {}

  Array wrap(Array value, int bdim, int argument, std::uint64_t arguments) {
    if (bdim == kUnmapped) return value;
    Dims shape(value.shape());
    internal_check(bdim >= 0 && bdim < value.ndim() && shape[static_cast<std::size_t>(bdim)] == axis_.size,
                   "vmap: a batch rule returned an axis of the wrong size");
    shape.erase(shape.begin() + bdim);
    const Aval aval = value.aval().with_shape(shape);
    return Array(Ref<const Value>::adopt(
        new Tracer(Ref<Trace>::share(this), aval, std::move(value), Array(), bdim, argument, arguments)));
  }
  Array argument(const Array& value, int bdim, int i) {
    return wrap(value, bdim, i, std::uint64_t{1} << std::min(i, kLastBit));
  }
  int unwrap(const Array& a, Array& value) const {
    if (!owns(a)) {
      value = a;
      return kUnmapped;
    }
    value = a.tracer()->primal();
    return static_cast<int>(a.tracer()->index());
  }

  void process(const Call& call, Arrays& outs) override {
    const CurrentTrace current(parent());
    Arrays values(call.args.size());
    Bdims bdims;
    bool any = false;
    std::uint64_t arguments = 0;
    for (std::size_t i = 0; i < call.args.size(); ++i) {
      bdims.push_back(unwrap(call.args[i], values[i]));
      if (bdims.back() == kUnmapped) continue;
      any = true;
      arguments |= call.args[i].tracer()->arguments();
    }
    const bool named = axis_ && names_axis(call);
    if (!any && !named) return bind(call.op, call.params, values, outs);
    const OpRules& rules = op_rules(call.op);
    const bool across = named && rules.collective;
    const BatchRule rule = across ? rules.collective : rules.batch;
    Arrays results;
    Bdims result_bdims;
    // What such a rule makes of examples binds nothing that would look at groups and pairs.
    ir::Avals types;
    if (across) ir::infer(call.op, call.params.get(), avals_of(call.args), types);
    try {
      rule(Call{call.op, call.params, values}, bdims, axis_, results, result_bdims);
    } catch (const Error&) {
      // The rule's operation has one more axis than the user wrote: complain about what the user wrote, if that fails.
      ir::Avals out;
      ir::infer(call.op, call.params.get(), avals_of(call.args), out);
      throw;
    }
    for (std::size_t i = 0; i < results.size(); ++i)
      outs.push_back(wrap(std::move(results[i]), result_bdims[i], -1, arguments));
  }

  std::optional<Sources> sources(const Tracer& t) const override {
    if (t.arguments() >> kLastBit) return std::nullopt;  // too many to tell
    Sources r;
    for (int i = 0; i < kLastBit; ++i)
      if (t.arguments() >> i & 1u) r.arguments.push_back(i);
    return r;
  }

 private:
  // Whether the operation, or a program inside it, speaks of this axis.
  bool names_axis(const Call& call) const {
    if (!call.params) return false;
    ir::AxisNames names;
    call.params->add_axes(names);
    return std::ranges::find(names, axis_.name) != names.end();
  }

  static constexpr int kLastBit = 63;
  MappedAxis axis_;
};

}  // namespace

void vmap(const FlatFunction& f, std::span<const Array> args, std::span<const int> bdims, const MappedAxis& axis,
          const std::string& name, Arrays& outs, Bdims& out_bdims) {
  check_usable(name, "arguments", args);
  TraceScope<BatchTrace> trace(make_ref<BatchTrace>(name, axis));
  {
    Arrays wrapped, results;
    for (std::size_t i = 0; i < args.size(); ++i)
      wrapped.push_back(trace->argument(args[i], bdims[i], static_cast<int>(i)));
    {
      const NamedAxisScope scope(axis);
      f(wrapped, results);
    }
    check_usable(name, "results", results);
    for (const Array& r : results) {
      Array value;
      out_bdims.push_back(trace->unwrap(r, value));
      outs.push_back(std::move(value));
    }
  }
  trace.end();
}

std::shared_ptr<const BatchedJaxpr> batch_jaxpr(const ir::Jaxpr& jaxpr, std::span<const int> bdims,
                                                const MappedAxis& axis) {
  std::string key = "vmap:" + axis.key();
  for (const int b : bdims) key += "," + std::to_string(b);
  return jaxpr.memo<BatchedJaxpr>(key, [&]() -> std::shared_ptr<const BatchedJaxpr> {
    auto result = std::make_shared<BatchedJaxpr>();
    ir::Avals inputs = jaxpr.input_avals();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (bdims[i] == kUnmapped) continue;
      Dims shape(inputs[i].shape());
      shape.insert(shape.begin() + bdims[i], axis.size);
      inputs[i] = inputs[i].with_shape(shape);
    }
    const FlatFunction body = [&](std::span<const Array> args, Arrays& outs) {
      vmap([&](std::span<const Array> a, Arrays& o) { eval_jaxpr(jaxpr, a, o); }, args, bdims, axis, "vmap", outs,
           result->out_bdims);
    };
    const Staged staged = stage(body, inputs, "vmap");
    check_closed(staged);
    result->jaxpr = staged.jaxpr;
    return result;
  });
}

}  // namespace weft::transforms
