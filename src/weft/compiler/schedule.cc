#include "weft/compiler/schedule.h"

#include <algorithm>
#include <memory>

#include "weft/compiler/fused_kernel.h"
#include "weft/compiler/reduction_tree.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/indexing.h"
#include "weft/ir/nested.h"
#include "weft/ir/reduction_groups.h"
#include "weft/ir/shape.h"

namespace weft::compiler {

namespace {

constexpr float kLoadCost = 0.05f;
constexpr std::uint16_t kMostInlined = 48;
// Nests of at most this size may share a kernel also when they have nothing in common.
constexpr std::int64_t kTiny = 1024;
// Transpositions of more elements that move the last axis are done block by block, by an operation.
constexpr std::int64_t kLargeTranspose = 4096;

class Scheduler {
 public:
  Scheduler(const ir::Jaxpr& jaxpr, const Target& target) : jaxpr_(jaxpr), target_(target), facts_(jaxpr.num_vars()) {}

  Schedule run() {
    find_facts();
    for (std::uint32_t i = 0; i < jaxpr_.eqns().size(); ++i) visit(i);
    for (const ir::Atom a : jaxpr_.outputs()) put_in_memory(a);
    for (std::unique_ptr<FusedKernel>& k : kernels_) schedule_.kernels.push_back(std::move(k->kernel()));
    drop_unread_stores();
    for (Kernel& k : schedule_.kernels) {
      prune(k);
      merge_loops(k);
    }
    for (const VariableFacts& f : facts_) schedule_.memory.push_back(f.memory);
    return std::move(schedule_);
  }

 private:
  const ir::Eqn& eqn_of(ir::Var v) const { return jaxpr_.eqns()[facts_[v].eqn]; }

  // Whether each result of the equation can be computed wherever it is used.
  bool can_inline(const ir::Eqn& e) const {
    if (e.out_begin == e.out_end) return false;
    const std::span<const ir::Atom> operands = jaxpr_.operands(e);
    const Aval out = jaxpr_.aval(e.out_begin);
    switch (e.op) {
      case OpCode::kStopGradient:
      case OpCode::kCheckpointName:
      case OpCode::kOptimizationBarrier:
      case OpCode::kReshape:
      case OpCode::kBroadcastInDim:
      case OpCode::kReverse:
      case OpCode::kSlice:
      case OpCode::kSplit: return true;
      case OpCode::kIota: return has_code(OpCode::kConvert, nullptr, {i64}, out.dtype());
      case OpCode::kDynamicSlice:
        for (const ir::Atom start : operands.subspan(1))
          if (is_storage(jaxpr_.aval(start).dtype())) return false;
        return true;
      case OpCode::kTranspose: {
        const Dims& p = ir::params_as<TransposeParams>(e.params.get()).permutation;
        return target_.alone || out.size() < kLargeTranspose || p.empty() ||
               p.back() == static_cast<std::int64_t>(p.size()) - 1;
      }
      default: break;
    }
    const bool same_width =
        e.op == OpCode::kBitcastConvert && byte_size(jaxpr_.aval(operands[0]).dtype()) == byte_size(out.dtype());
    if (!ir::op_info(e.op).elementwise && !same_width) return false;
    SmallVector<DType, 3> types;
    for (const ir::Atom a : operands) types.push_back(jaxpr_.aval(a).dtype());
    return has_code(e.op, e.params.get(), types, out.dtype());
  }
  bool has_code(OpCode op, const ir::ParamsBase* params, const SmallVector<DType, 3>& in, DType out) const {
    return (op == OpCode::kConvert && in[0] == out) || target_.applies(op, params, in, out);
  }

