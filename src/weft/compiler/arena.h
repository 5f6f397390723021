// Memory given out by offsets, before there is any: where each block is, and how much is needed in all.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace weft::compiler {

/// Takes the smallest hole that fits. All offsets are multiples of 64 bytes.
class Arena {
 public:
  std::int64_t take(std::int64_t bytes) {
    bytes = rounded(bytes);
    if (bytes == 0) return 0;
    const auto fit = by_size_.lower_bound({bytes, 0});
    if (fit == by_size_.end()) {
      // The hole at the end, if there is one, grows.
      std::int64_t at = size_;
      if (!holes_.empty()) {
        const auto last = std::prev(holes_.end());
        if (last->first + last->second == size_) {
          at = last->first;
          remove(last);
        }
      }
      size_ = at + bytes;
      return at;
    }
    const auto [hole, at] = *fit;
    remove(holes_.find(at));
    if (hole > bytes) add(at + bytes, hole - bytes);
    return at;
  }
  void give_back(std::int64_t at, std::int64_t bytes) {
    bytes = rounded(bytes);
    if (bytes == 0) return;
    auto next = holes_.lower_bound(at);
    if (next != holes_.end() && at + bytes == next->first) {
      bytes += next->second;
      next = remove(next);
    }
    if (next != holes_.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second == at) {
        at = before->first;
        bytes += before->second;
        remove(before);
      }
    }
    add(at, bytes);
  }
  /// The most that was in use at once, with the holes between.
  std::int64_t size() const { return size_; }

 private:
  using Holes = std::map<std::int64_t, std::int64_t>;  // size by offset
  static std::int64_t rounded(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }
  void add(std::int64_t at, std::int64_t bytes) {
    holes_.emplace(at, bytes);
    by_size_.emplace(bytes, at);
  }
  Holes::iterator remove(Holes::iterator hole) {
    by_size_.erase({hole->second, hole->first});
    return holes_.erase(hole);
  }

  Holes holes_;
  std::set<std::pair<std::int64_t, std::int64_t>> by_size_;
  std::int64_t size_ = 0;
};

}  // namespace weft::compiler
