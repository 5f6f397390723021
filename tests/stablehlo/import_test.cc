#include <gtest/gtest.h>

#include "weft/base/error.h"
#include "weft/stablehlo/check.h"
#include "weft/stablehlo/export.h"
#include "weft/stablehlo/syntax.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

constexpr std::string_view kQuadratic = R"(
module @m {
  func.func public @main(%x: tensor<3xf32>, %s: tensor<f32>) -> tensor<f32> {
    %0 = call @square(%x) : (tensor<3xf32>) -> tensor<3xf32>
    %w = stablehlo.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
    %1 = stablehlo.multiply %0, %w : tensor<3xf32>
    %z = stablehlo.constant dense<0.0> : tensor<f32>
    %2 = stablehlo.reduce(%1 init: %z) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
    %3 = stablehlo.multiply %2, %s : tensor<f32>
    return %3 : tensor<f32>
  }
  func.func private @square(%x: tensor<3xf32>) -> tensor<3xf32> {
    %0 = stablehlo.multiply %x, %x : tensor<3xf32>
    return %0 : tensor<3xf32>
  }
})";

Array vector(std::vector<float> v) { return Array(v); }

TEST(import, a_program_is_an_ordinary_function) {
  const Function f = import(kQuadratic);
  EXPECT_EQ(f.name(), "main");
  EXPECT_EQ(f.num_inputs(), 2u);
  const Array x = vector({1, 2, 3}), s(0.5f);
  const auto value = [&](const Array& x) { return f(x, s)[0]; };
  EXPECT_EQ(value(x).item<float>(), 18.0f);
  EXPECT_EQ(jit(value)(x).item<float>(), 18.0f);
  EXPECT_EQ(grad(value)(x).to_vector<float>(), (std::vector<float>{1, 4, 9}));
  EXPECT_EQ(vmap(value)(lax::reshape(Array(std::vector<float>{1, 2, 3, 0, 0, 1}), Dims{2, 3})).to_vector<float>(),
            (std::vector<float>{18, 1.5}));
  EXPECT_EQ(jvp(value, x, vector({1, 0, 0})).second.item<float>(), 1.0f);
}

TEST(import, a_program_reads_as_a_jaxpr) {
  EXPECT_EQ(import(kQuadratic).jaxpr().str(),
            "{ lambda a:f32[3]; b:f32[3] c:f32[]. let\n"
            "    d:f32[3] = jit[\n"
            "      name=square\n"
            "      jaxpr={ lambda ; e:f32[3]. let f:f32[3] = mul e e in (f,) }\n"
            "    ] b\n"
            "    g:f32[3] = mul d a\n"
            "    h:f32[] = reduce_sum[axes=(0,)] g\n"
            "    i:f32[] = mul h c\n"
            "  in (i,) }");
}

std::string error_of(std::string_view text) {
  try {
    import(text, {.source = "a.mlir"});
  } catch (const ParseError& e) {
    return e.message();
  }
  return "no error";
}

TEST(import, calls_find_functions_of_their_own_module) {
  const char* text = R"(
module {
  module @inner {
    func.func private @f(%x: tensor<f32>) -> tensor<f32> {
      %0 = stablehlo.add %x, %x : tensor<f32>
      return %0 : tensor<f32>
    }
    func.func @twice(%x: tensor<f32>) -> tensor<f32> {
      %0 = call @f(%x) : (tensor<f32>) -> tensor<f32>
      return %0 : tensor<f32>
    }
  }
  func.func private @f(%x: tensor<f32>) -> tensor<f32> {
    %0 = stablehlo.multiply %x, %x : tensor<f32>
    return %0 : tensor<f32>
  }
  func.func @main(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
    %0 = call @f(%x) : (tensor<f32>) -> tensor<f32>
    %1 = func.call @inner::@twice(%x) : (tensor<f32>) -> tensor<f32>
    return %0, %1 : tensor<f32>, tensor<f32>
  }
}
)";
  const std::vector<Array> got = import(text)(Array(3.0f));
  EXPECT_EQ(got[0].item<float>(), 9);
  EXPECT_EQ(got[1].item<float>(), 6);
  EXPECT_THROW(import(R"(
func.func @f(%x: tensor<f32>) -> tensor<f32> { return %x : tensor<f32> }
func.func @f(%x: tensor<f32>) -> tensor<f32> { return %x : tensor<f32> }
)"),
               ParseError);
}

