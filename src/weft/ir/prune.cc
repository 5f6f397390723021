#include "weft/ir/prune.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "weft/ir/builder.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/programs.h"

namespace weft::ir {

namespace {

using Mask = std::vector<bool>;

bool any(const Mask& m) { return std::find(m.begin(), m.end(), true) != m.end(); }
bool all(const Mask& m) { return std::find(m.begin(), m.end(), false) == m.end(); }

Mask part(const Mask& m, std::size_t from, std::size_t n) {
  const auto begin = m.begin() + static_cast<std::ptrdiff_t>(from);
  return Mask(begin, begin + static_cast<std::ptrdiff_t>(n));
}
Mask from(const Mask& m, std::size_t first) { return part(m, first, m.size() - first); }
Mask operator+(Mask a, const Mask& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
// a |= b; whether that changed it.
bool grow(Mask& a, const Mask& b) {
  bool grown = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    grown |= b[i] && !a[i];
    a[i] = a[i] || b[i];
  }
  return grown;
}

std::string key_of(const Mask& m) {
  std::string key;
  for (const bool b : m) key += b ? '1' : '0';
  return key;
}

std::string key_of(const Passage* passage) { return passage ? "/" + passage->key : std::string(); }

bool may_have(const Passage* passage, Aval type) {
  return !passage || !passage->inexact_only || is_inexact(type.dtype());
}

// The program that the operation runs once on all its operands, or null.
const Jaxpr* called(OpCode op, const ParamsBase* params) {
  if (op == OpCode::kCall) return &params_as<CallParams>(params).jaxpr;
  if (op == OpCode::kComposite) return &params_as<CompositeParams>(params).decomposition;
  if (op == OpCode::kCheckpoint) return &params_as<CheckpointParams>(params).jaxpr;
  return nullptr;
}

// ---- what depends on what ----

Mask dependent_scan(const ScanParams& p, const Mask& operands, const Passage* passage) {
  const std::size_t num_consts = p.jaxpr.num_consts(), num_carry = static_cast<std::size_t>(p.num_carry);
  const Mask inputs = dependent_carry(p.jaxpr, operands, num_consts, num_carry, passage);
  return part(inputs, num_consts, num_carry) + from(dependent_outputs(p.jaxpr, inputs, passage), num_carry);
}

Mask dependent_while(const WhileParams& p, const Mask& operands, const Passage* passage) {
  const std::size_t num_cond = p.cond_jaxpr.num_consts(), num_body = p.body_jaxpr.num_consts();
  const std::size_t count = p.body_jaxpr.outputs().size();
  Mask carry = from(dependent_carry(p.body_jaxpr, from(operands, num_cond), num_body, count, passage), num_body);
  if (dependent_outputs(p.cond_jaxpr, part(operands, 0, num_cond) + carry, passage)[0])
    carry.assign(carry.size(), true);
  return carry;
}

}  // namespace

Mask dependent_results(OpCode op, const ParamsBase* params, std::size_t num_results, const Mask& operands,
                       const Passage* passage) {
  if (!any(operands)) return Mask(num_results, false);
  if (!has_effects(op, params)) {
    if (const Jaxpr* program = called(op, params)) return dependent_outputs(*program, operands, passage);
    if (op == OpCode::kCase && !operands[0]) {
      Mask results(num_results, false);
      for (const Jaxpr& branch : params_as<CaseParams>(params).branches)
        grow(results, dependent_outputs(branch, from(operands, 1), passage));
      return results;
    }
    if (op == OpCode::kScan) return dependent_scan(params_as<ScanParams>(params), operands, passage);
    if (op == OpCode::kWhile) return dependent_while(params_as<WhileParams>(params), operands, passage);
  }
  return Mask(num_results, true);
}

Mask dependent_variables(const Jaxpr& jaxpr, Mask depends, bool effects, const Passage* passage) {
  depends.resize(jaxpr.num_vars(), false);
  Mask operands;
  for (const Eqn& e : jaxpr.eqns()) {
    if (passage && !passage->open(e)) continue;
    const std::size_t n = e.out_end - e.out_begin;
    operands.clear();
    for (const Atom a : jaxpr.operands(e)) operands.push_back(!a.is_literal() && depends[a.index()]);
    const bool whole = effects && has_effects(e.op, e.params.get());
    const Mask results = whole ? Mask(n, true) : dependent_results(e.op, e.params.get(), n, operands, passage);
    for (std::size_t k = 0; k < n; ++k) {
      const Var v = e.out_begin + static_cast<Var>(k);
      depends[v] = results[k] && may_have(passage, jaxpr.aval(v));
    }
  }
  return depends;
}

Mask dependent_outputs(const Jaxpr& jaxpr, const Mask& inputs, const Passage* passage) {
  return *jaxpr.memo<Mask>("dependent:" + key_of(inputs) + key_of(passage), [&] {
    const Mask depends = dependent_variables(jaxpr, inputs, false, passage);
    auto r = std::make_shared<Mask>();
    for (const Atom a : jaxpr.outputs()) r->push_back(!a.is_literal() && depends[a.index()]);
    return std::shared_ptr<const Mask>(std::move(r));
  });
}

namespace {

// Who uses each variable: the equations, and the outputs, by number behind them.
struct Uses {
  std::vector<std::uint32_t> begin, places;

