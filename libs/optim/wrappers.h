// Transformations around others: in some steps only, on one flat vector, with slow parameters.
#pragma once

#include "optim/transformation.h"
#include "weft/api/control_flow.h"
#include "weft/api/ravel.h"

namespace weft::optim {

namespace detail {

/// The inner update when `pred` (bool[]) holds, else `otherwise` and the state as it is; only what is taken runs.
/// Updates keep their dtypes, so that both agree.
template <class T, class P, class S>
std::pair<P, S> run_if(const Array& pred, const T& t, const P& updates, const S& state, const P& params,
                       const Extra<P>& extra, const P& otherwise) {
  const auto yes = [&] {
    auto [u, s] = run(t, updates, state, params, extra);
    u = tree::with_leaves(u, cast_like(leaves_of(u), leaves_of(updates)));
    return std::pair<P, S>(std::move(u), std::move(s));
  };
  const auto no = [&] { return std::pair<P, S>(otherwise, state); };
  return cond(pred, yes, no);
}

/// bool[]: no element is infinite or NaN.
Array all_finite(const Leaves& x);
/// How often in a row, when `now` says whether it happens again: count + 1, or 0.
Array consecutive(const Array& now, const Array& count);
/// The updates of fast and slow parameters. A synchronising step is the last fast one, after which both meet: with
/// d = fast + updates - slow, slow moves by s d and fast by updates - (1 - s) d.
std::pair<Leaves, Leaves> lookahead_step(const Leaves& updates, const Leaves& fast, const Leaves& slow,
                                         const Array& sync, const Hyperparam& slow_step_size);

}  // namespace detail

/// Whether a wrapped transformation shall run, from the number of updates before, i32[]: a bool[].
using ConditionFn = std::function<Array(const Array& step)>;

template <class S>
struct ConditionallyTransformState {
  S inner_state;
  Array step;  ///< i32[]
};
enum class WhenNot : std::uint8_t { kPassThrough, kZeros };
/// The inner transformation in those steps in which the condition holds; in others the updates stay as they are, or are
/// zeros, and the inner state waits.
template <class T>
struct Conditionally {
  static_assert(detail::check_transformation<T>());
  T inner;
  ConditionFn should_transform;
  WhenNot when_not;

  template <class P>
  ConditionallyTransformState<StateOf<T, P>> init(const P& params) const {
    return {inner.init(params), zero_count()};
  }
  template <class P, class S>
  std::pair<P, ConditionallyTransformState<S>> update(P updates, ConditionallyTransformState<S> state, const P& params,
                                                      const Extra<P>& extra = {},
                                                      SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "conditionally_transform");
    const P otherwise = when_not == WhenNot::kZeros
                            ? tree::with_leaves(updates, detail::zeros_like(detail::leaves_of(updates)))
                            : updates;
    auto [u, s] =
        detail::run_if(should_transform(state.step), inner, updates, state.inner_state, params, extra, otherwise);
    return {std::move(u), {std::move(s), safe_increment(state.step)}};
  }
};
/// Updates pass through where the condition does not hold. ValueError for an empty condition.
template <class T>
Conditionally<T> conditionally_transform(T inner, ConditionFn should_transform,
                                         SourceLocation loc = std::source_location::current()) {
  const detail::Require check("conditionally_transform", loc);
  if (!should_transform) check.fail("the condition must be a function", "an empty one");
  return {std::move(inner), std::move(should_transform), WhenNot::kPassThrough};
}
/// Updates are zeros where the condition does not hold. ValueError for an empty condition.
template <class T>
Conditionally<T> conditionally_mask(T inner, ConditionFn should_transform,
                                    SourceLocation loc = std::source_location::current()) {
  const detail::Require check("conditionally_mask", loc);
  if (!should_transform) check.fail("the condition must be a function", "an empty one");
  return {std::move(inner), std::move(should_transform), WhenNot::kZeros};
}

template <class S>
struct ApplyIfFiniteState {
  Array notfinite_count;  ///< steps in a row with an infinity or NaN, i32[]
  Array last_finite;      ///< bool[]
  Array total_notfinite;  ///< such steps in all, i32[]
  S inner_state;
};
/// The inner transformation, except in steps whose updates have an infinity or NaN: those give zeros, and the inner
/// state waits. After max_consecutive_errors of them in a row the next is let through.
template <class T>
struct ApplyIfFinite {
  static_assert(detail::check_transformation<T>());
  T inner;
  std::int64_t max_consecutive_errors;

  template <class P>
  ApplyIfFiniteState<StateOf<T, P>> init(const P& params) const {
    return {zero_count(), Array(true), zero_count(), inner.init(params)};
  }
  template <class P, class S>
  std::pair<P, ApplyIfFiniteState<S>> update(P updates, ApplyIfFiniteState<S> state, const P& params,
                                             const Extra<P>& extra = {},
                                             SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "apply_if_finite");
    const Leaves u = detail::leaves_of(updates);
    const Array finite = detail::all_finite(u), broken = !finite;
    state.notfinite_count = detail::consecutive(broken, state.notfinite_count);
    state.total_notfinite = detail::choose(finite, state.total_notfinite, safe_increment(state.total_notfinite));
    state.last_finite = finite;
    const P zeros = tree::with_leaves(updates, detail::zeros_like(u));
    auto [next, s] = detail::run_if(finite | (state.notfinite_count > max_consecutive_errors), inner, updates,
                                    state.inner_state, params, extra, zeros);
    state.inner_state = std::move(s);
    return {std::move(next), std::move(state)};
  }
};
/// ValueError for a negative number of errors.
template <class T>
ApplyIfFinite<T> apply_if_finite(T inner, std::int64_t max_consecutive_errors,
                                 SourceLocation loc = std::source_location::current()) {
  const detail::Require check("apply_if_finite", loc);
  check.at_least("max_consecutive_errors", max_consecutive_errors, 0);
  return {std::move(inner), max_consecutive_errors};
}

