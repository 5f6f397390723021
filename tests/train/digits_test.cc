#include "train/digits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>

#include "harness/errors.h"

namespace weft::train {
namespace {

using testing::message_of;

TEST(digits, the_seed_decides_everything) {
  const DrawnDigits a = draw_digits(50, 3), b = draw_digits(50, 3), other = draw_digits(50, 4);
  EXPECT_EQ(a.images, b.images);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_NE(a.images, other.images);
  EXPECT_NE(a.labels, other.labels);
}

TEST(digits, a_longer_set_starts_with_the_shorter) {
  const DrawnDigits small = draw_digits(20, 3), large = draw_digits(60, 3);
  EXPECT_TRUE(std::equal(small.images.begin(), small.images.end(), large.images.begin()));
  EXPECT_TRUE(std::equal(small.labels.begin(), small.labels.end(), large.labels.begin()));
}

TEST(digits, all_ten_appear_about_equally_often) {
  const DrawnDigits d = draw_digits(2000, 0);
  std::array<int, 10> counts{};
  for (const int label : d.labels) ++counts.at(static_cast<std::size_t>(label));
  for (const int n : counts) EXPECT_NEAR(n, 200, 70);
}

TEST(digits, ink_is_strong_central_and_sparse) {
  const DrawnDigits d = draw_digits(500, 0);
  for (std::size_t i = 0; i < d.labels.size(); ++i) {
    const std::uint8_t* image = d.images.data() + i * 784;
    double sum = 0, border = 0, largest = 0;
    for (int y = 0; y < 28; ++y)
      for (int x = 0; x < 28; ++x) {
        const double v = image[28 * y + x] / 255.0;
        sum += v, largest = std::max(largest, v);
        if (x == 0 || y == 0 || x == 27 || y == 27) border += v;
      }
    EXPECT_GT(largest, 0.8) << i;
    EXPECT_GT(sum, 15) << i;
    EXPECT_LT(sum, 784 * 0.4) << i;
    EXPECT_LT(border, 12) << i;
  }
}

// The digits must be learnable, but no two alike: the nearest of 1500 others tells nearly all, yet is never equal.
TEST(digits, the_nearest_neighbour_tells_most_digits_but_is_never_equal) {
  const DrawnDigits known = draw_digits(1500, 1), asked = draw_digits(200, 2);
  int right = 0;
  for (std::size_t i = 0; i < asked.labels.size(); ++i) {
    long best = std::numeric_limits<long>::max();
    int label = -1;
    for (std::size_t k = 0; k < known.labels.size(); ++k) {
      long d = 0;
      for (std::size_t p = 0; p < 784; ++p) {
        const int difference = int{asked.images[i * 784 + p]} - int{known.images[k * 784 + p]};
        d += difference * difference;
      }
      if (d < best) best = d, label = known.labels[k];
    }
    EXPECT_GT(best, 0);
    right += label == asked.labels[i] ? 1 : 0;
  }
  EXPECT_GE(right, 170);
}

TEST(digits, a_negative_number_is_refused_and_zero_is_not) {
  EXPECT_TRUE(draw_digits(0, 0).images.empty());
  EXPECT_EQ(message_of<ValueError>([] { draw_digits(-1, 0); }), "draw_digits: n must not be negative; got -1.");
}

}  // namespace
}  // namespace weft::train
