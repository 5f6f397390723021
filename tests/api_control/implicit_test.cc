// custom_linear_solve, custom_root and custom_fixed_point as users write them.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <functional>
#include <string>

#include "harness/errors.h"
#include "weft/core/trace.h"
#include "weft/weft.h"

namespace weft {
namespace {

using Doubles = std::vector<double>;
using testing::error_of;

Doubles doubles(const Array& a) { return a.astype(f64).to_vector<double>(); }

void expect_near(const Array& got, const Array& want, double tolerance) {
  const Doubles g = doubles(got), w = doubles(want);
  ASSERT_EQ(g.size(), w.size());
  for (std::size_t i = 0; i < g.size(); ++i) EXPECT_NEAR(g[i], w[i], tolerance * (1 + std::abs(w[i]))) << i;
}

// Central differences of a function of a vector.
Array differences(const std::function<Array(Array)>& f, const Array& x, double h = 1e-5) {
  std::vector<Array> rows;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const Array e = np::eye(x.size(), x.size(), 0, f64)(i) * h;
    rows.push_back((f(x + e) - f(x - e)) / (2 * h));
  }
  return np::moveaxis(np::stack(rows), 0, -1);
}

// ---- custom_linear_solve ----

// Solvers that are no help to derivatives: Jacobi iterations in a while loop.
Array jacobi(const LinearMap<Array>& map, const Array& b) {
  return while_loop([&](Array x) { return np::max(np::abs(map(x) - b)) > 1e-13; },
                    [&](Array x) { return x + 0.25 * (b - map(x)); }, np::zeros_like(b));
}

Array matrix_of(const Array& theta) {
  const Array t = np::sin(theta);
  return np::array({{4.0, 1.0}, {0.0, 3.0}}) + np::array({{0.5, 0.0}, {0.0, 0.0}}) * t(0) +
         np::array({{0.0, 0.0}, {1.0, 0.0}}) * t(1);
}

Array solution(Array theta, Array b) {
  const Array a = matrix_of(theta);
  return custom_linear_solve([&](Array x) { return np::matmul(a, x); }, b, jacobi, jacobi);
}

// The same in closed form, by ordinary operations.
Array closed_form(Array theta, Array b) {
  const Array a = matrix_of(theta);
  const Array det = a(0, 0) * a(1, 1) - a(0, 1) * a(1, 0);
  return np::stack({(a(1, 1) * b(0) - a(0, 1) * b(1)) / det, (a(0, 0) * b(1) - a(1, 0) * b(0)) / det});
}

const Array kTheta = np::array({0.3, 0.7}), kB = np::array({1.0, 2.0});

TEST(custom_linear_solve, solves) {
  expect_near(solution(kTheta, kB), closed_form(kTheta, kB), 1e-12);
  expect_near(jit(solution)(kTheta, kB), closed_form(kTheta, kB), 1e-12);
  const Array bs = np::array({{1.0, 2.0}, {3.0, -1.0}, {0.0, 1.0}}), thetas = bs * 0.1;
  expect_near(vmap(solution, {unmapped, 0})(kTheta, bs), vmap(closed_form, {unmapped, 0})(kTheta, bs), 1e-12);
  expect_near(vmap(solution)(thetas, bs), vmap(closed_form)(thetas, bs), 1e-12);
  expect_near(vmap(jit(solution))(thetas, bs), vmap(closed_form)(thetas, bs), 1e-12);
}

TEST(custom_linear_solve, has_all_derivatives_though_its_solver_has_none) {
  const auto with = [](auto& f) { return [&f](Array theta, Array b) { return np::sum(np::sin(f(theta, b))); }; };
  const auto f = with(solution), g = with(closed_form);
  expect_near(grad(f)(kTheta, kB), grad(g)(kTheta, kB), 1e-10);
  expect_near(grad<1>(f)(kTheta, kB), grad<1>(g)(kTheta, kB), 1e-10);
  expect_near(jit(grad(jit(f)))(kTheta, kB), grad(g)(kTheta, kB), 1e-10);
  const auto direction = std::tuple(np::array({1.0, -2.0}), np::array({0.5, 0.25}));
  expect_near(jvp(f, std::tuple(kTheta, kB), direction).second, jvp(g, std::tuple(kTheta, kB), direction).second,
              1e-10);
  expect_near(jvp(jit(f), std::tuple(kTheta, kB), direction).second, jvp(g, std::tuple(kTheta, kB), direction).second,
              1e-10);
  expect_near(jacfwd(solution)(kTheta, kB), jacfwd(closed_form)(kTheta, kB), 1e-10);
  expect_near(jacrev<1>(solution)(kTheta, kB), jacrev<1>(closed_form)(kTheta, kB), 1e-10);
  expect_near(hessian(f)(kTheta, kB), hessian(g)(kTheta, kB), 1e-9);
  expect_near(hessian<1>(f)(kTheta, kB), hessian<1>(g)(kTheta, kB), 1e-9);
  expect_near(jit(hessian(f))(kTheta, kB), hessian(g)(kTheta, kB), 1e-9);
  expect_near(jacrev(jacrev(f))(kTheta, kB), hessian(g)(kTheta, kB), 1e-9);
  const Array bs = np::array({{1.0, 2.0}, {3.0, -1.0}}), thetas = bs * 0.1;
  expect_near(vmap(grad(f))(thetas, bs), vmap(grad(g))(thetas, bs), 1e-10);
  expect_near(vmap(hessian(f))(thetas, bs), vmap(hessian(g))(thetas, bs), 1e-9);
  const auto total = [](auto& h) { return [&h](Array t, Array b) { return np::sum(vmap(h, {unmapped, 0})(t, b)); }; };
  const auto many = total(f), many_closed = total(g);
  expect_near(grad(many)(kTheta, bs), grad(many_closed)(kTheta, bs), 1e-10);
}

TEST(custom_linear_solve, a_symmetric_map_needs_one_solver) {
  const auto f = [](Array t) {
    return np::sum(custom_linear_solve([t](Array x) { return np::stack({(3.0 + t) * x(0) + x(1), x(0) + 3.0 * x(1)}); },
                                       np::array({1.0, 2.0}), jacobi, symmetric));
  };
  // x = [(3 b0 - b1), ((3 + t) b1 - b0)] / (3 (3 + t) - 1).
  const auto g = [](Array t) { return (1.0 + (2.0 * (3.0 + t) - 1.0)) / (3.0 * (3.0 + t) - 1.0); };
  EXPECT_NEAR(f(0.5).item<double>(), g(0.5).item<double>(), 1e-12);
  EXPECT_NEAR(grad(f)(0.5).item<double>(), grad(g)(0.5).item<double>(), 1e-11);
  EXPECT_NEAR(grad(grad(f))(0.5).item<double>(), grad(grad(g))(0.5).item<double>(), 1e-10);
}

TEST(custom_linear_solve, takes_trees) {
  using Pair = std::pair<Array, Array>;
  const auto f = [](Array t, Array b) {
    // t u + v = b, u = 2 v.
    const Pair x = custom_linear_solve([t](Pair p) { return Pair(t * p.first + p.second, p.first - 2.0 * p.second); },
                                       Pair(b, 0.0 * b),
                                       [t](const LinearMap<Pair>&, Pair r) {
                                         const Array v = (r.first - t * r.second) / (2.0 * t + 1.0);
                                         return Pair(r.second + 2.0 * v, v);
                                       });
    return x.first;
  };
  EXPECT_NEAR(f(1.0, 3.0).item<double>(), 2, 1e-15);
  EXPECT_NEAR(jvp(f, std::tuple(1.0, 3.0), std::tuple(1.0, 0.0)).second.item<double>(), -4.0 / 3, 1e-15);
  EXPECT_NEAR(jvp(jit(f), std::tuple(1.0, 3.0), std::tuple(0.0, 1.0)).second.item<double>(), 2.0 / 3, 1e-15);
  std::string hint;
  EXPECT_EQ(error_of([&] { grad(f)(1.0, 3.0); }, &hint),
            "NotDifferentiableError: custom_linear_solve: reverse mode must solve with the transposed map; got no "
            "transpose_solve.");
  EXPECT_EQ(hint, "pass it as the fourth argument, or `symmetric` if the map is its own transpose.");
}

TEST(custom_linear_solve, says_what_is_wrong) {
  const Array b = np::array({1.0, 2.0});
  const auto error = [&](auto matvec, auto solve) {
    return error_of([&] { jit([&](Array y) { return custom_linear_solve(matvec, y, solve); })(b); });
  };
  const auto id = [](Array x) { return x; };
  const auto copy = [](const LinearMap<Array>&, Array y) { return y; };
  EXPECT_EQ(error([](Array x) { return np::sum(x); }, copy),
            "ShapeError: custom_linear_solve: result must have the type of x; got f64[] for f64[2].");
  EXPECT_EQ(error(id, [](const LinearMap<Array>&, Array y) { return y.astype(f32); }),
            "DTypeError: custom_linear_solve: result must have the type of x; got f32[2] for f64[2].");
}

// ---- custom_root ----

// The root of x^3 + a x - b = 0 by Newton's method, a while loop.
Array cubic_root(Array a, Array b) {
  return custom_root([a, b](Array x) { return x * x * x + a * x - b; }, 0.0 * b + 1.0,
                     [](auto f, Array guess) {
                       return while_loop([&](Array x) { return np::abs(f(x)) > 1e-13; },
                                         [&](Array x) {
                                           const auto [y, slope] = jvp(f, x, np::ones_like(x));
                                           return x - y / slope;
                                         },
                                         guess);
                     },
                     [](auto g, Array y) { return y / g(np::ones_like(y)); });
}

TEST(custom_root, has_the_derivatives_of_the_equation) {
  const double a = 2, b = 3, x = 1;  // 1 + 2 = 3
  EXPECT_NEAR(cubic_root(a, b).item<double>(), x, 1e-12);
  EXPECT_NEAR(jit(cubic_root)(a, b).item<double>(), x, 1e-12);
  // dx/da = -x / (3 x^2 + a), dx/db = 1 / (3 x^2 + a).
  const double slope = 3 * x * x + a;
  EXPECT_NEAR(grad(cubic_root)(a, b).item<double>(), -x / slope, 1e-12);
  EXPECT_NEAR(grad<1>(cubic_root)(a, b).item<double>(), 1 / slope, 1e-12);
  EXPECT_NEAR(jit(grad(jit(cubic_root)))(a, b).item<double>(), -x / slope, 1e-12);
  EXPECT_NEAR(jvp(cubic_root, std::tuple(a, b), std::tuple(1.0, 1.0)).second.item<double>(), (1 - x) / slope, 1e-12);
  EXPECT_NEAR(jvp(jit(cubic_root), std::tuple(a, b), std::tuple(1.0, 0.0)).second.item<double>(), -x / slope, 1e-12);
  // d2x/db2 = -6 x (dx/db)^2 / slope.
  const double second = -6 * x / (slope * slope * slope);
  EXPECT_NEAR(grad<1>(grad<1>(cubic_root))(a, b).item<double>(), second, 1e-12);
  EXPECT_NEAR(hessian<1>(cubic_root)(a, b).item<double>(), second, 1e-12);
  EXPECT_NEAR(jacrev<1>(jacfwd<1>(cubic_root))(a, b).item<double>(), second, 1e-12);
  EXPECT_NEAR(jit(hessian<1>(jit(cubic_root)))(a, b).item<double>(), second, 1e-12);
  const auto third = [&](double t) { return grad<1>(grad<1>(cubic_root))(a, t).item<double>(); };
  EXPECT_NEAR(grad<1>(grad<1>(grad<1>(cubic_root)))(a, b).item<double>(), (third(b + 1e-4) - third(b - 1e-4)) / 2e-4,
              1e-6);
}

TEST(custom_root, survives_other_transformations) {
  const Array as = np::array({2.0, 0.5, 4.0}), bs = np::array({3.0, 1.0, -2.0});
  const auto one = [&](auto f, std::int64_t i) { return f(as(i), bs(i)).template item<double>(); };
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(vmap(cubic_root)(as, bs)(i).item<double>(), one(cubic_root, i), 1e-12);
    EXPECT_NEAR(vmap(grad(cubic_root))(as, bs)(i).item<double>(), one(grad(cubic_root), i), 1e-12);
    EXPECT_NEAR(vmap(hessian(cubic_root))(as, bs)(i).item<double>(), one(hessian(cubic_root), i), 1e-11);
    EXPECT_NEAR(grad([&](Array x) { return np::sum(vmap(cubic_root)(x, bs)); })(as)(i).item<double>(),
                one(grad(cubic_root), i), 1e-12);
  }
  const auto scanned = [](Array a) {
    return scan([&](Array c, Array b) { return std::pair(c + cubic_root(a, b + c), std::tuple<>()); }, 0.0,
                np::array({3.0, 1.0}))
        .first;
  };
  const double h = 1e-6;
  const double slope = (scanned(2.0 + h).item<double>() - scanned(2.0 - h).item<double>()) / (2 * h);
  EXPECT_NEAR(grad(scanned)(2.0).item<double>(), slope, 1e-7);
  EXPECT_NEAR(jit(grad(scanned))(2.0).item<double>(), slope, 1e-7);
  const auto chosen = [](Array a) {
    return cond(a > 0, [](Array t) { return cubic_root(t, 3.0); }, [](Array t) { return t; }, a);
  };
  EXPECT_NEAR(grad(chosen)(2.0).item<double>(), -0.2, 1e-12);
}

