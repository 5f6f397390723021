#include "weft/cpu/codegen/compiled_program.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <list>
#include <map>
#include <mutex>
#include <optional>

#include "weft/base/loop_trail.h"
#include "weft/base/thread_pool.h"
#include "weft/compiler/decompose.h"
#include "weft/compiler/procedure.h"
#include "weft/core/donation.h"
#include "weft/core/stage.h"
#include "weft/cpu/allocator.h"
#include "weft/cpu/codegen/code_cache.h"
#include "weft/cpu/codegen/jit.h"
#include "weft/cpu/codegen/object_header.h"
#include "weft/cpu/plan.h"
#include "weft/cpu/program_statement.h"
#include "weft/cpu/runtime_step.h"
#include "weft/cpu/target.h"
#include "weft/ir/builder.h"
#include "weft/ir/call.h"
#include "weft/ir/programs.h"
#include "weft/ir/shape.h"

namespace weft::cpu {

namespace {

// A loop that tells where it is.
struct LoopInfo {
  const char* kind;
  SourceLocation location;
  const WhileParams* params;  // null for scan
  ir::Params kept;
  Aval first;  // the first carried value's type, if there is one
};

class CompiledExecutable;

// One run: what generated code is given as its context.
struct Run : RunContext {
  explicit Run(const CompiledExecutable& p);
  const CompiledExecutable& program;
  StatementTimer* timer = nullptr;
  std::exception_ptr error;
  std::list<LoopFrame> loops;  // no deque: that allocates when it is made, which every call would pay for

  // Throws what failed, outside of all loops: frames end from the innermost outwards.
  [[noreturn]] void rethrow() {
    if (timer) timer->abandon();
    while (!loops.empty()) loops.pop_back();
    std::rethrow_exception(error);
  }
};

// Folding gives the bits of running.
constexpr auto kEvaluateForFolding = [](OpCode op, const ir::ParamsBase* params, std::span<const TensorView> in,
                                        std::span<const MutableTensorView> out) {
  ir::Avals in_types, out_types;
  for (const TensorView& v : in) in_types.push_back(v.aval);
  for (const MutableTensorView& v : out) out_types.push_back(v.aval);
  run_dense(plan_op(op, params, in_types, out_types), op, params, in, out);
};

// The program for inputs of which only what is stored is given: input i repeats along the axes in masks[i].
ir::Jaxpr with_repeated_inputs(const ir::Jaxpr& jaxpr, std::span<const std::uint32_t> masks) {
  ir::JaxprBuilder b;
  std::vector<ir::Var> inputs;
  SmallVector<ir::Atom, 8> whole;
  for (std::size_t i = 0; i < jaxpr.num_inputs(); ++i) {
    const Aval aval = jaxpr.aval(static_cast<ir::Var>(i));
    Dims stored(aval.shape()), axes;
    for (std::size_t d = 0; d < stored.size(); ++d) {
      if (masks[i] >> d & 1u) stored[d] = 1;
      axes.push_back(static_cast<std::int64_t>(d));
    }
    inputs.push_back(b.add_var(aval.with_shape(stored)));
    whole.push_back(ir::Atom::var(inputs.back()));
    if (masks[i] == 0) continue;
    const ir::Atom from[] = {whole.back()};
    const Aval to[] = {aval};
    whole.back() = ir::Atom::var(b.add_eqn(OpCode::kBroadcastInDim,
                                           ir::make_params(BroadcastInDimParams{axes, Dims(aval.shape())}), from, to,
                                           SourceLocation()));
  }
  const ir::Avals results = jaxpr.output_avals();
  const ir::Var first = b.add_eqn(OpCode::kCall, ir::make_params(CallParams{"f", ir::with_num_consts(jaxpr, 0)}), whole,
                                  results, SourceLocation());
  std::vector<ir::Atom> outputs;
  for (std::size_t i = 0; i < results.size(); ++i) outputs.push_back(ir::Atom::var(first + static_cast<ir::Var>(i)));
  return b.build({}, inputs, outputs);
}

class CompiledExecutable final : public Executable {
 public:
  CompiledExecutable(const ir::Jaxpr& jaxpr, const ExecutableOptions& options) : jaxpr_(jaxpr), options_(options) {
    const compiler::Program program = make_program(kCpuTarget);
    const compiler::Procedure& main = *program.procedures.back();
    for (std::size_t i = 0; i < main.outputs.size(); ++i) {
      const ir::Atom a = main.jaxpr.outputs()[i];
      outputs_.push_back({main.outputs[i], main.jaxpr.aval(a), {}});
      if (main.outputs[i].kind == compiler::Procedure::Output::Kind::kLiteral)
        outputs_.back().literal = literal_of(main, i);
    }
    for (std::uint32_t i = 0; i < main.overwrites.size(); ++i)
      if (main.overwrites[i]) overwrites_.push_back(i);
    workspace_ = static_cast<std::size_t>(main.workspace);
    memory_ = memory_of(program, options.donated);
    if (main.schedule.statements.empty()) return;  // nothing is computed
    // Code that tells its times is made for this one call.
    CodeOptions code = code_options();
    code.timed = options.timed;
    const GeneratedCode generated = options.timed ? generate_code(program, code) : kept_code(program, code.effort);
    for (const EquationRef& s : generated.steps) steps_.emplace_back(*s.procedure, s.procedure->jaxpr.eqns()[s.eqn]);
    for (const StatementRef& s : generated.statements)
      statements_.push_back(program_statement(*s.procedure, s.statement));
    for (const EquationRef& l : generated.loops) loops_.push_back(loop_info(*l.procedure, l.eqn));
    num_threads();  // throws here if at all, for code cannot
    code_ = LoadedCode::load(generated.objects);
    for (const std::string& object : generated.objects) memory_.code += static_cast<std::int64_t>(object.size());
  }

