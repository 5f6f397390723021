#include "weft/compiler/procedure.h"

#include <algorithm>
#include <unordered_map>

#include "weft/base/error.h"
#include "weft/compiler/arena.h"
#include "weft/compiler/jaxpr_edit.h"
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
    SmallVector<ir::Atom, 6> operands;
    for (const ir::Atom a : jaxpr.operands(e)) {
      if (!large(e, a)) {
        operands.push_back(edit.now(a));
        continue;
      }
      ir::Literal scalar = jaxpr.literal(a);
      const Aval whole = scalar.aval;
      scalar.aval = whole.with_shape({});
      operands.push_back(edit.add(e, OpCode::kBroadcastInDim,
                                  ir::make_params(BroadcastInDimParams{{}, Dims(whole.shape())}),
                                  {edit.literal(scalar)}, whole));
    }
    edit.keep(e, operands);
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

// Decides where the values of one procedure are.
class MemoryPlan {
 public:
  using Statement = Schedule::Statement;

  MemoryPlan(Procedure& procedure, const Program& program, const Target& target, std::span<const std::int64_t> replaces)
      : p_(procedure), program_(program), target_(target), replaces_(replaces), lives_(procedure.jaxpr.num_vars()) {}

  void run() {
    const ir::Jaxpr& j = p_.jaxpr;
    p_.places.resize(j.num_vars());
    p_.overwrites.assign(j.num_inputs(), false);
    for (std::size_t i = 0; i < j.num_inputs(); ++i) p_.places[i] = {Place::Kind::kInput, static_cast<std::int64_t>(i)};
    find_lives();
    find_outputs();
    std::vector<std::vector<ir::Var>> dying(p_.schedule.statements.size());
    for (ir::Var v = 0; v < j.num_vars(); ++v)
      if (lives_[v].last >= 0 && lives_[v].last < kEnd) dying[static_cast<std::size_t>(lives_[v].last)].push_back(v);
    for (std::size_t t = 0; t < p_.schedule.statements.size(); ++t) {
      const Statement& s = p_.schedule.statements[t];
      for_each_access(s, [&](ir::Var v, bool written) {
        if (written && p_.places[v].kind == Place::Kind::kNone) give_place(v, t, dying[t]);
      });
      Procedure::Nested* nested = nullptr;
      if (s.kind == Statement::Kind::kOp) {
        const auto it = p_.nested.find(s.index);
        if (it != p_.nested.end()) nested = &it->second;
      }
      const SmallVector<Block, 4> blocks = nested ? place_nested(*nested, j.eqns()[s.index]) : SmallVector<Block, 4>{};
      for (const Block& b : blocks) arena_.give_back(b.at, b.bytes);
      for (const ir::Var v : dying[t])
        if (!taken_[v] && p_.places[v].kind == Place::Kind::kWorkspace) arena_.give_back(p_.places[v].at, bytes_of(v));
    }
    p_.workspace = arena_.size();
    for (std::size_t i = 0; i < p_.outputs.size(); ++i) {
      Procedure::Output& o = p_.outputs[i];
      if (o.kind != Procedure::Output::Kind::kMade) continue;
      const Place& place = p_.places[p_.schedule.memory[j.outputs()[i].index()].index()];
      if (place.kind == Place::Kind::kInput)
        o = {Procedure::Output::Kind::kReplaced, static_cast<std::uint32_t>(place.at)};
    }
  }

 private:
  static constexpr std::int64_t kEnd = std::int64_t{1} << 60;
  struct Life {
    std::int64_t first = -1, last = -1;  // statements
  };
  struct Block {
    std::int64_t at, bytes;
  };

  std::int64_t bytes_of(ir::Var v) const { return p_.jaxpr.aval(v).bytes(); }

  // f(variable whose memory is accessed, whether written)
  template <class F>
  void for_each_access(const Statement& s, F f) const {
    const ir::Jaxpr& j = p_.jaxpr;
    const auto read = [&](ir::Atom a) {
      if (a.is_literal()) return;
      const ir::Atom m = p_.schedule.memory[a.index()];
      if (!m.is_literal()) f(m.index(), false);
    };
    switch (s.kind) {
      case Statement::Kind::kKernel:
        for (const Kernel::Buffer& b : p_.schedule.kernels[s.index].buffers) f(b.var, b.written);
        return;
      case Statement::Kind::kOp:
        for (const ir::Atom a : j.operands(j.eqns()[s.index])) read(a);
        for (ir::Var v = j.eqns()[s.index].out_begin; v < j.eqns()[s.index].out_end; ++v) f(v, true);
        return;
      case Statement::Kind::kUpdate:
        read(s.from);
        f(s.var, true);
        return;
    }
  }

  void find_lives() {
    for (std::size_t t = 0; t < p_.schedule.statements.size(); ++t)
      for_each_access(p_.schedule.statements[t], [&](ir::Var v, bool written) {
        if (written && lives_[v].first < 0) lives_[v].first = static_cast<std::int64_t>(t);
        lives_[v].last = static_cast<std::int64_t>(t);
      });
    taken_.assign(lives_.size(), false);
  }

