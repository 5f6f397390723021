#include "optim/adam.h"

#include "weft/base/text.h"
#include "weft/weft.h"

namespace weft::optim {

using detail::abs_squared;
using detail::averaged;
using detail::bias_correction;
using detail::cast_like;
using detail::Numerator;
using detail::plus;
using detail::precision;
using detail::Require;
using detail::scaled;

namespace {

Array over_root(const Array& m, const Array& v, const Hyperparam& eps_root, const Hyperparam& eps) {
  return m / plus(np::sqrt(plus(v, eps_root)), eps);
}

template <class Rule>
void check_rates(const Require& check, const Rule& o) {
  check.decay("b1", o.b1).decay("b2", o.b2).not_negative("eps", o.eps);
  if constexpr (requires { o.eps_root; }) check.not_negative("eps_root", o.eps_root);
  if constexpr (requires { o.mu_dtype; }) check.floating("mu_dtype", o.mu_dtype);
}

}  // namespace

// ---- Adam ----

OnTrees<ScaleByAdam> scale_by_adam(ScaleByAdam options, SourceLocation loc) {
  check_rates(Require("scale_by_adam", loc), options);
  return {std::move(options)};
}

ScaleByAdamState<Leaves> ScaleByAdam::init(const Leaves& params) const {
  return {zero_count(), detail::zeros_like(params, mu_dtype), detail::zeros_for_squares(params)};
}

void ScaleByAdam::update(Leaves& u, ScaleByAdamState<Leaves>& state, const Leaves&) const {
  state.count = safe_increment(state.count);
  const DType t = precision(u);
  const Numerator numerator(b1, nesterov, state.count, t);
  const Array bias = bias_correction(b2, state.count, t);
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array m = averaged(state.mu[i], u[i], b1), v = averaged(state.nu[i], abs_squared(u[i]), b2);
    u[i] = over_root(numerator(m, u[i]), v / cast_like(bias, v), eps_root, eps);
    state.mu[i] = cast_like(m, state.mu[i]);
    state.nu[i] = cast_like(v, state.nu[i]);
  }
}

// ---- AMSGrad ----

OnTrees<ScaleByAmsgrad> scale_by_amsgrad(ScaleByAmsgrad options, SourceLocation loc) {
  check_rates(Require("scale_by_amsgrad", loc), options);
  return {std::move(options)};
}

ScaleByAmsgradState<Leaves> ScaleByAmsgrad::init(const Leaves& params) const {
  return {zero_count(), detail::zeros_like(params, mu_dtype), detail::zeros_for_squares(params),
          detail::zeros_for_squares(params)};
}

void ScaleByAmsgrad::update(Leaves& u, ScaleByAmsgradState<Leaves>& state, const Leaves&) const {
  state.count = safe_increment(state.count);
  const Array bias_mu = bias_correction(b1, state.count, precision(u));
  const Array bias_nu = bias_correction(b2, state.count, precision(u));
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array m = averaged(state.mu[i], u[i], b1), v = averaged(state.nu[i], abs_squared(u[i]), b2);
    const Array largest = np::maximum(state.nu_max[i], bias_correction_nu ? v / cast_like(bias_nu, v) : v);
    u[i] = over_root(bias_correction_mu ? m / cast_like(bias_mu, m) : m, largest, eps_root, eps);
    state.mu[i] = cast_like(m, state.mu[i]);
    state.nu[i] = cast_like(v, state.nu[i]);
    state.nu_max[i] = cast_like(largest, state.nu_max[i]);
  }
}

// ---- AdaMax ----

OnTrees<ScaleByAdamax> scale_by_adamax(ScaleByAdamax options, SourceLocation loc) {
  check_rates(Require("scale_by_adamax", loc), options);
  return {std::move(options)};
}

ScaleByAdamState<Leaves> ScaleByAdamax::init(const Leaves& params) const {
  return {zero_count(), detail::zeros_like(params), detail::zeros_for_squares(params)};
}

void ScaleByAdamax::update(Leaves& u, ScaleByAdamState<Leaves>& state, const Leaves&) const {
  state.count = safe_increment(state.count);
  const Array bias = bias_correction(b1, state.count, precision(u));
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array m = averaged(state.mu[i], u[i], b1);
    const Array v = np::maximum(plus(np::abs(u[i]), eps), scaled(state.nu[i], b2));
    u[i] = m / cast_like(bias, m) / v;
    state.mu[i] = cast_like(m, state.mu[i]);
    state.nu[i] = cast_like(v, state.nu[i]);
  }
}

