// Text from a trained model, one character at a time. Keys and values of the characters before are in a cache.
#pragma once

#include <cstdint>
#include <functional>

#include "model.h"

namespace char_lm {

struct Sampling {
  std::int64_t context = 256;  // characters that the model sees at most
  float temperature = 0.8f;    // logits are divided by it; 0: always the likeliest character
  int seed = 0;
};

/// Appends `count` characters to the tokens, at least one of which is there, and shows each to `seen`.
void sample(const TransformerSizes& sizes, const nn::Collection& params, std::vector<std::uint8_t>& tokens,
            std::int64_t count, const Sampling& how, const std::function<void(std::uint8_t)>& seen);

/// The largest difference of logits[length, character] between one pass over all tokens and one character at a time.
float cache_error(const TransformerSizes& sizes, const nn::Collection& params, const std::vector<std::uint8_t>& tokens);

}  // namespace char_lm
