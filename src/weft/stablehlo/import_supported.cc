// What of a program can be run, looked at as a whole before anything is: one error names all that cannot.
#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_set>
#include <utility>

#include "weft/core/custom_call.h"
#include "weft/stablehlo/formats.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

namespace {

// Why a value of this type cannot be computed, or "".
std::string refusal(const TypeRef& type, bool quantized) {
  if (type->kind == Type::Kind::kToken) return {};
  if (type->kind == Type::Kind::kTuple || type->kind == Type::Kind::kFuture) {
    for (const TypeRef& part : type->parts)
      if (std::string why = refusal(part, quantized); !why.empty()) return why;
    return {};
  }
  if (type->text.starts_with("!mhlo.async_bundle"))
    return type->text + " is of asynchronous calls, which run in XLA only";
  if (type->kind != Type::Kind::kTensor) return type->text + " is no type of values";
  if (!type->is_static()) return type->text + " has a size that only the run knows";
  if (type->element.starts_with("!quant.")) {
    if (!quantization(type->element)) return type->text + " is a quantised type without integers to compute on";
    if (!quantized) return type->text + " is quantised";
  } else if (!element_dtype(type->element)) {
    return type->text + " has an element type that Weft does not have";
  }
  try {
    Aval(f32, type->shape);
  } catch (const Error& e) {
    std::string why = type->text + ": " + e.message();
    if (why.ends_with('.')) why.pop_back();
    return why;
  }
  return {};
}

// Operations whose attributes say what they compute, and those attributes: a misspelt one must not go unnoticed. Beside
// those that are read stand those that say nothing here: how precise or how fast, where arrays lie, what else is true.
struct Attributes {
  std::string_view op, read, unread;
};
constexpr std::string_view kWindow = "window_dimensions window_strides base_dilations window_dilations padding";
constexpr std::string_view kConvolution =
    "window_strides padding lhs_dilation rhs_dilation window_reversal dimension_numbers feature_group_count "
    "batch_group_count";
constexpr Attributes kAttributes[] = {
    {"func.call", "callee", "arg_attrs res_attrs no_inline"},
    {"stablehlo.all_gather", "all_gather_dim replica_groups channel_handle use_global_device_ids", ""},
    {"stablehlo.all_reduce", "replica_groups channel_handle use_global_device_ids", ""},
    {"stablehlo.all_to_all",
     "split_dimension concat_dimension split_count replica_groups channel_handle "
     "use_global_device_ids",
     ""},
    {"stablehlo.batch_norm_grad", "epsilon feature_index", ""},
    {"stablehlo.batch_norm_inference", "epsilon feature_index", ""},
    {"stablehlo.batch_norm_training", "epsilon feature_index", ""},
    {"stablehlo.broadcast", "broadcast_sizes", ""},
    {"stablehlo.broadcast_in_dim", "broadcast_dimensions", ""},
    {"stablehlo.cbrt", "", "result_accuracy"},
    {"stablehlo.cholesky", "lower", ""},
    {"stablehlo.collective_broadcast", "replica_groups channel_handle use_global_device_ids has_dynamic_root", ""},
    {"stablehlo.collective_permute", "source_target_pairs channel_handle", ""},
    {"stablehlo.collective_reduce", "replica_groups channel_handle use_global_device_ids", ""},
    {"stablehlo.compare", "comparison_direction compare_type", ""},
    {"stablehlo.composite", "name version composite_attributes decomposition", ""},
    {"stablehlo.concatenate", "dimension", ""},
    {"stablehlo.constant", "value", ""},
    {"stablehlo.convolution", kConvolution, "precision_config"},
    {"stablehlo.cosine", "", "result_accuracy"},
    {"stablehlo.cross-replica-sum", "replica_groups channel_handle use_global_device_ids", ""},
    {"stablehlo.custom_call",
     "call_target_name has_side_effect backend_config mhlo.backend_config api_version called_computations "
     "error_message",
     "operand_layouts result_layouts output_operand_aliases custom_call_schedule result_tilings"},
    {"stablehlo.dot", "", "precision_config"},
    {"stablehlo.dot_general", "dot_dimension_numbers", "precision_config algorithm"},
    {"stablehlo.dynamic_broadcast_in_dim", "broadcast_dimensions",
     "known_expanding_dimensions known_nonexpanding_dimensions"},
    {"stablehlo.dynamic_conv", kConvolution, "precision_config"},
    {"stablehlo.dynamic_gather", "dimension_numbers", "indices_are_sorted"},
    {"stablehlo.dynamic_iota", "iota_dimension", ""},
    {"stablehlo.dynamic_slice", "slice_sizes", ""},
    {"stablehlo.einsum", "einsum_config", ""},
    {"stablehlo.exp2", "", "result_accuracy"},
    {"stablehlo.exponential", "", "result_accuracy"},
    {"stablehlo.exponential_minus_one", "", "result_accuracy"},
    {"stablehlo.fft", "fft_type fft_length", ""},
    {"stablehlo.gather", "dimension_numbers slice_sizes", "indices_are_sorted"},
    {"stablehlo.get_dimension_size", "dimension", ""},
    {"stablehlo.get_tuple_element", "index", ""},
    {"stablehlo.infeed", "infeed_config", "layout"},
    {"stablehlo.iota", "iota_dimension", ""},
    {"stablehlo.log", "", "result_accuracy"},
    {"stablehlo.log2", "", "result_accuracy"},
    {"stablehlo.log_plus_one", "", "result_accuracy"},
    {"stablehlo.logistic", "", "result_accuracy"},
    {"stablehlo.map", "", "dimensions"},
    {"stablehlo.outfeed", "outfeed_config", ""},
    {"stablehlo.pad", "edge_padding_low edge_padding_high interior_padding", ""},
    {"stablehlo.recv", "channel_handle is_host_transfer source_target_pairs", ""},
    {"stablehlo.reduce", "dimensions", ""},
    {"stablehlo.reduce_precision", "exponent_bits mantissa_bits", ""},
    {"stablehlo.reduce_scatter", "scatter_dimension replica_groups channel_handle use_global_device_ids", ""},
    {"stablehlo.reduce_window", kWindow, ""},
    {"stablehlo.reverse", "dimensions", ""},
    {"stablehlo.rng", "rng_distribution", ""},
    {"stablehlo.rng_bit_generator", "rng_algorithm", ""},
    {"stablehlo.rsqrt", "", "result_accuracy"},
    {"stablehlo.scatter", "scatter_dimension_numbers unique_indices", "indices_are_sorted"},
    // Weft writes dilations, which StableHLO does not have here.
    {"stablehlo.select_and_scatter", kWindow, ""},
    {"stablehlo.send", "channel_handle is_host_transfer source_target_pairs", ""},
    {"stablehlo.set_dimension_size", "dimension", ""},
    {"stablehlo.sine", "", "result_accuracy"},
    {"stablehlo.slice", "start_indices limit_indices strides", ""},
    {"stablehlo.sort", "dimension is_stable", ""},
    {"stablehlo.sqrt", "", "result_accuracy"},
    {"stablehlo.tan", "", "result_accuracy"},
    {"stablehlo.tanh", "", "result_accuracy"},
    {"stablehlo.torch_index_select", "dim batch_dims", ""},
    {"stablehlo.trace", "", "tag"},
    {"stablehlo.transpose", "permutation", ""},
    {"stablehlo.triangular_solve", "left_side lower unit_diagonal transpose_a", ""},
    {"stablehlo.unary_einsum", "einsum_config", ""},
    {"chlo.broadcast_compare", "broadcast_dimensions comparison_direction compare_type", ""},
    {"chlo.constant", "value", ""},
    {"chlo.constant_like", "value", ""},
    {"chlo.ragged_dot", "ragged_dot_dimension_numbers", "precision_config"},
    {"chlo.scan", "dimension is_reverse scan_dim_size operandSegmentSizes resultSegmentSizes", "is_associative"},
    {"chlo.top_k", "k largest", ""},
    {"mhlo.copy", "", "cross_program_prefetch_index"},
    {"mhlo.topk", "k largest", ""},
    {"sdy.all_gather", "", "gathering_axes out_sharding"},
    {"sdy.all_reduce", "", "reduction_axes out_sharding"},
    {"sdy.all_slice", "", "slicing_axes out_sharding"},
    {"sdy.all_to_all", "", "params out_sharding"},
    {"sdy.collective_permute", "", "out_sharding"},
    {"sdy.data_flow_edge", "", "sharding"},
    {"sdy.manual_computation", "", "in_shardings out_shardings manual_axes"},
    {"sdy.named_computation", "", "name in_shardings out_shardings"},
    {"sdy.propagation_barrier", "", "allowed_direction"},
    {"sdy.reduce_scatter", "", "reduce_scatter_axes out_sharding"},
    {"sdy.replicated_to_unreduced", "", "axes out_sharding"},
    {"sdy.reshard", "", "sharding"},
    {"sdy.sharded_to_unreduced", "", "axes out_sharding"},
    {"sdy.sharding_constraint", "", "sharding"},
    {"sdy.sharding_group", "", "group_id"},
};

void add_words(std::string_view text, std::vector<std::string_view>& words) {
  while (!text.empty()) {
    const std::size_t n = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, n));
    text.remove_prefix(std::min(n + 1, text.size()));
  }
}

