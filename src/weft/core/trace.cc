#include "weft/core/trace.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "weft/base/environment.h"
#include "weft/core/checks.h"
#include "weft/core/donation.h"
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

bool read_jit_state() {
  if (jit_state == JitState::kUnread) {
    static const bool disabled = environment_flag("WEFT_DISABLE_JIT");
    jit_state = disabled ? JitState::kDisabled : JitState::kEnabled;
  }
  return jit_state == JitState::kDisabled;
}

void throw_nested_too_deep(const std::string& name) {
  throw ValueError(name.substr(0, name.find('(')) + ": at most " + std::to_string(kMostNestedTraces) +
                       " transformations may run inside one another; got one more, " + name + ".",
                   "a function that transforms itself must come to an end; what repeats belongs into fori_loop, "
                   "while_loop or scan.");
}

const void* this_thread_id() {
  static constinit thread_local char id = 0;
  return &id;
}

}  // namespace detail

struct Trace::Tracked {
  std::mutex mutex;
  std::map<const Tracer*, std::uint64_t> tracers;  // and when each was made
  std::uint64_t next = 0;
  std::map<int, std::string> argument_paths;  // once the trace does not know them any more
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
  tracked_->tracers.emplace(t, tracked_->next++);
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
  // In the order in which they were made; a loop that leaks makes many on one line.
  std::vector<std::pair<std::uint64_t, const Tracer*>> order;
  for (const auto& [t, when] : tracked_->tracers) order.emplace_back(when, t);
  std::sort(order.begin(), order.end());
  std::vector<std::pair<std::string, std::size_t>> lines;
  for (const auto& [when, t] : order) {
    const std::string line = "leaked " + t->aval().str() + (t->location() ? " " : ", ") + t->made();
    const auto same = std::find_if(lines.begin(), lines.end(), [&](const auto& l) { return l.first == line; });
    if (same == lines.end())
      lines.emplace_back(line, 1);
    else
      ++same->second;
  }
  for (const auto& [line, count] : lines)
    error.add_note(line + (count > 1 ? " (" + std::to_string(count) + " values)" : std::string()));
  throw error;
}

void Trace::forget_paths() {
  if (tracked_) {
    const std::lock_guard lock(tracked_->mutex);
    for (const auto& [t, when] : tracked_->tracers)
      if (const std::string path = argument_path(t->argument()); !path.empty())
        tracked_->argument_paths.emplace(t->argument(), path);
  }
  argument_path_ = nullptr;
}

std::string Trace::argument_path(int argument) const {
  if (argument < 0 || thread_ != detail::this_thread_id()) return {};
  if (argument_path_) return argument_path_(static_cast<std::size_t>(argument));
  if (!tracked_) return {};
  const auto it = tracked_->argument_paths.find(argument);
  return it == tracked_->argument_paths.end() ? std::string() : it->second;
}

std::string Trace::argument_str(int argument) const {
  const std::string path = argument_path(argument);
  return path.empty() ? "an argument of " + name_ : "argument " + path + " of " + name_;
}

std::optional<Trace::Sources> Trace::sources(const Tracer&) const { return std::nullopt; }

Tracer::Tracer(Ref<Trace> trace, Aval aval, Array primal, Array tangent, std::int64_t index, int argument,
               std::uint64_t arguments)
    : Value(Kind::kTracer, aval),
      trace_(std::move(trace)),
      location_(current_location()),
      operation_(current_operation()),
      primal_(std::move(primal)),
      tangent_(std::move(tangent)),
      index_(index),
      argument_(argument),
      arguments_(arguments) {
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

constinit thread_local const StandIns* stand_ins = nullptr;

bool unusable(const Tracer& t) {
  if (t.trace()->alive() && t.trace()->thread() == detail::this_thread_id() && !evaluating()) return false;
  return evaluating() || !stand_ins || !stand_ins->has(&t);
}

}  // namespace

std::string Tracer::made() const {
  if (!location_) {
    const std::string path = trace_->argument_path(argument_);
    return path.empty() ? "an argument" : "argument " + path;
  }
  return "made " + (operation_.empty() ? std::string() : "by " + std::string(operation_) + " ") + "at " +
         location_.str();
}

StandIns::StandIns(std::span<const Array> arrays) : arrays_(arrays), outer_(stand_ins) {
  if (!arrays.empty()) stand_ins = this;
}

StandIns::~StandIns() { stand_ins = outer_; }

bool StandIns::has(const Value* value) const {
  for (const StandIns* s = this; s; s = s->outer_)
    for (const Array& a : s->arrays_)
      if (a.id() == value) return true;
  return false;
}

std::string Tracer::origin() const {
  return location_ ? made() + " in " + trace_->name() : trace_->argument_str(argument_);
}

std::string Tracer::dependence() const {
  if (argument_ >= 0 || !trace_->alive()) return {};
  const std::optional<Trace::Sources> sources = trace_->sources(*this);
  if (!sources) return {};
  std::vector<std::string> all;
  for (const int i : sources->arguments) {
    const std::string path = trace_->argument_path(i);
    all.push_back(path.empty() ? "argument " + std::to_string(i) : path);
  }
  for (const Array& a : sources->captured)
    all.push_back("the captured " + (a.is_tracer() ? a.tracer()->str() : a.aval().str()));
  if (all.empty()) return "it depends on no argument";
  constexpr std::size_t kMost = 4;
  const std::size_t shown = all.size() > kMost ? kMost - 1 : all.size();
  std::string text = "it depends on " + all[0];
  for (std::size_t i = 1; i < shown; ++i) text += (i + 1 == all.size() ? " and " : ", ") + all[i];
  if (shown < all.size()) text += " and " + std::to_string(all.size() - shown) + " more";
  return text;
}

std::string Tracer::str() const { return aval().str() + (location_ ? " " : ", ") + origin(); }

void check_usable(std::string_view transform, const char* what, std::span<const Array> arrays) {
  for (const Array& a : arrays)
    if (const Tracer* t = a.tracer(); t && unusable(*t))
      check_usable(transform.substr(0, std::min(transform.find('('), transform.find(" at "))), what, *t);
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
    if (args[i].id()->kind() != Value::Kind::kBuffer) [[unlikely]] {
      const Tracer* t = args[i].tracer();
      if (!t) detail::throw_donated(ir::op_name(op), "operands", args[i]);
      if (unusable(*t)) check_usable(ir::op_name(op), "operands", *t);
    }
  }
  if (detail::check_mode() != 0) [[unlikely]]
    return detail::bind_checked(op, params, args, outs);
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