TEST(custom_root, hessian_of_a_loss_through_a_system) {
  // x in R^2 with A(theta) x + 0.1 x^3 = b, the linear equations of its derivatives solved by an iteration.
  const auto loss = [](Array theta) {
    const Array a = matrix_of(theta);
    const auto f = [a](Array x) { return np::matmul(a, x) + 0.1 * x * x * x - np::array({1.0, 2.0}); };
    const Array x = custom_root(
        f, np::zeros({2}, f64),
        [](auto g, Array guess) {
          return while_loop([&](Array y) { return np::max(np::abs(g(y))) > 1e-13; },
                            [&](Array y) { return y - 0.2 * g(y); }, guess);
        },
        [](auto g, Array y) { return custom_linear_solve(g, y, jacobi, jacobi); });
    return np::sum(np::exp(x));
  };
  expect_near(grad(loss)(kTheta), differences(loss, kTheta), 1e-7);
  expect_near(hessian(loss)(kTheta), differences([&](Array t) { return grad(loss)(t); }, kTheta), 1e-6);
  expect_near(jit(hessian(loss))(kTheta), hessian(loss)(kTheta), 1e-9);
  expect_near(jacrev(jacrev(loss))(kTheta), hessian(loss)(kTheta), 1e-9);
}

TEST(custom_root, says_what_is_wrong) {
  const auto solve = [](auto, Array x) { return x; };
  const auto tangent = [](auto g, Array y) { return y / g(np::ones_like(y)); };
  const auto error = [&](auto f, auto guess) {
    return error_of([&] { jit([&](Array x) { return custom_root(f, x, solve, tangent); })(guess); });
  };
  EXPECT_EQ(error([](Array x) { return np::stack({x, x}); }, Array(1.0)),
            "ShapeError: custom_root: result must have the type of x; got f64[2] for f64[].");
  EXPECT_EQ(error([](Array x) { return x; }, Array(1)),
            "DTypeError: custom_root: unknowns must be float or complex; got i32[].");
}

