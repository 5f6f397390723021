#include "weft/transforms/index_sets.h"

#include <algorithm>
#include <string>

#include "weft/base/error.h"
#include "weft/base/hash.h"

namespace weft::transforms {

IndexSets::IndexSets(std::int64_t n) : num_singles_(n) {
  if (n < 0 || n >= std::int64_t{INT32_MAX})
    throw ValueError("sparsity: there must be fewer than 2^31 - 1 elements to depend on; got " + std::to_string(n) +
                     ".");
  elements_.resize(at(n));
  begin_.resize(at(n) + 2);
  begin_[0] = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    elements_[at(i)] = static_cast<std::int32_t>(i);
    begin_[at(i) + 1] = at(i);
  }
  begin_[at(n) + 1] = at(n);
  slots_.assign(64, kEmpty);
  seen_element_.assign(at(n), 0);
}

IndexSets::Id IndexSets::unite(Id a, Id b) {
  if (a == b || b == kEmpty) return a;
  if (a == kEmpty) return b;
  if (a > b) std::swap(a, b);
  const std::uint64_t pair = static_cast<std::uint64_t>(a) << 32 | static_cast<std::uint64_t>(b);
  const auto [it, added] = unions_.try_emplace(pair, kEmpty);
  if (!added) return it->second;
  auto x = elements(a), y = elements(b);
  Id larger = b;
  if (x.size() > y.size()) {
    std::swap(x, y);
    larger = a;
  }
  // A small set in a large one is found by looking it up.
  if (x.size() < y.size() / 16) {
    work_ += static_cast<std::int64_t>(x.size());
    if (std::all_of(x.begin(), x.end(), [&](std::int32_t i) { return std::binary_search(y.begin(), y.end(), i); }))
      return it->second = larger;
  }
  work_ += static_cast<std::int64_t>(x.size() + y.size());
  scratch_.clear();
  std::set_union(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(scratch_));
  return it->second = scratch_.size() == y.size() ? larger : intern(scratch_);
}

IndexSets::Id IndexSets::unite(std::span<const Id> sets) {
  ++round_;
  seen_set_.resize(begin_.size(), 0);
  distinct_.clear();
  for (const Id s : sets) {
    if (s == kEmpty || seen_set_[at(s)] == round_) continue;
    seen_set_[at(s)] = round_;
    distinct_.push_back(s);
  }
  if (distinct_.empty()) return kEmpty;
  if (distinct_.size() == 1) return distinct_[0];
  if (distinct_.size() == 2) return unite(distinct_[0], distinct_[1]);
  scratch_.clear();
  Id largest = distinct_[0];
  for (const Id s : distinct_) {
    if (elements(s).size() > elements(largest).size()) largest = s;
    for (const std::int32_t i : elements(s)) {
      ++work_;
      if (seen_element_[at(i)] == round_) continue;
      seen_element_[at(i)] = round_;
      scratch_.push_back(i);
    }
  }
  if (scratch_.size() == elements(largest).size()) return largest;
  std::sort(scratch_.begin(), scratch_.end());
  return intern(scratch_);
}

IndexSets::Id IndexSets::intern(std::span<const std::int32_t> elements) {
  std::uint64_t hash = elements.size();
  for (const std::int32_t i : elements) hash = hash_mix(hash, static_cast<std::uint64_t>(i));
  const std::int64_t first = num_singles_ + 1;  // the id of hashes_[0]
  std::size_t slot = hash & (slots_.size() - 1);
  for (; slots_[slot] != kEmpty; slot = (slot + 1) & (slots_.size() - 1)) {
    const Id other = slots_[slot];
    if (hashes_[at(other - first)] != hash) continue;
    const auto there = this->elements(other);
    if (std::equal(there.begin(), there.end(), elements.begin(), elements.end())) return other;
  }
  if (elements_.size() + elements.size() > kMostElements || begin_.size() >= std::size_t{INT32_MAX})
    throw ValueError(
        "sparsity: what values depend on must have fewer than 2^28 members in all; the derivative is close to dense, "
        "or very large.",
        "use jacfwd, jacrev or hessian, or give the pattern.");
  const auto id = static_cast<Id>(begin_.size() - 1);
  elements_.insert(elements_.end(), elements.begin(), elements.end());
  begin_.push_back(elements_.size());
  hashes_.push_back(hash);
  slots_[slot] = id;
  if (hashes_.size() * 2 > slots_.size()) grow_slots();
  return id;
}

void IndexSets::grow_slots() {
  slots_.assign(slots_.size() * 4, kEmpty);
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    std::size_t slot = hashes_[i] & (slots_.size() - 1);
    while (slots_[slot] != kEmpty) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = static_cast<Id>(num_singles_ + 1 + static_cast<std::int64_t>(i));
  }
}

}  // namespace weft::transforms
