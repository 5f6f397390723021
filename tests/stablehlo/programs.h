// Small programs in the pretty form that between them use every part of the syntax: seeds of the mutation and fuzz
// tests, and examples of the parser's.
#pragma once

#include <string_view>

namespace weft::stablehlo::testing {

inline constexpr std::string_view kPrograms[] = {
    R"(module @m attributes {mhlo.num_partitions = 1 : i32, jax.uses_shape_polymorphism = false} {
  func.func public @main(%arg0: tensor<2x3xf32> {jax.arg_info = "x", mhlo.layout_mode = "default"}, %arg1: tensor<f32>) -> (tensor<2x3xf32> {jax.result_info = ""}) {
    %cst = stablehlo.constant dense<[[1.0, 2.5, -3.0], [0x7F800000, 1e-3, 0.0]]> : tensor<2x3xf32>
    %0 = stablehlo.broadcast_in_dim %arg1, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %1 = stablehlo.add %arg0, %0 : tensor<2x3xf32> loc("file.py":1:2)
    %2 = stablehlo.compare  LT, %1, %cst,  FLOAT : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
    %3 = stablehlo.select %2, %1, %cst : tensor<2x3xi1>, tensor<2x3xf32>
    %4 = call @"<lambda>"(%3) : (tensor<2x3xf32>) -> tensor<2x3xf32>
    return %4 : tensor<2x3xf32>
  }
  func.func private @"<lambda>"(%arg0: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %0 = chlo.erf %arg0 : tensor<2x3xf32> -> tensor<2x3xf32>
    return %0 : tensor<2x3xf32>
  }
}
)",
    R"(#loc = loc(unknown)
func.func @loops(%arg0: tensor<4xf32> loc(unknown), %arg1: tensor<i32>) -> (tensor<f32>, tensor<i32>) {
  %c = stablehlo.constant dense<10> : tensor<i32>
  %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
  %0:2 = stablehlo.while(%iterArg = %arg1, %iterArg_0 = %arg0) : tensor<i32>, tensor<4xf32>
   cond {
    %3 = stablehlo.compare LT, %iterArg, %c, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %3 : tensor<i1>
  } do {
    %c_1 = stablehlo.constant dense<1> : tensor<i32>
    %3 = stablehlo.add %iterArg, %c_1 : tensor<i32>
    %4 = stablehlo.multiply %iterArg_0, %iterArg_0 : tensor<4xf32>
    stablehlo.return %3, %4 : tensor<i32>, tensor<4xf32>
  }
  %1 = stablehlo.reduce(%0#1 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<4xf32>, tensor<f32>) -> tensor<f32>
  %2:2 = stablehlo.reduce(%0#1 init: %cst), (%0#1 init: %cst) across dimensions = [0] : (tensor<4xf32>, tensor<4xf32>, tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
   reducer(%a: tensor<f32>, %b: tensor<f32>) (%c0: tensor<f32>, %d: tensor<f32>)  {
    %3 = stablehlo.maximum %a, %b : tensor<f32>
    %4 = stablehlo.minimum %c0, %d : tensor<f32>
    stablehlo.return %3, %4 : tensor<f32>, tensor<f32>
  }
  return %1, %0#0 : tensor<f32>, tensor<i32>
} loc(#loc)
)",
    R"(func.func @products(%x: tensor<1x8x8x2xf32>, %w: tensor<3x3x2x4xf32>, %a: tensor<2x3xf32>, %b: tensor<3x4xf32>) -> tensor<1x4x4x4xf32> {
  %c = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %0 = stablehlo.convolution(%x, %w) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [2, 2], pad = [[1, 1], [1, 1]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision DEFAULT>, #stablehlo<precision HIGHEST>]} : (tensor<1x8x8x2xf32>, tensor<3x3x2x4xf32>) -> tensor<1x4x4x4xf32>
  %1 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT], algorithm = <lhs_precision_type = tf32, rhs_precision_type = tf32, accumulation_type = f32, lhs_component_count = 1, rhs_component_count = 1, num_primitive_operations = 1, allow_imprecise_accumulation = false> : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  %2 = "stablehlo.reduce_window"(%0, %c) <{padding = dense<[[0, 0], [1, 1], [1, 1], [0, 0]]> : tensor<4x2xi64>, window_dimensions = array<i64: 1, 3, 3, 1>}> ({
  ^bb0(%l: tensor<f32>, %r: tensor<f32>):
    %4 = stablehlo.maximum %l, %r : tensor<f32>
    stablehlo.return %4 : tensor<f32>
  }) : (tensor<1x4x4x4xf32>, tensor<f32>) -> tensor<1x4x4x4xf32>
  return %2 : tensor<1x4x4x4xf32>
}
)",
    R"(func.func @shapes(%x: tensor<4x6xf32>, %i: tensor<i32>, %n: tensor<3x1xi32>) -> tensor<3x6xf32> {
  %c = stablehlo.constant dense<"0x0000803F"> : tensor<f32>
  %0 = stablehlo.slice %x [0:4:2, 1:5] : (tensor<4x6xf32>) -> tensor<2x4xf32>
  %1 = stablehlo.dynamic_slice %x, %i, %i, sizes = [2, 2] : (tensor<4x6xf32>, tensor<i32>, tensor<i32>) -> tensor<2x2xf32>
  %2 = stablehlo.pad %1, %c, low = [1, -1], high = [0, 0], interior = [0, 1] : (tensor<2x2xf32>, tensor<f32>) -> tensor<3x2xf32>
  %3 = stablehlo.concatenate %0, %0, dim = 0 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<4x4xf32>
  %4 = stablehlo.transpose %3, dims = [1, 0] : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %5 = stablehlo.reverse %4, dims = [0] : tensor<4x4xf32>
  %6 = stablehlo.iota dim = 0 : tensor<4xi32>
  %7 = stablehlo.reduce_precision %x, format = e5m10 : tensor<4x6xf32>
  %8 = "stablehlo.gather"(%7, %n) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1, 6>, indices_are_sorted = false}> : (tensor<4x6xf32>, tensor<3x1xi32>) -> tensor<3x6xf32>
  %values, %indices = chlo.top_k(%x, k = 2) : tensor<4x6xf32> -> (tensor<4x2xf32>, tensor<4x2xi32>)
  return %8 : tensor<3x6xf32>
}
)",
    R"(#map = affine_map<(d0) -> (d0)>
