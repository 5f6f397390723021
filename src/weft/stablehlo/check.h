// Self-checking programs: the StableHLO project's `check` and `interpreter` dialects, and its custom calls
// @check.expect_eq, @check.expect_close and @check.expect_almost_eq.
#pragma once

#include "weft/stablehlo/import.h"

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

/// Runs every function without arguments (where there is a @main, only those others that check something) and reports
/// on each. Never throws for what a program does.
std::vector<CheckReport> run_checks(const Module& module);

/// Whether arrays agree: equal values, NaN with NaN; within `tolerance`; or at most `ulps` representable numbers apart.
/// "" or what differs.
std::string differ_exactly(const Array& got, const Array& expected);
std::string differ_beyond(const Array& got, const Array& expected, double tolerance);
std::string differ_by_ulps(const Array& got, const Array& expected, std::int64_t ulps);

}  // namespace weft::stablehlo
