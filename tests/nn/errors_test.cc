// Every class of libs/nn/errors.h has a section in docs/nn/errors.md with an example that throws it, and every section
// is of such a class. What the page says is checked where all documentation is: by running it.
#include "nn/errors.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include "harness/files.h"

namespace weft::nn {
namespace {

const std::filesystem::path kRoot = std::filesystem::path(WEFT_TEST_FOLDER) / "..";

// What a regular expression's first group matches in a text, each once.
std::set<std::string> all_matches(const std::string& text, const std::string& expression) {
  const std::regex regex(expression);
  std::set<std::string> r;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) r.insert((*it)[1]);
  return r;
}

std::set<std::string> error_classes() {
  return all_matches(weft::testing::read_file(kRoot / "libs/nn/errors.h"), "\nWEFT_NN_ERROR\\((\\w+)\\);");
}
std::string page() { return weft::testing::read_file(kRoot / "docs/nn/errors.md"); }

TEST(nn_errors, every_class_has_a_section_and_every_section_is_of_classes) {
  const std::set<std::string> classes = error_classes();
  ASSERT_TRUE(classes.contains("ParamNotFoundError") && classes.contains("SowError"))
      << "errors.h reads otherwise than expected";
  std::set<std::string> sections;
  for (const std::string& heading : all_matches(page(), "\n## ([^\n]+)\n"))
    for (const std::string& name : all_matches(heading, "([^, ]+)")) sections.insert(name);
  EXPECT_EQ(sections, classes);
}

TEST(nn_errors, every_class_has_an_example_that_throws_it) {
  EXPECT_EQ(all_matches(page(), "\n```cpp throws=nn::(\\w+)\n"), error_classes());
}

TEST(nn_errors, kinds_are_the_names_of_the_classes) {
  EXPECT_EQ(ParamNotFoundError("x").kind(), "nn::ParamNotFoundError");
  EXPECT_EQ(SowError("x").kind(), "nn::SowError");
}

}  // namespace
}  // namespace weft::nn
