// Euclidean projections of trees: the nearest point, argmin_y |x - y|, of a set, with x taken as one vector of all
// elements. Derivatives are those of the formulas. Source: optax.projections.
#pragma once

#include <limits>

#include "optim/leafwise.h"
#include "weft/base/text.h"

namespace weft::optim {

namespace detail {
Leaves project_box(const Leaves& x, const Leaves& lower, const Leaves& upper);
Leaves project_interval(const Leaves& x, const Hyperparam& lower, const Hyperparam& upper);
Leaves project_simplex(const Leaves& x, const Hyperparam& scale);
Leaves project_l1_sphere(const Leaves& x, const Hyperparam& scale);
Leaves project_l1_ball(const Leaves& x, const Hyperparam& scale);
Leaves project_l2_sphere(const Leaves& x, const Hyperparam& scale);
Leaves project_l2_ball(const Leaves& x, const Hyperparam& scale);
Leaves project_vector(const Leaves& x, const Leaves& a);
/// Onto <a, y> = b, or <a, y> <= b for the half of space.
Leaves project_hyperplane(const Leaves& x, const Leaves& a, const Hyperparam& b, bool half);

/// ValueError unless a size is positive.
void check_size(const char* what, const Hyperparam& scale, const SourceLocation& loc);
template <class T, class F>
T project(const char* what, const T& x, F&& f, const SourceLocation& loc) {
  const LocationScope scope(loc, what);
  const Leaves leaves = leaves_of(x);
  check_inexact(what, "elements", leaves, [&](std::size_t i) { return leaf_path(x, i); });
  return tree::with_leaves(x, f(leaves));
}
template <class T>
Leaves other_leaves(const char* what, const T& x, const T& other) {
  tree::check_same_structure(what, x, other);
  const Leaves leaves = leaves_of(other);
  check_shapes(what, "the tree", leaves_of(x), "the other one", leaves, [&](std::size_t i) { return leaf_path(x, i); });
  return leaves;
}
}  // namespace detail

/// max(x, 0): onto y >= 0.
template <class T>
T projection_non_negative(const T& x, SourceLocation loc = std::source_location::current()) {
  return detail::project(
      "projection_non_negative", x,
      [](const Leaves& v) { return detail::project_interval(v, 0, std::numeric_limits<double>::infinity()); }, loc);
}

/// min(max(x, lower), upper) for bounds that are numbers. ValueError when lower > upper.
template <class T>
T projection_box(const T& x, const Hyperparam& lower, const Hyperparam& upper,
                 SourceLocation loc = std::source_location::current()) {
  if (lower.is_number() && upper.is_number() && lower.number() > upper.number()) {
    const detail::Require check("projection_box", loc);
    check.fail("lower must not be above upper", number_str(lower.number()) + " and " + number_str(upper.number()));
  }
  return detail::project(
      "projection_box", x, [&](const Leaves& v) { return detail::project_interval(v, lower, upper); }, loc);
}
/// The same for bounds that are trees like x.
template <class T>
  requires(!std::is_convertible_v<const T&, Hyperparam> || std::is_same_v<T, Array>)
T projection_box(const T& x, const T& lower, const T& upper, SourceLocation loc = std::source_location::current()) {
  return detail::project(
      "projection_box", x,
      [&](const Leaves& v) {
        return detail::project_box(v, detail::other_leaves("projection_box", x, lower),
                                   detail::other_leaves("projection_box", x, upper));
      },
      loc);
}
/// Onto 0 <= y <= scale.
template <class T>
T projection_hypercube(const T& x, const Hyperparam& scale = 1, SourceLocation loc = std::source_location::current()) {
  detail::check_size("projection_hypercube", scale, loc);
  return detail::project(
      "projection_hypercube", x, [&](const Leaves& v) { return detail::project_interval(v, 0, scale); }, loc);
}
/// Onto max |y| <= scale.
template <class T>
T projection_linf_ball(const T& x, const Hyperparam& scale = 1, SourceLocation loc = std::source_location::current()) {
  detail::check_size("projection_linf_ball", scale, loc);
  return detail::project(
      "projection_linf_ball", x, [&](const Leaves& v) { return detail::project_interval(v, scale.negated(), scale); },
      loc);
}

/// Onto y >= 0, sum y = scale: max(x - t, 0) with the t that gives the sum (Duchi et al., 2008). DTypeError unless all
/// leaves have one dtype, here and for l1.
template <class T>
T projection_simplex(const T& x, const Hyperparam& scale = 1, SourceLocation loc = std::source_location::current()) {
  detail::check_size("projection_simplex", scale, loc);
  return detail::project(
      "projection_simplex", x, [&](const Leaves& v) { return detail::project_simplex(v, scale); }, loc);
}
/// Onto sum |y| = scale: the simplex of |x| with x's signs, of zeros positive.
template <class T>
T projection_l1_sphere(const T& x, const Hyperparam& scale = 1, SourceLocation loc = std::source_location::current()) {
  detail::check_size("projection_l1_sphere", scale, loc);
  return detail::project(
      "projection_l1_sphere", x, [&](const Leaves& v) { return detail::project_l1_sphere(v, scale); }, loc);
}
/// Onto sum |y| <= scale.
template <class T>
T projection_l1_ball(const T& x, const Hyperparam& scale = 1, SourceLocation loc = std::source_location::current()) {
  detail::check_size("projection_l1_ball", scale, loc);
  return detail::project(
      "projection_l1_ball", x, [&](const Leaves& v) { return detail::project_l1_ball(v, scale); }, loc);
}
/// Onto sqrt(sum y^2) = scale: scale x / |x|; NaN at 0, which has no nearest point.
template <class T>
T projection_l2_sphere(const T& x, const Hyperparam& scale = 1, SourceLocation loc = std::source_location::current()) {
  detail::check_size("projection_l2_sphere", scale, loc);
  return detail::project(
      "projection_l2_sphere", x, [&](const Leaves& v) { return detail::project_l2_sphere(v, scale); }, loc);
}
/// Onto sqrt(sum y^2) <= scale: x scale / max(|x|, scale).
template <class T>
T projection_l2_ball(const T& x, const Hyperparam& scale = 1, SourceLocation loc = std::source_location::current()) {
  detail::check_size("projection_l2_ball", scale, loc);
  return detail::project(
      "projection_l2_ball", x, [&](const Leaves& v) { return detail::project_l2_ball(v, scale); }, loc);
}

/// Onto the line of `a`: <x, a> / <a, a> a.
template <class T>
T projection_vector(const T& x, const T& a, SourceLocation loc = std::source_location::current()) {
  return detail::project(
      "projection_vector", x,
      [&](const Leaves& v) { return detail::project_vector(v, detail::other_leaves("projection_vector", x, a)); }, loc);
}
/// Onto <a, y> = b: x + (b - <a, x>) / <a, a> a.
template <class T>
T projection_hyperplane(const T& x, const T& a, const Hyperparam& b,
                        SourceLocation loc = std::source_location::current()) {
  return detail::project(
      "projection_hyperplane", x,
      [&](const Leaves& v) {
        return detail::project_hyperplane(v, detail::other_leaves("projection_hyperplane", x, a), b, false);
      },
      loc);
}
/// Onto <a, y> <= b.
template <class T>
T projection_halfspace(const T& x, const T& a, const Hyperparam& b,
                       SourceLocation loc = std::source_location::current()) {
  return detail::project(
      "projection_halfspace", x,
      [&](const Leaves& v) {
        return detail::project_hyperplane(v, detail::other_leaves("projection_halfspace", x, a), b, true);
      },
      loc);
}

}  // namespace weft::optim
