// Examples of a vmap that go different ways: those that do not take part in something come to no harm by it.
#include "weft/control/lanes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "weft/weft.h"

namespace weft {
namespace {

using Doubles = std::vector<double>;
Doubles doubles(const Array& a) { return a.astype(f64).to_vector<double>(); }

void expect_near(const Array& a, const Doubles& want) {
  const Doubles got = doubles(a);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-12) << i;
}

// y - sqrt(y) as long as y > 0: from 1 it ends at 0, where the derivative of sqrt is infinite.
Array down(const Array& x) {
  return while_loop([](Array y) { return y > 0.0; }, [](Array y) { return y - np::sqrt(y); }, x, {.max_steps = 10});
}

TEST(lanes, ended_loops_put_no_nan_into_gradients) {
  const Array x = np::array({1.0, 4.0});
  const auto all = [](Array v) { return vmap([](Array e) { return down(e); })(v); };
  const auto sum = [&](Array v) { return np::sum(all(v)); };
  const Doubles slopes{grad(down)(1.0).item<double>(), grad(down)(4.0).item<double>()};
  EXPECT_EQ(slopes[0], 0.5);
  expect_near(grad(sum)(x), slopes);
  expect_near(jit(grad(sum))(x), slopes);
  expect_near(vmap(grad(down))(x), slopes);
  expect_near(jvp(all, x, np::ones({2}, f64)).second, slopes);
  expect_near(jacrev(all)(x), {slopes[0], 0, 0, slopes[1]});
  expect_near(jacfwd(all)(x), {slopes[0], 0, 0, slopes[1]});
  const Doubles curves{hessian(down)(1.0).item<double>(), hessian(down)(4.0).item<double>()};
  expect_near(vmap(hessian(down))(x), curves);
  expect_near(hessian(sum)(x), {curves[0], 0, 0, curves[1]});
}

TEST(lanes, ended_loops_put_no_nan_into_what_all_examples_share) {
  // d/dw of y - sqrt(w y) at y = 0 is 0 / 0.
  const auto f = [](Array w, Array x) {
    return while_loop([](Array y) { return y > 0.0; }, [&](Array y) { return y - np::sqrt(w * y); }, x,
                      {.max_steps = 10});
  };
  const Array x = np::array({1.0, 4.0});
  const auto sum = [&](Array w) { return np::sum(vmap([&](Array e) { return f(w, e); })(x)); };
  const double want = grad(f)(1.0, 1.0).item<double>() + grad(f)(1.0, 4.0).item<double>();
  EXPECT_TRUE(std::isfinite(want));
  EXPECT_NEAR(grad(sum)(1.0).item<double>(), want, 1e-12);
  EXPECT_NEAR(jit(grad(sum))(1.0).item<double>(), want, 1e-12);
}

TEST(lanes, counts_that_differ_put_no_nan_into_gradients) {
  const auto f = [](Array x, Array n) {
    return fori_loop(Array(0), n, [](Array, Array c) { return np::sqrt(c - 1.0); }, x, {.max_steps = 4});
  };
  const auto sum = [&](Array x) { return np::sum(vmap(f)(x, np::array({1, 2}))); };
  const double root = std::sqrt(5.0);
  expect_near(grad(sum)(np::array({2.0, 6.0})), {0.5, 0.25 / root / std::sqrt(root - 1)});
}

TEST(lanes, branches_put_no_nan_into_what_all_examples_share) {
  const auto f = [](Array w, Array z) {
    return cond(z > 0.0, [&](Array y) { return np::sqrt(w * y); }, [&](Array y) { return w * y; }, z);
  };
  const auto sum = [&](Array zs) {
    return [=](Array w) { return np::sum(vmap([&](Array z) { return f(w, z); })(zs)); };
  };
  EXPECT_NEAR(grad(sum(np::array({4.0, 0.0, -1.0})))(1.0).item<double>(), 1 - 1, 1e-12);
  // No example at all takes the first branch.
  EXPECT_NEAR(grad(sum(np::array({0.0, 0.0})))(1.0).item<double>(), 0, 1e-12);
  EXPECT_NEAR(grad(sum(np::zeros({0}, f64)))(1.0).item<double>(), 0, 1e-12);
}

TEST(lanes, what_all_examples_share_is_not_repeated) {
  const Array weights = np::ones({300, 300}), xs = np::ones({40, 300});
  const auto f = [&](Array x) {
    return cond(np::sum(x) > 0.0f, [&](Array v) { return np::matmul(weights, v); }, [](Array v) { return v; }, x);
  };
  const Jaxpr program = make_jaxpr([&](Array v) { return vmap(f)(v); })(xs);
  EXPECT_EQ(program.str().find("f32[40,300,300]"), std::string::npos) << program;
  expect_near(vmap(f)(xs), Doubles(40 * 300, 300.0));
}

TEST(lanes, loops_in_branches_that_an_example_does_not_take_neither_raise_nor_go_on_for_ever) {
  const auto guarded = [](LoopOptions options) {
    return [options](Array x) {
      return cond(
          x > 0.0,
          [=](Array a) {
            return while_loop([](Array y) { return y < 10.0; }, [](Array y) { return 2.0 * y; }, a, options);
          },
          [](Array a) { return 0.5 * a; }, x);
    };
  };
  for (const LoopOptions& options : {LoopOptions{20}, LoopOptions{}}) {
    const auto f = guarded(options);
    expect_near(vmap(f)(np::array({-1.0, 1.0, -3.0})), {-0.5, 16, -1.5});
    // None takes it.
    expect_near(vmap(f)(np::array({-1.0, -2.0})), {-0.5, -1});
    expect_near(jit(vmap(f))(np::array({-1.0, 1.0})), {-0.5, 16});
    expect_near(vmap(vmap(f))(np::array({{-1.0, 1.0}, {-2.0, -4.0}})), {-0.5, 16, -1, -2});
    expect_near(jvp([&](Array v) { return vmap(f)(v); }, np::array({-1.0, 1.0}), np::ones({2}, f64)).second, {0.5, 16});
  }
  const auto f = guarded({20});
  expect_near(vmap(grad(f))(np::array({-1.0, 1.0})), {0.5, 16});
  expect_near(grad([&](Array v) { return np::sum(vmap(f)(v)); })(np::array({-1.0, 1.0})), {0.5, 16});
}

TEST(lanes, loops_in_loops_that_have_ended_neither_raise_nor_go_on_for_ever) {
  const auto nested = [](LoopOptions inside) {
    return [inside](Array x) {
      return while_loop([](Array s) { return s > 0.0; },
                        [=](Array s) {
                          const Array steps = while_loop([=](Array t) { return t * s < 1.0; },
                                                         [](Array t) { return 2.0 * t; }, Array(1.0), inside);
                          return s - steps;
                        },
                        x, {.max_steps = 10});
    };
  };
  for (const LoopOptions& inside : {LoopOptions{20}, LoopOptions{}}) {
    const auto f = nested(inside);
    expect_near(vmap(f)(np::array({1.0, 3.5})), {f(Array(1.0)).item<double>(), f(Array(3.5)).item<double>()});
  }
  expect_near(vmap(grad(nested({20})))(np::array({1.0, 3.5})), {1, 1});
}

TEST(lanes, one_that_goes_on_too_long_still_raises) {
  const auto f = [](Array x) {
    return while_loop([](Array y) { return y > 1.0; }, [](Array y) { return y / 2.0; }, x, {.max_steps = 3});
  };
  EXPECT_THROW(vmap(f)(np::array({4.0, 16.0})), ValueError);
  expect_near(vmap(f)(np::array({4.0, 8.0})), {1, 1});
}

TEST(lanes, collectives_in_branches_are_of_all_examples) {
  const auto f = [](Array x) {
    return cond(x > 0.0, [](Array y) { return y + lax::psum(y, "i"); }, [](Array y) { return -y; }, x);
  };
  expect_near(vmap(f, {.axis_name = "i"})(np::array({1.0, -2.0, 4.0})), {4, 2, 7});
}

}  // namespace
}  // namespace weft
