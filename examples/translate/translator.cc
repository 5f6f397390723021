#include "translator.h"

#include <algorithm>
#include <numeric>

#include "corpus.h"

namespace translate {

using weft::Array;
namespace nn = weft::nn;
namespace np = weft::np;

Array search(const Transformer& model, const nn::Collection& params, const Array& source, BeamSearch options) {
  const std::int64_t n = source.shape(0);
  options.longest = source.shape(1) + 16;
  const Array memory = model.apply_method(&Transformer::encode, {{"params", params}}, {}, source, false);
  // init makes the caches, for translations of this length; the parameters that it makes are not used.
  const Array longest = np::zeros({n * options.beams, options.longest}, weft::i32);
  const auto made = model.init_method(&Transformer::decode, {.rngs = weft::random::key(0)}, memory, source, longest,
                                      Decoding{.cached = true});
  const auto step = [&](const Array& last, const Array& position, const nn::Collection& cache) {
    const auto [logits, changed] = model.apply_mutable_method(
        &Transformer::decode, {{"params", params}, {"cache", cache}}, {.mutable_collections = "cache"}, memory, source,
        np::expand_dims(last, 1), Decoding{.cached = true, .first = position});
    return std::pair(nn::log_softmax(np::squeeze(logits, 1)), changed.at("cache"));
  };
  return beam_search(options, n, made.second.at("cache"), step);
}

std::vector<std::string> translate(const BytePairEncoding& encoding, std::span<const std::string> texts,
                                   const std::function<Array(const Array& source)>& search) {
  // One program translates all: the last ones are filled up.
  const auto together_at_most = std::min<std::size_t>(32, texts.size());
  std::vector<std::vector<std::int32_t>> sources;
  for (const std::string& text : texts) {
    sources.push_back(encoding.encode(text));
    sources.back().push_back(BytePairEncoding::kEnd);
  }
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return sources[i].size(); });

  std::vector<std::string> translations(texts.size());
  for (std::size_t begin = 0; begin < order.size(); begin += together_at_most) {
    const auto some = std::span(order).subspan(begin, std::min(together_at_most, order.size() - begin));
    std::vector<std::vector<std::int32_t>> together;
    for (const std::size_t i : some) together.push_back(sources[i]);
    const Array tokens = search(source_batch(together, static_cast<std::int64_t>(together_at_most)));
    const std::vector<std::int32_t> all = tokens.to_vector<std::int32_t>();
    const auto length = static_cast<std::size_t>(tokens.shape(1));
    for (std::size_t k = 0; k < some.size(); ++k)
      translations[some[k]] = encoding.decode(std::span(all).subspan(k * length, length));
  }
  return translations;
}

}  // namespace translate
