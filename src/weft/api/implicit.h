// Solutions of equations, differentiated by the equation instead of through the solver: custom_linear_solve,
// custom_root, custom_fixed_point.
//
// What the functions capture (parameters, data) are the inputs that one differentiates by. Solvers may iterate in any
// way (while_loop too, which has no reverse mode of its own); derivatives of all orders and both modes exist, and vmap.
// Under a transformation, functions and solvers are staged like the function of a cond.
#pragma once

#include "weft/api/control_flow.h"
#include "weft/api/custom.h"

namespace weft {

/// A linear function of trees, as solvers get it.
template <class X>
using LinearMap = std::function<X(const X&)>;

/// Says that a linear map is its own transpose.
struct Symmetric {};
inline constexpr Symmetric symmetric{};

/// How custom_fixed_point looks for its solution, and for derivatives.
struct FixedPointOptions {
  /// Until no element moves by more than tolerance * (1 + |element|) in one step; 0: until nothing moves.
  double tolerance = 1e-6;
  /// But not longer than this: a ValueError, when it runs, if something still moves after so many steps.
  std::int64_t max_steps = 1000;
};

namespace api {

/// DTypeError unless all are float or complex. `what` they are: "b".
void check_unknowns(const CustomInfo& info, const char* what, std::span<const Array> xs);
/// Throws what f throws when it is traced for these types, unless it looks at values, and so cannot be.
void check_traced(const CustomInfo& info, const FlatFunction& f, std::span<const Aval> types);

/// The linear map of a staged function with captures, run backwards.
void apply_transposed(const Staged& map, std::span<const Array> cts, Arrays& outs);
Arrays call_linear_solve(const CustomInfo& info, const Staged& matvec, const Staged& solve, const Staged* transposed,
                         std::span<const Array> b);

/// f's linear part at a point, as tangent_solve gets it.
using FlatLinear = std::function<void(std::span<const Array> v, Arrays& outs)>;
using FlatTangentSolve = std::function<void(const FlatLinear& g, std::span<const Array> y, Arrays& outs)>;
/// x with f(x) = 0 as `solve`, staged for the guess, finds it. Derivatives by the captures of f.
Arrays call_custom_root(const CustomInfo& info, const Staged& f, const Staged& solve,
                        const FlatTangentSolve& tangent_solve, std::span<const Array> guess);
void check_fixed_point(const CustomInfo& info, std::span<const Array> guess, const FixedPointOptions& options);
Arrays call_fixed_point(const CustomInfo& info, const Staged& f, std::span<const Array> guess,
                        const FixedPointOptions& options);

/// A function of one tree, between flat arrays and trees like `prototype`, whose arrays have `types`.
template <class X>
struct TreeMap {
  CustomInfo info;
  X prototype;  // a skeleton
  ir::Avals types;