  void run(std::span<const Array> args, Arrays& outs) const override { run_on(args, false, outs, nullptr); }
  void run_donated(Arrays args, Arrays& outs) const override {
    if (std::any_of(args.begin(), args.end(), repeats_at_length))
      run_repeated(std::move(args), true, outs);
    else
      run_on(args, true, outs, nullptr);
  }
  void run_timed(std::span<const Array> args, Arrays& outs, StatementTimer& timer) const override {
    run_on(args, false, outs, &timer);
  }
  std::vector<ProgramStatement> statements() const override { return statements_; }

  ProgramMemory memory() const override { return memory_; }

  DirectCall direct() const override {
    DirectCall call{.on_memory = true, .workspace_bytes = workspace_, .raw = code_ ? code_->raw() : nullptr};
    for (const Output& o : outputs_) call.replaces.push_back(replaced_by(o.where));
    if (!code_)
      call.why_not_raw = "has nothing to compute";
    else if (!call.raw)
      call.why_not_raw = steps_.empty() ? "is split over threads or has a loop that may fail"
                                        : "calls " + std::string(ir::op_name(steps_.front().op()));
    return call;
  }

  void run_direct(const void* const* in, void* const* out, void* workspace) const override {
    using Kind = compiler::Procedure::Output::Kind;
    if (code_ && code_->raw()) {
      code_->raw()(in, out, workspace);
      return;
    }
    if (code_) {
      // What replaces an input is made in the output's memory.
      SmallVector<const void*, 16> inputs;
      if (!overwrites_.empty()) {
        inputs.append(in, in + jaxpr_.num_inputs());
        for (std::size_t i = 0; i < outputs_.size(); ++i) {
          const Output& o = outputs_[i];
          if (o.where.kind != Kind::kReplaced) continue;
          const void*& from = inputs[o.where.index];
          if (from != out[i]) std::memcpy(out[i], from, static_cast<std::size_t>(o.aval.bytes()));
          from = out[i];
        }
        in = inputs.data();
      }
      Run context(*this);
      if (code_->program()(in, out, workspace, &context)) context.rethrow();
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const Output& o = outputs_[i];
      const auto bytes = static_cast<std::size_t>(o.aval.bytes());
      if (bytes == 0) continue;
      if (o.where.kind == Kind::kInput) std::memcpy(out[i], in[o.where.index], bytes);
      if (o.where.kind == Kind::kOutput) std::memcpy(out[i], out[o.where.index], bytes);
      if (o.where.kind == Kind::kLiteral) std::memcpy(out[i], detail::materialize(*o.literal.buffer())->data(), bytes);
    }
  }

  std::string text(ProgramStage stage) const override {
    const compiler::Program program = make_program(kCpuTarget);
    switch (stage) {
      case ProgramStage::kSimplified: return program.procedures.back()->jaxpr.str();
      case ProgramStage::kKernels: return program.str();
      case ProgramStage::kLlvm: return llvm_text(program, code_options());
      case ProgramStage::kAssembly: return assembly_text(program, code_options());
    }
    return {};
  }

