#include "weft/ir/flops.h"

#include "weft/ir/contraction.h"
#include "weft/ir/window.h"

namespace weft::ir {

double flops(const Jaxpr& jaxpr, const Eqn& eqn) {
  const std::span<const Atom> operands = jaxpr.operands(eqn);
  if (eqn.op == OpCode::kDotGeneral) {
    const Aval lhs = jaxpr.aval(operands[0]);
    double k = 1;
    for (const std::int64_t d : params_as<DotGeneralParams>(eqn.params.get()).dimension_numbers.lhs_contracting)
      k *= static_cast<double>(lhs.shape(static_cast<std::size_t>(d)));
    return 2 * k * static_cast<double>(jaxpr.aval(eqn.out_begin).size());
  }
  if (eqn.op == OpCode::kConvolution) {
    const auto& p = params_as<ConvolutionParams>(eqn.params.get());
    const Aval kernel = jaxpr.aval(operands[1]);
    const auto features =
        static_cast<double>(kernel.shape(static_cast<std::size_t>(p.dimension_numbers.kernel_output_feature)));
    if (features == 0) return 0;
    return 2 * static_cast<double>(jaxpr.aval(eqn.out_begin).size()) * static_cast<double>(kernel.size()) / features;
  }
  return 0;
}

}  // namespace weft::ir
