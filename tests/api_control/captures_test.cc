// What custom functions and their rules capture: operands, at every order of derivative and wherever the call sits.
#include "weft/api/captures.h"

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

// scale * exp(x), whose rule calls it, made anew in each call.
struct ScaledExp {
  Array scale;
  Array operator()(Array x) const {
    const ScaledExp self = *this;
    return custom_jvp([self](Array a) { return np::exp(a) * np::sum(self.scale); },
                      [self](Array a, Array da) {
                        const Array y = self(a);
                        return std::pair(y, y * da);
                      },
                      {.name = "scaled_exp"})(x);
  }
};
struct ScaledExpVjp {
  Array scale;
  Array operator()(Array x) const {
    const ScaledExpVjp self = *this;
    return custom_vjp([self](Array a) { return np::exp(a) * np::sum(self.scale); },
                      [self](Array a) {
                        const Array y = self(a);
                        return std::pair(y, y);
                      },
                      [](Array y, Array ct) { return y * ct; }, {.name = "scaled_exp"})(x);
  }
};

// All derivatives of f at 0 are `want`, wherever f sits.
template <class G>
void expect_all_orders(const G& f, double want) {
  const auto in_jit = jit([=](Array x) { return f(x); });
  const auto in_scan = [=](Array x) {
    return scan([=](Array c) { return std::pair(f(c), c); }, x, no_xs, {.length = 1}).first;
  };
  const auto in_checkpoint = checkpoint([=](Array x) { return f(x); });
  const auto in_cond = [=](Array x) {
    return cond(x > -1.0, [=](Array c) { return f(c); }, [](Array c) { return c; }, x);
  };
  const auto check = [&](const char* where, auto g) {
    SCOPED_TRACE(where);
    EXPECT_NEAR(grad(g)(0.0).template item<double>(), want, 1e-12);
    EXPECT_NEAR(grad(grad(g))(0.0).template item<double>(), want, 1e-12);
    EXPECT_NEAR(grad(grad(grad(g)))(0.0).template item<double>(), want, 1e-12);
    EXPECT_NEAR(jit(grad(grad(g)))(0.0).template item<double>(), want, 1e-12);
    EXPECT_NEAR(vmap(grad(grad(g)))(np::array({0.0, 0.0}))(1).template item<double>(), want, 1e-12);
  };
  check("eager", [=](Array x) { return f(x); });
  check("jit", in_jit);
  check("scan", in_scan);
  check("checkpoint", in_checkpoint);
  check("cond", in_cond);
}

TEST(captures, of_rules_that_call_their_function_serve_all_orders) {
  expect_all_orders(ScaledExp{np::array({2.0, 1.0})}, 3);
  expect_all_orders(ScaledExpVjp{np::array({2.0, 1.0})}, 3);
  EXPECT_NEAR(jacfwd(jacfwd(jit([](Array x) { return ScaledExp{np::array({2.0, 1.0})}(x); })))(0.0).item<double>(), 3,
              1e-12);
}

TEST(captures, of_such_rules_may_be_traced_values_whose_trace_has_ended) {
  // `scale` is a value of the jitted function, which is differentiated when that has been traced.
  const auto f = jit([](Array x, Array k) { return ScaledExp{np::stack({k, 2.0 * k})}(x); });
  const auto by_x = [&](Array x) { return f(x, 1.0); };
  EXPECT_NEAR(grad(by_x)(0.0).item<double>(), 3, 1e-12);
  EXPECT_NEAR(grad(grad(by_x))(0.0).item<double>(), 3, 1e-12);
  EXPECT_NEAR(grad(grad(grad(by_x)))(0.0).item<double>(), 3, 1e-12);
  // One scale per example.
  const auto mapped = [&](Array x) { return vmap(f, {unmapped, 0})(x, np::array({1.0, 2.0})); };
  EXPECT_EQ(doubles(jacfwd(jacfwd(mapped))(0.0)), (Doubles{3, 6}));
}

TEST(captures, the_same_object_may_call_itself_too) {
  std::function<Array(Array)> f;
  const Array scale = np::array({2.0, 1.0});
  f = custom_jvp([scale](Array a) { return np::exp(a) * np::sum(scale); },
                 [&f, scale](Array a, Array da) { return std::pair(np::exp(a) * np::sum(scale), f(a) * da); });
  expect_all_orders([&f](Array x) { return f(x); }, 3);
}

