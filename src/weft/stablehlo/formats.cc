// The rows follow StableHLO's and CHLO's operation definitions (openxla/stablehlo, docs/spec.md and the dialects).
#include "weft/stablehlo/formats.h"

#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace weft::stablehlo {

namespace {

constexpr Format kFormats[] = {
    {"stablehlo.abs", "%0 {} : T:same"},
    {"stablehlo.cbrt", "%0 {} : T:same"},
    {"stablehlo.ceil", "%0 {} : T:same"},
    {"stablehlo.convert", "%0 {} : T:same"},
    {"stablehlo.cosine", "%0 {} : T:same"},
    {"stablehlo.count_leading_zeros", "%0 {} : T:same"},
    {"stablehlo.exp2", "%0 {} : T:same"},
    {"stablehlo.exponential", "%0 {} : T:same"},
    {"stablehlo.exponential_minus_one", "%0 {} : T:same"},
    {"stablehlo.floor", "%0 {} : T:same"},
    {"stablehlo.imag", "%0 {} : T:same"},
    {"stablehlo.log", "%0 {} : T:same"},
    {"stablehlo.log2", "%0 {} : T:same"},
    {"stablehlo.log_plus_one", "%0 {} : T:same"},
    {"stablehlo.logistic", "%0 {} : T:same"},
    {"stablehlo.negate", "%0 {} : T:same"},
    {"stablehlo.not", "%0 {} : T:same"},
    {"stablehlo.popcnt", "%0 {} : T:same"},
    {"stablehlo.real", "%0 {} : T:same"},
    {"stablehlo.round_nearest_afz", "%0 {} : T:same"},
    {"stablehlo.round_nearest_even", "%0 {} : T:same"},
    {"stablehlo.rsqrt", "%0 {} : T:same"},
    {"stablehlo.sign", "%0 {} : T:same"},
    {"stablehlo.sine", "%0 {} : T:same"},
    {"stablehlo.sqrt", "%0 {} : T:same"},
    {"stablehlo.square", "%0 {} : T:same"},
    {"stablehlo.tan", "%0 {} : T:same"},
    {"stablehlo.tanh", "%0 {} : T:same"},
    {"stablehlo.uniform_quantize", "%0 {} : T:same"},
    {"stablehlo.uniform_dequantize", "%0 {} : T:same"},
    {"stablehlo.add", "%0 , %1 {} : T:same"},
    {"stablehlo.and", "%0 , %1 {} : T:same"},
    {"stablehlo.atan2", "%0 , %1 {} : T:same"},
    {"stablehlo.divide", "%0 , %1 {} : T:same"},
    {"stablehlo.maximum", "%0 , %1 {} : T:same"},
    {"stablehlo.minimum", "%0 , %1 {} : T:same"},
    {"stablehlo.multiply", "%0 , %1 {} : T:same"},
    {"stablehlo.or", "%0 , %1 {} : T:same"},
    {"stablehlo.power", "%0 , %1 {} : T:same"},
    {"stablehlo.remainder", "%0 , %1 {} : T:same"},
    {"stablehlo.shift_left", "%0 , %1 {} : T:same"},
    {"stablehlo.shift_right_arithmetic", "%0 , %1 {} : T:same"},
    {"stablehlo.shift_right_logical", "%0 , %1 {} : T:same"},
    {"stablehlo.subtract", "%0 , %1 {} : T:same"},
    {"stablehlo.xor", "%0 , %1 {} : T:same"},
    {"stablehlo.is_finite", "%0 {} : T:function"},
    {"stablehlo.complex", "%0 , %1 {} : T:complex"},
    {"stablehlo.compare",
     "$comparison_direction:comparison_direction , %0 , %1 ?( , $compare_type:comparison_type )? {} : T:function"},
    {"stablehlo.clamp", "%0 , %1 , %2 {} : T:same"},
    {"stablehlo.select", "%0 , %1 , %2 {} : T:select"},
    {"stablehlo.reduce_precision", "%0 , format = @exponent_mantissa {} : T:same"},
    {"stablehlo.bitcast_convert", "%* {} : T:function"},
    {"stablehlo.constant", "@leading_dictionary $value:dense T:value"},
    {"stablehlo.iota", "dim = $iota_dimension:i64 {} : T:results"},
    {"stablehlo.dynamic_iota", "%0 , dim = $iota_dimension:i64 {} : T:function"},
    {"stablehlo.reshape", "%* {} : T:function"},
    {"stablehlo.dynamic_reshape", "%* {} : T:function"},
    {"stablehlo.broadcast", "%0 , sizes = $broadcast_sizes:dims {} : T:function"},
    {"stablehlo.broadcast_in_dim", "%0 , dims = $broadcast_dimensions:dims {} : T:function"},
    {"stablehlo.dynamic_broadcast_in_dim", "%0 , %1 , dims = $broadcast_dimensions:dims {} : T:function"},
    {"stablehlo.transpose", "%0 , dims = $permutation:dims {} : T:function"},
    {"stablehlo.reverse", "%0 , dims = $dimensions:dims {} : T:same"},
    {"stablehlo.slice", "%0 @slice {} : T:function"},
    {"stablehlo.real_dynamic_slice", "%* {} : T:function"},
    {"stablehlo.dynamic_slice", "%*, sizes = $slice_sizes:dims {} : T:function"},
    {"stablehlo.dynamic_update_slice", "%* {} : T:function"},
    {"stablehlo.concatenate", "%*, dim = $dimension:i64 {} : T:function"},
    {"stablehlo.pad",
     "%0 , %1 , low = $edge_padding_low:dims , high = $edge_padding_high:dims , interior = $interior_padding:dims {} : "
     "T:function"},
    {"stablehlo.dynamic_pad", "%* {} : T:function"},
    {"stablehlo.torch_index_select", "%0 , %1 , dim = $dim:i64 , batch_dims = $batch_dims:i64 {} : T:function"},
    {"stablehlo.dot", "%0 , %1 ?( , precision = $precision_config:precision )? {} : T:function"},
    {"stablehlo.dot_general",
     "%0 , %1 @dot ?( , precision = $precision_config:precision )? ?( , algorithm = $algorithm:dot_algorithm )? {} : "
     "T:function"},
    {"stablehlo.convolution", "( %* ) @convolution {} : T:function"},
    {"stablehlo.dynamic_conv", "( %* ) @convolution {} : T:function"},
    {"stablehlo.einsum", "%0 , %1 , config = $einsum_config:string {} : T:function"},
    {"stablehlo.unary_einsum", "%0 , config = $einsum_config:string {} : T:function"},
    {"stablehlo.fft", "%0 , type = $fft_type:fft_type , length = $fft_length:dims {} : T:function"},
    {"stablehlo.cholesky", "%0 ?( , lower = $lower:bool )? {} : T:same"},
    {"stablehlo.rng", "%0 , %1 , %2 , distribution = $rng_distribution:rng_distribution {} : T:function"},
    {"stablehlo.rng_bit_generator", "%0 , algorithm = $rng_algorithm:rng_algorithm {} : T:function"},
    {"stablehlo.get_dimension_size", "%0 , dim = $dimension:i64 {} : T:function"},
    {"stablehlo.set_dimension_size", "%0 , %1 , dim = $dimension:i64 {} : T:function"},
    {"stablehlo.tuple", "%* {} : T:tuple"},
    {"stablehlo.get_tuple_element", "%0 [ $index:i32 ] {} : T:function"},
    {"stablehlo.optimization_barrier", "@barrier_operands {} : T:pairwise"},
    {"stablehlo.after_all", "%* {} : T:same"},
    {"stablehlo.create_token", "{} : T:results"},
    {"stablehlo.partition_id", "{} : T:results"},
    {"stablehlo.replica_id", "{} : T:results"},
    {"stablehlo.custom_call", "$call_target_name:target ( %* ) {} : T:function"},
    {"stablehlo.composite", "$name:string %* @regions {} : T:function"},
    {"stablehlo.trace", "%0 , $tag:string {} : T:operands"},
    {"stablehlo.compute_reshape_shape", "%* {} : T:function"},
    {"stablehlo.cstr_reshapable", "%* {} : T:function"},
    {"stablehlo.return", "%* {} : T:returned"},
    {"func.return", "%* {} : T:returned"},
    {"func.call", "$callee:symbol ( %* ) {} : T:function"},
    {"chlo.acos", "%0 {} : T:arrow"},
    {"chlo.acosh", "%0 {} : T:arrow"},
    {"chlo.asin", "%0 {} : T:arrow"},
    {"chlo.asinh", "%0 {} : T:arrow"},
    {"chlo.atan", "%0 {} : T:arrow"},
    {"chlo.atanh", "%0 {} : T:arrow"},
    {"chlo.bessel_i1e", "%0 {} : T:arrow"},
    {"chlo.conj", "%0 {} : T:arrow"},
    {"chlo.cosh", "%0 {} : T:arrow"},
    {"chlo.digamma", "%0 {} : T:arrow"},
    {"chlo.erf", "%0 {} : T:arrow"},
    {"chlo.erf_inv", "%0 {} : T:arrow"},
    {"chlo.erfc", "%0 {} : T:arrow"},
    {"chlo.is_inf", "%0 {} : T:arrow"},
    {"chlo.is_neg_inf", "%0 {} : T:arrow"},
    {"chlo.is_pos_inf", "%0 {} : T:arrow"},
    {"chlo.lgamma", "%0 {} : T:arrow"},
    {"chlo.sinh", "%0 {} : T:arrow"},
    {"chlo.square", "%0 {} : T:arrow"},
    {"chlo.tan", "%0 {} : T:arrow"},
    {"chlo._asin_acos_kernel", "%0 {} : T:arrow"},
    {"chlo.asin_acos_kernel", "%0 {} : T:arrow"},  // its name before
    {"chlo.next_after", "%0 , %1 {} : T:arrow"},
    {"chlo.polygamma", "%0 , %1 {} : T:arrow"},
    {"chlo.zeta", "%0 , %1 {} : T:arrow"},
    {"chlo.mulhi", "%0 , %1 {} : T:arrow"},
    {"chlo.broadcast_select", "%0 , %1 , %2 {} : T:function"},
    {"chlo.constant", "@leading_dictionary $value:dense T:value"},
    {"chlo.dynamic_reshape", "%0 , %1 {} : T:function"},
    {"chlo.minimum_broadcast_shapes", "%* {} : T:arrow"},
    {"chlo.top_k", "( %0 , k = $k:i64 ) {} : T:arrow"},
    {"mhlo.topk", "( %0 , k = $k:i64 ?( , largest = $largest:bool )? ) {} : T:arrow"},
    {"mhlo.copy", "%0 {} : T:same"},
    {"check.expect_eq", "%0 , %1 {} : T:check"},
    {"check.expect_eq_const", "%0 , $value:dense {} T:value_operand"},
    {"check.expect_almost_eq", "%0 , %1 ?( , tolerance = $tolerance:float )? {} : T:check"},
    {"check.expect_almost_eq_const", "%0 , $value:dense ?( , tolerance = $tolerance:float )? {} T:value_operand"},
    {"check.expect_close",
     "%0 , %1 ?( , max_ulp_difference = $max_ulp_difference:i64 )? ?( , min_ulp_difference = $min_ulp_difference:i64 "
     ")? {} : T:check"},
    {"check.expect_serialized_eq", "%0 , probe_id = $probe_id:string ?( , iter = $iter:i32 )? {} : T:operands"},
    {"interpreter.print", "%0 {} : T:operands"},
    {"interpreter.probe", "%0 , probe_id = $probe_id:string {} : T:same"},
    {"sdy.sharding_constraint", "%0 $sharding:sharding {} : T:same"},
    {"sdy.reshard", "%0 $sharding:sharding {} : T:same"},
    {"sdy.sharding_group", "%0 group_id = $group_id:i64 {} : T:operands"},
    {"sdy.propagation_barrier", "%0 allowed_direction = $allowed_direction:direction {} : T:same"},
    {"sdy.all_gather", "$gathering_axes:axis_lists %0 out_sharding = $out_sharding:sharding {} : T:same"},
    {"sdy.all_slice", "$slicing_axes:axis_lists %0 out_sharding = $out_sharding:sharding {} : T:same"},
    {"sdy.all_to_all", "$params:axis_moves %0 out_sharding = $out_sharding:sharding {} : T:same"},
    {"sdy.reduce_scatter", "$reduce_scatter_axes:axis_lists %0 out_sharding = $out_sharding:sharding {} : T:same"},
    {"sdy.sharded_to_unreduced", "$axes:axis_lists %0 out_sharding = $out_sharding:sharding {} : T:same"},
    {"sdy.replicated_to_unreduced", "$axes:axes %0 out_sharding = $out_sharding:sharding {} : T:same"},
    {"sdy.all_reduce", "$reduction_axes:axes %0 out_sharding = $out_sharding:sharding {} : T:same"},
    {"sdy.return", "%* {} : T:returned"},
    {"sdy.data_flow_edge", "%0 ?( sharding = $sharding:sharding )? {} : T:same"},
    {"sdy.collective_permute", "%0 out_sharding = $out_sharding:sharding {} : T:same"},
};

constexpr std::string_view kGenericOnly[] = {
    "stablehlo.all_gather",
    "stablehlo.all_reduce",
    "stablehlo.all_to_all",
    "stablehlo.batch_norm_grad",
    "stablehlo.batch_norm_inference",
    "stablehlo.batch_norm_training",
    "stablehlo.case",
    "stablehlo.collective_broadcast",
    "stablehlo.collective_permute",
    "stablehlo.collective_reduce",
    "stablehlo.cross-replica-sum",  // no word that could stand without quotes
    "stablehlo.dynamic_gather",
    "stablehlo.gather",
    "stablehlo.if",
    "stablehlo.infeed",
    "stablehlo.map",
    "stablehlo.outfeed",
    "stablehlo.recv",
    "stablehlo.reduce_scatter",
    "stablehlo.reduce_window",
    "stablehlo.scatter",
    "stablehlo.select_and_scatter",
    "stablehlo.send",
    "stablehlo.sort",
    "stablehlo.triangular_solve",
    "stablehlo.async_start",
    "stablehlo.async_done",
    "chlo.constant_like",
    "chlo.ragged_dot",
    "interpreter.run_parallel",
};

constexpr std::string_view kBroadcasting[] = {
    "chlo.broadcast_add",
    "chlo.broadcast_and",
    "chlo.broadcast_atan2",
    "chlo.broadcast_compare",
    "chlo.broadcast_complex",
    "chlo.broadcast_divide",
    "chlo.broadcast_maximum",
    "chlo.broadcast_minimum",
    "chlo.broadcast_multiply",
    "chlo.broadcast_next_after",
    "chlo.broadcast_or",
    "chlo.broadcast_polygamma",
    "chlo.broadcast_power",
    "chlo.broadcast_remainder",
    "chlo.broadcast_select",
    "chlo.broadcast_shift_left",
    "chlo.broadcast_shift_right_arithmetic",
    "chlo.broadcast_shift_right_logical",
    "chlo.broadcast_subtract",
    "chlo.broadcast_xor",
    "chlo.broadcast_zeta",
};

}  // namespace

