// Sets of the numbers 0 ... n - 1, each kept once: two sets are equal exactly when their ids are. Patterns repeat all
// over a program, so that a union is nearly always found, not made.
// Invariant: an id stays valid, and what it stands for never changes.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace weft::transforms {

class IndexSets {
 public:
  using Id = std::int32_t;
  static constexpr Id kEmpty = 0;
  /// The set {i}.
  static Id single(std::int64_t i) { return static_cast<Id>(i) + 1; }

  /// ValueError when n is not below 2^31 - 1.
  explicit IndexSets(std::int64_t n);

  /// Ascending. Valid until the next union.
  std::span<const std::int32_t> elements(Id set) const {
    return std::span(elements_).subspan(begin_[at(set)], begin_[at(set) + 1] - begin_[at(set)]);
  }
  /// ValueError when all sets together have more than kMostElements.
  Id unite(Id a, Id b);
  Id unite(std::span<const Id> sets);

  /// The elements that unions visited, those that were made before not counted.
  std::int64_t work() const { return work_; }

  static constexpr std::size_t kMostElements = std::size_t{1} << 28;

 private:
  static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }
  Id intern(std::span<const std::int32_t> elements);
  void grow_slots();

  std::vector<std::int32_t> elements_;  // of all sets, one set behind the other
  std::vector<std::size_t> begin_;      // by id, and the end
  std::vector<std::uint64_t> hashes_;   // of the sets with more than one element, in order of their ids
  std::vector<Id> slots_;               // an open hash table of those; kEmpty is a free slot
  std::int64_t num_singles_;
  std::unordered_map<std::uint64_t, Id> unions_;  // by the pair of ids
  std::vector<std::uint32_t> seen_element_, seen_set_;
  std::uint32_t round_ = 0;
  std::vector<std::int32_t> scratch_;
  std::vector<Id> distinct_;
  std::int64_t work_ = 0;
};

}  // namespace weft::transforms
