// Calls, branches and loops, and transfers, whose order tokens keep.
#include "weft/base/error.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/custom_rules.h"
#include "weft/stablehlo/exporter.h"

namespace weft::stablehlo {

// ---- calls ----

void Exporter::call(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<CallParams>(e.params);
  Values args = operands(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  define(e, emit("func.call", std::move(args), std::span<const Aval>(out),
                 {{"callee", Attribute::symbol(symbol_for(p.jaxpr, p.name))}}));
}

void Exporter::composite(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<CompositeParams>(e.params);
  Values args = operands(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  std::vector<NamedAttribute> attributes{{"name", Attribute::string(p.name)}};
  if (!p.attributes.empty()) attributes.push_back({"composite_attributes", parse_attribute(p.attributes)});
  attributes.push_back({"decomposition", Attribute::symbol(symbol_for(p.decomposition, p.name + ".impl"))});
  if (p.version != 0) attributes.push_back({"version", Attribute::integer(p.version, "i32")});
  define(e, emit("stablehlo.composite", std::move(args), std::span<const Aval>(out), std::move(attributes)));
}

// Custom rules are Weft's own: what is written is the function.
void Exporter::custom_function(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const ir::Jaxpr* program = ir::custom_program(e.op, e.params.get());
  Values args = operands(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  const std::string symbol = symbol_for(*program, ir::custom_name(e.op, e.params.get()));
  define(e, emit("func.call", std::move(args), std::span<const Aval>(out), {{"callee", Attribute::symbol(symbol)}}));
}

void Exporter::custom_vjp_tangent(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<CustomVjpTangentParams>(e.params);
  if (!p.jvp.is_program())
    throw NotDifferentiableError("stablehlo: a program must have a value; got a forward derivative of " + p.name +
                                     ", which custom_vjp gave rules for reverse mode only.",
                                 "give custom_vjp a jvp rule as its fourth argument.");
  const Values all = operands(jaxpr, e);
  const auto captures = static_cast<std::ptrdiff_t>(p.num_captures);
  Values args(all.begin(), all.begin() + captures);
  args.insert(args.end(), all.begin() + captures + static_cast<std::ptrdiff_t>(p.num_residuals), all.end());
  const ir::Avals out = result_types(jaxpr, e);
  define(e, emit("func.call", std::move(args), std::span<const Aval>(out),
                 {{"callee", Attribute::symbol(symbol_for(p.jvp.program(), p.name + ".jvp"))}}));
}

// Its program, in place. What is computed again stays apart by a barrier.
void Exporter::checkpoint(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<CheckpointParams>(e.params);
  Values args = operands(jaxpr, e);
  if (p.differentiated && !args.empty()) {
    const ir::Avals types = operand_types(jaxpr, e);
    args = emit("stablehlo.optimization_barrier", std::move(args), std::span<const Aval>(types));
  }
  define(e, inline_program(p.jaxpr, std::move(args)));
}

namespace {

// A dictionary in the parameters' text is one in the program's; other text may only look like one.
Attribute config_attribute(const std::string& config) {
  if (!config.starts_with('{')) return Attribute::string(config);
  try {
    return parse_attribute(config);
  } catch (const ParseError&) {
    return Attribute::string(config);
  }
}

}  // namespace

void Exporter::custom_call(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<CustomCallParams>(e.params);
  Values args = operands(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  std::vector<NamedAttribute> attributes{{"call_target_name", Attribute::string(p.call_target_name)}};
  if (p.has_side_effect) attributes.push_back({"has_side_effect", Attribute::boolean(true)});
  if (!p.backend_config.empty()) {
    attributes.push_back({"backend_config", config_attribute(p.backend_config)});
  }
  if (p.api_version != 1) attributes.push_back({"api_version", Attribute::integer(p.api_version, "i32")});
  define(e, emit("stablehlo.custom_call", std::move(args), std::span<const Aval>(out), std::move(attributes)));
}

// ---- control flow ----

void Exporter::case_op(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<CaseParams>(e.params);
  const Values args = operands(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  const bool predicate = jaxpr.aval(jaxpr.operands(e)[0]).dtype() == boolean && p.branches.size() == 2;
  std::vector<Region> regions;
  regions.reserve(p.branches.size());
  // All that branches take is in scope where they stand. `if` has the branch for true first.
  for (std::size_t i = 0; i < p.branches.size(); ++i)
    regions.push_back(region(p.branches[predicate ? 1 - i : i], std::span(args).subspan(1)));
  define(e, emit(predicate ? "stablehlo.if" : "stablehlo.case", {args[0]}, std::span<const Aval>(out), {},
                 std::move(regions)));
}

void Exporter::while_op(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const auto& p = ir::params_as<WhileParams>(e.params);
  const Values args = operands(jaxpr, e);
  const ir::Avals out = result_types(jaxpr, e);
  const std::size_t nc = p.cond_jaxpr.num_consts(), nb = p.body_jaxpr.num_consts();
  // Both regions start from the same names, as the short form of a loop needs.
  std::vector<Region> regions;
  regions.push_back(region(p.cond_jaxpr, std::span(args).first(nc)));
  regions.push_back(region(p.body_jaxpr, std::span(args).subspan(nc, nb)));
  define(e, emit("stablehlo.while", Values(args.begin() + static_cast<std::ptrdiff_t>(nc + nb), args.end()),
                 std::span<const Aval>(out), {}, std::move(regions)));
}

// ---- transfers ----

ValueId Exporter::token() {
  if (!token_) {
    const TypeRef type = token_type();
    token_ = emit("stablehlo.after_all", {}, std::span<const TypeRef>(&type, 1))[0];
  }
  return *token_;
}

// The token of one transfer is the operand of the next: their order in the program.
void Exporter::transfer(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  Values args = operands(jaxpr, e);
  args.push_back(token());
  const char* name = nullptr;
  if (e.op == OpCode::kSend || e.op == OpCode::kRecv) {
    const auto& p = ir::params_as<TransferParams>(e.params);
    name = e.op == OpCode::kSend ? "stablehlo.send" : "stablehlo.recv";
    write_channel(p.channel_id, p.channel_type, to);
    to.add("is_host_transfer", Attribute::boolean(p.is_host_transfer));
    if (!p.source_target_pairs.empty()) to.add("source_target_pairs", dense_matrix(p.source_target_pairs, 2));
  } else {
    const auto& p = ir::params_as<FeedParams>(e.params);
    name = e.op == OpCode::kInfeed ? "stablehlo.infeed" : "stablehlo.outfeed";
    if (!p.config.empty())
      to.add(e.op == OpCode::kInfeed ? "infeed_config" : "outfeed_config", Attribute::string(p.config));
  }
  std::vector<TypeRef> types;
  for (const Aval a : out) types.push_back(type_of(a));
  types.push_back(token_type());
  Values results = emit(name, std::move(args), std::span<const TypeRef>(types), std::move(to.attributes));
  token_ = results.back();
  results.pop_back();
  define(e, results);
}

}  // namespace weft::stablehlo