std::span<const std::string_view> broadcasting_operations() { return kBroadcasting; }

std::string_view axes_prefix(std::string_view kind) {
  if (kind == "axes") return "#sdy<axis_ref_list";
  if (kind == "axis_lists") return "#sdy<list_of_axis_ref_lists";
  if (kind == "axis_moves") return "#sdy<all_to_all_param_list";
  return {};
}

std::span<const Format> all_formats() {
  // The rows above, and the same one for all operations that broadcast two operands.
  static const auto* const formats = [] {
    auto* const all = new std::vector<Format>(std::begin(kFormats), std::end(kFormats));
    for (const std::string_view op : kBroadcasting) {
      const bool own = std::ranges::find(kFormats, op, &Format::op) != std::end(kFormats) ||
                       std::ranges::find(kGenericOnly, op) != std::end(kGenericOnly);
      if (!own) all->push_back({op, "%0 , %1 {} : T:function"});
    }
    return all;
  }();
  return *formats;
}
std::span<const std::string_view> generic_only() { return kGenericOnly; }

const Format* find_format(std::string_view op) {
  static const auto* const formats = [] {
    auto* m = new std::unordered_map<std::string_view, const Format*>;
    for (const Format& f : all_formats()) m->emplace(f.op, &f);
    return m;
  }();
  const auto it = formats->find(op);
  return it == formats->end() ? nullptr : it->second;
}

