// RUN: the comments and the line of dashes are part of the syntax
func.func @main() {
  %0 = stablehlo.constant dense<[1.0, 2.0]> : tensor<2xf32>
  check.expect_eq %0, %0 : tensor<2xf32>
  check.expect_eq_const %0, dense<[1.0, 2.0]> : tensor<2xf32>
  check.expect_almost_eq %0, %0, tolerance = 0.1 : tensor<2xf32>
  check.expect_almost_eq_const %0, dense<[1.0, 2.0]> : tensor<2xf32> {tolerance = 0.1 : f64}
  check.expect_close %0, %0, max_ulp_difference = 3, min_ulp_difference = 0 : tensor<2xf32>, tensor<2xf32>
  %1 = interpreter.probe %0, probe_id = "p" : tensor<2xf32>
  check.expect_serialized_eq %1, probe_id = "p", iter = 0 : tensor<2xf32>
  interpreter.print %1 : tensor<2xf32>
  stablehlo.custom_call @check.expect_close(%0, %1) {has_side_effect = true} : (tensor<2xf32>, tensor<2xf32>) -> ()
  func.return
}
// -----
module @distribution {
  func.func @process(%x: tensor<2xf32>) -> tensor<2xf32> {
    return %x : tensor<2xf32>
  }
  func.func public @main() {
    %0 = stablehlo.constant dense<0.5> : tensor<2xf32>
    %1:2 = "interpreter.run_parallel"(%0, %0) {programs = [[@process, @process]]} : (tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
    check.expect_eq %1#0, %1#1 : tensor<2xf32>
    return
  }
}