  // A reduction of adjacent axes, of a type that the generator computes in.
  bool can_reduce(const ir::Eqn& e) const {
    if (e.op != OpCode::kReduce) return false;
    const auto& p = ir::params_as<ReduceParams>(e.params.get());
    const Aval in = jaxpr_.aval(jaxpr_.operands(e)[0]);
    if (in.size() == 0) return false;
    const ir::ReductionGroups groups = ir::reduction_groups(in.shape(), p.axes);
    if (std::count(groups.reduced.begin(), groups.reduced.end(), true) > 1) return false;
    const DType t = in.dtype();
    if (t == boolean || !is_reduced_by_kernels(t, p.kind)) return is_reduced_by_kernels(t, p.kind);
    return has_code(OpCode::kConvert, nullptr, {t}, t == f16 || t == bf16 ? f32 : t);
  }

  void find_facts() {
    for (std::size_t v = 0; v < jaxpr_.num_vars(); ++v) {
      facts_[v].memory = ir::Atom::var(static_cast<ir::Var>(v));
      facts_[v].in_memory = v < jaxpr_.num_inputs();
    }
    for (std::uint32_t i = 0; i < jaxpr_.eqns().size(); ++i) {
      const ir::Eqn& e = jaxpr_.eqns()[i];
      const bool inlined = can_inline(e);
      std::size_t weight = 1;
      float cost = 0;
      if (ir::op_info(e.op).elementwise) cost = static_cast<float>(op_cost(e.op, jaxpr_.aval(e.out_begin).dtype()));
      for (const ir::Atom a : jaxpr_.operands(e)) {
        if (a.is_literal()) continue;
        VariableFacts& f = facts_[a.index()];
        weight += f.weight;
        cost += f.inlined && !f.too_long ? f.cost : kLoadCost;
      }
      for (ir::Var v = e.out_begin; v < e.out_end; ++v) {
        facts_[v].eqn = i;
        facts_[v].inlined = inlined;
        if (inlined) {
          facts_[v].too_long = weight > kMostInlined;
          facts_[v].weight = static_cast<std::uint16_t>(facts_[v].too_long ? 1 : weight);
          facts_[v].cost = cost;
        }
      }
    }
    count_uses();
  }

  // Backwards, because how an equation uses its operand may be a matter of who uses its result.
  void count_uses() {
    for (const ir::Atom a : jaxpr_.outputs())
      if (!a.is_literal()) use(a.index(), jaxpr_.aval(a).size(), 1);
    for (std::size_t i = jaxpr_.eqns().size(); i-- > 0;) {
      const ir::Eqn& e = jaxpr_.eqns()[i];
      const std::span<const ir::Atom> operands = jaxpr_.operands(e);
      for (std::size_t k = 0; k < operands.size(); ++k) {
        if (operands[k].is_literal()) continue;
        VariableFacts& f = facts_[operands[k].index()];
        if (is_view(e))
          use(operands[k].index(), facts_[e.out_begin + k].elements_read, facts_[e.out_begin + k].copies);
        else if (e.op == OpCode::kSlice || e.op == OpCode::kSplit)
          use_parts(operands[k].index(), e);
        else
          use(operands[k].index(), jaxpr_.aval(operands[k]).size(), 1);
        f.stays_in_place &= ir::op_info(e.op).elementwise;
      }
    }
  }
  void use(ir::Var v, std::int64_t elements, std::int64_t copies) {
    ++facts_[v].uses;
    facts_[v].elements_read += elements;
    facts_[v].copies += copies;
  }
  // The gates of a recurrent layer, for one, are slices of one value whose elements are used once each: what is used by
  // one elementwise operation is computed there. Others may go over a slice more often, or in another shape.
  void use_parts(ir::Var of, const ir::Eqn& e) {
    std::int64_t elements = 0, parts = 0;
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) {
      const VariableFacts& part = facts_[v];
      if (part.uses == 0) continue;
      elements += jaxpr_.aval(part.uses == 1 && part.stays_in_place ? v : of).size();
      ++parts;
    }
    use(of, elements, parts);
  }

