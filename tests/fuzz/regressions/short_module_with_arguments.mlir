module {
^bb0(%a: tensor<f32>):
  func.func @f() {
    return
  }
}
