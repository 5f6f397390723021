#include "optim/contrib_prodigy.h"

#include <cmath>

#include "weft/weft.h"

namespace weft::optim::contrib {

using detail::averaged;
using detail::cast_like;
using detail::scaled;

OnTrees<Prodigy> prodigy(ScalarOrSchedule learning_rate, ProdigyOptions o, SourceLocation loc) {
  const detail::Require check("prodigy", loc);
  check.number("learning_rate", learning_rate).decay("beta1", o.beta1).decay("beta2", o.beta2);
  if (o.beta3) check.fraction("beta3", *o.beta3);
  check.not_negative("eps", o.eps).positive("estim_lr0", o.estim_lr0).number("estim_lr_coef", o.estim_lr_coef);
  check.not_negative("weight_decay", o.weight_decay);
  return {{std::move(learning_rate), std::move(o)}};
}

ProdigyState<Leaves> Prodigy::init(const Leaves& params) const {
  const DType t = detail::precision(params);
  const auto zeros = [&] {
    Leaves r;
    for (const Array& p : params) r.push_back(np::zeros_like(p, p.dtype() == f16 ? f32 : p.dtype()));
    return r;
  };
  return {zeros(),
          detail::zeros_for_squares(params),
          zeros(),
          detail::copies(params),
          options.estim_lr0.copy_in(t),
          np::zeros({}, t),
          zero_count()};
}

void Prodigy::update(Leaves& u, ProdigyState<Leaves>& state, const Leaves& params) const {
  const DType t = state.estim_lr.dtype();
  const Array rate = learning_rate.at(state.count).in(t), d = state.estim_lr, d0 = options.estim_lr0.in(t);
  state.count = safe_increment(state.count);
  const Array bias1 = detail::bias_correction(options.beta1, state.count, t);
  const Array bias2 = detail::bias_correction(options.beta2, state.count, t);
  const Array l = d * rate * np::sqrt(bias2) / bias1;
  const Hyperparam b3 = options.beta3 ? *options.beta3 : options.beta2.map([](const auto& x) {
    using np::sqrt;
    using std::sqrt;
    return sqrt(x);
  });

  const Array progress = detail::inner_product(u, detail::subtract(state.params0, params)).astype(t);
  state.numerator_weighted = scaled(state.numerator_weighted, b3) + d / d0 * l * progress;
  const Array weight = (options.safeguard_warmup ? d : l) / d0;
  Leaves sizes;
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array g = u[i] * cast_like(d, u[i]);
    Array &m = state.exp_avg[i], &v = state.exp_avg_sq[i], &s = state.grad_sum[i];
    m = cast_like(averaged(m, g, options.beta1), m);
    v = cast_like(averaged(v, detail::abs_squared(g), options.beta2), v);
    s = cast_like(scaled(s, b3) + cast_like(weight, g) * g, s);
    sizes.push_back(np::abs(s));
  }
  const Array size = detail::total(sizes).astype(t), some = size > 0;
  const Array estimate = scaled(state.numerator_weighted, options.estim_lr_coef) / np::where(some, size, 1);
  state.estim_lr = np::where(some, np::maximum(d, estimate), d);

  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array& v = state.exp_avg_sq[i];
    const Array divisor = np::sqrt(v) + cast_like(scaled(state.estim_lr, options.eps), v);
    // A gradient of 0 from the first step on: 0 / 0 is 0.
    const Array direction = state.exp_avg[i] / cast_like(np::where(divisor > 0, divisor, 1), state.exp_avg[i]);
    const Array decayed = options.weight_decay.is(0) ? direction : direction + scaled(params[i], options.weight_decay);
    u[i] = cast_like(-l, decayed) * decayed;
  }
}

}  // namespace weft::optim::contrib
