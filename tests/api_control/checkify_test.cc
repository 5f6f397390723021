// Errors as values: what is checked, which failure is reported and where, under every transformation.
#include <gtest/gtest.h>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft {
namespace {

using checkify::check;
using testing::error_of;
using Floats = std::vector<float>;

std::string here(int line) { return "checkify_test.cc:" + std::to_string(line); }

constexpr int kLineOfCheck = __LINE__ + 3;

Array positive_log(Array x) {
  check(x > 0, "x must be positive, got {}", x);
  return np::log(x);
}
const std::string kNegative = "x must be positive, got -1.0\n  at " + here(kLineOfCheck);

// The text of the error that checkify(f)(args...) gives, or "none".
template <class F, class... A>
std::string failure(F f, checkify::ErrorSet errors, A... args) {
  const auto [error, result] = checkify::checkify(f, errors)(args...);
  const auto [compiled_error, compiled_result] = jit(checkify::checkify(f, errors))(args...);
  const std::string text = error.get().value_or("none");
  EXPECT_EQ(compiled_error.get().value_or("none"), text);
  return text;
}
template <class F, class... A>
std::string failure(F f, A... args) {
  return failure(f, checkify::user_checks, args...);
}
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

TEST(check, throws_at_once_where_operations_run_at_once) {
  EXPECT_EQ(positive_log(1.0f).item<float>(), 0.0f);
  try {
    positive_log(-1.0f);
    FAIL() << "nothing was thrown";
  } catch (const ValueError& e) {
    EXPECT_EQ(e.what(), kNegative);
  }
  EXPECT_EQ(error_of([] { grad(positive_log)(-1.0f); }), "ValueError: x must be positive, got -1.0");
  const int line = __LINE__ + 2;
  try {
    vmap(positive_log)(np::array({1.0f, 2.0f, -3.0f, -4.0f}));
    FAIL() << "nothing was thrown";
  } catch (const ValueError& e) {
    EXPECT_EQ(std::string(e.what()), "x must be positive, got -3.0\n  at " + here(kLineOfCheck) +
                                         "\n  for example 2 of vmap\n  while tracing vmap(f) at " + here(line));
  }
}

TEST(check, is_refused_in_a_program_that_is_compiled) {
  const auto refused = [](auto&& run) {
    std::string hint;
    EXPECT_EQ(error_of(run, &hint),
              "ValueError: check: in a program that is compiled, a check must have been made a value by checkify; got "
              "one that was not.");
    EXPECT_NE(hint.find("checkify::checkify(f)"), std::string::npos) << hint;
  };
  const auto f = jit(positive_log);
  refused([&] { f(1.0f); });  // whether it holds or not
  refused([&] { grad(f)(1.0f); });
  refused([&] { scan([](Array c) { return std::pair(positive_log(c), c); }, Array(1.0f), no_xs, {.length = 2}); });
  // Also where it would not be reached: the program has no place for it.
  refused([&] { jit([](Array x) { return cond(x > 0, [](Array v) { return v; }, positive_log, x); })(1.0f); });
  try {
    f(1.0f);
  } catch (const ValueError& e) {
    EXPECT_EQ(e.location().str(), here(kLineOfCheck));
  }
}

TEST(check, conditions_are_one_bool_and_messages_fit) {
  EXPECT_EQ(error_of([] { check(np::ones({2}) > 0, "message"); }),
            "ShapeError: check: the condition must be 0-d; got bool[2].");
  EXPECT_EQ(error_of([] { check(Array(1), "message"); }), "DTypeError: check: the condition must be bool; got i32[].");
  EXPECT_EQ(error_of([] { check(true, "{}"); }),
            "ValueError: check: there must be an argument for each place; got 0 arguments and a place for number 0 in "
            "\"{}\".");
  EXPECT_EQ(error_of([] { check(false, "step {}: {:.2f} of {}", 3, 0.125, "loss"); }),
            "ValueError: step 3: 0.12 of loss");
}

TEST(check, has_a_text_form) {
  const Jaxpr program = make_jaxpr(positive_log)(1.0f);
  EXPECT_EQ(ir::parse(program.str()), program) << program;
}

TEST(checkify, gives_the_error_beside_the_result) {
  const auto f = checkify::checkify(positive_log);
  {
    const auto [error, y] = f(1.0f);
    EXPECT_FALSE(error);
    EXPECT_EQ(error.get(), std::nullopt);
    EXPECT_NO_THROW(error.throw_());
    EXPECT_EQ(y.item<float>(), 0.0f);
  }
  const auto [error, y] = f(-1.0f);
  EXPECT_TRUE(error);
  EXPECT_EQ(error.get(), kNegative);
  EXPECT_TRUE(np::isnan(y).item<bool>());
  EXPECT_EQ(error_of([&, &error = error] { error.throw_(); }), "ValueError: x must be positive, got -1.0");
  EXPECT_EQ(error_of([&, &error = error] { checkify::check_error(error); }),
            "ValueError: x must be positive, got -1.0");
  EXPECT_FALSE(checkify::Error());
  EXPECT_NO_THROW(checkify::check_error(checkify::Error()));
}

TEST(checkify, one_compiled_program_serves_good_and_bad_values) {
  const auto f = jit(checkify::checkify(positive_log));
  EXPECT_FALSE(f(1.0f).first);
  EXPECT_EQ(f(-1.0f).first.get(), kNegative);
  EXPECT_FALSE(f(2.0f).first);
  EXPECT_EQ(f.cache_size(), 1u);
}

TEST(checkify, keeps_the_first_failure_in_the_order_of_the_program) {
  const auto f = [](Array x) {
    check(x > 0, "first {}", x);
    check(x > 10, "second {} {}", x, np::array({1, 2}));
    return x;
  };
  EXPECT_EQ(first_line(failure(f, -1.0f)), "first -1.0");
  EXPECT_EQ(first_line(failure(f, 5.0f)), "second 5.0 [1 2]");
  EXPECT_EQ(failure(f, 50.0f), "none");
}

TEST(checkify, goes_through_jit_and_functions_called_twice) {
  const auto inner = jit(positive_log);
  EXPECT_EQ(failure([&](Array x) { return inner(x) + inner(x - 2.0f); }, 1.0f), kNegative);
  EXPECT_EQ(failure([&](Array x) { return inner(x) + inner(x - 2.0f); }, 3.0f), "none");
}

TEST(checkify, goes_through_scan_and_tells_the_first_step) {
  const auto f = [](Array x) {
    return scan(
               [](Array c, Array v) {
                 check(c < 3, "carry {} at {}", c, v);
                 return std::pair(c + v, c);
               },
               x, np::array({1.0f, 1.5f, 2.0f, 2.5f}))
        .first;
  };
  EXPECT_EQ(first_line(failure(f, 0.0f)), "carry 4.5 at 2.5");
  EXPECT_EQ(failure(f, -9.0f), "none");
  // The loop goes on, and its result is what it would be.
  EXPECT_EQ(checkify::checkify(f)(0.0f).second.item<float>(), 7.0f);
}

TEST(checkify, goes_through_while_in_its_condition_and_its_body) {
  const auto f = [](Array x) {
    return while_loop(
        [](Array y) {
          check(y != 5, "condition {}", y);
          return y < 8;
        },
        [](Array y) {
          check(y != 3, "body {}", y);
          return y + 1;
        },
        x);
  };
  EXPECT_EQ(first_line(failure(f, 0)), "body 3");
  EXPECT_EQ(first_line(failure(f, 4)), "condition 5");
  EXPECT_EQ(first_line(failure(f, 5)), "condition 5");
  EXPECT_EQ(failure(f, 6), "none");
  EXPECT_EQ(checkify::checkify(f)(0).second.item<int>(), 8);
  // With captures on both sides.
  const auto g = [](Array x, Array limit, Array step) {
    return while_loop(
        [&](Array y) {
          check(y < limit + 2, "above {}", limit);
          return y < limit;
        },
        [&](Array y) { return y + step; }, x);
  };
  EXPECT_EQ(first_line(failure(g, 0, 4, 3)), "above 4");
  EXPECT_EQ(failure(g, 0, 4, 5), "none");
}

TEST(checkify, reports_the_branch_that_is_taken_only) {
  const auto f = [](Array x) {
    return cond(
        x > 0, [](Array v) { return v; },
        [](Array v) {
          check(false, "not positive: {}", v);
          return -v;
        },
        x);
  };
  EXPECT_EQ(failure(f, 1.0f), "none");
  EXPECT_EQ(first_line(failure(f, -1.0f)), "not positive: -1.0");
  // Under vmap, too, on either side.
  const Array xs = np::array({1.0f, -2.0f, -3.0f}), good = np::array({1.0f, 2.0f});
  EXPECT_EQ(failure(vmap(f), good), "none");
  const std::string text = failure(vmap(f), xs);
  EXPECT_EQ(first_line(text), "not positive: -2.0");
  EXPECT_NE(text.find("for example 1 of vmap"), std::string::npos) << text;
  EXPECT_EQ(vmap(checkify::checkify(f))(good).first.get(), std::nullopt);
}

TEST(checkify, of_vmap_tells_the_first_example_that_failed) {
  const std::string text = failure(vmap(positive_log), np::array({1.0f, 2.0f, -3.0f, -4.0f}));
  EXPECT_EQ(text, "x must be positive, got -3.0\n  at " + here(kLineOfCheck) + "\n  for example 2 of vmap");
  EXPECT_EQ(failure(vmap(positive_log), np::ones({3})), "none");
  EXPECT_EQ(failure(vmap(positive_log), np::ones({0})), "none");
  const std::string nested = failure(vmap(vmap(positive_log)), np::array({{1.0f, 2.0f}, {3.0f, -4.0f}}));
  EXPECT_NE(nested.find("for example (1, 1) of vmap"), std::string::npos) << nested;
}

TEST(checkify, under_vmap_has_an_error_for_each_example) {
  const auto [errors, ys] = vmap(checkify::checkify(positive_log))(np::array({1.0f, -2.0f, 3.0f, -4.0f}));
  const std::string at = "\n  at " + here(kLineOfCheck) + "\n  for example ";
  EXPECT_EQ(errors.get(),
            "x must be positive, got -2.0" + at + "1 of vmap\nx must be positive, got -4.0" + at + "3 of vmap");
  EXPECT_EQ(error_of([&, &errors = errors] { errors.throw_(); }), "ValueError: x must be positive, got -2.0");
  EXPECT_FALSE(jit(vmap(checkify::checkify(positive_log)))(np::ones({2})).first);
}

TEST(checkify, goes_with_derivatives_and_does_not_change_them) {
  const auto f = [](Array x) {
    check(x > 0, "{}", x);
    return x * x * x;
  };
  // grad inside: the check is in the forward pass.
  EXPECT_EQ(first_line(failure(grad(f), -2.0f)), "-2.0");
  EXPECT_EQ(checkify::checkify(grad(f))(2.0f).second.item<float>(), 12.0f);
  // grad outside, the error as auxiliary result.
  const auto g = grad(
      [&](Array x) {
        const auto [error, y] = checkify::checkify(f)(x);
        return std::pair(y, error);
      },
      has_aux);
  const auto [dx, error] = g(-2.0f);
  EXPECT_EQ(dx.item<float>(), 12.0f);
  EXPECT_EQ(first_line(error.get().value_or("none")), "-2.0");
  EXPECT_EQ(grad(grad([&](Array x) { return checkify::checkify(f)(x).second; }))(2.0f).item<float>(), 12.0f);
  // Through a loop, both ways.
  const auto loop = [&](Array x) {
    return scan([&](Array c) { return std::pair(f(c) / 4, c); }, x, no_xs, {.length = 2}).first;
  };
  EXPECT_EQ(failure(grad(loop), 2.0f), "none");
  EXPECT_EQ(first_line(failure(grad(loop), -2.0f)), "-2.0");
  EXPECT_EQ(checkify::checkify(grad(loop))(2.0f).second.item<float>(), 9.0f);
  const auto bounded = [&](Array x) { return while_loop([](Array y) { return y < 10.0f; }, f, x, {.max_steps = 4}); };
  EXPECT_EQ(checkify::checkify(grad(bounded))(2.0f).second.item<float>(), 2304.0f);
  EXPECT_EQ(checkify::checkify(jit(grad(checkpoint(f))))(2.0f).second.item<float>(), 12.0f);
}

TEST(checkify, functions_with_rules_keep_them) {
  const auto f = custom_jvp([](Array x) { return positive_log(x); },
                            [](Array x, Array dx) { return std::pair(np::log(x), 100.0f * dx); });
  const auto g = custom_vjp([](Array x) { return positive_log(x); }, [](Array x) { return std::pair(np::log(x), x); },
                            [](Array, Array ct) { return 100.0f * ct; });
  for (const auto& h : {std::function<Array(Array)>(f), std::function<Array(Array)>(g)}) {
    EXPECT_EQ(failure(h, -1.0f), kNegative);
    EXPECT_EQ(failure(h, 1.0f), "none");
    EXPECT_EQ(grad([&](Array x) { return checkify::checkify(h)(x).second; })(1.0f).item<float>(), 100.0f);
    EXPECT_EQ(vmap(checkify::checkify(h))(np::array({1.0f, -1.0f})).first.get(),
              kNegative + "\n  for example 1 of vmap");
    EXPECT_NE(failure(h, checkify::nan_checks, -1.0f).find("log: results must not be NaN"), std::string::npos);
  }
}

TEST(checkify, errors_of_inner_ones_can_be_raised_in_outer_ones) {
  const auto f = [](Array x) {
    const auto [error, y] = checkify::checkify(positive_log)(x);
    checkify::check_error(error);
    return y;
  };
  EXPECT_EQ(failure(f, -1.0f), kNegative);
  EXPECT_EQ(failure(f, 1.0f), "none");
  EXPECT_EQ(error_of([&] { f(-1.0f); }), "ValueError: x must be positive, got -1.0");
  const auto at = [](Array x, Array i) {
    const auto [error, y] = checkify::checkify([](Array x, Array i) { return x(i); }, checkify::index_checks)(x, i);
    checkify::check_error(error);
    return y;
  };
  EXPECT_EQ(error_of([&] { checkify::checkify(at)(np::ones({3}), 7).first.throw_(); }),
            "IndexError: gather: indices must be in range; got 7 for axis 0 of f32[3].");
}

// ---- automatic checks ----

TEST(nan_checks, name_the_operation_and_its_line) {
  const auto f = [](Array x) {
    const Array y = np::log(x);
    return np::sum(y * 2.0f);
  };
  EXPECT_EQ(failure(f, checkify::nan_checks, np::array({1.0f, -1.0f})),
            "log: results must not be NaN; got NaN in f32[2].\n  at " + here(__LINE__ - 4));
  EXPECT_EQ(failure(f, checkify::nan_checks, np::array({1.0f, 0.0f})), "none");  // infinity is none
  EXPECT_EQ(failure(f, checkify::user_checks, np::array({1.0f, -1.0f})), "none");
  // The backward pass has operations of its own: sqrt'(0) * 0.
  const auto g = grad([](Array x) { return np::sum(np::where(x > 0, np::sqrt(x), 0.0f)); });
  EXPECT_EQ(first_line(failure(g, checkify::nan_checks, np::array({0.0f}))).substr(0, 8), "multiply");
  // Operations that move elements only do not count.
  EXPECT_EQ(failure([](Array x) { return np::concatenate({x, -x})(slice(1, 3)); }, checkify::nan_checks,
                    np::array({1.0f, std::nanf("")})),
            "none");
  EXPECT_EQ(first_line(failure([](Array x) { return x * x; }, checkify::nan_checks,
                               np::array({std::complex<float>(std::nanf(""), 1)}))),
            "multiply: results must not be NaN; got NaN in c64[1].");
}

TEST(div_checks, integers_and_floats) {
  const auto f = [](Array x, Array y) { return x / y; };
  EXPECT_EQ(failure(f, checkify::div_checks, np::ones({2}), np::array({1.0f, 0.0f})),
            "divide: the divisor must not be zero; got zero in f32[2].\n  at " + here(__LINE__ - 2));
  EXPECT_EQ(failure(f, checkify::div_checks, np::ones({2}), np::array({1.0f, 2.0f})), "none");
  EXPECT_EQ(first_line(failure([](Array x, Array y) { return lax::remainder(x, y); }, checkify::div_checks, 5, 0)),
            "remainder: the divisor must not be zero; got zero in i32[].");
  EXPECT_EQ(failure(f, checkify::nan_checks, 1.0f, 0.0f), "none");
  EXPECT_EQ(first_line(failure(f, checkify::float_checks, 0.0f, 0.0f)),
            "divide: the divisor must not be zero; got zero in f32[].");
}

TEST(index_checks, reading_and_writing) {
  const Array x = np::arange(6.0f);
  const auto read = [](Array x, Array i) { return x(i); };
  EXPECT_EQ(failure(read, checkify::index_checks, x, np::array({0, 9, 7})),
            "gather: indices must be in range; got 9 for axis 0 of f32[6].\n  at " + here(__LINE__ - 2));
  EXPECT_EQ(failure(read, checkify::index_checks, x, np::array({0, -6, 5})), "none");
  EXPECT_EQ(first_line(failure(read, checkify::index_checks, x, -7)),
            "gather: indices must be in range; got -1 for axis 0 of f32[6].");
  EXPECT_EQ(failure(read, checkify::index_checks, x, np::zeros({0}, i32)), "none");
  const auto write = [](Array x, Array i) { return x.at(i).set(1.0f); };
  EXPECT_EQ(first_line(failure(write, checkify::index_checks, x, np::array({1, 6}))),
            "scatter: indices must be in range; got 6 for axis 0 of f32[6].");
  EXPECT_EQ(failure(write, checkify::index_checks, x, np::array({1, 5})), "none");
  const auto two = [](Array x, Array i, Array j) { return x(i, j); };
  EXPECT_EQ(
      first_line(failure(two, checkify::index_checks, np::reshape(x, {2, 3}), np::array({0, 1}), np::array({2, 3}))),
      "gather: indices must be in range; got 3 for axis 1 of f32[2,3].");
}

TEST(index_checks, dynamic_slices) {
  const Array x = np::reshape(np::arange(12.0f), {3, 4});
  const auto part = [](Array x, Array i, Array j) { return lax::dynamic_slice(x, Arrays{i, j}, Dims{2, 2}); };
  EXPECT_EQ(failure(part, checkify::index_checks, x, 1, 2), "none");
  EXPECT_EQ(first_line(failure(part, checkify::index_checks, x, 0, 3)),
            "dynamic_slice: indices must be in range; got 3 for axis 1 of f32[3,4].");
  EXPECT_EQ(first_line(failure(part, checkify::index_checks, x, -1, 9)),
            "dynamic_slice: indices must be in range; got -1 for axis 0 of f32[3,4].");
  const auto put = [](Array x, Array i) { return lax::dynamic_update_slice(x, np::ones({2, 4}), Arrays{i, Array(0)}); };
  EXPECT_EQ(failure(put, checkify::index_checks, x, 1), "none");
  EXPECT_EQ(first_line(failure(put, checkify::index_checks, x, 2)),
            "dynamic_update_slice: indices must be in range; got 2 for axis 0 of f32[3,4].");
  EXPECT_EQ(first_line(
                failure(vmap(part, {unmapped, 0, 0}), checkify::index_checks, x, np::array({0, 1}), np::array({0, 5}))),
            "gather: indices must be in range; got 5 for axis 1 of f32[3,4].");
}

TEST(all_checks, find_the_first_of_all_kinds_in_loops) {
  const auto f = [](Array x, Array table) {
    return fori_loop(
        0, 4,
        [&](Array i, Array v) {
          check(v < 100.0f, "too large: {:.1f} in step {}", v, i);
          return np::sqrt(v) * table(i);
        },
        x);
  };
  EXPECT_EQ(failure(f, checkify::all_checks, 1.0f, np::ones({4})), "none");
  EXPECT_EQ(first_line(failure(f, checkify::all_checks, 1.0f, np::ones({3}))),
            "gather: indices must be in range; got 3 for axis 0 of f32[3].");
  EXPECT_EQ(first_line(failure(f, checkify::all_checks, -1.0f, np::ones({4}))),
            "sqrt: results must not be NaN; got NaN in f32[].");
  EXPECT_EQ(first_line(failure(f, checkify::all_checks, 1.0f, np::full({4}, 30.0f))), "too large: 164.3 in step 2");
  EXPECT_EQ(first_line(failure(f, checkify::automatic_checks, 1.0f, np::full({4}, 30.0f))), "none");
}

TEST(checkify, works_beside_prints_and_callbacks) {
  int calls = 0;
  const auto f = jit(checkify::checkify([&](Array x) {
    debug::callback([&](Array) { ++calls; })(x);
    return scan(
               [&](Array c) {
                 debug::callback([&](Array) { ++calls; })(c);
                 return std::pair(positive_log(c), c);
               },
               x, no_xs, {.length = 2})
        .first;
  }));
  EXPECT_FALSE(f(20.0f).first);
  EXPECT_EQ(calls, 3);
}

TEST(checkify, closes_over_arrays_and_traced_values) {
  const Array big = np::arange(3.0f);
  const auto f = [&](Array x) {
    const auto [error, y] = checkify::checkify([&](Array v) {
      return scan(
                 [&](Array c, Array b) {
                   check(np::all(c + b < x), "{}", c);
                   return std::pair(c + b, c);
                 },
                 v, big)
          .first;
    })(x - 5.0f);
    return std::pair(error, y);
  };
  EXPECT_FALSE(jit(f)(10.0f).first);
  EXPECT_FALSE(vmap(f)(np::array({9.0f, 10.0f})).first);
}

TEST(checkify, whether_something_went_wrong_must_be_known) {
  const auto f = checkify::checkify([](Array x) {
    checkify::check(x > 0, "x must be positive");
    return x;
  });
  const auto asks = jit([&](Array x) {
    const auto [error, y] = f(x);
    return error ? y : -y;
  });
  EXPECT_TRUE(
      testing::error_of([&] { asks(1.0f); })
          .starts_with("ConcretizationError: checkify::Error: whether something went wrong must be known; got a "
                       "traced i32[]"));
}

}  // namespace
}  // namespace weft
