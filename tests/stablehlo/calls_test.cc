// Programs whose functions call each other: what is said once costs once, however often it is called.
#include <gtest/gtest.h>

#include "weft/base/error.h"
#include "weft/ir/builder.h"
#include "weft/ir/interpret.h"
#include "weft/ir/parse.h"
#include "weft/stablehlo/export.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

// @f0 is one operation, each further function calls the one before twice, and @main calls the last one: 2^functions
// operations are run.
std::string doubling(int functions, const std::string& operation = "stablehlo.sine") {
  std::string text = "func.func private @f0(%x: tensor<f32>) -> tensor<f32> {\n  %0 = " + operation +
                     " %x : tensor<f32>\n  return %0 : tensor<f32>\n}\n";
  for (int i = 1; i <= functions; ++i) {
    const std::string call = " = call @f" + std::to_string(i - 1);
    text += "func.func private @f" + std::to_string(i) + "(%x: tensor<f32>) -> tensor<f32> {\n  %0" + call +
            "(%x) : (tensor<f32>) -> tensor<f32>\n  %1" + call +
            "(%0) : (tensor<f32>) -> tensor<f32>\n  return %1 : tensor<f32>\n}\n";
  }
  return text + "func.func @main(%x: tensor<f32>) -> tensor<f32> {\n  %0 = call @f" + std::to_string(functions) +
         "(%x) : (tensor<f32>) -> tensor<f32>\n  return %0 : tensor<f32>\n}\n";
}

std::string value_and_grad_text(const Function& f, Form form) {
  const auto value = [&](Array x) { return f(x)[0]; };
  return print([&](Array x) { return grad(value)(x); }, form, Array(0.5f));
}

TEST(calls, reading_and_printing_cost_what_the_program_says) {
  for (const int n : {30, 90}) {
    const Function f = import(doubling(n));
    const std::string pretty = print(f), generic = print(f, Form::kGeneric), jaxpr = f.jaxpr().str();
    EXPECT_LT(pretty.size(), doubling(n).size() * 2);
    EXPECT_LT(generic.size(), doubling(n).size() * 2);
    EXPECT_LT(jaxpr.size(), doubling(n).size() * 2);
    EXPECT_TRUE(import(pretty).jaxpr() == f.jaxpr());
    EXPECT_TRUE(import(generic).jaxpr() == f.jaxpr());
    EXPECT_TRUE(ir::parse(jaxpr) == f.jaxpr());
    EXPECT_EQ(ir::parse(jaxpr).hash(), f.jaxpr().hash());
  }
}

TEST(calls, programs_are_named_only_where_writing_each_time_is_too_long) {
  EXPECT_EQ(import(doubling(1)).jaxpr().str().find("program_"), std::string::npos);
  const std::string text = import(doubling(30)).jaxpr().str();
  EXPECT_TRUE(
      text.starts_with("let program_0 = { lambda ; a:f32[]. let b:f32[] = sin a in (b,) } in\n"
                       "let program_1 = { lambda ; a:f32[]. let\n"
                       "    b:f32[] = jit[name=f0 jaxpr=program_0] a\n"))
      << text.substr(0, 400);
  EXPECT_THROW(ir::parse("{ lambda ; a:f32[]. let b:f32[] = jit[name=f jaxpr=program_0] a in (b,) }"), ParseError);
}

TEST(calls, named_programs_nest_no_deeper_than_walks_over_them_may) {
  const auto chain = [](int n) {
    std::string text = "let p0 = { lambda ; a:f32[]. let  in (a,) } in\n", last = "p0";
    for (int i = 1; i < n; ++i) {
      const std::string name = "p" + std::to_string(i);
      text += "let " + name + " = { lambda ; a:f32[]. let b:f32[] = jit[name=f jaxpr=" + last + "] a in (b,) } in\n";
      last = name;
    }
    return text + "{ lambda ; a:f32[]. let b:f32[] = jit[name=f jaxpr=" + last + "] a in (b,) }";
  };
  EXPECT_EQ(ir::inline_calls(ir::parse(chain(500))).eqns().size(), 0u);
  EXPECT_THROW(ir::parse(chain(100000)), ParseError);
}

