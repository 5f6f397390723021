// Self-checking programs: the StableHLO project's `check` and `interpreter` dialects, and its custom calls
// @check.expect_eq, @check.expect_close and @check.expect_almost_eq.
#pragma once

#include <functional>

#include "weft/stablehlo/import.h"
#include "weft/stablehlo/refusal.h"

namespace weft::stablehlo {

struct CheckReport {
  enum class Outcome : std::uint8_t { kPassed, kFailed, kUnsupported };
  /// The function's symbol.
  std::string name;
  Outcome outcome = Outcome::kPassed;
  /// Of a failure: what was expected and got, with its place; of an unsupported program: all that Weft does not run.
  std::string reason;
  int checks = 0;
};

/// A function without arguments that is to be run.
struct SelfCheck {
  const Op* scope;  ///< its module
  const Op* function;
  std::string_view name() const { return function->symbol(); }
};

/// Every function without arguments; in a module with a @main, only those others that check something, themselves or in
/// what they call. Throws ParseError for a symbol that is defined twice.
std::vector<SelfCheck> find_checks(const Module& module);

/// Runs one of them, as the only process there is, with a host that feeds nothing. Never throws for what it does:
/// invalid programs have failed. Of `refusals`, what was refused while the module was read, those count that are in the
/// text of the function and of what it calls.
CheckReport run_check(const Module& module, const SelfCheck& check, const Refusals& refusals = {});

/// All of them.
std::vector<CheckReport> run_checks(const Module& module);

/// Runs a function operation by operation, as the interpreter does: each `interpreter.print` that is met gives its
/// text,
/// "%0 = tensor<2xf32> {" and the elements, to `print`. The function is chosen as by import, and has been checked by it
/// without the prints. Errors as of a function that is called; ParseError for a print in a computation or in a program
/// of run_parallel, which runs who knows when.
std::vector<Array> interpret(const Module& module, std::string_view function, std::span<const Array> args,
                             const std::function<void(std::string_view)>& print);

/// The text of an error that left a program while it ran: its place in `source` first, if it has one, as in errors of
/// the text ("a.mlir:3:10: infeed: ..."), then notes, and the hint if it is for programs, not for users of C++.
std::string error_text(const Error& e, std::string_view source);

/// Whether arrays agree: equal values, NaN with NaN; within `tolerance`; or at most `ulps` representable numbers apart.
/// "" or what differs.
std::string differ_exactly(const Array& got, const Array& expected);
std::string differ_beyond(const Array& got, const Array& expected, double tolerance);
std::string differ_by_ulps(const Array& got, const Array& expected, std::int64_t ulps);

}  // namespace weft::stablehlo
