// Traces whose values are pairs of a primal and a tangent: what jvp and linearize share. They differ in what they do
// with an operation that has a tangent.
// Invariant: a value without a tangent (an exactly zero one) is never wrapped.
#pragma once

#include "weft/core/trace.h"

namespace weft::transforms {

class DualTrace : public Trace {
 public:
  using Trace::Trace;

  /// A value with a tangent; the bare value when the tangent is zero.
  Array wrap(Array primal, Array tangent, int argument = -1) {
    if (!tangent.defined()) return primal;
    internal_check(tangent.aval() == primal.aval(), "jvp, linearize: a tangent must have its primal's type");
    const Aval aval = primal.aval();
    return Array(Ref<const Value>::adopt(
        new Tracer(Ref<Trace>::share(this), aval, std::move(primal), std::move(tangent), 0, argument)));
  }
  /// `tangent` stays undefined for a value of other traces.
  void unwrap(const Array& a, Array& primal, Array& tangent) const {
    if (owns(a)) {
      primal = a.tracer()->primal();
      tangent = a.tracer()->tangent();
    } else {
      primal = a;
    }
  }

  /// The trace in which the jvp rules of operations run.
  virtual Trace* rule_trace() const = 0;
  /// The trace that stages tangents; null in forward mode.
  virtual Trace* tangent_trace() const { return nullptr; }

  void process(const Call& call, Arrays& outs) final {
    Arrays primals(call.args.size()), tangents(call.args.size());
    bool any = false;
    for (std::size_t i = 0; i < call.args.size(); ++i) {
      unwrap(call.args[i], primals[i], tangents[i]);
      any |= tangents[i].defined();
    }
    if (!any) {
      const CurrentTrace current(parent());
      return bind(call.op, call.params, primals, outs);
    }
    Arrays results, result_tangents;
    differentiate({call.op, call.params, primals}, tangents, results, result_tangents);
    for (std::size_t i = 0; i < results.size(); ++i)
      outs.push_back(wrap(std::move(results[i]), std::move(result_tangents[i])));
  }

 private:
  /// The results of an operation of which at least one operand has a tangent, and their tangents.
  virtual void differentiate(const Call& call, std::span<const Array> tangents, Arrays& results,
                             Arrays& result_tangents) = 0;
};

}  // namespace weft::transforms
