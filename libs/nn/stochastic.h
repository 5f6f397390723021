// Layers of chance.
#pragma once

#include "nn/layer.h"
#include "nn/module.h"
#include "weft/np/params.h"

namespace weft::nn {

/// Each element is 0 with probability `rate`, else x / (1 - rate), so that the mean stays (Srivastava et al., 2014).
/// When `deterministic`, x itself. Axes among broadcast_dims share what is drawn. ValueError for rates outside of
/// [0, 1] and for `deterministic` given twice or not at all, InvalidRngError without a key for the stream
/// `rng_collection`, IndexError for axes out of range, DTypeError for integers.
struct Dropout : Module<Dropout> {
  double rate = 0;
  np::Axes broadcast_dims = {};
  std::optional<bool> deterministic = {};  // here, or in the call
  std::string rng_collection = "dropout";
  std::string name = {};
  /// `key` takes the place of one of the stream.
  Array call(const Array& x, std::optional<bool> deterministic = {}, const Array& key = {}) const;
};

}  // namespace weft::nn
