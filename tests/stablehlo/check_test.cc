#include "weft/stablehlo/check.h"

#include <gtest/gtest.h>

#include <chrono>

#include "weft/base/error.h"
#include "weft/core/custom_call.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

using Outcome = CheckReport::Outcome;

std::vector<CheckReport> reports(const std::string& text) { return run_checks(parse(text, "a.mlir")); }

TEST(check, branches_loops_and_callees_check_what_they_reach) {
  const std::vector<CheckReport> got = reports(R"(
func.func @main() {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %three = stablehlo.constant dense<3> : tensor<i32>
  %yes = stablehlo.constant dense<true> : tensor<i1>
  %0 = stablehlo.while(%i = %zero) : tensor<i32>
   cond {
    %1 = stablehlo.compare LT, %i, %three, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %1 : tensor<i1>
  } do {
    check.expect_eq %i, %i : tensor<i32>
    %1 = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %1 : tensor<i32>
  }
  %2 = "stablehlo.if"(%yes) ({
    check.expect_eq_const %0, dense<3> : tensor<i32>
    stablehlo.return %0 : tensor<i32>
  }, {
    check.expect_eq_const %0, dense<4> : tensor<i32>
    stablehlo.return %0 : tensor<i32>
  }) : (tensor<i1>) -> tensor<i32>
  %3 = "stablehlo.case"(%one) ({
    check.expect_eq_const %0, dense<4> : tensor<i32>
    stablehlo.return %0 : tensor<i32>
  }, {
    stablehlo.custom_call @check.expect_eq(%0, %three) {has_side_effect = true} : (tensor<i32>, tensor<i32>) -> ()
    stablehlo.return %0 : tensor<i32>
  }) : (tensor<i32>) -> tensor<i32>
  %4 = func.call @callee(%three) : (tensor<i32>) -> tensor<i32>
  %5 = stablehlo.composite "a.b" %three {decomposition = @callee} : (tensor<i32>) -> tensor<i32>
  return
}
func.func private @callee(%x: tensor<i32>) -> tensor<i32> {
  check.expect_eq_const %x, dense<3> : tensor<i32>
  return %x : tensor<i32>
}
)");
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].outcome, Outcome::kPassed) << got[0].reason;
  EXPECT_EQ(got[0].checks, 3 + 1 + 1 + 2);
}

TEST(check, failures_in_branches_and_callees_have_their_place) {
  const std::vector<CheckReport> got = reports(R"(
func.func @main() {
  %yes = stablehlo.constant dense<true> : tensor<i1>
  %1 = stablehlo.constant dense<1> : tensor<i32>
  %2 = "stablehlo.if"(%yes) ({
    check.expect_eq_const %1, dense<2> : tensor<i32>
    stablehlo.return %1 : tensor<i32>
  }, {
    stablehlo.return %1 : tensor<i32>
  }) : (tensor<i1>) -> tensor<i32>
  func.call @callee(%1) : (tensor<i32>) -> ()
  return
}
func.func private @callee(%x: tensor<i32>) {
  check.expect_eq_const %x, dense<3> : tensor<i32>
  return
}
)");
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].outcome, Outcome::kFailed);
  EXPECT_EQ(got[0].reason,
            "a.mlir:6:5: expect_eq: element 0: got 1, expected 2.\n"
            "a.mlir:15:3: expect_eq: element 0: got 1, expected 3.");
}

TEST(check, a_function_that_checks_in_what_it_calls_is_run_beside_main) {
  const std::vector<CheckReport> got = reports(R"(
func.func @main() { return }
func.func @test() {
  call @helper() : () -> ()
  return
}
func.func private @helper() {
  %0 = stablehlo.constant dense<1> : tensor<i32>
  check.expect_eq_const %0, dense<2> : tensor<i32>
  return
}
)");
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[1].name, "test");
  EXPECT_EQ(got[1].outcome, Outcome::kFailed);
}

CheckReport of_body(const std::string& body) { return reports("func.func @test() {\n" + body + "  return\n}\n").at(0); }

