// Options of the examples as settings of their runs.
#include "flags.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "harness/errors.h"
#include "train/temporary_folder.h"
#include "weft/weft.h"

namespace weft {
namespace {

using testing::error_of;

struct Program {
  CLI::App app{"A program."};
  double rate = 0.1;
  int batch = 128;
  std::int64_t seed = 0;
  std::vector<double> rates = {0.001, 0.3};
  std::string out = "run", data, dtype = "bf16";
  bool exact = false;
  explicit Program(std::vector<std::string> line) {
    app.option_defaults()->always_capture_default();
    app.add_option("--rate", rate)->check(CLI::PositiveNumber);
    app.add_option("-b,--batch", batch);
    app.add_option("--seed", seed);
    app.add_option("--rates", rates)->delimiter(',');
    app.add_option("--out", out);
    app.add_option("--data", data)->check(CLI::ExistingDirectory);
    app.add_option("--dtype", dtype)->check(CLI::IsMember({"bf16", "f32"}));
    app.add_flag("--exact", exact);
    std::ranges::reverse(line);
    app.parse(line);
  }
  train::Settings settings() const { return run_settings(app, {"--out"}); }
};

TEST(flags, given_or_not_a_value_is_the_same_setting) {
  const train::Settings expected = {{"rate", "0.1"}, {"batch", "128"},  {"seed", "0"},     {"rates", "[0.001,0.3]"},
                                    {"data", ""},    {"dtype", "bf16"}, {"exact", "false"}};
  EXPECT_EQ(Program({}).settings(), expected);
  EXPECT_EQ(
      Program({"--rate", "1.0e-1", "-b", "128", "--rates", "1e-3,0.30", "--dtype=bf16", "--exact=false", "--out", "x"})
          .settings(),
      expected);
  EXPECT_EQ(Program({"--rates", "0.00100", "0.3"}).settings(), expected);
  EXPECT_EQ(Program({"--rate", "2.0", "--rates", "5", "--seed", "9007199254740993", "--exact"}).settings(),
            (train::Settings{{"rate", "2"},
                             {"batch", "128"},
                             {"seed", "9007199254740993"},
                             {"rates", "[5]"},
                             {"data", ""},
                             {"dtype", "bf16"},
                             {"exact", "true"}}));
}

TEST(flags, what_was_learned_is_used_with_the_settings_that_it_was_learned_with) {
  const train::TemporaryFolder folder;
  const std::string run = folder / "run", none = folder / "none";
  const Array x = np::ones({2});
  {
    const Program p({"--rate", "2.0", "--rates", "5,6", "--exact", "--dtype", "f32", "--data", "."});
    train::RunFolder begun(run, p.settings());
    begun.restore(x);
    begun.save(x, 1);
  }
  Program p({"--batch", "128"});
  take_settings(p.app, run);
  EXPECT_EQ(p.rate, 2);
  EXPECT_EQ(p.rates, (std::vector<double>{5, 6}));
  EXPECT_TRUE(p.exact);
  EXPECT_EQ(p.dtype, "f32");
  EXPECT_EQ(p.data, ".");
  train::RunFolder(run, p.settings()).learned(x);
  Program other({"--batch", "64"});
  take_settings(other.app, run);
  EXPECT_EQ(error_of([&] { train::RunFolder(run, other.settings()).learned(x); }),
            "ValueError: learned: the run in " + run +
                " must have the settings that it began with; got batch = 64 where it has 128.");
  EXPECT_EQ(error_of([&] { take_settings(other.app, none); }),
            "ValueError: take_settings: " + none + " must have a checkpoint of a run that learned; got none.");
  // The folder of another program, whose option of that name takes other values.
  const std::string foreign = run + "/foreign";
  train::RunFolder theirs(foreign, {{"batch", "drawn"}});
  theirs.restore(x);
  theirs.save(x, 1);
  Program asking({});
  EXPECT_EQ(error_of([&] { take_settings(asking.app, foreign); }),
            "ValueError: take_settings: " + foreign + " must be of a run of this program; got one with batch = drawn.");
}

TEST(flags, examples_must_fill_a_batch) {
  check_fills_batch(128, "digits", 128);
  std::string hint;
  EXPECT_EQ(error_of([&] { check_fills_batch(100, "digits", 128); }, &hint),
            "ValueError: check_fills_batch: there must be digits for a batch; got 100 digits for --batch 128.");
  EXPECT_EQ(hint, "take a smaller --batch, or more digits.");
}

TEST(flags, errors_are_told_and_end_a_program_with_1) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(guarded([] { throw ShapeError("f: must; got."); }), 1);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "ShapeError: f: must; got.\n");
  EXPECT_EQ(guarded([] {}), 0);
}

}  // namespace
}  // namespace weft
