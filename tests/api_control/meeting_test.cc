// Derivatives of branches and loops in which examples of a vmap meet (psum): of each example's function inside of the
// vmap, they are those of the sum over all examples outside of it, which is differenced.
#include <gtest/gtest.h>

#include <chrono>

#include "weft/weft.h"

namespace weft {
namespace {

namespace np = weft::np;

bool close(const Array& a, const Array& b, double tolerance) {
  return np::allclose(a, b, tolerance, tolerance).item<bool>();
}

template <class F>
Array by_differences(const F& total, const Array& x) {
  std::vector<double> slopes;
  const double h = 1e-6;
  for (std::int64_t i = 0; i < x.size(); ++i)
    slopes.push_back(((total(x.at(i).add(h)) - total(x.at(i).add(-h))) / (2 * h)).template item<double>());
  return Array(slopes);
}

// f of one example, at examples x.
template <class F>
void expect_gradient(const char* what, const F& f, const std::vector<double>& x) {
  SCOPED_TRACE(what);
  const auto mapped = vmap(f, {.axis_name = "i"});
  const auto total = [&](Array v) { return np::sum(mapped(v)); };
  const Array at(x), want = by_differences(total, at);
  const auto inside = vmap(grad(f), {.axis_name = "i"});
  const Array outer = grad(total)(at), inner = inside(at);
  EXPECT_TRUE(close(outer, want, 1e-5)) << outer.str() << want.str();
  EXPECT_TRUE(close(inner, want, 1e-5)) << inner.str() << want.str();
  EXPECT_TRUE(close(jit(inside)(at), inner, 0));
  // Derivatives of derivatives: of the gradient's sum, inside of the vmap and outside.
  const auto slope = [&](Array y) { return grad(f)(y); };
  const auto slopes = [&](Array v) { return np::sum(vmap(slope, {.axis_name = "i"})(v)); };
  const Array second = vmap(grad(slope), {.axis_name = "i"})(at), second_want = by_differences(slopes, at);
  EXPECT_TRUE(close(second, second_want, 1e-4)) << second.str() << second_want.str();
}

Array sum_of_cubes(Array y) { return lax::psum(y * y * y, "i") * y; }

TEST(meeting, branches_that_watch) {
  int seen = 0;
  const auto f = [&](Array x) {
    return cond(
        lax::axis_index("i") == 1, [](Array y) { return y * y; },
        [&](Array y) {
          debug::callback([&](Array) { ++seen; })(y);
          return sum_of_cubes(y);
        },
        x);
  };
  expect_gradient("cond", f, {1, 2, 3, 4});
  seen = 0;
  vmap(grad(f), {.axis_name = "i"})(Array(std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(seen, 3);  // not for the example that takes the other branch
}

TEST(meeting, branches_that_are_not_taken_give_no_nan) {
  // The slope of the root is infinite at 0, where another branch is taken.
  const auto f = [](Array x) {
    return cond(
        lax::axis_index("i") > 0, [](Array y) { return np::sqrt(y); },
        [](Array y) { return lax::psum(y * y, "i") * y + y; }, x);
  };
  const Array slopes = vmap(grad(f), {.axis_name = "i"})(Array(std::vector<double>{0, 2, 1, 3}));
  EXPECT_TRUE(np::all(np::isfinite(slopes)).item<bool>()) << slopes.str();
  const auto nobody = [](Array x) {
    return cond(Array(true), sum_of_cubes, [](Array y) { return np::sqrt(lax::psum(y, "i") - 3.0); }, x);
  };
  const Array at(std::vector<double>{0, 1, 2});
  const Array got = vmap(grad(nobody), {.axis_name = "i"})(at);
  const Array want = vmap(grad([](Array x) { return sum_of_cubes(x); }), {.axis_name = "i"})(at);
  EXPECT_TRUE(close(got, want, 1e-12)) << got.str();
}

TEST(meeting, one_of_many_branches) {
  expect_gradient("switch",
                  [](Array x) {
                    return switch_(
                        lax::axis_index("i"),
                        std::tuple([](Array y) { return np::sin(y); }, [](Array y) { return sum_of_cubes(y); },
                                   [](Array y) { return lax::pmean(np::cos(y), "i") * y; }),
                        x);
                  },
                  {0.3, 0.7, 0.2, 0.5});
}

TEST(meeting, bounded_loops) {
  const auto f = [](Array x) {
    return while_loop([](Array v) { return v < 5.0; },
                      [](Array v) { return v + 0.1 * np::sin(lax::psum(v, "i")) + 1.0; }, x, {.max_steps = 8});
  };
  expect_gradient("while", f, {1, 2, 3, 4.2});
  const auto watched = [](Array x) {
    return while_loop([](Array v) { return v < 5.0; },
                      [](Array v) {
                        debug::callback([](Array) {})(v);
                        return v + 0.1 * np::sin(lax::psum(v, "i")) + 1.0;
                      },
                      x, {.max_steps = 8});
  };
  const Array at(std::vector<double>{1, 2, 3, 4.2});
  EXPECT_TRUE(close(vmap(grad(watched), {.axis_name = "i"})(at), vmap(grad(f), {.axis_name = "i"})(at), 1e-12));
}

TEST(meeting, loops_that_have_ended_do_nothing) {
  // The root has no value after the last step, and the inner loop would take too many.
  const auto root = [](Array x) {
    return while_loop([](Array v) { return v > 0.1; },
                      [](Array v) { return 0.5 * np::sqrt(v - 0.5) + 0.0 * lax::psum(v, "i"); }, x, {.max_steps = 6});
  };
  expect_gradient("root", root, {0.51});
  const auto inner = [](Array x) {
    return while_loop([](Array v) { return v < 5.0; },
                      [](Array v) {
                        const Array k = while_loop([](Array u) { return u > 0.0; }, [](Array u) { return u - 1.0; }, v,
                                                   {.max_steps = 5});
                        return v + 1.0 + 0.1 * lax::psum(v, "i") + 0.0 * k;
                      },
                      x, {.max_steps = 8});
  };
  EXPECT_NEAR(vmap(grad(inner), {.axis_name = "i"})(Array(std::vector<double>{4}))(0).item<double>(), 1.1, 1e-12);
}

TEST(meeting, loops_cost_the_steps_that_are_taken) {
  const auto seconds = [](std::int64_t most) {
    const auto f = [most](Array x) {
      return while_loop([](Array v) { return v < 3.0; }, [](Array v) { return v + 1.0 + 0.1 * lax::psum(v, "i"); }, x,
                        {.max_steps = most});
    };
    const auto begin = std::chrono::steady_clock::now();
    vmap(grad(f), {.axis_name = "i"})(Array(std::vector<double>{1, 2, 3}));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  seconds(100);
  // 10,000 times the bound are 100 times the rounds, which do nothing: far less than 10,000 times the time.
  EXPECT_LT(seconds(1000000), 2.0);
}

// Where examples only ask for their place, or the size of the axis, none meets another, and those that go another way
// come to no harm.
TEST(meeting, places_and_sizes_let_no_examples_meet) {
  const auto place = [] { return lax::axis_index("i").astype(f64); };
  const auto same = [](Array y) { return y; };
  const Array x(std::vector<double>{0.0, 1.0, 4.0});
  const auto inner = [](const auto& f) { return vmap(grad(f), {.axis_name = "i"}); };
  const auto outer = [](const auto& f) {
    return grad([f](Array v) { return np::sum(vmap(f, {.axis_name = "i"})(v)); });
  };
  const auto root = [&](Array v) { return cond(v > 0.0, [&](Array y) { return np::sqrt(y) + place(); }, same, v); };
  const auto share = [&](Array v) {
    return cond(v > 0.0, [](Array y) { return np::sqrt(y) / lax::psum(Array(1.0), "i"); }, same, v);
  };
  const auto halves = [&](Array v) {
    return while_loop([](Array y) { return y > 0.1; }, [&](Array y) { return 0.5 * np::sqrt(y - 0.5) + 0.0 * place(); },
                      v, {.max_steps = 5});
  };
  EXPECT_EQ(inner(root)(x).str(), "[1.   0.5  0.25]");
  EXPECT_EQ(outer(root)(x).str(), "[1.   0.5  0.25]");
  EXPECT_TRUE(close(inner(share)(x), Array(std::vector<double>{1.0, 0.5 / 3, 0.25 / 3}), 1e-15));
  EXPECT_TRUE(close(outer(share)(x), Array(std::vector<double>{1.0, 0.5 / 3, 0.25 / 3}), 1e-15));
  const Array starts(std::vector<double>{0.51, 1.58, 0.53});
  EXPECT_TRUE(close(outer(halves)(starts), inner(halves)(starts), 1e-12));
  EXPECT_TRUE(close(outer(halves)(starts)(0), 2.5, 1e-12));
  // What is captured, where nobody takes the branch.
  const auto nobody = [&](Array s) {
    return np::sum(
        vmap([&](Array v) { return cond(v > 5.0, [&](Array y) { return y * np::sqrt(s) + place(); }, same, v); },
             {.axis_name = "i"})(x));
  };
  EXPECT_EQ(grad(nobody)(Array(0.0)).item<double>(), 0.0);
  // A place by which an example is harmed when it goes another way than the others.
  const auto divides = [&](Array s) {
    return np::sum(vmap([&](Array v) { return cond(v > 0.0, [&](Array y) { return y * s / place(); }, same, v); },
                        {.axis_name = "i"})(x));
  };
  EXPECT_EQ(grad(divides)(Array(1.0)).item<double>(), 1.0 + 4.0 / 2);
}

TEST(meeting, a_loop_that_an_example_does_not_enter_does_not_run_for_it) {
  const auto doubled = [](Array v) {
    return cond(
        v > 0.0,
        [](Array y) {
          return while_loop([](Array w) { return w < 10.0; },
                            [](Array w) { return w * 2.0 + 0.0 * lax::axis_index("i").astype(f64); }, y,
                            {.max_steps = 30});
        },
        [](Array y) { return y; }, v);
  };
  EXPECT_EQ(vmap(doubled, {.axis_name = "i"})(Array(std::vector<double>{0.0, 1.0, 4.0})).str(), "[ 0. 16. 16.]");
}

TEST(meeting, a_bound_that_is_none_is_an_error) {
  const auto f = [](Array x) {
    return while_loop([](Array v) { return v < 3.0; }, [](Array v) { return v + 1.0 + 0.1 * lax::psum(v, "i"); }, x,
                      {.max_steps = std::int64_t{1} << 62});
  };
  try {
    vmap(grad(f), {.axis_name = "i"})(Array(std::vector<double>{1.0, 2.0}));
    FAIL() << "a bound of 2^62 steps was taken";
  } catch (const ValueError& e) {
    EXPECT_NE(std::string(e.what()).find("max_steps must be at most 2^40"), std::string::npos) << e.what();
  }
}

TEST(meeting, too_many_steps_are_an_error) {
  const auto f = [](Array x) {
    return while_loop([](Array v) { return v < 50.0; }, [](Array v) { return v + 1.0 + 0.0 * lax::psum(v, "i"); }, x,
                      {.max_steps = 5});
  };
  EXPECT_THROW(vmap(grad(f), {.axis_name = "i"})(Array(std::vector<double>{1, 2})), ValueError);
}

}  // namespace
}  // namespace weft
