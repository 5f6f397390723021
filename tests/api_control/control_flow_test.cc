// cond, switch_, while_loop, fori_loop, scan, map, associative_scan as users write them.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <string>

#include "weft/ir/builder.h"
#include "weft/ir/nested.h"
#include "weft/weft.h"

namespace weft {
namespace {

using Doubles = std::vector<double>;

Doubles doubles(const Array& a) { return a.astype(f64).to_vector<double>(); }

template <class E>
std::string message(auto&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.message();
  } catch (const Error& e) {
    return std::string("another class, ") + std::string(e.kind()) + ": " + e.message();
  }
  return "no error";
}

// ---- cond and switch_ ----

// The error of f has this text and is at this line.
template <class F>
void check(int line, const std::string& text, F&& f) {
  try {
    f();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), text);
    EXPECT_EQ(e.location().str(), "control_flow_test.cc:" + std::to_string(line));
  }
}

TEST(cond, takes_a_branch) {
  const auto f = [](Array p, Array x) {
    return cond(p, [](Array y) { return y * 2; }, [](Array y) { return y + 100; }, x);
  };
  for (const auto& g : {std::function<Array(Array, Array)>(f), std::function<Array(Array, Array)>(jit(f))}) {
    EXPECT_EQ(g(Array(true), Array(3.0)).item<double>(), 6);
    EXPECT_EQ(g(Array(false), Array(3.0)).item<double>(), 103);
  }
  EXPECT_EQ(doubles(vmap(f)(np::array({true, false}), np::array({1.0, 2.0}))), (Doubles{2, 102}));
  EXPECT_EQ(grad<1>(f)(Array(true), Array(3.0)).item<double>(), 2);
}

TEST(cond, branches_capture_outer_values) {
  const auto f = [](Array x, Array w) {
    const Array k = np::array({1.0, 2.0});
    return cond(np::sum(x) > 0, [&](Array y) { return np::sum(y * w * k); }, [&](Array) { return np::sum(w); }, x);
  };
  const Array x = np::array({1.0, 1.0}), w = np::array({3.0, 5.0});
  EXPECT_EQ(doubles(grad<1>(f)(x, w)), (Doubles{1, 2}));
  EXPECT_EQ(doubles(grad<1>(jit(f))(-x, w)), (Doubles{1, 1}));
}

TEST(cond, a_branch_that_is_not_taken_puts_no_nan_into_gradients) {
  const auto safe_sqrt = [](Array x) {
    return cond(x > 0, [](Array y) { return np::sqrt(y); }, [](Array y) { return 0 * y; }, x);
  };
  EXPECT_EQ(doubles(vmap(grad(safe_sqrt))(np::array({4.0, 0.0, -1.0}))), (Doubles{0.25, 0, 0}));
}

TEST(cond, results_are_trees) {
  using Tree = std::map<std::string, Array>;
  const auto r = cond(
      Array(false), [](Array x) { return Tree{{"a", x}, {"b", x + 1}}; },
      [](Array x) { return Tree{{"a", -x}, {"b", x}}; }, Array(2.0));
  EXPECT_EQ(r.at("a").item<double>(), -2);
  EXPECT_EQ(r.at("b").item<double>(), 2);
}

TEST(cond, says_what_is_wrong) {
  const Array x(1.0);
  EXPECT_EQ(message<DTypeError>([&] { cond(x, [](Array y) { return y; }, [](Array y) { return y; }, x); }),
            "cond: the predicate must be true or false; got f64[].");
  EXPECT_EQ(message<ShapeError>(
                [&] { cond(np::array({true, false}), [](Array y) { return y; }, [](Array y) { return y; }, x); }),
            "cond: the predicate must be a scalar; got bool[2].");
  using Tree = std::map<std::string, Array>;
  EXPECT_EQ(message<DTypeError>([&] {
              cond(
                  x > 0, [](Array y) { return Tree{{"w", y}}; }, [](Array y) { return Tree{{"w", y.astype(f32)}}; }, x);
            }),
            "cond: branches must return the same types; got result['w'] of the false branch, f32[] and of the true "
            "branch, f64[].");
  EXPECT_NE(message<TreeError>([&] {
              cond(x > 0, [](Array y) { return Tree{{"w", y}}; }, [](Array y) { return Tree{{"v", y}}; }, x);
            }).find("cond: the true and the false branch"),
            std::string::npos);
}

