// Which function writes each operation that is no row of operations.h, and those that depend on nothing but their form:
// written as a call of @weft.<name>, as another program, as nothing.
#include "weft/ir/callback.h"
#include "weft/ir/random.h"
#include "weft/stablehlo/exporter.h"

namespace weft::stablehlo {

bool has_weft_call(OpCode op) {
  switch (op) {
    // What neither StableHLO nor CHLO has.
    case OpCode::kBesselI0e:
    case OpCode::kIgamma:
    case OpCode::kIgammac:
    case OpCode::kIgammaGradA:
    case OpCode::kRandomGammaGrad:
    case OpCode::kRegularizedIncompleteBeta:
    case OpCode::kRegularizedIncompleteBetaGradA:
    case OpCode::kRegularizedIncompleteBetaGradB:
    case OpCode::kZetaDerivative:
    // What StableHLO has in part: no dilated windows that select, no order of complex numbers, no bounds by example.
    case OpCode::kSelectAndScatter:
    case OpCode::kSelectAndGatherAdd:
    case OpCode::kRng:
    case OpCode::kRngBitGenerator: return true;
    default: return false;
  }
}

Exporter::Handler Exporter::handler(OpCode op) {
  using E = Exporter;
  switch (op) {
    case OpCode::kCall: return &E::call;
    case OpCode::kComposite: return &E::composite;
    case OpCode::kCustomCall: return &E::custom_call;
    case OpCode::kCustomJvpCall:
    case OpCode::kCustomVjpCall:
    case OpCode::kCustomVmapCall:
    case OpCode::kCustomLinearSolve: return &E::custom_function;
    case OpCode::kCustomVjpTangent: return &E::custom_vjp_tangent;
    case OpCode::kCase: return &E::case_op;
    case OpCode::kWhile: return &E::while_op;
    case OpCode::kReduce: return &E::reduce;
    case OpCode::kArgmax:
    case OpCode::kArgmin: return &E::arg_reduce;
    case OpCode::kCumsum: return &E::cumsum;
    case OpCode::kReduceWindow: return &E::reduce_window;
    case OpCode::kSelectAndScatter: return &E::select_and_scatter;
    case OpCode::kSelectAndGatherAdd: return &E::select_and_gather_add;
    case OpCode::kGather: return &E::gather;
    case OpCode::kScatter: return &E::scatter;
    case OpCode::kSort: return &E::sort;
    case OpCode::kRng: return &E::rng;
    case OpCode::kRngBitGenerator: return &E::rng_bit_generator;
    case OpCode::kGenericReduce: return &E::generic_reduce;
    case OpCode::kGenericReduceWindow: return &E::generic_reduce_window;
    case OpCode::kGenericSort: return &E::generic_sort;
    case OpCode::kGenericScatter: return &E::generic_scatter;
    case OpCode::kGenericSelectAndScatter: return &E::generic_select_and_scatter;
    case OpCode::kAllReduce:
    case OpCode::kCollectiveReduce: return &E::all_reduce;
    case OpCode::kReduceScatter: return &E::reduce_scatter;
    case OpCode::kSend:
    case OpCode::kRecv:
    case OpCode::kInfeed:
    case OpCode::kOutfeed: return &E::transfer;
    case OpCode::kSplit:
    case OpCode::kScan:
    case OpCode::kThreefry2x32: return &E::decomposed;
    case OpCode::kCheckFinite:
    case OpCode::kCheckIndex:
    case OpCode::kStopGradient:
    case OpCode::kCheckpointName: return &E::identity;
    case OpCode::kCheckpoint: return &E::checkpoint;
    case OpCode::kHostCallback: return &E::host_callback;
    case OpCode::kCheck: return &E::check;
    default: return has_weft_call(op) ? &E::weft_call : nullptr;
  }
}

// @weft.<name>, with the parameters in Weft's own text.
void Exporter::weft_call(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const ir::Avals out = result_types(jaxpr, e);
  Values args = operands(jaxpr, e);
  std::vector<NamedAttribute> attributes{
      {"call_target_name", Attribute::string("weft." + std::string(ir::op_name(e.op)))}};
  if (e.params) {
    std::vector<std::string> pieces;
    ir::VarNames names;
    e.params->print(pieces, 0, names, 0);
    attributes.push_back({"backend_config", Attribute::string(join(pieces, " "))});
  }
  define(e, emit("stablehlo.custom_call", std::move(args), std::span<const Aval>(out), std::move(attributes)));
}

void Exporter::host_callback(const ir::Jaxpr&, const ir::Eqn& e) {
  const auto& p = ir::params_as<CallbackParams>(e.params);
  const ForcedLocation line(e.location);
  throw ValueError("stablehlo: a program that is written as text must not call functions of this process; got " +
                       std::string(kCallbackKindNames[static_cast<int>(p.kind)]) + " of " + p.name + ".",
                   "leave prints and callbacks out of the function that is written.");
}

void Exporter::check(const ir::Jaxpr&, const ir::Eqn& e) { ir::refuse_check(e); }

// Its first operands are its results. The mask of a check only says where it looks, and goes with it.
void Exporter::identity(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  Values values = operands(jaxpr, e);
  values.resize(e.out_end - e.out_begin);
  define(e, values);
}

void Exporter::decomposed(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const Staged program = decomposition(e.op, e.params.get(), operand_types(jaxpr, e));
  Values inputs;
  for (const Array& a : program.captured) inputs.push_back(constant(a));
  const Values args = operands(jaxpr, e);
  inputs.insert(inputs.end(), args.begin(), args.end());
  define(e, inline_program(program.jaxpr, std::move(inputs)));
}

void Exporter::rng(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<RngParams>(e.params);
  // Bounds that differ by example are Weft's own.
  if (jaxpr.aval(jaxpr.operands(e)[0]).ndim() > 0 || jaxpr.aval(jaxpr.operands(e)[1]).ndim() > 0)
    return weft_call(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  Values args = operands(jaxpr, e);
  args.push_back(constant(Array(std::vector<std::int64_t>(p.shape.begin(), p.shape.end()))));
  define(e, emit("stablehlo.rng", std::move(args), std::span<const Aval>(out),
                 {{"rng_distribution",
                   Attribute::other("#stablehlo<rng_distribution " +
                                    std::string(kRngDistributionNames[static_cast<int>(p.rng_distribution)]) + ">")}}));
}

void Exporter::rng_bit_generator(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  // One state per example is Weft's own.
  if (jaxpr.aval(jaxpr.operands(e)[0]).ndim() != 1) return weft_call(jaxpr, e);
  row(jaxpr, e);
}

}  // namespace weft::stablehlo
