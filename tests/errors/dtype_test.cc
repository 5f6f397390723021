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
                           "sine: operands must be float or complex; got i32.\n"
                           "  at here");
}

TEST(dtype_error, bits_of_floats) {
  expect_error<DTypeError>([&] { np::ones({3}) & np::ones({3}); },
                           "and: operands must be bool or integer; got f32.\n"
                           "  at here");
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
  expect_error<DTypeError>([&] { np::array({std::complex<float>(1, 2)}) < 1.0f; },
                           "compare: complex numbers can only be compared by eq and ne; got LT of c64[1] and c64[1].\n"
                           "  at here\n"
                           "hint: compare real(x), imag(x) or abs(x).");
}

TEST(dtype_error, a_complex_loss) {
  expect_error<DTypeError>([&] { grad([](Array x) { return np::sum(x * std::complex<float>(0, 1)); })(np::ones({3})); },
                           "grad: the function must return a real float; got c64[].\n"
                           "  while tracing grad(f) at here\n"
                           "hint: take real(), or use vjp, which allows complex results.");
}

TEST(dtype_error, an_integer_loss) {
  expect_error<DTypeError>([&] { grad([](Array x) { return np::sum(x > 0); })(np::ones({3})); },
                           "grad: the function must return a real float; got i32[].\n"
                           "  while tracing grad(f) at here");
}

TEST(dtype_error, an_index_of_floats) {
  expect_error<DTypeError>([&] { np::ones({3})(np::array({0.0f, 1.0f})); },
                           "index: index arrays must be integers or bool; got f32[2].\n"
                           "  at here");
}

TEST(dtype_error, tangent_of_another_dtype) {
  expect_error<DTypeError>([&] { jvp([](Array x) { return x * x; }, np::ones({3}), np::arange(3)); },
                           "jvp: tangents[0] must have the dtype of primals[0]; got i32[3] for f32[3].\n"
                           "  at here");
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
                           "hint: convert them with tree::map and astype.");
}

TEST(dtype_error, mean_of_integer_dtype) {
  expect_error<DTypeError>([&] { np::mean(np::ones({3}), {}, false, i32); },
                           "mean: the dtype must be float or complex; got i32.\n"
                           "  at here");
}

}  // namespace
}  // namespace weft::errors
