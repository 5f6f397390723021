#include "weft/control/custom_rules.h"

#include <algorithm>

#include "weft/control/linearity.h"
#include "weft/transforms/vmap.h"

namespace weft::control {

namespace {

class FunctionRule final : public ir::RuleFunction {
 public:
  explicit FunctionRule(FlatFunction f) : f(std::move(f)) {}
  const FlatFunction f;
};

}  // namespace

ir::Rule function_rule(FlatFunction f) {
  return ir::Rule(std::shared_ptr<const ir::RuleFunction>(std::make_shared<const FunctionRule>(std::move(f))));
}

// ---- types ----

Avals inexact(std::span<const Aval> types) {
  Avals r;
  for (const Aval a : types)
    if (is_inexact(a.dtype())) r.push_back(a);
  return r;
}

Avals concatenated(std::span<const Aval> a, std::span<const Aval> b) {
  Avals r(a);
  r.append(b.begin(), b.end());
  return r;
}

void check_rule(std::string_view op, std::string_view what, const ir::Rule& rule, std::span<const Aval> in,
                std::span<const Aval> out) {
  if (!rule.is_program()) return;
  check_inputs(op, what, rule.program(), in);
  check_outputs(op, what, rule.program(), out);
}

// ---- calling ----

void apply_rule(std::string_view op, std::string_view what, const std::string& name, const ir::Rule& rule,
                std::span<const Array> args, Arrays& outs, detail::UserRule::Pass pass) {
  if (rule.is_program()) {
    internal_check(args.size() == rule.program().num_inputs(), "a custom rule was given too many or too few operands");
    return eval_jaxpr(rule.program(), args, outs);
  }
  const auto* function = dynamic_cast<const FunctionRule*>(rule.function());
  if (!function)
    throw NotDifferentiableError(std::string(op) + ": " + std::string(what) + " of " + name +
                                     " must be at hand; got a program that was read from text, which holds no C++ "
                                     "functions.",
                                 "differentiate or map the program before it is printed.");
  const detail::UserRule users(pass);
  try {
    function->f(args, outs);
  } catch (Error& e) {
    e.add_note("in " + std::string(what) + " of " + name);
    throw;
  }
}

void refuse_captured(std::string_view op, const std::string& name, Aval captured) {
  throw NotDifferentiableError(
      std::string(op) + ": rules must cover all that is differentiated; got a derivative by " + captured.str() +
          " that " + name + " captures, of which its rules know nothing.",
      "pass it as an argument of " + name + ", or capture stop_gradient of it if it counts as a constant.");
}

void refuse_captured_tangents(std::string_view op, const std::string& name, std::size_t n, const Call& call,
                              std::span<const Array> tangents) {
  for (std::size_t i = 0; i < n; ++i)
    if (tangents[i].defined()) refuse_captured(op, name, call.args[i].aval());
}

void append_tangents_from(std::size_t n, std::span<const Array> args, std::span<const Array> tangents, Arrays& to) {
  for (std::size_t i = n; i < args.size(); ++i)
    if (is_inexact(args[i].dtype())) to.push_back(tangents[i].defined() ? tangents[i] : zeros_of(args[i].aval()));
}

namespace {

// The trace that stages tangents when linearize runs a jvp rule; null in forward mode.
const Trace* staged_tangents(std::span<const Array> tangents) {
  if (!detail::current_trace || detail::current_trace->kind() != Trace::Kind::kSplit) return nullptr;
  for (const Array& t : tangents)
    if (const Tracer* tracer = t.defined() ? t.tracer() : nullptr) return tracer->trace();
  return nullptr;
}

}  // namespace

void jvp_by_rule(std::string_view op, const std::string& name, const ir::Jaxpr& program, const ir::Rule& rule,
                 const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const std::size_t captures = program.num_consts(), n = program.outputs().size();
  refuse_captured_tangents(op, name, captures, call, tangents);
  Arrays operands(call.args), results;
  append_tangents_from(captures, call.args, tangents, operands);
  // Forward mode can do with less, and rules may use that.
  if (rule.is_program() && detail::current_trace && detail::current_trace->kind() == Trace::Kind::kSplit)
    check_linear_rule(op, name, rule.program(), call.args.size(), n);
  apply_rule(op, "the jvp rule", name, rule, operands, results);
  // A rule that hands results and tangents together to an operation with rules of its own makes all its results wait
  // for the tangents. They do not depend on their values.
  if (const Trace* staged = staged_tangents(tangents)) {
    bool waiting = false;
    for (std::size_t i = 0; i < n; ++i) waiting |= staged->owns(results[i]);
    if (waiting) {
      Arrays known(call.args), again;
      append_tangents_from(captures, call.args, Arrays(call.args.size()), known);
      apply_rule(op, "the jvp rule", name, rule, known, again);
      std::copy_n(again.begin(), n, results.begin());
    }
  }
  std::size_t next = n;
  for (std::size_t i = 0; i < n; ++i) {
    outs.push_back(results[i]);
    out_tangents.push_back(is_inexact(results[i].dtype()) ? results[next++] : Array());
  }
}

// ---- batching ----

namespace {

std::string list_key(std::span<const int> numbers) {
  std::string key;
  for (const int i : numbers) key += "," + std::to_string(i);
  return key;
}

void place(Arrays& results, std::span<const int> bdims, std::int64_t size, std::span<const int> places) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    const int to = i < places.size() ? places[i] : 0;
    if (to == kUnmapped) continue;  // and so it is
    results[i] = bdim_to(results[i], bdims[i], to == kSummed ? 0 : to, size);
    if (to == kSummed) results[i] = lax::reduce_sum(results[i], Dims{0});
  }
}

}  // namespace

ir::Jaxpr batched_program(const ir::Jaxpr& program, std::span<const int> bdims, const MappedAxis& axis,
                          std::span<const int> places) {
  const auto batched = transforms::batch_jaxpr(program, bdims, axis);
  return derive(batched->jaxpr, "placed:" + axis.key() + list_key(places), batched->jaxpr.input_avals(),
                program.num_consts(), [&](std::span<const Array> args, Arrays& outs) {
                  eval_jaxpr(batched->jaxpr, args, outs);
                  place(outs, batched->out_bdims, axis.size, places);
                });
}

ir::Rule batched_rule(const ir::Rule& rule, std::span<const int> bdims, const MappedAxis& axis,
                      std::span<const int> places, std::size_t rest_at) {
  if (rule.is_program()) return ir::Rule(batched_program(rule.program(), bdims, axis, places));
  const auto* function = dynamic_cast<const FunctionRule*>(rule.function());
  if (!function) return rule;
  return function_rule([f = function->f, bdims = Bdims(bdims), axis, places = Bdims(places), rest_at](
                           std::span<const Array> args, Arrays& outs) {
    Bdims all, out_bdims;
    for (std::size_t i = 0, next = 0; i < args.size(); ++i)
      all.push_back(i >= rest_at && i < rest_at + args.size() - bdims.size() ? 0 : bdims[next++]);
    transforms::vmap(f, args, all, axis, "vmap", outs, out_bdims);
    place(outs, out_bdims, axis.size, places);
  });
}

}  // namespace weft::control
