// Ends training when a loss stops getting better. Source: flax.training.early_stopping.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace weft::train {

/// Static values, so that a checkpoint keeps them (beside the training state, not in it).
struct EarlyStopping {
  double min_delta = 0;       ///< less than this is no improvement
  std::int64_t patience = 0;  ///< so many updates in a row may bring none; the next stops
  double best_metric = std::numeric_limits<double>::infinity();
  std::int64_t patience_count = 0;
  bool should_stop = false;
  bool has_improved = false;  ///< at the last update

  /// The state after a new value of what is to become small. NaN is no improvement.
  EarlyStopping update(double metric) const {
    EarlyStopping out = *this;
    out.has_improved = std::isinf(best_metric) ? !std::isnan(metric) : best_metric - metric > min_delta;
    if (out.has_improved) {
      out.best_metric = metric;
      out.patience_count = 0;
    } else {
      out.should_stop = should_stop || patience_count >= patience;
      out.patience_count = patience_count + 1;
    }
    return out;
  }
};

}  // namespace weft::train