  void visit(std::uint32_t index) {
    const ir::Eqn& e = jaxpr_.eqns()[index];
    if (is_inlined(e)) {
      for (ir::Var v = e.out_begin; v < e.out_end; ++v) {
        const VariableFacts& f = facts_[v];
        const bool again =
            f.elements_read > jaxpr_.aval(v).size() || (f.copies > 1 && f.copies * f.weight > kMostInlined);
        if ((again && f.cost > kCheapToRepeat && !is_view(e)) || f.too_long) put_in_memory(ir::Atom::var(v));
      }
      return;
    }
    if (can_reduce(e)) return reduce(e);
    if (e.op == OpCode::kConcatenate) return concatenate(e);
    if (e.op == OpCode::kPad && pad(e)) return;
    if (e.op == OpCode::kDynamicUpdateSlice && update_slice(e)) return;
    if (!ir::runs_programs(e.op) && updates_in_place(target_, jaxpr_, e)) spare(jaxpr_.operands(e)[0], e);
    for (const ir::Atom a : jaxpr_.operands(e)) put_in_memory(a);
    schedule_.statements.push_back({Schedule::Statement::Kind::kOp, index});
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) now_in_memory(v);
  }
  bool is_inlined(const ir::Eqn& e) const { return e.out_begin < e.out_end && facts_[e.out_begin].inlined; }
  static bool is_view(const ir::Eqn& e) {
    return e.op == OpCode::kReshape || e.op == OpCode::kStopGradient || e.op == OpCode::kCheckpointName ||
           e.op == OpCode::kOptimizationBarrier;
  }

  std::int64_t next_position() const { return static_cast<std::int64_t>(schedule_.statements.size()); }
  void now_in_memory(ir::Var v) {
    facts_[v].in_memory = true;
    facts_[v].position = next_position() - 1;
  }

  // Makes sure that the value is in memory, now.
  void put_in_memory(ir::Atom atom) {
    if (atom.is_literal() || facts_[atom.index()].in_memory) return;
    const ir::Var v = atom.index();
    const ir::Eqn& e = eqn_of(v);
    if (is_view(e)) {
      const ir::Atom of = jaxpr_.operands(e)[v - e.out_begin];
      put_in_memory(of);
      facts_[v].in_memory = true;
      if (of.is_literal()) {
        facts_[v].memory = of;
      } else {
        facts_[v].memory = facts_[of.index()].memory;
        facts_[v].position = facts_[of.index()].position;
      }
      return;
    }
    place(atom, {v, {}, {}}, kBeforeAll);
    facts_[v].in_memory = true;
  }

  // Stores a value where `placement` says, in a kernel after statement `after`. The destination is there from then on.
  void place(ir::Atom atom, const FusedKernel::Placement& placement, std::int64_t after) {
    const Aval aval = jaxpr_.aval(atom);
    if (aval.size() == 0) return;
    const FusedKernel& k =
        add_to_kernel(Nest{Dims(aval.shape()), aval.shape().size(), false}, atom, after,
                      [&](FusedKernel& kernel, Refusal& refusal) { return kernel.add(atom, placement, refusal); });
    VariableFacts& destination = facts_[placement.destination];
    destination.position = std::max(destination.position, k.position());
  }

  void reduce(const ir::Eqn& e) {
    const ir::Atom x = jaxpr_.operands(e)[0];
    const Aval out = jaxpr_.aval(e.out_begin);
    Nest nest{{}, 0, true};
    for (const std::int64_t n : out.shape())
      if (n != 1) nest.loops.push_back(n);
    nest.outer = nest.loops.size();
    const Dims& axes = ir::params_as<ReduceParams>(e.params.get()).axes;
    const ir::ReductionGroups groups = ir::reduction_groups(jaxpr_.aval(x).shape(), axes);
    nest.columns = !groups.reduced.empty() && !groups.reduced.back();
    if (nest.columns) {
      for (const std::int64_t a : axes)
        if (const std::int64_t n = jaxpr_.aval(x).shape(static_cast<std::size_t>(a)); n != 1) nest.loops.push_back(n);
    } else {
      nest.loops.push_back(jaxpr_.aval(x).size() / out.size());
    }
    const FusedKernel& k = add_to_kernel(
        nest, x, kBeforeAll, [&](FusedKernel& kernel, Refusal& refusal) { return kernel.add_reduction(e, refusal); });
    facts_[e.out_begin].in_memory = true;
    facts_[e.out_begin].position = k.position();
  }

