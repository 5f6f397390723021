// How the tests of this folder pin an error: its class, its whole text, and that nothing else happened.
//
// Texts say `here` for file and line when the line is that of the mistake or just before it, and `there` for other
// lines of the test.
#pragma once

#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "weft/weft.h"

namespace weft::errors {

/// Lines of this test file that `at` closes are called `here`, its others `there`.
inline std::string with_here(const std::string& text, const std::source_location& at) {
  const std::string file = SourceLocation(at.file_name(), 1).str();
  const std::string stem = file.substr(0, file.rfind(':') + 1);
  std::string out;
  std::size_t done = 0;
  for (std::size_t found; (found = text.find(stem, done)) != std::string::npos;) {
    std::size_t end = found + stem.size();
    int line = 0;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') line = 10 * line + (text[end++] - '0');
    const int distance = line - static_cast<int>(at.line());
    out += text.substr(done, found - done);
    // Compilers name the first or the last line of a call that spans several.
    out += distance > -14 && distance < 14 ? "here" : "there";
    done = end;
  }
  return out + text.substr(done);
}

/// `mistake` throws an E with this text, and leaves everything as it was.
template <class E, class F>
void expect_error(F&& mistake, const std::string& expected, std::source_location at = std::source_location::current()) {
  const testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "expected here");
  const auto as_before = [] {
    EXPECT_TRUE(evaluating());
    EXPECT_FALSE(current_location()) << current_location().str();
    EXPECT_EQ(jit(grad([](Array x) { return np::sum(x * x); }))(np::array({1.0f, 2.0f})).template to_vector<float>(),
              (std::vector<float>{2, 4}));
  };
  try {
    mistake();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const E& e) {
    EXPECT_EQ(with_here(e.what(), at), expected);
    EXPECT_STREQ(e.what(), std::string(e.what()).c_str());
    as_before();
  } catch (const std::exception& e) {
    ADD_FAILURE() << "thrown: " << typeid(e).name() << ": " << e.what();
  }
  as_before();
}

}  // namespace weft::errors
