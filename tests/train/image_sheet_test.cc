#include "train/image_sheet.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>
#include <vector>

#include "harness/errors.h"
#include "temporary_folder.h"
#include "weft/weft.h"

namespace weft::train {
namespace {

using testing::error_of;

int count(const Canvas& canvas, Color color) {
  int n = 0;
  for (int y = 0; y < canvas.height(); ++y)
    for (int x = 0; x < canvas.width(); ++x) n += canvas.pixel(x, y) == color ? 1 : 0;
  return n;
}

constexpr Color kRed{204, 32, 38};

// Black images of 28 x 28, and what they are.
ImageSheet digits(std::vector<std::int32_t> labels, std::vector<std::int32_t> predictions) {
  const auto n = static_cast<std::int64_t>(labels.size());
  return {.title = "T",
          .images = np::zeros({n, 28, 28}, u8),
          .labels = Array(labels),
          .predictions = Array(predictions),
          .per_line = 4};
}

TEST(image_sheet, only_wrong_ones_are_red) {
  EXPECT_EQ(count(draw_image_sheet(digits({1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6})), kRed), 0);
  const int one = count(draw_image_sheet(digits({1, 2, 3, 4, 5, 6}, {1, 2, 3, 9, 5, 6})), kRed);
  EXPECT_GT(one, 4 * 3 * 56);
  EXPECT_GT(count(draw_image_sheet(digits({1, 2, 3, 4, 5, 6}, {1, 2, 3, 9, 4, 6})), kRed), one + 4 * 3 * 56);
}

TEST(image_sheet, grey_images_come_with_and_without_a_channel_and_as_negatives) {
  const Array image = np::array({0, 0, 0, 255}).astype(u8);
  ImageSheet sheet{.images = np::reshape(image, {1, 2, 2}), .scale = 20};
  const Canvas plain = draw_image_sheet(sheet);
  EXPECT_EQ(count(plain, kBlack), 3 * 20 * 20);
  sheet.images = np::reshape(image, {1, 2, 2, 1});
  EXPECT_EQ(draw_image_sheet(sheet).image().pixels, plain.image().pixels);
  sheet.images = sheet.images.astype(f32) / 255;
  EXPECT_EQ(draw_image_sheet(sheet).image().pixels, plain.image().pixels);
  sheet.negative = true;
  EXPECT_EQ(count(draw_image_sheet(sheet), kBlack), 20 * 20);
}

TEST(image_sheet, colours_are_those_of_the_image) {
  const Array image = np::array({10, 20, 30, 200, 150, 100}).astype(u8);
  const Canvas canvas = draw_image_sheet({.images = np::reshape(image, {1, 1, 2, 3}), .scale = 5});
  EXPECT_EQ(count(canvas, {10, 20, 30}), 25);
  EXPECT_EQ(count(canvas, {200, 150, 100}), 25);
}

TEST(image_sheet, lines_break_after_per_line_images) {
  ImageSheet sheet{.images = np::zeros({5, 28, 28}, u8), .per_line = 5};
  const Canvas one = draw_image_sheet(sheet);
  sheet.per_line = 3;
  const Canvas two = draw_image_sheet(sheet);
  EXPECT_GT(two.height(), one.height() + 56);
  EXPECT_LT(two.width(), one.width());
  // Nothing is black but the images.
  EXPECT_EQ(count(two, kBlack), 5 * 56 * 56);
}

TEST(image_sheet, labels_or_predictions_alone_are_shown_as_they_are) {
  ImageSheet sheet = digits({1, 2}, {3, 2});
  sheet.images = np::ones({2, 28, 28});  // as white as paper
  sheet.title = "";
  const Array predictions = std::exchange(sheet.predictions, Array());
  const int inked = count(draw_image_sheet(sheet), kInk);
  EXPECT_GT(inked, 0);
  EXPECT_EQ(count(draw_image_sheet(sheet), kRed), 0);
  sheet.labels = predictions;
  EXPECT_NE(count(draw_image_sheet(sheet), kInk), inked);  // 3 and 2 instead of 1 and 2
  std::swap(sheet.labels, sheet.predictions);
  EXPECT_NE(count(draw_image_sheet(sheet), kInk), inked);
  EXPECT_EQ(count(draw_image_sheet(sheet), kRed), 0);
}

TEST(image_sheet, names_that_are_wider_than_the_images_have_room) {
  ImageSheet sheet = digits({0, 1, 0}, {0, 1, 1});
  const Canvas numbers = draw_image_sheet(sheet);
  sheet.names = {"a cat", "an ostrich or two"};
  const Canvas named = draw_image_sheet(sheet);
  EXPECT_GE(named.width(), 3 * text_width(sheet.names[1]));
  // The prediction and, in a line below, the label: one line more than of numbers.
  EXPECT_GT(named.height(), numbers.height());
  sheet.predictions = sheet.labels;
  EXPECT_EQ(draw_image_sheet(sheet).height(), numbers.height());
}

TEST(image_sheet, what_does_not_fit_is_refused) {
  ImageSheet sheet = digits({1, 2}, {1, 2});
  const auto error = [&](auto change) {
    ImageSheet changed = sheet;
    change(changed);
    return error_of([&] { draw_image_sheet(changed); });
  };
  const std::string images =
      "ShapeError: draw_image_sheet: images must be [n, height, width], or with 1 or 3 channels after it, and not "
      "empty; got ";
  EXPECT_EQ(error([](ImageSheet& s) { s.images = {}; }), images + "none.");
  EXPECT_EQ(error([](ImageSheet& s) { s.images = np::zeros({2, 28}); }), images + "f32[2,28].");
  EXPECT_EQ(error([](ImageSheet& s) { s.images = np::zeros({2, 28, 28, 2}); }), images + "f32[2,28,28,2].");
  EXPECT_EQ(error([](ImageSheet& s) { s.images = np::zeros({0, 28, 28}); }), images + "f32[0,28,28].");
  EXPECT_EQ(error([](ImageSheet& s) { s.images = np::zeros({2, 28, 28}, i32); }),
            "DTypeError: draw_image_sheet: images must be u8 or floats; got i32[2,28,28,1].");
  EXPECT_EQ(error([](ImageSheet& s) { s.labels = np::array({1, 2, 3}); }),
            "ShapeError: draw_image_sheet: labels must be [2], one for each image; got i32[3].");
  EXPECT_EQ(error([](ImageSheet& s) { s.predictions = np::zeros({2, 10}); }),
            "ShapeError: draw_image_sheet: predictions must be [2], one for each image; got f32[2,10].");
  EXPECT_EQ(error([](ImageSheet& s) { s.predictions = np::zeros({2}); }),
            "DTypeError: draw_image_sheet: predictions must be integers; got f32[2].");
  EXPECT_EQ(error([](ImageSheet& s) { s.names = {"a", "b"}; }),
            "ValueError: draw_image_sheet: labels must be classes that have names, below 2; got 2.");
  EXPECT_EQ(error([](ImageSheet& s) { s.per_line = 0; }),
            "ValueError: draw_image_sheet: per_line and scale must be at least 1; got 0 and 2.");
  for (const int scale : {300, 1 << 20, 1 << 26, std::numeric_limits<int>::max()}) {
    sheet.scale = scale;
    EXPECT_THROW(draw_image_sheet(sheet), ShapeError) << scale;
  }
}

TEST(image_sheet, the_file_holds_the_picture) {
  const TemporaryFolder folder;
  image_sheet(folder / "a.png", digits({1}, {2}));
  const Image image = read_png(folder / "a.png");
  EXPECT_EQ(image.pixels, draw_image_sheet(digits({1}, {2})).image().pixels);
}

}  // namespace
}  // namespace weft::train
