#include "optim/scaling.h"

#include "weft/weft.h"

namespace weft::optim {

using detail::Require;

OnTrees<Scale> scale(Hyperparam step_size, SourceLocation loc) {
  const Require check("scale", loc);
  check.number("step_size", step_size);
  return {{std::move(step_size)}};
}

void Scale::update(Leaves& u, const Leaves&) const {
  for (Array& x : u) x = detail::scaled(x, step_size);
}

OnTrees<ScaleByLearningRate> scale_by_learning_rate(ScalarOrSchedule learning_rate, LearningRateOptions options,
                                                    SourceLocation loc) {
  const Require check("scale_by_learning_rate", loc);
  check.number("learning_rate", learning_rate);
  return {{std::move(learning_rate), options.flip_sign}};
}

OnTrees<ScaleByLearningRate> scale_by_schedule(Schedule step_size, SourceLocation loc) {
  const Require check("scale_by_schedule", loc);
  if (!step_size) check.fail("the schedule must be a function", "an empty one");
  return {{std::move(step_size), false}};
}

ScheduleState ScaleByLearningRate::init(const Leaves&) const { return {learning_rate.initial_count()}; }

void ScaleByLearningRate::update(Leaves& u, ScheduleState& state, const Leaves&) const {
  detail::check_state(kName, state.count.defined() == learning_rate.is_schedule());
  const Hyperparam rate = learning_rate.at(state.count);
  for (Array& x : u) x = detail::scaled(x, flip_sign ? rate.negated() : rate);
  state.count = learning_rate.next_count(state.count);
}

OnTrees<ScaleBySign> scale_by_sign() { return {}; }

void ScaleBySign::update(Leaves& u, const Leaves&) const {
  for (Array& x : u) x = np::sign(x);
}

OnTrees<NormalizeByUpdateNorm> normalize_by_update_norm(NormalizeByUpdateNorm options, SourceLocation loc) {
  const Require check("normalize_by_update_norm", loc);
  check.number("scale_factor", options.scale_factor).not_negative("eps", options.eps);
  return {std::move(options)};
}

void NormalizeByUpdateNorm::update(Leaves& u, const Leaves&) const {
  const Array divisor = detail::plus(detail::norm(u), eps);
  u = detail::scale_all(u, scale_factor.in(divisor.dtype()) / divisor);
}

OnTrees<ScaleByParamBlockNorm> scale_by_param_block_norm(Hyperparam min_scale, SourceLocation loc) {
  const Require check("scale_by_param_block_norm", loc);
  check.not_negative("min_scale", min_scale);
  return {{std::move(min_scale)}};
}

void ScaleByParamBlockNorm::update(Leaves& u, const Leaves& params) const {
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = detail::times(u[i], detail::safe_norm(params[i], min_scale));
}

OnTrees<ScaleByParamBlockRms> scale_by_param_block_rms(Hyperparam min_scale, SourceLocation loc) {
  const Require check("scale_by_param_block_rms", loc);
  check.not_negative("min_scale", min_scale);
  return {{std::move(min_scale)}};
}

void ScaleByParamBlockRms::update(Leaves& u, const Leaves& params) const {
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = detail::times(u[i], detail::safe_rms(params[i], min_scale));
}

OnTrees<ScaleByTrustRatio> scale_by_trust_ratio(ScaleByTrustRatio options, SourceLocation loc) {
  const Require check("scale_by_trust_ratio", loc);
  check.not_negative("min_norm", options.min_norm).number("trust_coefficient", options.trust_coefficient);
  check.not_negative("eps", options.eps);
  return {std::move(options)};
}

void ScaleByTrustRatio::update(Leaves& u, const Leaves& params) const {
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array p = detail::safe_norm(params[i], min_norm);
    const Array g = detail::cast_like(detail::safe_norm(u[i], min_norm), p);
    const Array zero = (p == 0) | (g == 0), one = np::ones_like(p);
    // Divided by 1 where the quotient is not taken, so that no NaN gets into derivatives.
    const Array divisor = np::where(zero, one, detail::plus(g, eps));
    const Array ratio = np::where(zero, one, detail::scaled(p, trust_coefficient) / divisor);
    u[i] = detail::times(u[i], ratio);
  }
}

OnTrees<Centralize> centralize() { return {}; }

void Centralize::update(Leaves& u, const Leaves&) const {
  for (Array& x : u) {
    if (x.ndim() < 2) continue;
    std::vector<int> axes;
    for (int axis = 1; axis < x.ndim(); ++axis) axes.push_back(axis);
    x = x - np::mean(x, axes, true);
  }
}

}  // namespace weft::optim
