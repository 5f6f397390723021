#include "train/run_folder.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "event_reader.h"
#include "harness/errors.h"
#include "harness/files.h"
#include "temporary_folder.h"
#include "train/csv_writer.h"
#include "train/data.h"
#include "train/file.h"
#include "train/msgpack.h"
#include "weft/weft.h"

namespace weft::train {
namespace {

using testing::error_of;

struct Learner {
  Array step, weights;
  DataPosition position;
};

struct Steps {
  Array step;
};

Learner run_at(std::int32_t step, std::int64_t size = 3) {
  return {Array(step), np::full({size}, step, f32), {.epoch = step, .batch = 2 * step}};
}

void expect_run(const Learner& got, std::int32_t step) { EXPECT_EQ(to_bytes(got), to_bytes(run_at(step))); }

const Settings kSettings = {{"noise", "1.3"}, {"data", "a b"}, {"clip", "1"}};

// A folder with a checkpoint of that step, and a point of each step up to it.
void train_until(const std::string& path, std::int32_t last, const Settings& settings = kSettings) {
  RunFolder folder(path, settings);
  const Learner run = folder.restore(run_at(0));
  for (std::int32_t step = run.step.item<std::int32_t>() + 1; step <= last; ++step)
    folder.write_scalars(step, {{"loss", 1.0 / step}});
  folder.save(run_at(last), last);
}

std::vector<std::string> event_files(const std::string& path) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) out.push_back(entry.path().string());
  std::ranges::sort(out);
  return out;
}

// "<step> <tag>" of the values in all event files of the folder (Event: step = 2, summary = 5; Summary: value = 1;
// Value: tag = 1).
std::vector<std::string> events_in(const std::string& path) {
  std::vector<std::string> out;
  for (const std::string& file : event_files(path))
    for (const std::string& record : read_tf_records(file)) {
      const ProtoFields event = ProtoFields::parse(record);
      for (const ProtoFields& value : event.message(5).messages(1))
        out.push_back(std::to_string(event.integer(2)) + " " + value.bytes(1));
    }
  return out;
}

std::size_t count_events(const std::string& path, const std::string& event) {
  const auto all = events_in(path);
  return static_cast<std::size_t>(std::ranges::count(all, event));
}

// ---- going on ----

TEST(run_folder, a_run_goes_on_from_its_last_checkpoint_and_says_so) {
  const TemporaryFolder folder;
  train_until(folder / "run", 3);
  RunFolder again(folder / "run", kSettings);
  ::testing::internal::CaptureStdout();
  const Learner run = again.restore(run_at(0));
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "goes on from " + folder / "run/checkpoint_3\n");
  expect_run(run, 3);
  EXPECT_EQ(again.file("curve.png"), folder / "run/curve.png");
}

TEST(run_folder, without_a_checkpoint_the_run_stays_and_nothing_is_said) {
  const TemporaryFolder folder;
  RunFolder fresh(folder / "a/run", kSettings);
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
  ::testing::internal::CaptureStdout();
  expect_run(fresh.restore(run_at(7)), 7);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(fresh.save(run_at(8), 8), folder / "a/run/checkpoint_8");
}

// SessionLog, field 7 of an event: its status is 1 for START.
TEST(run_folder, tensorboard_is_told_from_which_step_on_each_program_writes) {
  const TemporaryFolder folder;
  train_until(folder / "run", 3);
  train_until(folder / "run", 5);
  std::vector<std::uint64_t> starts;
  for (const std::string& file : event_files(folder / "run")) {
    const std::vector<std::string> records = read_tf_records(file);
    ASSERT_GE(records.size(), 2u);
    const ProtoFields second = ProtoFields::parse(records[1]);  // after the version
    EXPECT_EQ(second.message(7).integer(1), 1u);
    starts.push_back(second.integer(2));
  }
  std::ranges::sort(starts);  // numbers in names are not in the order of texts
  EXPECT_EQ(starts, (std::vector<std::uint64_t>{0, 4}));
}

TEST(run_folder, settings_are_hyperparameters_of_a_run_once) {
  const TemporaryFolder folder;
  const std::string hparams = "0 _hparams_/session_start_info";
  train_until(folder / "run", 1);
  EXPECT_EQ(count_events(folder / "run", hparams), 1u);
  train_until(folder / "run", 2);
  EXPECT_EQ(count_events(folder / "run", hparams), 1u);
  train_until(folder / "without", 1, {});
  EXPECT_EQ(count_events(folder / "without", hparams), 0u);
}

