func.func @main() -> tensor<f32> {
  %0 = "interpreter.run_parallel"() {programs = [[@one]]} : () -> tensor<f32>
  return %0 : tensor<f32>
}
func.func @one() -> tensor<f32> {
  %0 = stablehlo.constant dense<1.0> : tensor<f32>
  return %0 : tensor<f32>
}