  explicit Uses(const Jaxpr& jaxpr) : begin(jaxpr.num_vars() + 1, 0) {
    const auto each = [&](auto&& f) {
      for (std::uint32_t i = 0; i < jaxpr.eqns().size(); ++i)
        for (const Atom a : jaxpr.operands(jaxpr.eqns()[i]))
          if (!a.is_literal()) f(a.index(), i);
      for (std::uint32_t i = 0; i < jaxpr.outputs().size(); ++i)
        if (const Atom a = jaxpr.outputs()[i]; !a.is_literal())
          f(a.index(), static_cast<std::uint32_t>(jaxpr.eqns().size()) + i);
    };
    each([&](Var v, std::uint32_t) { ++begin[v + 1]; });
    for (std::size_t v = 0; v < jaxpr.num_vars(); ++v) begin[v + 1] += begin[v];
    places.resize(begin.back());
    std::vector<std::uint32_t> next(begin.begin(), begin.end() - 1);
    each([&](Var v, std::uint32_t place) { places[next[v]++] = place; });
  }
};

}  // namespace

// From equation to equation in their order, and round: each is looked at when all that reached it since the last time
// is known, so that what is inside of it is analysed once for each set of operands, not for each operand.
Mask dependent_carry(const Jaxpr& body, const Mask& inputs, std::size_t first, std::size_t count,
                     const Passage* passage) {
  const std::string key = "carry:" + std::to_string(first) + ":" + std::to_string(count) + ":" + key_of(inputs);
  return *body.memo<Mask>(key + key_of(passage), [&] {
    const auto uses = body.memo<Uses>("uses", [&] { return std::make_shared<const Uses>(body); });
    const std::size_t num_eqns = body.eqns().size();
    Mask depends(body.num_vars(), false), waits(num_eqns, false), operands;
    std::vector<Var> marked;
    std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> next;
    const auto mark = [&](std::size_t v) {
      if (depends[v] || !may_have(passage, body.aval(static_cast<Var>(v)))) return;
      depends[v] = true;
      marked.push_back(static_cast<Var>(v));
    };
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i]) mark(i);
    for (;;) {
      while (!marked.empty()) {
        const Var v = marked.back();
        marked.pop_back();
        for (std::uint32_t u = uses->begin[v]; u < uses->begin[v + 1]; ++u) {
          const std::uint32_t place = uses->places[u];
          if (place >= num_eqns) {
            if (const std::size_t output = place - num_eqns; output < count) mark(first + output);
          } else if (!waits[place]) {
            waits[place] = true;
            next.push(place);
          }
        }
      }
      if (next.empty()) break;
      const std::uint32_t place = next.top();
      next.pop();
      waits[place] = false;
      const Eqn& e = body.eqns()[place];
      if (passage && !passage->open(e)) continue;
      operands.clear();
      for (const Atom a : body.operands(e)) operands.push_back(!a.is_literal() && depends[a.index()]);
      const Mask results = dependent_results(e.op, e.params.get(), e.out_end - e.out_begin, operands, passage);
      for (std::size_t k = 0; k < results.size(); ++k)
        if (results[k]) mark(e.out_begin + k);
    }
    auto r = std::make_shared<Mask>(inputs);
    for (std::size_t i = 0; i < count; ++i) (*r)[first + i] = depends[first + i];
    return std::shared_ptr<const Mask>(std::move(r));
  });
}

// ---- what is needed ----

