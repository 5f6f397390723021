#include "weft/compiler/procedure.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "weft/base/error.h"
#include "weft/compiler/epilogue.h"
#include "weft/compiler/jaxpr_edit.h"
#include "weft/compiler/memory_plan.h"
#include "weft/compiler/reduction_tree.h"
#include "weft/compiler/simplify_narrow.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/custom_rules.h"
#include "weft/ir/nested.h"
#include "weft/ir/programs.h"
#include "weft/ir/shape.h"

namespace weft::compiler {

namespace {

// Larger literals that an operation wants in memory are written there when the program runs.
constexpr std::int64_t kMostLiteralBytes = 4096;

// The program with such literals made by equations.
ir::Jaxpr with_literals_made(const ir::Jaxpr& jaxpr) {
  const auto large = [&](const ir::Eqn& e, ir::Atom a) {
    return a.is_literal() && jaxpr.aval(a).bytes() > kMostLiteralBytes && !ir::op_info(e.op).elementwise;
  };
  bool any = false;
  for (const ir::Eqn& e : jaxpr.eqns())
    for (const ir::Atom a : jaxpr.operands(e)) any = any || large(e, a);
  if (!any) return jaxpr;
  JaxprEdit edit(jaxpr);
  for (const ir::Eqn& e : jaxpr.eqns()) {
    edit.at(e);
    SmallVector<ir::Atom, 6> operands;
    for (const ir::Atom a : jaxpr.operands(e)) {
      if (!large(e, a)) {
        operands.push_back(edit.now(a));
        continue;
      }
      ir::Literal scalar = jaxpr.literal(a);
      const Aval whole = scalar.aval;
      scalar.aval = whole.with_shape({});
      operands.push_back(edit.make(OpCode::kBroadcastInDim,
                                   ir::make_params(BroadcastInDimParams{{}, Dims(whole.shape())}),
                                   {edit.literal(scalar)}));
    }
    edit.keep(operands);
  }
  return edit.finish();
}

// The program as it is scheduled.
ir::Jaxpr prepared(const ir::Jaxpr& jaxpr, EvaluateOp evaluate) {
  ir::Jaxpr program = with_reduction_trees(simplify(ir::inline_calls(jaxpr), evaluate));
  const auto reduces = [](const ir::Eqn& e) { return e.op == OpCode::kReduce; };
  // What a slice takes of sums over columns can be computed alone, now that their order does not depend on the others.
  if (std::any_of(program.eqns().begin(), program.eqns().end(), reduces)) program = simplifying::narrow(program, true);
  return with_literals_made(program);
}

class ProgramBuilder {
 public:
  ProgramBuilder(const Target& target, EvaluateOp evaluate) : target_(target), evaluate_(evaluate) {}

  std::uint32_t build(const ir::Jaxpr& jaxpr, const Reuse& reuse, const SourceLocation& location) {
    const Key key{jaxpr.id(), reuse.replaces};  // donated inputs are of the outermost program alone
    if (const auto it = built_.find(key); it != built_.end()) return it->second;
    auto procedure = std::make_unique<Procedure>();
    procedure->location = location;
    procedure->jaxpr = prepared(jaxpr, evaluate_);
    procedure->schedule = schedule(procedure->jaxpr, target_);
    for (const Schedule::Statement& s : procedure->schedule.statements) {
      if (s.kind != Schedule::Statement::Kind::kOp) continue;
      const ir::Eqn& e = procedure->jaxpr.eqns()[s.index];
      if (!ir::runs_programs(e.op)) {
        procedure->has_steps = true;
        continue;
      }
      Procedure::Nested nested = build_nested(e, procedure->location_of(e));
      for (const std::uint32_t n : nested.procedures)
        procedure->has_steps = procedure->has_steps || program_.procedures[n]->has_steps;
      if (e.op == OpCode::kWhile && ir::params_as<WhileParams>(e.params.get()).max_steps) procedure->has_steps = true;
      procedure->nested.emplace(s.index, std::move(nested));
    }
    plan_memory(*procedure, program_, target_, reuse);
    find_epilogues(*procedure, target_);
    program_.procedures.push_back(std::move(procedure));
    const auto index = static_cast<std::uint32_t>(program_.procedures.size() - 1);
    built_.emplace(key, index);
    kept_.push_back(jaxpr);
    return index;
  }

  Program finish() { return std::move(program_); }

 private:
  using Key = std::pair<const ir::JaxprData*, std::vector<std::int64_t>>;

  Procedure::Nested build_nested(const ir::Eqn& e, const SourceLocation& location) {
    Procedure::Nested nested;
    const auto loop = [&](const ir::Jaxpr& body, std::size_t carry) {
      Reuse reuse{std::vector<std::int64_t>(body.outputs().size(), -1)};
      for (std::size_t c = 0; c < carry; ++c) reuse.replaces[c] = static_cast<std::int64_t>(body.num_consts() + c);
      nested.procedures.push_back(build(body, reuse, location));
    };
    switch (e.op) {
      case OpCode::kCase:
        for (const ir::Jaxpr& b : ir::params_as<CaseParams>(e.params.get()).branches)
          nested.procedures.push_back(build(b, {}, location));
        return nested;
      case OpCode::kScan: {
        const auto& p = ir::params_as<ScanParams>(e.params.get());
        loop(p.jaxpr, static_cast<std::size_t>(p.num_carry));
        return nested;
      }
      case OpCode::kWhile: {
        const auto& p = ir::params_as<WhileParams>(e.params.get());
        nested.procedures.push_back(build(p.cond_jaxpr, {}, location));
        loop(p.body_jaxpr, p.body_jaxpr.outputs().size());
        return nested;
      }
      case OpCode::kCall:
        nested.procedures.push_back(build(ir::params_as<CallParams>(e.params.get()).jaxpr, {}, location));
        break;
      case OpCode::kCheckpoint:
        nested.procedures.push_back(build(ir::params_as<CheckpointParams>(e.params.get()).jaxpr, {}, location));
        break;
      case OpCode::kComposite:
        nested.procedures.push_back(build(ir::params_as<CompositeParams>(e.params.get()).decomposition, {}, location));
        break;
      default: {
        const ir::Jaxpr* program = ir::custom_program(e.op, e.params.get());
        internal_check(program != nullptr, "make_program: an operation without a program");
        nested.procedures.push_back(build(*program, {}, location));
      }
    }
    return nested;
  }

