func.func @good() {
  %x = stablehlo.constant dense<1.0> : tensor<f32>
  check.expect_eq_const %x, dense<1.0> : tensor<f32>
  return
}
// -----
func.func @alien() {
  %x = stablehlo.constant dense<1.0> : tensor<f32>
  %0 = other.thing %x <@here, []> : tensor<f32>
  return
}
func.func @beside_it() {
  %x = stablehlo.constant dense<1.0> : tensor<f32>
  check.expect_eq_const %x, dense<1.0> : tensor<f32>
  return
}
// -----
func.func @branches() {
^bb0:
  cf.br ^bb1
^bb1:
  return
}
// -----
func.func @broken() {
  %0 = stablehlo.abs %nothing : tensor<f32>
  return
}
// -----
func.func @twice() { return }
func.func @twice() { return }
// -----
func.func @last() {
  %x = stablehlo.constant dense<1.0> : tensor<f32>
  check.expect_eq_const %x, dense<1.0> : tensor<f32>
  return
}
