func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = "a.b"(%x) {m = #mhlo<"[">, n = #mhlo<"comparison_direction LT">, o = #mhlo<"word ">} : (tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}
