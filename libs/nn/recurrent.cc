#include "nn/recurrent.h"

#include "nn/linear.h"
#include "weft/weft.h"

namespace weft::nn {

namespace {

// The product with the input, or with the state, as a layer of its own.
template <class Cell>
Dense dense(const Cell& cell, const Array& h, const std::string& name, bool of_state, bool use_bias,
            const Initializer& bias_init) {
  return {.features = static_cast<int>(h.shape().back()),
          .use_bias = use_bias,
          .dtype = cell.dtype,
          .param_dtype = cell.param_dtype,
          .kernel_init = of_state ? cell.recurrent_kernel_init : cell.kernel_init,
          .bias_init = bias_init,
          .name = name};
}

void check_state(const char* op, const Array& h, std::int64_t features) {
  if (features < 1)
    throw ValueError(std::string(op) + ": features must be positive; got " + std::to_string(features) + ".");
  if (h.ndim() < 1 || h.shape().back() != features)
    throw ShapeError(std::string(op) + ": the last axis of the state must have the cell's features, " +
                     std::to_string(features) + "; got " + h.aval().str() + ".");
}

Dims carry_shape(const np::Shape& input_shape, std::int64_t features) {
  Dims shape = input_shape.dims();
  if (shape.empty()) throw ShapeError("initialize_carry: the input must have an axis of features; got the shape ().");
  shape.back() = features;
  return shape;
}
template <class Cell>
Array one_carry(const Cell& cell, const Array& key, const np::Shape& input_shape) {
  return cell.carry_init(key, carry_shape(input_shape, cell.features), cell.param_dtype);
}
template <class Cell>
LSTMCarry two_carries(const Cell& cell, const Array& key, const np::Shape& input_shape) {
  const Dims shape = carry_shape(input_shape, cell.features);
  // Without a key where none is used.
  const Array keys = key.defined() ? random::split(key) : Array();
  const auto one = [&](int i) { return cell.carry_init(keys.defined() ? keys(i) : key, shape, cell.param_dtype); };
  const Array c = one(0);
  return {c, one(1)};
}

std::pair<LSTMCarry, Array> lstm_step(const Activation& activation, const Array& c, const Array& i, const Array& f,
                                      const Array& g, const Array& o) {
  const Array next = f * c + i * g;
  const Array y = o * activation(next);
  return {{next, y}, y};
}

}  // namespace

// ---- LSTM ----

std::pair<LSTMCarry, Array> LSTMCell::call(const LSTMCarry& carry, const Array& x) const {
  const auto& [c, h] = carry;
  check_state("lstm_cell", h, features);
  const auto sum = [&, &h = h](const std::string& gate) {
    const Array of_input = dense(*this, h, "i" + gate, false, false, bias_init)(x);
    return of_input + dense(*this, h, "h" + gate, true, true, bias_init)(h);
  };
  const Array i = gate_fn(sum("i"));
  const Array f = gate_fn(sum("f"));
  const Array g = activation_fn(sum("g"));
  const Array o = gate_fn(sum("o"));
  return lstm_step(activation_fn, c, i, f, g, o);
}
LSTMCarry LSTMCell::initialize_carry(const Array& key, const np::Shape& input_shape) const {
  return two_carries(*this, key, input_shape);
}

namespace detail {

// The parameters of a Dense, where its product is part of a larger one.
struct DenseParams : Module<DenseParams> {
  int features = 0;
  bool use_bias = true;
  DType param_dtype = f32;
  Initializer kernel_init = {}, bias_init = {};
  std::string name = {};
  std::pair<Array, Array> call(const Array& x) const {
    const Array kernel = param("kernel", kernel_init, {x.shape().back(), features}, param_dtype);
    return {kernel, use_bias ? param("bias", bias_init, {features}, param_dtype) : Array()};
  }
};

}  // namespace detail

std::pair<LSTMCarry, Array> OptimizedLSTMCell::call(const LSTMCarry& carry, const Array& x) const {
  const auto& [c, h] = carry;
  check_state("lstm_cell", h, features);
  if (x.ndim() < 1) throw ShapeError("lstm_cell: the input must have an axis of features; got " + x.aval().str() + ".");
  Arrays of_input, of_state, biases;
  for (const char* gate : {"i", "f", "g", "o"}) {
    of_input.push_back(detail::DenseParams{.features = features,
                                           .use_bias = false,
                                           .param_dtype = param_dtype,
                                           .kernel_init = kernel_init,
                                           .name = std::string("i") + gate}(x)
                           .first);
    const auto [kernel, bias] = detail::DenseParams{.features = features,
                                                    .param_dtype = param_dtype,
                                                    .kernel_init = recurrent_kernel_init,
                                                    .bias_init = bias_init,
                                                    .name = std::string("h") + gate}(h);
    of_state.push_back(kernel);
    biases.push_back(bias);
  }
  const Arrays p = promoted(dtype, {h, np::concatenate(of_state, -1), np::concatenate(biases, -1)});
  const Arrays q = promoted(dtype, {x, np::concatenate(of_input, -1)});
  const std::vector<Array> sums = np::split(np::matmul(q[0], q[1]) + (np::matmul(p[0], p[1]) + p[2]), 4, -1);
  return lstm_step(activation_fn, c, gate_fn(sums[0]), gate_fn(sums[1]), activation_fn(sums[2]), gate_fn(sums[3]));
}
LSTMCarry OptimizedLSTMCell::initialize_carry(const Array& key, const np::Shape& input_shape) const {
  return two_carries(*this, key, input_shape);
}

// ---- cells with one state ----

std::pair<Array, Array> SimpleCell::call(const Array& h, const Array& x) const {
  check_state("simple_cell", h, features);
  Array sum = dense(*this, h, "i", false, true, bias_init)(x);
  sum = sum + dense(*this, h, "h", true, false, bias_init)(h);
  // As the state, which may be kept in more digits than products are made in: a scan carries one type.
  const Array y = activation_fn(residual ? sum + h : sum).astype(h.dtype());
  return {y, y};
}
Array SimpleCell::initialize_carry(const Array& key, const np::Shape& input_shape) const {
  return one_carry(*this, key, input_shape);
}

std::pair<Array, Array> GRUCell::call(const Array& h, const Array& x) const {
  check_state("gru_cell", h, features);
  const auto sum = [&](const std::string& gate) {
    const Array of_input = dense(*this, h, "i" + gate, false, true, bias_init)(x);
    return of_input + dense(*this, h, "h" + gate, true, false, bias_init)(h);
  };
  const Array r = gate_fn(sum("r"));
  const Array z = gate_fn(sum("z"));
  // What is reset is the state's part alone, so that has a bias too.
  const Array of_input = dense(*this, h, "in", false, true, bias_init)(x);
  const Array of_state = dense(*this, h, "hn", true, true, bias_init)(h);
  const Array n = activation_fn(of_input + r * of_state);
  const Array y = (1 - z) * n + z * h;
  return {y, y};
}
Array GRUCell::initialize_carry(const Array& key, const np::Shape& input_shape) const {
  return one_carry(*this, key, input_shape);
}

std::pair<Array, Array> MGUCell::call(const Array& h, const Array& x) const {
  check_state("mgu_cell", h, features);
  const Array forget_input = dense(*this, h, "if", false, true, forget_bias_init)(x);
  const Array forget_state = dense(*this, h, "hf", true, false, activation_bias_init)(h);
  const Array f = gate_fn(forget_input + forget_state);
  Array of_state = dense(*this, h, "hn", true, reset_gate, activation_bias_init)(h);
  if (reset_gate) of_state = of_state * f;
  const Array of_input = dense(*this, h, "in", false, true, activation_bias_init)(x);
  const Array n = activation_fn(of_input + of_state);
  const Array y = (1 - f) * n + f * h;
  return {y, y};
}
Array MGUCell::initialize_carry(const Array& key, const np::Shape& input_shape) const {
  return one_carry(*this, key, input_shape);
}

// ---- with convolutions ----

std::pair<LSTMCarry, Array> ConvLSTMCell::call(const LSTMCarry& carry, const Array& x) const {
  const auto& [c, h] = carry;
  check_state("conv_lstm_cell", h, features);
  const auto conv = [&](const char* name) {
    return Conv{.features = 4 * features,
                .kernel_size = kernel_size,
                .strides = strides,
                .padding = padding,
                .use_bias = use_bias,
                .dtype = dtype,
                .param_dtype = param_dtype,
                .name = name};
  };
  const Array of_input = conv("ih")(x);
  const Array of_state = conv("hh")(h);
  const std::vector<Array> gates = np::split(of_input + of_state, 4, -1);
  return lstm_step(tanh, c, sigmoid(gates[0]), sigmoid(gates[2] + 1), tanh(gates[1]), sigmoid(gates[3]));
}
LSTMCarry ConvLSTMCell::initialize_carry(const Array& key, const np::Shape& input_shape) const {
  if (static_cast<int>(input_shape.dims().size()) < num_feature_axes())
    throw ShapeError("initialize_carry: the input must have " + std::to_string(num_feature_axes() - 1) +
                     " spatial axes and one of features; got the shape " + shape_str(input_shape.dims()) + ".");
  return two_carries(*this, key, input_shape);
}

}  // namespace weft::nn
