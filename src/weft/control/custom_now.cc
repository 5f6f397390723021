// Custom rules that run at once, in a trace of differentiation that is going on. The rule's operations go where those
// of an operation's own rule would; a trace of ours between sees to it that the rule uses nothing of the trace whose
// derivative it gives.
#include <algorithm>

#include "weft/control/custom_rules.h"
#include "weft/control/linearity.h"
#include "weft/transforms/dual.h"

namespace weft {

using namespace control;
using transforms::DualTrace;

namespace {

// NotDifferentiableError when one of `values`, which a rule for `outer` uses or gives, belongs to that trace.
void check_foreign(const DualTrace* outer, const CustomInfo& info, std::span<const Array> values) {
  for (const Array& a : values)
    if (outer->owns(a)) {
      const ForcedLocation own_line{SourceLocation()};
      const LocationScope scope(info.loc, info.what);
      refuse_captured(info.what, info.name, a.aval());
    }
}

class RuleTrace final : public Trace {
 public:
  RuleTrace(const DualTrace* outer, const CustomInfo& info)
      : Trace(Kind::kSplit, info.str()), outer_(outer), info_(info) {}

  void process(const Call& call, Arrays& outs) override {
    check(call.args);
    check_tangents(call);
    const CurrentTrace current(parent());
    bind(call.op, call.params, call.args, outs);
  }
  void check(std::span<const Array> args) const { check_foreign(outer_, info_, args); }
  const DualTrace* outer() const { return outer_; }
  /// In reverse mode, whether every argument that can have a tangent has one. Then nothing is zero by chance.
  void expect_linear(bool all_have_tangents) {
    linear_ = true;
    all_have_tangents_ = all_have_tangents;
  }
  /// Throws unless `tangent`, which the rule gave, depends on tangents or is zero.
  void check_tangent(const Array& tangent) const {
    if (!linear_ || !tangent.defined() || outer_->tangent_trace()->owns(tangent) || is_zero(tangent)) return;
    const LocationScope scope(info_.loc, info_.what);
    throw_constant_tangent(info_.what, info_.name);
  }

 private:
  // Whether it may be: arguments without a tangent have one of zeros, and who knows what a trace makes of these.
  bool is_zero(const Array& a) const { return a.is_tracer() ? !all_have_tangents_ : known_zero(a); }

  void check_tangents(const Call& call) const {
    if (!linear_) return;
    std::vector<bool> tangents, zeros;
    bool any = false;
    for (const Array& a : call.args) {
      tangents.push_back(outer_->tangent_trace()->owns(a));
      any |= tangents.back();
    }
    if (!any) return;
    for (std::size_t i = 0; i < tangents.size(); ++i) zeros.push_back(!tangents[i] && is_zero(call.args[i]));
    check_linear(info_.what, info_.name, call.op, call.params.get(), tangents, zeros);
  }

  const DualTrace* outer_;
  const CustomInfo& info_;
  bool linear_ = false, all_have_tangents_ = false;
};

// The trace that differentiates a call made now; null when none does, or other traces come first. What a rule calls is
// differentiated by the trace around the one whose rule it is, unless it works on tangents.
DualTrace* dual_trace(std::span<const Array> args) {
  Trace* t = detail::current_trace;
  while (const auto* rule = dynamic_cast<const RuleTrace*>(t)) {
    rule->check(args);
    const Trace* staging = rule->outer()->tangent_trace();
    if (staging && std::any_of(args.begin(), args.end(), [&](const Array& a) { return staging->owns(a); }))
      return nullptr;
    t = rule->outer()->parent();
  }
  if (!t || (t->kind() != Trace::Kind::kJvp && t->kind() != Trace::Kind::kLinearize)) return nullptr;
  return static_cast<DualTrace*>(t);
}

struct Dual {
  Arrays primals, tangents;  // tangents: zeros where there are none, none for integers
  bool any = false, all = true;

  Dual(const DualTrace& trace, std::span<const Array> args) : primals(args.size()), tangents(args.size()) {
    for (std::size_t i = 0; i < args.size(); ++i) {
      trace.unwrap(args[i], primals[i], tangents[i]);
      any |= tangents[i].defined();
    }
    for (std::size_t i = 0; i < args.size(); ++i)
      if (!tangents[i].defined() && is_inexact(primals[i].dtype())) {
        tangents[i] = zeros_of(primals[i].aval());
        all = false;
      }
  }
};

template <class Run>
void run_between(DualTrace* dual, Trace* target, const CustomInfo& info, Run&& run) {
  const CurrentTrace current(target);
  TraceScope<RuleTrace> trace(make_ref<RuleTrace>(dual, info));
  run(*trace.get());
  trace.end();
}

}  // namespace

bool control::differentiate_now(const CustomInfo& info, DualRule rule, std::span<const Array> args, Arrays& outs) {
  DualTrace* dual = dual_trace(args);
  if (!dual) return false;
  check_usable(info.what, "arguments", args);
  const Dual operands(*dual, args);
  if (!operands.any) return false;
  Arrays results, tangents;
  run_between(dual, dual->rule_trace(), info, [&](RuleTrace& trace) {
    if (dual->tangent_trace()) trace.expect_linear(operands.all);
    rule(operands.primals, operands.tangents, results, tangents);
    for (const Array& t : tangents) trace.check_tangent(t);
    check_usable(info.what, "results", results);
    check_foreign(dual, info, results);
    check_foreign(dual, info, tangents);
    // As in jvp_by_rule.
    const Trace* staging = dual->tangent_trace();
    if (!staging || std::none_of(results.begin(), results.end(), [&](const Array& a) { return staging->owns(a); }))
      return;
    Arrays zeros, again, unused;
    for (const Array& t : operands.tangents) zeros.push_back(t.defined() ? zeros_of(t.aval()) : Array());
    rule(operands.primals, zeros, again, unused);
    results = again;
  });
  for (std::size_t i = 0; i < results.size(); ++i) outs.push_back(dual->wrap(results[i], tangents[i]));
  return true;
}

bool control::linearize_now(const CustomInfo& info, ForwardRule fwd, const FlatFunction& bwd,
                            std::span<const Array> args, Arrays& outs) {
  DualTrace* dual = dual_trace(args);
  if (!dual) return false;
  check_usable(info.what, "arguments", args);
  const Dual operands(*dual, args);
  if (!operands.any) return false;
  if (!dual->tangent_trace()) {
    const LocationScope scope(info.loc, info.what);
    throw_forward(info.name);
  }
  Arrays results, residuals, tangents, result_tangents;
  run_between(dual, dual->parent(), info, [&](RuleTrace&) {
    fwd(operands.primals, results, residuals);
    check_usable(info.what, "results", results);
    check_usable(info.what, "residuals", residuals);
    check_foreign(dual, info, results);
    check_foreign(dual, info, residuals);
  });
  std::vector<Aval> types;
  for (const Array& r : results)
    if (is_inexact(r.dtype())) types.push_back(r.aval());
  for (const Array& t : operands.tangents)
    if (t.defined()) tangents.push_back(t);
  if (!types.empty()) {
    const CurrentTrace staging(dual->tangent_trace());
    result_tangents = lax::custom_vjp_tangent(info.name, types, function_rule(bwd), ir::Rule(), {}, residuals, {},
                                              tangents, info.loc);
  }
  std::size_t next = 0;
  for (const Array& r : results)
    outs.push_back(dual->wrap(r, is_inexact(r.dtype()) ? result_tangents[next++] : Array()));
  return true;
}

}  // namespace weft
