// Functions of one name in modules of their own.
module @a {
  module @b {
    func.func @f(%x: tensor<f32>) -> tensor<f32> {
      %0 = stablehlo.sine %x : tensor<f32>
      return %0 : tensor<f32>
    }
  }
  module @c {
    func.func @f(%x: tensor<f32>) -> tensor<f32> {
      %0 = stablehlo.cosine %x : tensor<f32>
      return %0 : tensor<f32>
    }
  }
  func.func @main(%x: tensor<f32>) -> tensor<f32> {
    %0 = call @b::@f(%x) : (tensor<f32>) -> tensor<f32>
    %1 = call @c::@f(%0) : (tensor<f32>) -> tensor<f32>
    return %1 : tensor<f32>
  }
}
