#include "optim/optimizers.h"

#include <cmath>

#include "weft/weft.h"

namespace weft::optim {

using detail::Require;

namespace {

// Options are checked here under their own names, which those of their parts need not be.
void check_momentum(const Require& check, const std::optional<Hyperparam>& momentum) {
  if (momentum) check.fraction("momentum", *momentum);
}

Maybe<OnTrees<Trace>> maybe_trace(const std::optional<Hyperparam>& decay, TraceOptions options) {
  if (!decay) return {};
  return {trace(*decay, options)};
}

}  // namespace

// ---- gradient descent ----

Sgd sgd(ScalarOrSchedule learning_rate, SgdOptions options, SourceLocation loc) {
  const Require check("sgd", loc);
  check_momentum(check, options.momentum);
  const TraceOptions trace{.nesterov = options.nesterov, .accumulator_dtype = options.accumulator_dtype};
  return chain(maybe_trace(options.momentum, trace), scale_by_learning_rate(std::move(learning_rate)));
}

Chain<OnTrees<AddNoise>, OnTrees<ScaleByLearningRate>> noisy_sgd(ScalarOrSchedule learning_rate, const Array& key,
                                                                 NoisySgdOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "noisy_sgd");
  return chain(add_noise(std::move(options.eta), std::move(options.gamma), key),
               scale_by_learning_rate(std::move(learning_rate)));
}

Descent<ScaleBySign> sign_sgd(ScalarOrSchedule learning_rate, SourceLocation loc) {
  const LocationScope scope(loc, "sign_sgd");
  return chain(scale_by_sign(), scale_by_learning_rate(std::move(learning_rate)));
}

Chain<OnTrees<Ema>, OnTrees<ScaleBySign>, OnTrees<ScaleByLearningRate>> signum(ScalarOrSchedule learning_rate,
                                                                               SignumOptions options,
                                                                               SourceLocation loc) {
  const Require check("signum", loc);
  check.decay("beta", options.beta);
  // The sign is that of the average with its bias, too.
  return chain(ema(std::move(options.beta), {.debias = false, .accumulator_dtype = options.accumulator_dtype}),
               scale_by_sign(), scale_by_learning_rate(std::move(learning_rate)));
}

Descent<ScaleByOptimisticGradient> optimistic_gradient_descent(ScalarOrSchedule learning_rate,
                                                               ScaleByOptimisticGradient options, SourceLocation loc) {
  const LocationScope scope(loc, "optimistic_gradient_descent");
  return chain(scale_by_optimistic_gradient(std::move(options)), scale_by_learning_rate(std::move(learning_rate)));
}

Chain<Sgd, OnTrees<ScaleByPolyak>> polyak_sgd(PolyakSgdOptions options, SourceLocation loc) {
  const Require check("polyak_sgd", loc);
  check.number("scaling", options.scaling);
  return chain(sgd(std::move(options.scaling)),
               scale_by_polyak({.f_min = std::move(options.f_min),
                                .max_learning_rate = std::move(options.max_learning_rate),
                                .eps = std::move(options.eps),
                                .variant = options.variant}));
}

// ---- Adam's family ----

Adam adam(ScalarOrSchedule learning_rate, ScaleByAdam options, SourceLocation loc) {
  const LocationScope scope(loc, "adam");
  return chain(scale_by_adam(std::move(options)), scale_by_learning_rate(std::move(learning_rate)));
}

Adam nadam(ScalarOrSchedule learning_rate, ScaleByAdam options, SourceLocation loc) {
  const LocationScope scope(loc, "nadam");
  options.nesterov = true;
  return adam(std::move(learning_rate), std::move(options));
}

AdamW adamw(ScalarOrSchedule learning_rate, AdamWOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "adamw");
  return chain(scale_by_adam({.b1 = std::move(options.b1),
                              .b2 = std::move(options.b2),
                              .eps = std::move(options.eps),
                              .eps_root = std::move(options.eps_root),
                              .mu_dtype = options.mu_dtype,
                              .nesterov = options.nesterov}),
               add_decayed_weights(std::move(options.weight_decay), std::move(options.mask)),
               scale_by_learning_rate(std::move(learning_rate)));
}

AdamW nadamw(ScalarOrSchedule learning_rate, AdamWOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "nadamw");
  options.nesterov = true;
  return adamw(std::move(learning_rate), std::move(options));
}