// Whether `a` becomes `b` by at most `most` insertions, deletions and replacements of a letter.
bool within_edits(std::string_view a, std::string_view b, std::size_t most) {
  if (a.size() > b.size() + most || b.size() > a.size() + most) return false;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back() <= most;
}

// Whether somebody who wrote `name` may have meant one of these: one or two letters of a long name are wrong.
bool is_misspelt(std::string_view name, const std::vector<std::string_view>& known) {
  return std::ranges::any_of(
      known, [&](std::string_view k) { return within_edits(name, k, std::min<std::size_t>(2, k.size() / 3)); });
}

// The symbols of functions that the operation calls.
std::vector<std::string_view> called_symbols(const Op& op) {
  std::vector<std::string_view> symbols;
  const auto add = [&](const Attribute* a) {
    if (a && (a->kind == Attribute::Kind::kSymbol || a->kind == Attribute::Kind::kString)) symbols.push_back(a->text);
  };
  if (op.name == "func.call") add(op.find("callee"));
  if (op.name == "stablehlo.composite") add(op.find("decomposition"));
  if (op.name == "stablehlo.custom_call" && calls_computations(op))
    for (const NamedAttribute& item : op.find("called_computations")->items) add(&item.value);
  return symbols;
}

// What a composite's regions compute, its decomposition says again.
// The first values, if any, of which the operation has a part where its body has the whole, or the other way round.
std::optional<std::pair<TypeRef, TypeRef>> sharded(const Module& module, const Op& op) {
  if (op.regions.size() != 1 || op.regions[0].blocks.empty()) return std::nullopt;
  const Block& body = op.regions[0].body();
  const auto differ = [&](const std::vector<ValueId>& wholes,
                          const std::vector<ValueId>& parts) -> std::optional<std::pair<TypeRef, TypeRef>> {
    for (std::size_t i = 0; i < std::min(wholes.size(), parts.size()); ++i)
      if (!same_type(module.type(wholes[i]), module.type(parts[i])))
        return std::pair(module.type(wholes[i]), module.type(parts[i]));
    return std::nullopt;
  };
  if (const auto pair = differ(op.operands, body.arguments)) return pair;
  return body.ops.empty() ? std::nullopt : differ(op.results, body.ops.back().operands);
}