  using Refusal = std::optional<FusedKernel::Refusal>;
  struct Nest {
    Dims loops;
    std::size_t outer;
    bool reduces;
    bool columns = false;
  };
  // The kernel that `add` succeeds with: one that is likely to take what reads `reads`, after statement `after`, or a
  // new one over `nest`. What kernels want in memory first is put there.
  template <class Add>
  FusedKernel& add_to_kernel(const Nest& nest, std::optional<ir::Atom> reads, std::int64_t after, Add add) {
    Refusal refusal;
    for (;;) {
      if (reads)
        for (FusedKernel* k : candidates(*reads, product(DimSpan(nest.loops))))
          if (k->position() > after && add(*k, refusal)) return *k;
      FusedKernel& fresh = new_kernel(nest);
      if (add(fresh, refusal)) return fresh;
      discard_newest();
      internal_check(refusal && refusal->needs.has_value(), "schedule: a value that no kernel takes");
      put_in_memory(ir::Atom::var(*refusal->needs));
    }
  }

  void concatenate(const ir::Eqn& e) {
    const auto d = static_cast<std::size_t>(ir::params_as<ConcatenateParams>(e.params.get()).dimension);
    Dims start(jaxpr_.aval(e.out_begin).shape().size(), 0);
    for (const ir::Atom part : jaxpr_.operands(e)) {
      place(part, {e.out_begin, start, {}}, kBeforeAll);
      start[d] += jaxpr_.aval(part).shape(d);
    }
    facts_[e.out_begin].in_memory = true;
  }

  // The padding everywhere, then the operand over it.
  bool pad(const ir::Eqn& e) {
    const auto& p = ir::params_as<PadParams>(e.params.get());
    for (std::size_t d = 0; d < p.low.size(); ++d)
      if (p.low[d] < 0 || p.high[d] < 0) return false;
    const Aval out = jaxpr_.aval(e.out_begin);
    const ir::Atom padding = jaxpr_.operands(e)[1];
    if (out.size() > 0) {
      add_to_kernel(
          Nest{Dims(out.shape()), out.shape().size(), false}, std::nullopt, kBeforeAll,
          [&](FusedKernel& kernel, Refusal& refusal) { return kernel.add_everywhere(padding, e.out_begin, refusal); });
      Dims stride;
      for (const std::int64_t i : p.interior) stride.push_back(i + 1);
      place(jaxpr_.operands(e)[0], {e.out_begin, p.low, stride}, next_position() - 1);
    }
    facts_[e.out_begin].in_memory = true;
    facts_[e.out_begin].position = next_position() - 1;
    return true;
  }

  bool update_slice(const ir::Eqn& e) {
    const std::span<const ir::Atom> operands = jaxpr_.operands(e);
    for (const ir::Atom start : operands.subspan(2))
      if (is_storage(jaxpr_.aval(start).dtype())) return false;
    spare(operands[0], e);
    put_in_memory(operands[0]);
    schedule_.statements.push_back({Schedule::Statement::Kind::kUpdate, 0, e.out_begin, operands[0]});
    now_in_memory(e.out_begin);
    facts_[e.out_begin].in_memory = false;
    const std::int64_t rank = jaxpr_.aval(e.out_begin).ndim();
    FusedKernel::Placement placement{e.out_begin, Dims(static_cast<std::size_t>(rank), 0), {}};
    placement.dynamic.append(operands.begin() + 2, operands.end());
    place(operands[1], placement, facts_[e.out_begin].position);
    facts_[e.out_begin].in_memory = true;
    return true;
  }

