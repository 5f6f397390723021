// debug::print and debug::callback: what they see, how often and in which order, under every transformation.
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "harness/errors.h"
#include "weft/ir/builder.h"
#include "weft/weft.h"

namespace weft {
namespace {

using testing::message_of;

// What `f` prints.
template <class F>
std::string printed(F&& f) {
  std::ostringstream out;
  const debug::PrintTo to(out);
  f();
  return out.str();
}

Array twice(Array x) {
  debug::print("x = {}", x);
  return 2 * x;
}

TEST(debug_print, prints_eager_and_compiled_values) {
  EXPECT_EQ(printed([] { twice(1.5f); }), "x = 1.5\n");
  const auto f = jit(twice);
  EXPECT_EQ(printed([&] {
              f(1.5f);
              f(2.5f);
            }),
            "x = 1.5\nx = 2.5\n");
  EXPECT_EQ(f.cache_size(), 1u);
}

TEST(debug_print, is_not_removed_with_what_it_shows) {
  const auto f = jit([](Array x) {
    debug::print("{}", np::sin(x));
    return x;
  });
  EXPECT_EQ(printed([&] { f(0.0f); }), "0.0\n");
  // Neither where the function is called, nor where its result is not used.
  EXPECT_EQ(printed([&] { jit([&](Array x) { return f(x), f(x) * 0; })(0.0f); }), "0.0\n0.0\n");
}

TEST(debug_print, a_derivative_prints_primal_values_once) {
  EXPECT_EQ(printed([] { grad(twice)(3.0f); }), "x = 3.0\n");
  EXPECT_EQ(printed([] { jvp(twice, 3.0f, 1.0f); }), "x = 3.0\n");
  EXPECT_EQ(printed([] { jit(grad(twice))(3.0f); }), "x = 3.0\n");
  EXPECT_EQ(printed([] { grad(jit(twice))(3.0f); }), "x = 3.0\n");
  EXPECT_EQ(printed([] { grad(grad([](Array x) { return twice(x) * x * x; }))(3.0f); }), "x = 3.0\n");
  EXPECT_EQ(printed([] { grad(checkpoint(twice))(3.0f); }), "x = 3.0\n");
  EXPECT_EQ(printed([] { jit(grad(checkpoint([](Array x) { return np::sin(twice(np::sin(x))); })))(0.0f); }),
            "x = 0.0\n");
}

TEST(debug_print, vmap_prints_each_example_in_order) {
  const Array xs = np::array({1.0f, 2.0f, 3.0f});
  EXPECT_EQ(printed([&] { vmap(twice)(xs); }), "x = 1.0\nx = 2.0\nx = 3.0\n");
  EXPECT_EQ(printed([&] { jit(vmap(twice))(xs); }), "x = 1.0\nx = 2.0\nx = 3.0\n");
  EXPECT_EQ(printed([&] { vmap(grad(twice))(xs); }), "x = 1.0\nx = 2.0\nx = 3.0\n");
  EXPECT_EQ(printed([&] { vmap(jit(twice))(np::zeros({0})); }), "");
  // What all examples share is printed once when nothing else is, and beside each value of an example.
  EXPECT_EQ(printed([&] { vmap([&](Array x) { return debug::print("n"), x; })(xs); }), "n\n");
  EXPECT_EQ(
      printed([&] { vmap([&](Array x, Array y) { return debug::print("{} {}", y, x), x; }, {0, unmapped})(xs, 7); }),
      "7 1.0\n7 2.0\n7 3.0\n");
}

TEST(debug_print, nested_vmaps_go_through_the_outer_axis_first) {
  const auto f = [](Array x, Array y) {
    debug::print("{} {}", x, y);
    return x * y;
  };
  const Array xs = np::array({1, 2}), ys = np::array({3, 4, 5});
  const std::string outer_x = "1 3\n1 4\n1 5\n2 3\n2 4\n2 5\n";
  EXPECT_EQ(printed([&] { vmap(vmap(f, {unmapped, 0}), {0, unmapped})(xs, ys); }), outer_x);
  EXPECT_EQ(printed([&] { jit(vmap(vmap(f, {unmapped, 0}), {0, unmapped}))(xs, ys); }), outer_x);
  EXPECT_EQ(printed([&] { vmap(vmap(f, {0, unmapped}), {unmapped, 0})(xs, ys); }), "1 3\n2 3\n1 4\n2 4\n1 5\n2 5\n");
  // Operands with several axes keep theirs.
  EXPECT_EQ(printed([&] {
              vmap([](Array x) { return debug::print("{}", x), x; }, {1})(np::array({{1, 2}, {3, 4}, {5, 6}}));
            }),
            "[1 3 5]\n[2 4 6]\n");
}

TEST(debug_print, loops_print_each_step) {
  const auto run_scan = [](Array x) {
    return scan(
               [](Array c, Array x) {
                 debug::print("c = {}, x = {}", c, x);
                 return std::pair(c + x, c);
               },
               x, np::array({1.0f, 2.0f}))
        .first;
  };
  EXPECT_EQ(printed([&] { run_scan(0.0f); }), "c = 0.0, x = 1.0\nc = 1.0, x = 2.0\n");
  EXPECT_EQ(printed([&] { jit(grad(run_scan))(0.0f); }), "c = 0.0, x = 1.0\nc = 1.0, x = 2.0\n");
  EXPECT_EQ(printed([&] { vmap(run_scan)(np::array({0.0f, 5.0f})); }),
            "c = 0.0, x = 1.0\nc = 5.0, x = 1.0\nc = 1.0, x = 2.0\nc = 6.0, x = 2.0\n");

  const auto run_while = [](Array x) {
    return while_loop([](Array y) { return y < 10.0f; },
                      [](Array y) {
                        debug::print("y = {}", y);
                        return y * y;
                      },
                      x, {.max_steps = 8});
  };
  EXPECT_EQ(printed([&] { run_while(2.0f); }), "y = 2.0\ny = 4.0\n");
  EXPECT_EQ(printed([&] { jvp(run_while, 2.0f, 1.0f); }), "y = 2.0\ny = 4.0\n");
  EXPECT_EQ(printed([&] { EXPECT_EQ(grad(run_while)(2.0f).item<float>(), 32.0f); }), "y = 2.0\ny = 4.0\n");
  EXPECT_EQ(printed([&] { jit(grad(run_while))(2.0f); }), "y = 2.0\ny = 4.0\n");
}

// What is the same in every step of a scan is computed before it for the derivative, but printed where it is.
TEST(debug_print, a_derivative_of_a_scan_prints_what_is_hoisted_in_its_steps) {
  const auto f = [](Array w) {
    return scan(
               [&](Array c) {
                 const Array same = np::sin(w);
                 debug::print("{}", same);
                 return std::pair(c * same, std::tuple<>());
               },
               Array(1.0f), no_xs, {.length = 2})
        .first;
  };
  EXPECT_EQ(printed([&] { grad(f)(0.0f); }), "0.0\n0.0\n");
}

TEST(debug_print, only_the_branch_that_is_taken_prints) {
  const auto f = [](Array x) {
    return cond(
        x > 0,
        [](Array x) {
          debug::print("positive {}", x);
          return x;
        },
        [](Array x) {
          debug::print("negative {}", x);
          return -x;
        },
        x);
  };
  EXPECT_EQ(printed([&] { f(1.0f); }), "positive 1.0\n");
  EXPECT_EQ(printed([&] { jit(grad(f))(-1.0f); }), "negative -1.0\n");
  // Both branches run for all examples, but each prints its own.
  const Array xs = np::array({1.0f, -2.0f, 3.0f});
  EXPECT_EQ(printed([&] { vmap(f)(xs); }), "negative -2.0\npositive 1.0\npositive 3.0\n");
  EXPECT_EQ(printed([&] { jit(vmap(grad(f)))(xs); }), "negative -2.0\npositive 1.0\npositive 3.0\n");
}

// Masks go down through calls, loops and branches, and through a vmap inside of the branch.
TEST(debug_print, a_mapped_branch_prints_its_own_examples_whatever_is_inside) {
  const auto inner = [](Array x) {
    const auto row = vmap([](Array v) { return debug::print("v {}", v), v; })(np::stack({x, x + 1}));
    const auto sum = scan([](Array c, Array r) { return debug::print("r {}", r), std::pair(c + r, c); }, x, row).first;
    const auto last =
        while_loop([](Array y) { return y < 2.0f; }, [](Array y) { return debug::print("y {}", y), y + 1; }, x);
    return cond(
        x > 0, [](Array a) { return debug::print("a {}", a), a; }, [](Array a) { return a; },
        checkpoint(jit(twice))(sum + 0 * last));
  };
  const auto f = [&](Array x) { return cond(x > 0, inner, [](Array x) { return x; }, x); };
  const std::string one = printed([&] { f(1.0f); });
  EXPECT_EQ(one, "v 1.0\nv 2.0\nr 1.0\nr 2.0\ny 1.0\nx = 4.0\na 8.0\n");
  EXPECT_EQ(printed([&] { vmap(f)(np::array({-1.0f, 1.0f, -2.0f})); }), one);
  EXPECT_EQ(printed([&] { jit(vmap(f))(np::array({-1.0f, 1.0f, -2.0f})); }), one);
  // A mask of a mask: a branch in a mapped branch, under two vmaps.
  const auto g = [](Array x, Array y) {
    return cond(
        x > 0,
        [](Array x, Array y) {
          return cond(
              y > 0, [](Array x, Array y) { return debug::print("{} {}", x, y), x; }, [](Array x, Array) { return x; },
              x, y);
        },
        [](Array x, Array) { return x; }, x, y);
  };
  EXPECT_EQ(printed([&] {
              vmap(vmap(g, {unmapped, 0}), {0, unmapped})(np::array({1.0f, -1.0f, 2.0f}), np::array({-3.0f, 4.0f}));
            }),
            "1.0 4.0\n2.0 4.0\n");
}

TEST(debug_print, a_mapped_loop_prints_for_examples_that_go_on) {
  const auto f = [](Array x) {
    return while_loop([](Array y) { return y < 3; }, [](Array y) { return debug::print("{}", y), y + 1; }, x);
  };
  EXPECT_EQ(printed([&] { vmap(f)(np::array({2, 0, 5})); }), "2\n0\n1\n2\n");
}

TEST(debug_print, works_in_custom_rules) {
  const auto f = custom_vjp([](Array x) { return debug::print("f {}", x), x * x; },
                            [](Array x) {
                              debug::print("fwd {}", x);
                              return std::pair(x * x, x);
                            },
                            [](Array x, Array ct) {
                              debug::print("bwd {} {}", x, ct);
                              return 2.0f * x * ct;
                            });
  EXPECT_EQ(printed([&] { f(3.0f); }), "f 3.0\n");
  EXPECT_EQ(printed([&] { grad(f)(3.0f); }), "fwd 3.0\nbwd 3.0 1.0\n");
  EXPECT_EQ(printed([&] { jit(grad(f))(3.0f); }), "fwd 3.0\nbwd 3.0 1.0\n");
  EXPECT_EQ(printed([&] { vmap(grad(f))(np::array({1.0f, 2.0f})); }), "fwd 1.0\nfwd 2.0\nbwd 1.0 1.0\nbwd 2.0 1.0\n");
  const auto g = custom_jvp([](Array x) { return x * x; },
                            [](Array x, Array dx) {
                              debug::print("x {}", x);
                              return std::pair(x * x, 2.0f * x * dx);
                            });
  EXPECT_EQ(printed([&] { jit(grad(g))(3.0f); }), "x 3.0\n");
}

TEST(debug_print, ordered_prints_keep_the_order_of_the_program) {
  const auto f = jit([](Array x) {
    debug::print(debug::ordered, "first {}", x);
    const Array y = np::sin(x);
    debug::print(debug::ordered, "second {}", y);
    return x;
  });
  EXPECT_EQ(printed([&] { f(0.0f); }), "first 0.0\nsecond 0.0\n");
  std::string hint;
  const auto g = [](Array x) { return debug::print(debug::ordered, "{}", x), x; };
  EXPECT_EQ(testing::error_of([&] { vmap(g)(np::ones({3})); }, &hint),
            "ValueError: debug_print: an ordered callback must not be mapped; got vmap over 3 examples.");
  EXPECT_NE(hint.find("map or scan"), std::string::npos) << hint;
  EXPECT_EQ(printed([&] { map(g, np::array({1, 2})); }), "1\n2\n");
}

TEST(debug_print, shows_in_programs_by_its_name_and_text_cannot_bring_it_back) {
  const Jaxpr program = make_jaxpr(twice)(1.0f);
  EXPECT_EQ(program.str(),
            "{ lambda ; a:f32[]. let\n"
            "     = debug_print[\n"
            "      name=\"x = {}\"\n"
            "      result_types=()\n"
            "      ordered=False\n"
            "      vmap_method=sequential\n"
            "      examples=()\n"
            "      mapped=(0,)\n"
            "      masked=False\n"
            "      function=Function\n"
            "    ] a\n"
            "    b:f32[] = mul 2.0:f32[] a\n"
            "  in (b,) }");
  const std::string refusal = message_of<ParseError>([&] { ir::parse(program.str()); });
  EXPECT_NE(refusal.find("programs with callbacks cannot be read"), std::string::npos) << refusal;
  EXPECT_NO_THROW(ir::check(program));
}

TEST(debug_print, a_text_that_does_not_fit_is_refused_when_it_is_traced) {
  const auto f = jit([](Array x) {
    debug::print("{} {}", x);
    return x;
  });
  try {
    f(1.0f);
    FAIL() << "nothing was thrown";
  } catch (const ValueError& e) {
    EXPECT_EQ(e.message(),
              "debug_print: there must be an argument for each place; got 1 argument and a place for number 1 in "
              "\"{} {}\".");
    EXPECT_EQ(e.location().str(), "debug_test.cc:" + std::to_string(__LINE__ - 10));
  }
}

TEST(debug_print, goes_where_it_is_told_and_back) {
  std::vector<std::string> lines;
  const auto before = debug::set_print_sink([&](std::string_view line) { lines.emplace_back(line); });
  twice(1.0f);
  EXPECT_EQ(printed([] { twice(2.0f); }), "x = 2.0\n");
  twice(3.0f);
  debug::set_print_sink(before);
  EXPECT_EQ(lines, (std::vector<std::string>{"x = 1.0\n", "x = 3.0\n"}));
  ::testing::internal::CaptureStdout();
  twice(4.0f);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "x = 4.0\n");
}

TEST(debug_print, goes_to_the_youngest_of_those_that_live_in_whatever_order_they_end) {
  std::ostringstream first, second;
  auto a = std::make_unique<debug::PrintTo>(first);
  auto b = std::make_unique<debug::PrintTo>(second);
  debug::print("1");
  a.reset();
  debug::print("2");
  b.reset();
  EXPECT_EQ(second.str(), "1\n2\n");
  EXPECT_EQ(first.str(), "");
}

TEST(debug_print, a_sink_may_put_another_in_its_place) {
  std::string one, two;
  const debug::PrintSink before = debug::set_print_sink([&](std::string_view line) {
    debug::set_print_sink([&](std::string_view l) { two += l; });
    one += line;  // what it captures is still there
  });
  debug::print("a");
  debug::print("b");
  debug::set_print_sink(before);
  EXPECT_EQ(one, "a\n");
  EXPECT_EQ(two, "b\n");
}

TEST(debug_print, lines_of_threads_never_mix) {
  const std::string text = printed([] {
    const auto f = jit([](Array x) { return debug::print("{} {} {}", x, x, x), x; });
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&f, t] {
        for (int i = 0; i < 50; ++i) f(Array(t));
      });
    for (std::thread& t : threads) t.join();
  });
  std::istringstream in(text);
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines)
    EXPECT_TRUE(line == "0 0 0" || line == "1 1 1" || line == "2 2 2" || line == "3 3 3") << line;
  EXPECT_EQ(lines, 200);
}

