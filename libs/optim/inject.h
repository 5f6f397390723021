// Hyperparameters as part of the state, where they can be read and changed between steps without compiling again.
#pragma once

#include <map>

#include "optim/transformation.h"

namespace weft::optim {

/// The values of hyperparameters by name, each 0-d: "learning_rate".
struct Hyperparams {
  std::map<std::string, Array> values;
  /// ValueError, with the names that there are, for another one.
  const Array& at(const std::string& name, SourceLocation loc = std::source_location::current()) const;
};

/// A schedule with a state, a list of arrays, which may depend on more than the count; see stateful_schedule.
struct StatefulSchedule {
  Leaves initial;
  std::function<Array(const Leaves& state, const Extra<Leaves>& extra)> value;
  std::function<Leaves(const Leaves& state, const Extra<Leaves>& extra)> next;
};
/// A schedule whose value at a step is value(state, extra), a 0-d array, and whose state goes from `initial`, a tree,
/// to next(state, extra) in each step. Of the extras of update extra.value, the loss, is what most need; they are empty
/// where init computes the first value.
///   stateful_schedule(Array(1.f), [](const Array& s, const auto&) { return s; },
///                     [](const Array& s, const auto& extra) { return np::where(extra.value < 1, s / 2, s); })
/// TreeError, when it runs, unless the state keeps its structure.
template <class S, class V, class N>
StatefulSchedule stateful_schedule(S initial, V value, N next) {
  return {detail::leaves_of(initial),
          [initial, value](const Leaves& state, const Extra<Leaves>& extra) -> Array {
            return value(tree::with_leaves(initial, state), extra);
          },
          [initial, next](const Leaves& state, const Extra<Leaves>& extra) {
            const S own = next(tree::with_leaves(initial, state), extra);
            tree::check_same_structure("stateful_schedule: the state", initial, own);
            return detail::leaves_of(own);
          }};
}

/// What inject_hyperparams takes: a number, a 0-d array, a schedule, or a stateful schedule.
class InjectedHyperparam {
 public:
  template <class T>
    requires std::is_convertible_v<T, ScalarOrSchedule>
  InjectedHyperparam(T value) : value_(std::move(value)) {}  // implicit by design
  InjectedHyperparam(StatefulSchedule value) : value_(0), stateful_(std::move(value)) {}

  /// The number, array or plain schedule, when it is no stateful one.
  const ScalarOrSchedule& value() const { return value_; }
  const std::optional<StatefulSchedule>& stateful() const { return stateful_; }

 private:
  ScalarOrSchedule value_;
  std::optional<StatefulSchedule> stateful_;
};

namespace detail {
using InjectedHyperparams = std::map<std::string, InjectedHyperparam>;
using ScheduleStates = std::map<std::string, Leaves>;
void set_hyperparam(Hyperparams& all, const std::string& name, const Hyperparam& value);
std::pair<Hyperparams, ScheduleStates> initial_hyperparams(const InjectedHyperparams& given, const Array& count,
                                                           DType dtype);
/// Computes those that are scheduled, and gives all the dtypes they began with; schedules go to their next states.
/// TreeError unless `all` has the names of `given`.
void schedule_hyperparams(const InjectedHyperparams& given, const Array& count, const Extra<Leaves>& extra, DType dtype,
                          Hyperparams& all, ScheduleStates& states);
}  // namespace detail

template <class S>
struct InjectHyperparamsState {
  Array count;              ///< steps taken, i32[]
  Hyperparams hyperparams;  ///< those in force; what is scheduled is computed anew in each step
  std::map<std::string, Leaves> hyperparams_states;  ///< of the stateful schedules
  S inner_state;

  /// Sets one for the steps to come, in the dtype it has, so that programs still fit. ValueError for a name that is
  /// none.
  void set(const std::string& name, const Hyperparam& value, SourceLocation loc = std::source_location::current()) {
    const LocationScope scope(loc, "set");
    detail::set_hyperparam(hyperparams, name, value);
  }
};

/// A transformation made anew in each step from the hyperparameters of that step.
template <class F>
struct InjectHyperparams {
  F factory;
  std::map<std::string, InjectedHyperparam> hyperparams;

  using Inner = std::invoke_result_t<const F&, const Hyperparams&>;
  static_assert(detail::check_transformation<Inner>());

  template <class P>
  InjectHyperparamsState<StateOf<Inner, P>> init(const P& params,
                                                 SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "inject_hyperparams");
    const Array count = zero_count();
    auto [now, states] = detail::initial_hyperparams(hyperparams, count, detail::precision(detail::leaves_of(params)));
    auto inner = factory(now).init(params);
    return {count, std::move(now), std::move(states), std::move(inner)};
  }
  template <class P, class S>
  std::pair<P, InjectHyperparamsState<S>> update(P updates, InjectHyperparamsState<S> state, const P& params,
                                                 const Extra<P>& extra = {},
                                                 SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "inject_hyperparams");
    detail::schedule_hyperparams(hyperparams, state.count, detail::flat_extra(extra, params),
                                 detail::precision(detail::leaves_of(params)), state.hyperparams,
                                 state.hyperparams_states);
    auto [u, s] =
        detail::run(factory(state.hyperparams), std::move(updates), std::move(state.inner_state), params, extra);
    state.count = safe_increment(state.count);
    state.inner_state = std::move(s);
    return {std::move(u), std::move(state)};
  }
};

/// The factory takes Hyperparams, arrays that may be traced, and makes a transformation:
///   const auto opt = inject_hyperparams([](const Hyperparams& h) { return adam(h.at("learning_rate")); },
///                                       {{"learning_rate", 1e-3}});
///   auto state = opt.init(params);
///   state.set("learning_rate", 1e-4);
/// Each hyperparameter is a number, an array or a schedule; what is set of a scheduled one has no effect. They are f32,
/// f64 where a parameter is; arrays keep their dtypes.
template <class F>
InjectHyperparams<F> inject_hyperparams(F factory, std::map<std::string, InjectedHyperparam> hyperparams) {
  return {std::move(factory), std::move(hyperparams)};
}
/// Its name with stateful schedules, before it took them.
template <class F>
InjectHyperparams<F> inject_stateful_hyperparams(F factory, std::map<std::string, InjectedHyperparam> hyperparams) {
  return inject_hyperparams(std::move(factory), std::move(hyperparams));
}

}  // namespace weft::optim