  // Before a value is written over: what is to be read from it, apart from what the writing equation itself needs
  // of it at that place, is read now.
  void spare(ir::Atom atom, const ir::Eqn& writer) {
    if (atom.is_literal()) return;
    const ir::Var v = atom.index();
    if (readers_.empty()) find_readers();
    for (std::uint32_t r = reader_begin_[v]; r < reader_begin_[v + 1]; ++r) {
      const ir::Eqn& e = jaxpr_.eqns()[readers_[r]];
      if (&e >= &writer) break;
      if (!is_inlined(e) || is_view(e)) continue;
      for (ir::Var u = e.out_begin; u < e.out_end; ++u) {
        // What is used once may well be used by the writer alone, at the same place.
        if (facts_[u].uses > 1 || used_by_other(u, writer)) put_in_memory(ir::Atom::var(u));
      }
    }
  }
  // Whether the only user of `u`, or that user's only user and so on, is not the writing equation.
  bool used_by_other(ir::Var u, const ir::Eqn& writer) const {
    for (int steps = 0; steps < 2 * kMostInlined; ++steps) {
      if (facts_[u].uses != 1 || reader_begin_[u] == reader_begin_[u + 1]) return facts_[u].uses != 0;
      const ir::Eqn& user = jaxpr_.eqns()[readers_[reader_begin_[u]]];
      if (&user == &writer) return false;
      if (!is_inlined(user) || user.out_end != user.out_begin + 1) return true;
      u = user.out_begin;
    }
    return true;
  }
  // By variable the equations that read it, in order.
  void find_readers() {
    reader_begin_.assign(jaxpr_.num_vars() + 1, 0);
    for (const ir::Eqn& e : jaxpr_.eqns())
      for (const ir::Atom a : jaxpr_.operands(e))
        if (!a.is_literal()) ++reader_begin_[a.index() + 1];
    for (std::size_t v = 0; v < jaxpr_.num_vars(); ++v) reader_begin_[v + 1] += reader_begin_[v];
    readers_.resize(reader_begin_.back() + 1);
    std::vector<std::uint32_t> at(reader_begin_.begin(), reader_begin_.end() - 1);
    for (std::uint32_t i = 0; i < jaxpr_.eqns().size(); ++i)
      for (const ir::Atom a : jaxpr_.operands(jaxpr_.eqns()[i]))
        if (!a.is_literal()) readers_[at[a.index()]++] = i;
  }

  // The last position of what the inlined expression reads, and some variable whose memory it reads.
  void what_it_reads(ir::Atom atom, std::int64_t& needed, ir::Var& shared) const {
    if (atom.is_literal()) return;
    SmallVector<ir::Var, 16> stack{atom.index()};
    for (int steps = 0; !stack.empty() && steps < 4 * kMostInlined; ++steps) {
      const ir::Var v = stack.back();
      stack.pop_back();
      const VariableFacts& f = facts_[v];
      if (f.in_memory) {
        if (f.memory.is_literal()) continue;
        shared = f.memory.index();
        needed = std::max(needed, f.position);
        continue;
      }
      if (f.eqn == VariableFacts::kInput) continue;
      for (const ir::Atom a : jaxpr_.operands(eqn_of(v)))
        if (!a.is_literal()) stack.push_back(a.index());
    }
  }

  // Kernels that may take something of `size` elements that reads `atom`, the likeliest first.
  SmallVector<FusedKernel*, 3> candidates(ir::Atom atom, std::int64_t size) {
    std::int64_t needed = kBeforeAll;
    ir::Var shared = VariableFacts::kInput;
    what_it_reads(atom, needed, shared);
    SmallVector<FusedKernel*, 3> found;
    const auto consider = [&](FusedKernel* k) {
      if (k->open() && k->position() >= needed && std::find(found.begin(), found.end(), k) == found.end())
        found.push_back(k);
    };
    if (needed >= 0 && static_cast<std::size_t>(needed) < kernel_at_.size())
      if (FusedKernel* k = kernel_at_[static_cast<std::size_t>(needed)]) consider(k);
    for (std::size_t back = 0; back < 4 && back < kernels_.size(); ++back) {
      FusedKernel* k = kernels_[kernels_.size() - 1 - back].get();
      const bool related = shared != VariableFacts::kInput && k->reads(shared);
      if (related || (k->size() <= kTiny && size <= kTiny)) consider(k);
    }
    return found;
  }

