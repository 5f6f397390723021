// Batches for several devices, and lists of equal trees. Source: flax.training.common_utils.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "weft/core/tree.h"
#include "weft/np/np.h"

namespace weft::train {

namespace detail {
Array sharded(const Array& x, std::int64_t n);
Array unsharded(const Array& x);
}  // namespace detail

/// Each array [n * m, ...] as [n, m, ...], a part for each device: for vmap over examples of an axis. ShapeError when n
/// does not divide a first size.
template <class T>
T shard(const T& batch, std::int64_t n, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "shard");
  return tree::map([&](const Array& x) { return detail::sharded(x, n); }, batch);
}

/// The other way round: [n, m, ...] as [n * m, ...]. ShapeError for arrays of fewer axes.
template <class T>
T unshard(const T& batch, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "unshard");
  return tree::map([](const Array& x) { return detail::unsharded(x); }, batch);
}

/// Trees as one, whose arrays are stacked along a new first axis. ValueError for none, TreeError and ShapeError when
/// they differ.
template <class T>
T stack_forest(const std::vector<T>& forest, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "stack_forest");
  if (forest.empty()) throw ValueError("stack_forest: there must be a tree to stack; got none.");
  std::vector<Arrays> leaves;
  for (const T& t : forest) {
    tree::check_same_structure("stack_forest", forest[0], t, loc);
    leaves.push_back(tree::leaves(t));
  }
  Arrays stacked;
  for (std::size_t i = 0; i < leaves[0].size(); ++i) {
    Arrays column;
    for (const Arrays& l : leaves) column.push_back(l[i]);
    stacked.push_back(np::stack(std::span<const Array>(column)));
  }
  return tree::with_leaves(forest[0], stacked);
}

/// Metrics of several steps that every device has (stacked along a first axis): those of the first, stacked by step.
template <class T>
T get_metrics(const std::vector<T>& device_metrics, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "get_metrics");
  std::vector<T> first;
  for (const T& t : device_metrics) first.push_back(tree::map([](const Array& x) { return x(0); }, t));
  return stack_forest(first, loc);
}

/// f32[..., num_classes]: on_value where the last axis is the label, else off_value. Labels beyond are off everywhere.
Array onehot(const Array& labels, std::int64_t num_classes, double on_value = 1, double off_value = 0,
             SourceLocation loc = std::source_location::current());

}  // namespace weft::train
