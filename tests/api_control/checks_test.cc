// Check modes: where a NaN, an infinity or an index outside of its array first came up, and that nothing else changes.
#include "weft/core/checks.h"

#include <gtest/gtest.h>

#include "harness/values.h"
#include "weft/ir/checks.h"
#include "weft/weft.h"

namespace weft {
namespace {

using debug::Checks;
using debug::CheckScope;

// "NonFiniteError: <whole text>" of what `f` throws; "" when it throws nothing.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return std::string(e.kind()) + ": " + e.what();
  }
  return "";
}

const Checks kAll{.nans = true, .infs = true, .indices = true};

// "checks_test.cc:12": the line after the caller's.
std::string next_line(SourceLocation loc = std::source_location::current()) {
  return "checks_test.cc:" + std::to_string(loc.line + 1);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(check_scope, eager_operations_are_checked_at_once) {
  const CheckScope checks(kAll);
  const std::string at = next_line();
  const std::string text = error_of([] { np::log(np::array({1.0, 0.0, -1.0})); });
  EXPECT_EQ(text, "NonFiniteError: log: the result must be finite; got -inf at [1], in the forward pass.\n  at " + at);
}

TEST(check_scope, only_what_is_asked_for) {
  const Array x = np::array({0.0, -1.0});
  {
    const CheckScope checks({.nans = true, .infs = false});
    EXPECT_TRUE(has(error_of([&] { np::log(x); }), "got nan at [1]"));
    EXPECT_EQ(error_of([&] { np::log(x(0)); }), "");
  }
  {
    const CheckScope checks({.nans = false, .infs = true});
    EXPECT_TRUE(has(error_of([&] { np::log(x); }), "got -inf at [0]"));
  }
  EXPECT_EQ(error_of([&] { np::log(x); }), "");
  const CheckScope outer(kAll);
  {
    const CheckScope none({.nans = false, .infs = false, .indices = false});
    EXPECT_EQ(error_of([&] { np::log(x); }), "");
  }
  EXPECT_NE(error_of([&] { np::log(x); }), "");
}

TEST(check_scope, moving_a_nan_is_not_making_one) {
  const CheckScope checks(kAll);
  const Array nan = np::array({std::nan(""), 1.0});
  EXPECT_EQ(error_of([&] { np::where(nan > 0.0, np::concatenate({nan, nan})(slice(0, 2)), nan); }), "");
  EXPECT_TRUE(has(error_of([&] { nan + 1.0; }), "add: the result must be finite; got nan at [0]"));
}

TEST(check_scope, complex_and_small_floats) {
  const CheckScope checks(kAll);
  EXPECT_TRUE(
      has(error_of([] { np::array({6e4f}).astype(f16) * 2.0; }), "multiply: the result must be finite; got inf"));
  EXPECT_TRUE(has(error_of([] { np::array({std::complex<double>(1e300, 0)}) * 1e300; }), "got inf at [0]"));
}

TEST(check_scope, compiled_programs_carry_their_checks) {
  const std::string at = next_line();
  const auto f = jit([](Array x) { return np::sqrt(x) + 1.0; });
  std::string text;
  {
    const CheckScope checks(kAll);
    f(np::ones({2}, f64));
    text = error_of([&] { f(np::array({4.0, -4.0})); });
  }
  EXPECT_TRUE(has(text, "sqrt: the result must be finite; got nan at [1], in the forward pass.\n  at " + at)) << text;
  // Another mode, another program.
  EXPECT_EQ(error_of([&] { f(np::array({4.0, -4.0})); }), "");
  EXPECT_EQ(f.cache_size(), 2u);
}

TEST(check_scope, the_iteration_of_a_scan) {
  const CheckScope checks(kAll);
  const auto step = [](Array c, Array v) { return std::pair(c / v, c); };
  const Array xs = np::array({1.0, 2.0, 0.0, 4.0});
  const std::string at = next_line();
  const auto run = jit([&](Array x) { return scan(step, x, xs, {}).first; });
  const std::string text = error_of([&] { run(np::array(1.0)); });
  EXPECT_TRUE(has(text, "divide: the result must be finite; got inf, in the forward pass, in iteration 2 of scan at " +
                            at + ".\n  at "))
      << text;
}

TEST(check_scope, iterations_of_nested_loops) {
  const CheckScope checks(kAll);
  const auto inner = [](Array x) {
    return while_loop([](Array c) { return c < 3.0; }, [](Array c) { return c + 1.0 / (c - 1.0); }, x);
  };
  const std::string text = error_of(
      [&] { scan([&](Array c, Array v) { return std::pair(c, inner(v)); }, np::array(0.0), np::array({5.0, 1.0})); });
  EXPECT_TRUE(has(text, "in iteration 0 of while_loop at ")) << text;
  EXPECT_TRUE(has(text, ", in iteration 1 of scan at ")) << text;
}

TEST(check_scope, the_example_of_a_vmap) {
  const CheckScope checks(kAll);
  const Array x = np::array({{1.0, 2.0}, {3.0, 0.0}, {5.0, 6.0}});
  const auto f = [](Array v) { return np::log(v); };
  std::string text = error_of([&] { vmap(f)(x); });
  EXPECT_TRUE(has(text, "got -inf at [1], in the forward pass, for example 1.")) << text;
  text = error_of([&] { vmap(f, 1, 0)(x); });
  EXPECT_TRUE(has(text, "got -inf at [1], in the forward pass, for example 1.")) << text;
  text = error_of([&] { vmap(vmap(f, {.axis_name = "columns"}), {.axis_name = "rows"})(x); });
  EXPECT_TRUE(
      has(text, "got -inf, in the forward pass, for example 1 of axis 'rows', for example 1 of axis 'columns'."))
      << text;
}

TEST(check_scope, the_backward_pass_names_the_operation_whose_derivative_is_bad) {
  const CheckScope checks(kAll);
  std::string at;
  const auto f = [&](Array x) {
    at = next_line();
    const Array root = np::sqrt(x);
    return np::sum(root * root * 3.0);
  };
  const std::string text = error_of([&] { grad(f)(np::array({4.0, 0.0})); });
  EXPECT_TRUE(has(text, "sqrt: the gradient by an operand must be finite; got nan at [1], in the backward pass."))
      << text;
  EXPECT_TRUE(has(text, "  at " + at)) << text;
  const auto without_notes = [](const std::string& t) { return t.substr(0, t.find("\n  while tracing")); };
  EXPECT_EQ(without_notes(error_of([&] { grad(jit(f))(np::array({4.0, 0.0})); })), without_notes(text));
  EXPECT_EQ(error_of([&] { jit(grad(f))(np::array({4.0, 0.0})); }).substr(0, 60), text.substr(0, 60));
}

TEST(check_scope, the_backward_pass_of_a_scan_for_one_example) {
  const CheckScope checks(kAll);
  const auto f = [](Array x) {
    const auto step = [](Array c, Array v) { return std::pair(c + np::sqrt(v), c); };
    return scan(step, np::zeros({}, f64), x).first;
  };
  const std::string text = error_of([&] { vmap(grad(f))(np::array({{1.0, 2.0, 3.0}, {1.0, 0.0, 3.0}})); });
  EXPECT_TRUE(has(text,
                  "sqrt: the gradient by an operand must be finite; got inf, in the backward pass, for example 1, "
                  "in iteration 1 of scan"))
      << text;
}

TEST(check_scope, rules_of_the_user_for_the_backward_pass_are_checked_line_by_line) {
  const CheckScope checks(kAll);
  std::string at;
  const auto bad = custom_vjp([](Array x) { return np::sin(x); }, [](Array x) { return std::pair(np::sin(x), x); },
                              [&](Array x, Array ct) {
                                at = next_line();
                                const Array slope = np::log(x - 2.0);
                                return ct * slope;
                              });
  const auto loss = [&](Array x) { return np::sum(bad(x)); };
  const Array x = np::array({4.0, 2.0});
  const std::string expected = "NonFiniteError: log: the result must be finite; got -inf at [1], in the backward pass.";
  for (const std::string& text :
       {error_of([&] { grad(loss)(x); }), error_of([&] { jit(grad(loss))(x); }), error_of([&] { grad(jit(loss))(x); }),
        error_of([&] { grad(checkpoint(loss))(x); })}) {
    EXPECT_EQ(text.substr(0, expected.size()), expected);
    EXPECT_TRUE(has(text, "\n  at " + at)) << text;
  }
  const std::string text = error_of([&] { vmap(grad(bad))(x); });
  EXPECT_TRUE(has(text, "log: the result must be finite; got -inf, in the backward pass, for example 1.\n  at " + at))
      << text;
  // What the rule calls is traced for it apart.
  const auto inner = jit([](Array x) { return np::log(x - 2.0); });
  const auto calls =
      custom_vjp([&](Array x) { return inner(x + 8.0); }, [&](Array x) { return std::pair(inner(x + 8.0), x); },
                 [&](Array x, Array ct) { return ct * inner(x); });
  EXPECT_TRUE(has(error_of([&] { grad([&](Array x) { return np::sum(calls(x)); })(x); }), "in the backward pass."));
  EXPECT_TRUE(has(error_of([&] { calls(x - 8.0); }), "in the forward pass."));
}

TEST(check_scope, formulas_that_throw_nan_away_are_checked_as_one_operation) {
  const CheckScope checks({.nans = true, .infs = false});
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  EXPECT_EQ(np::hypot(np::array({inf, 3.0}), np::array({inf, 4.0})).to_vector<double>(), (std::vector<double>{inf, 5}));
  EXPECT_EQ(np::logaddexp(np::array({inf, -inf}), np::array({inf, -inf})).to_vector<double>(),
            (std::vector<double>{inf, -inf}));
  EXPECT_EQ(np::isclose(np::array({inf, 1.0, nan}), np::array({inf, inf, nan}), 1e-5, 1e-8, true).to_vector<bool>(),
            (std::vector<bool>{true, false, true}));
  const std::string at = next_line();
  const std::string text = error_of([&] { np::hypot(np::array({nan}), np::array({1.0})); });
  EXPECT_EQ(text,
            "NonFiniteError: hypot: the result must be a number; got nan at [0], in the forward pass.\n  at " + at);
}

TEST(check_scope, the_backward_pass_of_a_while_loop_tells_the_step) {
  const CheckScope checks(kAll);
  // sqrt has no slope where x is `bad`, which it is in that step.
  for (const int bad : {0, 4, 7}) {
    std::string at;
    const auto f = [&](Array x) {
      const auto step = [&](Array v) { return v + 1.0 + 0.0 * np::sqrt(np::square(v - double(bad))); };
      at = next_line();
      return while_loop([](Array v) { return v < 9.0; }, step, x, {.max_steps = 16});
    };
    const std::string told = "in iteration " + std::to_string(bad) + " of while_loop at ";
    for (const std::string& text :
         {error_of([&] { grad(f)(np::array(0.0)); }), error_of([&] { jit(grad(f))(np::array(0.0)); })}) {
      EXPECT_TRUE(has(text, "in the backward pass")) << text;
      EXPECT_TRUE(has(text, told + at)) << text;
      EXPECT_EQ(text.find("iteration"), text.rfind("iteration")) << text;
    }
    // Each example is at a step of its own.
    const std::string text = error_of([&] { vmap(grad(f))(np::array({0.0})); });
    EXPECT_TRUE(has(text, "in the backward pass, for example 0.")) << text;
  }
}

TEST(check_scope, tangents_in_forward_mode) {
  const CheckScope checks(kAll);
  const std::string text = error_of([] { jvp([](Array x) { return np::sqrt(x); }, np::array(0.0), np::array(1.0)); });
  EXPECT_TRUE(has(text, "sqrt: the tangent of the result must be finite; got inf, in forward mode.")) << text;
}

TEST(check_scope, indices) {
  const CheckScope checks(kAll);
  const Array x = np::arange(10);
  const std::string at = next_line();
  std::string text = error_of([&] { x(np::array({3, 11})); });
  EXPECT_TRUE(has(text,
                  "IndexError: gather in index: indices must be inside of the array; got 11 for axis 0 of size 10, "
                  "at [1] of the indices, in the forward pass.\n  at " +
                      at))
      << text;
  text = error_of([&] { x.at(np::array({0, 10})).add(1); });
  EXPECT_TRUE(has(text, "got 10 for axis 0 of size 10")) << text;
  text = error_of([&] { vmap([&](Array i) { return x(i); })(np::array({1, 2, -11})); });
  EXPECT_TRUE(has(text, "for example 2")) << text;
  const auto f = jit([](Array v, Array i) { return lax::dynamic_slice(v, Arrays{i}, Dims{3}); });
  EXPECT_EQ(error_of([&] { f(x, np::array(7)); }), "");
  text = error_of([&] { f(x, np::array(8)); });
  EXPECT_TRUE(has(text, "got 8 for axis 0 of size 10, for a slice of 3, in the forward pass")) << text;
}

TEST(check_scope, examples_that_do_not_take_a_branch_are_not_looked_at_in_it) {
  const CheckScope checks(kAll);
  const auto f = [](Array x) {
    return cond(x > 0.0, [](Array v) { return np::log(v); }, [](Array v) { return v; }, x);
  };
  for (const Array& x : {np::array({1.0, 0.0, -1.0}), np::array({0.0, -1.0, 0.0}), np::array({-1.0, 0.0, 1.0})}) {
    EXPECT_EQ(error_of([&] { vmap(f)(x); }), "");
    EXPECT_EQ(error_of([&] { jit(vmap(f))(x); }), "");
    EXPECT_EQ(error_of([&] { vmap(grad(f))(x); }), "");
    EXPECT_EQ(error_of([&] { grad([&](Array y) { return np::sum(vmap(f)(y)); })(x); }), "");
  }
  const auto bad = [](Array v) {
    return cond(v > 0.0, [](Array u) { return np::log(u - 1.0); }, [](Array u) { return u; }, v);
  };
  std::string text = error_of([&] { vmap(bad)(np::array({-2.0, 2.0, 1.0, -1.0})); });
  EXPECT_TRUE(has(text, "log: the result must be finite; got -inf, in the forward pass, for example 2.")) << text;
  EXPECT_TRUE(has(text, "checks_test.cc:" + std::to_string(__LINE__ - 4))) << text;
  // sqrt(0) is finite, its derivative is not.
  const auto root = [](Array v) {
    return cond(v >= 0.0, [](Array u) { return np::sqrt(u); }, [](Array u) { return u; }, v);
  };
  text = error_of([&] { grad([&](Array y) { return np::sum(vmap(root)(y)); })(np::array({-1.0, 4.0, 0.0})); });
  EXPECT_TRUE(
      has(text, "sqrt: the gradient by an operand must be finite; got inf, in the backward pass, for example 2."))
      << text;
  const auto pick = [](Array i) {
    return cond(i < 2, [](Array k) { return np::array({1.0, 2.0})(k); }, [](Array) { return np::array(0.0); }, i);
  };
  EXPECT_EQ(error_of([&] { vmap(pick)(np::array({5, 1, 0, 7})); }), "");
  EXPECT_EQ(error_of([&] { vmap(vmap(pick))(np::array({{5, 1}, {6, 7}})); }), "");
  text = error_of([&] { vmap(vmap(pick))(np::array({{5, 1}, {6, -7}})); });
  EXPECT_TRUE(has(
      text,
      "got -5 (-7 if counted from the end) for axis 0 of size 2, in the forward pass, for example 1, for example 1."))
      << text;
}

TEST(check_scope, examples_that_have_ended_are_not_looked_at_in_a_loop) {
  const CheckScope checks(kAll);
  // 1 / (n - i), until i is n.
  const auto f = [](Array n) {
    using State = std::pair<Array, Array>;
    const auto go_on = [&](State s) { return s.first < n; };
    const auto step = [&](State s) { return State(s.first + 1.0, s.second + 1.0 / (n - s.first)); };
    return while_loop(go_on, step, State(0.0, 0.0), {.max_steps = 10}).second;
  };
  const Array n = np::array({3.0, 1.0, 2.0});
  EXPECT_EQ(error_of([&] { vmap(f)(n); }), "");
  EXPECT_EQ(error_of([&] { jit(vmap(f))(n); }), "");
  EXPECT_EQ(error_of([&] { vmap(grad(f))(n); }), "");
  const auto bad = [](Array n) {
    const auto step = [&](Array x) { return x + 1.0 / (2.0 - x) * 0.0 + 1.0; };
    return while_loop([&](Array x) { return x < n; }, step, np::array(0.0));
  };
  const std::string text = error_of([&] { vmap(bad)(np::array({1.0, 3.0, 5.0})); });
  EXPECT_TRUE(has(text,
                  "divide: the result must be finite; got inf, in the forward pass, for example 1, in iteration 2 of "
                  "while"))
      << text;
}

TEST(check_scope, functions_with_rules_of_their_own_are_looked_at_by_their_results_where_only_some_examples_run) {
  const CheckScope checks(kAll);
  const auto log =
      custom_jvp([](Array x) { return np::log(x); }, [](Array x, Array dx) { return std::pair(np::log(x), dx / x); });
  const auto f = [&](Array x) { return cond(x >= 0.0, log, [](Array v) { return v; }, x); };
  EXPECT_EQ(error_of([&] { vmap(f)(np::array({-1.0, 1.0, -2.0})); }), "");
  const std::string text = error_of([&] { vmap(f)(np::array({-1.0, 1.0, 0.0})); });
  EXPECT_TRUE(has(text, "must be finite; got -inf, in the forward pass, for example 2.")) << text;
}

TEST(check_scope, results_are_the_same_to_the_bit) {
  const auto f = [](Array x) {
    const auto step = [](Array c, Array v) { return std::pair(np::tanh(c * v) + 0.3, np::exp(c)); };
    const auto [last, all] = scan(step, np::array(0.1), x);
    return np::sum(all * x(np::array({2, 0, 1}))) / last;
  };
  const Array x = np::array({0.3, -0.2, 1.7});
  const auto values = [&] {
    const auto [y, g] = value_and_grad(f)(x);
    const Array h = jit(hessian(f))(x);
    return Arrays{y, g, h, vmap(grad(f))(np::stack({x, 2.0 * x}))};
  };
  const Arrays plain = values();
  const CheckScope checks(kAll);
  EXPECT_EQ(testing::bit_difference(values(), plain), "");
}

TEST(check_scope, programs_with_checks_print_and_parse) {
  const CheckScope checks(kAll);
  const Jaxpr p = make_jaxpr([](Array x) { return np::sin(x); })(np::ones({2}));
  EXPECT_TRUE(has(p.str(), "check_finite[\n      op=sin\n      pass=forward")) << p.str();
  EXPECT_EQ(ir::parse(p.str()), p);
  EXPECT_FALSE(has(ir::without_checks(p).str(), "check")) << ir::without_checks(p).str();
}

}  // namespace
}  // namespace weft
