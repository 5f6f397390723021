// Gradient transformations: what every optimiser is made of, and how they are put together.
//
// A transformation is a small aggregate with two const methods, pure functions both:
//   State init(const P& params)
//   std::pair<P, State> update(P updates, State state, const P& params)
// P is any tree of parameters; the updates (first the gradient, at last what is added to the parameters) are a tree of
// the same type, and so is the state a tree, which goes through jit, grad, vmap and checkpoints. Structure, shapes and
// dtypes of a state never change from step to step. A none leaf is a parameter that is not there, as under `masked`.
// Transformations of one kind, in different types: AnyTransformation holds any of them (any_transformation.h).
//
// Those that need more than gradient and parameters have a fourth parameter, Extra, which combinators hand to the
// members that take it. Source of names, defaults and semantics: Optax.
#pragma once

#include <algorithm>
#include <concepts>
#include <optional>
#include <utility>

#include "optim/leafwise.h"

namespace weft::optim {

/// The state of what has none.
struct EmptyState {};

/// What some rules want beside gradient and parameters; each says which members it reads (ValueError without them).
template <class P>
struct Extra {
  Array value = {};                                                ///< the loss at the parameters, 0-d
  std::optional<P> grad = {};                                      ///< its gradient there, which the updates began as
  std::function<Array(const P& params)> value_fn = {};             ///< the loss as a function
  std::function<P(const P& params, const Array& i)> grad_fn = {};  ///< a gradient elsewhere; i32[] counts the calls
};

/// The state that a transformation keeps for parameters P.
template <class T, class P>
using StateOf = decltype(std::declval<const T&>().init(std::declval<const P&>()));

namespace detail {

struct NamesInit {
  int init;
};
struct NamesUpdate {
  int update;
};
template <class T, class Names>
struct With : T, Names {};
// A name that both bases have is ambiguous, whatever T's is: methods that are templates, or overloaded, are seen, too.
template <class T>
concept HasInit = !requires { &With<T, NamesInit>::init; };
template <class T>
concept HasUpdate = !requires { &With<T, NamesUpdate>::update; };

}  // namespace detail

/// A class with methods init and update: all that can be told without parameters.
template <class T>
concept GradientTransformation =
    std::is_class_v<T> && (std::is_final_v<T> || (detail::HasInit<T> && detail::HasUpdate<T>));

/// One of parameters P, whose updates and states keep their types.
template <class T, class P>
concept GradientTransformationOf =
    GradientTransformation<T> && requires(const T& t, P updates, StateOf<T, P> state, const P& params) {
      { t.update(updates, state, params) } -> std::same_as<std::pair<P, StateOf<T, P>>>;
    };

namespace detail {

/// Says what is wrong with the members of a chain and what wrappers are given.
template <class T>
constexpr bool check_transformation() {
  static_assert(GradientTransformation<T>,
                "this must be a gradient transformation, an object with init and update: functions that make them are "
                "called, chain(adam(1e-3))");
  return true;
}

/// One update, with the extras if `t` takes them.
template <class T, class P, class S>
std::pair<P, S> run(const T& t, P updates, S state, const P& params, const Extra<P>& extra) {
  if constexpr (requires { t.update(std::move(updates), std::move(state), params, extra); })
    return t.update(std::move(updates), std::move(state), params, extra);
  else
    return t.update(std::move(updates), std::move(state), params);
}

}  // namespace detail

// ---- applying ----

/// params + updates, leaf by leaf, in the dtypes of the parameters. TreeError unless the structures are equal,
/// ShapeError unless the shapes are.
template <class P>
P apply_updates(const P& params, const P& updates, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "apply_updates");
  tree::check_same_structure("apply_updates", params, updates);
  const Leaves p = detail::leaves_of(params), u = detail::leaves_of(updates);
  detail::check_shapes("apply_updates", "updates", u, "parameters", p,
                       [&](std::size_t i) { return detail::leaf_path(params, i); });
  return tree::with_leaves(params, detail::sums_like(p, u));
}

/// sqrt(sum |x|^2) over all elements of all leaves: f32[], f64[] when a leaf has 64-bit numbers.
template <class T>
Array global_norm(const T& tree, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "global_norm");
  return detail::norm(detail::leaves_of(tree));
}

/// step_size * newer + (1 - step_size) * older, in the dtypes of `older`: a running average of parameters (Polyak and
/// Juditsky, 1992).
template <class P>
P incremental_update(const P& newer, const P& older, const Hyperparam& step_size,
                     SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "incremental_update");
  tree::check_same_structure("incremental_update", newer, older);
  const Leaves n = detail::leaves_of(newer), o = detail::leaves_of(older);
  detail::check_shapes("incremental_update", "newer parameters", n, "older ones", o,
                       [&](std::size_t i) { return detail::leaf_path(newer, i); });
  return tree::with_leaves(older, detail::averages_like(o, n, step_size.complement()));
}

