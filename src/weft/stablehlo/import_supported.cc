// What of a program can be run, looked at as a whole before anything is: one error names all that cannot.
#include <algorithm>
#include <unordered_set>

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

// Operations whose attributes say what they compute, and those attributes: a misspelt one must not go unnoticed.
// Attributes of other dialects ("mhlo.sharding") mean nothing here.
struct Attributes {
  std::string_view op, names;
};
constexpr Attributes kAttributes[] = {
    {"stablehlo.all_gather", "all_gather_dim replica_groups channel_handle use_global_device_ids"},
    {"stablehlo.all_reduce", "replica_groups channel_handle use_global_device_ids"},
    {"stablehlo.all_to_all", "split_dimension concat_dimension split_count replica_groups channel_handle"},
    {"stablehlo.batch_norm_grad", "epsilon feature_index"},
    {"stablehlo.batch_norm_inference", "epsilon feature_index"},
    {"stablehlo.batch_norm_training", "epsilon feature_index"},
    {"stablehlo.broadcast", "broadcast_sizes"},
    {"stablehlo.broadcast_in_dim", "broadcast_dimensions"},
    {"stablehlo.cholesky", "lower"},
    {"stablehlo.collective_broadcast", "replica_groups channel_handle"},
    {"stablehlo.collective_permute", "source_target_pairs channel_handle"},
    {"stablehlo.collective_reduce", "replica_groups channel_handle"},
    {"stablehlo.compare", "comparison_direction compare_type"},
    {"stablehlo.concatenate", "dimension"},
    {"stablehlo.convolution",
     "window_strides padding lhs_dilation rhs_dilation window_reversal dimension_numbers feature_group_count "
     "batch_group_count precision_config"},
    {"stablehlo.dot", "precision_config"},
    {"stablehlo.dot_general", "dot_dimension_numbers precision_config algorithm"},
    {"stablehlo.dynamic_broadcast_in_dim",
     "broadcast_dimensions known_expanding_dimensions known_nonexpanding_dimensions"},
    {"stablehlo.dynamic_conv",
     "window_strides padding lhs_dilation rhs_dilation window_reversal dimension_numbers feature_group_count "
     "batch_group_count precision_config"},
    {"stablehlo.dynamic_gather", "dimension_numbers indices_are_sorted"},
    {"stablehlo.dynamic_iota", "iota_dimension"},
    {"stablehlo.dynamic_slice", "slice_sizes"},
    {"stablehlo.einsum", "einsum_config"},
    {"stablehlo.fft", "fft_type fft_length"},
    {"stablehlo.gather", "dimension_numbers slice_sizes indices_are_sorted"},
    {"stablehlo.get_dimension_size", "dimension"},
    {"stablehlo.iota", "iota_dimension"},
    {"stablehlo.map", "dimensions"},
    {"stablehlo.pad", "edge_padding_low edge_padding_high interior_padding"},
    {"stablehlo.recv", "channel_handle is_host_transfer source_target_pairs"},
    {"stablehlo.reduce", "dimensions"},
    {"stablehlo.reduce_precision", "exponent_bits mantissa_bits"},
    {"stablehlo.reduce_scatter", "scatter_dimension replica_groups channel_handle use_global_device_ids"},
    {"stablehlo.reduce_window", "window_dimensions window_strides base_dilations window_dilations padding"},
    {"stablehlo.reverse", "dimensions"},
    {"stablehlo.rng", "rng_distribution"},
    {"stablehlo.rng_bit_generator", "rng_algorithm"},
    {"stablehlo.scatter", "scatter_dimension_numbers indices_are_sorted unique_indices"},
    // Weft writes dilations, which StableHLO does not have here.
    {"stablehlo.select_and_scatter", "window_dimensions window_strides padding base_dilations window_dilations"},
    {"stablehlo.send", "channel_handle is_host_transfer source_target_pairs"},
    {"stablehlo.set_dimension_size", "dimension"},
    {"stablehlo.slice", "start_indices limit_indices strides"},
    {"stablehlo.sort", "dimension is_stable"},
    {"stablehlo.torch_index_select", "dim batch_dims"},
    {"stablehlo.transpose", "permutation"},
    {"stablehlo.triangular_solve", "left_side lower unit_diagonal transpose_a"},
    {"stablehlo.unary_einsum", "einsum_config"},
    {"chlo.broadcast_compare", "broadcast_dimensions comparison_direction compare_type"},
    {"chlo.ragged_dot", "ragged_dot_dimension_numbers precision_config"},
    {"chlo.top_k", "k"},
    {"mhlo.topk", "k largest"},
};

