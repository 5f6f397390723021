// Derivatives against differences: whether jvp and vjp of a function, to any order, are what its values say.
#pragma once

#include <functional>
#include <optional>

#include "testing/errors.h"
#include "weft/api/callable.h"
#include "weft/core/tree.h"

namespace weft::testing {

/// Which modes of differentiation are checked.
enum class GradModes : std::uint8_t { kForward = 1, kReverse = 2, kBoth = 3 };

struct GradCheck {
  /// 2 checks the derivatives of the derivatives too, by all sequences of the modes; and so on.
  int order = 1;
  GradModes modes = GradModes::kBoth;
  /// The step of central differences. Not given: the cube root of the coarsest dtype's precision.
  std::optional<double> eps = {};
  /// Differences may be rtol |value| + atol off. Not given, each: 1e-5 of f64, 2e-3 of f32, 5e-2 of f16, 0.2 of bf16.
  std::optional<double> rtol = {}, atol = {};
};

namespace detail {

/// A function of the float and complex leaves of its arguments that gives those of its result.
using FlatLeaves = std::vector<Array>;
struct FlatCheck {
  std::function<FlatLeaves(const FlatLeaves&)> f;
  FlatLeaves x;
  std::vector<std::string> x_paths;   // "args[0].w"
  std::vector<std::string>* y_paths;  // of the last call's result: "result.b"
};
void check_grads(const char* op, const FlatCheck& check, const GradCheck& options, const SourceLocation& loc);

template <class F, class Args>
void check_grads(const char* op, const F& f, Args&& args, const GradCheck& options, const SourceLocation& loc) {
  if (!asserts_enabled()) return;
  const auto pack = std::apply([](auto&&... a) { return api::prepare<F>(std::forward<decltype(a)>(a)...); },
                               api::as_tuple(std::forward<Args>(args)));
  const auto inexact = [](const auto& tree, const char* root, FlatLeaves& leaves, std::vector<std::string>& paths) {
    for (const auto& [path, x] : tree::leaves_with_path(tree)) {
      if (!is_inexact(x.dtype())) continue;
      leaves.push_back(x);
      paths.push_back(root + path);
    }
  };
  std::vector<std::string> result_paths;
  FlatCheck check{{}, {}, {}, &result_paths};
  inexact(pack, "args", check.x, check.x_paths);
  check.f = [&](const FlatLeaves& x) {
    auto with_x = pack;
    std::size_t next = 0;
    tree::for_each(with_x, [&](Array& a) {
      if (is_inexact(a.dtype())) a = x[next++];
    });
    const auto result = std::apply(f, std::move(with_x));
    FlatLeaves y;
    result_paths.clear();
    inexact(result, "result", y, result_paths);
    return y;
  };
  check_grads(op, check, options, loc);
}

}  // namespace detail

/// Differentiation of f at `args`, a tuple of arguments or one argument, agrees with central differences: along a
/// direction t for each float or complex leaf, J t of jvp = (f(x + eps t) - f(x - eps t)) / 2 eps in every element, and
/// <J^T ct, t> of vjp = <ct, that> for cotangents ct of each element of the result (where it has more than 8, of 8
/// parts of them), and of all together. f is to be smooth there; arguments must be known. Integers are constants.
/// ValueError when there is no float leaf in the arguments or in the result, or when order is below 1.
///   check_grads([](Array w, Array x) { return np::tanh(np::matmul(x, w)); }, std::tuple(w, x), {.order = 2});
/// Source: jax.test_util.check_grads.
template <class F, class Args>
void check_grads(F&& f, Args&& args, const GradCheck& options = {},
                 SourceLocation loc = std::source_location::current()) {
  detail::check_grads("check_grads", f, std::forward<Args>(args), options, loc);
}
/// The same under Chex's name.
template <class F, class Args>
void assert_numerical_grads(F&& f, Args&& args, const GradCheck& options = {},
                            SourceLocation loc = std::source_location::current()) {
  detail::check_grads("assert_numerical_grads", f, std::forward<Args>(args), options, loc);
}

}  // namespace weft::testing
