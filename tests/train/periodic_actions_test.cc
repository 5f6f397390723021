#include "train/periodic_actions.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "train/metric_writer.h"
#include "weft/base/error.h"

namespace weft::train {
namespace {

using testing::message_of;

struct ScalarsOnly : MetricWriter {
  std::vector<std::pair<std::int64_t, Scalars>> written;
  void write_scalars(std::int64_t step, const Scalars& scalars) override { written.emplace_back(step, scalars); }
  void write_images(std::int64_t, const ArrayMap&) override {}
  void write_audios(std::int64_t, const ArrayMap&, int) override {}
  void write_texts(std::int64_t, const Texts&) override {}
  void write_histograms(std::int64_t, const ArrayMap&, const std::map<std::string, int>&) override {}
  void write_hparams(const HParams&) override {}
  void flush() override {}
  void close() override {}
};

std::vector<std::int64_t> acting_steps(Schedule when, std::int64_t last, double seconds_per_step = 1) {
  double now = 0;
  std::vector<std::int64_t> out;
  PeriodicCallback action(
      std::move(when),
      [&](std::int64_t step, double time) {
        out.push_back(step);
        EXPECT_EQ(time, now);
      },
      [&] { return now; });
  for (std::int64_t step = 1; step <= last; ++step, now += seconds_per_step) {
    const bool acted = action(step);
    EXPECT_EQ(acted, !out.empty() && out.back() == step);
  }
  return out;
}

TEST(periodic_actions, act_every_so_many_steps_or_seconds_or_at_steps) {
  EXPECT_EQ(acting_steps({.every_steps = 3}, 10), (std::vector<std::int64_t>{3, 6, 9}));
  EXPECT_EQ(acting_steps({.every_secs = 2.5}, 10), (std::vector<std::int64_t>{4, 7, 10}));
  EXPECT_EQ(acting_steps({.on_steps = {2, 9}}, 10), (std::vector<std::int64_t>{2, 9}));
  // Seconds count from the last time, whatever made it act.
  EXPECT_EQ(acting_steps({.every_steps = 4, .every_secs = 2.5}, 9), (std::vector<std::int64_t>{4, 7, 8}));
  EXPECT_EQ(acting_steps({}, 9), (std::vector<std::int64_t>{}));
}

TEST(periodic_actions, every_step_must_be_seen_when_steps_count) {
  PeriodicCallback action({.every_steps = 2}, [](std::int64_t, double) {});
  EXPECT_FALSE(action(5));
  EXPECT_TRUE(action(6));
  EXPECT_EQ(message_of<ValueError>([&] { action(8); }),
            "periodic_action: an action with every_steps must be called after every step, once; got step 8 after 6.");
  EXPECT_THROW(action(6), ValueError);
  EXPECT_FALSE(action(7));
  EXPECT_EQ(message_of<ValueError>([] { PeriodicCallback({.every_steps = 0}, {}); }),
            "periodic_action: every_steps must be positive; got 0.");
  EXPECT_EQ(message_of<ValueError>([] { PeriodicCallback({.every_steps = 1}, {}); }),
            "periodic_callback: there must be a function to call; got none.");
  EXPECT_EQ(message_of<ValueError>([] { PeriodicCallback({.every_secs = 0.0}, {}); }),
            "periodic_action: every_secs must be positive; got 0.0.");
}

TEST(report_progress, tells_speed_share_and_remaining_time) {
  double now = 0;
  ScalarsOnly writer;
  std::vector<std::string> notes;
  ReportProgress report({.num_train_steps = 1000,
                         .writer = &writer,
                         .when = {.every_steps = 100},
                         .notes = [&](const std::string& text) { notes.push_back(text); },
                         .clock = [&] { return now; }});
  for (std::int64_t step = 0; step <= 200; ++step, now += 10) report(step);
  EXPECT_EQ(notes, (std::vector<std::string>{"0.1 steps/s, 10.0% (100/1000), ETA: 2h30m",
                                             "0.1 steps/s, 20.0% (200/1000), ETA: 2h13m"}));
  ASSERT_EQ(writer.written.size(), 2u);
  EXPECT_EQ(writer.written[1].first, 200);
  EXPECT_EQ(writer.written[1].second, (MetricWriter::Scalars{{"steps_per_sec", 0.1}, {"uptime", 2000}}));
}

TEST(report_progress, reports_at_the_end_and_not_at_the_first_call) {
  double now = 0;
  std::vector<std::string> notes;
  ReportProgress report({.num_train_steps = 5,
                         .notes = [&](const std::string& text) { notes.push_back(text); },
                         .clock = [&] { return now; }});
  for (std::int64_t step = 1; step <= 5; ++step, now += 0.5) report(step);
  EXPECT_EQ(notes, std::vector<std::string>{"2.0 steps/s, 100.0% (5/5), ETA: 0m"});
}

TEST(report_progress, tells_the_shares_of_timed_parts) {
  double now = 0;
  std::string note;
  ReportProgress report({.when = {.every_steps = 2},
                         .notes = [&](const std::string& text) { note = text; },
                         .clock = [&] { return now; }});
  report(1);
  {
    const auto timed = report.timed("eval");
    now += 25;
  }
  {
    const auto timed = report.timed("checkpoint");
    now += 50;
  }
  now += 25;
  report(2);
  EXPECT_EQ(note, "0.0 steps/s (1m : 50.0% checkpoint, 25.0% eval)");
}

TEST(profile_action, starts_and_stops_after_steps_and_seconds) {
  double now = 0;
  std::vector<std::string> calls;
  ProfileAction profile({.first_profile = 3,
                         .num_profile_steps = 2,
                         .profile_duration_secs = 4,
                         .when = {.every_secs = 10.0},
                         .start = [&](std::int64_t step) { calls.push_back("start " + std::to_string(step)); },
                         .stop = [&](std::int64_t step) { calls.push_back("stop " + std::to_string(step)); },
                         .clock = [&] { return now; }});
  for (std::int64_t step = 1; step <= 20; ++step, now += 1) profile(step);
  EXPECT_EQ(calls, (std::vector<std::string>{"start 3", "stop 7", "start 14", "stop 18"}));
  EXPECT_EQ(message_of<ValueError>([] { ProfileAction({}); }),
            "profile_action: there must be functions that start and stop a profiler; got none.");
}

TEST(periodic_actions, days_are_told_roughly) {
  EXPECT_EQ(days_text(123456.7), "1d10h17m");
  EXPECT_EQ(days_text(59), "0m");
  EXPECT_EQ(days_text(86400), "1d0m");
  EXPECT_EQ(days_text(1.0 / 0.0), "unknown");
}

}  // namespace
}  // namespace weft::train
