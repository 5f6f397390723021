// The texts of errors in programs: each names its place once, all that is refused is named together, and nothing that
// is said wrong goes unnoticed.
#include <gtest/gtest.h>

#include "weft/base/error.h"
#include "weft/core/custom_call.h"
#include "weft/stablehlo/check.h"
#include "weft/stablehlo/import.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

std::string error_of(const std::string& text) {
  try {
    import(text, {.source = "a.mlir"});
  } catch (const ParseError& e) {
    // The place in the text is the only place.
    EXPECT_EQ(std::string(e.what()).find("\n  at "), std::string::npos) << e.what();
    return e.message();
  }
  return "no error";
}

// The error of an operation on line 2 that gives %0, in a function over values of some types.
std::string error_in(const std::string& op, const std::string& result = "tensor<2x3xf32>") {
  const std::string error =
      error_of("func.func @main(%f: tensor<2x3xf32>, %m: tensor<3x3xf32>, %i: tensor<2x1xi32>, %s: tensor<f32>) -> " +
               result + " {\n  " + op + "\n  return %0 : " + result + "\n}\n");
  return error.starts_with("a.mlir:2:") ? error.substr(9) : "elsewhere: " + error;
}

TEST(errors, one_message_names_all_that_is_refused) {
  EXPECT_EQ(
      error_of(
          "func.func @main(%x: tensor<2xf32>, %q: tensor<2x!quant.uniform<i64:f32, 1.0>>) -> tensor<2xf32> {\n"
          "  %0 = stablehlo.frob %x, %x {a = \"}\"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>\n"
          "  %1 = \"stablehlo.custom_call\"(%0) {call_target_name = \"nobody\"} : (tensor<2xf32>) -> tensor<2xf32>\n"
          "  %2 = stablehlo.constant dense_resource<weights> : tensor<2xf32>\n"
          "  %3 = stablehlo.convert %x : (tensor<2xf32>) -> tensor<?xf32>\n"
          "  %4 = \"arith.addf\"(%1, %2) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>\n"
          "  %5 = \"stablehlo.transpose\"(%4) {permutations = array<i64: 0>, permutation = array<i64: 0>} : "
          "(tensor<2xf32>) -> tensor<2xf32>\n"
          "  %6 = call @g(%5) : (tensor<2xf32>) -> tensor<2xf32>\n"
          "  %7 = call @h(%6) : (tensor<2xf32>) -> tensor<2xf32>\n"
          "  return %7 : tensor<2xf32>\n"
          "}\n"
          "func.func private @g(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
          "  %0, %1 = math.frob %x : tensor<2xf32>\n"
          "  return %1 : tensor<2xf32>\n"
          "}\n"),
      "a.mlir:1:1: func.func: tensor<2x!quant.uniform<i64:f32, 1.0>> is a quantised type without integers to "
      "compute on.\n"
      "a.mlir:2:8: stablehlo.frob: Weft has no such operation.\n"
      "a.mlir:3:8: stablehlo.custom_call: the target must be registered; got @nobody.\n"
      "a.mlir:4:27: dense_resource: the data of a constant must be in the text; got the name weights.\n"
      "a.mlir:5:8: stablehlo.convert: tensor<?xf32> has a size that only the run knows.\n"
      "a.mlir:6:8: arith.addf: Weft has no such operation.\n"
      "a.mlir:7:50: stablehlo.transpose: there is no attribute permutations (known: permutation).\n"
      "a.mlir:9:8: func.call: there must be a function @h.\n"
      "a.mlir:13:12: math.frob: Weft has no such operation.");
}

TEST(errors, what_was_refused_stays_in_an_error_that_ends_the_reading) {
  EXPECT_EQ(error_of("func.func @main(%x: tensor<f32>) -> tensor<f32> {\n"
                     "  %0 = stablehlo.frob %x : tensor<f32>\n"
                     "  %1 = stablehlo.abs %y : tensor<f32>\n"),
            "a.mlir:2:8: stablehlo.frob: Weft has no such operation.\n"
            "a.mlir:3:22: expected a value that is defined above; got '%y'.");
  // Without types nobody knows what the results are.
  EXPECT_EQ(error_of("func.func @main(%x: tensor<f32>) {\n  %0 = stablehlo.frob %x\n  return\n}\n"),
            "a.mlir:2:8: stablehlo.frob: Weft has no such operation.\n"
            "a.mlir:2:8: stablehlo.frob: its results must have types.");
  EXPECT_EQ(error_in("%0 = stablehlo.gather %f, %i : (tensor<2x3xf32>, tensor<2x1xi32>) -> tensor<2x3xf32>"),
            "8: stablehlo.gather: this operation has no short form; it is written in quotes.");
  EXPECT_EQ(error_in("%0 = frob %f : tensor<2x3xf32>"), "8: expected an operation; got 'frob'.");
}

