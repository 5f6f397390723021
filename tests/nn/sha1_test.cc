// The examples of FIPS 180-2: none, one and two blocks, and many.
#include "nn/sha1.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace weft::nn {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const std::uint32_t word : sha1(bytes)) {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", word);
    text += digits;
  }
  return text;
}

TEST(sha1, is_that_of_the_standard) {
  EXPECT_EQ(hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  // The length of 56 bytes needs a block of its own.
  EXPECT_EQ(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(hex(std::string(1000000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

}  // namespace
}  // namespace weft::nn
