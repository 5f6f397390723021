#include <gtest/gtest.h>

#include <set>

#include "stablehlo/programs.h"
#include "weft/base/error.h"
#include "weft/stablehlo/formats.h"
#include "weft/stablehlo/syntax.h"

namespace weft::stablehlo {
namespace {

std::string error_of(std::string_view text) {
  try {
    parse(text, "a.mlir");
  } catch (const ParseError& e) {
    return e.message();
  }
  return "no error";
}

// One operation in a function over values of many types.
std::string in_function(std::string_view op) {
  return "func.func @f(%f: tensor<2x3xf32>, %i: tensor<2x3xi32>, %p: tensor<2x3xi1>, %s: tensor<f32>, %n: tensor<i32>, "
         "%z: tensor<2xcomplex<f32>>, %t: !stablehlo.token, %v: tensor<2xi64>, %r: tensor<2xf32>) {\n  " +
         std::string(op) + "\n  return\n}\n";
}

TEST(parse, programs_come_back_from_their_text_in_both_forms) {
  for (const std::string_view text : testing::kPrograms) {
    const Module m = parse(text);
    EXPECT_TRUE(parse(print(m, Form::kPretty)) == m) << print(m, Form::kPretty);
    EXPECT_TRUE(parse(print(m, Form::kGeneric)) == m) << print(m, Form::kGeneric);
  }
}

TEST(parse, the_pretty_form_is_the_published_one) {
  // Each prints as it was written.
  for (const std::string_view op : {
           "%0 = stablehlo.abs %i : tensor<2x3xi32>",
           "%0 = stablehlo.convert %i : (tensor<2x3xi32>) -> tensor<2x3xf32>",
           "%0 = stablehlo.is_finite %f : (tensor<2x3xf32>) -> tensor<2x3xi1>",
           "%0 = stablehlo.atan2 %f, %f : tensor<2x3xf32>",
           "%0 = stablehlo.clamp %s, %f, %s : (tensor<f32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>",
           "%0 = stablehlo.select %p, %f, %f : tensor<2x3xi1>, tensor<2x3xf32>",
           "%0 = stablehlo.compare LT, %f, %f, TOTALORDER : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>",
           "%0 = stablehlo.compare EQ, %f, %f : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>",
           "%0 = stablehlo.reduce_precision %f, format = e8m10 : tensor<2x3xf32>",
           "%0 = stablehlo.iota dim = 1 : tensor<1x10xf32>",
           "%0 = stablehlo.dynamic_iota %v, dim = 0 : (tensor<2xi64>) -> tensor<3x4xf32>",
           "%0 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<2x3xf32>",
           "%0 = stablehlo.broadcast %s, sizes = [2, 3] : (tensor<f32>) -> tensor<2x3xf32>",
           "%0 = stablehlo.slice %f [0:2, 1:3:2] : (tensor<2x3xf32>) -> tensor<2x1xf32>",
           "%0 = stablehlo.dynamic_slice %f, %n, %n, sizes = [1, 2] : (tensor<2x3xf32>, tensor<i32>, tensor<i32>) -> "
           "tensor<1x2xf32>",
           "%0 = stablehlo.pad %f, %s, low = [1, 0], high = [0, -1], interior = [0, 2] : (tensor<2x3xf32>, "
           "tensor<f32>) -> tensor<3x6xf32>",
           "%0 = stablehlo.reverse %f, dims = [0, 1] : tensor<2x3xf32>",
           "%0 = stablehlo.transpose %f, dims = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>",
           "%0 = stablehlo.concatenate %f, %f, dim = 1 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>",
           "%0 = stablehlo.dot %r, %r, precision = [DEFAULT, HIGH] : (tensor<2xf32>, tensor<2xf32>) -> tensor<f32>",
           "%0 = stablehlo.dot %r, %r, precision = [] : (tensor<2xf32>, tensor<2xf32>) -> tensor<f32>",
           "%0 = stablehlo.dot_general %f, %f, batching_dims = [0] x [0], contracting_dims = [1] x [1] : "
           "(tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2xf32>",
           "%0 = stablehlo.fft %z, type = FFT, length = [2] : (tensor<2xcomplex<f32>>) -> tensor<2xcomplex<f32>>",
           "%0 = stablehlo.cholesky %f, lower = true : tensor<2x3xf32>",
           "%0 = stablehlo.rng %s, %s, %v, distribution = NORMAL : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> "
           "tensor<2x3xf32>",
           "%0:2 = stablehlo.rng_bit_generator %v, algorithm = PHILOX : (tensor<2xi64>) -> (tensor<2xi64>, "
           "tensor<4xui32>)",
           "%0 = stablehlo.get_dimension_size %f, dim = 1 : (tensor<2x3xf32>) -> tensor<i32>",
           "%0 = stablehlo.tuple %s, %n : tuple<tensor<f32>, tensor<i32>>",
           "%0 = stablehlo.tuple : tuple<>",
           "stablehlo.optimization_barrier()",
           "%0:2 = stablehlo.optimization_barrier %s, %n : tensor<f32>, tensor<i32>",
           "%0 = stablehlo.after_all %t, %t : !stablehlo.token",
           "%0 = stablehlo.after_all : !stablehlo.token",
           "%0 = stablehlo.create_token : !stablehlo.token",
           "%0 = stablehlo.replica_id : tensor<ui32>",
           "%0 = stablehlo.custom_call @foo(%s, %s) {has_side_effect = true} : (tensor<f32>, tensor<f32>) -> "
           "tensor<2xf32>",
           "%0 = stablehlo.custom_call @\"foo-not-id\"() : () -> tensor<2xf32>",
           "%0 = stablehlo.composite \"a.b\" %s {decomposition = @g} : (tensor<f32>) -> tensor<f32>",
           "%0 = stablehlo.einsum %f, %f, config = \"ab,ab->a\" : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2xf32>",
           "stablehlo.trace %s, \"a tag\" : tensor<f32>",
           "%0 = stablehlo.complex %r, %r : tensor<2xcomplex<f32>>",
           "%0 = stablehlo.constant dense<[1.0, 2.0]> : tensor<2xf32>",
           "%0 = stablehlo.constant {a = 1 : i32} dense<1> : tensor<2xi32>",
           "%0 = stablehlo.uniform_quantize %r : (tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f32, 34.0:16>>",
           "%0 = chlo.broadcast_add %f, %s {broadcast_dimensions = array<i64>} : (tensor<2x3xf32>, tensor<f32>) -> "
           "tensor<2x3xf32>",
           "%0 = chlo.broadcast_compare %f, %s {comparison_direction = #chlo<comparison_direction LT>} : "
           "(tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi1>",
           "%0 = chlo._asin_acos_kernel %z : tensor<2xcomplex<f32>> -> tensor<2xcomplex<f32>>",
           "%0:2 = chlo.minimum_broadcast_shapes %v, %v : tensor<2xi64>, tensor<2xi64> -> (tensor<1xi64>, "
           "tensor<1xi64>)",
           "%0:2 = mhlo.topk(%r, k = 1, largest = false) : tensor<2xf32> -> (tensor<1xf32>, tensor<1xi32>)",
           "%0 = chlo.is_inf %r : tensor<2xf32> -> tensor<2xi1>",
           "%0 = chlo.zeta %r, %r : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>",
           "%0:2 = chlo.top_k(%r, k = 1) : tensor<2xf32> -> (tensor<1xf32>, tensor<1xi32>)",
           "%0 = func.call @g(%s) : (tensor<f32>) -> tensor<f32>",
           "check.expect_eq %r, %r : tensor<2xf32>",
           "check.expect_almost_eq %r, %r, tolerance = 0.1 : tensor<2xf32>",
           "check.expect_almost_eq_const %s, dense<5.1> : tensor<f32> {tolerance = 0.1 : f64}",
       }) {
    std::string printed;
    try {
      const Module m = parse(in_function(op));
      printed = print(m, Form::kPretty);
      EXPECT_TRUE(parse(print(m, Form::kGeneric)) == m) << op;
    } catch (const ParseError& e) {
      printed = e.message();
    }
    // The value-and-attributes order of a check differs only in where the dictionary stands.
    if (op.find("expect_almost_eq_const") == std::string_view::npos) {
      EXPECT_NE(printed.find("    " + std::string(op) + "\n"), std::string::npos) << op << "\nbut\n" << printed;
    }
  }
}

TEST(parse, every_format_names_one_operation_of_a_dialect) {
  std::set<std::string_view> seen;
  for (const Format& f : all_formats()) EXPECT_TRUE(seen.insert(f.op).second) << f.op;
  for (const std::string_view op : generic_only()) EXPECT_TRUE(seen.insert(op).second) << op;
}

TEST(parse, errors_name_the_place_and_what_was_expected) {
  EXPECT_EQ(error_of("func.func @f( {"), "a.mlir:1:15: expected a type; got '{'.");
  EXPECT_EQ(error_of(in_function("%0 = stablehlo.add %f, %q : tensor<2x3xf32>")),
            "a.mlir:2:26: expected a value that is defined above; got '%q'.");
  EXPECT_EQ(error_of(in_function("%0 = stablehlo.frob %f : tensor<2x3xf32>")),
            "a.mlir:2:8: stablehlo.frob: Weft has no such operation.");
  EXPECT_EQ(error_of(in_function("%0 = stablehlo.abs %f : tensor<2x3xf64>")),
            "a.mlir:2:8: stablehlo.abs: an operand's type must be its value's; got tensor<2x3xf64> for %f, a "
            "tensor<2x3xf32>.");
  EXPECT_EQ(error_of(in_function("%0:2 = stablehlo.abs %f : tensor<2x3xf32>")),
            "a.mlir:2:10: stablehlo.abs: there must be one name per result; got 2 names for 1 result.");
  EXPECT_EQ(error_of(in_function("%f = stablehlo.abs %f : tensor<2x3xf32>")),
            "a.mlir:2:3: expected a name that no value has yet; got '%f'.");
  EXPECT_EQ(error_of(in_function("%0 = stablehlo.constant dense<1.0> : tensor<99999999999999999999xf32>")),
            "a.mlir:2:47: expected a size of at most 2^63 - 1; got '99999999999999999999xf32'.");
  EXPECT_EQ(error_of(in_function("%0 = stablehlo.constant dense_resource<a> : tensor<2xf32>")),
            "a.mlir:2:27: dense_resource: the data of a constant must be in the text; got the name a.");
  EXPECT_EQ(error_of("func.func @f() {\n  return\n"), "a.mlir:3:1: expected '}'; got the end of the text.");
  EXPECT_EQ(error_of("func.func @\"f"), "a.mlir:1:12: expected a string that ends on its line; got '\"'.");
}

TEST(parse, nesting_has_an_end) {
  const std::string deep(100000, '[');
  EXPECT_NE(error_of("module attributes {a = " + deep).find("at most 128 levels of nesting"), std::string::npos);
  std::string types, regions;
  for (int i = 0; i < 100000; ++i) types += "tuple<";
  EXPECT_NE(error_of("func.func @f(%a: " + types).find("levels of nesting"), std::string::npos);
  for (int i = 0; i < 100000; ++i) regions += "\"a.b\"() ({ ";
  EXPECT_NE(error_of(regions).find("levels of nesting"), std::string::npos);
  // Text between angles is not looked into.
  const Module m = parse("module attributes {a = dense<" + deep + std::string(100000, ']') + "> : tensor<1xf32>} {}");
  EXPECT_TRUE(parse(print_generic(m)) == m);
}

TEST(parse, aliases_of_aliases_do_not_explode) {
  std::string attributes = "#a0 = [1, 2]\n", types = "!t0 = tuple<tensor<f32>>\n";
  for (int i = 1; i < 60; ++i) {
    const std::string n = std::to_string(i), before = std::to_string(i - 1);
    attributes += "#a" + n + " = [#a" + before + ", #a" + before + "]\n";
    types += "!t" + n + " = tuple<!t" + before + ", !t" + before + ">\n";
  }
  EXPECT_THROW(parse(attributes + "module {}"), ParseError);
  EXPECT_THROW(parse(types + "module {}"), ParseError);
}

TEST(parse, programs_are_separated_by_lines) {
  const auto modules =
      parse_all("// a comment\nfunc.func @a() {\n  return\n}\n\n// -----\n\nfunc.func @b() { return }\n");
  ASSERT_EQ(modules.size(), 2u);
  EXPECT_EQ(modules[0].ops()[0].symbol(), "a");
  EXPECT_EQ(modules[1].ops()[0].symbol(), "b");
  EXPECT_EQ(modules[1].ops()[0].place.line, 8);
}

TEST(parse, large_programs_take_time_in_proportion_to_their_text) {
  // Counts work, not seconds: the place of each operation is found, each name is bound once.
  std::string text = "func.func @f(%0: tensor<4xf32>) -> tensor<4xf32> {\n";
  constexpr int n = 100000;
  for (int i = 0; i < n; ++i)
    text += "  %" + std::to_string(i + 1) + " = stablehlo.add %" + std::to_string(i) + ", %" + std::to_string(i) +
            " : tensor<4xf32>\n";
  text += "  return %" + std::to_string(n) + " : tensor<4xf32>\n}\n";
  const Module m = parse(text);
  EXPECT_EQ(m.values.size(), n + 1u);
  EXPECT_EQ(m.ops()[0].regions[0].body().ops.back().place.line, n + 2);
  EXPECT_TRUE(parse(print(m, Form::kPretty)) == m);
}

}  // namespace
}  // namespace weft::stablehlo
