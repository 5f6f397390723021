#include "train/gzip.h"

#include <gtest/gtest.h>

#include "harness/errors.h"

namespace weft::train {
namespace {

using testing::message_of;

std::vector<std::byte> sample(std::size_t size) {
  std::vector<std::byte> out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * i >> 5);
  return out;
}

TEST(gzip, what_is_packed_unpacks_at_any_size_and_limit_that_holds_it) {
  for (const std::size_t size : {0, 1, 65535, 65536, 65537, 1000000}) {
    const auto data = sample(size);
    const auto packed = gzip(data);
    EXPECT_TRUE(is_gzip(packed));
    EXPECT_EQ(gunzip(packed, size, "s"), data) << size;
    EXPECT_EQ(gunzip(packed, static_cast<std::size_t>(-1), "s"), data) << size;
    if (size == 0) continue;
    EXPECT_THROW(gunzip(packed, size - 1, "s"), ParseError) << size;
  }
}

TEST(gzip, members_follow_each_other) {
  auto packed = gzip(sample(10));
  const auto second = gzip(sample(70000));
  packed.insert(packed.end(), second.begin(), second.end());
  auto expected = sample(10);
  const auto more = sample(70000);
  expected.insert(expected.end(), more.begin(), more.end());
  EXPECT_EQ(gunzip(packed, expected.size(), "s"), expected);
}

TEST(gzip, a_prefix_needs_only_the_beginning) {
  auto packed = gzip(sample(100000));
  auto expected = sample(100000);
  expected.resize(7);
  EXPECT_EQ(gunzip_prefix(packed, 7, "s"), expected);
  EXPECT_EQ(gunzip_prefix(gzip(sample(3)), 7, "s"), sample(3));
  packed.resize(packed.size() / 2);
  EXPECT_EQ(gunzip_prefix(packed, 7, "s"), expected);
  EXPECT_EQ(message_of<ParseError>([&] { gunzip(packed, 100000, "s"); }),
            "gunzip: s must be a whole gzip stream; got a stream truncated after " + std::to_string(packed.size()) +
                " bytes.");
}

TEST(gzip, any_flipped_byte_is_noticed_or_harmless) {
  const auto data = sample(500), packed = gzip(data);
  int noticed = 0;
  for (std::size_t i = 0; i < packed.size(); ++i) {
    auto damaged = packed;
    damaged[i] ^= std::byte{0x10};
    try {
      // Bytes of the header that say nothing about the content (time, system) may change unnoticed.
      EXPECT_EQ(gunzip(damaged, 500, "s"), data) << i;
    } catch (const ParseError&) {
      ++noticed;
    }
  }
  EXPECT_GT(noticed, static_cast<int>(packed.size()) - 10);
}

}  // namespace
}  // namespace weft::train