TEST(run_folder, only_the_last_checkpoint_stays) {
  const TemporaryFolder folder;
  train_until(folder.path(), 2);
  train_until(folder.path(), 9);
  train_until(folder.path(), 10);
  EXPECT_EQ(latest_checkpoint(folder.path()), folder / "checkpoint_10");
  EXPECT_EQ(list_checkpoints(folder.path()).size(), 1u);
}

TEST(run_folder, as_many_checkpoints_stay_as_are_asked_for_and_damaged_ones_are_passed_over) {
  const TemporaryFolder folder;
  const CheckpointOptions three{.keep = 3};
  {
    RunFolder run(folder.path(), kSettings, three);
    run.restore(run_at(0));
    for (std::int32_t step = 1; step <= 5; ++step) {
      run.write_scalars(step, {{"loss", 1.0 / step}});
      run.save(run_at(step), step);
    }
  }
  EXPECT_FALSE(file_exists(folder / "checkpoint_2"));
  write_file(folder / "checkpoint_5", {});
  EXPECT_THROW(RunFolder(folder.path(), kSettings).restore(run_at(0)), ParseError);  // which would have one alone
  RunFolder run(folder.path(), kSettings, three);
  ::testing::internal::CaptureStdout();
  expect_run(run.restore(run_at(0)), 4);
  const std::string said = ::testing::internal::GetCapturedStdout();
  EXPECT_TRUE(said.starts_with("note: " + folder / "checkpoint_5" + " was skipped: ")) << said;
  EXPECT_TRUE(said.ends_with("goes on from " + folder / "checkpoint_4" + "\n")) << said;
  EXPECT_EQ(run.series({"loss"})[0].x, (std::vector<double>{1, 2, 3, 4}));
  run.save(run_at(5), 5);
  EXPECT_EQ(RunFolder(folder.path(), kSettings).learned(run_at(0)).step.item<std::int32_t>(), 5);
}

TEST(run_folder, checkpoints_are_flaxs_with_the_settings_beside_the_run) {
  const TemporaryFolder folder;
  train_until(folder.path(), 3);
  const StateValue state = restore_checkpoint(folder.path());
  const StateLeaves leaves(state, "state");
  std::vector<std::string> paths;
  for (const auto& leaf : leaves.all()) paths.push_back(leaf.path);
  EXPECT_EQ(paths,
            (std::vector<std::string>{"run/position/batch", "run/position/epoch", "run/position/fingerprint",
                                      "run/step", "run/weights", "settings/clip", "settings/data", "settings/noise"}));
}

// ---- curves ----

TEST(run_folder, curves_end_as_if_the_run_had_not_been_stopped) {
  const TemporaryFolder folder;
  train_until(folder / "whole", 3);
  train_until(folder / "whole", 5);
  train_until(folder / "stopped", 3);
  {
    // Stopped after its checkpoint, with points on the disk that it will come by again, or not.
    RunFolder run(folder / "stopped", kSettings);
    run.restore(run_at(0));
    for (const int step : {4, 5, 6}) run.write_scalars(step, {{"loss", 9}});
    EXPECT_EQ(run.series({"loss"})[0].y.size(), 6u);
  }
  train_until(folder / "stopped", 5);
  EXPECT_EQ(testing::read_file(folder / "stopped/curve.csv"), testing::read_file(folder / "whole/curve.csv"));
  RunFolder run(folder / "stopped", kSettings);
  run.restore(run_at(0));
  const std::vector<Series> series = run.series({"loss", "none"});
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series[0].x, (std::vector<double>{1, 2, 3, 4, 5}));
  EXPECT_EQ(series[0].y[4], 0.2);
  EXPECT_TRUE(series[1].x.empty());
}

TEST(run_folder, points_are_read_as_soon_as_they_are_written) {
  const TemporaryFolder folder;
  RunFolder run(folder.path());
  run.restore(run_at(0));
  run.write_scalars(1, {{"a", 1}, {"b", 2}});
  EXPECT_EQ(run.series({"b", "a"})[0].y, (std::vector<double>{2}));
}

TEST(run_folder, a_fresh_start_begins_the_curves_anew) {
  const TemporaryFolder folder;
  {
    RunFolder stopped(folder.path(), kSettings);  // before its first checkpoint
    stopped.restore(run_at(0));
    stopped.write_scalars(1, {{"loss", 9}});
    stopped.write_scalars(0, {{"other", 9}});
  }
  EXPECT_NE(testing::read_file(folder / "curve.csv"), "step,name,value\n");
  RunFolder fresh(folder.path(), {});
  fresh.restore(run_at(0));
  EXPECT_TRUE(fresh.series({"loss"})[0].x.empty());
  EXPECT_EQ(testing::read_file(folder / "curve.csv"), "step,name,value\n");
}

