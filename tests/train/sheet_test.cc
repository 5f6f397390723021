#include "train/sheet.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "harness/errors.h"
#include "temporary_folder.h"

namespace weft::train {
namespace {

using testing::message_of;

int red_pixels(const Canvas& canvas) {
  int n = 0;
  for (int y = 0; y < canvas.height(); ++y)
    for (int x = 0; x < canvas.width(); ++x) {
      const Color c = canvas.pixel(x, y);
      n += c.r > 180 && c.g < 60 && c.b < 60 ? 1 : 0;
    }
  return n;
}

TEST(sheet, only_wrong_digits_are_red) {
  const std::vector<std::uint8_t> images(6 * 28 * 28, 0), digits = {1, 2, 3, 4, 5, 6};
  std::vector<std::int32_t> predictions(digits.begin(), digits.end());
  DigitSheet sheet{.title = "T", .images = images, .labels = digits, .predictions = predictions, .per_line = 4};
  EXPECT_EQ(red_pixels(draw_digit_sheet(sheet)), 0);
  predictions[3] = 9;
  const int one = red_pixels(draw_digit_sheet(sheet));
  EXPECT_GT(one, 4 * 3 * 56);
  predictions[4] = 4;
  EXPECT_GT(red_pixels(draw_digit_sheet(sheet)), one + 4 * 3 * 56);
}

TEST(sheet, images_appear_dark_on_light) {
  std::vector<std::uint8_t> image(4, 0);
  image[3] = 255;
  const std::uint8_t label[] = {7};
  const std::int32_t prediction[] = {7};
  const Canvas canvas = draw_digit_sheet(
      {.images = image, .labels = label, .predictions = prediction, .rows = 2, .cols = 2, .scale = 20});
  int black = 0;
  for (int y = 0; y < canvas.height(); ++y)
    for (int x = 0; x < canvas.width(); ++x) black += canvas.pixel(x, y) == kBlack ? 1 : 0;
  EXPECT_EQ(black, 20 * 20);
}

TEST(sheet, lines_break_after_per_line_digits) {
  const std::vector<std::uint8_t> images(5 * 28 * 28), labels(5);
  const std::vector<std::int32_t> predictions(5);
  DigitSheet sheet{.images = images, .labels = labels, .predictions = predictions, .per_line = 5};
  const Canvas one = draw_digit_sheet(sheet);
  sheet.per_line = 3;
  const Canvas two = draw_digit_sheet(sheet);
  EXPECT_GT(two.height(), one.height() + 56);
  EXPECT_LT(two.width(), one.width());
}

TEST(sheet, an_empty_sheet_has_a_header_only) { EXPECT_GT(draw_digit_sheet({.title = "nothing"}).height(), 20); }

TEST(sheet, sizes_that_disagree_are_refused) {
  const std::vector<std::uint8_t> images(2 * 784), labels(2);
  const std::vector<std::int32_t> predictions(1);
  EXPECT_EQ(message_of<ShapeError>(
                [&] { draw_digit_sheet({.images = images, .labels = labels, .predictions = predictions}); }),
            "draw_digit_sheet: images, labels and predictions must agree in number; got 1568 bytes of 28x28 images, 2 "
            "labels, 1 predictions.");
  EXPECT_THROW(draw_digit_sheet({.per_line = 0}), ValueError);
}

TEST(sheet, a_picture_that_is_too_large_is_refused_however_large) {
  const std::vector<std::uint8_t> images(2 * 784), labels(2);
  const std::vector<std::int32_t> predictions(2);
  constexpr int kLargest = std::numeric_limits<int>::max();
  for (const int scale : {300, 1 << 20, 1 << 26, kLargest})
    EXPECT_THROW(draw_digit_sheet({.images = images, .labels = labels, .predictions = predictions, .scale = scale}),
                 ShapeError)
        << scale;
  EXPECT_THROW(draw_digit_sheet({.rows = kLargest, .cols = kLargest, .scale = kLargest}), ShapeError);
}

TEST(sheet, the_file_holds_the_picture) {
  const TemporaryFolder folder;
  digit_sheet(folder / "a.png", {.title = "nothing"});
  EXPECT_EQ(read_png(folder / "a.png").channels, 3);
}

}  // namespace
}  // namespace weft::train
