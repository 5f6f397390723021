#include "error_text.h"

namespace weft::errors {
namespace {

TEST(dtype_error, lax_operands_of_different_dtypes) {
  expect_error<DTypeError>([&] { lax::add(np::ones({3}), np::arange(3)); },
                           "add: operands must have equal dtypes; got f32[3] and i32[3].\n"
                           "  at here\n"
                           "hint: convert one of them with astype, or use np::, which promotes.");
}

TEST(dtype_error, lax_function_of_integers) {
  expect_error<DTypeError>([&] { lax::sine(np::arange(3)); },
                           "sine: the operand must be float or complex; got i32[3].\n"
                           "  at here\n"
                           "hint: convert with astype(f32), or use np::, which promotes.");
}

TEST(dtype_error, bits_of_floats) {
  expect_error<DTypeError>([&] { np::ones({3}) & np::ones({3}); },
                           "bitwise_and: operands must be bool or integer; got f32[3] and f32[3].\n"
                           "  at here\n"
                           "hint: compare first, as in (x > 0) & (y > 0), or convert with astype(i32).");
}

TEST(dtype_error, to_vector_of_another_type) {
  expect_error<DTypeError>([&] { np::ones({3}).to_vector<int>(); },
                           "to_vector: the C++ type must match the dtype; got i32 for f32[3].\n"
                           "  at here\n"
                           "hint: convert first with astype(i32).");
}

TEST(dtype_error, to_vector_of_double_from_f32) {
  expect_error<DTypeError>([&] { np::ones({3}).to_vector<double>(); },
                           "to_vector: the C++ type must match the dtype; got f64 for f32[3].\n"
                           "  at here\n"
                           "hint: convert first with astype(f64).");
}

TEST(dtype_error, order_of_complex_numbers) {
  // np compares them part by part.
  expect_error<DTypeError>([&] { lax::lt(np::array({std::complex<float>(1, 2)}), 1.0f); },
                           "compare: complex numbers have no order; got c64[1] and c64[1].\n"
                           "  at here\n"
                           "hint: compare real(x), imag(x) or abs(x).");
}

TEST(dtype_error, a_complex_loss) {
  expect_error<DTypeError>([&] { grad([](Array x) { return np::sum(x * std::complex<float>(0, 1)); })(np::ones({3})); },
                           "grad: the function must return a real float; got c64[].\n"
                           "  while tracing grad(f) at here\n"
                           "hint: take np::real(y) or np::abs(y), or use vjp, which allows complex results.");
}

TEST(dtype_error, an_integer_loss) {
  expect_error<DTypeError>([&] { grad([](Array x) { return np::sum(x > 0); })(np::ones({3})); },
                           "grad: the function must return a real float; got i32[].\n"
                           "  while tracing grad(f) at here\n"
                           "hint: integers and bool have no derivative; compute the loss in floats.");
}

TEST(dtype_error, an_index_of_floats) {
  expect_error<DTypeError>([&] { np::ones({3})(np::array({0.0f, 1.0f})); },
                           "index: index arrays must be integers or bool; got f32[2].\n"
                           "  at here");
}

TEST(dtype_error, tangent_of_another_dtype) {
  expect_error<DTypeError>([&] { jvp([](Array x) { return x * x; }, np::ones({3}), np::arange(3)); },
                           "jvp: tangents[0] must have the dtype of primals[0]; got i32[3] for f32[3].\n"
                           "  at here\n"
                           "hint: convert it with astype; a number takes the dtype of its C++ type: 0.0f is f32, 0.0 "
                           "f64.");
}

TEST(dtype_error, tangent_of_an_integer) {
  expect_error<DTypeError>([&] { jvp([](Array x) { return x * 2; }, np::arange(3), np::arange(3)); },
                           "jvp: tangents[0] must be none, for integers and bool have no tangent; got i32[3] for "
                           "primals[0] of type i32[3].\n"
                           "  at here\n"
                           "hint: pass a default-constructed Array.");
}

TEST(dtype_error, random_bits_of_floats) {
  expect_error<DTypeError>([&] { random::bits(random::key(0), {2}, f32); },
                           "bits: the dtype must be unsigned; got f32.\n"
                           "  at here");
}

TEST(dtype_error, normal_integers) {
  expect_error<DTypeError>([&] { random::normal(random::key(0), {2}, i32); },
                           "normal: the dtype must be a float; got i32.\n"
                           "  at here");
}

TEST(dtype_error, ravel_of_different_dtypes) {
  expect_error<DTypeError>([&] { ravel(std::vector<Array>{np::ones({2}), np::arange(2)}); },
                           "ravel: all leaves must have one dtype; got f32[2] and i32[2].\n"
                           "  at here\n"
                           "hint: convert them with tree::map and astype.");
}

TEST(dtype_error, mean_of_integer_dtype) {
  expect_error<DTypeError>([&] { np::mean(np::ones({3}), {}, false, i32); },
                           "mean: the dtype must be float or complex; got i32.\n"
                           "  at here");
}

TEST(dtype_error, a_random_key_of_floats) {
  expect_error<DTypeError>([&] { random::normal(np::zeros({2}), {2}); },
                           "normal: a key must be u32[2], two words; got f32[2].\n"
                           "  at here\n"
                           "hint: make one with random::key(seed).");
}

TEST(dtype_error, a_seed_instead_of_a_random_key) {
  expect_error<DTypeError>([&] { random::split(42); },
                           "split: a key must be u32[2], two words; got i32[].\n"
                           "  at here\n"
                           "hint: make one with random::key(seed).");
}

TEST(dtype_error, adding_floats_to_integers_in_place) {
  Array x = np::arange(3);
  expect_error<DTypeError>([&] { x += 1.5f; },
                           "operator+=: x must keep its dtype, which must hold the result's kind of numbers; "
                           "got f32[3] for x of type i32[3].\n"
                           "  at here\n"
                           "hint: write x = x + y to change the dtype, or convert y with astype(i32).");
}

TEST(dtype_error, dividing_integers_in_place) {
  Array x = np::arange(3);
  expect_error<DTypeError>([&] { x /= 2; },
                           "operator/=: x must keep its dtype, which must hold the result's kind of numbers; "
                           "got f32[3] for x of type i32[3].\n"
                           "  at here\n"
                           "hint: write x = x / y to change the dtype, or x = np::floor_divide(x, y) to divide "
                           "integers.");
}

TEST(dtype_error, adding_complex_numbers_to_floats_in_place) {
  Array x = np::ones({3});
  expect_error<DTypeError>([&] { x += std::complex<float>(0, 1); },
                           "operator+=: x must keep its dtype, which must hold the result's kind of numbers; "
                           "got c64[3] for x of type f32[3].\n"
                           "  at here\n"
                           "hint: write x = x + y to change the dtype, or take np::real(y).");
}

TEST(dtype_error, adding_signed_to_unsigned_in_place) {
  Array x = np::ones({3}, u8);
  expect_error<DTypeError>([&] { x += np::arange(3); },
                           "operator+=: x must keep its dtype, which must hold the result's kind of numbers; "
                           "got i32[3] for x of type u8[3].\n"
                           "  at here\n"
                           "hint: write x = x + y to change the dtype, or convert y with astype(u8).");
}

TEST(dtype_error, counting_in_a_bool) {
  Array x = np::ones({3}) > 0;
  expect_error<DTypeError>([&] { x += 1; },
                           "operator+=: x must keep its dtype, which must hold the result's kind of numbers; "
                           "got i32[3] for x of type bool[3].\n"
                           "  at here\n"
                           "hint: write x = x + y to change the dtype, or convert y with astype(bool).");
}

TEST(dtype_error, setting_complex_numbers_in_floats) {
  expect_error<DTypeError>([&] { np::ones({3}).at(0).set(std::complex<float>(1, 2)); },
                           "at.set: the value must be of the array's kind of numbers or a lesser one; got c64[] "
                           "for f32[3].\n"
                           "  at here\n"
                           "hint: convert the array first with astype(c64), or take np::real of the value.");
}

TEST(dtype_error, adding_complex_numbers_at_an_index_of_floats) {
  expect_error<DTypeError>([&] { np::ones({3}).at(slice(0, 1)).add(np::array({std::complex<float>(1, 2)})); },
                           "at.add: the value must be of the array's kind of numbers or a lesser one; got "
                           "c64[1] for f32[3].\n"
                           "  at here\n"
                           "hint: convert the array first with astype(c64), or take np::real of the value.");
}

TEST(dtype_error, setting_floats_in_integers) {
  expect_error<DTypeError>([&] { np::arange(3).at(0).set(1.5f); },
                           "at.set: the value must be of the array's kind of numbers or a lesser one; got f32[] "
                           "for i32[3].\n"
                           "  at here\n"
                           "hint: convert the array first with astype(f32), or the value with astype(i32).");
}

TEST(dtype_error, subtracting_bools) {
  const Array x = np::ones({3}) > 0;
  expect_error<DTypeError>([&] { x - x; },
                           "subtract: operands must be integer, float or complex; got bool[3] and bool[3].\n"
                           "  at here\n"
                           "hint: convert with astype(i32).");
}

TEST(dtype_error, the_bits_of_floats_shifted) {
  expect_error<DTypeError>([&] { np::ones({3}) << 1; },
                           "left_shift: operands must be integer; got f32[3] and f32[3].\n"
                           "  at here\n"
                           "hint: convert with astype(i32).");
}

TEST(dtype_error, a_cotangent_of_another_dtype) {
  const auto result = vjp([](Array x) { return x * x; }, np::ones({2}));
  expect_error<DTypeError>([&] { result.second(np::arange(2)); },
                           "vjp: cotangent must have the dtype of result; got i32[2] for f32[2].\n"
                           "  at here\n"
                           "hint: convert it with astype; a number takes the dtype of its C++ type: 0.0f is f32, 0.0 "
                           "f64.");
}

TEST(dtype_error, a_float_folded_into_a_key) {
  expect_error<DTypeError>([&] { random::fold_in(random::key(0), np::array(1.5f)); },
                           "fold_in: the data must be an integer; got f32[].\n"
                           "  at here");
}

TEST(dtype_error, integer_logits) {
  expect_error<DTypeError>([&] { random::categorical(random::key(0), np::arange(3)); },
                           "categorical: logits must be floats; got i32[3].\n"
                           "  at here");
}

TEST(dtype_error, taking_at_floats) {
  expect_error<DTypeError>([&] { np::take(np::ones({3}), np::ones({3})); },
                           "take: index arrays must be integers or bool; got f32[3].\n"
                           "  at here");
}

TEST(dtype_error, the_limits_of_another_kind) {
  expect_error<DTypeError>([&] { np::finfo(i32); },
                           "finfo: the dtype must be float or complex; got i32.\n"
                           "  at here");
  expect_error<DTypeError>([&] { np::iinfo(f32); },
                           "iinfo: the dtype must be an integer's; got f32.\n"
                           "  at here");
}

TEST(dtype_error, a_complex_number_as_a_real_one) {
  const Array z = np::array(std::complex<float>(1, 2));
  const std::string hint =
      "  at here\nhint: take a part of it first with np::real or np::imag, or its size with np::abs.";
  expect_error<DTypeError>([&] { (void)z.item<float>(); },
                           "item: a complex number is not real; got f32 for c64[].\n" + hint);
  expect_error<DTypeError>([&] { (void)np::array({std::complex<double>(1, 0)}).item<int>(); },
                           "item: a complex number is not real; got i32 for c128[1].\n" + hint);
}

}  // namespace
}  // namespace weft::errors