TEST(import, values_that_the_text_determines_are_found_in_linear_time) {
  std::string text =
      "func.func @main(%x: tensor<3xf32>) -> tensor<f32> {\n  %c0 = stablehlo.constant dense<0.0> : tensor<f32>\n";
  for (int i = 1; i < 60; ++i)
    text += "  %c" + std::to_string(i) + " = stablehlo.add %c" + std::to_string(i - 1) + ", %c" +
            std::to_string(i - 1) + " : tensor<f32>\n";
  text +=
      "  %r = stablehlo.reduce(%x init: %c59) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, "
      "tensor<f32>) -> tensor<f32>\n  return %r : tensor<f32>\n}\n";
  EXPECT_EQ(import(text)(np::ones({3}))[0].item<float>(), 3);
}

TEST(import, a_missing_attribute_is_named) {
  try {
    import(R"(
func.func @main(%x: tensor<2x3xf32>, %y: tensor<3x4xf32>) -> tensor<2x3x3x4xf32> {
  %0 = "stablehlo.dot_general"(%x, %y) : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x3x3x4xf32>
  return %0 : tensor<2x3x3x4xf32>
})");
    FAIL() << "nothing was thrown";
  } catch (const ParseError& e) {
    EXPECT_NE(e.message().find("there must be an attribute dot_dimension_numbers"), std::string::npos) << e.what();
  }
}

TEST(import, shardings_mean_nothing) {
  const char* text = R"(
module @jit_f attributes {mhlo.num_partitions = 2 : i32} {
  sdy.mesh @mesh = <["x"=2]>
  func.func public @main(%x: tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x"}, {}]>}) -> tensor<8x8xf32> {
    %0 = sdy.sharding_constraint %x <@mesh, [{"x"}, {}]> : tensor<8x8xf32>
    %1 = stablehlo.add %0, %0 : tensor<8x8xf32>
    return %1 : tensor<8x8xf32>
  }
}
)";
  EXPECT_EQ(import(text)(np::ones({8, 8}))[0](0, 0).item<float>(), 2);
  const Module m = parse(text);
  EXPECT_TRUE(parse(print(m, Form::kGeneric)) == m);
  EXPECT_TRUE(parse(print(m, Form::kPretty)) == m);
}

TEST(import, what_cannot_run_is_named_all_at_once) {
  EXPECT_EQ(error_of("func.func @main(%x: tensor<?x2xf32>, %y: tensor<2xf32>) -> tensor<?x2xf32> {\n"
                     "  %0 = stablehlo.abs %x : tensor<?x2xf32>\n"
                     "  %1 = \"stablehlo.frob\"(%y) : (tensor<2xf32>) -> tensor<2xf32>\n"
                     "  return %0 : tensor<?x2xf32>\n}\n"),
            "a.mlir:1:1: func.func: tensor<?x2xf32> has a size that only the run knows.\n"
            "a.mlir:2:8: stablehlo.abs: tensor<?x2xf32> has a size that only the run knows.\n"
            "a.mlir:3:8: stablehlo.frob: Weft has no such operation.\n"
            "a.mlir:4:3: func.return: tensor<?x2xf32> has a size that only the run knows.");
}

TEST(import, errors_of_operations_name_the_place) {
  EXPECT_EQ(error_of("func.func @main(%x: tensor<2xf32>) -> tensor<3xf32> {\n"
                     "  %0 = stablehlo.reshape %x : (tensor<2xf32>) -> tensor<3xf32>\n"
                     "  return %0 : tensor<3xf32>\n}\n")
                .substr(0, 20),
            "a.mlir:2:8: reshape:");
  EXPECT_EQ(
      error_of("func.func @main(%x: tensor<2xf32>) -> tensor<2xi32> {\n"
               "  %0 = \"stablehlo.abs\"(%x) : (tensor<2xf32>) -> tensor<2xi32>\n"
               "  return %0 : tensor<2xi32>\n}\n"),
      "a.mlir:2:8: stablehlo.abs: the result must have the type that the text declares, tensor<2xi32>; got f32[2].");
  EXPECT_EQ(error_of("func.func @main() {\n  call @main() : () -> ()\n  return\n}\n"),
            "a.mlir:2:3: func.call: a function may not call itself; got @main.");
  EXPECT_EQ(error_of("func.func @main() -> tensor<2xi8> {\n  %0 = stablehlo.constant dense<[1, 300]> : tensor<2xi8>\n"
                     "  return %0 : tensor<2xi8>\n}\n"),
            "a.mlir:2:27: dense literal of type tensor<2xi8>: there must be elements of the type; got 300.");
}

