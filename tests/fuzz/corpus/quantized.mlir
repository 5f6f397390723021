func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.uniform_quantize %x : (tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f32, 34.0:16>>
  %1 = stablehlo.add %0, %0 : tensor<2x!quant.uniform<i8:f32, 34.0:16>>
  %2 = stablehlo.uniform_dequantize %1 : (tensor<2x!quant.uniform<i8:f32, 34.0:16>>) -> tensor<2xf32>
  %3 = stablehlo.uniform_quantize %x : (tensor<2xf32>) -> tensor<2x!quant.uniform<i8<-127:127>:f32:0, {0.1:-30, 0.5:10}>>
  return %2 : tensor<2xf32>
}
