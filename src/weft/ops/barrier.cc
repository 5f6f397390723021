// Identities that mean something to transformations: optimization_barrier, stop_gradient and checkpoint_name.
#include "weft/ir/checkpoint.h"
#include "weft/ops/common.h"

namespace weft {

using namespace ops;

namespace {

void infer_identity(const ParamsBase*, std::span<const Aval> in, Avals& out) { out.append(in.begin(), in.end()); }

void eval_identity(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  for (std::size_t i = 0; i < in.size(); ++i)
    if (in[i].size()) __builtin_memcpy(out[i].data, in[i].data, static_cast<std::size_t>(in[i].aval.bytes()));
}

void batch_identity(const Call& call, std::span<const int> bdims, const MappedAxis&, Arrays& outs, Bdims& out_bdims) {
  bind(call.op, call.params, call.args, outs);
  out_bdims.append(bdims.begin(), bdims.end());
}

FactorTable factors_identity(const ParamsBase*, std::span<const Aval> in, std::span<const Aval>) {
  FactorTable table;
  for (const Aval a : in) {
    FactorTable::Axes axes;
    for (const std::int64_t size : a.shape()) axes.push_back({table.add(size)});
    table.operands.push_back(axes);
    table.results.push_back(axes);
  }
  return table;
}

// ---- optimization_barrier: y_i = x_i, and no work moves from one side to the other ----

// Tangents get a barrier of their own.
void jvp_barrier(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  Arrays present, barred;
  for (const Array& t : tangents)
    if (t.defined()) present.push_back(t);
  bind(call.op, call.params, present, barred);
  std::size_t next = 0;
  for (const Array& t : tangents) out_tangents.push_back(t.defined() ? barred[next++] : Array());
}

void transpose_barrier(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  Arrays present, barred;
  for (const Array& ct : cts)
    if (ct.defined()) present.push_back(ct);
  bind(call.op, call.params, present, barred);
  std::size_t next = 0;
  for (std::size_t i = 0; i < cts.size(); ++i) {
    if (!cts[i].defined()) continue;
    if (accums[i]) accums[i]->add(barred[next]);
    ++next;
  }
}

}  // namespace

Arrays lax::optimization_barrier(std::span<const Array> xs) {
  Arrays outs;
  bind(OpCode::kOptimizationBarrier, ir::Params(), xs, outs);
  return outs;
}
Array lax::stop_gradient(const Arg& x) {
  const LocationScope scope(x.location(), "stop_gradient");
  return bind1(OpCode::kStopGradient, {x.array()});
}
Array lax::checkpoint_name(const Arg& x, const std::string& name) {
  const LocationScope scope(x.location(), "checkpoint_name");
  return bind1(OpCode::kCheckpointName, ir::make_params(CheckpointNameParams{name}), {x.array()});
}

const ir::OpInfo op_infos::optimization_barrier{.operands = ir::takes_at_least(0),
                                                .infer = infer_identity,
                                                .eval = eval_identity,
                                                .identity = true,
                                                .storage_types = true};
const OpRules op_rule_table::optimization_barrier{
    .jvp = jvp_barrier, .transpose = transpose_barrier, .batch = batch_identity, .factors = factors_identity};

// ---- stop_gradient: y = x, dy = 0 ----

const ir::OpInfo op_infos::stop_gradient{
    .infer = infer_identity, .eval = eval_identity, .elementwise = true, .identity = true, .storage_types = true};
const OpRules op_rule_table::stop_gradient{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_identity, .factors = factors_identity};

// ---- checkpoint_name: y = x, which policies of `checkpoint` call by a name; dy = dx ----

namespace {

// Names are for values, not for their tangents.
void jvp_name(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  out_tangents.push_back(tangents[0]);
}

void transpose_name(const Call&, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  accums[0]->add(cts[0]);
}

}  // namespace

const ir::OpInfo op_infos::checkpoint_name{.parse = ir::parse_params<CheckpointNameParams>,
                                           .infer = infer_identity,
                                           .eval = eval_identity,
                                           .elementwise = true,
                                           .identity = true,
                                           .storage_types = true};
const OpRules op_rule_table::checkpoint_name{
    .jvp = jvp_name, .transpose = transpose_name, .batch = batch_identity, .factors = factors_identity};

}  // namespace weft