TEST(switch_, chooses_among_functions) {
  const auto f = [](Array i, Array x) {
    return switch_(i, std::tuple([](Array y) { return y; }, [](Array y) { return y * y; }, [](Array y) { return -y; }),
                   x);
  };
  for (const int i : {-5, 0}) EXPECT_EQ(f(Array(i), Array(3.0)).item<double>(), 3);
  EXPECT_EQ(jit(f)(Array(1), Array(3.0)).item<double>(), 9);
  for (const int i : {2, 3, 1000}) EXPECT_EQ(f(Array(i), Array(3.0)).item<double>(), -3);
  EXPECT_EQ(doubles(vmap(f, {0, unmapped})(np::array({0, 1, 2, 7, -1}), Array(3.0))), (Doubles{3, 9, -3, -3, 3}));
  EXPECT_EQ(switch_(Array(std::uint8_t{200}),
                    std::vector<std::function<Array(Array)>>{[](Array y) { return y; }, [](Array y) { return y + 1; }},
                    Array(3.0))
                .item<double>(),
            4);
  EXPECT_EQ(message<DTypeError>([] { switch_(Array(1.0), std::tuple([](Array y) { return y; }), Array(1.0)); }),
            "switch_: the index must be an integer; got f64[].");
  EXPECT_EQ(message<DTypeError>([] {
              switch_(Array(0), std::tuple([](Array y) { return y; }, [](Array y) { return y.astype(f32); }),
                      Array(1.0));
            }),
            "switch_: branches must return the same types; got result of branch 0, f64[] and of branch 1, f32[].");
}

TEST(switch_, says_what_is_wrong_and_where) {
  const auto same = [](Array y) { return y; };
  const std::vector<std::function<Array(Array)>> none;
  check(__LINE__, "switch_: there must be a branch; got none.", [&] { switch_(Array(0), none, 1.0); });
  check(__LINE__, "switch_: the index must be an integer; got none.", [&] { switch_(Array(), std::tuple(same), 1.0); });
  check(__LINE__, "switch_: the index must be an integer; got f64[].", [&] { switch_(1.0, std::tuple(same), 1.0); });
  check(__LINE__, "cond: the predicate must be true or false; got i32[].", [&] { cond(1, same, same, Array(1.0)); });
  check(__LINE__ + 1, "cond: the predicate must be true or false; got none.",
        [&] { cond(Array(), same, same, Array(1.0)); });
  const auto add = [](Array a, Array b) { return a + b; };
  const Array two = np::ones({2});
  check(__LINE__ + 1, "associative_scan: the axis must be one of every array; got axis 1 for elements of type f32[2].",
        [&] { associative_scan(add, np::ones({2}), false, 1); });
  check(__LINE__ + 3,
        "associative_scan: the function must return what it takes; got elements going in as f32[1] and coming out as "
        "f32[].",
        [&] { associative_scan([](Array a, Array) { return np::sum(a); }, two); });
}

// ---- loops ----

TEST(while_loop, goes_on_while_the_condition_holds) {
  const auto ten = [](Array x) { return while_loop([](Array y) { return y < 10; }, [](Array y) { return y + 1; }, x); };
  EXPECT_EQ(ten(Array(0)).item<int>(), 10);
  EXPECT_EQ(jit(ten)(Array(0)).item<int>(), 10);
  EXPECT_EQ(doubles(vmap(ten)(np::array({0, 12, 9}))), (Doubles{10, 12, 10}));
}

