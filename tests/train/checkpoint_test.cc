#include "train/checkpoint.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <thread>

#include "harness/errors.h"
#include "hex_bytes.h"
#include "temporary_folder.h"
#include "train/data.h"
#include "train/file.h"
#include "train/msgpack.h"
#include "train/safetensors.h"
#include "weft/base/error.h"
#include "weft/np/np.h"

namespace weft::train {
namespace {

using testing::message_of;

struct SavedState {
  Array step;
  std::map<std::string, Array> params;
  std::vector<Array> moments;
  DataPosition position;
};

// All arrays follow from the step, so that a mixture of two checkpoints shows.
SavedState state_of(std::int64_t step, std::int64_t size = 50) {
  const auto filled = [&](double offset) {
    return np::arange(static_cast<double>(size)).astype(f32) + (step + offset);
  };
  return {Array(static_cast<std::int32_t>(step)),
          {{"Dense_0/kernel", filled(0.5)}, {"Dense_0/bias", filled(0.25).astype(bf16)}},
          {filled(1), filled(2)},
          {.epoch = step, .batch = 2 * step}};
}

SavedState blank(std::int64_t size = 50) {
  SavedState out = state_of(0, size);
  out.position = {};
  return out;
}

void expect_state(const SavedState& got, std::int64_t step, std::int64_t size = 50) {
  EXPECT_EQ(to_bytes(got), to_bytes(state_of(step, size))) << "step " << step;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) out.push_back(entry.path().filename().string());
  std::ranges::sort(out);
  return out;
}

std::vector<double> steps_in(const std::string& folder) {
  std::vector<double> out;
  for (const CheckpointFile& f : list_checkpoints(folder)) out.push_back(f.step);
  return out;
}

TEST(checkpoint, both_formats_come_back_bit_for_bit) {
  for (const CheckpointFormat format : {CheckpointFormat::kMsgpack, CheckpointFormat::kSafetensors}) {
    const TemporaryFolder folder;
    const std::string path = save_checkpoint(folder / "run", state_of(3), 3, {.format = format});
    EXPECT_EQ(latest_checkpoint(folder / "run"), path);
    CheckpointReport report;
    expect_state(restore_checkpoint(folder / "run", blank(), {}, &report), 3);
    EXPECT_EQ(report.path, path);
    EXPECT_EQ(report.step, 3);
    EXPECT_TRUE(report.checked);
    EXPECT_TRUE(report.notes.empty());
    expect_state(restore_checkpoint(path, blank()), 3);
    EXPECT_EQ(StateLeaves(restore_checkpoint(path), path).all().size(), 8u);
  }
}

TEST(checkpoint, files_are_flaxs_and_the_librarys_with_a_hidden_sum_beside) {
  const TemporaryFolder folder;
  const std::map<std::string, Array> tree{{"w", np::arange(3)}};
  const std::string a = save_checkpoint(folder.path(), tree, 1, {.keep = 9});
  const std::string b = save_checkpoint(folder.path(), tree, 2, {.keep = 9, .format = CheckpointFormat::kSafetensors});
  EXPECT_EQ(names_in(folder.path()), (std::vector<std::string>{".checkpoint_1.sum", ".checkpoint_2.safetensors.sum",
                                                               "checkpoint_1", "checkpoint_2.safetensors"}));
  EXPECT_EQ(read_file(a), to_bytes(tree));
  EXPECT_EQ(read_safetensors(b).tensors.at("w").size(), 3);
}

TEST(checkpoint, without_one_the_target_stays) {
  const TemporaryFolder folder;
  CheckpointReport report{.path = "x"};
  for (const std::string& path : {folder.path(), folder / "none", folder / "none/checkpoint_1"}) {
    expect_state(restore_checkpoint(path, state_of(7), {}, &report), 7);
    EXPECT_EQ(report.path, "");
  }
  EXPECT_EQ(latest_checkpoint(folder / "none"), std::nullopt);
  EXPECT_TRUE(restore_checkpoint(folder.path()).none());
}

TEST(checkpoint, steps_are_ordered_as_numbers) {
  const TemporaryFolder folder;
  for (const char* name : {"checkpoint_10", "checkpoint_9", "checkpoint_1e1.safetensors", "checkpoint_0.5",
                           "checkpoint_-3", "checkpoint_tmp", "checkpoint_", "checkpoint_nan", "checkpoint_7x",
                           "other_11", "checkpoint_11.orbax", ".checkpoint_12.1.2.part"})
    write_file(folder / name, {});
  make_folders(folder / "checkpoint_13");
  EXPECT_EQ(steps_in(folder.path()), (std::vector<double>{-3, 0.5, 9, 10, 10}));
  EXPECT_EQ(checkpoint_step("test_12", "test_"), 12);
  EXPECT_EQ(checkpoint_step("test_+1.5e3.safetensors", "test_"), std::nullopt);
  EXPECT_EQ(checkpoint_step("test_inf", "test_"), std::nullopt);
}

TEST(checkpoint, the_last_ones_are_kept_and_others_every_so_many_steps) {
  const TemporaryFolder folder;
  for (std::int64_t step = 1; step <= 5; ++step) save_checkpoint(folder / "a", state_of(step), step);
  EXPECT_EQ(names_in(folder / "a"), (std::vector<std::string>{".checkpoint_5.sum", "checkpoint_5"}));
  for (std::int64_t step = 1; step <= 5; ++step) save_checkpoint(folder / "b", state_of(step), step, {.keep = 3});
  EXPECT_EQ(steps_in(folder / "b"), (std::vector<double>{3, 4, 5}));
  // tests/checkpoints_test.py of Flax, test_keep: steps 17, 22, 27, 32.
  for (std::int64_t step = 17; step < 37; step += 5)
    save_checkpoint(folder / "c", state_of(step), step, {.keep = 3, .keep_every_n_steps = 7});
  EXPECT_EQ(steps_in(folder / "c"), (std::vector<double>{17, 22, 27, 32}));
  for (std::int64_t step = 0; step < 100; step += 5)
    save_checkpoint(folder / "d", state_of(step), step, {.keep = 1, .keep_every_n_steps = 30});
  EXPECT_EQ(steps_in(folder / "d"), (std::vector<double>{5, 35, 65, 95}));  // step 0 is never kept for this
}

TEST(checkpoint, nothing_is_overwritten_unless_told) {
  const TemporaryFolder folder;
  const std::string dir = folder.path();
  save_checkpoint(dir, state_of(5), 5);
  EXPECT_EQ(message_of<ValueError>([&] { save_checkpoint(dir, state_of(4), 4); }),
            "save_checkpoint: the step must be after those of all checkpoints in " + dir + "; got 4 where there is " +
                dir + "/checkpoint_5.");
  EXPECT_THROW(save_checkpoint(dir, state_of(6), 5), ValueError);
  expect_state(restore_checkpoint(dir, blank()), 5);
  save_checkpoint(dir, state_of(6), 5, {.overwrite = true});
  expect_state(restore_checkpoint(dir, blank()), 6);
  for (const std::int64_t step : {8, 9}) save_checkpoint(dir, state_of(step), step, {.keep = 5});
  save_checkpoint(dir, state_of(7), 7, {.keep = 5, .overwrite = true});
  EXPECT_EQ(steps_in(dir), (std::vector<double>{5, 7}));
  // Of another format, too.
  save_checkpoint(dir, state_of(17), 7, {.keep = 5, .overwrite = true, .format = CheckpointFormat::kSafetensors});
  EXPECT_EQ(steps_in(dir), (std::vector<double>{5, 7}));
  CheckpointReport report;
  expect_state(restore_checkpoint(dir, blank(), {}, &report), 17);
  EXPECT_TRUE(report.checked);
}

TEST(checkpoint, a_chosen_step_must_be_there) {
  const TemporaryFolder folder;
  for (const std::int64_t step : {3, 10}) save_checkpoint(folder.path(), state_of(step), step, {.keep = 2});
  expect_state(restore_checkpoint(folder.path(), blank(), {.step = 3}), 3);
  EXPECT_EQ(
      message_of<ValueError>([&] { restore_checkpoint(folder.path(), blank(), {.step = 4}); }),
      "restore_checkpoint: " + folder.path() + " must have a checkpoint of step 4; got checkpoint_3, checkpoint_10.");
  EXPECT_EQ(message_of<ValueError>([&] { restore_checkpoint(folder / "typo", blank(), {.step = 3}); }),
            "restore_checkpoint: " + folder / "typo" + " must have a checkpoint of step 3; got none.");
  EXPECT_EQ(
      message_of<ValueError>([&] { restore_checkpoint(folder / "checkpoint_10", blank(), {.step = 3}); }),
      "restore_checkpoint: " + folder / "checkpoint_10" + " must have a checkpoint of step 3; got checkpoint_10.");
  expect_state(restore_checkpoint(folder / "checkpoint_10", blank(), {.step = 10}), 10);
}

TEST(checkpoint, what_cannot_be_seen_is_not_taken_for_none) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("loop", folder / "loop");
  EXPECT_THROW(restore_checkpoint(folder / "loop", blank()), BackendError);
  EXPECT_THROW(restore_checkpoint(folder / "loop/run", blank()), BackendError);
  save_checkpoint(folder / "run", state_of(1), 1);
  std::filesystem::create_symlink("checkpoint_2", folder / "run/checkpoint_2");
  EXPECT_THROW(restore_checkpoint(folder / "run", blank()), BackendError);
  std::filesystem::remove(folder / "run/checkpoint_2");
  // A sum that cannot be read is not no sum.
  std::filesystem::remove(folder / "run/.checkpoint_1.sum");
  std::filesystem::create_symlink(".checkpoint_1.sum", folder / "run/.checkpoint_1.sum");
  EXPECT_THROW(restore_checkpoint(folder / "run", blank()), BackendError);
}

