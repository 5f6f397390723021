// What is computed of a value of which one window is needed.
#include "simplify_checks.h"

namespace weft::compiler {
namespace {

using namespace testing;

std::string row(const std::string& r, const std::string& x) {
  return r + ":f32[1,3] = slice[limit_indices=(2, 3) start_indices=(1, 0) strides=(1, 1)] " + x;
}
std::string column(const std::string& r, const std::string& x) {
  return r + ":f32[4,1] = slice[limit_indices=(4, 2) start_indices=(0, 1) strides=(1, 1)] " + x;
}

TEST(simplify_narrow, a_window_of_elementwise_results_is_computed_alone) {
  expect_equations("x:f32[4,3] y:f32[4,3]", "a:f32[4,3] = sin x; b:f32[4,3] = add a y; " + row("r", "b"),
                   row("p", "x") + "; q:f32[1,3] = sin p; " + row("s", "y") + "; r:f32[1,3] = add q s");
  expect_equations("p:bool[] x:f32[4,3]",
                   "a:f32[4,3] = select p x 1.0:f32[4,3]; b:f32[4,3] = clamp 0.0:f32[] a 2.0:f32[]; " + row("r", "b"),
                   row("c", "x") + "; d:f32[1,3] = select p c 1.0:f32[1,3]; r:f32[1,3] = clamp 0.0:f32[] d 2.0:f32[]");
  // x + sin(x), of which both uses are in the window.
  expect_equations("x:f32[4,3]", "a:f32[4,3] = cos x; b:f32[4,3] = sin a; c:f32[4,3] = add a b; " + row("r", "c"),
                   row("p", "x") + "; q:f32[1,3] = cos p; s:f32[1,3] = sin q; r:f32[1,3] = add q s");
}

TEST(simplify_narrow, what_is_used_elsewhere_is_computed_once_and_whole) {
  expect_stays(program("x:f32[4,3]", "a:f32[4,3] = sin x; " + row("r", "a"), "r, a"));
  expect_stays(program("x:f32[4,3]", "a:f32[4,3] = sin x; " + row("r", "a") + "; " + column("s", "a"), "r, s"));
  expect_becomes(program("x:f32[4,3]", "a:f32[4,3] = sin x; b:f32[4,3] = exp a; " + row("r", "b"), "r, a"),
                 program("x:f32[4,3]", "a:f32[4,3] = sin x; " + row("b", "a") + "; r:f32[1,3] = exp b", "r, a"));
  expect_stays(program("x:f32[4,3]", "a:f32[4,3] = optimization_barrier x; " + row("r", "a"), "r"));
}

TEST(simplify_narrow, reductions_take_the_window_of_the_axes_that_stay) {
  expect_equations(
      "x:f32[4,3]",
      "a:f32[4] = reduce_sum[axes=(1,)] x; r:f32[1] = slice[limit_indices=(2,) start_indices=(1,) strides=(1,)] a",
      row("b", "x") + "; r:f32[1] = reduce_sum[axes=(1,)] b");
  expect_equations(
      "x:f32[4,3]",
      "a:f32[3] = reduce_max[axes=(0,)] x; r:f32[1] = slice[limit_indices=(2,) start_indices=(1,) strides=(1,)] a",
      column("b", "x") + "; r:f32[1] = reduce_max[axes=(0,)] b");
  expect_equations("x:f32[4,3]",
                   "a:i32[3] = argmax[axis=0 index_dtype=int32] x; r:i32[1] = slice[limit_indices=(2,) "
                   "start_indices=(1,) strides=(1,)] a",
                   column("b", "x") + "; r:i32[1] = argmax[axis=0 index_dtype=int32] b");
  // How many columns are added up at a time may decide in which order.
  expect_stays(program(
      "x:f32[4,3]",
      "a:f32[3] = reduce_sum[axes=(0,)] x; r:f32[1] = slice[limit_indices=(2,) start_indices=(1,) strides=(1,)] a",
      "r"));
}

TEST(simplify_narrow, products_take_the_window_of_rows_and_columns) {
  const auto dot = [](const std::string& r, const std::string& xs) {
    return r + " = dot_general[dimension_numbers=(([2], [1]), ([0], [0])) preferred_element_type=float32] " + xs;
  };
  const auto slice = [](const std::string& r, const std::string& start, const std::string& limit,
                        const std::string& x) {
    return r + " = slice[limit_indices=(" + limit + ") start_indices=(" + start + ") strides=(1, 1, 1)] " + x;
  };
  expect_equations("x:f32[2,3,4] y:f32[2,4,5]",
                   dot("a:f32[2,3,5]", "x y") + "; " + slice("r:f32[1,2,1]", "1, 0, 4", "2, 2, 5", "a"),
                   slice("p:f32[1,2,4]", "1, 0, 0", "2, 2, 4", "x") + "; " +
                       slice("q:f32[1,4,1]", "1, 0, 4", "2, 4, 5", "y") + "; " + dot("r:f32[1,2,1]", "p q"));
}

TEST(simplify_narrow, what_moves_elements_moves_those_of_the_window) {
  expect_equations(
      "x:f32[3]",
      "a:f32[4,3] = broadcast_in_dim[broadcast_dimensions=(1,) shape=(4, 3)] x; b:f32[4,3] = sin a; " + row("r", "b"),
      "c:f32[1,3] = reshape[new_sizes=(1, 3)] x; r:f32[1,3] = sin c");
  expect_equations("x:f32[]",
                   "a:f32[4,3] = iota[dimension=1 dtype=float32 shape=(4, 3)] ; b:f32[4,3] = sin a; " + row("r", "b"),
                   "c:f32[1,3] = iota[dimension=1 dtype=float32 shape=(1, 3)] ; r:f32[1,3] = sin c");
  const std::string in = "x:f32[2,3] y:f32[2,3] z:f32[]";
  expect_equations(in,
                   "a:f32[4,3] = concatenate[dimension=0] x y; b:f32[4,3] = sin a; r:f32[2,3] = "
                   "slice[limit_indices=(3, 3) start_indices=(1, 0) strides=(1, 1)] b",
                   row("p", "x") +
                       "; q:f32[1,3] = slice[limit_indices=(1, 3) start_indices=(0, 0) strides=(1, 1)] y; c:f32[2,3] = "
                       "concatenate[dimension=0] p q; r:f32[2,3] = sin c");
  expect_equations(in,
                   "a:f32[4,3] = pad[low=(1, 0) high=(1, 0) interior=(0, 0)] x z; r:f32[2,2] = slice[limit_indices=(2, "
                   "3) start_indices=(0, 1) strides=(1, 1)] a",
                   "p:f32[1,2] = slice[limit_indices=(1, 3) start_indices=(0, 1) strides=(1, 1)] x; r:f32[2,2] = "
                   "pad[low=(1, 0) high=(0, 0) interior=(0, 0)] p z");
}

TEST(simplify_narrow, the_only_part_of_a_split_that_is_used_is_a_slice) {
  expect_equations("x:f32[4,3]",
                   "a:f32[4,3] = sin x; _:f32[1,3] r:f32[1,3] _:f32[2,3] = split[axis=0 sizes=(1, 1, 2)] a",
                   row("b", "x") + "; r:f32[1,3] = sin b");
  expect_stays(program(
      "x:f32[4,3]", "a:f32[4,3] = sin x; b:f32[1,3] c:f32[1,3] d:f32[2,3] = split[axis=0 sizes=(1, 1, 2)] a", "b, d"));
}

TEST(simplify_narrow, strides_go_through) {
  expect_equations("x:f32[5] y:f32[5]",
                   "a:f32[10] = concatenate[dimension=0] x y; b:f32[10] = sin a; r:f32[3] = slice[limit_indices=(10,) "
                   "start_indices=(1,) strides=(4,)] b",
                   "p:f32[1] = slice[limit_indices=(2,) start_indices=(1,) strides=(1,)] x; q:f32[2] = "
                   "slice[limit_indices=(5,) start_indices=(0,) strides=(4,)] y; "
                   "s:f32[3] = concatenate[dimension=0] p q; r:f32[3] = sin s");
}

}  // namespace
}  // namespace weft::compiler
