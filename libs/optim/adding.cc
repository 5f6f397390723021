#include "optim/adding.h"

#include "weft/weft.h"

namespace weft::optim {

using detail::Require;

Masked<OnTrees<AddDecayedWeights>> add_decayed_weights(ScalarOrSchedule weight_decay, Mask mask, SourceLocation loc) {
  const Require check("add_decayed_weights", loc);
  check.number("weight_decay", weight_decay);
  return {{{std::move(weight_decay)}}, std::move(mask)};
}

ScheduleState AddDecayedWeights::init(const Leaves&) const { return {weight_decay.initial_count()}; }

void AddDecayedWeights::update(Leaves& u, ScheduleState& state, const Leaves& params) const {
  detail::check_state(kName, state.count.defined() == weight_decay.is_schedule());
  const Hyperparam decay = weight_decay.at(state.count);
  state.count = weight_decay.next_count(state.count);
  if (decay.is(0)) return;
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = u[i] + detail::scaled(detail::cast_like(params[i], u[i]), decay);
}

OnTrees<AddNoise> add_noise(Hyperparam eta, Hyperparam gamma, const Array& key, SourceLocation loc) {
  const Require check("add_noise", loc);
  check.not_negative("eta", eta).number("gamma", gamma);
  detail::check_key("add_noise", key);
  return {{std::move(eta), std::move(gamma), key}};
}

AddNoiseState AddNoise::init(const Leaves&) const { return {zero_count(), np::copy(key)}; }

void AddNoise::update(Leaves& u, AddNoiseState& state, const Leaves&) const {
  state.count = safe_increment(state.count);
  const Array stddev = np::sqrt(eta.in(f32) / np::power(state.count.astype(f32), gamma.in(f32)));
  const Array keys = random::split(state.rng_key);
  state.rng_key = keys(0);
  u = detail::add_scaled(u, stddev, detail::normal_like(keys(1), u));
}

namespace detail {

void check_key(const char* what, const Array& key) {
  if (!key.defined()) throw ValueError(std::string(what) + ": there must be a key; got none.", "random::key(0)");
  if (key.dtype() != u32) throw DTypeError(std::string(what) + ": a key must be u32[2]; got " + key.aval().str() + ".");
  if (key.shape() != Shape{2})
    throw ShapeError(std::string(what) + ": a key must be u32[2]; got " + key.aval().str() + ".");
}

Leaves normal_like(const Array& key, const Leaves& like) {
  const Array keys = random::split(key, like.size());
  Leaves r;
  for (std::size_t i = 0; i < like.size(); ++i) r.push_back(random::normal(keys(i), like[i].shape(), like[i].dtype()));
  return r;
}

}  // namespace detail

}  // namespace weft::optim
