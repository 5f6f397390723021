// custom_jvp_call[name, call_jaxpr, jvp](captures..., xs...) = call_jaxpr(captures, xs), differentiated by the rule:
// linearize runs it as it runs the jvp rule of any operation.
#include "weft/control/custom_rules.h"
#include "weft/ir/interpret.h"

namespace weft {

using namespace control;

namespace {

constexpr std::string_view kOp = "custom_jvp";

void infer_custom_jvp(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<CustomJvpCallParams>(params);
  const std::size_t n = num_captures("custom_jvp_call", "the function", p.call_jaxpr, in);
  check_inputs("custom_jvp_call", "the function", p.call_jaxpr, in);
  const Avals results = p.call_jaxpr.output_avals();
  if (!p.jvp) throw ValueError("custom_jvp_call: there must be a jvp rule; got none.");
  check_rule("custom_jvp_call", "the jvp rule", p.jvp, concatenated(in, inexact(in.subspan(n))),
             concatenated(results, inexact(results)));
  out.append(results.begin(), results.end());
}

void eval_custom_jvp(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  ir::interpret(ir::params_as<CustomJvpCallParams>(params).call_jaxpr, in, out);
}

bool has_effects_custom_jvp(const ParamsBase* params) {
  return ir::has_effects(ir::params_as<CustomJvpCallParams>(params).call_jaxpr);
}

void jvp_custom_jvp(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<CustomJvpCallParams>();
  jvp_by_rule(kOp, p.name, p.call_jaxpr, p.jvp, call, tangents, outs, out_tangents);
}

// Where it stands for a linear map, it is its program.
void transpose_custom_jvp(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<CustomJvpCallParams>();
  transpose_program(p.name, p.call_jaxpr, call.args, cts, accums);
}

void batch_custom_jvp(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                      Bdims& out_bdims) {
  const auto& p = call.params_as<CustomJvpCallParams>();
  Bdims rule_bdims(bdims);
  for (std::size_t i = p.call_jaxpr.num_consts(); i < call.args.size(); ++i)
    if (is_inexact(call.args[i].dtype())) rule_bdims.push_back(bdims[i]);
  bind(call.op,
       ir::make_params(CustomJvpCallParams{p.name, batched_program(p.call_jaxpr, bdims, axis, {}),
                                           batched_rule(p.jvp, rule_bdims, axis, {})}),
       call.args, outs);
  out_bdims.assign(outs.size(), 0);
}

}  // namespace

Arrays lax::custom_jvp_call(const std::string& name, const ir::Jaxpr& program, const ir::Rule& jvp,
                            std::span<const Array> captures, std::span<const Array> xs, SourceLocation loc) {
  const LocationScope scope(loc, kOp);
  Arrays operands(captures), outs;
  operands.append(xs.begin(), xs.end());
  bind(OpCode::kCustomJvpCall,
       ir::make_params(CustomJvpCallParams{name, ir::with_num_consts(program, captures.size()), jvp}), operands, outs);
  return outs;
}

const ir::OpInfo op_infos::custom_jvp_call{.operands = ir::takes_at_least(0),
                                           .parse = ir::parse_params<CustomJvpCallParams>,
                                           .infer = infer_custom_jvp,
                                           .eval = eval_custom_jvp,
                                           .storage_types = true,
                                           .has_effects = has_effects_custom_jvp};
const OpRules op_rule_table::custom_jvp_call{
    .jvp = jvp_custom_jvp, .transpose = transpose_custom_jvp, .batch = batch_custom_jvp, .factors = factors_replicated};

}  // namespace weft