bool runs_regions(const Op& op) { return op.name != "stablehlo.composite"; }

}  // namespace

std::optional<KnownAttributes> known_attributes(std::string_view op) {
  static const auto* const table = [] {
    auto* m = new std::unordered_map<std::string_view, KnownAttributes>;
    for (const Attributes& row : kAttributes) {
      KnownAttributes& known = (*m)[row.op];
      add_words(row.read, known.read);
      add_words(row.unread, known.unread);
    }
    for (const std::string_view broadcasting : broadcasting_operations())
      m->try_emplace(broadcasting, KnownAttributes{{"broadcast_dimensions"}, {}});
    return m;
  }();
  const auto it = table->find(op);
  return it == table->end() ? std::nullopt : std::optional(it->second);
}

bool Importer::custom_call_is_known(const Op& op) const {
  const Attribute* target = op.find("call_target_name");
  if (!target || target->kind != Attribute::Kind::kString || allow_unregistered_) return true;
  const std::string& name = target->text;
  if (is_read_as_other(name) || is_library_call(name)) return true;
  if (is_python_callback(name))
    return std::ranges::all_of(op.results, [&](ValueId v) { return module_.type(v)->kind == Type::Kind::kToken; });
  if (extension_ && name.starts_with("check.")) return true;
  return std::ranges::binary_search(registered_custom_calls(), name);
}