Descent<ScaleByAdamax> adamax(ScalarOrSchedule learning_rate, ScaleByAdamax options, SourceLocation loc) {
  const LocationScope scope(loc, "adamax");
  return chain(scale_by_adamax(std::move(options)), scale_by_learning_rate(std::move(learning_rate)));
}

DecayedDescent<ScaleByAdamax> adamaxw(ScalarOrSchedule learning_rate, AdamaxWOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "adamaxw");
  return chain(
      scale_by_adamax({.b1 = std::move(options.b1), .b2 = std::move(options.b2), .eps = std::move(options.eps)}),
      add_decayed_weights(std::move(options.weight_decay), std::move(options.mask)),
      scale_by_learning_rate(std::move(learning_rate)));
}

Descent<ScaleByAmsgrad> amsgrad(ScalarOrSchedule learning_rate, ScaleByAmsgrad options, SourceLocation loc) {
  const LocationScope scope(loc, "amsgrad");
  return chain(scale_by_amsgrad(std::move(options)), scale_by_learning_rate(std::move(learning_rate)));
}

Descent<ScaleByBelief> adabelief(ScalarOrSchedule learning_rate, ScaleByBelief options, SourceLocation loc) {
  const LocationScope scope(loc, "adabelief");
  return chain(scale_by_belief(std::move(options)), scale_by_learning_rate(std::move(learning_rate)));
}

Descent<ScaleByRadam> radam(ScalarOrSchedule learning_rate, ScaleByRadam options, SourceLocation loc) {
  const LocationScope scope(loc, "radam");
  return chain(scale_by_radam(std::move(options)), scale_by_learning_rate(std::move(learning_rate)));
}

Descent<ScaleByYogi> yogi(ScalarOrSchedule learning_rate, ScaleByYogi options, SourceLocation loc) {
  const LocationScope scope(loc, "yogi");
  return chain(scale_by_yogi(std::move(options)), scale_by_learning_rate(std::move(learning_rate)));
}

DecayedDescent<ScaleByAdan> adan(ScalarOrSchedule learning_rate, AdanOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "adan");
  return chain(scale_by_adan({.b1 = std::move(options.b1),
                              .b2 = std::move(options.b2),
                              .b3 = std::move(options.b3),
                              .eps = std::move(options.eps),
                              .eps_root = std::move(options.eps_root)}),
               add_decayed_weights(std::move(options.weight_decay), std::move(options.mask)),
               scale_by_learning_rate(std::move(learning_rate)));
}

DecayedDescent<ScaleByLion> lion(ScalarOrSchedule learning_rate, LionOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "lion");
  return chain(scale_by_lion({.b1 = std::move(options.b1), .b2 = std::move(options.b2), .mu_dtype = options.mu_dtype}),
               add_decayed_weights(std::move(options.weight_decay), std::move(options.mask)),
               scale_by_learning_rate(std::move(learning_rate)));
}

Descent<ScaleByNovograd> novograd(ScalarOrSchedule learning_rate, NovogradOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "novograd");
  return chain(scale_by_novograd({.b1 = std::move(options.b1),
                                  .b2 = std::move(options.b2),
                                  .eps = std::move(options.eps),
                                  .eps_root = std::move(options.eps_root),
                                  .weight_decay = std::move(options.weight_decay)}),
               scale_by_learning_rate(std::move(learning_rate)));
}

OptimisticAdam optimistic_adam(Hyperparam learning_rate, OptimisticAdamOptions options, SourceLocation loc) {
  const Require check("optimistic_adam", loc);
  check.number("learning_rate", learning_rate);
  if (options.optimism) check.number("optimism", *options.optimism);
  return optimistic_adam_v2(1, {.alpha = learning_rate,
                                .beta = options.optimism.value_or(learning_rate),
                                .b1 = std::move(options.b1),
                                .b2 = std::move(options.b2),
                                .eps = std::move(options.eps),
                                .eps_root = std::move(options.eps_root),
                                .mu_dtype = options.mu_dtype,
                                .nesterov = options.nesterov});
}

OptimisticAdam optimistic_adam_v2(ScalarOrSchedule learning_rate, OptimisticAdamV2Options options, SourceLocation loc) {
  const LocationScope scope(loc, "optimistic_adam_v2");
  return chain(scale_by_adam({.b1 = std::move(options.b1),
                              .b2 = std::move(options.b2),
                              .eps = std::move(options.eps),
                              .eps_root = std::move(options.eps_root),
                              .mu_dtype = options.mu_dtype,
                              .nesterov = options.nesterov}),
               scale_by_optimistic_gradient({.alpha = std::move(options.alpha), .beta = std::move(options.beta)}),
               scale_by_learning_rate(std::move(learning_rate)));
}

