// The conformance programs of the StableHLO project, from WEFT_CONFORMANCE_DIR: skipped, and said so, without it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "harness/files.h"
#include "weft/base/error.h"
#include "weft/stablehlo/check.h"
#include "weft/stablehlo/syntax.h"

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

TEST(conformance, every_program_comes_back_from_its_text_in_both_forms) {
  const auto paths = programs();
  if (paths.empty()) GTEST_SKIP() << "WEFT_CONFORMANCE_DIR names no folder of programs";
  for (const auto& path : paths) {
    SCOPED_TRACE(path.string());
    try {
      for (const Module& m : parse_all(testing::read_file(path), path.filename().string()))
        for (const Form form : {Form::kPretty, Form::kGeneric}) {
          const std::string text = print(m, form);
          EXPECT_TRUE(parse(text, "printed") == m);
        }
    } catch (const Error& e) {
      ADD_FAILURE() << e.what();
    }
  }
}

TEST(conformance, every_program_passes_its_own_checks) {
  const auto paths = programs();
  if (paths.empty()) GTEST_SKIP() << "WEFT_CONFORMANCE_DIR names no folder of programs";
  int checks = 0;
  for (const auto& path : paths) {
    try {
      for (const Module& m : parse_all(testing::read_file(path), path.filename().string()))
        for (const CheckReport& r : run_checks(m)) {
          EXPECT_EQ(r.outcome, CheckReport::Outcome::kPassed) << path << " @" << r.name << ": " << r.reason;
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
