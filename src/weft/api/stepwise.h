// Control flow while jit is disabled: what it needs to run as C++ branches and loops that call the user's functions.
#pragma once

#include <optional>

#include "weft/core/trace.h"

namespace weft::api {

/// The branch that runs, for a checked predicate or index of a `case`, when C++ can choose it: jit is disabled and the
/// value is known. Out of range is the first or last.
std::optional<std::size_t> branch_to_run(const Array& index, std::size_t num_branches);

/// ValueError when a loop of `function` would take step number `step`, from 0 on, and may not.
void check_step(const char* function, std::int64_t step, std::optional<std::int64_t> max_steps,
                const SourceLocation& loc);

/// Slice `i` of each array along its first axis.
Arrays slices_at(std::span<const Array> xs, std::int64_t i, const SourceLocation& loc);

/// The ys of a scan, step by step.
class StackedSteps {
 public:
  explicit StackedSteps(const SourceLocation& loc) : loc_(loc) {}
  /// DTypeError or ShapeError naming the leaf when a step gives other types than the first.
  void add(Arrays ys, const std::vector<std::string>& paths);
  /// Stacked along a new first axis, the last step first when `reverse`.
  Arrays take(bool reverse);

 private:
  SourceLocation loc_;
  ir::Avals types_;
  std::vector<Arrays> by_leaf_;
};

}  // namespace weft::api
