// Vectorising map: each operation runs once on operands with one more axis.
#pragma once

#include "weft/core/rules.h"
#include "weft/core/stage.h"

namespace weft::transforms {

/// Runs `f` over arguments whose axis `bdims[i]` (kUnmapped: none) is mapped, all of `axis.size`. Operations inside may
/// name the axis. Results come with the position of their mapped axis.
void vmap(const FlatFunction& f, std::span<const Array> args, std::span<const int> bdims, const MappedAxis& axis,
          const std::string& name, Arrays& outs, Bdims& out_bdims);

/// A program over batched inputs, with where its outputs' mapped axes are.
struct BatchedJaxpr {
  ir::Jaxpr jaxpr;
  Bdims out_bdims;
};
std::shared_ptr<const BatchedJaxpr> batch_jaxpr(const ir::Jaxpr& jaxpr, std::span<const int> bdims,
                                                const MappedAxis& axis);

}  // namespace weft::transforms