TEST(errors, sharded_computations_are_refused_by_name) {
  const std::string reason =
      "sdy.manual_computation: its body computes on parts of arrays, tensor<4xf32> of tensor<8xf32>, and Weft does not "
      "run sharded programs yet.";
  EXPECT_EQ(error_of("sdy.mesh @mesh = <[\"a\"=2]>\n"
                     "func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {\n"
                     "  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{\"a\"}]>] out_shardings=[<@mesh, "
                     "[{\"a\"}]>] manual_axes={\"a\"} (%y: tensor<4xf32>) {\n"
                     "    %1 = stablehlo.add %y, %y : tensor<4xf32>\n"
                     "    sdy.return %1 : tensor<4xf32>\n"
                     "  } : (tensor<8xf32>) -> tensor<8xf32>\n"
                     "  return %0 : tensor<8xf32>\n}\n"),
            "a.mlir:3:8: " + reason);
  EXPECT_EQ(error_of("func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {\n"
                     "  %0 = \"sdy.manual_computation\"(%x) ({\n"
                     "  ^bb0(%y: tensor<8xf32>):\n"
                     "    %1 = stablehlo.slice %y [0:4] : (tensor<8xf32>) -> tensor<4xf32>\n"
                     "    \"sdy.return\"(%1) : (tensor<4xf32>) -> ()\n"
                     "  }) : (tensor<8xf32>) -> tensor<8xf32>\n"
                     "  return %0 : tensor<8xf32>\n}\n"),
            "a.mlir:2:8: " + reason);
}

TEST(errors, asynchronous_calls_of_mhlo_are_refused_by_name) {
  EXPECT_EQ(error_of("func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
                     "  %0 = \"mhlo.async_start\"(%x) {called_computation = @f, execution_thread = \"main\"} : "
                     "(tensor<2xf32>) -> !mhlo.async_bundle<tensor<2xf32>, tensor<2xf32>>\n"
                     "  %1 = \"mhlo.async_done\"(%0) : (!mhlo.async_bundle<tensor<2xf32>, tensor<2xf32>>) -> "
                     "tensor<2xf32>\n"
                     "  return %1 : tensor<2xf32>\n}\n"
                     "func.func private @f(%x: tensor<2xf32>) -> tensor<2xf32> { return %x : tensor<2xf32> }\n"),
            "a.mlir:2:8: mhlo.async_start: !mhlo.async_bundle<tensor<2xf32>, tensor<2xf32>> is of asynchronous calls, "
            "which run in XLA only.\n"
            "a.mlir:2:8: mhlo.async_start: calls that run beside the program are private to XLA, and mean what a "
            "func.call of called_computation does.\n"
            "a.mlir:3:8: mhlo.async_done: !mhlo.async_bundle<tensor<2xf32>, tensor<2xf32>> is of asynchronous calls, "
            "which run in XLA only.\n"
            "a.mlir:3:8: mhlo.async_done: calls that run beside the program are private to XLA, and mean what a "
            "func.call of called_computation does.");
}

TEST(errors, checks_are_for_those_who_check) {
  EXPECT_EQ(error_of("func.func @main(%x: tensor<f32>) {\n  check.expect_eq %x, %x : tensor<f32>\n  return\n}\n"),
            "a.mlir:2:3: check.expect_eq: checks are for weftc check (run_checks in C++), and mean nothing elsewhere.");
}

TEST(errors, custom_calls_are_known_when_they_are_registered) {
  const std::string text =
      "func.func @main(%x: tensor<f32>) -> tensor<f32> {\n"
      "  %0 = stablehlo.custom_call @errors_test_twice(%x) : (tensor<f32>) -> tensor<f32>\n"
      "  return %0 : tensor<f32>\n}\n";
  EXPECT_NE(error_of(text).find("the target must be registered"), std::string::npos);
  // To look at the program, nobody needs the function; to run it, somebody does, and is told where.
  const Function f = import(text, {.source = "a.mlir", .unregistered_custom_calls = true});
  EXPECT_NE(f.jaxpr().str().find("errors_test_twice"), std::string::npos);
  try {
    f(Array(1.0f));
    FAIL() << "nothing was thrown";
  } catch (const BackendError& e) {
    EXPECT_EQ(e.location().str(), "a.mlir:2:8");
  }
  register_custom_call("errors_test_twice", {.eval = [](const CustomCallParams&, std::span<const TensorView> in,
                                                        std::span<const MutableTensorView> out) {
                         *static_cast<float*>(out[0].data) = 2 * *static_cast<const float*>(in[0].data);
                       }});
  EXPECT_EQ(import(text)(Array(3.0f))[0].item<float>(), 6);
  unregister_custom_call("errors_test_twice");
}

