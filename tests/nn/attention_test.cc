// Attention against loops over doubles; the layer against its parts; decoding step by step against all at once.
#include "nn/attention.h"

#include "nn/activation.h"
#include "nn/checks.h"
#include "nn/normalization.h"

namespace weft::nn {
namespace {

using namespace testing;

const Array kKey = random::key(0);

// ---- the function ----

constexpr std::size_t kBatch = 2, kLength = 3, kSeen = 4, kHeads = 2, kDepth = 5, kValues = 3;
const Array kQ = draw({kBatch, kLength, kHeads, kDepth}, 1), kK = draw({kBatch, kSeen, kHeads, kDepth}, 2),
            kV = draw({kBatch, kSeen, kHeads, kValues}, 3);
const Array kBias = draw({kBatch, kHeads, kLength, kSeen}, 4), kMask = draw({kBatch, 1, kLength, kSeen}, 5) > -0.3;

Doubles weights(bool bias, bool mask) {
  const Doubles q = values(kQ), k = values(kK), b = values(kBias), m = values(kMask);
  Doubles w;
  for (std::size_t i = 0; i < kBatch; ++i)
    for (std::size_t h = 0; h < kHeads; ++h)
      for (std::size_t t = 0; t < kLength; ++t) {
        Doubles row;
        double sum = 0;
        for (std::size_t s = 0; s < kSeen; ++s) {
          double dot = 0;
          for (std::size_t d = 0; d < kDepth; ++d)
            dot += q[((i * kLength + t) * kHeads + h) * kDepth + d] * k[((i * kSeen + s) * kHeads + h) * kDepth + d];
          double logit = dot / std::sqrt(static_cast<double>(kDepth));
          if (bias) logit += b[((i * kHeads + h) * kLength + t) * kSeen + s];
          const bool hidden = mask && m[(i * kLength + t) * kSeen + s] == 0;
          row.push_back(hidden ? 0 : std::exp(logit));
          sum += row.back();
        }
        for (const double e : row) w.push_back(e / sum);
      }
  return w;
}

TEST(dot_product_attention, weighs_by_the_softmax_of_products) {
  EXPECT_TRUE(near(dot_product_attention_weights(kQ, kK), weights(false, false)));
  EXPECT_TRUE(near(dot_product_attention_weights(kQ, kK, {.bias = kBias}), weights(true, false)));
  EXPECT_TRUE(near(dot_product_attention_weights(kQ, kK, {.bias = kBias, .mask = kMask}), weights(true, true)));
  EXPECT_TRUE(near(dot_product_attention_weights(kQ, kK, {.mask = kMask.astype(f32)}), weights(false, true)));
}

TEST(dot_product_attention, gives_weighted_means_of_values) {
  const Array y = dot_product_attention(kQ, kK, kV, {.bias = kBias, .mask = kMask});
  EXPECT_EQ(y.shape(), Dims({kBatch, kLength, kHeads, kValues}));
  const Doubles w = weights(true, true), v = values(kV);
  Doubles want;
  for (std::size_t i = 0; i < kBatch; ++i)
    for (std::size_t t = 0; t < kLength; ++t)
      for (std::size_t h = 0; h < kHeads; ++h)
        for (std::size_t d = 0; d < kValues; ++d) {
          double sum = 0;
          for (std::size_t s = 0; s < kSeen; ++s)
            sum += w[((i * kHeads + h) * kLength + t) * kSeen + s] * v[((i * kSeen + s) * kHeads + h) * kValues + d];
          want.push_back(sum);
        }
  EXPECT_TRUE(near(y, want));
  // Without axes of batch, and with two.
  EXPECT_TRUE(near(dot_product_attention(kQ(0), kK(0), kV(0), {.bias = kBias(0), .mask = kMask(0)}), y(0)));
  const auto wide = [](const Array& a) { return np::expand_dims(a, 0); };
  EXPECT_TRUE(near(dot_product_attention(wide(kQ), wide(kK), wide(kV), {.bias = kBias, .mask = kMask}), wide(y)));
}

TEST(dot_product_attention, has_right_gradients) {
  expect_gradient(
      [](const std::tuple<Array, Array, Array, Array>& at) {
        const auto& [q, k, v, b] = at;
        return loss_of(dot_product_attention(q, k, v, {.bias = b, .mask = kMask}));
      },
      std::tuple(kQ, kK, kV, kBias));
}

TEST(dot_product_attention, is_the_same_under_jit_and_vmap) {
  const auto f = [](const Array& q, const Array& k, const Array& v) { return dot_product_attention(q, k, v); };
  EXPECT_TRUE(near(weft::jit(f)(kQ, kK, kV), f(kQ, kK, kV)));
  EXPECT_TRUE(near(weft::vmap(f)(kQ, kK, kV), f(kQ, kK, kV)));
}

TEST(dot_product_attention, of_what_sees_nothing_is_the_mean) {
  const Array y = dot_product_attention_weights(kQ, kK, {.mask = np::zeros({kLength, kSeen}, boolean)});
  EXPECT_TRUE(near(y, np::full(y.shape(), 0.25, f64)));
}

TEST(dot_product_attention, drops_weights_by_its_key) {
  const Array w = Array::from_vector(weights(false, false), {kBatch, kHeads, kLength, kSeen});
  const DotProductAttention how{.dropout_rng = kKey, .dropout_rate = 0.25};
  const Array shared = random::bernoulli(kKey, 0.75, {1, 1, kLength, kSeen});
  EXPECT_TRUE(near(dot_product_attention_weights(kQ, kK, how), w * shared.astype(f64) / 0.75));
  DotProductAttention each = how;
  each.broadcast_dropout = false;
  const Array own = random::bernoulli(kKey, 0.75, w.shape());
  EXPECT_TRUE(near(dot_product_attention_weights(kQ, kK, each), w * own.astype(f64) / 0.75));
  each.deterministic = true;
  EXPECT_TRUE(near(dot_product_attention_weights(kQ, kK, each), w));
}

TEST(dot_product_attention, computes_in_its_dtype) {
  const Array q = kQ.astype(bf16), k = kK.astype(bf16), v = kV.astype(bf16);
  EXPECT_EQ(dot_product_attention(q, k, v).dtype(), bf16);
  EXPECT_EQ(dot_product_attention(kQ, kK, kV, {.dtype = bf16}).dtype(), bf16);
  EXPECT_EQ(dot_product_attention_weights(q, k, {.force_fp32_for_softmax = true}).dtype(), f32);
  EXPECT_TRUE(near(dot_product_attention_weights(q, k), weights(false, false), 2e-2));
}

TEST(dot_product_attention, refuses_what_does_not_fit) {
  const auto error = [](const np::Shape& q, const np::Shape& k, const np::Shape& v) {
    return error_of([&] { dot_product_attention(np::ones(q), np::ones(k), np::ones(v)); });
  };
  EXPECT_EQ(error({3, 5}, {3, 5}, {3, 5}),
            "ShapeError: dot_product_attention: queries and keys must have axes of length, heads and depth; got "
            "f32[3,5] and f32[3,5].");
  EXPECT_EQ(error({3, 2, 5}, {1, 3, 2, 5}, {3, 2, 5}),
            "ShapeError: dot_product_attention: queries and keys must have equally many axes; got f32[3,2,5] and "
            "f32[1,3,2,5].");
  EXPECT_EQ(error({2, 3, 2, 5}, {1, 3, 2, 5}, {1, 3, 2, 5}),
            "ShapeError: dot_product_attention: queries and keys must have the same batch; got f32[2,3,2,5] and "
            "f32[1,3,2,5].");
  EXPECT_EQ(error({3, 2, 5}, {3, 1, 5}, {3, 1, 5}),
            "ShapeError: dot_product_attention: queries and keys must have equally many heads; got f32[3,2,5] and "
            "f32[3,1,5].");
  EXPECT_EQ(error({3, 2, 5}, {3, 2, 4}, {3, 2, 5}),
            "ShapeError: dot_product_attention: queries and keys must have the same depth; got f32[3,2,5] and "
            "f32[3,2,4].");
  EXPECT_EQ(error({3, 2, 5}, {3, 2, 5}, {4, 2, 5}),
            "ShapeError: dot_product_attention: keys and values must have the same batch, length and heads; got "
            "f32[3,2,5] and f32[4,2,5].");
  EXPECT_EQ(error_of([] { dot_product_attention(kQ, kK, kV, {.dropout_rate = 0.5}); }),
            "nn::InvalidRngError: dot_product_attention: dropout must have a key; got none.");
  EXPECT_EQ(error_of([] { dot_product_attention(kQ, kK, kV, {.dropout_rng = kKey, .dropout_rate = 1}); }),
            "ValueError: dot_product_attention: the rate of dropout must be in [0, 1); got 1.0.");
}

TEST(dot_product_attention, blames_the_line_of_the_call) {
  try {
    dot_product_attention(kQ, kK, kV, {.bias = np::ones({7, 7})});
    FAIL();
  } catch (const Error& e) {
    EXPECT_TRUE(std::string(e.location().file).ends_with("attention_test.cc")) << e.what();
  }
}

// ---- the layer ----

TEST(multi_head, is_made_of_projections_and_attention) {
  const MultiHeadDotProductAttention layer{.num_heads = 2, .param_dtype = f64, .qkv_features = 6, .out_features = 5};
  const Array q = draw({2, 3, 4}, 1), k = draw({2, 5, 3}, 2), v = draw({2, 5, 2}, 3);
  const Variables p = drawn(layer.init(kKey, q, k, v));
  EXPECT_EQ(types(p),
            (Texts{"params/key/bias f64[2,3]", "params/key/kernel f64[3,2,3]", "params/out/bias f64[5]",
                   "params/out/kernel f64[2,3,5]", "params/query/bias f64[2,3]", "params/query/kernel f64[4,2,3]",
                   "params/value/bias f64[2,3]", "params/value/kernel f64[2,2,3]"}));
  const auto projected = [&](const std::string& name, const Array& x) {
    return np::einsum("bti,ihd->bthd", x, p.at("params").at(name + "/kernel")) + p.at("params").at(name + "/bias");
  };
  const Array mask = draw({2, 1, 3, 5}, 4) > -0.5;
  const Array seen =
      dot_product_attention(projected("query", q), projected("key", k), projected("value", v), {.mask = mask});
  const Array want = np::einsum("bthd,hdo->bto", seen, p.at("params").at("out/kernel")) + p.at("params").at("out/bias");
  EXPECT_TRUE(near(layer.apply(p, q, k, v, AttentionCall{.mask = mask}), want));
}

TEST(multi_head, takes_for_granted_what_is_not_given) {
  const MultiHeadDotProductAttention layer{.num_heads = 2};
  const Array x = draw({2, 3, 4}, 1, f32), k = draw({2, 5, 4}, 2, f32);
  const Variables v = layer.init(kKey, x);
  EXPECT_EQ(types(v)[3], "params/out/kernel f32[2,2,4]");
  EXPECT_TRUE(near(layer.apply(v, x), layer.apply(v, x, x, x), 0));
  EXPECT_TRUE(near(layer.apply(v, x, k), layer.apply(v, x, k, k), 0));
  EXPECT_TRUE(near(SelfAttention{.num_heads = 2}.apply(v, x), layer.apply(v, x), 0));
  EXPECT_TRUE(near(MultiHeadAttention{.num_heads = 2}.apply(v, x), layer.apply(v, x), 0));
}

struct Names : Module<Names> {
  Array call(Array x) const {
    x = MultiHeadDotProductAttention{.num_heads = 1, .use_bias = false}(x);
    x = MultiHeadAttention{.num_heads = 1, .use_bias = false}(x);
    return SelfAttention{.num_heads = 1, .use_bias = false}(x);
  }
};
TEST(multi_head, bears_the_name_that_it_goes_by) {
  const Texts t = types(Names{}.init(kKey, np::ones({2, 3})));
  EXPECT_EQ(t[0], "params/MultiHeadAttention_0/key/kernel f32[3,1,3]");
  EXPECT_EQ(t[4], "params/MultiHeadDotProductAttention_0/key/kernel f32[3,1,3]");
  EXPECT_EQ(t[8], "params/SelfAttention_0/key/kernel f32[3,1,3]");
}

TEST(multi_head, has_right_gradients) {
  const MultiHeadAttention layer{.num_heads = 2, .param_dtype = f64, .normalize_qk = true};
  const Array x = draw({2, 2, 4}, 1);
  expect_layer(layer, drawn(layer.init(kKey, x)), x);
  expect_same_bits(layer, x);
}

TEST(multi_head, has_right_gradients_where_weights_drop_out) {
  const MultiHeadAttention layer{.num_heads = 2, .param_dtype = f64, .dropout_rate = 0.4, .deterministic = false};
  const Array x = draw({2, 3, 4}, 1);
  const ApplyOptions options{.rngs = {{"dropout", random::key(3)}}};
  const Variables v = drawn(layer.init({{"params", kKey}, {"dropout", kKey}}, x));
  EXPECT_FALSE(near(layer.apply(v, options, x), layer.apply(v, {.rngs = {{"dropout", kKey}}}, x), 1e-3));
  expect_gradient([&](const Collection& p) { return loss_of(layer.apply({{"params", p}}, options, x)); },
                  v.at("params"));
}

TEST(multi_head, begins_with_kernels_of_its_own_for_the_output) {
  const MultiHeadAttention layer{.num_heads = 2,
                                 .out_kernel_init = initializers::ones(),
                                 .bias_init = initializers::constant(2),
                                 .out_bias_init = initializers::constant(3)};
  const Collection p = layer.init(kKey, np::ones({2, 4})).at("params");
  EXPECT_TRUE(near(p.at("out/kernel"), Doubles(16, 1), 0));
  EXPECT_TRUE(near(p.at("out/bias"), Doubles(4, 3), 0));
  EXPECT_TRUE(near(p.at("key/bias"), Doubles(4, 2), 0));
  const Array key = random::fold_in(kKey, detail::path_hash("query", 1));
  EXPECT_TRUE(near(p.at("query/kernel"), np::reshape(initializers::lecun_normal()(key, {4, 4}, f32), {4, 2, 2}), 0));
}

TEST(multi_head, normalises_queries_and_keys) {
  const MultiHeadAttention layer{.num_heads = 2, .normalize_qk = true};
  const Array x = draw({3, 4}, 1, f32);
  const Variables v = drawn(layer.init(kKey, x));
  const Collection& p = v.at("params");
  EXPECT_EQ(p.at("query_ln/scale").aval().str(), "f32[2]");
  EXPECT_FALSE(p.contains("query_ln/bias"));
  const auto projected = [&](const std::string& name) {
    return np::einsum("ti,ihd->thd", x, p.at(name + "/kernel")) + p.at(name + "/bias");
  };
  const auto normed = [&](const std::string& name) {
    return LayerNorm{.use_bias = false}.apply({{"params", {{"scale", p.at(name + "_ln/scale")}}}}, projected(name));
  };
  const Array seen = dot_product_attention(normed("query"), normed("key"), projected("value"));
  EXPECT_TRUE(near(layer.apply(v, x), np::einsum("thd,hdo->to", seen, p.at("out/kernel")) + p.at("out/bias"), 1e-5));
}

TEST(multi_head, sows_its_weights) {
  const MultiHeadAttention layer{.num_heads = 2};
  const Array x = draw({2, 3, 4}, 1, f32);
  const Variables v = layer.init(kKey, x);
  const auto [y, seen] =
      layer.apply_mutable(v, {.mutable_collections = "intermediates"}, x, AttentionCall{.sow_weights = true});
  const Array w = seen.at("intermediates").at("attention_weights/0");
  EXPECT_EQ(w.shape(), Dims({2, 2, 3, 3}));
  EXPECT_TRUE(near(np::sum(w, -1), np::ones({2, 2, 3}), 1e-6));
  EXPECT_TRUE(near(layer.apply(v, x), y, 0));
}

TEST(multi_head, drops_by_the_stream_or_by_a_key) {
  const MultiHeadAttention layer{.num_heads = 2, .dropout_rate = 0.5};
  const Array x = draw({2, 3, 4}, 1, f32);
  const Variables v = drawn(layer.init(kKey, x, AttentionCall{.deterministic = true}));
  const Array key = random::key(5);
  const Array by_stream = layer.apply(v, {.rngs = {{"dropout", key}}}, x, AttentionCall{.deterministic = false});
  const Array own = random::fold_in(key, detail::path_hash("", 1));
  const Array by_key = layer.apply(v, x, AttentionCall{.deterministic = false, .dropout_rng = own});
  EXPECT_TRUE(near(by_stream, by_key, 0));
  const Array certain = layer.apply(v, x, AttentionCall{.deterministic = true});
  EXPECT_TRUE(near(certain, MultiHeadAttention{.num_heads = 2}.apply(v, x), 0));
  EXPECT_GT(np::max(np::abs(certain - by_key)).item<double>(), 1e-3);
  const MultiHeadAttention decided{.num_heads = 2, .dropout_rate = 0.5, .deterministic = true};
  EXPECT_TRUE(near(decided.apply(v, x), certain, 0));
}

TEST(multi_head, takes_another_attention) {
  const MultiHeadAttention layer{
      .num_heads = 2, .attention_fn = [](const Array& q, const Array&, const Array& v, const DotProductAttention& how) {
        return v + q * how.dropout_rate;
      }};
  const Array x = draw({3, 4}, 1, f32);
  const Variables v = layer.init(kKey, x);
  const Collection& p = v.at("params");
  const Array want = np::einsum("ti,ihd,hdo->to", x, p.at("value/kernel"), p.at("out/kernel"));
  EXPECT_TRUE(near(layer.apply(v, x), want, 1e-5));
}

TEST(multi_head, computes_in_its_dtype) {
  const Array x = draw({3, 4}, 1, f32);
  const MultiHeadAttention layer{.num_heads = 2, .dtype = bf16};
  const Variables v = layer.init(kKey, x);
  EXPECT_EQ(v.at("params").at("query/kernel").dtype(), f32);
  EXPECT_EQ(layer.apply(v, x).dtype(), bf16);
  const MultiHeadAttention wide{.num_heads = 2, .dtype = bf16, .force_fp32_for_softmax = true};
  EXPECT_EQ(wide.apply(v, x).dtype(), bf16);
}

// ---- decoding ----

TEST(multi_head, decodes_step_by_step_what_causal_attention_gives_at_once) {
  const SelfAttention layer{.num_heads = 2, .decode = true};
  const Array x = draw({2, 5, 4}, 1, f32);
  const Variables made = layer.init(kKey, x);
  Texts cache = types(made);
  cache.resize(3);
  EXPECT_EQ(cache,
            (Texts{"cache/cache_index i32[]", "cache/cached_key f32[2,5,2,2]", "cache/cached_value f32[2,5,2,2]"}));
  EXPECT_TRUE(near(made.at("cache").at("cached_key"), np::zeros({2, 5, 2, 2}), 0));
  Variables v = drawn(made);
  v["cache"] = made.at("cache");
  const SelfAttention whole{.num_heads = 2};
  const Array want = whole.apply(v, x, AttentionCall{.mask = make_causal_mask(np::ones({2, 5}))});
  const auto step = weft::jit([&](const Variables& w, const Array& now) {
    return layer.apply_mutable(w, {.mutable_collections = "cache"}, now);
  });
  for (int i = 0; i < 5; ++i) {
    const auto [y, now] = step(v, x(slice(), slice(i, i + 1)));
    EXPECT_TRUE(near(y, want(slice(), slice(i, i + 1)), 1e-5)) << i;
    v["cache"] = now.at("cache");
    EXPECT_EQ(v.at("cache").at("cache_index").item<int>(), i + 1);
  }
}

TEST(multi_head, decodes_under_a_mask_too) {
  const SelfAttention layer{.num_heads = 1, .decode = true};
  const Array x = draw({1, 3, 2}, 1, f32);
  Variables v = layer.init(kKey, x);
  // The second step may not see the first.
  const Array first = np::array({true, true, true}), second = np::array({false, true, true});
  const auto step = [&](const Array& now, const Array& mask) {
    const auto [y, cache] = layer.apply_mutable(v, {.mutable_collections = "cache"}, now,
                                                AttentionCall{.mask = np::reshape(mask, {1, 1, 1, 3})});
    v["cache"] = cache.at("cache");
    return y;
  };
  step(x(slice(), slice(0, 1)), first);
  const Array y = step(x(slice(), slice(1, 2)), second);
  const Array alone = SelfAttention{.num_heads = 1}.apply(v, x(slice(), slice(1, 2)));
  EXPECT_TRUE(near(y, alone, 1e-6));
}

TEST(multi_head, refuses_what_it_cannot_do) {
  const Array x = np::ones({1, 3, 4});
  EXPECT_EQ(error_of([&] { MultiHeadAttention{}.init(kKey, x); }),
            "ValueError: attention: num_heads must divide the features of queries, keys and values; got 0 for 4.");
  EXPECT_EQ(error_of([&] { MultiHeadAttention{.num_heads = 3}.init(kKey, x); }),
            "ValueError: attention: num_heads must divide the features of queries, keys and values; got 3 for 4.");
  EXPECT_EQ(error_of([&] { MultiHeadAttention{.num_heads = 2}.init(kKey, Array(), Array(), x); }).substr(0, 16),
            "ValueError: atte");
  EXPECT_EQ(error_of([&] { MultiHeadAttention{.num_heads = 2}.init(kKey, np::ones({4})); }),
            "ShapeError: attention: the input must have axes of length and features; got f32[4].");
  EXPECT_EQ(error_of([&] { MultiHeadAttention{.num_heads = 2, .dropout_rate = 0.5}.init(kKey, x); }),
            "ValueError: attention: deterministic must be given once, as a member or as an argument of the call; got "
            "neither.");
  const SelfAttention decoding{.num_heads = 2, .decode = true};
  const Variables v = decoding.init(kKey, x);
  EXPECT_EQ(error_of([&] { decoding.apply_mutable(v, {.mutable_collections = "cache"}, x); }),
            "ShapeError: attention: with a cache, a call must have queries of one step, [1,1,2,2]; got f32[1,3,2,2].");
}

// ---- masks ----

TEST(masks, pair_queries_with_keys) {
  const Array q = np::array({{1, 1, 0}}), k = np::array({{1, 0}});
  const Array m = make_attention_mask(q, k);
  EXPECT_EQ(m.aval().str(), "f32[1,1,3,2]");
  EXPECT_TRUE(near(m, Doubles{1, 0, 1, 0, 0, 0}));
  const Array later = make_attention_mask(
      np::array({0, 1}), np::array({0, 1, 2}),
      {.pairwise_fn = [](const Array& a, const Array& b) { return a < b; }, .extra_batch_dims = 2, .dtype = boolean});
  EXPECT_EQ(later.aval().str(), "bool[1,1,1,2,3]");
  EXPECT_TRUE(near(later, Doubles{0, 1, 1, 0, 0, 1}));
}

TEST(masks, that_are_causal_hide_what_comes_later) {
  const Array m = make_causal_mask(np::zeros({2, 3}));
  EXPECT_EQ(m.aval().str(), "f32[2,1,3,3]");
  EXPECT_TRUE(near(m(1, 0), np::tril(np::ones({3, 3}))));
  EXPECT_EQ(make_causal_mask(np::zeros({3}), {.extra_batch_dims = 1, .dtype = boolean}).aval().str(), "bool[1,1,3,3]");
}

TEST(masks, combine_where_all_hold) {
  const Array a = np::array({1.0f, 1.0f, 0.0f}), b = np::array({true, false, true});
  EXPECT_TRUE(near(combine_masks({a, Array(), b}), Doubles{1, 0, 0}));
  EXPECT_EQ(combine_masks({a, b}, boolean).dtype(), boolean);
  EXPECT_FALSE(combine_masks({Array(), Array()}).defined());
  EXPECT_EQ(error_of([&] { combine_masks({a, np::ones({1, 3})}); }),
            "ShapeError: combine_masks: masks must have equally many axes; got f32[3] and f32[1,3].");
}

}  // namespace
}  // namespace weft::nn