TEST(import, literals_have_the_elements_that_they_spell) {
  const auto value = [](const std::string& dense, const std::string& type) {
    return import("func.func @main() -> " + type + " {\n  %0 = stablehlo.constant dense<" + dense + "> : " + type +
                  "\n  return %0 : " + type + "\n}\n")()[0];
  };
  EXPECT_EQ(value("[[1, -2], [3, 4]]", "tensor<2x2xi32>").to_vector<int>(), (std::vector<int>{1, -2, 3, 4}));
  EXPECT_EQ(value("0x7F800000", "tensor<f32>").item<float>(), std::numeric_limits<float>::infinity());
  EXPECT_EQ(value("\"0x0000803F000000C0\"", "tensor<2xf32>").to_vector<float>(), (std::vector<float>{1, -2}));
  EXPECT_EQ(value("[true, false]", "tensor<2xi1>").to_vector<bool>(), (std::vector<bool>{true, false}));
  EXPECT_EQ(value("(1.0, -2.0)", "tensor<2xcomplex<f32>>").to_vector<std::complex<float>>()[1],
            std::complex<float>(1, -2));
  EXPECT_EQ(value("", "tensor<0x2xf32>").size(), 0);
  EXPECT_EQ(value("18446744073709551615", "tensor<ui64>").item<std::uint64_t>(), 18446744073709551615u);
}

TEST(import, a_gigantic_literal_costs_what_its_text_does) {
  // A splat is one element; a list must be written out.
  EXPECT_EQ(error_of("func.func @main() -> tensor<1000000x1000000xf32> {\n"
                     "  %0 = stablehlo.constant dense<[1.0]> : tensor<1000000x1000000xf32>\n"
                     "  return %0 : tensor<1000000x1000000xf32>\n}\n"),
            "a.mlir:2:27: dense literal of type tensor<1000000x1000000xf32>: lists must nest as deep as the type has "
            "dimensions.");
  const Function f = import(
      "func.func @main() -> tensor<1000000x1000000xf32> {\n"
      "  %0 = stablehlo.constant dense<1.0> : tensor<1000000x1000000xf32>\n"
      "  return %0 : tensor<1000000x1000000xf32>\n}\n");
  EXPECT_EQ(f.output(0).size(), 1000000000000);
}

TEST(check, what_checks_beside_main_is_run_too) {
  const std::vector<CheckReport> reports = run_checks(parse(R"(
func.func @main() { return }
func.func @helper() -> tensor<f32> {
  %0 = stablehlo.constant dense<1.0> : tensor<f32>
  return %0 : tensor<f32>
}
func.func @wrong() {
  %0 = stablehlo.constant dense<1.0> : tensor<f32>
  check.expect_eq_const %0, dense<2.0> : tensor<f32>
  return
}
)"));
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].outcome, CheckReport::Outcome::kPassed);
  EXPECT_EQ(reports[1].name, "wrong");
  EXPECT_EQ(reports[1].outcome, CheckReport::Outcome::kFailed);
}

TEST(check, tells_passed_failed_and_unsupported_apart) {
  const auto report = [](const std::string& body) {
    return run_checks(parse("func.func @test() {\n" + body + "  func.return\n}\n", "a.mlir")).at(0);
  };
  const CheckReport passed = report(
      "  %0 = stablehlo.constant dense<1.0> : tensor<f64>\n"
      "  check.expect_almost_eq_const %0, dense<1.00001> : tensor<f64>\n");
  EXPECT_EQ(passed.outcome, CheckReport::Outcome::kPassed);
  EXPECT_EQ(passed.checks, 1);
  const CheckReport failed = report(
      "  %0 = stablehlo.constant dense<1.0> : tensor<f64>\n"
      "  check.expect_eq_const %0, dense<1.00001> : tensor<f64>\n");
  EXPECT_EQ(failed.outcome, CheckReport::Outcome::kFailed);
  EXPECT_EQ(failed.reason, "a.mlir:3:3: expect_eq: element 0: got 1.0, expected 1.00001.");
  const CheckReport unsupported = report("  %0 = \"stablehlo.frob\"() : () -> tensor<f64>\n");
  EXPECT_EQ(unsupported.outcome, CheckReport::Outcome::kUnsupported);
  EXPECT_EQ(unsupported.reason, "a.mlir:2:8: stablehlo.frob: Weft has no such operation.");
}

TEST(check, ulps_count_representable_numbers) {
  const float one = 1, next = std::nextafter(1.0f, 2.0f);
  EXPECT_EQ(differ_by_ulps(Array(one), Array(next), 1), "");
  EXPECT_NE(differ_by_ulps(Array(one), Array(next), 0), "");
  EXPECT_EQ(differ_by_ulps(Array(0.0f), Array(-0.0f), 0), "");
  EXPECT_EQ(differ_by_ulps(Array(std::numeric_limits<float>::denorm_min()),
                           Array(-std::numeric_limits<float>::denorm_min()), 2),
            "");
  EXPECT_NE(differ_by_ulps(Array(std::numeric_limits<float>::max()), Array(std::numeric_limits<float>::infinity()), 3),
            "");
  EXPECT_EQ(differ_by_ulps(Array(std::nanf("")), Array(std::nanf("")), 3), "");
}

}  // namespace
}  // namespace weft::stablehlo
