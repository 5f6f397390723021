#include "harness/shrink_program.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <variant>

#include "harness/random_values.h"
#include "weft/base/error.h"
#include "weft/ir/builder.h"
#include "weft/ir/call.h"
#include "weft/ir/interpret.h"
#include "weft/ir/nested.h"
#include "weft/ir/programs.h"

namespace weft::testing {

namespace {

using ir::Atom;
using ir::Eqn;
using ir::Jaxpr;
using ir::Var;

// ---- rewriting ----

struct BecomesInput {};
/// What takes the place of a variable: an input, a literal, or a variable that is defined before it.
using Replacement = std::variant<BecomesInput, ir::Literal, Var>;

/// The first slice of a variable, as a new input.
struct FirstSlice {
  Var of;
};
/// A program in the place of an equation, and what it is applied to.
struct Opened {
  Jaxpr program;
  std::vector<std::variant<Atom, ir::Literal, FirstSlice>> operands;
};

struct Change {
  std::map<Var, Replacement> replaced = {};
  std::map<std::size_t, ir::Params> params = {};  // by equation
  std::map<std::size_t, Opened> opened = {};      // by equation
  std::optional<std::vector<Atom>> outputs = {};
};

/// What an input of the changed program was before: a variable, or its first slice.
struct Source {
  Var of;
  bool slice = false;
};
struct Candidate {
  Jaxpr jaxpr;
  std::vector<Source> sources;  // by input
};

// An equation goes when all that it gives is replaced, an input when it is.
Candidate changed(const Jaxpr& jaxpr, const Change& change) {
  ir::JaxprBuilder builder;
  std::vector<Atom> values(jaxpr.num_vars(), Atom::var(0));
  std::vector<Var> consts, inputs;
  std::vector<Source> const_sources, sources;
  const auto add_input = [&](Var v, bool constant) {
    const Var made = builder.add_var(jaxpr.aval(v));
    (constant ? consts : inputs).push_back(made);
    (constant ? const_sources : sources).push_back({v});
    values[v] = Atom::var(made);
  };
  const auto add_slice = [&](Var v) {
    const Aval whole = jaxpr.aval(v);
    inputs.push_back(builder.add_var(whole.with_shape(whole.shape().subspan(1))));
    sources.push_back({v, true});
    return Atom::var(inputs.back());
  };
  const auto replace = [&](Var v, const Replacement& r) {
    if (const auto* literal = std::get_if<ir::Literal>(&r))
      values[v] = builder.add_literal(*literal);
    else if (const auto* other = std::get_if<Var>(&r))
      values[v] = values[*other];
    else
      add_input(v, false);
  };
  const auto replacement = [&](Var v) -> const Replacement* {
    const auto at = change.replaced.find(v);
    return at == change.replaced.end() ? nullptr : &at->second;
  };
  const auto use = [&](const Jaxpr& from, std::span<const Atom> of, Atom a) {
    return a.is_literal() ? builder.add_literal(from.literal(a)) : of[a.index()];
  };
  for (Var v = 0; v < jaxpr.num_inputs(); ++v) {
    if (const Replacement* r = replacement(v); r && !std::holds_alternative<BecomesInput>(*r))
      replace(v, *r);
    else
      add_input(v, v < jaxpr.num_consts());
  }
  const auto append = [&](const Jaxpr& from, std::vector<Atom>& of, const Eqn& e, const ir::Params& params) {
    std::vector<Atom> operands;
    ir::Avals types;
    for (const Atom a : from.operands(e)) operands.push_back(use(from, of, a));
    for (Var v = e.out_begin; v < e.out_end; ++v) types.push_back(from.aval(v));
    const Var first = builder.add_eqn(e.op, params, operands, types, e.location, e.scope);
    for (Var v = e.out_begin; v < e.out_end; ++v) of[v] = Atom::var(first + (v - e.out_begin));
  };
  for (std::size_t i = 0; i < jaxpr.eqns().size(); ++i) {
    const Eqn& e = jaxpr.eqns()[i];
    bool needed = false;
    for (Var v = e.out_begin; v < e.out_end; ++v) needed |= replacement(v) == nullptr;
    needed |= e.out_begin == e.out_end;
    if (const auto at = change.opened.find(i); at != change.opened.end()) {
      const Jaxpr& inside = at->second.program;
      std::vector<Atom> of(inside.num_vars(), Atom::var(0));
      for (std::size_t k = 0; k < inside.num_inputs(); ++k) {
        const auto& given = at->second.operands[k];
        if (const auto* literal = std::get_if<ir::Literal>(&given))
          of[k] = builder.add_literal(*literal);
        else if (const auto* slice = std::get_if<FirstSlice>(&given))
          of[k] = add_slice(slice->of);
        else
          of[k] = use(jaxpr, values, std::get<Atom>(given));
      }
      for (const Eqn& inner : inside.eqns()) append(inside, of, inner, inner.params);
      for (Var v = e.out_begin; v < e.out_end; ++v)
        if (const Replacement* r = replacement(v))
          replace(v, *r);
        else
          values[v] = use(inside, of, inside.outputs()[v - e.out_begin]);
      continue;
    }
    if (needed) {
      const auto params = change.params.find(i);
      append(jaxpr, values, e, params == change.params.end() ? e.params : params->second);
    }
    for (Var v = e.out_begin; v < e.out_end; ++v)
      if (const Replacement* r = replacement(v)) replace(v, *r);
  }
  std::vector<Atom> outputs;
  const std::span<const Atom> old = change.outputs ? std::span<const Atom>(*change.outputs) : jaxpr.outputs();
  for (const Atom a : old) outputs.push_back(use(jaxpr, values, a));
  Candidate c{builder.build(consts, inputs, outputs), std::move(const_sources)};
  c.sources.insert(c.sources.end(), sources.begin(), sources.end());
  return c;
}

// ---- how large a program is ----

// Equations, also inside; programs inside; outputs; operands that are variables; inputs.
using Size = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t, std::size_t>;

Size size_of(const Jaxpr& jaxpr) {
  Size size{jaxpr.eqns().size(), 0, jaxpr.outputs().size(), 0, jaxpr.num_inputs()};
  auto& [eqns, programs, outputs, uses, inputs] = size;
  const auto count_uses = [&](std::span<const Atom> atoms) {
    for (const Atom a : atoms) uses += !a.is_literal();
  };
  count_uses(jaxpr.outputs());
  for (const Eqn& e : jaxpr.eqns()) {
    count_uses(jaxpr.operands(e));
    if (!e.params) continue;
    ir::for_each_program(*e.params, ir::Programs::kAll, [&](const Jaxpr& p) {
      const Size inner = size_of(p);
      eqns += std::get<0>(inner);
      programs += 1 + std::get<1>(inner);
      outputs += std::get<2>(inner);
      uses += std::get<3>(inner);
      inputs += std::get<4>(inner);
    });
  }
  return size;
}

// ---- loops ----

constexpr std::int64_t kMostStepsOfLoop = 16;

bool is_unbounded(const Eqn& e) { return e.op == OpCode::kWhile && !ir::params_as<WhileParams>(e.params).max_steps; }

Jaxpr bounded(const Jaxpr& jaxpr) {
  Change change;
  for (std::size_t i = 0; i < jaxpr.eqns().size(); ++i) {
    const Eqn& e = jaxpr.eqns()[i];
    if (!e.params) continue;
    ir::Params params = ir::with_programs(e.params, [](const Jaxpr& p) { return bounded(p); });
    if (is_unbounded(e)) {
      WhileParams p = ir::params_as<WhileParams>(params);
      p.max_steps = kMostStepsOfLoop;
      params = ir::make_params(std::move(p));
    }
    change.params[i] = params;
  }
  return changed(jaxpr, change).jaxpr;
}

// ---- programs in the place of operations ----

bool is_operand(const Jaxpr& jaxpr, Var v) {
  for (const Eqn& e : jaxpr.eqns())
    for (const Atom a : jaxpr.operands(e))
      if (a == Atom::var(v)) return true;
  return false;
}

// A branch, a called program, or one step of a loop instead of equation `i`. What a scan goes through, and stacks,
// becomes inputs where the program may get some, else zeros.
std::vector<Change> openings(const Jaxpr& jaxpr, std::size_t i, bool new_inputs) {
  const Eqn& e = jaxpr.eqns()[i];
  const std::span<const Atom> operands = jaxpr.operands(e);
  std::vector<Change> changes;
  const auto open = [&](const Jaxpr& program, std::span<const Atom> of) {
    Opened opened{program, {of.begin(), of.end()}};
    if (program.num_inputs() == of.size()) changes.push_back(Change{.opened = {{i, std::move(opened)}}});
  };
  const auto replace_results = [&](Change& change, Var first) {
    for (Var v = first; v < e.out_end; ++v)
      change.replaced[v] = new_inputs ? Replacement(BecomesInput{}) : Replacement(literal_of(jaxpr.aval(v), 0));
  };
  if (e.op == OpCode::kCase) {
    for (const Jaxpr& b : ir::params_as<CaseParams>(e.params).branches) open(b, operands.subspan(1));
  } else if (e.op == OpCode::kWhile) {
    const auto& p = ir::params_as<WhileParams>(e.params);
    open(p.body_jaxpr, operands.subspan(p.cond_jaxpr.num_consts()));
    // The condition alone, which gives none of the results.
    std::vector<Atom> of_cond(operands.begin(),
                              operands.begin() + static_cast<std::ptrdiff_t>(p.cond_jaxpr.num_consts()));
    const auto carry = operands.subspan(p.cond_jaxpr.num_consts() + p.body_jaxpr.num_consts());
    of_cond.insert(of_cond.end(), carry.begin(), carry.end());
    open(p.cond_jaxpr, of_cond);
    replace_results(changes.back(), e.out_begin);
  } else if (e.op == OpCode::kScan) {
    const auto& p = ir::params_as<ScanParams>(e.params);
    open(p.jaxpr, operands);
    Change& change = changes.back();
    const auto num_carry = static_cast<std::size_t>(p.num_carry);
    for (std::size_t k = p.jaxpr.num_consts() + num_carry; k < operands.size(); ++k) {
      auto& given = change.opened[i].operands[k];
      if (new_inputs && !operands[k].is_literal() && p.length > 0)
        given = FirstSlice{operands[k].index()};
      else
        given = literal_of(p.jaxpr.aval(static_cast<Var>(k)), 0);
    }
    replace_results(change, e.out_begin + static_cast<Var>(num_carry));
    // What nothing but outputs takes may as well be the slice that one step gives.
    if (new_inputs)
      for (Var v = e.out_begin + static_cast<Var>(num_carry); v < e.out_end; ++v)
        if (!is_operand(jaxpr, v)) change.replaced.erase(v);
  } else if (e.op == OpCode::kCall || e.op == OpCode::kComposite || e.op == OpCode::kCheckpoint) {
    ir::for_each_program(*e.params, ir::Programs::kRun, [&](const Jaxpr& program) { open(program, operands); });
  }
  return changes;
}

// ---- the search ----

class Search {
 public:
  Search(RandomProgram start, FunctionRef<bool(const RandomProgram&)> fails) : now_(std::move(start)), fails_(fails) {}

