// The optimisers by name: chains of the transformations that the other headers declare, where their formulas are.
//   const auto opt = optim::adamw(1e-3, {.weight_decay = 1e-2});
// Options and defaults are Optax's. A learning rate is a number, a 0-d array, or a schedule. Decay rates are in [0, 1),
// every eps is 0 or more, no number is NaN: ValueError. A momentum that is a trace's is in [0, 1].
#pragma once

#include "optim/adam.h"
#include "optim/adaptive.h"
#include "optim/adding.h"
#include "optim/clipping.h"
#include "optim/lbfgs.h"
#include "optim/linesearch.h"
#include "optim/masking.h"
#include "optim/momentum.h"
#include "optim/polyak.h"
#include "optim/scaling.h"
#include "optim/wrappers.h"

namespace weft::optim {

/// -learning_rate times what the rule makes of the updates.
template <class Rule>
using Descent = Chain<OnTrees<Rule>, OnTrees<ScaleByLearningRate>>;
/// The same with decayed weights before the learning rate, which so scales the decay, too.
template <class Rule>
using DecayedDescent = Chain<OnTrees<Rule>, Masked<OnTrees<AddDecayedWeights>>, OnTrees<ScaleByLearningRate>>;
// Types of the commonest, for members and states: StateOf<Adam, Model>. decltype(adam(0.1)) says the same.
using Adam = Descent<ScaleByAdam>;
using AdamW = DecayedDescent<ScaleByAdam>;

// ---- gradient descent ----

struct SgdOptions {
  std::optional<Hyperparam> momentum = {};  ///< none: no trace is kept
  bool nesterov = false;
  std::optional<DType> accumulator_dtype = {};
};
using Sgd = Chain<Maybe<OnTrees<Trace>>, OnTrees<ScaleByLearningRate>>;
/// Stochastic gradient descent, with momentum where given (Sutskever et al., 2013).
Sgd sgd(ScalarOrSchedule learning_rate, SgdOptions options = {}, SourceLocation loc = std::source_location::current());

struct NoisySgdOptions {
  Hyperparam eta = 0.01;
  Hyperparam gamma = 0.55;
};
/// Gradient descent with annealed noise, see add_noise (Neelakantan et al., 2015); the key is random::key(seed).
Chain<OnTrees<AddNoise>, OnTrees<ScaleByLearningRate>> noisy_sgd(ScalarOrSchedule learning_rate, const Array& key,
                                                                 NoisySgdOptions options = {},
                                                                 SourceLocation loc = std::source_location::current());

/// Steps by the signs of the gradient alone (Bernstein et al., 2018).
Descent<ScaleBySign> sign_sgd(ScalarOrSchedule learning_rate, SourceLocation loc = std::source_location::current());

struct SignumOptions {
  Hyperparam beta = 0.9;
  std::optional<DType> accumulator_dtype = {};
};
/// Steps by the signs of the gradient's average (Bernstein et al., 2018).
Chain<OnTrees<Ema>, OnTrees<ScaleBySign>, OnTrees<ScaleByLearningRate>> signum(
    ScalarOrSchedule learning_rate, SignumOptions options = {}, SourceLocation loc = std::source_location::current());

/// Gradient descent for games, with a look back (Mokhtari et al., 2019).
Descent<ScaleByOptimisticGradient> optimistic_gradient_descent(ScalarOrSchedule learning_rate,
                                                               ScaleByOptimisticGradient options = {},
                                                               SourceLocation loc = std::source_location::current());

struct PolyakSgdOptions {
  Hyperparam max_learning_rate = 1;
  ScalarOrSchedule scaling = 1;
  Hyperparam f_min = 0;
  Hyperparam eps = 0;
  PolyakVariant variant = PolyakVariant::kSps;
};
/// Gradient descent with Polyak's step size, see scale_by_polyak (Loizou et al., 2021); update reads extra.value.
Chain<Sgd, OnTrees<ScaleByPolyak>> polyak_sgd(PolyakSgdOptions options = {},
                                              SourceLocation loc = std::source_location::current());

// ---- Adam's family ----

/// scale_by_adam (Kingma and Ba, 2014).
Adam adam(ScalarOrSchedule learning_rate, ScaleByAdam options = {},
          SourceLocation loc = std::source_location::current());
/// adam with Nesterov's momentum (Dozat, 2016).
Adam nadam(ScalarOrSchedule learning_rate, ScaleByAdam options = {},
           SourceLocation loc = std::source_location::current());

struct AdamWOptions {
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-8;
  Hyperparam eps_root = 0;
  std::optional<DType> mu_dtype = {};
  ScalarOrSchedule weight_decay = 1e-4;
  Mask mask = true;
  bool nesterov = false;
};
/// adam with decayed weights (Loshchilov and Hutter, 2019); the decay is times the learning rate, as in PyTorch.
AdamW adamw(ScalarOrSchedule learning_rate, AdamWOptions options = {},
            SourceLocation loc = std::source_location::current());
/// adamw with Nesterov's momentum.
AdamW nadamw(ScalarOrSchedule learning_rate, AdamWOptions options = {},
             SourceLocation loc = std::source_location::current());

/// scale_by_adamax: over the largest |u| so far, which fades (Kingma and Ba, 2014, section 7).
Descent<ScaleByAdamax> adamax(ScalarOrSchedule learning_rate, ScaleByAdamax options = {},
                              SourceLocation loc = std::source_location::current());
struct AdamaxWOptions {
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-8;
  ScalarOrSchedule weight_decay = 1e-4;
  Mask mask = true;
};
/// adamax with decayed weights, as adamw.
DecayedDescent<ScaleByAdamax> adamaxw(ScalarOrSchedule learning_rate, AdamaxWOptions options = {},
                                      SourceLocation loc = std::source_location::current());

/// scale_by_amsgrad: adam that divides by the largest second moment so far (Reddi et al., 2018).
Descent<ScaleByAmsgrad> amsgrad(ScalarOrSchedule learning_rate, ScaleByAmsgrad options = {},
                                SourceLocation loc = std::source_location::current());
/// scale_by_belief: adam with the variance about the first moment for the second (Zhuang et al., 2020).
Descent<ScaleByBelief> adabelief(ScalarOrSchedule learning_rate, ScaleByBelief options = {},
                                 SourceLocation loc = std::source_location::current());
/// scale_by_radam: adam that waits until its second moment is known well enough (Liu et al., 2020). ValueError unless
/// the threshold is 4 or more.
Descent<ScaleByRadam> radam(ScalarOrSchedule learning_rate, ScaleByRadam options = {},
                            SourceLocation loc = std::source_location::current());
/// scale_by_yogi: adam whose second moment moves by u^2 and never by more (Zaheer et al., 2018).
Descent<ScaleByYogi> yogi(ScalarOrSchedule learning_rate, ScaleByYogi options = {},
                          SourceLocation loc = std::source_location::current());

struct AdanOptions {
  Hyperparam b1 = 0.98;
  Hyperparam b2 = 0.92;
  Hyperparam b3 = 0.99;
  Hyperparam eps = 1e-8;
  Hyperparam eps_root = 1e-8;
  ScalarOrSchedule weight_decay = 0;
  Mask mask = true;
};
/// scale_by_adan: momentum that looks at differences of gradients, with decayed weights (Xie et al., 2022).
DecayedDescent<ScaleByAdan> adan(ScalarOrSchedule learning_rate, AdanOptions options = {},
                                 SourceLocation loc = std::source_location::current());

struct LionOptions {
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.99;
  std::optional<DType> mu_dtype = {};
  ScalarOrSchedule weight_decay = 1e-3;
  Mask mask = true;
};
/// scale_by_lion: the sign of a momentum, with decayed weights; rates are a tenth of adam's (Chen et al., 2023).
DecayedDescent<ScaleByLion> lion(ScalarOrSchedule learning_rate, LionOptions options = {},
                                 SourceLocation loc = std::source_location::current());

struct NovogradOptions {
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.25;
  Hyperparam eps = 1e-6;
  Hyperparam eps_root = 0;
  ScalarOrSchedule weight_decay = 0;
};
/// scale_by_novograd: one second moment for each leaf (Ginsburg et al., 2019).
Descent<ScaleByNovograd> novograd(ScalarOrSchedule learning_rate, NovogradOptions options = {},
                                  SourceLocation loc = std::source_location::current());

struct OptimisticAdamOptions {
  std::optional<Hyperparam> optimism = {};  ///< the learning rate unless given
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-8;
  Hyperparam eps_root = 0;
  std::optional<DType> mu_dtype = {};
  bool nesterov = true;
};
using OptimisticAdam = Chain<OnTrees<ScaleByAdam>, OnTrees<ScaleByOptimisticGradient>, OnTrees<ScaleByLearningRate>>;
/// u = -learning_rate r - optimism (r - last r) for Adam's updates r (Daskalakis et al., 2017). No schedules: those are
/// what optimistic_adam_v2 takes, which Optax prefers.
OptimisticAdam optimistic_adam(Hyperparam learning_rate, OptimisticAdamOptions options = {},
                               SourceLocation loc = std::source_location::current());

struct OptimisticAdamV2Options {
  Hyperparam alpha = 1;
  Hyperparam beta = 1;
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-8;
  Hyperparam eps_root = 0;
  std::optional<DType> mu_dtype = {};
  bool nesterov = true;
};
/// u = -learning_rate (alpha r + beta (r - last r)) for Adam's updates r (Daskalakis et al., 2017).
OptimisticAdam optimistic_adam_v2(ScalarOrSchedule learning_rate, OptimisticAdamV2Options options = {},
                                  SourceLocation loc = std::source_location::current());

// ---- other adaptive ones ----

/// scale_by_rss: over the root of the sum of all squares (Duchi et al., 2011).
Descent<ScaleByRss> adagrad(ScalarOrSchedule learning_rate, ScaleByRss options = {},
                            SourceLocation loc = std::source_location::current());

struct AdadeltaOptions {
  Hyperparam rho = 0.9;
  Hyperparam eps = 1e-6;
  ScalarOrSchedule weight_decay = 0;
  Mask weight_decay_mask = true;
};
/// scale_by_adadelta after decayed weights (Zeiler, 2012). Without a learning rate the updates are neither scaled nor
/// turned around.
Chain<Masked<OnTrees<AddDecayedWeights>>, OnTrees<ScaleByAdadelta>, Maybe<OnTrees<ScaleByLearningRate>>> adadelta(
    std::optional<ScalarOrSchedule> learning_rate = {}, AdadeltaOptions options = {},
    SourceLocation loc = std::source_location::current());

struct RmspropOptions {
  Hyperparam decay = 0.9;
  Hyperparam eps = 1e-8;
  Hyperparam initial_scale = 0;
  bool eps_in_sqrt = true;
  bool centered = false;                    ///< by the variance, see scale_by_stddev
  std::optional<Hyperparam> momentum = {};  ///< of the scaled updates
  bool nesterov = false;
  bool bias_correction = false;
};
/// scale_by_rms, or scale_by_stddev when centered, then the learning rate, then a trace where momentum is given
/// (Tieleman and Hinton, 2012; Graves, 2013).
Chain<Maybe<OnTrees<ScaleByRms>>, Maybe<OnTrees<ScaleByStddev>>, OnTrees<ScaleByLearningRate>, Maybe<OnTrees<Trace>>>
rmsprop(ScalarOrSchedule learning_rate, RmspropOptions options = {},
        SourceLocation loc = std::source_location::current());

struct AdafactorOptions {
  std::int64_t min_dim_size_to_factor = 128;
  Hyperparam decay_rate = 0.8;
  std::int64_t decay_offset = 0;
  bool multiply_by_parameter_scale = true;
  std::optional<Hyperparam> clipping_threshold = 1.0;
  std::optional<Hyperparam> momentum = {};
  DType dtype_momentum = f32;
  std::optional<ScalarOrSchedule> weight_decay_rate = {};
  Hyperparam eps = 1e-30;
  bool factored = true;
  Mask weight_decay_mask = true;
};
/// scale_by_factored_rms, clipped by block, times the learning rate and the root mean square of the parameters,
/// averaged by `momentum`, with decayed weights, which the learning rate does not scale (Shazeer and Stern, 2018).
/// Options that are none leave their part out. ValueError unless clipping_threshold and min_dim_size_to_factor are
/// positive.
Chain<OnTrees<ScaleByFactoredRms>, Maybe<OnTrees<ClipByBlockRms>>, Maybe<OnTrees<ScaleByLearningRate>>,
      Maybe<OnTrees<ScaleByParamBlockRms>>, Maybe<OnTrees<Ema>>, Maybe<Masked<OnTrees<AddDecayedWeights>>>,
      OnTrees<Scale>>
adafactor(std::optional<ScalarOrSchedule> learning_rate = {}, AdafactorOptions options = {},
          SourceLocation loc = std::source_location::current());

struct Sm3Options {
  Hyperparam momentum = 0.9;
};
/// scale_by_sm3: second moments by axes; `momentum` averages what comes out (Anil et al., 2019). DTypeError for complex
/// parameters.
Descent<ScaleBySm3> sm3(ScalarOrSchedule learning_rate, Sm3Options options = {},
                        SourceLocation loc = std::source_location::current());

struct RpropOptions {
  Hyperparam eta_minus = 0.5;
  Hyperparam eta_plus = 1.2;
  Hyperparam min_step_size = 1e-6;
  Hyperparam max_step_size = 50;
};
/// scale_by_rprop: steps by signs alone (Riedmiller and Braun, 1993). `learning_rate` is the first step size of every
/// element. DTypeError for complex parameters.
Chain<OnTrees<ScaleByRprop>, OnTrees<Scale>> rprop(Hyperparam learning_rate, RpropOptions options = {},
                                                   SourceLocation loc = std::source_location::current());

// ---- by layers ----

struct LarsOptions {
  ScalarOrSchedule weight_decay = 0;
  Mask weight_decay_mask = true;
  Hyperparam trust_coefficient = 0.001;
  Hyperparam eps = 0;
  Mask trust_ratio_mask = true;
  Hyperparam momentum = 0.9;
  bool nesterov = false;
};
/// Gradients with decayed weights, scaled by leaf to the size of the parameters, then a trace: scale_by_trust_ratio
/// (You, Gitman and Ginsburg, 2017).
Chain<Masked<OnTrees<AddDecayedWeights>>, Masked<OnTrees<ScaleByTrustRatio>>, OnTrees<ScaleByLearningRate>,
      OnTrees<Trace>>
lars(ScalarOrSchedule learning_rate, LarsOptions options = {}, SourceLocation loc = std::source_location::current());

struct LambOptions {
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-6;
  Hyperparam eps_root = 0;
  ScalarOrSchedule weight_decay = 0;
  Mask mask = true;
};
/// adamw whose updates are scaled by leaf to the size of the parameters: scale_by_trust_ratio (You et al., 2020).
Chain<OnTrees<ScaleByAdam>, Masked<OnTrees<AddDecayedWeights>>, OnTrees<ScaleByTrustRatio>,
      OnTrees<ScaleByLearningRate>>
lamb(ScalarOrSchedule learning_rate, LambOptions options = {}, SourceLocation loc = std::source_location::current());

struct FromageOptions {
  Hyperparam min_norm = 1e-6;
};
/// p = (p - learning_rate |p| / |g| g) / sqrt(1 + learning_rate^2) for each leaf (Bernstein et al., 2020).
Chain<OnTrees<ScaleByTrustRatio>, OnTrees<ScaleByLearningRate>, Masked<OnTrees<AddDecayedWeights>>> fromage(
    ScalarOrSchedule learning_rate, FromageOptions options = {}, SourceLocation loc = std::source_location::current());

// ---- quasi-Newton ----

struct LbfgsOptions {
  std::optional<ScalarOrSchedule> learning_rate = {};  ///< 1 unless given
  std::int64_t memory_size = 10;
  bool scale_init_precond = true;
  /// none: the learning rate is the step
  std::optional<ScaleByZoomLinesearch> linesearch =
      ScaleByZoomLinesearch{.max_linesearch_steps = 20, .initial_guess_strategy = InitialGuess::kOne};
};
/// L-BFGS with a line search, for small problems without noise; update reads extra.value, grad and value_fn.
Chain<OnTrees<ScaleByLbfgs>, OnTrees<ScaleByLearningRate>, Maybe<OnTrees<ScaleByZoomLinesearch>>> lbfgs(
    LbfgsOptions options = {}, SourceLocation loc = std::source_location::current());

}  // namespace weft::optim