TEST(errors, arguments_that_do_not_fit_are_blamed_on_the_call) {
  const Function f = import(
      "func.func @main(%x: tensor<2xf32>, %y: tensor<f32>) -> tensor<2xf32> {\n  return %x : tensor<2xf32>\n}\n");
  EXPECT_EQ(f({np::ones({2}), Array(2.0f)})[0].size(), 2);
  try {
    f(Array(1.0f), Array(2.0f));
    FAIL() << "nothing was thrown";
  } catch (const ShapeError& e) {
    EXPECT_EQ(e.location().str(), "errors_test.cc:" + std::to_string(__LINE__ - 3));
    EXPECT_EQ(e.message(), "@main: argument 0 must be f32[2]; got f32[].");
  }
  try {
    f(np::ones({2}), Array(2.0));
    FAIL() << "nothing was thrown";
  } catch (const DTypeError& e) {
    EXPECT_EQ(e.message(), "@main: argument 1 must be f32[]; got f64[].");
    EXPECT_EQ(e.hint(), "convert it with astype; a number takes the dtype of its C++ type: 0.0f is f32, 0.0 f64.");
  }
  try {
    f(np::ones({2}));
    FAIL() << "nothing was thrown";
  } catch (const ValueError& e) {
    EXPECT_EQ(e.message(), "@main: there must be one argument per input, of which there are 2; got 1.");
  }
}

TEST(errors, checks_are_told_from_what_is_none) {
  const auto of = [](const std::string& op) {
    return error_of("func.func @main(%x: tensor<f32>) {\n  \"" + op + "\"(%x) : (tensor<f32>) -> ()\n  return\n}\n");
  };
  EXPECT_NE(of("check.expect_eq_const").find("checks are for weftc check"), std::string::npos);
  EXPECT_NE(of("interpreter.probe").find("checks are for weftc check"), std::string::npos);
  EXPECT_NE(of("check.expest_eq_const").find("Weft has no such operation"), std::string::npos);
}

TEST(errors, one_of_several_public_functions_is_taken_by_its_name_only) {
  const char* text =
      "func.func @a(%x: tensor<f32>) -> tensor<f32> {\n  return %x : tensor<f32>\n}\n"
      "func.func @b(%x: tensor<f32>) -> tensor<f32> {\n  %0 = stablehlo.negate %x : tensor<f32>\n"
      "  return %0 : tensor<f32>\n}\n";
  EXPECT_EQ(error_of(text), "a.mlir:4:1: there must be @main or one public function, or the name of one; got @a, @b.");
  EXPECT_EQ(import(text, {.function = "b"})(Array(2.0f))[0].item<float>(), -2.0f);
}

TEST(errors, results_are_blamed_on_the_return) {
  EXPECT_EQ(error_of("func.func @main(%x: tensor<2xf32>) -> tensor<3xf32> {\n"
                     "  %0 = stablehlo.abs %x : tensor<2xf32>\n"
                     "  return %0 : tensor<2xf32>\n}\n"),
            "a.mlir:3:3: func.return: values must have the result types of @main; got tensor<2xf32> for tensor<3xf32>, "
            "result 0.");
  EXPECT_EQ(error_of("func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {\n  return\n}\n"),
            "a.mlir:2:3: func.return: there must be one value per result of @main; got 0 values for 1 result.");
  EXPECT_EQ(error_of("func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
                     "  %0 = stablehlo.abs %x : tensor<2xf32>\n}\n"),
            "a.mlir:1:1: func.func: the body must end in a return.");
  EXPECT_EQ(error_of("func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
                     "  return %x : tensor<2xf32>\n  %0 = stablehlo.abs %x : tensor<2xf32>\n"
                     "  return %0 : tensor<2xf32>\n}\n"),
            "a.mlir:2:3: func.return: a return must be the last operation.");
  EXPECT_EQ(error_of("\"func.func\"() <{sym_name = \"main\", function_type = (tensor<3xf32>) -> tensor<2xf32>}> ({\n"
                     "^bb0(%x: tensor<2xf32>):\n  \"func.return\"(%x) : (tensor<2xf32>) -> ()\n}) : () -> ()\n"),
            "a.mlir:1:52: func.func: arguments of the body must have the types of the inputs; got tensor<2xf32> for "
            "tensor<3xf32>, input 0.");
}

