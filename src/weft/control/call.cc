// call[name, jaxpr](args...) = jaxpr(args...), and composite, the same with a name that means something to others.
// Transformations act on the program and call the result; the outermost call is what a client compiles.
#include "weft/ir/call.h"

#include "weft/control/programs.h"
#include "weft/control/rules.h"
#include "weft/ir/interpret.h"

namespace weft {

using namespace control;

namespace {

// What both have: the program and the name of calls that are derived from it.
struct Called {
  const ir::Jaxpr& program;
  const std::string& name;
};
Called called(OpCode op, const ParamsBase* params) {
  if (op == OpCode::kCall) {
    const auto& p = ir::params_as<CallParams>(params);
    return {p.jaxpr, p.name};
  }
  const auto& p = ir::params_as<CompositeParams>(params);
  return {p.decomposition, p.name};
}

template <OpCode kOp>
void infer_called(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto [program, name] = called(kOp, params);
  const std::string op(ir::op_name(kOp));
  if (!program) throw ValueError(op + ": there must be a program; got none.");
  if (in.size() != program.num_inputs())
    throw ShapeError(op + ": there must be one operand per input of the program; got " + std::to_string(in.size()) +
                     " for " + std::to_string(program.num_inputs()) + ".");
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Aval expected = program.aval(static_cast<ir::Var>(i));
    if (in[i] != expected)
      throw ShapeError(op + ": operands must have the types of the program's inputs; got " + in[i].str() + " for " +
                       expected.str() + ", input " + std::to_string(i) + ".");
  }
  for (const Aval a : program.output_avals()) out.push_back(a);
}

template <OpCode kOp>
void eval_called(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  ir::interpret(called(kOp, params).program, in, out);
}

template <OpCode kOp>
bool has_effects_called(const ParamsBase* params) {
  return ir::has_effects(called(kOp, params).program);
}

void jvp_called(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto [program, name] = called(call.op, call.params.get());
  jvp_program(name, program, call.args, tangents, outs, out_tangents);
}

void linearize_called(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                      Arrays& out_tangents) {
  const auto [program, name] = called(call.op, call.params.get());
  linearize_program(name, program, call.args, tangents, tangent_trace, outs, out_tangents);
}

void transpose_called(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto [program, name] = called(call.op, call.params.get());
  transpose_program(name, program, call.args, cts, accums);
}

void batch_called(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                  Bdims& out_bdims) {
  const auto [program, name] = called(call.op, call.params.get());
  batch_program(name, program, call.args, bdims, axis, outs, out_bdims);
}

}  // namespace

Arrays lax::composite(std::span<const Array> xs, const std::string& name, const ir::Jaxpr& decomposition,
                      const std::string& attributes, std::int64_t version, SourceLocation loc) {
  const LocationScope scope(loc, "composite");
  Arrays outs;
  bind(OpCode::kComposite, ir::make_params(CompositeParams{name, version, attributes, decomposition}), xs, outs);
  return outs;
}

const ir::OpInfo op_infos::call{.operands = ir::takes_at_least(0),
                                .parse = ir::parse_params<CallParams>,
                                .infer = infer_called<OpCode::kCall>,
                                .eval = eval_called<OpCode::kCall>,
                                .storage_types = true,
                                .has_effects = has_effects_called<OpCode::kCall>};
const OpRules op_rule_table::call{.jvp = jvp_called,
                                  .transpose = transpose_called,
                                  .batch = batch_called,
                                  .factors = factors_replicated,
                                  .linearize = linearize_called};

const ir::OpInfo op_infos::composite{.operands = ir::takes_at_least(0),
                                     .parse = ir::parse_params<CompositeParams>,
                                     .infer = infer_called<OpCode::kComposite>,
                                     .eval = eval_called<OpCode::kComposite>,
                                     .storage_types = true,
                                     .has_effects = has_effects_called<OpCode::kComposite>};
const OpRules op_rule_table::composite{.jvp = jvp_called,
                                       .transpose = transpose_called,
                                       .batch = batch_called,
                                       .factors = factors_replicated,
                                       .linearize = linearize_called};

}  // namespace weft
