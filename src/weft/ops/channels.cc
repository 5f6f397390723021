// send, recv, infeed, outfeed: queues between processes, and between processes and their host. None of them has
// derivatives: what goes through a queue is a number, not a function.
#include "weft/ops/collective_rules.h"
#include "weft/ops/collectives.h"

namespace weft {

using namespace ops;

namespace {

Arrays arrays_of(std::span<const TensorView> in) {
  Arrays values;
  for (const TensorView& x : in)
    values.push_back(Array::copy(x.dtype(), x.shape(), x.data, static_cast<std::size_t>(x.size())));
  return values;
}

// Fills the results of `op` with what came, which must have their types.
void deliver(const char* op, const Arrays& values, std::span<const MutableTensorView> out) {
  if (values.size() != out.size())
    throw ShapeError(std::string(op) + ": there must be " + std::to_string(out.size()) + " values in a message; got " +
                     std::to_string(values.size()) + ".");
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string text = std::string(op) + ": value " + std::to_string(i) + " of a message must have type " +
                             out[i].aval.str() + "; got " + values[i].aval().str() + ".";
    if (values[i].dtype() != out[i].dtype()) throw DTypeError(text);
    if (!same_dims(values[i].shape(), out[i].shape())) throw ShapeError(text);
    const detail::HostView from = values[i].host(op);
    if (out[i].size() > 0) std::memcpy(out[i].data, from.view.data, static_cast<std::size_t>(out[i].aval.bytes()));
  }
}

void infer_results(std::span<const Aval> types, Avals& out) {
  for (const Aval a : types) out.push_back(a);
}

void batch_nothing(const Call& call, std::span<const int>, const MappedAxis&, Arrays& outs, Bdims& out_bdims) {
  bind(call.op, call.params, call.args, outs);
  out_bdims.assign(outs.size(), kUnmapped);
}

// ---- send, recv ----

void check_transfer(OpCode op, const TransferParams& p) {
  if (p.is_host_transfer && !p.source_target_pairs.empty())
    throw ValueError(std::string(ir::op_name(op)) + ": a transfer with the host must name no processes; got " +
                     std::to_string(p.source_target_pairs.size()) + " source_target_pairs.");
  check_pairs(op, p.source_target_pairs);
}

std::int64_t flattened_id() {
  const ProcessId me = processes::current();
  return me.replica * processes::partitions() + me.partition;
}

// A queue that anybody on the channel may take from.
std::string open_queue(const TransferParams& p) {
  return p.is_host_transfer ? processes::host_channel(p.channel_id) : processes::device_queue(p.channel_id, -1, -1);
}

void infer_send(const ParamsBase* params, std::span<const Aval>, Avals&) {
  const auto& p = ir::params_as<TransferParams>(params);
  check_transfer(OpCode::kSend, p);
  if (!p.result_types.empty())
    throw ValueError("send: there must be no results; got " + std::to_string(p.result_types.size()) + ".");
}

void eval_send(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView>) {
  const auto& p = ir::params_as<TransferParams>(params);
  if (p.source_target_pairs.empty()) return processes::send_message(open_queue(p), arrays_of(in));
  for (const Dims& pair : p.source_target_pairs)
    if (pair[0] == flattened_id())
      processes::send_message(processes::device_queue(p.channel_id, pair[0], pair[1]), arrays_of(in));
}

void jvp_send(const Call&, std::span<const Array>, Arrays&, Arrays&) {
  throw NotDifferentiableError("send: derivatives do not go through channels; got a tangent for an operand.",
                               "send stop_gradient(x), or use collective_permute, which has derivatives.");
}

void infer_recv(const ParamsBase* params, std::span<const Aval>, Avals& out) {
  const auto& p = ir::params_as<TransferParams>(params);
  check_transfer(OpCode::kRecv, p);
  infer_results(p.result_types, out);
}

void eval_recv(const ParamsBase* params, std::span<const TensorView>, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<TransferParams>(params);
  if (p.source_target_pairs.empty())
    return deliver("recv", processes::receive_message("recv", open_queue(p), p.is_host_transfer), out);
  for (const Dims& pair : p.source_target_pairs)
    if (pair[1] == flattened_id()) {
      const std::string queue = processes::device_queue(p.channel_id, pair[0], pair[1]);
      return deliver("recv", processes::receive_message("recv", queue, false), out);
    }
  for (const MutableTensorView& v : out) fill_zero(v);
}

// ---- infeed, outfeed ----

void infer_infeed(const ParamsBase* params, std::span<const Aval>, Avals& out) {
  infer_results(ir::params_as<FeedParams>(params).result_types, out);
}

void eval_infeed(const ParamsBase*, std::span<const TensorView>, std::span<const MutableTensorView> out) {
  deliver("infeed", processes::receive_message("infeed", processes::infeed_queue(), true), out);
}

void infer_outfeed(const ParamsBase* params, std::span<const Aval>, Avals&) {
  const auto& p = ir::params_as<FeedParams>(params);
  if (!p.result_types.empty())
    throw ValueError("outfeed: there must be no results; got " + std::to_string(p.result_types.size()) + ".");
}

void eval_outfeed(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView>) {
  processes::send_message(processes::outfeed_queue(), arrays_of(in));
}

}  // namespace