// ---- custom_fixed_point ----

Array square_root(Array a) {
  return custom_fixed_point([a](Array x) { return 0.5 * (x + a / x); }, a, {.tolerance = 1e-14});
}

TEST(custom_fixed_point, golden_newton_square_root) {
  // GOLDEN.md 104: value, first and second derivative at 2.
  EXPECT_NEAR(square_root(2.0).item<double>(), 1.4142135, 1e-7);
  EXPECT_NEAR(grad(square_root)(2.0).item<double>(), .35355335, 1e-7);
  EXPECT_NEAR(grad(grad(square_root))(2.0).item<double>(), -.088388346, 1e-7);
  EXPECT_NEAR(hessian(square_root)(2.0).item<double>(), -.088388346, 1e-7);
  EXPECT_NEAR(jit(hessian(jit(square_root)))(2.0).item<double>(), -.088388346, 1e-7);
  EXPECT_NEAR(jvp(square_root, 2.0, 1.0).second.item<double>(), .35355335, 1e-7);
  const auto f32_root = [](Array a) { return custom_fixed_point([a](Array x) { return 0.5f * (x + a / x); }, a); };
  EXPECT_NEAR(grad(f32_root)(2.0f).item<float>(), .35355335, 1e-6);
}

TEST(custom_fixed_point, of_trees_under_every_transformation) {
  using Pair = std::pair<Array, Array>;
  // x = cos(y) / 2, y = t + sin(x) / 3.
  const auto f = [](Array t) {
    const Pair p = custom_fixed_point([t](Pair q) { return Pair(np::cos(q.second) / 2.0, t + np::sin(q.first) / 3.0); },
                                      Pair(0.0 * t, 0.0 * t), {.tolerance = 1e-15});
    return p.first * p.second;
  };
  const auto slope = [&](double t, double h) { return (f(t + h).item<double>() - f(t - h).item<double>()) / (2 * h); };
  EXPECT_NEAR(grad(f)(0.4).item<double>(), slope(0.4, 1e-6), 1e-9);
  EXPECT_NEAR(jit(grad(jit(f)))(0.4).item<double>(), slope(0.4, 1e-6), 1e-9);
  EXPECT_NEAR(jvp(f, 0.4, 1.0).second.item<double>(), slope(0.4, 1e-6), 1e-9);
  const auto of_slope = (grad(f)(0.4 + 1e-6).item<double>() - grad(f)(0.4 - 1e-6).item<double>()) / 2e-6;
  EXPECT_NEAR(hessian(f)(0.4).item<double>(), of_slope, 1e-8);
  EXPECT_NEAR(vmap(grad(f))(np::array({0.4, 0.1}))(1).item<double>(), slope(0.1, 1e-6), 1e-9);
  EXPECT_NEAR(grad([&](Array t) { return np::sum(vmap(f)(t)); })(np::array({0.4, 0.1}))(0).item<double>(),
              slope(0.4, 1e-6), 1e-9);
}

