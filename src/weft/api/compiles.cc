#include "weft/api/compiles.h"

#include <iostream>
#include <unordered_map>

#include "weft/base/environment.h"
#include "weft/base/text.h"
#include "weft/core/checks.h"
#include "weft/core/named_axes.h"
#include "weft/core/trace.h"

namespace weft {

namespace {

thread_local std::optional<CompilePolicy> scope_policy;
thread_local const CompileSink* current_sink = nullptr;
thread_local bool sink_runs = false;

void print_to_stderr(const CompileExplanation& e) { std::cerr << e.str() << "\n"; }

bool environment_explains() {
  static const bool explains = environment_flag("WEFT_EXPLAIN_COMPILES");
  return explains;
}

std::string milliseconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g ms", seconds * 1e3);
  return text;
}

}  // namespace

CompilePolicyScope::CompilePolicyScope(CompilePolicy policy) : saved_(scope_policy) { scope_policy = policy; }
CompilePolicyScope::~CompilePolicyScope() { scope_policy = saved_; }

ExplainCompiles::ExplainCompiles(CompileSink sink)
    : sink_(sink ? std::move(sink) : CompileSink(print_to_stderr)), saved_(current_sink) {
  current_sink = &sink_;
}
ExplainCompiles::~ExplainCompiles() { current_sink = saved_; }

std::string CompileDifference::str() const { return path + ": " + now + " instead of " + before; }

std::string CompileExplanation::reason_str() const {
  switch (reason) {
    case Reason::kFirstCall: return "it was not called before";
    case Reason::kDifferent:
      return programs == 1 ? "it differs from its only program"
                           : "it differs from the most similar of its " + std::to_string(programs) + " programs";
    case Reason::kNotKept:
      return "its program for such arguments captured values of another transformation, so it was for one call only";
    default: return "its program was only traced before, inside of another transformation";
  }
}

std::string CompileExplanation::str() const {
  std::string text = function;
  if (!after.empty()) text += ", called " + after;
  text += trace_seconds ? ", was traced in " + milliseconds(*trace_seconds) : "";
  if (compile_seconds)
    text += (trace_seconds ? " and compiled in " : ", was compiled in ") + milliseconds(*compile_seconds);
  text += ": " + reason_str();
  for (const CompileDifference& d : differences) text += "\n  " + d.str();
  if (!captured.empty()) text += "\n  the program is for this call only: it captures " + captured;
  return text;
}

namespace api {

void SignatureOutline::add(CompileDifference::Kind kind, std::string text) {
  // An optional and what it holds, and the flags of a std::vector<bool>, are at one path.
  if (!parts_.empty() && parts_.back().path == path())
    parts_.back().text += ", " + text;
  else
    parts_.push_back({kind, path(), std::move(text)});
}

void SignatureOutline::array(const Array& a) {
  if (a.defined())
    add(CompileDifference::Kind::kArray, a.aval().str());
  else
    add(CompileDifference::Kind::kStructure, "none");
}

void SignatureOutline::enter(tree::NodeKind kind, std::size_t n) {
  if (kind == tree::NodeKind::kList || kind == tree::NodeKind::kMap)
    add(CompileDifference::Kind::kStructure, count_str(static_cast<std::int64_t>(n), "entry", "entries"));
  if (kind == tree::NodeKind::kOptional) add(CompileDifference::Kind::kStructure, n ? "a value" : "no value");
}

void SignatureOutline::add_surroundings() {
  std::string text;
  for (const auto* a = weft::detail::named_axes; a; a = a->outer)
    text = "'" + a->axis->name + "' of size " + std::to_string(a->axis->size) + (text.empty() ? "" : ", " + text);
  if (!text.empty()) parts_.push_back({CompileDifference::Kind::kAxes, "named axes", std::move(text)});
  if (const std::string mode = weft::detail::check_mode_text(); !mode.empty())
    parts_.push_back({CompileDifference::Kind::kChecks, "check mode", mode});
}

std::vector<CompileDifference> differences(const SignatureOutline& before, const SignatureOutline& now) {
  const auto missing = [](const SignatureOutline::Part& part) {
    using Kind = CompileDifference::Kind;
    return part.kind == Kind::kAxes || part.kind == Kind::kChecks ? part.kind : Kind::kStructure;
  };
  std::unordered_map<std::string_view, const SignatureOutline::Part*> old;
  for (const auto& part : before.parts()) old.emplace(part.path, &part);
  std::vector<CompileDifference> r;
  for (const auto& part : now.parts()) {
    const auto it = old.find(part.path);
    if (it == old.end()) {
      r.push_back({missing(part), part.path, "nothing", part.text});
      continue;
    }
    const auto& was = *it->second;
    if (was.text != part.text || was.kind != part.kind)
      r.push_back(
          {was.kind == part.kind ? part.kind : CompileDifference::Kind::kStructure, part.path, was.text, part.text});
    old.erase(it);
  }
  for (const auto& part : before.parts())
    if (old.count(part.path)) r.push_back({missing(part), part.path, part.text, "nothing"});
  return r;
}

CompilePolicy policy_in_force(CompilePolicy own) { return scope_policy.value_or(own); }

bool explaining() { return !sink_runs && (current_sink || environment_explains()); }

void explain(const CompileExplanation& explanation) {
  struct Running {
    Running() { sink_runs = true; }
    ~Running() { sink_runs = false; }
  } const running;
  const CurrentTrace none(nullptr);
  const ForcedLocation own_lines{SourceLocation()};
  if (current_sink)
    (*current_sink)(explanation);
  else
    print_to_stderr(explanation);
}

void throw_forbidden(CompilePolicy policy, const CompileExplanation& e) {
  ValueError error(
      std::string("jit: no ") + (policy == CompilePolicy::kOnce ? "second program" : "program") +
          " may be compiled here (CompilePolicy::" + (policy == CompilePolicy::kOnce ? "kOnce" : "kNever") +
          "); got a call of " + e.function + " that needs one: " + e.reason_str() + ".",
      e.reason == CompileExplanation::Reason::kDifferent
          ? "pass what was passed before, padded to the same shapes, or call it once like this where the "
            "policy is CompilePolicy::kAlways."
      : e.reason == CompileExplanation::Reason::kNotKept
          ? "pass what it captures of the other transformation as an argument: then the program is kept."
          : "call it once like this where the policy is CompilePolicy::kAlways.");
  for (const CompileDifference& d : e.differences) error.add_note(d.str());
  if (!error.location() && !e.after.empty()) error.add_note(e.after);
  throw error;
}

}  // namespace api
}  // namespace weft
