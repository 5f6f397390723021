// custom_jvp and stop_gradient as users write them.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "harness/errors.h"
#include "weft/core/trace.h"
#include "weft/weft.h"

namespace weft {
namespace {

using Doubles = std::vector<double>;
using testing::error_of;

Doubles doubles(const Array& a) { return a.astype(f64).to_vector<double>(); }

// Its derivative is told as 3, which shows whether the rule was used.
const auto triple_slope =
    custom_jvp([](Array x) { return x * x; }, [](Array x, Array dx) { return std::pair{x * x, 3.0 * dx}; },
               {.name = "triple_slope"});

// A function made anew in each call, whose rule calls it.
Array log1pexp(const Array& x) {
  return custom_jvp([](Array y) { return np::log(1.0 + np::exp(y)); },
                    [](Array y, Array dy) { return std::pair(log1pexp(y), (1.0 - 1.0 / (1.0 + np::exp(y))) * dy); },
                    {.name = "log1pexp"})(x);
}

TEST(custom_jvp, golden_values_of_the_notebook) {
  // GOLDEN.md 101: f = y sin x at (2, 3).
  const auto f = custom_jvp([](Array x, Array y) { return np::sin(x) * y; },
                            [](std::tuple<Array, Array> primals, std::tuple<Array, Array> tangents) {
                              const auto& [x, y] = primals;
                              const auto& [dx, dy] = tangents;
                              return std::pair(np::sin(x) * y, np::cos(x) * dx * y + np::sin(x) * dy);
                            });
  const auto [y, dy] = jvp(f, std::tuple(2.0f, 3.0f), std::tuple(1.0f, 0.0f));
  EXPECT_NEAR(y.item<float>(), 2.7278922, 1e-6);
  EXPECT_NEAR(dy.item<float>(), -1.2484405, 1e-6);
  EXPECT_NEAR(grad(f)(2.0f, 3.0f).item<float>(), -1.2484405, 1e-6);
  // 103: x / (1 + sqrt x) at 0.
  const auto naive = [](Array x) { return x / (1.0f + np::sqrt(x)); };
  const auto safe = custom_jvp(naive, [=](Array x, Array dx) {
    return std::pair(naive(x), (np::sqrt(x) + 2.0f) / (2.0f * np::square(np::sqrt(x) + 1.0f)) * dx);
  });
  EXPECT_TRUE(std::isnan(grad(naive)(0.0f).item<float>()));
  EXPECT_EQ(grad(safe)(0.0f).item<float>(), 1);
}

TEST(custom_jvp, is_the_function_itself_without_transformations) {
  EXPECT_EQ(triple_slope(3.0).item<double>(), 9);
  EXPECT_EQ(jit(triple_slope)(3.0).item<double>(), 9);
  EXPECT_EQ(doubles(vmap(triple_slope)(np::array({1.0, 2.0}))), (Doubles{1, 4}));
  // C++ may look at values there.
  const auto f = custom_jvp([](Array x) { return x.item<double>() > 0 ? x : -x; },
                            [](Array x, Array dx) { return std::pair(x, dx); });
  EXPECT_EQ(f(-2.0).item<double>(), 2);
}

TEST(custom_jvp, both_modes_use_the_rule) {
  const auto [y, dy] = jvp(triple_slope, 5.0, 2.0);
  EXPECT_EQ(y.item<double>(), 25);
  EXPECT_EQ(dy.item<double>(), 6);
  EXPECT_EQ(grad(triple_slope)(5.0).item<double>(), 3);
  const auto [z, pushforward] = linearize(triple_slope, 5.0);
  EXPECT_EQ(pushforward(2.0).item<double>(), 6);
  EXPECT_EQ(jacfwd(triple_slope)(5.0).item<double>(), 3);
  EXPECT_EQ(jacrev(triple_slope)(5.0).item<double>(), 3);
}

TEST(custom_jvp, rules_survive_every_other_transformation) {
  const auto& f = triple_slope;
  EXPECT_EQ(grad(jit(f))(5.0).item<double>(), 3);
  EXPECT_EQ(jit(grad(f))(5.0).item<double>(), 3);
  EXPECT_EQ(jit(grad(jit(f)))(5.0).item<double>(), 3);
  const Array xs = np::array({1.0, 2.0, 3.0});
  EXPECT_EQ(doubles(vmap(grad(f))(xs)), (Doubles{3, 3, 3}));
  EXPECT_EQ(doubles(grad([&](Array x) { return np::sum(vmap(f)(x)); })(xs)), (Doubles{3, 3, 3}));
  EXPECT_EQ(doubles(jit(grad([&](Array x) { return np::sum(vmap(jit(f))(x)); }))(xs)), (Doubles{3, 3, 3}));
  EXPECT_EQ(doubles(jvp(vmap(f), xs, xs).second), (Doubles{3, 6, 9}));
  // In a scan: x <- f(x), three times.
  const auto repeated = [&](Array x) {
    return scan([&](Array c) { return std::pair(f(c), std::tuple<>()); }, x, no_xs, {.length = 3}).first;
  };
  EXPECT_EQ(repeated(2.0).item<double>(), 256);
  EXPECT_EQ(grad(repeated)(2.0).item<double>(), 27);
  EXPECT_EQ(jvp(repeated, 2.0, 1.0).second.item<double>(), 27);
  EXPECT_EQ(jit(grad(repeated))(2.0).item<double>(), 27);
  EXPECT_EQ(doubles(vmap(grad(repeated))(xs)), (Doubles{27, 27, 27}));
  const auto branches = [&](Array x) {
    return cond(x > 0, [&](Array y) { return f(y); }, [](Array y) { return y; }, x);
  };
  EXPECT_EQ(grad(branches)(5.0).item<double>(), 3);
  EXPECT_EQ(doubles(vmap(grad(branches))(np::array({5.0, -5.0}))), (Doubles{3, 1}));
  const auto loop = [&](Array x) {
    return while_loop([](Array y) { return y < 100; }, [&](Array y) { return f(y); }, x);
  };
  EXPECT_EQ(jvp(loop, 2.0, 1.0).second.item<double>(), 27);
}

TEST(custom_jvp, a_derivative_of_a_derivative_differentiates_the_rule) {
  EXPECT_EQ(grad(grad(triple_slope))(5.0).item<double>(), 0);
  const auto cube = custom_jvp([](Array x) { return x * x * x; },
                               [](Array x, Array dx) { return std::pair(x * x * x, 5.0 * np::square(x) * dx); });
  EXPECT_EQ(grad(cube)(2.0).item<double>(), 20);
  EXPECT_EQ(grad(grad(cube))(2.0).item<double>(), 20);
  EXPECT_EQ(grad(grad(grad(cube)))(2.0).item<double>(), 10);
  EXPECT_EQ(jit(grad(jit(grad(jit(cube)))))(2.0).item<double>(), 20);
  EXPECT_EQ(hessian(cube)(2.0).item<double>(), 20);
  EXPECT_EQ(doubles(vmap(grad(grad(cube)))(np::array({1.0, 2.0}))), (Doubles{10, 20}));
}

TEST(custom_jvp, a_rule_may_call_its_function) {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const double s = sigmoid(0.5);
  EXPECT_NEAR(log1pexp(0.5).item<double>(), std::log1p(std::exp(0.5)), 1e-15);
  EXPECT_NEAR(grad(log1pexp)(0.5).item<double>(), s, 1e-15);
  EXPECT_NEAR(grad(grad(log1pexp))(0.5).item<double>(), s * (1 - s), 1e-15);
  EXPECT_NEAR(grad(grad(grad(log1pexp)))(0.5).item<double>(), s * (1 - s) * (1 - 2 * s), 1e-14);
  EXPECT_NEAR(jit(grad(grad(jit(log1pexp))))(0.5).item<double>(), s * (1 - s), 1e-15);
  EXPECT_NEAR(grad(jit(grad(jit(grad(jit(log1pexp))))))(0.5).item<double>(), s * (1 - s) * (1 - 2 * s), 1e-14);
  EXPECT_NEAR(vmap(grad(grad(jit(log1pexp))))(np::array({0.5}))(0).item<double>(), s * (1 - s), 1e-15);
  // Without the rule exp overflows.
  EXPECT_EQ(grad(log1pexp)(1000.0).item<double>(), 1);
}

struct Point {
  Array x, y;
  Array label;  // an integer
};

TEST(custom_jvp, arguments_and_results_are_trees) {
  using Out = std::map<std::string, Array>;
  const auto f = custom_jvp([](Point p, Array w) { return Out{{"a", p.x * p.y * w}, {"n", p.label + 1}}; },
                            [](Point p, Array w, Point dp, Array dw) {
                              EXPECT_FALSE(dp.label.defined());
                              return std::pair(Out{{"a", p.x * p.y * w}, {"n", p.label + 1}},
                                               Out{{"a", 10.0 * dp.x + 100.0 * dp.y + 1000.0 * dw}, {"n", Array()}});
                            });
  const Point p{2.0, 3.0, 7};
  const auto [y, dy] = jvp(f, std::tuple(p, Array(4.0)), std::tuple(Point{1.0, 1.0, Array()}, Array(1.0)));
  EXPECT_EQ(y.at("a").item<double>(), 24);
  EXPECT_EQ(y.at("n").item<int>(), 8);
  EXPECT_EQ(dy.at("a").item<double>(), 1110);
  EXPECT_FALSE(dy.at("n").defined());
  const auto gradient = [&](Point q) {
    return grad([&](Array x, Array w) { return f(Point{x, q.y, q.label}, w).at("a"); })(q.x, 4.0);
  };
  EXPECT_EQ(gradient(p).item<double>(), 10);
  EXPECT_EQ(jit(gradient)(p).item<double>(), 10);
}

TEST(custom_jvp, numbers_and_integers_have_no_tangents) {
  const auto power = custom_jvp(
      [](Array x, int n) {
        Array y = x;
        for (int i = 1; i < n; ++i) y = y * x;
        return y;
      },
      [](Array x, int n, Array dx) {
        Array y = x;
        for (int i = 1; i < n; ++i) y = y * x;
        return std::pair(y, 7.0 * n * dx);
      });
  EXPECT_EQ(power(2.0, 3).item<double>(), 8);
  EXPECT_EQ(grad([&](Array x) { return power(x, 3); })(2.0).item<double>(), 21);
  EXPECT_EQ(jit(grad([&](Array x) { return power(x, 4); }))(2.0).item<double>(), 28);
  // An index, traced.
  const auto pick = custom_jvp([](Array x, Array i) { return np::take(x, i); },
                               [](Array x, Array i, Array dx, Array di) {
                                 EXPECT_FALSE(di.defined());
                                 return std::pair(np::take(x, i), 2.0 * np::take(dx, i));
                               });
  EXPECT_EQ(doubles(grad([&](Array x) { return pick(x, 1); })(np::array({1.0, 2.0}))), (Doubles{0, 2}));
  EXPECT_EQ(doubles(vmap(grad(pick), {unmapped, 0})(np::array({1.0, 2.0}), np::array({1, 0}))), (Doubles{0, 2, 2, 0}));
}

TEST(custom_jvp, functions_and_rules_capture_arrays_and_traced_values) {
  const Array table = np::array({1.0, 2.0, 4.0});
  const auto f = [&](Array w) {
    return custom_jvp(
        [&table, w](Array x) { return np::sum(table * w) * x; },
        [&table, w](Array x, Array dx) { return std::pair(np::sum(table * w) * x, np::sum(table) * w * 100.0 * dx); });
  };
  const auto g = [&](Array w, Array x) { return grad(f(w))(x) + f(w)(x); };
  EXPECT_EQ(g(2.0, 3.0).item<double>(), 1442);
  EXPECT_EQ(jit(g)(2.0, 3.0).item<double>(), 1442);
  EXPECT_EQ(doubles(vmap(g)(np::array({2.0, 1.0}), np::array({3.0, 3.0}))), (Doubles{1442, 721}));
  // The derivative goes through jit, scan and vmap inside which w was captured.
  const auto inside = [&](auto&& h) { return [=](Array x, Array w) { return h(x, w); }; };
  const auto jitted = inside([&](Array x, Array w) { return jit([&](Array y) { return f(w)(y); })(x); });
  EXPECT_EQ(grad(jitted)(3.0, 2.0).item<double>(), 1400);
  EXPECT_EQ(jit(grad(jitted))(3.0, 2.0).item<double>(), 1400);
  const auto scanned = [&](Array x, Array w) {
    return scan([&](Array c) { return std::pair(f(w)(c), std::tuple<>()); }, x, no_xs, {.length = 2}).first;
  };
  EXPECT_EQ(grad(scanned)(3.0, 2.0).item<double>(), 1400.0 * 1400.0);
  EXPECT_EQ(jit(grad(scanned))(3.0, 2.0).item<double>(), 1400.0 * 1400.0);
  const auto mapped = [&](Array xs, Array ws) {
    return np::sum(vmap([&](Array x, Array w) { return f(w)(x); })(xs, ws));
  };
  EXPECT_EQ(doubles(grad(mapped)(np::array({3.0, 3.0}), np::array({2.0, 1.0}))), (Doubles{1400, 700}));
}

TEST(custom_jvp, captured_values_are_not_differentiated) {
  const auto f = [](Array w) {
    return custom_jvp([w](Array x) { return w * x; }, [w](Array x, Array dx) { return std::pair(w * x, w * dx); },
                      {.name = "scaled"})(2.0);
  };
  const std::string text =
      "NotDifferentiableError: custom_jvp: rules must cover all that is differentiated; got a derivative by f64[] that "
      "scaled captures, of which its rules know nothing.";
  std::string hint;
  EXPECT_EQ(error_of([&] { grad(f)(3.0); }, &hint), text);
  EXPECT_EQ(hint, "pass it as an argument of scaled, or capture stop_gradient of it if it counts as a constant.");
  EXPECT_EQ(error_of([&] { jvp(f, 3.0, 1.0); }), text);
  EXPECT_EQ(error_of([&] { grad(jit(f))(3.0); }), text);
  // The same where the argument is differentiated, too.
  const auto g = [](Array w) {
    return custom_jvp([w](Array x) { return w * x; }, [w](Array x, Array dx) { return std::pair(w * x, w * dx); },
                      {.name = "scaled"})(2.0 * w);
  };
  EXPECT_EQ(error_of([&] { grad(g)(3.0); }), text);
  EXPECT_EQ(error_of([&] { jvp(g, 3.0, 1.0); }), text);
  EXPECT_EQ(error_of([&] { grad(jit(g))(3.0); }), text);
  // Or where a rule returns it as it is.
  const auto h = [](Array w) {
    return custom_jvp([w](Array) { return w; }, [w](Array, Array dx) { return std::pair(w, dx); },
                      {.name = "scaled"})(2.0 * w);
  };
  EXPECT_EQ(error_of([&] { grad(h)(3.0); }), text);
  EXPECT_EQ(error_of([&] { grad(jit(h))(3.0); }), text);
  EXPECT_EQ(grad([&](Array w) { return f(stop_gradient(w)) + w; })(3.0).item<double>(), 1);
}

TEST(custom_jvp, is_one_equation_with_its_rule_in_programs) {
  const Jaxpr program = make_jaxpr(triple_slope)(1.0);
  EXPECT_EQ(program.str(), R"({ lambda ; a:f64[]. let
    b:f64[] = custom_jvp_call[
      name=triple_slope
      call_jaxpr={ lambda ; c:f64[]. let d:f64[] = mul c c in (d,) }
      jvp={ lambda ; e:f64[] f:f64[]. let
          g:f64[] = mul e e
          h:f64[] = mul 3.0:f64[] f
        in (g, h) }
    ] a
  in (b,) })");
  const Jaxpr back = ir::parse(program.str());
  EXPECT_TRUE(back == program);
  // A rule that calls its function is a C++ function inside itself; text does not hold that.
  const std::string text = make_jaxpr(log1pexp)(1.0).str();
  EXPECT_NE(text.find("jvp=Function"), std::string::npos) << text;
  EXPECT_EQ(ir::parse(text).str(), text);
}

TEST(custom_jvp, rules_may_use_transformations) {
  // The value by one function, the derivative of another.
  const auto smooth = [](Array x) { return np::tanh(4.0 * x); };
  const auto step = custom_jvp([](Array x) { return np::sign(x); },
                               [=](Array x, Array dx) { return std::pair(np::sign(x), jvp(smooth, x, dx).second); });
  EXPECT_EQ(step(0.25).item<double>(), 1);
  const double t = std::tanh(1.0);
  EXPECT_NEAR(grad(step)(0.25).item<double>(), 4 * (1 - t * t), 1e-15);
  EXPECT_NEAR(jit(grad(jit(step)))(0.25).item<double>(), 4 * (1 - t * t), 1e-15);
  EXPECT_NEAR(grad(grad(step))(0.25).item<double>(), -32 * t * (1 - t * t), 1e-14);
  // Results and tangents of one jitted program.
  const auto both =
      custom_jvp([](Array x) { return x * x; }, jit([](Array x, Array dx) { return std::pair(x * x, 3.0 * x * dx); }));
  const auto [y, dy] = value_and_grad(both)(2.0);
  EXPECT_EQ(y.item<double>(), 4);
  EXPECT_EQ(dy.item<double>(), 6);
  EXPECT_EQ(grad(grad(both))(2.0).item<double>(), 3);
  EXPECT_EQ(jit(grad(jit(both)))(2.0).item<double>(), 6);
}

TEST(custom_jvp, custom_functions_nest) {
  const auto inner = custom_jvp([](Array x) { return np::sin(x); },
                                [](Array x, Array dx) { return std::pair(np::sin(x), 2.0 * np::cos(x) * dx); });
  // Of the outer function without rule: the inner rule. With rule: the outer one, and the inner in its derivative.
  EXPECT_NEAR(grad([&](Array x) { return inner(x * 1.0); })(0.5).item<double>(), 2 * std::cos(0.5), 1e-15);
  const auto outer = custom_jvp([=](Array x) { return inner(x); },
                                [=](Array x, Array dx) { return std::pair(inner(x), 5.0 * inner(x) * dx); });
  EXPECT_NEAR(grad(outer)(0.5).item<double>(), 5 * std::sin(0.5), 1e-15);
  EXPECT_NEAR(grad(grad(outer))(0.5).item<double>(), 10 * std::cos(0.5), 1e-15);
  EXPECT_NEAR(jit(grad(jit(grad(jit(outer)))))(0.5).item<double>(), 10 * std::cos(0.5), 1e-15);
}

TEST(custom_jvp, a_rule_that_throws_matters_only_to_derivatives) {
  const auto f = custom_jvp([](Array x) { return 2.0 * x; },
                            [](Array, Array) -> std::pair<Array, Array> { throw std::logic_error("no derivative"); });
  EXPECT_EQ(f(1.0).item<double>(), 2);
  EXPECT_EQ(jit(f)(1.0).item<double>(), 2);
  EXPECT_EQ(doubles(vmap(jit(f))(np::array({1.0}))), (Doubles{2}));
  EXPECT_EQ(error_of([&] { grad(f)(1.0); }), "another error: no derivative");
  EXPECT_EQ(error_of([&] { grad(jit(f))(1.0); }), "another error: no derivative");
}

TEST(custom_jvp, what_a_rule_returns_is_checked_leaf_by_leaf) {
  using Out = std::map<std::string, Array>;
  const auto with = [](auto rule) {
    return [rule](Array x) {
      const auto f = custom_jvp([](Array y) { return Out{{"w", y}, {"n", Array(1)}}; }, rule, {.name = "layer"});
      return np::sum(f(x).at("w"));
    };
  };
  const Array x = np::array({1.0, 2.0});
  const auto error = [&](auto rule) {
    const std::string text = error_of([&] { grad(with(rule))(x); });
    EXPECT_EQ(error_of([&] { grad(jit(with(rule)))(x); }), text);
    return text;
  };
  const auto out = [](Array w) { return Out{{"w", w}, {"n", Array(1)}}; };
  const auto tangent = [](Array w) { return Out{{"w", w}, {"n", Array()}}; };
  EXPECT_EQ(error([&](Array y, Array dy) { return std::pair(out(y), tangent(np::sum(dy))); }),
            "ShapeError: custom_jvp: tangent['w'] must have the shape of result['w']; got f64[] for f64[2].");
  EXPECT_EQ(error([&](Array y, Array dy) { return std::pair(out(y), tangent(dy.astype(f32))); }),
            "DTypeError: custom_jvp: tangent['w'] must have the dtype of result['w']; got f32[2] for f64[2].");
  EXPECT_EQ(error([&](Array y, Array dy) { return std::pair(out(y), Out{{"w", dy}}); }),
            "TreeError: custom_jvp: tangent must have the structure of result; got nothing for result['n'].");
  EXPECT_EQ(error([&](Array y, Array dy) { return std::pair(out(y), out(dy)); }),
            "DTypeError: custom_jvp: tangent['n'] must be none, for integers and bool have no tangent; got i32[] for "
            "result['n'] of type i32[].");
  EXPECT_EQ(error([&](Array y, Array dy) { return std::pair(out(np::sum(y)), tangent(np::sum(dy))); }),
            "ShapeError: custom_jvp: result of the rule['w'] must have the type of result['w']; got f64[] for f64[2].");
  EXPECT_EQ(error([&](Array y, Array dy) { return std::pair(Out{{"v", y}, {"n", Array(1)}}, tangent(dy)); }),
            "TreeError: custom_jvp: result of the rule must have the structure of result; got result of the rule['v'] "
            "but nothing for result['w'].");
  // A none tangent is zero.
  EXPECT_EQ(
      doubles(grad(with([&](Array y, Array) { return std::pair(out(y), Out{{"w", Array()}, {"n", Array()}}); }))(x)),
      (Doubles{0, 0}));
}

TEST(custom_jvp, the_functions_result_is_known_by_tracing_it_once_for_the_types_of_its_arguments) {
  int calls = 0;
  const auto f = custom_jvp(
      [&](Array x) {
        ++calls;
        return 2.0 * x;
      },
      [](Array x, Array dx) { return std::pair(2.0 * x, 2.0 * dx); });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(grad(f)(1.0).item<double>(), 2);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(doubles(grad([&](Array x) { return np::sum(f(x)); })(np::array({1.0, 2.0}))), (Doubles{2, 2}));
  EXPECT_EQ(calls, 2);
  // Other functions with rules inside are not asked for theirs.
  const auto outer =
      custom_jvp([=](Array x) { return f(x); }, [](Array x, Array dx) { return std::pair(2.0 * x, dx); });
  EXPECT_EQ(grad(outer)(1.0).item<double>(), 1);
}

TEST(custom_jvp, errors_name_the_rule_and_its_line) {
  const auto rule = [](Array x, Array) { return std::pair(x, np::zeros({3})); };
  const int line = __LINE__ + 1;
  const auto f = custom_jvp([](Array x) { return x; }, rule, {.name = "wrong"});
  try {
    grad(f)(1.0);
    FAIL();
  } catch (const DTypeError& e) {
    EXPECT_EQ(e.location().str(), "custom_jvp_test.cc:" + std::to_string(line));
    ASSERT_FALSE(e.notes().empty());
    EXPECT_EQ(e.notes()[0], "in the jvp rule of wrong");
  }
}

TEST(custom_jvp, leaves_nothing_behind) {
  const CheckLeaks check;
  const Array table = np::array({1.0, 2.0});
  const auto f = [&](Array x, Array w) {
    return custom_jvp([=](Array y) { return np::sum(table) * y * w; },
                      [=](Array y, Array dy) { return std::pair(np::sum(table) * y * w, w * dy); })(x);
  };
  EXPECT_EQ(grad(f)(1.0, 2.0).item<double>(), 2);
  EXPECT_EQ(jit(grad(jit(f)))(1.0, 2.0).item<double>(), 2);
  EXPECT_EQ(doubles(vmap(grad(f))(np::array({1.0}), np::array({2.0}))), (Doubles{2}));
  EXPECT_EQ(grad(grad(log1pexp))(0.0).item<double>(), 0.25);
}

TEST(custom_jvp, is_transposed_as_the_function_that_it_is) {
  const auto twice =
      custom_jvp([](Array x) { return 2.0 * x; }, [](Array x, Array dx) { return std::pair(2.0 * x, 2.0 * dx); });
  EXPECT_EQ(std::get<0>(linear_transpose(twice, 1.0)(3.0)).item<double>(), 6);
  // Custom functions of a tangent, inside rules: linear maps that reverse mode transposes.
  const auto twice_vjp = custom_vjp([](Array x) { return 2.0 * x; }, [](Array x) { return std::pair(2.0 * x, x); },
                                    [](Array, Array ct) { return 2.0 * ct; });
  const auto twice_vmap = custom_vmap([](Array x) { return 2.0 * x; }, [](VmapInfo, Array x) { return 2.0 * x; });
  const auto check = [](const auto& linear) {
    const auto f =
        custom_jvp([](Array x) { return x * x; }, [&](Array x, Array dx) { return std::pair(x * x, linear(x * dx)); });
    EXPECT_EQ(grad(f)(3.0).template item<double>(), 6);
    EXPECT_EQ(grad(jit(f))(3.0).template item<double>(), 6);
    EXPECT_EQ(grad(grad(jit(f)))(3.0).template item<double>(), 2);
    EXPECT_EQ(doubles(vmap(grad(jit(f)))(np::array({3.0, 4.0}))), (Doubles{6, 8}));
  };
  check(twice);
  check(twice_vjp);
  check(twice_vmap);
}

TEST(custom_jvp, rules_may_look_at_values_where_they_are_known) {
  const auto f = custom_jvp([](Array x) { return x.item<double>() > 0 ? 2.0 * x : -x; },
                            [](Array x, Array dx) {
                              if (x.item<double>() > 0) return std::pair(2.0 * x, 20.0 * dx);
                              return std::pair(-x, -10.0 * dx);
                            });
  EXPECT_EQ(grad(f)(3.0).item<double>(), 20);
  EXPECT_EQ(grad(f)(-3.0).item<double>(), -10);
  const auto [y, dy] = jvp(f, -3.0, 1.0);
  EXPECT_EQ(y.item<double>(), 3);
  EXPECT_EQ(dy.item<double>(), -10);
  EXPECT_EQ(error_of([&] { jit(f)(3.0); }).substr(0, 20), "ConcretizationError:");
}

// |x|^3, by cases, whose rule calls it.
Array cubed(const Array& x) {
  return custom_jvp([](Array y) { return y.item<double>() < 0 ? -y * y * y : y * y * y; },
                    [](Array y, Array dy) {
                      const Array slope = 3.0 * cubed(y) / y;  // 3 y^2 with the sign of y
                      return std::pair(cubed(y), slope * dy);
                    })(x);
}

TEST(custom_jvp, rules_that_call_their_function_may_look_at_values_too) {
  EXPECT_NEAR(grad(cubed)(-2.0).item<double>(), -12, 1e-14);
  EXPECT_NEAR(grad(grad(cubed))(-2.0).item<double>(), 12, 1e-13);
  EXPECT_NEAR(grad(grad(grad(cubed)))(-2.0).item<double>(), -6, 1e-13);
  EXPECT_NEAR(hessian(cubed)(2.0).item<double>(), 12, 1e-13);
}

// ---- stop_gradient ----

TEST(stop_gradient, golden_values) {
  // GOLDEN.md 94: a TD step.
  const auto loss = [](bool stop) {
    return [stop](Array theta) {
      const Array s = np::array({1.0, 2.0, -1.0}), next = np::array({2.0, 1.0, 0.0});
      Array target = 1.0 + np::dot(theta, next);
      if (stop) target = stop_gradient(target);
      return np::square(target - np::dot(theta, s));
    };
  };
  const Array theta = np::array({0.1, -0.1, 0.0});
  const auto near = [](const Array& a, const Doubles& want) {
    const Doubles got = doubles(a);
    for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-12);
  };
  near(grad(loss(false))(theta), {2.4, -2.4, 2.4});
  near(grad(loss(true))(theta), {-2.4, -4.8, 2.4});
  // 95: straight-through rounding.
  const auto straight = [](Array x) {
    const Array zero = x - stop_gradient(x);
    return zero + stop_gradient(np::round(x));
  };
  EXPECT_EQ(straight(3.2).item<double>(), 3);
  EXPECT_EQ(grad(straight)(3.2).item<double>(), 1);
  EXPECT_EQ(grad([](Array x) { return np::round(x); })(3.2).item<double>(), 0);
}

