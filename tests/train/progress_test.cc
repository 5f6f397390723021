#include "train/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "harness/errors.h"

namespace weft::train {
namespace {

using testing::message_of;

struct Screen {
  std::ostringstream out;
  double now = 100;
  int columns = 100;
  ProgressOptions options(bool terminal) {
    return {
        .out = &out, .is_terminal = terminal, .clock = [this] { return now; }, .columns = [this] { return columns; }};
  }
  // What the terminal shows: the text after the last restart of each line.
  std::vector<std::string> drawings() const {
    std::vector<std::string> all;
    const std::string text = out.str(), restart = "\r\x1b[K";
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = text.find(restart, at);
      if (end == std::string::npos) end = text.size();
      if (end > at) all.push_back(text.substr(at, end - at));
      at = end + restart.size();
    }
    return all;
  }
};

TEST(progress, a_terminal_shows_share_bar_metrics_remaining_time_and_rate) {
  Screen screen;
  Progress progress("epoch 1/5", 1000, "images", screen.options(true));
  screen.now += 2;
  progress.advance(250, {{"loss", 0.5}, {"accuracy", 0.875}});
  EXPECT_EQ(screen.drawings().back(),
            "epoch 1/5  [======>                   ]   25%  loss 0.5000  accuracy 0.8750  ETA 0:06  125 images/s");
  progress.finish();
}

TEST(progress, eighty_columns_have_room_for_bar_two_metrics_time_and_rate) {
  Screen screen;
  screen.columns = 80;
  Progress progress("epoch 1/5", 60000, "images", screen.options(true));
  screen.now += 2;
  progress.advance(30000, {{"loss", 0.5}, {"accuracy", 0.875}});
  EXPECT_EQ(screen.drawings().back(),
            "epoch 1/5  [=====>     ]   50%  loss 0.5000  accuracy 0.8750  ETA 0:02  15.0k/s");
}

TEST(progress, redraws_at_most_ten_times_a_second) {
  Screen screen;
  Progress progress("x", 1000, "images", screen.options(true));
  for (int i = 0; i < 1000; ++i) {
    screen.now += 0.001;
    progress.advance(1);
  }
  EXPECT_LE(screen.drawings().size(), 11u);
  EXPECT_GE(screen.drawings().size(), 9u);
  progress.finish();
}

TEST(progress, finish_leaves_one_line_with_the_time_taken) {
  Screen screen;
  {
    Progress progress("epoch 1/5", 1000, "images", screen.options(true));
    screen.now += 80;
    progress.advance(1000, {{"loss", 0.25}});
    progress.finish({{"loss", 0.125}, {"accuracy", 0.9}});
    progress.finish();
    progress.advance(1);
  }
  EXPECT_EQ(screen.drawings().back(), "epoch 1/5  loss 0.1250  accuracy 0.9000  1:20  12 images/s\n");
  EXPECT_EQ(std::ranges::count(screen.out.str(), '\n'), 1);
}

TEST(progress, no_drawing_reaches_the_last_column_of_any_terminal) {
  for (int columns = 0; columns <= 130; ++columns) {
    Screen screen;
    screen.columns = columns;
    Progress progress("epoch 1/5", 1000, "images", screen.options(true));
    screen.now += 1;
    progress.advance(500, {{"loss", 123456.0}, {"accuracy", 0.5}});
    progress.finish();
    for (std::string drawing : screen.drawings()) {
      if (!drawing.empty() && drawing.back() == '\n') drawing.pop_back();
      EXPECT_LE(static_cast<int>(drawing.size()), std::max(columns - 1, 0)) << drawing;
    }
  }
}

TEST(progress, a_narrow_terminal_keeps_the_most_important_parts) {
  Screen screen;
  screen.columns = 32;
  Progress progress("epoch 1/5", 1000, "images", screen.options(true));
  screen.now += 1;
  progress.advance(500, {{"loss", 0.5}, {"accuracy", 0.5}});
  EXPECT_EQ(screen.drawings().back(), "epoch 1/5   50%  loss 0.5000");
}

TEST(progress, a_terminal_that_is_resized_is_followed) {
  Screen screen;
  Progress progress("epoch 1/5", 1000, "images", screen.options(true));
  screen.now += 1, screen.columns = 10;
  progress.advance(500);
  EXPECT_LE(screen.drawings().back().size(), 9u);
}

TEST(progress, a_file_gets_plain_lines_every_ten_seconds_and_at_the_end) {
  Screen screen;
  {
    Progress progress("epoch 2/5", 100, "images", screen.options(false));
    for (int i = 0; i < 25; ++i) {
      screen.now += 1;
      progress.advance(4, {{"loss", 1.0}});
    }
    progress.finish();
  }
  EXPECT_EQ(screen.out.str(),
            "epoch 2/5   40%  loss 1.0000  ETA 0:15  4.0 images/s\n"
            "epoch 2/5   80%  loss 1.0000  ETA 0:05  4.0 images/s\n"
            "epoch 2/5  loss 1.0000  0:25  4.0 images/s\n");
}

TEST(progress, an_exception_leaves_the_cursor_on_a_new_line) {
  Screen screen;
  try {
    const Progress progress("x", 10, "images", screen.options(true));
    throw std::runtime_error("x");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(screen.out.str().back(), '\n');
  Screen file;
  {
    const Progress progress("x", 10, "images", file.options(false));
  }
  EXPECT_EQ(file.out.str(), "");
}

TEST(progress, unknown_and_odd_numbers_are_shown_as_they_are) {
  Screen screen;
  Progress progress("x", 0, "images", screen.options(true));
  screen.now += 1;
  progress.advance(20'000'000, {{"loss", std::numeric_limits<double>::quiet_NaN()}, {"rate", 1e-5}});
  EXPECT_NE(screen.drawings().back().find("loss nan  rate 1.00e-05"), std::string::npos) << screen.drawings().back();
  EXPECT_NE(screen.drawings().back().find("20.00M images/s"), std::string::npos);
  EXPECT_EQ(message_of<ValueError>([&] { Progress("x", -1, "images", screen.options(true)); }),
            "progress: total must not be negative; got -1.");
}

TEST(progress, without_a_stream_it_only_counts) {
  Screen screen;
  ProgressOptions options = screen.options(true);
  options.out = nullptr;
  Progress progress("x", 10, "images", options);
  screen.now += 2;
  progress.advance(6);
  progress.finish();
  EXPECT_EQ(progress.done(), 6);
  EXPECT_EQ(progress.elapsed(), 2);
  EXPECT_EQ(progress.rate(), 3);
}

TEST(progress, durations_read_like_a_clock) {
  EXPECT_EQ(duration_text(7.4), "0:07");
  EXPECT_EQ(duration_text(59.6), "1:00");
  EXPECT_EQ(duration_text(754), "12:34");
  EXPECT_EQ(duration_text(3723), "1:02:03");
  EXPECT_EQ(duration_text(-1), "--:--");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::infinity()), "--:--");
}

}  // namespace
}  // namespace weft::train
