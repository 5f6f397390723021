#include "optim/constraining.h"

#include "weft/weft.h"

namespace weft::optim {

OnTrees<KeepParamsNonnegative> keep_params_nonnegative() { return {}; }

void KeepParamsNonnegative::update(Leaves& u, const Leaves& params) const {
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array p = detail::cast_like(params[i], u[i]);
    u[i] = np::where(p + u[i] < 0, -p, u[i]);
  }
}

OnTrees<ZeroNans> zero_nans() { return {}; }

ZeroNansState<Leaves> ZeroNans::init(const Leaves& params) const {
  // Each an array of its own: a donated state must not have one twice.
  ZeroNansState<Leaves> state;
  for (std::size_t i = 0; i < params.size(); ++i) state.found_nan.push_back(Array(false));
  return state;
}

void ZeroNans::update(Leaves& u, ZeroNansState<Leaves>& state, const Leaves&) const {
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array nan = np::isnan(u[i]);
    state.found_nan[i] = np::any(nan);
    u[i] = np::where(nan, np::zeros_like(u[i]), u[i]);
  }
}

}  // namespace weft::optim
