#include "weft/compiler/simplify_programs.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "weft/compiler/jaxpr_edit.h"
#include "weft/compiler/simplify_axes.h"
#include "weft/compiler/simplify_forms.h"
#include "weft/compiler/simplify_invariant.h"
#include "weft/compiler/simplify_literal.h"
#include "weft/compiler/simplify_scanned.h"
#include "weft/ir/nested.h"
#include "weft/ir/programs.h"

namespace weft::compiler::simplifying {

namespace {

// Whether the operation is, or has inside, a loop that raises an error when it would go on for too long. Whoever uses
// its results gets the error, also where these are known without running it.
bool may_refuse(OpCode op, const ir::ParamsBase* params) {
  if (op == OpCode::kWhile && ir::params_as<WhileParams>(params).max_steps) return true;
  const auto bounded = [](const ir::Eqn& e) {
    return e.op == OpCode::kWhile && ir::params_as<WhileParams>(e.params.get()).max_steps.has_value();
  };
  bool found = false;
  ir::for_each_program(*params, ir::Programs::kRun, [&](const Jaxpr& program) {
    found = found || ir::any_eqn(program, ir::Programs::kRun, "bounded while", bounded);
  });
  return found;
}

}  // namespace

bool carries_programs(OpCode op) {
  switch (op) {
    case OpCode::kGenericReduce:
    case OpCode::kGenericReduceWindow:
    case OpCode::kGenericSort:
    case OpCode::kGenericScatter:
    case OpCode::kGenericSelectAndScatter: return true;
    default: return ir::runs_programs(op);
  }
}

namespace {

using Mask = std::vector<bool>;

// ---- programs with other inputs and outputs ----

// What is to be known of an input of a program: the operand that it always is (of a scan, slice by slice), if there is
// one.
using Fed = std::vector<std::optional<Atom>>;

// A program that takes some inputs from inside: those with a literal, and those that are another input.
struct Interface {
  struct Input {
    std::optional<Literal> literal;
    std::size_t same_as;  // an input that is kept, or itself
  };
  std::vector<Input> inputs;
  Mask outputs;  // which are kept

