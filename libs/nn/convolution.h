// Convolutions over any number of spatial axes: x[batch..., spatial..., in], with as many axes of batch as there are,
// also none. `kernel_size` says how many axes are spatial; strides and dilations are one number, or one for each of
// them. Errors, beside those of parameters: ShapeError for inputs of too few axes and lists of another length,
// ValueError for numbers that are not positive, groups that do not divide features, and padding that a layer does not
// have, DTypeError for a `dtype` that is neither float nor complex.
#pragma once

#include "nn/layer.h"
#include "nn/module.h"
#include "nn/padding.h"

namespace weft::nn {

/// y[b..., o..., f] = sum_{k, c} x[b..., o strides + k kernel_dilation - low, c] kernel[k..., c, f] + bias[f],
/// over places k of the kernel and the input features c of f's group: group g of `feature_group_count` sees the g-th
/// part of the input features and makes the g-th part of the results. The input is dilated first (input_dilation - 1
/// zeros between neighbours), then padded.
struct Conv : Module<Conv> {
  int features = 0;
  np::Shape kernel_size = {};
  np::Shape strides = 1;
  Padding padding = Padding::kSame;  // kValid or numbers where the input is dilated
  np::Shape input_dilation = 1;
  np::Shape kernel_dilation = 1;
  int feature_group_count = 1;
  bool use_bias = true;
  Array mask = {};  // of the kernel's shape, which it multiplies
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  Initializer kernel_init = initializers::lecun_normal();
  Initializer bias_init = initializers::zeros();
  std::string name = {};
  Array call(const Array& x) const;
};

/// The same with a kernel and a bias of its own at every place:
///   y[b..., o..., f] = sum_{c, k} x[b..., o strides + k kernel_dilation - low, c] kernel[o..., c k, f] + bias[o..., f]
/// where c k is one axis, along which places of the kernel vary faster than features.
struct ConvLocal : Module<ConvLocal> {
  int features = 0;
  np::Shape kernel_size = {};
  np::Shape strides = 1;
  Padding padding = Padding::kSame;
  np::Shape input_dilation = 1;
  np::Shape kernel_dilation = 1;
  bool use_bias = true;
  Array mask = {};
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  Initializer kernel_init = initializers::lecun_normal();
  Initializer bias_init = initializers::zeros();
  std::string name = {};
  Array call(const Array& x) const;
};

/// A convolution of the input with strides - 1 zeros between neighbours, so that the result is as much larger as that
/// of Conv is smaller: size strides (kSame, kCircular), or size strides + max(kernel - strides, 0) (kValid). Numbers
/// pad the dilated input. The kernel is kernel[k..., in, f]; with `transpose_kernel` it is kernel[k..., f, in] and read
/// backwards: the transpose of a Conv with the same parameters. (In mode kCircular Flax puts the result where that
/// transpose has it for strides 2, and strides 1 with odd kernels; so does this.) Modes kReflect and kCausal:
/// ValueError.
struct ConvTranspose : Module<ConvTranspose> {
  int features = 0;
  np::Shape kernel_size = {};
  np::Shape strides = 1;
  Padding padding = Padding::kSame;
  np::Shape kernel_dilation = 1;
  bool use_bias = true;
  Array mask = {};
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  Initializer kernel_init = initializers::lecun_normal();
  Initializer bias_init = initializers::zeros();
  bool transpose_kernel = false;
  std::string name = {};
  Array call(const Array& x) const;
};

}  // namespace weft::nn