// ---- other adaptive ones ----

Descent<ScaleByRss> adagrad(ScalarOrSchedule learning_rate, ScaleByRss options, SourceLocation loc) {
  const LocationScope scope(loc, "adagrad");
  return chain(scale_by_rss(std::move(options)), scale_by_learning_rate(std::move(learning_rate)));
}

namespace {

Maybe<OnTrees<ScaleByLearningRate>> maybe_rate(std::optional<ScalarOrSchedule> learning_rate,
                                               LearningRateOptions options) {
  if (!learning_rate) return {};
  return {scale_by_learning_rate(*std::move(learning_rate), options)};
}

}  // namespace

Chain<Masked<OnTrees<AddDecayedWeights>>, OnTrees<ScaleByAdadelta>, Maybe<OnTrees<ScaleByLearningRate>>> adadelta(
    std::optional<ScalarOrSchedule> learning_rate, AdadeltaOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "adadelta");
  return chain(add_decayed_weights(std::move(options.weight_decay), std::move(options.weight_decay_mask)),
               scale_by_adadelta({.rho = std::move(options.rho), .eps = std::move(options.eps)}),
               maybe_rate(std::move(learning_rate), {}));
}

Chain<Maybe<OnTrees<ScaleByRms>>, Maybe<OnTrees<ScaleByStddev>>, OnTrees<ScaleByLearningRate>, Maybe<OnTrees<Trace>>>
rmsprop(ScalarOrSchedule learning_rate, RmspropOptions options, SourceLocation loc) {
  const Require check("rmsprop", loc);
  check_momentum(check, options.momentum);
  Maybe<OnTrees<ScaleByRms>> plain;
  Maybe<OnTrees<ScaleByStddev>> centered;
  if (options.centered)
    centered.inner = scale_by_stddev({.decay = options.decay,
                                      .eps = options.eps,
                                      .initial_scale = options.initial_scale,
                                      .eps_in_sqrt = options.eps_in_sqrt,
                                      .bias_correction = options.bias_correction});
  else
    plain.inner = scale_by_rms({.decay = options.decay,
                                .eps = options.eps,
                                .initial_scale = options.initial_scale,
                                .eps_in_sqrt = options.eps_in_sqrt,
                                .bias_correction = options.bias_correction});
  return chain(std::move(plain), std::move(centered), scale_by_learning_rate(std::move(learning_rate)),
               maybe_trace(options.momentum, {.nesterov = options.nesterov}));
}

Chain<OnTrees<ScaleByFactoredRms>, Maybe<OnTrees<ClipByBlockRms>>, Maybe<OnTrees<ScaleByLearningRate>>,
      Maybe<OnTrees<ScaleByParamBlockRms>>, Maybe<OnTrees<Ema>>, Maybe<Masked<OnTrees<AddDecayedWeights>>>,
      OnTrees<Scale>>
adafactor(std::optional<ScalarOrSchedule> learning_rate, AdafactorOptions options, SourceLocation loc) {
  const Require check("adafactor", loc);
  if (options.clipping_threshold) check.positive("clipping_threshold", *options.clipping_threshold);
  if (options.momentum) check.decay("momentum", *options.momentum).floating("dtype_momentum", options.dtype_momentum);
  if (options.weight_decay_rate) check.number("weight_decay_rate", *options.weight_decay_rate);
  check.not_negative("eps", options.eps);
  Maybe<OnTrees<ClipByBlockRms>> clip;
  if (options.clipping_threshold) clip.inner = clip_by_block_rms(*options.clipping_threshold);
  Maybe<OnTrees<ScaleByParamBlockRms>> by_parameters;
  if (options.multiply_by_parameter_scale) by_parameters.inner = scale_by_param_block_rms();
  Maybe<OnTrees<Ema>> momentum;
  if (options.momentum)
    momentum.inner = ema(*options.momentum, {.debias = false, .accumulator_dtype = options.dtype_momentum});
  Maybe<Masked<OnTrees<AddDecayedWeights>>> decay;
  if (options.weight_decay_rate)
    decay.inner = add_decayed_weights(*options.weight_decay_rate, std::move(options.weight_decay_mask));
  return chain(scale_by_factored_rms({.factored = options.factored,
                                      .decay_rate = std::move(options.decay_rate),
                                      .step_offset = options.decay_offset,
                                      .min_dim_size_to_factor = options.min_dim_size_to_factor,
                                      .epsilon = std::move(options.eps)}),
               std::move(clip), maybe_rate(std::move(learning_rate), {.flip_sign = false}), std::move(by_parameters),
               std::move(momentum), std::move(decay), scale(-1));
}

