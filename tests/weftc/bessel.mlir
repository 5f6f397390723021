// What has a derivative that neither StableHLO nor CHLO has an operation for.
func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = chlo.bessel_i1e %x : tensor<f32> -> tensor<f32>
  return %0 : tensor<f32>
}
func.func @vector(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<i32>) {
  %0 = stablehlo.constant dense<1> : tensor<i32>
  return %x, %0 : tensor<3xf32>, tensor<i32>
}
func.func private @mixed(%x: tensor<f32>, %y: tensor<f64>) -> tensor<f32> {
  %0 = "stablehlo.add"(%x, %y) : (tensor<f32>, tensor<f64>) -> tensor<f32>
  return %0 : tensor<f32>
}
