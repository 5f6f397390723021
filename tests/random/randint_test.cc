// Bounds of integers that the dtype does not hold.
#include <gtest/gtest.h>

#include "weft/weft.h"

namespace weft {
namespace {

using random::key, random::randint;

TEST(randint, a_bound_beyond_the_largest_integer_includes_it) {
  // All 2^32 values: the words themselves.
  const std::int64_t beyond = std::int64_t{1} << 32;
  const Array all = randint(key(3), {100}, 0, beyond, u32);
  EXPECT_GT(np::max(all).item<std::uint32_t>(), 3u << 30);
  EXPECT_GT(np::max(randint(key(3), {100}, 0, beyond, i32)).item<std::int32_t>(), 3 << 29);
  const Array whole = randint(key(3), {100}, -(beyond / 2), beyond / 2, i32);
  EXPECT_LT(np::min(whole).item<std::int32_t>(), -(1 << 30));
  EXPECT_GT(np::max(whole).item<std::int32_t>(), 1 << 30);
  // As an array, the same.
  const Array high = np::array({beyond}, i64);
  EXPECT_TRUE(bool(np::array_equal(randint(key(3), {100}, 0, high, u32), all)));
}

TEST(randint, the_last_integer_of_a_narrow_dtype_is_drawn) {
  for (const std::int64_t high : {256, 300}) {
    const Array x = randint(key(0), {10000}, 0, high, u8);
    EXPECT_EQ(np::min(x).item<int>(), 0);
    EXPECT_EQ(np::max(x).item<int>(), 255);
  }
  const Array x = randint(key(0), {10000}, -1000, 1000, i8);
  EXPECT_EQ(np::min(x).item<int>(), -128);
  EXPECT_EQ(np::max(x).item<int>(), 127);
}

TEST(randint, bounds_are_clamped) {
  const Array x = randint(key(0), {1000}, -5, 5, u8);
  EXPECT_EQ(np::min(x).item<int>(), 0);
  EXPECT_EQ(np::max(x).item<int>(), 4);
  // Empty ranges give the lower bound.
  EXPECT_EQ(np::max(randint(key(0), {10}, 7, 3, i32)).item<int>(), 7);
  EXPECT_EQ(np::min(randint(key(0), {10}, 300, 400, u8)).item<int>(), 255);
}

TEST(randint, bounds_are_integers) { EXPECT_THROW(randint(key(0), {3}, 0.5, 3, i32), DTypeError); }

}  // namespace
}  // namespace weft
