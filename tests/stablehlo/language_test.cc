// What later versions of StableHLO and other front ends brought: attributes of nobody, scans, composites with regions,
// small floats of two types, Shardy's operations, calls of libraries.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "stablehlo/checked.h"
#include "weft/stablehlo/export.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

using testing::error_of, testing::passes;

Function of(const std::string& body, const std::string& arguments, const std::string& results,
            const std::string& returned = "%0") {
  return import("func.func @main(" + arguments + ") -> " + results + " {\n" + body + "  return " + returned + " : " +
                results + "\n}\n");
}

// ---- attributes ----

TEST(attributes, may_be_anybodys) {
  passes(R"(
func.func @main() {
  %x = stablehlo.constant {name = "c0"} dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %0 = stablehlo.transpose %x, dims = [1, 0] {result_layout = dense<[0, 1]> : tensor<2xindex>, xla_shape = "f32[3,2]{0,1}"} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  check.expect_eq_const %0, dense<[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]> : tensor<3x2xf32>
  %1 = stablehlo.dot_general %x, %0, contracting_dims = [1] x [0] {result_layout = dense<[1, 0]> : tensor<2xindex>} : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  %2 = stablehlo.compare LT, %x, %x {xla_shape = "x", device} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  check.expect_eq_const %2, dense<false> : tensor<2x3xi1>
  return
}
)",
         2);
}

TEST(attributes, of_an_operations_own_dictionary_are_its_own) {
  const std::string x = "%x: tensor<2x3xf32>", types = " : (tensor<2x3xf32>) -> tensor<3x2xf32>\n";
  EXPECT_EQ(
      error_of("  %0 = \"stablehlo.transpose\"(%x) <{permutation = array<i64: 1, 0>, xla_shape = \"x\"}>" + types, x),
      "a.mlir:2:80: stablehlo.transpose: there is no attribute xla_shape (known: permutation).");
  EXPECT_EQ(
      error_of(
          "  %0 = \"stablehlo.transpose\"(%x) <{permutation = array<i64: 1, 0>, a.b = 1}> {xla_shape = \"x\"}" + types,
          x),
      "no error");
  // Beside it, what is one or two letters off was meant to be known.
  EXPECT_EQ(error_of("  %0 = \"stablehlo.transpose\"(%x) {permutation = array<i64: 1, 0>, permutatoin = 1}" + types, x),
            "a.mlir:2:81: stablehlo.transpose: there is no attribute permutatoin (known: permutation).");
  EXPECT_EQ(error_of("  %0 = stablehlo.exponential %x {result_accuracy = #stablehlo.result_accuracy<mode = "
                     "#stablehlo.result_accuracy_mode<HIGHEST>>} : tensor<2x3xf32>\n",
                     x),
            "no error");
}

TEST(attributes, of_other_dialects_keep_their_names) {
  const Module m =
      parse("func.func @f() attributes {a = #mhlo.bar<x = [1, 2], \"y\">, b = #mhlo<frob 1>} {\n  return\n}\n");
  const std::string text = print(m, Form::kPretty);
  EXPECT_NE(text.find("a = #mhlo.bar<x = [1, 2], \"y\">, b = #mhlo<frob 1>"), std::string::npos) << text;
  EXPECT_TRUE(parse(text) == m);
}

TEST(attributes, of_2022_stand_in_quotes) {
  const std::string types = " : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>\n  return\n}\n";
  const std::string begin =
      "func.func @f(%x: tensor<3xf32>) {\n  %0 = \"mhlo.compare\"(%x, %x) {comparison_direction = ";
  const Module quoted = parse(begin + "#mhlo<\"comparison_direction LT\">}" + types);
  EXPECT_TRUE(quoted == parse(begin + "#stablehlo<comparison_direction LT>}" + types));
  EXPECT_EQ(error_of("  %0 = \"chlo.broadcast_compare\"(%x, %x) {comparison_direction = #chlo<\"comparison_direction "
                     "LT\">} : (tensor<f32>, tensor<f32>) -> tensor<i1>\n",
                     "%x: tensor<f32>"),
            "no error");
}

TEST(attributes, aliases_stand_for_attributes_in_others_too) {
  const Module m = parse(
      "#mesh = #stablehlo.mesh<axes = [#stablehlo.mesh_axis<name = \"x\", size = 2>]>\n"
      "func.func @f() attributes {a = #stablehlo.frob<m = #mesh, s = \"#mesh\">} {\n  return\n}\n");
  const std::string text = print(m, Form::kGeneric);
  EXPECT_NE(text.find("m = #stablehlo.mesh<axes = [#stablehlo.mesh_axis<name = \"x\", size = 2>]>, s = \"#mesh\""),
            std::string::npos)
      << text;
}