TEST(custom_fixed_point, that_is_not_found_is_an_error) {
  const auto steps = [](FixedPointOptions options) {
    return custom_fixed_point([](Array x) { return x + 1.0; }, 0.0, options).item<double>();
  };
  EXPECT_EQ(steps({.tolerance = 0.1}), 9);  // 1 is at most 0.1 * (1 + 9)
  EXPECT_EQ(steps({.tolerance = 0.1, .max_steps = 9}), 9);
  const std::string text =
      "ValueError: while_loop: the condition must become false within max_steps; got one that still holds after "
      "them.";
  EXPECT_EQ(error_of([&] { steps({.tolerance = 0.1, .max_steps = 8}); }), text);
  EXPECT_EQ(error_of([&] { steps({.max_steps = 1}); }), text);
  // The same contraction, too slow for so few steps, and for its derivatives.
  const auto slow = [](Array a, FixedPointOptions options) {
    return custom_fixed_point([=](Array x) { return -0.999 * x + a; }, 0.0 * a, options);
  };
  EXPECT_EQ(error_of([&] { slow(1.0, {.tolerance = 1e-12, .max_steps = 20}); }), text);
  EXPECT_NEAR(slow(1.0, {.tolerance = 1e-12, .max_steps = 100000}).item<double>(), 1 / 1.999, 1e-8);
  EXPECT_EQ(error_of([&] {
              jit([&](Array a) { return slow(a, {.tolerance = 1e-12, .max_steps = 20}); })(1.0);
            }).substr(0, 11),
            "ValueError:");
}

