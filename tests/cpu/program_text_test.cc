// What the compiler makes of small programs, as text: tests/cpu/programs/*.txt hold a program, a line of dashes, and
// the statements that it becomes. WEFT_REFRESH_GOLDEN=1 writes them anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "weft/compiler/procedure.h"
#include "weft/cpu/target.h"
#include "weft/ir/parse.h"

namespace weft::cpu {
namespace {

constexpr std::string_view kLine = "----\n";

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> all;
  for (const auto& entry : std::filesystem::directory_iterator(WEFT_TEST_FOLDER "/cpu/programs"))
    if (entry.path().extension() == ".txt") all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  return all;
}

class program_text : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(program_text, is_as_written_down) {
  const std::string text = read(GetParam());
  const std::size_t line = text.find(kLine);
  const std::string source = text.substr(0, line);
  const auto evaluate = [](OpCode op, const ir::ParamsBase* params, std::span<const TensorView> in,
                           std::span<const MutableTensorView> out) { ir::evaluate(op, params, in, out); };
  const compiler::Program program = compiler::make_program(ir::parse(source), kCpuTarget, evaluate);
  const std::string now = program.str();
  if (std::getenv("WEFT_REFRESH_GOLDEN")) {
    std::ofstream(GetParam()) << source << kLine << now;
    return;
  }
  ASSERT_NE(line, std::string::npos) << "no expected text";
  EXPECT_EQ(now, text.substr(line + kLine.size()));
}

INSTANTIATE_TEST_SUITE_P(programs, program_text, testing::ValuesIn(files()),
                         [](const auto& info) { return info.param.stem().string(); });

}  // namespace
}  // namespace weft::cpu