// ---- chlo.scan ----

const char* const kScans = R"(
func.func @sums() {
  %x = stablehlo.constant dense<[1, 2, 3, 4]> : tensor<4xi32>
  %c = stablehlo.constant dense<0> : tensor<i32>
  %0:2 = chlo.scan(%x) inits(%c) dimension=0 {
  ^bb0(%a: tensor<i32>, %b: tensor<i32>):
    %1 = stablehlo.add %a, %b : tensor<i32>
    stablehlo.return %1, %1 : tensor<i32>, tensor<i32>
  } : (tensor<4xi32>, tensor<i32>) -> (tensor<4xi32>, tensor<i32>)
  check.expect_eq_const %0#0, dense<[1, 3, 6, 10]> : tensor<4xi32>
  check.expect_eq_const %0#1, dense<10> : tensor<i32>
  return
}
// -----
func.func @rows_from_the_end() {
  %x = stablehlo.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi32>
  %c = stablehlo.constant dense<[0, 10]> : tensor<2xi32>
  %0:2 = chlo.scan (%x) inits (%c) dimension = 1 attributes {is_reverse = true, is_associative = false} {
  ^bb0(%x: tensor<2xi32>, %c: tensor<2xi32>):
    %1 = stablehlo.add %x, %c : tensor<2xi32>
    stablehlo.return %1, %1 : tensor<2xi32>, tensor<2xi32>
  } : (tensor<2x3xi32>, tensor<2xi32>) -> (tensor<2x3xi32>, tensor<2xi32>)
  check.expect_eq_const %0#0, dense<[[6, 5, 3], [25, 21, 16]]> : tensor<2x3xi32>
  check.expect_eq_const %0#1, dense<[6, 25]> : tensor<2xi32>
  return
}
// -----
func.func @several() {
  %x = stablehlo.constant dense<[3, 1, 4, 1, 5]> : tensor<5xi32>
  %i = stablehlo.constant dense<[0, 1, 2, 3, 4]> : tensor<5xi32>
  %least = stablehlo.constant dense<-2147483648> : tensor<i32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:3 = chlo.scan(%x, %i) inits(%least, %zero) dimension=0 {
  ^bb0(%v: tensor<i32>, %at: tensor<i32>, %best: tensor<i32>, %where: tensor<i32>):
    check.expect_eq %v, %v : tensor<i32>
    %gt = stablehlo.compare GT, %best, %v : (tensor<i32>, tensor<i32>) -> tensor<i1>
    %1 = stablehlo.select %gt, %best, %v : tensor<i1>, tensor<i32>
    %2 = stablehlo.select %gt, %where, %at : tensor<i1>, tensor<i32>
    stablehlo.return %2, %1, %2 : tensor<i32>, tensor<i32>, tensor<i32>
  } : (tensor<5xi32>, tensor<5xi32>, tensor<i32>, tensor<i32>) -> (tensor<5xi32>, tensor<i32>, tensor<i32>)
  check.expect_eq_const %0#0, dense<[0, 0, 2, 2, 4]> : tensor<5xi32>
  check.expect_eq_const %0#1, dense<5> : tensor<i32>
  check.expect_eq_const %0#2, dense<4> : tensor<i32>
  return
}
// -----
func.func @without_carries() {
  %x = stablehlo.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi32>
  %0 = chlo.scan(%x) inits() dimension=0 {
  ^bb0(%a: tensor<2xi32>):
    %1 = chlo.scan(%a) inits() dimension=0 {
    ^bb0(%b: tensor<i32>):
      %2 = stablehlo.negate %b : tensor<i32>
      stablehlo.return %2 : tensor<i32>
    } : (tensor<2xi32>) -> tensor<2xi32>
    stablehlo.return %1 : tensor<2xi32>
  } : (tensor<2x2xi32>) -> tensor<2x2xi32>
  check.expect_eq_const %0, dense<[[-1, -2], [-3, -4]]> : tensor<2x2xi32>
  return
}
// -----
func.func @without_inputs() {
  %c = stablehlo.constant dense<1> : tensor<i32>
  %0:2 = "chlo.scan"(%c) <{dimension = 0 : i64, operandSegmentSizes = array<i32: 0, 1>, resultSegmentSizes = array<i32: 1, 1>, scan_dim_size = 3 : i64}> ({
  ^bb0(%a: tensor<i32>):
    %1 = stablehlo.add %a, %a : tensor<i32>
    stablehlo.return %a, %1 : tensor<i32>, tensor<i32>
  }) : (tensor<i32>) -> (tensor<3xi32>, tensor<i32>)
  check.expect_eq_const %0#0, dense<[1, 2, 4]> : tensor<3xi32>
  check.expect_eq_const %0#1, dense<8> : tensor<i32>
  return
}
)";