/// The inner transformation on one vector of all parameters, which is faster for many small leaves. DTypeError unless
/// all leaves have one dtype. What it does for each leaf (block norms, factoring) it then does for all together.
template <class T>
struct Flatten {
  static_assert(detail::check_transformation<T>());
  T inner;

  template <class P>
  StateOf<T, Array> init(const P& params, SourceLocation loc = std::source_location::current()) const {
    return inner.init(ravel(params, loc).first);
  }
  template <class P>
  std::pair<P, StateOf<T, Array>> update(P updates, StateOf<T, Array> state, const P& params,
                                         const Extra<P>& extra = {},
                                         SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "flatten");
    const auto [p, unravel] = ravel(params);
    // Trees of as many elements would do for vectors.
    const auto flattened = [&](const char* what, const P& t) {
      tree::check_same_structure(std::string("flatten: parameters and ") + what, params, t);
      detail::check_shapes("flatten", what, detail::leaves_of(t), "parameters", detail::leaves_of(params),
                           [&](std::size_t i) { return detail::leaf_path(params, i); });
      return ravel(t).first;
    };
    Extra<Array> flat{.value = extra.value};
    if (extra.grad) flat.grad = flattened("extra.grad", *extra.grad);
    if (extra.value_fn) flat.value_fn = [&](const Array& x) { return extra.value_fn(unravel(x)); };
    if (extra.grad_fn)
      flat.grad_fn = [&](const Array& x, const Array& i) {
        return flattened("what extra.grad_fn gives", extra.grad_fn(unravel(x), i));
      };
    auto [u, s] = detail::run(inner, flattened("updates", updates), std::move(state), p, flat);
    return {unravel(u), std::move(s)};
  }
};
template <class T>
Flatten<T> flatten(T inner) {
  return {std::move(inner)};
}

/// Parameters for lookahead: gradients are of `fast`, results are made with `slow`.
template <class P>
struct LookaheadParams {
  P fast, slow;
  /// Both the same, in memory of their own.
  static LookaheadParams init_synced(const P& params) { return {params, detail::copy_tree(params)}; }
};
template <class S>
struct LookaheadState {
  S fast_state;
  Array steps_since_sync;  ///< i32[]
};
/// Steps of a fast optimiser; every sync_period of them slow = slow + slow_step_size (fast - slow), and fast = slow
/// (Zhang et al., 2019). Updates are a pair like the parameters; apply them as they are.
template <class T>
struct Lookahead {
  static_assert(detail::check_transformation<T>());
  T fast_optimizer;
  std::int64_t sync_period = 5;
  Hyperparam slow_step_size = 0.5;
  bool reset_state = false;

  template <class P>
  LookaheadState<StateOf<T, P>> init(const LookaheadParams<P>& params) const {
    return {fast_optimizer.init(params.fast), zero_count()};
  }
  template <class P, class S>
  std::pair<LookaheadParams<P>, LookaheadState<S>> update(const P& updates, LookaheadState<S> state,
                                                          const LookaheadParams<P>& params, const Extra<P>& extra = {},
                                                          SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "lookahead");
    tree::check_same_structure("lookahead", params.fast, params.slow);
    tree::check_same_structure("lookahead", updates, params.fast);
    const Array sync = state.steps_since_sync == sync_period - 1;
    auto [u, fast] = detail::run(fast_optimizer, updates, std::move(state.fast_state), params.fast, extra);
    const auto [fast_updates, slow_updates] = detail::lookahead_step(
        detail::leaves_of(u), detail::leaves_of(params.fast), detail::leaves_of(params.slow), sync, slow_step_size);
    if (reset_state) fast = detail::choose_tree(sync, fast_optimizer.init(params.fast), fast);
    return {{tree::with_leaves(u, fast_updates), tree::with_leaves(u, slow_updates)},
            {std::move(fast), detail::next_of_period(state.steps_since_sync, sync_period)}};
  }
};
struct LookaheadOptions {
  bool reset_state = false;  ///< begin the fast optimiser anew at each synchronisation
};
/// ValueError unless the period is positive.
template <class T>
Lookahead<T> lookahead(T fast_optimizer, std::int64_t sync_period, Hyperparam slow_step_size,
                       LookaheadOptions options = {}, SourceLocation loc = std::source_location::current()) {
  const detail::Require check("lookahead", loc);
  check.at_least("sync_period", sync_period, 1).number("slow_step_size", slow_step_size);
  return {std::move(fast_optimizer), sync_period, std::move(slow_step_size), options.reset_state};
}

}  // namespace weft::optim
