#weights = dense_resource<w> : tensor<3xf32>
func.func @main(%x: tensor<4x3xf32>, %y: tensor<2x3x5xf32>, %g: tensor<2xi32>, %z: tensor<3xcomplex<f32>>) -> tensor<4x5xf32> {
  %0 = stablehlo.constant dense_resource<w> : tensor<3xf32>
  %1 = stablehlo.constant() {value = dense<[0xFF, -0x1, 255]> : tensor<3xi8>} : () -> tensor<3xi8>
  %2 = "chlo.ragged_dot"(%x, %y, %g) <{precision_config = [#chlo<precision DEFAULT>], ragged_dot_dimension_numbers = #chlo.ragged_dot<lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [1], lhs_ragged_dimensions = [0], rhs_group_dimensions = [0]>}> : (tensor<4x3xf32>, tensor<2x3x5xf32>, tensor<2xi32>) -> tensor<4x5xf32>
  %3 = "mhlo.ragged_dot"(%x, %y, %g) {ragged_dot_dimension_numbers = #mhlo.ragged_dot<dot_dimension_numbers = #mhlo.dot<lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [1]>, lhs_ragged_dimensions = [0], rhs_group_dimensions = [0]>} : (tensor<4x3xf32>, tensor<2x3x5xf32>, tensor<2xi32>) -> tensor<4x5xf32>
  %4 = stablehlo.custom_call @chlo.ragged_dot(%x, %y, %g) {mhlo.attributes = {ragged_dot_dimension_numbers = [dense<> : tensor<0xi64>, dense<> : tensor<0xi64>, dense<1> : tensor<1xi64>, dense<1> : tensor<1xi64>, dense<0> : tensor<1xi64>, dense<0> : tensor<1xi64>]}} : (tensor<4x3xf32>, tensor<2x3x5xf32>, tensor<2xi32>) -> tensor<4x5xf32>
  %5:2 = mhlo.topk(%0, k = 2, largest = false) : tensor<3xf32> -> (tensor<2xf32>, tensor<2xi32>)
  %6:2 = stablehlo.custom_call @mhlo.topk(%0) {mhlo.attributes = {k = 2 : i64, largest = true}, mhlo.version = 1 : i64} : (tensor<3xf32>) -> (tensor<2xf32>, tensor<2xi32>)
  %7 = mhlo.erf %0 : tensor<3xf32>
  %8 = mhlo.copy %7 : tensor<3xf32>
  %9 = chlo.broadcast_compare %x, %8 {broadcast_dimensions = array<i64: 1>, comparison_direction = #chlo<comparison_direction LT>} : (tensor<4x3xf32>, tensor<3xf32>) -> tensor<4x3xi1>
  %10 = chlo._asin_acos_kernel %z : tensor<3xcomplex<f32>> -> tensor<3xcomplex<f32>>
  %11 = chlo.asin_acos_kernel %10 : tensor<3xcomplex<f32>> -> tensor<3xcomplex<f32>>
  %12 = stablehlo.einsum %x, %x, config = "...a,...a->..." : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4xf32>
  %13 = stablehlo.unary_einsum %x, config = "...a" : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %14 = "stablehlo.async_start"(%8) ({
  ^bb0(%a: tensor<3xf32>):
    %b = mhlo.sine %a : tensor<3xf32>
    stablehlo.return %b : tensor<3xf32>
  }) : (tensor<3xf32>) -> !stablehlo.future<tensor<3xf32>>
  %15 = "stablehlo.async_done"(%14) : (!stablehlo.future<tensor<3xf32>>) -> tensor<3xf32>
  %16 = stablehlo.custom_call @xla.sdy.FuncResultSharding(%2) {has_side_effect = true} : (tensor<4x5xf32>) -> tensor<4x5xf32>
  %s = stablehlo.constant dense<[1, 2, 1]> : tensor<3xi64>
  %17:2 = chlo.minimum_broadcast_shapes %s, %s : tensor<3xi64>, tensor<3xi64> -> (tensor<1xi64>, tensor<1xi64>)
  %ok = stablehlo.constant dense<true> : tensor<i1>
  %n = stablehlo.constant dense<3> : tensor<i32>
  stablehlo.custom_call @shape_assertion(%ok, %n) {error_message = "{0}", has_side_effect = true} : (tensor<i1>, tensor<i32>) -> ()
  return %16 : tensor<4x5xf32>
}
{-#
  external_resources: {mlir_reproducer: {verify_each: true}},
  dialect_resources: {builtin: {w: "0x040000000000803F0000004000004040"}}
#-}
