// x * n, when the other arrays are those of makes_arrays.mlir.
func.func @main(%x: tensor<3xf32>, %n: tensor<i32>, %small: tensor<2xf8E4M3FN>, %brain: tensor<2xbf16>) -> tensor<3xf32> {
  %0 = stablehlo.convert %n : (tensor<i32>) -> tensor<f32>
  %1 = stablehlo.convert %small : (tensor<2xf8E4M3FN>) -> tensor<2xf32>
  %2 = stablehlo.convert %brain : (tensor<2xbf16>) -> tensor<2xf32>
  %3 = stablehlo.multiply %1, %2 : tensor<2xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  // 0.5 * 1 + 1 * 2
  %4 = stablehlo.reduce(%3 init: %zero) applies stablehlo.add across dimensions = [0] : (tensor<2xf32>, tensor<f32>) -> tensor<f32>
  %expected = stablehlo.constant dense<2.5> : tensor<f32>
  %5 = stablehlo.divide %4, %expected : tensor<f32>
  %6 = stablehlo.multiply %0, %5 : tensor<f32>
  %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<3xf32>
  %8 = stablehlo.multiply %x, %7 : tensor<3xf32>
  return %8 : tensor<3xf32>
}