// ---- AdaBelief ----

OnTrees<ScaleByBelief> scale_by_belief(ScaleByBelief options, SourceLocation loc) {
  check_rates(Require("scale_by_belief", loc), options);
  return {std::move(options)};
}

ScaleByAdamState<Leaves> ScaleByBelief::init(const Leaves& params) const {
  return {zero_count(), detail::zeros_like(params), detail::zeros_for_squares(params)};
}

void ScaleByBelief::update(Leaves& u, ScaleByAdamState<Leaves>& state, const Leaves&) const {
  state.count = safe_increment(state.count);
  const DType t = precision(u);
  const Numerator numerator(b1, nesterov, state.count, t);
  const Array bias = bias_correction(b2, state.count, t);
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array m = averaged(state.mu[i], u[i], b1);
    const Array v = plus(averaged(state.nu[i], abs_squared(u[i] - m), b2), eps_root);
    u[i] = over_root(numerator(m, u[i]), v / cast_like(bias, v), 0, eps);
    state.mu[i] = cast_like(m, state.mu[i]);
    state.nu[i] = cast_like(v, state.nu[i]);
  }
}

// ---- Yogi ----

OnTrees<ScaleByYogi> scale_by_yogi(ScaleByYogi options, SourceLocation loc) {
  const Require check("scale_by_yogi", loc);
  check_rates(check, options);
  check.not_negative("initial_accumulator_value", options.initial_accumulator_value);
  return {std::move(options)};
}

ScaleByAdamState<Leaves> ScaleByYogi::init(const Leaves& params) const {
  return {zero_count(), detail::full_like(params, initial_accumulator_value),
          detail::full_for_squares(params, initial_accumulator_value)};
}

void ScaleByYogi::update(Leaves& u, ScaleByAdamState<Leaves>& state, const Leaves&) const {
  state.count = safe_increment(state.count);
  const DType t = precision(u);
  const Array bias_mu = bias_correction(b1, state.count, t), bias_nu = bias_correction(b2, state.count, t);
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array square = abs_squared(u[i]);
    const Array m = averaged(state.mu[i], u[i], b1);
    const Array v = state.nu[i] - scaled(np::sign(state.nu[i] - square) * square, b2.complement());
    u[i] = over_root(m / cast_like(bias_mu, m), v / cast_like(bias_nu, v), eps_root, eps);
    state.mu[i] = cast_like(m, state.mu[i]);
    state.nu[i] = cast_like(v, state.nu[i]);
  }
}

// ---- Rectified Adam ----

OnTrees<ScaleByRadam> scale_by_radam(ScaleByRadam options, SourceLocation loc) {
  const Require check("scale_by_radam", loc);
  check_rates(check, options);
  if (options.threshold.is_number() && !(options.threshold.number() >= 4))
    check.fail("threshold must be 4 or more, below which the variance is infinite",
               number_str(options.threshold.number()));
  return {std::move(options)};
}

ScaleByAdamState<Leaves> ScaleByRadam::init(const Leaves& params) const {
  return {zero_count(), detail::zeros_like(params), detail::zeros_for_squares(params)};
}

void ScaleByRadam::update(Leaves& u, ScaleByAdamState<Leaves>& state, const Leaves&) const {
  state.count = safe_increment(state.count);
  const DType t = precision(u);
  const Numerator numerator(b1, nesterov, state.count, t);
  const Array bias = bias_correction(b2, state.count, t);
  // In f64: rho begins as the small difference of numbers in the thousands.
  const Array exact = bias_correction(b2, state.count, f64);
  const Array end = 2 / b2.complement().in(f64)-1;
  const Array rho = end - 2 * state.count.astype(f64) * (1 - exact) / exact;
  const Array tractable = rho >= threshold.in(f64);
  const Array safe = np::where(tractable, rho, 5.0);
  const Array r = np::sqrt((safe - 4) * (safe - 2) * end / ((end - 4) * (end - 2) * safe));
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array m = averaged(state.mu[i], u[i], b1), v = averaged(state.nu[i], abs_squared(u[i]), b2);
    const Array mean = numerator(m, u[i]);
    const Array step = cast_like(r, mean) * over_root(mean, v / cast_like(bias, v), eps_root, eps);
    u[i] = detail::choose(tractable, step, mean);
    state.mu[i] = cast_like(m, state.mu[i]);
    state.nu[i] = cast_like(v, state.nu[i]);
  }
}