TEST(custom_fixed_point, what_runs_away_or_is_no_number_is_an_error) {
  const auto solve = [](auto step) {
    return error_of([&] { custom_fixed_point(step, Array(2.0), {.max_steps = 5000}); }).substr(0, 11);
  };
  EXPECT_EQ(solve([](Array x) { return x * x; }), "ValueError:");
  EXPECT_EQ(solve([](Array x) { return 2.0 * x + 1.0; }), "ValueError:");
  EXPECT_EQ(solve([](Array x) { return np::sqrt(x - 10.0); }), "ValueError:");
}

TEST(custom_fixed_point, says_what_is_wrong) {
  const auto steps = [](FixedPointOptions options) {
    return custom_fixed_point([](Array x) { return x + 1.0; }, 0.0, options);
  };
  EXPECT_EQ(error_of([&] { steps({.max_steps = 0}); }),
            "ValueError: custom_fixed_point: there must be at least one step; got 0.");
  EXPECT_EQ(error_of([&] { steps({.tolerance = -1.0}); }),
            "ValueError: custom_fixed_point: the tolerance must not be negative; got -1.000000.");
  EXPECT_EQ(error_of([] { custom_fixed_point([](Array x) { return np::stack({x, x}); }, 1.0); }),
            "ShapeError: custom_fixed_point: result must have the type of x; got f64[2] for f64[].");
  for (const Array& guess : {Array(1), np::array({std::complex<double>(1, 2)})})
    EXPECT_EQ(error_of([&] { custom_fixed_point([](Array x) { return x / 2; }, guess); }),
              "DTypeError: custom_fixed_point: the guess must be float; got " + guess.aval().str() + ".");
}