  RandomProgram run() {
    const RandomProgram with_bounds{bounded(now_.jaxpr), now_.inputs};
    const bool all = with_bounds.jaxpr == now_.jaxpr || fails_(with_bounds);
    if (all) now_ = with_bounds;
    for (bool smaller = true; smaller;) {
      smaller = drop_outputs();
      smaller |= drop_dead();
      if (!all) continue;
      smaller |= cut();
      smaller |= drop_equations();
      smaller |= open_programs();
      smaller |= bypass_equations();
      smaller |= change_inside();
      smaller |= drop_inputs();
    }
    return now_;
  }

 private:
  const Jaxpr& jaxpr() const { return now_.jaxpr; }
  Aval aval(Var v) const { return jaxpr().aval(v); }

  bool accept(const Candidate& c) {
    if (!(size_of(c.jaxpr) < size_of(jaxpr()))) return false;
    try {
      ir::check(c.jaxpr);
      const RandomProgram next{c.jaxpr, inputs_of(c)};
      if (!fails_(next)) return false;
      now_ = next;
      values_.clear();
      return true;
    } catch (const Error&) {
      return false;  // it does not fit, or does not end
    }
  }
  bool accept(const Change& change) { return accept(changed(jaxpr(), change)); }

  // Programs without inputs' elements have none here either.
  std::vector<Array> inputs_of(const Candidate& c) {
    std::vector<Array> inputs;
    if (now_.inputs.size() != jaxpr().num_inputs()) return inputs;
    for (const Source& s : c.sources) {
      const Array x = s.of < jaxpr().num_inputs() ? now_.inputs[s.of] : value_of(s.of);
      inputs.push_back(s.slice ? first_slice(x) : x);
    }
    return inputs;
  }

