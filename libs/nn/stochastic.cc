#include "nn/stochastic.h"

#include "weft/weft.h"

namespace weft::nn {

Array Dropout::call(const Array& x, std::optional<bool> argument, const Array& key) const {
  if (!(rate >= 0 && rate <= 1)) throw ValueError("dropout: the rate must be in [0, 1]; got " + number_str(rate) + ".");
  const bool certain = given_once("dropout", "deterministic", deterministic, argument);
  if (certain || rate == 0) return x;
  if (!is_inexact(x.dtype()))
    throw DTypeError("dropout: the input must be float or complex; got " + x.aval().str() + ".");
  if (rate == 1) return np::zeros_like(x);  // not 0 / 0
  Dims shape(x.shape());
  for (const std::int64_t a : np::AxisArg(broadcast_dims.axes()).resolve("dropout", x.aval()))
    shape[static_cast<std::size_t>(a)] = 1;
  const double keep = 1 - rate;
  const Array kept = random::bernoulli(key.defined() ? key : make_rng(rng_collection), keep, shape);
  return np::where(kept, x / keep, 0);
}

}  // namespace weft::nn
