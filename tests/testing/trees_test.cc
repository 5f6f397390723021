#include "testing/trees.h"

#include <gtest/gtest.h>

#include "testing/assertion.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

struct Layer {
  Array w, b;
};
struct Model {
  std::vector<Layer> layers;
  std::map<std::string, Array> heads;
};

Model model() { return {{{np::ones({2, 3}), np::ones({3})}, {np::ones({3, 1}), Array()}}, {{"left", np::ones({2})}}}; }

TEST(assert_trees_all_equal_structs, names_the_first_difference) {
  assert_trees_all_equal_structs(model(), model());
  assert_trees_all_equal_structs(np::ones({2}), 3);
  assert_trees_all_equal_structs(std::vector{Array(1), Array(2)}, std::array{Array(1.5), Array(2.5)});
  Model other = model();
  other.layers[1].b = np::ones({1});
  EXPECT_EQ(error_of([&] { assert_trees_all_equal_structs(model(), other); }),
            kError +
                "assert_trees_all_equal_structs: trees must have equal structure; got none and an array at "
                ".layers[1].b.");
  other = model();
  other.heads["right"] = 1.0f;
  EXPECT_EQ(error_of([&] { assert_trees_all_equal_structs(model(), other); }),
            kError +
                "assert_trees_all_equal_structs: trees must have equal structure; got 1 entry and 2 entries at "
                ".heads.");
  EXPECT_EQ(error_of([&] { assert_trees_all_equal_structs(std::pair(Array(1), 2), std::pair(Array(1), 3)); }),
            kError +
                "assert_trees_all_equal_structs: trees must have equal structure; got the static value 2 and the "
                "static value 3 at [1].");
  try {
    assert_trees_all_equal_structs(Array(1), std::vector{Array(1)});
    FAIL() << "nothing was thrown";
  } catch (const AssertionError& e) {
    EXPECT_EQ(e.location().str(), "trees_test.cc:" + std::to_string(__LINE__ - 3));
  }
}

TEST(assert_trees_all_equal_types, names_all_leaves_that_differ) {
  assert_trees_all_equal_shapes(model(), model());
  assert_trees_all_equal_dtypes(model(), model());
  assert_trees_all_equal_sizes(model(), model());
  assert_trees_all_equal_shapes_and_dtypes(model(), model());
  Model other = model();
  other.layers[0].w = np::ones({3, 2});
  other.heads["left"] = np::ones({4}, f64);
  EXPECT_EQ(error_of([&] { assert_trees_all_equal_shapes(model(), other); }),
            kError +
                "assert_trees_all_equal_shapes: leaves must have equal shapes; got f32[2,3] and f32[3,2] at "
                ".layers[0].w and f32[2] and f64[4] at .heads['left'].");
  EXPECT_EQ(
      error_of([&] { assert_trees_all_equal_dtypes(model(), other); }),
      kError + "assert_trees_all_equal_dtypes: leaves must have equal dtypes; got f32 and f64 at .heads['left'].");
  EXPECT_EQ(error_of([&] { assert_trees_all_equal_sizes(model(), other); }),
            kError +
                "assert_trees_all_equal_sizes: leaves must have equal sizes; got f32[2] and f64[4] at "
                ".heads['left'].");
  EXPECT_EQ(error_of([&] { assert_trees_all_equal_shapes_and_dtypes(Array(1), Array(1.0f)); }),
            kError +
                "assert_trees_all_equal_shapes_and_dtypes: leaves must have equal shapes and dtypes; got i32[] and "
                "f32[].");
  EXPECT_EQ(error_of([&] { assert_trees_all_equal_shapes(model(), Array(1)); }).substr(0, kError.size() + 52),
            kError + "assert_trees_all_equal_shapes: trees must have equal");
}

