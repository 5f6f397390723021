// Constants, functions, control flow, tuples and tokens, and the table of all operations that have functions.
#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "weft/base/error.h"
#include "weft/control/counted_loop.h"
#include "weft/stablehlo/formats.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

Importer::Handler Importer::handler(std::string_view name) {
  using I = Importer;
  static const auto* const table = new std::unordered_map<std::string_view, Handler>{
      {"stablehlo.constant", &I::constant},
      {"chlo.constant", &I::constant},
      {"chlo.constant_like", &I::constant_like},
      {"func.call", &I::call},
      {"stablehlo.composite", &I::composite},
      {"stablehlo.custom_call", &I::custom_call},
      {"stablehlo.if", &I::if_op},
      {"stablehlo.case", &I::case_op},
      {"stablehlo.while", &I::while_op},
      {"stablehlo.async_start", &I::inline_body},
      {"stablehlo.async_done", &I::pass_through},
      {"stablehlo.tuple", &I::pass_through},
      {"mhlo.copy", &I::pass_through},
      {"mhlo.add_dependency", &I::pass_through},  // of a value and a token
      {"mhlo.domain", &I::pass_through},
      {"mhlo.fusion", &I::inline_body},
      // On one device arrays are whole, wherever their parts were to lie.
      {"sdy.all_gather", &I::pass_through},
      {"sdy.all_reduce", &I::pass_through},
      {"sdy.all_slice", &I::pass_through},
      {"sdy.all_to_all", &I::pass_through},
      {"sdy.collective_permute", &I::pass_through},
      {"sdy.data_flow_edge", &I::pass_through},
      {"sdy.manual_computation", &I::inline_body},
      {"sdy.named_computation", &I::inline_body},
      {"sdy.propagation_barrier", &I::pass_through},
      {"sdy.reduce_scatter", &I::pass_through},
      {"sdy.replicated_to_unreduced", &I::pass_through},
      {"sdy.reshard", &I::pass_through},
      {"sdy.sharded_to_unreduced", &I::pass_through},
      {"sdy.sharding_constraint", &I::pass_through},
      {"sdy.sharding_group", &I::no_values},
      {"stablehlo.compare", &I::compare},
      {"stablehlo.convolution", &I::product_of_two_types},
      {"stablehlo.dot_general", &I::product_of_two_types},
      {"stablehlo.exp2", &I::exp2},
      {"stablehlo.log2", &I::log2},
      {"stablehlo.get_tuple_element", &I::get_tuple_element},
      {"stablehlo.after_all", &I::no_values},
      {"stablehlo.create_token", &I::no_values},
      {"stablehlo.trace", &I::no_values},
      {"stablehlo.optimization_barrier", &I::optimization_barrier},
      {"stablehlo.send", &I::send},
      {"stablehlo.recv", &I::recv},
      {"stablehlo.infeed", &I::infeed},
      {"stablehlo.outfeed", &I::outfeed},
      {"stablehlo.reduce", &I::reduce},
      {"stablehlo.reduce_window", &I::reduce_window},
      {"stablehlo.select_and_scatter", &I::select_and_scatter},
      {"stablehlo.gather", &I::gather},
      {"stablehlo.scatter", &I::scatter},
      {"stablehlo.sort", &I::sort},
      {"stablehlo.map", &I::map},
      {"stablehlo.all_reduce", &I::all_reduce},
      {"stablehlo.collective_reduce", &I::all_reduce},
      {"stablehlo.cross-replica-sum", &I::all_reduce},
      {"stablehlo.reduce_scatter", &I::reduce_scatter},
      {"stablehlo.all_gather", &I::each_operand},
      {"stablehlo.all_to_all", &I::each_operand},
      {"stablehlo.collective_broadcast", &I::collective_broadcast},
      {"stablehlo.rng", &I::rng},
      {"stablehlo.get_dimension_size", &I::get_dimension_size},
      {"stablehlo.set_dimension_size", &I::set_dimension_size},
      {"stablehlo.dynamic_reshape", &I::dynamic_reshape},
      {"chlo.dynamic_reshape", &I::dynamic_reshape},
      {"stablehlo.dynamic_broadcast_in_dim", &I::dynamic_broadcast_in_dim},
      {"stablehlo.dynamic_iota", &I::dynamic_iota},
      {"stablehlo.dynamic_pad", &I::dynamic_pad},
      {"stablehlo.dynamic_gather", &I::dynamic_gather},
      {"stablehlo.dynamic_conv", &I::dynamic_conv},
      {"stablehlo.real_dynamic_slice", &I::real_dynamic_slice},
      {"stablehlo.broadcast", &I::broadcast},
      {"stablehlo.dot", &I::dot},
      {"stablehlo.einsum", &I::einsum},
      {"stablehlo.unary_einsum", &I::einsum},
      {"stablehlo.torch_index_select", &I::torch_index_select},
      {"stablehlo.batch_norm_inference", &I::batch_norm_inference},
      {"stablehlo.batch_norm_training", &I::batch_norm_training},
      {"stablehlo.batch_norm_grad", &I::batch_norm_grad},
      {"stablehlo.uniform_quantize", &I::apply_quantized},
      {"stablehlo.uniform_dequantize", &I::apply_quantized},
      {"chlo.cosh", &I::chlo_cosh},
      {"chlo._asin_acos_kernel", &I::chlo_asin_acos_kernel},
      {"chlo.asin_acos_kernel", &I::chlo_asin_acos_kernel},
      {"chlo.ragged_dot", &I::ragged_dot},
      {"chlo.minimum_broadcast_shapes", &I::minimum_broadcast_shapes},
      {"chlo.scan", &I::scan},
      {"chlo.top_k", &I::top_k},
      {"mhlo.topk", &I::top_k},
  };
  if (const auto it = table->find(name); it != table->end()) return it->second;
  return std::ranges::find(broadcasting_operations(), name) != broadcasting_operations().end() ? &I::chlo_broadcast
                                                                                               : nullptr;
}