  explicit Interface(const Jaxpr& program) : outputs(program.outputs().size(), true) {
    for (std::size_t i = 0; i < program.num_inputs(); ++i) inputs.push_back({std::nullopt, i});
  }
  bool keeps(std::size_t i) const { return !inputs[i].literal && inputs[i].same_as == i; }
  bool keeps_all() const {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (!keeps(i)) return false;
    return std::find(outputs.begin(), outputs.end(), false) == outputs.end();
  }
};

// `order` lists the kept inputs as the new program takes them, the first `num_consts` its constants.
Jaxpr with_interface(const Jaxpr& program, const Interface& to, std::span<const std::size_t> order,
                     std::size_t num_consts) {
  NewJaxpr made;
  std::vector<Atom> inputs(program.num_inputs(), Atom::var(0)), outputs;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const Aval type = program.aval(static_cast<Var>(order[k]));
    inputs[order[k]] = k < num_consts ? made.constant(type) : made.input(type);
  }
  for (std::size_t i = 0; i < to.inputs.size(); ++i) {
    const Interface::Input& input = to.inputs[i];
    inputs[i] = input.literal ? made.literal(*input.literal) : inputs[input.same_as];
  }
  const std::vector<Atom> all = made.append(program, inputs);
  for (std::size_t i = 0; i < to.outputs.size(); ++i)
    if (to.outputs[i]) outputs.push_back(all[i]);
  return made.finish(outputs);
}

Mask used_inputs(const Jaxpr& program) {
  Mask used(program.num_vars(), false);
  const auto use = [&](Atom a) {
    if (!a.is_literal()) used[a.index()] = true;
  };
  for (const ir::Eqn& e : program.eqns())
    for (const Atom a : program.operands(e)) use(a);
  for (const Atom a : program.outputs()) use(a);
  used.resize(program.num_inputs());
  return used;
}

// Literals go inside, what is fed twice is taken once, and with `drop_unused` what is fed in vain is not taken.
Interface tightened(const Rewriter& to, const Jaxpr& program, const Fed& fed, bool drop_unused) {
  Interface r(program);
  const Mask used = drop_unused ? used_inputs(program) : Mask(fed.size(), true);
  std::map<std::pair<bool, std::uint32_t>, std::size_t> seen;  // by whether it is a constant, and variable
  for (std::size_t i = 0; i < fed.size(); ++i) {
    if (!fed[i]) continue;
    const Aval type = program.aval(static_cast<Var>(i));
    if (const Literal* l = to.literal(*fed[i]))
      r.inputs[i].literal = reshaped(*l, type);
    else if (!used[i])
      r.inputs[i].literal = Literal{type};  // any will do
    else
      r.inputs[i].same_as = seen.emplace(std::pair(i < program.num_consts(), fed[i]->index()), i).first->second;
  }
  return r;
}

// The program with this interface, its inputs in their old order; appends to `operands` those of `from` that it takes.
Jaxpr with_interface(const Jaxpr& program, const Interface& interface, std::span<const Atom> from, Atoms& operands) {
  std::vector<std::size_t> order;
  std::size_t num_consts = 0;
  for (std::size_t i = 0; i < program.num_inputs(); ++i) {
    if (!interface.keeps(i)) continue;
    order.push_back(i);
    num_consts += i < program.num_consts();
    if (i < from.size()) operands.push_back(from[i]);
  }
  return interface.keeps_all() ? program : with_interface(program, interface, order, num_consts);
}

// ---- what goes in ----

Fed first_of(std::span<const Atom> operands, std::size_t n, std::size_t size) {
  Fed fed(operands.begin(), operands.begin() + static_cast<std::ptrdiff_t>(n));
  fed.resize(size);
  return fed;
}

void tighten_case(const Rewriter& to, Equation& e) {
  CaseParams p = e.params_as<CaseParams>();
  const std::span<const Atom> own = std::span<const Atom>(e.operands).subspan(1);
  const Fed fed = first_of(own, own.size(), own.size());
  Atoms operands;
  for (Jaxpr& branch : p.branches) {
    operands = {e.operands[0]};
    branch = with_interface(branch, tightened(to, branch, fed, false), own, operands);
  }
  e.operands = operands;
  e.params = ir::make_params(std::move(p));
}

void tighten_scan(const Rewriter& to, Equation& e) {
  ScanParams p = e.params_as<ScanParams>();
  Fed fed = first_of(e.operands, e.operands.size(), e.operands.size());
  std::fill_n(fed.begin() + static_cast<std::ptrdiff_t>(p.jaxpr.num_consts()), p.num_carry, std::nullopt);
  Atoms operands;
  p.jaxpr = with_interface(p.jaxpr, tightened(to, p.jaxpr, fed, true), e.operands, operands);
  e.operands = operands;
  e.params = ir::make_params(std::move(p));
}

// Of all other operations: each program's constants are the next of the leading operands.
void tighten_captures(const Rewriter& to, Equation& e) {
  Atoms operands;
  std::size_t next = 0;
  const auto tighten = [&](const Jaxpr& program) {
    const std::span<const Atom> captures = std::span<const Atom>(e.operands).subspan(next, program.num_consts());
    next += captures.size();
    const Fed fed = first_of(captures, captures.size(), program.num_inputs());
    return with_interface(program, tightened(to, program, fed, true), captures, operands);
  };
  e.params = e.params->with_programs({tighten, false});
  operands.append(e.operands.begin() + next, e.operands.end());
  e.operands = operands;
}

void tighten(const Rewriter& to, Equation& e) {
  switch (e.op) {
    case OpCode::kCase: return tighten_case(to, e);
    case OpCode::kScan: return tighten_scan(to, e);
    case OpCode::kWhile:
    case OpCode::kGenericReduce:
    case OpCode::kGenericReduceWindow:
    case OpCode::kGenericSort:
    case OpCode::kGenericScatter:
    case OpCode::kGenericSelectAndScatter: return tighten_captures(to, e);
    default: return;  // Calls share their programs; captures of custom functions are those of their rules, too.
  }
}

// ---- loops: what stays the same all the way ----

// Whether output `i` of a loop's body, the next value of its input `first + i`, is what that was at the beginning.
bool is_invariant(const Rewriter& to, const Jaxpr& body, std::size_t i, std::size_t first,
                  std::span<const Atom> captures, Atom initial) {
  const Atom next = body.outputs()[i];
  if (next.is_literal()) return to.literal(initial) && *to.literal(initial) == body.literal(next);
  return next.index() == first + i || (next.index() < first && captures[next.index()] == initial);
}

// The inputs of a loop's program that has `first` constants, then carried values: those that `constant` marks become
// constants, behind the others.
std::vector<std::size_t> with_constants(const Jaxpr& program, std::size_t first, const Mask& constant) {
  std::vector<std::size_t> order(first);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (const bool chosen : {true, false})
    for (std::size_t i = first; i < program.num_inputs(); ++i)
      if ((i - first < constant.size() && constant[i - first]) == chosen) order.push_back(i);
  return order;
}

std::size_t count(const Mask& m) { return static_cast<std::size_t>(std::count(m.begin(), m.end(), true)); }

// What a loop that never takes a step gives: what it was given.
std::optional<Atoms> without_steps(Rewriter& to, const Equation& e) {
  std::size_t first = 0, num_carry = e.types.size();
  if (e.op == OpCode::kScan) {
    const auto& p = e.params_as<ScanParams>();
    if (p.length > 0) return std::nullopt;
    first = p.jaxpr.num_consts();
    num_carry = static_cast<std::size_t>(p.num_carry);
  } else if (e.op == OpCode::kWhile) {
    const auto& p = e.params_as<WhileParams>();
    const Atom goes_on = p.cond_jaxpr.outputs()[0];
    const bool never = goes_on.is_literal() && is_number(p.cond_jaxpr.literal(goes_on), 0);
    if (!never || ir::has_effects(p.cond_jaxpr)) return std::nullopt;
    first = p.cond_jaxpr.num_consts() + p.body_jaxpr.num_consts();
  } else {
    return std::nullopt;
  }
  Atoms results;
  for (std::size_t k = 0; k < e.types.size(); ++k)
    results.push_back(k < num_carry ? e.operands[first + k] : to.literal(Literal{e.types[k]}));
  return results;
}

// What a loop becomes: fewer carried values and results. `known[k]` is result k where the loop does not give it.
using Known = std::vector<std::optional<Atom>>;

Known known_of_scan(Rewriter& to, Equation& e) {
  ScanParams p = e.params_as<ScanParams>();
  const Jaxpr body = p.jaxpr;
  const std::size_t first = body.num_consts(), num_carry = static_cast<std::size_t>(p.num_carry);
  Known known(e.types.size());
  const std::span<const Atom> captures = std::span<const Atom>(e.operands).first(first);
  Mask constant(num_carry, false);
  for (std::size_t i = 0; i < num_carry; ++i) {
    const Atom initial = e.operands[first + i];
    constant[i] = is_invariant(to, body, i, first, captures, initial);
    if (constant[i]) known[i] = initial;
  }
  // Stacked results that the body does not compute: the same at each step, or what is scanned over.
  for (std::size_t k = num_carry; k < known.size(); ++k) {
    const Atom y = body.outputs()[k];
    if (y.is_literal()) {
      known[k] = to.literal(reshaped(body.literal(y), e.types[k]));
    } else if (y.index() < first) {
      Dims dims = all_axes(static_cast<std::size_t>(e.types[k].ndim()));
      dims.erase(dims.begin());
      known[k] = broadcast(to, captures[y.index()], e.types[k].shape(), dims);
    } else if (y.index() >= first + num_carry && y.index() < body.num_inputs()) {
      known[k] = e.operands[y.index()];
    }
    if (known[k] && to.aval(*known[k]) != e.types[k]) known[k].reset();
  }

  Interface interface(body);
  for (std::size_t k = 0; k < known.size(); ++k) interface.outputs[k] = !known[k];
  if (interface.keeps_all()) return known;
  const std::size_t num_consts = first + count(constant);
  const std::vector<std::size_t> order = with_constants(body, first, constant);
  p.jaxpr = with_interface(body, interface, order, num_consts);
  p.num_carry -= static_cast<std::int64_t>(count(constant));
  Atoms operands;
  for (const std::size_t i : order) operands.push_back(e.operands[i]);
  e.operands = operands;
  e.params = ir::make_params(std::move(p));
  return known;
}

Known known_of_while(Rewriter& to, Equation& e) {
  WhileParams p = e.params_as<WhileParams>();
  const Jaxpr cond = p.cond_jaxpr, body = p.body_jaxpr;
  const std::size_t num_cond = cond.num_consts(), num_body = body.num_consts();
  const std::span<const Atom> all(e.operands);
  const auto of_cond = all.first(num_cond), of_body = all.subspan(num_cond, num_body),
             carried = all.subspan(num_cond + num_body);
  Known known(e.types.size());
  Mask constant(carried.size(), false);
  for (std::size_t i = 0; i < carried.size(); ++i) {
    // Errors number the steps by the first carried value.
    if (i == 0 && p.number == IterationNumber::kCarried) continue;
    constant[i] = is_invariant(to, body, i, num_body, of_body, carried[i]);
    if (constant[i]) known[i] = carried[i];
  }
  if (count(constant) == 0) return known;
  Interface of_new_body(body);
  for (std::size_t i = 0; i < constant.size(); ++i) of_new_body.outputs[i] = !constant[i];
  p.cond_jaxpr =
      with_interface(cond, Interface(cond), with_constants(cond, num_cond, constant), num_cond + count(constant));
  p.body_jaxpr =
      with_interface(body, of_new_body, with_constants(body, num_body, constant), num_body + count(constant));
  Atoms operands;
  for (const auto& captures : {of_cond, of_body}) {
    operands.append(captures.begin(), captures.end());
    for (std::size_t i = 0; i < carried.size(); ++i)
      if (constant[i]) operands.push_back(carried[i]);
  }
  for (std::size_t i = 0; i < carried.size(); ++i)
    if (!constant[i]) operands.push_back(carried[i]);
  e.operands = operands;
  e.params = ir::make_params(std::move(p));
  return known;
}

// ---- case: a branch that is known ----

// The branch that always runs, or null.
const Jaxpr* only_branch(const Rewriter& to, const Equation& e) {
  const std::vector<Jaxpr>& branches = e.params_as<CaseParams>().branches;
  if (const Literal* index = to.literal(e.operands[0])) {
    for (std::size_t b = 0; b + 1 < branches.size(); ++b)
      if (is_number(*index, static_cast<double>(b))) return &branches[b];
    return &branches.back();
  }
  const bool same = std::all_of(branches.begin(), branches.end(), [&](const Jaxpr& b) { return b == branches[0]; });
  return same ? &branches[0] : nullptr;
}

}  // namespace