  static Array first_slice(const Array& x) {
    const Aval type = x.aval().with_shape(x.aval().shape().subspan(1));
    return Array::copy(type.dtype(), type.shape(), x.host("shrink").view.data, static_cast<std::size_t>(type.size()));
  }

  // What a variable of the program is, by reference evaluation.
  Array value_of(Var v) {
    if (const auto at = values_.find(v); at != values_.end()) return at->second;
    const Atom output = Atom::var(v);
    const Jaxpr program = ir::with_outputs(jaxpr(), std::span(&output, 1));
    std::vector<detail::HostView> hosts;
    std::vector<TensorView> in;
    for (const Array& x : now_.inputs) in.push_back(hosts.emplace_back(x.host("test")).view);
    const Ref<BufferValue> buffer = detail::new_buffer(aval(v));
    const MutableTensorView out{aval(v), buffer->storage()->data()};
    ir::interpret(program, in, std::span(&out, 1));
    return values_[v] = Array(Ref<const Value>(buffer));
  }

  // Removes [i, i + n) for falling n, as long as `try_without` takes it: delta debugging.
  bool remove_parts(FunctionRef<std::size_t()> count,
                    FunctionRef<bool(std::size_t begin, std::size_t end)> try_without) {
    bool any = false;
    for (std::size_t n = count(); n > 0; n /= 2)
      for (std::size_t end = count(); end > 0;) {
        const std::size_t begin = end > n ? end - n : 0;
        any |= try_without(begin, end);
        end = std::min(begin, count());
      }
    return any;
  }