namespace {

// What of each equation is needed for the outputs in `used`: none at all for some.
struct Needs {
  std::vector<std::optional<PrunedOp>> eqns;
  Mask inputs;
};

std::shared_ptr<const Needs> needs(const Jaxpr& jaxpr, const Mask& used) {
  internal_check(used.size() == jaxpr.outputs().size(), "prune: there must be one mark per output");
  return jaxpr.memo<Needs>("needs:" + key_of(used), [&] {
    auto r = std::make_shared<Needs>();
    Mask needed(jaxpr.num_vars(), false);
    const auto need = [&](Atom a) {
      if (!a.is_literal()) needed[a.index()] = true;
    };
    for (std::size_t i = 0; i < used.size(); ++i)
      if (used[i]) need(jaxpr.outputs()[i]);
    const auto& eqns = jaxpr.eqns();
    r->eqns.resize(eqns.size());
    for (std::size_t i = eqns.size(); i-- > 0;) {
      const Eqn& e = eqns[i];
      const Mask results = part(needed, e.out_begin, e.out_end - e.out_begin);
      if (!any(results) && !has_effects(e.op, e.params.get())) continue;
      const auto operands = jaxpr.operands(e);
      r->eqns[i] = prune(e.op, e.params, operands.size(), results);
      for (std::size_t k = 0; k < operands.size(); ++k)
        if (r->eqns[i]->operands[k]) need(operands[k]);
    }
    r->inputs = part(needed, 0, jaxpr.num_inputs());
    return std::shared_ptr<const Needs>(std::move(r));
  });
}

// The part that gives the outputs in `used`, as a program of the inputs in `kept`, among which are all that it needs.
Jaxpr prune_to(const Jaxpr& jaxpr, const Mask& used, const Mask& kept) {
  return *jaxpr.memo<Jaxpr>("prune:" + key_of(used) + ":" + key_of(kept), [&] {
    const auto parts = needs(jaxpr, used);
    JaxprBuilder builder;
    std::vector<Var> renamed(jaxpr.num_vars(), ~Var{0}), consts, inputs;
    for (std::size_t i = 0; i < jaxpr.num_inputs(); ++i) {
      if (!kept[i]) continue;
      renamed[i] = builder.add_var(jaxpr.aval(static_cast<Var>(i)));
      (i < jaxpr.num_consts() ? consts : inputs).push_back(renamed[i]);
    }
    const auto use = [&](Atom a) {
      return a.is_literal() ? builder.add_literal(jaxpr.literal(a)) : Atom::var(renamed[a.index()]);
    };
    SmallVector<Atom, 4> operands;
    Avals types;
    for (std::size_t i = 0; i < jaxpr.eqns().size(); ++i) {
      if (!parts->eqns[i]) continue;
      const Eqn& e = jaxpr.eqns()[i];
      const PrunedOp& p = *parts->eqns[i];
      operands.clear();
      types.clear();
      for (std::size_t k = 0; k < p.operands.size(); ++k)
        if (p.operands[k]) operands.push_back(use(jaxpr.operands(e)[k]));
      for (std::size_t k = 0; k < p.results.size(); ++k)
        if (p.results[k]) types.push_back(jaxpr.aval(static_cast<Var>(e.out_begin + k)));
      Var next = builder.add_eqn(p.op, p.params, operands, types, e.location, e.scope);
      for (std::size_t k = 0; k < p.results.size(); ++k)
        if (p.results[k]) renamed[e.out_begin + k] = next++;
    }
    std::vector<Atom> outputs;
    for (std::size_t i = 0; i < used.size(); ++i)
      if (used[i]) outputs.push_back(use(jaxpr.outputs()[i]));
    return std::make_shared<const Jaxpr>(builder.build(consts, inputs, outputs));
  });
}

PrunedOp prune_case(const CaseParams& p, const Mask& used) {
  Mask kept(p.branches[0].num_inputs(), false);
  for (const Jaxpr& branch : p.branches) grow(kept, needed_inputs(branch, used));
  CaseParams pruned;
  for (const Jaxpr& branch : p.branches) pruned.branches.push_back(prune_to(branch, used, kept));
  return {OpCode::kCase, make_params(std::move(pruned)), Mask{true} + kept, used};
}

// A carried value is needed when the result is, or the body, which goes round, needs it for one that is.
PrunedOp prune_scan(const ScanParams& p, const Mask& used) {
  const std::size_t num_consts = p.jaxpr.num_consts(), num_carry = static_cast<std::size_t>(p.num_carry);
  const Mask carry = needed_carry(p.jaxpr, used, num_consts, num_carry), results = carry + from(used, num_carry);
  Mask kept = needed_inputs(p.jaxpr, results);
  std::copy(carry.begin(), carry.end(), kept.begin() + static_cast<std::ptrdiff_t>(num_consts));
  ScanParams pruned{prune_to(p.jaxpr, results, kept), p.length, std::count(carry.begin(), carry.end(), true),
                    p.reverse};
  return {OpCode::kScan, make_params(std::move(pruned)), kept, results};
}

PrunedOp prune_while(const WhileParams& p, const Mask& used) {
  const std::size_t num_cond = p.cond_jaxpr.num_consts(), num_body = p.body_jaxpr.num_consts();
  const Mask for_cond = needed_inputs(p.cond_jaxpr, {true});
  Mask carry = used;
  grow(carry, from(for_cond, num_cond));
  carry = needed_carry(p.body_jaxpr, carry, num_body, carry.size());
  const Mask for_body = needed_inputs(p.body_jaxpr, carry);
  const Mask of_cond = part(for_cond, 0, num_cond), of_body = part(for_body, 0, num_body);
  WhileParams pruned{prune_to(p.cond_jaxpr, {true}, of_cond + carry), prune_to(p.body_jaxpr, carry, of_body + carry),
                     p.max_steps, p.number};
  return {OpCode::kWhile, make_params(std::move(pruned)), of_cond + of_body + carry, carry};
}

}  // namespace

