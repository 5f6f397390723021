// Memory given out by offsets, before there is any: blocks whose lives are known, and where in one arena each is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weft::compiler {

struct Block {
  std::int64_t bytes = 0;
  /// Of these, the bytes that are in use at once: fewer than all for an arena in the arena.
  std::int64_t most_live = 0;
  /// The steps during which it is in use, both included.
  std::int64_t first = 0, last = 0;
};

struct Arena {
  std::vector<std::int64_t> at;  ///< by block, a multiple of 64
  std::int64_t bytes = 0;
  /// The most that is in use in one step: no placing needs less.
  std::int64_t most_live = 0;
};

/// Places blocks, listed in the order of their first steps, so that those in use at once do not overlap. Takes each
/// from the smallest hole that fits, in the order of time; where that leaves holes, in the order of size, too, and the
/// smaller arena counts.
Arena place(std::span<const Block> blocks);

}  // namespace weft::compiler
