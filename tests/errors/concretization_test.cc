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
      "bool: needs the value of a bool[] that is only known when the program runs.\n"
      "  the value was made at here while tracing jit(f) at here\n"
      "  while tracing jit(f) at here\n"
      "hint: use np::where or lax::select to choose by value, pass the argument as a static value (a plain int, bool "
      "or string), or move the test outside the traced function.");
}

TEST(concretization_error, if_under_vmap) {
  const auto relu = [](Array x) {
    if (x > 0) return x;
    return 0 * x;
  };
  expect_error<ConcretizationError>([&] { vmap(relu)(np::ones({3})); },
                                    "bool: needs the value of a bool[] that is only known when the program runs.\n"
                                    "  the value was made at here while tracing vmap(f) at here\n"
                                    "  while tracing vmap(f) at here\n"
                                    "hint: under vmap each example may take a different branch; use np::where or "
                                    "lax::select, or map over another axis.");
}

TEST(concretization_error, while_under_jit) {
  expect_error<ConcretizationError>(
      [&] {
        jit([](Array x) {
          while (x < 10) x = 2 * x;
          return x;
        })(1.0f);
      },
      "bool: needs the value of a bool[] that is only known when the program runs.\n"
      "  the value was made at here while tracing jit(f) at here\n"
      "  while tracing jit(f) at here\n"
      "hint: use np::where or lax::select to choose by value, pass the argument as a static value (a plain int, bool "
      "or string), or move the test outside the traced function.");
}

TEST(concretization_error, item_under_jit) {
  expect_error<ConcretizationError>(
      [&] { jit([](Array x) { return x * x.item<float>(); })(1.0f); },
      "item: needs the value of a f32[] that is only known when the program runs.\n"
      "  at here\n"
      "  the value was made as an argument while tracing jit(f) at here\n"
      "  while tracing jit(f) at here\n"
      "hint: use np::where or lax::select to choose by value, pass the argument as a static value (a plain int, bool "
      "or string), or move the test outside the traced function.");
}

TEST(concretization_error, to_vector_under_jit) {
  expect_error<ConcretizationError>(
      [&] { jit([](Array x) { return x * x.to_vector<float>()[0]; })(np::ones({3})); },
      "to_vector: needs the value of a f32[3] that is only known when the program runs.\n"
      "  at here\n"
      "  the value was made as an argument while tracing jit(f) at here\n"
      "  while tracing jit(f) at here\n"
      "hint: use np::where or lax::select to choose by value, pass the argument as a static value (a plain int, bool "
      "or string), or move the test outside the traced function.");
}

TEST(concretization_error, mask_under_jit) {
  expect_error<ConcretizationError>([&] { jit([](Array x) { return np::sum(x(x > 0)); })(np::ones({3})); },
                                    "index: a bool array used as an index must have known values, for the result's "
                                    "shape depends on them; got a traced bool[3].\n"
                                    "  at here\n"
                                    "  while tracing jit(f) at here\n"
                                    "hint: use np::where(mask, new, old), which keeps the shape.");
}

TEST(concretization_error, mask_under_vmap) {
  expect_error<ConcretizationError>(
      [&] { vmap([](Array x) { return np::sum(x(x > 0)); })(np::ones({2, 3})); },
      "to_vector: needs the value of a bool[3] that is only known when the program runs.\n"
      "  at here\n"
      "  the value was made at here while tracing vmap(f) at here\n"
      "  while tracing vmap(f) at here\n"
      "hint: under vmap each example may take a different branch; use np::where or lax::select, or map over another "
      "axis.");
}

TEST(concretization_error, nonzero_under_jit) {
  expect_error<ConcretizationError>([&] { jit([](Array x) { return x.at(x > 0).set(0); })(np::ones({3})); },
                                    "index: a bool array used as an index must have known values, for the result's "
                                    "shape depends on them; got a traced bool[3].\n"
                                    "  at here\n"
                                    "  while tracing jit(f) at here\n"
                                    "hint: use np::where(mask, new, old), which keeps the shape.");
}

TEST(concretization_error, if_under_grad_of_jit) {
  expect_error<ConcretizationError>(
      [&] {
        grad(jit([](Array x) {
          if (x > 0) return x;
          return -x;
        }))(1.0f);
      },
      "bool: needs the value of a bool[] that is only known when the program runs.\n"
      "  the value was made at here while tracing jit(f) at here\n"
      "  while tracing jit(f) at here\n"
      "  while tracing grad(f) at here\n"
      "hint: use np::where or lax::select to choose by value, pass the argument as a static value (a plain int, bool "
      "or string), or move the test outside the traced function.");
}

}  // namespace
}  // namespace weft::errors