TEST(check, invalid_programs_have_failed) {
  const CheckReport shape = of_body(
      "  %0 = stablehlo.constant dense<1.0> : tensor<2xf32>\n"
      "  %1 = stablehlo.reshape %0 : (tensor<2xf32>) -> tensor<3xf32>\n");
  EXPECT_EQ(shape.outcome, Outcome::kFailed);
  EXPECT_EQ(shape.reason.substr(0, 20), "a.mlir:3:8: reshape:");
  const CheckReport attribute = of_body(
      "  %0 = stablehlo.constant dense<1.0> : tensor<2xf32>\n"
      "  %1 = \"stablehlo.transpose\"(%0) : (tensor<2xf32>) -> tensor<2xf32>\n");
  EXPECT_EQ(attribute.outcome, Outcome::kFailed) << attribute.reason;
  EXPECT_EQ(of_body("  call @nobody() : () -> ()\n").outcome, Outcome::kFailed);
  EXPECT_EQ(of_body("  \"check.frob\"() : () -> ()\n").outcome, Outcome::kFailed);
  EXPECT_EQ(of_body("  \"interpreter.frob\"() : () -> ()\n").outcome, Outcome::kFailed);
}

TEST(check, valid_programs_that_do_not_run_are_unsupported) {
  const std::string one = "  %0 = stablehlo.constant dense<1> : tensor<i32>\n";
  for (const std::string& body : std::vector<std::string>{
           "  %0 = \"other.thing\"() : () -> tensor<f32>\n",
           one +
               "  %1 = stablehlo.set_dimension_size %x, %0, dim = 0 : (tensor<2xi32>, tensor<i32>) -> tensor<2xi32>\n",
           one + "  %1 = stablehlo.dynamic_iota %s, dim = 0 : (tensor<1xi32>) -> tensor<?xi32>\n",
           "  call @test() : () -> ()\n",
       }) {
    const CheckReport r = reports(
                              "func.func @test() {\n  %x = stablehlo.constant dense<1> : tensor<2xi32>\n"
                              "  %s = stablehlo.constant dense<2> : tensor<1xi32>\n" +
                              body + "  return\n}\n")
                              .at(0);
    EXPECT_EQ(r.outcome, Outcome::kUnsupported) << body << r.reason;
    EXPECT_EQ(r.reason.substr(0, 7), "a.mlir:") << r.reason;
  }
}

TEST(check, small_floats_are_compared_by_their_own_neighbours) {
  const auto close = [](const std::string& type, const std::string& a, const std::string& b, int ulps) {
    return of_body("  %0 = stablehlo.constant dense<" + a + "> : tensor<" + type +
                   ">\n  %1 = stablehlo.constant dense<" + b + "> : tensor<" + type +
                   ">\n  check.expect_close %0, %1, max_ulp_difference = " + std::to_string(ulps) + " : tensor<" +
                   type + ">, tensor<" + type + ">\n");
  };
  EXPECT_EQ(close("f8E4M3FN", "1.0", "1.125", 1).outcome, Outcome::kPassed);
  EXPECT_EQ(close("f8E4M3FN", "1.0", "1.5", 3).outcome, Outcome::kFailed);
  EXPECT_EQ(close("f8E4M3FN", "1.0", "1.5", 3).reason, "a.mlir:4:3: expect_close: element 0: got 1.0, expected 1.5.");
  EXPECT_EQ(close("f8E4M3FN", "1.0", "1.5", 4).outcome, Outcome::kPassed);
  EXPECT_EQ(close("f8E5M2", "-0.0", "0.0", 0).outcome, Outcome::kPassed);
  EXPECT_EQ(close("f8E5M2", "-1.52587890625e-5", "1.52587890625e-5", 2).outcome, Outcome::kPassed);
  EXPECT_EQ(close("f8E5M2", "-1.52587890625e-5", "1.52587890625e-5", 1).outcome, Outcome::kFailed);
  EXPECT_EQ(close("f8E5M2", "57344.0", "0x7C", 3).outcome, Outcome::kFailed);  // infinity is near nothing
  EXPECT_EQ(close("f8E8M0FNU", "1.0", "2.0", 1).outcome, Outcome::kPassed);
  EXPECT_EQ(close("f8E8M0FNU", "1.0", "4.0", 1).outcome, Outcome::kFailed);
  EXPECT_EQ(close("f4E2M1FN", "4.0", "6.0", 1).outcome, Outcome::kPassed);
}