TEST(scan, goes_over_slices) { passes(kScans, 2 + 2 + 5 + 3 + 1 + 2); }

TEST(scan, has_derivatives) {
  const Function f =
      of("  %c = stablehlo.constant dense<1.0> : tensor<f64>\n"
         "  %0:2 = chlo.scan(%x) inits(%c) dimension=0 {\n  ^bb0(%a: tensor<f64>, %b: tensor<f64>):\n"
         "    %1 = stablehlo.multiply %a, %b : tensor<f64>\n    stablehlo.return %1, %1 : tensor<f64>, tensor<f64>\n"
         "  } : (tensor<3xf64>, tensor<f64>) -> (tensor<3xf64>, tensor<f64>)\n",
         "%x: tensor<3xf64>", "tensor<f64>", "%0#1");
  const Array x(std::vector<double>{2, 3, 5});
  EXPECT_EQ(f(x)[0].item<double>(), 30);
  EXPECT_EQ(grad([&](Array v) { return f(v)[0]; })(x).to_vector<double>(), (std::vector<double>{15, 10, 6}));
}

TEST(scan, is_refused_where_it_does_not_fit) {
  const auto error = [](const std::string& head, const std::string& types, const std::string& returned) {
    return error_of("  %0:2 = \"chlo.scan\"(%x, %c) <{" + head +
                        "}> ({\n  ^bb0(%a: tensor<f32>, %b: tensor<f32>):\n    stablehlo.return " + returned +
                        "\n  }) : (tensor<4xf32>, tensor<f32>) -> " + types + "\n",
                    "%x: tensor<4xf32>, %c: tensor<f32>");
  };
  const std::string both = "%a, %b : tensor<f32>, tensor<f32>", types = "(tensor<4xf32>, tensor<f32>)";
  const std::string sizes = "operandSegmentSizes = array<i32: 1, 1>, resultSegmentSizes = array<i32: 1, 1>";
  EXPECT_EQ(error("dimension = 0 : i64, " + sizes, types, both), "no error");
  EXPECT_EQ(error("dimension = 1 : i64, " + sizes, types, both),
            "a.mlir:2:10: chlo.scan: inputs must have axis 1 of one size; got f32[4].");
  EXPECT_EQ(error("dimension = 0 : i64, scan_dim_size = 3 : i64, " + sizes, types, both),
            "a.mlir:2:10: chlo.scan: inputs must have axis 0 of one size; got f32[4].");
  EXPECT_EQ(
      error("dimension = 0 : i64, operandSegmentSizes = array<i32: 2, 1>, resultSegmentSizes = array<i32: 1, 1>", types,
            both),
      "a.mlir:2:10: chlo.scan: operandSegmentSizes must be how many inputs and carries there are; got [2, 1] for 2 "
      "operands.");
  EXPECT_EQ(error("dimension = 0 : i64, operandSegmentSizes = array<i32: 1, 1>, resultSegmentSizes = array<i32: 2, 0>",
                  types, both),
            "a.mlir:2:10: chlo.scan: resultSegmentSizes must be how many outputs there are, and as many carries as "
            "operands; got [2, 0] for 2 results.");
  EXPECT_EQ(error("dimension = 0 : i64, " + sizes, types, "%b : tensor<f32>"),
            "a.mlir:2:10: chlo.scan: the body must return a value per result; got 1 value for 2.");
  EXPECT_EQ(error_of("  %0 = chlo.scan(%c) inits(%c) dimension=0 {\n  ^bb0(%a: tensor<f32>, %b: tensor<f32>):\n    "
                     "stablehlo.return\n  } : (tensor<f32>, tensor<f32>) -> ()\n",
                     "%c: tensor<f32>"),
            "a.mlir:2:8: chlo.scan: there must be a result per carried value; got 0 results for 1 value.");
}

// ---- composites with regions ----

TEST(composite, may_have_regions_which_its_decomposition_says_again) {
  passes(R"(
func.func @main() {
  %x = stablehlo.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %0 = stablehlo.composite "chlo.scan" %x ({
  ^bb0(%a: tensor<2xf32>):
    %1 = "nobody.knows"(%a) : (tensor<2xf32>) -> tensor<2xf32>
    stablehlo.return %1 : tensor<2xf32>
  }, {
  }) {composite_attributes = {dimension = 0 : i64}, decomposition = @impl, version = 1 : i32} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  check.expect_eq %0, %x : tensor<2x2xf32>
  return
}
func.func private @impl(%a: tensor<2x2xf32>) -> tensor<2x2xf32> {
  return %a : tensor<2x2xf32>
}
)",
         1);
}

