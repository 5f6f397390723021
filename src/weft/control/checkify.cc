#include "weft/control/checkify.h"

#include <algorithm>
#include <unordered_map>

#include "weft/control/effects.h"
#include "weft/control/op_checks.h"
#include "weft/control/rules.h"
#include "weft/ir/builder.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/custom_rules.h"
#include "weft/ir/nested.h"

namespace weft::control {

CheckSites::CheckSites(std::vector<CheckSite> sites) {
  Table table{std::move(sites), {}};
  for (const CheckSite& s : table.sites) {
    ir::ParamWriter w;
    ir::print_param(w, s.kind);
    ir::print_param(w, s.message);
    ir::print_param(w, s.examples);
    table.text += w.text + s.location.str();
    for (const std::size_t slot : s.slots) table.text += "," + std::to_string(slot);
  }
  table_ = std::make_shared<const Table>(std::move(table));
}

const std::string& CheckSites::text() const {
  static const std::string* const empty = new std::string;
  return table_ ? table_->text : *empty;
}

void throw_site(const CheckSite& site, std::span<const Array> values, DimSpan examples, std::int64_t at) {
  Arrays shown;
  for (const std::size_t s : site.slots) shown.push_back(values[s]);
  std::string all = examples.empty() ? std::string() : example_text(examples, at);
  if (!site.examples.empty()) {
    all += (all.empty() ? "" : ", ") + example_text(site.examples, shown[0].item<std::int32_t>());
    shown.erase(shown.begin());
  }
  throw_failed(site.kind, site.message, shown, site.location, all);
}

namespace {

using State = Arrays;  // the number of the first failure, values

// What an equation may do wrong.
struct Site {
  CheckKind kind;
  std::size_t number;
};

class Checkifier {
 public:
  explicit Checkifier(unsigned kinds) : kinds_(kinds) {}

  Checkified run(const ir::Jaxpr& jaxpr) {
    collect(jaxpr);
    Checkified r;
    r.num_values = slots_.size();
    r.program = stage(
        [&](std::span<const Array> args, Arrays& outs) {
          State state{Array(std::int32_t{0})};
          for (const Aval a : slots_) state.push_back(zeros_of(a));
          Arrays results;
          run_program(jaxpr, args, state, results);
          append(outs, state);
          append(outs, results);
        },
        jaxpr.input_avals(), "checkify");
    r.sites = CheckSites(std::move(sites_));
    return r;
  }

 private:
  struct Program {
    ir::Jaxpr jaxpr;  // keeps the identity alive
    bool touched = false;
    std::vector<bool> touched_eqns;
    std::vector<std::vector<Site>> sites;
    ir::Jaxpr with_state;
  };

  bool enabled(CheckKind k) const { return kinds_ >> static_cast<unsigned>(k) & 1u; }
  Program& program(const ir::Jaxpr& jaxpr) { return programs_.at(jaxpr.id()); }
  bool touched(const ir::Jaxpr& jaxpr) { return program(jaxpr).touched; }

  // ---- which equations can fail ----

  // A slot of each type, by number of those that the site has taken before.
  std::vector<std::size_t> take_slots(std::span<const Aval> types) {
    std::vector<std::size_t> r;
    std::vector<bool> taken(slots_.size(), false);
    for (const Aval a : types) {
      std::size_t s = 0;
      while (s < slots_.size() && (taken[s] || slots_[s] != a)) ++s;
      if (s == slots_.size()) {
        slots_.push_back(a);
        taken.push_back(false);
      }
      taken[s] = true;
      r.push_back(s);
    }
    return r;
  }

  std::size_t add_site(CheckKind kind, ir::FormatText message, Dims examples, const SourceLocation& location,
                       std::span<const Aval> values) {
    std::vector<Aval> types;
    if (!examples.empty()) types.push_back(scalar_of(i32));
    types.insert(types.end(), values.begin(), values.end());
    sites_.push_back({kind, std::move(message), std::move(examples), location, take_slots(types)});
    return sites_.size();
  }

  void collect_check(const ir::Jaxpr& jaxpr, const ir::Eqn& e, std::vector<Site>& sites) {
    const auto& p = ir::params_as<CheckParams>(e.params);
    // Whatever it is about, somebody asked for it.
    if (!enabled(CheckKind::kUser) && !enabled(p.kind)) return;
    std::vector<Aval> values;
    for (const ir::Atom a : jaxpr.operands(e).subspan(1))
      values.push_back(jaxpr.aval(a).with_shape(jaxpr.aval(a).shape().subspan(p.examples.size())));
    sites.push_back({p.kind, add_site(p.kind, p.message, p.examples, e.location, values)});
  }

