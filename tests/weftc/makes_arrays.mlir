// Arrays for takes_arrays.mlir, of types that .npy files have and have not.
func.func @main() -> (tensor<3xf32>, tensor<i32>, tensor<2xf8E4M3FN>, tensor<2xbf16>, tensor<2xi4>) {
  %0 = stablehlo.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %1 = stablehlo.constant dense<2> : tensor<i32>
  %2 = stablehlo.constant dense<[0.5, 1.0]> : tensor<2xf8E4M3FN>
  %3 = stablehlo.constant dense<[1.0, 2.0]> : tensor<2xbf16>
  %4 = stablehlo.constant dense<[-8, 7]> : tensor<2xi4>
  return %0, %1, %2, %3, %4 : tensor<3xf32>, tensor<i32>, tensor<2xf8E4M3FN>, tensor<2xbf16>, tensor<2xi4>
}
func.func @between() -> tensor<2xf32> {
  %0 = stablehlo.constant dense<[1.0, 1.01]> : tensor<2xf32>
  return %0 : tensor<2xf32>
}
