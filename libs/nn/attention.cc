#include "nn/attention.h"

#include <cmath>

#include "nn/activation.h"
#include "nn/linear.h"
#include "nn/normalization.h"
#include "weft/weft.h"

namespace weft::nn {

namespace {

void check(bool holds, const char* what, const Array& a, const Array& b) {
  if (!holds)
    throw ShapeError("dot_product_attention: " + std::string(what) + "; got " + a.aval().str() + " and " +
                     b.aval().str() + ".");
}
void check_operands(const Array& q, const Array& k) {
  const auto n = static_cast<std::size_t>(q.ndim());
  check(q.ndim() >= 3 && k.ndim() >= 3, "queries and keys must have axes of length, heads and depth", q, k);
  check(q.ndim() == k.ndim(), "queries and keys must have equally many axes", q, k);
  check(same_dims(q.shape().first(n - 3), k.shape().first(n - 3)), "queries and keys must have the same batch", q, k);
  check(q.shape()[n - 2] == k.shape()[n - 2], "queries and keys must have equally many heads", q, k);
  check(q.shape()[n - 1] == k.shape()[n - 1], "queries and keys must have the same depth", q, k);
}
void check_values(const Array& k, const Array& v) {
  const auto n = static_cast<std::size_t>(k.ndim());
  check(k.ndim() == v.ndim(), "keys and values must have equally many axes", k, v);
  check(same_dims(k.shape().first(n - 1), v.shape().first(n - 1)),
        "keys and values must have the same batch, length and heads", k, v);
}

Array dropped(const Array& weights, DType t, const DotProductAttention& how) {
  const double rate = how.dropout_rate, keep = 1 - rate;
  if (how.deterministic || rate == 0) return weights;
  if (!(rate > 0 && rate < 1))
    throw ValueError("dot_product_attention: the rate of dropout must be in [0, 1); got " + number_str(rate) + ".");
  if (!how.dropout_rng.defined())
    throw InvalidRngError("dot_product_attention: dropout must have a key; got none.",
                          "give .dropout_rng, or .deterministic = true");
  Dims shape(weights.shape());
  if (how.broadcast_dropout)
    for (std::size_t i = 0; i + 2 < shape.size(); ++i) shape[i] = 1;
  const Array kept = random::bernoulli(how.dropout_rng, keep, shape);
  return weights * (kept.astype(t) / np::full({}, keep, t));
}

}  // namespace

Array dot_product_attention_weights(const Arg& queries, const Arg& keys, const DotProductAttention& how) {
  const LocationScope scope(queries.location(), "dot_product_attention_weights");
  const Arrays p = promoted(how.dtype, {queries.array(), keys.array()});
  const Array &q = p[0], &k = p[1];
  const DType t = q.dtype();
  check_operands(q, k);
  const double depth = static_cast<double>(q.shape().back());
  Array w = np::einsum("...qhd,...khd->...hqk", q / np::array(std::sqrt(depth), t), k);
  if (how.bias.defined()) w = w + how.bias;
  // The lowest finite number, so that rows without anything to see are means, not NaN.
  if (how.mask.defined()) w = np::where(how.mask, w, np::full({}, np::finfo(w.dtype()).min, w.dtype()));
  w = how.force_fp32_for_softmax && t != f32 ? softmax(w.astype(f32)) : softmax(w).astype(t);
  if (how.sow) how.sow(w);
  return dropped(w, t, how);
}

Array dot_product_attention(const Arg& queries, const Arg& keys, const Arg& values, const DotProductAttention& how) {
  const LocationScope scope(queries.location(), "dot_product_attention");
  const Arrays p = promoted(how.dtype, {queries.array(), keys.array(), values.array()});
  check_operands(p[0], p[1]);
  check_values(p[1], p[2]);
  DotProductAttention same = how;
  same.dtype = p[0].dtype();
  return np::einsum("...hqk,...khd->...qhd", dot_product_attention_weights(p[0], p[1], same), p[2]);
}

// ---- the layer ----

template <AttentionName kName>
std::string MultiHead<kName>::class_name() {
  constexpr const char* kNames[] = {"MultiHeadDotProductAttention", "MultiHeadAttention", "SelfAttention"};
  return kNames[static_cast<std::size_t>(kName)];
}

namespace {

struct Cached {
  Array key, value, mask;
};

// The keys and values of this step behind those of the steps before; the mask hides what is not there yet.
template <class M>
Cached decoded(const M& m, const Array& query, const Array& key, const Array& value, const Array& mask) {
  const bool there = m.has_variable("cache", "cached_key");
  const Variable cached_key = m.variable("cache", "cached_key", [&] { return np::zeros_like(key); });
  const Variable cached_value = m.variable("cache", "cached_value", [&] { return np::zeros_like(value); });
  const Variable cache_index = m.variable("cache", "cache_index", [] { return Array(0); });
  if (!there) return {key, value, mask};
  const Array keys = cached_key.value(), at = cache_index.value(), zero = np::zeros_like(at);
  const auto n = static_cast<std::size_t>(keys.ndim());
  Dims one(keys.shape());
  one[n - 3] = 1;
  if (!same_dims(one, query.shape()))
    throw ShapeError("attention: with a cache, a call must have queries of one step, " + shape_str(one) + "; got " +
                     query.aval().str() + ".");
  Arrays start(n, zero);
  start[n - 3] = at;
  const Cached now{
      lax::dynamic_update_slice(keys, key, start), lax::dynamic_update_slice(cached_value.value(), value, start), {}};
  cached_key.set(now.key);
  cached_value.set(now.value);
  cache_index.set(at + 1);
  Dims shape(keys.shape().first(n - 3));
  const std::int64_t length = keys.shape()[n - 3];
  for (const std::int64_t size : {std::int64_t{1}, std::int64_t{1}, length}) shape.push_back(size);
  const Array seen = np::broadcast_to(np::arange(length, i32) <= at, shape);
  return {now.key, now.value, combine_masks({mask, seen})};
}

}  // namespace

template <AttentionName kName>
Array MultiHead<kName>::attend(const Array& inputs_q, Array inputs_k, Array inputs_v, const AttentionCall& how) const {
  if (!inputs_k.defined()) {
    if (inputs_v.defined())
      throw ValueError("attention: values of their own must have keys of their own; got values alone.",
                       "give the array as that of the keys, and the values are the same");
    inputs_k = inputs_q;
  }
  if (!inputs_v.defined()) inputs_v = inputs_k;
  if (inputs_q.ndim() < 2)
    throw ShapeError("attention: the input must have axes of length and features; got " + inputs_q.aval().str() + ".");
  const int given = static_cast<int>(inputs_q.shape().back()), all = qkv_features.value_or(given);
  if (num_heads < 1 || all < 1 || all % num_heads != 0)
    throw ValueError("attention: num_heads must divide the features of queries, keys and values; got " +
                     std::to_string(num_heads) + " for " + std::to_string(all) + ".");

  const auto projected = [&](const char* which, const Array& x) {
    return DenseGeneral{.features = {num_heads, all / num_heads},
                        .use_bias = use_bias,
                        .dtype = dtype,
                        .param_dtype = param_dtype,
                        .kernel_init = kernel_init,
                        .bias_init = bias_init,
                        .name = which}(x);
  };
  Array query = projected("query", inputs_q);
  Array key = projected("key", inputs_k);
  Array value = projected("value", inputs_v);
  if (normalize_qk) {
    const auto normed = [&](const char* which, const Array& x) {
      return LayerNorm{.dtype = dtype, .param_dtype = param_dtype, .use_bias = false, .name = which}(x);
    };
    query = normed("query_ln", query);
    key = normed("key_ln", key);
  }
  DotProductAttention options{.mask = how.mask,
                              .broadcast_dropout = broadcast_dropout,
                              .dropout_rate = dropout_rate,
                              .dtype = dtype,
                              .force_fp32_for_softmax = force_fp32_for_softmax};
  if (decode)
    std::tie(key, value, options.mask) = [&] {
      const Cached c = decoded(*this, query, key, value, how.mask);
      return std::tuple(c.key, c.value, c.mask);
    }();
  options.deterministic =
      dropout_rate == 0 || given_once("attention", "deterministic", deterministic, how.deterministic);
  if (!options.deterministic)
    options.dropout_rng = how.dropout_rng.defined() ? how.dropout_rng : this->make_rng("dropout");
  if (how.sow_weights)
    options.sow = [&](const Array& weights) { this->sow("intermediates", "attention_weights", weights); };
  const Array y =
      attention_fn ? attention_fn(query, key, value, options) : dot_product_attention(query, key, value, options);
  return DenseGeneral{.features = out_features.value_or(given),
                      .axis = {-2, -1},
                      .use_bias = use_bias,
                      .dtype = dtype,
                      .param_dtype = param_dtype,
                      .kernel_init = out_kernel_init ? out_kernel_init : kernel_init,
                      .bias_init = out_bias_init ? out_bias_init : bias_init,
                      .name = "out"}(y);
}

template struct MultiHead<AttentionName::kMultiHeadDotProductAttention>;
template struct MultiHead<AttentionName::kMultiHeadAttention>;
template struct MultiHead<AttentionName::kSelfAttention>;

// ---- masks ----

namespace {

Array with_batch_in_front(const char* op, Array mask, int extra_batch_dims, DType dtype) {
  if (extra_batch_dims < 0)
    throw ValueError(std::string(op) + ": extra_batch_dims must not be negative; got " +
                     std::to_string(extra_batch_dims) + ".");
  mask = np::expand_dims(mask, -3);
  for (int i = 0; i < extra_batch_dims; ++i) mask = np::expand_dims(mask, 0);
  return mask.astype(dtype);
}

}  // namespace

Array make_attention_mask(const Arg& query, const Arg& key, const AttentionMask& how) {
  const LocationScope scope(query.location(), "make_attention_mask");
  const Array q = query.array(), k = key.array();
  if (q.ndim() < 1 || k.ndim() < 1)
    throw ShapeError("make_attention_mask: queries and keys must have an axis of length; got " + q.aval().str() +
                     " and " + k.aval().str() + ".");
  const Array rows = np::expand_dims(q, -1), columns = np::expand_dims(k, -2);
  return with_batch_in_front("make_attention_mask", how.pairwise_fn ? how.pairwise_fn(rows, columns) : rows * columns,
                             how.extra_batch_dims, how.dtype);
}

Array make_causal_mask(const Arg& x, const CausalMask& how) {
  const LocationScope scope(x.location(), "make_causal_mask");
  const Dims shape(x.shape());
  if (shape.empty())
    throw ShapeError("make_causal_mask: the input must have an axis of length; got " + x.array().aval().str() + ".");
  const Array place = np::broadcast_to(np::arange(shape.back(), i32), shape);
  const Array pairs = np::expand_dims(place, -1) >= np::expand_dims(place, -2);
  return with_batch_in_front("make_causal_mask", pairs, how.extra_batch_dims, how.dtype);
}

Array combine_masks(std::span<const Array> masks, DType dtype, SourceLocation loc) {
  const LocationScope scope(loc, "combine_masks");
  Array all;
  for (const Array& m : masks) {
    if (!m.defined()) continue;
    if (all.defined() && all.ndim() != m.ndim())
      throw ShapeError("combine_masks: masks must have equally many axes; got " + all.aval().str() + " and " +
                       m.aval().str() + ".");
    all = all.defined() ? np::logical_and(all, m) : m;
  }
  return all.defined() ? all.astype(dtype) : all;
}

}  // namespace weft::nn
