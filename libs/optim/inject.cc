#include "optim/inject.h"

#include "weft/weft.h"

namespace weft::optim {

namespace {

std::string names_of(const Hyperparams& all) {
  std::string names;
  for (const auto& [name, unused] : all.values) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace

const Array& Hyperparams::at(const std::string& name, SourceLocation loc) const {
  const LocationScope scope(loc, "at");
  const auto value = values.find(name);
  if (value == values.end())
    throw ValueError("at: the name of a hyperparameter must be one of " + names_of(*this) + "; got '" + name + "'.");
  return value->second;
}

namespace detail {

void set_hyperparam(Hyperparams& all, const std::string& name, const Hyperparam& value) {
  const auto at = all.values.find(name);
  if (at == all.values.end())
    throw ValueError("set: the name must be one of " + names_of(all) + "; got '" + name + "'.");
  at->second = value.in(at->second.dtype());
}

std::pair<Hyperparams, ScheduleStates> initial_hyperparams(const InjectedHyperparams& given, const Array& count,
                                                           DType dtype) {
  Hyperparams all;
  ScheduleStates states;
  for (const auto& [name, own] : given) {
    if (own.stateful()) {
      states[name] = copies(own.stateful()->initial);
      all.values[name] = Hyperparam(own.stateful()->value(states[name], {})).copy_in(dtype);
      continue;
    }
    const Hyperparam now = own.value().at(count);
    all.values[name] = now.copy_in(own.value().is_schedule() ? dtype : now.dtype(dtype));
  }
  return {std::move(all), std::move(states)};
}

void schedule_hyperparams(const InjectedHyperparams& given, const Array& count, const Extra<Leaves>& extra, DType dtype,
                          Hyperparams& all, ScheduleStates& states) {
  for (auto& [name, value] : all.values) {
    const auto at = given.find(name);
    if (at == given.end())
      throw TreeError("inject_hyperparams: the state must have the hyperparameters that were given; got '" + name +
                      "', too.");
    check_state("inject_hyperparams", states.contains(name) == at->second.stateful().has_value());
    if (const auto& own = at->second.stateful()) {
      Leaves& state = states[name];
      check_state("inject_hyperparams", same_shapes(state, own->initial));
      value = Hyperparam(own->value(state, extra)).in(dtype);
      const Leaves next = own->next(state, extra);
      tree::check_same_structure("inject_hyperparams: a schedule's state and the next", state, next);
      check_shapes("inject_hyperparams", "a schedule's next state", next, "its state", state,
                   [](std::size_t i) { return "leaf " + std::to_string(i); });
      state = cast_like(next, state);
      continue;
    }
    const ScalarOrSchedule& own = at->second.value();
    value = own.is_schedule() ? own.at(count).in(dtype) : Hyperparam(value).in(own.scalar().dtype(dtype));
  }
  if (all.values.size() != given.size())
    throw TreeError("inject_hyperparams: the state must have all hyperparameters that were given; got fewer.");
}

}  // namespace detail

}  // namespace weft::optim