// ---- constants ----

void Importer::constant(const Op& op, Operands, Results& results) {
  give(op, dense_array(module_, reader(op).required("value")), results);
}

void Importer::constant_like(const Op& op, Operands operands, Results& results) {
  const Attribute* value = &reader(op).required("value");
  if (value->kind != Attribute::Kind::kNumber) reader(op).mistyped(*value, "value", "a number");
  const Aval type = single(op, operands, 0).aval();
  Attribute dense = Attribute::dense(value->text, type_of(type));
  dense.place = value->place;
  give(op, dense_array(module_, dense), results);
}

// ---- functions ----

void Importer::call(const Op& op, Operands operands, Results& results) {
  const std::string callee = reader(op).text("callee");
  if (eager_ && evaluating()) return call_now(op, callee, operands, results);
  const Staged& f = function(callee, op);
  Arrays args = f.captured;
  const Arrays own = flat(operands);
  args.append(own.begin(), own.end());
  give(op, bind_all(OpCode::kCall, ir::make_params(CallParams{callee, f.jaxpr}), args), results);
}

void Importer::call_now(const Op& op, const std::string& callee, Operands operands, Results& results) {
  const Op* f = find_function(callee);
  if (!f) fail(op, "there must be a function @" + callee + ".");
  enter(*f, op);
  const Arrays outs = run_function(*f, flat(operands));
  staging_.pop_back();
  give(op, outs, results);
}

void Importer::composite(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  if (eager_ && evaluating()) return call_now(op, from.text("decomposition", ""), operands, results);
  CompositeParams p;
  p.name = from.text("name");
  p.version = from.integer("version", 0);
  if (const Attribute* a = from.find("composite_attributes");
      a && a->kind == Attribute::Kind::kDictionary && !a->items.empty())
    p.attributes = attribute_text(*a);
  const Staged& f = function(from.text("decomposition"), op);
  p.decomposition = f.jaxpr;
  Arrays args = f.captured;
  const Arrays own = flat(operands);
  args.append(own.begin(), own.end());
  give(op, bind_all(OpCode::kComposite, ir::make_params(std::move(p)), args), results);
}

// ---- control flow ----

void Importer::if_op(const Op& op, Operands operands, Results& results) {
  need_regions(op, 2);
  branches(op, single(op, operands, 0), {&op.regions[1], &op.regions[0]}, results);
}

void Importer::case_op(const Op& op, Operands operands, Results& results) {
  if (op.regions.empty()) fail(op, "there must be at least one region; got none.");
  std::vector<const Region*> regions;
  regions.reserve(op.regions.size());
  for (const Region& r : op.regions) regions.push_back(&r);
  branches(op, single(op, operands, 0), std::move(regions), results);
}

