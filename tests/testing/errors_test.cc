#include "testing/errors.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include "harness/files.h"
#include "testing/testing.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

const std::filesystem::path kRoot = std::filesystem::path(WEFT_TEST_FOLDER).parent_path();

// What a regular expression's first group matches in a file of the library, each once.
std::set<std::string> all_matches(const char* file, const std::string& expression) {
  const std::string text = read_file(kRoot / file);
  const std::regex regex(expression);
  std::set<std::string> r;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) r.insert((*it)[1]);
  return r;
}

// What the page says is checked where all documentation is: by running it.
TEST(assertion_error, has_a_section_in_the_documentation_with_an_example_that_throws_it) {
  const auto classes = all_matches("libs/testing/errors.h", "\nclass (\\w+) : public Error");
  EXPECT_EQ(classes, std::set<std::string>{"AssertionError"});
  EXPECT_EQ(all_matches("docs/testing/errors.md", "\n## (\\w+)\n"), classes);
  EXPECT_EQ(all_matches("docs/testing/errors.md", "\n```cpp throws=testing::(\\w+)\n"), classes);
}

TEST(assertion_error, is_an_error_of_weft_with_the_line_of_the_assertion) {
  try {
    assert_rank(np::ones({2}), 2);
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), "testing::AssertionError");
    EXPECT_EQ(std::string(e.what()), "assert_rank: the array must have rank 2; got f32[2].\n  at errors_test.cc:" +
                                         std::to_string(__LINE__ - 5));
    EXPECT_NE(dynamic_cast<const AssertionError*>(&e), nullptr);
  }
}

TEST(assertion_error, tells_where_it_was_traced) {
  const auto f = jit(
      [](Array x) {
        assert_shape(x, {3});
        return x;
      },
      {.name = "f"});
  EXPECT_NO_THROW(f(np::ones({3})));
  try {
    f(np::ones({2}));
    FAIL() << "nothing was thrown";
  } catch (const AssertionError& e) {
    ASSERT_EQ(e.notes().size(), 1u);
    EXPECT_EQ(e.notes()[0].substr(0, 23), "while tracing jit(f) at");
  }
}

TEST(asserts, can_be_turned_off) {
  const auto fail_all = [] {
    const Array x = np::ones({2}), nan = np::array({np::nan, 1.0f});
    assert_shape(x, {3});
    assert_shapes({x}, {});
    assert_rank(x, 2);
    assert_type(x, i32);
    assert_equal_shape({x, np::ones({3})});
    assert_axis_dimension(x, 0, 3);
    assert_is_broadcastable({3}, {2});
    assert_scalar(x);
    assert_scalar_positive(-1);
    assert_is_divisible(3, 2);
    assert_not_both_none(Array(), Array());
    assert_tree_all_finite(nan);
    assert_tree_no_nones(Array());
    assert_tree_shape(x, {3});
    assert_tree_has_only_arrays(std::pair(x, 3));
    assert_trees_all_close(x, np::ones({3}));
    assert_trees_all_close_ulp(x, nan);
    assert_trees_all_equal(x, nan);
    assert_trees_all_equal_dtypes(x, x.astype(f64));
    assert_trees_all_equal_structs(x, std::vector{x});
    check_grads([](Array y) { return lax::stop_gradient(y) * y; }, x);
  };
  disable_asserts();
  EXPECT_NO_THROW(fail_all());
  enable_asserts();
  EXPECT_THROW(fail_all(), AssertionError);
}

}  // namespace
}  // namespace weft::testing
