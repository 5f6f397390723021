#include "corpus.h"

#include <algorithm>

#include "train/file.h"
#include "train/gzip.h"
#include "train/shuffle.h"
#include "weft/base/error.h"
#include "weft/weft.h"

namespace translate {

using weft::Array;

namespace {

constexpr std::int32_t kBegin = BytePairEncoding::kBegin, kEnd = BytePairEncoding::kEnd;

std::vector<std::string> read_lines(const std::string& path) {
  constexpr std::size_t kLimit = std::size_t{1} << 30;
  const std::vector<std::byte> bytes = weft::train::gunzip(weft::train::read_file(path), kLimit, path);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = static_cast<char>(bytes[i]);
    if (i == 0 || static_cast<char>(bytes[i - 1]) == '\n') lines.emplace_back();
    if (c != '\n') lines.back() += c;
  }
  return lines;
}

std::size_t bucket_of(std::size_t length) {
  std::size_t b = 0;
  while (b < std::size(kLengths) && static_cast<std::size_t>(kLengths[b]) < length) ++b;
  return b;
}

// Rows of a matrix of kPad.
class Rows {
 public:
  Rows(std::int64_t rows, std::int64_t length) : length_(length), tokens_(static_cast<std::size_t>(rows * length)) {}
  void set(std::int64_t row, const std::vector<std::int32_t>& tokens) {
    std::copy(tokens.begin(), tokens.end(), tokens_.begin() + row * length_);
  }
  Array array() const { return Array::from_vector(tokens_, weft::Dims{std::ssize(tokens_) / length_, length_}); }

 private:
  std::int64_t length_;
  std::vector<std::int32_t> tokens_;
};

}  // namespace

ParallelText read_parallel_text(const std::string& folder, const std::string& part, const std::string& source,
                                const std::string& target) {
  const std::string path = folder + "/" + part + ".";
  ParallelText text{read_lines(path + source + ".gz"), read_lines(path + target + ".gz")};
  if (text.source.size() != text.target.size())
    throw weft::ParseError("translate: both files " + path + "*.gz must have equally many lines; got " +
                           std::to_string(text.source.size()) + " and " + std::to_string(text.target.size()) + ".");
  return text;
}

BatchesByLength::BatchesByLength(const BytePairEncoding& encoding, const ParallelText& text, std::int64_t tokens,
                                 std::int64_t seed)
    : buckets_(std::size(kLengths)), tokens_(tokens), seed_(seed) {
  for (std::size_t i = 0; i < text.source.size(); ++i) {
    Pair pair{encoding.encode(text.source[i]), encoding.encode(text.target[i])};
    pair.source.push_back(kEnd);
    pair.target.push_back(kEnd);
    const auto length = static_cast<std::int64_t>(pair.target.size());
    const std::size_t bucket = bucket_of(std::max(pair.source.size(), pair.target.size()));
    if (bucket == buckets_.size()) continue;
    pair.target.insert(pair.target.begin(), kBegin);
    buckets_[bucket].push_back(std::move(pair));
    ++num_pairs_;
    num_tokens_ += length;
  }
  for (std::size_t b = 0; b < buckets_.size(); ++b)
    for (std::int64_t begin = 0; begin < std::ssize(buckets_[b]); begin += rows(b)) batches_.push_back({b, begin});
}

Sentences BatchesByLength::batch(std::span<const std::int64_t> indices, std::int64_t, std::int64_t epoch) const {
  const Place& place = batches_.at(static_cast<std::size_t>(indices[0]));
  const std::vector<Pair>& bucket = buckets_[place.bucket];
  const std::int64_t n = rows(place.bucket), length = kLengths[place.bucket];
  const std::vector<std::int64_t> order = weft::train::shuffled(std::ssize(bucket), seed_, epoch);
  Rows source(n, length), target(n, length + 1);
  for (std::int64_t i = 0; i < n && place.begin + i < std::ssize(bucket); ++i) {
    const Pair& pair = bucket[static_cast<std::size_t>(order[static_cast<std::size_t>(place.begin + i)])];
    source.set(i, pair.source);
    target.set(i, pair.target);
  }
  return {source.array(), target.array()};
}

Array source_batch(std::span<const std::vector<std::int32_t>> sentences, std::int64_t rows) {
  std::size_t longest = 1;
  for (const auto& s : sentences) longest = std::max(longest, s.size());
  const std::size_t bucket = bucket_of(longest);
  Rows source(rows, kLengths[std::min(bucket, std::size(kLengths) - 1)]);
  for (std::int64_t i = 0; i < std::ssize(sentences); ++i) {
    std::vector<std::int32_t> s = sentences[static_cast<std::size_t>(i)];
    // What is beyond the longest is not seen.
    s.resize(std::min<std::size_t>(s.size(), kLongest));
    source.set(i, s);
  }
  return source.array();
}

}  // namespace translate
