// Traces and `bind`, the one entry point through which every operation goes.
//
// Each thread has a current trace, owned by RAII scopes; none (null) means evaluation. `bind`
// hands an operation to the current trace, which treats operands that are its own tracers
// specially and every other operand as a constant. While a trace processes an operation nothing
// is current, so a rule that forgets to go on in its parent fails at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weft/core/array.h"
#include "weft/ir/op.h"

namespace weft {

/// An operation applied to operands.
struct Call {
  OpCode op;
  const ir::Params& params;
  std::span<const Array> args;

  template <class P>
  const P& params_as() const {
    return ir::params_as<P>(params.get());
  }
};

class Trace : public RefCounted {
 public:
  /// Arrays of kAbstract have a type and never a value.
  enum class Kind : std::uint8_t { kJaxpr, kJvp, kLinearize, kSplit, kBatch, kAbstract };

  virtual ~Trace();
  /// Applies `call`; operands are live values of this thread.
  virtual void process(const Call& call, Arrays& outs) = 0;

  Kind kind() const { return kind_; }
  /// What the user called: "jit(train_step)", "grad(loss)".
  const std::string& name() const { return name_; }
  bool alive() const { return alive_.load(std::memory_order_acquire); }
  /// Owner thread of all its tracers.
  const void* thread() const { return thread_; }
  Trace* parent() const { return parent_.get(); }
  bool owns(const Array& a) const;

  /// While it lives, errors call the trace's arguments by their paths: "args[0].w". The trace must be running.
  class ArgumentPaths {
   public:
    ArgumentPaths(Trace* trace, std::function<std::string(std::size_t)> path_of) : trace_(Ref<Trace>::share(trace)) {
      if (trace_) trace_->argument_path_ = std::move(path_of);
    }
    ~ArgumentPaths() {
      if (trace_) trace_->forget_paths();
    }
    ArgumentPaths(const ArgumentPaths&) = delete;
    ArgumentPaths& operator=(const ArgumentPaths&) = delete;

   private:
    Ref<Trace> trace_;
  };
  /// "argument args[0].w of jit(f)", or "an argument of jit(f)" when paths are not known.
  std::string argument_str(int argument) const;
  /// "args[0].w", or "" when paths are not known.
  std::string argument_path(int argument) const;

  /// What a value was computed from, as far as a trace knows: for errors.
  struct Sources {
    std::vector<int> arguments;  // of the transformed function, counting leaves, ascending
    Arrays captured;             // arrays and values of other traces
  };
  /// nullopt when the trace keeps no account of it. `t` is one of its tracers.
  virtual std::optional<Sources> sources(const Tracer& t) const;

  /// Ends the trace: its tracers become unusable. When leaks are checked, throws LeakError that
  /// lists the lines of the tracers still held.
  void finish(bool check_leaks);
  void track(const Tracer* t);
  void untrack(const Tracer* t);
  bool tracking() const { return tracked_ != nullptr; }

 protected:
  /// The parent is the trace that is current now.
  Trace(Kind kind, std::string name);

 private:
  Kind kind_;
  std::atomic<bool> alive_{true};
  const void* thread_;
  Ref<Trace> parent_;
  std::string name_;
  void forget_paths();
  std::function<std::string(std::size_t)> argument_path_;
  struct Tracked;
  std::unique_ptr<Tracked> tracked_;  // when leaks are checked
};

/// A value inside a transformation. What the payload means is its trace's business:
/// jvp and linearize keep primal and tangent, vmap the value and its mapped axis, staging the
/// number of a variable.
class Tracer final : public Value {
 public:
  /// `argument`: which argument of the transformed function it is, counting leaves; -1 for what operations give.
  /// `arguments`: of which ones it is computed, where its trace keeps account in this way: bit i for argument i, the
  /// last bit for all that have none of their own.
  Tracer(Ref<Trace> trace, Aval aval, Array primal, Array tangent, std::int64_t index, int argument = -1,
         std::uint64_t arguments = 0);
  ~Tracer();
  Trace* trace() const { return trace_.get(); }
  /// The user's line that made it, and the public function called there ("sin"); unknown and "" for arguments.
  const SourceLocation& location() const { return location_; }
  std::string_view operation() const { return operation_; }
  /// The argument that it is, or -1.
  int argument() const { return argument_; }
  /// "made by sin at model.cc:7 in jit(f) at model.cc:20", "argument args[0].w of jit(f)": for errors.
  std::string origin() const;
  /// The same without the trace: "made by sin at model.cc:7", "argument args[0].w".
  std::string made() const;
  /// "it depends on args[0].w and the captured f32[3]", or "" for an argument and where that is not known.
  std::string dependence() const;
  /// Its type and origin.
  std::string str() const;
  const Array& primal() const { return primal_; }
  const Array& tangent() const { return tangent_; }
  std::int64_t index() const { return index_; }
  std::uint64_t arguments() const { return arguments_; }

