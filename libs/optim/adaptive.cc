#include "optim/adaptive.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "weft/weft.h"

namespace weft::optim {

using detail::abs_squared;
using detail::averaged;
using detail::cast_like;
using detail::plus;
using detail::Require;
using detail::scaled;

namespace {

// 1 / sqrt(x + eps), and 0 where x is 0, with 1 under the root there for the derivative's sake.
Array inverse_root_or_zero(const Array& x, const Hyperparam& eps) {
  const Array some = x > 0;
  return np::where(some, 1 / np::sqrt(plus(np::where(some, x, np::ones_like(x)), eps)), np::zeros_like(x));
}

// u over the root of its second moment.
Array over_root(const Array& u, const Array& v, const Hyperparam& eps, bool eps_in_sqrt) {
  return u / (eps_in_sqrt ? np::sqrt(plus(v, eps)) : plus(np::sqrt(v), eps));
}

void refuse_complex(const char* what, const Leaves& params) {
  for (const Array& p : params)
    if (is_complex(p.dtype()))
      throw DTypeError(std::string(what) + ": parameters must be real; got " + p.aval().str() + ".");
}

}  // namespace

// ---- Adagrad ----

OnTrees<ScaleByRss> scale_by_rss(ScaleByRss options, SourceLocation loc) {
  const Require check("scale_by_rss", loc);
  check.not_negative("initial_accumulator_value", options.initial_accumulator_value).not_negative("eps", options.eps);
  return {std::move(options)};
}

ScaleByRssState<Leaves> ScaleByRss::init(const Leaves& params) const {
  return {detail::full_for_squares(params, initial_accumulator_value)};
}

void ScaleByRss::update(Leaves& u, ScaleByRssState<Leaves>& state, const Leaves&) const {
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array sum = abs_squared(u[i]) + state.sum_of_squares[i];
    u[i] = inverse_root_or_zero(sum, eps) * u[i];
    state.sum_of_squares[i] = cast_like(sum, state.sum_of_squares[i]);
  }
}

// ---- RMSProp ----

namespace {

template <class Rule>
void check_rms(const Require& check, const Rule& o) {
  check.decay("decay", o.decay).not_negative("eps", o.eps).not_negative("initial_scale", o.initial_scale);
}

}  // namespace

OnTrees<ScaleByRms> scale_by_rms(ScaleByRms options, SourceLocation loc) {
  check_rms(Require("scale_by_rms", loc), options);
  return {std::move(options)};
}

ScaleByRmsState<Leaves> ScaleByRms::init(const Leaves& params) const {
  return {bias_correction ? zero_count() : Array(), detail::full_for_squares(params, initial_scale)};
}

void ScaleByRms::update(Leaves& u, ScaleByRmsState<Leaves>& state, const Leaves&) const {
  detail::check_state(kName, state.count.defined() == bias_correction);
  Array bias;
  if (bias_correction) {
    state.count = safe_increment(state.count);
    bias = detail::bias_correction(decay, state.count, detail::precision(u));
  }
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array v = averaged(state.nu[i], abs_squared(u[i]), decay);
    u[i] = over_root(u[i], bias_correction ? v / cast_like(bias, v) : v, eps, eps_in_sqrt);
    state.nu[i] = cast_like(v, state.nu[i]);
  }
}

OnTrees<ScaleByStddev> scale_by_stddev(ScaleByStddev options, SourceLocation loc) {
  check_rms(Require("scale_by_stddev", loc), options);
  return {std::move(options)};
}

ScaleByStddevState<Leaves> ScaleByStddev::init(const Leaves& params) const {
  return {bias_correction ? zero_count() : Array(), detail::zeros_like(params),
          detail::full_for_squares(params, initial_scale)};
}

void ScaleByStddev::update(Leaves& u, ScaleByStddevState<Leaves>& state, const Leaves&) const {
  detail::check_state(kName, state.count.defined() == bias_correction);
  Array bias;
  if (bias_correction) {
    state.count = safe_increment(state.count);
    bias = detail::bias_correction(decay, state.count, detail::precision(u));
  }
  const auto corrected = [&](const Array& x) { return bias_correction ? x / cast_like(bias, x) : x; };
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array m = averaged(state.mu[i], u[i], decay), v = averaged(state.nu[i], abs_squared(u[i]), decay);
    u[i] = over_root(u[i], corrected(v) - abs_squared(corrected(m)), eps, eps_in_sqrt);
    state.mu[i] = cast_like(m, state.mu[i]);
    state.nu[i] = cast_like(v, state.nu[i]);
  }
}

// ---- Adadelta ----

OnTrees<ScaleByAdadelta> scale_by_adadelta(ScaleByAdadelta options, SourceLocation loc) {
  const Require check("scale_by_adadelta", loc);
  check.decay("rho", options.rho).not_negative("eps", options.eps);
  return {std::move(options)};
}

ScaleByAdadeltaState<Leaves> ScaleByAdadelta::init(const Leaves& params) const {
  return {detail::zeros_for_squares(params), detail::zeros_for_squares(params)};
}

