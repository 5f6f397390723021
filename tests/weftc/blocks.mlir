// Control flow by blocks, and more that Weft does not have behind it.
func.func @main(%p: tensor<i1>, %x: tensor<f32>) -> tensor<f32> {
  cf.cond_br %p, ^bb1, ^bb1
^bb1:
  %0 = stablehlo.frob %x : tensor<f32>
  return %0 : tensor<f32>
}