!t = tensor<2xcomplex<f32>>
func.func @others(%x: !t, %t: !stablehlo.token, %u: tuple<tensor<i32>, tuple<>>) -> !stablehlo.token attributes {a.map = #map, a.list = [1, 2.5 : f32, "s\0A", @sym::@nested, unit, {k = true}], b} {
  %0 = stablehlo.real %x : (!t) -> tensor<2xf32>
  %1 = stablehlo.complex %0, %0 : !t
  %cst = stablehlo.constant dense<[(1.0, -2.0), (0xFF800000, 0.0)]> : !t
  %2 = stablehlo.get_tuple_element %u[0] : (tuple<tensor<i32>, tuple<>>) -> tensor<i32>
  %3 = stablehlo.tuple %2, %0 : tuple<tensor<i32>, tensor<2xf32>>
  %4 = stablehlo.custom_call @"any name"(%x) {backend_config = {x = 1 : i64}, has_side_effect = true} : (!t) -> !t
  %5 = stablehlo.after_all %t, %t : !stablehlo.token
  %6:2 = stablehlo.optimization_barrier %0, %2 : tensor<2xf32>, tensor<i32>
  %7 = "stablehlo.case"(%2) ({
    stablehlo.return %0 : tensor<2xf32>
  }, {
    %8 = stablehlo.negate %0 : tensor<2xf32>
    stablehlo.return %8 : tensor<2xf32>
  }) : (tensor<i32>) -> tensor<2xf32>
  return %5 : !stablehlo.token
}
)",
    R"(module @other_dialects {
  sdy.mesh @mesh = <["x"=2]>
  func.func public @main(%x: tensor<4x3xf32>, %y: tensor<2x3x5xf32>, %g: tensor<2xi32>, %z: tensor<3xcomplex<f32>>) -> tensor<4x5xf32> {
    %0 = stablehlo.constant dense_resource<w> : tensor<3xf32>
    %1 = stablehlo.constant() {value = dense<[0xFF, -0x1, 255]> : tensor<3xi8>} : () -> tensor<3xi8>
    %2 = "chlo.ragged_dot"(%x, %y, %g) <{precision_config = [#chlo<precision DEFAULT>], ragged_dot_dimension_numbers = #chlo.ragged_dot<lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [1], lhs_ragged_dimensions = [0], rhs_group_dimensions = [0]>}> : (tensor<4x3xf32>, tensor<2x3x5xf32>, tensor<2xi32>) -> tensor<4x5xf32>
    %3 = chlo.broadcast_compare %x, %0 {broadcast_dimensions = array<i64: 1>, comparison_direction = #chlo<comparison_direction LT>} : (tensor<4x3xf32>, tensor<3xf32>) -> tensor<4x3xi1>
    %4:2 = mhlo.topk(%0, k = 2, largest = false) : tensor<3xf32> -> (tensor<2xf32>, tensor<2xi32>)
    %5:2 = stablehlo.custom_call @mhlo.topk(%0) {mhlo.attributes = {k = 2 : i64, largest = true}, mhlo.version = 1 : i64} : (tensor<3xf32>) -> (tensor<2xf32>, tensor<2xi32>)
    %6 = "mhlo.erf"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    %7 = chlo._asin_acos_kernel %z : tensor<3xcomplex<f32>> -> tensor<3xcomplex<f32>>
    %8 = stablehlo.einsum %x, %x, config = "...a,...a->..." : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4xf32>
    %9 = "stablehlo.async_start"(%6) ({
    ^bb0(%a: tensor<3xf32>):
      %b = mhlo.sine %a : tensor<3xf32>
      stablehlo.return %b : tensor<3xf32>
    }) : (tensor<3xf32>) -> !stablehlo.future<tensor<3xf32>>
    %10 = "stablehlo.async_done"(%9) : (!stablehlo.future<tensor<3xf32>>) -> tensor<3xf32>
    %11 = stablehlo.custom_call @xla.sdy.FuncResultSharding(%2) {has_side_effect = true} : (tensor<4x5xf32>) -> tensor<4x5xf32>
    %ok = stablehlo.constant dense<true> : tensor<i1>
    stablehlo.custom_call @shape_assertion(%ok, %g) {error_message = "{0}", has_side_effect = true} : (tensor<i1>, tensor<2xi32>) -> ()
    return %11 : tensor<4x5xf32>
  }
}
{-#
  dialect_resources: {
    builtin: {
      w: "0x040000000000803F0000004000004040"
    }
  }
#-}
)",
};

}  // namespace weft::stablehlo::testing