// ---- callbacks ----

TEST(debug_callback, is_called_with_concrete_trees) {
  struct State {
    Array x;
    std::vector<Array> rest;
    int tag;
  };
  std::vector<std::string> seen;
  const auto watch = debug::callback([&seen](const State& s, Array y) {
    seen.push_back(std::to_string(s.tag) + ":" + s.x.str() + s.rest[0].str() + y.str());
    if (y > 0) seen.push_back("positive");
  });
  const auto f = [&](Array x, Array y) {
    watch(State{x, {x + 1}, 7}, y);
    return x * y;
  };
  jit(f)(1, 2);
  vmap(f)(np::array({1, 2}), np::array({0, 3}));
  grad(f)(1.0f, -1.0f);
  EXPECT_EQ(seen, (std::vector<std::string>{"7:122", "positive", "7:120", "7:233", "positive", "7:1.02.0-1.0"}));
}

TEST(debug_callback, may_run_programs_and_keep_arrays) {
  std::vector<Array> kept;
  const auto f = jit([&](Array x) {
    debug::callback([&](Array v) { kept.push_back(jit([](Array a) { return np::sum(a * a); })(v)); })(x);
    return x;
  });
  for (int i = 0; i < 3; ++i) f(np::full({2}, static_cast<float>(i)));
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[2].item<float>(), 8.0f);
}

