#include "train/plot.h"

#include <gtest/gtest.h>

#include <limits>

#include "harness/errors.h"
#include "temporary_folder.h"

namespace weft::train {
namespace {

using testing::message_of;

std::vector<std::string> labels(double low, double high, int count, bool whole = false) {
  return tick_labels(nice_ticks(low, high, count, whole));
}
using Texts = std::vector<std::string>;

TEST(plot, ticks_are_round_numbers_inside_the_range) {
  EXPECT_EQ(labels(0, 1, 5), (Texts{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(labels(-0.13, 2.4, 5), (Texts{"0", "1", "2"}));
  EXPECT_EQ(labels(-0.13, 2.4, 6), (Texts{"0.0", "0.5", "1.0", "1.5", "2.0"}));
  EXPECT_EQ(labels(0.961, 0.984, 5), (Texts{"0.965", "0.970", "0.975", "0.980"}));
  EXPECT_EQ(labels(-3000, 3000, 3), (Texts{"-2000", "0", "2000"}));
  EXPECT_EQ(labels(0, 3e7, 3), (Texts{"0", "1e+07", "2e+07", "3e+07"}));
  EXPECT_EQ(labels(0, 3e-7, 3), (Texts{"0", "1e-07", "2e-07", "3e-07"}));
}

TEST(plot, whole_ticks_are_never_fractions) {
  EXPECT_EQ(labels(0.9, 3.1, 10, true), (Texts{"1", "2", "3"}));
  EXPECT_EQ(labels(0.9, 3.1, 5, false), (Texts{"1.0", "1.5", "2.0", "2.5", "3.0"}));
}

TEST(plot, ranges_without_length_or_sense_do_not_hang) {
  EXPECT_EQ(nice_ticks(2, 2, 5), std::vector<double>{2});
  EXPECT_TRUE(nice_ticks(std::numeric_limits<double>::quiet_NaN(), 1, 5).empty());
  EXPECT_LE(nice_ticks(-1e308, 1e308, 5).size(), 1000u);
  EXPECT_LE(nice_ticks(1e16, 1e16 + 4, 100).size(), 1000u);
}

// How many pixels have exactly this colour.
int count(const Canvas& canvas, Color color) {
  int n = 0;
  for (int y = 0; y < canvas.height(); ++y)
    for (int x = 0; x < canvas.width(); ++x) n += canvas.pixel(x, y) == color ? 1 : 0;
  return n;
}

TEST(plot, each_series_is_drawn_in_its_colour_in_its_panel) {
  const Color red{200, 0, 0}, green{0, 150, 0};
  Plot plot{
      .title = "t",
      .x_label = "epoch",
      .panels = {{"loss", {{"a", {0, 1, 2}, {3, 2, 1}, red}}}, {"accuracy", {{"b", {0, 1, 2}, {1, 2, 3}, green}}}}};
  const Canvas canvas = draw_plot(plot);
  EXPECT_EQ(canvas.width(), plot.width);
  EXPECT_EQ(canvas.height(), plot.height);
  EXPECT_GT(count(canvas, red), 300);
  EXPECT_GT(count(canvas, green), 300);
  for (int y = 0; y < canvas.height(); ++y)
    for (int x = 0; x < canvas.width(); ++x) {
      if (canvas.pixel(x, y) == red) {
        ASSERT_LT(x, plot.width / 2);
      }
      if (canvas.pixel(x, y) == green) {
        ASSERT_GT(x, plot.width / 2);
      }
    }
}

TEST(plot, larger_values_stand_higher_and_further_right) {
  const Color red{200, 0, 0};
  const Canvas canvas = draw_plot({.panels = {{"y", {{"", {1, 5}, {-10, 40}, red}}}}, .width = 400, .height = 300});
  int first_x = 400, first_y = 0, last_x = 0, last_y = 0;
  for (int x = 0; x < 400; ++x)
    for (int y = 0; y < 300; ++y)
      if (canvas.pixel(x, y) == red) {
        if (x < first_x) first_x = x, first_y = y;
        last_x = x, last_y = y;
      }
  EXPECT_GT(last_x, first_x + 200);
  EXPECT_LT(last_y, first_y - 150);
}

TEST(plot, empty_constant_and_non_finite_series_are_drawn_as_far_as_possible) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const Color red{200, 0, 0};
  const Canvas canvas = draw_plot({.panels = {{"y",
                                               {{"empty", {}, {}},
                                                {"constant", {1, 2}, {7, 7}, red},
                                                {"not finite", {1, 2, 3}, {kInf, -kInf, kInf - kInf}}}}}});
  EXPECT_GT(count(canvas, red), 300);
  EXPECT_NO_THROW(draw_plot({.panels = {{"nothing", {}}}}));
}

TEST(plot, the_axis_ends_where_the_values_can) {
  const Color red{200, 0, 0};
  // One percentage: in the middle of an axis with air on both sides, at the top of one that ends at 100.
  const auto row = [&](std::optional<double> most) {
    const Canvas canvas = draw_plot({.panels = {{"%", {{"", {1}, {100}, red, true}}, {}, most}}, .height = 300});
    for (int y = 0; y < canvas.height(); ++y)
      for (int x = 0; x < canvas.width(); ++x)
        if (canvas.pixel(x, y) == red) return y;
    return -1;
  };
  EXPECT_GT(row({}), 80);
  EXPECT_GE(row(100), 0);
  EXPECT_LT(row(100), 50);
  EXPECT_EQ(row(50), row(100));  // a point outside widens the axis
}

TEST(plot, mistakes_are_named) {
  EXPECT_EQ(message_of<ShapeError>([] { draw_plot({.panels = {{"y", {{"loss", {1, 2}, {1}}}}}}); }),
            "draw_plot: a series must have equally many x and y; got 2 and 1 for \"loss\".");
  EXPECT_EQ(message_of<ValueError>([] { draw_plot({}); }), "draw_plot: a plot must have a panel; got none.");
  EXPECT_EQ(message_of<ValueError>([] { draw_plot({.panels = {{}, {}, {}}, .width = 200, .height = 300}); }),
            "draw_plot: the panels must fit the picture; got 200x300 pixels.");
}

TEST(plot, the_file_holds_the_picture) {
  const TemporaryFolder folder;
  line_plot(folder / "a.png", "title", "x", "y", {{"s", {1, 2}, {3, 4}}});
  EXPECT_EQ(read_png(folder / "a.png").width, 800);
  EXPECT_THROW(line_plot("/nonexistent/a.png", "", "", "", {}), BackendError);
}

}  // namespace
}  // namespace weft::train
