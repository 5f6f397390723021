// Cells of recurrent networks: (carry, x) -> (carry, y), one step. x[..., in] and the carry have any axes of batch;
// initialize_carry(key, shape of x) makes the first carry. Gates are sums of a product with the input and one with the
// state; which of them has a bias is as in Flax, and so are the names of parameters. nn::RNN runs a cell over time.
// Errors: those of Dense and Conv.
#pragma once

#include "nn/activation.h"
#include "nn/convolution.h"
#include "nn/layer.h"
#include "nn/module.h"

namespace weft::nn {

/// (c, h): what is remembered, and the last result.
using LSTMCarry = std::pair<Array, Array>;

/// i, f, o = gate(x W_i* + h W_h* + b_h*), g = activation(the same); c' = f c + i g, y = h' = o activation(c')
/// (Hochreiter and Schmidhuber, 1997). Parameters ii, if, ig, io (kernel) and hi, hf, hg, ho (kernel, bias).
struct LSTMCell : Module<LSTMCell> {
  int features = 0;
  Activation gate_fn = sigmoid;
  Activation activation_fn = tanh;
  Initializer kernel_init = initializers::lecun_normal();
  Initializer recurrent_kernel_init = initializers::orthogonal();
  Initializer bias_init = initializers::zeros();
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  Initializer carry_init = initializers::zeros();
  std::string name = {};
  std::pair<LSTMCarry, Array> call(const LSTMCarry& carry, const Array& x) const;
  LSTMCarry initialize_carry(const Array& key, const np::Shape& input_shape) const;
  int num_feature_axes() const { return 1; }
};

/// The same cell with the same parameters: two products make all gates.
struct OptimizedLSTMCell : Module<OptimizedLSTMCell> {
  int features = 0;
  Activation gate_fn = sigmoid;
  Activation activation_fn = tanh;
  Initializer kernel_init = initializers::lecun_normal();
  Initializer recurrent_kernel_init = initializers::orthogonal();
  Initializer bias_init = initializers::zeros();
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  Initializer carry_init = initializers::zeros();
  std::string name = {};
  std::pair<LSTMCarry, Array> call(const LSTMCarry& carry, const Array& x) const;
  LSTMCarry initialize_carry(const Array& key, const np::Shape& input_shape) const;
  int num_feature_axes() const { return 1; }
};

/// y = h' = activation(x W_i + b_i + h W_h), and + h inside with `residual` (Elman, 1990). Parameters i, h.
struct SimpleCell : Module<SimpleCell> {
  int features = 0;
  Activation activation_fn = tanh;
  Initializer kernel_init = initializers::lecun_normal();
  Initializer recurrent_kernel_init = initializers::orthogonal();
  Initializer bias_init = initializers::zeros();
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  Initializer carry_init = initializers::zeros();
  bool residual = false;
  std::string name = {};
  std::pair<Array, Array> call(const Array& carry, const Array& x) const;
  Array initialize_carry(const Array& key, const np::Shape& input_shape) const;
  int num_feature_axes() const { return 1; }
};

/// r, z = gate(x W_i* + b_i* + h W_h*), n = activation(x W_in + b_in + r (h W_hn + b_hn)); y = h' = (1 - z) n + z h
/// (Cho et al., 2014). Parameters ir, iz, in (kernel, bias), hr, hz (kernel), hn (kernel, bias).
struct GRUCell : Module<GRUCell> {
  int features = 0;
  Activation gate_fn = sigmoid;
  Activation activation_fn = tanh;
  Initializer kernel_init = initializers::lecun_normal();
  Initializer recurrent_kernel_init = initializers::orthogonal();
  Initializer bias_init = initializers::zeros();
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  Initializer carry_init = initializers::zeros();
  std::string name = {};
  std::pair<Array, Array> call(const Array& carry, const Array& x) const;
  Array initialize_carry(const Array& key, const np::Shape& input_shape) const;
  int num_feature_axes() const { return 1; }
};

/// f = gate(x W_if + b_if + h W_hf), n = activation(x W_in + b_in + f (h W_hn + b_hn)); y = h' = (1 - f) n + f h
/// (Zhou et al., 2016). Without `reset_gate`, n = activation(x W_in + b_in + h W_hn). Parameters if, in, hf, hn.
struct MGUCell : Module<MGUCell> {
  int features = 0;
  Activation gate_fn = sigmoid;
  Activation activation_fn = tanh;
  Initializer kernel_init = initializers::lecun_normal();
  Initializer recurrent_kernel_init = initializers::orthogonal();
  Initializer forget_bias_init = initializers::ones();  // so that gradients do not vanish (Jozefowicz et al., 2015)
  Initializer activation_bias_init = initializers::zeros();
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  Initializer carry_init = initializers::zeros();
  bool reset_gate = true;
  std::string name = {};
  std::pair<Array, Array> call(const Array& carry, const Array& x) const;
  Array initialize_carry(const Array& key, const np::Shape& input_shape) const;
  int num_feature_axes() const { return 1; }
};

/// An LSTM whose products are convolutions over x[batch..., spatial..., in] (Shi et al., 2015):
///   i, g, f, o = the quarters of conv_ih(x) + conv_hh(h); c' = sigmoid(f + 1) c + sigmoid(i) tanh(g),
///   y = h' = sigmoid(o) tanh(c')
/// Parameters ih and hh, each of 4 features.
struct ConvLSTMCell : Module<ConvLSTMCell> {
  int features = 0;
  np::Shape kernel_size = {};
  np::Shape strides = 1;
  Padding padding = Padding::kSame;
  bool use_bias = true;
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  Initializer carry_init = initializers::zeros();
  std::string name = {};
  std::pair<LSTMCarry, Array> call(const LSTMCarry& carry, const Array& x) const;
  LSTMCarry initialize_carry(const Array& key, const np::Shape& input_shape) const;
  int num_feature_axes() const { return static_cast<int>(kernel_size.dims().size()) + 1; }
};

}  // namespace weft::nn
