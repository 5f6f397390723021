func.func @main(%x: tensor<2xf32>, %n: tensor<i32>, %t: !stablehlo.token, %u: tuple<tensor<i32>, tuple<tensor<2xf32>>>) -> !stablehlo.token attributes {execution_thread = "main"} {
  %0 = stablehlo.create_token : !stablehlo.token
  %1 = stablehlo.after_all %0, %t : !stablehlo.token
  %2 = stablehlo.after_all : !stablehlo.token
  %3:2 = "stablehlo.infeed"(%1) <{infeed_config = "c", layout = [[0]]}> : (!stablehlo.token) -> (tensor<2xf32>, !stablehlo.token)
  %4 = "stablehlo.outfeed"(%3#0, %3#1) <{outfeed_config = ""}> : (tensor<2xf32>, !stablehlo.token) -> !stablehlo.token
  %5 = "stablehlo.send"(%x, %4) <{channel_handle = #stablehlo.channel_handle<handle = 1, type = 2>, is_host_transfer = true}> : (tensor<2xf32>, !stablehlo.token) -> !stablehlo.token
  %6:2 = "stablehlo.recv"(%5) <{channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>, source_target_pairs = dense<[[0, 1]]> : tensor<1x2xi64>}> : (!stablehlo.token) -> (tensor<2xf32>, !stablehlo.token)
  %7 = stablehlo.get_tuple_element %u[1] : (tuple<tensor<i32>, tuple<tensor<2xf32>>>) -> tuple<tensor<2xf32>>
  %8 = stablehlo.tuple %n, %7 : tuple<tensor<i32>, tuple<tensor<2xf32>>>
  %9 = stablehlo.tuple : tuple<>
  %10:2 = stablehlo.optimization_barrier %x, %n : tensor<2xf32>, tensor<i32>
  stablehlo.optimization_barrier()
  stablehlo.trace %x, "a tag" : tensor<2xf32>
  %11 = stablehlo.custom_call @Sharding(%x) {backend_config = "", mhlo.sharding = "{replicated}"} : (tensor<2xf32>) -> tensor<2xf32>
  %12 = stablehlo.custom_call @"any name"(%x, %n) {api_version = 4 : i32, backend_config = {a = 1 : i64, b = [2.0]}, has_side_effect = true, called_computations = [@f]} : (tensor<2xf32>, tensor<i32>) -> tuple<tensor<2xf32>, tensor<i32>>
  %13 = stablehlo.custom_call @weft.bessel_i0e(%x) : (tensor<2xf32>) -> tensor<2xf32>
  %14 = stablehlo.custom_call @mhlo.erf(%x) : (tensor<2xf32>) -> tensor<2xf32>
  %15 = stablehlo.composite "a.b" %x {composite_attributes = {n = 1 : i64}, decomposition = @f, version = 2 : i32} : (tensor<2xf32>) -> tensor<2xf32>
  %17 = stablehlo.custom_call @MoveToHost(%15) : (tensor<2xf32>) -> tensor<2xf32>
  stablehlo.custom_call @InspectSharding(%17) : (tensor<2xf32>) -> ()
  stablehlo.custom_call @xla_ffi_python_cpu_callback(%17) {api_version = 4 : i32, backend_config = {index = 0 : ui64}, has_side_effect = true} : (tensor<2xf32>) -> ()
  %16 = call @f(%15) : (tensor<2xf32>) -> tensor<2xf32>
  return %6#1 : !stablehlo.token
}
func.func private @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