// The names that an operation's attributes may have, blanks between; "" when nothing is known of them.
std::string_view known_attributes(std::string_view op) {
  static const auto* const table = [] {
    auto* m = new std::unordered_map<std::string_view, std::string_view>;
    for (const Attributes& row : kAttributes) m->emplace(row.op, row.names);
    for (const std::string_view broadcasting : broadcasting_operations())
      m->emplace(broadcasting, "broadcast_dimensions");
    return m;
  }();
  const auto it = table->find(op);
  return it == table->end() ? std::string_view() : it->second;
}

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t n = std::min(words.find(' '), words.size());
    if (words.substr(0, n) == word) return true;
    words.remove_prefix(std::min(n + 1, words.size()));
  }
  return false;
}

std::string listed(std::string_view words) {
  std::string out;
  for (const char c : words) out += c == ' ' ? std::string(", ") : std::string(1, c);
  return out;
}

// The symbol of a function that the operation calls, or null.
const Attribute* called_symbol(const Op& op) {
  const Attribute* callee = op.find(op.name == "stablehlo.composite" ? "decomposition" : "callee");
  const bool calls = op.name == "func.call" || op.name == "stablehlo.composite";
  return calls && callee && (callee->kind == Attribute::Kind::kSymbol || callee->kind == Attribute::Kind::kString)
             ? callee
             : nullptr;
}

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

}  // namespace

bool Importer::custom_call_is_known(const Op& op) const {
  const Attribute* target = op.find("call_target_name");
  if (!target || target->kind != Attribute::Kind::kString || allow_unregistered_) return true;
  const std::string& name = target->text;
  if (is_read_as_other(name)) return true;
  if (extension_ && name.starts_with("check.")) return true;
  return std::ranges::binary_search(registered_custom_calls(), name);
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

  std::string why;
  const auto values = [&](std::span<const ValueId> vs) {
    for (const ValueId v : vs)
      if (why.empty()) why = refusal(module_.type(v), quantized);
  };
  values(op.results);
  values(op.operands);
  if (const Attribute* type = op.find("function_type"); type && type->type && op.name == "func.func")
    for (const TypeRef& part : type->type->parts)
      if (why.empty()) why = refusal(part, quantized);
  for (const Region& r : op.regions)
    for (const Block& b : r.blocks) values(b.arguments);
  if (!why.empty()) report(op.place, why);

  if (const std::string_view names = known_attributes(op.name); !names.empty())
    for (const NamedAttribute& a : op.attributes)
      if (a.name.find('.') == std::string::npos && !has_word(names, a.name))
        report(a.value.place, "there is no attribute " + a.name + " (known: " + listed(names) + ")", true);

  if (op.name == "sdy.manual_computation")
    if (const auto part = sharded(module_, op))
      report(op.place, "its body computes on parts of arrays, " + part->second->text + " of " + part->first->text +
                           ", and Weft does not run sharded programs yet");

  if (op.name == "stablehlo.custom_call" && !custom_call_is_known(op))
    report(op.place, "the target must be registered (register_custom_call); got @" + op.find("call_target_name")->text);

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
    if (const Attribute* callee = called_symbol(op))
      if (const Op* called = find_function(callee->text); called && seen.insert(called).second) found.push_back(called);
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

void Importer::check_supported(const Op& function, Refusals refusals) {
  const auto visit = [&](const auto& self, const Op& op) -> void {
    check_op(op, refusals);
    if (const Attribute* callee = called_symbol(op); callee && !find_function(callee->text))
      refusals.push_back({op.place, op.name + ": there must be a function @" + callee->text, true});
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
