#map = affine_map<(d0, d1)[s0] -> (d0 + s0, d1 floordiv 2)>
#loc = loc("file.py":1:2)
#named = loc(callsite("f"(#loc) at #loc))
#list = [1, 2.5 : f32, -3 : i8, 0x7F : i32, 1e-3, true, "s\0A\"\\", @sym::@nested::@"quoted name", unit, {k = #map, "quoted key" = 1}]
!t = tensor<2xcomplex<f32>>
!u = tuple<!t, tuple<>, tensor<i1>, !stablehlo.token>
module @"m \22quoted\22" attributes {mhlo.num_partitions = 1 : i32, jax.uses_shape_polymorphism = false, a = #list, b, c = affine_set<(d0) : (d0 >= 0)>, d = array<f32: 1.0, 2.0>, e = array<i1: true, false>, f = array<i64>, g = dense<[[1, 2], [3, 4]]> : vector<2x2xi32>, h = tensor<?x2xf32>, i = (tensor<f32>) -> (), j = f32, k = #stablehlo.type_extensions<bounds = [4, ?]>, l = sparse<[[0]], [1]> : tensor<2xi32>, m = strided<[1], offset: 2>, n = distinct[0]<unit>, o = #a<b>, p = !a.b<c>, q = loc("x")} {
  func.func private @declared(tensor<2xf32>, !u) -> (tensor<f32> {r = 1 : i64}) attributes {s = "t"}
  func.func nested @main(%x: !t {jax.arg_info = "x", mhlo.sharding = "{devices=[2]<=[2]}"} loc(#loc), %y: tensor<4x?xf32, #stablehlo.bounds<4, 8>>, %z: tensor<2xf32, "encoded">) -> (!t {jax.result_info = ""}, tensor<2xf32, "encoded">) {
    %cst = stablehlo.constant {m.n = 1 : i64} dense<[(1.0, -2.0), (0xFF800000, 0x7FC00000)]> : !t loc(#named)
    %cst_0 = stablehlo.constant dense<> : tensor<0x2xf32>
    %cst_1 = stablehlo.constant dense<[[true, false], [false, true]]> : tensor<2x2xi1>
    %cst_2 = stablehlo.constant dense<"0x01020304"> : tensor<4xui8>
    %cst_3 = stablehlo.constant dense<[-8, 7, 0x3]> : tensor<3xi4>
    %cst_4 = stablehlo.constant dense<[1.0, -2.5e+03, 0x38]> : tensor<3xf8E4M3FN>
    %cst_5 = stablehlo.constant dense<18446744073709551615> : tensor<ui64>
    %cst_6 = stablehlo.constant dense<-9223372036854775808> : tensor<i64>
    return %cst, %z : !t, tensor<2xf32, "encoded">
  } loc(#loc)
}
{-#
  dialect_resources: { builtin: { blob: "0x0400000001020304" } }
#-}
#after = loc(unknown)
