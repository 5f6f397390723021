// Prodigy: Adam that finds its learning rate by itself (Mishchenko and Defazio, 2023).
#pragma once

#include "optim/transformation.h"

namespace weft::optim::contrib {

template <class P>
struct ProdigyState {
  P exp_avg, exp_avg_sq;     ///< m and v; of f16 parameters all are f32: d u may be 1e-6 u
  P grad_sum;                ///< s
  P params0;                 ///< p0, where it began
  Array estim_lr;            ///< d, the distance to the solution as far as seen
  Array numerator_weighted;  ///< r
  Array count;               ///< steps taken, i32[]
};
/// With l = d learning_rate sqrt(1 - beta2^t) / (1 - beta1^t) and d0 = estim_lr0:
///   r = beta3 r + (d / d0) l <u, p0 - p>;  s = beta3 s + (l / d0) d u (d for l with safeguard_warmup)
///   m = beta1 m + (1 - beta1) d u;  v = beta2 v + (1 - beta2) (d u)^2;  d = max(d, estim_lr_coef r / sum |s|)
///   u = -l (m / (sqrt(v) + d eps) + weight_decay p)
struct ProdigyOptions {
  Hyperparam beta1 = 0.9;
  Hyperparam beta2 = 0.999;
  std::optional<Hyperparam> beta3 = {};  ///< sqrt(beta2) unless given
  Hyperparam eps = 1e-8;
  Hyperparam estim_lr0 = 1e-6;
  Hyperparam estim_lr_coef = 1;
  Hyperparam weight_decay = 0;
  bool safeguard_warmup = false;
};
struct Prodigy {
  static constexpr const char* kName = "prodigy";
  static constexpr bool kWide = true;
  ScalarOrSchedule learning_rate = 1.0;
  ProdigyOptions options = {};
  ProdigyState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ProdigyState<Leaves>& state, const Leaves& params) const;
};
/// The formulas above, for which a learning rate of 1 is meant (Mishchenko and Defazio, 2023). ValueError unless beta1
/// and beta2 are in [0, 1), beta3 is in [0, 1], eps and weight_decay are 0 or more, and estim_lr0 is positive.
OnTrees<Prodigy> prodigy(ScalarOrSchedule learning_rate = 1.0, ProdigyOptions options = {},
                         SourceLocation loc = std::source_location::current());

}  // namespace weft::optim::contrib