TEST(while_loop, carries_trees_and_captures) {
  struct State {
    Array i, x;
  };
  const auto power = [](Array base, int n) {
    return while_loop([&](State s) { return s.i < n; }, [&](State s) { return State{s.i + 1, s.x * base}; },
                      State{Array(0), Array(1.0)})
        .x;
  };
  EXPECT_EQ(power(Array(2.0), 10).item<double>(), 1024);
  const auto [y, t] = jvp([&](Array b) { return power(b, 3); }, 2.0, 1.0);
  EXPECT_EQ(y.item<double>(), 8);
  EXPECT_EQ(t.item<double>(), 12);
  EXPECT_NE(message<NotDifferentiableError>([&] {
              grad([&](Array b) { return power(b, 3); })(2.0);
            }).find("while: reverse-mode derivatives need a bound on the number of steps"),
            std::string::npos);
}

TEST(while_loop, says_what_changes) {
  EXPECT_EQ(message<DTypeError>(
                [] { while_loop([](Array y) { return y < 10; }, [](Array y) { return y + 0.5; }, Array(1)); }),
            "while_loop: what is carried must keep its type; got state going in as i32[] and coming out as f64[].");
  EXPECT_EQ(message<DTypeError>([] { while_loop([](Array y) { return y; }, [](Array y) { return y; }, Array(1)); }),
            "while_loop: the condition must be true or false; got i32[].");
  EXPECT_EQ(message<DTypeError>([] { while_loop([](Array) { return Array(); }, [](Array y) { return y; }, Array(1)); }),
            "while_loop: the condition must be true or false; got none.");
}

TEST(golden_control_flow, row_130_fori_and_while) {
  EXPECT_EQ(fori_loop(0, 10, [](Array i, Array s) { return s + i; }, Array(0)).item<int>(), 45);
  EXPECT_EQ(while_loop([](Array x) { return x < 10; }, [](Array x) { return x + 1; }, Array(0)).item<int>(), 10);
}

TEST(golden_control_flow, row_131_associative_scan) {
  const auto add = [](Array a, Array b) { return a + b; };
  EXPECT_EQ(doubles(associative_scan(add, np::arange(4))), (Doubles{0, 1, 3, 6}));
  EXPECT_EQ(doubles(associative_scan(add, np::arange(4), true)), (Doubles{6, 6, 5, 3}));
}

TEST(fori_loop, with_plain_bounds_differentiates_in_reverse) {
  const auto f = [](Array x) { return fori_loop(0, 5, [&](Array i, Array y) { return y * x + i; }, Array(1.0)); };
  // y = x^5 + sum of i x^(4 - i).
  const double x = 1.3, h = 1e-6;
  const auto value = [&](double v) { return f(Array(v)).item<double>(); };
  EXPECT_NEAR(grad(f)(x).item<double>(), (value(x + h) - value(x - h)) / (2 * h), 1e-7);
  EXPECT_NEAR(grad(grad(jit(f)))(x).item<double>(), (value(x + 1e-4) - 2 * value(x) + value(x - 1e-4)) / 1e-8, 1e-4);
  EXPECT_EQ(fori_loop(3, 3, [](Array, Array y) { return y + 1; }, Array(7)).item<int>(), 7);
  EXPECT_EQ(fori_loop(5, 3, [](Array, Array y) { return y + 1; }, Array(7)).item<int>(), 7);
}

TEST(switch_, a_narrow_index_and_many_branches) {
  const std::vector<std::function<Array(Array)>> many(200, [](Array y) { return y + 1; });
  EXPECT_EQ(switch_(Array(std::int8_t{127}), many, Array(1.0)).item<double>(), 2);
}

TEST(fori_loop, bounds_are_integer_scalars) {
  const auto body = [](Array, Array y) { return y + 1; };
  EXPECT_EQ(message<DTypeError>([&] { fori_loop(Array(0.0), Array(3.0), body, Array(1)); }),
            "fori_loop: the lower bound must be an integer; got f64[].");
  EXPECT_EQ(message<ShapeError>([&] { fori_loop(Array(0), np::array({1, 2}), body, Array(1)); }),
            "fori_loop: the upper bound must be a scalar; got i32[2].");
  EXPECT_EQ(fori_loop(Array(0), Array(std::int64_t{3}), body, Array(1)).item<int>(), 4);
}

