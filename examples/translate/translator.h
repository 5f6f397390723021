// Sentences in, sentences out: the encoding, the model and the search together.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "beam.h"
#include "bpe.h"
#include "transformer.h"

namespace translate {

/// The best translations of sources i32[n, s]: i32[n, s + 16], ends and padding behind them.
weft::Array search(const Transformer& model, const weft::nn::Collection& params, const weft::Array& source,
                   BeamSearch options);

/// The translation of each text. Those of about one length are searched together, by `search`, a jitted one:
/// i32[n, longest] of i32[n, s].
std::vector<std::string> translate(const BytePairEncoding& encoding, std::span<const std::string> texts,
                                   const std::function<weft::Array(const weft::Array& source)>& search);

/// Both together, for any parameters.
class Translator {
 public:
  Translator(const BytePairEncoding& encoding, const Transformer& model, const BeamSearch& beam)
      : encoding_(encoding), search_(weft::jit(Search{model, beam}, {.name = "search"})) {}

  std::vector<std::string> operator()(const weft::nn::Collection& params, std::span<const std::string> texts) const {
    return translate(encoding_, texts, [&](const weft::Array& source) { return search_(params, source); });
  }

 private:
  struct Search {
    Transformer model;
    BeamSearch beam;
    weft::Array operator()(const weft::nn::Collection& params, const weft::Array& source) const {
      return search(model, params, source, beam);
    }
  };
  BytePairEncoding encoding_;
  weft::Jit<Search> search_;
};

}  // namespace translate
