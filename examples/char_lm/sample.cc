#include "sample.h"

#include <algorithm>

namespace char_lm {

namespace {

struct Decoded {
  nn::Collection cache;
  Array logits;  // f32[character]
};

// The model with a cache, and its one compiled step.
struct Decoder {
  Transformer model;
  std::int64_t context;

  Decoder(TransformerSizes sizes, std::int64_t context) : context(context) {
    sizes.decode = true;
    model.sizes = sizes;
  }
  nn::Collection empty_cache() const {
    const auto init = [this](const Array& key) {
      return model.init(key, np::zeros({1, context}, weft::i32), np::arange(context), true).at("cache");
    };
    // Zeros, whatever parameters are made beside them.
    return weft::jit(init)(weft::random::key(0));
  }
  // The cache with the token that stands at `position`, and logits of the next.
  Decoded step(const nn::Collection& params, const nn::Collection& cache, const Array& token,
               const Array& position) const {
    const auto [logits, changed] =
        model.apply_mutable({{"params", params}, {"cache", cache}}, {.mutable_collections = "cache"},
                            np::reshape(token, {1, 1}), np::reshape(position, {1}), true);
    return {changed.at("cache"), logits(0, 0)};
  }
};

}  // namespace

void sample(const TransformerSizes& sizes, const nn::Collection& params, std::vector<std::uint8_t>& tokens,
            std::int64_t count, const Sampling& how, const std::function<void(std::uint8_t)>& seen) {
  const Decoder decoder(sizes, how.context);
  struct Next {
    nn::Collection cache;
    Array token;
  };
  const auto step = weft::jit(
      [&](const nn::Collection& cache, const nn::Collection& params, const Array& token, const Array& position,
          const Array& temperature, const Array& key) {
        const Decoded now = decoder.step(params, cache, token, position);
        const Array drawn = weft::random::categorical(key, now.logits / np::maximum(temperature, 1e-6f));
        return Next{now.cache, np::where(temperature > 0, drawn, np::argmax(now.logits))};
      },
      {.name = "sample_step", .donate = {0}});

  const nn::Collection empty = decoder.empty_cache();
  const Array key = weft::random::key(how.seed);
  const auto end = static_cast<std::int64_t>(tokens.size()) + count;
  nn::Collection cache;
  // The cache has tokens[begin ... at), at first as many of the prompt as fit. When it is full, it begins anew with the
  // last half of them.
  std::int64_t begin = std::max<std::int64_t>(0, static_cast<std::int64_t>(tokens.size()) - how.context + 1),
               at = begin;
  for (; static_cast<std::int64_t>(tokens.size()) < end; ++at) {
    if (at - begin == how.context) at = begin = at - how.context / 2;
    if (at == begin) cache = weft::tree::map([](const Array& a) { return np::copy(a); }, empty);
    auto [next, token] = step(std::move(cache), params, Array(int{tokens[static_cast<std::size_t>(at)]}),
                              Array(static_cast<int>(at - begin)), how.temperature, weft::random::fold_in(key, at));
    cache = std::move(next);
    if (at + 1 < static_cast<std::int64_t>(tokens.size())) continue;  // of the prompt, or read again
    tokens.push_back(static_cast<std::uint8_t>(token.item<int>()));
    seen(tokens.back());
  }
}

float cache_error(const TransformerSizes& sizes, const nn::Collection& params,
                  const std::vector<std::uint8_t>& tokens) {
  const auto length = static_cast<std::int64_t>(tokens.size());
  const Array text = Array::from_vector(tokens, weft::Dims{length}).astype(weft::i32);
  const Transformer whole{.sizes = sizes};
  const Array want = weft::jit([&](const nn::Collection& p, const Array& x) {
    return whole.apply({{"params", p}}, x(weft::newaxis), np::arange(length), true)(0);
  })(params, text);

  const Decoder decoder(sizes, length);
  const auto step = weft::jit([&](const nn::Collection& cache, const nn::Collection& p, const Array& x,
                                  const Array& at) { return decoder.step(p, cache, x, at); });
  nn::Collection cache = decoder.empty_cache();
  float error = 0;
  for (std::int64_t i = 0; i < length; ++i) {
    const Decoded now = step(cache, params, text(i), Array(static_cast<int>(i)));
    cache = now.cache;
    error = std::max(error, np::max(np::abs(now.logits - want(i))).item<float>());
  }
  return error;
}

}  // namespace char_lm