// compare_type says how numbers of the operands' type are ordered; none is as good as the right one.
void Importer::check_comparison(const Op& op, Refusals& refusals) const {
  const Attribute* a = op.find("compare_type");
  if (!a || a->kind != Attribute::Kind::kOther || op.operands.empty()) return;
  std::string_view type = a->text;
  type = type.substr(type.rfind(' ') + 1);
  if (type.ends_with('>')) type.remove_suffix(1);
  const std::optional<DType> t = element_dtype(module_.type(op.operands[0])->element);
  constexpr std::string_view kTypes[] = {"FLOAT", "TOTALORDER", "SIGNED", "UNSIGNED", "WEAKORDER"};
  if (!t || std::ranges::find(kTypes, type) == std::end(kTypes) || type == comparison_type(*t, false)) return;
  if (is_float(*t) && (type == "TOTALORDER" || type == "WEAKORDER")) return;
  refusals.push_back({a->place,
                      op.name + ": compare_type must be " + std::string(comparison_type(*t, false)) +
                          (is_float(*t) ? " or TOTALORDER" : "") + " for " + module_.type(op.operands[0])->element +
                          "; got " + std::string(type),
                      true});
}

void Importer::check_op(const Op& op, Refusals& refusals) {
  if (const std::optional<Op> inner = encoded_operation(op)) return check_op(*inner, refusals);
  const auto report = [&](TextPosition place, const std::string& why, bool invalid = false) {
    refusals.push_back({place, op.name + ": " + why, invalid});
  };
  const bool structural = op.name == "func.func" || op.name.ends_with(".return") || op.name == "func.call" ||
                          op.name == "stablehlo.composite" || op.name == "stablehlo.tuple" ||
                          op.name == "stablehlo.get_tuple_element";
  const bool quantized = structural || may_be_quantized(op.name);
  const bool checks = op.name.starts_with("check.") || op.name.starts_with("interpreter.");
  const bool known_op = structural || handler(op.name) != nullptr || operation_named(op.name) || (checks && extension_);
  if (!known_op) report(op.place, std::string(reason_of_unknown(op.name)));

  std::set<std::string> reasons;  // one per type
  const auto look_at = [&](const TypeRef& type) {
    if (std::string why = refusal(type, quantized); !why.empty()) reasons.insert(std::move(why));
  };
  const auto values = [&](std::span<const ValueId> vs) {
    for (const ValueId v : vs) look_at(module_.type(v));
  };
  values(op.results);
  values(op.operands);
  if (const Attribute* type = op.find("function_type"); type && type->type && op.name == "func.func")
    for (const TypeRef& part : type->type->parts) look_at(part);
  for (const Region& r : op.regions)
    for (const Block& b : r.blocks) values(b.arguments);
  for (const std::string& why : reasons) report(op.place, why);

  if (const std::optional<KnownAttributes> known = known_attributes(op.name)) {
    std::vector<std::string_view> names = known->read;
    names.insert(names.end(), known->unread.begin(), known->unread.end());
    // Of names that nobody knows, front ends may write any beside the operation's own, dialect or not.
    for (std::size_t i = 0; i < op.attributes.size(); ++i) {
      const NamedAttribute& a = op.attributes[i];
      if (std::ranges::find(names, a.name) != names.end() || a.name.find('.') != std::string::npos) continue;
      if (i < op.num_inherent || is_misspelt(a.name, names))
        report(a.value.place, "there is no attribute " + a.name + " (known: " + join(names, ", ") + ")", true);
    }
  }

  if (op.name == "sdy.manual_computation")
    if (const auto part = sharded(module_, op))
      report(op.place, "its body computes on parts of arrays, " + part->second->text + " of " + part->first->text +
                           ", and Weft does not run sharded programs yet");

  if (op.name == "stablehlo.custom_call" && !custom_call_is_known(op)) {
    const std::string& target = op.find("call_target_name")->text;
    const std::string missing = library_refusal(target);
    report(op.place, is_python_callback(target) ? "@" + target + " calls back into Python"
                     : !missing.empty()         ? "@" + target + ": " + missing
                                                : "the target must be registered; got @" + target);
  }
  if (op.name == "stablehlo.compare" || op.name == "chlo.broadcast_compare") check_comparison(op, refusals);

  for (const Region& r : op.regions)
    for (const Block& b : r.blocks)
      for (std::size_t i = 0; i + 1 < b.ops.size(); ++i)
        if (b.ops[i].name.ends_with(".return"))
          refusals.push_back({b.ops[i].place, b.ops[i].name + ": a return must be the last operation", true});
}

