// A language model: 4 layers of width 256 with 4 heads, 8 sequences of 128 tokens out of 1000.
#include "models.h"

namespace workloads {

namespace {

constexpr std::int64_t kTokens = 1000, kWidth = 256, kHeads = 4, kLayers = 4, kLength = 128, kBatch = 8,
                       kHead = kWidth / kHeads;

struct LayerNorm {
  Array scale, shift;
  Array operator()(const Array& x) const {
    const Array centred = x - np::mean(x, -1, true);
    return centred * lax::rsqrt(np::mean(centred * centred, -1, true) + 1e-5f) * scale + shift;
  }
};
LayerNorm make_norm() { return {np::ones({kWidth}), np::zeros({kWidth})}; }

Array gelu(const Array& x) { return 0.5f * x * (1.0f + lax::erf(x * 0.70710678f)); }

Array softmax(const Array& x) {
  const Array e = np::exp(x - lax::stop_gradient(np::max(x, -1, true)));
  return e / np::sum(e, -1, true);
}

struct Block {
  LayerNorm before_attention, before_mlp;
  Dense qkv, out, up, down;

  Array attention(const Array& x, const Array& mask) const {
    const Array split = np::transpose(np::reshape(qkv(x), {kBatch, kLength, 3, kHeads, kHead}), {2, 0, 3, 1, 4});
    const Array q = split(0), k = split(1), v = split(2);
    const Array weights = softmax(np::matmul(q, np::swapaxes(k, -1, -2)) * (1 / std::sqrt(float{kHead})) + mask);
    return out(np::reshape(np::swapaxes(np::matmul(weights, v), 1, 2), {kBatch, kLength, kWidth}));
  }
  Array operator()(Array x, const Array& mask) const {
    x = x + attention(before_attention(x), mask);
    return x + down(gelu(up(before_mlp(x))));
  }
};

struct Transformer {
  Array embedding, position;
  std::vector<Block> blocks;
  LayerNorm last;
  Dense out;
};

Transformer make_transformer() {
  Transformer p{normal(0, {kTokens, kWidth}),
                normal(1, {kLength, kWidth}) * 0.02f,
                {},
                make_norm(),
                make_dense(2, kWidth, kTokens)};
  for (int i = 0; i < kLayers; ++i) {
    const int seed = 10 + 10 * i;
    p.blocks.push_back({make_norm(), make_norm(), make_dense(seed, kWidth, 3 * kWidth),
                        make_dense(seed + 1, kWidth, kWidth), make_dense(seed + 2, kWidth, 4 * kWidth),
                        make_dense(seed + 3, 4 * kWidth, kWidth)});
  }
  return p;
}

// [batch * length, tokens]
Array logits(const Transformer& p, const Array& tokens) {
  const Array mask = np::triu(np::full({kLength, kLength}, -1e9f), 1);
  Array x = p.embedding(tokens) + p.position;
  for (const Block& block : p.blocks) x = block(x, mask);
  return np::reshape(p.out(p.last(x)), {kBatch * kLength, kTokens});
}

Adam<Transformer> step(Adam<Transformer> s, Array tokens, Array next) {
  const Transformer g = weft::grad([&](Transformer p) { return cross_entropy(logits(p, tokens), next); })(s.params);
  return adam(std::move(s), g);
}

}  // namespace

void add_transformer(Cases& cases) {
  constexpr double kFlops = 6.0 * kBatch * kLength * (kLayers * 12.0 * kWidth * kWidth + kWidth * kTokens) +
                            kLayers * 3.0 * 2 * 2 * kBatch * kLength * kLength * kWidth;
  const auto tokens = [] { return labels(3, {kBatch, kLength}, kTokens); };
  cases.push_back(weft_case("train_transformer", "4L d256 h4 s128 b8 adam", {.flops = kFlops}, [=] {
    return stepping(step, make_adam(make_transformer()), tokens(), labels(4, {kBatch * kLength}, kTokens));
  }));
  cases.push_back(weft_case("infer_transformer", "4L d256 h4 s128 b8", {.flops = kFlops / 3}, [=] {
    return compiled([](Transformer p, Array t) { return logits(p, t); }, make_transformer(), tokens());
  }));
}

}  // namespace workloads
