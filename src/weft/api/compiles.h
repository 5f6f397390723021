// When and why functions made by `jit` are traced and compiled: explanations, a policy that forbids it, and counts.
// What calls of compiled functions cost does not depend on any of this: it is asked only when a call has no program.
#pragma once

#include <functional>

#include "weft/core/tree.h"

namespace weft {

/// Whether a call of a jitted function that has no program yet may make one. Otherwise it throws a ValueError that says
/// what differs from the calls before.
enum class CompilePolicy : std::uint8_t {
  kAlways,
  kOnce,   // for the first call of each function
  kNever,  // for programs that must not wait: all functions have been called before, to warm up
};

/// While it lives, the policy of all jitted functions on this thread, instead of their own (see JitOptions).
class CompilePolicyScope {
 public:
  explicit CompilePolicyScope(CompilePolicy policy);
  ~CompilePolicyScope();
  CompilePolicyScope(const CompilePolicyScope&) = delete;
  CompilePolicyScope& operator=(const CompilePolicyScope&) = delete;

 private:
  std::optional<CompilePolicy> saved_;
};

/// One way in which a call differs from an earlier one.
struct CompileDifference {
  enum class Kind : std::uint8_t {
    kArray,      // another shape or dtype
    kStatic,     // another static value
    kStructure,  // another number of entries, other keys or types
    kAxes,       // other axes with names around the call
    kChecks,     // another check mode
  };
  Kind kind;
  std::string path;  // "args[0].w"
  std::string before, now;
  /// "args[0].w: f32[4] instead of f32[3]".
  std::string str() const;
};

/// Why a jitted function was traced or compiled, and how long that took.
struct CompileExplanation {
  enum class Reason : std::uint8_t {
    kFirstCall,
    kDifferent,  // see `differences`
    kNotKept,    // the program for such a call captured values of another transformation, so it was for that call only
    kFirstRun,   // traced before, inside of another transformation, and now compiled
  };
  std::string function;  // "jit(step) at train.cc:18"
  /// As near to the call as can be told: "after ones at train.cc:40", the last call of Weft on this thread, or "".
  std::string after;
  Reason reason = Reason::kFirstCall;
  std::size_t programs = 0;                    // that the function had before
  std::vector<CompileDifference> differences;  // from the most similar of them
  std::string captured;                        // what makes this program one for this call only, or ""
  std::optional<double> trace_seconds;         // with the functions it calls
  std::optional<double> compile_seconds;       // none when it was called inside of another transformation

  /// All of it, one difference a line.
  std::string str() const;
  /// "it differs from the most similar of its 2 programs".
  std::string reason_str() const;
};

using CompileSink = std::function<void(const CompileExplanation&)>;

/// While it lives, each trace and compilation of a jitted function on this thread is explained to the innermost sink.
/// Without any, WEFT_EXPLAIN_COMPILES=1 in the environment explains to stderr, on all threads.
class ExplainCompiles {
 public:
  /// An empty sink prints to stderr.
  explicit ExplainCompiles(CompileSink sink);
  ~ExplainCompiles();
  ExplainCompiles(const ExplainCompiles&) = delete;
  ExplainCompiles& operator=(const ExplainCompiles&) = delete;

 private:
  CompileSink sink_;
  const CompileSink* saved_;
};
///   const auto explain = explain_compiles([](const CompileExplanation& e) { std::cout << e.str() << "\n"; });
[[nodiscard]] inline ExplainCompiles explain_compiles(CompileSink sink = {}) {
  return ExplainCompiles(std::move(sink));
}

/// What one jitted function has cost so far; copies of it count together.
struct JitStats {
  std::int64_t traces = 0;    ///< programs made from the function
  std::int64_t compiles = 0;  ///< programs made ready to run; programs of calls inside of transformations may never be
  std::int64_t hits = 0;      ///< calls that found their program
  double trace_seconds = 0;   ///< with the functions it calls
  double compile_seconds = 0;
};

namespace api {

/// A call's signature for people: the type of each array, static value and size of a list or map, with its path.
class SignatureOutline : public tree::PathVisitor {
 public:
  struct Part {
    CompileDifference::Kind kind;
    std::string path, text;
  };

  SignatureOutline() : PathVisitor("args") {}
  void array(const Array& a);
  template <class U>
  void value(const U& v) {
    add(CompileDifference::Kind::kStatic, tree::detail::value_text(v));
  }
  void enter(tree::NodeKind kind, std::size_t n);
  /// What is part of the key beside the arguments: the axes that may be named now, and the check mode.
  void add_surroundings();
  const std::vector<Part>& parts() const { return parts_; }

 private:
  void add(CompileDifference::Kind kind, std::string text);
  std::vector<Part> parts_;
};

/// How a call differs from an earlier one, path by path.
std::vector<CompileDifference> differences(const SignatureOutline& before, const SignatureOutline& now);

/// The policy in force on this thread for a function with a policy of its own.
CompilePolicy policy_in_force(CompilePolicy own);
/// Whether somebody wants explanations.
bool explaining();
/// Tells the sink, outside of all transformations. What the sink itself compiles is not explained.
void explain(const CompileExplanation& explanation);
[[noreturn]] void throw_forbidden(CompilePolicy policy, const CompileExplanation& explanation);

}  // namespace api
}  // namespace weft
