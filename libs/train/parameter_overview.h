// Tables of the parameters of a model: names, shapes, dtypes, sizes, means and standard deviations. Source:
// clu.parameter_overview.
//
//   +----------------+----------+---------+------+------+------+
//   | Name           | Shape    | Dtype   | Size | Mean | Std  |
//   +----------------+----------+---------+------+------+------+
//   | Dense_0/bias   | (3,)     | float32 | 3    | 0.0  | 0.0  |
//   | Dense_0/kernel | (2, 3)   | float32 | 6    | 0.01 | 0.98 |
//   +----------------+----------+---------+------+------+------+
//   Total: 9 -- 36 bytes
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/state_tree.h"

namespace weft::train {

struct ParameterOverviewOptions {
  bool stats = true;          ///< means and standard deviations, which read all elements
  std::size_t max_lines = 0;  ///< of the table, whose rest becomes "[...]"; 0: all
};

namespace detail {
std::string parameter_table(const StateValue& tree, const ParameterOverviewOptions& options);
std::int64_t num_parameters(const StateValue& tree);
}  // namespace detail

/// The table of all arrays of a tree, by path and in the order of their paths. Complex arrays have no statistics.
/// ConcretizationError when only traced, unless without statistics.
template <class T>
std::string parameter_overview(const T& tree, const ParameterOverviewOptions& options = {},
                               SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "parameter_overview");
  return detail::parameter_table(to_state_dict(tree), options);
}

/// The elements of all arrays.
template <class T>
std::int64_t count_parameters(const T& tree) {
  return detail::num_parameters(to_state_dict(tree));
}

}  // namespace weft::train
