#include "transformer.h"

namespace translate {

using weft::Array;
namespace nn = weft::nn;
namespace np = weft::np;

namespace {

// y[i, :] = sin(i w[:]), cos(i w[:]) with wave lengths from 2 pi to 10000 * 2 pi.
Array sinusoids(const Array& positions, int features) {
  const int half = features / 2;
  const Array w = np::exp(np::arange(0, half, 1, weft::f32) * (-std::log(1e4) / half));
  const Array angles = np::expand_dims(positions.astype(weft::f32), 1) * w;
  return np::concatenate({np::sin(angles), np::cos(angles)}, 1);
}

Array dropped(const TransformerSizes& sizes, const Array& x, bool train) {
  return nn::Dropout{.rate = sizes.dropout, .deterministic = !train}(x);
}

Array feed_forward(const TransformerSizes& sizes, const Array& x) {
  const Array hidden = nn::relu(nn::Dense{.features = sizes.hidden, .dtype = sizes.dtype}(x));
  return nn::Dense{.features = sizes.features, .dtype = sizes.dtype}(hidden);
}

nn::MultiHeadAttention attention(const TransformerSizes& sizes, const char* name, bool cached = false) {
  return {.num_heads = sizes.heads, .dtype = sizes.dtype, .decode = cached, .name = name};
}

struct EncoderLayer : nn::Module<EncoderLayer> {
  TransformerSizes sizes = {};
  std::string name = {};
  // `seen`: bool[n, 1, 1, s].
  Array call(Array x, const Array& seen, bool train) const {
    Array y = nn::LayerNorm()(x);
    y = attention(sizes, "self_attention")(y, nn::AttentionCall{.mask = seen});
    x = x + dropped(sizes, y, train);
    y = nn::LayerNorm()(x);
    return x + dropped(sizes, feed_forward(sizes, y), train);
  }
};

struct DecoderLayer : nn::Module<DecoderLayer> {
  TransformerSizes sizes = {};
  std::string name = {};
  Array call(Array x, const Array& memory, const Array& seen, const Decoding& how) const {
    Array y = nn::LayerNorm()(x);
    // A cache holds what came before, and nothing else.
    const Array causal = how.cached ? Array() : nn::make_causal_mask(x(weft::ellipsis, 0), {.dtype = weft::boolean});
    y = attention(sizes, "self_attention", how.cached)(y, nn::AttentionCall{.mask = causal});
    x = x + dropped(sizes, y, how.train);
    y = nn::LayerNorm()(x);
    // All translations of a source look at it together, as if they were one of many tokens: it is there once.
    y = np::reshape(y, {memory.shape(0), -1, sizes.features});
    y = attention(sizes, "attention")(y, memory, nn::AttentionCall{.mask = seen});
    x = x + dropped(sizes, np::reshape(y, x.shape()), how.train);
    y = nn::LayerNorm()(x);
    return x + dropped(sizes, feed_forward(sizes, y), how.train);
  }
};

Array seen_of(const Array& source) { return np::expand_dims(source != BytePairEncoding::kPad, {1, 2}); }

}  // namespace

Array Transformer::embedded(const Array& tokens, const Array& first, bool train) const {
  const Array positions = first + np::arange(tokens.shape(1), weft::i32);
  const Array x = embed(tokens) * std::sqrt(sizes.features) + sinusoids(positions, sizes.features);
  return dropped(sizes, x, train);
}

Array Transformer::encode(const Array& source, bool train) const {
  Array x = embedded(source, 0, train);
  for (int i = 0; i < sizes.layers; ++i)
    x = EncoderLayer{.sizes = sizes, .name = "encoder_" + std::to_string(i)}(x, seen_of(source), train);
  return nn::LayerNorm{.name = "encoder_norm"}(x);
}

Array Transformer::decode(const Array& memory, const Array& source, const Array& target, const Decoding& how) const {
  Array x = embedded(target, how.first, how.train);
  for (int i = 0; i < sizes.layers; ++i)
    x = DecoderLayer{.sizes = sizes, .name = "decoder_" + std::to_string(i)}(x, memory, seen_of(source), how);
  x = nn::LayerNorm{.dtype = sizes.dtype, .name = "decoder_norm"}(x);
  return embed.attend(x).astype(weft::f32);
}

}  // namespace translate