TEST(errors, places_are_named_once) {
  EXPECT_EQ(error_in("%0 = stablehlo.constant dense<[[1.0, x, 2.0], [1.0, 2.0, 3.0]]> : tensor<2x3xf32>"),
            "27: dense literal of type tensor<2x3xf32>: there must be elements of the type; got x.");
  EXPECT_EQ(error_in("%0 = stablehlo.constant dense<[[1.0, ], [1.0, 2.0, 3.0]]> : tensor<2x3xf32>"),
            "27: dense literal of type tensor<2x3xf32>: there must be elements of the type; got ].");
  EXPECT_EQ(error_in("%0 = stablehlo.constant dense<[(1.0 2.0)]> : tensor<1xcomplex<f32>>", "tensor<1xcomplex<f32>>"),
            "27: dense literal of type tensor<1xcomplex<f32>>: expected ','; got '2.0'.");
  EXPECT_EQ(error_in("%0 = stablehlo.custom_call @weft.igamma(%f) {backend_config = \"x\"} : (tensor<2x3xf32>) -> "
                     "tensor<2x3xf32>")
                .substr(0, 26),
            "8: igamma: there must be 2");
  EXPECT_EQ(error_in("%0 = stablehlo.reshape %f : (tensor<2x3xf32>) -> tensor<7xf32>", "tensor<7xf32>"),
            "8: reshape: the number of elements must stay the same; got f32[2,3] (6 elements) to [7] (7).");
}

TEST(errors, operands_are_counted) {
  EXPECT_EQ(error_of("func.func @main() -> (tensor<2xf32>, tensor<2xf32>) {\n"
                     "  %0:2 = stablehlo.constant dense<1.0> : tensor<2xf32>\n"
                     "  return %0#0, %0#1 : tensor<2xf32>, tensor<2xf32>\n}\n"),
            "a.mlir:2:10: stablehlo.constant: there must be one name per result; got 2 names for 1 result.");
  EXPECT_EQ(error_in("%0 = \"stablehlo.if\"(%s) : (tensor<f32>) -> tensor<2x3xf32>"),
            "8: stablehlo.if: there must be 2 regions; got 0.");
  EXPECT_EQ(error_in("%0 = \"stablehlo.batch_norm_inference\"(%f) {epsilon = 1.0 : f32, feature_index = 0 : i64} : "
                     "(tensor<2x3xf32>) -> tensor<2x3xf32>"),
            "8: stablehlo.batch_norm_inference: there must be 5 operands; got 1.");
  EXPECT_EQ(
      error_in("%0 = \"stablehlo.gather\"(%f) {dimension_numbers = #stablehlo.gather<>, slice_sizes = array<i64>} : "
               "(tensor<2x3xf32>) -> tensor<2x3xf32>"),
      "8: stablehlo.gather: there must be an operand 1; got 1 operand.");
  EXPECT_EQ(error_of("func.func @main(%x: tensor<f32>) -> tensor<f32> {\n"
                     "  %0 = stablehlo.abs %x : tensor<f32>\n"
                     "  %1:2 = stablehlo.optimization_barrier %0, %0 : tensor<f32>, tensor<f32>\n"
                     "  %2 = stablehlo.abs %1 : tensor<f32>\n  return %0 : tensor<f32>\n}\n"),
            "a.mlir:4:22: expected %1#0 to #1; got '%1'.");
  EXPECT_EQ(error_of("func.func @main(%x: tensor<f32>) -> tensor<f32> {\n"
                     "  %0 = stablehlo.abs %x#1 : tensor<f32>\n  return %0 : tensor<f32>\n}\n"),
            "a.mlir:2:22: expected %x, which is one result; got '%x#1'.");
}

