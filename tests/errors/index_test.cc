#include "error_text.h"

namespace weft::errors {
namespace {

TEST(index_error, an_index_out_of_range) {
  const Array x = np::ones({3, 4});
  expect_error<IndexError>([&] { x(0, 4); },
                           "index: axis 1 of f32[3,4] takes indices in [-4, 4); got 4.\n"
                           "  at here");
}

TEST(index_error, an_index_too_far_from_the_end) {
  expect_error<IndexError>([&] { np::ones({3})(-4); },
                           "index: axis 0 of f32[3] takes indices in [-3, 3); got -4.\n"
                           "  at here");
}

TEST(index_error, too_many_indices) {
  expect_error<IndexError>([&] { np::ones({3, 4})(0, 0, 0); },
                           "index: there must be at most one index per axis; got 3 indices for f32[3,4].\n"
                           "  at here");
}

TEST(index_error, two_ellipses) {
  expect_error<IndexError>([&] { np::ones({3, 4})(ellipsis, ellipsis); },
                           "index: there must be at most one ellipsis; got 2.\n"
                           "  at here");
}

TEST(index_error, a_mask_of_another_size) {
  expect_error<IndexError>(
      [&] { np::ones({3})(np::ones({4}) > 0); },
      "index: a mask must have the sizes of the axes it indexes; got bool[4] at axis 0 of f32[3].\n"
      "  at here");
}

TEST(index_error, index_arrays_that_do_not_broadcast) {
  expect_error<IndexError>([&] { np::ones({3, 3})({0, 1}, {0, 1, 2}); },
                           "index: index arrays must broadcast together; got i32[2] and i32[3].\n"
                           "  at here\n"
                           "hint: to pick rows and columns independently, index twice or add an axis: "
                           "rows(slice(), newaxis).");
}

TEST(index_error, a_wrong_axis) {
  expect_error<IndexError>([&] { np::sum(np::ones({2, 3}), 2); },
                           "sum: axis must be in [-2, 2); got 2 for f32[2,3].\n"
                           "  at here");
}

TEST(index_error, an_axis_twice) {
  expect_error<IndexError>([&] { np::sum(np::ones({2, 3}), {0, -2}); },
                           "sum: axes must be distinct; got [0,-2] for f32[2,3].\n"
                           "  at here");
}

TEST(index_error, a_wrong_axis_of_concatenate) {
  expect_error<IndexError>([&] { np::concatenate({np::ones({2}), np::ones({2})}, 1); },
                           "concatenate: axis must be in [-1, 1); got 1 for f32[2].\n"
                           "  at here");
}

TEST(index_error, axes_of_transpose_that_are_no_permutation) {
  expect_error<IndexError>([&] { np::transpose(np::ones({2, 3}), {0, 0}); },
                           "transpose: axes must be distinct; got [0,0].\n"
                           "  at here");
}

TEST(index_error, the_size_of_an_axis_that_is_not_there) {
  expect_error<IndexError>([&] { np::ones({2, 3}).shape(2); },
                           "shape: axis must be in [-2, 2); got 2 for f32[2,3].\n"
                           "  at here");
}

TEST(index_error, vmap_of_a_scalar) {
  expect_error<IndexError>([&] { vmap([](Array x, Array y) { return x * y; })(np::ones({3}), Array(2.0f)); },
                           "vmap: a mapped argument must have an axis; got axis 0 for args[1] of type f32[].\n"
                           "  while tracing vmap(f) at here\n"
                           "hint: use `unmapped` for it in in_axes.");
}

TEST(index_error, vmap_over_an_axis_that_is_not_there) {
  expect_error<IndexError>([&] { vmap([](Array x) { return x; }, 1)(np::ones({3})); },
                           "vmap: the mapped axis must be in [-1, 1); got axis 1 for args[0] of type f32[3].\n"
                           "  while tracing vmap(f) at here");
}

TEST(index_error, vmap_to_an_axis_that_is_not_there) {
  expect_error<IndexError>([&] { vmap([](Array x) { return x; }, 0, 1)(np::ones({3})); },
                           "vmap: the axis of a result must be in [-1, 1); got 1 for result.\n"
                           "  while tracing vmap(f) at here");
}

TEST(index_error, argmax_over_a_wrong_axis) {
  expect_error<IndexError>([&] { np::argmax(np::ones({3}), 1); },
                           "argmax: axis must be in [-1, 1); got 1 for f32[3].\n"
                           "  at here");
}

TEST(index_error, a_negative_axis_too_far) {
  expect_error<IndexError>([&] { np::sum(np::ones({2, 3}), -3); },
                           "sum: axis must be in [-2, 2); got -3 for f32[2,3].\n"
                           "  at here");
}

TEST(index_error, an_axis_of_a_scalar) {
  expect_error<IndexError>([&] { np::unstack(Array(1.0f)); },
                           "unstack: a 0-d array has no axes; got axis 0 for f32[].\n"
                           "  at here");
}

TEST(index_error, a_new_axis_too_far) {
  expect_error<IndexError>([&] { np::expand_dims(np::ones({2, 3}), 5); },
                           "expand_dims: axis must be in [-3, 3); got 5 for a result with 3 axes.\n"
                           "  at here");
}

TEST(index_error, the_same_axis_of_squeeze_twice) {
  expect_error<IndexError>([&] { np::squeeze(np::ones({1, 1}), {0, -2}); },
                           "squeeze: axes must be distinct; got [0,-2] for f32[1,1].\n"
                           "  at here");
}

TEST(index_error, an_index_of_a_scalar) {
  expect_error<IndexError>([&] { Array(1.0f)(0); },
                           "index: there must be at most one index per axis; got 1 index for f32[].\n"
                           "  at here");
}

TEST(index_error, an_unsigned_number_below_zero) {
  const std::vector<int> none;
  const std::string text =
      "index: an index must be below 2^63; got 18446744073709551615.\n"
      "  at here\n"
      "hint: an unsigned 0 less 1 wraps round; a signed number, or -1 itself, counts from the end.";
  expect_error<IndexError>([&] { np::ones({3})(none.size() - 1); }, text);
  expect_error<IndexError>([&] { np::ones({3})(slice(0, none.size() - 1)); }, text);
}

TEST(index_error, a_write_out_of_range) {
  expect_error<IndexError>([&] { np::ones({3}).at(7).set(1); },
                           "at.set: axis 0 of f32[3] takes indices in [-3, 3); got 7.\n"
                           "  at here");
}

TEST(index_error, an_axis_of_an_example_under_vmap) {
  expect_error<IndexError>([&] { vmap([](Array x) { return np::sum(x, 1); })(np::ones({5, 3})); },
                           "sum: axis must be in [-1, 1); got 1 for f32[3].\n"
                           "  at here\n"
                           "  while tracing vmap(f) at here");
}

TEST(index_error, lax_slice_out_of_range) {
  expect_error<IndexError>([&] { lax::slice(np::ones({3}), Dims{2}, Dims{5}); },
                           "slice: bounds must satisfy 0 <= start <= limit <= size; got start 2, limit 5 for "
                           "axis 0 of f32[3].\n"
                           "  at here");
}

TEST(index_error, lax_reduce_over_a_wrong_axis) {
  expect_error<IndexError>([&] { lax::reduce_sum(np::ones({3}), Dims{1}); },
                           "reduce: axes must be in [0, 1); got [1].\n"
                           "  at here");
}

TEST(index_error, rotation_of_a_vector) {
  expect_error<IndexError>([&] { np::rot90(np::ones({3})); },
                           "rot90: axis must be in [-1, 1); got 1 for f32[3].\n"
                           "  at here");
}

TEST(index_error, an_index_found_by_checkify) {
  expect_error<IndexError>(
      [&] {
        const auto at = [](Array x, Array i) { return x(i); };
        checkify::checkify(at, checkify::index_checks)(np::arange(3), np::array({0, 7})).first.throw_();
      },
      "gather: indices must be in range; got 7 for axis 0 of i32[3].\n"
      "  at here");
}

}  // namespace
}  // namespace weft::errors