TEST(checkpoint, folders_of_orbax_are_refused_or_skipped) {
  const TemporaryFolder folder;
  const std::string dir = folder.path();
  make_folders(dir + "/checkpoint_12");
  std::string hint;
  EXPECT_EQ(testing::error_of([&] { restore_checkpoint(dir, blank()); }, &hint),
            "ParseError: restore_checkpoint: " + dir + "/checkpoint_12 must be a file; got a folder.");
  EXPECT_NE(hint.find("flax_use_orbax_checkpointing"), std::string::npos);
  EXPECT_THROW(restore_checkpoint(dir, blank(), {.step = 12}), ParseError);
  save_checkpoint(dir, state_of(3), 3);
  EXPECT_THROW(restore_checkpoint(dir, blank()), ParseError);
  expect_state(restore_checkpoint(dir, blank(), {.step = 3}), 3);
  CheckpointReport report;
  expect_state(restore_checkpoint(dir, blank(), {.skip_damaged = true}, &report), 3);
  EXPECT_EQ(report.notes.at(0), dir + "/checkpoint_12 was skipped: restore_checkpoint: " + dir +
                                    "/checkpoint_12 must be a file; got a folder.");
  save_checkpoint(dir, state_of(13), 13);
  expect_state(restore_checkpoint(dir, blank()), 13);
}