TEST(check, a_check_in_a_computation_is_unsupported) {
  const CheckReport r = of_body(R"(  %0 = stablehlo.constant dense<1.0> : tensor<2xf32>
  %1 = stablehlo.constant dense<0.0> : tensor<f32>
  %2 = stablehlo.reduce(%0 init: %1) across dimensions = [0] : (tensor<2xf32>, tensor<f32>) -> tensor<f32>
   reducer(%a: tensor<f32>, %b: tensor<f32>)  {
    check.expect_eq %a, %a : tensor<f32>
    %3 = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %3 : tensor<f32>
  }
)");
  EXPECT_EQ(r.outcome, Outcome::kUnsupported);
  EXPECT_EQ(
      r.reason,
      "a.mlir:6:5: check.expect_eq: a check must stand in a function that is run or called, or in a branch or loop "
      "of one.");
}

// The test's own limit is longer than an operation waits for its host.
TEST(check, nobody_feeds_a_program) {
  const auto start = std::chrono::steady_clock::now();
  for (const char* op :
       {"\"stablehlo.infeed\"(%t) <{infeed_config = \"\"}>",
        "\"stablehlo.recv\"(%t) <{channel_handle = #stablehlo.channel_handle<handle = 5, type = 3>, is_host_transfer = "
        "true}>",
        "\"stablehlo.recv\"(%t) <{channel_handle = #stablehlo.channel_handle<handle = 5, type = 1>}>"}) {
    const CheckReport r =
        of_body("  %t = stablehlo.create_token : !stablehlo.token\n  %0:2 = " + std::string(op) +
                " : (!stablehlo.token) -> (tensor<4xf32>, !stablehlo.token)\n  check.expect_eq %0#0, %0#0 : "
                "tensor<4xf32>\n");
    EXPECT_EQ(r.outcome, Outcome::kFailed);
    EXPECT_NE(r.reason.find("what a process waits for must be sent by another one or by the host"), std::string::npos)
        << r.reason;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(29));
}

TEST(check, a_program_of_a_grid_that_wants_more_than_is_fed_fails) {
  const std::vector<CheckReport> got = reports(R"(
func.func @main() {
  %0:2 = "interpreter.run_parallel"() {infeed = [@feed], programs = [[@eats], [@eats]]} : () -> (tensor<f32>, tensor<f32>)
  return
}
func.func private @feed() -> tensor<f32> {
  %0 = stablehlo.constant dense<1.0> : tensor<f32>
  return %0 : tensor<f32>
}
func.func private @eats() -> tensor<f32> {
  %t = stablehlo.create_token : !stablehlo.token
  %0:2 = "stablehlo.infeed"(%t) <{infeed_config = ""}> : (!stablehlo.token) -> (tensor<f32>, !stablehlo.token)
  return %0#0 : tensor<f32>
}
)");
  EXPECT_EQ(got.at(0).outcome, Outcome::kFailed);
  EXPECT_NE(got.at(0).reason.find("infeed: what a process waits for"), std::string::npos) << got.at(0).reason;
}

TEST(check, modules_without_functions_have_nothing_to_run) {
  EXPECT_TRUE(reports("\"builtin.module\"() ({}) : () -> ()\n").empty());
  EXPECT_TRUE(reports("module {\n  \"builtin.module\"() ({}) : () -> ()\n}\n").empty());
}

// What a program gives is computed, so that what goes wrong there is seen.
TEST(check, results_are_computed_though_nothing_checks_them) {
  register_custom_call("check_test.fails",
                       {.eval = [](const CustomCallParams&, std::span<const TensorView>,
                                   std::span<const MutableTensorView>) { throw BackendError("nothing works."); }});
  const std::vector<CheckReport> got = reports(
      "func.func @main() -> tensor<f32> {\n  %0 = stablehlo.custom_call @check_test.fails() : () -> tensor<f32>\n"
      "  return %0 : tensor<f32>\n}\n");
  unregister_custom_call("check_test.fails");
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].checks, 0);
  EXPECT_EQ(got[0].outcome, Outcome::kFailed);
  EXPECT_EQ(got[0].reason, "a.mlir:2:8: nothing works.");
}

}  // namespace
}  // namespace weft::stablehlo