TEST(errors, fields_of_attributes_are_checked) {
  const auto gather = [](const std::string& fields) {
    return error_in("%0 = \"stablehlo.gather\"(%f, %i) {dimension_numbers = #stablehlo.gather<" + fields +
                    ">, slice_sizes = array<i64: 1, 3>} : (tensor<2x3xf32>, tensor<2x1xi32>) -> tensor<2x3xf32>");
  };
  const std::string right =
      "offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1";
  EXPECT_EQ(gather(right), "elsewhere: no error");
  EXPECT_EQ(gather(right + ", offset_dim = [1]"),
            "56: #stablehlo.gather<...>: there is no field offset_dim (known: offset_dims, collapsed_slice_dims, "
            "operand_batching_dims, start_indices_batching_dims, start_index_map, index_vector_dim).");
  EXPECT_EQ(gather(right + ", offset_dims = [1]"),
            "56: #stablehlo.gather<...>: a field must stand once; got offset_dims again.");
  EXPECT_EQ(gather("offset_dims = 1"),
            "56: #stablehlo.gather<...>: expected a list of integers as offset_dims; got '1'.");
  EXPECT_EQ(gather("index_vector_dim = [1]"),
            "56: #stablehlo.gather<...>: expected an integer as index_vector_dim; got '['.");
  EXPECT_EQ(gather("offset_dims = [a]"), "56: #stablehlo.gather<...>: expected an integer; got 'a'.");
  EXPECT_EQ(error_in("%0 = \"stablehlo.gather\"(%f, %i) {dimension_numbers = #stablehlo.scatter<>, slice_sizes = "
                     "array<i64: 1, 3>} : (tensor<2x3xf32>, tensor<2x1xi32>) -> tensor<2x3xf32>"),
            "56: there must be #stablehlo.gather<...>; got #stablehlo.scatter<>.");
  EXPECT_EQ(error_in("%0 = \"stablehlo.scatter\"(%f, %i, %f) ({\n  ^bb0(%a: tensor<f32>, %b: tensor<f32>):\n    "
                     "stablehlo.return %b : tensor<f32>\n  }) {scatter_dimension_numbers = "
                     "#stablehlo.scatter<inserted_window_dim = [0]>} : (tensor<2x3xf32>, tensor<2x1xi32>, "
                     "tensor<2x3xf32>) -> tensor<2x3xf32>"),
            "elsewhere: a.mlir:5:35: #stablehlo.scatter<...>: there is no field inserted_window_dim (known: "
            "update_window_dims, inserted_window_dims, input_batching_dims, scatter_indices_batching_dims, "
            "scatter_dims_to_operand_dims, index_vector_dim).");
  EXPECT_EQ(error_in("%0 = \"stablehlo.dot_general\"(%f, %m) {dot_dimension_numbers = #stablehlo.dot<lhs_contracting = "
                     "[1], rhs_contracting_dimensions = [0]>} : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>"),
            "65: #stablehlo.dot<...>: there is no field lhs_contracting (known: lhs_batching_dimensions, "
            "rhs_batching_dimensions, lhs_contracting_dimensions, rhs_contracting_dimensions).");
  EXPECT_EQ(error_in("%0 = \"stablehlo.collective_permute\"(%f) {source_target_pairs = dense<[[0, 0]]> : "
                     "tensor<1x2xi64>, channel_handle = #stablehlo.channel_handle<handle = 1, kind = 0>} : "
                     "(tensor<2x3xf32>) -> tensor<2x3xf32>"),
            "118: #stablehlo.channel_handle<...>: there is no field kind (known: handle, type).");
  EXPECT_EQ(error_in("%0 = stablehlo.convolution(%f, %m) dim_numbers = [b, g]x[i, o]->[b, f] : (tensor<2x3xf32>, "
                     "tensor<3x3xf32>) -> tensor<2x3xf32>"),
            "38: #stablehlo.conv<...>: expected an axis; got 'g'.");
}

TEST(errors, attributes_of_other_dialects_are_checked_alike) {
  EXPECT_EQ(error_in("%0 = chlo.broadcast_add %f, %s {broadcast_dimension = array<i64>} : (tensor<2x3xf32>, "
                     "tensor<f32>) -> tensor<2x3xf32>"),
            "57: chlo.broadcast_add: there is no attribute broadcast_dimension (known: broadcast_dimensions).");
  EXPECT_EQ(error_of("func.func @main(%x: tensor<5xf32>) {\n  %0:2 = mhlo.topk(%x, k = 1) {large = false} : "
                     "tensor<5xf32> -> (tensor<1xf32>, tensor<1xi32>)\n  return\n}\n"),
            "a.mlir:2:40: mhlo.topk: there is no attribute large (known: k, largest).");
  // So are operations that custom calls stand for, which are refused by their own names.
  EXPECT_EQ(error_of("func.func @main(%x: tensor<5xf32>) {\n"
                     "  %0:2 = stablehlo.custom_call @mhlo.topk(%x) {mhlo.attributes = {k = 3 : i64, large = false}} : "
                     "(tensor<5xf32>) -> (tensor<3xf32>, tensor<3xi32>)\n  return\n}\n"),
            "a.mlir:2:88: mhlo.topk: there is no attribute large (known: k, largest).");
  EXPECT_EQ(error_in("%0 = stablehlo.custom_call @mhlo.frob(%f) : (tensor<2x3xf32>) -> tensor<2x3xf32>"),
            "8: stablehlo.custom_call: the target must be registered; got @mhlo.frob.");
  EXPECT_EQ(error_in("%0 = stablehlo.custom_call @weft.frob(%f) : (tensor<2x3xf32>) -> tensor<2x3xf32>"),
            "8: stablehlo.custom_call: the target must be registered; got @weft.frob.");
  const auto ragged = [](const std::string& numbers) {
    return error_in("%0 = \"chlo.ragged_dot\"(%f, %m, %i) {ragged_dot_dimension_numbers = " + numbers +
                    "} : (tensor<2x3xf32>, tensor<3x3xf32>, tensor<2x1xi32>) -> tensor<2x3xf32>");
  };
  EXPECT_EQ(ragged("#mhlo.ragged_dot<dot_dimension_numbers = <lhs_ragged = [0]>>").substr(0, 63),
            "70: #stablehlo.ragged_dot<...>: there is no field lhs_ragged (k");
  EXPECT_EQ(ragged("#chlo.ragged_dot<dot_dimension_numbers = <dot_dimension_numbers = <>>>").substr(0, 68),
            "70: #chlo.ragged_dot<...>: there is no field dot_dimension_numbers (");
  EXPECT_EQ(ragged("#chlo.ragged_dot<dot_dimension_numbers = [0]>"),
            "70: #chlo.ragged_dot<...>: expected '<'; got '['.");
  EXPECT_EQ(ragged("[array<i64>]"),
            "70: chlo.ragged_dot: ragged_dot_dimension_numbers must be #chlo.ragged_dot<...> or six lists; got "
            "[array<i64>].");
}