TEST(assert_trees_all_equal_types, lists_five_leaves_at_most) {
  const std::vector<Array> ones(8, Array(1)), reals(8, Array(1.0f));
  EXPECT_EQ(error_of([&] { assert_trees_all_equal_dtypes(ones, reals); }),
            kError +
                "assert_trees_all_equal_dtypes: leaves must have equal dtypes; got i32 and f32 at [0], i32 and f32 "
                "at [1], i32 and f32 at [2], i32 and f32 at [3], i32 and f32 at [4] and 3 more.");
}

TEST(assert_trees_all_equal_comparator, says_what_the_function_says) {
  const auto same_rank = [](const Array& x, const Array& y) {
    return x.ndim() == y.ndim() ? "" : "ranks " + std::to_string(x.ndim()) + " and " + std::to_string(y.ndim());
  };
  assert_trees_all_equal_comparator(same_rank, np::ones({2}), np::ones({3}));
  EXPECT_EQ(error_of([&] { assert_trees_all_equal_comparator(same_rank, Layer{1, 2}, Layer{1, np::ones({2})}); }),
            kError + "assert_trees_all_equal_comparator: leaves must be equal; got ranks 0 and 1 at .b.");
}

TEST(assert_tree_shape, is_of_every_leaf) {
  const std::vector<Array> batch{np::ones({4, 2, 3}), np::ones({4, 3})};
  assert_tree_shape(batch, {4, ellipsis, 3});
  assert_tree_shape_prefix(batch, {4});
  assert_tree_shape_suffix(batch, {3});
  assert_tree_shape_prefix(batch, {});
  EXPECT_EQ(error_of([&] { assert_tree_shape(batch, {4, std::nullopt, 3}); }),
            kError + "assert_tree_shape: every leaf must have shape [4,*,3]; got f32[4,3] at [1].");
  EXPECT_EQ(error_of([&] { assert_tree_shape_prefix(batch, {4, 2}); }),
            kError + "assert_tree_shape_prefix: every leaf must have shape [4,2,...]; got f32[4,3] at [1].");
  EXPECT_EQ(error_of([&] { assert_tree_shape_suffix(batch, {2, 3}); }),
            kError + "assert_tree_shape_suffix: every leaf must have shape [...,2,3]; got f32[4,3] at [1].");
  // A number is a 0-d array.
  assert_tree_shape(3.0, {});
  assert_tree_shape_prefix(3.0, {});
  EXPECT_EQ(error_of([] { assert_tree_shape(3, {1}); }),
            kError + "assert_tree_shape: every leaf must have shape [1]; got i32[].");
  EXPECT_THROW(assert_tree_shape_prefix(3.0f, {1}), AssertionError);
  EXPECT_THROW(assert_tree_shape_suffix(3.0f, {1}), AssertionError);
}

TEST(assert_tree_no_nones, names_them) {
  assert_tree_no_nones(Layer{1, 2});
  EXPECT_EQ(error_of([] { assert_tree_no_nones(model()); }),
            kError + "assert_tree_no_nones: no array of the tree must be none; got none at .layers[1].b.");
  EXPECT_EQ(error_of([] { assert_tree_no_nones(Array()); }),
            kError + "assert_tree_no_nones: no array of the tree must be none; got none.");
}

TEST(assert_tree_has_only_arrays, names_what_is_static) {
  assert_tree_has_only_arrays(model());
  EXPECT_EQ(error_of([] { assert_tree_has_only_arrays(std::tuple(Array(1), 3, std::string("relu"))); }),
            kError + "assert_tree_has_only_arrays: the tree must hold only arrays; got 3 at [1] and \"relu\" at [2].");
}

TEST(tree_assertions, work_while_a_function_is_traced) {
  const auto f = [](Layer a, Layer b) {
    assert_trees_all_equal_shapes(a, b);
    assert_tree_no_nones(a);
    return a.w + b.w;
  };
  EXPECT_NO_THROW(jit(f)(Layer{1.0f, 2.0f}, Layer{3.0f, 4.0f}));
  EXPECT_THROW(jit(f)(Layer{1.0f, 2.0f}, Layer{3.0f, np::ones({2})}), AssertionError);
}

}  // namespace
}  // namespace weft::testing
