#include "weft/core/jaxpr_trace.h"

#include <algorithm>
#include <cstring>

#include "weft/core/checks.h"
#include "weft/core/donation.h"
#include "weft/core/name_scope.h"

namespace weft {

Array JaxprTrace::tracer(ir::Var v, Aval aval, int argument) {
  return Array(Ref<const Value>::adopt(
      new Tracer(Ref<Trace>::share(this), aval, Array(), Array(), static_cast<std::int64_t>(v), argument)));
}

Array JaxprTrace::input(Aval aval) {
  inputs_.push_back(builder_.add_var(aval));
  return tracer(inputs_.back(), aval, static_cast<int>(inputs_.size()) - 1);
}

void JaxprTrace::capture(const Array& a) {
  consts_.push_back(builder_.add_var(a.aval()));
  captured_.push_back(a);
  const_vars_.try_emplace(a.id(), consts_.back());
}

ir::Atom JaxprTrace::atom(const Array& a) {
  if (a.is_donated()) [[unlikely]]
    detail::throw_donated(name().substr(0, std::min(name().find('('), name().find(" at "))), "captured arrays", a);
  if (const Tracer* t = a.tracer()) {
    if (t->trace() == this) return ir::Atom::var(static_cast<ir::Var>(t->index()));
  } else if (const BufferValue* b = a.buffer(); b->splat() || a.size() == 0) {
    ir::Literal literal{a.aval(), {}};
    if (a.size() > 0) std::memcpy(literal.value.data(), b->data(), static_cast<std::size_t>(byte_size(a.dtype())));
    return builder_.add_literal(literal);
  }
  if (!const_vars_.contains(a.id())) capture(a);
  return ir::Atom::var(const_vars_.at(a.id()));
}

void JaxprTrace::process(const Call& call, Arrays& outs) {
  SmallVector<ir::Atom, 6> operands;
  ir::Avals in, results;
  operands.reserve(call.args.size());
  for (const Array& a : call.args) in.push_back(a.aval());
  ir::infer(call.op, call.params.get(), in, results);
  for (const Array& a : call.args) operands.push_back(atom(a));
  const ir::Var out =
      builder_.add_eqn(call.op, call.params, operands, results, current_location(), current_name_scope());
  for (std::size_t i = 0; i < results.size(); ++i) outs.push_back(tracer(out + static_cast<ir::Var>(i), results[i]));
}

Staged JaxprTrace::build(std::span<const Array> outputs) {
  std::vector<ir::Atom> atoms;
  for (const Array& a : outputs) atoms.push_back(atom(a));
  return {builder_.build(consts_, inputs_, atoms), std::move(captured_)};
}

std::optional<Trace::Sources> JaxprTrace::sources(const Tracer& t) const {
  const std::vector<bool> needed = builder_.needed_for(static_cast<ir::Var>(t.index()));
  Sources r;
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    if (inputs_[i] < needed.size() && needed[inputs_[i]]) r.arguments.push_back(static_cast<int>(i));
  for (std::size_t i = 0; i < consts_.size(); ++i)
    if (consts_[i] < needed.size() && needed[consts_[i]]) r.captured.push_back(captured_[i]);
  return r;
}

Staged stage(const FlatFunction& f, std::span<const Aval> inputs, const std::string& name) {
  return stage(f, inputs, name, {});
}

Staged stage(const FlatFunction& f, std::span<const Aval> inputs, const std::string& name,
             std::span<const Array> captures) {
  const StandIns stand_ins(captures);
  TraceScope<JaxprTrace> trace(make_ref<JaxprTrace>(name));
  Staged staged;
  {
    for (const Array& a : captures) trace->capture(a);
    Arrays args, outs;
    for (const Aval a : inputs) args.push_back(trace->input(a));
    f(args, outs);
    check_usable(name, "results", outs);
    staged = trace->build(outs);
  }
  trace.end();
  return staged;
}

void check_closed(const Staged& staged) {
  if (staged.captured.empty()) return;
  const Array& a = staged.captured[0];
  const Tracer* t = a.tracer();
  throw LeakError("custom rules: a rule that runs inside a program must take all it needs as arguments; it captures " +
                      (t ? t->str() : a.aval().str()) + ".",
                  "pass it as an argument of the custom function.");
}

Array literal_array(const ir::Literal& literal) {
  if (literal.aval.size() == 0) {
    // A splat of no elements has nothing to repeat; any memory will do.
    return Array(Ref<const Value>(detail::new_buffer(literal.aval)));
  }
  return detail::make_splat(literal.aval, literal.value.data());
}

namespace {

template <class Run>
void run_equations(const ir::Jaxpr& jaxpr, std::span<const Array> args, Arrays& outs, const Run& run) {
  internal_check(args.size() == jaxpr.num_inputs(), "eval_jaxpr: wrong number of arguments");
  const detail::NoChecks has_its_own;
  std::vector<Array> values(jaxpr.num_vars());
  std::copy(args.begin(), args.end(), values.begin());
  const auto read = [&](ir::Atom a) { return a.is_literal() ? literal_array(jaxpr.literal(a)) : values[a.index()]; };
  const auto& uses = jaxpr.last_uses();
  Arrays operands, results;
  for (std::size_t i = 0; i < jaxpr.eqns().size(); ++i) {
    const ir::Eqn& e = jaxpr.eqns()[i];
    const ForcedLocation location(e.location);
    const NameScopeOf scope(e.scope);
    operands.clear();
    results.clear();
    for (const ir::Atom a : jaxpr.operands(e)) operands.push_back(read(a));
    for (std::uint32_t u = uses.begin[i]; u < uses.begin[i + 1]; ++u) values[uses.vars[u]] = Array();
    run(e, operands, results);
    for (std::size_t j = 0; j < results.size(); ++j) {
      values[e.out_begin + j] = std::move(results[j]);
    }
    // Results nobody uses are listed as last used here, but only exist now.
    for (std::uint32_t u = uses.begin[i]; u < uses.begin[i + 1]; ++u)
      if (uses.vars[u] >= e.out_begin) values[uses.vars[u]] = Array();
  }
  for (const ir::Atom a : jaxpr.outputs()) outs.push_back(read(a));
}

}  // namespace

void eval_jaxpr(const ir::Jaxpr& jaxpr, std::span<const Array> args, Arrays& outs) {
  run_equations(jaxpr, args, outs, [](const ir::Eqn& e, std::span<const Array> operands, Arrays& results) {
    bind(e.op, e.params, operands, results);
  });
}

void eval_jaxpr_by(const ir::Jaxpr& jaxpr, std::span<const Array> args, Arrays& outs, RunEqn run) {
  run_equations(jaxpr, args, outs, run);
}

}  // namespace weft
