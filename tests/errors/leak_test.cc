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
                          "add: operands must belong to a running transformation; got f32[] made at here by "
                          "jit(f) at here, which has ended.\n"
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
                          "add: operands must belong to a running transformation; got f32[], an argument of "
                          "grad(f) at here, which has ended.\n"
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
                          "item: the array must belong to a running transformation; got f32[] made at here by "
                          "jit(f) at here, which has ended.\n"
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
                          "multiply: operands must belong to a running transformation; got f32[] made at here "
                          "by jit(f) at here, which has ended.\n"
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
                          "jit: operands must belong to a running transformation; got f32[] made at here by "
                          "jit(f) at here, which has ended.\n"
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

TEST(leak_error, a_traced_value_on_another_thread) {
  expect_error<LeakError>(
      [&] {
        jit([](Array x) {
          std::exception_ptr thrown;
          std::thread([&] {
            try {
              x + 1;
            } catch (...) {
              thrown = std::current_exception();
            }
          }).join();
          if (thrown) std::rethrow_exception(thrown);
          return x;
        })(1.0f);
      },
      "add: operands must belong to a transformation of this thread; got f32[], an "
      "argument of jit(f) at here, which runs on another thread.\n"
      "  at here\n"
      "  while tracing jit(f) at here\n"
      "hint: start the transformation on the thread that does the work.");
}

TEST(leak_error, a_jitted_call_on_another_thread) {
  expect_error<LeakError>(
      [&] {
        const auto twice = jit([](Array x) { return 2 * x; });
        grad([&](Array x) {
          std::exception_ptr thrown;
          std::thread([&] {
            try {
              twice(x);
            } catch (...) {
              thrown = std::current_exception();
            }
          }).join();
          if (thrown) std::rethrow_exception(thrown);
          return x;
        })(1.0f);
      },
      "jit: operands must belong to a transformation of this thread; got f32[], an "
      "argument of grad(f) at here, which runs on another thread.\n"
      "  at here\n"
      "  while tracing grad(f) at here\n"
      "hint: start the transformation on the thread that does the work.");
}

TEST(leak_error, a_leaked_value_as_the_result_of_grad) {
  Array stored;
  jit([&](Array x) {
    stored = np::sin(x);
    return x;
  })(1.0f);
  expect_error<LeakError>([&] { grad([&](Array) { return stored; })(1.0f); },
                          "grad: results must belong to a running transformation; got f32[] made at here by "
                          "jit(f) at here, which has ended.\n"
                          "  while tracing grad(f) at here\n"
                          "hint: return the value from the function instead of storing it elsewhere.");
}

TEST(leak_error, a_leaked_value_as_the_result_of_vmap) {
  Array stored;
  jit([&](Array x) {
    stored = np::sin(x);
    return x;
  })(1.0f);
  expect_error<LeakError>([&] { vmap([&](Array) { return stored; })(np::ones({3})); },
                          "vmap: results must belong to a running transformation; got f32[] made at here by "
                          "jit(f) at here, which has ended.\n"
                          "  while tracing vmap(f) at here\n"
                          "hint: return the value from the function instead of storing it elsewhere.");
}

}  // namespace
}  // namespace weft::errors
