// Block ciphers used as random number generators: bits that are a function of a key and a counter. Scalars only.
// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel random numbers: as easy as 1, 2, 3 (2011).
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace weft::ops {

/// Threefry 2x32 with 20 rounds.
inline std::array<std::uint32_t, 2> threefry2x32_block(std::array<std::uint32_t, 2> key,
                                                       std::array<std::uint32_t, 2> counter) {
  constexpr int kRotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const std::uint32_t keys[3] = {key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDAu};
  std::uint32_t x = counter[0] + key[0], y = counter[1] + key[1];
  for (std::uint32_t round = 0; round < 5; ++round) {
    for (const int r : kRotations[round % 2]) {
      x += y;
      y = std::rotl(y, r) ^ x;
    }
    x += keys[(round + 1) % 3];
    y += keys[(round + 2) % 3] + round + 1;
  }
  return {x, y};
}

/// Philox 4x32 with 10 rounds.
inline std::array<std::uint32_t, 4> philox4x32_block(std::array<std::uint32_t, 2> key, std::array<std::uint32_t, 4> x) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * x[0], b = std::uint64_t{0xCD9E8D57u} * x[2];
    x = {static_cast<std::uint32_t>(b >> 32) ^ x[1] ^ key[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ x[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return x;
}

/// Low half first.
constexpr std::array<std::uint32_t, 2> halves(std::uint64_t v) {
  return {static_cast<std::uint32_t>(v), static_cast<std::uint32_t>(v >> 32)};
}
constexpr std::uint64_t joined(std::uint32_t low, std::uint32_t high) { return low | std::uint64_t{high} << 32; }

}  // namespace weft::ops
