// Byte-pair encoding (Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units", 2016):
// texts as numbers of a vocabulary that was learned by joining, again and again, the two neighbouring tokens that are
// side by side most often.
//
// Tokens are bytes at first, so every text has an encoding. What is never joined across: borders of words, and of
// letters, digits and marks. A word has the space before it, so that decoding puts the bytes one behind the other.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace translate {

class BytePairEncoding {
 public:
  /// The first numbers: nothing, the beginning and the end of a sentence. Then come the bytes, then what was joined.
  static constexpr std::int32_t kPad = 0, kBegin = 1, kEnd = 2, kBytes = 3;

  /// The encoding of at most `size` tokens for texts like these; fewer when no two tokens are together twice.
  /// ValueError for sizes that leave nothing to learn.
  static BytePairEncoding learn(std::span<const std::string> texts, int size);
  /// What was learned, as lines "left right" in the order in which tokens were joined; and the encoding of such lines,
  /// or ParseError.
  std::string merges() const;
  static BytePairEncoding of_merges(const std::string& lines);
  /// A file for people: the number and the text of each token that was joined.
  void save(const std::string& path) const;

  /// The text's tokens, without kBegin and kEnd. Runs of white space are one space.
  std::vector<std::int32_t> encode(std::string_view text) const;
  /// The text of the tokens up to the first kEnd; kPad and kBegin are nothing, and bytes that are no
  /// UTF-8 are U+FFFD.
  std::string decode(std::span<const std::int32_t> tokens) const;
  int size() const { return kBytes + 256 + static_cast<int>(merges_.size()); }

 private:
  struct Merge {
    std::int32_t left, right;
  };
  BytePairEncoding();  // of bytes alone
  void add(Merge merge);

  std::vector<Merge> merges_;                               // the i-th makes token kBytes + 256 + i
  std::unordered_map<std::uint64_t, std::int32_t> joined_;  // by both tokens
  std::vector<std::string> texts_;                          // of each token
};

/// The words that tokens are joined in, each with the space before it: " A", " dog", "'", "s", " ball", ".".
std::vector<std::string> words_of(std::string_view text);

}  // namespace translate