  void find_outputs() {
    const ir::Jaxpr& j = p_.jaxpr;
    output_of_.assign(j.num_vars(), -1);
    for (std::size_t i = 0; i < j.outputs().size(); ++i) {
      const ir::Atom out = j.outputs()[i];
      const ir::Atom m = out.is_literal() ? out : p_.schedule.memory[out.index()];
      using Kind = Procedure::Output::Kind;
      if (m.is_literal()) {
        p_.outputs.push_back({Kind::kLiteral, m.index()});
        continue;
      }
      const ir::Var v = m.index();
      lives_[v].last = kEnd;
      if (v < j.num_inputs()) {
        p_.outputs.push_back({Kind::kInput, v});
      } else if (output_of_[v] >= 0) {
        p_.outputs.push_back({Kind::kOutput, static_cast<std::uint32_t>(output_of_[v])});
      } else {
        output_of_[v] = static_cast<std::int64_t>(i);
        p_.outputs.push_back({});
        // Nothing computes what has no elements.
        if (lives_[v].first < 0) p_.places[v] = {Place::Kind::kOutput, static_cast<std::int64_t>(i)};
      }
    }
  }

  void give_place(ir::Var v, std::size_t t, std::span<const ir::Var> dying) {
    const Statement& s = p_.schedule.statements[t];
    if (s.kind == Statement::Kind::kUpdate) {
      const ir::Atom from = s.from.is_literal() ? s.from : p_.schedule.memory[s.from.index()];
      if (!from.is_literal() && needs_no_copy(v, from.index(), t) && take_place(v, from.index())) return;
    }
    for (const ir::Var d : dying)
      if (lives_[d].first != static_cast<std::int64_t>(t) && may_take(v, d, t) && take_place(v, d)) return;
    const std::int64_t out = output_of_[v];
    if (out >= 0)
      p_.places[v] = {Place::Kind::kOutput, out};
    else
      p_.places[v] = {Place::Kind::kWorkspace, arena_.take(bytes_of(v))};
  }

  bool take_place(ir::Var v, ir::Var d) {
    const std::int64_t out = output_of_[v];
    const Place& place = p_.places[d];
    if (taken_[d] || bytes_of(d) != bytes_of(v) || bytes_of(v) == 0) return false;
    // Element i must be where element i was.
    if (byte_size(p_.jaxpr.aval(d).dtype()) != byte_size(p_.jaxpr.aval(v).dtype())) return false;
    if (place.kind != Place::Kind::kWorkspace && !may_overwrite(place)) return false;
    // An output is in its own memory, or in that of the input which it replaces.
    if (out >= 0 && !(place.kind == Place::Kind::kInput && replaced_by(out) == place.at)) return false;
    taken_[d] = true;
    p_.places[v] = place;
    if (place.kind == Place::Kind::kInput) p_.overwrites[static_cast<std::size_t>(place.at)] = true;
    return true;
  }

  std::int64_t replaced_by(std::int64_t output) const {
    return replaces_.empty() ? -1 : replaces_[static_cast<std::size_t>(output)];
  }
  bool may_overwrite(const Place& place) const {
    return place.kind == Place::Kind::kInput &&
           std::find(replaces_.begin(), replaces_.end(), place.at) != replaces_.end();
  }

  // Whether `v`, first written in statement t, may be where `d` is, which is not used after it.
  bool may_take(ir::Var v, ir::Var d, std::size_t t) const {
    const Statement& s = p_.schedule.statements[t];
    const ir::Jaxpr& j = p_.jaxpr;
    switch (s.kind) {
      case Statement::Kind::kKernel: return reads_where_it_writes(p_.schedule.kernels[s.index], v, d);
      case Statement::Kind::kUpdate: return false;  // needs_no_copy
      case Statement::Kind::kOp: {
        const ir::Eqn& e = j.eqns()[s.index];
        const auto nested = p_.nested.find(s.index);
        if (nested == p_.nested.end())
          return v == e.out_begin && is_only_operand(e, 0, d) && updates_in_place(target_, j, e);
        // A loop's carried value, where the body replaces it.
        if (e.op != OpCode::kScan && e.op != OpCode::kWhile) return false;
        const std::size_t carried = v - e.out_begin;
        const Carry carry = carry_of(e);
        if (carried >= carry.count || !replaced(nested->second, carried)) return false;
        return is_only_operand(e, carry.first + carried, d);
      }
    }
    return false;
  }

