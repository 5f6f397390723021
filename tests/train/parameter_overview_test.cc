#include "train/parameter_overview.h"

#include <gtest/gtest.h>

#include <map>

#include "weft/np/np.h"

namespace weft::train {
namespace {

std::map<std::string, Array> dense_parameters() {
  return {{"Dense_0/kernel", Array::from_vector(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3})},
          {"Dense_0/bias", np::zeros({3})},
          {"scale", Array(bfloat16(-0.5f))},
          {"embedding", np::full({1000, 4}, 123.456f)}};
}

TEST(parameter_overview, the_table_has_a_row_for_each_array_and_totals) {
  EXPECT_EQ(parameter_overview(dense_parameters()),
            "+----------------+-----------+----------+-------+----------+------+\n"
            "| Name           | Shape     | Dtype    | Size  | Mean     | Std  |\n"
            "+----------------+-----------+----------+-------+----------+------+\n"
            "| Dense_0/bias   | (3,)      | float32  | 3     | 0.0      | 0.0  |\n"
            "| Dense_0/kernel | (2, 3)    | float32  | 6     | 3.5      | 1.71 |\n"
            "| embedding      | (1000, 4) | float32  | 4,000 | 1.23e+02 | 0.0  |\n"
            "| scale          | ()        | bfloat16 | 1     | -0.5     | 0.0  |\n"
            "+----------------+-----------+----------+-------+----------+------+\n"
            "Total: 4,010 -- 16,038 bytes");
  EXPECT_EQ(count_parameters(dense_parameters()), 4010);
}

TEST(parameter_overview, without_statistics_and_with_few_lines_it_is_shorter) {
  EXPECT_EQ(parameter_overview(dense_parameters(), {.stats = false, .max_lines = 7}),
            "+----------------+-----------+----------+-------+\n"
            "| Name           | Shape     | Dtype    | Size  |\n"
            "+----------------+-----------+----------+-------+\n"
            "| Dense_0/bias   | (3,)      | float32  | 3     |\n"
            "[...]\n"
            "+----------------+-----------+----------+-------+\n"
            "Total: 4,010 -- 16,038 bytes");
}

TEST(parameter_overview, empty_trees_absent_leaves_and_static_values_have_no_rows) {
  const std::pair<Array, int> nothing{Array(), 3};
  EXPECT_EQ(parameter_overview(nothing, {.stats = false}),
            "+------+-------+-------+------+\n"
            "| Name | Shape | Dtype | Size |\n"
            "+------+-------+-------+------+\n"
            "+------+-------+-------+------+\n"
            "Total: 0 -- 0 bytes");
}

// The texts that Python gives with format(v, ".3").
TEST(parameter_overview, numbers_have_three_digits_as_pythons) {
  const auto mean_of = [](double v) {
    const std::string text = parameter_overview(std::vector<Array>{Array(v)});
    const auto row = text.substr(text.find("| 0 "));
    auto end = row.size();
    std::size_t begin = 0;
    for (int column = 0; column < 5; ++column) begin = row.find("| ", begin) + 2;
    end = row.find(' ', begin);
    return row.substr(begin, end - begin);
  };
  EXPECT_EQ(mean_of(1), "1.0");
  EXPECT_EQ(mean_of(10), "10.0");
  EXPECT_EQ(mean_of(99.96), "1e+02");
  EXPECT_EQ(mean_of(12.345), "12.3");
  EXPECT_EQ(mean_of(-0.00012345), "-0.000123");
  EXPECT_EQ(mean_of(0.000012345), "1.23e-05");
  EXPECT_EQ(mean_of(123456), "1.23e+05");
  EXPECT_EQ(mean_of(1.0 / 3), "0.333");
}

}  // namespace
}  // namespace weft::train
