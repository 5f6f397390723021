// A loss beside what else a program may give.
func.func @main(%x: tensor<3xf32>) -> (tensor<f32>, tensor<f32>, tensor<3xf32>) {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.sine %x : tensor<3xf32>
  %1 = stablehlo.multiply %0, %x : tensor<3xf32>
  %2 = stablehlo.reduce(%0 init: %zero) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
  %3 = stablehlo.reduce(%1 init: %zero) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
  return %2, %3, %0 : tensor<f32>, tensor<f32>, tensor<3xf32>
}
