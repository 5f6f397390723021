#include "bpe.h"

#include <algorithm>
#include <map>
#include <queue>
#include <sstream>
#include <tuple>

#include "train/file.h"
#include "train/utf8.h"
#include "weft/base/error.h"

namespace translate {

namespace {

enum class Kind : std::uint8_t { kSpace, kLetter, kDigit, kMark };
Kind kind_of(char c) {
  if (c == ' ' || (c >= '\t' && c <= '\r')) return Kind::kSpace;
  if (c >= '0' && c <= '9') return Kind::kDigit;
  // All that is not ASCII counts as letters.
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
  return letter ? Kind::kLetter : Kind::kMark;
}

std::uint64_t pair_of(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
}

std::vector<std::int32_t> bytes_of(const std::string& word) {
  std::vector<std::int32_t> tokens;
  for (const char c : word) tokens.push_back(BytePairEncoding::kBytes + static_cast<unsigned char>(c));
  return tokens;
}

// Every `left` that is followed by `right`, and it, become `joined`.
void join(std::vector<std::int32_t>& tokens, std::int32_t left, std::int32_t right, std::int32_t joined) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool here = tokens[i] == left && i + 1 < tokens.size() && tokens[i + 1] == right;
    tokens[n++] = here ? joined : tokens[i];
    if (here) ++i;
  }
  tokens.resize(n);
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  Kind before = Kind::kSpace;  // so that the first word of a text is as it is elsewhere
  for (const char c : text) {
    const Kind kind = kind_of(c);
    if (kind != Kind::kSpace) {
      if (kind != before || kind == Kind::kMark) words.emplace_back(before == Kind::kSpace ? " " : "");
      words.back() += c;
    }
    before = kind;
  }
  return words;
}

BytePairEncoding BytePairEncoding::learn(std::span<const std::string> texts, int size) {
  if (size <= kBytes + 256)
    throw weft::ValueError("byte-pair encoding: the vocabulary must have more than " + std::to_string(kBytes + 256) +
                           " tokens; got " + std::to_string(size) + ".");
  std::map<std::string, std::int64_t> counts;
  for (const std::string& text : texts)
    for (const std::string& word : words_of(text)) ++counts[word];
  struct Word {
    std::vector<std::int32_t> tokens;
    std::int64_t count;
  };
  std::vector<Word> words;
  words.reserve(counts.size());
  for (const auto& [word, count] : counts) words.push_back({bytes_of(word), count});

  // How often each pair occurs, the words where it once did, and all counts that there ever were, the greatest first
  // and of those the first pair. Those that are no longer true are passed over when they come up.
  std::unordered_map<std::uint64_t, std::int64_t> pairs;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> places;
  std::priority_queue<std::tuple<std::int64_t, std::uint64_t>> greatest;
  const auto count_pairs = [&](std::size_t w, int sign) {
    const Word& word = words[w];
    for (std::size_t i = 0; i + 1 < word.tokens.size(); ++i) {
      const std::uint64_t pair = pair_of(word.tokens[i], word.tokens[i + 1]);
      const std::int64_t count = pairs[pair] += sign * word.count;
      greatest.emplace(count, ~pair);
      if (sign > 0) places[pair].push_back(w);
    }
  };
  for (std::size_t w = 0; w < words.size(); ++w) count_pairs(w, 1);

  BytePairEncoding encoding;
  while (encoding.size() < size && !greatest.empty()) {
    const auto [count, inverse] = greatest.top();
    greatest.pop();
    const std::uint64_t pair = ~inverse;
    if (count != pairs[pair]) continue;
    if (count < 2) break;
    const Merge merge{static_cast<std::int32_t>(pair >> 32), static_cast<std::int32_t>(pair)};
    const std::int32_t joined = encoding.size();
    encoding.add(merge);
    std::vector<std::size_t> where = std::move(places[pair]);
    std::sort(where.begin(), where.end());
    where.erase(std::unique(where.begin(), where.end()), where.end());
    for (const std::size_t w : where) {
      count_pairs(w, -1);
      join(words[w].tokens, merge.left, merge.right, joined);
      count_pairs(w, 1);
    }
  }
  return encoding;
}

BytePairEncoding::BytePairEncoding() : texts_(kBytes) {
  for (int b = 0; b < 256; ++b) texts_.emplace_back(1, static_cast<char>(b));
}

void BytePairEncoding::add(Merge merge) {
  joined_.emplace(pair_of(merge.left, merge.right), size());
  texts_.push_back(texts_[static_cast<std::size_t>(merge.left)] + texts_[static_cast<std::size_t>(merge.right)]);
  merges_.push_back(merge);
}

std::vector<std::int32_t> BytePairEncoding::encode(std::string_view text) const {
  std::vector<std::int32_t> all;
  for (const std::string& word : words_of(text)) {
    std::vector<std::int32_t> tokens = bytes_of(word);
    // The pair that was joined first in learning is joined first here.
    while (true) {
      auto first = joined_.end();
      for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        const auto at = joined_.find(pair_of(tokens[i], tokens[i + 1]));
        if (at != joined_.end() && (first == joined_.end() || at->second < first->second)) first = at;
      }
      if (first == joined_.end()) break;
      join(tokens, static_cast<std::int32_t>(first->first >> 32), static_cast<std::int32_t>(first->first),
           first->second);
    }
    all.insert(all.end(), tokens.begin(), tokens.end());
  }
  return all;
}

std::string BytePairEncoding::decode(std::span<const std::int32_t> tokens) const {
  std::string text;
  for (const std::int32_t s : tokens) {
    if (s == kEnd) break;
    text += texts_.at(static_cast<std::size_t>(s));
  }
  if (text.starts_with(' ')) text.erase(0, 1);
  // Any bytes may be side by side, also those that are parts of no character.
  std::string valid;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t n = 1;
    while (n < 4 && !weft::train::is_utf8(text.substr(i, n))) ++n;
    const bool character = weft::train::is_utf8(text.substr(i, n));
    valid += character ? text.substr(i, n) : "\ufffd";
    i += character ? n : 1;
  }
  return valid;
}

std::string BytePairEncoding::merges() const {
  std::string lines;
  for (const Merge& m : merges_) lines += std::to_string(m.left) + " " + std::to_string(m.right) + "\n";
  return lines;
}

BytePairEncoding BytePairEncoding::of_merges(const std::string& lines) {
  std::istringstream in(lines);
  BytePairEncoding encoding;
  for (std::string line; std::getline(in, line);) {
    Merge merge{};
    std::istringstream numbers(line);
    const bool read = static_cast<bool>(numbers >> merge.left >> merge.right);
    if (!read || std::min(merge.left, merge.right) < kBytes || std::max(merge.left, merge.right) >= encoding.size())
      throw weft::ParseError(
          "byte-pair encoding: each line of merges must name two tokens that are there already; got '" + line + "'.");
    encoding.add(merge);
  }
  return encoding;
}

void BytePairEncoding::save(const std::string& path) const {
  std::string text;
  for (std::size_t i = kBytes + 256; i < texts_.size(); ++i) text += std::to_string(i) + " " + texts_[i] + "\n";
  weft::train::write_file(path, std::as_bytes(std::span(text)));
}

}  // namespace translate