/// `newer` every `period` steps, else `older`: a target network (Mnih et al., 2015). `steps`: an integer 0-d array,
/// counted by the caller. ValueError unless the period is positive.
template <class P>
P periodic_update(const P& newer, const P& older, const Array& steps, std::int64_t period,
                  SourceLocation loc = std::source_location::current()) {
  const detail::Require check("periodic_update", loc);
  check.at_least("the period", period, 1);
  tree::check_same_structure("periodic_update", newer, older);
  return detail::choose_tree(detail::is_multiple(steps, period), newer, older);
}

// ---- rules ----

namespace detail {

/// State<P> for State<Leaves>; a state without trees is itself.
template <class S, class P>
struct RebindState {
  using type = S;
};
template <template <class> class S, class P>
struct RebindState<S<Leaves>, P> {
  using type = S<P>;
};
template <class R>
auto flat_state(const R& rule, const Leaves& params) {
  if constexpr (requires { rule.init(params); })
    return rule.init(params);
  else
    return EmptyState();
}
template <class R>
using FlatStateOf = decltype(flat_state(std::declval<const R&>(), Leaves()));
template <class R, class P>
using RuleState = typename RebindState<FlatStateOf<R>, P>::type;

/// A state whose fields are those of `from`, with those that are trees, which are Leaves in Flat (or optional ones),
/// given by `convert`.
template <class To, class Flat, class From, class F>
To convert_state(From& from, F&& convert) {
  if constexpr (std::is_empty_v<To>) {
    return {};
  } else {
    auto fields = tree::detail::fields(from);
    using FlatFields = decltype(tree::detail::fields(std::declval<Flat&>()));
    const auto field = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
      using FlatField = std::remove_cvref_t<std::tuple_element_t<I, FlatFields>>;
      const auto& own = std::get<I>(fields);
      if constexpr (std::is_same_v<FlatField, Leaves>)
        return convert(own);
      else if constexpr (std::is_same_v<FlatField, std::optional<Leaves>>)
        return own ? std::optional(convert(*own)) : std::nullopt;
      else
        return own;
    };
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return To{field(std::integral_constant<std::size_t, I>())...};
    }(std::make_index_sequence<std::tuple_size_v<FlatFields>>());
  }
}

template <class P>
Extra<Leaves> flat_extra(const Extra<P>& extra, const P& params) {
  Extra<Leaves> r{.value = extra.value};
  if (extra.grad) {
    tree::check_same_structure("update: parameters and extra.grad", params, *extra.grad);
    r.grad = leaves_of(*extra.grad);
    check_shapes("update", "extra.grad", *r.grad, "parameters", leaves_of(params),
                 [&](std::size_t i) { return leaf_path(params, i); });
  }
  if (extra.value_fn) r.value_fn = [&](const Leaves& p) { return extra.value_fn(tree::with_leaves(params, p)); };
  if (extra.grad_fn)
    r.grad_fn = [&](const Leaves& p, const Array& i) {
      const P grad = extra.grad_fn(tree::with_leaves(params, p), i);
      tree::check_same_structure("update: parameters and what extra.grad_fn gives", params, grad);
      return leaves_of(grad);
    };
  return r;
}

}  // namespace detail

/// A transformation made of an update rule on flat lists of leaves, which has
///   static constexpr const char* kName;                                        for errors
///   State<Leaves> init(const Leaves& params) const;                            or none: it has no state
///   void update(Leaves& u, State<Leaves>& state, const Leaves& params) const;  without the state if it has none
/// and update may take a `const Extra<Leaves>&` at the end. The state of parameters P is State<P>. A rule's
/// hyperparameters are its members: where each of them is an option, it is the options of the function that makes it,
/// too.
/// Errors of update: TreeError unless updates, parameters and state have one structure, ShapeError unless they have
/// equal shapes, DTypeError unless the updates are float or complex. A rule with kAnyState = true has a state of other
/// shapes, one with kAnyUpdates = true takes updates of other shapes. One with kWide = true gets 16-bit updates as f32,
/// and what it makes of updates is rounded to the dtype that they and the parameters promote to.
template <class R>
struct OnTrees {
  R rule;

