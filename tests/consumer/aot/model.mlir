func.func @main(%x: tensor<2xf32>, %w: tensor<2x3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [0] x [0] : (tensor<2xf32>, tensor<2x3xf32>) -> tensor<3xf32>
  %1 = stablehlo.constant dense<0.0> : tensor<3xf32>
  %2 = stablehlo.maximum %0, %1 : tensor<3xf32>
  return %2 : tensor<3xf32>
}