TEST(checkpoint, a_run_begins_with_a_checkpoint_or_goes_on_from_one) {
  const TemporaryFolder folder;
  expect_state(restore_or_initialize(folder / "run", state_of(0)), 0);
  EXPECT_EQ(steps_in(folder / "run"), std::vector<double>{0});
  save_checkpoint(folder / "run", state_of(4), 4);
  expect_state(restore_or_initialize(folder / "run", blank()), 4);
  expect_state(restore_or_initialize(folder / "run", state_of(2), 2, {.prefix = "other_"}), 2);
  EXPECT_EQ(latest_checkpoint(folder / "run", "other_"), folder / "run/other_2");
}

TEST(checkpoint, bad_options_are_refused_before_anything_is_written) {
  const TemporaryFolder folder;
  const auto save = [&](std::int64_t step, const CheckpointOptions& options) {
    save_checkpoint(folder / "run", state_of(1), step, options);
  };
  EXPECT_EQ(message_of<ValueError>([&] { save(1, {.keep = 0}); }), "save_checkpoint: keep must be at least 1; got 0.");
  EXPECT_EQ(message_of<ValueError>([&] { save(1, {.keep_every_n_steps = -1}); }),
            "save_checkpoint: keep_every_n_steps must not be negative; got -1.");
  EXPECT_EQ(message_of<ValueError>([&] { save(-1, {}); }),
            "save_checkpoint: the step must be between 0 and 2^53; got -1.");
  EXPECT_EQ(message_of<ValueError>([&] { save(1, {.prefix = "a/b"}); }),
            "save_checkpoint: the prefix must have no '/'; got a/b.");
  EXPECT_EQ(folder.count(), 0u);
  EXPECT_THROW(save_checkpoint("/proc/none", state_of(1), 1), BackendError);
}