  void collect_op(const ir::Jaxpr& jaxpr, const ir::Eqn& e, std::vector<Site>& sites) {
    Avals in, out;
    for (const ir::Atom a : jaxpr.operands(e)) in.push_back(jaxpr.aval(a));
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) out.push_back(jaxpr.aval(v));
    for (const CheckKind kind : {CheckKind::kIndex, CheckKind::kDivision, CheckKind::kNan}) {
      if (!enabled(kind) || !check_applies(kind, e.op, e.params.get(), in, out)) continue;
      OpCheckText text = check_text(kind, e.op, in, out);
      sites.push_back({kind, add_site(kind, std::move(text.message), {}, e.location, text.values)});
    }
  }

  // Operations that are looked into; others with programs are seen from outside.
  static bool opened(const ir::Eqn& e) {
    switch (e.op) {
      case OpCode::kCall:
      case OpCode::kComposite:
      case OpCode::kCheckpoint:
      case OpCode::kCase:
      case OpCode::kScan:
      case OpCode::kWhile: return true;
      default: return ir::custom_program(e.op, e.params.get()) != nullptr;
    }
  }

  void collect(const ir::Jaxpr& jaxpr) {
    if (programs_.count(jaxpr.id())) return;
    Program p{.jaxpr = jaxpr, .touched_eqns = {}, .sites = {}, .with_state = {}};
    for (const ir::Eqn& e : jaxpr.eqns()) {
      std::vector<Site> sites;
      bool any = e.op == OpCode::kCheck;
      if (any) {
        collect_check(jaxpr, e, sites);
      } else if (opened(e)) {
        ir::for_each_program(*e.params, ir::Programs::kRun, [&](const ir::Jaxpr& inner) {
          collect(inner);
          any = any || touched(inner);
        });
      } else {
        if (e.params)
          ir::for_each_program(*e.params, ir::Programs::kRun, [&](const ir::Jaxpr& inner) {
            if (!ir::has_checks(inner)) return;
            const ForcedLocation line(e.location);
            throw ValueError("checkify: there must be no check in the computation of " +
                             std::string(ir::op_name(e.op)) + ", which runs for each element; got one.");
          });
        collect_op(jaxpr, e, sites);
        any = !sites.empty();
      }
      p.touched = p.touched || any;
      p.touched_eqns.push_back(any);
      p.sites.push_back(std::move(sites));
    }
    programs_.emplace(jaxpr.id(), std::move(p));
  }

  // ---- programs with an error going through ----

  // Constants, state, inputs -> state, outputs.
  ir::Jaxpr with_state(const ir::Jaxpr& jaxpr) {
    if (const ir::Jaxpr done = program(jaxpr).with_state) return done;
    const std::size_t n = jaxpr.num_consts();
    const Avals types = jaxpr.input_avals();
    Avals inputs(std::span<const Aval>(types).first(n));
    inputs.push_back(scalar_of(i32));
    inputs.append(slots_.begin(), slots_.end());
    inputs.append(types.begin() + static_cast<std::ptrdiff_t>(n), types.end());
    const Staged staged = stage(
        [&](std::span<const Array> in, Arrays& outs) {
          Arrays args(take(in, n)), results;
          State state(take(in, num_state()));
          append(args, in);
          run_program(jaxpr, args, state, results);
          append(outs, state);
          append(outs, results);
        },
        inputs, "checkify");
    check_closed(staged);
    return program(jaxpr).with_state = ir::with_num_consts(staged.jaxpr, n);
  }
  std::size_t num_state() const { return 1 + slots_.size(); }

  void run_program(const ir::Jaxpr& jaxpr, std::span<const Array> args, State& state, Arrays& outs) {
    const Program& p = program(jaxpr);
    eval_jaxpr_by(jaxpr, args, outs, [&](const ir::Eqn& e, std::span<const Array> operands, Arrays& results) {
      const auto i = static_cast<std::size_t>(&e - jaxpr.eqns().data());
      if (p.touched_eqns[i])
        run_eqn(e, p.sites[i], operands, state, results);
      else
        bind(e.op, e.params, operands, results);
    });
  }

  // Takes the state from the front of an operation's results.
  void give(const Arrays& all, State& state, Arrays& results) const {
    std::span<const Array> rest(all);
    state = State(take(rest, num_state()));
    append(results, rest);
  }