TEST(stop_gradient, takes_trees) {
  const auto f = [](Array x) {
    const auto p = stop_gradient(std::map<std::string, Array>{{"a", x}, {"n", Array(3)}, {"none", Array()}});
    EXPECT_FALSE(p.at("none").defined());
    return p.at("a") * x * p.at("n");
  };
  EXPECT_EQ(grad(f)(2.0).item<double>(), 6);
  EXPECT_EQ(jvp(jit(f), 2.0, 1.0).second.item<double>(), 6);
}

TEST(custom_jvp, rules_may_print_tangents) {
  std::ostringstream out;
  const debug::PrintTo to(out);
  const auto f = custom_jvp([](Array x) { return x * x; },
                            [](Array x, Array dx) {
                              debug::print("dx = {}", dx);
                              return std::pair(x * x, 2.0 * x * dx);
                            });
  EXPECT_EQ(jvp(f, Array(3.0), Array(1.0)).second.item<double>(), 6);
  EXPECT_EQ(out.str(), "dx = 1.0\n");
  // There are no tangents in reverse mode.
  EXPECT_EQ(grad(f)(3.0).item<double>(), 6);
  EXPECT_EQ(jit(grad(f))(3.0).item<double>(), 6);
  EXPECT_EQ(grad(jit(f))(3.0).item<double>(), 6);
  EXPECT_EQ(vmap(grad(f))(np::array({3.0, 4.0})).to_vector<double>(), (std::vector<double>{6, 8}));
  EXPECT_EQ(out.str(), "dx = 1.0\n");
}

}  // namespace
}  // namespace weft
