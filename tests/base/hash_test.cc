#include "weft/base/hash.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>

namespace weft {
namespace {

TEST(hash, mixing_depends_on_order) {
  EXPECT_NE(hash_mix(hash_mix(0, 1), 2), hash_mix(hash_mix(0, 2), 1));
  EXPECT_EQ(hash_mix(hash_mix(0, 1), 2), hash_mix(hash_mix(0, 1), 2));
}

TEST(hash, small_sequences_do_not_collide) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t a = 0; a < 64; ++a)
    for (std::uint64_t b = 0; b < 64; ++b)
      for (std::uint64_t c = 0; c < 16; ++c) seen.insert(hash_mix(hash_mix(hash_mix(0, a), b), c));
  EXPECT_EQ(seen.size(), 64u * 64u * 16u);
}

TEST(hash, the_low_bits_that_tables_use_are_spread) {
  int buckets[256] = {};
  for (std::uint64_t i = 0; i < 256 * 64; ++i) ++buckets[hash_mix(0, i) % 256];
  // A Poisson count of mean 64: 8 standard deviations either side.
  for (const int n : buckets) {
    EXPECT_GT(n, 0);
    EXPECT_LT(n, 128);
  }
}

TEST(hash, one_flipped_bit_changes_many) {
  int least = 64;
  for (int bit = 0; bit < 64; ++bit)
    least = std::min(least, std::popcount(hash_mix(1, 12345) ^ hash_mix(1, 12345 ^ (std::uint64_t{1} << bit))));
  EXPECT_GE(least, 1);
}

TEST(hash, text_hashes_see_every_byte_and_the_length) {
  EXPECT_NE(hash_bytes("ab"), hash_bytes("ba"));
  EXPECT_NE(hash_bytes(""), hash_bytes(std::string_view("\0", 1)));
  EXPECT_NE(hash_bytes(std::string_view("\0", 1)), hash_bytes(std::string_view("\0\0", 2)));
  EXPECT_EQ(hash_bytes("dot_general"), hash_bytes(std::string_view("dot_generalX", 11)));
}

}  // namespace
}  // namespace weft
