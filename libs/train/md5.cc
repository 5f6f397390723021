#include "train/md5.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace weft::train {

namespace {

using State = std::array<std::uint32_t, 4>;

// RFC 1321, 3.4: the integer part of 2^32 |sin(i + 1)|, i in radians.
const std::array<std::uint32_t, 64>& sines() {
  static const std::array<std::uint32_t, 64> table = [] {
    std::array<std::uint32_t, 64> out{};
    for (int i = 0; i < 64; ++i)
      out[i] = static_cast<std::uint32_t>(std::floor(std::ldexp(std::fabs(std::sin(i + 1.0)), 32)));
    return out;
  }();
  return table;
}

// Left rotations, one row of four per round.
constexpr int kRotate[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

void add_block(State& state, const std::byte* block) {
  std::uint32_t word[16];
  for (int i = 0; i < 16; ++i) {
    word[i] = 0;
    for (int b = 3; b >= 0; --b) word[i] = word[i] << 8 | std::to_integer<std::uint32_t>(block[4 * i + b]);
  }
  const auto& t = sines();
  auto [a, b, c, d] = state;
  for (int i = 0; i < 64; ++i) {
    std::uint32_t mix = 0;
    int k = 0;
    switch (i / 16) {
      case 0: mix = (b & c) | (~b & d), k = i; break;
      case 1: mix = (d & b) | (~d & c), k = (5 * i + 1) % 16; break;
      case 2: mix = b ^ c ^ d, k = (3 * i + 5) % 16; break;
      default: mix = c ^ (b | ~d), k = 7 * i % 16; break;
    }
    const std::uint32_t next = b + std::rotl(a + mix + word[k] + t[i], kRotate[i / 16][i % 4]);
    a = d, d = c, c = b, b = next;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

}  // namespace

std::string md5(std::span<const std::byte> data) {
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const std::size_t whole = data.size() / 64 * 64;
  for (std::size_t at = 0; at < whole; at += 64) add_block(state, data.data() + at);
  // The rest, a one bit, zeros, and the length in bits as a 64-bit little-endian number.
  std::vector<std::byte> tail(data.begin() + static_cast<std::ptrdiff_t>(whole), data.end());
  tail.push_back(std::byte{0x80});
  while (tail.size() % 64 != 56) tail.push_back(std::byte{0});
  for (int i = 0; i < 8; ++i) tail.push_back(static_cast<std::byte>(std::uint64_t{data.size()} * 8 >> 8 * i));
  for (std::size_t at = 0; at < tail.size(); at += 64) add_block(state, tail.data() + at);

  std::string out;
  for (const std::uint32_t part : state)
    for (int nibble = 0; nibble < 8; ++nibble)
      out += "0123456789abcdef"[part >> (8 * (nibble / 2) + (nibble % 2 == 0 ? 4 : 0)) & 15];
  return out;
}

}  // namespace weft::train
