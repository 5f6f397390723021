#mesh = #stablehlo.mesh<axes = [#stablehlo.mesh_axis<name = "x", size = 2>, #stablehlo.mesh_axis<name = "y", size = 4>]>
sdy.mesh @mesh = <["x"=2, "y"=4], device_ids=[0, 2, 4, 6, 1, 3, 5, 7]>
func.func @numbers(%x: tensor<3xf32>, %a: tensor<2x2xf8E4M3FN>, %b: tensor<2x2xf8E5M2>) -> tensor<3xf32> {
  %0 = stablehlo.exp2 %x {xla_shape = "f32[3]{0}"} : tensor<3xf32>
  %1 = stablehlo.log2 %0 : tensor<3xf32>
  %2 = stablehlo.square %1 : tensor<3xf32>
  %3 = stablehlo.compare LT, %2, %x, WEAKORDER : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
  %4 = "mhlo.compare"(%2, %x) {comparison_direction = #mhlo<"comparison_direction LT">} : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
  %5 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0] : (tensor<2x2xf8E4M3FN>, tensor<2x2xf8E5M2>) -> tensor<2x2xf32>
  %6:2 = chlo.top_k(%2, k = 2) {largest = false} : tensor<3xf32> -> (tensor<2xf32>, tensor<2xi32>)
  return %2 : tensor<3xf32>
}
func.func @regions(%x: tensor<4x2xf32>, %c: tensor<2xf32>) -> tensor<4x2xf32> {
  %0:2 = chlo.scan(%x) inits(%c) dimension=0 attributes {is_reverse = true} {
  ^bb0(%a: tensor<2xf32>, %b: tensor<2xf32>):
    %1 = stablehlo.add %a, %b : tensor<2xf32>
    stablehlo.return %1, %1 : tensor<2xf32>, tensor<2xf32>
  } : (tensor<4x2xf32>, tensor<2xf32>) -> (tensor<4x2xf32>, tensor<2xf32>)
  %2 = stablehlo.composite "a.b" %0#0 ({
  ^bb0(%a: tensor<f32>):
    stablehlo.return %a : tensor<f32>
  }, {
  }) {decomposition = @same, version = 1 : i32} : (tensor<4x2xf32>) -> tensor<4x2xf32>
  %3 = sdy.named_computation<"part">(%2) in_shardings=[<@mesh, [{}, {"x"}]>] (%a: tensor<4x2xf32>) {
    %1 = stablehlo.abs %a : tensor<4x2xf32>
    sdy.return %1 : tensor<4x2xf32>
  } : (tensor<4x2xf32>) -> tensor<4x2xf32>
  return %3 : tensor<4x2xf32>
}
func.func private @same(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  return %x : tensor<4x2xf32>
}
func.func @places(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %0 = sdy.reshard %x <@mesh, [{"x"}, {}]> : tensor<4x2xf32>
  %1 = sdy.sharding_constraint %0 <@mesh, [{}, {"y":(1)2}]> : tensor<4x2xf32>
  %2 = sdy.propagation_barrier %1 allowed_direction=FORWARD : tensor<4x2xf32>
  sdy.sharding_group %2 group_id=7 : tensor<4x2xf32>
  %3 = sdy.all_gather [{"x"}, {}] %2 out_sharding=<@mesh, [{}, {}]> : tensor<4x2xf32>
  %4 = sdy.all_slice [{}, {"y":(1)2}] %3 out_sharding=<@mesh, [{}, {"y":(1)2}]> : tensor<4x2xf32>
  %5 = sdy.all_reduce {"x"} %4 out_sharding=<@mesh, [{}, {}]> : tensor<4x2xf32>
  %6 = sdy.collective_permute %5 out_sharding=<@mesh, [{}, {}]> : tensor<4x2xf32>
  return %6 : tensor<4x2xf32>
}
func.func @groups(%x: tensor<f32>, %root: tensor<1xi32>) -> tensor<f32> {
  %0 = "stablehlo.all_reduce"(%x) <{replica_groups = #stablehlo.replica_group_mesh_axes<mesh = #mesh, axes = [#stablehlo.axis_ref<name = "y", sub_axis_info = (1)2>]>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %1 = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }) : (tensor<f32>) -> tensor<f32>
  %2 = "stablehlo.collective_broadcast"(%0, %root) <{replica_groups = #stablehlo.replica_group_mesh_axes<mesh = @mesh, axes = [#sdy<axis_ref"x">]>, has_dynamic_root}> : (tensor<f32>, tensor<1xi32>) -> tensor<f32>
  return %2 : tensor<f32>
}
func.func @libraries(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %0:2 = stablehlo.custom_call @TopK(%x) {called_computations = [@gt]} : (tensor<2x2xf32>) -> (tensor<2x1xf32>, tensor<2x1xi32>)
  %1:2 = stablehlo.custom_call @lapack_spotrf_ffi(%x) {mhlo.backend_config = {uplo = 76 : ui8}} : (tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<i32>)
  %2 = stablehlo.custom_call @lapack_strsm_ffi(%1#0, %x) {mhlo.backend_config = {diag = 78 : ui8, side = 76 : ui8, trans_x = 78 : ui8, uplo = 76 : ui8}} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %2 : tensor<2x2xf32>
}
func.func private @gt(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<i32>, %d: tensor<i32>) -> tensor<i1> {
  %0 = stablehlo.compare GT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
  return %0 : tensor<i1>
}