TEST(errors, attributes_must_be_there_and_be_what_they_are) {
  const auto solve = [](const std::string& attributes) {
    return error_in("%0 = \"stablehlo.triangular_solve\"(%m, %m) {" + attributes +
                        "} : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>",
                    "tensor<3x3xf32>");
  };
  const std::string sides = "left_side = true, lower = true, ", diagonal = "unit_diagonal = false",
                    transpose = ", transpose_a = #stablehlo<transpose NO_TRANSPOSE>";
  EXPECT_EQ(solve(sides + diagonal + transpose), "elsewhere: no error");
  EXPECT_EQ(solve(sides + diagonal), "8: stablehlo.triangular_solve: there must be an attribute transpose_a.");
  EXPECT_EQ(solve("left_side = true, " + diagonal + transpose),
            "8: stablehlo.triangular_solve: there must be an attribute lower.");
  EXPECT_EQ(solve(sides + "unit_diagonal = 2 : i64" + transpose),
            "94: stablehlo.triangular_solve: unit_diagonal must be true or false; got 2 : i64.");
  EXPECT_EQ(solve(sides + "unit_diagonl = false, " + diagonal + transpose),
            "93: stablehlo.triangular_solve: there is no attribute unit_diagonl (known: left_side, lower, "
            "unit_diagonal, transpose_a).");
  EXPECT_EQ(solve(sides + diagonal + ", transpose_a = #stablehlo<transpose SIDEWAYS>"),
            "115: stablehlo.triangular_solve: transpose_a must be #stablehlo<transpose X>, X one of NO_TRANSPOSE, "
            "TRANSPOSE, ADJOINT; got #stablehlo<transpose SIDEWAYS>.");
  EXPECT_EQ(solve(sides + diagonal + ", transpose_a = #stablehlo<fft_type TRANSPOSE>"),
            "115: stablehlo.triangular_solve: transpose_a must be #stablehlo<transpose X>, X one of NO_TRANSPOSE, "
            "TRANSPOSE, ADJOINT; got #stablehlo<fft_type TRANSPOSE>.");
  EXPECT_EQ(error_in("%0 = \"stablehlo.cholesky\"(%m) {lowr = true} : (tensor<3x3xf32>) -> tensor<3x3xf32>",
                     "tensor<3x3xf32>"),
            "41: stablehlo.cholesky: there is no attribute lowr (known: lower).");
  EXPECT_EQ(error_in("%0 = \"stablehlo.cholesky\"(%m) {lower = \"yes\", mhlo.note = 1 : i32} : (tensor<3x3xf32>) -> "
                     "tensor<3x3xf32>",
                     "tensor<3x3xf32>"),
            "42: stablehlo.cholesky: lower must be true or false; got \"yes\".");
  EXPECT_EQ(error_in("%0 = \"stablehlo.compare\"(%f, %f) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>",
                     "tensor<2x3xi1>"),
            "8: stablehlo.compare: there must be an attribute comparison_direction.");
  EXPECT_EQ(error_in("%0 = stablehlo.compare ABOVE, %f, %f : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>",
                     "tensor<2x3xi1>"),
            "26: stablehlo.compare: comparison_direction must be #stablehlo<comparison_direction X>, X one of EQ, NE, "
            "GE, GT, LE, LT; got #stablehlo<comparison_direction ABOVE>.");
  EXPECT_EQ(
      error_in("%0 = stablehlo.compare LT, %f, %f, SIDEWAYS : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>",
               "tensor<2x3xi1>"),
      "38: stablehlo.compare: compare_type must be #stablehlo<comparison_type X>, X one of NOTYPE, FLOAT, "
      "TOTALORDER, SIGNED, UNSIGNED, WEAKORDER; got #stablehlo<comparison_type SIDEWAYS>.");
  EXPECT_EQ(error_in("%0 = \"stablehlo.compare\"(%f, %f) {comparison_direction = #chlo<comparison_direction LT>} : "
                     "(tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>",
                     "tensor<2x3xi1>"),
            "elsewhere: no error");
  EXPECT_EQ(error_in("%0 = \"stablehlo.transpose\"(%f) {permutation = dense<[[1, 0]]> : tensor<1x2xi64>} : "
                     "(tensor<2x3xf32>) -> tensor<3x2xf32>",
                     "tensor<3x2xf32>"),
            "49: stablehlo.transpose: permutation must be a list of integers; got dense<...> : tensor<1x2xi64>.");
  EXPECT_EQ(error_in("%0 = \"stablehlo.iota\"() {iota_dimension = 1.0 : f32} : () -> tensor<2x3xf32>"),
            "45: stablehlo.iota: iota_dimension must be an integer; got 1.0 : f32.");
  EXPECT_EQ(error_in("%0 = \"func.call\"(%f) : (tensor<2x3xf32>) -> tensor<2x3xf32>"),
            "8: func.call: there must be an attribute callee.");
  EXPECT_EQ(error_in("%0 = stablehlo.abs %f {a = 1 : i64, a = 2 : i64} : tensor<2x3xf32>"),
            "43: an attribute must stand once; got a again.");
}

