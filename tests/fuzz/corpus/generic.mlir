"builtin.module"() <{sym_name = "m"}> ({
  "func.func"() <{sym_name = "main", sym_visibility = "public", function_type = (tensor<2xf32>, tensor<f32>) -> (tensor<2xf32>, tensor<f32>), arg_attrs = [{a.b = 1 : i32}, {}], res_attrs = [{}, {c = "d"}]}> ({
  ^bb0(%arg0: tensor<2xf32> loc("x"), %arg1: tensor<f32>):
    %0:2 = "func.call"(%arg0, %arg1) <{callee = @inner::@f}> : (tensor<2xf32>, tensor<f32>) -> (tensor<2xf32>, tensor<f32>)
    %1 = "stablehlo.add"(%0#0, %arg0) {k = unit} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %2, %3 = "other.thing"() ({}, {
    ^bb0:
    }) : () -> (tensor<f32>, !other.type<a, [1, 2]>)
    "func.return"(%1, %0#1) : (tensor<2xf32>, tensor<f32>) -> ()
  }) : () -> ()
  "builtin.module"() <{sym_name = "inner"}> ({
    "func.func"() <{sym_name = "f", function_type = (tensor<2xf32>, tensor<f32>) -> (tensor<2xf32>, tensor<f32>)}> ({
    ^bb0(%a: tensor<2xf32>, %b: tensor<f32>):
      "func.return"(%a, %b) : (tensor<2xf32>, tensor<f32>) -> ()
    }) : () -> ()
  }) : () -> ()
  "func.func"() <{sym_name = "declared", sym_visibility = "private", function_type = () -> ()}> ({}) : () -> ()
}) : () -> () loc(fused["a", "b":1:2])
