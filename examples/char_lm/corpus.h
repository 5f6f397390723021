// A text as numbers, one per character, and windows of it as examples. Knows nothing about models.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/data.h"
#include "train/file.h"
#include "train/shuffle.h"
#include "weft/weft.h"

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
      throw weft::ValueError("char_lm: the model knows the characters of the text that it learned from alone; got '" +
                             std::string(1, c) + "'.");
    tokens.push_back(static_cast<std::uint8_t>(place));
  }
  return tokens;
}

/// The whole file; ValueError when no name is given.
inline std::string text_of_file(const std::string& path) {
  if (path.empty())
    throw weft::ValueError("char_lm: a text to learn from is needed; got none.",
                           "--text names a file; without it, $WEFT_DATA_DIR/text/tinyshakespeare.txt is read");
  const std::vector<std::byte> bytes = weft::train::read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Windows of length + 1 characters, each beginning with the last one of the one before, as a source of examples u8[n,
/// length + 1]. Each epoch but the first cuts the text at other places.
struct Windows {
  using Examples = weft::Array;
  Tokens tokens;
  std::int64_t length = 0;
  bool shift = false;

  // One window less than fits where all are shifted.
  std::int64_t size() const {
    const std::int64_t fit = (static_cast<std::int64_t>(tokens.size()) - 1) / length;
    return shift ? std::max<std::int64_t>(fit - 1, 0) : fit;
  }
  weft::Array batch(std::span<const std::int64_t> indices, std::int64_t count, std::int64_t epoch) const {
    const std::int64_t by = shift ? weft::train::shuffled(length, 0, epoch)[0] : 0;
    Tokens rows(static_cast<std::size_t>(count * (length + 1)));
    for (std::size_t i = 0; i < indices.size(); ++i)
      std::copy_n(tokens.begin() + by + indices[i] * length, length + 1,
                  rows.begin() + static_cast<std::int64_t>(i) * (length + 1));
    return weft::Array::from_vector(rows, weft::Dims{count, length + 1});
  }
};
