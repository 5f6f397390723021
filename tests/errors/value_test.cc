#include "error_text.h"

namespace weft::errors {
namespace {

TEST(value_error, a_none_operand) {
  expect_error<ValueError>([&] { np::sin(Array()); },
                           "array: a none array has no type; got a default-constructed Array.\n"
                           "  at here");
}

TEST(value_error, a_none_operand_of_an_operator) {
  Array x;
  expect_error<ValueError>([&] { x + 1; },
                           "array: a none array has no type; got a default-constructed Array.\n"
                           "  at here");
}

TEST(value_error, the_elements_of_none) {
  expect_error<ValueError>([&] { Array().item<float>(); },
                           "item: the array is none; got a default-constructed Array.\n"
                           "  at here");
}

TEST(value_error, the_shape_of_none) {
  expect_error<ValueError>([&] { Array().shape(); },
                           "array: a none array has no type; got a default-constructed Array.");
}

TEST(value_error, a_none_argument_of_jit_that_is_used) {
  expect_error<ValueError>([&] { jit([](Array x, Array bias) { return x + bias; })(1.0f, Array()); },
                           "array: a none array has no type; got a default-constructed Array.\n"
                           "  at here\n"
                           "  while tracing jit(f) at here");
}

TEST(value_error, an_einsum_letter_that_is_nowhere) {
  expect_error<ValueError>([&] { np::einsum("ij,jk->iz", np::ones({2, 3}), np::ones({3, 4})); },
                           "einsum: every axis of the result must be in a term; got \"ij,jk->iz\".\n"
                           "  at here");
}

TEST(value_error, an_einsum_with_too_few_operands) {
  expect_error<ValueError>([&] { np::einsum("ij,jk->ik", np::ones({2, 3})); },
                           "einsum: there must be one term per operand (1); got \"ij,jk->ik\".\n"
                           "  at here");
}

TEST(value_error, a_range_with_step_zero) {
  expect_error<ValueError>([&] { np::arange(0, 3, 0); },
                           "arange: the step must not be zero; got 0.\n"
                           "  at here");
}

TEST(value_error, a_slice_with_step_zero) {
  expect_error<ValueError>([&] { np::ones({3})(slice(0, 3, 0)); },
                           "slice: the step must not be zero; got 0.\n"
                           "  at here");
}

TEST(value_error, vmap_of_nothing) {
  expect_error<ValueError>([&] { vmap([](Array x) { return x; }, unmapped)(np::ones({3})); },
                           "vmap: at least one argument must be mapped; got none.\n"
                           "  at here\n"
                           "hint: give an axis in in_axes.");
}

TEST(value_error, an_unmapped_result_that_varies) {
  expect_error<ValueError>([&] { vmap([](Array x) { return x; }, 0, unmapped)(np::ones({3})); },
                           "vmap: out_axes must give an axis for a result that varies; got `unmapped` for result.\n"
                           "  at here");
}

TEST(value_error, concatenation_of_nothing) {
  expect_error<ValueError>([&] { np::concatenate(std::vector<Array>()); },
                           "concatenate: there must be at least one array; got none.\n"
                           "  at here");
}

TEST(value_error, no_threads) {
  expect_error<ValueError>([&] { set_num_threads(0); },
                           "set_num_threads: the number of threads must be from 1 to 1024; got 0.");
}

TEST(value_error, a_negative_number_of_keys) {
  expect_error<ValueError>([&] { random::split(random::key(0), -1); },
                           "split: the number of keys must not be negative; got -1.\n"
                           "  at here");
}

}  // namespace
}  // namespace weft::errors