TEST(fori_loop, bounds_of_mixed_signs_count_in_a_type_that_holds_both) {
  const auto steps = [](Array lower, Array upper) {
    return fori_loop(lower, upper, [](Array, Array y) { return y + 1; }, Array(0)).item<int>();
  };
  EXPECT_EQ(steps(Array(-1), Array(3u)), 4);
  EXPECT_EQ(steps(Array(std::uint8_t{200}), Array(std::int8_t{-3})), 0);
  EXPECT_EQ(steps(Array(std::int8_t{-100}), Array(std::uint8_t{100})), 200);
  EXPECT_EQ(steps(Array(std::int64_t{-2}), Array(3u)), 5);
  EXPECT_EQ(fori_loop(
                Array(-1), Array(3u), [](Array i, Array) { return i; }, Array(std::int64_t{0}))
                .item<std::int64_t>(),
            2);
  EXPECT_EQ(message<DTypeError>([&] { steps(Array(-1), Array(std::uint64_t{3})); }),
            "fori_loop: there must be an integer type that holds both bounds; got i32[] and u64[].");
}

TEST(loops, say_what_the_user_called) {
  const auto ones = [](Array, Array) { return np::ones({2}, f64); };
  check(__LINE__ + 2,
        "fori_loop: what is carried must keep its type; got value going in as f64[] and coming out as f64[2].",
        [&] { fori_loop(0, 3, ones, Array(1.0)); });
  check(__LINE__ + 2,
        "fori_loop: what is carried must keep its type; got value going in as f64[] and coming out as f64[2].",
        [&] { fori_loop(Array(0), Array(3), ones, Array(1.0)); });
  check(__LINE__ + 1, "map: what is scanned over must have first axes of one length, 2; got xs[1] of type f32[3].",
        [&] { map([](std::pair<Array, Array> p) { return p.first; }, std::pair(np::ones({2}), np::ones({3}))); });
}

TEST(fori_loop, with_traced_bounds_is_a_while_loop) {
  const auto f = [](Array n, Array x) { return fori_loop(Array(0), n, [](Array, Array y) { return y * 2; }, x); };
  EXPECT_EQ(jit(f)(Array(10), Array(1.0)).item<double>(), 1024);
  EXPECT_EQ(doubles(vmap(f, {0, unmapped})(np::array({0, 3, 5}), Array(1.0))), (Doubles{1, 8, 32}));
}

// ---- scan ----

TEST(scan, carries_and_stacks) {
  const auto sums = [](Array xs) {
    return scan([](Array c, Array x) { return std::pair(c + x, c * x); }, Array(0.0), xs);
  };
  const auto [total, products] = sums(np::array({1.0, 2.0, 3.0}));
  EXPECT_EQ(total.item<double>(), 6);
  EXPECT_EQ(doubles(products), (Doubles{0, 2, 9}));
  const auto [total2, products2] = jit(sums)(np::array({1.0, 2.0, 3.0}));
  EXPECT_EQ(doubles(products2), (Doubles{0, 2, 9}));
}

struct Cell {
  Array w, b;
};

