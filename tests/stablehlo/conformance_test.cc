// The conformance programs of the StableHLO project, from WEFT_CONFORMANCE_DIR: skipped, and said so, without it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "weft/base/error.h"
#include "weft/stablehlo/check.h"

namespace weft::stablehlo {
namespace {

std::vector<std::filesystem::path> programs() {
  std::vector<std::filesystem::path> paths;
  const char* folder = std::getenv("WEFT_CONFORMANCE_DIR");
  if (!folder) return paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".mlir") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

TEST(conformance, every_program_comes_back_from_its_text_in_both_forms) {
  const auto paths = programs();
  if (paths.empty()) GTEST_SKIP() << "WEFT_CONFORMANCE_DIR names no folder of programs";
  for (const auto& path : paths) {
    SCOPED_TRACE(path.string());
    try {
      for (const Module& m : parse_all(read_file(path), path.filename().string()))
        for (const Form form : {Form::kPretty, Form::kGeneric}) {
          const std::string text = print(m, form);
          EXPECT_TRUE(parse(text, "printed") == m);
        }
    } catch (const Error& e) {
      ADD_FAILURE() << e.what();
    }
  }
}

// What still fails: each expects the rounding errors of the program that produced it, in f32, closer than they are
// determined. An entry that passes must go.
//   pow, sin: an absolute 1e-3, less than a unit in the last place of results near 1e5 (disabled as inaccurate in the
//   files themselves); triangular_solve: 3 units where the exact solution differs by 40, for the producer multiplied by
//   an inverse that it summed in an order of its own.
const std::set<std::string> kStillFailing = {"pow_complex64_20_30_complex64_20_30.mlir", "sin_complex64_20_20.mlir",
                                             "triangular_solve_float32_2_8_8_float32_2_10_8.mlir"};

TEST(conformance, every_program_passes_its_own_checks) {
  const auto paths = programs();
  if (paths.empty()) GTEST_SKIP() << "WEFT_CONFORMANCE_DIR names no folder of programs";
  int checks = 0;
  for (const auto& path : paths) {
    try {
      for (const Module& m : parse_all(read_file(path), path.filename().string()))
        for (const CheckReport& r : run_checks(m)) {
          const auto expected = kStillFailing.contains(path.filename().string()) ? CheckReport::Outcome::kFailed
                                                                                 : CheckReport::Outcome::kPassed;
          EXPECT_EQ(r.outcome, expected) << path << " @" << r.name << ": " << r.reason;
          checks += r.checks;
        }
    } catch (const Error& e) {
      ADD_FAILURE() << path << ": " << e.what();
    }
  }
  EXPECT_GT(checks, static_cast<int>(paths.size()));
}

}  // namespace
}  // namespace weft::stablehlo
