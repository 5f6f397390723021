// A text as numbers, one per character, and windows of it as examples. Knows nothing about models.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/data.h"
#include "train/file.h"
#include "train/shuffle.h"
#include "weft/weft.h"

namespace char_lm {

using Tokens = std::vector<std::uint8_t>;  // characters by their places in an alphabet

/// The different characters (bytes) of a text, in order.
inline std::string alphabet_of(std::string_view text) {
  std::string all(text);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}
/// ValueError for characters that the alphabet does not have.
inline Tokens tokens_of(std::string_view text, const std::string& alphabet) {
  Tokens tokens;
  for (const char c : text) {
    const auto place = alphabet.find(c);
    if (place == std::string::npos)
      throw weft::ValueError("char_lm: the model knows the characters of the text that it learned from alone; got " +
                             (c >= ' ' && c <= '~' ? "'" + std::string(1, c) + "'"
                                                   : "byte " + std::to_string(static_cast<unsigned char>(c))) +
                             ".");
    tokens.push_back(static_cast<std::uint8_t>(place));
  }
  return tokens;
}

inline std::string text_of_file(const std::string& path) {
  const std::vector<std::byte> bytes = weft::train::read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Windows of length + 1 characters, each beginning with the last one of the one before, as a source of examples u8[n,
/// length + 1]. With a seed, each epoch cuts the text at other places: it begins at one of the first `length`
/// characters.
struct Windows {
  using Examples = weft::Array;
  Tokens tokens;
  std::int64_t length = 0;
  std::optional<std::int64_t> seed = {};

  // With a seed one window less than fits, so that there are as many wherever the first begins.
  std::int64_t size() const {
    const std::int64_t fit = (static_cast<std::int64_t>(tokens.size()) - 1) / length;
    return std::max<std::int64_t>(seed ? fit - 1 : fit, 0);
  }
  weft::Array batch(std::span<const std::int64_t> indices, std::int64_t count, std::int64_t epoch) const {
    const std::int64_t first = seed ? weft::train::shuffled(length, *seed, epoch)[0] : 0;
    Tokens rows(static_cast<std::size_t>(count * (length + 1)));
    for (std::size_t i = 0; i < indices.size(); ++i)
      std::copy_n(tokens.begin() + first + indices[i] * length, length + 1,
                  rows.begin() + static_cast<std::int64_t>(i) * (length + 1));
    return weft::Array::from_vector(rows, weft::Dims{count, length + 1});
  }
};

}  // namespace char_lm
