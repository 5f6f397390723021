// custom_vmap_call[name, call_jaxpr, rule](captures..., xs...) = call_jaxpr(captures, xs), whose vmap is the rule: a
// C++ function, because it depends on which arguments are mapped, and how many examples there are.
#include "weft/control/custom_rules.h"
#include "weft/ir/interpret.h"

namespace weft {

using namespace control;

namespace {

constexpr std::string_view kOp = "custom_vmap";

class VmapRule final : public ir::RuleFunction {
 public:
  explicit VmapRule(VmapFunction f) : f(std::move(f)) {}
  const VmapFunction f;
};

void infer_custom_vmap(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<CustomVmapCallParams>(params);
  num_captures("custom_vmap_call", "the function", p.call_jaxpr, in);
  check_inputs("custom_vmap_call", "the function", p.call_jaxpr, in);
  if (p.rule.is_program())
    throw ValueError("custom_vmap_call: the rule must be a C++ function or none; got a program.");
  for (const Aval a : p.call_jaxpr.output_avals()) out.push_back(a);
}

void eval_custom_vmap(const ParamsBase* params, std::span<const TensorView> in,
                      std::span<const MutableTensorView> out) {
  ir::interpret(ir::params_as<CustomVmapCallParams>(params).call_jaxpr, in, out);
}

bool has_effects_custom_vmap(const ParamsBase* params) {
  return ir::has_effects(ir::params_as<CustomVmapCallParams>(params).call_jaxpr);
}

void jvp_custom_vmap(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<CustomVmapCallParams>();
  jvp_program(p.name, p.call_jaxpr, call.args, tangents, outs, out_tangents);
}

void linearize_custom_vmap(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                           Arrays& out_tangents) {
  const auto& p = call.params_as<CustomVmapCallParams>();
  linearize_program(p.name, p.call_jaxpr, call.args, tangents, tangent_trace, outs, out_tangents);
}

void transpose_custom_vmap(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<CustomVmapCallParams>();
  transpose_program(p.name, p.call_jaxpr, call.args, cts, accums);
}

void batch_custom_vmap(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                       Bdims& out_bdims) {
  const auto& p = call.params_as<CustomVmapCallParams>();
  const auto* rule = dynamic_cast<const VmapRule*>(p.rule.function());
  if (!rule) return batch_program(p.name, p.call_jaxpr, call.args, bdims, axis, outs, out_bdims);
  const std::size_t captures = p.call_jaxpr.num_consts();
  for (std::size_t i = 0; i < captures; ++i)
    if (bdims[i] != kUnmapped)
      throw ValueError("custom_vmap: the rule must be told of all that is mapped; got a mapped value that " + p.name +
                           " captures, " + call.args[i].aval().str() + " for all examples together.",
                       "pass it as an argument of " + p.name + ".");
  Arrays args(call.args.first(captures));
  std::vector<bool> mapped;
  for (std::size_t i = captures; i < call.args.size(); ++i) {
    mapped.push_back(bdims[i] != kUnmapped);
    args.push_back(mapped.back() ? bdim_to(call.args[i], bdims[i], 0, axis.size) : call.args[i]);
  }
  const detail::UserRule users(detail::UserRule::Pass::kForward);
  rule->f(axis.size, mapped, args, outs);
  out_bdims.assign(outs.size(), 0);
}

}  // namespace

ir::Rule control::vmap_rule(VmapFunction f) {
  return ir::Rule(std::shared_ptr<const ir::RuleFunction>(std::make_shared<const VmapRule>(std::move(f))));
}

Arrays lax::custom_vmap_call(const std::string& name, const ir::Jaxpr& program, const ir::Rule& rule,
                             std::span<const Array> captures, std::span<const Array> xs, SourceLocation loc) {
  const LocationScope scope(loc, kOp);
  Arrays operands(captures), outs;
  operands.append(xs.begin(), xs.end());
  bind(OpCode::kCustomVmapCall,
       ir::make_params(CustomVmapCallParams{name, ir::with_num_consts(program, captures.size()), rule}), operands,
       outs);
  return outs;
}

const ir::OpInfo op_infos::custom_vmap_call{.operands = ir::takes_at_least(0),
                                            .parse = ir::parse_params<CustomVmapCallParams>,
                                            .infer = infer_custom_vmap,
                                            .eval = eval_custom_vmap,
                                            .storage_types = true,
                                            .has_effects = has_effects_custom_vmap};
const OpRules op_rule_table::custom_vmap_call{.jvp = jvp_custom_vmap,
                                              .transpose = transpose_custom_vmap,
                                              .batch = batch_custom_vmap,
                                              .factors = factors_replicated,
                                              .linearize = linearize_custom_vmap};

}  // namespace weft
