// DisableJit: functions run as they are, with values to look at, and results are the same.
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "weft/weft.h"

namespace weft {
namespace {

std::vector<double> numbers(const Array& x) { return x.astype(f64).to_vector<double>(); }

TEST(disable_jit, a_jitted_function_runs_as_it_is_on_every_call) {
  int calls = 0;
  const auto f = jit([&](Array x, int n) {
    ++calls;
    Array y = np::sin(x) * n;
    if (y > 0) return y;  // would not do under jit
    return -y;
  });
  {
    const DisableJit eager;
    EXPECT_TRUE(jit_disabled());
    EXPECT_EQ(f(-1.0, 2).item<double>(), (np::sin(Array(1.0)) * 2).item<double>());
    EXPECT_EQ(f(-1.0, 2).item<double>(), f(1.0, 2).item<double>());
    EXPECT_EQ(calls, 3);
  }
  EXPECT_FALSE(jit_disabled());
  EXPECT_EQ(f.cache_size(), 0u);
  EXPECT_EQ(f.stats().traces, 0);
  EXPECT_THROW(f(1.0, 2), ConcretizationError);
}

TEST(disable_jit, scopes_nest_and_end_with_errors) {
  EXPECT_FALSE(jit_disabled());
  try {
    const DisableJit outer;
    {
      const DisableJit inner;
    }
    EXPECT_TRUE(jit_disabled());
    jit([](Array x) -> Array { return x + np::ones({3}); })(np::ones({4}));
    ADD_FAILURE();
  } catch (const ShapeError& e) {
    EXPECT_NE(std::string(e.what()).find("at disable_jit_test.cc:"), std::string::npos) << e.what();
  }
  EXPECT_FALSE(jit_disabled());
}

TEST(disable_jit, of_one_thread_leaves_the_others_alone) {
  const DisableJit eager;
  bool there = true;
  std::thread([&] { there = jit_disabled(); }).join();
  EXPECT_FALSE(there);
}

TEST(disable_jit, nested_functions_and_transformations_see_values_too) {
  std::vector<double> seen;
  const auto inner = jit([&](Array x) {
    seen.push_back(x.item<double>());
    return x * x;
  });
  const auto outer = jit([&](Array x) { return inner(x) + inner(x + 1); });
  const DisableJit eager;
  EXPECT_EQ(outer(2.0).item<double>(), 13);
  EXPECT_EQ(grad(outer)(2.0).item<double>(), 10);
  EXPECT_EQ(jit(grad(jit(outer)))(2.0).item<double>(), 10);
  EXPECT_EQ(grad(grad(outer))(2.0).item<double>(), 4);
  EXPECT_EQ(jvp(outer, 2.0, 1.0).second.item<double>(), 10);
  EXPECT_EQ(seen.size(), 10u);
  for (const double v : seen) EXPECT_TRUE(v == 2 || v == 3) << v;
}

TEST(disable_jit, under_vmap_operations_are_mapped_one_by_one) {
  std::string seen;
  const auto f = jit([&](Array x, Array scale) {
    seen += x.str() + " ";
    if (scale > 1) x = x * scale;  // not mapped, so it is known
    return x + 1;
  });
  const DisableJit eager;
  EXPECT_EQ(numbers(vmap(f, {0, unmapped})(np::array({1.0, 2.0}), 3.0)), (std::vector<double>{4, 7}));
  EXPECT_EQ(seen.rfind("Traced(f64[], vmap(f)", 0), 0u) << seen;
}

TEST(disable_jit, cond_and_switch_call_one_function) {
  std::string called;
  const auto named = [&](const char* name, double factor) {
    return [&called, name, factor](Array x) {
      called += name;
      EXPECT_TRUE(x.known());
      return x * factor;
    };
  };
  const auto f = [&](Array x) { return cond(x > 0, named("+", 2), named("-", 3), x); };
  const auto g = [&](Array i, Array x) {
    return switch_(i, std::tuple(named("0", 1), named("1", 2), named("2", 3)), x);
  };
  const std::vector list{named("0", 1), named("1", 2), named("2", 3)};
  {
    const DisableJit eager;
    EXPECT_EQ(f(1.0).item<double>(), 2);
    EXPECT_EQ(jit(f)(-1.0).item<double>(), -3);
    EXPECT_EQ(grad(f)(-1.0).item<double>(), 3);
    EXPECT_EQ(called, "+--");
    called = "";
    // Out of range is the first or last, for every type of index.
    for (const Array& i : {Array(-7), Array(1), Array(9), Array(std::int64_t{1} << 40), Array(std::uint8_t{200}),
                           Array(~std::uint64_t{0})}) {
      const double tuple = g(i, 1.0).item<double>(), vector = switch_(i, list, Array(1.0)).item<double>();
      EXPECT_EQ(tuple, vector);
    }
    EXPECT_EQ(called, "001122222222");
  }
  // What is called otherwise: all functions, once, and the same results.
  for (const Array& i : {Array(-7), Array(1), Array(9), Array(std::uint8_t{200})}) {
    const double as_operation =
        switch_(i, std::tuple([](Array x) { return x; }, [](Array x) { return x * 2; }, [](Array x) { return x * 3; }),
                1.0)
            .item<double>();
    const DisableJit eager;
    EXPECT_EQ(g(i, 1.0).item<double>(), as_operation);
  }
}

TEST(disable_jit, a_mapped_predicate_stays_an_operation) {
  const auto f = [](Array x) { return cond(x > 0, [](Array y) { return y * 2; }, [](Array y) { return y * 3; }, x); };
  const Array xs = np::array({1.0, -1.0});
  const std::vector<double> expected = numbers(vmap(f)(xs));
  const DisableJit eager;
  EXPECT_EQ(numbers(vmap(f)(xs)), expected);
  EXPECT_EQ(numbers(vmap(grad(f))(xs)), (std::vector<double>{2, 3}));
}

TEST(disable_jit, loops_call_their_functions_with_values) {
  std::vector<double> seen;
  const auto halve = [&](Array x) {
    return while_loop([](Array y) { return y > 1; },
                      [&](Array y) {
                        seen.push_back(y.item<double>());
                        return y / 2;
                      },
                      x);
  };
  const DisableJit eager;
  EXPECT_EQ(jit(halve)(8.0).item<double>(), 1);
  EXPECT_EQ(seen, (std::vector<double>{8, 4, 2}));
  // Even in reverse mode, which the operation does not have without max_steps.
  EXPECT_EQ(grad(halve)(8.0).item<double>(), 0.125);

  seen.clear();
  const Array total = fori_loop(
      2, 5,
      [&](Array i, Array sum) {
        seen.push_back(i.item<double>());
        return sum + i;
      },
      Array(0));
  EXPECT_EQ(total.item<int>(), 9);
  EXPECT_EQ(fori_loop(Array(2), Array(5), [](Array i, Array sum) { return sum + i; }, Array(0)).item<int>(), 9);
  EXPECT_EQ(seen, (std::vector<double>{2, 3, 4}));
}

struct State {
  Array sum;
  int tag = 7;
};

TEST(disable_jit, scan_and_map_give_the_same_trees) {
  const auto run = [](Array xs, bool reverse) {
    return scan(
        [](State s, std::pair<Array, Array> x) {
          s.sum = s.sum + x.first * x.second;
          return std::pair(s, std::tuple(s.sum, x.first > 1.0, s.tag));
        },
        State{Array(0.0)}, std::pair(xs, xs + 1.0), {.reverse = reverse});
  };
  const Array xs = np::array({1.0, 2.0, 3.0});
  for (const bool reverse : {false, true}) {
    const auto [s0, y0] = run(xs, reverse);
    const Array g0 = grad([&](Array x) { return run(x, reverse).first.sum; })(xs);
    const Array v0 =
        vmap([&](Array x) { return std::get<0>(run(x, reverse).second); })(np::reshape(np::arange(6.0), {2, 3}));
    const DisableJit eager;
    const auto [s1, y1] = run(xs, reverse);
    EXPECT_EQ(numbers(s1.sum), numbers(s0.sum));
    EXPECT_EQ(s1.tag, 7);
    EXPECT_EQ(numbers(std::get<0>(y1)), numbers(std::get<0>(y0)));
    EXPECT_EQ(numbers(std::get<1>(y1)), numbers(std::get<1>(y0)));
    EXPECT_EQ(std::get<2>(y1), 7);
    EXPECT_EQ(numbers(grad([&](Array x) { return run(x, reverse).first.sum; })(xs)), numbers(g0));
    EXPECT_EQ(numbers(vmap([&](Array x) { return std::get<0>(run(x, reverse).second); })(
                  np::reshape(np::arange(6.0), {2, 3}))),
              numbers(v0));
  }
  std::vector<double> seen;
  const DisableJit eager;
  const Array squares = map(
      [&](Array x) {
        seen.push_back(x.item<double>());
        return x * x;
      },
      xs);
  EXPECT_EQ(numbers(squares), (std::vector<double>{1, 4, 9}));
  EXPECT_EQ(seen, (std::vector<double>{1, 2, 3}));
}

TEST(disable_jit, a_scan_of_no_steps_still_knows_what_it_would_give) {
  const DisableJit eager;
  const auto [last, ys] = scan([](Array c, Array x) { return std::pair(c + x, np::stack(std::vector<Array>{c, x})); },
                               1.5, np::ones({0}, f64));
  EXPECT_EQ(last.item<double>(), 1.5);
  EXPECT_EQ(ys.aval().str(), "f64[0,2]");
  EXPECT_EQ(fori_loop(3, 3, [](Array, Array x) { return x * 2; }, Array(1.5)).item<double>(), 1.5);
}

TEST(disable_jit, the_rest_of_a_loop_whose_condition_becomes_unknown_is_one_operation) {
  // Known for two steps, mapped from then on.
  const auto f = [](Array limit) {
    return while_loop([&](std::pair<Array, Array> s) { return s.second; },
                      [&](std::pair<Array, Array> s) {
                        const Array n = s.first + 1;
                        return std::pair(n, np::where(n < 2, true, n < limit));
                      },
                      std::pair<Array, Array>(0, true), {.max_steps = 20})
        .first;
  };
  const Array limits = np::array({1, 5, 3});
  const std::vector<double> expected = numbers(vmap(f)(limits));
  EXPECT_EQ(expected, (std::vector<double>{2, 5, 3}));
  const DisableJit eager;
  EXPECT_EQ(numbers(vmap(f)(limits)), expected);
}

TEST(disable_jit, mistakes_are_found_as_without_it) {
  const DisableJit eager;
  const auto count = [](Array n, std::int64_t most) {
    return while_loop([](Array x) { return x < 5; }, [](Array x) { return x + 1; }, n, {.max_steps = most});
  };
  EXPECT_EQ(count(0, 5).item<int>(), 5);
  EXPECT_THROW(count(0, 4), ValueError);
  EXPECT_THROW(count(0, -1), ValueError);
  EXPECT_THROW(while_loop([](Array x) { return x; }, [](Array x) { return x; }, 1.0f), DTypeError);
  EXPECT_THROW(while_loop([](Array x) { return x < 5; }, [](Array x) { return x.astype(f64); }, 1.0f), DTypeError);
  EXPECT_THROW(
      scan([](Array c) { return std::pair(np::stack(std::vector<Array>{c, c}), c); }, 1.0f, no_xs, {.length = 2}),
      ShapeError);
  EXPECT_THROW(cond(1.0f, [](Array x) { return x; }, [](Array x) { return x; }, 1.0f), DTypeError);
  EXPECT_THROW(switch_(0, std::vector<Array (*)(Array)>{}, 1.0f), ValueError);
  // C++ may look at values now, so ys may differ from step to step: they may not.
  const auto grows = [](Array i) { return std::pair(i + 1, np::zeros({i.item<int>()})); };
  try {
    scan(grows, 1, no_xs, {.length = 2});
    ADD_FAILURE();
  } catch (const ShapeError& e) {
    EXPECT_EQ(e.message(),
              "scan: ys must have the same type in every step; got y f32[1] in the first and f32[2] in "
              "another.");
  }
  EXPECT_THROW(scan([](Array i) { return std::pair(i + 1, i > 1 ? np::zeros({2}) : np::zeros({2}, f64)); }, 1, no_xs,
                    {.length = 2}),
               DTypeError);
}

TEST(disable_jit, checkpointed_and_custom_functions_see_values) {
  int looked = 0;
  const auto look = [&](const Array& x) {
    x.item<double>();
    ++looked;
  };
  const auto f = checkpoint([&](Array x) {
    look(x);
    return np::sin(x) * x;
  });
  const auto g = custom_jvp(
      [&](Array x) {
        look(x);
        return x * x;
      },
      [&](Array x, Array dx) {
        look(x);
        return std::pair(x * x, 2 * x * dx);
      });
  const auto h = custom_vjp(
      [&](Array x) {
        look(x);
        return x * x;
      },
      [&](Array x) {
        look(x);
        return std::pair(x * x, x);
      },
      [&](Array x, Array ct) {
        look(x);
        return 2 * x * ct;
      });
  const DisableJit eager;
  EXPECT_EQ(jit(grad(f))(2.0).item<double>(), grad([](Array x) { return np::sin(x) * x; })(2.0).item<double>());
  EXPECT_EQ(jit(g)(2.0).item<double>(), 4);
  EXPECT_EQ(jit(grad(g))(2.0).item<double>(), 4);
  EXPECT_EQ(jit(h)(2.0).item<double>(), 4);
  EXPECT_EQ(jit(grad(h))(2.0).item<double>(), 4);
  EXPECT_EQ(looked, 6);
}

// The program of a function is made in any case.
TEST(disable_jit, programs_can_still_be_made) {
  const auto inner = jit([](Array x) { return np::sin(x); });
  const auto f = [&](Array x) { return inner(x) * 2; };
  EXPECT_EQ(make_jaxpr(f)(1.0f).eqns()[0].op, OpCode::kCall);
  const DisableJit eager;
  EXPECT_EQ(make_jaxpr(f)(1.0f).eqns()[0].op, OpCode::kSine);
  EXPECT_EQ(inner.jaxpr(1.0f).eqns().size(), 1u);
}

TEST(disable_jit_death_test, the_environment_does_it_for_the_process) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // in a process of its own, which reads the variable anew
  setenv("WEFT_DISABLE_JIT", "1", 1);
  EXPECT_EXIT(
      {
        int calls = 0;
        const auto f = jit([&](Array x) {
          ++calls;
          return x.item<float>() > 0 ? x : -x;
        });
        f(1.0f);
        f(2.0f);
        bool there = false;
        std::thread([&] { there = jit_disabled(); }).join();
        std::_Exit(calls == 2 && there ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
  unsetenv("WEFT_DISABLE_JIT");
}

}  // namespace
}  // namespace weft
