// Line searches: the learning rate as the result of trying. Both scale a direction u, which the transformations before
// them in a chain made, so that p + rate * u decreases the loss; they read extra.value, extra.grad and extra.value_fn
// (ValueError without them), the loss at p, its gradient there, and the loss as a function. f below is the loss, g its
// gradient. Derivatives through a search are forward mode alone: it is a loop of unknown length.
#pragma once

#include "optim/transformation.h"

namespace weft::optim {

struct BacktrackingLinesearchInfo {
  Array num_linesearch_steps;  ///< i32[]
  Array decrease_error;        ///< by how much the criterion is missed; 0 after success
};
template <class P>
struct ScaleByBacktrackingLinesearchState {
  Array learning_rate;
  Array value;            ///< f at p + learning_rate u; infinite before the first step
  std::optional<P> grad;  ///< g there, with store_grad
  BacktrackingLinesearchInfo info;
};
/// The first rate among r, r decrease_factor, r decrease_factor^2, ... with
///   f(p + rate u) <= (1 + rtol) f(p) + rate slope_rtol <u, g(p)> + atol,
/// r = min(increase_factor * last rate, max_learning_rate); 0 when values are not finite to the end, and the last one
/// tried when none is good enough (Armijo, 1966; Vaswani et al., 2019).
struct ScaleByBacktrackingLinesearch {
  static constexpr const char* kName = "scale_by_backtracking_linesearch";
  std::int64_t max_backtracking_steps = 15;
  Hyperparam slope_rtol = 1e-4;
  Hyperparam decrease_factor = 0.8;
  Hyperparam increase_factor = 1.5;
  Hyperparam max_learning_rate = 1;
  Hyperparam atol = 0;
  Hyperparam rtol = 0;
  bool store_grad = false;  ///< keep value and gradient for value_and_grad_from_state
  ScaleByBacktrackingLinesearchState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByBacktrackingLinesearchState<Leaves>& state, const Leaves& params,
              const Extra<Leaves>& extra) const;
};
/// ValueError unless max_backtracking_steps and the factors are positive, and tolerances 0 or more.
OnTrees<ScaleByBacktrackingLinesearch> scale_by_backtracking_linesearch(
    ScaleByBacktrackingLinesearch options, SourceLocation loc = std::source_location::current());

struct ZoomLinesearchInfo {
  Array num_linesearch_steps;  ///< i32[]
  Array decrease_error;        ///< by how much each criterion is missed; 0 after success
  Array curvature_error;
};
template <class P>
struct ScaleByZoomLinesearchState {
  Array learning_rate;
  Array value;  ///< f at p + learning_rate u; infinite before the first step
  P grad;       ///< g there
  ZoomLinesearchInfo info;
};
enum class InitialGuess : std::uint8_t {
  kOne,   ///< 1: for directions of (quasi-)Newton methods
  kKeep,  ///< the last learning rate: for gradients
};
/// A rate with sufficient decrease and small curvature (the strong Wolfe conditions):
///   f(p + rate u) <= f(p) + rate slope_rtol <u, g(p)> + tol  and  |<u, g(p + rate u)>| <= curv_rtol |<u, g(p)>| + tol.
/// Grows an interval by increase_factor until it must hold such a rate, then narrows it by cubic and quadratic
/// interpolation or halves (Nocedal and Wright, "Numerical Optimization", algorithms 3.5 and 3.6). Where values differ
/// by less than approx_dec_rtol |f(p)|, <u, g(p + rate u)> <= (2 slope_rtol - 1) <u, g(p)> stands for the first
/// condition, which rounding would hide (Hager and Zhang, 2006). When it fails, the best rate with sufficient decrease
/// so far.
struct ScaleByZoomLinesearch {
  static constexpr const char* kName = "scale_by_zoom_linesearch";
  std::int64_t max_linesearch_steps = 20;
  std::optional<Hyperparam> max_learning_rate = {};
  Hyperparam tol = 0;
  Hyperparam increase_factor = 2;
  Hyperparam slope_rtol = 1e-4;
  Hyperparam curv_rtol = 0.9;
  std::optional<Hyperparam> approx_dec_rtol = 1e-6;
  Hyperparam stepsize_precision = 1e-5;  ///< intervals below it end the search
  InitialGuess initial_guess_strategy = InitialGuess::kKeep;
  ScaleByZoomLinesearchState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByZoomLinesearchState<Leaves>& state, const Leaves& params,
              const Extra<Leaves>& extra) const;
};
/// ValueError unless max_linesearch_steps is positive, increase_factor above 1 and tolerances 0 or more.
OnTrees<ScaleByZoomLinesearch> scale_by_zoom_linesearch(ScaleByZoomLinesearch options,
                                                        SourceLocation loc = std::source_location::current());

namespace detail {

/// The loss with its gradient, of leaves.
std::pair<Array, Leaves> loss_and_gradient(const std::function<Array(const Leaves&)>& loss, const Leaves& params);
/// (value, grad) when the value is finite, else computed anew.
std::pair<Array, Leaves> stored_or_computed(const Array& value, const Leaves& grad, const Leaves& params,
                                            const std::function<Array(const Leaves&)>& loss);

/// What line searches within a state keep: value and gradient of each.
std::vector<std::pair<Array, Leaves>> linesearches_in(const std::vector<std::pair<std::string, Array>>& state);

}  // namespace detail

/// A function (params, state) -> (loss, gradient) that takes both from the state of the line search in `state`, however
/// deep, which computed them for these parameters, and computes them in the first step alone. For losses that depend on
/// nothing but the parameters. ValueError unless there is one line search that stores them.
///   auto [value, grad] = value_and_grad_from_state(loss)(params, state);
template <class F>
auto value_and_grad_from_state(F value_fn, SourceLocation loc = std::source_location::current()) {
  return [value_fn = std::move(value_fn), loc]<class P, class S>(const P& params,
                                                                 const S& state) -> std::pair<Array, P> {
    const detail::Require check("value_and_grad_from_state", loc);
    const auto found = detail::linesearches_in(tree::leaves_with_path(state));
    const Leaves p = detail::leaves_of(params);
    if (found.size() != 1)
      check.fail("the state must be that of one line search", std::to_string(found.size()) + " of them");
    if (found[0].second.size() != p.size())
      check.fail("the line search must store the gradients of all parameters (store_grad)", "a state without them");
    auto [value, grad] = detail::stored_or_computed(
        found[0].first, found[0].second, p, [&](const Leaves& x) { return value_fn(tree::with_leaves(params, x)); });
    return {std::move(value), tree::with_leaves(params, grad)};
  };
}

}  // namespace weft::optim
