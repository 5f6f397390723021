// Updates looked at on their way through a chain: what measurements give is kept in the state. Nothing is changed.
#pragma once

#include <map>

#include "optim/momentum.h"

namespace weft::optim {

namespace detail {

/// `now` in the dtypes of `before`, which a state keeps. TreeError unless the structures are equal.
template <class M>
M measured_like(const char* what, const M& now, const M& before) {
  tree::check_same_structure(what, before, now);
  return tree::with_leaves(before, cast_like(leaves_of(now), leaves_of(before)));
}

/// A measurement and the next state, with the extras if `t` takes them.
template <class T, class P, class S>
auto measure(const T& t, const P& updates, S state, const P& params, const Extra<P>& extra) {
  if constexpr (requires { t.update(updates, std::move(state), params, extra); })
    return t.update(updates, std::move(state), params, extra);
  else
    return t.update(updates, std::move(state), params);
}

/// A function of the updates as a measurement without a state.
template <class F>
struct Measure {
  F f;
  template <class P>
  EmptyState init(const P&) const {
    return {};
  }
  template <class P>
  auto update(const P& updates, EmptyState, const P&) const {
    return std::pair(f(updates), EmptyState());
  }
};
template <class T>
auto as_measure(T t) {
  if constexpr (GradientTransformation<T>)
    return t;
  else
    return Measure<T>{std::move(t)};
}

}  // namespace detail

template <class M>
struct SnapshotState {
  std::map<std::string, M> measurement;  ///< by the name; of the parameters before the first step
};
/// Leaves the updates as they are, and keeps what `measure` gives of them.
template <class F>
struct Snapshot {
  std::string measure_name;
  F measure;

  template <class P>
  auto init(const P& params) const {
    auto first = detail::copy_tree(measure(params));
    return SnapshotState<decltype(first)>{{{measure_name, std::move(first)}}};
  }
  template <class P, class M>
  std::pair<P, SnapshotState<M>> update(P updates, SnapshotState<M> state, const P&) const {
    detail::check_state("snapshot", state.measurement.contains(measure_name));
    M& kept = state.measurement.at(measure_name);
    kept = detail::measured_like<M>("snapshot", measure(updates), kept);
    return {std::move(updates), std::move(state)};
  }
};
/// snapshot("norm_before_clip", [](const auto& u) { return global_norm(u); }), whose state has
/// measurement.at("norm_before_clip"). The measurement is a tree of arrays, which keeps structure and dtypes.
template <class F>
Snapshot<F> snapshot(std::string measure_name, F measure) {
  return {std::move(measure_name), std::move(measure)};
}

/// A measurement for monitor: the average of what f gives of the updates, as ema makes it, in f32 where that is bool or
/// integer.
template <class F>
struct MeasureWithEma {
  F f;
  OnTrees<Ema> average;

  template <class P>
  auto init(const P& params) const {
    return average.init(measured(params));
  }
  template <class P, class S>
  auto update(const P& updates, S state, const P&) const {
    const auto now = measured(updates);
    return average.update(now, std::move(state), now);
  }

 private:
  template <class P>
  auto measured(const P& updates) const {
    return detail::map_leaves(f(updates), [](const Array& x) { return is_inexact(x.dtype()) ? x : x.astype(f32); });
  }
};
/// ValueError unless decay is in [0, 1).
template <class F>
MeasureWithEma<F> measure_with_ema(F f, Hyperparam decay, EmaOptions options = {},
                                   SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "measure_with_ema");
  return {std::move(f), ema(std::move(decay), options)};
}

template <class M, class S>
struct MonitorState {
  M measurements;    ///< by name, state.measurements.template get<"norm">(); of the parameters before the first step
  S measure_states;  ///< a tuple of the states of those that have some
};
/// Leaves the updates as they are, and keeps what several measurements give of them.
template <class Names, class... T>
struct Monitor {
  std::tuple<T...> measures;

  template <class P>
  auto init(const P& params) const {
    return std::apply(
        [&](const T&... t) {
          const auto first = [&](const auto& measure) {
            return detail::copy_tree(detail::measure(measure, params, measure.init(params), params, {}).first);
          };
          using Measurements = NamedTuple<Names, decltype(first(t))...>;
          using States = std::tuple<StateOf<T, P>...>;
          return MonitorState<Measurements, States>{{{first(t)...}}, States(t.init(params)...)};
        },
        measures);
  }
  template <class P, class M, class S>
  std::pair<P, MonitorState<M, S>> update(P updates, MonitorState<M, S> state, const P& params,
                                          const Extra<P>& extra = {},
                                          SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "monitor");
    const auto advance = [&](const auto& measure, auto& kept, auto& own) {
      auto [now, next] = detail::measure(measure, updates, std::move(own), params, extra);
      kept = detail::measured_like<std::decay_t<decltype(kept)>>("monitor", now, kept);
      own = std::move(next);
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (advance(std::get<I>(measures), std::get<I>(state.measurements.values), std::get<I>(state.measure_states)), ...);
    }(std::index_sequence_for<T...>());
    return {std::move(updates), std::move(state)};
  }
};
/// Measurements are functions of the updates, or measure_with_ema of such, or objects whose update(updates, state,
/// params) gives a pair of a tree and the next state:
///   monitor(named<"norm">([](const auto& u) { return global_norm(u); }),
///           named<"clipped">(measure_with_ema([](const auto& u) { return global_norm(u) > 1; }, 0.9)))
template <FixedString... kNames, class... T>
auto monitor(Named<kNames, T>... measures) {
  static_assert(NameList<kNames...>::unique(), "monitor: names must differ");
  using All = Monitor<NameList<kNames...>, decltype(detail::as_measure(std::move(measures.inner)))...>;
  return All{{detail::as_measure(std::move(measures.inner))...}};
}

}  // namespace weft::optim
