#include "weft/base/dims.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(dims, product_of_a_scalar_shape_is_one) {
  EXPECT_EQ(product(Dims{}), 1);
  EXPECT_EQ(product(Dims{2, 3, 4}), 24);
  EXPECT_EQ(product(Dims{2, 0, 4}), 0);
}

TEST(dims, row_major_strides_count_elements) {
  EXPECT_EQ(row_major_strides(Dims{2, 3, 4}), (Dims{12, 4, 1}));
  EXPECT_EQ(row_major_strides(Dims{5}), (Dims{1}));
  EXPECT_EQ(row_major_strides(Dims{}), (Dims{}));
}

TEST(dims, equal_only_when_rank_and_sizes_agree) {
  EXPECT_TRUE(same_dims(Dims{2, 3}, Dims{2, 3}));
  EXPECT_FALSE(same_dims(Dims{2, 3}, Dims{3, 2}));
  EXPECT_FALSE(same_dims(Dims{2}, Dims{2, 1}));
  EXPECT_TRUE(same_dims(Dims{}, Dims{}));
}

}  // namespace
}  // namespace weft