TEST(run_folder, one_program_at_a_time_writes_a_run) {
  const TemporaryFolder folder;
  {
    RunFolder first(folder.path());
    first.restore(run_at(0));
    RunFolder second(folder.path());
    std::string hint;
    EXPECT_EQ(error_of([&] { second.restore(run_at(0)); }, &hint),
              "ValueError: restore: the run in " + folder.path() +
                  " must be written by one program at a time; got a second "
                  "one.");
    EXPECT_EQ(hint, "wait until the first has ended, or name another folder.");
    first.save(run_at(3), 3);
    EXPECT_EQ(second.learned(run_at(0)).step.item<std::int32_t>(), 3);  // which writes nothing
  }
  RunFolder next(folder.path());
  expect_run(next.restore(run_at(0)), 3);
}

TEST(run_folder, curves_that_a_killed_program_was_about_to_replace_go) {
  const TemporaryFolder folder;
  write_file(folder / ".curve.csv.17.part", {});
  RunFolder run(folder.path());
  run.restore(run_at(0));
  EXPECT_FALSE(file_exists(folder / ".curve.csv.17.part"));
}

TEST(run_folder, a_table_of_somebody_elses_is_left_alone) {
  const TemporaryFolder folder;
  const std::string other = "x,y\n1,2\n";
  write_file(folder / "curve.csv", std::as_bytes(std::span(other)));
  RunFolder run(folder.path());
  EXPECT_EQ(error_of([&] { run.restore(run_at(0)); }), "ParseError: restore: " + folder / "curve.csv" +
                                                           " must begin with the line step,name,value; got another "
                                                           "file.");
  EXPECT_EQ(testing::read_file(folder / "curve.csv"), other);
  EXPECT_EQ(folder.count(), 1u);
}

// ---- settings ----

TEST(run_folder, a_file_is_no_folder_of_a_run) {
  const TemporaryFolder folder;
  train_until(folder / "run", 3);
  std::filesystem::copy_file(folder / "run/checkpoint_3", folder / "best");
  EXPECT_EQ(error_of([&] { RunFolder(folder / "best", kSettings).restore(run_at(0)); }),
            "ValueError: restore: " + folder / "best" + " must be the folder of a run; got a file.");
}

TEST(run_folder, other_settings_are_all_told_before_leaves_are_looked_at) {
  const TemporaryFolder folder;
  train_until(folder / "run", 3);
  const auto error = [&](const Settings& settings, std::string* hint = nullptr) {
    return error_of([&] { RunFolder(folder / "run", settings).restore(run_at(0, 99)); }, hint);
  };
  const std::string begin =
      "ValueError: restore: the run in " + folder / "run" + " must have the settings that it began with; got ";
  std::string hint;
  EXPECT_EQ(error({{"noise", "3"}, {"data", "a b"}, {"clip", "1"}}, &hint), begin + "noise = 3 where it has 1.3.");
  EXPECT_EQ(hint, "another folder, or this one when it is removed, begins a run with other settings.");
  EXPECT_EQ(
      error_of([&] { RunFolder(folder / "run", {{"noise", "3"}, {"data", "a b"}, {"clip", "1"}}).learned(run_at(0)); },
               &hint),
      "ValueError: learned: " + begin.substr(std::string("ValueError: restore: ").size()) +
          "noise = 3 where it has 1.3.");
  EXPECT_EQ(hint, "leave these settings out, or name the folder of another run.");
  EXPECT_EQ(error({{"noise", "1.3"}, {"clip", "1"}}), begin + "no data where it has \"a b\".");
  EXPECT_EQ(error({{"noise", "1.3"}, {"data", "a b"}, {"clip", "1"}, {"decay", ""}}),
            begin + "decay = \"\" where it has none.");
  EXPECT_EQ(error({{"decay", "0.9"}, {"clip", "2"}, {"noise", "1.30"}}),
            begin +
                "decay = 0.9 where it has none, clip = 2 where it has 1, noise = 1.30 where it has 1.3, no data where "
                "it has \"a b\".");
  // With the same ones it is the tree that does not fit.
  EXPECT_EQ(error(kSettings), "TreeError: restore: " + folder / "run/checkpoint_3" +
                                  " must have the leaves of the target; got 1 difference:\n  mismatched weights, "
                                  "f32[3] for f32[99].");
}

