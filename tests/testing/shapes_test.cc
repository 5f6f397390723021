#include "testing/shapes.h"

#include <gtest/gtest.h>

#include "testing/assertion.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

Array x23() { return np::ones({2, 3}); }
Array x43() { return np::ones({4, 3}); }
Array scalar() { return 1.0f; }

TEST(shape_matcher, matches_sizes_wildcards_and_options) {
  const auto matches = [](const ShapeMatcher& m, const Shape& s) { return m.matches(s.dims()); };
  EXPECT_TRUE(matches({}, {}));
  EXPECT_FALSE(matches({}, {1}));
  EXPECT_TRUE(matches({2, 3}, {2, 3}));
  EXPECT_FALSE(matches({2, 3}, {3, 2}));
  EXPECT_FALSE(matches({2, 3}, {2, 3, 1}));
  EXPECT_TRUE(matches({2, std::nullopt}, {2, 7}));
  EXPECT_FALSE(matches({2, std::nullopt}, {2}));
  EXPECT_TRUE(matches({2, {1, 3}}, {2, 1}));
  EXPECT_FALSE(matches({2, {1, 3}}, {2, 2}));
  EXPECT_TRUE(matches({2, ellipsis}, {2}));
  EXPECT_TRUE(matches({2, ellipsis}, {2, 5, 6}));
  EXPECT_FALSE(matches({2, ellipsis}, {3, 5, 6}));
  EXPECT_TRUE(matches({ellipsis, 6}, {2, 5, 6}));
  EXPECT_TRUE(matches({2, ellipsis, std::nullopt, 6}, {2, 5, 6}));
  EXPECT_FALSE(matches({2, ellipsis, std::nullopt, 6}, {2, 6}));
  EXPECT_TRUE(matches({ellipsis}, {}));
  EXPECT_TRUE(matches(x23().shape(), {2, 3}));
  EXPECT_TRUE(matches(std::vector<int>{2, 3}, {2, 3}));
  EXPECT_EQ(ShapeMatcher({2, {1, 3}, std::nullopt, ellipsis}).str(), "[2,{1,3},*,...]");
  EXPECT_EQ(error_of([] { ShapeMatcher({ellipsis, 2, ellipsis}); }),
            "ValueError: ShapeMatcher: there must be at most one ellipsis; got 2 in [...,2,...].");
}

TEST(assert_shape, takes_one_array_or_several) {
  assert_shape(x23(), {2, 3});
  assert_shape(x23(), x23().shape());
  assert_shape(scalar(), {});
  assert_shape(3.5, {});
  assert_shape({x23(), x43()}, {{2, 4}, 3});
  assert_shape(std::vector<Array>{x23(), x23()}, {2, ellipsis});
  EXPECT_EQ(error_of([] { assert_shape(x23(), {2, {1, 2}}); }),
            kError + "assert_shape: the array must have shape [2,{1,2}]; got f32[2,3].");
  EXPECT_EQ(
      error_of([] { assert_shape({x23(), x43(), scalar()}, {4, ellipsis}); }),
      kError + "assert_shape: every array must have shape [4,...]; got f32[2,3] as array 0 and f32[] as array 2.");
  EXPECT_EQ(error_of([] { assert_shape(Array(), {}); }),
            kError + "assert_shape: the array must have shape []; got none.");
}

TEST(assert_shapes, takes_a_shape_for_each) {
  assert_shapes({scalar(), x23()}, {{}, {2, 3}});
  EXPECT_EQ(error_of([] { assert_shapes({scalar(), x23()}, {{}, {3, 2}}); }),
            kError + "assert_shapes: each array must have its shape; got f32[2,3] as array 1, which must have [3,2].");
  EXPECT_EQ(error_of([] { assert_shapes({scalar(), x23()}, {{}}); }),
            kError + "assert_shapes: there must be a shape for each array; got 2 arrays and 1.");
}

TEST(assert_rank, takes_ranks_and_options) {
  assert_rank(x23(), 2);
  assert_rank({x23(), scalar()}, {0, 2});
  assert_ranks({scalar(), x23()}, {0, {1, 2}});
  EXPECT_EQ(error_of([] { assert_rank(x23(), {0, 1}); }),
            kError + "assert_rank: the array must have rank {0,1}; got f32[2,3].");
  EXPECT_EQ(error_of([] { assert_rank({x23(), scalar()}, 2); }),
            kError + "assert_rank: every array must have rank 2; got f32[] as array 1.");
  EXPECT_EQ(error_of([] { assert_ranks({scalar(), x23()}, {0, 1}); }),
            kError + "assert_ranks: each array must have its rank; got f32[2,3] as array 1, which must have 1.");
}

TEST(assert_size, takes_sizes_and_options) {
  assert_size(x23(), 6);
  assert_size({x23(), scalar()}, {1, 6});
  EXPECT_EQ(error_of([] { assert_size(x23(), 5); }), kError + "assert_size: the array must have size 5; got f32[2,3].");
}

TEST(assert_equal_shape, compares_all_or_some_axes) {
  assert_equal_shape({x23(), x23(), x23()});
  assert_equal_shape({x23(), x43()}, 1);
  assert_equal_shape({x23(), x43()}, {-1});
  assert_equal_shape(x23());
  EXPECT_EQ(error_of([] { assert_equal_shape({x23(), x23(), x43()}); }),
            kError + "assert_equal_shape: arrays must have equal shapes; got f32[2,3], f32[2,3] and f32[4,3].");
  EXPECT_EQ(error_of([] { assert_equal_shape({x23(), x43()}, {1, 0}); }),
            kError + "assert_equal_shape: arrays must have equal sizes along axes [1,0]; got f32[2,3] and f32[4,3].");
  EXPECT_EQ(error_of([] { assert_equal_shape({x23(), Array()}); }),
            kError + "assert_equal_shape: arrays must have equal shapes; got f32[2,3] and none.");
  EXPECT_EQ(error_of([] { assert_equal_shape({x23(), scalar()}, 1); }).substr(0, 10), "IndexError");
}

