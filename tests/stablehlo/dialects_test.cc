// Operations beside StableHLO's: CHLO's, MHLO's, and custom calls that stand for what is none.
#include <gtest/gtest.h>

#include "weft/base/error.h"
#include "weft/stablehlo/export.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

// One operation as a function of its operands.
Function operation(const std::string& op, const std::string& arguments, const std::string& results) {
  const bool several = results.find(">, tensor") != std::string::npos;
  const std::string count = several ? ":2" : "", returned = several ? "%0#0, %0#1" : "%0";
  return import("func.func @main(" + arguments + ") -> (" + results + ") {\n  %0" + count + " = " + op + "\n  return " +
                    returned + " : " + results + "\n}\n",
                {.source = "a.mlir"});
}

std::string error_of(const std::string& body, const std::string& arguments = "") {
  try {
    import("func.func @main(" + arguments + ") {\n" + body + "  return\n}\n", {.source = "a.mlir"});
  } catch (const ParseError& e) {
    return e.message();
  }
  return "no error";
}

void comes_back(const std::string& text) {
  const Module m = parse(text);
  EXPECT_TRUE(parse(print(m, Form::kPretty)) == m) << print(m, Form::kPretty);
  EXPECT_TRUE(parse(print(m, Form::kGeneric)) == m) << print(m, Form::kGeneric);
}

// ---- MHLO ----

