// Rules about where elements are: shapes, parts of arrays, products and reductions.
#include "simplify_checks.h"

namespace weft::compiler {
namespace {

using namespace testing;

std::string reshaped(const std::string& r, const std::string& sizes, const std::string& x) {
  return r + " = reshape[new_sizes=(" + sizes + ")] " + x;
}
std::string transposed(const std::string& r, const std::string& permutation, const std::string& x) {
  return r + " = transpose[permutation=(" + permutation + ")] " + x;
}
std::string broadcast(const std::string& r, const std::string& dims, const std::string& shape, const std::string& x) {
  return r + " = broadcast_in_dim[broadcast_dimensions=(" + dims + ") shape=(" + shape + ")] " + x;
}
std::string reversed(const std::string& r, const std::string& dims, const std::string& x) {
  return r + " = rev[dimensions=(" + dims + ")] " + x;
}
std::string sliced(const std::string& r, const std::string& start, const std::string& limit, const std::string& strides,
                   const std::string& x) {
  return r + " = slice[limit_indices=(" + limit + ") start_indices=(" + start + ") strides=(" + strides + ")] " + x;
}
std::string joined(const std::string& r, int dimension, const std::string& xs) {
  return r + " = concatenate[dimension=" + std::to_string(dimension) + "] " + xs;
}
std::string padded(const std::string& r, const std::string& low, const std::string& high, const std::string& interior,
                   const std::string& xs) {
  return r + " = pad[low=(" + low + ") high=(" + high + ") interior=(" + interior + ")] " + xs;
}

// ---- shapes ----

TEST(simplify_shape, what_changes_no_shape_is_gone) {
  const std::string in = "x:f32[2,3]";
  expect_value(in, reshaped("r:f32[2,3]", "2, 3", "x"), "x");
  expect_value(in, transposed("r:f32[2,3]", "0, 1", "x"), "x");
  expect_value(in, broadcast("r:f32[2,3]", "0, 1", "2, 3", "x"), "x");
  expect_value(in, sliced("r:f32[2,3]", "0, 0", "2, 3", "1, 1", "x"), "x");
  expect_value(in, reversed("r:f32[2,3]", "", "x"), "x");
  expect_value(in, padded("r:f32[2,3]", "0, 0", "0, 0", "0, 0", "x 1.0:f32[]"), "x");
  expect_value(in, joined("r:f32[2,3]", 1, "x"), "x");
  expect_value(in, "r:f32[2,3] = split[axis=1 sizes=(3,)] x", "x");
  expect_value(in, "r:f32[2,3] = bitcast_convert_type[new_dtype=float32] x", "x");
  expect_value("x:f32[2,1]", reversed("r:f32[2,1]", "1", "x"), "x");
}

TEST(simplify_shape, chains_of_one_kind_become_one) {
  const std::string in = "x:f32[2,3,4]";
  expect_equations(in, reshaped("a:f32[24]", "24", "x") + "; " + reshaped("r:f32[4,6]", "4, 6", "a"),
                   reshaped("r:f32[4,6]", "4, 6", "x"));
  expect_value(in, reshaped("a:f32[24]", "24", "x") + "; " + reshaped("r:f32[2,3,4]", "2, 3, 4", "a"), "x");
  expect_equations(in, transposed("a:f32[3,4,2]", "1, 2, 0", "x") + "; " + transposed("r:f32[4,3,2]", "1, 0, 2", "a"),
                   transposed("r:f32[4,3,2]", "2, 1, 0", "x"));
  expect_value(in, transposed("a:f32[3,4,2]", "1, 2, 0", "x") + "; " + transposed("r:f32[2,3,4]", "2, 0, 1", "a"), "x");
  expect_equations("x:f32[3]",
                   broadcast("a:f32[2,3]", "1", "2, 3", "x") + "; " + broadcast("r:f32[2,5,3]", "0, 2", "2, 5, 3", "a"),
                   broadcast("r:f32[2,5,3]", "2", "2, 5, 3", "x"));
  expect_equations(in, reversed("a:f32[2,3,4]", "0, 1", "x") + "; " + reversed("r:f32[2,3,4]", "1, 2", "a"),
                   reversed("r:f32[2,3,4]", "0, 2", "x"));
  expect_value(in, reversed("a:f32[2,3,4]", "1", "x") + "; " + reversed("r:f32[2,3,4]", "1", "a"), "x");
  expect_equations(
      "x:i32[4]",
      "a:u32[4] = bitcast_convert_type[new_dtype=uint32] x; r:f32[4] = bitcast_convert_type[new_dtype=float32] a",
      "r:f32[4] = bitcast_convert_type[new_dtype=float32] x");
}

TEST(simplify_shape, axes_of_size_one_come_and_go_by_reshape) {
  expect_equations("x:f32[3]", broadcast("r:f32[1,3,1]", "1", "1, 3, 1", "x"),
                   reshaped("r:f32[1,3,1]", "1, 3, 1", "x"));
  expect_equations("x:f32[2,1,3]", transposed("r:f32[1,2,3]", "1, 0, 2", "x"),
                   reshaped("r:f32[1,2,3]", "1, 2, 3", "x"));
  expect_equations("x:f32[2,3]", broadcast("r:f32[3,1,2]", "2, 0", "3, 1, 2", "x"),
                   transposed("a:f32[3,2]", "1, 0", "x") + "; " + reshaped("r:f32[3,1,2]", "3, 1, 2", "a"));
  // What NumPy's keepdims writes.
  expect_equations("x:f32[3]",
                   reshaped("a:f32[3,1]", "3, 1", "x") + "; " + broadcast("r:f32[3,5]", "0, 1", "3, 5", "a"),
                   broadcast("r:f32[3,5]", "0", "3, 5", "x"));
  expect_stays(program("x:f32[3,1]", broadcast("r:f32[3,5]", "0, 1", "3, 5", "x"), "r"));
}

TEST(simplify_shape, broadcasts_take_other_shapes) {
  expect_equations("x:f32[]", broadcast("a:f32[2,3]", "", "2, 3", "x") + "; " + reshaped("r:f32[6]", "6", "a"),
                   broadcast("r:f32[6]", "", "6", "x"));
  expect_equations("x:f32[1,1]", broadcast("a:f32[2,3]", "0, 1", "2, 3", "x") + "; " + reshaped("r:f32[6]", "6", "a"),
                   reshaped("b:f32[]", "", "x") + "; " + broadcast("r:f32[6]", "", "6", "b"));
  expect_equations("x:f32[3]",
                   broadcast("a:f32[2,1,3]", "2", "2, 1, 3", "x") + "; " + reshaped("r:f32[2,3,1]", "2, 3, 1", "a"),
                   broadcast("r:f32[2,3,1]", "1", "2, 3, 1", "x"));
  expect_equations("x:f32[1,3]",
                   broadcast("a:f32[2,1,3]", "1, 2", "2, 1, 3", "x") + "; " + reshaped("r:f32[2,3]", "2, 3", "a"),
                   reshaped("b:f32[3]", "3", "x") + "; " + broadcast("r:f32[2,3]", "1", "2, 3", "b"));
  expect_equations("x:f32[3]", broadcast("a:f32[2,3]", "1", "2, 3", "x") + "; " + transposed("r:f32[3,2]", "1, 0", "a"),
                   broadcast("r:f32[3,2]", "0", "3, 2", "x"));
  expect_equations(
      "x:f32[2,2]",
      broadcast("a:f32[2,2,2]", "0, 1", "2, 2, 2", "x") + "; " + transposed("r:f32[2,2,2]", "1, 2, 0", "a"),
      broadcast("r:f32[2,2,2]", "2, 0", "2, 2, 2", "x"));
  expect_value("x:f32[3]",
               broadcast("a:f32[2,3]", "1", "2, 3", "x") + "; " + reversed("b:f32[2,3]", "0", "a") + "; " +
                   sliced("c:f32[1,3]", "1, 0", "2, 3", "1, 1", "b") + "; " + reshaped("r:f32[3]", "3", "c"),
               "x");
  // Positions that are repeated do not become fewer in another order.
  expect_stays(
      program("x:f32[3]", broadcast("a:f32[2,3]", "1", "2, 3", "x") + "; " + reshaped("r:f32[6]", "6", "a"), "r"));
}

// ---- parts ----

TEST(simplify_shape, slices_of_slices_are_slices) {
  expect_equations("x:f32[20]", sliced("a:f32[6]", "2", "20", "3", "x") + "; " + sliced("r:f32[2]", "1", "5", "3", "a"),
                   sliced("r:f32[2]", "5", "15", "9", "x"));
  expect_equations("x:f32[20]",
                   "_:f32[5] a:f32[15] = split[axis=0 sizes=(5, 15)] x; " + sliced("r:f32[2]", "1", "3", "1", "a"),
                   sliced("r:f32[2]", "6", "8", "1", "x"));
  // One way to write each.
  expect_equations("x:f32[20]", sliced("r:f32[2]", "1", "9", "5", "x"), sliced("r:f32[2]", "1", "7", "5", "x"));
}

TEST(simplify_shape, slices_pass_what_moves_elements) {
  expect_equations("x:f32[3]",
                   broadcast("a:f32[5,3]", "1", "5, 3", "x") + "; " + sliced("r:f32[2,2]", "1, 1", "3, 3", "1, 1", "a"),
                   sliced("b:f32[2]", "1", "3", "1", "x") + "; " + broadcast("r:f32[2,2]", "1", "2, 2", "b"));
  expect_equations("x:f32[4,5]",
                   transposed("a:f32[5,4]", "1, 0", "x") + "; " + sliced("r:f32[2,4]", "1, 0", "3, 4", "1, 1", "a"),
                   sliced("b:f32[4,2]", "0, 1", "4, 3", "1, 1", "x") + "; " + transposed("r:f32[2,4]", "1, 0", "b"));
  expect_equations(
      "x:f32[4,5]",
      reshaped("a:f32[1,4,5]", "1, 4, 5", "x") + "; " + sliced("r:f32[1,2,5]", "0, 2, 0", "1, 4, 5", "1, 1, 1", "a"),
      sliced("b:f32[2,5]", "2, 0", "4, 5", "1, 1", "x") + "; " + reshaped("r:f32[1,2,5]", "1, 2, 5", "b"));
  expect_equations(
      "x:f32[4,5,6]",
      reshaped("a:f32[4,30]", "4, 30", "x") + "; " + sliced("r:f32[1,30]", "2, 0", "3, 30", "1, 1", "a"),
      sliced("b:f32[1,5,6]", "2, 0, 0", "3, 5, 6", "1, 1, 1", "x") + "; " + reshaped("r:f32[1,30]", "1, 30", "b"));
  expect_stays(
      program("x:f32[4,5]", reshaped("a:f32[20]", "20", "x") + "; " + sliced("r:f32[2]", "2", "4", "1", "a"), "r"));
  expect_equations("x:f32[7]", reversed("a:f32[7]", "0", "x") + "; " + sliced("r:f32[2]", "1", "5", "3", "a"),
                   sliced("b:f32[2]", "2", "6", "3", "x") + "; " + reversed("r:f32[2]", "0", "b"));
  expect_equations("x:f32[3] y:f32[4]", joined("a:f32[7]", 0, "x y") + "; " + sliced("r:f32[2]", "4", "6", "1", "a"),
                   sliced("r:f32[2]", "1", "3", "1", "y"));
  expect_equations("x:f32[9]",
                   padded("a:f32[5]", "-2", "-2", "0", "x 1.0:f32[]") + "; " + sliced("r:f32[2]", "1", "3", "1", "a"),
                   sliced("r:f32[2]", "3", "5", "1", "x"));
  expect_equations("x:f32[5]",
                   padded("a:f32[9]", "2", "2", "0", "x 1.0:f32[]") + "; " + sliced("r:f32[2]", "3", "5", "1", "a"),
                   sliced("r:f32[2]", "1", "3", "1", "x"));
  // Also of what others use whole.
  expect_becomes(program("x:f32[3] y:f32[4]",
                         joined("a:f32[7]", 0, "x y") + "; " + sliced("r:f32[3]", "0", "3", "1", "a"), "r, a"),
                 program("x:f32[3] y:f32[4]", joined("a:f32[7]", 0, "x y"), "x, a"));
}

TEST(simplify_shape, windows_at_known_places_are_slices) {
  const std::string in = "x:f32[5,4] i:i32[] u:f32[2,4]";
  expect_equations(in, "r:f32[2,4] = dynamic_slice[slice_sizes=(2, 4)] x 1:i32[] i",
                   sliced("r:f32[2,4]", "1, 0", "3, 4", "1, 1", "x"));
  // Out of range they are moved so that they fit.
  expect_equations(in, "r:f32[2,4] = dynamic_slice[slice_sizes=(2, 4)] x 9:i32[] -9:i32[]",
                   sliced("r:f32[2,4]", "3, 0", "5, 4", "1, 1", "x"));
  expect_equations(in, "r:f32[2,4] = dynamic_slice[slice_sizes=(2, 4)] x i i",
                   "r:f32[2,4] = dynamic_slice[slice_sizes=(2, 4)] x i 0:i32[]");
  expect_value(in, "r:f32[5,4] = dynamic_slice[slice_sizes=(5, 4)] x i i", "x");
  expect_value("x:f32[5] y:f32[5] i:i32[]", "r:f32[5] = dynamic_update_slice x y i", "y");
  expect_equations(in, "r:f32[5,4] = dynamic_update_slice x u i i", "r:f32[5,4] = dynamic_update_slice x u i 0:i32[]");
  expect_stays(program(in, "r:f32[5,4] = dynamic_update_slice x u 1:i32[] 0:i32[]", "r"));
}

TEST(simplify_shape, neighbours_are_joined_as_one) {
  const std::string in = "x:f32[9] y:f32[2]";
  const std::string a = sliced("a:f32[2]", "1", "3", "1", "x"), b = sliced("b:f32[4]", "3", "7", "1", "x");
  expect_equations(in, a + "; " + b + "; " + joined("r:f32[6]", 0, "a b"), sliced("r:f32[6]", "1", "7", "1", "x"));
  expect_equations(in, a + "; " + b + "; " + joined("r:f32[8]", 0, "y a b"),
                   sliced("c:f32[6]", "1", "7", "1", "x") + "; " + joined("r:f32[8]", 0, "y c"));
  expect_stays(program(in, b + "; " + a + "; " + joined("r:f32[6]", 0, "b a"), "r"));
  expect_value(in, "a:f32[2] b:f32[7] = split[axis=0 sizes=(2, 7)] x; " + joined("r:f32[9]", 0, "a b"), "x");
  expect_equations(in, joined("a:f32[4]", 0, "y y") + "; " + joined("r:f32[13]", 0, "a x"),
                   joined("r:f32[13]", 0, "y y x"));
  expect_equations(in, joined("r:f32[16]", 0, "1.0:f32[3] 1.0:f32[4] x"), joined("r:f32[16]", 0, "1.0:f32[7] x"));
  expect_equations("x:f32[2,3] y:f32[2,0]", joined("r:f32[2,6]", 1, "x y x"), joined("r:f32[2,6]", 1, "x x"));
  expect_value("x:f32[0]", padded("r:f32[3]", "1", "2", "0", "x 4.0:f32[]"), "4.0:f32[3]");
}

// ---- products and reductions ----

TEST(simplify_shape, reductions_of_one_element_are_reshapes) {
  for (const std::string kind : {"max", "min", "prod"})
    expect_equations("x:f32[3,1]", "r:f32[3] = reduce_" + kind + "[axes=(1,)] x", reshaped("r:f32[3]", "3", "x"));
  for (const std::string kind : {"sum", "and", "or", "xor"})
    expect_equations("x:i32[3,1]", "r:i32[3] = reduce_" + kind + "[axes=(1,)] x", reshaped("r:i32[3]", "3", "x"));
  expect_value("x:i32[3]", "r:i32[3] = reduce_sum[axes=()] x", "x");
  expect_stays(program("x:f32[3,1]", "r:f32[3] = reduce_sum[axes=(1,)] x", "r"));
}

std::string dot(const std::string& r, const std::string& dims, const std::string& xs) {
  return r + " = dot_general[dimension_numbers=" + dims + " preferred_element_type=float32] " + xs;
}

TEST(simplify_shape, products_take_transposes_in) {
  const std::string in = "x:f32[2,3] y:f32[4,3] z:f32[3,5,2]";
  expect_equations(in,
                   transposed("a:f32[3,4]", "1, 0", "y") + "; " + dot("r:f32[2,4]", "(([1], [0]), ([], []))", "x a"),
                   dot("r:f32[2,4]", "(([1], [1]), ([], []))", "x y"));
  // Batch axes may come in any order; those that are left must keep theirs.
  expect_equations(
      "x:f32[3,4,2] y:f32[4,2,3]",
      transposed("a:f32[4,2,3]", "1, 2, 0", "x") + "; " + dot("r:f32[4,2]", "(([2], [2]), ([0, 1], [0, 1]))", "a y"),
      dot("r:f32[4,2]", "(([0], [2]), ([1, 2], [0, 1]))", "x y"));
  expect_stays(program(
      "x:f32[4,3] z:f32[3,5,5]",
      transposed("a:f32[5,5,3]", "2, 1, 0", "z") + "; " + dot("r:f32[4,5,5]", "(([1], [2]), ([], []))", "x a"), "r"));
  expect_stays(program(
      in, transposed("a:f32[2,5,3]", "2, 1, 0", "z") + "; " + dot("r:f32[4,2,5]", "(([1], [2]), ([], []))", "y a"),
      "r"));
}

TEST(simplify_shape, a_transposed_product_is_one_of_swapped_operands) {
  const std::string in = "x:f32[2,3] y:f32[3,4] u:f32[5,2,3] v:f32[5,3,4]";
  const std::string product = dot("a:f32[2,4]", "(([1], [0]), ([], []))", "x y");
  expect_equations(in, product + "; " + transposed("r:f32[4,2]", "1, 0", "a"),
                   dot("r:f32[4,2]", "(([0], [1]), ([], []))", "y x"));
  expect_equations(
      in, dot("a:f32[5,2,4]", "(([2], [1]), ([0], [0]))", "u v") + "; " + transposed("r:f32[5,4,2]", "0, 2, 1", "a"),
      dot("r:f32[5,4,2]", "(([1], [2]), ([0], [0]))", "v u"));
  expect_stays(program(
      in, dot("a:f32[5,2,4]", "(([2], [1]), ([0], [0]))", "u v") + "; " + transposed("r:f32[4,2,5]", "2, 1, 0", "a"),
      "r"));
  // One that is used as it is, too, is not computed again.
  expect_stays(program(in, product + "; " + transposed("r:f32[4,2]", "1, 0", "a"), "a, r"));
}

}  // namespace
}  // namespace weft::compiler
