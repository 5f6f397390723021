// What samples do not show of top_k: long rows, and the texts of errors.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/errors.h"
#include "weft/ops/lax.h"

namespace weft {
namespace {

using testing::error_of;

TEST(top_k, of_a_long_row_with_many_ties_is_a_stable_sort) {
  std::vector<int> values;
  for (int i = 0; i < 5000; ++i) values.push_back(i * 7919 % 101);
  const auto [y, at] = lax::top_k(Array(values), 1000);
  std::vector<int> order;
  for (int i = 0; i < 5000; ++i) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](int i, int j) {
    return values[static_cast<std::size_t>(i)] > values[static_cast<std::size_t>(j)];
  });
  order.resize(1000);
  EXPECT_EQ(at.to_vector<int>(), order);
  std::vector<int> want;
  for (const int i : order) want.push_back(values[static_cast<std::size_t>(i)]);
  EXPECT_EQ(y.to_vector<int>(), want);
}

TEST(top_k, mistakes_have_texts) {
  EXPECT_EQ(error_of([] { lax::top_k(Array::full(Dims{}, f32, 0.0), 1); }),
            "ShapeError: top_k: the operand must have an axis; got f32[].");
  EXPECT_EQ(error_of([] { lax::top_k(Array::full(Dims{2, 3}, f32, 0.0), 4); }),
            "ValueError: top_k: k must be in [0, 3], the size of the last axis; got 4 for f32[2,3].");
  EXPECT_EQ(error_of([] { lax::top_k(Array::full(Dims{2, 3}, f32, 0.0), -1); }),
            "ValueError: top_k: k must be in [0, 3], the size of the last axis; got -1 for f32[2,3].");
  EXPECT_EQ(error_of([] { lax::top_k(Array::full(Dims{2}, c64, 0.0), 1); }),
            "DTypeError: top_k: the operand must be bool, integer or float; got c64[2].");
}

}  // namespace
}  // namespace weft