void lax::send(std::span<const Array> xs, const TransferParams& params, SourceLocation loc) {
  const LocationScope scope(loc, "send");
  Arrays none;
  bind(OpCode::kSend, ir::make_params(params), xs, none);
}
Arrays lax::recv(const TransferParams& params, SourceLocation loc) {
  const LocationScope scope(loc, "recv");
  Arrays outs;
  bind(OpCode::kRecv, ir::make_params(params), {}, outs);
  return outs;
}
Arrays lax::infeed(const std::vector<Aval>& result_types, const std::string& config, SourceLocation loc) {
  const LocationScope scope(loc, "infeed");
  Arrays outs;
  bind(OpCode::kInfeed, ir::make_params(FeedParams{config, result_types}), {}, outs);
  return outs;
}
void lax::outfeed(std::span<const Array> xs, const std::string& config, SourceLocation loc) {
  const LocationScope scope(loc, "outfeed");
  Arrays none;
  bind(OpCode::kOutfeed, ir::make_params(FeedParams{config, {}}), xs, none);
}

const ir::OpInfo op_infos::send{.operands = ir::takes_at_least(0),
                                .parse = ir::parse_params<TransferParams>,
                                .infer = infer_send,
                                .eval = eval_send,
                                .storage_types = true,
                                .has_effects = has_effects_always};
const OpRules op_rule_table::send{
    .jvp = jvp_send, .transpose = rules::not_linear, .batch = batch_unrolled, .factors = factors_replicated};

const ir::OpInfo op_infos::recv{.operands = ir::takes(0),
                                .parse = ir::parse_params<TransferParams>,
                                .infer = infer_recv,
                                .eval = eval_recv,
                                .storage_types = true,
                                .has_effects = has_effects_always};
const OpRules op_rule_table::recv{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_nothing, .factors = factors_replicated};

const ir::OpInfo op_infos::infeed{.operands = ir::takes(0),
                                  .parse = ir::parse_params<FeedParams>,
                                  .infer = infer_infeed,
                                  .eval = eval_infeed,
                                  .storage_types = true,
                                  .has_effects = has_effects_always};
const OpRules op_rule_table::infeed{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_nothing, .factors = factors_replicated};

const ir::OpInfo op_infos::outfeed{.operands = ir::takes_at_least(0),
                                   .parse = ir::parse_params<FeedParams>,
                                   .infer = infer_outfeed,
                                   .eval = eval_outfeed,
                                   .storage_types = true,
                                   .has_effects = has_effects_always};
const OpRules op_rule_table::outfeed{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_unrolled, .factors = factors_replicated};

}  // namespace weft