TEST(assert_equal_shape, of_prefix_and_suffix_slices_as_python) {
  const Array a = np::ones({2, 3, 4}), b = np::ones({2, 3, 5}), c = np::ones({7, 3, 4});
  assert_equal_shape_prefix({a, b}, 2);
  assert_equal_shape_prefix({a, b}, -1);
  assert_equal_shape_prefix({a, c}, 0);
  assert_equal_shape_suffix({a, c}, 2);
  assert_equal_shape_suffix({a, c}, -1);
  assert_equal_shape_prefix({a, a}, 9);
  EXPECT_EQ(error_of([&] { assert_equal_shape_prefix({a, b}, 3); }),
            kError + "assert_equal_shape_prefix: shapes must agree up to axis 3; got f32[2,3,4] and f32[2,3,5].");
  EXPECT_EQ(error_of([&] { assert_equal_shape_suffix({a, b}, 1); }),
            kError + "assert_equal_shape_suffix: shapes must agree from axis -1; got f32[2,3,4] and f32[2,3,5].");
}

TEST(assert_equal_rank, compares_ranks) {
  assert_equal_rank({x23(), x43()});
  assert_equal_size({x23(), np::ones({6})});
  EXPECT_EQ(error_of([] { assert_equal_rank({x23(), scalar()}); }),
            kError + "assert_equal_rank: arrays must have equal ranks; got f32[2,3] and f32[].");
  EXPECT_EQ(error_of([] { assert_equal_size({x23(), x43()}); }),
            kError + "assert_equal_size: arrays must have equal sizes; got f32[2,3] and f32[4,3].");
}

TEST(assert_is_broadcastable, goes_one_way) {
  assert_is_broadcastable({3}, {2, 3});
  assert_is_broadcastable({2, 1}, {2, 3});
  assert_is_broadcastable({}, {2, 3});
  EXPECT_EQ(error_of([] { assert_is_broadcastable({2, 3}, {2, 1}); }),
            kError + "assert_is_broadcastable: the first shape must broadcast to the second; got [2,3] and [2,1].");
  EXPECT_EQ(error_of([] { assert_is_broadcastable({1, 2, 3}, {2, 3}); }),
            kError + "assert_is_broadcastable: the first shape must broadcast to the second; got [1,2,3] and [2,3].");
}

TEST(assert_axis_dimension, compares_one_size) {
  assert_axis_dimension(x23(), 1, 3);
  assert_axis_dimension(x23(), -1, 3);
  assert_axis_dimension_gt(x23(), 1, 2);
  assert_axis_dimension_gteq(x23(), 1, 3);
  assert_axis_dimension_lt(x23(), 1, 4);
  assert_axis_dimension_lteq(x23(), 1, 3);
  assert_axis_dimension_comparator(x23(), 0, [](std::int64_t n) { return n % 2 == 0; }, "an even size");
  EXPECT_EQ(error_of([] { assert_axis_dimension(x23(), 1, 4); }),
            kError + "assert_axis_dimension: axis 1 must have size 4; got f32[2,3].");
  EXPECT_EQ(error_of([] { assert_axis_dimension(x23(), 2, 4); }),
            kError + "assert_axis_dimension: axis 2 must have size 4; got f32[2,3].");
  EXPECT_EQ(error_of([] { assert_axis_dimension_gt(x23(), -1, 3); }),
            kError + "assert_axis_dimension_gt: axis -1 must have a size greater than 3; got f32[2,3].");
  EXPECT_EQ(error_of([] { assert_axis_dimension_gteq(x23(), 0, 3); }),
            kError + "assert_axis_dimension_gteq: axis 0 must have a size of at least 3; got f32[2,3].");
  EXPECT_EQ(error_of([] { assert_axis_dimension_lt(x23(), 0, 2); }),
            kError + "assert_axis_dimension_lt: axis 0 must have a size less than 2; got f32[2,3].");
  EXPECT_EQ(error_of([] { assert_axis_dimension_lteq(x23(), 1, 2); }),
            kError + "assert_axis_dimension_lteq: axis 1 must have a size of at most 2; got f32[2,3].");
  EXPECT_EQ(error_of([] {
              assert_axis_dimension_comparator(x23(), 1, [](std::int64_t n) { return n % 2 == 0; }, "an even size");
            }),
            kError + "assert_axis_dimension_comparator: axis 1 must have an even size; got f32[2,3].");
}

TEST(shape_assertions, work_while_a_function_is_traced) {
  const auto f = [](Array x) {
    assert_shape(x, {std::nullopt});
    assert_rank(x, 1);
    assert_axis_dimension(x, 0, 3);
    return np::sum(x);
  };
  EXPECT_NO_THROW(jit(f)(np::ones({3})));
  EXPECT_NO_THROW(grad(f)(np::ones({3})));
  EXPECT_NO_THROW(vmap(f)(np::ones({2, 3})));  // one example
  EXPECT_THROW(jit(f)(np::ones({2})), AssertionError);
  EXPECT_THROW(jit(vmap(grad(f)))(np::ones({2, 2})), AssertionError);
  EXPECT_THROW(eval_shape(f, abstract(f32, {3, 3})), AssertionError);
}

}  // namespace
}  // namespace weft::testing