Atoms write_with_programs(Rewriter& to, Equation e) {
  const auto simplified = [&](const Jaxpr& program) { return to.simplified(program); };
  const auto run_only = [&](const Jaxpr& branch) {
    return to.append(simplified(branch), std::span<const Atom>(e.operands).subspan(1));
  };
  if (e.op == OpCode::kCase)
    if (const Jaxpr* branch = only_branch(to, e)) return run_only(*branch);
  tighten(to, e);
  e.params = e.params->with_programs({simplified, false});
  if (e.op == OpCode::kCase)
    if (const Jaxpr* branch = only_branch(to, e)) return run_only(*branch);

  if (const auto results = without_steps(to, e)) return *results;
  Known known(e.types.size());
  if (!may_refuse(e.op, e.params.get())) {
    if (e.op == OpCode::kScan) known = known_of_scan(to, e);
    if (e.op == OpCode::kWhile) known = known_of_while(to, e);
  }
  const bool effects = ir::has_effects(e.op, e.params.get());
  const bool all_known = std::all_of(known.begin(), known.end(), [](const auto& v) { return v.has_value(); });
  Atoms given;
  if (!all_known || effects) {
    Avals types;
    for (std::size_t k = 0; k < known.size(); ++k)
      if (!known[k]) types.push_back(e.types[k]);
    e.types = types;
    if (e.op == OpCode::kScan) make_slices_inside(to, e, known);
    if (e.op == OpCode::kScan || e.op == OpCode::kWhile) hoist_invariants(to, e);
    tighten(to, e);
    given = to.write_as_is(std::move(e));
  }
  Atoms results;
  std::size_t next = 0;
  for (const auto& value : known) results.push_back(value ? *value : given[next++]);
  return results;
}

}  // namespace weft::compiler::simplifying