// ---- numbers ----

TEST(products, take_small_floats_of_two_types) {
  passes(R"(
func.func @main() {
  %a = stablehlo.constant dense<[[1.0, 448.0], [0.015625, -2.0]]> : tensor<2x2xf8E4M3FN>
  %b = stablehlo.constant dense<[[57344.0, 1.0], [2.0, -0.5]]> : tensor<2x2xf8E5M2>
  %0 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0] : (tensor<2x2xf8E4M3FN>, tensor<2x2xf8E5M2>) -> tensor<2x2xf32>
  check.expect_eq_const %0, dense<[[58240.0, -223.0], [892.0, 1.015625]]> : tensor<2x2xf32>
  %l = stablehlo.constant dense<1.0> : tensor<1x2x2x1xf8E4M3FN>
  %k = stablehlo.constant dense<2.0> : tensor<2x2x1x1xf8E5M2>
  %p = stablehlo.constant dense<0> : tensor<2x2xi32>
  %1 = stablehlo.convolution(%l, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x2x2x1xf8E4M3FN>, tensor<2x2x1x1xf8E5M2>) -> tensor<1x1x1x1xf32>
  check.expect_eq_const %1, dense<8.0> : tensor<1x1x1x1xf32>
  %2 = stablehlo.dynamic_conv(%l, %k, %p) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x2x2x1xf8E4M3FN>, tensor<2x2x1x1xf8E5M2>, tensor<2x2xi32>) -> tensor<1x1x1x1xf32>
  check.expect_eq_const %2, dense<8.0> : tensor<1x1x1x1xf32>
  return
}
)",
         3);
}

TEST(exponents, of_two_are_exact) {
  const auto run = [](const std::string& op, const std::string& type, const Array& x) {
    return of("  %0 = \"stablehlo." + op + "\"(%x) : (" + type + ") -> " + type + "\n", "%x: " + type, type)(x)[0];
  };
  std::vector<double> whole, powers;
  std::vector<float> whole32, powers32;
  for (int i = -1074; i < 1024; ++i) {
    whole.push_back(i);
    powers.push_back(std::ldexp(1.0, i));
    if (i < -149 || i > 127) continue;
    whole32.push_back(static_cast<float>(i));
    powers32.push_back(std::ldexp(1.0f, i));
  }
  EXPECT_EQ(run("exp2", "tensor<2098xf64>", Array(whole)).to_vector<double>(), powers);
  EXPECT_EQ(run("log2", "tensor<2098xf64>", Array(powers)).to_vector<double>(), whole);
  EXPECT_EQ(run("exp2", "tensor<277xf32>", Array(whole32)).to_vector<float>(), powers32);
  EXPECT_EQ(run("log2", "tensor<277xf32>", Array(powers32)).to_vector<float>(), whole32);
  // Between them, to a few units.
  std::vector<double> x;
  std::vector<double> exp2, log2;
  for (int i = 1; i < 400; ++i) {
    x.push_back(0.0317 * i);
    exp2.push_back(std::exp2(x.back()));
    log2.push_back(std::log2(x.back()));
  }
  EXPECT_EQ(differ_by_ulps(run("exp2", "tensor<399xf64>", Array(x)), Array(exp2), 2), "");
  EXPECT_EQ(differ_by_ulps(run("log2", "tensor<399xf64>", Array(x)), Array(log2), 3), "");
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(run("log2", "tensor<3xf64>", Array(std::vector<double>{0, inf, -0.0})).to_vector<double>(),
            (std::vector<double>{-inf, inf, -inf}));
  EXPECT_TRUE(std::isnan(run("log2", "tensor<f64>", Array(-1.0)).item<double>()));
}

