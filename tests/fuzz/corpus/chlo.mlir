func.func @main(%x: tensor<2x3xf32>, %s: tensor<3xf32>, %z: tensor<2xcomplex<f32>>, %i: tensor<3xi32>, %p: tensor<i1>) -> tensor<2x3xf32> {
  %a0 = chlo.acos %x : tensor<2x3xf32> -> tensor<2x3xf32>
  %a1 = chlo.acosh %a0 : tensor<2x3xf32> -> tensor<2x3xf32>
  %a2 = chlo.asin %a1 : tensor<2x3xf32> -> tensor<2x3xf32>
  %a3 = chlo.asinh %a2 : tensor<2x3xf32> -> tensor<2x3xf32>
  %a4 = chlo.atan %a3 : tensor<2x3xf32> -> tensor<2x3xf32>
  %a5 = chlo.atanh %a4 : tensor<2x3xf32> -> tensor<2x3xf32>
  %a6 = chlo.bessel_i1e %a5 : tensor<2x3xf32> -> tensor<2x3xf32>
  %a7 = chlo.conj %z : tensor<2xcomplex<f32>> -> tensor<2xcomplex<f32>>
  %a8 = chlo.cosh %a6 : tensor<2x3xf32> -> tensor<2x3xf32>
  %a9 = chlo.digamma %a8 : tensor<2x3xf32> -> tensor<2x3xf32>
  %b0 = chlo.erf %a9 : tensor<2x3xf32> -> tensor<2x3xf32>
  %b1 = chlo.erf_inv %b0 : tensor<2x3xf32> -> tensor<2x3xf32>
  %b2 = chlo.erfc %b1 : tensor<2x3xf32> -> tensor<2x3xf32>
  %b3 = chlo.is_inf %b2 : tensor<2x3xf32> -> tensor<2x3xi1>
  %b4 = chlo.is_neg_inf %b2 : tensor<2x3xf32> -> tensor<2x3xi1>
  %b5 = chlo.is_pos_inf %b2 : tensor<2x3xf32> -> tensor<2x3xi1>
  %b6 = chlo.lgamma %b2 : tensor<2x3xf32> -> tensor<2x3xf32>
  %b7 = chlo.sinh %b6 : tensor<2x3xf32> -> tensor<2x3xf32>
  %b8 = chlo.square %b7 : tensor<2x3xf32> -> tensor<2x3xf32>
  %b9 = chlo.tan %b8 : tensor<2x3xf32> -> tensor<2x3xf32>
  %c0 = chlo.next_after %b9, %x : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  %c1 = chlo.polygamma %c0, %x : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  %c2 = chlo.zeta %c1, %x : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  %c3 = chlo.mulhi %i, %i : tensor<3xi32>, tensor<3xi32> -> tensor<3xi32>
  %c4 = chlo.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %c5 = "chlo.constant_like"(%x) <{value = 1.5 : f32}> : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %c6:2 = chlo.top_k(%c5, k = 2) : tensor<2x3xf32> -> (tensor<2x2xf32>, tensor<2x2xi32>)
  %d0 = chlo.broadcast_add %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %d1 = chlo.broadcast_subtract %d0, %s {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %d2 = "chlo.broadcast_compare"(%d1, %s) <{compare_type = #chlo<comparison_type FLOAT>, comparison_direction = #chlo<comparison_direction GE>, broadcast_dimensions = array<i64: 1>}> : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xi1>
  %d3 = chlo.broadcast_select %d2, %d1, %s : (tensor<2x3xi1>, tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return %d3 : tensor<2x3xf32>
}
func.func @more(%x: tensor<2x3xf32>, %s: tensor<3xf32>, %i: tensor<2x3xi32>, %j: tensor<3xi32>, %n: tensor<2xi64>, %g: tensor<2xi64>) {
  %0 = chlo.broadcast_atan2 %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %1 = chlo.broadcast_complex %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xcomplex<f32>>
  %2 = chlo.broadcast_divide %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %3 = chlo.broadcast_maximum %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %4 = chlo.broadcast_minimum %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %5 = chlo.broadcast_multiply %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %6 = chlo.broadcast_next_after %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %7 = chlo.broadcast_polygamma %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %8 = chlo.broadcast_power %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %9 = chlo.broadcast_remainder %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %10 = chlo.broadcast_zeta %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %11 = chlo.broadcast_and %i, %j : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  %12 = chlo.broadcast_or %i, %j : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  %13 = chlo.broadcast_xor %i, %j : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  %14 = chlo.broadcast_shift_left %i, %j : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  %15 = chlo.broadcast_shift_right_arithmetic %i, %j : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  %16 = chlo.broadcast_shift_right_logical %i, %j : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  %17 = chlo.dynamic_reshape %x, %n : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<3x2xf32>
  %18 = "chlo.ragged_dot"(%x, %x, %g) <{ragged_dot_dimension_numbers = #chlo.ragged_dot<lhs_contracting_dimensions = [1]>}> : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  %19 = chlo._asin_acos_kernel %x : tensor<2x3xf32> -> tensor<2x3xf32>
  %20 = chlo.minimum_broadcast_shapes %n : tensor<2xi64> -> tensor<?xi64>
  return
}
