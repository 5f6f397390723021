// Memory of past updates: traces, averages, differences, sums. u are the updates; sums begin at 0.
#pragma once

#include "optim/transformation.h"

namespace weft::optim {

template <class P>
struct TraceState {
  P trace;  ///< of the accumulator's dtype
};
/// trace = u + decay * trace; u = trace, or u + decay * trace with nesterov (Sutskever et al., 2013).
struct Trace {
  static constexpr const char* kName = "trace";
  Hyperparam decay = 0.9;
  bool nesterov = false;
  std::optional<DType> accumulator_dtype = {};  ///< that of the parameters unless given
  TraceState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, TraceState<Leaves>& state, const Leaves& params) const;
};
struct TraceOptions {
  bool nesterov = false;
  std::optional<DType> accumulator_dtype = {};
};
/// ValueError unless decay is in [0, 1].
OnTrees<Trace> trace(Hyperparam decay, TraceOptions options = {}, SourceLocation loc = std::source_location::current());

template <class P>
struct EmaState {
  Array count;  ///< steps taken, i32[]
  P ema;
};
/// ema = decay * ema + (1 - decay) * u; u = ema, or ema / (1 - decay^count) with debias.
struct Ema {
  static constexpr const char* kName = "ema";
  Hyperparam decay = 0.9;
  bool debias = true;
  std::optional<DType> accumulator_dtype = {};
  EmaState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, EmaState<Leaves>& state, const Leaves& params) const;
};
struct EmaOptions {
  bool debias = true;
  std::optional<DType> accumulator_dtype = {};
};
/// ValueError unless decay is in [0, 1).
OnTrees<Ema> ema(Hyperparam decay, EmaOptions options = {}, SourceLocation loc = std::source_location::current());

template <class P>
struct ScaleByOptimisticGradientState {
  Array is_initial_step;  ///< bool[]
  P previous_gradient;
};
/// u = (alpha + beta) * u - beta * previous u; in the first step the previous one is u itself (Mokhtari et al., 2019).
struct ScaleByOptimisticGradient {
  static constexpr const char* kName = "scale_by_optimistic_gradient";
  Hyperparam alpha = 1;
  Hyperparam beta = 1;
  ScaleByOptimisticGradientState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByOptimisticGradientState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByOptimisticGradient> scale_by_optimistic_gradient(ScaleByOptimisticGradient options = {},
                                                                SourceLocation loc = std::source_location::current());

template <class P>
struct ApplyEveryState {
  Array count;  ///< steps since updates went out, i32[]
  P grad_acc;
};
/// The sum of the last k updates every k steps, zeros between. What follows in a chain still runs in every step: see
/// multi_steps for one that does not.
struct ApplyEvery {
  static constexpr const char* kName = "apply_every";
  std::int64_t k = 1;
  ApplyEveryState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ApplyEveryState<Leaves>& state, const Leaves& params) const;
};
/// ValueError unless k is positive.
OnTrees<ApplyEvery> apply_every(std::int64_t k = 1, SourceLocation loc = std::source_location::current());

}  // namespace weft::optim
