// checkpoint[jaxpr, policy, differentiated](args...) = jaxpr(args...), whose derivative keeps only operands and what
// the policy names, and computes the rest again.
//
// Linearization splits the program: one part runs now and gives the results and what is kept; the other takes operands,
// what is kept and tangents, computes the values that are missing and gives the tangents. Transposed, it computes them
// when the backward pass comes to it. Both are checkpoints again (the first in programs; at once nothing can be asked
// of it later), so that derivatives of derivatives keep as little.
#include "weft/ir/checkpoint.h"

#include <algorithm>

#include "weft/control/programs.h"
#include "weft/control/rules.h"
#include "weft/ir/builder.h"
#include "weft/ir/interpret.h"
#include "weft/ir/prune.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/linearize.h"

namespace weft {

using namespace control;

namespace {

const CheckpointParams& params_of(const ParamsBase* params) { return ir::params_as<CheckpointParams>(params); }

void infer_checkpoint(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const ir::Jaxpr& program = params_of(params).jaxpr;
  check_inputs("checkpoint", "the program", program, in);
  for (const Aval a : program.output_avals()) out.push_back(a);
}

void eval_checkpoint(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  ir::interpret(params_of(params).jaxpr, in, out);
}

bool has_effects_checkpoint(const ParamsBase* params) { return ir::has_effects(params_of(params).jaxpr); }

void bind_checkpoint(const ir::Jaxpr& program, const CheckpointPolicy& policy, bool differentiated,
                     std::span<const Array> args, Arrays& outs) {
  bind(OpCode::kCheckpoint, ir::make_params(CheckpointParams{program, policy, differentiated}), args, outs);
}

// Binds derived programs under the policy of `p`.
auto checkpoints(const CheckpointParams& p, bool differentiated) {
  return [&p, differentiated](const ir::Jaxpr& program, std::span<const Array> args, Arrays& outs) {
    bind_checkpoint(program, p.policy, differentiated, args, outs);
  };
}

// ---- linearization ----

struct Split {
  ir::Jaxpr known;                    // inputs -> outputs, kept values
  std::vector<std::size_t> operands;  // the inputs that `tangent` needs
  ir::Jaxpr tangent;                  // those operands, kept values, tangents -> tangents
  std::vector<bool> has_tangent;
};

// What must be there so that `wanted` can be computed without the equations that may be kept.
struct Kept {
  std::vector<ir::Var> inputs, values;
};

Kept kept_for(const ir::Jaxpr& jaxpr, const CheckpointPolicy& policy, std::span<const ir::Atom> wanted) {
  const std::vector<bool> saveable = saveable_eqns(policy, jaxpr);
  std::vector<bool> needed(jaxpr.num_vars(), false);
  const auto need = [&](ir::Atom a) {
    if (!a.is_literal()) needed[a.index()] = true;
  };
  for (const ir::Atom a : wanted) need(a);
  for (std::size_t i = jaxpr.eqns().size(); i-- > 0;) {
    const ir::Eqn& e = jaxpr.eqns()[i];
    const std::vector<bool> results(needed.begin() + e.out_begin, needed.begin() + e.out_end);
    if (std::find(results.begin(), results.end(), true) == results.end() || saveable[i]) continue;
    std::fill(needed.begin() + e.out_begin, needed.begin() + e.out_end, false);
    // Loops and branches compute results beside residuals; only the latter again, as ir::part_of does it.
    const auto operands = jaxpr.operands(e);
    const std::vector<bool> taken = ir::prune(e.op, e.params, operands.size(), results).operands;
    for (std::size_t k = 0; k < operands.size(); ++k)
      if (taken[k]) need(operands[k]);
  }
  Kept kept;
  for (ir::Var v = 0; v < jaxpr.num_vars(); ++v)
    if (needed[v]) (v < jaxpr.num_inputs() ? kept.inputs : kept.values).push_back(v);
  return kept;
}

std::shared_ptr<const Split> split(const CheckpointParams& p, const std::vector<bool>& nonzero) {
  ir::ParamWriter policy;
  print_param(policy, p.policy);
  const std::string key = transforms::mask_key("checkpoint", nonzero) + policy.text;
  return p.jaxpr.memo<Split>(key, [&] {
    auto r = std::make_shared<Split>();
    const auto lin = transforms::linearize_jaxpr(p.jaxpr, nonzero);
    r->has_tangent = lin->has_tangent;
    // Policies look into calls, but functions with rules of their own keep those for derivatives of derivatives.
    const ir::Jaxpr primal = ir::inline_calls(lin->primal, false);
    const std::size_t num_outs = primal.outputs().size() - lin->num_residuals;
    const std::span<const ir::Atom> residuals = primal.outputs().subspan(num_outs);
    const Kept kept = kept_for(primal, p.policy, residuals);

    std::vector<ir::Atom> outputs(primal.outputs().begin(),
                                  primal.outputs().begin() + static_cast<std::ptrdiff_t>(num_outs));
    for (const ir::Var v : kept.values) outputs.push_back(ir::Atom::var(v));
    r->known = ir::dce(ir::with_outputs(primal, outputs));
    r->operands.assign(kept.inputs.begin(), kept.inputs.end());

    std::vector<ir::Var> given(kept.inputs);
    given.insert(given.end(), kept.values.begin(), kept.values.end());
    const ir::Jaxpr again = ir::part_of(primal, given, residuals);
    Avals inputs = again.input_avals();
    for (std::size_t i = 0; i < nonzero.size(); ++i)
      if (nonzero[i]) inputs.push_back(p.jaxpr.aval(static_cast<ir::Var>(i)));
    r->tangent = derive(again, "tangent", inputs, 0, [&](std::span<const Array> args, Arrays& outs) {
      Arrays operands;
      eval_jaxpr(again, args.first(given.size()), operands);
      for (const Array& t : args.subspan(given.size())) operands.push_back(t);
      eval_jaxpr(lin->tangent, operands, outs);
    });
    return r;
  });
}

void linearize_checkpoint(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                          Arrays& out_tangents) {
  const auto& p = call.params_as<CheckpointParams>();
  const auto parts = split(p, defined(tangents));
  Arrays results, operands, tangent_results;
  // In a program it is a checkpoint as well, so that its own derivatives keep as little.
  if (evaluating())
    eval_jaxpr(parts->known, call.args, results);
  else
    bind_checkpoint(parts->known, p.policy, p.differentiated, call.args, results);
  const std::size_t n = parts->has_tangent.size();
  if (!parts->tangent.outputs().empty()) {
    for (const std::size_t i : parts->operands) operands.push_back(call.args[i]);
    for (const Array& kept : std::span<const Array>(results).subspan(n)) operands.push_back(kept);
    append_defined(tangents, operands);
    const CurrentTrace staging(tangent_trace);
    bind_checkpoint(parts->tangent, p.policy, true, operands, tangent_results);
  }
  for (std::size_t i = 0, j = 0; i < n; ++i) {
    outs.push_back(results[i]);
    out_tangents.push_back(parts->has_tangent[i] ? tangent_results[j++] : Array());
  }
}

// ---- the other rules: those of a call, whose derived programs are checkpoints ----

void jvp_checkpoint(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<CheckpointParams>();
  jvp_program(checkpoints(p, p.differentiated), p.jaxpr, call.args, tangents, outs, out_tangents);
}

void transpose_checkpoint(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<CheckpointParams>();
  transpose_program(checkpoints(p, true), p.jaxpr, call.args, cts, accums);
}

void batch_checkpoint(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                      Bdims& out_bdims) {
  const auto& p = call.params_as<CheckpointParams>();
  batch_program(checkpoints(p, p.differentiated), p.jaxpr, call.args, bdims, axis, outs, out_bdims);
}

}  // namespace

Arrays lax::checkpoint_(const ir::Jaxpr& program, const CheckpointPolicy& policy, std::span<const Array> xs,
                        SourceLocation loc) {
  const LocationScope scope(loc, "checkpoint");
  Arrays outs;
  bind_checkpoint(program, policy, false, xs, outs);
  return outs;
}

const ir::OpInfo op_infos::checkpoint{.operands = ir::takes_at_least(0),
                                      .parse = ir::parse_params<CheckpointParams>,
                                      .infer = infer_checkpoint,
                                      .eval = eval_checkpoint,
                                      .storage_types = true,
                                      .has_effects = has_effects_checkpoint};
const OpRules op_rule_table::checkpoint{.jvp = jvp_checkpoint,
                                        .transpose = transpose_checkpoint,
                                        .batch = batch_checkpoint,
                                        .factors = factors_replicated,
                                        .linearize = linearize_checkpoint};

}  // namespace weft