void ScaleByAdadelta::update(Leaves& u, ScaleByAdadeltaState<Leaves>& state, const Leaves&) const {
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array e_g = averaged(state.e_g[i], abs_squared(u[i]), rho);
    u[i] = np::sqrt(plus(state.e_x[i], eps)) / np::sqrt(plus(e_g, eps)) * u[i];
    state.e_g[i] = cast_like(e_g, state.e_g[i]);
    state.e_x[i] = cast_like(averaged(state.e_x[i], abs_squared(u[i]), rho), state.e_x[i]);
  }
}

// ---- Rprop ----

OnTrees<ScaleByRprop> scale_by_rprop(ScaleByRprop options, SourceLocation loc) {
  const Require check("scale_by_rprop", loc);
  check.number("learning_rate", options.learning_rate).not_negative("eta_minus", options.eta_minus);
  check.not_negative("eta_plus", options.eta_plus).not_negative("min_step_size", options.min_step_size);
  check.not_negative("max_step_size", options.max_step_size);
  return {std::move(options)};
}

ScaleByRpropState<Leaves> ScaleByRprop::init(const Leaves& params) const {
  refuse_complex(kName, params);
  return {detail::full_like(params, learning_rate), detail::zeros_like(params)};
}

void ScaleByRprop::update(Leaves& u, ScaleByRpropState<Leaves>& state, const Leaves&) const {
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array size = state.step_sizes[i], last = state.prev_updates[i];
    const Array g = cast_like(u[i], last), zero = np::zeros_like(last);
    const Array sign = np::sign(g) * np::sign(last);  // the product itself may be too small for the dtype
    const DType t = last.dtype();
    const Array factor = np::where(sign > 0, eta_plus.in(t), eta_minus.in(t));
    const Array next = np::where(sign == 0, size, np::clip(size * factor, min_step_size.in(t), max_step_size.in(t)));
    state.step_sizes[i] = next;
    state.prev_updates[i] = np::where(sign < 0, zero, next * np::sign(g));
    u[i] = np::where(sign < 0, zero, last);
  }
}

// ---- SM3 ----

OnTrees<ScaleBySm3> scale_by_sm3(ScaleBySm3 options, SourceLocation loc) {
  const Require check("scale_by_sm3", loc);
  check.decay("b1", options.b1).fraction("b2", options.b2).not_negative("eps", options.eps);
  return {std::move(options)};
}

ScaleBySm3State<Leaves> ScaleBySm3::init(const Leaves& params) const {
  refuse_complex(kName, params);
  std::vector<Leaves> mu;
  for (const Array& p : params) {
    Leaves axes;
    const DType t = detail::squares_dtype(p.dtype());
    for (int axis = 0; axis < p.ndim(); ++axis) axes.push_back(np::zeros({p.shape(axis)}, t));
    if (p.ndim() == 0) axes.push_back(np::zeros({1}, t));  // a number is a vector of one
    mu.push_back(std::move(axes));
  }
  return {std::move(mu), detail::zeros_like(params)};
}

void ScaleBySm3::update(Leaves& u, ScaleBySm3State<Leaves>& state, const Leaves&) const {
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array g = np::atleast_1d(u[i]);
    const int axes = g.ndim();
    const auto along = [&](const Array& x, int axis) {
      Dims shape;
      for (int a = 0; a < axes; ++a) shape.push_back(a == axis ? g.shape(axis) : 1);
      return np::reshape(x, shape);
    };
    Array least;
    for (int axis = 0; axis < axes; ++axis) {
      const Array own = along(state.mu[i][static_cast<std::size_t>(axis)], axis);
      least = axis == 0 ? own : np::minimum(least, own);
    }
    const Array sum = scaled(np::square(g), b2.is(1) ? Hyperparam(1) : b2.complement()) + scaled(least, b2);
    const Array x = np::reshape(g * inverse_root_or_zero(sum, eps), u[i].shape());
    for (int axis = 0; axis < axes; ++axis) {
      std::vector<int> others;
      for (int a = 0; a < axes; ++a)
        if (a != axis) others.push_back(a);
      Array& own = state.mu[i][static_cast<std::size_t>(axis)];
      own = cast_like(others.empty() ? sum : np::max(sum, others), own);
    }
    u[i] = averaged(state.nu[i], x, b1);
    state.nu[i] = cast_like(u[i], state.nu[i]);
  }
}

// ---- Adafactor ----

OnTrees<ScaleByFactoredRms> scale_by_factored_rms(ScaleByFactoredRms options, SourceLocation loc) {
  const Require check("scale_by_factored_rms", loc);
  check.number("decay_rate", options.decay_rate).not_negative("epsilon", options.epsilon);
  check.at_least("min_dim_size_to_factor", options.min_dim_size_to_factor, 1);
  return {std::move(options)};
}

