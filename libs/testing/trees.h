// Assertions about the structure of trees and the types of their leaves. All are known while a function is traced, so
// these work inside of jit, vmap and grad as anywhere; values.h compares values. Source: chex.assert_trees_... .
#pragma once

#include <functional>

#include "testing/errors.h"
#include "testing/shape_matcher.h"
#include "weft/core/tree.h"

namespace weft::testing {

namespace detail {

/// The arrays of a tree with their paths; none is left out.
using PathLeaves = std::vector<std::pair<std::string, Array>>;

/// A number that is compared as a tree is an array.
template <class T>
decltype(auto) as_tree(const T& t) {
  if constexpr (is_element_v<T>)
    return Array(t);
  else
    return (t);
}

template <class T, class U>
void check_structs(std::string_view op, const T& a, const U& b, const SourceLocation& loc) {
  try {
    tree::check_same_structure(op, as_tree(a), as_tree(b), loc);
  } catch (const TreeError& e) {
    rethrow_as_assertion(e);
  }
}
/// "f32[2] and f32[3] at .w", for the leaf of this path.
std::string at_path(const std::string& text, const std::string& path);
/// "[1,2]", the place of element `i` in row-major order; "" in a 0-d array.
std::string place(std::size_t i, DimSpan shape);
/// Fails with what `difference` says of each pair of leaves, "" of those that do not differ.
void compare_leaves(std::string_view op, const std::string& must, const PathLeaves& a, const PathLeaves& b,
                    const std::function<std::string(const Array&, const Array&)>& difference,
                    const SourceLocation& loc);
/// Fails unless `holds` for every leaf.
void check_leaf_types(std::string_view op, const std::string& must, const PathLeaves& leaves,
                      const std::function<bool(const Array&)>& holds, const SourceLocation& loc);

// What the differences of two leaves are. Not functions of templates, so that each is compiled once.
std::string shapes_differ(const Array& a, const Array& b);
std::string dtypes_differ(const Array& a, const Array& b);
std::string sizes_differ(const Array& a, const Array& b);
std::string types_differ(const Array& a, const Array& b);

template <class T, class U>
void compare_trees(std::string_view op, const char* must, const T& a, const U& b,
                   const std::function<std::string(const Array&, const Array&)>& difference,
                   const SourceLocation& loc) {
  if (!asserts_enabled()) return;
  check_structs(op, a, b, loc);
  compare_leaves(op, must, tree::leaves_with_path(as_tree(a)), tree::leaves_with_path(as_tree(b)), difference, loc);
}

/// The paths of what is in a tree and should not be.
struct NonePaths : tree::PathVisitor {
  std::vector<std::string> found;
  void array(const Array& a) {
    if (!a.defined()) found.push_back(path());
  }
};
struct StaticPaths : tree::PathVisitor {
  std::vector<std::string> found;
  template <class U>
  void value(const U& v) {
    if constexpr (tree::detail::has_text<U>())
      found.push_back(tree::detail::value_text(v) + (path().empty() ? "" : " at " + path()));
    else
      found.push_back("a static value at " + path());
  }
};
void check_no_paths(std::string_view op, const char* must, const std::vector<std::string>& found, bool are_paths,
                    const SourceLocation& loc);

}  // namespace detail

/// Equal structure: nodes, names, keys and static values, and which arrays are none. C++ types may differ: a
/// std::vector and a std::array of two arrays are the same. A number in place of a tree is a 0-d array, here and below,
/// but for assert_tree_has_only_arrays.
template <class T, class U>
void assert_trees_all_equal_structs(const T& a, const U& b, SourceLocation loc = std::source_location::current()) {
  if (detail::asserts_enabled()) detail::check_structs("assert_trees_all_equal_structs", a, b, loc);
}

// Equal structure, and of all pairs of leaves:

/// equal shapes;
template <class T, class U>
void assert_trees_all_equal_shapes(const T& a, const U& b, SourceLocation loc = std::source_location::current()) {
  detail::compare_trees("assert_trees_all_equal_shapes", "leaves must have equal shapes", a, b, detail::shapes_differ,
                        loc);
}
/// equal dtypes;
template <class T, class U>
void assert_trees_all_equal_dtypes(const T& a, const U& b, SourceLocation loc = std::source_location::current()) {
  detail::compare_trees("assert_trees_all_equal_dtypes", "leaves must have equal dtypes", a, b, detail::dtypes_differ,
                        loc);
}
/// equal numbers of elements;
template <class T, class U>
void assert_trees_all_equal_sizes(const T& a, const U& b, SourceLocation loc = std::source_location::current()) {
  detail::compare_trees("assert_trees_all_equal_sizes", "leaves must have equal sizes", a, b, detail::sizes_differ,
                        loc);
}
/// equal shapes and dtypes;
template <class T, class U>
void assert_trees_all_equal_shapes_and_dtypes(const T& a, const U& b,
                                              SourceLocation loc = std::source_location::current()) {
  detail::compare_trees("assert_trees_all_equal_shapes_and_dtypes", "leaves must have equal shapes and dtypes", a, b,
                        detail::types_differ, loc);
}
/// what a function says: `difference(x, y)` is the text of how two leaves differ, "" when they do not.
template <class T, class U>
void assert_trees_all_equal_comparator(const std::function<std::string(const Array&, const Array&)>& difference,
                                       const T& a, const U& b, SourceLocation loc = std::source_location::current()) {
  detail::compare_trees("assert_trees_all_equal_comparator", "leaves must be equal", a, b, difference, loc);
}

/// Every leaf has the shape, see assert_shape.
template <class T>
void assert_tree_shape(const T& t, const ShapeMatcher& expected, SourceLocation loc = std::source_location::current()) {
  detail::check_leaf_types(
      "assert_tree_shape", "every leaf must have shape " + expected.str(), tree::leaves_with_path(detail::as_tree(t)),
      [&](const Array& x) { return expected.matches(x.shape()); }, loc);
}
/// The shape of every leaf begins (ends) with these sizes.
template <class T>
void assert_tree_shape_prefix(const T& t, const Shape& prefix, SourceLocation loc = std::source_location::current()) {
  std::vector<DimMatcher> dims(prefix.dims().begin(), prefix.dims().end());
  dims.emplace_back(ellipsis);
  const ShapeMatcher expected(std::move(dims));
  detail::check_leaf_types(
      "assert_tree_shape_prefix", "every leaf must have shape " + expected.str(),
      tree::leaves_with_path(detail::as_tree(t)), [&](const Array& x) { return expected.matches(x.shape()); }, loc);
}
template <class T>
void assert_tree_shape_suffix(const T& t, const Shape& suffix, SourceLocation loc = std::source_location::current()) {
  std::vector<DimMatcher> dims{ellipsis};
  dims.insert(dims.end(), suffix.dims().begin(), suffix.dims().end());
  const ShapeMatcher expected(std::move(dims));
  detail::check_leaf_types(
      "assert_tree_shape_suffix", "every leaf must have shape " + expected.str(),
      tree::leaves_with_path(detail::as_tree(t)), [&](const Array& x) { return expected.matches(x.shape()); }, loc);
}

/// No array of the tree is none.
template <class T>
void assert_tree_no_nones(const T& t, SourceLocation loc = std::source_location::current()) {
  detail::NonePaths v;
  tree::visit(t, v);
  detail::check_no_paths("assert_tree_no_nones", "no array of the tree must be none", v.found, true, loc);
}
/// The tree holds no numbers, strings or other static values. Source: chex.assert_tree_has_only_ndarrays.
template <class T>
void assert_tree_has_only_arrays(const T& t, SourceLocation loc = std::source_location::current()) {
  detail::StaticPaths v;
  tree::visit(t, v);
  detail::check_no_paths("assert_tree_has_only_arrays", "the tree must hold only arrays", v.found, false, loc);
}

}  // namespace weft::testing