  ObjectFile object(const ObjectOptions& options, std::span<const Array> captured) const override {
    if (is_library_function(options.name))
      throw ValueError("save_object: the name must not be that of a function of the C library; got " + options.name +
                       ".");
    compiler::Target target = kCpuTarget;
    target.alone = true;
    const ir::Jaxpr with_code = compiler::decompose(ir::inline_calls(jaxpr_), /*ordered=*/false);
    const compiler::Program program = compiler::make_program(with_code, target, kEvaluateForFolding, options_.donated);
    const compiler::Procedure& main = *program.procedures.back();
    std::vector<TensorView> values;
    for (const Array& a : captured) values.push_back({a.aval(), a.buffer()->data()});
    CodeOptions code = code_options();
    code.alone = true;
    code.raw_name = options.name;
    code.triple = options.triple, code.cpu = options.cpu, code.features = options.features;
    code.captured = values;
    const ir::Avals in = main.jaxpr.input_avals(), out = main.jaxpr.output_avals();
    std::vector<int> replaces;
    replaces.reserve(main.outputs.size());
    for (const compiler::Procedure::Output& o : main.outputs)
      replaces.push_back(std::max(-1, replaced_by(o) - static_cast<int>(captured.size())));
    return {
        generate_code(program, code).objects.front(),
        object_header(options.name, std::span<const Aval>(in).subspan(captured.size()), out, replaces, main.workspace)};
  }

  const RuntimeStep& step(std::int64_t i) const { return steps_[static_cast<std::size_t>(i)]; }
  const LoopInfo& loop(std::int64_t i) const { return loops_[static_cast<std::size_t>(i)]; }

 private:
  static int replaced_by(const compiler::Procedure::Output& o) {
    return o.kind == compiler::Procedure::Output::Kind::kReplaced ? static_cast<int>(o.index) : -1;
  }
  compiler::Program make_program(const compiler::Target& target) const {
    return compiler::make_program(jaxpr_, target, kEvaluateForFolding, options_.donated);
  }
  static ProgramMemory memory_of(const compiler::Program& program, std::span<const std::uint32_t> donated) {
    using Kind = compiler::Procedure::Output::Kind;
    const compiler::Procedure& main = *program.procedures.back();
    ProgramMemory m;
    std::vector<bool> used(main.jaxpr.num_inputs(), false);
    for (const Aval a : main.jaxpr.input_avals()) m.arguments += a.bytes();
    for (std::size_t i = 0; i < main.outputs.size(); ++i) {
      const compiler::Procedure::Output& o = main.outputs[i];
      const std::int64_t bytes = main.jaxpr.aval(main.jaxpr.outputs()[i]).bytes();
      m.outputs += bytes;
      if ((o.kind != Kind::kInput && o.kind != Kind::kReplaced) || used[o.index]) continue;
      used[o.index] = true;
      m.in_place += bytes;
    }
    for (const std::uint32_t i : donated)
      if (!used[i]) m.unused += main.jaxpr.aval(i).bytes();
    m.workspace = main.workspace;
    m.workspace_at_least = main.most_live;
    m.literals = compiler::literal_bytes(program);
    return m;
  }
  // Where an input that is written to stands among those.
  std::size_t written_at(std::uint32_t input) const {
    return static_cast<std::size_t>(std::lower_bound(overwrites_.begin(), overwrites_.end(), input) -
                                    overwrites_.begin());
  }
  // Arrays that repeat are written out, unless they are large: then there is a program for them.
  static bool repeats_at_length(const Array& a) {
    const BufferValue* b = a.buffer();
    return !b->dense() && b->aval().bytes() > kMostWrittenOut;
  }