// Rules of one C++ type, of functions that have nothing to do with each other.
auto scaled(std::function<Array(Array)> inner, Array by) {
  return custom_jvp([=](Array a) { return inner(a) * np::sum(by); },
                    [=](Array a, Array da) {
                      const auto [y, dy] = jvp(inner, a, da);
                      return std::pair(y * np::sum(by), dy * np::sum(by));
                    });
}

TEST(captures, functions_whose_rules_have_one_type_are_told_apart) {
  std::function<Array(Array)> f = [](Array a) { return np::exp(a); };
  double want = 1;
  for (int depth = 1; depth <= 6; ++depth) {
    f = scaled(f, np::array({static_cast<double>(depth)}));
    want *= depth;
    SCOPED_TRACE(depth);
    EXPECT_NEAR(grad(jit(f))(0.0).item<double>(), want, 1e-12 * want);
    EXPECT_NEAR(hessian(jit(f))(0.0).item<double>(), want, 1e-12 * want);
  }
  // Two of them are staged: their rules are programs, and text keeps them.
  const std::string text =
      make_jaxpr(scaled(scaled([](Array a) { return a; }, np::array({2.0})), np::array({3.0})))(1.0).str();
  EXPECT_EQ(text.find("Function"), std::string::npos) << text;
}

TEST(captures, of_a_vmap_rule_are_operands) {
  const Array k = np::array({1.0, 2.0});
  const auto f = custom_vmap([k](Array x) { return x * np::sum(k); },
                             [k](VmapInfo, Array x) { return 10.0 * x * np::sum(k); }, {.name = "f"});
  const Array x = np::array({1.0, 2.0});
  const Doubles want{30, 60};
  EXPECT_EQ(doubles(vmap(f)(x)), want);
  EXPECT_EQ(doubles(vmap(jit(f))(x)), want);
  EXPECT_EQ(doubles(jit(vmap(jit(f)))(x)), want);
  const auto in_scan = [&](Array v) {
    return scan([&](Array c) { return std::pair(f(c), c); }, v, no_xs, {.length = 1}).first;
  };
  EXPECT_EQ(doubles(vmap(in_scan)(x)), want);
  EXPECT_EQ(doubles(vmap(checkpoint(f))(x)), want);
  EXPECT_EQ(doubles(grad([&](Array v) { return np::sum(vmap(jit(f))(v)); })(x)), (Doubles{30, 30}));
  const auto in_cond = [&](Array v) {
    return cond(v > 1.0, [&](Array c) { return f(c); }, [](Array c) { return c; }, v);
  };
  EXPECT_EQ(doubles(vmap(in_cond)(x)), (Doubles{1, 60}));
  // A value of a trace that has ended.
  const auto g = jit([](Array v, Array s) {
    return custom_vmap([s](Array a) { return a * s; }, [s](VmapInfo, Array a) { return 10.0 * a * s; })(v);
  });
  EXPECT_EQ(doubles(vmap(g, {0, unmapped})(x, 3.0)), (Doubles{30, 60}));
}

TEST(captures, are_each_listed_once) {
  const Array a = np::array({1.0, 2.0}), b = np::array({3.0});
  const auto staged = [](auto f) {
    return stage([f](std::span<const Array> in, Arrays& outs) { outs.push_back(f(in[0])); },
                 std::vector<Aval>{Array(1.0).aval()}, "f");
  };
  const Staged f = staged([&](Array x) { return np::sum(a) * x; });
  const Staged g = staged([&](Array x) { return np::sum(b) + np::sum(a) * x; });
  const api::SharedCaptures shared = api::share_captures({&f, &g});
  ASSERT_EQ(shared.captures.size(), 2u);
  for (const Jaxpr& p : shared.programs) EXPECT_EQ(p.num_consts(), 2u);
  Arrays outs, args = shared.captures;
  args.push_back(Array(2.0));
  for (const Jaxpr& p : shared.programs) eval_jaxpr(p, args, outs);
  EXPECT_EQ(outs[0].item<double>(), 6);
  EXPECT_EQ(outs[1].item<double>(), 9);
}

}  // namespace
}  // namespace weft
