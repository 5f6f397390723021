func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.frob %x : tensor<3xf32>
  %1 = stablehlo.custom_call @nobody(%0) : (tensor<3xf32>) -> tensor<3xf32>
  return %1 : tensor<3xf32>
}