 private:
  Ref<Trace> trace_;
  SourceLocation location_;
  std::string_view operation_;
  Array primal_;
  Array tangent_;
  std::int64_t index_;
  int argument_;
  std::uint64_t arguments_;
};

inline const Tracer* Array::tracer() const { return is_tracer() ? static_cast<const Tracer*>(v_.get()) : nullptr; }
inline bool Trace::owns(const Array& a) const {
  const Tracer* t = a.tracer();
  return t && t->trace() == this;
}

namespace detail {
inline constinit thread_local Trace* current_trace = nullptr;
inline constinit thread_local bool leak_checking = false;
// kUnread: the environment has not been asked yet.
enum class JitState : std::uint8_t { kUnread, kEnabled, kDisabled };
inline constinit thread_local JitState jit_state = JitState::kUnread;
bool read_jit_state();
/// Stands for "an operation is being processed; nobody may bind".
Trace* busy_trace();
const void* this_thread_id();
}  // namespace detail

/// Makes `trace` current (null: evaluation) until destroyed.
class CurrentTrace {
 public:
  explicit CurrentTrace(Trace* trace) : saved_(detail::current_trace) { detail::current_trace = trace; }
  ~CurrentTrace() { detail::current_trace = saved_; }
  CurrentTrace(const CurrentTrace&) = delete;
  CurrentTrace& operator=(const CurrentTrace&) = delete;

 private:
  Trace* saved_;
};

/// How deep transformations may nest on a thread: jit in jit, grad in vmap in grad. Each takes some of the stack, and
/// so does each again whenever the innermost one binds an operation. Deeper nesting is a recursion without an end, or a
/// loop that should be one: it fails with an error long before 8 MiB of stack are used, in builds without optimisation
/// and with sanitizers too.
inline constexpr int kMostNestedTraces = 200;

namespace detail {
inline constinit thread_local int nested_traces = 0;
[[noreturn]] void throw_nested_too_deep(const std::string& name);

/// Counts one running trace. ValueError when they are too many.
class NestedTrace {
 public:
  explicit NestedTrace(const Trace& trace) {
    if (nested_traces >= kMostNestedTraces) throw_nested_too_deep(trace.name());
    ++nested_traces;
  }
  ~NestedTrace() { --nested_traces; }
  NestedTrace(const NestedTrace&) = delete;
  NestedTrace& operator=(const NestedTrace&) = delete;
};
}  // namespace detail

/// True when operations on this thread are evaluated at once.
inline bool evaluating() { return detail::current_trace == nullptr; }

/// While it lives, `arrays` may be operands on this thread even if their traces have ended: a trace inside of which it
/// was made knows them for other values.
class StandIns {
 public:
  explicit StandIns(std::span<const Array> arrays);
  ~StandIns();
  StandIns(const StandIns&) = delete;
  StandIns& operator=(const StandIns&) = delete;
  bool has(const Value* value) const;

 private:
  std::span<const Array> arrays_;
  const StandIns* outer_;
};

/// Owns a running trace: current from construction until `end()`, which is where leaks are
/// reported. Destroyed without `end()` (an exception), it only closes the trace. ValueError when kMostNestedTraces run
/// already.
template <class T>
class TraceScope {
 public:
  explicit TraceScope(Ref<T> trace)
      : trace_(std::move(trace)), nested_(*trace_), location_(SourceLocation{}), current_(trace_.get()) {
    detail::last_location = SourceLocation();  // what was called before is not part of the function that runs now
  }
  ~TraceScope() {
    if (trace_) trace_->finish(false);
  }
  T* operator->() const { return trace_.get(); }
  T* get() const { return trace_.get(); }
  void end() { std::exchange(trace_, Ref<T>())->finish(true); }

 private:
  Ref<T> trace_;
  detail::NestedTrace nested_;
  ForcedLocation location_;
  CurrentTrace current_;
};

/// While it lives, transformations on this thread that end with tracers still held throw
/// LeakError listing the lines that made them.
class CheckLeaks {
 public:
  CheckLeaks() : saved_(detail::leak_checking) { detail::leak_checking = true; }
  ~CheckLeaks() { detail::leak_checking = saved_; }
  CheckLeaks(const CheckLeaks&) = delete;
  CheckLeaks& operator=(const CheckLeaks&) = delete;

 private:
  bool saved_;
};

/// While it lives, functions made by `jit` run as they are on this thread, one operation after the other, and so do
/// the functions given to cond, switch_, while_loop, fori_loop, scan, map and checkpoint: a debugger steps through
/// them, and they may look at values. Results are the same; a loop or branch whose condition is not known (mapped by
/// vmap, or inside of make_jaxpr) stays one operation. WEFT_DISABLE_JIT=1 in the environment does it for all threads.
class DisableJit {
 public:
  DisableJit() : saved_(detail::jit_state) { detail::jit_state = detail::JitState::kDisabled; }
  ~DisableJit() { detail::jit_state = saved_; }
  DisableJit(const DisableJit&) = delete;
  DisableJit& operator=(const DisableJit&) = delete;

 private:
  detail::JitState saved_;
};

/// Whether a DisableJit lives on this thread, or the environment says so.
inline bool jit_disabled() { return detail::jit_state != detail::JitState::kEnabled && detail::read_jit_state(); }

/// LeakError unless every array can be used now: it is a buffer or none, or its trace runs on this thread.
/// `what` they are ("arguments", "results") of `transform`, the name of a transformation: "grad(f) at train.cc:18".
void check_usable(std::string_view transform, const char* what, std::span<const Array> arrays);

/// The types of the arrays, in their order.
ir::Avals avals_of(std::span<const Array> arrays);

/// Applies an operation in the current trace.
void bind(OpCode op, const ir::Params& params, std::span<const Array> args, Arrays& outs);

/// The result of an operation that has exactly one.
Array bind1(OpCode op, const ir::Params& params, std::span<const Array> args);
inline Array bind1(OpCode op, const ir::Params& params, std::initializer_list<Array> args) {
  return bind1(op, params, std::span<const Array>(args.begin(), args.size()));
}
inline Array bind1(OpCode op, std::initializer_list<Array> args) { return bind1(op, ir::Params(), args); }

}  // namespace weft
