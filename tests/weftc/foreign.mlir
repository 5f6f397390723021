func.func @main() {
  %0 = "other.thing"() : () -> tensor<f32>
  func.return
}