  bool drop_outputs() {
    const auto count = [&] { return jaxpr().outputs().size(); };
    bool any = false;
    for (std::size_t i = 0; i < count() && count() > 1; ++i)  // one alone
      any |= accept(Change{.outputs = std::vector<Atom>{jaxpr().outputs()[i]}});
    return any | remove_parts(count, [&](std::size_t begin, std::size_t end) {
             std::vector<Atom> left(jaxpr().outputs().begin(), jaxpr().outputs().end());
             left.erase(left.begin() + static_cast<std::ptrdiff_t>(begin),
                        left.begin() + static_cast<std::ptrdiff_t>(end));
             return accept(Change{.outputs = std::move(left)});
           });
  }

  std::vector<Var> all_inputs() const {
    std::vector<Var> inputs(jaxpr().num_inputs());
    for (Var v = 0; v < inputs.size(); ++v) inputs[v] = v;
    return inputs;
  }
  static Candidate with_same_inputs(const Jaxpr& program) {
    Candidate c{program, {}};
    for (Var v = 0; v < program.num_inputs(); ++v) c.sources.push_back({v});
    return c;
  }

  bool drop_dead() {
    // Also what programs inside give that nobody takes.
    const Jaxpr pruned =
        ir::with_num_consts(ir::part_of(jaxpr(), all_inputs(), jaxpr().outputs()), jaxpr().num_consts());
    return accept(with_same_inputs(pruned)) || accept(with_same_inputs(ir::dce(jaxpr())));
  }

  // The fault may show in what an early equation gives.
  bool cut() {
    const Jaxpr held = jaxpr();
    for (const Eqn& e : held.eqns())
      for (Var v = e.out_begin; v < e.out_end; ++v) {
        const Atom output = Atom::var(v);
        const Jaxpr part = ir::part_of(held, all_inputs(), std::span(&output, 1));
        if (accept(with_same_inputs(ir::with_num_consts(part, held.num_consts())))) return true;
      }
    return false;
  }

  bool drop_equations() {
    return remove_parts([&] { return jaxpr().eqns().size(); },
                        [&](std::size_t begin, std::size_t end) {
                          Change change;
                          for (std::size_t i = begin; i < end; ++i)
                            for (Var v = jaxpr().eqns()[i].out_begin; v < jaxpr().eqns()[i].out_end; ++v)
                              change.replaced[v] = BecomesInput{};
                          return accept(change);
                        });
  }

  // Values of its type before `v`, and literals.
  static std::vector<Replacement> simpler(const Jaxpr& jaxpr, Var v) {
    std::vector<Replacement> choices;
    const Aval type = jaxpr.aval(v);
    for (const double value : {0.0, 1.0}) choices.push_back(literal_of(type, value));
    for (Var earlier = 0; earlier < v && choices.size() < 8; ++earlier)
      if (jaxpr.aval(earlier) == type) choices.push_back(earlier);
    return choices;
  }

  bool bypass_equations() {
    bool any = false;
    for (std::size_t i = jaxpr().eqns().size(); i-- > 0;) {
      if (i >= jaxpr().eqns().size()) continue;
      const Eqn e = jaxpr().eqns()[i];
      for (Var v = e.out_begin; v < e.out_end; ++v) {
        bool done = false;
        for (const Replacement& r : simpler(jaxpr(), v)) {
          // Results of other results of the equation are none.
          if (const auto* other = std::get_if<Var>(&r); other && *other >= e.out_begin) continue;
          if ((done = accept(Change{.replaced = {{v, r}}}))) break;
        }
        any |= done;
        if (done && e.out_end - e.out_begin == 1) break;
      }
    }
    return any;
  }