TEST(scan, gradients_are_those_of_the_loop_written_out) {
  const auto step = [](const Cell& cell, Array h, Array x) { return np::tanh(np::dot(cell.w, h) + x * cell.b); };
  const auto scanned = [&](Cell cell, Array h, Array xs) {
    const auto [last, ys] = scan(
        [&](Array c, Array x) {
          const Array n = step(cell, c, x);
          return std::pair(n, np::sum(n * n));
        },
        h, xs);
    return np::sum(last) + np::sum(np::sin(ys));
  };
  const auto written = [&](Cell cell, Array h, Array xs) {
    Array sum(0.0);
    for (int i = 0; i < 4; ++i) {
      h = step(cell, h, xs(i));
      sum = sum + np::sin(np::sum(h * h));
    }
    return np::sum(h) + sum;
  };
  const Cell cell{np::array({{0.3, -0.5}, {0.7, 0.2}}), np::array({0.1, -0.4})};
  const Array h = np::array({0.5, -0.25}), xs = np::array({1.0, -2.0, 0.5, 3.0});
  const auto compare = [&](auto&& f, auto&& g) {
    const auto [a, ga] = value_and_grad<0, 1, 2>(f)(cell, h, xs);
    const auto [b, gb] = value_and_grad<0, 1, 2>(g)(cell, h, xs);
    EXPECT_NEAR(a.template item<double>(), b.template item<double>(), 1e-14);
    EXPECT_TRUE(np::allclose(std::get<0>(ga).w, std::get<0>(gb).w, 1e-12).template item<bool>());
    EXPECT_TRUE(np::allclose(std::get<0>(ga).b, std::get<0>(gb).b, 1e-12).template item<bool>());
    EXPECT_TRUE(np::allclose(std::get<1>(ga), std::get<1>(gb), 1e-12).template item<bool>());
    EXPECT_TRUE(np::allclose(std::get<2>(ga), std::get<2>(gb), 1e-12).template item<bool>());
  };
  compare(scanned, written);
  compare(jit(scanned), written);
  // Second order, and forward over reverse.
  const auto curvature = [&](auto&& f) { return [&](Array x) { return np::sum(np::square(grad<2>(f)(cell, h, x))); }; };
  EXPECT_TRUE(np::allclose(grad(curvature(scanned))(xs), grad(curvature(written))(xs), 1e-10).item<bool>());
  EXPECT_TRUE(np::allclose(hessian([&](Array x) { return scanned(cell, h, x); })(xs),
                           hessian([&](Array x) { return written(cell, h, x); })(xs), 1e-10)
                  .item<bool>());
  // Batched: over cells, and over inputs.
  const Array many = np::stack({xs, 2 * xs, -xs});
  const Array batched = vmap([&](Array x) { return grad<2>(scanned)(cell, h, x); })(many);
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(np::allclose(batched(i), grad<2>(written)(cell, h, many(i)), 1e-12).item<bool>());
}

TEST(scan, unrolled_and_reversed_gives_the_same) {
  for (const bool reverse : {false, true}) {
    const auto f = [&](std::int64_t unroll) {
      return [=](Array xs) {
        const auto [last, ys] = scan([](Array c, Array x) { return std::pair(0.5 * c + x, c - x); }, Array(1.0), xs,
                                     {.reverse = reverse, .unroll = unroll});
        return np::concatenate({np::reshape(last, {1}), ys});
      };
    };
    const Array xs = np::array({1.0, 2.0, -3.0, 0.5, 7.0, 0.25, -1.0});
    for (const int unroll : {2, 3, 7, 100}) {
      EXPECT_EQ(doubles(f(unroll)(xs)), doubles(f(1)(xs)));
      const auto loss = [&](std::int64_t u) { return [&, u](Array x) { return np::sum(np::square(f(u)(x))); }; };
      EXPECT_TRUE(np::allclose(grad(loss(unroll))(xs), grad(loss(1))(xs), 1e-14).item<bool>());
    }
  }
}

TEST(scan, over_nothing_counts_its_steps) {
  const auto [x, ys] = scan([](Array c) { return std::pair(c * 2, c); }, Array(1.0), no_xs, {.length = 4});
  EXPECT_EQ(x.item<double>(), 16);
  EXPECT_EQ(doubles(ys), (Doubles{1, 2, 4, 8}));
  const auto [y, none] =
      scan([](Array c) { return std::pair(c * 2, std::tuple<>()); }, Array(1.0), no_xs, {.length = 0});
  EXPECT_EQ(y.item<double>(), 1);
}

TEST(scan, of_no_steps_runs_nothing) {
  // What does not change with the steps is computed once before them, in reverse mode; here it would never end well.
  const auto f = [](Array k) {
    const auto step = [=](Array c) {
      const Array r = while_loop([](Array y) { return y > 0.0; }, [](Array y) { return y * 1.5; }, k, {.max_steps = 4});
      return std::pair(c * r, std::tuple<>());
    };
    return scan(step, k, no_xs, {.length = 0}).first;
  };
  EXPECT_EQ(grad(f)(2.0).item<double>(), 1);
  EXPECT_EQ(jit(grad(f))(2.0).item<double>(), 1);
}