// Every branch takes what any of them captures: branches of a `case` have no constants of their own.
void Importer::branches(const Op& op, const Array& index, std::vector<const Region*> regions, Results& results) {
  for (const Region* r : regions) region_arguments(op, *r, 0);
  if (eager_ && evaluating()) {
    std::int64_t i = index.dtype() == boolean ? static_cast<std::int64_t>(index.item<bool>())
                                              : lax::convert(index, i64).item<std::int64_t>();
    const auto n = static_cast<std::int64_t>(regions.size());
    if (i < 0 || i >= n) i = n - 1;
    Arrays all;
    for (const Arrays& list : run_region(*regions[static_cast<std::size_t>(i)], {}))
      all.append(list.begin(), list.end());
    return give(op, all, results);
  }
  std::vector<Staged> staged;
  Arrays captured;
  std::unordered_map<const void*, std::size_t> places;  // of what is captured, by identity
  for (const Region* r : regions) {
    staged.push_back(stage_region(op, *r));
    for (const Array& a : staged.back().captured)
      if (places.try_emplace(a.id(), captured.size()).second) captured.push_back(a);
  }
  // In the order of the text, in which `if` has the branch for true first.
  const ir::Avals declared = avals(op.results);
  for (const Region& r : op.regions) {
    const Op& returned = r.body().ops.empty() ? op : r.body().ops.back();
    const auto i = static_cast<std::size_t>(std::ranges::find(regions, &r) - regions.begin());
    const ir::Avals got = staged[i].jaxpr.output_avals();
    if (got.size() != declared.size())
      fail(returned, "there must be one value per result of " + op.name + "; got " +
                         count_str(static_cast<std::int64_t>(got.size()), "value", "values") + " for " +
                         count_str(static_cast<std::int64_t>(declared.size()), "result", "results") + ".");
    for (std::size_t k = 0; k < got.size(); ++k)
      if (got[k] != declared[k])
        fail(returned, "values must have the result types of " + op.name + "; got " + got[k].str() + " for " +
                           declared[k].str() + ", result " + std::to_string(k) + ".");
  }
  ir::Avals inputs = avals_of(captured);
  CaseParams p;
  for (const Staged& s : staged)
    p.branches.push_back(stage(
                             [&](std::span<const Array> args, Arrays& outs) {
                               Arrays own;
                               for (const Array& a : s.captured) own.push_back(args[places.at(a.id())]);
                               eval_jaxpr(s.jaxpr, own, outs);
                             },
                             inputs, op.name)
                             .jaxpr);
  Arrays args{index};
  args.append(captured.begin(), captured.end());
  give(op, bind_all(OpCode::kCase, ir::make_params(std::move(p)), args), results);
}

namespace {

// The value of an integer scalar, unless i64 does not have it.
std::optional<std::int64_t> integer_value(const Array& a) {
  const CurrentTrace evaluate(nullptr);
  const auto v = lax::convert(a, i64).item<std::int64_t>();
  if (a.dtype() == u64 && v < 0) return std::nullopt;
  return v;
}

}  // namespace

void Importer::while_op(const Op& op, Operands operands, Results& results) {
  need_regions(op, 2);
  for (const Region& r : op.regions) region_arguments(op, r, operands.size());
  if (eager_ && evaluating()) {
    Results carry(operands.begin(), operands.end());
    for (;;) {
      const Results go = run_region(op.regions[0], carry);
      if (go.size() != 1 || go[0].size() != 1 || go[0][0].aval() != Aval(boolean, {}))
        fail(op, "the condition must give one boolean.");
      if (!static_cast<bool>(go[0][0])) break;
      Results next = run_region(op.regions[1], carry);
      if (next.size() != carry.size())
        fail(op, "the body must return as many values as are carried; got " + std::to_string(next.size()) + " for " +
                     std::to_string(carry.size()) + ".");
      carry = std::move(next);
    }
    results = std::move(carry);
    return;
  }
  Staged condition = stage_region(op, op.regions[0]);
  Staged body = stage_region(op, op.regions[1]);
  Arrays args = condition.captured;
  args.append(body.captured.begin(), body.captured.end());
  const Arrays carry = flat(operands);
  args.append(carry.begin(), carry.end());
  const ir::Params loop = ir::make_params(WhileParams{condition.jaxpr, body.jaxpr});
  if (fits(OpCode::kWhile, loop, args))
    if (const auto counted = control::counted_loop(condition.jaxpr, body.jaxpr, args, integers_among(op, args)))
      return give(op, *counted, results);
  give(op, bind_all(OpCode::kWhile, loop, args), results);
}

