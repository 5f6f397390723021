"builtin.module"() ({
^bb0(%a: tensor<f32>):
  "func.func"() <{sym_name = "f", function_type = () -> ()}> ({
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
