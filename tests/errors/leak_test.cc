#include "error_text.h"

#include <thread>

namespace weft::errors {
namespace {

TEST(leak_error, a_value_stored_by_a_jitted_function) {
  Array stored;
  jit([&](Array x) {
    stored = np::sin(x);
    return x;
  })(1.0f);
  expect_error<LeakError>([&] { stored + 1; },
                          "add: operands must belong to a running transformation; got a f32[] that jit(f) at here, "
                          "which has ended, made at here.\n"
                          "  at here\n"
                          "hint: return the value from the function instead of storing it elsewhere.");
}

TEST(leak_error, an_argument_stored_by_a_differentiated_function) {
  Array stored;
  grad([&](Array x) {
    stored = x;
    return x * x;
  })(1.0f);
  expect_error<LeakError>([&] { stored + 1; },
                          "add: operands must belong to a running transformation; got a f32[] that grad(f) at here, "
                          "which has ended, made as an argument.\n"
                          "  at here\n"
                          "hint: return the value from the function instead of storing it elsewhere.");
}

TEST(leak_error, the_elements_of_a_leaked_value) {
  Array stored;
  jit([&](Array x) {
    stored = np::sin(x);
    return x;
  })(1.0f);
  expect_error<LeakError>([&] { stored.item<float>(); },
                          "item: a f32[] outlived jit(f) at here, which made it at here.\n"
                          "  at here\n"
                          "hint: return the value from the function instead of storing it elsewhere.");
}

TEST(leak_error, a_leaked_value_under_another_transformation) {
  Array stored;
  jit([&](Array x) {
    stored = np::sin(x);
    return x;
  })(1.0f);
  expect_error<LeakError>([&] { grad([&](Array x) { return x * stored; })(1.0f); },
                          "multiply: operands must belong to a running transformation; got a f32[] that jit(f) at "
                          "here, which has ended, made at here.\n"
                          "  at here\n"
                          "  while tracing grad(f) at here\n"
                          "hint: return the value from the function instead of storing it elsewhere.");
}

TEST(leak_error, a_leaked_value_as_an_argument_of_jit) {
  Array stored;
  jit([&](Array x) {
    stored = np::sin(x);
    return x;
  })(1.0f);
  const auto twice = jit([](Array x) { return 2 * x; });
  expect_error<LeakError>([&] { twice(stored); },
                          "call: operands must belong to a running transformation; got a f32[] that jit(f) at here, "
                          "which has ended, made at here.\n"
                          "  at here\n"
                          "hint: return the value from the function instead of storing it elsewhere.");
}

TEST(leak_error, the_leak_check) {
  Array stored;
  expect_error<LeakError>(
      [&] {
        const CheckLeaks check;
        jit([&](Array x) {
          stored = np::sin(x);
          return x;
        })(1.0f);
      },
      "leak check: no traced value may outlive its transformation; 1 of jit(f) at here did.\n"
      "  leaked f32[] made at here\n"
      "  while tracing jit(f) at here\n"
      "hint: a traced array was stored outside the function; return it instead.");
}

}  // namespace
}  // namespace weft::errors