TEST(calls, compiling_costs_what_the_program_says) {
  const Function f = import(doubling(90));
  EXPECT_LE(ir::inline_calls(f.jaxpr()).eqns().size(), 2 * ir::kMostInlined);
  EXPECT_NE(executable(f.jaxpr()), nullptr);
  const ir::Interpreter prepared(f.jaxpr());
  EXPECT_LT(prepared.bytes(), std::size_t{1} << 20);
  // What stays a call computes the same.
  const Function small = import(doubling(14));
  float x = 0.5f, expected = 0.5f, y = 0;
  for (int i = 0; i < 1 << 14; ++i) expected = std::sin(expected);
  const Aval scalar(f32, {});
  const TensorView in{scalar, &x};
  const MutableTensorView out{scalar, &y};
  ir::interpret(small.jaxpr(), std::span(&in, 1), std::span(&out, 1));
  EXPECT_NEAR(y, expected, 1e-6);
  EXPECT_NEAR(small(Array(0.5f))[0].item<float>(), expected, 1e-6);
}

TEST(calls, gradients_and_batches_cost_what_the_program_says) {
  // Linear functions keep nothing for their derivatives.
  const auto linear = [](int n) { return value_and_grad_text(import(doubling(n, "stablehlo.negate")), Form::kPretty); };
  EXPECT_LT(linear(60).size(), 3 * linear(30).size());
  // Others keep values up to a bound, and run again above it.
  const auto grown = [](int n) { return value_and_grad_text(import(doubling(n)), Form::kGeneric).size(); };
  const std::size_t some = grown(28);
  EXPECT_LT(grown(56), 3 * some);
  const Function f = import(doubling(60));
  const auto batched = [&](Array x) { return vmap([&](Array x) { return f(x)[0]; })(x); };
  EXPECT_LT(print(batched, Form::kPretty, np::ones({3})).size(), doubling(60).size() * 3);
}

TEST(calls, a_program_that_runs_again_has_the_same_gradient) {
  // At the bound: 2^16 sines of which not all values are kept.
  const Function f = import(doubling(16));
  float x = 0.5f, expected = 1;
  for (int i = 0; i < 1 << 16; ++i) {
    expected *= std::cos(x);
    x = std::sin(x);
  }
  const auto value = [&](Array x) { return f(x)[0]; };
  EXPECT_NEAR(grad(value)(Array(0.5f)).item<float>(), expected, 1e-3f * std::abs(expected));
}

TEST(calls, recursion_is_refused_by_name) {
  const auto error_of = [](std::string_view text) {
    try {
      import(text, {.source = "a.mlir"});
    } catch (const ParseError& e) {
      return e.message();
    }
    return std::string("no error");
  };
  EXPECT_EQ(error_of("func.func @main() {\n  call @main() : () -> ()\n  return\n}\n"),
            "a.mlir:2:3: func.call: a function may not call itself; got @main.");
  EXPECT_EQ(error_of("func.func @main() {\n  call @f() : () -> ()\n  return\n}\n"
                     "func.func @f() {\n  call @main() : () -> ()\n  return\n}\n"),
            "a.mlir:6:3: func.call: a function may not call itself; got @main.");
  // A chain deeper than the stack is refused too.
  std::string text = doubling(300);
  EXPECT_NE(error_of(text).find("calls may be at most 128 deep"), std::string::npos);
}

// In the text that is written all functions are in one module, under names of their own.
TEST(calls, into_nested_modules_are_written_as_calls_of_functions) {
  const Function f = import(R"(
module @a {
  module @b { func.func @f(%x: tensor<f32>) -> tensor<f32> { %0 = stablehlo.sine %x : tensor<f32> return %0 : tensor<f32> } }
  module @c { func.func @f(%x: tensor<f32>) -> tensor<f32> { %0 = stablehlo.cosine %x : tensor<f32> return %0 : tensor<f32> } }
  module @d { func.func @"h i"(%x: tensor<f32>) -> tensor<f32> { %0 = stablehlo.negate %x : tensor<f32> return %0 : tensor<f32> } }
  func.func @main(%x: tensor<f32>) -> tensor<f32> {
    %0 = call @b::@f(%x) : (tensor<f32>) -> tensor<f32>
    %1 = call @c::@f(%0) : (tensor<f32>) -> tensor<f32>
    %2 = call @d::@"h i"(%1) : (tensor<f32>) -> tensor<f32>
    return %2 : tensor<f32>
  }
}
)");
  for (const Form form : {Form::kPretty, Form::kGeneric}) {
    const std::string text = print(f, form), derivative = value_and_grad_text(f, form);
    EXPECT_EQ(import(text)(Array(0.5f))[0].item<float>(), f(Array(0.5f))[0].item<float>()) << text;
    EXPECT_NEAR(import(derivative)(Array(0.5f))[0].item<float>(), std::sin(std::sin(0.5)) * std::cos(0.5), 1e-6)
        << derivative;
  }
  EXPECT_NE(print(f).find("call @f_0("), std::string::npos) << print(f);
}

}  // namespace
}  // namespace weft::stablehlo
