#include "weft/compiler/memory_plan.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "weft/compiler/arena.h"
#include "weft/ir/builder.h"
#include "weft/ir/programs.h"

namespace weft::compiler {

namespace {

// Decides where the values of one procedure are.
class MemoryPlan {
 public:
  using Statement = Schedule::Statement;

  MemoryPlan(Procedure& procedure, const Program& program, const Target& target, const Reuse& reuse)
      : p_(procedure),
        program_(program),
        target_(target),
        replaces_(reuse.replaces),
        donated_(reuse.donated),
        lives_(procedure.jaxpr.num_vars()) {}

  void run() {
    const ir::Jaxpr& j = p_.jaxpr;
    p_.places.resize(j.num_vars());
    p_.overwrites.assign(j.num_inputs(), false);
    for (std::size_t i = 0; i < j.num_inputs(); ++i) p_.places[i] = {Place::Kind::kInput, static_cast<std::int64_t>(i)};
    find_lives();
    find_outputs();
    if (!donated_.empty()) pair_donated();
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
      if (nested) place_nested(*nested, j.eqns()[s.index], static_cast<std::int64_t>(t));
    }
    place_workspace();
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
    before_.assign(lives_.size(), -1);
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
    if (out < 0) {
      p_.places[v] = {Place::Kind::kWorkspace, new_block(bytes_of(v), static_cast<std::int64_t>(t), lives_[v].last)};
    } else if (const std::int64_t input = free_donated(v, t); input >= 0) {
      p_.places[v] = {Place::Kind::kInput, input};
      p_.overwrites[static_cast<std::size_t>(input)] = true;
      holder_[static_cast<std::size_t>(input)] = v;
    } else {
      p_.places[v] = {Place::Kind::kOutput, out};
      for (const ir::Var d : dying)
        if (lives_[d].first != static_cast<std::int64_t>(t) && make_in_output(v, d, t)) return;
    }
  }

  // What the output `v` takes the place of is made in the output's memory, and what that took the place of: nobody else
  // is there before.
  bool make_in_output(ir::Var v, ir::Var d, std::size_t t) {
    if (taken_[d] || p_.places[d].kind != Place::Kind::kWorkspace || bytes_of(v) == 0) return false;
    if (!same_size(v, d) || !may_take(v, d, t)) return false;
    Block& block = blocks_[static_cast<std::size_t>(p_.places[d].at)];
    block.bytes = block.most_live = 0;
    taken_[d] = true;
    for (std::int64_t u = d; u >= 0; u = before_[static_cast<std::size_t>(u)])
      p_.places[static_cast<ir::Var>(u)] = p_.places[v];
    return true;
  }