TEST(exponents, of_two_have_derivatives_and_complex_forms) {
  const Function log2 = of("  %0 = stablehlo.log2 %x : tensor<f64>\n", "%x: tensor<f64>", "tensor<f64>");
  const Function exp2 = of("  %0 = stablehlo.exp2 %x : tensor<f64>\n", "%x: tensor<f64>", "tensor<f64>");
  const double ln2 = std::log(2.0);
  for (const double x : {8.0, 0.3}) {
    EXPECT_NEAR(grad([&](Array v) { return log2(v)[0]; })(Array(x)).item<double>(), 1 / (x * ln2), 1e-15);
    EXPECT_NEAR(grad([&](Array v) { return exp2(v)[0]; })(Array(x)).item<double>(), std::exp2(x) * ln2, 1e-12);
  }
  using C = std::complex<double>;
  const std::string type = "tensor<complex<f64>>";
  const C z(0.5, -2);
  const C e = of("  %0 = stablehlo.exp2 %x : " + type + "\n", "%x: " + type, type)(Array(z))[0].item<C>();
  EXPECT_NEAR(std::abs(e - std::exp(z * ln2)), 0, 1e-15);
  EXPECT_NEAR(std::abs(of("  %0 = stablehlo.log2 %x : " + type + "\n", "%x: " + type, type)(Array(e))[0].item<C>() - z),
              0, 1e-15);
}

TEST(comparison, in_the_weak_order_takes_nan_as_the_last_number) {
  const std::string rows =
      "  %l = stablehlo.constant dense<[0xFFF0000000000001, 0xFFF0000000000001, 0xFFF0000000000000, "
      "0x8000000000000000, "
      "1.0, 0x7FF0000000000000, 0x7FF0000000000000, 0xFFF0000000000001]> : tensor<8xf64>\n"
      "  %r = stablehlo.constant dense<[0xFFF0000000000001, 0x7FF0000000000001, 0x7FF0000000000000, "
      "0x0000000000000000, "
      "2.0, 0x7FF0000000000000, 0xFFF0000000000001, 0x7FF0000000000000]> : tensor<8xf64>\n";
  const auto check = [&](const std::string& direction, const std::string& expected) {
    const std::string types = " : (tensor<8xf64>, tensor<8xf64>) -> tensor<8xi1>\n";
    passes("func.func @main() {\n" + rows + "  %0 = stablehlo.compare " + direction + ", %l, %r, WEAKORDER" + types +
               "  check.expect_eq_const %0, dense<[" + expected +
               "]> : tensor<8xi1>\n  %1 = chlo.broadcast_compare %l, %r "
               "{comparison_direction = #chlo<comparison_direction " +
               direction + ">, compare_type = #chlo<comparison_type WEAKORDER>}" + types +
               "  check.expect_eq %0, %1 : tensor<8xi1>\n  return\n}\n",
           2);
  };
  check("EQ", "true, true, false, true, false, true, false, false");
  check("NE", "false, false, true, false, true, false, true, true");
  check("GE", "true, true, false, true, false, true, false, true");
  check("GT", "false, false, false, false, false, false, false, true");
  check("LE", "true, true, true, true, true, true, true, false");
  check("LT", "false, false, true, false, true, false, true, false");
}

TEST(comparison, sorts_in_the_weak_order) {
  const Function f = of(
      "  %0 = \"stablehlo.sort\"(%x) <{dimension = 0 : i64, is_stable = true}> ({\n  ^bb0(%a: tensor<f32>, %b: "
      "tensor<f32>):\n    %1 = stablehlo.compare LT, %a, %b, WEAKORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>\n    "
      "stablehlo.return %1 : tensor<i1>\n  }) : (tensor<4xf32>) -> tensor<4xf32>\n",
      "%x: tensor<4xf32>", "tensor<4xf32>");
  EXPECT_NE(f.jaxpr().str().find("= sort["), std::string::npos) << f.jaxpr();
  const std::vector<float> y = f(Array(std::vector<float>{-std::nanf(""), 2, 0, -1}))[0].to_vector<float>();
  EXPECT_EQ(std::vector<float>(y.begin(), y.begin() + 3), (std::vector<float>{-1, 0, 2}));
  EXPECT_TRUE(std::isnan(y[3]));
}

TEST(square, is_stablehlos_too) {
  passes(R"(
func.func @main() {
  %x = stablehlo.constant dense<[(0.0, 1.0), (2.0, 1.0)]> : tensor<2xcomplex<f64>>
  %0 = stablehlo.square %x : tensor<2xcomplex<f64>>
  check.expect_almost_eq_const %0, dense<[(-1.0, 0.0), (3.0, 4.0)]> : tensor<2xcomplex<f64>>, tolerance = 1.0e-12
  %y = stablehlo.constant dense<[(1.0e+38, 1.0e+38), (1.0e+155, 2.0e+155), (1.0e+308, -1.0e+308), (0x7FF0000000000000, 0x7FF0000000000000)]> : tensor<4xcomplex<f64>>
  %1 = stablehlo.square %y : tensor<4xcomplex<f64>>
  check.expect_eq_const %1, dense<[(0.0, 1.9999999999999998E+76), (0xFFF0000000000000, 0x7FF0000000000000), (0.0, 0xFFF0000000000000), (0xFFF8000000000000, 0x7FF0000000000000)]> : tensor<4xcomplex<f64>>
  return
}
)",
         2);
}