TEST(mhlo, operations_are_those_of_today) {
  const Module old = parse(R"(
func.func @main(%x: tensor<2x3xf32>, %i: tensor<f32>) -> tensor<2xf32> {
  %0 = mhlo.constant dense<2.0> : tensor<2x3xf32>
  %1 = mhlo.add %x, %0 : tensor<2x3xf32>
  %2 = "mhlo.erf"(%1) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %3 = mhlo.erf %2 : tensor<2x3xf32>
  %4 = mhlo.compare LT, %3, %0, FLOAT : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  %5 = mhlo.select %4, %3, %0 : tensor<2x3xi1>, tensor<2x3xf32>
  %6 = mhlo.copy %5 : tensor<2x3xf32>
  %7 = mhlo.reduce(%6 init: %i) applies mhlo.add across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
  %8 = "mhlo.dot_general"(%6, %6) {dot_dimension_numbers = #mhlo.dot<lhs_batching_dimensions = [0], rhs_batching_dimensions = [0], lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [1]>, precision_config = [#mhlo<precision DEFAULT>, #mhlo<precision HIGH>]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2xf32>
  %9 = mhlo.add %7, %8 : tensor<2xf32>
  return %9 : tensor<2xf32>
}
)");
  const Module now = parse(R"(
func.func @main(%x: tensor<2x3xf32>, %i: tensor<f32>) -> tensor<2xf32> {
  %0 = stablehlo.constant dense<2.0> : tensor<2x3xf32>
  %1 = stablehlo.add %x, %0 : tensor<2x3xf32>
  %2 = chlo.erf %1 : tensor<2x3xf32> -> tensor<2x3xf32>
  %3 = chlo.erf %2 : tensor<2x3xf32> -> tensor<2x3xf32>
  %4 = stablehlo.compare LT, %3, %0, FLOAT : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  %5 = stablehlo.select %4, %3, %0 : tensor<2x3xi1>, tensor<2x3xf32>
  %6 = mhlo.copy %5 : tensor<2x3xf32>
  %7 = stablehlo.reduce(%6 init: %i) applies stablehlo.add across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
  %8 = stablehlo.dot_general %6, %6, batching_dims = [0] x [0], contracting_dims = [1] x [1], precision = [DEFAULT, HIGH] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2xf32>
  %9 = stablehlo.add %7, %8 : tensor<2xf32>
  return %9 : tensor<2xf32>
}
)");
  EXPECT_TRUE(old == now) << print(old, Form::kGeneric);
  EXPECT_TRUE(parse(print(old, Form::kPretty)) == old);
  const Array x = np::full({2, 3}, 0.5f);
  const double e = std::erf(std::erf(2.5));
  EXPECT_NEAR(import(old)(x, Array(1.0f))[0](0).item<float>(), 1 + 3 * e + 3 * e * e, 1e-5);
}

TEST(mhlo, what_has_no_successor_is_refused_by_name) {
  EXPECT_EQ(error_of("  %0 = \"mhlo.bitcast\"(%x) : (tensor<f32>) -> tensor<f32>\n", "%x: tensor<f32>"),
            "a.mlir:2:8: mhlo.bitcast: Weft has no such operation.");
}

TEST(mhlo, topk_gives_the_largest_or_the_smallest) {
  const Array x(std::vector<float>{3, 1, 3, -2, 0});
  const auto run = [&](const std::string& op) {
    const std::vector<Array> r = operation(op + " tensor<5xf32> -> (tensor<3xf32>, tensor<3xi32>)", "%a: tensor<5xf32>",
                                           "tensor<3xf32>, tensor<3xi32>")(x);
    return std::pair(r[0].to_vector<float>(), r[1].to_vector<int>());
  };
  const std::pair<std::vector<float>, std::vector<int>> largest{{3, 3, 1}, {0, 2, 1}}, smallest{{-2, 0, 1}, {3, 4, 1}};
  EXPECT_EQ(run("mhlo.topk(%a, k = 3, largest = true) :"), largest);
  EXPECT_EQ(run("mhlo.topk(%a, k = 3) :"), largest);
  EXPECT_EQ(run("mhlo.topk(%a, k = 3, largest = false) :"), smallest);
  const auto call = [&](const std::string& attributes) {
    const std::vector<Array> r =
        operation("stablehlo.custom_call @mhlo.topk(%a) {mhlo.attributes = {" + attributes +
                      "}, mhlo.version = 1 : i64} : (tensor<5xf32>) -> (tensor<3xf32>, tensor<3xi32>)",
                  "%a: tensor<5xf32>", "tensor<3xf32>, tensor<3xi32>")(x);
    return std::pair(r[0].to_vector<float>(), r[1].to_vector<int>());
  };
  EXPECT_EQ(call("k = 3 : i64"), largest);
  EXPECT_EQ(call("k = 3 : i64, largest = false"), smallest);
  EXPECT_EQ(
      error_of("  %0:2 = mhlo.topk(%x, k = 6, largest = false) : tensor<5xf32> -> (tensor<6xf32>, tensor<6xi32>)\n",
               "%x: tensor<5xf32>"),
      "a.mlir:2:10: mhlo.topk: k must be in [0, size of the last axis]; got 6 for f32[5].");
  comes_back(
      "func.func @f(%x: tensor<5xf32>) {\n  %0:2 = mhlo.topk(%x, k = 2, largest = false) : tensor<5xf32> -> "
      "(tensor<2xf32>, tensor<2xi32>)\n  %1:2 = mhlo.topk(%x, k = 2) : tensor<5xf32> -> (tensor<2xf32>, "
      "tensor<2xi32>)\n  return\n}\n");
}

TEST(mhlo, custom_calls_of_its_operations_are_these) {
  for (const char* name : {"erf", "tan", "asin", "cosh", "acosh", "atanh"}) {
    const Array x(std::vector<double>{0.25, 0.5});
    const std::string type = "tensor<2xf64>", type2 = " : (tensor<2xf64>) -> tensor<2xf64>";
    const Array direct = operation("\"chlo." + std::string(name) + "\"(%a)" + type2, "%a: " + type, type)(x)[0];
    const Array called = operation("stablehlo.custom_call @mhlo." + std::string(name) +
                                       "(%a) {mhlo.attributes = {}, mhlo.version = 1 : i64}" + type2,
                                   "%a: " + type, type)(x)[0];
    EXPECT_EQ(called.str(), direct.str()) << name;
  }
}

TEST(mhlo, a_fusion_is_its_body) {
  const Function f = import(R"(
func.func @main(%x: tensor<3xf32>, %y: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %0:2 = "mhlo.fusion"(%x, %y) <{fusion_kind = #mhlo<fusion_kind kLoop>}> ({
  ^bb0(%a: tensor<3xf32>, %b: tensor<3xf32>):
    %2 = mhlo.add %a, %b : tensor<3xf32>
    %3 = stablehlo.multiply %2, %b : tensor<3xf32>
    mhlo.return %2, %3 : tensor<3xf32>, tensor<3xf32>
  }) : (tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>)
  %1 = "mhlo.fusion"(%x) ({
    %2 = mhlo.negate %x : tensor<3xf32>
    "mhlo.return"(%2) : (tensor<3xf32>) -> ()
  }) {fusion_kind = #mhlo<fusion_kind kCustom>} : (tensor<3xf32>) -> tensor<3xf32>
  return %0#0, %0#1, %1 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}
)");
  const std::vector<Array> got = f(Array(std::vector<float>{1, 2, 3}), Array(std::vector<float>{1, 1, 2}));
  EXPECT_EQ(got[0].to_vector<float>(), (std::vector<float>{2, 3, 5}));
  EXPECT_EQ(got[1].to_vector<float>(), (std::vector<float>{2, 3, 10}));
  EXPECT_EQ(got[2].to_vector<float>(), (std::vector<float>{-1, -2, -3}));
  EXPECT_EQ(error_of("  %0 = \"mhlo.fusion\"(%x) ({\n  ^bb0(%a: tensor<2xf32>):\n    mhlo.return %a : tensor<2xf32>\n"
                     "  }) : (tensor<f32>) -> tensor<2xf32>\n",
                     "%x: tensor<f32>"),
            "a.mlir:2:8: mhlo.fusion: arguments of the body must have the operands' types; got tensor<2xf32> for "
            "tensor<f32>, operand 0.");
}

TEST(mhlo, what_orders_and_marks_passes_its_value) {
  const Function f = import(R"(
func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %t = "mhlo.create_token"() : () -> !mhlo.token
  %0 = "mhlo.add_dependency"(%x, %t) : (tensor<f32>, !mhlo.token) -> tensor<f32>
  %1 = stablehlo.custom_call @mhlo.add_dependency(%0, %t) {mhlo.attributes = {}, mhlo.version = 1 : i64} : (tensor<f32>, !stablehlo.token) -> tensor<f32>
  %2 = "mhlo.domain"(%1) {entry_metadata = "\\08\\01", exit_metadata = "\\08\\02", kind = #mhlo<kind sharding>} : (tensor<f32>) -> tensor<f32>
  return %2 : tensor<f32>
}
)");
  EXPECT_EQ(f.jaxpr().str(), "{ lambda ; a:f32[]. let  in (a,) }");
}

// ---- Shardy ----

constexpr std::string_view kSharded = R"(
module @jit_f attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  sdy.mesh @empty = <[]>
  sdy.mesh @mesh = <["x"=1, "y"=1], device_ids=[0]> {stablehlo.mesh = {axes = [{name = "x", size = 1 : i64}]}}
  func.func public @main(%arg0: tensor<4x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x"}, {}]>}, %arg1: tensor<2xf32>) -> tensor<4x2xf32> {
    %0:2 = sdy.manual_computation(%arg0, %arg1) in_shardings=[<@mesh, [{"x"}, {}]>, <@mesh, [{}], replicated={"y"}>] out_shardings=[<@mesh, [{"x"}, {"y", ?}]>, <@mesh, []>] manual_axes={"x", "y"} (%a: tensor<4x2xf32>, %b: tensor<2xf32>) {
      %5 = stablehlo.broadcast_in_dim %b, dims = [1] : (tensor<2xf32>) -> tensor<4x2xf32>
      %6 = stablehlo.add %a, %5 : tensor<4x2xf32>
      sdy.return %6, %arg1 : tensor<4x2xf32>, tensor<2xf32>
    } {sdy.note = 1 : i64} : (tensor<4x2xf32>, tensor<2xf32>) -> (tensor<4x2xf32>, tensor<2xf32>)
    %1 = sdy.named_computation<"square">(%0#0) in_shardings=[<@mesh, [{}, {"y"}]>] out_shardings=[<@mesh, [{}, {}]>] (%c: tensor<4x2xf32> loc(unknown)) {
      %5 = stablehlo.multiply %c, %c : tensor<4x2xf32>
      sdy.return %5 : tensor<4x2xf32>
    } : (tensor<4x2xf32>) -> tensor<4x2xf32>
    %2 = sdy.reshard %1 <@mesh, [{}, {}]> : tensor<4x2xf32>
    sdy.sharding_group %2 group_id=21 : tensor<4x2xf32>
    %3 = sdy.propagation_barrier %2 allowed_direction=NONE : tensor<4x2xf32>
    %4 = sdy.data_flow_edge %3 sharding=<@mesh, [{"x"}, {?}]> : tensor<4x2xf32>
    return %4 : tensor<4x2xf32>
  }
}
)";

