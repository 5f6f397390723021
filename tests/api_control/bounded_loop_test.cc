// while_loop and fori_loop with max_steps: reverse mode through loops that end when values say so.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft {
namespace {

using Doubles = std::vector<double>;

Doubles doubles(const Array& a) { return a.astype(f64).to_vector<double>(); }
bool same(const Array& a, const Array& b) { return np::allclose(a, b, 1e-12).item<bool>(); }

struct State {
  Array i, x;
};

// x -> w x + sin(x), until x sums to `limit` or more; k steps of that, written out.
const auto grow = [](Array w, Array limit, std::int64_t max_steps) {
  return [=](Array x) {
    return while_loop([&](State s) { return np::sum(s.x) < limit; },
                      [&](State s) { return State{s.i + 1, s.x * w + np::sin(s.x)}; }, State{Array(0), x},
                      {.max_steps = max_steps});
  };
};

Array written_out(Array w, Array x, int steps) {
  for (int i = 0; i < steps; ++i) x = x * w + np::sin(x);
  return x;
}

TEST(bounded_while_loop, has_the_derivatives_of_the_steps_it_takes) {
  const Array w = np::array({1.1, 0.9, 1.3}), x = np::array({0.3, 0.5, 0.2});
  for (const double limit : {0.5, 2.0, 4.0, 9.0, 60.0})
    for (const std::int64_t bound : {40, 41, 1000}) {
      const auto loop = [&](Array v, Array u) { return grow(v, Array(limit), bound)(u); };
      const int steps = loop(w, x).i.item<int>();
      EXPECT_EQ(steps == 0, limit == 0.5);
      const auto loss = [&](Array v, Array u) { return np::sum(np::square(loop(v, u).x)); };
      const auto want = [&](Array v, Array u) { return np::sum(np::square(written_out(v, u, steps))); };
      const auto [gw, gx] = grad<0, 1>(loss)(w, x);
      const auto [hw, hx] = grad<0, 1>(want)(w, x);
      EXPECT_TRUE(same(gw, hw)) << limit << " " << bound;
      EXPECT_TRUE(same(gx, hx)) << limit << " " << bound;
      EXPECT_TRUE(same(jit(grad<1>(loss))(w, x), hx));
      EXPECT_TRUE(same(grad<1>(jit(loss))(w, x), hx));
      EXPECT_TRUE(same(jvp([&](Array u) { return loss(w, u); }, x, w).second,
                       jvp([&](Array u) { return want(w, u); }, x, w).second));
    }
}

TEST(bounded_while_loop, has_derivatives_of_derivatives) {
  const Array w = np::array({1.1, 0.9}), x = np::array({0.3, 0.5});
  const auto loss = [&](Array u) { return np::sum(np::square(grow(w, Array(4.0), 20)(u).x)); };
  const int steps = grow(w, Array(4.0), 20)(x).i.item<int>();
  const auto want = [&](Array u) { return np::sum(np::square(written_out(w, u, steps))); };
  EXPECT_TRUE(same(hessian(loss)(x), hessian(want)(x)));
  const auto twice = [&](auto&& f) { return grad([&](Array u) { return np::sum(np::sin(grad(f)(u))); })(x); };
  EXPECT_TRUE(same(twice(loss), twice(want)));
  EXPECT_TRUE(same(jit([&](Array) { return twice(jit(loss)); })(x), twice(want)));
}

TEST(bounded_while_loop, examples_of_vmap_end_at_their_own_times) {
  const Array w = np::array({1.1, 0.9}), limits = np::array({0.1, 3.0, 5.5});
  const Array xs = np::array({{0.3, 0.5}, {0.1, 0.7}, {0.5, 0.25}});
  const auto loss = [&](Array x, Array limit) { return np::sum(np::square(grow(w, limit, 30)(x).x)); };
  const Array batched = vmap(grad(loss))(xs, limits);
  const Array of_batch = grad([&](Array v) { return np::sum(vmap(loss)(v, limits)); })(xs);
  for (int i = 0; i < 3; ++i) {
    const int steps = grow(w, limits(i), 30)(xs(i)).i.item<int>();
    const Array want = grad([&](Array x) { return np::sum(np::square(written_out(w, x, steps))); })(xs(i));
    EXPECT_TRUE(same(batched(i), want)) << i;
    EXPECT_TRUE(same(of_batch(i), want)) << i;
  }
}

TEST(bounded_while_loop, differentiates_inside_of_scan_and_checkpoint) {
  const Array w = np::array({1.1, 0.9}), x = np::array({0.3, 0.5});
  const auto inner = [&](Array u) { return grow(w, Array(4.0), 20)(u).x; };
  const int steps = grow(w, Array(4.0), 20)(x).i.item<int>();
  const auto nested = [&](Array u) {
    return np::sum(
        scan([&](Array c, Array s) { return std::pair(checkpoint(inner)(c * s) * 0.1, c); }, u, np::array({1.0, 1.0}))
            .second);
  };
  const auto want = [&](Array u) { return np::sum(u) + np::sum(written_out(w, u, steps) * 0.1); };
  EXPECT_TRUE(same(grad(nested)(x), grad(want)(x)));
}

TEST(bounded_while_loop, newtons_method_has_the_derivative_of_its_solution) {
  // y with y^3 + y = x; dy/dx = 1 / (3 y^2 + 1).
  const auto solve = [](Array x) {
    const auto residual = [&](Array y) { return y * y * y + y - x; };
    return while_loop([&](Array y) { return np::abs(residual(y)) > 1e-13; },
                      [&](Array y) { return y - residual(y) / (3 * y * y + 1); }, Array(1.0), {.max_steps = 50});
  };
  const auto derivative = [&](double x) {
    const double y = solve(Array(x)).item<double>();
    return 1 / (3 * y * y + 1);
  };
  for (const double x : {-4.0, 0.5, 3.0, 10.0}) {
    EXPECT_NEAR(grad(solve)(x).item<double>(), derivative(x), 1e-10);
    EXPECT_NEAR(jit(grad(solve))(x).item<double>(), derivative(x), 1e-10);
  }
  const Array xs = np::array({-4.0, 0.5, 10.0});
  const Doubles got = doubles(vmap(grad(solve))(xs));
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(got[static_cast<std::size_t>(i)], derivative(xs(i).item<double>()), 1e-10);
}

TEST(bounded_fori_loop, with_traced_bounds_differentiates_in_reverse) {
  const auto f = [](Array n, Array x) {
    return fori_loop(Array(0), n, [&](Array i, Array y) { return y * x + i; }, Array(1.0), {.max_steps = 12});
  };
  for (const int n : {0, 1, 5, 12})
    EXPECT_NEAR(
        grad<1>(f)(Array(n), 1.3).item<double>(),
        grad([&](Array x) { return fori_loop(0, n, [&](Array i, Array y) { return y * x + i; }, Array(1.0)); })(1.3)
            .item<double>(),
        1e-10);
  EXPECT_EQ(testing::message_of<ValueError>([&] { f(Array(13), Array(1.0)); }),
            "fori_loop: the condition must become false within max_steps; got one that still holds after them.");
}

// ---- the bound ----

TEST(bounded_while_loop, says_when_it_would_go_on_whoever_runs_it) {
  const auto f = [](std::int64_t bound) {
    return [=](Array x) {
      return while_loop([](Array y) { return y < 10; }, [](Array y) { return y + 1; }, x, {.max_steps = bound});
    };
  };
  const std::string text =
      "while_loop: the condition must become false within max_steps; got one that still holds after them.";
  for (const std::int64_t enough : {10, 11, 1'000'000}) EXPECT_EQ(f(enough)(Array(0.0)).item<double>(), 10);
  EXPECT_EQ(f(0)(Array(10.0)).item<double>(), 10);
  for (const std::int64_t few : {0, 1, 9}) {
    EXPECT_EQ(testing::message_of<ValueError>([&] { f(few)(Array(0.0)); }), text);
    EXPECT_EQ(testing::message_of<ValueError>([&] { jit(f(few))(Array(0.0)); }), text);
    EXPECT_EQ(testing::message_of<ValueError>([&] { vmap(f(few))(np::array({20.0, 0.0})); }), text);
    // Also when nobody wants the result, only its derivative.
    EXPECT_EQ(testing::message_of<ValueError>([&] { jit(grad(f(few)))(Array(0.0)); }), text) << few;
  }
  EXPECT_EQ(grad(f(0))(10.0).item<double>(), 1);
  EXPECT_EQ(testing::message_of<ValueError>([&] { f(-1)(Array(0.0)); }),
            "while_loop: max_steps must not be negative; got -1.");
  EXPECT_NE(
      testing::message_of<NotDifferentiableError>([&] {
        grad([](Array x) { return while_loop([](Array y) { return y < 10; }, [](Array y) { return y + 1; }, x); })(1.0);
      }).find("need a bound on the number of steps"),
      std::string::npos);
}

TEST(bounded_while_loop, whose_result_nobody_uses_does_not_run_in_a_program) {
  const auto f = [](Array x) {
    while_loop([](Array y) { return y > 0.0; }, [](Array y) { return y; }, x, {.max_steps = 3});
    return x;
  };
  EXPECT_EQ(jit(f)(1.0).item<double>(), 1);
  EXPECT_THROW(f(Array(1.0)), ValueError);
}

// ---- memory and time ----

TEST(memory, reverse_mode_through_a_while_loop_keeps_the_square_root_of_its_bound) {
  constexpr std::int64_t kSteps = 2500, kSize = 512;
  const auto f = [](std::int64_t bound) {
    return [=](Array x) {
      return np::sum(while_loop([](State s) { return s.i < kSteps; },
                                [](State s) { return State{s.i + 1, np::sin(s.x)}; }, State{Array(0), x},
                                {.max_steps = bound})
                         .x);
    };
  };
  const auto scanned = [](Array x) {
    return np::sum(fori_loop(0, kSteps, [](Array, Array y) { return np::sin(y); }, x));
  };
  const Array x = np::full({kSize}, 0.7, f64) + np::zeros({kSize}, f64);
  const auto peak = [&](const std::function<Array(Array)>& g) {
    const std::int64_t before = memory_stats().live_bytes;
    reset_peak_memory();
    const Array y = g(x);
    return std::pair(static_cast<double>(memory_stats().peak_bytes - before) / static_cast<double>(x.nbytes()), y);
  };
  const auto [all, want] = peak(grad(scanned));
  EXPECT_GE(all, kSteps);
  for (const std::int64_t bound : {kSteps, 4 * kSteps}) {
    const auto [some, got] = peak(grad(f(bound)));
    const double root = std::sqrt(static_cast<double>(bound));
    EXPECT_TRUE(same(got, want));
    EXPECT_GE(some, root);  // the first states of all chunks
    EXPECT_LE(some, 2 * root + 20) << bound;
  }
}

// Linear: a scan that keeps one number per step, and little besides. 100,000 steps also go through quickly.
TEST(memory, gradients_through_a_scan_of_100000_steps) {
  const auto f = [](std::int64_t steps) {
    return [=](Array x) {
      return scan([](Array c) { return std::pair(np::sin(c), std::tuple<>()); }, x, no_xs, {.length = steps}).first;
    };
  };
  const auto peak = [&](std::int64_t steps) {
    const std::int64_t before = memory_stats().live_bytes;
    reset_peak_memory();
    const double got = grad(f(steps))(1.0).item<double>();
    double x = 1, want = 1;
    for (std::int64_t i = 0; i < steps; ++i) {
      want *= std::cos(x);
      x = std::sin(x);
    }
    EXPECT_NEAR(got, want, 1e-9 * want);
    return static_cast<double>(memory_stats().peak_bytes - before);
  };
  constexpr std::int64_t kSteps = 100'000;
  const double bytes = peak(kSteps);
  EXPECT_GE(bytes, 8.0 * kSteps);
  EXPECT_LE(bytes, 9.0 * kSteps + 20'000);
  EXPECT_LE(peak(kSteps / 10), bytes / 8);
}

}  // namespace
}  // namespace weft