TEST(top_k, of_chlo_gives_the_largest_or_the_smallest) {
  passes(R"(
func.func @main() {
  %x = stablehlo.constant dense<[3.0, 1.0, 4.0]> : tensor<3xf32>
  %v, %i = chlo.top_k(%x, k = 2) {largest = true, mhlo.frontend_attributes = {foo = "true"}} : tensor<3xf32> -> (tensor<2xf32>, tensor<2xi32>)
  check.expect_eq_const %i, dense<[2, 0]> : tensor<2xi32>
  %w, %j = chlo.top_k(%x, k = 2) {largest = false} : tensor<3xf32> -> (tensor<2xf32>, tensor<2xi32>)
  check.expect_eq_const %w, dense<[1.0, 3.0]> : tensor<2xf32>
  return
}
)",
         2);
}

TEST(select_and_scatter, of_the_last_of_equals_has_derivatives) {
  for (const char* direction : {"GT", "LT"}) {
    const Function f =
        of("  %i = stablehlo.constant dense<0.0> : tensor<f64>\n"
           "  %0 = \"stablehlo.select_and_scatter\"(%a, %s, %i) <{window_dimensions = array<i64: 2>}> ({\n"
           "  ^bb0(%x: tensor<f64>, %y: tensor<f64>):\n    %c = stablehlo.compare " +
               std::string(direction) +
               ", %x, %y : (tensor<f64>, tensor<f64>) -> tensor<i1>\n    stablehlo.return %c : tensor<i1>\n"
               "  }, {\n  ^bb0(%x: tensor<f64>, %y: tensor<f64>):\n    %c = stablehlo.add %x, %y : "
               "tensor<f64>\n    stablehlo.return %c : tensor<f64>\n  }) : (tensor<4xf64>, tensor<3xf64>, "
               "tensor<f64>) -> tensor<4xf64>\n",
           "%a: tensor<4xf64>, %s: tensor<3xf64>", "tensor<4xf64>");
    const bool gt = direction[0] == 'G';
    const Array a(std::vector<double>{3, 3, 1, 3}), s(std::vector<double>{1, 2, 4}),
        w(std::vector<double>{1, 10, 100, 1000});
    EXPECT_EQ(f(a, s)[0].to_vector<double>(),
              gt ? (std::vector<double>{0, 3, 0, 4}) : (std::vector<double>{0, 1, 6, 0}));
    const Array ds = grad([&](Array v) { return np::sum(f(a, v)[0] * w); })(s);
    EXPECT_EQ(ds.to_vector<double>(), gt ? (std::vector<double>{10, 10, 1000}) : (std::vector<double>{10, 100, 100}));
    EXPECT_TRUE(parse(print(f, Form::kPretty)) == parse(print(f, Form::kGeneric)));
  }
}

// ---- Shardy ----