TEST(shardy, programs_of_one_device_are_what_they_compute) {
  const Function f = import(kSharded);
  EXPECT_EQ(f.jaxpr().str(),
            "{ lambda ; a:f32[4,2] b:f32[2]. let\n"
            "    c:f32[4,2] = broadcast_in_dim[broadcast_dimensions=(1,) shape=(4, 2)] b\n"
            "    d:f32[4,2] = add a c\n"
            "    e:f32[4,2] = mul d d\n"
            "  in (e,) }");
  comes_back(std::string(kSharded));
}

TEST(shardy, a_computation_on_whole_arrays_needs_no_devices) {
  // Two devices, which both have all of it.
  const Function f = import(R"(
sdy.mesh @mesh = <["x"=2]>
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = "sdy.manual_computation"(%x) <{in_shardings = #sdy.sharding_per_value<[<@mesh, [{}]>]>, manual_axes = #sdy<manual_axes{"x"}>, out_shardings = #sdy.sharding_per_value<[<@mesh, [{}]>]>}> ({
  ^bb0(%y: tensor<2xf32>):
    %1 = stablehlo.add %y, %y : tensor<2xf32>
    "sdy.return"(%1) : (tensor<2xf32>) -> ()
  }) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
)");
  EXPECT_EQ(f(Array(std::vector<float>{1, 2}))[0].to_vector<float>(), (std::vector<float>{2, 4}));
}

