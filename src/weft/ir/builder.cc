#include "weft/ir/builder.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/custom_rules.h"
#include "weft/ir/programs.h"
#include "weft/ir/prune.h"

namespace weft::ir {

Atom JaxprBuilder::add_literal(const Literal& literal) {
  literals_.push_back(literal);
  return Atom::literal(static_cast<std::uint32_t>(literals_.size() - 1));
}

Var JaxprBuilder::add_eqn(OpCode op, Params params, std::span<const Atom> operands, std::span<const Aval> results,
                          const SourceLocation& location, const std::string* scope) {
  const auto in = static_cast<std::uint32_t>(operands_.size());
  operands_.insert(operands_.end(), operands.begin(), operands.end());
  const auto out = static_cast<Var>(avals_.size());
  avals_.insert(avals_.end(), results.begin(), results.end());
  eqns_.push_back(Eqn{op, std::move(params), in, static_cast<std::uint32_t>(operands_.size()), out,
                      static_cast<Var>(avals_.size()), location, scope});
  return out;
}

std::vector<bool> JaxprBuilder::needed_for(Var v) const {
  std::vector<bool> needed(avals_.size(), false);
  if (v >= needed.size()) return needed;
  needed[v] = true;
  for (std::size_t k = eqns_.size(); k-- > 0;) {
    const Eqn& e = eqns_[k];
    bool any = false;
    for (Var r = e.out_begin; r < e.out_end; ++r) any |= needed[r];
    if (!any) continue;
    for (std::uint32_t i = e.in_begin; i < e.in_end; ++i)
      if (!operands_[i].is_literal()) needed[operands_[i].index()] = true;
  }
  return needed;
}

Jaxpr JaxprBuilder::build(std::span<const Var> consts, std::span<const Var> inputs, std::span<const Atom> outputs) {
  constexpr Var kUnset = ~Var{0};
  auto data = Ref<JaxprData>::adopt(new JaxprData);
  std::vector<Var> renamed(avals_.size(), kUnset);
  data->avals.reserve(avals_.size());
  const auto define = [&](Var v) {
    internal_check(v < renamed.size(), "jaxpr builder: there is no such variable");
    internal_check(renamed[v] == kUnset, "jaxpr builder: a variable is defined twice");
    renamed[v] = static_cast<Var>(data->avals.size());
    data->avals.push_back(avals_[v]);
  };
  const auto use = [&](Atom a) {
    if (a.is_literal()) {
      internal_check(a.index() < literals_.size(), "jaxpr builder: there is no such literal");
      return a;
    }
    internal_check(a.index() < renamed.size(), "jaxpr builder: there is no such variable");
    internal_check(renamed[a.index()] != kUnset, "jaxpr builder: a variable is used before it is defined");
    return Atom::var(renamed[a.index()]);
  };
  for (const Var v : consts) define(v);
  for (const Var v : inputs) define(v);
  for (Eqn& e : eqns_) {
    for (std::uint32_t i = e.in_begin; i < e.in_end; ++i) operands_[i] = use(operands_[i]);
    const Var begin = static_cast<Var>(data->avals.size());
    for (Var v = e.out_begin; v < e.out_end; ++v) define(v);
    e.out_begin = begin;
    e.out_end = static_cast<Var>(data->avals.size());
  }
  for (const Atom a : outputs) data->outputs.push_back(use(a));
  data->num_consts = consts.size();
  data->num_inputs = consts.size() + inputs.size();
  data->literals = std::move(literals_);
  data->operands = std::move(operands_);
  data->eqns = std::move(eqns_);
  *this = JaxprBuilder();
  return Jaxpr(Ref<const JaxprData>(std::move(data)));
}

namespace {

// Rebuilds `jaxpr` with the equations marked live, and the inputs marked kept.
Jaxpr rebuild(const Jaxpr& jaxpr, const std::vector<bool>& live_eqn, const std::vector<bool>& kept,
              const std::vector<bool>& used) {
  JaxprBuilder builder;
  std::vector<Var> renamed(jaxpr.num_vars());
  std::vector<Var> consts, inputs;
  for (std::size_t i = 0; i < jaxpr.num_inputs(); ++i) {
    if (!kept[i]) continue;
    renamed[i] = builder.add_var(jaxpr.aval(static_cast<Var>(i)));
    (i < jaxpr.num_consts() ? consts : inputs).push_back(renamed[i]);
  }
  const auto use = [&](Atom a) {
    return a.is_literal() ? builder.add_literal(jaxpr.literal(a)) : Atom::var(renamed[a.index()]);
  };
  SmallVector<Atom, 4> operands;
  Avals results;
  for (std::size_t i = 0; i < jaxpr.eqns().size(); ++i) {
    if (!live_eqn[i]) continue;
    const Eqn& e = jaxpr.eqns()[i];
    operands.clear();
    results.clear();
    for (const Atom a : jaxpr.operands(e)) operands.push_back(use(a));
    for (Var v = e.out_begin; v < e.out_end; ++v) results.push_back(jaxpr.aval(v));
    const Var out = builder.add_eqn(e.op, e.params, operands, results, e.location, e.scope);
    for (Var v = e.out_begin; v < e.out_end; ++v) renamed[v] = out + (v - e.out_begin);
  }
  std::vector<Atom> outputs;
  for (std::size_t i = 0; i < jaxpr.outputs().size(); ++i)
    if (used.empty() || used[i]) outputs.push_back(use(jaxpr.outputs()[i]));
  return builder.build(consts, inputs, outputs);
}

// Marks the equations that `used` outputs need; returns which variables are needed.
std::vector<bool> mark(const Jaxpr& jaxpr, const std::vector<bool>& used, std::vector<bool>& live_eqn) {
  internal_check(used.empty() || used.size() == jaxpr.outputs().size(), "dce: there must be one mark per output");
  std::vector<bool> needed(jaxpr.num_vars(), false);
  for (std::size_t i = 0; i < jaxpr.outputs().size(); ++i) {
    const Atom a = jaxpr.outputs()[i];
    if (!a.is_literal() && (used.empty() || used[i])) needed[a.index()] = true;
  }
  live_eqn.assign(jaxpr.eqns().size(), false);
  for (std::size_t i = jaxpr.eqns().size(); i-- > 0;) {
    const Eqn& e = jaxpr.eqns()[i];
    live_eqn[i] = has_effects(e.op, e.params.get());
    for (Var v = e.out_begin; v < e.out_end; ++v) live_eqn[i] = live_eqn[i] || needed[v];
    if (!live_eqn[i]) continue;
    for (const Atom a : jaxpr.operands(e))
      if (!a.is_literal()) needed[a.index()] = true;
  }
  return needed;
}

}  // namespace

Jaxpr dce(const Jaxpr& jaxpr, const std::vector<bool>& used) {
  std::vector<bool> live;
  mark(jaxpr, used, live);
  return rebuild(jaxpr, live, std::vector<bool>(jaxpr.num_inputs(), true), used);
}

Jaxpr dce_consts(const Jaxpr& jaxpr, std::vector<bool>& kept) {
  std::vector<bool> live;
  std::vector<bool> needed = mark(jaxpr, {}, live);
  needed.resize(jaxpr.num_inputs());
  std::fill(needed.begin() + static_cast<std::ptrdiff_t>(jaxpr.num_consts()), needed.end(), true);
  kept.assign(needed.begin(), needed.begin() + static_cast<std::ptrdiff_t>(jaxpr.num_consts()));
  return rebuild(jaxpr, live, needed, {});
}

Jaxpr part_of(const Jaxpr& jaxpr, std::span<const Var> inputs, std::span<const Atom> outputs) {
  constexpr Var kUnset = ~Var{0};
  std::vector<bool> given(jaxpr.num_vars(), false), needed(jaxpr.num_vars(), false);
  for (const Var v : inputs) given[v] = true;
  const auto need = [&](Atom a) {
    if (!a.is_literal() && !given[a.index()]) needed[a.index()] = true;
  };
  for (const Atom a : outputs) need(a);
  const auto& eqns = jaxpr.eqns();
  std::vector<std::optional<PrunedOp>> live(eqns.size());
  for (std::size_t i = eqns.size(); i-- > 0;) {
    const std::vector<bool> results(needed.begin() + eqns[i].out_begin, needed.begin() + eqns[i].out_end);
    if (std::find(results.begin(), results.end(), true) == results.end()) continue;
    const auto operands = jaxpr.operands(eqns[i]);
    live[i] = prune(eqns[i].op, eqns[i].params, operands.size(), results);
    for (std::size_t k = 0; k < operands.size(); ++k)
      if (live[i]->operands[k]) need(operands[k]);
  }

  JaxprBuilder builder;
  std::vector<Var> renamed(jaxpr.num_vars(), kUnset), input_vars;
  for (const Var v : inputs) input_vars.push_back(renamed[v] = builder.add_var(jaxpr.aval(v)));
  const auto use = [&](Atom a) {
    if (a.is_literal()) return builder.add_literal(jaxpr.literal(a));
    internal_check(renamed[a.index()] != kUnset, "part_of: an input that is needed is not given");
    return Atom::var(renamed[a.index()]);
  };
  std::vector<Atom> operands, results;
  Avals types;
  for (std::size_t i = 0; i < eqns.size(); ++i) {
    if (!live[i]) continue;
    const Eqn& e = eqns[i];
    operands.clear();
    types.clear();
    for (std::size_t k = 0; k < live[i]->operands.size(); ++k)
      if (live[i]->operands[k]) operands.push_back(use(jaxpr.operands(e)[k]));
    for (std::size_t k = 0; k < live[i]->results.size(); ++k)
      if (live[i]->results[k]) types.push_back(jaxpr.aval(static_cast<Var>(e.out_begin + k)));
    Var next = builder.add_eqn(live[i]->op, live[i]->params, operands, types, e.location, e.scope);
    for (std::size_t k = 0; k < live[i]->results.size(); ++k) {
      if (!live[i]->results[k]) continue;
      const auto v = static_cast<Var>(e.out_begin + k);
      if (!given[v]) renamed[v] = next;
      ++next;
    }
  }
  for (const Atom a : outputs) results.push_back(use(a));
  return builder.build({}, input_vars, results);
}

namespace {

// The program that an equation calls, or null.
const Jaxpr* called_program(const Eqn& e) {
  if (e.op == OpCode::kCall) return &params_as<CallParams>(e.params).jaxpr;
  if (e.op == OpCode::kComposite) return &params_as<CompositeParams>(e.params).decomposition;
  if (e.op == OpCode::kCheckpoint) return &params_as<CheckpointParams>(e.params).jaxpr;
  return custom_program(e.op, e.params.get());
}

// How many equations `jaxpr` has when all calls inside are replaced; more than kMostInlined are not counted.
std::size_t inlined_size(const Jaxpr& jaxpr) {
  return *jaxpr.memo<std::size_t>("inlined size", [&] {
    std::size_t n = 0;
    for (const Eqn& e : jaxpr.eqns()) {
      const Jaxpr* called = called_program(e);
      n += called ? inlined_size(*called) : 1;
      if (n > kMostInlined) break;
    }
    return std::make_shared<const std::size_t>(n);
  });
}

// What a checkpoint computes again must not be found equal to what was computed before.
void put_behind_barrier(JaxprBuilder& builder, const Jaxpr& called, const Eqn& e, std::vector<Atom>& operands) {
  const Var out =
      builder.add_eqn(OpCode::kOptimizationBarrier, {}, operands, called.input_avals(), e.location, e.scope);
  for (std::size_t i = 0; i < operands.size(); ++i) operands[i] = Atom::var(out + static_cast<Var>(i));
}

// Appends the equations of `jaxpr`, applied to `args`; returns its outputs.
std::vector<Atom> append_inlined(JaxprBuilder& builder, const Jaxpr& jaxpr, std::span<const Atom> args, bool custom) {
  std::vector<Atom> values(args.begin(), args.end());
  values.resize(jaxpr.num_vars(), Atom::var(0));
  const auto use = [&](Atom a) { return a.is_literal() ? builder.add_literal(jaxpr.literal(a)) : values[a.index()]; };
  std::vector<Atom> operands;
  Avals results;
  for (const Eqn& e : jaxpr.eqns()) {
    operands.clear();
    results.clear();
    for (const Atom a : jaxpr.operands(e)) operands.push_back(use(a));
    const Jaxpr* called = !custom && custom_program(e.op, e.params.get()) ? nullptr : called_program(e);
    if (called && inlined_size(*called) <= kMostInlined) {
      if (e.op == OpCode::kCheckpoint && params_as<CheckpointParams>(e.params).differentiated)
        put_behind_barrier(builder, *called, e, operands);
      const std::vector<Atom> outs = append_inlined(builder, *called, operands, custom);
      std::copy(outs.begin(), outs.end(), values.begin() + e.out_begin);
      continue;
    }
    for (Var v = e.out_begin; v < e.out_end; ++v) results.push_back(jaxpr.aval(v));
    const Var out = builder.add_eqn(e.op, e.params, operands, results, e.location, e.scope);
    for (Var v = e.out_begin; v < e.out_end; ++v) values[v] = Atom::var(out + (v - e.out_begin));
  }
  std::vector<Atom> outputs;
  for (const Atom a : jaxpr.outputs()) outputs.push_back(use(a));
  return outputs;
}

}  // namespace

Jaxpr inline_calls(const Jaxpr& jaxpr, bool custom) {
  JaxprBuilder builder;
  std::vector<Var> consts, inputs;
  std::vector<Atom> args;
  for (std::size_t i = 0; i < jaxpr.num_inputs(); ++i) {
    const Var v = builder.add_var(jaxpr.aval(static_cast<Var>(i)));
    (i < jaxpr.num_consts() ? consts : inputs).push_back(v);
    args.push_back(Atom::var(v));
  }
  const std::vector<Atom> outputs = append_inlined(builder, jaxpr, args, custom);
  return builder.build(consts, inputs, outputs);
}

std::size_t count_distinct_eqns(const Jaxpr& jaxpr) {
  std::size_t n = 0;
  std::vector<const Jaxpr*> work{&jaxpr};
  std::unordered_set<const JaxprData*> seen{jaxpr.id()};
  while (!work.empty()) {
    const Jaxpr& next = *work.back();
    work.pop_back();
    n += next.eqns().size();
    for (const Eqn& e : next.eqns())
      if (const Jaxpr* called = called_program(e); called && seen.insert(called->id()).second) work.push_back(called);
  }
  return n;
}

void check(const Jaxpr& jaxpr) {
  Var defined = static_cast<Var>(jaxpr.num_inputs());
  const auto usable = [&](Atom a) {
    internal_check(a.is_literal() || a.index() < defined, "jaxpr check: a variable is used before it is defined");
  };
  Avals in, out;
  for (const Eqn& e : jaxpr.eqns()) {
    in.clear();
    out.clear();
    for (const Atom a : jaxpr.operands(e)) {
      usable(a);
      in.push_back(jaxpr.aval(a));
    }
    internal_check(e.out_begin == defined, "jaxpr check: results are not numbered in order");
    try {
      infer(e.op, e.params.get(), in, out);
    } catch (const Error& error) {
      throw InternalError("jaxpr check: " + error.message());
    }
    internal_check(out.size() == e.out_end - e.out_begin, "jaxpr check: wrong number of results");
    for (std::size_t i = 0; i < out.size(); ++i)
      if (out[i] != jaxpr.aval(static_cast<Var>(e.out_begin + i)))
        throw InternalError("jaxpr check: " + std::string(op_name(e.op)) + " infers " + out[i].str() +
                            " where the program has " + jaxpr.aval(static_cast<Var>(e.out_begin + i)).str());
    defined = e.out_end;
  }
  for (const Atom a : jaxpr.outputs()) usable(a);
}

}  // namespace weft::ir
