// The second of three programs never ends.
func.func @before() {
  %0 = stablehlo.constant dense<1.0> : tensor<f32>
  check.expect_eq_const %0, dense<1.0> : tensor<f32>
  func.return
}
func.func @endless() {
  %0 = stablehlo.constant dense<0> : tensor<i32>
  %1 = stablehlo.while(%i = %0) : tensor<i32>
   cond {
    %true = stablehlo.constant dense<true> : tensor<i1>
    stablehlo.return %true : tensor<i1>
  } do {
    %next = stablehlo.negate %i : tensor<i32>
    stablehlo.return %next : tensor<i32>
  }
  check.expect_eq_const %1, dense<0> : tensor<i32>
  func.return
}
func.func @after() {
  %0 = stablehlo.constant dense<1.0> : tensor<f32>
  check.expect_eq_const %0, dense<1.0> : tensor<f32>
  func.return
}