std::string current_name(std::string name) {
  constexpr std::string_view mhlo = "mhlo.";
  // MHLO's asynchronous calls have bundles where StableHLO's have regions and futures.
  if (!name.starts_with(mhlo) || name.starts_with("mhlo.async_")) return name;
  static const auto* const others = [] {
    auto* names = new std::unordered_set<std::string_view>(generic_only().begin(), generic_only().end());
    names->insert({"stablehlo.while", "stablehlo.reduce", "chlo.scan"});
    return names;
  }();
  for (const char* dialect : {"stablehlo.", "chlo."}) {
    std::string now = dialect + name.substr(mhlo.size());
    if (find_format(now) || others->contains(now)) return now;
  }
  return name;
}

namespace {

// Words with one blank between them: what else may stand in quotes need not come back when it stands without them.
bool are_words(std::string_view text) {
  bool blank = true;
  for (const char c : text) {
    if (c == ' ' && blank) return false;
    blank = c == ' ';
    if (!blank && !std::isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
  }
  return !blank;
}

}  // namespace

std::string current_attribute(std::string text) {
  for (const std::string dialect : {"#mhlo", "#chlo", "#stablehlo"}) {
    const std::size_t quote = dialect.size() + 1;
    if (!text.starts_with(dialect + "<\"") || !text.ends_with("\">") || text.size() < quote + 4) continue;
    const std::string inside = text.substr(quote + 1, text.size() - quote - 3);
    if (are_words(inside)) text = dialect + "<" + inside + ">";
  }
  constexpr std::string_view mhlo = "#mhlo", stablehlo[] = {"axis_ref",
                                                            "channel_handle",
                                                            "comparison_direction",
                                                            "comparison_type",
                                                            "conv",
                                                            "custom_call_api_version",
                                                            "dot",
                                                            "dot_algorithm",
                                                            "fft_type",
                                                            "gather",
                                                            "mesh",
                                                            "mesh_axis",
                                                            "output_operand_alias",
                                                            "precision",
                                                            "ragged_dot",
                                                            "replica_group_mesh_axes",
                                                            "result_accuracy",
                                                            "result_accuracy_mode",
                                                            "rng_algorithm",
                                                            "rng_distribution",
                                                            "scatter",
                                                            "transpose",
                                                            "type_extensions"};
  const std::string_view rest = std::string_view(text).substr(std::min(mhlo.size(), text.size()));
  if (!text.starts_with(mhlo) || rest.empty() || (rest[0] != '.' && rest[0] != '<')) return text;
  const std::string_view mnemonic = rest.substr(1, rest.find_first_of("< >", 1) - 1);
  return std::ranges::find(stablehlo, mnemonic) == std::end(stablehlo) ? text : "#stablehlo" + std::string(rest);
}

}  // namespace weft::stablehlo
