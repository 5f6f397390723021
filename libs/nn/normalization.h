// Layers that make their input's mean 0 and variance 1, over some axes or others:
//   y = (x - mean) / sqrt(var + epsilon) scale + bias
//
// Means and variances are computed in f32 at least, whatever the input's type. `use_fast_variance` is var = E |x|^2 -
// |E x|^2, cut at 0, in one pass over x; else E |x - E x|^2. With `axis_name`, they are those of all examples of the
// named axis of a vmap together (of those in a group, with `axis_index_groups`). A mask, bool and broadcast to x's
// shape, says which elements count in them; all are normalised. Scales begin as ones and biases as zeros, of the sizes
// of the feature axes, ascending. Errors, beside those of parameters: IndexError for axes out of range or repeated,
// ValueError for numbers that do not fit, UnboundAxisError, DTypeError for a `dtype` that is neither float nor complex.
#pragma once

#include "nn/layer.h"
#include "nn/module.h"
#include "weft/api/collectives.h"
#include "weft/np/params.h"

namespace weft::nn {

/// Over all axes but those of features, of the batch too (Ioffe and Szegedy, 2015). Running averages of mean and
/// variance, "mean" and "var" of collection "batch_stats", follow with each call that does not use them, but not at
/// init:
///   average = momentum average + (1 - momentum) now
struct BatchNorm : Module<BatchNorm> {
  std::optional<bool> use_running_average = {};  // here, or in the call
  np::AxisArg axis = -1;                         // of features
  double momentum = 0.99;
  double epsilon = 1e-5;
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  bool use_bias = true;
  bool use_scale = true;
  Initializer bias_init = initializers::zeros();
  Initializer scale_init = initializers::ones();
  std::string axis_name = {};
  AxisGroups axis_index_groups = {};
  bool use_fast_variance = true;
  std::string name = {};
  /// ValueError when use_running_average is given twice, or not at all.
  Array call(const Array& x, std::optional<bool> use_running_average = {}, const Array& mask = {}) const;
};

/// Over the features of each example (Ba et al., 2016).
struct LayerNorm : Module<LayerNorm> {
  double epsilon = 1e-6;
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  bool use_bias = true;
  bool use_scale = true;
  Initializer bias_init = initializers::zeros();
  Initializer scale_init = initializers::ones();
  np::AxisArg reduction_axes = -1;
  np::AxisArg feature_axes = -1;
  std::string axis_name = {};
  AxisGroups axis_index_groups = {};
  bool use_fast_variance = true;
  std::string name = {};
  Array call(const Array& x, const Array& mask = {}) const;
};

/// x / sqrt(E |x|^2 + epsilon) scale: the mean stays (Zhang and Sennrich, 2019).
struct RMSNorm : Module<RMSNorm> {
  double epsilon = 1e-6;
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  bool use_scale = true;
  Initializer scale_init = initializers::ones();
  np::AxisArg reduction_axes = -1;
  np::AxisArg feature_axes = -1;
  std::string axis_name = {};
  AxisGroups axis_index_groups = {};
  std::string name = {};
  Array call(const Array& x, const Array& mask = {}) const;
};

/// Over equal groups of neighbouring features, and all axes but the first (Wu and He, 2018). The number of groups, 32
/// unless given, or their size: ValueError for both, and where they do not divide the features. The reduction axes,
/// where given, must have the last.
struct GroupNorm : Module<GroupNorm> {
  std::optional<int> num_groups = {};
  std::optional<int> group_size = {};
  double epsilon = 1e-6;
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  bool use_bias = true;
  bool use_scale = true;
  Initializer bias_init = initializers::zeros();
  Initializer scale_init = initializers::ones();
  std::optional<np::AxisArg> reduction_axes = {};
  std::string axis_name = {};
  AxisGroups axis_index_groups = {};
  bool use_fast_variance = true;
  std::string name = {};
  Array call(const Array& x, const Array& mask = {}) const;
};

/// Over all axes but the first and those of features: each channel of each example by itself (Ulyanov et al., 2016).
struct InstanceNorm : Module<InstanceNorm> {
  double epsilon = 1e-6;
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  bool use_bias = true;
  bool use_scale = true;
  Initializer bias_init = initializers::zeros();
  Initializer scale_init = initializers::ones();
  np::AxisArg feature_axes = -1;
  std::string axis_name = {};
  AxisGroups axis_index_groups = {};
  bool use_fast_variance = true;
  std::string name = {};
  Array call(const Array& x, const Array& mask = {}) const;
};

}  // namespace weft::nn
