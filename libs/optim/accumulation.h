// Gradients of several small steps in one large step of an optimiser.
#pragma once

#include <map>

#include "optim/wrappers.h"

namespace weft::optim {

/// Whether a mini-step is left out, and what the state remembers of why.
struct SkipDecision {
  Array should_skip;  ///< bool[]
  std::map<std::string, Array> info = {};
};
/// Decides from the leaves of updates and parameters, and the number of large steps before, i32[].
using ShouldSkip = std::function<SkipDecision(const Leaves& updates, const Array& gradient_step, const Leaves& params)>;

/// Skips updates with an infinity or NaN. Info: "should_skip", "num_not_finite" (i32[]).
SkipDecision skip_not_finite(const Leaves& updates, const Array& gradient_step, const Leaves& params);
/// Skips updates unless sum |u|^2 < max_squared_norm, so NaN, too. Info: "should_skip", "norm_squared". ValueError for
/// a negative bound.
ShouldSkip skip_large_updates(Hyperparam max_squared_norm, SourceLocation loc = std::source_location::current());

template <class P, class S>
struct MultiStepsState {
  Array mini_step;      ///< mini-steps since the last large step, i32[]
  Array gradient_step;  ///< large steps, i32[]
  S inner_opt_state;
  P acc_grads;
  std::map<std::string, Array> skip_state;  ///< what should_skip told of the last mini-step
  Array has_updated;                        ///< bool[]: whether the last mini-step ended a large step
};

namespace detail {
/// The mean of n + 1 gradients from the mean of n, or their sum, in the accumulator's dtype.
Leaves accumulate(const Leaves& acc, const Leaves& grads, const Array& n, bool mean);
/// Zeros in `dtype`, or in the dtypes of the leaves, f32 at least.
Leaves accumulators(const Leaves& params, std::optional<DType> dtype);
/// ValueError, ShapeError or DTypeError unless a bool[].
void check_decision(const SkipDecision& decision);
/// Whether both have the same names.
bool same_names(const std::map<std::string, Array>& x, const std::map<std::string, Array>& y);
}  // namespace detail

struct MultiStepsOptions {
  bool use_grad_mean = true;                    ///< the mean of the gradients, else their sum
  ShouldSkip should_skip = {};                  ///< leaves nothing out when empty
  std::optional<DType> accumulator_dtype = {};  ///< that of the parameters, f32 at least, unless given
};

/// Collects gradients over k calls, in all but the last of which the updates are zeros and the inner transformation,
/// which then gets their mean, does not run. k is a number or a schedule of large steps.
template <class T>
struct MultiSteps {
  static_assert(detail::check_transformation<T>());
  T inner;
  ScalarOrSchedule every_k;
  MultiStepsOptions options;

  template <class P>
  MultiStepsState<P, StateOf<T, P>> init(const P& params, SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "multi_steps");
    const Leaves p = detail::leaves_of(params);
    SkipDecision decision;
    if (options.should_skip) decision = options.should_skip(detail::zeros_like(p), zero_count(), p);
    return {zero_count(),
            zero_count(),
            inner.init(params),
            tree::with_leaves(params, detail::accumulators(p, options.accumulator_dtype)),
            std::move(decision.info),
            Array(false)};
  }

  template <class P, class S>
  std::pair<P, MultiStepsState<P, S>> update(P updates, MultiStepsState<P, S> state, const P& params,
                                             const Extra<P>& extra = {},
                                             SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "multi_steps");
    tree::check_same_structure("multi_steps", updates, params);
    tree::check_same_structure("multi_steps", updates, state.acc_grads);
    const Leaves u = detail::leaves_of(updates), acc = detail::leaves_of(state.acc_grads);
    const auto path = [&](std::size_t i) { return detail::leaf_path(updates, i); };
    detail::check_inexact("multi_steps", "updates", u, path);
    detail::check_shapes("multi_steps", "updates", u, "parameters", detail::leaves_of(params), path);
    detail::check_shapes("multi_steps", "updates", u, "state", acc, path);
    const Hyperparam k = every_k.at(state.gradient_step);

    SkipDecision decision{Array(false)};
    if (options.should_skip) decision = options.should_skip(u, state.gradient_step, detail::leaves_of(params));
    detail::check_decision(decision);
    detail::check_state("multi_steps", detail::same_names(state.skip_state, decision.info));
    const Array skip = decision.should_skip, emit = (state.mini_step == k.in(i32)-1) & ~skip;

    const Leaves sum = detail::accumulate(acc, u, state.mini_step, options.use_grad_mean);
    const Leaves zeros = detail::zeros_like(u);
    auto [next, inner_state] = detail::run_if(emit, inner, tree::with_leaves(updates, detail::cast_like(sum, u)),
                                              state.inner_opt_state, params, extra, tree::with_leaves(updates, zeros));
    const Leaves kept = detail::choose(skip, acc, sum);
    state.acc_grads =
        tree::with_leaves(std::move(state.acc_grads), detail::choose(emit, detail::zeros_like(acc), kept));
    state.inner_opt_state = std::move(inner_state);
    state.mini_step = detail::choose(skip, state.mini_step, detail::next_of_period(state.mini_step, k));
    state.gradient_step = detail::choose(emit, safe_increment(state.gradient_step), state.gradient_step);
    state.skip_state = std::move(decision.info);
    state.has_updated = emit;
    return {std::move(next), std::move(state)};
  }

  /// bool[]: whether the last update was of a large step, and not the zeros of others; false of one that was skipped,
  /// which Optax takes for the step before.
  template <class P, class S>
  Array has_updated(const MultiStepsState<P, S>& state) const {
    return state.has_updated;
  }
};

/// ValueError when k is a number that is not whole and positive.
template <class T>
MultiSteps<T> multi_steps(T inner, ScalarOrSchedule every_k, MultiStepsOptions options = {},
                          SourceLocation loc = std::source_location::current()) {
  const detail::Require check("multi_steps", loc);
  check.floating("accumulator_dtype", options.accumulator_dtype).whole("every_k", every_k, 1);
  return {std::move(inner), std::move(every_k), std::move(options)};
}

}  // namespace weft::optim
