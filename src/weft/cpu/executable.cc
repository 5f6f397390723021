#include "weft/cpu/executable.h"

#include <optional>

#include "weft/core/stage.h"
#include "weft/cpu/codegen/compiled_program.h"
#include "weft/ir/builder.h"
#include "weft/ir/nested.h"
#include "weft/runtime/programs.h"

namespace weft::cpu {

namespace {

using Slot = std::uint32_t;
constexpr Slot kNoSlot = ~Slot{0};

struct Step {
  OpCode op;
  ir::Params params;
  SourceLocation location;
  OpPlan plan;
  std::uint32_t in_begin, in_end;      // into operands
  std::uint32_t free_begin, free_end;  // into dying: slots that end here
  Slot out_begin;
  SmallVector<Aval, 1> out;
  Slot in_place = kNoSlot;  // a dying operand of the result's type
};

// Slots: one per variable, then one per literal.
class StepwiseExecutable final : public Executable {
 public:
  explicit StepwiseExecutable(const ir::Jaxpr& jaxpr)
      : jaxpr_(jaxpr), num_inputs_(jaxpr.num_inputs()), num_vars_(jaxpr.num_vars()) {
    const auto slot = [&](ir::Atom a) -> Slot {
      if (!a.is_literal()) return a.index();
      const Array literal = literal_array(jaxpr.literal(a));
      literals_.push_back(Ref<const BufferValue>::share(literal.buffer()));
      return static_cast<Slot>(num_vars_ + literals_.size() - 1);
    };
    const auto& uses = jaxpr.last_uses();
    steps_.reserve(jaxpr.eqns().size());
    dying_.reserve(uses.vars.size());
    for (std::size_t i = 0; i < jaxpr.eqns().size(); ++i) {
      const ir::Eqn& e = jaxpr.eqns()[i];
      Step step;
      step.op = e.op;
      step.params = e.params;
      step.location = e.location;
      step.out_begin = e.out_begin;
      step.in_begin = static_cast<std::uint32_t>(operands_.size());
      ir::Avals in;
      for (const ir::Atom a : jaxpr.operands(e)) {
        in.push_back(jaxpr.aval(a));
        operands_.push_back(slot(a));
      }
      step.in_end = static_cast<std::uint32_t>(operands_.size());
      for (ir::Var v = e.out_begin; v < e.out_end; ++v) step.out.push_back(jaxpr.aval(v));
      step.free_begin = static_cast<std::uint32_t>(dying_.size());
      for (std::uint32_t u = uses.begin[i]; u < uses.begin[i + 1]; ++u) dying_.push_back(uses.vars[u]);
      step.free_end = static_cast<std::uint32_t>(dying_.size());
      if (!ir::runs_programs(step.op)) step.plan = plan_op(step.op, step.params.get(), in, step.out);
      if (step.plan.kind == OpPlan::Kind::kElementwise) choose_in_place(step, in);
      steps_.push_back(std::move(step));
    }
    for (const ir::Atom a : jaxpr.outputs()) outputs_.push_back(slot(a));
  }

  void run(std::span<const Array> args, Arrays& outs) const override { run_on(slots_of(args), outs, nullptr); }
  void run_timed(std::span<const Array> args, Arrays& outs, StatementTimer& timer) const override {
    run_on(slots_of(args), outs, &timer);
  }
  std::vector<ProgramStatement> statements() const override { return statements_of(jaxpr_); }
  ProgramMemory memory() const override { return stepwise_memory(jaxpr_); }
  // What nobody else holds is released after its last use, and reused in place, as all else is.
  void run_donated(Arrays args, Arrays& outs) const override {
    std::vector<Ref<const BufferValue>> slots = slots_of(args);
    args.clear();
    run_on(std::move(slots), outs, nullptr);
  }

