// custom_call[target](xs...): whatever the function registered under that name makes of xs.
#include "weft/core/custom_call.h"

#include "weft/control/programs.h"
#include "weft/control/rules.h"

namespace weft {

using namespace control;

namespace {

// Programs may be read, printed and transformed where a target is not registered: only running one needs it.
void infer_custom_call(const ParamsBase* params, std::span<const Aval>, Avals& out) {
  for (const Aval a : ir::params_as<CustomCallParams>(params).result_types) out.push_back(a);
}

void eval_custom_call(const ParamsBase* params, std::span<const TensorView> in,
                      std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<CustomCallParams>(params);
  find_custom_call(p.call_target_name)->eval(p, in, out);
}

bool has_effects_custom_call(const ParamsBase* params) {
  return ir::params_as<CustomCallParams>(params).has_side_effect;
}

void jvp_custom_call(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<CustomCallParams>();
  const auto function = find_custom_call(p.call_target_name);
  if (!function->jvp)
    throw NotDifferentiableError("custom_call: the target must have a derivative; got \"" + p.call_target_name +
                                     "\", which was registered without one.",
                                 "register it with a jvp, or wrap its operands in stop_gradient.");
  function->jvp(call, tangents, outs, out_tangents);
  if (outs.size() != p.result_types.size() || out_tangents.size() != outs.size())
    throw ValueError("custom_call: the jvp of \"" + p.call_target_name + "\" must give " +
                     std::to_string(p.result_types.size()) + " results and as many tangents; got " +
                     std::to_string(outs.size()) + " and " + std::to_string(out_tangents.size()) + ".");
}

// One call per example. A loop does not grow with their number, but has no reverse mode.
void batch_custom_call(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                       Bdims& out_bdims) {
  if (find_custom_call(call.params_as<CustomCallParams>().call_target_name)->jvp)
    batch_unrolled(call, bdims, axis, outs, out_bdims);
  else
    batch_by_loop(call, bdims, axis, outs, out_bdims);
}

}  // namespace

Arrays lax::custom_call(std::span<const Array> xs, const CustomCallParams& params, SourceLocation loc) {
  const LocationScope scope(loc, "custom_call");
  Arrays outs;
  bind(OpCode::kCustomCall, ir::make_params(params), xs, outs);
  return outs;
}

const ir::OpInfo op_infos::custom_call{.operands = ir::takes_at_least(0),
                                       .parse = ir::parse_params<CustomCallParams>,
                                       .infer = infer_custom_call,
                                       .eval = eval_custom_call,
                                       .storage_types = true,
                                       .has_effects = has_effects_custom_call};
const OpRules op_rule_table::custom_call{
    .jvp = jvp_custom_call, .transpose = rules::not_linear, .batch = batch_custom_call, .factors = factors_replicated};

}  // namespace weft