  // Pairs outputs with donated inputs: with what they are updates of, then those of the same type in their order, as
  // JAX does, then those of the same size.
  void pair_donated() {
    replaces_.assign(p_.outputs.size(), -1);
    holder_.resize(p_.jaxpr.num_inputs());
    for (std::size_t i = 0; i < holder_.size(); ++i) holder_[i] = static_cast<ir::Var>(i);
    partner_.assign(holder_.size(), -1);
    pair_updated();
    const auto type = [&](ir::Atom a) { return p_.jaxpr.aval(a).id(); };
    const auto size = [&](ir::Atom a) {
      return std::tuple(p_.jaxpr.aval(a).bytes(), byte_size(p_.jaxpr.aval(a).dtype()));
    };
    pair_by(type);
    pair_by(size);
  }
  void pair(std::size_t output, std::int64_t input) {
    replaces_[output] = input;
    partner_[static_cast<std::size_t>(input)] =
        static_cast<std::int64_t>(p_.schedule.memory[p_.jaxpr.outputs()[output].index()].index());
  }
  // An array of which parts change must not be copied.
  void pair_updated() {
    std::vector<std::int64_t> updated(p_.jaxpr.num_vars(), -1);  // by variable: the donated input that it comes from
    for (const std::uint32_t i : donated_)
      if (lives_[i].last < kEnd) updated[i] = i;
    const auto comes_from = [&](ir::Var v, ir::Atom a) {
      if (a.is_literal()) return;
      const ir::Atom m = p_.schedule.memory[a.index()];
      if (!m.is_literal() && updated[m.index()] >= 0 && same_size(v, m.index())) updated[v] = updated[m.index()];
    };
    for (std::size_t t = 0; t < p_.schedule.statements.size(); ++t) {
      const Statement& s = p_.schedule.statements[t];
      if (s.kind == Statement::Kind::kUpdate) comes_from(s.var, s.from);
      if (s.kind != Statement::Kind::kOp) continue;
      const ir::Eqn& e = p_.jaxpr.eqns()[s.index];
      for (const ir::Atom a : p_.jaxpr.operands(e))
        for (ir::Var v = e.out_begin; v < e.out_end && !a.is_literal(); ++v)
          if (const ir::Atom m = p_.schedule.memory[a.index()]; !m.is_literal() && may_take(v, m.index(), t))
            comes_from(v, a);
    }
    for (std::size_t o = 0; o < p_.outputs.size(); ++o) {
      if (p_.outputs[o].kind != Procedure::Output::Kind::kMade) continue;
      const std::int64_t input = updated[p_.schedule.memory[p_.jaxpr.outputs()[o].index()].index()];
      if (input >= 0 && partner_[static_cast<std::size_t>(input)] < 0) pair(o, input);
    }
  }
  template <class Key>
  void pair_by(Key key_of) {
    std::map<decltype(key_of(ir::Atom::var(0))), std::vector<std::int64_t>> free;  // inputs, the next one last
    for (auto i = donated_.rbegin(); i != donated_.rend(); ++i)
      if (partner_[*i] < 0 && lives_[*i].last < kEnd) free[key_of(ir::Atom::var(*i))].push_back(*i);
    for (std::size_t o = 0; o < p_.outputs.size(); ++o) {
      if (p_.outputs[o].kind != Procedure::Output::Kind::kMade || replaces_[o] >= 0) continue;
      const auto inputs = free.find(key_of(p_.jaxpr.outputs()[o]));
      if (inputs == free.end() || inputs->second.empty()) continue;
      pair(o, inputs->second.back());
      inputs->second.pop_back();
    }
  }

  // The donated input whose memory nobody needs when the output `v` is first written in statement t: its partner, or
  // one that has none, or whose partner is elsewhere by now. -1: none.
  std::int64_t free_donated(ir::Var v, std::size_t t) const {
    if (donated_.empty() || bytes_of(v) == 0) return -1;
    const auto is_free = [&](std::int64_t i) {
      return lives_[holder_[static_cast<std::size_t>(i)]].last < static_cast<std::int64_t>(t);
    };
    const std::int64_t own = replaced_by(output_of_[v]);
    if (own >= 0 && is_free(own)) return own;
    for (const std::uint32_t i : donated_) {
      const std::int64_t partner = partner_[i];
      const bool left = partner < 0 || p_.places[static_cast<ir::Var>(partner)].kind == Place::Kind::kOutput;
      if (left && lives_[i].last < kEnd && is_free(i) && same_size(v, i)) return i;
    }
    return -1;
  }

  // Whether `u` is done with the memory of a donated input when that one's partner wants it.
  bool gives_back_in_time(ir::Var u, std::size_t input) const {
    const std::int64_t partner = partner_[input];
    return partner >= 0 && lives_[u].last < lives_[static_cast<ir::Var>(partner)].first;
  }