TEST(errors, of_names_that_come_twice_name_the_second) {
  EXPECT_EQ(
      error_of("func.func @main(%x: tensor<f32>,\n  %x: tensor<f32>) -> tensor<f32> {\n  return %x : tensor<f32>\n"
               "}\n"),
      "a.mlir:2:3: expected a name that no value has yet; got '%x'.");
  EXPECT_EQ(error_of("#a = 1 : i32\n#a = 2 : i32\nfunc.func @main() { return }\n"),
            "a.mlir:2:1: expected a name that no attribute alias has yet; got '#a'.");
  EXPECT_EQ(error_of("!t = tensor<f32>\n!t = tensor<f32>\nfunc.func @main() { return }\n"),
            "a.mlir:2:1: expected a name that no type alias has yet; got '!t'.");
}

TEST(errors, of_a_branch_name_what_it_returns) {
  const auto program = [](const std::string& first, const std::string& second) {
    return "func.func @main(%p: tensor<i1>, %x: tensor<4xf32>, %y: tensor<4xf64>) -> tensor<4xf32> {\n"
           "  %0 = \"stablehlo.if\"(%p) ({\n    stablehlo.return " +
           first + "\n  }, {\n    stablehlo.return " + second +
           "\n  }) : (tensor<i1>) -> tensor<4xf32>\n  return %0 : tensor<4xf32>\n}\n";
  };
  EXPECT_EQ(error_of(program("%x : tensor<4xf32>", "%y : tensor<4xf64>")),
            "a.mlir:5:5: stablehlo.return: values must have the result types of stablehlo.if; got f64[4] for f32[4], "
            "result 0.");
  EXPECT_EQ(error_of(program("%y : tensor<4xf64>", "%x : tensor<4xf32>")),
            "a.mlir:3:5: stablehlo.return: values must have the result types of stablehlo.if; got f64[4] for f32[4], "
            "result 0.");
  EXPECT_EQ(error_of(program("%x, %x : tensor<4xf32>, tensor<4xf32>", "%x : tensor<4xf32>")),
            "a.mlir:3:5: stablehlo.return: there must be one value per result of stablehlo.if; got 2 values for 1 "
            "result.");
}

TEST(errors, of_binary_forms_say_what_makes_text_of_them) {
  EXPECT_EQ(
      error_of("ML\xEFR\x01StableHLO_v1.0.0"),
      "a.mlir:1:1: expected StableHLO text; got MLIR bytecode, which stablehlo-translate --deserialize turns into "
      "text.");
  EXPECT_EQ(error_of("\"builtin.module\"() <{sym_name = \"m\"}> ({\n  \"vhlo.func_v1\"() <{sym_name = "
                     "#vhlo.string_v1<\"main\">}> ({\n  }) : () -> ()\n}) : () -> ()\n"),
            "a.mlir:2:3: vhlo.func_v1: VHLO is the form in which StableHLO is stored, which stablehlo-translate "
            "--deserialize turns into the program itself.");
}

