// Loops as front ends export them: those that count can be differentiated in reverse, and come back from their text.
#include <gtest/gtest.h>

#include <cmath>

#include "harness/values.h"
#include "weft/base/error.h"
#include "weft/ir/programs.h"
#include "weft/stablehlo/check.h"
#include "weft/stablehlo/export.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

// What JAX exports for
//   def f(w, c, xs): return lax.scan(lambda c, x: ((c := jnp.sin(w @ c) + x), c * x), c, xs)
constexpr std::string_view kScan = R"(
module @jit_f attributes {jax.uses_shape_polymorphism = false, mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main(%arg0: tensor<3x3xf64>, %arg1: tensor<3xf64>, %arg2: tensor<5x3xf64>) -> (tensor<3xf64> {jax.result_info = "[0]"}, tensor<5x3xf64> {jax.result_info = "[1]"}) {
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f64>
    %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f64>) -> tensor<5x3xf64>
    %c = stablehlo.constant dense<0> : tensor<i64>
    %1:5 = stablehlo.while(%iterArg = %arg2, %iterArg_0 = %arg0, %iterArg_1 = %c, %iterArg_2 = %arg1, %iterArg_3 = %0) : tensor<5x3xf64>, tensor<3x3xf64>, tensor<i64>, tensor<3xf64>, tensor<5x3xf64>
     cond {
      %c_4 = stablehlo.constant dense<5> : tensor<i64>
      %2 = stablehlo.compare  LT, %iterArg_1, %c_4,  SIGNED : (tensor<i64>, tensor<i64>) -> tensor<i1>
      stablehlo.return %2 : tensor<i1>
    } do {
      %c_4 = stablehlo.constant dense<0> : tensor<i64>
      %2 = stablehlo.compare  LT, %iterArg_1, %c_4,  SIGNED : (tensor<i64>, tensor<i64>) -> tensor<i1>
      %3 = stablehlo.convert %iterArg_1 : tensor<i64>
      %c_5 = stablehlo.constant dense<5> : tensor<i64>
      %4 = stablehlo.add %3, %c_5 : tensor<i64>
      %5 = stablehlo.select %2, %4, %iterArg_1 : tensor<i1>, tensor<i64>
      %c_6 = stablehlo.constant dense<0> : tensor<i64>
      %6 = stablehlo.dynamic_slice %iterArg, %5, %c_6, sizes = [1, 3] : (tensor<5x3xf64>, tensor<i64>, tensor<i64>) -> tensor<1x3xf64>
      %7 = stablehlo.reshape %6 : (tensor<1x3xf64>) -> tensor<3xf64>
      %8:2 = func.call @None(%iterArg_0, %iterArg_2, %7) : (tensor<3x3xf64>, tensor<3xf64>, tensor<3xf64>) -> (tensor<3xf64>, tensor<3xf64>)
      %9 = stablehlo.broadcast_in_dim %8#1, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
      %c_7 = stablehlo.constant dense<0> : tensor<i64>
      %10 = stablehlo.compare  LT, %iterArg_1, %c_7,  SIGNED : (tensor<i64>, tensor<i64>) -> tensor<i1>
      %11 = stablehlo.convert %iterArg_1 : tensor<i64>
      %c_8 = stablehlo.constant dense<5> : tensor<i64>
      %12 = stablehlo.add %11, %c_8 : tensor<i64>
      %13 = stablehlo.select %10, %12, %iterArg_1 : tensor<i1>, tensor<i64>
      %c_9 = stablehlo.constant dense<0> : tensor<i64>
      %14 = stablehlo.dynamic_update_slice %iterArg_3, %9, %13, %c_9 : (tensor<5x3xf64>, tensor<1x3xf64>, tensor<i64>, tensor<i64>) -> tensor<5x3xf64>
      %c_10 = stablehlo.constant dense<1> : tensor<i64>
      %15 = stablehlo.add %iterArg_1, %c_10 : tensor<i64>
      stablehlo.return %iterArg, %iterArg_0, %15, %8#0, %14 : tensor<5x3xf64>, tensor<3x3xf64>, tensor<i64>, tensor<3xf64>, tensor<5x3xf64>
    }
    return %1#3, %1#4 : tensor<3xf64>, tensor<5x3xf64>
  }
  func.func private @None(%arg0: tensor<3x3xf64>, %arg1: tensor<3xf64>, %arg2: tensor<3xf64>) -> (tensor<3xf64>, tensor<3xf64>) {
    %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT] : (tensor<3x3xf64>, tensor<3xf64>) -> tensor<3xf64>
    %1 = stablehlo.sine %0 : tensor<3xf64>
    %2 = stablehlo.add %1, %arg2 : tensor<3xf64>
    %3 = stablehlo.multiply %2, %arg2 : tensor<3xf64>
    return %2, %3 : tensor<3xf64>, tensor<3xf64>
  }
}
)";

