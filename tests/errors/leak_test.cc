#include "error_text.h"

#include <thread>
#include <vector>

namespace weft::errors {
namespace {

TEST(leak_error, a_value_stored_by_a_jitted_function) {
  Array stored;
  jit([&](Array x) {
    stored = np::sin(x);
    return x;
  })(1.0f);
  expect_error<LeakError>([&] { stored + 1; },
                          "add: operands must belong to a running transformation; got f32[] made by sin at here in "
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
                          "item: the array must belong to a running transformation; got f32[] made by sin at here in "
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
                          "multiply: operands must belong to a running transformation; got f32[] made by sin at here "
                          "in jit(f) at here, which has ended.\n"
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
                          "jit: operands must belong to a running transformation; got f32[] made by sin at here in "
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
      "  leaked f32[] made by sin at here\n"
      "  while tracing jit(f) at here\n"
      "hint: a traced array was stored outside the function; return it instead.");
}

TEST(leak_error, the_leak_check_lists_every_value_in_the_order_of_their_lines) {
  std::vector<Array> stored;
  const auto keep = [&](const Array& x) {
    stored.push_back(x);
    return x;
  };
  expect_error<LeakError>(
      [&] {
        const CheckLeaks check;
        jit([&](std::pair<Array, Array> p) {
          keep(p.second);
          const Array y = keep(np::sin(p.first));
          for (int i = 0; i < 3; ++i) keep(y + 1);
          return keep(np::ones({2}) * y);
        })(std::pair<Array, Array>(1.0f, np::zeros({2})));
      },
      "leak check: no traced value may outlive its transformation; 6 of jit(f) at here did.\n"
      "  leaked f32[2], argument args[0][1]\n"
      "  leaked f32[] made by sin at here\n"
      "  leaked f32[] made by add at here (3 values)\n"
      "  leaked f32[2] made by multiply at here\n"
      "  while tracing jit(f) at here\n"
      "hint: a traced array was stored outside the function; return it instead.");
}

TEST(leak_error, the_leak_check_in_each_transformation) {
  Array stored;
  const auto keep = [&](Array x) {
    stored = np::sin(x);
    return stored;
  };
  const auto text = [](const char* values_of, const char* made, const char* notes) {
    return "leak check: no traced value may outlive its transformation; 1 of " + std::string(values_of) +
           " at here did.\n  leaked f32[] made by sin at " + made + "\n" + notes +
           "hint: a traced array was stored outside the function; return it instead.";
  };
  const CheckLeaks check;
  expect_error<LeakError>([&] { grad(keep)(1.0f); }, text("grad(f)", "here", "  while tracing grad(f) at here\n"));
  expect_error<LeakError>([&] { vmap(keep)(np::ones({3})); },
                          text("vmap(f)", "here", "  while tracing vmap(f) at here\n"));
  expect_error<LeakError>([&] { cond(true, keep, [](Array x) { return x; }, 1.0f); },
                          text("the true branch of cond", "here", "  while tracing the true branch of cond at here\n"));
  expect_error<LeakError>(
      [&] {
        // Blamed on the body alone: what a scan leaks has not left jit's function yet.
        jit([&](Array x) {
          return scan([&](Array c) { return std::pair(keep(c), c); }, x, no_xs, {.length = 3}).first;
        })(1.0f);
      },
      text("the body of scan", "there", "  while tracing the body of scan at here\n  while tracing jit(f) at here\n"));
  stored = Array();
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
                          "grad: results must belong to a running transformation; got f32[] made by sin at here in "
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
                          "vmap: results must belong to a running transformation; got f32[] made by sin at here in "
                          "jit(f) at here, which has ended.\n"
                          "  while tracing vmap(f) at here\n"
                          "hint: return the value from the function instead of storing it elsewhere.");
}

}  // namespace
}  // namespace weft::errors