  const Target& target_;
  EvaluateOp evaluate_;
  Program program_;
  std::map<Key, std::uint32_t> built_;
  std::vector<ir::Jaxpr> kept_;  // alive, so that their identities stay theirs
};

}  // namespace

namespace {

std::string place_str(const Procedure& p, ir::Atom a) {
  const ir::Atom m = a.is_literal() ? a : p.schedule.memory[a.index()];
  if (m.is_literal()) return "literal" + std::to_string(m.index());
  const Place& place = p.places[m.index()];
  switch (place.kind) {
    case Place::Kind::kInput: return "in" + std::to_string(place.at);
    case Place::Kind::kOutput: return "out" + std::to_string(place.at);
    case Place::Kind::kWorkspace: return "ws+" + std::to_string(place.at);
    case Place::Kind::kNone: break;
  }
  return "nothing";
}

std::string typed(const Procedure& p, ir::Atom a) { return place_str(p, a) + ":" + p.jaxpr.aval(a).str(); }

std::string procedure_str(const Procedure& p) {
  std::string s = "workspace " + std::to_string(p.workspace) + "\n";
  for (const Schedule::Statement& st : p.schedule.statements) {
    switch (st.kind) {
      case Schedule::Statement::Kind::kKernel: {
        const Kernel& k = p.schedule.kernels[st.index];
        if (p.epilogues[static_cast<std::size_t>(&st - p.schedule.statements.data())]) s += "epilogue ";
        s += k.str();
        for (std::size_t b = 0; b < k.buffers.size(); ++b)
          s += "  b" + std::to_string(b) + " is " + typed(p, ir::Atom::var(k.buffers[b].var)) + "\n";
        break;
      }
      case Schedule::Statement::Kind::kUpdate:
        s += "copy " + typed(p, ir::Atom::var(st.var)) + " <- " + typed(p, st.from) + "\n";
        break;
      case Schedule::Statement::Kind::kOp: {
        const ir::Eqn& e = p.jaxpr.eqns()[st.index];
        s += std::string(ir::op_name(e.op));
        for (const ir::Atom a : p.jaxpr.operands(e)) s += " " + typed(p, a);
        s += " ->";
        for (ir::Var v = e.out_begin; v < e.out_end; ++v) s += " " + typed(p, ir::Atom::var(v));
        if (const auto it = p.nested.find(st.index); it != p.nested.end()) {
          s += " by procedures";
          for (const std::uint32_t n : it->second.procedures) s += " " + std::to_string(n);
          s += ", workspace at " + std::to_string(it->second.workspace);
        }
        s += "\n";
        break;
      }
    }
  }
  s += "outputs";
  constexpr const char* kKinds[] = {"made", "input", "replaces", "output", "literal"};
  for (const Procedure::Output& o : p.outputs)
    s += " " + std::string(kKinds[static_cast<int>(o.kind)]) +
         (o.kind == Procedure::Output::Kind::kMade ? "" : std::to_string(o.index));
  return s + "\n";
}

}  // namespace

std::string Program::str() const {
  std::string s;
  for (std::size_t i = 0; i < procedures.size(); ++i)
    s += "procedure " + std::to_string(i) + ": " + procedure_str(*procedures[i]);
  return s;
}

std::int64_t literal_bytes(const Program& program) {
  std::int64_t bytes = 0;
  for (const std::unique_ptr<Procedure>& p : program.procedures) {
    std::set<std::uint32_t> read;
    const auto add = [&](ir::Atom a) {
      if (!a.is_literal()) a = p->schedule.memory[a.index()];
      if (a.is_literal() && read.insert(a.index()).second) bytes += p->jaxpr.aval(a).bytes();
    };
    for (const Schedule::Statement& s : p->schedule.statements) {
      if (s.kind == Schedule::Statement::Kind::kUpdate) add(s.from);
      if (s.kind == Schedule::Statement::Kind::kOp)
        for (const ir::Atom a : p->jaxpr.operands(p->jaxpr.eqns()[s.index])) add(a);
    }
    for (const ir::Atom a : p->jaxpr.outputs()) add(a);
  }
  return bytes;
}

Program make_program(const ir::Jaxpr& jaxpr, const Target& target, EvaluateOp evaluate,
                     std::span<const std::uint32_t> donated) {
  ProgramBuilder builder(target, evaluate);
  builder.build(jaxpr, {.donated = {donated.begin(), donated.end()}}, SourceLocation());
  return builder.finish();
}

}  // namespace weft::compiler
