#include "weft/core/concretization.h"

namespace weft {

const Tracer* unknown_tracer(const Array& a, const char* what) {
  const Array* p = &a;
  while (const Tracer* t = p->tracer()) {
    if (t->trace()->kind() == Trace::Kind::kAbstract) return t;
    if (!t->trace()->alive())
      throw LeakError(std::string(what) + ": the array must belong to a running transformation; got " + t->str() +
                          ", which has ended.",
                      "return the value from the function instead of storing it elsewhere.");
    if (t->trace()->thread() != detail::this_thread_id())
      throw LeakError(std::string(what) + ": the array must belong to a transformation of this thread; got " +
                          t->str() + ", which runs on another thread.",
                      "start the transformation on the thread that does the work.");
    if (!t->primal().defined() || t->trace()->kind() == Trace::Kind::kBatch) return t;
    p = &t->primal();
  }
  return nullptr;
}

std::string unknown_str(const Tracer& t) {
  switch (t.trace()->kind()) {
    case Trace::Kind::kAbstract: return "an abstract " + t.aval().str();
    case Trace::Kind::kBatch: return "a mapped " + t.aval().str();
    default: return "a traced " + t.aval().str();
  }
}

ConcretizationError concretization_error(const Tracer& t, std::string message, std::string hint) {
  ConcretizationError error(std::move(message), std::move(hint));
  if (t.trace()->kind() == Trace::Kind::kAbstract) return error;
  if (const std::string after = after_last_call(); !error.location() && !after.empty())
    error.add_note("asked for " + after);
  error.add_note(t.origin());
  if (const std::string from = t.dependence(); !from.empty()) error.add_note(from);
  return error;
}

namespace {

// The remedies depend on what kind of trace hides the value, and on what it was wanted for.
std::string remedy(const Tracer& t, ElementUse use) {
  switch (t.trace()->kind()) {
    case Trace::Kind::kAbstract: return "call the function itself instead of eval_shape to get values.";
    case Trace::Kind::kBatch:
      switch (use) {
        case ElementUse::kChoice:
          return "np::where(condition, a, b) and cond choose for each example; or map over another axis.";
        case ElementUse::kInteger:
          return "a size must be the same for all examples; np::take reads at an index that is mapped, and switch_ "
                 "calls "
                 "one of several functions.";
        default: return "compute with the array itself, or read the values after vmap has returned.";
      }
    default: break;
  }
  std::string text;
  switch (use) {
    case ElementUse::kChoice:
      text =
          "np::where(condition, a, b) chooses by element, cond runs one of two functions, while_loop repeats one; a "
          "static argument (int, bool, string) is known while tracing";
      break;
    case ElementUse::kInteger:
      text =
          "a size must be a static argument (int); np::take reads at an index that is traced, and switch_ calls one of "
          "several functions";
      break;
    default:
      text =
          "compute with the array itself, pass a static argument (int, bool, string), or read the value outside the "
          "traced function";
  }
  return text + (jit_disabled() ? "." : "; to debug, let a DisableJit live around the call.");
}

}  // namespace

void throw_unknown(const Tracer& t, const char* what, ElementUse use) {
  std::string message = std::string(what) + ": the array's value must be known; got " + unknown_str(t);
  switch (t.trace()->kind()) {
    case Trace::Kind::kAbstract: message += ", which has a type only."; break;
    case Trace::Kind::kBatch: message += ", which has one value per example."; break;
    default: message += ", whose value is known only when the program runs.";
  }
  throw concretization_error(t, std::move(message), remedy(t, use));
}

}  // namespace weft
