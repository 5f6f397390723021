// Updates that respect what must hold of parameters and of themselves.
#pragma once

#include "optim/transformation.h"

namespace weft::optim {

/// u = -p where p + u < 0, so that parameters stay at or above 0, where they must be already. The last of a chain.
struct KeepParamsNonnegative {
  static constexpr const char* kName = "keep_params_nonnegative";
  void update(Leaves& u, const Leaves& params) const;
};
OnTrees<KeepParamsNonnegative> keep_params_nonnegative();

template <class P>
struct ZeroNansState {
  P found_nan;  ///< bool[] for each leaf: whether the last update had a NaN
};
/// u = 0 where it is NaN.
struct ZeroNans {
  static constexpr const char* kName = "zero_nans";
  static constexpr bool kAnyState = true;
  ZeroNansState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ZeroNansState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ZeroNans> zero_nans();

}  // namespace weft::optim