TEST(scan, says_what_is_wrong) {
  const auto f = [](Array c, std::pair<Array, Array> x) { return std::pair(c + x.first, x.second); };
  EXPECT_EQ(message<ShapeError>([&] { scan(f, Array(0.0), std::pair(np::ones({3}), np::ones({4}))); }),
            "scan: what is scanned over must have first axes of one length, 3; got xs[1] of type f32[4].");
  EXPECT_EQ(message<ShapeError>([&] { scan(f, Array(0.0), std::pair(np::ones({3}), Array(1.0))); }),
            "scan: what is scanned over must have an axis; got xs[1] of type f64[].");
  EXPECT_EQ(message<ShapeError>([&] { scan(f, Array(0.0f), std::pair(np::ones({3, 2}), np::ones({3}))); }),
            "scan: what is carried must keep its type; got carry going in as f32[] and coming out as f32[2].");
  EXPECT_EQ(message<ValueError>([] { scan([](Array c) { return std::pair(c, c); }, Array(0.0), no_xs); }),
            "scan: the number of steps must be known; got no arrays to scan over and no length.");
}

TEST(map, applies_a_function_to_each_slice) {
  const auto f = [](Array x) { return np::sum(x * x); };
  const Array xs = np::array({{1.0, 2.0}, {3.0, 4.0}});
  EXPECT_EQ(doubles(map(f, xs)), (Doubles{5, 25}));
  EXPECT_EQ(doubles(grad([&](Array x) { return np::sum(map(f, x)); })(xs)), (Doubles{2, 4, 6, 8}));
}

TEST(associative_scan, combines_trees_along_any_axis) {
  // Compositions of affine maps y = a x + b.
  using Affine = std::pair<Array, Array>;
  const auto compose = [](Affine f, Affine g) { return Affine(f.first * g.first, g.first * f.second + g.second); };
  for (const int n : {1, 2, 3, 7, 8, 13}) {
    const Array a = np::reshape(np::arange(1.0, 1.0 + 2 * n) / 7.0, {2, n}), b = np::cos(a);
    const auto [pa, pb] = associative_scan(compose, Affine(a, b), false, 1);
    for (int row = 0; row < 2; ++row) {
      double x = 0.3, y = x;
      for (int i = 0; i < n; ++i) {
        y = a(row, i).item<double>() * y + b(row, i).item<double>();
        EXPECT_NEAR((pa(row, i) * x + pb(row, i)).item<double>(), y, 1e-12 * (1 + std::abs(y))) << n << " " << i;
      }
    }
  }
  const auto loss = [&](Array x) { return np::sum(associative_scan([](Array p, Array q) { return p * q; }, x)); };
  const Array x = np::array({0.5, 2.0, -1.5, 3.0, 1.25});
  EXPECT_TRUE(np::allclose(grad(loss)(x), grad([](Array v) {
                             Array p(1.0), s(0.0);
                             for (int i = 0; i < 5; ++i) s = s + (p = p * v(i));
                             return s;
                           })(x))
                  .item<bool>());
}

TEST(associative_scan, says_when_the_structure_changes) {
  using Trees = std::vector<Array>;
  EXPECT_NE(message<TreeError>([] {
              associative_scan([](Trees a, Trees) { return Trees{a[0]}; }, Trees{np::ones({4}), np::ones({4})});
            }).find("associative_scan: what the function takes and returns"),
            std::string::npos);
}

// The operations of a program's scans that give arrays of `size` elements.
void collect_large(const Jaxpr& jaxpr, std::int64_t size, bool inside, std::vector<std::string>& to) {
  for (const ir::Eqn& e : jaxpr.eqns()) {
    for (ir::Var v = e.out_begin; v < e.out_end; ++v)
      if (inside && jaxpr.aval(v).size() == size) to.emplace_back(ir::op_name(e.op));
    if (e.params)
      ir::for_each_program(*e.params, ir::Programs::kRun,
                           [&](const Jaxpr& p) { collect_large(p, size, inside || e.op == OpCode::kScan, to); });
  }
}