// lax.fori_loop(2, 6, lambda i, x: x * jnp.cos(x) + i * w[i], x): two counters, of which the program has one.
constexpr std::string_view kFori = R"(
func.func public @main(%arg0: tensor<8xf64>, %arg1: tensor<f64>) -> tensor<f64> {
  %c = stablehlo.constant dense<0> : tensor<i64>
  %c_0 = stablehlo.constant dense<2> : tensor<i32>
  %0:4 = stablehlo.while(%iterArg = %arg0, %iterArg_1 = %c, %iterArg_2 = %c_0, %iterArg_3 = %arg1) : tensor<8xf64>, tensor<i64>, tensor<i32>, tensor<f64>
   cond {
    %c_4 = stablehlo.constant dense<4> : tensor<i64>
    %1 = stablehlo.compare  LT, %iterArg_1, %c_4,  SIGNED : (tensor<i64>, tensor<i64>) -> tensor<i1>
    stablehlo.return %1 : tensor<i1>
  } do {
    %1 = stablehlo.dynamic_slice %iterArg, %iterArg_2, sizes = [1] : (tensor<8xf64>, tensor<i32>) -> tensor<1xf64>
    %2 = stablehlo.reshape %1 : (tensor<1xf64>) -> tensor<f64>
    %3 = stablehlo.convert %iterArg_2 : (tensor<i32>) -> tensor<f64>
    %4 = stablehlo.multiply %2, %3 : tensor<f64>
    %5 = stablehlo.cosine %iterArg_3 : tensor<f64>
    %6 = stablehlo.multiply %iterArg_3, %5 : tensor<f64>
    %7 = stablehlo.add %6, %4 : tensor<f64>
    %c_5 = stablehlo.constant dense<1> : tensor<i32>
    %8 = stablehlo.add %iterArg_2, %c_5 : tensor<i32>
    %c_6 = stablehlo.constant dense<1> : tensor<i64>
    %9 = stablehlo.add %iterArg_1, %c_6 : tensor<i64>
    stablehlo.return %iterArg, %9, %8, %7 : tensor<8xf64>, tensor<i64>, tensor<i32>, tensor<f64>
  }
  return %0#3 : tensor<f64>
}
)";

// How many equations of this operation there are, in programs inside too.
int count(const ir::Jaxpr& jaxpr, OpCode op) {
  int n = 0;
  for (const ir::Eqn& e : jaxpr.eqns()) {
    n += e.op == op;
    if (e.op == OpCode::kScan) n += count(ir::params_as<ScanParams>(e.params).jaxpr, op);
    if (e.op == OpCode::kCall) n += count(ir::params_as<CallParams>(e.params).jaxpr, op);
    if (e.op == OpCode::kWhile) n += count(ir::params_as<WhileParams>(e.params).body_jaxpr, op);
  }
  return n;
}

void expect_comes_back(const Function& f) {
  for (const Form form : {Form::kPretty, Form::kGeneric}) {
    const std::string text = print(f, form);
    EXPECT_NE(text.find("stablehlo.while"), std::string::npos) << text;
    EXPECT_EQ(import(text).jaxpr(), f.jaxpr()) << text << import(text).jaxpr() << "\n" << f.jaxpr();
  }
}

std::vector<Array> drawn(const Function& f) {
  std::vector<Array> args;
  for (std::size_t i = 0; i < f.num_inputs(); ++i) args.push_back(testing::draw(f.input(i), static_cast<int>(i)));
  return args;
}