  TreeMap(CustomInfo i, const X& x) : info(std::move(i)), prototype(skeleton(x)), types(avals_of(tree::leaves(x))) {}
  X tree(std::span<const Array> leaves) const { return tree::with_leaves(prototype, leaves); }
  void append(const char* function, const X& got, Arrays& to) const {
    append_like(info, function, path_leaves(prototype, "x"), types, path_leaves(got, "result"), -1, to);
  }
  /// `f` in flat form; what it returns is checked.
  template <class F>
  FlatFunction flat(const char* function, F&& f) const {
    return [this, function, &f](std::span<const Array> in, Arrays& outs) { append(function, f(tree(in)), outs); };
  }
  /// What `function` gave, checked.
  X checked(const char* function, X got) const {
    Arrays arrays;
    append(function, got, arrays);
    return got;
  }
  /// A flat linear map as one of trees. It lives no longer than this call.
  LinearMap<X> linear(FlatLinear f) const {
    return [this, f = std::move(f)](const X& x) {
      Arrays in, outs;
      append("the linear map", x, in);
      f(in, outs);
      return tree(outs);
    };
  }
};

}  // namespace api

/// The x with matvec(x) = b, where matvec is linear: solve(matvec, b), however that finds it. Reverse mode solves with
/// the transposed map, by transpose_solve(vecmat, c); `symmetric` in its place says that matvec is its own transpose;
/// without either reverse mode is a NotDifferentiableError. b and x have the same structure and types, float or
/// complex. Derivatives by b and by what matvec captures. Source: jax.lax.custom_linear_solve.
template <class M, class B, class S, class T = std::nullptr_t>
auto custom_linear_solve(M&& matvec, B&& b, S&& solve, T&& transpose_solve = nullptr,
                         SourceLocation loc = std::source_location::current()) {
  auto pack = api::prepare<M>(std::forward<B>(b));
  using X = std::tuple_element_t<0, decltype(pack)>;
  const X& rhs = std::get<0>(pack);
  const api::TreeMap<X> trees({"custom_linear_solve", "matvec", loc}, rhs);
  const Arrays leaves = tree::leaves(rhs);
  api::check_unknowns(trees.info, "b", leaves);
  const auto apply = [&](const X& x) { return trees.checked("matvec", X(matvec(x))); };
  if (!api::derivatives_matter()) return trees.checked("solve", X(solve(LinearMap<X>(apply), rhs)));
  const Staged map = api::stage_custom(trees.info, trees.flat("matvec", apply), leaves);
  const auto solve_flat = [&](const X& y) { return X(solve(LinearMap<X>(apply), y)); };
  const Staged solver = api::stage_custom(trees.info, trees.flat("solve", solve_flat), leaves);
  using Transpose = std::decay_t<T>;
  if constexpr (std::is_same_v<Transpose, std::nullptr_t>) {
    return trees.tree(api::call_linear_solve(trees.info, map, solver, nullptr, leaves));
  } else if constexpr (std::is_same_v<Transpose, Symmetric>) {
    return trees.tree(api::call_linear_solve(trees.info, map, solver, &solver, leaves));
  } else {
    const LinearMap<X> vecmat =
        trees.linear([&](std::span<const Array> c, Arrays& outs) { api::apply_transposed(map, c, outs); });
    const auto transposed_flat = [&](const X& c) { return X(transpose_solve(vecmat, c)); };
    const Staged transposed = api::stage_custom(trees.info, trees.flat("transpose_solve", transposed_flat), leaves);
    return trees.tree(api::call_linear_solve(trees.info, map, solver, &transposed, leaves));
  }
}

/// The x with f(x) = 0 that solve(f, initial_guess) finds. Derivatives by what f captures follow from the equation,
/// df/dx dx = -df, which tangent_solve(g, y) solves: the x with g(x) = y for the linear g = df/dx at the solution (for
/// one number y / g(np::ones_like(y))). It must be linear in y, made of differentiable operations or
/// custom_linear_solve. The result does not depend on the guess. f(x) has x's structure and types. Source:
/// jax.lax.custom_root.
template <class F, class X0, class S, class T>
auto custom_root(F&& f, X0&& initial_guess, S&& solve, T&& tangent_solve,
                 SourceLocation loc = std::source_location::current()) {
  auto pack = api::prepare<F>(std::forward<X0>(initial_guess));
  using X = std::tuple_element_t<0, decltype(pack)>;
  const X& guess = std::get<0>(pack);
  const api::TreeMap<X> trees({"custom_root", "f", loc}, guess);
  const Arrays leaves = tree::leaves(guess);
  api::check_unknowns(trees.info, "unknowns", leaves);
  const auto apply = [&](const X& x) { return X(f(x)); };
  if (!api::derivatives_matter()) {
    api::check_traced(trees.info, trees.flat("f", apply), trees.types);
    return trees.checked("solve", X(solve(f, guess)));
  }
  const Staged staged = api::stage_custom(trees.info, trees.flat("f", apply), leaves);
  const auto solve_flat = [&](const X& x) { return X(solve(f, x)); };
  const Staged solver = api::stage_custom(trees.info, trees.flat("solve", solve_flat), leaves);
  const api::FlatTangentSolve tangent = [&](const api::FlatLinear& g, std::span<const Array> y, Arrays& outs) {
    trees.append("tangent_solve", X(tangent_solve(trees.linear(g), trees.tree(y))), outs);
  };
  return trees.tree(api::call_custom_root(trees.info, staged, solver, tangent, leaves));
}

/// The x with f(x) = x, found by x = f(x) from the guess on, as the options say. f must be a contraction near the
/// solution; the linear equations of derivatives are solved by the same iteration. Float arrays only: DTypeError for
/// others. Derivatives by what f captures; the result does not depend on the guess.
///   custom_fixed_point([&](Array x) { return 0.5 * (x + a / x); }, a)   // the square root
template <class F, class X0>
auto custom_fixed_point(F&& f, X0&& initial_guess, FixedPointOptions options = {},
                        SourceLocation loc = std::source_location::current()) {
  auto pack = api::prepare<F>(std::forward<X0>(initial_guess));
  using X = std::tuple_element_t<0, decltype(pack)>;
  const X& guess = std::get<0>(pack);
  const api::TreeMap<X> trees({"custom_fixed_point", "f", loc}, guess);
  const Arrays leaves = tree::leaves(guess);
  api::check_fixed_point(trees.info, leaves, options);
  const auto apply = [&](const X& x) { return X(f(x)); };
  const Staged staged = api::stage_custom(trees.info, trees.flat("f", apply), leaves);
  return trees.tree(api::call_fixed_point(trees.info, staged, leaves, options));
}

}  // namespace weft