// Each bit of a checkpoint and of its sum: the change is refused, or makes no difference.
TEST(checkpoint, every_truncation_and_every_flipped_bit_is_refused) {
  for (const CheckpointFormat format : {CheckpointFormat::kMsgpack, CheckpointFormat::kSafetensors}) {
    const TemporaryFolder folder;
    const std::map<std::string, Array> tree{{"w", np::arange(2.0f)}, {"b", Array(true)}}, target = tree;
    const std::string path = save_checkpoint(folder.path(), tree, 1, {.format = format});
    const std::string sum = folder / ("." + std::filesystem::path(path).filename().string() + ".sum");
    for (const std::string& file : {path, sum}) {
      const auto whole = read_file(file);
      for (std::size_t n = 0; n < whole.size(); ++n) {
        write_file(file, std::span(whole).first(n));
        EXPECT_THROW(restore_checkpoint(folder.path(), target), ParseError) << file << " " << n;
      }
      for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        auto flipped = whole;
        flipped[bit / 8] ^= std::byte{1} << bit % 8;
        write_file(file, flipped);
        EXPECT_THROW(restore_checkpoint(folder.path(), target), ParseError) << file << " " << bit;
      }
      write_file(file, whole);
      EXPECT_EQ(to_bytes(restore_checkpoint(folder.path(), target)), to_bytes(tree));
    }
  }
}

TEST(checkpoint, a_damaged_one_is_refused_with_the_reason_or_skipped) {
  const TemporaryFolder folder;
  const std::string dir = folder.path();
  save_checkpoint(dir, state_of(1), 1, {.keep = 2});
  save_checkpoint(dir, state_of(2), 2, {.keep = 2});
  write_file(dir + "/checkpoint_2", bytes_of_hex("80"));
  std::string hint;
  EXPECT_EQ(testing::error_of([&] { restore_checkpoint(dir, blank()); }, &hint),
            "ParseError: restore_checkpoint: " + dir + "/checkpoint_2 must have the size and CRC-32C that are in " +
                dir + "/.checkpoint_2.sum; got 1 d08b6829.");
  EXPECT_EQ(hint, "the file is damaged, or another program wrote it; without " + dir +
                      "/.checkpoint_2.sum it is read unchecked.");
  CheckpointReport report;
  expect_state(restore_checkpoint(dir, blank(), {.skip_damaged = true}, &report), 1);
  EXPECT_EQ(report.path, dir + "/checkpoint_1");
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_EQ(report.notes[0].rfind(dir + "/checkpoint_2 was skipped: ", 0), 0u);
  write_file(dir + "/checkpoint_1", {});
  std::string last;
  try {
    restore_checkpoint(dir, blank(), {.skip_damaged = true});
  } catch (const ParseError& e) {
    last = e.what();
  }
  EXPECT_NE(last.find(dir + "/checkpoint_1 must have"), std::string::npos) << last;
  EXPECT_NE(last.find(dir + "/checkpoint_2 was skipped: "), std::string::npos) << last;
}

