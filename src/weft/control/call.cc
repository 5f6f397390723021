// call[name, jaxpr](args...) = jaxpr(args...). Transformations act on the program and call the
// result; the outermost call is what a client compiles.
#include "weft/ir/call.h"

#include "weft/core/rules.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/linearize.h"
#include "weft/transforms/transpose.h"
#include "weft/transforms/vmap.h"

namespace weft {

namespace {

void bind_call(const std::string& name, const ir::Jaxpr& jaxpr, std::span<const Array> args, Arrays& outs) {
  bind(OpCode::kCall, ir::make_params(CallParams{name, jaxpr}), args, outs);
}

void infer(const ir::ParamsBase* params, std::span<const Aval> in, ir::Avals& out) {
  const ir::Jaxpr& jaxpr = ir::params_as<CallParams>(params).jaxpr;
  if (in.size() != jaxpr.num_inputs())
    throw ShapeError("call: there must be one operand per input of the program; got " + std::to_string(in.size()) +
                     " for " + std::to_string(jaxpr.num_inputs()) + ".");
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Aval expected = jaxpr.aval(static_cast<ir::Var>(i));
    if (in[i] != expected)
      throw ShapeError("call: operands must have the types of the program's inputs; got " + in[i].str() + " for " +
                       expected.str() + ", input " + std::to_string(i) + ".");
  }
  for (const Aval a : jaxpr.output_avals()) out.push_back(a);
}

std::vector<bool> nonzero(std::span<const Array> arrays) {
  std::vector<bool> mask;
  for (const Array& a : arrays) mask.push_back(a.defined());
  return mask;
}

void append_defined(std::span<const Array> from, Arrays& to) {
  for (const Array& a : from)
    if (a.defined()) to.push_back(a);
}

void jvp_call(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const CallParams& p = call.params_as<CallParams>();
  const auto derived = transforms::jvp_jaxpr(p.jaxpr, nonzero(tangents));
  Arrays args(call.args), results;
  append_defined(tangents, args);
  bind_call(p.name, derived->jaxpr, args, results);
  const std::size_t n = p.jaxpr.outputs().size();
  for (std::size_t i = 0, j = n; i < n; ++i) {
    outs.push_back(results[i]);
    out_tangents.push_back(derived->out_nonzero[i] ? results[j++] : Array());
  }
}

void linearize_call(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                    Arrays& out_tangents) {
  const CallParams& p = call.params_as<CallParams>();
  const auto lin = transforms::linearize_jaxpr(p.jaxpr, nonzero(tangents));
  Arrays results;
  bind_call(p.name, lin->primal, call.args, results);
  const std::size_t n = p.jaxpr.outputs().size();
  Arrays tangent_args(std::span<const Array>(results).subspan(n)), tangent_results;
  append_defined(tangents, tangent_args);
  if (!lin->tangent.outputs().empty()) {
    const CurrentTrace staging(tangent_trace);
    bind_call(p.name, lin->tangent, tangent_args, tangent_results);
  }
  for (std::size_t i = 0, j = 0; i < n; ++i) {
    outs.push_back(results[i]);
    out_tangents.push_back(lin->has_tangent[i] ? tangent_results[j++] : Array());
  }
}

void transpose_call(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const CallParams& p = call.params_as<CallParams>();
  std::vector<bool> linear;
  Arrays args, results;
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    linear.push_back(accums[i] != nullptr);
    if (!accums[i]) args.push_back(call.args[i]);
  }
  append_defined(cts, args);
  const auto derived = transforms::transpose_jaxpr(p.jaxpr, linear, nonzero(cts));
  bind_call(p.name, derived->jaxpr, args, results);
  std::size_t next_input = 0, next_result = 0;
  for (GradAccum* accum : accums)
    if (accum && derived->out_nonzero[next_input++]) accum->add(results[next_result++]);
}

void batch_call(const Call& call, std::span<const int> bdims, std::int64_t size, Arrays& outs, Bdims& out_bdims) {
  const CallParams& p = call.params_as<CallParams>();
  const auto derived = transforms::batch_jaxpr(p.jaxpr, bdims, size);
  bind_call(p.name, derived->jaxpr, call.args, outs);
  out_bdims = derived->out_bdims;
}

// Sharding looks inside the program; the call itself shares nothing between its operands.
FactorTable factors(const ir::ParamsBase*, std::span<const Aval> in, std::span<const Aval> out) {
  FactorTable table;
  const auto replicated = [&](Aval a) {
    FactorTable::Axes axes;
    for (const std::int64_t size : a.shape()) axes.push_back({table.add(size, FactorTable::Kind::kNeedReplication)});
    return axes;
  };
  for (const Aval a : in) table.operands.push_back(replicated(a));
  for (const Aval a : out) table.results.push_back(replicated(a));
  return table;
}

}  // namespace

const ir::OpInfo op_infos::call{
    .operands = ir::takes_at_least(0), .parse = ir::parse_params<CallParams>, .infer = infer};
const OpRules op_rule_table::call{
    .jvp = jvp_call, .transpose = transpose_call, .batch = batch_call, .factors = factors, .linearize = linearize_call};

}  // namespace weft
