func.func @main(%x: tensor<1x4x4x1xi64>, %w: tensor<3x3x1x1xi64>, %padding: tensor<2x2xi64>) {
  %0 = "stablehlo.dynamic_conv"(%x, %w, %padding) {dimension_numbers = #stablehlo.conv<[1]>} : (tensor<1x4x4x1xi64>, tensor<3x3x1x1xi64>, tensor<2x2xi64>) -> tensor<1x2x2x1xi64>
  %1 = "stablehlo.dynamic_conv"(%x, %w, %padding) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]-H[b, 0, 1, f]>} : (tensor<1x4x4x1xi64>, tensor<3x3x1x1xi64>, tensor<2x2xi64>) -> tensor<1x2x2x1xi64>
  return
}