TEST(checkpoint, what_was_skipped_is_replaced_by_the_next_save) {
  const TemporaryFolder folder;
  const std::string dir = folder.path();
  for (const std::int64_t step : {1, 2, 9}) save_checkpoint(dir, state_of(step), step, {.keep = 3});
  for (const char* name : {"/checkpoint_2", "/checkpoint_9"}) write_file(dir + name, bytes_of_hex("80"));
  expect_state(restore_checkpoint(dir, blank(), {.skip_damaged = true}), 1);
  // Only from the first damaged one on is there room.
  EXPECT_THROW(save_checkpoint(dir, state_of(1), 1), ValueError);
  save_checkpoint(dir, state_of(2), 2, {.keep = 3});
  EXPECT_EQ(steps_in(dir), (std::vector<double>{1, 2}));
  CheckpointReport report;
  expect_state(restore_checkpoint(dir, blank(), {}, &report), 2);
  EXPECT_TRUE(report.checked);
}

TEST(checkpoint, one_that_cannot_be_read_is_skipped_too_and_not_replaced) {
  const TemporaryFolder folder;
  const std::string dir = folder.path();
  save_checkpoint(dir, state_of(1), 1);
  // A regular file whose first byte cannot be read.
  std::filesystem::create_symlink("/proc/self/mem", dir + "/checkpoint_2");
  EXPECT_THROW(restore_checkpoint(dir, blank()), BackendError);
  CheckpointReport report;
  expect_state(restore_checkpoint(dir, blank(), {.skip_damaged = true}, &report), 1);
  EXPECT_EQ(report.notes.size(), 1u);
  EXPECT_THROW(save_checkpoint(dir, state_of(2), 2), ValueError);
}

TEST(checkpoint, foreign_files_without_a_sum_are_read_and_that_is_said) {
  const TemporaryFolder folder;
  // flax.training.checkpoints.save_checkpoint(dir, {'a': np.array([1, 2, 3], np.int32)}, 12): its file is to_bytes
  // alone.
  write_file(folder / "checkpoint_12", bytes_of_hex("81a161c71701939103a5696e743332c40c010000000200000003000000"));
  CheckpointReport report;
  const std::map<std::string, Array> target{{"a", np::zeros({3}, i32)}};
  EXPECT_EQ(restore_checkpoint(folder.path(), target, {}, &report).at("a").to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{1, 2, 3}));
  EXPECT_FALSE(report.checked);
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_EQ(report.notes[0], folder / "checkpoint_12" + " has no sum beside it; only its structure was checked.");
  write_safetensors(folder / "model.safetensors", {{{"a", np::arange(3)}}, {{"format", "pt"}}});
  EXPECT_EQ(restore_checkpoint(folder / "model.safetensors", target).at("a").to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{0, 1, 2}));
  write_file(folder / "text", bytes_of_hex("68656c6c6f"));
  EXPECT_EQ(message_of<ParseError>([&] { restore_checkpoint(folder / "text", target); }),
            "restore_checkpoint: " + folder / "text" + " must end with its value; got 4 bytes more at byte 1.");
}

TEST(checkpoint, all_differences_from_the_target_are_listed_with_the_file) {
  const TemporaryFolder folder;
  const std::string path = save_checkpoint(folder.path(), state_of(1), 1);
  struct Other {
    Array step;
    std::map<std::string, Array> params;
    std::optional<Array> moments;
  };
  EXPECT_EQ(
      message_of<TreeError>([&] {
        restore_checkpoint(
            folder.path(),
            Other{np::zeros({}, i64), {{"Dense_0/kernel", np::zeros({50})}, {"Dense_1/kernel", np::zeros({2})}}, {}});
      }),
      "restore_checkpoint: " + path +
          " must have the leaves of the target; got 8 differences:\n"
          "  missing params/Dense_1/kernel, f32[2]\n"
          "  extra moments/0, f32[50]\n"
          "  extra moments/1, f32[50]\n"
          "  extra params/Dense_0/bias, bf16[50]\n"
          "  extra position/batch, the integer 2\n"
          "  extra position/epoch, the integer 1\n"
          "  extra position/fingerprint, the integer 0\n"
          "  mismatched step, i32[] for i64[].");
  const Other some =
      restore_checkpoint(folder.path(), Other{np::zeros({}, i64), {{"Dense_0/kernel", np::zeros({50})}}, {}},
                         {.leaves = {.allow_extra = true, .dtype = RestoreDType::kTarget}});
  EXPECT_EQ(some.step.item<std::int64_t>(), 1);
}

