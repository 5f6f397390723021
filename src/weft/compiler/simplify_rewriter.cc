#include "weft/compiler/simplify_rewriter.h"

#include <algorithm>
#include <array>

#include "weft/compiler/simplify_literal.h"
#include "weft/compiler/simplify_programs.h"
#include "weft/ir/builder.h"
#include "weft/ir/elementwise.h"

namespace weft::compiler::simplifying {

namespace {

constexpr std::uint32_t kInput = ~std::uint32_t{0};
// How deep rules write what goes through rules. Deeper, equations are written as they are, and the next round goes on.
constexpr int kDeepest = 32;

// By operation: what is true of numbers, and what is true of elements, whatever they mean.
struct RulesOfOp {
  std::vector<Rule> of_numbers, of_places;
};
const RulesOfOp& rules_of(OpCode op) {
  static const auto table = [] {
    std::array<RulesOfOp, kNumOps> t;
    const auto of = [&](OpCode code) -> RulesOfOp& { return t[static_cast<std::size_t>(code)]; };
    for (const RuleOf& r : arithmetic_rules()) of(r.op).of_numbers.push_back(r.rule);
    for (const auto& rules : {shape_rules(), part_rules(), contraction_rules()})
      for (const RuleOf& r : rules) of(r.op).of_places.push_back(r.rule);
    return t;
  }();
  return table[static_cast<std::size_t>(op)];
}

// Whether op(x, y) = op(y, x) to the bit.
bool commutes(const Equation& e) {
  switch (e.op) {
    case OpCode::kAdd:
    case OpCode::kAnd:
    case OpCode::kOr:
    case OpCode::kXor: return true;
    case OpCode::kMultiply:
    case OpCode::kMaximum:
    case OpCode::kMinimum: return !is_complex(e.types[0].dtype());
    case OpCode::kCompare: {
      const ComparisonDirection d = usual_order(e.params_as<CompareParams>().direction);
      return d == ComparisonDirection::kEq || d == ComparisonDirection::kNe;
    }
    default: return false;
  }
}

std::uint64_t hash_of(const Equation& e) {
  const auto of = [](Atom a) { return hash_mix(a.is_literal(), a.index()); };
  std::uint64_t h = hash_mix(static_cast<std::uint64_t>(e.op), e.params ? e.params->hash() : 0);
  if (commutes(e)) return hash_mix(h, of(e.operands[0]) + of(e.operands[1]));
  for (const Atom a : e.operands) h = hash_mix(h, of(a));
  return h;
}

// Whether the operation may be found equal to another, and folded: it gives the same whenever it runs.
bool is_pure(OpCode op, const ir::ParamsBase* params) {
  return op != OpCode::kOptimizationBarrier && !ir::has_effects(op, params);
}

}  // namespace

bool Rewriter::ByContent::operator()(const Equation* a, const Equation* b) const {
  if (a->hash != b->hash || a->op != b->op || a->types != b->types || !ir::same_params(a->params, b->params))
    return false;
  if (a->operands == b->operands) return true;
  return commutes(*a) && a->operands[0] == b->operands[1] && a->operands[1] == b->operands[0];
}

std::size_t Rewriter::LiteralHash::operator()(const Literal& l) const {
  return hash_mix(l.aval.hash(), hash_bytes({reinterpret_cast<const char*>(l.value.data()), l.value.size()}));
}

const Equation* Rewriter::producer(Atom a) const {
  if (a.is_literal() || defined_by_[a.index()] == kInput) return nullptr;
  return &equations_[defined_by_[a.index()]];
}

const Equation* Rewriter::definition(Atom a, OpCode op) const {
  const Equation* e = producer(a);
  return e && e->op == op && e->types.size() == 1 ? e : nullptr;
}

Var Rewriter::define(Aval type, std::uint32_t equation) {
  avals_.push_back(type);
  defined_by_.push_back(equation);
  uses_.push_back(0);
  return static_cast<Var>(avals_.size() - 1);
}

Atom Rewriter::literal(const Literal& l) {
  const auto [it, is_new] = by_literal_.emplace(l, static_cast<std::uint32_t>(literals_.size()));
  if (is_new) literals_.push_back(l);
  return Atom::literal(it->second);
}

Atom Rewriter::make(OpCode op, Params params, const Atoms& operands) {
  Equation e{op, std::move(params), operands, {}, location_, scope_};
  Avals in;
  for (const Atom a : operands) in.push_back(aval(a));
  ir::infer(op, e.params.get(), in, e.types);
  internal_check(e.types.size() == 1, "simplify: a rule made an operation with several results");
  return write(std::move(e))[0];
}

Atoms Rewriter::write(Equation e) {
  if (is_pure(e.op, e.params.get())) {
    Atoms results;
    if (folded(e, results)) return results;
    if (const std::optional<Atom> value = by_rule(e)) return {*value};
  }
  return write_as_is(std::move(e));
}

Atoms Rewriter::write_as_is(Equation e) {
  const bool pure = is_pure(e.op, e.params.get());
  const Equation* found = nullptr;
  if (pure) {
    e.hash = hash_of(e);
    const auto it = by_content_.find(&e);
    if (it != by_content_.end()) found = *it;
  }
  if (!found) {
    const auto place = static_cast<std::uint32_t>(equations_.size());
    e.first = static_cast<Var>(avals_.size());
    for (const Aval t : e.types) define(t, place);
    equations_.push_back(std::move(e));
    found = &equations_.back();
    if (pure) by_content_.insert(found);
  }
  Atoms results;
  for (std::size_t k = 0; k < found->types.size(); ++k)
    results.push_back(Atom::var(found->first + static_cast<Var>(k)));
  return results;
}

std::optional<Atom> Rewriter::by_rule(const Equation& e) {
  if (e.types.size() != 1 || depth_ >= kDeepest) return std::nullopt;
  const RulesOfOp& rules = rules_of(e.op);
  const auto first_of = [&](std::span<const Rule> list) -> std::optional<Atom> {
    for (const Rule rule : list)
      if (const std::optional<Atom> value = rule(*this, e); value && aval(*value) == e.types[0]) return value;
    return std::nullopt;
  };
  bool stored = is_storage(e.types[0].dtype());
  for (const Atom a : e.operands) stored = stored || is_storage(aval(a).dtype());
  ++depth_;
  std::optional<Atom> value = first_of(rules.of_places);
  if (!value && !stored) value = first_of(rules.of_numbers);
  --depth_;
  return value;
}

// What is known before it runs: a result without elements, and that of literals, of which one element stands for all.
bool Rewriter::folded(const Equation& e, Atoms& results) {
  if (e.types.empty()) return false;
  if (std::all_of(e.types.begin(), e.types.end(), [](Aval t) { return t.size() == 0; })) {
    for (const Aval t : e.types) results.push_back(literal(Literal{t}));
    return true;
  }
  const bool known =
      !e.operands.empty() && std::all_of(e.operands.begin(), e.operands.end(), [](Atom a) { return a.is_literal(); });
  if (!known) return false;
  if (e.op == OpCode::kSplit) {
    for (const Aval t : e.types) results.push_back(literal(reshaped(literals_[e.operands[0].index()], t)));
    return true;
  }
  if (!ir::op_info(e.op).elementwise || e.types.size() != 1) return false;
  const auto scalar = [](Aval t) { return Aval(t.dtype(), DimSpan()); };
  SmallVector<TensorView, 3> in;
  for (const Atom a : e.operands) {
    const Literal& l = literals_[a.index()];
    in.push_back({scalar(l.aval), l.value.data()});
  }
  Literal value{e.types[0]};
  const MutableTensorView out{scalar(e.types[0]), value.value.data()};
  evaluate_(e.op, e.params.get(), in, {&out, 1});
  results.push_back(literal(value));
  return true;
}

Atoms Rewriter::append(const Jaxpr& program, std::span<const Atom> args) {
  std::vector<std::uint32_t> uses(program.num_vars(), 0);
  const auto count = [&](Atom a) {
    if (!a.is_literal()) ++uses[a.index()];
  };
  for (const ir::Eqn& e : program.eqns())
    for (const Atom a : program.operands(e)) count(a);
  for (const Atom a : program.outputs()) count(a);

  std::vector<Atom> values(args.begin(), args.end());
  values.reserve(program.num_vars());
  const auto use = [&](Atom a) { return a.is_literal() ? literal(program.literal(a)) : values[a.index()]; };
  const auto expect = [&](Var v) {
    if (!values[v].is_literal()) uses_[values[v].index()] += uses[v];
  };
  for (Var v = 0; v < program.num_inputs(); ++v) expect(v);
  const auto outer = std::pair(location_, scope_);
  for (const ir::Eqn& e : program.eqns()) {
    std::tie(location_, scope_) = std::tie(e.location, e.scope);
    Equation next{e.op, e.params, {}, {}, e.location, e.scope};
    for (const Atom a : program.operands(e)) next.operands.push_back(use(a));
    for (Var v = e.out_begin; v < e.out_end; ++v) next.types.push_back(program.aval(v));
    const Atoms results = carries_programs(e.op) ? write_with_programs(*this, std::move(next)) : write(std::move(next));
    values.insert(values.end(), results.begin(), results.end());
    for (Var v = e.out_begin; v < e.out_end; ++v) expect(v);
  }
  std::tie(location_, scope_) = outer;
  Atoms outputs;
  for (const Atom a : program.outputs()) outputs.push_back(use(a));
  return outputs;
}

// What rules left behind is dropped on the way out.
Jaxpr Rewriter::finish(std::size_t num_consts, std::size_t num_inputs, std::span<const Atom> outputs) {
  std::vector<bool> needed(avals_.size(), false), live(equations_.size(), false);
  const auto need = [&](Atom a) {
    if (!a.is_literal()) needed[a.index()] = true;
  };
  for (const Atom a : outputs) need(a);
  for (std::size_t i = equations_.size(); i-- > 0;) {
    const Equation& e = equations_[i];
    live[i] = ir::has_effects(e.op, e.params.get());
    for (std::size_t k = 0; k < e.types.size(); ++k) live[i] = live[i] || needed[e.first + k];
    if (live[i])
      for (const Atom a : e.operands) need(a);
  }

  ir::JaxprBuilder builder;
  std::vector<Var> renamed(avals_.size()), consts, inputs;
  std::vector<std::optional<Atom>> literals(literals_.size());
  for (Var v = 0; v < num_inputs; ++v) {
    renamed[v] = builder.add_var(avals_[v]);
    (v < num_consts ? consts : inputs).push_back(renamed[v]);
  }
  const auto use = [&](Atom a) {
    if (!a.is_literal()) return Atom::var(renamed[a.index()]);
    std::optional<Atom>& l = literals[a.index()];
    if (!l) l = builder.add_literal(literals_[a.index()]);
    return *l;
  };
  Atoms operands;
  for (std::size_t i = 0; i < equations_.size(); ++i) {
    if (!live[i]) continue;
    const Equation& e = equations_[i];
    operands.clear();
    for (const Atom a : e.operands) operands.push_back(use(a));
    const Var out = builder.add_eqn(e.op, e.params, operands, e.types, e.location, e.scope);
    for (std::size_t k = 0; k < e.types.size(); ++k) renamed[e.first + k] = out + static_cast<Var>(k);
  }
  std::vector<Atom> results;
  for (const Atom a : outputs) results.push_back(use(a));
  return builder.build(consts, inputs, results);
}

Jaxpr Rewriter::rewrite(const Jaxpr& program) {
  std::vector<Atom> args;
  args.reserve(program.num_inputs());
  for (Var v = 0; v < program.num_inputs(); ++v) args.push_back(Atom::var(define(program.aval(v), kInput)));
  const Atoms outputs = append(program, args);
  Jaxpr made = finish(program.num_consts(), program.num_inputs(), outputs);
  return made == program ? program : made;
}

}  // namespace weft::compiler::simplifying
