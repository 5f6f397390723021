// Sharpness-aware minimisation: gradients where the loss is largest nearby (Foret et al., 2021).
#pragma once

#include "optim/transformation.h"

namespace weft::optim::contrib {

/// u = u / |u|, with the norm over all leaves; zeros stay zeros.
struct Normalize {
  static constexpr const char* kName = "normalize";
  void update(Leaves& u, const Leaves& params) const;
};
OnTrees<Normalize> normalize();

template <class P, class S, class A>
struct SamState {
  Array steps_since_sync;  ///< i32[]
  S opt_state;
  A adv_state;
  std::optional<P> cache;  ///< the parameters that adversarial steps left; none in opaque mode
};

struct SamOptions {
  std::int64_t sync_period = 2;  ///< one outer step after sync_period - 1 adversarial ones
  bool reset_state = true;       ///< the adversarial optimiser begins anew after each outer step
  bool opaque_mode = false;      ///< each update does all the steps: extra.grad_fn gives the gradients elsewhere
};

/// Alternates steps of an adversarial optimiser, taken uphill, with steps of the outer one, which start where the
/// adversarial ones did. sam(sgd(0.01), chain(normalize(), sgd(0.1))) is the method of the paper. In opaque mode, for
/// models whose statistics must not see adversarial steps, update reads extra.grad_fn(params, i), i counting these
/// steps.
template <class T, class A>
struct Sam {
  static_assert(detail::check_transformation<T>() && detail::check_transformation<A>());
  T optimizer;
  A adv_optimizer;
  SamOptions options;

  template <class P>
  SamState<P, StateOf<T, P>, StateOf<A, P>> init(const P& params,
                                                 SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "sam");
    std::optional<P> cache;
    if (!options.opaque_mode) cache = detail::copy_tree(params);
    return {zero_count(), optimizer.init(params), adv_optimizer.init(params), std::move(cache)};
  }

  template <class P, class S, class R>
  std::pair<P, SamState<P, S, R>> update(P updates, SamState<P, S, R> state, const P& params,
                                         const Extra<P>& extra = {},
                                         SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "sam");
    tree::check_same_structure("sam", updates, params);
    detail::check_state("sam", state.cache.has_value() == !options.opaque_mode);
    if (state.cache) tree::check_same_structure("sam: parameters and state", params, *state.cache);
    return options.opaque_mode ? opaque(std::move(updates), std::move(state), params, extra)
                               : transparent(std::move(updates), std::move(state), params, extra);
  }

 private:
  template <class P>
  static P uphill(P updates) {
    const Leaves u = detail::scale_all(detail::leaves_of(updates), Array(-1.0f));
    return tree::with_leaves(std::move(updates), u);
  }

  template <class P, class S, class R>
  std::pair<P, SamState<P, S, R>> transparent(P updates, SamState<P, S, R> state, const P& params,
                                              const Extra<P>& extra) const {
    const Array first = state.steps_since_sync == 0, last = state.steps_since_sync == options.sync_period - 1;
    // Where the outer step starts: here, unless adversarial steps led away.
    const P start = detail::choose_tree(first, params, *state.cache);
    auto [adversarial, adv_state] = detail::run(adv_optimizer, updates, state.adv_state, params, extra);
    auto [outer, opt_state] = detail::run(optimizer, updates, state.opt_state, start, extra);
    const Leaves back = detail::subtract(detail::leaves_of(start), detail::leaves_of(params));
    const P outer_updates = tree::with_leaves(outer, detail::sums_like(back, detail::leaves_of(outer)));
    P u = detail::choose_tree(last, outer_updates, uphill(adversarial));

    const R after = options.reset_state ? adv_optimizer.init(params) : state.adv_state;
    return {
        std::move(u),
        {detail::next_of_period(state.steps_since_sync, options.sync_period),
         detail::choose_tree(last, opt_state, state.opt_state), detail::choose_tree(last, after, adv_state), start}};
  }

  template <class P, class S, class R>
  std::pair<P, SamState<P, S, R>> opaque(P updates, SamState<P, S, R> state, const P& params,
                                         const Extra<P>& extra) const {
    if (!extra.grad_fn && options.sync_period > 1)
      throw ValueError(
          "sam: extra.grad_fn must be the gradient as a function, in opaque mode; got none.",
          "opt.update(g, state, params, {.grad_fn = [&](const P& p, const Array&) { return grad(f)(p); }})");
    P there = params;
    R adv_state = std::move(state.adv_state);
    for (std::int32_t i = 0; i + 1 < options.sync_period; ++i) {
      auto [adversarial, next] = detail::run(adv_optimizer, std::move(updates), std::move(adv_state), there, extra);
      there = apply_updates(there, uphill(std::move(adversarial)));
      adv_state = std::move(next);
      updates = extra.grad_fn(there, Array(i));
      tree::check_same_structure("sam: what grad_fn gives", params, updates);
    }
    auto [u, opt_state] = detail::run(optimizer, std::move(updates), std::move(state.opt_state), params, extra);
    if (options.reset_state) adv_state = adv_optimizer.init(params);
    return {std::move(u), {zero_count(), std::move(opt_state), std::move(adv_state), std::nullopt}};
  }
};
/// ValueError unless the period is positive.
template <class T, class A>
Sam<T, A> sam(T optimizer, A adv_optimizer, SamOptions options = {},
              SourceLocation loc = std::source_location::current()) {
  const detail::Require check("sam", loc);
  check.at_least("sync_period", options.sync_period, 1);
  return {std::move(optimizer), std::move(adv_optimizer), options};
}

}  // namespace weft::optim::contrib