TEST(shardy, says_where_arrays_lie_which_is_here) {
  passes(R"(
module {
  sdy.mesh @mesh = <["x"=1, "y"=1]>
  func.func @main() {
    %x = stablehlo.constant dense<1.0> : tensor<f32>
    %0 = sdy.reshard %x <@mesh, []> : tensor<f32>
    %1 = sdy.sharding_constraint %0 <@mesh, [], replicated={"x"}> {a.b = 1 : i32} : tensor<f32>
    %2 = sdy.propagation_barrier %1 allowed_direction=NONE : tensor<f32>
    sdy.sharding_group %2 group_id=1 : tensor<f32>
    %3 = sdy.all_gather [{"x"}, {}] %2 out_sharding=<@mesh, [{}]> : tensor<f32>
    %4 = sdy.all_slice [{"x":(1)2}] %3 out_sharding=<@mesh, []> : tensor<f32>
    %5 = sdy.all_reduce {"x", "y"} %4 out_sharding=<@mesh, []> : tensor<f32>
    %6 = sdy.collective_permute %5 out_sharding=<@mesh, []> : tensor<f32>
    %7:2 = sdy.named_computation<"part">(%6, %x) in_shardings=[<@mesh, []>, <@mesh, []>] out_shardings=[<@mesh, []>, <@mesh, []>] (%x: tensor<f32>, %0: tensor<f32>) {
      %1 = stablehlo.add %x, %0 : tensor<f32>
      sdy.return %1, %0 : tensor<f32>, tensor<f32>
    } : (tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
    %8 = sdy.named_computation<"bare">(%7#0) (%a: tensor<f32>) {
      sdy.return %a : tensor<f32>
    } {a.b} : (tensor<f32>) -> tensor<f32>
    %9 = "sdy.reshard"(%8) <{sharding = #sdy.sharding<@mesh, []>}> : (tensor<f32>) -> tensor<f32>
    check.expect_eq_const %9, dense<2.0> : tensor<f32>
    check.expect_eq_const %7#1, dense<1.0> : tensor<f32>
    return
  }
}
)",
         2);
  EXPECT_EQ(error_of("  %0 = sdy.propagation_barrier %x allowed_direction=UP : tensor<f32>\n", "%x: tensor<f32>"),
            "a.mlir:2:53: sdy.propagation_barrier: allowed_direction must be one of NONE, FORWARD, BACKWARD, BOTH.");
}

// ---- calls of libraries ----

TEST(library_calls, of_top_k_sort_by_their_comparator) {
  passes(R"(
module {
  func.func public @main() {
    %x = stablehlo.constant dense<[[3.0, 1.0, 4.0, 2.0], [5.0, 6.0, 7.0, 7.0]]> : tensor<2x4xf32>
    %i = stablehlo.iota dim = 1 : tensor<2x4xi32>
    %none = stablehlo.constant dense<-1> : tensor<i32>
    %least = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %0:2 = stablehlo.custom_call @ApproxTopK(%x, %i, %least, %none) {called_computations = [@gt], mhlo.backend_config = {aggregate_to_topk = true, recall_target = 0.949999988 : f32, reduction_dim = 1 : i64, reduction_input_size_override = -1 : i64, top_k = 2 : i64}} : (tensor<2x4xf32>, tensor<2x4xi32>, tensor<f32>, tensor<i32>) -> (tensor<2x2xf32>, tensor<2x2xi32>)
    check.expect_eq_const %0#0, dense<[[4.0, 3.0], [7.0, 7.0]]> : tensor<2x2xf32>
    check.expect_eq_const %0#1, dense<[[2, 0], [2, 3]]> : tensor<2x2xi32>
    %1:2 = stablehlo.custom_call @TopK(%x) {called_computations = [@lt], backend_config = ""} : (tensor<2x4xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
    check.expect_eq_const %1#0, dense<[[1.0, 2.0, 3.0], [5.0, 6.0, 7.0]]> : tensor<2x3xf32>
    check.expect_eq_const %1#1, dense<[[1, 3, 0], [0, 1, 2]]> : tensor<2x3xi32>
    return
  }
  func.func private @gt(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<i32>, %d: tensor<i32>) -> tensor<i1> {
    %0 = stablehlo.compare GT, %a, %b, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
    return %0 : tensor<i1>
  }
  func.func private @lt(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<i32>, %d: tensor<i32>) -> tensor<i1> {
    %0 = stablehlo.compare LT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
    return %0 : tensor<i1>
  }
}
)",
         4);
  EXPECT_EQ(error_of("  %0:2 = stablehlo.custom_call @TopK(%x) {called_computations = [@gt]} : (tensor<4xf32>) -> "
                     "(tensor<2xf32>, tensor<2xi32>)\n",
                     "%x: tensor<4xf32>"),
            "a.mlir:2:10: stablehlo.custom_call: there must be a function @gt.");
  EXPECT_EQ(error_of("  %0:2 = stablehlo.custom_call @TopK(%x) : (tensor<4xf32>) -> (tensor<2xf32>, tensor<2xi32>)\n",
                     "%x: tensor<4xf32>"),
            "a.mlir:2:10: stablehlo.custom_call: called_computations must be one function, a comparator.");
}

TEST(library_calls, of_lapack_factor_and_solve) {
  passes(R"(
func.func @main() {
  %a = stablehlo.constant dense<[[[4.0, 9.0], [2.0, 5.0]], [[1.0, 2.0], [2.0, 1.0]]]> : tensor<2x2x2xf64>
  %0:2 = stablehlo.custom_call @lapack_dpotrf_ffi(%a) {mhlo.backend_config = {uplo = 76 : ui8}} : (tensor<2x2x2xf64>) -> (tensor<2x2x2xf64>, tensor<2xi32>)
  check.expect_eq_const %0#1, dense<[0, 1]> : tensor<2xi32>
  %first = stablehlo.slice %0#0 [0:1, 0:2, 0:2] : (tensor<2x2x2xf64>) -> tensor<1x2x2xf64>
  check.expect_almost_eq_const %first, dense<[[[2.0, 9.0], [1.0, 2.0]]]> : tensor<1x2x2xf64>, tolerance = 1.0e-14
  %one = stablehlo.constant dense<1> : tensor<i32>
  %two = stablehlo.constant dense<2> : tensor<i32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %m = stablehlo.reshape %first : (tensor<1x2x2xf64>) -> tensor<2x2xf64>
  %1:2 = stablehlo.custom_call @lapack_dpotrf(%one, %one, %two, %m) {api_version = 2 : i32} : (tensor<i32>, tensor<i32>, tensor<i32>, tensor<2x2xf64>) -> (tensor<2x2xf64>, tensor<i32>)
  check.expect_eq_const %1#1, dense<0> : tensor<i32>
  %b = stablehlo.constant dense<[[2.0], [5.0]]> : tensor<2x1xf64>
  %2 = stablehlo.custom_call @lapack_dtrsm_ffi(%m, %b) {mhlo.backend_config = {diag = 78 : ui8, side = 76 : ui8, trans_x = 78 : ui8, uplo = 76 : ui8}} : (tensor<2x2xf64>, tensor<2x1xf64>) -> tensor<2x1xf64>
  check.expect_eq_const %2, dense<[[1.0], [2.0]]> : tensor<2x1xf64>
  %half = stablehlo.constant dense<0.5> : tensor<f64>
  %3 = stablehlo.custom_call @lapack_dtrsm_ffi(%m, %b, %half) {backend_config = {diag = 85 : ui8, side = 76 : ui8, trans_x = 84 : ui8, uplo = 76 : ui8}} : (tensor<2x2xf64>, tensor<2x1xf64>, tensor<f64>) -> tensor<2x1xf64>
  check.expect_eq_const %3, dense<[[-1.5], [2.5]]> : tensor<2x1xf64>
  %unit = stablehlo.constant dense<1.0> : tensor<f64>
  %4 = stablehlo.custom_call @blas_dtrsm(%one, %one, %zero, %zero, %two, %one, %one, %unit, %m, %b) {api_version = 2 : i32} : (tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<f64>, tensor<2x2xf64>, tensor<2x1xf64>) -> tensor<2x1xf64>
  check.expect_eq %4, %2 : tensor<2x1xf64>
  return
}
)",
         6);
  EXPECT_EQ(
      error_of("  %0:2 = stablehlo.custom_call @lapack_dpotrf_ffi(%x) {mhlo.backend_config = {uplo = 77 : ui8}} : "
               "(tensor<2x2xf64>) -> (tensor<2x2xf64>, tensor<i32>)\n",
               "%x: tensor<2x2xf64>"),
      "a.mlir:2:10: stablehlo.custom_call: the parameter uplo must be the number of one of the letters LU; got 77 : "
      "ui8.");
}