TEST(checkpoint, what_killed_programs_left_behind_is_removed_and_never_read) {
  const TemporaryFolder folder;
  const std::vector<std::byte> half(3);
  write_file(folder / ".checkpoint_8.77.0.part", half);
  write_file(folder / ".checkpoint_8.1.0.part", {});
  write_file(folder / "..checkpoint_500.sum.1.1.part", half);
  write_file(folder / ".checkpoint_9.sum", half);
  write_file(folder / ".other_9.sum", half);
  EXPECT_EQ(latest_checkpoint(folder.path()), std::nullopt);
  save_checkpoint(folder.path(), state_of(1), 1);
  EXPECT_EQ(names_in(folder.path()), (std::vector<std::string>{".checkpoint_1.sum", ".other_9.sum", "checkpoint_1"}));
}

TEST(checkpoint, between_the_steps_of_an_overwrite_old_and_new_content_fit_the_sum) {
  const TemporaryFolder folder;
  const std::string path = save_checkpoint(folder.path(), state_of(1), 1), sum = folder / ".checkpoint_1.sum";
  const auto old_content = read_file(path), old_sum = read_file(sum);
  save_checkpoint(folder.path(), state_of(2), 1, {.overwrite = true});
  const auto new_sum = read_file(sum);
  std::vector<std::byte> both = new_sum;
  both.insert(both.end(), old_sum.begin() + 23, old_sum.end());
  write_file(sum, both);
  expect_state(restore_checkpoint(folder.path(), blank()), 2);
  write_file(path, old_content);
  expect_state(restore_checkpoint(folder.path(), blank()), 1);
}

TEST(async_checkpointer, saves_in_order_while_the_program_goes_on) {
  const TemporaryFolder folder;
  {
    AsyncCheckpointer saver;
    for (std::int64_t step = 1; step <= 6; ++step) saver.save(folder.path(), state_of(step), step, {.keep = 2});
    saver.wait();
    EXPECT_EQ(steps_in(folder.path()), (std::vector<double>{5, 6}));
    saver.save(folder.path(), state_of(7), 7, {.keep = 2});
  }
  EXPECT_EQ(steps_in(folder.path()), (std::vector<double>{6, 7}));
  expect_state(restore_checkpoint(folder.path(), blank()), 7);
}

TEST(async_checkpointer, the_tree_is_that_of_the_call) {
  const TemporaryFolder folder;
  AsyncCheckpointer saver;
  SavedState state = state_of(1, 100000);
  saver.save(folder.path(), state, 1);
  state = state_of(2, 100000);
  saver.wait();
  expect_state(restore_checkpoint(folder.path(), blank(100000)), 1, 100000);
}

TEST(async_checkpointer, errors_come_with_the_next_call) {
  const TemporaryFolder folder;
  AsyncCheckpointer saver;
  write_file(folder / "file", {});
  EXPECT_THROW(saver.save(folder / "file", state_of(1), 1), BackendError);  // no folder
  std::filesystem::create_symlink("/nonexistent/x", folder / "dangling");
  saver.save(folder / "dangling/run", state_of(1), 1);
  EXPECT_THROW(saver.wait(), BackendError);
  saver.wait();  // once
  saver.save(folder / "dangling/run", state_of(1), 1);
  EXPECT_THROW(saver.save(folder / "good", state_of(1), 1), BackendError);  // of the one before: this one is saved
  saver.wait();
  expect_state(restore_checkpoint(folder / "good", blank()), 1);
}

TEST(async_checkpointer, an_error_that_nobody_asks_for_is_told) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("/nonexistent/x", folder / "dangling");
  ::testing::internal::CaptureStderr();
  {
    AsyncCheckpointer().save(folder / "dangling/run", state_of(1), 1);
  }
  EXPECT_TRUE(::testing::internal::GetCapturedStderr().starts_with("a checkpoint was not saved: save_checkpoint: "));
}