namespace {

// The second largest and the largest axis, when the former has the size; of equal ones the later is the larger.
std::optional<std::pair<int, int>> factored_axes(DimSpan shape, const ScaleByFactoredRms& rule) {
  if (!rule.factored || shape.size() < 2) return std::nullopt;
  std::vector<int> axes(shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  std::stable_sort(axes.begin(), axes.end(), [&](int a, int b) {
    return shape[static_cast<std::size_t>(a)] < shape[static_cast<std::size_t>(b)];
  });
  const int second = axes[axes.size() - 2], first = axes.back();
  if (shape[static_cast<std::size_t>(second)] < rule.min_dim_size_to_factor) return std::nullopt;
  return std::pair(second, first);
}

Dims without(DimSpan shape, int axis) {
  Dims r;
  for (std::size_t a = 0; a < shape.size(); ++a)
    if (static_cast<int>(a) != axis) r.push_back(shape[a]);
  return r;
}

// Of v_row, v_col and v of a leaf.
std::array<Dims, 3> factored_shapes(DimSpan shape, const std::optional<std::pair<int, int>>& axes) {
  if (!axes) return {Dims{1}, Dims{1}, Dims(shape.begin(), shape.end())};
  return {without(shape, axes->second), without(shape, axes->first), Dims{1}};
}

}  // namespace

ScaleByFactoredRmsState<Leaves> ScaleByFactoredRms::init(const Leaves& params) const {
  ScaleByFactoredRmsState<Leaves> state{zero_count(), {}, {}, {}};
  for (const Array& p : params) {
    const DType t = detail::precision({p});
    const auto [row, column, all] = factored_shapes(p.shape(), factored_axes(p.shape(), *this));
    state.v_row.push_back(np::zeros(row, t));
    state.v_col.push_back(np::zeros(column, t));
    state.v.push_back(np::zeros(all, t));
  }
  return state;
}

void ScaleByFactoredRms::update(Leaves& u, ScaleByFactoredRmsState<Leaves>& state, const Leaves& params) const {
  const Array count = state.count - step_offset;
  const Hyperparam decay = decay_rate_fn
                               ? Hyperparam(decay_rate_fn(count, decay_rate))
                               : Hyperparam(1 - np::power(count.astype(f32) + 1, decay_rate.negated().in(f32)));
  state.count = safe_increment(state.count);
  for (std::size_t i = 0; i < u.size(); ++i) {
    const auto axes = factored_axes(params[i].shape(), *this);
    const auto [row_shape, column_shape, shape] = factored_shapes(params[i].shape(), axes);
    detail::check_state(kName, same_dims(state.v_row[i].shape(), row_shape) &&
                                   same_dims(state.v_col[i].shape(), column_shape) &&
                                   same_dims(state.v[i].shape(), shape));
    const Array square = plus(cast_like(abs_squared(u[i]), state.v[i]), epsilon);
    if (!axes) {
      state.v[i] = averaged(state.v[i], square, decay);
      u[i] = u[i] * cast_like(1 / np::sqrt(state.v[i]), u[i]);
      continue;
    }
    const auto [d1, d0] = *axes;
    state.v_row[i] = averaged(state.v_row[i], np::mean(square, d0), decay);
    state.v_col[i] = averaged(state.v_col[i], np::mean(square, d1), decay);
    const Array mean = np::mean(state.v_row[i], d1 > d0 ? d1 - 1 : d1, true);
    const Array row = 1 / np::sqrt(state.v_row[i] / mean), column = 1 / np::sqrt(state.v_col[i]);
    u[i] = u[i] * cast_like(np::expand_dims(row, d0), u[i]) * cast_like(np::expand_dims(column, d1), u[i]);
  }
}

// ---- Distance over gradients ----

OnTrees<ScaleByDistanceOverGradients> scale_by_distance_over_gradients(ScaleByDistanceOverGradients options,
                                                                       SourceLocation loc) {
  const Require check("scale_by_distance_over_gradients", loc);
  check.not_negative("reps_rel", options.reps_rel).not_negative("eps", options.eps);
  check.number("global_scale", options.global_scale);
  return {std::move(options)};
}

ScaleByDistanceOverGradientsState<Leaves> ScaleByDistanceOverGradients::init(const Leaves& params) const {
  ScaleByDistanceOverGradientsState<Leaves> state;
  for (const Array& p : params) {
    state.init_params.push_back(np::copy(p));
    const Array size = detail::safe_norm(p, 0);
    state.max_dist.push_back(scaled(1 + size, reps_rel));
    state.grad_sum_of_squares.push_back(np::zeros_like(size));
  }
  return state;
}

void ScaleByDistanceOverGradients::update(Leaves& u, ScaleByDistanceOverGradientsState<Leaves>& state,
                                          const Leaves& params) const {
  detail::check_state(kName, detail::same_shapes(state.init_params, params));
  for (std::size_t i = 0; i < u.size(); ++i) {
    Array &distance = state.max_dist[i], &sum = state.grad_sum_of_squares[i];
    distance = np::maximum(distance, cast_like(detail::safe_norm(params[i] - state.init_params[i], 0), distance));
    sum = sum + cast_like(np::sum(abs_squared(u[i])), sum);
    u[i] = u[i] * cast_like(scaled(distance / np::sqrt(plus(sum, eps)), global_scale), u[i]);
  }
}

}  // namespace weft::optim
