// The encoder-decoder transformer (Vaswani et al., "Attention is all you need", 2017), with one table of vectors for
// both languages and the logits, and with layer normalisation at the beginning of each sublayer, where it needs no care
// in training (Xiong et al., "On layer normalization in the transformer architecture", 2020).
//
// Axes: n sentences of s source and t target tokens. Where the source is kPad, nothing is seen.
#pragma once

#include <cmath>

#include "bpe.h"
#include "nn/nn.h"
#include "weft/weft.h"

namespace translate {

struct TransformerSizes {
  int vocabulary = 8000;
  int layers = 3;  // of each, encoder and decoder
  int features = 256;
  int heads = 4;
  int hidden = 512;               // of the feed-forward networks
  double dropout = 0.3;           // of what is embedded and what sublayers give
  weft::DType dtype = weft::f32;  // of the products; parameters and what layers add up are f32
};

/// How a decoder is called.
struct Decoding {
  bool train = false;  // with dropout
  /// Each call sees one token, and through the collection "cache" those of the calls before.
  bool cached = false;
  weft::Array first = weft::Array(0);  // the place of the first token, i32[]
};

struct Transformer : weft::nn::Module<Transformer> {
  TransformerSizes sizes = {};
  weft::nn::Embed embed = {.num_embeddings = sizes.vocabulary,
                           .features = sizes.features,
                           .dtype = sizes.dtype,
                           .embedding_init = weft::nn::initializers::normal(1 / std::sqrt(sizes.features))};

  /// What is said in the sources: f32[n, s, features] of i32[n, s].
  weft::Array encode(const weft::Array& source, bool train) const;
  /// Logits f32[m, t, vocabulary] of what follows each token of i32[m, t], where m is n or a multiple: the first m / n
  /// are translations of the first source, and so on.
  weft::Array decode(const weft::Array& memory, const weft::Array& source, const weft::Array& target,
                     const Decoding& how) const;
  /// Logits f32[n, t, vocabulary].
  weft::Array call(const weft::Array& source, const weft::Array& target, bool train) const {
    return decode(encode(source, train), source, target, {.train = train});
  }

 private:
  weft::Array embedded(const weft::Array& tokens, const weft::Array& first, bool train) const;
};

}  // namespace translate