TEST(errors, of_functions_that_are_not_there_list_those_that_are) {
  const std::string f = "func.func private @f(%x: tensor<f32>) -> tensor<f32> { return %x : tensor<f32> }\n",
                    g = "func.func private @g() { return }\n";
  EXPECT_EQ(error_of(""), "a.mlir:1:1: there must be a function in the program.");
  EXPECT_EQ(error_of(f + g),
            "a.mlir:1:1: there must be @main, another public function, or the name of one; got @f, @g, which are "
            "private.");
  try {
    import(f + g, {.source = "a.mlir", .function = "h"});
    FAIL();
  } catch (const ParseError& e) {
    EXPECT_EQ(e.message(), "a.mlir:1:1: there must be a function @h; got @f, @g.");
  }
}

TEST(errors, a_byte_order_mark_is_no_error_and_characters_are_quoted_whole) {
  EXPECT_EQ(error_of("\xEF\xBB\xBF"
                     "func.func @main() { return }\n"),
            "no error");
  EXPECT_EQ(error_of("\xC3\xA4\xC3\xA4"), "a.mlir:1:1: expected an operation; got '\xC3\xA4'.");
  EXPECT_EQ(error_of("\xE2\x82\xAC"), "a.mlir:1:1: expected an operation; got '\xE2\x82\xAC'.");
  EXPECT_EQ(error_of("\xC3"), "a.mlir:1:1: expected an operation; got '\xC3'.");
  // An attribute that is too long for an error is cut between two.
  std::string name(60, 'x');
  for (int i = 0; i < 8; ++i) name += "\xC3\xA4";
  EXPECT_NE(error_in("%0 = \"stablehlo.transpose\"(%f) {permutation = \"" + name +
                     "\"} : (tensor<2x3xf32>) -> "
                     "tensor<2x3xf32>")
                .find("got \"" + name.substr(0, 60) + "..."),
            std::string::npos);
}

TEST(errors, comparisons_are_of_the_operands_type) {
  const auto compare = [](const std::string& element, const std::string& type) {
    return error_of("func.func @main(%x: tensor<2x" + element + ">) {\n  %0 = stablehlo.compare EQ, %x, %x, " + type +
                    " : (tensor<2x" + element + ">, tensor<2x" + element + ">) -> tensor<2xi1>\n  return\n}\n");
  };
  for (const auto& [element, types] : std::initializer_list<std::pair<const char*, std::vector<const char*>>>{
           {"f32", {"FLOAT", "TOTALORDER", "NOTYPE"}},
           {"bf16", {"FLOAT", "TOTALORDER"}},
           {"complex<f32>", {"FLOAT"}},
           {"i8", {"SIGNED"}},
           {"ui32", {"UNSIGNED"}},
           {"i1", {"UNSIGNED"}}})
    for (const char* type : types) EXPECT_EQ(compare(element, type), "no error") << element << " " << type;
  EXPECT_EQ(compare("f32", "SIGNED"),
            "a.mlir:2:38: stablehlo.compare: compare_type must be FLOAT or TOTALORDER for f32; got SIGNED.");
  EXPECT_EQ(compare("i32", "FLOAT"), "a.mlir:2:38: stablehlo.compare: compare_type must be SIGNED for i32; got FLOAT.");
  EXPECT_EQ(compare("i32", "TOTALORDER"),
            "a.mlir:2:38: stablehlo.compare: compare_type must be SIGNED for i32; got TOTALORDER.");
  EXPECT_EQ(compare("ui8", "SIGNED"),
            "a.mlir:2:38: stablehlo.compare: compare_type must be UNSIGNED for ui8; got SIGNED.");
}

// Programs have no lines of C++, so hints for those who write it would be none.
TEST(errors, hints_of_operations_stay_with_cpp) {
  try {
    import(
        "func.func @main(%x: tensor<2xf32>, %y: tensor<2xf64>) {\n  %0 = \"stablehlo.add\"(%x, %y) : (tensor<2xf32>, "
        "tensor<2xf64>) -> tensor<2xf32>\n  return\n}\n");
    FAIL();
  } catch (const ParseError& e) {
    EXPECT_EQ(e.hint(), "");
  }
  EXPECT_EQ(error_text(DTypeError("add: operands must agree.", "convert one of them with astype."), "a.mlir"),
            "add: operands must agree.");
}

}  // namespace
}  // namespace weft::stablehlo