Mask needed_inputs(const Jaxpr& jaxpr, const Mask& used) { return needs(jaxpr, used)->inputs; }

// From equation to equation against their order, and round, as dependent_carry goes the other way.
Mask needed_carry(const Jaxpr& body, const Mask& used, std::size_t first, std::size_t count) {
  const std::string key = "needed:" + std::to_string(first) + ":" + std::to_string(count) + ":" + key_of(used);
  return *body.memo<Mask>(key, [&] {
    constexpr std::uint32_t kInput = ~std::uint32_t{0};
    const auto& eqns = body.eqns();
    std::vector<std::uint32_t> defined_by(body.num_vars(), kInput);
    for (std::uint32_t i = 0; i < eqns.size(); ++i)
      std::fill(defined_by.begin() + eqns[i].out_begin, defined_by.begin() + eqns[i].out_end, i);
    Mask needed(body.num_vars(), false), waits(eqns.size(), false), carry(count, false);
    std::priority_queue<std::uint32_t> next;
    const auto look_at = [&](std::uint32_t place) {
      if (waits[place]) return;
      waits[place] = true;
      next.push(place);
    };
    // An output, and what it is the next value of, and so on.
    const auto need = [&](Atom a) {
      while (!a.is_literal() && !needed[a.index()]) {
        const Var v = a.index();
        needed[v] = true;
        if (defined_by[v] != kInput) return look_at(defined_by[v]);
        if (v < first || v >= first + count || carry[v - first]) return;
        carry[v - first] = true;
        a = body.outputs()[v - first];
      }
    };
    for (std::uint32_t i = 0; i < eqns.size(); ++i)
      if (has_effects(eqns[i].op, eqns[i].params.get()))
        for (const Atom a : body.operands(eqns[i])) need(a);
    for (std::size_t i = 0; i < used.size(); ++i) {
      if (!used[i]) continue;
      if (i < count) carry[i] = true;
      need(body.outputs()[i]);
    }
    while (!next.empty()) {
      const std::uint32_t place = next.top();
      next.pop();
      waits[place] = false;
      const Eqn& e = eqns[place];
      const auto operands = body.operands(e);
      if (!has_parts(e.op)) {
        for (const Atom a : operands) need(a);
        continue;
      }
      const PrunedOp parts = prune(e.op, e.params, operands.size(), part(needed, e.out_begin, e.out_end - e.out_begin));
      for (std::size_t k = 0; k < operands.size(); ++k)
        if (parts.operands[k]) need(operands[k]);
    }
    return std::make_shared<const Mask>(std::move(carry));
  });
}

Jaxpr prune(const Jaxpr& jaxpr, const Mask& used) { return prune_to(jaxpr, used, Mask(jaxpr.num_inputs(), true)); }

PrunedOp prune(OpCode op, const Params& params, std::size_t num_operands, const Mask& used) {
  // What is needed as a whole stays as it is, with all that is derived from its programs.
  const auto unless_whole = [&](PrunedOp pruned) {
    if (all(pruned.operands) && all(pruned.results)) pruned.params = params;
    return pruned;
  };
  if (!has_effects(op, params.get())) {
    if (const Jaxpr* program = called(op, params.get())) {
      const Mask kept = needed_inputs(*program, used);
      if (all(used) && all(kept)) return {op, params, kept, used};
      const Jaxpr pruned = with_num_consts(prune_to(*program, used, kept), 0);
      if (op == OpCode::kCheckpoint) {
        const auto& p = params_as<CheckpointParams>(params);
        return {op, make_params(CheckpointParams{pruned, p.policy, p.differentiated}), kept, used};
      }
      // A part of a composite is not what its name says.
      const std::string& name =
          op == OpCode::kCall ? params_as<CallParams>(params).name : params_as<CompositeParams>(params).name;
      return {OpCode::kCall, make_params(CallParams{name, pruned}), kept, used};
    }
    if (op == OpCode::kCase) return unless_whole(prune_case(params_as<CaseParams>(params), used));
    if (op == OpCode::kScan) return unless_whole(prune_scan(params_as<ScanParams>(params), used));
    if (op == OpCode::kWhile) return unless_whole(prune_while(params_as<WhileParams>(params), used));
  }
  return {op, params, Mask(num_operands, true), Mask(used.size(), true)};
}

}  // namespace weft::ir
