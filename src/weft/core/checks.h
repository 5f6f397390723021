// Modes in which operations check their values, and say where a NaN, an infinity or an index outside of its array first
// came up.
#pragma once

#include <cstdint>
#include <string>

#include "weft/core/trace.h"

namespace weft {

namespace debug {

/// What is checked. `nans`, `infs`: the results of arithmetic, their tangents, and in the backward pass the gradients
/// by operands; operations that only move elements are not asked. `indices`: those of arrays that are indexed by
/// arrays, which otherwise clamp or drop what is outside.
struct Checks {
  bool nans = true;
  bool infs = false;
  bool indices = true;
};

/// While it lives, operations on this thread are checked: at once, or, in programs that are traced (jit, scan, ...),
/// whenever those run, also later and elsewhere. A value that fails is a NonFiniteError or an IndexError that names the
/// operation, the user's line, the element, the example of a vmap, the iterations of loops, and the pass. Results are
/// the same to the bit. Functions of jit are traced apart for each mode. Scopes nest; the innermost counts.
///
/// WEFT_CHECKS=nans,infs,indices in the environment puts every thread into that mode from the start.
class CheckScope {
 public:
  explicit CheckScope(Checks checks = {});
  ~CheckScope();
  CheckScope(const CheckScope&) = delete;
  CheckScope& operator=(const CheckScope&) = delete;

 private:
  std::uint8_t saved_;
};

}  // namespace debug

namespace detail {

// Bits of the mode on this thread. kInsideRule: nothing is checked now. kInBackwardRule: it is the user's rule for a
// backward pass that runs. kAskEnvironment: nobody asked yet.
inline constexpr std::uint8_t kCheckNans = 1, kCheckInfs = 2, kCheckIndices = 4, kInsideRule = 32, kInBackwardRule = 64,
                              kAskEnvironment = 128;
inline constinit thread_local std::uint8_t checks = kAskEnvironment;
std::uint8_t checks_of_environment();

/// The mode as a key of traced programs; 0 for none.
inline std::uint8_t check_mode() {
  if (checks == kAskEnvironment) [[unlikely]]
    checks = checks_of_environment();
  return (checks & kInsideRule) != 0 ? 0 : checks;
}

/// Operations inside of rules, and of programs that have their checks already, are not checked again.
class NoChecks {
 public:
  NoChecks() : saved_(checks) {
    if (check_mode() != 0) checks |= kInsideRule;
  }
  ~NoChecks() { checks = saved_; }
  NoChecks(const NoChecks&) = delete;
  NoChecks& operator=(const NoChecks&) = delete;

 private:
  std::uint8_t saved_;
};

/// While a rule calls what the user wrote: operations of the user are blamed for their own lines, and checked as those
/// around the rule are.
class UserRule {
 public:
  enum class Pass : std::uint8_t { kForward, kBackward };
  explicit UserRule(Pass pass) : own_lines_(SourceLocation()), saved_(checks) {
    checks &= static_cast<std::uint8_t>(~kInsideRule);
    if (pass == Pass::kBackward && check_mode() != 0) checks |= kInBackwardRule;
  }
  ~UserRule() { checks = saved_; }
  UserRule(const UserRule&) = delete;
  UserRule& operator=(const UserRule&) = delete;

 private:
  ForcedLocation own_lines_;
  std::uint8_t saved_;
};

/// "nans, indices"; "" for none.
std::string check_mode_text();

/// What bind does in a mode.
void bind_checked(OpCode op, const ir::Params& params, std::span<const Array> args, Arrays& outs);

/// What f gives for `x` and `y`, checked as one operation, the public function that the user called: for formulas in
/// which NaN may come up on the way to a result that has none.
Array checked_as_one(const Array& x, const Array& y, Array (*f)(const Array&, const Array&));

}  // namespace detail

}  // namespace weft
