#include "testing/params.h"

#include <gtest/gtest.h>

namespace weft::testing {
namespace {

TEST(params_product, is_all_combinations_in_order) {
  const auto all = params_product(std::vector{1, 2}, std::vector<std::string>{"a", "b", "c"});
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all[0], std::tuple(1, std::string("a")));
  EXPECT_EQ(all[1], std::tuple(1, std::string("b")));
  EXPECT_EQ(all[5], std::tuple(2, std::string("c")));
}

TEST(params_product, joins_tuples) {
  const auto all = params_product(std::vector{std::tuple(1, 'x'), std::tuple(2, 'y')}, std::vector{0.5},
                                  std::vector{std::tuple(true)});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1], std::tuple(2, 'y', 0.5, true));
  EXPECT_TRUE(params_product(std::vector{1, 2}, std::vector<int>()).empty());
  EXPECT_EQ(params_product().size(), 1u);
}

TEST(params_product, joins_names) {
  const auto all = named_params_product(std::vector<Named<int>>{{"small", {3}}, {"large", {300}}},
                                        std::vector<Named<double, char>>{{"half", {0.5, 'h'}}});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].first, "small_half");
  EXPECT_EQ(all[1].first, "large_half");
  EXPECT_EQ(all[1].second, std::tuple(300, 0.5, 'h'));
}

}  // namespace
}  // namespace weft::testing