// ---- killed at any moment ----

constexpr const char* kKilledFolder = "WEFT_TEST_CHECKPOINT_FOLDER";
constexpr const char* kKilledAsync = "WEFT_TEST_CHECKPOINT_ASYNC";
constexpr std::int64_t kKilledSize = 40000;

// Run by the next tests in a process of its own: saves as fast as it can, and tells each complete save by a line.
TEST(checkpoint, DISABLED_saver_that_is_killed) {
  const char* folder = std::getenv(kKilledFolder);
  if (folder == nullptr) return;
  const bool in_the_background = std::getenv(kKilledAsync) != nullptr;
  AsyncCheckpointer saver;
  // The state's step, not the file's: a save that replaced another is behind, too.
  const std::int64_t begin =
      latest_checkpoint(folder) ? restore_checkpoint(folder, blank(kKilledSize)).step.item<std::int32_t>() : 0;
  const CheckpointFormat formats[] = {CheckpointFormat::kMsgpack, CheckpointFormat::kSafetensors};
  for (std::int64_t step = begin + 1;; ++step) {
    // Every third save replaces the one before.
    const bool again = step % 3 == 0;
    const CheckpointOptions options{.keep = 2, .overwrite = again, .format = formats[step / 4 % 2]};
    if (in_the_background)
      saver.save(folder, state_of(step, kKilledSize), again ? step - 1 : step, options);
    else
      save_checkpoint(folder, state_of(step, kKilledSize), again ? step - 1 : step, options);
    // In the background the one before is complete now.
    const std::int64_t complete = in_the_background ? step - 1 : step;
    if (complete > begin && dprintf(STDOUT_FILENO, "\nsaved %lld\n", static_cast<long long>(complete)) < 0) return;
  }
}

void kill_savers(bool in_the_background) {
  const TemporaryFolder folder;
  std::minstd_rand random(7);
  std::int64_t last = 0;
  for (int round = 0; round < 25; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      setenv(kKilledFolder, folder.path().c_str(), 1);
      if (in_the_background) setenv(kKilledAsync, "1", 1);
      setenv("WEFT_NUM_THREADS", "1", 1);
      execl("/proc/self/exe", "saver", "--gtest_filter=checkpoint.DISABLED_saver_that_is_killed",
            "--gtest_also_run_disabled_tests", "--gtest_print_time=0", "--gtest_brief=1", nullptr);
      _exit(9);
    }
    close(ends[1]);
    std::string told;
    const auto hear = [&] {
      char buffer[4096];
      const ssize_t n = read(ends[0], buffer, sizeof buffer);
      if (n > 0) told.append(buffer, static_cast<std::size_t>(n));
      return n > 0;
    };
    // However slow the machine is, there is a save; the next one is under way, or those after it, when it is killed.
    while (told.find("saved") == std::string::npos && hear()) {
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 50000));
    kill(child, SIGKILL);
    while (hear()) {
    }
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << told;
    const auto line = told.rfind("\nsaved ");
    ASSERT_NE(line, std::string::npos);
    const std::int64_t complete = std::atoll(told.c_str() + line + 7);

    CheckpointReport report;
    const SavedState got = restore_checkpoint(folder.path(), blank(kKilledSize), {}, &report);
    const std::int64_t step = got.step.item<std::int32_t>();
    // The newest that was complete, or the one after it whose completion it could not tell any more; in the background
    // that may have been two.
    EXPECT_GE(step, complete);
    EXPECT_LE(step, complete + (in_the_background ? 2 : 1));
    EXPECT_TRUE(report.checked);
    expect_state(got, step, kKilledSize);
    last = step;
  }
  EXPECT_GE(last, 25);
}

TEST(checkpoint, a_program_killed_at_any_moment_finds_its_last_complete_checkpoint) { kill_savers(false); }
TEST(async_checkpointer, a_program_killed_at_any_moment_finds_its_last_complete_checkpoint) { kill_savers(true); }

}  // namespace
}  // namespace weft::train