  // Whether `v`, a copy of `d` of which a part is written next, needs no copy: `d` is not read after statement t, or
  // only by the kernel that writes the part, where it writes.
  bool needs_no_copy(ir::Var v, ir::Var d, std::size_t t) const {
    const std::int64_t last = lives_[d].last;
    if (last == static_cast<std::int64_t>(t)) return true;
    for (std::size_t w = t + 1; w < p_.schedule.statements.size() && static_cast<std::int64_t>(w) <= last; ++w) {
      const Statement& s = p_.schedule.statements[w];
      bool writes = false;
      for_each_access(s, [&](ir::Var u, bool written) { writes = writes || (u == v && written); });
      if (!writes) continue;
      return last == static_cast<std::int64_t>(w) && s.kind == Statement::Kind::kKernel &&
             reads_where_it_writes(p_.schedule.kernels[s.index], v, d);
    }
    return false;
  }

  // Whether operand i of the equation is in the memory of `d`, and no other operand is.
  bool is_only_operand(const ir::Eqn& e, std::size_t i, ir::Var d) const {
    const std::span<const ir::Atom> operands = p_.jaxpr.operands(e);
    std::size_t uses = 0;
    for (const ir::Atom a : operands) uses += memory_is(a, d);
    return uses == 1 && memory_is(operands[i], d);
  }
  bool memory_is(ir::Atom a, ir::Var v) const {
    return !a.is_literal() && p_.schedule.memory[a.index()] == ir::Atom::var(v);
  }

  // Whether the kernel reads of `d` only the element that it writes of `v`, before it writes that.
  static bool reads_where_it_writes(const Kernel& k, ir::Var v, ir::Var d) {
    const Affine* to = nullptr;
    std::uint16_t phase = 0;
    for (const Kernel::Store& s : k.stores) {
      if (k.buffers[s.buffer].var != v) continue;
      if (to) return false;
      to = &s.at;
      phase = k.body[s.value].phase;
    }
    if (!to) return false;
    if (phase + 1u != k.phases()) return false;
    for (const Instr& i : k.body)
      if (i.kind == Instr::Kind::kLoad && k.buffers[i.buffer].var == d && !(i.at == *to)) return false;
    return true;
  }

  struct Carry {
    std::size_t first, count;  // among the operands
  };
  static Carry carry_of(const ir::Eqn& e) {
    if (e.op == OpCode::kScan) {
      const auto& p = ir::params_as<ScanParams>(e.params.get());
      return {p.jaxpr.num_consts(), static_cast<std::size_t>(p.num_carry)};
    }
    const auto& p = ir::params_as<WhileParams>(e.params.get());
    return {p.cond_jaxpr.num_consts() + p.body_jaxpr.num_consts(), e.out_end - e.out_begin};
  }
  bool replaced(const Procedure::Nested& nested, std::size_t carried) const {
    const Procedure& body = *program_.procedures[nested.procedures.back()];
    return body.outputs[carried].kind == Procedure::Output::Kind::kReplaced;
  }

  SmallVector<Block, 4> place_nested(Procedure::Nested& nested, const ir::Eqn& e) {
    SmallVector<Block, 4> blocks;
    const auto take = [&](std::int64_t bytes) {
      const std::int64_t at = arena_.take(bytes);
      blocks.push_back({at, bytes});
      return at;
    };
    std::int64_t workspace = 0;
    for (const std::uint32_t p : nested.procedures) workspace = std::max(workspace, program_.procedures[p]->workspace);
    nested.workspace = take(workspace);
    if (e.op != OpCode::kScan && e.op != OpCode::kWhile) return blocks;
    if (e.op == OpCode::kWhile) nested.flag = take(1);
    for (std::size_t c = 0; c < carry_of(e).count; ++c)
      nested.spare.push_back(replaced(nested, c) ? -1 : take(bytes_of(e.out_begin + static_cast<ir::Var>(c))));
    return blocks;
  }

  Procedure& p_;
  const Program& program_;
  const Target& target_;
  std::span<const std::int64_t> replaces_;
  std::vector<Life> lives_;
  std::vector<bool> taken_;
  std::vector<std::int64_t> output_of_;
  Arena arena_;
};

class ProgramBuilder {
 public:
  ProgramBuilder(const Target& target, EvaluateOp evaluate) : target_(target), evaluate_(evaluate) {}

  // `replaces[j]`: the input whose memory output j may take, or -1; empty: none may.
  std::uint32_t build(const ir::Jaxpr& jaxpr, std::span<const std::int64_t> replaces, const SourceLocation& location) {
    const Key key{jaxpr.id(), {replaces.begin(), replaces.end()}};
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
    MemoryPlan(*procedure, program_, target_, replaces).run();
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
      std::vector<std::int64_t> replaces(body.outputs().size(), -1);
      for (std::size_t c = 0; c < carry; ++c) replaces[c] = static_cast<std::int64_t>(body.num_consts() + c);
      nested.procedures.push_back(build(body, replaces, location));
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

Program make_program(const ir::Jaxpr& jaxpr, const Target& target, EvaluateOp evaluate) {
  ProgramBuilder builder(target, evaluate);
  builder.build(jaxpr, {}, SourceLocation());
  return builder.finish();
}

}  // namespace weft::compiler
