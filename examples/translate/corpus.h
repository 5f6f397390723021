// Sentences in two languages, and batches of them. Each batch has sentences of about one length, so that little of it
// is padding, and there are few lengths, so that there are few programs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bpe.h"
#include "weft/core/array.h"

namespace translate {

/// Line i of one language says what line i of the other does.
struct ParallelText {
  std::vector<std::string> source, target;
};
/// The lines of <folder>/<part>.<source>.gz and <folder>/<part>.<target>.gz. ParseError when they are not equally many.
ParallelText read_parallel_text(const std::string& folder, const std::string& part, const std::string& source,
                                const std::string& target);

/// As numbers of a vocabulary, followed by kPad. The end is part of each sentence, and the beginning part of a target.
struct Sentences {
  weft::Array source;  ///< i32[n, length]
  weft::Array target;  ///< i32[n, length + 1]
};

/// The lengths that batches have: the least that holds a sentence is taken.
inline constexpr std::int64_t kLengths[] = {12, 16, 20, 24, 32, 48};
inline constexpr std::int64_t kLongest = 48;

/// A source of train::Pipeline of which each example is a whole batch: `tokens` / length pairs of sentences. Each pair
/// comes once in each epoch, beside others every time. Pairs of which a sentence is too long are left out.
class BatchesByLength {
 public:
  using Examples = Sentences;

  BatchesByLength(const BytePairEncoding& encoding, const ParallelText& text, std::int64_t tokens, std::int64_t seed);
  /// The batches of an epoch.
  std::int64_t size() const { return static_cast<std::int64_t>(batches_.size()); }
  /// Batch indices[0] of that epoch; the pipeline's own batches are of one.
  Sentences batch(std::span<const std::int64_t> indices, std::int64_t count, std::int64_t epoch) const;

  std::int64_t num_pairs() const { return num_pairs_; }
  /// How many target tokens are in an epoch, ends among them.
  std::int64_t num_tokens() const { return num_tokens_; }

 private:
  struct Pair {
    std::vector<std::int32_t> source, target;
  };
  struct Place {
    std::size_t bucket;
    std::int64_t begin;  // among the shuffled pairs of the bucket
  };
  std::int64_t rows(std::size_t bucket) const { return tokens_ / kLengths[bucket]; }

  std::vector<std::vector<Pair>> buckets_;  // by length
  std::vector<Place> batches_;
  std::int64_t tokens_, seed_, num_pairs_ = 0, num_tokens_ = 0;
};

/// Sources alone, to be translated together: i32[rows, length]. Those beyond `sentences` are empty.
weft::Array source_batch(std::span<const std::vector<std::int32_t>> sentences, std::int64_t rows);

}  // namespace translate