Descent<ScaleBySm3> sm3(ScalarOrSchedule learning_rate, Sm3Options options, SourceLocation loc) {
  const Require check("sm3", loc);
  check.decay("momentum", options.momentum);
  return chain(scale_by_sm3({.b1 = std::move(options.momentum)}), scale_by_learning_rate(std::move(learning_rate)));
}

Chain<OnTrees<ScaleByRprop>, OnTrees<Scale>> rprop(Hyperparam learning_rate, RpropOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "rprop");
  return chain(scale_by_rprop({.learning_rate = std::move(learning_rate),
                               .eta_minus = std::move(options.eta_minus),
                               .eta_plus = std::move(options.eta_plus),
                               .min_step_size = std::move(options.min_step_size),
                               .max_step_size = std::move(options.max_step_size)}),
               scale(-1));
}

// ---- by layers ----

Chain<Masked<OnTrees<AddDecayedWeights>>, Masked<OnTrees<ScaleByTrustRatio>>, OnTrees<ScaleByLearningRate>,
      OnTrees<Trace>>
lars(ScalarOrSchedule learning_rate, LarsOptions options, SourceLocation loc) {
  const Require check("lars", loc);
  check_momentum(check, options.momentum);
  return chain(add_decayed_weights(std::move(options.weight_decay), std::move(options.weight_decay_mask)),
               masked(scale_by_trust_ratio(
                          {.trust_coefficient = std::move(options.trust_coefficient), .eps = std::move(options.eps)}),
                      std::move(options.trust_ratio_mask)),
               scale_by_learning_rate(std::move(learning_rate)),
               trace(std::move(options.momentum), {.nesterov = options.nesterov}));
}

Chain<OnTrees<ScaleByAdam>, Masked<OnTrees<AddDecayedWeights>>, OnTrees<ScaleByTrustRatio>,
      OnTrees<ScaleByLearningRate>>
lamb(ScalarOrSchedule learning_rate, LambOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "lamb");
  return chain(scale_by_adam({.b1 = std::move(options.b1),
                              .b2 = std::move(options.b2),
                              .eps = std::move(options.eps),
                              .eps_root = std::move(options.eps_root)}),
               add_decayed_weights(std::move(options.weight_decay), std::move(options.mask)), scale_by_trust_ratio(),
               scale_by_learning_rate(std::move(learning_rate)));
}

namespace {

// 1 / sqrt(1 + rate^2), of a double or an array.
template <class T>
auto shrinkage(const T& rate) {
  using np::sqrt;
  using std::sqrt;
  return 1 / sqrt(1 + rate * rate);
}

}  // namespace

Chain<OnTrees<ScaleByTrustRatio>, OnTrees<ScaleByLearningRate>, Masked<OnTrees<AddDecayedWeights>>> fromage(
    ScalarOrSchedule learning_rate, FromageOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "fromage");
  return chain(scale_by_trust_ratio({.min_norm = std::move(options.min_norm)}),
               scale_by_learning_rate(learning_rate.map([](const auto& rate) { return rate * shrinkage(rate); })),
               add_decayed_weights(learning_rate.map([](const auto& rate) { return shrinkage(rate) - 1; })));
}

// ---- quasi-Newton ----

Chain<OnTrees<ScaleByLbfgs>, OnTrees<ScaleByLearningRate>, Maybe<OnTrees<ScaleByZoomLinesearch>>> lbfgs(
    LbfgsOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "lbfgs");
  Maybe<OnTrees<ScaleByZoomLinesearch>> search;
  if (options.linesearch) search.inner = scale_by_zoom_linesearch(*std::move(options.linesearch));
  return chain(scale_by_lbfgs({.memory_size = options.memory_size, .scale_init_precond = options.scale_init_precond}),
               scale_by_learning_rate(options.learning_rate.value_or(1)), std::move(search));
}

}  // namespace weft::optim