// ---- errors ----

TEST(types, that_weft_does_not_have_are_all_named) {
  EXPECT_EQ(
      error_of(
          "", "%x: tensor<7xcomplex<f16>>, %y: tensor<2xcomplex<bf16>>, %z: tensor<7xcomplex<f16>>, %w: memref<2xf32>"),
      "a.mlir:1:1: func.func: memref<2xf32> is no type of values.\n"
      "a.mlir:1:1: func.func: tensor<2xcomplex<bf16>> has an element type that Weft does not have.\n"
      "a.mlir:1:1: func.func: tensor<7xcomplex<f16>> has an element type that Weft does not have.");
}

TEST(export_names, differ_between_an_operation_and_its_regions) {
  const Function f =
      of("  %c = stablehlo.constant dense<0.0> : tensor<f32>\n"
         "  %0 = \"stablehlo.reduce_window\"(%x, %c) <{window_dimensions = array<i64: 2>}> ({\n  ^bb0(%a: tensor<f32>, "
         "%b: "
         "tensor<f32>):\n    %1 = stablehlo.add %a, %b : tensor<f32>\n    stablehlo.return %1 : tensor<f32>\n  }) : "
         "(tensor<4xf32>, tensor<f32>) -> tensor<3xf32>\n",
         "%x: tensor<4xf32>", "tensor<3xf32>");
  const Module m = to_module(f.jaxpr(), f.constants());
  int within = 0;
  const auto visit = [&](const auto& self, const Op& op, std::set<std::string> around) -> void {
    for (const ValueId v : op.results) around.insert(m.values[v].name);
    for (const Region& r : op.regions)
      for (const Block& b : r.blocks)
        for (const Op& inner : b.ops) {
          for (const ValueId v : inner.results) EXPECT_FALSE(around.contains(m.values[v].name)) << m.values[v].name;
          within += !inner.results.empty();
          self(self, inner, around);
        }
  };
  visit(visit, m.top, {});
  EXPECT_GE(within, 3);
}

}  // namespace
}  // namespace weft::stablehlo