// ---- maps that use transformations ----

// One unknown: c / (m applied to 1).
const auto divide = [](auto m, Array c) { return c / m(np::ones_like(c)); };

TEST(custom_linear_solve, maps_may_be_derivatives_of_anything) {
  const auto smooth = [](Array c) { return np::sin(c) + c * c; };
  const auto scanned = [=](Array x) {
    return scan([=](Array c) { return std::pair(smooth(c), std::tuple<>()); }, x, no_xs, {.length = 1}).first;
  };
  const auto chosen = [=](Array x) { return cond(x > 0.0, smooth, [](Array c) { return c; }, x); };
  const auto looped = [=](Array x) {
    return while_loop([](std::pair<Array, Array> s) { return s.second < 1; },
                      [=](std::pair<Array, Array> s) { return std::pair(smooth(s.first), s.second + 1); },
                      std::pair(x, Array(0)), {.max_steps = 2})
        .first;
  };
  const double slope = std::cos(0.7) + 1.4;
  const auto check = [&](const char* what, const std::function<Array(Array)>& f) {
    SCOPED_TRACE(what);
    const auto solved = [&](Array b) {
      return custom_linear_solve([&](Array v) { return jvp(f, Array(0.7), v).second; }, b, divide, divide);
    };
    EXPECT_NEAR(grad(solved)(2.0).item<double>(), 1 / slope, 1e-12);
    EXPECT_NEAR(jit(grad(solved))(2.0).item<double>(), 1 / slope, 1e-12);
    EXPECT_NEAR(
        std::get<0>(linear_transpose([&](Array v) { return jvp(f, Array(0.7), v).second; }, 1.0)(1.0)).item<double>(),
        slope, 1e-12);
    // Gauss-Newton: J^T J v.
    const auto squared = [&](Array b) {
      const auto map = [&](Array v) {
        const auto pull = vjp(f, Array(0.7)).second;
        return std::get<0>(pull(jvp(f, Array(0.7), v).second));
      };
      return custom_linear_solve(map, b, divide, symmetric);
    };
    EXPECT_NEAR(grad(squared)(2.0).item<double>(), 1 / (slope * slope), 1e-12);
  };
  check("plain", smooth);
  check("jit", jit(smooth));
  check("scan", scanned);
  check("cond", chosen);
  check("while", looped);
  check("checkpoint", checkpoint(smooth));
  // Products with a Hessian.
  const auto slope_of = grad(jit([](Array x) { return np::sin(x) + x * x * x; }));
  const auto newton = [&](Array b) {
    return custom_linear_solve([&](Array v) { return jvp(slope_of, Array(0.7), v).second; }, b, divide, symmetric);
  };
  EXPECT_NEAR(grad(newton)(2.0).item<double>(), 1 / (4.2 - std::sin(0.7)), 1e-12);
}

