// Reverse mode: runs a linear program backwards.
#pragma once

#include "weft/core/stage.h"

namespace weft::transforms {

/// `args` holds the value of every known input and none for the linear ones, which the program
/// must be linear in. `cts` are the cotangents of the outputs (none is zero). Returns one
/// cotangent per input: none for known inputs and for zeros.
/// Residuals are released as soon as the last equation that needs them has been transposed. `sums`, by input, is what
/// the cotangents of linear inputs are added to (none is zero; empty when there are none): rules that add to a few
/// elements do so in place.
Arrays backward_pass(const ir::Jaxpr& jaxpr, Arrays args, Arrays cts, Arrays sums = {});

/// A program for the transpose. Inputs: the known inputs (`linear[i]` false), then the cotangents
/// marked in `nonzero_cts`, then what the cotangents of inputs marked in `summed` (empty: none) are added to. Outputs:
/// the cotangents of the linear inputs marked in `out_nonzero` (which is indexed by linear input).
struct TransposedJaxpr {
  ir::Jaxpr jaxpr;
  std::vector<bool> out_nonzero;
};
std::shared_ptr<const TransposedJaxpr> transpose_jaxpr(const ir::Jaxpr& jaxpr, const std::vector<bool>& linear,
                                                       const std::vector<bool>& nonzero_cts,
                                                       const std::vector<bool>& summed = {});

}  // namespace weft::transforms
