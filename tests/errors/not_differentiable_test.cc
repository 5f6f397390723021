#include "error_text.h"

namespace weft::errors {
namespace {

TEST(not_differentiable_error, gradient_of_an_integer) {
  expect_error<NotDifferentiableError>(
      [&] { grad([](Array x) { return 1.0 * np::sum(x); })(np::arange(3)); },
      "grad: differentiated arguments must be float or complex; got i32[3] for args[0].\n"
      "  while tracing grad(f) at here\n"
      "hint: convert it with astype(f32), or differentiate another argument: grad<1>(f).");
}

TEST(not_differentiable_error, gradient_of_an_integer_member) {
  struct Params {
    Array w, steps;
  };
  expect_error<NotDifferentiableError>(
      [&] { grad([](Params p) { return np::sum(p.w); })(Params{np::ones({2}), np::array({1, 2})}); },
      "grad: differentiated arguments must be float or complex; got i32[2] for "
      "args[0].steps.\n"
      "  while tracing grad(f) at here\n"
      "hint: convert it with astype(f32), or differentiate another argument: grad<1>(f).");
}

TEST(not_differentiable_error, jacobian_by_an_integer) {
  expect_error<NotDifferentiableError>(
      [&] { jacrev([](Array x) { return 1.0 * x; })(np::arange(3)); },
      "jacrev: differentiated arguments must be float or complex; got i32[3] for args[0].\n"
      "  while tracing jacrev(f) at here\n"
      "hint: convert it with astype(f32), or differentiate another argument: jacrev<1>(f).");
}

TEST(not_differentiable_error, polygamma_by_its_order) {
  expect_error<NotDifferentiableError>(
      [&] { grad([](Array n) { return lax::polygamma(n, Array(2.0f)); })(3.0f); },
      "polygamma: there is no derivative by the order, a whole number; got a tangent for operand 0.\n"
      "  at here\n"
      "  while tracing grad(f) at here\n"
      "hint: wrap the order in lax::stop_gradient if it is a constant.");
}

TEST(not_differentiable_error, a_gradient_through_a_while_loop) {
  expect_error<NotDifferentiableError>(
      [&] {
        grad([](Array x) { return while_loop([](Array y) { return y < 10.0f; }, [](Array y) { return y * y; }, x); })(
            2.0f);
      },
      "while: reverse-mode derivatives need a bound on the number of steps; got a loop that goes on as long as a "
      "condition holds.\n"
      "  at here\n"
      "  while tracing grad(f) at here\n"
      "hint: pass {.max_steps = n} to the loop, or write it as scan, or as fori_loop with bounds that are plain "
      "integers (in StableHLO text, a loop that compares a counter with a constant), or use forward mode (jvp), which "
      "works through any loop.");
}

TEST(not_differentiable_error, a_second_derivative_by_the_order_of_igamma) {
  expect_error<NotDifferentiableError>(
      [&] { grad(grad([](Array a) { return lax::igamma(a, Array(2.0f)); }))(3.0f); },
      "igamma: there is no formula for second derivatives by the order, only for first ones; got a tangent for "
      "operand 0.\n"
      "  at here\n"
      "  while tracing grad(f) at here\n"
      "  while tracing grad(f) at here\n"
      "hint: wrap the order in lax::stop_gradient if it is a constant, or take differences of the first derivative.");
}

TEST(not_differentiable_error, a_second_derivative_by_a_parameter_of_the_incomplete_beta_function) {
  expect_error<NotDifferentiableError>(
      [&] { grad(grad([](Array b) { return lax::regularized_incomplete_beta(Array(1.0f), b, Array(0.5f)); }))(3.0f); },
      "regularized_incomplete_beta: there is no formula for second derivatives by b, only for first ones; got a "
      "tangent for operand 1.\n"
      "  at here\n"
      "  while tracing grad(f) at here\n"
      "  while tracing grad(f) at here\n"
      "hint: wrap b in lax::stop_gradient if it is a constant, or take differences of the first derivative.");
}

TEST(not_differentiable_error, hessian_by_an_integer) {
  expect_error<NotDifferentiableError>(
      [&] { hessian([](Array x) { return np::sum(1.0 * x * x); })(np::arange(3)); },
      "hessian: differentiated arguments must be float or complex; got i32[3] for args[0].\n"
      "  while tracing hessian(f) at here\n"
      "hint: convert it with astype(f32), or differentiate another argument: hessian<1>(f).");
}

TEST(not_differentiable_error, forward_mode_of_a_custom_vjp) {
  expect_error<NotDifferentiableError>(
      [&] {
        const auto f = custom_vjp([](Array x) { return x * x; }, [](Array x) { return std::pair(x * x, x); },
                                  [](Array x, Array ct) { return 2.0f * x * ct; }, {.name = "square"});
        jvp(f, 3.0f, 1.0f);
      },
      "custom_vjp: forward mode (jvp, jacfwd) needs a jvp rule; got square, whose rules, fwd and bwd, serve reverse "
      "mode.\n"
      "  at here\n"
      "  while tracing jvp(f) at here\n"
      "hint: give custom_vjp a jvp rule as its fourth argument, or define square by custom_jvp, which serves both "
      "modes.");
}

TEST(not_differentiable_error, what_a_custom_function_captures) {
  expect_error<NotDifferentiableError>(
      [&] {
        grad([](Array w) {
          return custom_jvp([w](Array x) { return w * x; }, [w](Array x, Array dx) { return std::pair(w * x, w * dx); },
                            {.name = "scale"})(3.0f);
        })(2.0f);
      },
      "custom_jvp: rules must cover all that is differentiated; got a derivative by f32[] that scale captures, of "
      "which "
      "its rules know nothing.\n"
      "  at here\n"
      "  while tracing grad(f) at here\n"
      "hint: pass it as an argument of scale, or capture stop_gradient of it if it counts as a constant.");
}

TEST(not_differentiable_error, reverse_mode_of_a_linear_solve_without_a_transposed_one) {
  expect_error<NotDifferentiableError>(
      [&] {
        grad([](Array b) {
          return custom_linear_solve([](Array x) { return 2.0f * x; }, b,
                                     [](const LinearMap<Array>&, Array c) { return 0.5f * c; });
        })(2.0f);
      },
      "custom_linear_solve: reverse mode must solve with the transposed map; got no transpose_solve.\n"
      "  at here\n"
      "  while tracing grad(f) at here\n"
      "hint: pass it as the fourth argument, or `symmetric` if the map is its own transpose.");
}

TEST(not_differentiable_error, a_derivative_through_a_function_of_the_host) {
  expect_error<NotDifferentiableError>(
      [&] { grad(pure_callback([](Array x) { return x; }, abstract(f32, {}), {.name = "host"}))(1.0f); },
      "pure_callback: a function of the host has no derivatives that could be told from it; got a derivative through "
      "host.\n"
      "  at here\n"
      "  while tracing grad(f) at here\n"
      "hint: wrap it in a function with custom_jvp or custom_vjp, whose rule may call the host again, or, if its "
      "result "
      "counts as a constant, give it stop_gradient of its arguments.");
}

}  // namespace
}  // namespace weft::errors
