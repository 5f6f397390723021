#include "weft/core/trace.h"

#include <mutex>
#include <set>

#include "weft/core/evaluator.h"

namespace weft {

namespace detail {

namespace {
class BusyTrace final : public Trace {
 public:
  BusyTrace() : Trace(Kind::kSplit, "busy") {}
  void process(const Call& call, Arrays&) override {
    throw InternalError(std::string(ir::op_name(call.op)) +
                        ": bound by a rule that did not return to its parent trace");
  }
};
}  // namespace

Trace* busy_trace() {
  static BusyTrace* const busy = [] {
    const CurrentTrace none(nullptr);
    return new BusyTrace;
  }();
  return busy;
}

const void* this_thread_id() {
  static constinit thread_local char id = 0;
  return &id;
}

}  // namespace detail

struct Trace::Tracked {
  std::mutex mutex;
  std::set<const Tracer*> tracers;
};

Trace::Trace(Kind kind, std::string name)
    : kind_(kind),
      thread_(detail::this_thread_id()),
      parent_(Ref<Trace>::share(detail::current_trace)),
      name_(std::move(name)),
      tracked_(detail::leak_checking ? std::make_unique<Tracked>() : nullptr) {}

Trace::~Trace() = default;

void Trace::track(const Tracer* t) {
  const std::lock_guard lock(tracked_->mutex);
  tracked_->tracers.insert(t);
}

void Trace::untrack(const Tracer* t) {
  const std::lock_guard lock(tracked_->mutex);
  tracked_->tracers.erase(t);
}

void Trace::finish(bool check_leaks) {
  alive_.store(false, std::memory_order_release);
  if (!check_leaks || !tracked_) return;
  const std::lock_guard lock(tracked_->mutex);
  if (tracked_->tracers.empty()) return;
  LeakError error("leak check: no traced value may outlive its transformation; " +
                      std::to_string(tracked_->tracers.size()) + " of " + name_ + " did.",
                  "a traced array was stored outside the function; return it instead.");
  for (const Tracer* t : tracked_->tracers)
    error.add_note("leaked " + t->aval().str() +
                   (t->location() ? " made at " + t->location().str() : std::string(", an argument")));
  throw error;
}

std::string Trace::argument_str(int argument) const {
  if (argument < 0 || thread_ != detail::this_thread_id() || !argument_path_) return "an argument of " + name_;
  return "argument " + argument_path_(static_cast<std::size_t>(argument)) + " of " + name_;
}

Tracer::Tracer(Ref<Trace> trace, Aval aval, Array primal, Array tangent, std::int64_t index, int argument)
    : Value(Kind::kTracer, aval),
      trace_(std::move(trace)),
      location_(current_location()),
      primal_(std::move(primal)),
      tangent_(std::move(tangent)),
      index_(index),
      argument_(argument) {
  if (trace_->tracking()) [[unlikely]]
    trace_->track(this);
}

Tracer::~Tracer() {
  if (trace_->tracking()) [[unlikely]]
    trace_->untrack(this);
}

namespace {

[[noreturn]] void throw_none(OpCode op, std::size_t i) {
  throw ValueError(std::string(ir::op_name(op)) +
                   ": operands must be arrays; got none (a default-constructed Array) as operand " + std::to_string(i) +
                   ".");
}

void check_usable(std::string_view op, const std::string& what, const Tracer& t) {
  const Trace& trace = *t.trace();
  if (trace.kind() == Trace::Kind::kAbstract)
    throw ConcretizationError(
        std::string(op) + ": " + what + " must have values; got an abstract " + t.aval().str() +
            ", which has a type only.",
        "abstract arrays are arguments for eval_shape and make_jaxpr; call the function with real arrays.");
  if (!trace.alive())
    throw LeakError(std::string(op) + ": " + what + " must belong to a running transformation; got " + t.str() +
                        ", which has ended.",
                    "return the value from the function instead of storing it elsewhere.");
  if (trace.thread() != detail::this_thread_id())
    throw LeakError(std::string(op) + ": " + what + " must belong to a transformation of this thread; got " + t.str() +
                        ", which runs on another thread.",
                    "start the transformation on the thread that does the work.");
  if (evaluating())
    throw LeakError(std::string(op) + ": " + what + " must belong to an enclosing transformation; got " + t.str() +
                    ".");
}

bool unusable(const Tracer& t) {
  return !t.trace()->alive() || t.trace()->thread() != detail::this_thread_id() || evaluating();
}

}  // namespace

std::string Tracer::origin() const {
  return location_ ? "made at " + location_.str() + " by " + trace_->name() : trace_->argument_str(argument_);
}

std::string Tracer::str() const { return aval().str() + (location_ ? " " : ", ") + origin(); }

void check_usable(std::string_view transform, const char* what, std::span<const Array> arrays) {
  for (const Array& a : arrays)
    if (const Tracer* t = a.tracer(); t && unusable(*t))
      check_usable(transform.substr(0, transform.find('(')), what, *t);
}

ir::Avals avals_of(std::span<const Array> arrays) {
  ir::Avals r;
  for (const Array& a : arrays) r.push_back(a.aval());
  return r;
}

void bind(OpCode op, const ir::Params& params, std::span<const Array> args, Arrays& outs) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (!args[i].defined()) [[unlikely]]
      throw_none(op, i);
    if (const Tracer* t = args[i].tracer()) [[unlikely]] {
      if (unusable(*t)) check_usable(ir::op_name(op), "operands", *t);
    }
  }
  const Call call{op, params, args};
  if (Trace* trace = detail::current_trace) {
    const CurrentTrace busy(detail::busy_trace());
    trace->process(call, outs);
  } else {
    default_evaluator().evaluate(call, outs);
  }
}

Array bind1(OpCode op, const ir::Params& params, std::span<const Array> args) {
  Arrays outs;
  bind(op, params, args, outs);
  internal_check(outs.size() == 1, "bind1: the operation does not have exactly one result");
  return std::move(outs[0]);
}

}  // namespace weft
