func.func @main(%x: tensor<4x6xf32>, %k: tensor<i32>, %n: tensor<3x1xi32>, %v: tensor<4xf32>) -> tensor<3x6xf32> {
  %c = stablehlo.constant dense<"0x0000803F"> : tensor<f32>
  %low = stablehlo.constant dense<[1, 0]> : tensor<2xi64>
  %high = stablehlo.constant dense<[3, 4]> : tensor<2xi64>
  %one = stablehlo.constant dense<1> : tensor<2xi64>
  %0 = stablehlo.slice %x [0:4:2, 1:5] : (tensor<4x6xf32>) -> tensor<2x4xf32>
  %1 = stablehlo.dynamic_slice %x, %k, %k, sizes = [2, 2] : (tensor<4x6xf32>, tensor<i32>, tensor<i32>) -> tensor<2x2xf32>
  %2 = stablehlo.dynamic_update_slice %x, %1, %k, %k : (tensor<4x6xf32>, tensor<2x2xf32>, tensor<i32>, tensor<i32>) -> tensor<4x6xf32>
  %3 = stablehlo.pad %1, %c, low = [1, -1], high = [0, 0], interior = [0, 1] : (tensor<2x2xf32>, tensor<f32>) -> tensor<3x2xf32>
  %4 = stablehlo.concatenate %0, %0, dim = 0 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<4x4xf32>
  %5 = stablehlo.transpose %4, dims = [1, 0] : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %6 = stablehlo.reverse %5, dims = [0, 1] : tensor<4x4xf32>
  %7 = stablehlo.iota dim = 0 : tensor<4xi32>
  %8 = stablehlo.reshape %6 : (tensor<4x4xf32>) -> tensor<16xf32>
  %9 = stablehlo.broadcast %c, sizes = [2, 3] : (tensor<f32>) -> tensor<2x3xf32>
  %10 = stablehlo.broadcast_in_dim %v, dims = [1] : (tensor<4xf32>) -> tensor<2x4xf32>
  %11 = "stablehlo.gather"(%x, %n) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1, 6>, indices_are_sorted = false}> : (tensor<4x6xf32>, tensor<3x1xi32>) -> tensor<3x6xf32>
  %12 = "stablehlo.scatter"(%x, %n, %11) <{scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>, unique_indices = true}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %20 = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %20 : tensor<f32>
  }) : (tensor<4x6xf32>, tensor<3x1xi32>, tensor<3x6xf32>) -> tensor<4x6xf32>
  %13 = stablehlo.get_dimension_size %x, dim = 1 : (tensor<4x6xf32>) -> tensor<i32>
  %14 = stablehlo.set_dimension_size %x, %13, dim = 1 : (tensor<4x6xf32>, tensor<i32>) -> tensor<4x6xf32>
  %15 = stablehlo.torch_index_select %x, %7, dim = 0, batch_dims = 0 : (tensor<4x6xf32>, tensor<4xi32>) -> tensor<4x6xf32>
  %16 = stablehlo.real_dynamic_slice %x, %low, %high, %one : (tensor<4x6xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<2x4xf32>
  %17 = stablehlo.dynamic_pad %x, %c, %low, %one, %one : (tensor<4x6xf32>, tensor<f32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<9x12xf32>
  %18 = stablehlo.dynamic_reshape %x, %high : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<3x8xf32>
  %19 = stablehlo.dynamic_iota %high, dim = 0 : (tensor<2xi64>) -> tensor<3x4xi32>
  %21 = stablehlo.dynamic_broadcast_in_dim %v, %high, dims = [1] : (tensor<4xf32>, tensor<2xi64>) -> tensor<3x4xf32>
  %22 = "stablehlo.dynamic_gather"(%x, %n, %high) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>}> : (tensor<4x6xf32>, tensor<3x1xi32>, tensor<2xi64>) -> tensor<3x6xf32>
  return %11 : tensor<3x6xf32>
}
func.func @unknown(%x: tensor<?x3xf32>, %y: tensor<*xf32>, %n: tensor<i64>, %v: tensor<2xi64>) {
  %0 = stablehlo.compute_reshape_shape %n, %v : (tensor<i64>, tensor<2xi64>) -> tensor<2xi64>
  %1 = stablehlo.cstr_reshapable %n, %v : (tensor<i64>, tensor<2xi64>) -> !shape.witness
  return
}