TEST(run_folder, a_refused_run_leaves_the_folder_as_it_was) {
  const TemporaryFolder folder;
  train_until(folder.path(), 3);
  const std::string curves = testing::read_file(folder / "curve.csv");
  const std::size_t files = folder.count();
  EXPECT_THROW(RunFolder(folder.path(), {}).restore(run_at(0)), ValueError);
  EXPECT_THROW(RunFolder(folder.path(), kSettings).restore(run_at(0, 99)), TreeError);
  EXPECT_EQ(folder.count(), files);
  EXPECT_EQ(testing::read_file(folder / "curve.csv"), curves);
}

TEST(run_folder, the_order_of_settings_is_no_difference) {
  const TemporaryFolder folder;
  train_until(folder.path(), 3);
  expect_run(RunFolder(folder.path(), {kSettings[2], kSettings[0], kSettings[1]}).restore(run_at(0)), 3);
}

TEST(run_folder, settings_can_be_read_alone_in_their_order) {
  const TemporaryFolder folder;
  EXPECT_EQ(settings_of(folder / "run"), std::nullopt);
  train_until(folder / "run", 3);
  EXPECT_EQ(settings_of(folder / "run"), kSettings);
  train_until(folder / "without", 3, {});
  EXPECT_EQ(settings_of(folder / "without"), Settings());
}

TEST(run_folder, old_checkpoints_without_settings_are_told) {
  const TemporaryFolder folder;
  const std::string path = save_checkpoint(folder.path(), run_at(3), 3);
  std::string hint;
  const std::string error = ": " + path + " must hold a run and the settings that it began with; got no such parts.";
  EXPECT_EQ(error_of([&] { RunFolder(folder.path()).restore(run_at(0)); }, &hint), "ParseError: restore" + error);
  EXPECT_EQ(hint,
            "RunFolder::save did not write it: save_checkpoint did, or an older program. Another folder begins a new "
            "run.");
  EXPECT_EQ(error_of([&] { settings_of(folder.path()); }), "ParseError: settings_of" + error);
  // Nor are these settings.
  save_checkpoint(folder.path(),
                  std::map<std::string, Array>{{"settings/noise", np::zeros({})}, {"run", np::zeros({})}}, 4);
  EXPECT_THROW(settings_of(folder.path()), ParseError);
}

TEST(run_folder, a_damaged_checkpoint_is_refused) {
  const TemporaryFolder folder;
  train_until(folder.path(), 3);
  std::filesystem::resize_file(folder / "checkpoint_3", 40);
  EXPECT_THROW(RunFolder(folder.path(), kSettings).restore(run_at(0)), ParseError);
  EXPECT_THROW(settings_of(folder.path()), ParseError);
}

TEST(run_folder, a_checkpoint_without_a_sum_is_noted) {
  const TemporaryFolder folder;
  train_until(folder.path(), 3);
  std::filesystem::remove(folder / ".checkpoint_3.sum");
  ::testing::internal::CaptureStdout();
  RunFolder(folder.path(), kSettings).restore(run_at(0));
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "note: " + folder / "checkpoint_3" +
                                                          " has no sum beside it; only its structure was checked.\n" +
                                                          "goes on from " + folder / "checkpoint_3\n");
}

// ---- what was learned ----

TEST(run_folder, what_was_learned_is_used_without_a_trace) {
  const TemporaryFolder folder;
  train_until(folder / "run", 3);
  const std::string curves = testing::read_file(folder / "run/curve.csv");
  const auto events = event_files(folder / "run");
  ::testing::internal::CaptureStdout();
  expect_run(RunFolder(folder / "run", kSettings).learned(run_at(0)), 3);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::read_file(folder / "run/curve.csv"), curves);
  EXPECT_EQ(event_files(folder / "run"), events);
  EXPECT_EQ(error_of([&] { RunFolder(folder / "none").learned(run_at(0)); }),
            "ValueError: learned: " + folder / "none" + " must have a checkpoint of a run that learned; got none.");
  EXPECT_FALSE(std::filesystem::exists(folder / "none"));
  EXPECT_EQ(error_of([&] { RunFolder(folder / "run", {kSettings[0], kSettings[1]}).learned(run_at(0)); }),
            "ValueError: learned: the run in " + folder / "run" +
                " must have the settings that it began with; got no clip where it has 1.");
}

TEST(run_folder, a_part_of_what_was_learned_can_be_read_alone) {
  const TemporaryFolder folder;
  train_until(folder.path(), 3);
  const RunFolder run(folder.path(), kSettings);
  EXPECT_EQ(run.learned(Steps{Array(std::int32_t{0})}, {.allow_extra = true}).step.item<int>(), 3);
  EXPECT_THROW(run.learned(Steps{Array(std::int32_t{0})}), TreeError);
}