std::vector<const Op*> Importer::called_from(const Op& function) {
  std::vector<const Op*> found{&function};
  std::unordered_set<const Op*> seen{&function};
  // Regions nest no deeper than the parser allows.
  const auto visit = [&](const auto& self, const Op& op) -> void {
    for (const std::string_view symbol : called_symbols(op))
      if (const Op* called = find_function(symbol); called && seen.insert(called).second) found.push_back(called);
    if (!runs_regions(op)) return;
    for (const Region& r : op.regions)
      for (const Block& b : r.blocks)
        for (const Op& inner : b.ops) self(self, inner);
  };
  for (std::size_t i = 0; i < found.size(); ++i) {
    const ScopeOf scope(*this, *found[i]);
    visit(visit, *found[i]);
  }
  return found;
}

namespace {

// The operations of a module and of modules in it, in the order of the text.
void operations_of(const Op& scope, std::vector<const Op*>& found) {
  for (const Op& op : scope.regions.front().blocks.front().ops) {
    found.push_back(&op);
    if (op.name == "builtin.module") operations_of(op, found);
  }
}

}  // namespace

Refusals Importer::reached(const std::vector<const Op*>& functions, const Refusals& refusals) const {
  Refusals found;
  if (refusals.empty()) return found;
  std::vector<const Op*> ops;
  operations_of(module_.top, ops);
  const auto order = [](TextPosition p) { return std::pair(p.line, p.column); };
  for (const Refusal& r : refusals) {
    const Op* owner = nullptr;
    for (const Op* op : ops)
      if (order(op->place) <= order(r.place)) owner = op;
    if (!owner || std::ranges::find(functions, owner) != functions.end()) found.push_back(r);
  }
  return found;
}

void Importer::check_supported(const Op& function, Refusals refusals) {
  const auto visit = [&](const auto& self, const Op& op) -> void {
    check_op(op, refusals);
    for (const std::string_view symbol : called_symbols(op))
      if (!find_function(symbol))
        refusals.push_back({op.place, op.name + ": there must be a function @" + std::string(symbol), true});
    if (!runs_regions(op)) return;
    for (const Region& r : op.regions)
      for (const Block& b : r.blocks)
        for (const Op& inner : b.ops) self(self, inner);
  };
  for (const Op* f : called_from(function)) {
    const ScopeOf scope(*this, *f);
    visit(visit, *f);
  }
  throw_refusals(module_.source, std::move(refusals));
}

}  // namespace weft::stablehlo