// So a step takes as long as what it reads and writes, where that is done in place.
TEST(loops, gradients_of_those_that_index_touch_few_elements_per_step) {
  const auto large = [](auto loss) {
    std::vector<std::string> names;
    collect_large(ir::inline_calls(make_jaxpr(grad(loss))(np::ones({1000}))), 1000, false, names);
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(large([](Array x) {
              return fori_loop(0, 1000, [&](Array i, Array s) { return s + np::sin(x(i)); }, Array(0.0f));
            }),
            Names{"scatter"});
  // Forwards; backwards the cotangent of what was there before goes on, and that of what was written is read.
  EXPECT_EQ(large([](Array x) {
              return np::sum(fori_loop(0, 1000, [](Array i, Array s) { return s.at(i).set(np::sin(s(i))); }, x));
            }),
            (Names{"scatter", "scatter", "scatter"}));
}

TEST(loops, derivatives_of_long_carries_are_made_in_linear_time) {
  // A delay line: in each step, what was in one place goes to the next.
  const auto seconds = [](int n) {
    const auto step = [&](std::vector<Array> c, Array k) {
      std::vector<Array> next{c.back() * k};
      for (std::size_t i = 1; i < c.size(); ++i) next.push_back(c[i - 1] * k);
      return std::pair(next, c[0]);
    };
    const auto loss = [&](Array x) {
      std::vector<Array> c(static_cast<std::size_t>(n), Array(1.0));
      c[0] = x;
      return np::sum(scan(step, c, np::ones({3}, f64)).second);
    };
    const auto start = std::chrono::steady_clock::now();
    grad(loss)(2.0);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  seconds(100);
  const double small = std::min(seconds(100), seconds(100));
  EXPECT_LT(std::min(seconds(800), seconds(800)), 32 * small);  // quadratic: 64
}

// A shift register of n values, from whose end a factor without a derivative is taken.
template <std::size_t kLength>
Array delayed(Array z) {
  std::vector<Array> init(kLength + 1, Array(0.0));
  const auto step = [](std::vector<Array> c, Array x) {
    std::vector<Array> next{x};
    next.insert(next.end(), c.begin(), c.end() - 2);
    next.push_back(lax::stop_gradient(c[kLength - 1]) * 0.0);
    return std::pair(next, c[kLength - 1] + x * np::sqrt(c[kLength]));
  };
  return np::sum(scan(step, init, z).second * np::arange(1, 13).astype(f64));
}

TEST(scan, what_has_no_derivative_has_none_however_late_it_comes) {
  const Array z = np::arange(12).astype(f64) * 0.1 + 0.3;
  // The root's slope at 0 is infinite, and times a tangent of zero it would be NaN.
  for (const auto f : {delayed<2>, delayed<7>, delayed<9>}) {
    const Array slopes = jacfwd(f)(z);
    EXPECT_TRUE(np::array_equal(slopes, grad(f)(z)).item<bool>()) << slopes.str();
    EXPECT_TRUE(np::all(hessian(f)(z) == 0.0).item<bool>());
  }
}

TEST(loops, derivatives_of_nested_loops_take_linear_time_in_what_they_carry) {
  const auto seconds = [](int n) {
    const auto f = [n](Array x) {
      std::vector<Array> state;
      for (int i = 0; i < n; ++i) state.push_back(x * (0.01 * i));
      const auto sines = [](std::vector<Array> c) {
        for (Array& a : c) a = np::sin(1.5 * a) + 1.0;
        return c;
      };
      state = fori_loop(
          0, 3,
          [&](Array, std::vector<Array> a) {
            return fori_loop(
                0, 3,
                [&](Array, std::vector<Array> b) {
                  return fori_loop(0, 3, [&](Array, std::vector<Array> c) { return sines(c); }, b);
                },
                a);
          },
          state);
      Array sum(0.0);
      for (const Array& a : state) sum = sum + a;
      return sum;
    };
    const auto begin = std::chrono::steady_clock::now();
    grad(f)(Array(1.0));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  seconds(20);
  // Sixteen times the time if it were quadratic; it was cubic, 20 s.
  EXPECT_LT(seconds(200), 10 * seconds(50) + 0.2);
}

}  // namespace
}  // namespace weft
