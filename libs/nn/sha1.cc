#include "nn/sha1.h"

#include <bit>
#include <string>

namespace weft::nn {

namespace {

void add_block(std::array<std::uint32_t, 5>& digest, const char* block) {
  std::uint32_t w[80];
  for (int i = 0; i < 16; ++i) {
    w[i] = 0;
    for (int b = 0; b < 4; ++b) w[i] = w[i] << 8 | static_cast<unsigned char>(block[4 * i + b]);
  }
  for (int i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  auto [a, b, c, d, e] = digest;
  for (int i = 0; i < 80; ++i) {
    const std::uint32_t mixed = i < 20              ? (b & c) | (~b & d)
                                : i < 40 || i >= 60 ? b ^ c ^ d
                                                    : (b & c) | (b & d) | (c & d);
    constexpr std::uint32_t kRound[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    const std::uint32_t next = std::rotl(a, 5) + mixed + e + kRound[i / 20] + w[i];
    e = d, d = c, c = std::rotl(b, 30), b = a, a = next;
  }
  digest = {digest[0] + a, digest[1] + b, digest[2] + c, digest[3] + d, digest[4] + e};
}

}  // namespace

std::array<std::uint32_t, 5> sha1(std::string_view bytes) {
  // A one bit, zeros, and the length in bits end the message at a multiple of 64 bytes.
  std::string message(bytes);
  message += '\x80';
  while (message.size() % 64 != 56) message += '\0';
  const std::uint64_t bits = 8 * std::uint64_t{bytes.size()};
  for (int shift = 56; shift >= 0; shift -= 8) message += static_cast<char>(bits >> shift);
  std::array<std::uint32_t, 5> digest{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (std::size_t i = 0; i < message.size(); i += 64) add_block(digest, message.data() + i);
  return digest;
}

}  // namespace weft::nn
