#include "weft/cpu/runtime_step.h"

#include <optional>

namespace weft::cpu {

RuntimeStep::RuntimeStep(const compiler::Procedure& procedure, const ir::Eqn& eqn)
    : op_(eqn.op), params_(eqn.params), location_(procedure.location_of(eqn)) {
  const ir::Jaxpr& jaxpr = procedure.jaxpr;
  for (const ir::Atom a : jaxpr.operands(eqn)) in_.push_back(jaxpr.aval(a));
  for (ir::Var v = eqn.out_begin; v < eqn.out_end; ++v) out_.push_back(jaxpr.aval(v));
  plan_ = plan_op(op_, params_.get(), in_, out_);
}

void RuntimeStep::run(const void* const* in, void* const* out) const {
  std::optional<ForcedLocation> location;
  if (location_) location.emplace(location_);
  SmallVector<TensorView, 4> from;
  SmallVector<MutableTensorView, 2> to;
  for (std::size_t i = 0; i < in_.size(); ++i) from.push_back({in_[i], in[i]});
  for (std::size_t i = 0; i < out_.size(); ++i) to.push_back({out_[i], out[i]});
  run_dense(plan_, op_, params_.get(), from, to);
}

bool RuntimeStep::run(const void* const* in, void* const* out, const Epilogue& epilogue) const {
  if (!plan_.run_with) {
    run(in, out);
    return false;
  }
  std::optional<ForcedLocation> location;
  if (location_) location.emplace(location_);
  return plan_.run_with(in, out, epilogue);
}

}  // namespace weft::cpu
