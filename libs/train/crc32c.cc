#include "train/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

namespace weft::train {

namespace {

static_assert(std::endian::native == std::endian::little, "crc32c takes eight bytes at a time as one number");

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // bits reversed: the lowest bit is the highest power
constexpr std::size_t kSlices = 8;

// tables[s][b]: what byte b does to the checksum when s bytes follow it.
constexpr auto make_tables() {
  std::array<std::array<std::uint32_t, 256>, kSlices> tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    tables[0][b] = crc;
  }
  for (std::size_t s = 1; s < kSlices; ++s)
    for (std::size_t b = 0; b < 256; ++b) tables[s][b] = tables[s - 1][b] >> 8 ^ tables[0][tables[s - 1][b] & 255];
  return tables;
}
constexpr auto kTables = make_tables();

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> data, std::uint32_t so_far) {
  std::uint32_t crc = ~so_far;
  const std::byte* p = data.data();
  std::size_t n = data.size();
  for (; n >= kSlices; n -= kSlices, p += kSlices) {
    std::uint64_t word;
    std::memcpy(&word, p, sizeof word);
    word ^= crc;
    crc = 0;
    for (std::size_t s = 0; s < kSlices; ++s) crc ^= kTables[kSlices - 1 - s][word >> (8 * s) & 255];
  }
  for (; n > 0; --n, ++p) crc = crc >> 8 ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(*p)) & 255];
  return ~crc;
}

std::uint32_t masked_crc32c(std::span<const std::byte> data) {
  return std::rotr(crc32c(data), 15) + 0xa282ead8;  // modulo 2^32
}

}  // namespace weft::train
