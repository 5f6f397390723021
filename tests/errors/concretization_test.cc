#include "error_text.h"

namespace weft::errors {
namespace {

TEST(concretization_error, if_under_jit) {
  const auto relu = [](Array x) {
    if (x > 0) return x;
    return 0 * x;
  };
  expect_error<ConcretizationError>(
      [&] { jit(relu)(1.0f); },
      "bool: the array's value must be known; got a traced bool[], whose value is known "
      "only when the program runs.\n"
      "  made at here by jit(f) at here\n"
      "  while tracing jit(f) at here\n"
      "hint: choose by value with np::where(condition, a, b), decide by a static argument "
      "(int, bool, string), or test outside the traced function.");
}

TEST(concretization_error, if_under_vmap) {
  const auto relu = [](Array x) {
    if (x > 0) return x;
    return 0 * x;
  };
  expect_error<ConcretizationError>(
      [&] { vmap(relu)(np::ones({3})); },
      "bool: the array's value must be known; got a mapped bool[], which has one value per "
      "example.\n"
      "  made at here by vmap(f) at here\n"
      "  while tracing vmap(f) at here\n"
      "hint: choose per example with np::where(condition, a, b), or map over another axis.");
}

TEST(concretization_error, while_under_jit) {
  expect_error<ConcretizationError>(
      [&] {
        jit([](Array x) {
          while (x < 10) x = 2 * x;
          return x;
        })(1.0f);
      },
      "bool: the array's value must be known; got a traced bool[], whose value is known "
      "only when the program runs.\n"
      "  made at here by jit(f) at here\n"
      "  while tracing jit(f) at here\n"
      "hint: choose by value with np::where(condition, a, b), decide by a static argument "
      "(int, bool, string), or test outside the traced function.");
}

TEST(concretization_error, item_under_jit) {
  expect_error<ConcretizationError>(
      [&] { jit([](Array x) { return x * x.item<float>(); })(1.0f); },
      "item: the array's value must be known; got a traced f32[], whose value is known "
      "only when the program runs.\n"
      "  at here\n"
      "  argument args[0] of jit(f) at here\n"
      "  while tracing jit(f) at here\n"
      "hint: compute with the array itself, pass a static argument (int, bool, string), or "
      "read the value outside the traced function.");
}

TEST(concretization_error, to_vector_under_jit) {
  expect_error<ConcretizationError>(
      [&] { jit([](Array x) { return x * x.to_vector<float>()[0]; })(np::ones({3})); },
      "to_vector: the array's value must be known; got a traced f32[3], whose value is "
      "known only when the program runs.\n"
      "  at here\n"
      "  argument args[0] of jit(f) at here\n"
      "  while tracing jit(f) at here\n"
      "hint: compute with the array itself, pass a static argument (int, bool, string), or "
      "read the value outside the traced function.");
}

TEST(concretization_error, mask_under_jit) {
  expect_error<ConcretizationError>(
      [&] { jit([](Array x) { return np::sum(x(x > 0)); })(np::ones({3})); },
      "index: a bool array used as an index must have known values, for the result's shape "
      "depends on them; got a traced bool[3].\n"
      "  at here\n"
      "  while tracing jit(f) at here\n"
      "hint: np::where(mask, x, 0) keeps the shape.");
}

TEST(concretization_error, mask_under_vmap) {
  expect_error<ConcretizationError>(
      [&] { vmap([](Array x) { return np::sum(x(x > 0)); })(np::ones({2, 3})); },
      "index: a bool array used as an index must have known values, for the result's shape "
      "depends on them; got a traced bool[3].\n"
      "  at here\n"
      "  while tracing vmap(f) at here\n"
      "hint: np::where(mask, x, 0) keeps the shape.");
}

TEST(concretization_error, nonzero_under_jit) {
  expect_error<ConcretizationError>(
      [&] { jit([](Array x) { return x.at(x > 0).set(0); })(np::ones({3})); },
      "at.set: a bool array used as an index must have known values, for the result's shape "
      "depends on them; got a traced bool[3].\n"
      "  at here\n"
      "  while tracing jit(f) at here\n"
      "hint: np::where(mask, x, 0) keeps the shape.");
}

TEST(concretization_error, if_under_grad_of_jit) {
  expect_error<ConcretizationError>(
      [&] {
        grad(jit([](Array x) {
          if (x > 0) return x;
          return -x;
        }))(1.0f);
      },
      "bool: the array's value must be known; got a traced bool[], whose value is known "
      "only when the program runs.\n"
      "  made at here by jit(f) at here\n"
      "  while tracing jit(f) at here\n"
      "  while tracing grad(f) at here\n"
      "hint: choose by value with np::where(condition, a, b), decide by a static argument "
      "(int, bool, string), or test outside the traced function.");
}

TEST(concretization_error, the_value_of_an_abstract_array) {
  expect_error<ConcretizationError>(
      [&] { eval_shape([](Array x) { return np::sum(x); }, np::ones({3})).item<float>(); },
      "item: the array's value must be known; got an abstract f32[], which has a type only.\n"
      "  at here\n"
      "hint: call the function itself instead of eval_shape to get values.");
}

TEST(concretization_error, computing_with_an_abstract_array) {
  expect_error<ConcretizationError>([&] { eval_shape([](Array x) { return 2 * x; }, np::ones({3})) + 1; },
                                    "add: operands must have values; got an abstract f32[3], which has a type only.\n"
                                    "  at here\n"
                                    "hint: abstract arrays are arguments for eval_shape and make_jaxpr; call the "
                                    "function with real arrays.");
}

TEST(concretization_error, item_under_vmap) {
  expect_error<ConcretizationError>(
      [&] { vmap([](Array x) { return x * x.item<float>(); })(np::ones({3})); },
      "item: the array's value must be known; got a mapped f32[], which has one value per "
      "example.\n"
      "  at here\n"
      "  argument args[0] of vmap(f) at here\n"
      "  while tracing vmap(f) at here\n"
      "hint: compute with the array itself, or read the values after vmap has returned.");
}

}  // namespace
}  // namespace weft::errors
