#include "error_text.h"

namespace weft::errors {
namespace {

TEST(shape_error, operands_that_do_not_broadcast) {
  const Array x = np::ones({4, 3}), y = np::ones({4});
  expect_error<ShapeError>(
      [&] { x + y; },
      "add: shapes must broadcast; got f32[4,3] and f32[4].\n"
      "  at here\n"
      "hint: aligned to the right, sizes must be equal or 1; insert an axis with x(newaxis, ...) or reshape.");
}

TEST(shape_error, lax_operands_of_different_shapes) {
  expect_error<ShapeError>([&] { lax::add(np::ones({2, 3}), np::ones({3})); },
                           "add: operands must have equal shapes; got f32[2,3] and f32[3].\n"
                           "  at here\n"
                           "hint: lax:: does not broadcast; np:: does.");
}

TEST(shape_error, matmul_with_a_transposed_operand) {
  const Array x = np::ones({2, 3}), w = np::ones({4, 3});
  expect_error<ShapeError>(
      [&] { np::matmul(x, w); },
      "matmul: contracting sizes must match; lhs axis 1 has 3, rhs axis 0 has 4 (lhs f32[2,3], rhs f32[4,3]).\n"
      "  at here\n"
      "hint: rhs looks transposed; use matmul(x, swapaxes(y, -1, -2)).");
}

TEST(shape_error, matmul_of_sizes_that_never_fit) {
  expect_error<ShapeError>(
      [&] { np::matmul(np::ones({2, 3}), np::ones({4, 5})); },
      "matmul: contracting sizes must match; lhs axis 1 has 3, rhs axis 0 has 4 (lhs f32[2,3], rhs f32[4,5]).\n"
      "  at here");
}

TEST(shape_error, matmul_by_a_number) {
  expect_error<ShapeError>([&] { np::matmul(np::ones({2, 3}), 2.0); },
                           "matmul: operands must have at least one axis; got f32[2,3] and f32[].\n"
                           "  at here\n"
                           "hint: multiply by a number with *.");
}

TEST(shape_error, dot_general_with_a_transposed_operand) {
  expect_error<ShapeError>(
      [&] { lax::dot_general(np::ones({2, 3}), np::ones({4, 3}), {.lhs_contracting = {1}, .rhs_contracting = {0}}); },
      "dot_general: contracting sizes must match; lhs axis 1 has 3, rhs axis 0 has 4 (lhs f32[2,3], rhs f32[4,3]).\n"
      "  at here\n"
      "hint: rhs looks transposed; contracting rhs axis 1 would give sizes 3 and 3.");
}

TEST(shape_error, reshape_to_another_count) {
  expect_error<ShapeError>(
      [&] { np::reshape(np::ones({2, 3}), {4, 2}); },
      "reshape: the number of elements must stay the same; got f32[2,3] (6 elements) to [4,2] (8).\n"
      "  at here");
}

TEST(shape_error, reshape_with_an_unknown_size_that_does_not_divide) {
  expect_error<ShapeError>([&] { np::reshape(np::ones({2, 3}), {4, -1}); },
                           "reshape: the sizes beside -1 must divide the number of elements; got f32[2,3] (6 "
                           "elements) to [4,-1].\n"
                           "  at here");
}

TEST(shape_error, a_ragged_array) {
  expect_error<ShapeError>([&] { np::array({{1, 2}, {3}}); },
                           "array: rows must have equal lengths and depths; got a ragged list at depth 1.\n"
                           "  at here");
}

TEST(shape_error, concatenation_of_different_sizes) {
  expect_error<ShapeError>([&] { np::concatenate({np::ones({2, 3}), np::ones({2, 4})}); },
                           "concatenate: sizes must be equal except along axis 0; got f32[2,3] and f32[2,4].\n"
                           "  at here");
}

TEST(shape_error, stack_of_different_shapes) {
  expect_error<ShapeError>([&] { np::stack({np::ones({2}), np::ones({3})}); },
                           "stack: arrays must have equal shapes; got f32[2] and f32[3].\n"
                           "  at here");
}

TEST(shape_error, broadcast_to_a_smaller_shape) {
  expect_error<ShapeError>([&] { np::broadcast_to(np::ones({2, 3}), {2, 1}); },
                           "broadcast_to: the array must broadcast to the shape; got f32[2,3] to [2,1].\n"
                           "  at here");
}

TEST(shape_error, squeeze_of_a_larger_axis) {
  expect_error<ShapeError>([&] { np::squeeze(np::ones({2, 1}), 0); },
                           "squeeze: removed axes must have size 1; got axis 0 of f32[2,1].\n"
                           "  at here");
}

TEST(shape_error, split_into_unequal_parts) {
  expect_error<ShapeError>([&] { np::split(np::ones({7}), 3); },
                           "split: the axis must divide into equal parts; got 3 parts of axis 0 of f32[7].\n"
                           "  at here\n"
                           "hint: np::array_split makes parts of nearly equal size.");
}

TEST(shape_error, elements_that_do_not_fill_the_shape) {
  expect_error<ShapeError>([&] { Array::from_vector<float>({1, 2, 3}, Dims{2, 2}); },
                           "array: the number of elements must be that of the shape; got 3 elements for shape "
                           "[2,2].\n"
                           "  at here");
}

TEST(shape_error, a_negative_size) {
  expect_error<ShapeError>([&] { np::zeros({2, -1}); },
                           "zeros: sizes must not be negative; got shape [2,-1].\n"
                           "  at here");
}

TEST(shape_error, too_many_dimensions) {
  expect_error<ShapeError>([&] { np::zeros(Dims(33, 1)); },
                           "zeros: there must be at most 32 axes; got 33.\n"
                           "  at here");
}

TEST(shape_error, too_many_elements) {
  expect_error<ShapeError>(
      [&] { np::zeros({1ll << 40, 1ll << 40}); },
      "zeros: the elements must need fewer than 2^62 bytes; got shape [1099511627776,1099511627776].\n"
      "  at here");
}

TEST(shape_error, item_of_several_elements) {
  expect_error<ShapeError>([&] { np::ones({3}).item<float>(); },
                           "item: the array must have exactly one element; got f32[3].\n"
                           "  at here");
}

TEST(shape_error, the_truth_of_several_elements) {
  expect_error<ShapeError>(
      [&] {
        if (np::ones({3}) > 0) return;
      },
      "bool: an array must have exactly one element to be true or false; got bool[3].\n"
      "  after greater at here\n"
      "hint: reduce it first with np::all or np::any.");
}

TEST(shape_error, a_value_that_does_not_fit_the_indexed_elements) {
  expect_error<ShapeError>([&] { np::ones({2, 3}).at(0).set(np::ones({2})); },
                           "at.set: the value must broadcast to the shape of the indexed elements; got f32[2] "
                           "for [3].\n"
                           "  at here");
}

TEST(shape_error, where_with_operands_that_do_not_broadcast) {
  expect_error<ShapeError>(
      [&] { np::where(np::ones({3}) > 0, np::ones({2}), 0.0); },
      "where: shapes must broadcast; got [3] and [2].\n"
      "  at here\n"
      "hint: aligned to the right, sizes must be equal or 1; insert an axis with x(newaxis, ...) or reshape.");
}

TEST(shape_error, gradient_of_a_vector) {
  expect_error<ShapeError>([&] { grad([](Array x) { return x * x; })(np::ones({3})); },
                           "grad: the function must return a scalar; got f32[3].\n"
                           "  while tracing grad(f) at here\n"
                           "hint: reduce it with np::sum or np::mean, or use jacrev for all its derivatives.");
}

TEST(shape_error, tangent_of_another_shape) {
  expect_error<ShapeError>([&] { jvp([](Array x) { return x * x; }, np::ones({3}), np::ones({2})); },
                           "jvp: tangents[0] must have the shape of primals[0]; got f32[2] for f32[3].\n"
                           "  at here");
}

TEST(shape_error, vmap_over_different_sizes) {
  expect_error<ShapeError>([&] { vmap([](Array x, Array y) { return x * y; })(np::ones({3}), np::ones({4, 2})); },
                           "vmap: mapped axes must have equal sizes; got 3 for args[0] (f32[3], axis 0) and 4 for "
                           "args[1] (f32[4,2], axis 0).\n"
                           "  while tracing vmap(f) at here");
}

TEST(shape_error, vmap_over_different_sizes_names_members) {
  struct Layer {
    Array w, b;
  };
  expect_error<ShapeError>(
      [&] {
        vmap([](Layer l, Array x) { return np::dot(x, l.w) + l.b; }, {unmapped, 0});
        vmap([](Layer l) { return l.w + l.b; })(Layer{np::ones({2}), np::ones({3})});
      },
      "vmap: mapped axes must have equal sizes; got 2 for args[0].w (f32[2], axis 0) and 3 for args[0].b (f32[3], axis "
      "0).\n"
      "  while tracing vmap(f) at here");
}

TEST(shape_error, a_random_key_of_the_wrong_shape) {
  expect_error<ShapeError>([&] { random::normal(np::zeros({3}, u32), {2}); },
                           "normal: a key must be u32[2], two words; got u32[3].\n"
                           "  at here\n"
                           "hint: make one with random::key(seed).");
}

TEST(shape_error, many_keys_where_one_is_meant) {
  expect_error<ShapeError>([&] { random::uniform(random::split(random::key(0)), {2}); },
                           "uniform: a key must be u32[2], two words; got u32[2,2].\n"
                           "  at here\n"
                           "hint: use one key at a time: vmap over the rows, or index them.");
}

TEST(shape_error, einsum_sizes_that_differ) {
  expect_error<ShapeError>([&] { np::einsum("ij,jk->ik", np::ones({2, 3}), np::ones({4, 5})); },
                           "einsum: axes of one name must have equal sizes; got 3 and 4 for 'j' in \"ij,jk->ik\" "
                           "(operands f32[2,3], f32[4,5]).\n"
                           "  at here");
}

TEST(shape_error, einsum_with_too_few_letters) {
  expect_error<ShapeError>([&] { np::einsum("i->i", np::ones({2, 3})); },
                           "einsum: a term must name every axis of its operand; got \"i\" for f32[2,3] in \"i->i\".\n"
                           "  at here");
}

TEST(shape_error, unravel_of_another_length) {
  const auto [flat, unravel] = ravel(std::vector<Array>{np::ones({2}), np::ones({3})});
  const auto back = unravel;
  expect_error<ShapeError>([&] { back(np::ones({4})); },
                           "unravel: the vector must have as many elements as the tree; got f32[4] for 5 "
                           "elements.\n"
                           "  at here");
}

TEST(shape_error, the_maximum_of_nothing) {
  expect_error<ShapeError>([&] { np::max(np::zeros({0})); },
                           "max: there must be at least one element; got axes [0] of f32[0].\n"
                           "  at here");
}

TEST(shape_error, inside_jit_the_call_is_noted) {
  expect_error<ShapeError>(
      [&] { jit([](Array x) { return x + np::ones({3}); }, {.name = "step"})(np::ones({4})); },
      "add: shapes must broadcast; got f32[4] and f32[3].\n"
      "  at here\n"
      "  while tracing jit(step) at here\n"
      "hint: aligned to the right, sizes must be equal or 1; insert an axis with x(newaxis, ...) or reshape.");
}

TEST(shape_error, concatenation_of_mixed_ranks) {
  expect_error<ShapeError>([&] { np::concatenate({np::ones({2, 3}), np::ones({3})}); },
                           "concatenate: operands must have equally many axes; got f32[2,3] and f32[3].\n"
                           "  at here\n"
                           "hint: add an axis with expand_dims or reshape.");
}

TEST(shape_error, concatenation_of_scalars) {
  expect_error<ShapeError>([&] { np::concatenate({Array(1.0f), Array(2.0f)}); },
                           "concatenate: arrays must have at least one axis; got f32[].\n"
                           "  at here\n"
                           "hint: np::stack joins 0-d arrays.");
}

TEST(shape_error, rows_of_different_length) {
  expect_error<ShapeError>([&] { np::vstack({np::ones({2, 3}), np::ones({4})}); },
                           "vstack: sizes must be equal except along axis 0; got f32[2,3] and f32[1,4].\n"
                           "  at here");
}

TEST(shape_error, reshape_with_two_unknown_sizes) {
  expect_error<ShapeError>([&] { np::reshape(np::ones({2, 3}), {-1, -1}); },
                           "reshape: at most one size may be -1; got f32[2,3] (6 elements) to [-1,-1].\n"
                           "  at here");
}

TEST(shape_error, reshape_to_a_negative_size) {
  expect_error<ShapeError>([&] { np::reshape(np::ones({2, 3}), {-2, 3}); },
                           "reshape: sizes must not be negative, except one that is -1; got f32[2,3] (6 "
                           "elements) to [-2,3].\n"
                           "  at here");
}

TEST(shape_error, dot_of_sizes_that_never_fit) {
  expect_error<ShapeError>([&] { np::dot(np::ones({2, 3}), np::ones({2})); },
                           "dot: contracting sizes must match; lhs axis 1 has 3, rhs axis 0 has 2 (lhs "
                           "f32[2,3], rhs f32[2]).\n"
                           "  at here");
}

TEST(shape_error, inner_product_of_different_lengths) {
  expect_error<ShapeError>([&] { np::inner(np::ones({3}), np::ones({4})); },
                           "inner: contracting sizes must match; lhs axis 0 has 3, rhs axis 0 has 4 (lhs "
                           "f32[3], rhs f32[4]).\n"
                           "  at here");
}

TEST(shape_error, vdot_of_different_sizes) {
  expect_error<ShapeError>([&] { np::vdot(np::ones({2, 3}), np::ones({3})); },
                           "vdot: operands must have equally many elements; got f32[2,3] and f32[3].\n"
                           "  at here");
}

TEST(shape_error, tensordot_with_axes_for_one_side) {
  expect_error<ShapeError>([&] { np::tensordot(np::ones({2, 3}), np::ones({2, 3}), {0, 1}, {0}); },
                           "tensordot: lhs and rhs must have equally many contracting axes; got 2 and 1 (lhs "
                           "f32[2,3], rhs f32[2,3]).\n"
                           "  at here");
}

TEST(shape_error, tensordot_with_an_axis_twice) {
  expect_error<ShapeError>([&] { np::tensordot(np::ones({2, 2}), np::ones({2, 2}), {0, 0}, {0, 1}); },
                           "tensordot: an axis of lhs must be contracted or batch only once; got [0,0] "
                           "contracted and [] batch for f32[2,2].\n"
                           "  at here");
}

TEST(shape_error, matmul_of_different_batches) {
  expect_error<ShapeError>([&] { np::matmul(np::ones({2, 3, 4}), np::ones({5, 4, 2})); },
                           "matmul: the axes before the last two must broadcast; got f32[2,3,4] and f32[5,4,2].\n"
                           "  at here");
}

TEST(shape_error, an_example_of_vmap_has_its_own_shape) {
  expect_error<ShapeError>(
      [&] {
        vmap([](Array x) {
          return lax::dot_general(x, np::ones({4}), {.lhs_contracting = {0}, .rhs_contracting = {0}});
        })(np::ones({5, 3}));
      },
      "dot_general: contracting sizes must match; lhs axis 0 has 3, rhs axis 0 has 4 (lhs "
      "f32[3], rhs f32[4]).\n"
      "  at here\n"
      "  while tracing vmap(f) at here");
}

TEST(shape_error, einsum_ellipses_that_do_not_broadcast) {
  expect_error<ShapeError>([&] { np::einsum("...i,...i->...", np::ones({2, 3}), np::ones({4, 3})); },
                           "einsum: axes of one name must have equal sizes; got 2 and 4 for '...' in "
                           "\"...i,...i->...\" (operands f32[2,3], f32[4,3]).\n"
                           "  at here");
}

TEST(shape_error, growing_in_place) {
  Array x = np::ones({3});
  expect_error<ShapeError>([&] { x += np::ones({2, 3}); },
                           "operator+=: x must keep its shape; got a result f32[2,3] for x of type f32[3].\n"
                           "  at here\n"
                           "hint: write x = x + y to change the shape.");
}

TEST(shape_error, the_diagonal_of_three_axes) {
  expect_error<ShapeError>([&] { np::diag(np::ones({2, 2, 2})); },
                           "diag: the array must have one or two axes; got f32[2,2,2].\n"
                           "  at here");
}

TEST(shape_error, the_trace_of_a_vector) {
  expect_error<ShapeError>([&] { np::trace(np::ones({3})); },
                           "trace: the array must have at least two axes; got f32[3].\n"
                           "  at here");
}

TEST(shape_error, an_identity_of_negative_size) {
  expect_error<ShapeError>([&] { np::eye(-3); },
                           "eye: sizes must not be negative; got shape [-3,-3].\n"
                           "  at here");
}

TEST(shape_error, random_numbers_of_negative_size) {
  expect_error<ShapeError>([&] { random::uniform(random::key(0), {-2}); },
                           "uniform: sizes must not be negative; got shape [-2].\n"
                           "  at here");
}

TEST(shape_error, clipping_by_a_bound_that_does_not_broadcast) {
  expect_error<ShapeError>([&] { np::clip(np::ones({2, 3}), np::ones({4}), 3.0f); },
                           "clip: shapes must broadcast; got f32[2,3] and f32[4].\n"
                           "  at here\n"
                           "hint: aligned to the right, sizes must be equal or 1; insert an axis with "
                           "x(newaxis, ...) or reshape.");
}

TEST(shape_error, cotangent_of_another_shape) {
  const auto result = vjp([](Array x) { return x * x; }, np::ones({2}));
  expect_error<ShapeError>([&] { result.second(np::ones({3})); },
                           "vjp: cotangent must have the shape of result; got f32[3] for f32[2].\n"
                           "  at here");
}

TEST(shape_error, tangent_of_a_linearized_function_of_another_shape) {
  const auto result = linearize([](Array x) { return x * x; }, np::ones({2}));
  expect_error<ShapeError>([&] { result.second(np::ones({3})); },
                           "linearize: tangents[0] must have the shape of args[0]; got f32[3] for f32[2].\n"
                           "  at here");
}

TEST(shape_error, a_loss_that_is_none) {
  expect_error<ShapeError>([&] { grad([](Array) { return Array(); })(np::ones({3})); },
                           "grad: the function must return a scalar; got none, a default-constructed Array.\n"
                           "  while tracing grad(f) at here");
}

TEST(shape_error, a_dynamic_slice_larger_than_the_array) {
  expect_error<ShapeError>([&] { lax::dynamic_slice(np::ones({3}), std::vector<Array>{Array(0)}, Dims{5}); },
                           "dynamic_slice: the window must fit in the operand; got window [5] for f32[3].\n"
                           "  at here");
}

TEST(shape_error, copy_to_a_span_that_is_too_short) {
  std::vector<float> out(2);
  expect_error<ShapeError>([&] { np::ones({3}).copy_to(std::span<float>(out)); },
                           "copy_to: the destination must have as many elements as the array; got 2 for f32[3].\n"
                           "  at here");
}

TEST(shape_error, an_abstract_array_with_a_negative_size) {
  expect_error<ShapeError>([&] { abstract(f32, {2, -3}); },
                           "abstract: sizes must not be negative; got shape [2,-3].\n"
                           "  at here");
}

}  // namespace
}  // namespace weft::errors
