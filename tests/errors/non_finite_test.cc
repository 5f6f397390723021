#include "error_text.h"

namespace weft::errors {
namespace {

using debug::CheckScope;

TEST(non_finite_error, an_infinity_of_an_eager_operation) {
  expect_error<NonFiniteError>(
      [] {
        const CheckScope checks({.infs = true});
        np::log(np::array({1.0, 0.0}));
      },
      "log: the result must be finite; got -inf at [1], in the forward pass.\n"
      "  at here");
}

TEST(non_finite_error, a_nan_of_a_compiled_program) {
  expect_error<NonFiniteError>(
      [] {
        const CheckScope checks({.nans = true});
        jit([](Array x) { return np::sqrt(x) + 1; })(np::array({4.0f, -4.0f}));
      },
      "sqrt: the result must be a number; got nan at [1], in the forward pass.\n"
      "  at here");
}

TEST(non_finite_error, an_infinity_of_the_backward_pass) {
  expect_error<NonFiniteError>(
      [] {
        const CheckScope checks({.nans = true, .infs = true});
        grad([](Array x) { return np::sum(np::sqrt(x)); })(np::array({1.0, 0.0}));
      },
      "sqrt: the gradient by an operand must be finite; got inf at [1], in the backward pass.\n"
      "  at here\n"
      "  while tracing grad(f) at here");
}

TEST(non_finite_error, an_infinity_of_the_tangents) {
  expect_error<NonFiniteError>(
      [] {
        const CheckScope checks({.nans = true, .infs = true});
        jvp([](Array x) { return np::sqrt(x); }, 0.0, 1.0);
      },
      "sqrt: the tangent of the result must be finite; got inf, in forward mode.\n"
      "  at here\n"
      "  while tracing jvp(f) at here");
}

TEST(non_finite_error, an_infinity_of_an_example_in_an_iteration) {
  expect_error<NonFiniteError>(
      [] {
        const CheckScope checks({.infs = true});
        const auto over = [](Array xs) {
          return scan([](Array c, Array x) { return std::pair(c / x, c); }, Array(1.0f), xs).first;
        };
        vmap(over)(np::array({{1.f, 2.f}, {3.f, 0.f}}));
      },
      "divide: the result must be finite; got inf, in the forward pass, for example 1, in iteration 1 of scan at "
      "here.\n"
      "  at here\n"
      "  while tracing vmap(f) at here");
}

}  // namespace
}  // namespace weft::errors
