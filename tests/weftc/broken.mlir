func.func @main(%x: tensor<3xf32>) -> tensor<f32> {
  %0 = stablehlo.abs %y : tensor<3xf32>
