// L-BFGS: gradients times an approximate inverse of the Hessian, made of the last steps.
#pragma once

#include "optim/transformation.h"

namespace weft::optim {

template <class P>
struct ScaleByLbfgsState {
  Array count;            ///< steps taken, i32[]
  P params;               ///< of the last step
  P updates;              ///< what came in then
  P diff_params_memory;   ///< [memory_size, ...]: s_k = params - last params, at k mod memory_size
  P diff_updates_memory;  ///< [memory_size, ...]: y_k, likewise
  Array weights_memory;   ///< [memory_size]: rho_k = 1 / <s_k, y_k>, 0 where there is none
};
/// u = H u, where H is gamma I updated by (s, y) for the last memory_size steps, as in BFGS: H = (I - rho s y^T) H (I -
/// rho y s^T) + rho s s^T, applied by the two loops of Nocedal and Wright, "Numerical Optimization", algorithm 7.4.
/// gamma = <s, y> / <y, y> of the last step, and min(1, 1 / |u|) in the first; or 1 without scale_init_precond.
struct ScaleByLbfgs {
  static constexpr const char* kName = "scale_by_lbfgs";
  static constexpr bool kAnyState = true;
  std::int64_t memory_size = 10;
  bool scale_init_precond = true;
  ScaleByLbfgsState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByLbfgsState<Leaves>& state, const Leaves& params) const;
};
/// ValueError unless memory_size is positive.
OnTrees<ScaleByLbfgs> scale_by_lbfgs(ScaleByLbfgs options = {}, SourceLocation loc = std::source_location::current());

}  // namespace weft::optim