  template <class P>
  detail::RuleState<R, P> init(const P& params, SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, R::kName);
    auto flat = detail::flat_state(rule, detail::leaves_of(params));
    return detail::convert_state<detail::RuleState<R, P>, decltype(flat)>(
        flat, [&](const Leaves& leaves) { return tree::with_leaves(params, leaves); });
  }

  template <class P>
  std::pair<P, detail::RuleState<R, P>> update(P updates, detail::RuleState<R, P> state, const P& params,
                                               const Extra<P>& extra = {},
                                               SourceLocation loc = std::source_location::current()) const {
    using Flat = detail::FlatStateOf<R>;
    constexpr bool kAnyUpdates = requires { requires R::kAnyUpdates; };
    constexpr bool kAnyState = kAnyUpdates || requires { requires R::kAnyState; };
    const LocationScope scope(loc, R::kName);
    const auto path = [&](std::size_t i) { return detail::leaf_path(updates, i); };
    tree::check_same_structure(R::kName, updates, params);
    Leaves u = detail::leaves_of(updates);
    const Leaves p = detail::leaves_of(params);
    detail::check_inexact(R::kName, "updates", u, path);
    if constexpr (!kAnyUpdates) detail::check_shapes(R::kName, "updates", u, "parameters", p, path);
    Flat flat = detail::convert_state<Flat, Flat>(state, [&](const P& own) {
      tree::check_same_structure(R::kName, updates, own);
      Leaves leaves = detail::leaves_of(own);
      if constexpr (!kAnyState) detail::check_shapes(R::kName, "updates", u, "state", leaves, path);
      return leaves;
    });
    if constexpr (requires { requires R::kWide; }) {
      const Leaves given = std::exchange(u, detail::widened(u));
      step(u, flat, p, extra, params);
      u = detail::cast_to_promoted(u, given, p);
    } else {
      step(u, flat, p, extra, params);
    }
    state = detail::convert_state<detail::RuleState<R, P>, Flat>(
        flat, [&](const Leaves& leaves) { return tree::with_leaves(updates, leaves); });
    return {tree::with_leaves(std::move(updates), u), std::move(state)};
  }

 private:
  template <class S, class P>
  void step(Leaves& u, S& state, const Leaves& p, const Extra<P>& extra, const P& params) const {
    if constexpr (requires { rule.update(u, state, p, Extra<Leaves>()); })
      rule.update(u, state, p, detail::flat_extra(extra, params));
    else if constexpr (requires { rule.update(u, state, p); })
      rule.update(u, state, p);
    else if constexpr (requires { rule.update(u, p, Extra<Leaves>()); })
      rule.update(u, p, detail::flat_extra(extra, params));
    else
      rule.update(u, p);
  }
};

// ---- the simplest ones ----

/// Leaves the updates as they are.
struct Identity {
  template <class P>
  EmptyState init(const P&) const {
    return {};
  }
  template <class P>
  std::pair<P, EmptyState> update(P updates, EmptyState, const P&) const {
    return {std::move(updates), {}};
  }
};
inline Identity identity() { return {}; }

/// Zeros for updates, so that parameters stay.
struct SetToZero {
  template <class P>
  EmptyState init(const P&) const {
    return {};
  }
  template <class P>
  std::pair<P, EmptyState> update(P updates, EmptyState, const P&) const {
    const Leaves zeros = detail::zeros_like(detail::leaves_of(updates));
    return {tree::with_leaves(std::move(updates), zeros), {}};
  }
};
inline SetToZero set_to_zero() { return {}; }

/// updates = f(updates, params), without a state.
template <class F>
struct Stateless {
  F f;
  template <class P>
  EmptyState init(const P&) const {
    return {};
  }
  template <class P>
  std::pair<P, EmptyState> update(const P& updates, EmptyState, const P& params) const {
    return {f(updates, params), {}};
  }
};
template <class F>
Stateless<F> stateless(F f) {
  return {std::move(f)};
}
/// The same for a function of corresponding arrays: u = f(u, p).
template <class F>
auto stateless_with_tree_map(F f) {
  return stateless(
      [f = std::move(f)](const auto& updates, const auto& params) { return tree::map(f, updates, params); });
}

/// A transformation that may be left out, then leaving the updates as they are.
template <class T>
struct Maybe {
  static_assert(detail::check_transformation<T>());
  std::optional<T> inner;
  template <class P>
  std::optional<StateOf<T, P>> init(const P& params) const {
    if (inner) return inner->init(params);
    return std::nullopt;
  }
  template <class P, class S>
  std::pair<P, std::optional<S>> update(P updates, std::optional<S> state, const P& params,
                                        const Extra<P>& extra = {}) const {
    detail::check_state("update", state.has_value() == inner.has_value());
    if (!inner) return {std::move(updates), std::nullopt};
    auto [u, s] = detail::run(*inner, std::move(updates), *std::move(state), params, extra);
    return {std::move(u), std::move(s)};
  }
};

// ---- one after the other ----

/// Applies its members in order, each to what the one before made of the updates. The state is a tuple of theirs.
template <class... T>
struct Chain {
  static_assert((detail::check_transformation<T>() && ...));
  std::tuple<T...> members;

