// MoMo: momentum with step sizes from a model of the loss, which is known to stay above a bound (Schaipp et al., 2023).
// update reads extra.value, the loss. p are the parameters, u the updates, <.,.> goes over all leaves.
#pragma once

#include "optim/transformation.h"

namespace weft::optim::contrib {

template <class P>
struct MomoState {
  P exp_avg;    ///< d, the average of u
  Array barf;   ///< of the loss
  Array gamma;  ///< of <u, p>
  Array lb;     ///< the lower bound in use
  Array count;  ///< steps taken, i32[]
};
/// d, f and c are averages of u, the loss and <u, p> by beta, which begin with the first. With a = learning_rate and
/// w = 1 + a weight_decay, u = -(a weight_decay / w) p - t d, t = min(a, max(w (f - lb - c) + <d, p>, 0) / <d, d>).
struct MomoOptions {
  Hyperparam beta = 0.9;
  Hyperparam lower_bound = 0;
  Hyperparam weight_decay = 0;
  bool adapt_lower_bound = false;  ///< estimate the bound, from lower_bound on
};
struct Momo {
  static constexpr const char* kName = "momo";
  static constexpr bool kWide = true;
  ScalarOrSchedule learning_rate = 1.0;
  MomoOptions options = {};
  MomoState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, MomoState<Leaves>& state, const Leaves& params, const Extra<Leaves>& extra) const;
};
/// The formulas above, with learning_rate as the largest step size (Schaipp et al., 2023). ValueError unless beta is in
/// [0, 1) and weight_decay 0 or more; when it runs, without extra.value.
OnTrees<Momo> momo(ScalarOrSchedule learning_rate = 1.0, MomoOptions options = {},
                   SourceLocation loc = std::source_location::current());

template <class P>
struct MomoAdamState {
  P exp_avg;     ///< d, the average of u
  P exp_avg_sq;  ///< of u^2
  Array barf, gamma, lb, count;
};
/// The same with d over D = eps + sqrt(average of u^2 / (1 - b2^t)), and a / (1 - b1^t) as the largest step.
struct MomoAdamOptions {
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-8;
  Hyperparam lower_bound = 0;
  Hyperparam weight_decay = 0;
  bool adapt_lower_bound = false;
};
struct MomoAdam {
  static constexpr const char* kName = "momo_adam";
  static constexpr bool kWide = true;
  ScalarOrSchedule learning_rate = 1e-2;
  MomoAdamOptions options = {};
  MomoAdamState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, MomoAdamState<Leaves>& state, const Leaves& params, const Extra<Leaves>& extra) const;
};
/// momo along Adam's directions (Schaipp et al., 2023). ValueError unless b1 and b2 are in [0, 1), and eps and
/// weight_decay 0 or more; when it runs, without extra.value.
OnTrees<MomoAdam> momo_adam(ScalarOrSchedule learning_rate = 1e-2, MomoAdamOptions options = {},
                            SourceLocation loc = std::source_location::current());

}  // namespace weft::optim::contrib