 private:
  std::vector<Ref<const BufferValue>> slots_of(std::span<const Array> args) const {
    internal_check(args.size() == num_inputs_, "executable: wrong number of arguments");
    std::vector<Ref<const BufferValue>> slots(num_vars_);
    for (std::size_t i = 0; i < args.size(); ++i) slots[i] = Ref<const BufferValue>::share(args[i].buffer());
    return slots;
  }

  void run_on(std::vector<Ref<const BufferValue>> slots, Arrays& outs, StatementTimer* timer) const {
    const auto read = [&](Slot s) -> const BufferValue* {
      return s < num_vars_ ? slots[s].get() : literals_[s - num_vars_].get();
    };
    SmallVector<const BufferValue*, 6> in;
    for (const Step& step : steps_) {
      std::optional<ForcedLocation> location;
      if (step.location) location.emplace(step.location);
      if (timer) timer->begin(static_cast<std::size_t>(&step - steps_.data()));
      in.clear();
      for (std::uint32_t i = step.in_begin; i < step.in_end; ++i) in.push_back(read(operands_[i]));
      if (ir::runs_programs(step.op)) {
        Arrays operands, results;
        for (const BufferValue* b : in) operands.push_back(Array(Ref<const Value>(Ref<const BufferValue>::share(b))));
        run_programs({step.op, step.params, operands}, results, Effort::kNone);
        for (std::size_t i = 0; i < results.size(); ++i)
          slots[step.out_begin + i] = Ref<const BufferValue>::share(results[i].buffer());
        operands.clear();
        for (std::uint32_t i = step.free_begin; i < step.free_end; ++i) slots[dying_[i]].reset();
        if (timer) timer->end();
        continue;
      }
      // Memory is free to take when the value and its storage are held by this slot alone.
      const BufferValue* reuse = nullptr;
      if (step.in_place != kNoSlot) {
        const BufferValue* b = slots[step.in_place].get();
        if (b->dense() && b->unique() && b->storage()->unique() && b->storage()->writable()) reuse = b;
      }
      run_plan(step.plan, step.op, step.params.get(), in, step.out, reuse,
               std::span(slots).subspan(step.out_begin, step.out.size()));
      for (std::uint32_t i = step.free_begin; i < step.free_end; ++i) slots[dying_[i]].reset();
      if (timer) timer->end();
    }
    for (const Slot s : outputs_) {
      // An array of its own, also when somebody else holds the value: we ourselves do so with literals.
      if (s < num_vars_ && slots[s]->unique())
        outs.push_back(Array(Ref<const Value>(slots[s])));
      else
        outs.push_back(detail::same_memory(*read(s)));
    }
  }

  // The first operand of the result's type that dies here.
  void choose_in_place(Step& step, std::span<const Aval> in) {
    for (std::uint32_t i = step.in_begin; i < step.in_end; ++i) {
      const Slot s = operands_[i];
      if (s >= num_vars_ || in[i - step.in_begin] != step.out[0]) continue;
      for (std::uint32_t d = step.free_begin; d < step.free_end; ++d)
        if (dying_[d] == s) {
          step.in_place = s;
          return;
        }
    }
  }

  ir::Jaxpr jaxpr_;
  std::size_t num_inputs_, num_vars_;
  std::vector<Step> steps_;
  std::vector<Slot> operands_, dying_, outputs_;
  std::vector<Ref<const BufferValue>> literals_;
};

}  // namespace

std::shared_ptr<const Executable> make_stepwise(const ir::Jaxpr& jaxpr) {
  return std::make_shared<StepwiseExecutable>(ir::dce(ir::inline_calls(jaxpr)));
}

std::shared_ptr<const Executable> make_executable(const ir::Jaxpr& jaxpr,
                                                  [[maybe_unused]] const ExecutableOptions& options) {
#ifdef WEFT_HAVE_LLVM
  if (options.effort != Effort::kNone) return compile_program(jaxpr, options);
#endif
  return make_stepwise(jaxpr);
}

}  // namespace weft::cpu