TEST(custom_linear_solve, of_a_map_that_is_not_linear_is_still_refused) {
  const auto square = jit([](Array x) { return x * x; });
  EXPECT_EQ(
      error_of([&] {
        grad([&](Array b) { return custom_linear_solve([&](Array v) { return square(v); }, b, divide, divide); })(2.0);
      }),
      "NotDifferentiableError: custom_linear_solve: the map must be linear; got one whose derivative depends on "
      "f64[], what it is applied to.");
}

TEST(implicit, equations_may_call_functions_that_have_reverse_mode_alone) {
  const auto tripled = custom_vjp([](Array x) { return 3.0 * x; }, [](Array x) { return std::pair(3.0 * x, x); },
                                  [](Array, Array ct) { return 3.0 * ct; }, {.name = "tripled"});
  // x = tripled(a) / 2.
  const auto root = [&](Array a) {
    return custom_root([&](Array x) { return 2.0 * x - tripled(a); }, 0.0,
                       [](auto f, Array x) { return x - f(x) / 2.0; }, divide);
  };
  EXPECT_EQ(root(4.0).item<double>(), 6);
  EXPECT_EQ(grad(root)(4.0).item<double>(), 1.5);
  EXPECT_EQ(jit(grad(jit(root)))(4.0).item<double>(), 1.5);
  const auto fixed = [&](Array a) {
    return custom_fixed_point([&](Array x) { return 0.5 * x + tripled(a); }, 0.0, {.tolerance = 1e-14});
  };
  EXPECT_NEAR(grad(fixed)(4.0).item<double>(), 6, 1e-10);
  // tripled(a) x = b.
  const auto solved = [&](Array a) {
    return custom_linear_solve([&](Array x) { return tripled(a) * x; }, Array(6.0), divide, divide);
  };
  EXPECT_NEAR(grad(solved)(2.0).item<double>(), -0.5, 1e-12);
  EXPECT_NEAR(jit(grad(solved))(2.0).item<double>(), -0.5, 1e-12);
}

TEST(implicit, types_are_checked_without_transformations_too) {
  const auto solve = [](auto, Array x) { return x; };
  const auto tangent = [](auto g, Array y) { return y / g(np::ones_like(y)); };
  EXPECT_EQ(error_of([&] { custom_root([](Array x) { return x; }, Array(1), solve, tangent); }),
            "DTypeError: custom_root: unknowns must be float or complex; got i32[].");
  EXPECT_EQ(error_of([&] { custom_root([](Array x) { return np::stack({x, x}); }, Array(1.0), solve, tangent); }),
            "ShapeError: custom_root: result must have the type of x; got f64[2] for f64[].");
  EXPECT_EQ(error_of([&] {
              custom_root([](Array x) { return x; }, Array(1.0), [](auto, Array x) { return x.astype(f32); }, tangent);
            }),
            "DTypeError: custom_root: result must have the type of x; got f32[] for f64[].");
  EXPECT_EQ(error_of([&] { custom_linear_solve([](Array x) { return x; }, Array(1), solve); }),
            "DTypeError: custom_linear_solve: b must be float or complex; got i32[].");
  EXPECT_EQ(error_of([&] {
              custom_linear_solve([](Array x) { return x; }, np::ones({2}), [](auto, Array b) { return np::sum(b); });
            }),
            "ShapeError: custom_linear_solve: result must have the type of x; got f32[] for f32[2].");
  EXPECT_EQ(error_of([&] {
              custom_linear_solve([](Array x) { return np::sum(x); }, np::ones({2}),
                                  [](auto m, Array b) { return m(b); });
            }),
            "ShapeError: custom_linear_solve: result must have the type of x; got f32[] for f32[2].");
}

TEST(implicit, leave_nothing_behind) {
  const CheckLeaks check;
  EXPECT_NEAR(grad(cubic_root)(2.0, 3.0).item<double>(), -0.2, 1e-12);
  EXPECT_NEAR(jit(grad(jit(square_root)))(4.0).item<double>(), 0.25, 1e-12);
  EXPECT_NEAR(grad(grad(square_root))(4.0).item<double>(), -1.0 / 32, 1e-12);
}

}  // namespace
}  // namespace weft
