#include "optim/momentum.h"

#include "weft/weft.h"

namespace weft::optim {

using detail::cast_like;
using detail::Require;
using detail::scaled;

OnTrees<Trace> trace(Hyperparam decay, TraceOptions options, SourceLocation loc) {
  const Require check("trace", loc);
  check.fraction("decay", decay).floating("accumulator_dtype", options.accumulator_dtype);
  return {{std::move(decay), options.nesterov, options.accumulator_dtype}};
}

TraceState<Leaves> Trace::init(const Leaves& params) const { return {detail::zeros_like(params, accumulator_dtype)}; }

void Trace::update(Leaves& u, TraceState<Leaves>& state, const Leaves&) const {
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array sum = u[i] + scaled(state.trace[i], decay);
    u[i] = nesterov ? u[i] + scaled(sum, decay) : sum;
    state.trace[i] = cast_like(sum, state.trace[i]);
  }
}

OnTrees<Ema> ema(Hyperparam decay, EmaOptions options, SourceLocation loc) {
  const Require check("ema", loc);
  check.decay("decay", decay).floating("accumulator_dtype", options.accumulator_dtype);
  return {{std::move(decay), options.debias, options.accumulator_dtype}};
}

EmaState<Leaves> Ema::init(const Leaves& params) const {
  return {zero_count(), detail::zeros_like(params, accumulator_dtype)};
}

void Ema::update(Leaves& u, EmaState<Leaves>& state, const Leaves&) const {
  state.count = safe_increment(state.count);
  const Array bias = detail::bias_correction(decay, state.count, detail::precision(u));
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array average = detail::averaged(state.ema[i], u[i], decay);
    u[i] = debias ? average / cast_like(bias, average) : average;
    state.ema[i] = cast_like(average, state.ema[i]);
  }
}

OnTrees<ScaleByOptimisticGradient> scale_by_optimistic_gradient(ScaleByOptimisticGradient options, SourceLocation loc) {
  const Require check("scale_by_optimistic_gradient", loc);
  check.number("alpha", options.alpha).number("beta", options.beta);
  return {std::move(options)};
}

ScaleByOptimisticGradientState<Leaves> ScaleByOptimisticGradient::init(const Leaves& params) const {
  return {Array(true), detail::zeros_like(params)};
}

void ScaleByOptimisticGradient::update(Leaves& u, ScaleByOptimisticGradientState<Leaves>& state, const Leaves&) const {
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array g = u[i], previous = detail::choose(state.is_initial_step, g, cast_like(state.previous_gradient[i], g));
    u[i] = scaled(g, alpha) + scaled(g - previous, beta);
    state.previous_gradient[i] = cast_like(g, state.previous_gradient[i]);
  }
  state.is_initial_step = Array(false);
}

OnTrees<ApplyEvery> apply_every(std::int64_t k, SourceLocation loc) {
  const Require check("apply_every", loc);
  check.at_least("k", k, 1);
  return {{k}};
}

ApplyEveryState<Leaves> ApplyEvery::init(const Leaves& params) const {
  return {zero_count(), detail::zeros_like(params)};
}

void ApplyEvery::update(Leaves& u, ApplyEveryState<Leaves>& state, const Leaves&) const {
  const Array begins = state.count == 0, emits = state.count == k - 1;
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array sum = detail::choose(begins, u[i], state.grad_acc[i] + cast_like(u[i], state.grad_acc[i]));
    state.grad_acc[i] = sum;
    u[i] = detail::choose(emits, sum, np::zeros_like(u[i]));
  }
  state.count = np::mod(safe_increment(state.count), k);
}

}  // namespace weft::optim