  void run_eqn(const ir::Eqn& e, std::span<const Site> sites, std::span<const Array> xs, State& state,
               Arrays& results) {
    Arrays operands, all;
    switch (e.op) {
      case OpCode::kCheck:
        for (const Site& s : sites) run_user_check(e, s, xs, state);
        return;
      case OpCode::kCall: {
        const auto& p = ir::params_as<CallParams>(e.params);
        operands = with(xs, p.jaxpr.num_consts(), state);
        bind_call(p.name, with_state(p.jaxpr), operands, all);
        return give(all, state, results);
      }
      case OpCode::kComposite: {
        const auto& p = ir::params_as<CompositeParams>(e.params);
        operands = with(xs, p.decomposition.num_consts(), state);
        bind_call(p.name, with_state(p.decomposition), operands, all);
        return give(all, state, results);
      }
      case OpCode::kCheckpoint: {
        CheckpointParams p = ir::params_as<CheckpointParams>(e.params);
        operands = with(xs, p.jaxpr.num_consts(), state);
        p.jaxpr = with_state(p.jaxpr);
        bind(e.op, ir::make_params(std::move(p)), operands, all);
        return give(all, state, results);
      }
      case OpCode::kCase: {
        CaseParams p = ir::params_as<CaseParams>(e.params);
        for (ir::Jaxpr& b : p.branches) b = with_state(b);
        operands = with(xs, 1, state);
        bind(e.op, ir::make_params(std::move(p)), operands, all);
        return give(all, state, results);
      }
      case OpCode::kScan: {
        ScanParams p = ir::params_as<ScanParams>(e.params);
        operands = with(xs, p.jaxpr.num_consts(), state);
        p.jaxpr = with_state(p.jaxpr);
        p.num_carry += static_cast<std::int64_t>(num_state());
        bind(e.op, ir::make_params(std::move(p)), operands, all);
        return give(all, state, results);
      }
      case OpCode::kWhile: return run_while(e, xs, state, results);
      default: break;
    }
    if (const ir::Jaxpr* custom = ir::custom_program(e.op, e.params.get()))
      return run_custom(e, *custom, xs, state, results);
    bind(e.op, e.params, xs, results);
    for (const Site& s : sites) {
      const OpCheck check = run_check(s.kind, {e.op, e.params, xs}, results);
      fail_if(check.bad, s, check.values, state);
    }
  }

  static Arrays with(std::span<const Array> xs, std::size_t at, const State& state) {
    Arrays r(take(xs, at));
    append(r, state);
    append(r, xs);
    return r;
  }

  // ---- failing ----

  // Values have no derivatives, so that those of a program are what they are without checks.
  void fail_if(const Array& bad, const Site& site, std::span<const Array> values, State& state) {
    const Array first = lax::and_(bad, lax::eq(state[0], 0));
    const auto replace = [&](Array& old, const Array& value) {
      old = lax::select(lax::broadcast_in_dim(first, old.shape(), Dims{}), value, old);
    };
    replace(state[0], Array(static_cast<std::int32_t>(site.number)));
    const std::vector<std::size_t>& slots = sites_[site.number - 1].slots;
    for (std::size_t i = 0; i < slots.size(); ++i)
      replace(state[1 + slots[i]], is_inexact(values[i].dtype()) ? lax::stop_gradient(values[i]) : values[i]);
  }

  void run_user_check(const ir::Eqn& e, const Site& site, std::span<const Array> xs, State& state) {
    const Dims& examples = ir::params_as<CheckParams>(e.params).examples;
    const Array bad = lax::not_(xs[0]);
    if (examples.empty()) return fail_if(bad, site, xs.subspan(1), state);
    if (bad.size() == 0) return;
    // The first example that fails.
    const Array flat = lax::reshape(bad, Dims{bad.size()});
    const Array where = lax::argmax(lax::convert(flat, i32), 0);
    Arrays values{where};
    for (const Array& x : xs.subspan(1)) {
      Dims shape(x.shape().subspan(examples.size()));
      shape.insert(shape.begin(), bad.size());
      values.push_back(example_of(lax::reshape(x, shape), where));
    }
    fail_if(lax::reduce_or(flat, Dims{0}), site, values, state);
  }

  // ---- operations that need more than the state as one more operand ----

  static ir::Jaxpr without_user_checks(const ir::Jaxpr& jaxpr) {
    return ir::without_eqns(jaxpr, "checkified", [](const ir::Eqn& e) { return e.op == OpCode::kCheck; });
  }