  template <class P>
  std::tuple<StateOf<T, P>...> init(const P& params) const {
    return std::apply([&](const T&... t) { return std::tuple<StateOf<T, P>...>(t.init(params)...); }, members);
  }
  template <class P, class... S>
  std::pair<P, std::tuple<S...>> update(P updates, std::tuple<S...> state, const P& params, const Extra<P>& extra = {},
                                        SourceLocation loc = std::source_location::current()) const {
    static_assert(sizeof...(S) == sizeof...(T), "chain: the state must come from this chain's init");
    const LocationScope scope(loc, "update");
    const auto advance = [&]<class M, class R>(const M& member, R& own) {
      auto [u, s] = detail::run(member, std::move(updates), std::move(own), params, extra);
      updates = std::move(u);
      own = std::move(s);
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (advance(std::get<I>(members), std::get<I>(state)), ...);
    }(std::index_sequence_for<T...>());
    return {std::move(updates), std::move(state)};
  }
};

/// chain(clip_by_global_norm(1.0), scale_by_adam(), scale(-1e-3)).
template <class... T>
Chain<T...> chain(T... members) {
  return {std::tuple<T...>(std::move(members)...)};
}

/// Text as a template argument: "clip".
template <std::size_t kSize>
struct FixedString {
  char text[kSize] = {};
  constexpr FixedString(const char (&s)[kSize]) { std::copy_n(s, kSize, text); }  // implicit by design
  constexpr std::string_view view() const { return {text, kSize - 1}; }
};

/// Something with a name, for named_chain and monitor: named<"clip">(clip_by_global_norm(1.0)).
template <FixedString kName, class T>
struct Named {
  static_assert(!kName.view().empty() && kName.view().find(',') == std::string_view::npos,
                "named: a name must not be empty nor have a comma");
  T inner;
};
template <FixedString kName, class T>
Named<kName, T> named(T t) {
  return {std::move(t)};
}

/// The names of a named_chain, in order.
template <FixedString... kNames>
struct NameList {
  static constexpr std::size_t find(std::string_view name) {
    constexpr std::string_view all[] = {kNames.view()...};
    return static_cast<std::size_t>(std::find(std::begin(all), std::end(all), name) - std::begin(all));
  }
  static constexpr bool unique() {
    std::size_t i = 0;
    return ((find(kNames.view()) == i++) && ...);
  }
  /// "clip, adam".
  static std::string_view joined() {
    static const std::string text = [] {
      std::string r;
      ((r += (r.empty() ? "" : ", ") + std::string(kNames.view())), ...);
      return r;
    }();
    return text;
  }
};

/// A struct whose members bear the names: x.get<"adam">().
template <class Names, class... T>
struct NamedTuple {
  std::tuple<T...> values;

  template <FixedString kName>
  auto& get() {
    static_assert(Names::find(kName.view()) < sizeof...(T), "get: there is no member of this name");
    return std::get<Names::find(kName.view())>(values);
  }
  template <FixedString kName>
  const auto& get() const {
    return const_cast<NamedTuple*>(this)->template get<kName>();
  }
  auto weft_tree_members() {
    return std::apply([](auto&... t) { return std::tie(t...); }, values);
  }
  auto weft_tree_members() const {
    return std::apply([](const auto&... t) { return std::tie(t...); }, values);
  }
  static std::string_view weft_tree_names() { return Names::joined(); }
};

/// The states of a named_chain by name.
template <class Names, class... S>
using NamedChainState = NamedTuple<Names, S...>;

/// A chain whose state is one struct of the states of its parts, under their names; see named_chain.
template <class Names, class... T>
struct NamedChain {
  Chain<T...> chain;

  template <class P>
  NamedChainState<Names, StateOf<T, P>...> init(const P& params) const {
    return {chain.init(params)};
  }
  template <class P, class... S>
  std::pair<P, NamedTuple<Names, S...>> update(P updates, NamedTuple<Names, S...> state, const P& params,
                                               const Extra<P>& extra = {},
                                               SourceLocation loc = std::source_location::current()) const {
    auto [u, s] = chain.update(std::move(updates), std::move(state.values), params, extra, loc);
    return {std::move(u), {std::move(s)}};
  }
};

/// A chain whose states have names: named_chain(named<"clip">(clip(1.0)), named<"adam">(adam(1e-3))).
template <FixedString... kNames, class... T>
NamedChain<NameList<kNames...>, T...> named_chain(Named<kNames, T>... members) {
  static_assert(NameList<kNames...>::unique(), "named_chain: names must differ");
  return {{std::tuple<T...>(std::move(members.inner)...)}};
}

}  // namespace weft::optim
