// custom_vjp as users write it.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "harness/errors.h"
#include "weft/core/trace.h"
#include "weft/weft.h"

namespace weft {
namespace {

using Doubles = std::vector<double>;
using testing::error_of;

Doubles doubles(const Array& a) { return a.astype(f64).to_vector<double>(); }

// x y, whose cotangents are told as 10 y ct and 100 x ct.
const auto told = custom_vjp(
    [](Array x, Array y) { return x * y; }, [](Array x, Array y) { return std::pair(x * y, std::pair(x, y)); },
    [](std::pair<Array, Array> res, Array ct) { return std::tuple(10.0 * res.second * ct, 100.0 * res.first * ct); },
    {.name = "told"});
const auto told_with_jvp =
    custom_vjp([](Array x) { return x * x; }, [](Array x) { return std::pair(x * x, x); },
               [](Array x, Array ct) { return 10.0 * x * ct; },
               [](Array x, Array dx) { return std::pair{x * x, 1000.0 * x * dx}; }, {.name = "both"});

TEST(custom_vjp, reverse_mode_uses_the_pair) {
  EXPECT_EQ(told(2.0, 3.0).item<double>(), 6);
  EXPECT_EQ(grad(told)(2.0, 3.0).item<double>(), 30);
  EXPECT_EQ(grad<1>(told)(2.0, 3.0).item<double>(), 200);
  const auto [y, pullback] = vjp(told, 2.0, 3.0);
  EXPECT_EQ(y.item<double>(), 6);
  const auto [cx, cy] = pullback(2.0);
  EXPECT_EQ(cx.item<double>(), 60);
  EXPECT_EQ(cy.item<double>(), 400);
}

TEST(custom_vjp, errors_in_the_rules_name_their_own_lines) {
  SourceLocation line;
  const auto f = custom_vjp([](Array x) { return x * x; }, [](Array x) { return std::pair(x * x, x); },
                            [&](Array x, Array ct) {
                              line = std::source_location::current();
                              return ct + np::ones({x.shape(0) + 1}, f64);
                            });
  const auto loss = [&](Array x) { return np::sum(f(x)); };
  const Array x = np::array({1.0, 2.0});
  const auto text = [&](auto derivative) -> std::string {
    try {
      derivative(x);
    } catch (const ShapeError& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  for (const std::string& got : {text(grad(loss)), text(jit(grad(loss))), text(grad(jit(loss)))}) {
    EXPECT_EQ(got.substr(0, got.find('\n')), "add: shapes must broadcast; got f64[2] and f64[3].");
    EXPECT_NE(got.find("\n  at custom_vjp_test.cc:" + std::to_string(line.line + 1) + "\n"), std::string::npos) << got;
  }
}

TEST(custom_vjp, rules_survive_every_other_transformation) {
  const auto f = [](Array x) { return told(x, 3.0); };
  EXPECT_EQ(grad(jit(f))(2.0).item<double>(), 30);
  EXPECT_EQ(jit(grad(f))(2.0).item<double>(), 30);
  EXPECT_EQ(jit(grad(jit(f)))(2.0).item<double>(), 30);
  const Array xs = np::array({1.0, 2.0, 3.0});
  EXPECT_EQ(doubles(vmap(grad(told))(xs, xs)), (Doubles{10, 20, 30}));
  // y is shared by all examples: its cotangent is a sum.
  const auto total = [](Array x, Array y) { return np::sum(vmap(told, {0, unmapped})(x, y)); };
  EXPECT_EQ(doubles(grad(total)(xs, 2.0)), (Doubles{20, 20, 20}));
  EXPECT_EQ(grad<1>(total)(xs, 2.0).item<double>(), 600);
  EXPECT_EQ(jit(grad<1>(jit(total)))(xs, 2.0).item<double>(), 600);
  EXPECT_EQ(doubles(vmap(grad<1>(total), {unmapped, 0})(xs, xs)), (Doubles{600, 600, 600}));
  const auto repeated = [&](Array x) {
    return scan([&](Array c) { return std::pair(told(c, 2.0), std::tuple<>()); }, x, no_xs, {.length = 3}).first;
  };
  EXPECT_EQ(repeated(1.0).item<double>(), 8);
  EXPECT_EQ(grad(repeated)(1.0).item<double>(), 8000);
  EXPECT_EQ(jit(grad(repeated))(1.0).item<double>(), 8000);
  EXPECT_EQ(doubles(vmap(grad(repeated))(xs)), (Doubles{8000, 8000, 8000}));
  const auto branches = [&](Array x) {
    return cond(x > 0, [&](Array y) { return f(y); }, [](Array y) { return y; }, x);
  };
  EXPECT_EQ(grad(branches)(5.0).item<double>(), 30);
  EXPECT_EQ(doubles(vmap(grad(branches))(np::array({5.0, -5.0}))), (Doubles{30, 1}));
}

TEST(custom_vjp, golden_newton_square_root) {
  // GOLDEN.md 104: a fixed point with a rule, whose rule is differentiated again.
  const auto root = custom_vjp(
      [](Array a) {
        return while_loop([a](Array x) { return np::abs(x * x - a) > 1e-6f; },
                          [a](Array x) { return 0.5f * (x + a / x); }, a);
      },
      [](Array a) {
        const Array x = while_loop([a](Array y) { return np::abs(y * y - a) > 1e-6f; },
                                   [a](Array y) { return 0.5f * (y + a / y); }, a);
        return std::pair(x, x);
      },
      [](Array x, Array ct) { return ct / (2.0f * x); });
  EXPECT_NEAR(root(2.0f).item<float>(), 1.4142135, 1e-6);
  EXPECT_NEAR(grad(root)(2.0f).item<float>(), 0.35355335, 1e-6);
  EXPECT_NEAR(jit(grad(jit(root)))(2.0f).item<float>(), 0.35355335, 1e-6);
}

TEST(custom_vjp, a_derivative_of_a_derivative_differentiates_fwd_and_bwd) {
  const auto f = custom_vjp([](Array x) { return x * x * x; }, [](Array x) { return std::pair(x * x * x, x); },
                            [](Array x, Array ct) { return 5.0 * x * x * ct; });
  EXPECT_EQ(grad(f)(2.0).item<double>(), 20);
  EXPECT_EQ(grad(grad(f))(2.0).item<double>(), 20);
  EXPECT_EQ(grad(grad(grad(f)))(2.0).item<double>(), 10);
  EXPECT_EQ(jit(grad(jit(grad(jit(f)))))(2.0).item<double>(), 20);
  // Forward over reverse needs no jvp rule.
  EXPECT_EQ(hessian(f)(2.0).item<double>(), 20);
  EXPECT_EQ(jvp(grad(f), 2.0, 1.0).second.item<double>(), 20);
  EXPECT_EQ(jvp(grad(jit(f)), 2.0, 1.0).second.item<double>(), 20);
  EXPECT_EQ(jit(hessian(jit(f)))(2.0).item<double>(), 20);
}

TEST(custom_vjp, clips_gradients) {
  const auto clip = [](double low, double high) {
    return custom_vjp([](Array x) { return x; }, [](Array x) { return std::pair(x, std::tuple<>()); },
                      [=](std::tuple<>, Array ct) { return np::clip(ct, low, high); });
  };
  const auto f = [&](Array x) { return np::sum(np::sin(clip(-0.75, 0.75)(x))); };
  EXPECT_EQ(doubles(grad(f)(np::array({0.0, 3.141592653589793, 1.5707963267948966}))).at(0), 0.75);
  EXPECT_EQ(doubles(jit(grad(f))(np::array({0.0, 3.141592653589793}))), (Doubles{0.75, -0.75}));
}

TEST(custom_vjp, forward_mode_without_a_jvp_rule_teaches) {
  const std::string text =
      "NotDifferentiableError: custom_vjp: forward mode (jvp, jacfwd) needs a jvp rule; got told, whose rules, fwd and "
      "bwd, serve reverse mode.";
  const auto f = [](Array x) { return told(x, 3.0); };
  std::string hint;
  EXPECT_EQ(error_of([&] { jvp(f, 2.0, 1.0); }, &hint), text);
  EXPECT_EQ(
      hint,
      "give custom_vjp a jvp rule as its fourth argument, or define told by custom_jvp, which serves both modes.");
  EXPECT_EQ(error_of([&] { jvp(jit(f), 2.0, 1.0); }), text);
  EXPECT_EQ(error_of([&] { jacfwd(f)(2.0); }), text);
  EXPECT_EQ(error_of([&] { linearize(f, 2.0).second(1.0); }), text);
  EXPECT_EQ(error_of([&] { jit(jacfwd(f))(2.0); }), text);
  EXPECT_EQ(error_of([&] { jacrev(jacfwd(f))(2.0); }), text);
  try {
    jvp(f, 2.0, 1.0);
  } catch (const NotDifferentiableError& e) {
    EXPECT_EQ(e.location().str().substr(0, 19), "custom_vjp_test.cc:");
  }
}

TEST(custom_vjp, a_jvp_rule_serves_forward_mode) {
  const auto& f = told_with_jvp;
  EXPECT_EQ(f(2.0).item<double>(), 4);
  EXPECT_EQ(grad(f)(2.0).item<double>(), 20);
  EXPECT_EQ(jvp(f, 2.0, 1.0).second.item<double>(), 2000);
  EXPECT_EQ(jvp(jit(f), 2.0, 1.0).second.item<double>(), 2000);
  EXPECT_EQ(jacfwd(f)(2.0).item<double>(), 2000);
  EXPECT_EQ(jacrev(f)(2.0).item<double>(), 20);
  EXPECT_EQ(linearize(f, 2.0).second(1.0).item<double>(), 2000);
  EXPECT_EQ(jit(jacfwd(jit(f)))(2.0).item<double>(), 2000);
  const Array xs = np::array({1.0, 2.0});
  EXPECT_EQ(doubles(vmap(grad(f))(xs)), (Doubles{10, 20}));
  EXPECT_EQ(doubles(jvp(vmap(f), xs, xs).second), (Doubles{1000, 4000}));
  EXPECT_EQ(doubles(vmap(jacfwd(f))(xs)), (Doubles{1000, 2000}));
  EXPECT_EQ(doubles(jacfwd([&](Array x) { return np::sum(vmap(f)(x)); })(xs)), (Doubles{1000, 2000}));
  EXPECT_EQ(doubles(grad([&](Array x) { return np::sum(vmap(f)(x)); })(xs)), (Doubles{10, 20}));
  EXPECT_EQ(hessian(f)(2.0).item<double>(), 10);
  EXPECT_EQ(jacfwd(jacfwd(f))(2.0).item<double>(), 1000);
  EXPECT_EQ(jvp([&](Array x) { return jvp(f, x, 1.0).second; }, 2.0, 1.0).second.item<double>(), 1000);
  EXPECT_EQ(jacrev(jacfwd(f))(2.0).item<double>(), 1000);
  const auto repeated = [&](Array x) {
    return scan([&](Array c) { return std::pair(f(c), std::tuple<>()); }, x, no_xs, {.length = 2}).first;
  };
  EXPECT_EQ(grad(repeated)(2.0).item<double>(), 800);
  EXPECT_EQ(jacfwd(repeated)(2.0).item<double>(), 1000.0 * 4 * 2000);
}

struct Layer {
  Array w;
  Array steps;  // integers
};

TEST(custom_vjp, arguments_residuals_and_results_are_trees) {
  using Out = std::map<std::string, Array>;
  const auto f =
      custom_vjp([](Layer l, Array x, int n) { return Out{{"y", l.w * x * n}, {"s", l.steps}}; },
                 [](Layer l, Array x, int n) {
                   return std::pair(Out{{"y", l.w * x * n}, {"s", l.steps}}, std::tuple(l.w, std::vector<Array>{x}, n));
                 },
                 [](std::tuple<Array, std::vector<Array>, int> res, Out ct) {
                   EXPECT_FALSE(ct.at("s").defined());
                   const auto& [w, x, n] = res;
                   return std::tuple(Layer{7.0 * ct.at("y") * x[0] * n, Array()}, ct.at("y") * w);
                 });
  const auto loss = [&](Array w, Array x) { return f(Layer{w, 3}, x, 2).at("y"); };
  EXPECT_EQ(loss(3.0, 5.0).item<double>(), 30);
  EXPECT_EQ(grad(loss)(3.0, 5.0).item<double>(), 70);
  EXPECT_EQ(grad<1>(loss)(3.0, 5.0).item<double>(), 3);
  EXPECT_EQ(jit(grad(jit(loss)))(3.0, 5.0).item<double>(), 70);
  EXPECT_EQ(doubles(vmap(grad<1>(loss))(np::array({3.0, 4.0}), np::array({5.0, 6.0}))), (Doubles{3, 4}));
}

TEST(custom_vjp, rules_capture_traced_values) {
  const auto f = [](Array w) {
    return custom_vjp([w](Array x) { return w * x; }, [w](Array x) { return std::pair(w * x, 2.0 * w); },
                      [w](Array r, Array ct) { return (100.0 * w + r) * ct; });
  };
  const auto g = [&](Array w, Array x) { return grad(f(w))(x) + f(w)(x); };
  EXPECT_EQ(g(2.0, 3.0).item<double>(), 210);
  EXPECT_EQ(jit(g)(2.0, 3.0).item<double>(), 210);
  const auto h = [&](Array x, Array w) { return jit([&](Array y) { return f(w)(y); })(x); };
  EXPECT_EQ(jit(grad(h))(3.0, 2.0).item<double>(), 204);
  EXPECT_EQ(doubles(vmap(grad(h))(np::array({3.0, 3.0}), np::array({2.0, 1.0}))), (Doubles{204, 102}));
  const auto sum = [&](Array xs, Array ws) { return np::sum(vmap([&](Array x, Array w) { return f(w)(x); })(xs, ws)); };
  EXPECT_EQ(doubles(grad(sum)(np::array({3.0, 3.0}), np::array({2.0, 1.0}))), (Doubles{204, 102}));
  EXPECT_EQ(
      error_of([&] { grad<1>(h)(3.0, 2.0); }),
      "NotDifferentiableError: custom_vjp: rules must cover all that is differentiated; got a derivative by f64[] "
      "that f captures, of which its rules know nothing.");
}

// A function made anew in each call, whose rules call it.
Array recursive(const Array& x) {
  return custom_vjp([](Array y) { return np::exp(y); },
                    [](Array y) {
                      const Array e = recursive(y);
                      return std::pair(e, e);
                    },
                    [](Array e, Array ct) { return 2.0 * e * ct; })(x);
}

TEST(custom_vjp, rules_may_call_their_function) {
  const double e = std::exp(0.5);
  EXPECT_NEAR(grad(recursive)(0.5).item<double>(), 2 * e, 1e-14);
  EXPECT_NEAR(grad(grad(recursive))(0.5).item<double>(), 4 * e, 1e-14);
  EXPECT_NEAR(grad(jit(grad(jit(grad(jit(recursive))))))(0.5).item<double>(), 8 * e, 1e-13);
  EXPECT_NEAR(vmap(grad(grad(jit(recursive))))(np::array({0.5}))(0).item<double>(), 4 * e, 1e-14);
  EXPECT_NEAR(grad(grad([](Array x) { return np::sum(vmap(recursive)(np::stack({x, x}))); }))(0.5).item<double>(),
              8 * e, 1e-13);
}

TEST(custom_vjp, what_rules_return_is_checked_leaf_by_leaf) {
  using Params = std::map<std::string, Array>;
  const auto staged_error = [](auto fwd, auto bwd, bool staged = true) {
    return error_of([&] {
      const auto f = custom_vjp([](Params p) { return np::sum(p.at("w")); }, fwd, bwd, {.name = "layer"});
      const auto loss = [&](Array w) { return f(Params{{"w", w}, {"n", Array(1)}}); };
      staged ? grad(jit(loss))(np::array({1.0, 2.0})) : grad(loss)(np::array({1.0, 2.0}));
    });
  };
  const auto error = [&](auto fwd, auto bwd) {
    const std::string text = staged_error(fwd, bwd, false);
    EXPECT_EQ(staged_error(fwd, bwd), text);
    return text;
  };
  const auto fwd = [](Params p) { return std::pair(np::sum(p.at("w")), p); };
  EXPECT_EQ(error(fwd, [](Params, Array ct) { return Params{{"w", ct}, {"n", Array()}}; }),
            "ShapeError: custom_vjp: cotangents[0]['w'] must have the shape of args[0]['w']; got f64[] for f64[2].");
  EXPECT_EQ(error(fwd, [](Params p, Array) { return Params{{"w", p.at("w").astype(f32)}, {"n", Array()}}; }),
            "DTypeError: custom_vjp: cotangents[0]['w'] must have the dtype of args[0]['w']; got f32[2] for f64[2].");
  EXPECT_EQ(error(fwd, [](Params p, Array) { return Params{{"v", p.at("w")}}; }),
            "TreeError: custom_vjp: cotangents must have the structure of args; got cotangents[0]['v'] but nothing for "
            "args[0]['n'].");
  EXPECT_EQ(error(fwd, [](Params p, Array) { return p; }),
            "DTypeError: custom_vjp: cotangents[0]['n'] must be none, for integers and bool have no tangent; got i32[] "
            "for args[0]['n'] of type i32[].");
  EXPECT_EQ(error([](Params p) { return std::pair(p.at("w"), p); }, [](Params p, Array) { return p; }),
            "ShapeError: custom_vjp: result of the rule must have the type of result; got f64[2] for f64[].");
}

TEST(custom_vjp, rules_may_look_at_values_where_they_are_known) {
  const auto f = custom_vjp([](Array x) { return x.item<double>() > 0 ? 2.0 * x : -x; },
                            [](Array x) {
                              const bool positive = x.item<double>() > 0;
                              return std::pair(positive ? 2.0 * x : -x, positive);
                            },
                            [](bool positive, Array ct) { return positive ? 20.0 * ct : -10.0 * ct; });
  EXPECT_EQ(grad(f)(3.0).item<double>(), 20);
  EXPECT_EQ(grad(f)(-3.0).item<double>(), -10);
}

TEST(custom_vjp, is_one_equation_with_its_rules_in_programs) {
  const Jaxpr program = make_jaxpr(told_with_jvp)(1.0);
  EXPECT_EQ(program.str(), R"({ lambda ; a:f64[]. let
    b:f64[] = custom_vjp_call[
      name=both
      call_jaxpr={ lambda ; c:f64[]. let d:f64[] = mul c c in (d,) }
      fwd={ lambda ; e:f64[]. let f:f64[] = mul e e in (f, e) }
      bwd={ lambda ; g:f64[] h:f64[]. let
          i:f64[] = mul 10.0:f64[] g
          j:f64[] = mul i h
        in (j,) }
      jvp={ lambda ; k:f64[] l:f64[]. let
          m:f64[] = mul k k
          n:f64[] = mul 1000.0:f64[] k
          o:f64[] = mul n l
        in (m, o) }
    ] a
  in (b,) })");
  EXPECT_TRUE(ir::parse(program.str()) == program);
  EXPECT_EQ(make_jaxpr(told)(1.0, 1.0).str().find("jvp=None") == std::string::npos, false);
  // Derivatives run the rules; nothing of the function is left.
  EXPECT_EQ(make_jaxpr(grad(told_with_jvp))(1.0).str().find("custom"), std::string::npos);
}

TEST(custom_vjp, leaves_nothing_behind) {
  const CheckLeaks check;
  const auto f = [](Array x, Array w) {
    return custom_vjp([w](Array y) { return y * w; }, [w](Array y) { return std::pair(y * w, y); },
                      [w](Array, Array ct) { return w * ct; })(x);
  };
  EXPECT_EQ(grad(f)(1.0, 2.0).item<double>(), 2);
  EXPECT_EQ(jit(grad(jit(f)))(1.0, 2.0).item<double>(), 2);
  EXPECT_EQ(doubles(vmap(grad(f))(np::array({1.0}), np::array({2.0}))), (Doubles{2}));
}

TEST(custom_vjp, nests_with_custom_jvp) {
  const auto inner =
      custom_jvp([](Array x) { return x * x; }, [](Array x, Array dx) { return std::pair(x * x, 3.0 * x * dx); });
  const auto outer =
      custom_vjp([=](Array x) { return inner(x); }, [=](Array x) { return std::pair(inner(x), inner(x)); },
                 [](Array r, Array ct) { return r * ct; });
  EXPECT_EQ(grad(outer)(2.0).item<double>(), 4);
  EXPECT_EQ(grad(grad(outer))(2.0).item<double>(), 6);
  EXPECT_EQ(jit(grad(jit(grad(jit(outer)))))(2.0).item<double>(), 6);
}

}  // namespace
}  // namespace weft
