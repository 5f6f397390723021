// Updates divided by their own size, of families other than Adam's. u are the updates. Every eps is 0 or more, decay
// rates are in [0, 1): ValueError. States have the dtypes of the parameters, real ones for squares, and f32 for those
// of f16; 16-bit updates are computed in f32 (adam.h says why).
#pragma once

#include "optim/transformation.h"

namespace weft::optim {

template <class P>
struct ScaleByRssState {
  P sum_of_squares;
};
/// s = s + u^2;  u = u / sqrt(s + eps), 0 where s is 0 (Adagrad: Duchi et al., 2011).
struct ScaleByRss {
  static constexpr const char* kName = "scale_by_rss";
  static constexpr bool kWide = true;
  Hyperparam initial_accumulator_value = 0.1;
  Hyperparam eps = 1e-7;
  ScaleByRssState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByRssState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByRss> scale_by_rss(ScaleByRss options = {}, SourceLocation loc = std::source_location::current());

template <class P>
struct ScaleByRmsState {
  Array count;  ///< steps taken; none without bias_correction
  P nu;
};
/// v = decay v + (1 - decay) u^2;  u = u / sqrt(v + eps), or u / (sqrt(v) + eps) without eps_in_sqrt; with
/// bias_correction v / (1 - decay^t) for v (RMSProp: Tieleman and Hinton, 2012).
struct ScaleByRms {
  static constexpr const char* kName = "scale_by_rms";
  static constexpr bool kWide = true;
  Hyperparam decay = 0.9;
  Hyperparam eps = 1e-8;
  Hyperparam initial_scale = 0;
  bool eps_in_sqrt = true;
  bool bias_correction = false;
  ScaleByRmsState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByRmsState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByRms> scale_by_rms(ScaleByRms options = {}, SourceLocation loc = std::source_location::current());

template <class P>
struct ScaleByStddevState {
  Array count;  ///< none without bias_correction
  P mu, nu;
};
/// As scale_by_rms, with the variance v - m^2, m = decay m + (1 - decay) u, for v (Graves, 2013).
struct ScaleByStddev {
  static constexpr const char* kName = "scale_by_stddev";
  static constexpr bool kWide = true;
  Hyperparam decay = 0.9;
  Hyperparam eps = 1e-8;
  Hyperparam initial_scale = 0;
  bool eps_in_sqrt = true;
  bool bias_correction = false;
  ScaleByStddevState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByStddevState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByStddev> scale_by_stddev(ScaleByStddev options = {},
                                       SourceLocation loc = std::source_location::current());

template <class P>
struct ScaleByAdadeltaState {
  P e_g;  ///< the average of u^2
  P e_x;  ///< the average of the square of what came out
};
/// e_g = rho e_g + (1 - rho) u^2;  x = sqrt(e_x + eps) / sqrt(e_g + eps) u;  e_x = rho e_x + (1 - rho) x^2;  u = x
/// (Zeiler, 2012).
struct ScaleByAdadelta {
  static constexpr const char* kName = "scale_by_adadelta";
  static constexpr bool kWide = true;
  Hyperparam rho = 0.9;
  Hyperparam eps = 1e-6;
  ScaleByAdadeltaState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByAdadeltaState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByAdadelta> scale_by_adadelta(ScaleByAdadelta options = {},
                                           SourceLocation loc = std::source_location::current());

template <class P>
struct ScaleByRpropState {
  P step_sizes;
  P prev_updates;
};
/// Each element has a step size, which begins as learning_rate and is multiplied by eta_plus where u has the sign of
/// the last update and by eta_minus where it has the other one, in [min_step_size, max_step_size]; then the next update
/// is sign(u) times it, and 0 after a change of sign. What comes out is the update of the step before, so that nothing
/// moves in the first step: this is what Optax does (Riedmiller and Braun, 1993; Igel and Huesken, 2003).
struct ScaleByRprop {
  static constexpr const char* kName = "scale_by_rprop";
  Hyperparam learning_rate = 1e-3;
  Hyperparam eta_minus = 0.5;
  Hyperparam eta_plus = 1.2;
  Hyperparam min_step_size = 1e-6;
  Hyperparam max_step_size = 50;
  ScaleByRpropState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByRpropState<Leaves>& state, const Leaves& params) const;
};
/// DTypeError for complex parameters.
OnTrees<ScaleByRprop> scale_by_rprop(ScaleByRprop options, SourceLocation loc = std::source_location::current());

template <class P>
struct ScaleBySm3State {
  /// For each leaf, in order, the accumulators of its axes: mu[leaf][axis] has the size of the axis.
  std::vector<Leaves> mu;
  P nu;  ///< the average of what came out
};
/// s[i, j, ...] = b2 min(mu0[i], mu1[j], ...) + c u^2, with c = 1 - b2, or 1 when b2 is 1; mu_k = the largest s over
/// all other axes; x = u / sqrt(s + eps), 0 where s is 0;  u = nu = b1 nu + (1 - b1) x (SM3-II: Anil et al., 2019).
struct ScaleBySm3 {
  static constexpr const char* kName = "scale_by_sm3";
  static constexpr bool kWide = true;
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 1;
  Hyperparam eps = 1e-8;
  ScaleBySm3State<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleBySm3State<Leaves>& state, const Leaves& params) const;
};
/// DTypeError for complex parameters.
OnTrees<ScaleBySm3> scale_by_sm3(ScaleBySm3 options = {}, SourceLocation loc = std::source_location::current());

template <class P>
struct ScaleByFactoredRmsState {
  Array count;
  P v_row, v_col;  ///< the averages over one of the two largest axes; [1] where a leaf is not factored
  P v;             ///< the average itself; [1] where a leaf is factored; all f32, f64 for leaves of 64-bit numbers
};
/// How the average of squares is kept at a step from the decay rate: 1 - t^-decay_rate, where t counts from 1.
using DecayRateFn = std::function<Array(const Array& count, const Hyperparam& decay_rate)>;
/// v = d v + (1 - d) (u^2 + epsilon) with d = 1 - (count - step_offset + 1)^-decay_rate;  u = u / sqrt(v). A leaf of
/// two or more axes whose second largest has min_dim_size_to_factor keeps means of v over each of the two largest,
/// whose product over the mean stands for v (Adafactor: Shazeer and Stern, 2018).
struct ScaleByFactoredRms {
  static constexpr const char* kName = "scale_by_factored_rms";
  static constexpr bool kWide = true;
  static constexpr bool kAnyState = true;
  bool factored = true;
  Hyperparam decay_rate = 0.8;
  std::int64_t step_offset = 0;
  std::int64_t min_dim_size_to_factor = 128;
  Hyperparam epsilon = 1e-30;
  DecayRateFn decay_rate_fn = {};  ///< the formula above when empty
  ScaleByFactoredRmsState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByFactoredRmsState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByFactoredRms> scale_by_factored_rms(ScaleByFactoredRms options = {},
                                                  SourceLocation loc = std::source_location::current());

template <class P>
struct ScaleByDistanceOverGradientsState {
  P max_dist;             ///< 0-d for each leaf
  P grad_sum_of_squares;  ///< 0-d for each leaf
  P init_params;
};
/// For each leaf d = max(d, |p - first p|), s = s + sum u^2;  u = global_scale d / sqrt(s + eps) u; d begins as
/// reps_rel (1 + |first p|) (layer-wise DoG: Ivgi et al., 2023).
struct ScaleByDistanceOverGradients {
  static constexpr const char* kName = "scale_by_distance_over_gradients";
  static constexpr bool kWide = true;
  static constexpr bool kAnyState = true;
  Hyperparam reps_rel = 1e-6;
  Hyperparam eps = 1e-8;
  Hyperparam global_scale = 1;
  ScaleByDistanceOverGradientsState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByDistanceOverGradientsState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByDistanceOverGradients> scale_by_distance_over_gradients(
    ScaleByDistanceOverGradients options = {}, SourceLocation loc = std::source_location::current());

}  // namespace weft::optim