// The gradient of a weighted sum of all results, by every argument, against central differences.
void expect_gradients(const Function& f) {
  const std::vector<Array> args = drawn(f);
  const auto loss = [&](const std::vector<Array>& xs) {
    Array sum(0.0);
    int salt = 10;
    for (const Array& y : f(xs)) sum = sum + np::sum(y * testing::draw(y.aval(), salt++));
    return sum;
  };
  const std::vector<Array> got = grad(loss)(args);
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Array t = testing::draw(args[i].aval(), 100 + static_cast<int>(i));
    std::vector<Array> ahead(args), behind(args);
    constexpr double h = 1e-5;
    ahead[i] = testing::moved(args[i], t, h);
    behind[i] = testing::moved(args[i], t, -h);
    const double want = (loss(ahead).item<double>() - loss(behind).item<double>()) / (2 * h);
    EXPECT_NEAR(testing::pairing(got[i], t), want, 1e-7 * (1 + std::abs(want))) << "argument " << i;
  }
}

TEST(loops, a_scan_that_jax_exported_is_a_scan) {
  const Function f = import(kScan);
  EXPECT_EQ(count(f.jaxpr(), OpCode::kWhile), 0);
  ASSERT_EQ(count(f.jaxpr(), OpCode::kScan), 1);
  EXPECT_EQ(count(f.jaxpr(), OpCode::kDynamicSlice) + count(f.jaxpr(), OpCode::kDynamicUpdateSlice), 0) << f.jaxpr();
  expect_comes_back(f);
  expect_gradients(f);
}

TEST(loops, a_fori_loop_that_jax_exported_is_a_scan) {
  const Function f = import(kFori);
  EXPECT_EQ(count(f.jaxpr(), OpCode::kWhile), 0);
  EXPECT_EQ(count(f.jaxpr(), OpCode::kDynamicSlice), 0) << f.jaxpr();
  expect_comes_back(f);
  expect_gradients(f);
}

TEST(loops, a_gradient_is_a_program_that_comes_back) {
  const Function f = import(kFori);
  const auto loss = [&](Array w, Array x) { return f(w, x)[0]; };
  const std::string text = print(grad(loss), Form::kPretty, np::ones({8}, f64), Array(0.5));
  const Function back = import(text);
  EXPECT_EQ(count(back.jaxpr(), OpCode::kWhile), 0) << back.jaxpr();
  const Array w = testing::draw(Aval(f64, Dims{8}), 3);
  EXPECT_EQ(differ_exactly(back(w, Array(0.5))[0], grad(loss)(w, Array(0.5))), "");
  expect_comes_back(back);
}

// A loop whose parts are given: the counter's type, how it begins, the comparison, the end, how it goes on.
std::string loop(const std::string& type, const std::string& start, const std::string& comparison,
                 const std::string& bound, const std::string& next) {
  return "func.func @main(%x: tensor<2xf64>, %m: tensor<" + type + ">) -> (tensor<2xf64>, tensor<" + type +
         ">) {\n  %start = stablehlo.constant dense<" + start + "> : tensor<" + type +
         ">\n  %end = stablehlo.constant dense<" + bound + "> : tensor<" + type +
         ">\n  %0:3 = stablehlo.while(%i = %start, %a = %x, %n = %end) : tensor<" + type + ">, tensor<2xf64>, tensor<" +
         type + ">\n   cond {\n    %c = stablehlo.compare " + comparison + " : (tensor<" + type + ">, tensor<" + type +
         ">) -> tensor<i1>\n    stablehlo.return %c : tensor<i1>\n  } do {\n    %one = stablehlo.constant dense<1> : "
         "tensor<" +
         type + ">\n    %two = stablehlo.add %one, %one : tensor<" + type + ">\n    %j = stablehlo." + next +
         " : tensor<" + type + ">\n    %k = stablehlo.convert %i : (tensor<" + type +
         ">) -> tensor<f64>\n    %l = stablehlo.broadcast_in_dim %k, dims = [] : (tensor<f64>) -> tensor<2xf64>\n"
         "    %b = stablehlo.multiply %a, %l : tensor<2xf64>\n    %s = stablehlo.sine %b : tensor<2xf64>\n"
         "    stablehlo.return %j, %s, %n : tensor<" +
         type + ">, tensor<2xf64>, tensor<" + type + ">\n  }\n  return %0#1, %0#0 : tensor<2xf64>, tensor<" + type +
         ">\n}\n";
}

