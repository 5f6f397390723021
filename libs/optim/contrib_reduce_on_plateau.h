// Smaller steps where the loss no longer falls.
#pragma once

#include "optim/transformation.h"

namespace weft::optim::contrib {

struct ReduceOnPlateauState {
  Array scale;           ///< what updates are multiplied by
  Array best_value;      ///< the smallest mean so far
  Array plateau_count;   ///< means without improvement, i32[]
  Array cooldown_count;  ///< means to wait after a reduction, i32[]
  Array count;           ///< values in the mean, i32[]
  Array avg_value;       ///< their mean
};
/// u = scale * u. Every accumulation_size steps the mean of extra.value is looked at: it is an improvement when below
/// (1 - rtol) best - atol; after `patience` of them without one scale = max(scale * factor, min_scale), and the next
/// `cooldown` do not count. ValueError without extra.value. Source: optax.contrib.reduce_on_plateau.
struct ReduceOnPlateau {
  static constexpr const char* kName = "reduce_on_plateau";
  Hyperparam factor = 0.1;
  std::int64_t patience = 10;
  Hyperparam rtol = 1e-4;
  Hyperparam atol = 0;
  std::int64_t cooldown = 0;
  std::int64_t accumulation_size = 1;
  Hyperparam min_scale = 0;
  ReduceOnPlateauState init(const Leaves& params) const;
  void update(Leaves& u, ReduceOnPlateauState& state, const Leaves& params, const Extra<Leaves>& extra) const;
};
/// ValueError unless factor is in (0, 1), rtol in [0, 1], atol 0 or more and one of them positive.
OnTrees<ReduceOnPlateau> reduce_on_plateau(ReduceOnPlateau options = {},
                                           SourceLocation loc = std::source_location::current());

}  // namespace weft::optim::contrib
