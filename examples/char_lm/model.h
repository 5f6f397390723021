// A transformer that reads characters and predicts the next of each (Vaswani et al., 2017; Radford et al., 2019), with
// what has become usual since: normalisation before each layer (Xiong et al., 2020) without centring (Zhang and
// Sennrich, 2019), positions as rotations of queries and keys (Su et al., 2021), which are normalised too (Dehghani et
// al., 2023), squared relu (So et al., 2021), no biases.
#pragma once

#include <cmath>
#include <string>

#include "nn/nn.h"
#include "weft/weft.h"

namespace char_lm {

namespace nn = weft::nn;
namespace np = weft::np;
using weft::Array;

struct TransformerSizes {
  int characters = 0, layers = 6, width = 256, heads = 4;
  double dropout = 0.1;
  weft::DType dtype = weft::f32;  // of the blocks' products; parameters, sums and the last layer are f32
  bool decode = false;            // one character at a time, with a cache
};

/// x[batch, length, heads, depth], of which features (i, i + depth / 2) are turned by positions[length] 10000^(-2 i /
/// depth): what a query has of a key then depends on their distance.
inline Array rotary(const Array& x, const Array& positions) {
  const std::int64_t half = x.shape(-1) / 2;
  const Array frequencies = np::exp(np::arange(half, weft::f32) * (-std::log(10000.0) / static_cast<double>(half)));
  const Array angles = positions.astype(weft::f32)(weft::slice(), weft::newaxis, weft::newaxis) * frequencies;
  const Array c = np::cos(angles).astype(x.dtype()), s = np::sin(angles).astype(x.dtype());
  const Array a = x(weft::ellipsis, weft::slice(0, half)), b = x(weft::ellipsis, weft::slice(half, {}));
  return np::concatenate(std::vector{a * c - b * s, a * s + b * c}, -1);
}

/// x + attention(x), then x + mlp(x). Both begin as zeros.
struct Block : nn::Module<Block> {
  TransformerSizes sizes = {};
  Array call(Array x, const Array& positions, bool deterministic) const {
    const auto normed = [&](const Array& y) { return nn::RMSNorm{.dtype = sizes.dtype, .use_scale = false}(y); };
    const auto dropped = [&](const Array& y) { return nn::Dropout{.rate = sizes.dropout}(y, deterministic); };
    const auto zeros = nn::initializers::zeros();

    const Array mask =
        sizes.decode ? Array() : nn::make_causal_mask(x(weft::slice(0, 1), weft::slice(), 0), {.dtype = weft::boolean});
    const Array attended = nn::MultiHeadDotProductAttention{
        .num_heads = sizes.heads,
        .dtype = sizes.dtype,
        .dropout_rate = sizes.dropout,
        .out_kernel_init = zeros,
        .use_bias = false,
        .attention_fn =
            [&](const Array& q, const Array& k, const Array& v, const nn::DotProductAttention& how) {
              return nn::dot_product_attention(rotary(q, positions), rotary(k, np::arange(k.shape(1))), v, how);
            },
        .decode = sizes.decode,
        .normalize_qk = true}(normed(x), nn::AttentionCall{.mask = mask, .deterministic = deterministic});
    x = x + dropped(attended);

    Array y = nn::Dense{.features = 4 * sizes.width, .use_bias = false, .dtype = sizes.dtype}(normed(x));
    y = np::square(nn::relu(y));
    y = nn::Dense{.features = sizes.width, .use_bias = false, .dtype = sizes.dtype, .kernel_init = zeros}(y);
    return x + dropped(y);
  }
};

/// Logits[batch, length, character] of what follows each of tokens[batch, length], which stand at positions[length].
struct Transformer : nn::Module<Transformer> {
  TransformerSizes sizes = {};
  Array call(const Array& tokens, const Array& positions, bool deterministic) const {
    Array x = nn::Embed{.num_embeddings = sizes.characters, .features = sizes.width}(tokens);
    x = nn::Dropout{.rate = sizes.dropout}(x, deterministic);
    for (int i = 0; i < sizes.layers; ++i) x = Block{.sizes = sizes}(x, positions, deterministic);
    x = nn::RMSNorm{.use_scale = false}(x);
    return nn::Dense{.features = sizes.characters, .use_bias = false, .kernel_init = nn::initializers::zeros()}(x);
  }
};

}  // namespace char_lm
