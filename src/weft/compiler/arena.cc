#include "weft/compiler/arena.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace weft::compiler {

namespace {

// Placing by size compares each block with each other one.
constexpr std::size_t kMostBySize = 8192;

std::int64_t rounded(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

// The memory while time passes.
class Holes {
 public:
  // Takes the smallest hole that fits.
  std::int64_t take(std::int64_t bytes) {
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
  std::int64_t size() const { return size_; }

 private:
  using BySite = std::map<std::int64_t, std::int64_t>;  // size by offset
  void add(std::int64_t at, std::int64_t bytes) {
    holes_.emplace(at, bytes);
    by_size_.emplace(bytes, at);
  }
  BySite::iterator remove(BySite::iterator hole) {
    by_size_.erase({hole->second, hole->first});
    return holes_.erase(hole);
  }

  BySite holes_;
  std::set<std::pair<std::int64_t, std::int64_t>> by_size_;
  std::int64_t size_ = 0;
};

Arena place_by_time(std::span<const Block> blocks) {
  Arena arena;
  arena.at.assign(blocks.size(), 0);
  Holes holes;
  std::multimap<std::int64_t, std::size_t> ends;  // blocks in use, by their last step
  std::int64_t live = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::int64_t bytes = rounded(blocks[i].bytes);
    if (bytes == 0) continue;
    while (!ends.empty() && ends.begin()->first < blocks[i].first) {
      const std::size_t ended = ends.begin()->second;
      holes.give_back(arena.at[ended], rounded(blocks[ended].bytes));
      live -= rounded(blocks[ended].most_live);
      ends.erase(ends.begin());
    }
    arena.at[i] = holes.take(bytes);
    ends.emplace(blocks[i].last, i);
    live += rounded(blocks[i].most_live);
    arena.most_live = std::max(arena.most_live, live);
  }
  arena.bytes = holes.size();
  return arena;
}

// The largest first, each in the smallest gap that all blocks leave which are placed already and in use at some time
// with it.
std::int64_t place_by_size(std::span<const Block> blocks, std::vector<std::int64_t>& at) {
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  std::vector<std::size_t> placed;  // by offset
  std::int64_t size = 0;
  for (const std::size_t i : order) {
    const std::int64_t bytes = rounded(blocks[i].bytes);
    if (bytes == 0) break;
    std::int64_t end = 0, best = -1, best_gap = 0;
    for (const std::size_t p : placed) {
      if (blocks[p].last < blocks[i].first || blocks[i].last < blocks[p].first) continue;
      const std::int64_t gap = at[p] - end;
      if (gap >= bytes && (best < 0 || gap < best_gap)) best = end, best_gap = gap;
      end = std::max(end, at[p] + rounded(blocks[p].bytes));
    }
    at[i] = best < 0 ? end : best;
    size = std::max(size, at[i] + bytes);
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), i, [&](std::size_t a, std::size_t b) { return at[a] < at[b]; }),
        i);
  }
  return size;
}

}  // namespace

Arena place(std::span<const Block> blocks) {
  Arena arena = place_by_time(blocks);
  if (arena.bytes == arena.most_live || blocks.size() > kMostBySize) return arena;
  std::vector<std::int64_t> at(blocks.size(), 0);
  const std::int64_t bytes = place_by_size(blocks, at);
  if (bytes < arena.bytes) {
    arena.bytes = bytes;
    arena.at = std::move(at);
  }
  return arena;
}

}  // namespace weft::compiler
