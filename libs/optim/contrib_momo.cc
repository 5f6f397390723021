#include "optim/contrib_momo.h"

#include <limits>

#include "optim/polyak.h"
#include "weft/weft.h"

namespace weft::optim::contrib {

using detail::averaged;
using detail::cast_like;
using detail::inner_product;
using detail::Require;

namespace {

// What both share: the step along the preconditioned average, and the bound that goes with it.
struct Model {
  Array loss, gamma, inner, square;  // f, c, <d, p>, <d, D^-1 d>
  Array bias;                        // 1, or Adam's 1 - b1^t
  Array rate, shrink;                // a, and w = 1 + a weight_decay
};

// The step size, with the bound raised first where it is known to be too high.
Array step_size(const Model& m, Array& bound, const Hyperparam& lowest, bool adapt) {
  const Array least = lowest.in(bound.dtype());
  if (adapt) {
    const Array cap = m.shrink * (m.loss - m.gamma) + m.inner;
    bound = np::where(cap < m.shrink * m.bias * bound, np::maximum(cap / (2 * m.bias * m.shrink), least), bound);
  }
  const Array none = m.square <= std::numeric_limits<double>::epsilon();
  const Array gap = np::maximum(m.shrink * (m.loss - m.bias * bound - m.gamma) + m.inner, 0);
  const Array step = np::where(none, 0, gap / np::where(none, 1, m.square));
  const Array t = np::minimum(m.rate / m.bias, step);
  if (adapt) bound = np::maximum(((m.loss + m.inner - m.gamma) - 0.5 * t * m.square) / m.bias, least);
  return t;
}

Leaves descend(const Leaves& direction, const Array& step, const Leaves& params, const Model& m,
               const Hyperparam& weight_decay) {
  Leaves u = detail::scale_all(direction, -step);
  if (weight_decay.is(0)) return u;
  return detail::add_scaled(u, -(m.shrink - 1) / m.shrink, params);
}

}  // namespace

OnTrees<Momo> momo(ScalarOrSchedule learning_rate, MomoOptions o, SourceLocation loc) {
  const Require check("momo", loc);
  check.number("learning_rate", learning_rate).decay("beta", o.beta).number("lower_bound", o.lower_bound);
  check.not_negative("weight_decay", o.weight_decay);
  return {{std::move(learning_rate), std::move(o)}};
}

MomoState<Leaves> Momo::init(const Leaves& params) const {
  const DType t = detail::precision(params);
  return {detail::zeros_like(params), np::zeros({}, t), np::zeros({}, t), options.lower_bound.copy_in(t), zero_count()};
}

void Momo::update(Leaves& u, MomoState<Leaves>& state, const Leaves& params, const Extra<Leaves>& extra) const {
  const DType t = state.barf.dtype();
  const Hyperparam decay(np::where(state.count == 0, 0, options.beta.in(t)));
  state.barf = averaged(state.barf, detail::loss_of(kName, extra.value, t), decay);
  state.gamma = averaged(state.gamma, inner_product(u, params).astype(t), decay);
  for (std::size_t i = 0; i < u.size(); ++i)
    state.exp_avg[i] = cast_like(averaged(state.exp_avg[i], u[i], decay), state.exp_avg[i]);
  const Array rate = learning_rate.at(state.count).in(t);
  const Model model{state.barf,
                    state.gamma,
                    inner_product(state.exp_avg, params).astype(t),
                    detail::squared_norm(state.exp_avg).astype(t),
                    np::ones({}, t),
                    rate,
                    1 + rate * options.weight_decay.in(t)};
  const Array step = step_size(model, state.lb, options.lower_bound, options.adapt_lower_bound);
  u = descend(state.exp_avg, step, params, model, options.weight_decay);
  state.count = safe_increment(state.count);
}

OnTrees<MomoAdam> momo_adam(ScalarOrSchedule learning_rate, MomoAdamOptions o, SourceLocation loc) {
  const Require check("momo_adam", loc);
  check.number("learning_rate", learning_rate).decay("b1", o.b1).decay("b2", o.b2).not_negative("eps", o.eps);
  check.number("lower_bound", o.lower_bound).not_negative("weight_decay", o.weight_decay);
  return {{std::move(learning_rate), std::move(o)}};
}

MomoAdamState<Leaves> MomoAdam::init(const Leaves& params) const {
  const DType t = detail::precision(params);
  return {detail::zeros_like(params), detail::zeros_for_squares(params), np::zeros({}, t),
          np::zeros({}, t),           options.lower_bound.copy_in(t),    zero_count()};
}

void MomoAdam::update(Leaves& u, MomoAdamState<Leaves>& state, const Leaves& params, const Extra<Leaves>& extra) const {
  const DType t = state.barf.dtype();
  const Array rate = learning_rate.at(state.count).in(t);
  state.count = safe_increment(state.count);
  const Array bias1 = detail::bias_correction(options.b1, state.count, t),
              bias2 = detail::bias_correction(options.b2, state.count, t);
  state.barf = averaged(state.barf, detail::loss_of(kName, extra.value, t), options.b1);
  state.gamma = averaged(state.gamma, inner_product(u, params).astype(t), options.b1);
  Leaves direction;
  for (std::size_t i = 0; i < u.size(); ++i) {
    Array &m = state.exp_avg[i], &v = state.exp_avg_sq[i];
    m = cast_like(averaged(m, u[i], options.b1), m);
    v = cast_like(averaged(v, detail::abs_squared(u[i]), options.b2), v);
    direction.push_back(m / detail::plus(np::sqrt(v / cast_like(bias2, v)), options.eps));
  }
  const Model model{state.barf,
                    state.gamma,
                    inner_product(state.exp_avg, params).astype(t),
                    inner_product(state.exp_avg, direction).astype(t),
                    bias1,
                    rate,
                    1 + rate * options.weight_decay.in(t)};
  const Array step = step_size(model, state.lb, options.lower_bound, options.adapt_lower_bound);
  u = descend(direction, step, params, model, options.weight_decay);
}

}  // namespace weft::optim::contrib