  bool take_place(ir::Var v, ir::Var d) {
    const std::int64_t out = output_of_[v];
    const Place& place = p_.places[d];
    if (taken_[d] || bytes_of(v) == 0 || !same_size(v, d)) return false;
    if (place.kind != Place::Kind::kWorkspace && !may_overwrite(place)) return false;
    // An output is in its own memory, or in that of the input which it replaces.
    if (out >= 0 && !(place.kind == Place::Kind::kInput && replaced_by(out) == place.at)) return false;
    const auto at = static_cast<std::size_t>(place.at);
    if (place.kind == Place::Kind::kInput) {
      if (!donated_.empty() && out < 0 && !gives_back_in_time(v, at)) return false;
      p_.overwrites[at] = true;
      if (!donated_.empty()) holder_[at] = v;
    } else {
      blocks_[at].last = lives_[v].last;
    }
    taken_[d] = true;
    before_[v] = d;
    p_.places[v] = place;
    return true;
  }
  // Whether element i can be where element i is.
  bool same_size(ir::Var v, ir::Var d) const {
    return bytes_of(d) == bytes_of(v) && byte_size(p_.jaxpr.aval(d).dtype()) == byte_size(p_.jaxpr.aval(v).dtype());
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
    // A phase computes anew what it needs of earlier ones, but for reductions: none after that of the store may need d.
    std::vector<bool> needs(k.body.size(), false);
    for (std::size_t i = 0; i < k.body.size(); ++i) {
      const Instr& instr = k.body[i];
      if (instr.kind == Instr::Kind::kLoad && k.buffers[instr.buffer].var == d) {
        if (!(instr.at == *to)) return false;
        needs[i] = true;
      }
      for (const Value x : instr.operands) needs[i] = needs[i] || needs[x];
      if (instr.kind != Instr::Kind::kReduce) continue;
      if (needs[i] && instr.phase > phase + 1) return false;
      needs[i] = false;
    }
    return std::none_of(k.stores.begin(), k.stores.end(),
                        [&](const Kernel::Store& s) { return needs[s.value] && k.body[s.value].phase > phase; });
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

  void place_nested(Procedure::Nested& nested, const ir::Eqn& e, std::int64_t t) {
    std::int64_t workspace = 0, most_live = 0;
    for (const std::uint32_t p : nested.procedures) {
      workspace = std::max(workspace, program_.procedures[p]->workspace);
      most_live = std::max(most_live, program_.procedures[p]->most_live);
    }
    nested.workspace = new_block(workspace, t, t);
    blocks_.back().most_live = most_live;
    in_nested_.push_back(&nested.workspace);
    if (e.op != OpCode::kScan && e.op != OpCode::kWhile) return;
    if (e.op == OpCode::kWhile) {
      nested.flag = new_block(1, t, t);
      in_nested_.push_back(&nested.flag);
    }
    for (std::size_t c = 0; c < carry_of(e).count; ++c)
      nested.spare.push_back(replaced(nested, c) ? -1
                                                 : new_block(bytes_of(e.out_begin + static_cast<ir::Var>(c)), t, t));
    for (std::int64_t& spare : nested.spare)
      if (spare >= 0) in_nested_.push_back(&spare);
  }

  std::int64_t new_block(std::int64_t bytes, std::int64_t first, std::int64_t last) {
    blocks_.push_back({bytes, bytes, first, last});
    return static_cast<std::int64_t>(blocks_.size()) - 1;
  }

  // What names blocks becomes offsets.
  void place_workspace() {
    const Arena arena = place(blocks_);
    for (Place& place : p_.places)
      if (place.kind == Place::Kind::kWorkspace) place.at = arena.at[static_cast<std::size_t>(place.at)];
    for (std::int64_t* at : in_nested_) *at = arena.at[static_cast<std::size_t>(*at)];
    p_.workspace = arena.bytes;
    p_.most_live = arena.most_live;
  }

  Procedure& p_;
  const Program& program_;
  const Target& target_;
  std::vector<std::int64_t> replaces_;
  std::span<const std::uint32_t> donated_;
  std::vector<std::int64_t> partner_;  // by input: the variable that is to be there, or -1
  std::vector<ir::Var> holder_;        // by input: the last variable that was put there
  std::vector<Life> lives_;
  std::vector<bool> taken_;
  std::vector<std::int64_t> before_;  // the variable whose place was taken, or -1
  std::vector<std::int64_t> output_of_;
  std::vector<Block> blocks_;
  std::vector<std::int64_t*> in_nested_;  // numbers of blocks
};

}  // namespace

void plan_memory(Procedure& procedure, const Program& program, const Target& target, const Reuse& reuse) {
  MemoryPlan(procedure, program, target, reuse).run();
}

}  // namespace weft::compiler
