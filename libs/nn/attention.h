// Attention: weighted means of values, by how much their keys have of a query (Vaswani et al., 2017).
//
// Axes: q[batch..., length, heads, depth], k[batch..., kv_length, heads, depth], v[batch..., kv_length, heads,
// v_depth]; weights, masks and biases [batch..., heads, length, kv_length], the latter two broadcast to that. Where a
// mask is false (or 0), a weight is 0. Errors, beside those of parameters: ShapeError for shapes that do not fit,
// ValueError for numbers that do not, InvalidRngError where a key for dropout is missing.
#pragma once

#include "nn/layer.h"
#include "nn/module.h"
#include "weft/core/arg.h"

namespace weft::nn {

/// What dot_product_attention may be told beside its operands.
struct DotProductAttention {
  Array bias = {};  // added to what softmax takes
  Array mask = {};
  /// Weights become 0 with this probability, else w / (1 - rate), unless `deterministic`; by `dropout_rng`, a key. When
  /// broadcast, all of batch and heads share what is drawn.
  bool broadcast_dropout = true;
  Array dropout_rng = {};
  double dropout_rate = 0;
  bool deterministic = false;
  std::optional<DType> dtype = {};
  bool force_fp32_for_softmax = false;  // and weights stay in f32
  /// Sees the weights before dropout.
  std::function<void(const Array& weights)> sow = {};
};

/// w[..., h, i, j] = softmax over j of q[..., i, h, :] . k[..., j, h, :] / sqrt(depth) + bias.
Array dot_product_attention_weights(const Arg& q, const Arg& k, const DotProductAttention& how = {});
/// y[..., i, h, :] = sum_j w[..., h, i, j] v[..., j, h, :].
Array dot_product_attention(const Arg& q, const Arg& k, const Arg& v, const DotProductAttention& how = {});

/// One call of an attention layer.
struct AttentionCall {
  Array mask = {};
  std::optional<bool> deterministic = {};  // here, or as a member; only where there is dropout
  Array dropout_rng = {};                  // in the place of a key of the stream "dropout"
  bool sow_weights = false;                // into "intermediates", as "attention_weights"
};

/// The names that the layer goes by. They are one layer, but parameters and keys bear its name.
enum class AttentionName : std::uint8_t { kMultiHeadDotProductAttention, kMultiHeadAttention, kSelfAttention };

/// out(attention_fn(query(inputs_q), key(inputs_k), value(inputs_v))) over inputs[batch..., length, features], where
/// query, key and value are DenseGeneral layers from the features to heads and depth, and `out` one back to
/// out_features. What is not given: the keys' input is the queries', the values' is the keys'; qkv_features and
/// out_features are the features of inputs_q. A cache, for decoding: see `decode`.
template <AttentionName kName>
struct MultiHead : Module<MultiHead<kName>> {
  int num_heads = 0;
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  std::optional<int> qkv_features = {};  // of all heads together
  std::optional<int> out_features = {};
  bool broadcast_dropout = true;
  double dropout_rate = 0;
  std::optional<bool> deterministic = {};
  Initializer kernel_init = initializers::lecun_normal();
  Initializer out_kernel_init = {};  // kernel_init, unless given
  Initializer bias_init = initializers::zeros();
  Initializer out_bias_init = {};  // bias_init, unless given
  bool use_bias = true;
  /// dot_product_attention, unless given.
  std::function<Array(const Array& q, const Array& k, const Array& v, const DotProductAttention& how)> attention_fn =
      {};
  /// One step at a time: init makes variables "cached_key", "cached_value" and "cache_index" of collection "cache", of
  /// the length of its input; then each call, with an input of length 1, adds its key and value to them, and sees those
  /// that are there.
  bool decode = false;
  bool normalize_qk = false;  // by LayerNorm without bias, "query_ln" and "key_ln" (Dehghani et al., 2023)
  bool force_fp32_for_softmax = false;
  std::string name = {};

  static std::string class_name();
  Array call(const Array& inputs_q, const AttentionCall& how = {}) const { return attend(inputs_q, {}, {}, how); }
  Array call(const Array& inputs_q, const Array& inputs_k, const AttentionCall& how = {}) const
    requires(kName != AttentionName::kSelfAttention)
  {
    return attend(inputs_q, inputs_k, {}, how);
  }
  Array call(const Array& inputs_q, const Array& inputs_k, const Array& inputs_v, const AttentionCall& how = {}) const
    requires(kName != AttentionName::kSelfAttention)
  {
    return attend(inputs_q, inputs_k, inputs_v, how);
  }

  /// What the others do.
  Array attend(const Array& inputs_q, Array inputs_k, Array inputs_v, const AttentionCall& how) const;
};

using MultiHeadDotProductAttention = MultiHead<AttentionName::kMultiHeadDotProductAttention>;
using MultiHeadAttention = MultiHead<AttentionName::kMultiHeadAttention>;
/// Of one input alone.
using SelfAttention = MultiHead<AttentionName::kSelfAttention>;

extern template struct MultiHead<AttentionName::kMultiHeadDotProductAttention>;
extern template struct MultiHead<AttentionName::kMultiHeadAttention>;
extern template struct MultiHead<AttentionName::kSelfAttention>;

// ---- masks ----

struct AttentionMask {
  /// Of a query's and a key's number: whether, or how much, one sees the other. Their product, unless given.
  std::function<Array(const Array& query, const Array& key)> pairwise_fn = {};
  int extra_batch_dims = 0;  // axes of size 1 in front
  DType dtype = f32;
};
/// mask[1..., batch..., 1, i, j] = pairwise_fn(query[batch..., i], key[batch..., j]).
Array make_attention_mask(const Arg& query, const Arg& key, const AttentionMask& how = {});

/// What a mask of the past is made like.
struct CausalMask {
  int extra_batch_dims = 0;
  DType dtype = f32;
};
/// mask[1..., batch..., 1, i, j] = i >= j, for x[batch..., length], of which the shape alone matters.
Array make_causal_mask(const Arg& x, const CausalMask& how = {});

/// Where all hold; those that are not defined do not count, and none give none. ShapeError unless they have equally
/// many axes.
Array combine_masks(std::span<const Array> masks, DType dtype = f32,
                    SourceLocation loc = std::source_location::current());
inline Array combine_masks(std::initializer_list<Array> masks, DType dtype = f32,
                           SourceLocation loc = std::source_location::current()) {
  return combine_masks(std::span<const Array>(masks.begin(), masks.size()), dtype, loc);
}

}  // namespace weft::nn
