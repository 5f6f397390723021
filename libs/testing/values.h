// Assertions about the values of trees. Where they are known, as outside of transformations and under grad, a failure
// throws at once and names the element. Inside of jit, scan and the like they become checks of the program, which fail
// when it runs: wrap the function in testing::chexify, without which it does not compile (ValueError). Under vmap
// outside of a program each example is checked. Source: chex.assert_trees_all_close and its kin.
#pragma once

#include <cmath>
#include <complex>

#include "testing/trees.h"

namespace weft::testing {

/// |x - y| <= atol + rtol |y|.
struct Tolerance {
  double rtol = 1e-6;
  double atol = 0;
};

namespace detail {

void check_close(const char* op, const PathLeaves& a, const PathLeaves& b, const Tolerance& tolerance,
                 const SourceLocation& loc);
void check_close_ulp(const char* op, const PathLeaves& a, const PathLeaves& b, std::int64_t maxulp,
                     const SourceLocation& loc);
void check_equal(const char* op, const PathLeaves& a, const PathLeaves& b, const SourceLocation& loc);
/// `wrong`: what is known to be wrong besides.
void check_finite(const char* op, const PathLeaves& leaves, std::vector<std::string> wrong, const SourceLocation& loc);

/// The static numbers of a tree that are not finite.
struct NotFinite : tree::PathVisitor {
  std::vector<std::string> found;
  template <class U>
  void value(const U& v) {
    if constexpr (tree::detail::is_a<U, StaticArg>) {
      if constexpr (tree::detail::is_static<decltype(v.value)>) value(v.value);
    } else if constexpr (std::is_floating_point_v<U>) {
      add(std::isfinite(v), v);
    } else if constexpr (tree::detail::is_a<U, std::complex>) {
      add(std::isfinite(v.real()) && std::isfinite(v.imag()), v);
    }
  }

 private:
  template <class U>
  void add(bool finite, const U& v) {
    if (!finite) found.push_back(at_path(tree::detail::value_text(v), path()));
  }
};

}  // namespace detail

/// Equal structures and shapes, and elements x of `a` and y of `b` with |x - y| <= atol + rtol |y|. NaN is close to
/// NaN, an infinity to itself. Dtypes may differ.
template <class T, class U>
void assert_trees_all_close(const T& a, const U& b, const Tolerance& tolerance = {},
                            SourceLocation loc = std::source_location::current()) {
  if (!detail::asserts_enabled()) return;
  detail::check_structs("assert_trees_all_close", a, b, loc);
  detail::check_close("assert_trees_all_close", tree::leaves_with_path(detail::as_tree(a)),
                      tree::leaves_with_path(detail::as_tree(b)), tolerance, loc);
}

/// Equal structures, shapes and dtypes, and elements that are at most `maxulp` numbers of their dtype apart; of dtypes
/// that are not real floats, equal. NaN is 0 from NaN. Values must be known: ConcretizationError inside of programs.
template <class T, class U>
void assert_trees_all_close_ulp(const T& a, const U& b, std::int64_t maxulp = 1,
                                SourceLocation loc = std::source_location::current()) {
  if (!detail::asserts_enabled()) return;
  detail::check_structs("assert_trees_all_close_ulp", a, b, loc);
  detail::check_close_ulp("assert_trees_all_close_ulp", tree::leaves_with_path(detail::as_tree(a)),
                          tree::leaves_with_path(detail::as_tree(b)), maxulp, loc);
}

/// Equal structures, shapes and elements; NaN equals NaN, and 0 equals -0. Dtypes may differ.
template <class T, class U>
void assert_trees_all_equal(const T& a, const U& b, SourceLocation loc = std::source_location::current()) {
  if (!detail::asserts_enabled()) return;
  detail::check_structs("assert_trees_all_equal", a, b, loc);
  detail::check_equal("assert_trees_all_equal", tree::leaves_with_path(detail::as_tree(a)),
                      tree::leaves_with_path(detail::as_tree(b)), loc);
}

/// No element of any leaf is NaN or infinite, and no number among the static values.
template <class T>
void assert_tree_all_finite(const T& t, SourceLocation loc = std::source_location::current()) {
  if (!detail::asserts_enabled()) return;
  const auto& leaves = detail::as_tree(t);
  detail::NotFinite statics;
  tree::visit(leaves, statics);
  detail::check_finite("assert_tree_all_finite", tree::leaves_with_path(leaves), std::move(statics.found), loc);
}

}  // namespace weft::testing
