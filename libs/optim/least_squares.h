// Least squares under constraints. Source: optax.nnls.
#pragma once

#include <optional>

#include "weft/core/arg.h"
#include "weft/core/array.h"

namespace weft::optim {

struct NnlsOptions {
  std::int64_t unroll = 1;  ///< steps per round of the loop
  /// A bound of the largest eigenvalue of A^T A: steps are 1 / L long. Else a bound that A tells.
  std::optional<double> L = {};
};

/// argmin_x |A x - b| over x >= 0: x[..., n] of A[..., m, n] and b[..., m], in their inexact type, after `iters` steps
/// of a projected gradient that is accelerated, and begins anew where it turns back (O'Donoghue and Candes, "Adaptive
/// restart for accelerated gradient schemes", 2015). DTypeError for complex ones; ShapeError when they do not fit;
/// ValueError unless iters, unroll and L are positive.
Array nnls(const Arg& A, const Arg& b, std::int64_t iters, const NnlsOptions& options = {});

}  // namespace weft::optim
