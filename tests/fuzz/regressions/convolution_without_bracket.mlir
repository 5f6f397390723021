func.func @main(%x: tensor<1x8x2xf32>, %w: tensor<3x2x4xf32>) {
  %0 = stablehlo.convolution(%x, %w) dim_numbers = = [b, 0, f]x[0, i, o]->[b, 0, f], window = {stride = [1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x8x2xf32>, tensor<3x2x4xf32>) -> tensor<1x6x4xf32>
  return
}