TEST(loops, counters_of_any_type_and_direction_count) {
  struct Case {
    std::string type, start, comparison, bound, next;
    std::int64_t length;
    double end;
  };
  for (const Case& c : {Case{"i32", "0", "LT, %i, %n, SIGNED", "3", "add %i, %one", 3, 3},
                        Case{"i64", "1", "LE, %i, %end, SIGNED", "7", "add %two, %i", 4, 9},
                        Case{"ui32", "9", "GT, %i, %n, UNSIGNED", "2", "subtract %i, %two", 4, 1},
                        Case{"i64", "3", "GE, %i, %n, SIGNED", "-1", "subtract %i, %one", 5, -2},
                        Case{"i8", "1", "NE, %n, %i, SIGNED", "5", "add %i, %two", 2, 5},
                        Case{"ui8", "250", "GE, %n, %i, UNSIGNED", "254", "add %i, %one", 5, 255}}) {
    const std::string text = loop(c.type, c.start, c.comparison, c.bound, c.next);
    const Function f = import(text);
    ASSERT_EQ(count(f.jaxpr(), OpCode::kScan), 1) << text << f.jaxpr();
    for (const ir::Eqn& e : f.jaxpr().eqns()) {
      if (e.op != OpCode::kScan) continue;
      EXPECT_EQ(ir::params_as<ScanParams>(e.params).length, c.length) << text;
    }
    const Array x(std::vector<double>{0.7, -1.3});
    const std::vector<Array> got = f(x, testing::draw(f.input(1), 0));
    Array want = x;
    std::vector<double> counter;
    for (double i = std::stod(c.start); static_cast<std::int64_t>(counter.size()) < c.length;
         i += (c.end - std::stod(c.start)) / static_cast<double>(c.length))
      counter.push_back(i);
    for (const double i : counter) want = np::sin(want * i);
    EXPECT_EQ(differ_exactly(got[0], want), "") << text;
    EXPECT_EQ(got[1].astype(f64).item<double>(), c.end) << text;
    expect_comes_back(f);
  }
}

TEST(loops, a_loop_of_no_steps_is_what_it_begins_with) {
  const Function f = import(loop("i32", "3", "LT, %i, %n, SIGNED", "3", "add %i, %one"));
  EXPECT_TRUE(f.jaxpr().eqns().empty()) << f.jaxpr();
  EXPECT_EQ(f(Array(std::vector<double>{1, 2}), Array(0))[1].item<std::int32_t>(), 3);
}

TEST(loops, others_stay_what_they_are) {
  const std::pair<std::string, std::int32_t> cases[] = {
      {loop("i32", "0", "LT, %i, %m, SIGNED", "3", "add %i, %one"), 4},                   // the end is an argument
      {loop("i32", "1", "LT, %i, %n, SIGNED", "9", "multiply %i, %two"), 16},             // does not add
      {loop("i32", "0", "LT, %i, %n, SIGNED", "9", "add %i, %m"), 12},                    // adds an argument
      {loop("i32", "2147483646", "GT, %i, %n, SIGNED", "0", "add %i, %one"), INT32_MIN},  // wraps around
  };
  for (const auto& [text, end] : cases) {
    const Function f = import(text);
    EXPECT_EQ(count(f.jaxpr(), OpCode::kWhile), 1) << text;
    const std::vector<Array> got = f(Array(std::vector<double>{0.5, 2}), Array(4));
    EXPECT_EQ(got[1].item<std::int32_t>(), end) << text;
    expect_comes_back(f);
  }
}

TEST(loops, reverse_mode_through_others_names_the_loop) {
  const Function f = import(loop("i32", "0", "LT, %i, %m, SIGNED", "3", "add %i, %one"), {.source = "model.mlir"});
  try {
    grad([&](Array x) { return np::sum(f(x, Array(4))[0]); })(Array(std::vector<double>{1, 2}));
    FAIL() << "nothing was thrown";
  } catch (const NotDifferentiableError& e) {
    EXPECT_EQ(e.location().str(), "model.mlir:4:10");
    EXPECT_NE(e.message().find("a bound on the number of steps"), std::string::npos) << e.what();
  }
}