TEST(shardy, computations_that_are_not_whole_are_errors) {
  EXPECT_EQ(error_of("  %0 = sdy.manual_computation(%x) in_shardings=<@mesh> (%y: tensor<f32>) {} : (tensor<f32>) -> "
                     "tensor<f32>\n",
                     "%x: tensor<f32>"),
            "a.mlir:2:48: expected '['; got '<'.");
  EXPECT_EQ(error_of("  %0 = sdy.manual_computation(%x) in_shardings=[] out_shardings=[] manual_axes={} (%y: "
                     "tensor<f32>) {} : (tensor<f32>) -> tensor<f32>\n",
                     "%x: tensor<f32>"),
            "a.mlir:2:8: sdy.manual_computation: there must be 0 results; got 1.");
  EXPECT_EQ(error_of("  %0 = sdy.named_computation<\"f\">(%x) () {\n    sdy.return %x : tensor<f32>\n  } : "
                     "(tensor<f32>) -> tensor<f32>\n",
                     "%x: tensor<f32>"),
            "a.mlir:3:16: expected a value that is defined above; got '%x'.");
}

// ---- custom calls ----

TEST(custom_call, hints_for_partitioning_pass_their_operands) {
  const Function f = import(R"(
func.func @main(%x: tensor<4xf32>, %y: tensor<2xi32>) -> (tensor<4xf32>, tensor<2xi32>) {
  %0 = stablehlo.custom_call @Sharding(%x) {backend_config = "", mhlo.sharding = "{devices=[2]<=[2]}"} : (tensor<4xf32>) -> tensor<4xf32>
  %1 = stablehlo.custom_call @xla.sdy.FuncResultSharding(%0) {has_side_effect = true} : (tensor<4xf32>) -> tensor<4xf32>
  %2:2 = stablehlo.custom_call @xla.sdy.GlobalToLocalShape(%1, %y) {has_side_effect = true} : (tensor<4xf32>, tensor<2xi32>) -> (tensor<4xf32>, tensor<2xi32>)
  %3:2 = stablehlo.custom_call @xla.sdy.LocalToGlobalShape(%2#0, %2#1) : (tensor<4xf32>, tensor<2xi32>) -> (tensor<4xf32>, tensor<2xi32>)
  stablehlo.custom_call @xla.sdy.ShardingGroup(%3#0) {has_side_effect = true} : (tensor<4xf32>) -> ()
  %4 = stablehlo.custom_call @xla.sdy.ShardingGroup(%3#0) {has_side_effect = true} : (tensor<4xf32>) -> tuple<>
  return %3#0, %3#1 : tensor<4xf32>, tensor<2xi32>
}
)");
  const Array x(std::vector<float>{1, 2, 3, 4}), y(std::vector<int>{5, 6});
  EXPECT_EQ(f(x, y)[0].to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(f(x, y)[1].to_vector<int>(), y.to_vector<int>());
  EXPECT_EQ(f.jaxpr().eqns().size(), 0u);
  EXPECT_EQ(
      error_of("  %0 = stablehlo.custom_call @xla.sdy.GlobalToLocalShape(%x) : (tensor<4xf32>) -> tensor<2xf32>\n",
               "%x: tensor<4xf32>"),
      "a.mlir:2:8: stablehlo.custom_call: @xla.sdy.GlobalToLocalShape may not take a part of an array, which one "
      "device has whole; got f32[4] to f32[2].");
}

TEST(custom_call, assertions_about_shapes_hold_or_refuse_the_program) {
  const auto body = [](const std::string& size) {
    return "  %c = stablehlo.constant dense<" + size +
           "> : tensor<i32>\n"
           "  %d = stablehlo.get_dimension_size %x, dim = 0 : (tensor<3xf32>) -> tensor<i32>\n"
           "  %ok = stablehlo.compare GE, %d, %c, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>\n"
           "  stablehlo.custom_call @shape_assertion(%ok, %c, %d) {api_version = 2 : i32, error_message = \"a must be "
           "at "
           "least {0}, got {1}; not {2}, {x} or {\", has_side_effect = true} : (tensor<i1>, tensor<i32>, tensor<i32>) "
           "-> ()\n";
  };
  EXPECT_EQ(error_of(body("3"), "%x: tensor<3xf32>"), "no error");
  EXPECT_EQ(error_of(body("4"), "%x: tensor<3xf32>"),
            "a.mlir:5:3: stablehlo.custom_call: @shape_assertion: a must be at least 4, got 3; not {2}, {x} or {");
  EXPECT_EQ(
      error_of("  stablehlo.custom_call @shape_assertion(%p) {has_side_effect = true} : (tensor<i1>) -> ()\n",
               "%p: tensor<i1>"),
      "a.mlir:2:3: stablehlo.custom_call: @shape_assertion must have a condition that the text determines; got one "
      "that only the run knows.");
  EXPECT_EQ(error_of("  %0 = stablehlo.constant dense<[true, false]> : tensor<2xi1>\n  stablehlo.custom_call "
                     "@shape_assertion(%0) : (tensor<2xi1>) -> ()\n"),
            "a.mlir:3:3: stablehlo.custom_call: @shape_assertion: the assertion does not hold");
}

// ---- CHLO ----

TEST(chlo, broadcasting_operations_have_their_attributes_in_a_dictionary) {
  const Array a(std::vector<float>{1, 5}), b(std::vector<float>{2, 4, 6});
  const Array less = operation(
      "chlo.broadcast_compare %a, %b {broadcast_dimensions = array<i64: 1>, comparison_direction "
      "= #chlo<comparison_direction LT>} : (tensor<2x1xf32>, tensor<3xf32>) -> tensor<2x3xi1>",
      "%a: tensor<2x1xf32>, %b: tensor<3xf32>", "tensor<2x3xi1>")(lax::reshape(a, Dims{2, 1}), b)[0];
  EXPECT_EQ(less.to_vector<bool>(), (std::vector<bool>{true, true, true, false, false, true}));
  const Array sum = operation(
      "chlo.broadcast_add %a, %b {broadcast_dimensions = array<i64: 0>} : (tensor<2x1xf32>, "
      "tensor<2xf32>) -> tensor<2x1xf32>",
      "%a: tensor<2x1xf32>, %b: tensor<2xf32>", "tensor<2x1xf32>")(lax::reshape(a, Dims{2, 1}), a)[0];
  EXPECT_EQ(sum.to_vector<float>(), (std::vector<float>{2, 10}));
}

TEST(chlo, the_kernel_of_asin_gives_asin_and_acos) {
  using C = std::complex<double>;
  const double inf = std::numeric_limits<double>::infinity(), most = std::numeric_limits<double>::max();
  const std::vector<C> points{{0.5, 0.25}, {-0.5, 0.25}, {3, -2},    {1, 0},     {-1, 0},    {0, 0},         {0, 2},
                              {1e-8, 1},   {2, 1e-9},    {1, 1e-12}, {0.9, 0},   {1.5, 0},   {1e200, 1e190}, {most, 1},
                              {1, most},   {inf, 1},     {1, -inf},  {-7, 0.01}, {1e-300, 0}};
  const Array z(points);
  const std::string type = "tensor<" + std::to_string(points.size()) + "xcomplex<f64>>";
  for (const char* name : {"chlo._asin_acos_kernel", "chlo.asin_acos_kernel"}) {
    const std::vector<C> w =
        operation(std::string(name) + " %a : " + type + " -> " + type, "%a: " + type, type)(z)[0].to_vector<C>();
    const std::vector<C> asin = lax::asin(z).to_vector<C>(), acos = lax::acos(z).to_vector<C>();
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double x = points[i].real();
      EXPECT_NEAR(std::atan2(x, w[i].real()), asin[i].real(), 1e-15 * (1 + std::abs(asin[i].real()))) << points[i];
      EXPECT_NEAR(std::atan2(w[i].real(), x), acos[i].real(), 1e-15 * (1 + std::abs(acos[i].real()))) << points[i];
      EXPECT_EQ(w[i].imag(), std::abs(asin[i].imag())) << points[i];
    }
  }
}

TEST(chlo, minimum_broadcast_shapes_merge_axes_and_drop_ones) {
  const auto shapes = [](const std::string& a, const std::string& b, int ra, int rb, int na, int nb) {
    const auto type = [](int n) { return "tensor<" + std::to_string(n) + "xindex>"; };
    const Function f =
        import("func.func @main() -> (" + type(ra) + ", " + type(rb) + ") {\n  %a = stablehlo.constant dense<" + a +
               "> : " + type(na) + "\n  %b = stablehlo.constant dense<" + b + "> : " + type(nb) +
               "\n  %0:2 = chlo.minimum_broadcast_shapes %a, %b : " + type(na) + ", " + type(nb) + " -> (" + type(ra) +
               ", " + type(rb) + ")\n  return %0#0, %0#1 : " + type(ra) + ", " + type(rb) + "\n}\n");
    const std::vector<Array> r = f();
    return std::pair(r[0].to_vector<std::int64_t>(), r[1].to_vector<std::int64_t>());
  };
  using Pair = std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>;
  // The dialect's own example.
  EXPECT_EQ(shapes("[1, 2, 3, 1, 2, 1]", "[1, 1, 1, 2, 3]", 3, 2, 6, 5), (Pair{{6, 2, 1}, {2, 3}}));
  EXPECT_EQ(shapes("[2, 3, 4]", "[2, 3, 4]", 1, 1, 3, 3), (Pair{{24}, {24}}));
  EXPECT_EQ(shapes("[2, 3]", "[1, 1]", 1, 0, 2, 2), (Pair{{6}, {}}));
  EXPECT_EQ(shapes("[2, 0]", "[0]", 2, 1, 2, 1), (Pair{{2, 0}, {0}}));
  EXPECT_THROW(shapes("[2, 3]", "[2, 4]", 1, 1, 2, 2), ParseError);
  EXPECT_THROW(shapes("[-1, 3]", "[1, 3]", 1, 1, 2, 2), ParseError);
}

// ---- futures ----

TEST(async, a_future_is_what_its_body_computes) {
  const char* text = R"(
func.func @main(%x: tensor<3xf32>, %y: tensor<f32>) -> (tensor<3xf32>, tensor<f32>) {
  %0 = "stablehlo.async_start"(%x, %y) ({
  ^bb0(%a: tensor<3xf32>, %b: tensor<f32>):
    %1 = stablehlo.add %a, %a : tensor<3xf32>
    %2 = stablehlo.negate %b : tensor<f32>
    stablehlo.return %1, %2 : tensor<3xf32>, tensor<f32>
  }) : (tensor<3xf32>, tensor<f32>) -> !stablehlo.future<tensor<3xf32>, tensor<f32>>
  %3 = stablehlo.sine %x : tensor<3xf32>
  %4:2 = "stablehlo.async_done"(%0) : (!stablehlo.future<tensor<3xf32>, tensor<f32>>) -> (tensor<3xf32>, tensor<f32>)
  return %4#0, %4#1 : tensor<3xf32>, tensor<f32>
}
)";
  comes_back(text);
  const std::vector<Array> r = import(text)(np::ones({3}), Array(2.0f));
  EXPECT_EQ(r[0].to_vector<float>(), (std::vector<float>{2, 2, 2}));
  EXPECT_EQ(r[1].item<float>(), -2);
  EXPECT_EQ(error_of("  %0 = \"stablehlo.async_start\"(%x) ({\n  ^bb0:\n    stablehlo.return\n  }) : (tensor<f32>) -> "
                     "!stablehlo.future<tensor<f32>>\n",
                     "%x: tensor<f32>"),
            "a.mlir:2:8: stablehlo.async_start: a region must have 1 argument; got 0.");
  EXPECT_EQ(error_of("  %0 = \"stablehlo.async_start\"(%x) ({\n  ^bb0(%a: tensor<2xf32>):\n    stablehlo.return %a : "
                     "tensor<2xf32>\n  }) : (tensor<f32>) -> !stablehlo.future<tensor<2xf32>>\n",
                     "%x: tensor<f32>"),
            "a.mlir:2:8: stablehlo.async_start: arguments of the body must have the operands' types; got tensor<2xf32> "
            "for tensor<f32>, operand 0.");
  EXPECT_NE(error_of("  %0 = \"stablehlo.async_start\"(%x) ({\n  ^bb0(%a: tensor<f32>):\n    stablehlo.return %a, %a : "
                     "tensor<f32>, tensor<f32>\n  }) : (tensor<f32>) -> !stablehlo.future<tensor<f32>>\n",
                     "%x: tensor<f32>"),
            "no error");
}

// ---- forms that older printers and compilers write ----

TEST(forms, constants_may_be_written_as_calls_without_quotes) {
  for (const char* op : {"stablehlo.constant() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>",
                         "stablehlo.constant() <{value = dense<1.0> : tensor<f32>}> : () -> tensor<f32>",
                         "\"stablehlo.constant\"() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>",
                         "\"stablehlo.constant\"() <{value = dense<1.0> : tensor<f32>}> : () -> tensor<f32>"})
    EXPECT_EQ(operation(op, "", "tensor<f32>")()[0].item<float>(), 1) << op;
}

TEST(forms, axes_of_convolutions_may_be_named) {
  const std::string types = " : (tensor<1x3x3x1xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x1xf32>";
  const std::string arguments = "%a: tensor<1x3x3x1xf32>, %b: tensor<2x2x1x1xf32>";
  const auto with = [&](const std::string& numbers) {
    return "\"stablehlo.convolution\"(%a, %b) <{batch_group_count = 1 : i64, dimension_numbers = #stablehlo.conv<" +
           numbers + ">, feature_group_count = 1 : i64}>" + types;
  };
  const std::string raw = with(
      "raw input_batch_dimension = 0, input_feature_dimension = 3, input_spatial_dimensions = [1, 2], "
      "kernel_input_feature_dimension = 2, kernel_output_feature_dimension = 3, kernel_spatial_dimensions = [0, 1], "
      "output_batch_dimension = 0, output_feature_dimension = 3, output_spatial_dimensions = [1, 2]");
  const std::string short_form = with("[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]");
  EXPECT_EQ(operation(raw, arguments, "tensor<1x2x2x1xf32>").jaxpr(),
            operation(short_form, arguments, "tensor<1x2x2x1xf32>").jaxpr());
  comes_back("func.func @f(" + arguments + ") {\n  %0 = " + raw + "\n  %1 = " + short_form + "\n  return\n}\n");
  EXPECT_NE(error_of("  %0 = " + with("raw input_batch_dimension = 0, input_feature_dimension = 9") + "\n", arguments),
            "no error");
}

// ---- what front ends add for one device, for the process that exported, or for a GPU ----

TEST(custom_call, places_and_layouts_mean_nothing_here) {
  std::string text = "func.func @main(%0: tensor<4xf32>) -> tensor<4xf32> {\n";
  int n = 0;
  for (const char* hint : {"LayoutConstraint", "MoveToHost", "MoveToDevice", "PinToDevice", "PinToDeviceSram"}) {
    text += "  %" + std::to_string(n + 1) + " = stablehlo.custom_call @" + hint + "(%" + std::to_string(n) +
            ") {has_side_effect = true} : (tensor<4xf32>) -> tensor<4xf32>\n";
    ++n;
  }
  const std::string last = "%" + std::to_string(n);
  text += "  stablehlo.custom_call @InspectSharding(" + last + ") : (tensor<4xf32>) -> ()\n  return " + last +
          " : tensor<4xf32>\n}\n";
  EXPECT_EQ(import(text).jaxpr().eqns().size(), 0u);
}

TEST(custom_call, of_random_bits_on_gpus_is_the_operation) {
  for (const char* target : {"cu_threefry2x32_ffi", "cu_threefry2x32"}) {
    const Function f = operation("stablehlo.custom_call @" + std::string(target) +
                                     "(%k, %l, %x, %y) {mhlo.backend_config = {}} : (tensor<2xui32>, tensor<2xui32>, "
                                     "tensor<2xui32>, tensor<2xui32>) -> (tensor<2xui32>, tensor<2xui32>)",
                                 "%k: tensor<2xui32>, %l: tensor<2xui32>, %x: tensor<2xui32>, %y: tensor<2xui32>",
                                 "tensor<2xui32>, tensor<2xui32>");
    // The known answers of Random123: keys and counters of zeros and of ones.
    const Array bits(std::vector<std::uint32_t>{0, 0xFFFFFFFFu});
    const std::vector<Array> got = f(bits, bits, bits, bits);
    EXPECT_EQ(got[0].to_vector<std::uint32_t>(), (std::vector<std::uint32_t>{0x6b200159u, 0x1cb996fcu}));
    EXPECT_EQ(got[1].to_vector<std::uint32_t>(), (std::vector<std::uint32_t>{0x99ba4efeu, 0xbb002be7u}));
  }
  EXPECT_EQ(error_of("  %0 = stablehlo.custom_call @cu_threefry2x32_ffi(%x) : (tensor<2xui32>) -> tensor<2xui32>\n",
                     "%x: tensor<2xui32>"),
            "a.mlir:2:8: stablehlo.custom_call: there must be two halves of keys and two of counters; got 1 operand.");
}

TEST(custom_call, back_into_python_is_dropped_when_nothing_comes_back) {
  for (const char* target : {"xla_ffi_python_cpu_callback", "xla_python_cpu_callback", "xla_python_gpu_callback",
                             "xla_ffi_partitioned_python_cpu_callback"}) {
    const std::string call =
        "stablehlo.custom_call @" + std::string(target) +
        "(%x) {api_version = 4 : i32, backend_config = {index = 0 : ui64}, has_side_effect = true}";
    EXPECT_EQ(error_of("  " + call + " : (tensor<f32>) -> ()\n", "%x: tensor<f32>"), "no error");
    EXPECT_EQ(error_of("  %0 = " + call + " : (tensor<f32>) -> !stablehlo.token\n", "%x: tensor<f32>"), "no error");
    EXPECT_EQ(error_of("  %0 = " + call + " : (tensor<f32>) -> tensor<f32>\n", "%x: tensor<f32>"),
              "a.mlir:2:8: stablehlo.custom_call: @" + std::string(target) + " calls back into Python.");
  }
}

TEST(custom_call, of_routines_that_weft_lacks_says_which) {
  for (const auto& [target, missing] : std::initializer_list<std::pair<std::string, std::string>>{
           {"lapack_ssyevd_ffi", "eigensolver"},
           {"lapack_cheevd_ffi", "eigensolver"},
           {"lapack_dgeev", "eigensolver"},
           {"lapack_zgesdd_ffi", "singular value decomposition"},
           {"cusolver_gesvd_ffi", "singular value decomposition"},
           {"lapack_sgees_ffi", "Schur decomposition"},
           {"lapack_dgehrd_ffi", "reduction to Hessenberg form"}})
    EXPECT_EQ(error_of("  %0 = stablehlo.custom_call @" + target + "(%x) : (tensor<3x3xf32>) -> tensor<3x3xf32>\n",
                       "%x: tensor<3x3xf32>"),
              "a.mlir:2:8: stablehlo.custom_call: @" + target + ": Weft has no " + missing + " yet.");
}

TEST(shardy, collectives_pass_their_operands) {
  const std::string text = R"(sdy.mesh @mesh = <["x"=2, "y"=2]>
func.func @main(%0: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %1 = sdy.all_to_all [{"x"}: 0->1, {"y":(1)2}: 1->0] %0 out_sharding=<@mesh, [{}, {"x"}]> : tensor<8x4xf32>
  %2 = sdy.reduce_scatter [{}, {"y"}] %1 out_sharding=<@mesh, [{}, {"x", "y"}]> : tensor<8x4xf32>
  %3 = sdy.sharded_to_unreduced [{"x"}, {}] %2 out_sharding=<@mesh, [{}, {}], unreduced={"x"}> : tensor<8x4xf32>
  %4 = sdy.replicated_to_unreduced {"y"} %3 out_sharding=<@mesh, [{}, {}], unreduced={"x", "y"}> : tensor<8x4xf32>
  return %4 : tensor<8x4xf32>
}
)";
  comes_back(text);
  EXPECT_EQ(import(text).jaxpr().eqns().size(), 0u);
}

TEST(modules, operations_that_nothing_runs_are_not_refused) {
  const std::string globals =
      "module {\n"
      "  ml_program.global private mutable @seed(dense<0> : tensor<i64>) : tensor<i64>\n"
      "  memref.global \"private\" constant @c : memref<2xf32> = dense<0.0>\n"
      "  func.func private @never(%x: tensor<f32>) -> tensor<f32> {\n"
      "    %0 = other.thing %x : tensor<f32>\n    return %0 : tensor<f32>\n  }\n";
  EXPECT_EQ(import(globals + "  func.func @main(%x: tensor<f32>) -> tensor<f32> { return %x : tensor<f32> }\n}\n")
                .num_inputs(),
            1u);
  try {
    import(globals +
               "  func.func @main(%x: tensor<f32>) -> tensor<f32> {\n    %0 = call @never(%x) : (tensor<f32>) -> "
               "tensor<f32>\n    return %0 : tensor<f32>\n  }\n}\n",
           {.source = "a.mlir"});
    FAIL();
  } catch (const ParseError& e) {
    EXPECT_EQ(e.message(), "a.mlir:5:10: other.thing: Weft has no such operation.");
  }
}

// But for cosh of f32 near 0, which is the formula by which its producer saw it (conformance: cosh_float32_20_20_chlo).
TEST(chlo, hyperbolic_functions_are_those_of_lax) {
  const Array x(std::vector<double>{-700.5, -20.25, -1.0001, -0.3, 1e-9, 0.75, 3.3, 88.1, 709.9});
  for (const auto& [name, f] : {std::pair("sinh", &lax::sinh), std::pair("cosh", &lax::cosh)}) {
    const Array got = operation("chlo." + std::string(name) + " %a : tensor<9xf64> -> tensor<9xf64>",
                                "%a: tensor<9xf64>", "tensor<9xf64>")(x)[0];
    EXPECT_EQ(got.to_vector<double>(), f(x).to_vector<double>()) << name;
  }
  const Array narrow = lax::convert(x, f32);
  const Array got =
      operation("chlo.cosh %a : tensor<9xf32> -> tensor<9xf32>", "%a: tensor<9xf32>", "tensor<9xf32>")(narrow)[0];
  const std::vector<float> values = got.to_vector<float>(), exact = lax::cosh(narrow).to_vector<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_TRUE(values[i] == exact[i] || std::abs(values[i] - exact[i]) <= 5 * 1.2e-7f * exact[i]) << i;
}

}  // namespace
}  // namespace weft::stablehlo
