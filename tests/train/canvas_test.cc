#include "train/canvas.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "harness/errors.h"
#include "train/font.h"

namespace weft::train {
namespace {

using testing::message_of;

constexpr Color kRed{255, 0, 0};

// Total ink of black on white, in pixels.
double ink(const Canvas& canvas) {
  double sum = 0;
  for (int y = 0; y < canvas.height(); ++y)
    for (int x = 0; x < canvas.width(); ++x) sum += (255 - canvas.pixel(x, y).g) / 255.0;
  return sum;
}

TEST(canvas, starts_with_its_background) {
  const Canvas canvas(3, 2, kRed);
  EXPECT_EQ(canvas.image().pixels.size(), 18u);
  EXPECT_EQ(canvas.pixel(2, 1), kRed);
  EXPECT_THROW(canvas.pixel(3, 0), IndexError);
  EXPECT_THROW(Canvas(0, 1), ShapeError);
  EXPECT_EQ(message_of<ShapeError>([] { Canvas(1, 16385); }),
            "canvas: width and height must be between 1 and 16384; got 1 and 16385.");
}

TEST(canvas, blending_mixes_by_opacity) {
  Canvas canvas(1, 1);
  canvas.blend(0, 0, kBlack, 0.25);
  EXPECT_EQ(canvas.pixel(0, 0), (Color{191, 191, 191}));
}

TEST(canvas, rectangles_cover_exactly_their_pixels) {
  Canvas canvas(10, 10);
  canvas.fill(2, 3, 4, 5, kBlack);
  EXPECT_EQ(ink(canvas), 20);
  EXPECT_EQ(canvas.pixel(2, 3), kBlack);
  EXPECT_EQ(canvas.pixel(5, 7), kBlack);
  EXPECT_EQ(canvas.pixel(6, 7), kWhite);
  Canvas frame(10, 10);
  frame.frame(0, 0, 10, 10, kBlack, 2);
  EXPECT_EQ(ink(frame), 100 - 36);
}

TEST(canvas, drawing_outside_is_clipped) {
  Canvas canvas(10, 10);
  constexpr int kMax = std::numeric_limits<int>::max();
  canvas.fill(-5, -5, 3, 3, kBlack);
  canvas.fill(20, 0, kMax, 5, kBlack);
  canvas.line(-100, -50, -3, 500, kBlack, 2);
  canvas.line(1e300, 0, 1e300, 5, kBlack);
  canvas.text(200, -90, "text", kBlack);
  EXPECT_EQ(ink(canvas), 0);
  canvas.fill(5, 5, kMax, kMax, kBlack);
  EXPECT_EQ(ink(canvas), 25);
}

TEST(canvas, a_line_has_as_much_ink_as_its_length_and_thickness) {
  // In any direction, up to the round ends.
  for (const auto& [dx, dy] : {std::pair{60.0, 0.0}, {0.0, 60.0}, {36.0, 48.0}, {-48.0, 36.0}, {59.9, 3.0}}) {
    Canvas canvas(200, 200);
    canvas.line(100.3, 100.7, 100.3 + dx, 100.7 + dy, kBlack, 3);
    EXPECT_NEAR(ink(canvas), 3 * 60 + 3.1416 * 1.5 * 1.5, 8) << dx << " " << dy;
  }
}

TEST(canvas, joints_of_a_path_are_inked_once) {
  Canvas whole(50, 50), parts(50, 50);
  const double x[] = {5, 20, 20, 40}, y[] = {10.5, 10.5, 10.5, 10.5};
  whole.line(5, 10.5, 40, 10.5, kBlack, 2);
  parts.path(x, y, kBlack, 2);
  EXPECT_EQ(whole.image().pixels, parts.image().pixels);
}

TEST(canvas, points_that_are_not_finite_leave_gaps) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  Canvas canvas(50, 20), expected(50, 20);
  const double x[] = {5, 15, 25, 30, 40}, y[] = {10, 10, kNan, 10, 10};
  canvas.path(x, y, kBlack, 2);
  expected.line(5, 10, 15, 10, kBlack, 2);
  expected.line(30, 10, 40, 10, kBlack, 2);
  EXPECT_EQ(canvas.image().pixels, expected.image().pixels);
  EXPECT_THROW(canvas.path(x, {}, kBlack), ShapeError);
}

TEST(canvas, grey_images_are_scaled_by_whole_pixels) {
  Canvas canvas(8, 8);
  canvas.draw(1, 1, {.width = 2, .height = 2, .channels = 1, .pixels = {0, 50, 100, 150}}, 3);
  EXPECT_EQ(canvas.pixel(3, 3), (Color{0, 0, 0}));
  EXPECT_EQ(canvas.pixel(4, 3), (Color{50, 50, 50}));
  EXPECT_EQ(canvas.pixel(6, 6), (Color{150, 150, 150}));
  EXPECT_EQ(canvas.pixel(7, 7), kWhite);
  EXPECT_THROW(canvas.draw(0, 0, {.width = 3, .height = 2, .pixels = {0, 50, 100, 150}}), ShapeError);
}

TEST(canvas, images_have_their_colours_and_are_clipped) {
  Canvas canvas(8, 8);
  canvas.draw(5, 1, {.width = 2, .height = 1, .channels = 3, .pixels = {1, 2, 3, 4, 5, 6}}, 2);
  EXPECT_EQ(canvas.pixel(6, 2), (Color{1, 2, 3}));
  EXPECT_EQ(canvas.pixel(7, 1), (Color{4, 5, 6}));
  EXPECT_EQ(canvas.pixel(7, 3), kWhite);
  for (const int channels : {1, 2, 4})
    EXPECT_THROW(canvas.draw(0, 0, {1, 1, channels, std::vector<std::uint8_t>(2)}), ShapeError) << channels;
}

TEST(canvas, text_stays_in_its_box_and_aligns) {
  Canvas canvas(200, 40);
  canvas.text(100, 10, "HELLO", kBlack, 2, Align::kRight);
  int left = 200, right = 0, top = 40, bottom = 0;
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 200; ++x)
      if (canvas.pixel(x, y) == kBlack)
        left = std::min(left, x), right = std::max(right, x), top = std::min(top, y), bottom = std::max(bottom, y);
  EXPECT_EQ(right, 99);
  EXPECT_EQ(left, 100 - text_width("HELLO"));
  EXPECT_EQ(top, 10);
  EXPECT_EQ(bottom, 10 + text_height() - 1);
}

TEST(canvas, text_up_is_text_turned_by_a_quarter) {
  Canvas across(60, 60), up(60, 60);
  across.text(10, 5, "Loss, g7", kBlack, 1);
  up.text_up(5, 50, "Loss, g7", kBlack, 1);
  for (int y = 0; y < 40; ++y)
    for (int x = 10; x < 60; ++x) ASSERT_EQ(up.pixel(y, 59 - x), across.pixel(x, y)) << x << " " << y;
  EXPECT_GT(ink(across), 30);
}

TEST(font, every_printable_character_has_its_own_glyph_that_fits) {
  std::set<std::array<std::uint8_t, kGlyphHeight>> seen;
  for (char c = ' '; c <= '~'; ++c) {
    EXPECT_TRUE(seen.insert(glyph(c)).second) << c;
    for (const std::uint8_t row : glyph(c)) EXPECT_LT(row, 1 << kGlyphWidth) << c;
  }
  EXPECT_FALSE(seen.contains(glyph('\n')));
  EXPECT_EQ(glyph('\n'), glyph(static_cast<char>(0xe9)));
}

}  // namespace
}  // namespace weft::train