// Which of `args` are integers that the text determines: values that the operation uses, or that its regions do.
std::vector<std::optional<std::int64_t>> Importer::integers_among(const Op& op, std::span<const Array> args) {
  std::unordered_map<const void*, ValueId> values;  // by identity
  const auto note = [&](const auto& self, const Op& user) -> void {
    for (const ValueId v : user.operands)
      if (values_[v].size() == 1) values.emplace(values_[v][0].id(), v);
    for (const Region& r : user.regions)
      for (const Block& b : r.blocks)
        for (const Op& inner : b.ops) self(self, inner);
  };
  note(note, op);
  std::vector<std::optional<std::int64_t>> integers(args.size());
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i].ndim() != 0 || !is_integer(args[i].dtype())) continue;
    const auto value = values.find(args[i].id());
    const std::optional<Array> a = args[i].buffer()        ? std::optional(args[i])
                                   : value != values.end() ? known(value->second)
                                                           : std::nullopt;
    if (a) integers[i] = integer_value(*a);
  }
  return integers;
}

// ---- tuples, futures, tokens, identities ----

// Operations that mean their body: a future is what its body returns, computed when it is asked for, which is now.
void Importer::inline_body(const Op& op, Operands operands, Results& results) {
  need_regions(op, 1);
  // A fusion may use what is around it instead of taking it.
  if (op.name == "mhlo.fusion" && !op.regions[0].blocks.empty() && op.regions[0].body().arguments.empty())
    operands = {};
  region_arguments(op, op.regions[0], operands.size());
  const std::vector<ValueId>& arguments = op.regions[0].body().arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (!same_type(module_.type(arguments[i]), module_.type(op.operands[i])))
      fail(op, "arguments of the body must have the operands' types; got " + module_.type(arguments[i])->text +
                   " for " + module_.type(op.operands[i])->text + ", operand " + std::to_string(i) + ".");
  Arrays all;
  for (const Arrays& list : run_region(op.regions[0], operands)) all.append(list.begin(), list.end());
  give(op, all, results);
}

void Importer::pass_through(const Op& op, Operands operands, Results& results) { give(op, flat(operands), results); }

void Importer::get_tuple_element(const Op& op, Operands operands, Results& results) {
  const std::int64_t index = reader(op).integer("index");
  need_operands(op, 1);
  const TypeRef& type = module_.type(op.operands[0]);
  if (type->kind != Type::Kind::kTuple || index < 0 || index >= static_cast<std::int64_t>(type->parts.size()))
    fail(op, "the operand must be a tuple with an element " + std::to_string(index) + "; got " + type->text + ".");
  ir::Avals before, own;
  for (std::int64_t i = 0; i < index; ++i) flatten(type->parts[static_cast<std::size_t>(i)], before);
  flatten(type->parts[static_cast<std::size_t>(index)], own);
  give(op, std::span<const Array>(operands[0]).subspan(before.size(), own.size()), results);
}

void Importer::no_values(const Op& op, Operands, Results& results) { give(op, std::span<const Array>(), results); }

void Importer::optimization_barrier(const Op& op, Operands operands, Results& results) {
  const Arrays args = flat(operands);
  if (args.empty()) return give(op, args, results);
  give(op, bind_all(OpCode::kOptimizationBarrier, {}, args), results);
}

// ---- transfers: their tokens are the order of the program ----

namespace {

TransferParams transfer(const AttributeReader& from) {
  TransferParams p;
  std::tie(p.channel_id, p.channel_type) = read_channel(from);
  p.is_host_transfer = from.boolean("is_host_transfer", false);
  if (from.has("source_target_pairs")) p.source_target_pairs = from.matrix("source_target_pairs");
  return p;
}

}  // namespace

void Importer::send(const Op& op, Operands operands, Results& results) {
  give(op, bind_all(OpCode::kSend, ir::make_params(transfer(reader(op))), flat(operands)), results);
}

void Importer::recv(const Op& op, Operands operands, Results& results) {
  TransferParams p = transfer(reader(op));
  const ir::Avals types = avals(op.results);
  p.result_types.assign(types.begin(), types.end());
  give(op, bind_all(OpCode::kRecv, ir::make_params(std::move(p)), flat(operands)), results);
}

void Importer::infeed(const Op& op, Operands operands, Results& results) {
  FeedParams p{reader(op).text("infeed_config", ""), {}};
  const ir::Avals types = avals(op.results);
  p.result_types.assign(types.begin(), types.end());
  give(op, bind_all(OpCode::kInfeed, ir::make_params(std::move(p)), flat(operands)), results);
}

void Importer::outfeed(const Op& op, Operands operands, Results& results) {
  FeedParams p{reader(op).text("outfeed_config", ""), {}};
  give(op, bind_all(OpCode::kOutfeed, ir::make_params(std::move(p)), flat(operands)), results);
}

}  // namespace weft::stablehlo
