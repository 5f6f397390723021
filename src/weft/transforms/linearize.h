// Linearization: runs a function once, its primal part at once in the enclosing trace, its
// tangent part staged as a linear program.
#pragma once

#include "weft/core/stage.h"

namespace weft::transforms {

/// `tangent` has as leading inputs the residuals (values kept from the primal run), then one
/// input per differentiated argument; its outputs are the tangents of the results marked in
/// `has_tangent` (the others are zero).
struct Linearized {
  Arrays outs;
  ir::Jaxpr tangent;
  Arrays residuals;
  std::vector<bool> has_tangent;
};

Linearized linearize(const FlatFunction& f, std::span<const Array> primals, const std::vector<bool>& differentiated,
                     const std::string& name);

/// Linearization of a program. `primal` has the program's inputs, and its outputs followed by the
/// residuals; `tangent` is as in Linearized.
struct LinearizedJaxpr {
  ir::Jaxpr primal;
  ir::Jaxpr tangent;
  std::size_t num_residuals = 0;
  std::vector<bool> has_tangent;
};
std::shared_ptr<const LinearizedJaxpr> linearize_jaxpr(const ir::Jaxpr& jaxpr, const std::vector<bool>& differentiated);

/// The tangents of a program's outputs at `args` along `tangents` (none is zero, also in what is returned), by its
/// linearization: also where it calls functions of which only the transposed derivative is known.
Arrays linear_part(const ir::Jaxpr& jaxpr, std::span<const Array> args, std::span<const Array> tangents);

}  // namespace weft::transforms