  // The state after a program whose results are computed elsewhere, where its effects happen.
  void run_for_state(const ir::Jaxpr& jaxpr, std::span<const Array> args, State& state) {
    const ir::Jaxpr all = with_state(jaxpr);
    std::vector<ir::Var> inputs(all.num_inputs());
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = static_cast<ir::Var>(i);
    const ir::Jaxpr part = without_watchers(ir::part_of(all, inputs, all.outputs().first(num_state())));
    if (ir::has_effects(part))
      throw ValueError(
          "checkify: a function with effects that has rules of its own, or is a loop's condition, must have "
          "no checks; got both.");
    State next;
    eval_jaxpr(part, with(args, jaxpr.num_consts(), state), next);
    state = std::move(next);
  }

  // Rules stay those of the function. What its errors depend on is computed beside it, with no derivatives.
  void run_custom(const ir::Eqn& e, const ir::Jaxpr& jaxpr, std::span<const Array> xs, State& state, Arrays& results) {
    if (touched(jaxpr)) {
      Arrays constants;
      for (const Array& x : xs) constants.push_back(is_inexact(x.dtype()) ? lax::stop_gradient(x) : x);
      run_for_state(jaxpr, constants, state);
    }
    bind(e.op, ir::with_programs(e.params, [](const ir::Jaxpr& p) { return without_user_checks(p); }), xs, results);
  }

  // The condition's errors: of its first run before the loop, of the others after each step.
  void run_while(const ir::Eqn& e, std::span<const Array> xs, State& state, Arrays& results) {
    WhileParams p = ir::params_as<WhileParams>(e.params);
    // The state comes first among what is carried, and tells no iteration.
    if (p.number == IterationNumber::kCarried) p.number = IterationNumber::kUntold;
    const ir::Jaxpr cond = p.cond_jaxpr, body = p.body_jaxpr;
    const bool cond_touched = touched(cond);
    const auto of_cond = take(xs, cond.num_consts()), of_body = take(xs, body.num_consts());
    Arrays operands(of_cond), all;
    if (cond_touched) {
      Arrays args(of_cond);
      append(args, xs);
      run_for_state(cond, args, state);
      append(operands, of_cond);
    }
    append(operands, of_body);
    append(operands, state);
    append(operands, xs);

    const Avals state_types = avals_of(state), carry_types = avals_of(xs);
    const auto inputs = [&](std::initializer_list<std::span<const Array>> captures) {
      Avals r;
      for (const auto part : captures)
        for (const Array& a : part) r.push_back(a.aval());
      r.append(state_types.begin(), state_types.end());
      r.append(carry_types.begin(), carry_types.end());
      return r;
    };
    const Staged new_cond = stage(
        [&](std::span<const Array> in, Arrays& outs) {
          Arrays args(take(in, of_cond.size()));
          append(args, in.subspan(num_state()));
          eval_jaxpr(without_user_checks(cond), args, outs);
        },
        inputs({of_cond}), "checkify");
    const std::span<const Array> nothing;
    const Staged new_body = stage(
        [&](std::span<const Array> in, Arrays& outs) {
          const auto for_cond = take(in, cond_touched ? of_cond.size() : 0), for_body = take(in, of_body.size());
          State inner(take(in, num_state()));
          Arrays args(for_body), carry;
          append(args, in);
          run_program(body, args, inner, carry);
          if (cond_touched) {
            Arrays of_test(for_cond);
            append(of_test, carry);
            run_for_state(cond, of_test, inner);
          }
          append(outs, inner);
          append(outs, carry);
        },
        inputs({cond_touched ? of_cond : nothing, of_body}), "checkify");
    check_closed(new_cond);
    check_closed(new_body);
    p.cond_jaxpr = ir::with_num_consts(new_cond.jaxpr, of_cond.size());
    p.body_jaxpr = ir::with_num_consts(new_body.jaxpr, of_body.size() + (cond_touched ? of_cond.size() : 0));
    bind(e.op, ir::make_params(std::move(p)), operands, all);
    give(all, state, results);
  }

  unsigned kinds_;
  std::unordered_map<const ir::JaxprData*, Program> programs_;
  std::vector<CheckSite> sites_;
  std::vector<Aval> slots_;
};

}  // namespace

Checkified checkify(const ir::Jaxpr& jaxpr, unsigned kinds) { return Checkifier(kinds).run(jaxpr); }

}  // namespace weft::control