// ---- killed ----

TEST(run_folder, what_was_written_before_a_checkpoint_is_in_its_files_before_it_is) {
  const TemporaryFolder folder;
  train_until(folder.path(), 3);
  RunFolder run(folder.path(), kSettings);
  run.restore(run_at(0));
  for (int step = 4; step <= 20; ++step) {
    run.write_scalars(step, {{"loss", step}});
    run.writer().write_texts(step, {{"note", "text"}});
  }
  const auto expect_written = [&] {
    EXPECT_NE(testing::read_file(folder / "curve.csv").find("20,loss,20.0\n"), std::string::npos);
    for (const char* event : {"4 loss", "20 loss", "20 note"}) EXPECT_EQ(count_events(folder.path(), event), 1u);
  };
  // This checkpoint is not written, but was to be.
  EXPECT_THROW(run.save(run_at(2), 2), ValueError);
  expect_written();
  run.write_scalars(21, {{"loss", 21}});
  run.save(run_at(21), 21);
  expect_written();
  EXPECT_NE(testing::read_file(folder / "curve.csv").find("21,loss,21.0\n"), std::string::npos);
  EXPECT_EQ(count_events(folder.path(), "21 loss"), 1u);
}

constexpr const char* kKilledFolder = "WEFT_TEST_RUN_FOLDER";

// Run by the next test in a process of its own, which ends as if it had been killed.
TEST(run_folder, DISABLED_run_that_is_killed) {
  const char* path = std::getenv(kKilledFolder);
  if (path == nullptr) return;
  RunFolder run(path, kSettings);
  run.restore(run_at(0));
  for (int step = 1; step <= 20; ++step) run.write_scalars(step, {{"loss", step}});
  run.save(run_at(20), 20);
  run.write_scalars(21, {{"loss", 21}});
  kill(getpid(), SIGKILL);
}

TEST(run_folder, a_killed_program_loses_nothing_that_its_checkpoint_is_past) {
  const TemporaryFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    setenv(kKilledFolder, folder.path().c_str(), 1);
    execl("/proc/self/exe", "run", "--gtest_filter=run_folder.DISABLED_run_that_is_killed",
          "--gtest_also_run_disabled_tests", "--gtest_brief=1", nullptr);
    _exit(9);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(latest_checkpoint(folder.path()), folder / "checkpoint_20");
  for (int step = 1; step <= 20; ++step)
    EXPECT_EQ(count_events(folder.path(), std::to_string(step) + " loss"), 1u) << step;
  RunFolder run(folder.path(), kSettings);
  expect_run(run.restore(run_at(0)), 20);
  EXPECT_EQ(run.series({"loss"})[0].x.size(), 20u);
}

// ---- misuse ----

TEST(run_folder, what_cannot_be_is_refused) {
  EXPECT_EQ(error_of([] { RunFolder(""); }), "ValueError: run_folder: the folder must have a name; got none.");
  EXPECT_EQ(error_of([] { RunFolder("run", {{"a", "1"}, {"b", "2"}, {"a", "1"}}); }),
            "ValueError: run_folder: each setting must have a name of its own; got a twice.");
  EXPECT_EQ(error_of([] { RunFolder("run", {{"a", "\xff"}}); }),
            "ValueError: run_folder: settings must be UTF-8; got other bytes in a.");
  EXPECT_THROW(RunFolder("run", {}, {.keep = 0}), ValueError);  // before anything was learned
  const TemporaryFolder folder;
  RunFolder run(folder.path());
  const std::string before = ": the run must be restored before; got a folder without a run.";
  EXPECT_EQ(error_of([&] { run.write_scalars(1, {}); }), "ValueError: write_scalars" + before);
  EXPECT_EQ(error_of([&] { run.writer(); }), "ValueError: writer" + before);
  EXPECT_EQ(error_of([&] { run.save(run_at(1), 1); }), "ValueError: save" + before);
  EXPECT_EQ(error_of([&] { run.series({}); }), "ValueError: series" + before);
  EXPECT_EQ(folder.count(), 0u);
  run.restore(run_at(0));
  EXPECT_EQ(error_of([&] { run.restore(run_at(0)); }),
            "ValueError: restore: a run must be restored once; got a second time.");
  run.save(run_at(1), 1);
  EXPECT_THROW(run.save(run_at(1), 1), ValueError);
}

}  // namespace
}  // namespace weft::train
