#include "train/crc32c.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string_view>
#include <vector>

namespace weft::train {
namespace {

std::uint32_t crc_of(std::string_view text) { return crc32c(std::as_bytes(std::span(text))); }

// RFC 3720, B.4, and the check value of the catalogue of parametrised CRC algorithms.
TEST(crc32c, equals_the_vectors_of_the_standard) {
  EXPECT_EQ(crc_of("123456789"), 0xe3069283u);
  EXPECT_EQ(crc_of(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc_of(std::string(32, '\xff')), 0x62a8ab43u);
  std::string up(32, '\0');
  std::iota(up.begin(), up.end(), '\0');
  EXPECT_EQ(crc_of(up), 0x46dd794eu);
  EXPECT_EQ(crc_of(std::string(up.rbegin(), up.rend())), 0x113fdb5cu);
  EXPECT_EQ(crc_of(""), 0u);
}

TEST(crc32c, pieces_give_the_checksum_of_the_whole) {
  std::vector<std::byte> data(100);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i * 29 + 3);
  const std::span<const std::byte> all(data);
  for (std::size_t n = 0; n <= data.size(); ++n) EXPECT_EQ(crc32c(all.subspan(n), crc32c(all.first(n))), crc32c(all));
}

TEST(crc32c, every_flipped_bit_shows) {
  std::vector<std::byte> data(40, std::byte{7});
  const std::uint32_t whole = crc32c(data);
  for (std::size_t bit = 0; bit < 8 * data.size(); ++bit) {
    data[bit / 8] ^= std::byte{1} << bit % 8;
    EXPECT_NE(crc32c(data), whole);
    data[bit / 8] ^= std::byte{1} << bit % 8;
  }
}

// TensorFlow, core/lib/hash/crc32c.h: rotated right by 15, plus a constant.
TEST(crc32c, masked_checksums_are_those_of_tfrecord) {
  const std::uint32_t crc = crc_of("foo"), rotated = crc >> 15 | crc << 17;
  EXPECT_EQ(masked_crc32c(std::as_bytes(std::span("foo", 3))), rotated + 0xa282ead8u);
  EXPECT_EQ(crc, 0xcfc4ae1du);
}

}  // namespace
}  // namespace weft::train
