// Sentences in, sentences out: the encoding, the model and the search together.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "beam.h"
#include "bpe.h"
#include "transformer.h"

/// The best translations of sources i32[n, s]: i32[n, s + 16], ends and padding behind them.
weft::Array search(const Transformer& model, const weft::nn::Collection& params, const weft::Array& source,
                   BeamSearch options);

/// The translation of each text. Those of about one length are searched together, by `search`, a jitted one:
/// i32[n, longest] of i32[n, s].
std::vector<std::string> translate(const BytePairEncoding& encoding, std::span<const std::string> texts,
                                   const std::function<weft::Array(const weft::Array& source)>& search);