  // Inputs that are written to are copied first, unless they are `given` and their memory is nobody else's.
  void run_on(std::span<const Array> args, bool given, Arrays& outs, StatementTimer* timer) const {
    using Kind = compiler::Procedure::Output::Kind;
    const std::size_t before = outs.size();
    Arrays dense, written;
    SmallVector<const void*, 16> in;
    for (std::uint32_t i = 0; i < args.size(); ++i) {
      const BufferValue* b = args[i].buffer();
      // The statements that are timed are those of this program.
      if (!timer && repeats_at_length(args[i])) return run_repeated(Arrays(args.begin(), args.end()), given, outs);
      if (written.size() < overwrites_.size() && overwrites_[written.size()] == i) {
        written.push_back(given && detail::may_be_overwritten(args[i]) ? args[i] : detail::own_copy(args[i]));
        b = written.back().buffer();
      } else if (!b->dense()) {
        dense.push_back(Array(Ref<const Value>(detail::materialize(*b))));
        b = dense.back().buffer();
      }
      in.push_back(b->data());
    }
    SmallVector<void*, 16> out(outputs_.size(), nullptr);
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const Output& o = outputs_[i];
      switch (o.where.kind) {
        case Kind::kMade: {
          Ref<BufferValue> buffer = detail::new_buffer(o.aval);
          out[i] = buffer->storage()->data();
          outs.push_back(Array(Ref<const Value>(std::move(buffer))));
          break;
        }
        case Kind::kInput: outs.push_back(with_type(args[o.where.index], o.aval)); break;
        case Kind::kOutput: outs.push_back(with_type(outs[before + o.where.index], o.aval)); break;
        case Kind::kLiteral: outs.push_back(detail::same_memory(*o.literal.buffer())); break;
        case Kind::kReplaced: {
          const Array& at = written[written_at(o.where.index)];
          outs.push_back(at.aval() == o.aval ? at : with_type(at, o.aval));
          break;
        }
      }
    }
    if (!code_) return;
    Run context(*this);
    context.timer = timer;
    std::int32_t failed;
    if (workspace_ <= kStackWorkspace) {
      alignas(64) char workspace[kStackWorkspace];
      failed = code_->program()(in.data(), out.data(), workspace, &context);
    } else {
      const Workspace workspace(workspace_);
      failed = code_->program()(in.data(), out.data(), workspace.data, &context);
    }
    if (failed) {
      outs.resize(before);
      context.rethrow();
    }
  }

  static constexpr std::size_t kStackWorkspace = 4096;
  static constexpr std::int64_t kMostWrittenOut = std::int64_t{16} << 20;
  struct Output {
    compiler::Procedure::Output where;
    Aval aval;
    Array literal;
  };
  struct Workspace {
    explicit Workspace(std::size_t n) : data(allocate(n)), bytes(n) {}
    ~Workspace() { deallocate(data, bytes); }
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    void* data;
    std::size_t bytes;
  };

  // Runs a program of its own for inputs that repeat as these do.
  void run_repeated(Arrays args, bool given, Arrays& outs) const {
    std::vector<std::uint32_t> masks;
    for (Array& a : args) {
      const BufferValue* b = a.buffer();
      masks.push_back(b->repeated());
      if (!b->dense()) a = Array(Ref<const Value>(make_ref<BufferValue>(b->stored_aval(), b->storage())));
    }
    std::shared_ptr<const Executable> program;
    {
      const std::lock_guard lock(mutex_);
      std::shared_ptr<const Executable>& known = for_repeated_[masks];
      if (!known) {
        ExecutableOptions options = options_;
        std::erase_if(options.donated, [&](std::uint32_t i) { return masks[i] != 0; });
        known = std::make_shared<CompiledExecutable>(with_repeated_inputs(jaxpr_, masks), options);
      }
      program = known;
    }
    given ? program->run_donated(std::move(args), outs) : program->run(args, outs);
  }

  // An array of its own with the same memory, perhaps of another shape.
  static Array with_type(const Array& a, Aval aval) {
    const BufferValue* b = a.buffer();
    if (b->aval() == aval) return detail::same_memory(*b);
    const Ref<const BufferValue> whole =
        b->dense() ? Ref<const BufferValue>::share(b) : Ref<const BufferValue>(detail::materialize(*b));
    return Array(Ref<const Value>(make_ref<BufferValue>(aval, whole->storage())));
  }
  static Array literal_of(const compiler::Procedure& p, std::size_t output) {
    ir::Literal literal = p.jaxpr.literal(ir::Atom::literal(p.outputs[output].index));
    literal.aval = p.jaxpr.aval(p.jaxpr.outputs()[output]);  // it may be a reshape of the literal
    return literal_array(literal);
  }
  static LoopInfo loop_info(const compiler::Procedure& p, std::uint32_t index) {
    const ir::Eqn& e = p.jaxpr.eqns()[index];
    LoopInfo info{"scan", p.location_of(e), nullptr, e.params, {}};
    if (e.op == OpCode::kWhile) {
      info.kind = "while_loop";
      info.params = &ir::params_as<WhileParams>(info.kept.get());
      if (e.out_end > e.out_begin) info.first = p.jaxpr.aval(e.out_begin);
    }
    return info;
  }