// ---- Adan ----

OnTrees<ScaleByAdan> scale_by_adan(ScaleByAdan options, SourceLocation loc) {
  const Require check("scale_by_adan", loc);
  check_rates(check, options);
  check.decay("b3", options.b3);
  return {std::move(options)};
}

ScaleByAdanState<Leaves> ScaleByAdan::init(const Leaves& params) const {
  return {detail::zeros_like(params), detail::zeros_like(params), detail::zeros_for_squares(params),
          detail::zeros_like(params), zero_count()};
}

void ScaleByAdan::update(Leaves& u, ScaleByAdanState<Leaves>& state, const Leaves&) const {
  const Array first = state.t == 0;
  state.t = safe_increment(state.t);
  const DType t = precision(u);
  const Array bias_m = bias_correction(b1, state.t, t), bias_v = bias_correction(b2, state.t, t),
              bias_n = bias_correction(b3, state.t, t);
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array g = u[i];
    const Array d = detail::choose(first, np::zeros_like(g), g - cast_like(state.g[i], g));
    const Array m = averaged(state.m[i], g, b1), v = averaged(state.v[i], d, b2);
    const Array n = averaged(state.n[i], abs_squared(g + scaled(d, b2.complement())), b3);
    u[i] = over_root(m / cast_like(bias_m, m) + scaled(v / cast_like(bias_v, v), b2.complement()),
                     n / cast_like(bias_n, n), eps_root, eps);
    state.m[i] = cast_like(m, state.m[i]);
    state.v[i] = cast_like(v, state.v[i]);
    state.n[i] = cast_like(n, state.n[i]);
    state.g[i] = cast_like(g, state.g[i]);
  }
}

// ---- Lion ----

OnTrees<ScaleByLion> scale_by_lion(ScaleByLion options, SourceLocation loc) {
  const Require check("scale_by_lion", loc);
  check.decay("b1", options.b1).decay("b2", options.b2).number("smooth_beta", options.smooth_beta);
  check.floating("mu_dtype", options.mu_dtype);
  return {std::move(options)};
}

ScaleByLionState<Leaves> ScaleByLion::init(const Leaves& params) const {
  return {zero_count(), detail::zeros_like(params, mu_dtype)};
}

void ScaleByLion::update(Leaves& u, ScaleByLionState<Leaves>& state, const Leaves&) const {
  state.count = safe_increment(state.count);
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array x = averaged(state.mu[i], u[i], b1), m = averaged(state.mu[i], u[i], b2);
    switch (mode) {
      case LionMode::kHard: u[i] = np::sign(x); break;
      case LionMode::kSmooth: u[i] = np::tanh(scaled(x, smooth_beta)); break;
      case LionMode::kRefined: u[i] = np::where(np::abs(x) < 1, x, np::sign(x)); break;
    }
    state.mu[i] = cast_like(m, state.mu[i]);
  }
}

// ---- NovoGrad ----

OnTrees<ScaleByNovograd> scale_by_novograd(ScaleByNovograd options, SourceLocation loc) {
  const Require check("scale_by_novograd", loc);
  check_rates(check, options);
  check.not_negative("weight_decay", options.weight_decay);
  return {std::move(options)};
}

ScaleByNovogradState<Leaves> ScaleByNovograd::init(const Leaves& params) const {
  Leaves nu;
  for (const Array& p : params) nu.push_back(np::zeros({}, detail::precision({p})));
  return {zero_count(), detail::zeros_like(params, mu_dtype), std::move(nu)};
}

void ScaleByNovograd::update(Leaves& u, ScaleByNovogradState<Leaves>& state, const Leaves& params) const {
  detail::check_state(kName, detail::same_shapes(state.mu, params));
  const Array first = state.count == 0;
  const Hyperparam decay = weight_decay.at(state.count);
  state.count = safe_increment(state.count);
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array square = np::sum(abs_squared(u[i]));
    const Array v = detail::choose(first, square, averaged(state.nu[i], square, b2));
    Array x = u[i] / cast_like(plus(np::sqrt(plus(v, eps_root)), eps), u[i]);
    if (!decay.is(0)) x = x + cast_like(scaled(params[i], decay), x);
    // m is 0 before the first step, and its decay does not matter then.
    const Array m = scaled(state.mu[i], b1) + x;
    state.mu[i] = cast_like(m, state.mu[i]);
    state.nu[i] = cast_like(v, state.nu[i]);
    u[i] = m;
  }
}

}  // namespace weft::optim
