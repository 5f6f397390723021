func.func @main(%k: tensor<2xui64>, %a: tensor<f32>) -> (tensor<2xui64>, tensor<4xui32>, tensor<2x3xf32>) {
  %v = stablehlo.constant dense<[2, 3]> : tensor<2xi64>
  %0:2 = stablehlo.rng_bit_generator %k, algorithm = THREE_FRY : (tensor<2xui64>) -> (tensor<2xui64>, tensor<4xui32>)
  %1:2 = stablehlo.rng_bit_generator %k, algorithm = PHILOX : (tensor<2xui64>) -> (tensor<2xui64>, tensor<3xui8>)
  %2 = stablehlo.rng %a, %a, %v, distribution = NORMAL : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<2x3xf32>
  return %0#0, %0#1, %2 : tensor<2xui64>, tensor<4xui32>, tensor<2x3xf32>
}