  CodeOptions code_options() const {
    CodeOptions options;
    options.effort = options_.effort.value_or(Effort::kDefault);
    return options;
  }

  ir::Jaxpr jaxpr_;
  ExecutableOptions options_;
  mutable std::mutex mutex_;
  mutable std::map<std::vector<std::uint32_t>, std::shared_ptr<const Executable>> for_repeated_;
  std::vector<Output> outputs_;
  std::vector<RuntimeStep> steps_;
  std::vector<LoopInfo> loops_;
  std::vector<std::uint32_t> overwrites_;  // inputs that are written to, ascending
  std::size_t workspace_ = 0;
  ProgramMemory memory_;
  std::vector<ProgramStatement> statements_;  // that are timed
  std::shared_ptr<const LoadedCode> code_;
};

// For the errors of what follows, where the line is known.
std::optional<ForcedLocation> at_line(const SourceLocation& location) {
  return location ? std::optional<ForcedLocation>(std::in_place, location) : std::nullopt;
}

std::int32_t call_step(RunContext* context, std::int64_t step, const void* const* in, void* const* out) {
  Run& run = static_cast<Run&>(*context);
  try {
    run.program.step(step).run(in, out);
    return 0;
  } catch (...) {
    run.error = std::current_exception();
    return 1;
  }
}

std::int32_t call_step_with(RunContext* context, std::int64_t step, const void* const* in, void* const* out,
                            void (*kernel)(void* const*, std::int64_t, std::int64_t), void* const* buffers,
                            std::int64_t multiple, std::int64_t elements) {
  Run& run = static_cast<Run&>(*context);
  try {
    const auto follow = [&](std::int64_t begin, std::int64_t end) {
      kernel(buffers, begin / elements, end / elements);
    };
    return run.program.step(step).run(in, out, Epilogue{follow, multiple * elements}) ? 0 : 2;
  } catch (...) {
    run.error = std::current_exception();
    return 1;
  }
}

void call_kernel(RunContext*, void (*kernel)(void* const*, std::int64_t, std::int64_t), void* const* buffers,
                 std::int64_t n, std::int64_t grain) {
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) { kernel(buffers, begin, end); });
}

void call_short_kernel(RunContext*, void (*kernel)(void* const*, std::int64_t, std::int64_t), void* const* buffers,
                       std::int64_t n, std::int64_t grain) {
  parallel_for_if_awake(n, grain, [&](std::int64_t begin, std::int64_t end) { kernel(buffers, begin, end); });
}

void enter_loop(RunContext* context, std::int64_t loop) {
  Run& run = static_cast<Run&>(*context);
  const LoopInfo& info = run.program.loop(loop);
  const auto at = at_line(info.location);
  run.loops.emplace_back(info.kind);
}
void number_loop(RunContext* context, std::int64_t loop, std::int64_t iteration, const void* first) {
  Run& run = static_cast<Run&>(*context);
  const LoopInfo& info = run.program.loop(loop);
  if (info.params) {
    const TensorView view{info.first, first};
    iteration = iteration_number(*info.params, iteration, first ? &view : nullptr);
  }
  run.loops.back().at(iteration);
}
void leave_loop(RunContext* context) { static_cast<Run&>(*context).loops.pop_back(); }

void begin_statement(RunContext* context, std::int64_t statement) {
  if (StatementTimer* timer = static_cast<Run&>(*context).timer) timer->begin(static_cast<std::size_t>(statement));
}
void end_statement(RunContext* context) {
  if (StatementTimer* timer = static_cast<Run&>(*context).timer) timer->end();
}

std::int32_t refuse_more_steps(RunContext* context, std::int64_t loop) {
  [[maybe_unused]] const auto at = at_line(static_cast<Run&>(*context).program.loop(loop).location);
  try {
    throw_too_many_steps();
  } catch (...) {
    static_cast<Run&>(*context).error = std::current_exception();
  }
  return 1;
}

Run::Run(const CompiledExecutable& p)
    : RunContext{call_step,   call_step_with, call_kernel,       call_short_kernel, enter_loop,
                 number_loop, leave_loop,     refuse_more_steps, begin_statement,   end_statement},
      program(p) {}

}  // namespace

std::shared_ptr<const Executable> compile_program(const ir::Jaxpr& jaxpr, const ExecutableOptions& options) {
  return std::make_shared<CompiledExecutable>(jaxpr, options);
}

}  // namespace weft::cpu