  FusedKernel& new_kernel(const Nest& nest) {
    kernels_.push_back(std::make_unique<FusedKernel>(jaxpr_, facts_, next_position(), nest.loops, nest.outer,
                                                     nest.reduces, nest.columns));
    schedule_.statements.push_back(
        {Schedule::Statement::Kind::kKernel, static_cast<std::uint32_t>(kernels_.size() - 1)});
    kernel_at_.resize(schedule_.statements.size());
    kernel_at_.back() = kernels_.back().get();
    return *kernels_.back();
  }
  void discard_newest() {
    kernels_.pop_back();
    kernel_at_.resize(schedule_.statements.size());
    kernel_at_.pop_back();
    schedule_.statements.pop_back();
  }

  // What one kernel stores and nobody else reads stays in its registers.
  void drop_unread_stores() {
    std::vector<bool> read(jaxpr_.num_vars());
    const auto mark = [&](ir::Atom a) {
      if (a.is_literal()) return;
      read[a.index()] = true;
      if (!facts_[a.index()].memory.is_literal()) read[facts_[a.index()].memory.index()] = true;
    };
    for (const ir::Atom a : jaxpr_.outputs()) mark(a);
    for (const Schedule::Statement& s : schedule_.statements) {
      if (s.kind == Schedule::Statement::Kind::kOp)
        for (const ir::Atom a : jaxpr_.operands(jaxpr_.eqns()[s.index])) mark(a);
      if (s.kind == Schedule::Statement::Kind::kUpdate) mark(s.from);
    }
    for (const Kernel& k : schedule_.kernels)
      for (const Instr& i : k.body)
        if (i.kind == Instr::Kind::kLoad) mark(ir::Atom::var(k.buffers[i.buffer].var));
    for (Kernel& k : schedule_.kernels) std::erase_if(k.stores, [&](const Kernel::Store& s) { return !read[s.root]; });
    // Kernels without a store do nothing.
    std::erase_if(schedule_.statements, [&](const Schedule::Statement& s) {
      return s.kind == Schedule::Statement::Kind::kKernel && schedule_.kernels[s.index].stores.empty();
    });
  }

  const ir::Jaxpr& jaxpr_;
  const Target& target_;
  std::vector<VariableFacts> facts_;
  std::vector<std::unique_ptr<FusedKernel>> kernels_;
  std::vector<FusedKernel*> kernel_at_;  // by position; null for other statements
  std::vector<std::uint32_t> reader_begin_, readers_;
  Schedule schedule_;
};

bool ask(bool (*of_types)(OpCode, const ir::ParamsBase*, std::span<const Aval>, std::span<const Aval>),
         const ir::Jaxpr& jaxpr, const ir::Eqn& eqn) {
  ir::Avals in, out;
  for (const ir::Atom a : jaxpr.operands(eqn)) in.push_back(jaxpr.aval(a));
  for (ir::Var v = eqn.out_begin; v < eqn.out_end; ++v) out.push_back(jaxpr.aval(v));
  return of_types(eqn.op, eqn.params.get(), in, out);
}

}  // namespace

bool updates_in_place(const Target& target, const ir::Jaxpr& jaxpr, const ir::Eqn& eqn) {
  return ask(target.updates_in_place, jaxpr, eqn);
}
bool takes_epilogue(const Target& target, const ir::Jaxpr& jaxpr, const ir::Eqn& eqn) {
  return ask(target.takes_epilogue, jaxpr, eqn);
}

Schedule schedule(const ir::Jaxpr& jaxpr, const Target& target) { return Scheduler(jaxpr, target).run(); }

}  // namespace weft::compiler
