// Every class of base/error.h has a page in docs/errors/, which the list of pages names, and a test file beside this
// one. What the pages say is
// checked where all documentation is: by running it.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include "harness/files.h"

namespace weft::errors {
namespace {

const std::filesystem::path kRoot = std::filesystem::path(WEFT_TEST_FOLDER).parent_path();

std::set<std::string> error_classes() {
  const std::string header = testing::read_file(kRoot / "src/weft/base/error.h");
  const std::regex declaration("\nWEFT_ERROR_CLASS\\((\\w+)\\);");
  std::set<std::string> names;
  for (std::sregex_iterator it(header.begin(), header.end(), declaration), end; it != end; ++it) names.insert((*it)[1]);
  return names;
}

TEST(error_pages, every_class_has_a_page_with_an_example_and_a_line_in_the_list) {
  const std::set<std::string> names = error_classes();
  ASSERT_TRUE(names.count("ShapeError") && names.count("InternalError")) << "error.h reads otherwise than expected";
  const std::string list = testing::read_file(kRoot / "docs/errors/README.md");
  for (const std::string& name : names) {
    const std::string page = testing::read_file(kRoot / "docs/errors" / (name + ".md"));
    EXPECT_EQ(page.substr(0, page.find('\n')), "# " + name) << "docs/errors/" << name << ".md";
    EXPECT_NE(list.find("| [" + name + "](" + name + ".md) |"), std::string::npos)
        << name << " in docs/errors/README.md";
    // A class that nothing throws yet says so instead of showing how.
    EXPECT_TRUE(page.find("```cpp throws=" + name + "\n") != std::string::npos ||
                page.find("nothing throws it") != std::string::npos)
        << "docs/errors/" << name << ".md has no example that throws it";
  }
}

// "NonFiniteError" and "non_finite_test.cc" have this in common: "nonfinite".
std::string bare(std::string name, const std::string& end) {
  if (name.size() > end.size() && name.ends_with(end)) name.resize(name.size() - end.size());
  std::string r;
  for (const char c : name)
    if (c != '_') r += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return r;
}

TEST(error_pages, every_class_that_is_thrown_has_a_test_of_its_texts) {
  std::set<std::string> tested;
  for (const auto& entry : std::filesystem::directory_iterator(kRoot / "tests/errors"))
    tested.insert(bare(entry.path().filename(), "_test.cc"));
  for (const std::string& name : error_classes()) {
    const std::string page = testing::read_file(kRoot / "docs/errors" / (name + ".md"));
    if (page.find("nothing throws it") != std::string::npos) continue;
    EXPECT_TRUE(tested.count(bare(name, "Error"))) << "tests/errors has no file for " << name;
  }
}

TEST(error_pages, every_page_is_of_a_class) {
  std::set<std::string> pages;
  for (const auto& entry : std::filesystem::directory_iterator(kRoot / "docs/errors"))
    pages.insert(entry.path().stem());
  EXPECT_EQ(pages.erase("README"), 1u);
  EXPECT_EQ(pages, error_classes());
}

}  // namespace
}  // namespace weft::errors