TEST(debug_callback, is_not_looked_at_by_the_modes_around_the_call) {
  const auto inner = jit([](Array v) { return v + 1; });
  inner(1.0f);
  const debug::CheckScope checks({.nans = true, .infs = true});
  const auto log = pure_callback([](Array v) { return np::nan_to_num(np::log(v)); }, abstract(f32, {}));
  EXPECT_EQ(log(-1.0f).item<float>(), 0.0f);
  EXPECT_EQ(jit([&](Array x) { return log(x); })(-1.0f).item<float>(), 0.0f);
  vmap(
      [&](Array x) {
        debug::callback([&](Array v) { inner(v); })(x);
        return x;
      },
      {.axis_name = "i"})(np::ones({2}));
  EXPECT_EQ(inner.cache_size(), 1u);
}

TEST(debug_callback, takes_small_floats_and_empty_arrays_as_they_are) {
  std::vector<std::string> seen;
  jit([&](Array a, Array b) {
    debug::callback([&](Array x, Array y) { seen.push_back(x.aval().str() + y.aval().str() + x.str()); })(a, b);
    return a;
  })(np::array({1.0f, 2.0f}).astype(f8e4m3fn), np::zeros({0, 3}, boolean));
  EXPECT_EQ(seen, (std::vector<std::string>{"f8e4m3fn[2]bool[0,3][1. 2.]"}));
}

