#include "weft/compiler/arena.h"

#include <gtest/gtest.h>

#include <random>

namespace weft::compiler {
namespace {

Block block(std::int64_t bytes, std::int64_t first, std::int64_t last) { return {bytes, bytes, first, last}; }

void expect_apart(std::span<const Block> blocks, const Arena& arena) {
  ASSERT_EQ(arena.at.size(), blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(arena.at[i] % 64, 0);
    EXPECT_LE(arena.at[i] + blocks[i].bytes, arena.bytes);
    for (std::size_t j = 0; j < i; ++j) {
      if (blocks[i].bytes == 0 || blocks[j].bytes == 0) continue;
      if (blocks[i].last < blocks[j].first || blocks[j].last < blocks[i].first) continue;
      EXPECT_TRUE(arena.at[i] + blocks[i].bytes <= arena.at[j] || arena.at[j] + blocks[j].bytes <= arena.at[i])
          << "blocks " << j << " and " << i;
    }
  }
}

TEST(arena, blocks_that_are_not_in_use_at_once_share_memory) {
  const std::vector<Block> blocks{block(100, 0, 1), block(100, 1, 2), block(100, 2, 3), block(0, 2, 2)};
  const Arena arena = place(blocks);
  expect_apart(blocks, arena);
  EXPECT_EQ(arena.bytes, 256);
  EXPECT_EQ(arena.most_live, 256);
}

TEST(arena, a_small_block_does_not_stand_in_the_way_of_a_large_one) {
  // In the order of time, the small block lies between two holes of which neither holds the large one.
  const std::vector<Block> blocks{block(1024, 0, 1), block(64, 0, 5), block(1024, 0, 2), block(2048, 3, 4)};
  const Arena arena = place(blocks);
  expect_apart(blocks, arena);
  EXPECT_EQ(arena.most_live, 2112);
  EXPECT_EQ(arena.bytes, 2112);
}

TEST(arena, blocks_in_use_at_once_never_overlap) {
  std::mt19937 random(7);
  for (int run = 0; run < 200; ++run) {
    std::vector<Block> blocks;
    std::int64_t now = 0;
    for (int i = 0; i < 40; ++i) {
      now += random() % 3 == 0;
      blocks.push_back(block(random() % 2000, now, now + random() % 10));
    }
    const Arena arena = place(blocks);
    expect_apart(blocks, arena);
    EXPECT_LE(arena.most_live, arena.bytes);
    EXPECT_LE(arena.bytes, arena.most_live * 3 / 2) << "run " << run;
  }
}

}  // namespace
}  // namespace weft::compiler