TEST(loops, loops_inside_loops_and_functions_count_too) {
  const Function f = import(R"(
func.func @main(%x: tensor<4x3xf64>) -> (tensor<f64>, tensor<i32>) {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %four = stablehlo.constant dense<4> : tensor<i32>
  %s = stablehlo.constant dense<1.0> : tensor<f64>
  %0:2 = stablehlo.while(%i = %zero, %a = %s) : tensor<i32>, tensor<f64>
   cond {
    %c = stablehlo.compare LT, %i, %four, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %r = stablehlo.dynamic_slice %x, %i, %zero, sizes = [1, 3] : (tensor<4x3xf64>, tensor<i32>, tensor<i32>) -> tensor<1x3xf64>
    %y = stablehlo.reshape %r : (tensor<1x3xf64>) -> tensor<3xf64>
    %b = func.call @product(%y, %a) : (tensor<3xf64>, tensor<f64>) -> tensor<f64>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %b : tensor<i32>, tensor<f64>
  }
  return %0#1, %0#0 : tensor<f64>, tensor<i32>
}
func.func private @product(%y: tensor<3xf64>, %a: tensor<f64>) -> tensor<f64> {
  %two = stablehlo.constant dense<2> : tensor<i32>
  %step = stablehlo.constant dense<-1> : tensor<i32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = stablehlo.while(%i = %two, %b = %a) : tensor<i32>, tensor<f64>
   cond {
    %c = stablehlo.compare GE, %i, %zero, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %r = stablehlo.dynamic_slice %y, %i, sizes = [1] : (tensor<3xf64>, tensor<i32>) -> tensor<1xf64>
    %e = stablehlo.reshape %r : (tensor<1xf64>) -> tensor<f64>
    %p = stablehlo.multiply %e, %b : tensor<f64>
    %q = stablehlo.cosine %p : tensor<f64>
    %j = stablehlo.add %i, %step : tensor<i32>
    stablehlo.return %j, %q : tensor<i32>, tensor<f64>
  }
  return %0#1 : tensor<f64>
}
)");
  EXPECT_EQ(count(f.jaxpr(), OpCode::kScan), 2) << f.jaxpr();
  EXPECT_EQ(count(f.jaxpr(), OpCode::kDynamicSlice), 0) << f.jaxpr();
  EXPECT_EQ(f(np::ones({4, 3}, f64))[1].item<std::int32_t>(), 4);
  expect_comes_back(f);
  const auto loss = [&](const Array& x) { return f(x)[0]; };
  const Array x = testing::draw(f.input(0), 1), t = testing::draw(f.input(0), 2);
  constexpr double h = 1e-5;
  const double want =
      (loss(testing::moved(x, t, h)).item<double>() - loss(testing::moved(x, t, -h)).item<double>()) / (2 * h);
  EXPECT_NEAR(testing::pairing(grad(loss)(x), t), want, 1e-8);
}

// The gradient of a scan needs memory for what each step keeps, not for an array of all steps at each of them.
TEST(loops, what_reverse_mode_keeps_is_linear_in_the_steps) {
  const Function f = import(kScan);
  const auto loss = [&](Array w, Array c, Array xs) { return np::sum(f(w, c, xs)[1]); };
  const ir::Jaxpr g = make_jaxpr(grad<0, 1, 2>(loss))(np::ones({3, 3}, f64), np::ones({3}, f64), np::ones({5, 3}, f64));
  for (const ir::Eqn& e : g.eqns())
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) EXPECT_LE(g.aval(v).size(), 45) << g.aval(v).str();
  EXPECT_EQ(count(g, OpCode::kDynamicUpdateSlice), 0) << g;
}

TEST(loops, a_body_with_effects_runs_as_often_as_it_says) {
  const Function f = import(R"(
func.func @main(%t: !stablehlo.token) -> tensor<f32> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %n = stablehlo.constant dense<3> : tensor<i32>
  %s = stablehlo.constant dense<0.0> : tensor<f32>
  %0:3 = stablehlo.while(%i = %zero, %a = %s, %u = %t) : tensor<i32>, tensor<f32>, !stablehlo.token
   cond {
    %c = stablehlo.compare LT, %i, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %x, %v = "stablehlo.infeed"(%u) <{infeed_config = ""}> : (!stablehlo.token) -> (tensor<f32>, !stablehlo.token)
    %h = stablehlo.add %a, %a : tensor<f32>
    %b = stablehlo.add %h, %x : tensor<f32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %b, %v : tensor<i32>, tensor<f32>, !stablehlo.token
  }
  return %0#1 : tensor<f32>
}
)");
  EXPECT_EQ(count(f.jaxpr(), OpCode::kScan), 1);
  EXPECT_EQ(count(f.jaxpr(), OpCode::kInfeed), 1);
  expect_comes_back(f);
}

}  // namespace
}  // namespace weft::stablehlo