TEST(debug_callback, an_exception_comes_out_of_the_call_and_nothing_is_left_broken) {
  struct Mine : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  const auto f = jit([](Array x) {
    debug::callback([](Array v) {
      if (v.item<float>() < 0) throw Mine("negative");
    })(x);
    return scan(
               [](Array c, Array v) {
                 return debug::callback([](Array u) {
                          if (u.item<float>() == 0) throw Mine("zero");
                        })(c),
                        std::pair(c * v, c);
               },
               x, np::ones({3}))
        .first;
  });
  EXPECT_EQ(f(2.0f).item<float>(), 2.0f);
  const auto all_throw = [&] {
    EXPECT_THROW(f(-1.0f), Mine);
    EXPECT_THROW(f(0.0f), Mine);
    EXPECT_THROW(vmap(f)(np::array({1.0f, -1.0f})), Mine);
  };
  all_throw();  // the first calls compile, and programs keep their constants
  const std::int64_t live = memory_stats().live_bytes;
  for (int i = 0; i < 3; ++i) all_throw();
  EXPECT_EQ(memory_stats().live_bytes, live);
  EXPECT_TRUE(evaluating());
  EXPECT_FALSE(current_location());
  EXPECT_EQ(f(3.0f).item<float>(), 3.0f);
}

TEST(debug_callback, an_error_of_ours_gets_a_note_with_the_line_of_the_callback) {
  const auto f = jit([](Array x) {
    debug::callback([](Array v) { np::dot(v, np::ones({3})); }, {.name = "watch"})(x);
    return x;
  });
  try {
    f(np::ones({2}));
    FAIL() << "nothing was thrown";
  } catch (const ShapeError& e) {
    const std::string line = "debug_test.cc:" + std::to_string(__LINE__ - 7);
    EXPECT_EQ(e.location().str(), line);
    ASSERT_FALSE(e.notes().empty());
    EXPECT_EQ(e.notes()[0], "in debug_callback(watch) at " + line);
  }
}

}  // namespace
}  // namespace weft
