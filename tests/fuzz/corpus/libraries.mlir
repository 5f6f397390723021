module @m {
  sdy.mesh @mesh = <["x"=2, "y"=2]>
  module @inner { func.func @f(%x: tensor<3x3xf32>) -> tensor<3x3xf32> { return %x : tensor<3x3xf32> } }
  func.func @main(%a: tensor<3x3xf32>, %k: tensor<2xui32>, %i: tensor<2x3xi8>, %u: tensor<3x2xui8>) -> tensor<3x3xf32> {
    %0 = call @inner::@f(%a) : (tensor<3x3xf32>) -> tensor<3x3xf32>
    %1:3 = stablehlo.custom_call @lapack_sgetrf_ffi(%0) {mhlo.backend_config = {}} : (tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3xi32>, tensor<i32>)
    %2:2 = stablehlo.custom_call @lapack_sgeqrf_ffi(%1#0) : (tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3xf32>)
    %3 = stablehlo.custom_call @lapack_sorgqr_ffi(%2#0, %2#1) : (tensor<3x3xf32>, tensor<3xf32>) -> tensor<3x3xf32>
    %4:2 = stablehlo.custom_call @cu_threefry2x32_ffi(%k, %k, %k, %k) : (tensor<2xui32>, tensor<2xui32>, tensor<2xui32>, tensor<2xui32>) -> (tensor<2xui32>, tensor<2xui32>)
    %5 = stablehlo.dot_general %i, %u, contracting_dims = [1] x [0] : (tensor<2x3xi8>, tensor<3x2xui8>) -> tensor<2x2xi32>
    %6 = sdy.all_to_all [{"x"}: 0->1, {"y":(1)2}: 1->0] %3 out_sharding=<@mesh, [{}, {"x"}]> : tensor<3x3xf32>
    %7 = sdy.reduce_scatter [{}, {"y"}] %6 out_sharding=<@mesh, [{}, {"x", "y"}]> : tensor<3x3xf32>
    %8 = sdy.sharded_to_unreduced [{"x"}, {}] %7 out_sharding=<@mesh, [{}, {}], unreduced={"x"}> : tensor<3x3xf32>
    %9 = sdy.replicated_to_unreduced {"y"} %8 out_sharding=<@mesh, [{}, {}], unreduced={"x", "y"}> : tensor<3x3xf32>
    return %9 : tensor<3x3xf32>
  }
}
