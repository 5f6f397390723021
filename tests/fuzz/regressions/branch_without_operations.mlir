func.func @main(%p: tensor<i1>) -> tensor<f32> {
  %0 = "stablehlo.if"(%p) ({
  ^bb0:
  }, {
  ^bb0:
  }) : (tensor<i1>) -> tensor<f32>
  return %0 : tensor<f32>
}