  bool drop_inputs() {
    bool any = false;
    for (auto n = static_cast<Var>(jaxpr().num_inputs()); n-- > 0;)
      for (const Replacement& r : simpler(jaxpr(), n))
        if (accept(Change{.replaced = {{n, r}}})) {
          any = true;
          break;
        }
    return any;
  }

  bool open_programs() {
    const Jaxpr held = jaxpr();
    for (std::size_t i = 0; i < held.eqns().size(); ++i)
      for (const Change& change : openings(held, i, true))
        if (accept(change)) return true;
    return false;
  }

  // ---- inside of programs, whose inputs and outputs keep their types ----

  bool change_inside() {
    const Jaxpr held = jaxpr();
    for (std::size_t i = 0; i < held.eqns().size(); ++i) {
      const Eqn& e = held.eqns()[i];
      if (!e.params) continue;
      std::size_t programs = 0;
      ir::for_each_program(*e.params, ir::Programs::kRun, [&](const Jaxpr&) { ++programs; });
      for (std::size_t k = 0; k < programs; ++k)
        for (const ir::Params& params : smaller_params(e.params, k))
          if (accept(Change{.params = {{i, params}}})) return true;
    }
    return false;
  }

  // The parameters with something left out of program `k`.
  static std::vector<ir::Params> smaller_params(const ir::Params& params, std::size_t k) {
    std::vector<ir::Params> choices;
    std::vector<Jaxpr> programs;
    ir::for_each_program(*params, ir::Programs::kRun, [&](const Jaxpr& p) { programs.push_back(p); });
    for (const Jaxpr& smaller : smaller_programs(programs[k])) {
      std::size_t at = 0;
      choices.push_back(ir::with_programs(params, [&](const Jaxpr& p) { return at++ == k ? smaller : p; }));
    }
    return choices;
  }

  static std::vector<Jaxpr> smaller_programs(const Jaxpr& program) {
    std::vector<Jaxpr> choices{ir::dce(program)};
    for (std::size_t i = 0; i < program.eqns().size(); ++i)
      for (const Change& change : openings(program, i, false)) choices.push_back(changed(program, change).jaxpr);
    const auto inputs = static_cast<Var>(program.num_inputs());
    // Outputs that are something simple at once.
    for (std::size_t i = 0; i < program.outputs().size(); ++i) {
      const Atom a = program.outputs()[i];
      if (a.is_literal()) continue;
      for (const Replacement& r : simpler(program, a.index())) {
        Change change;
        if (a.index() < inputs && std::holds_alternative<Var>(r)) continue;
        change.replaced[a.index()] = r;
        choices.push_back(ir::dce(changed(program, change).jaxpr));
      }
    }
    for (std::size_t i = program.eqns().size(); i-- > 0;) {
      const Eqn& e = program.eqns()[i];
      Change all_zeros;
      for (Var v = e.out_begin; v < e.out_end; ++v) all_zeros.replaced[v] = literal_of(program.aval(v), 0);
      choices.push_back(changed(program, all_zeros).jaxpr);
      for (Var v = e.out_begin; v < e.out_end; ++v)
        for (const Replacement& r : simpler(program, v)) {
          if (const auto* other = std::get_if<Var>(&r); other && *other >= e.out_begin) continue;
          choices.push_back(changed(program, Change{.replaced = {{v, r}}}).jaxpr);
        }
      if (!e.params) continue;
      std::size_t programs = 0;
      ir::for_each_program(*e.params, ir::Programs::kRun, [&](const Jaxpr&) { ++programs; });
      for (std::size_t k = 0; k < programs; ++k)
        for (const ir::Params& params : smaller_params(e.params, k))
          choices.push_back(changed(program, Change{.params = {{i, params}}}).jaxpr);
    }
    // Inputs must stay inputs.
    std::erase_if(choices, [&](const Jaxpr& c) {
      return c.input_avals() != program.input_avals() || c.num_consts() != program.num_consts();
    });
    return choices;
  }

  RandomProgram now_;
  FunctionRef<bool(const RandomProgram&)> fails_;
  std::map<Var, Array> values_;
};

}  // namespace

RandomProgram shrink(const RandomProgram& program, FunctionRef<bool(const RandomProgram&)> still_fails) {
  return Search(program, still_fails).run();
}

ir::Jaxpr shrink(const ir::Jaxpr& jaxpr, FunctionRef<bool(const ir::Jaxpr&)> still_fails) {
  return shrink(RandomProgram{jaxpr, {}}, [&](const RandomProgram& p) { return still_fails(p.jaxpr); }).jaxpr;
}

}  // namespace weft::testing
