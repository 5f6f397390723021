// The network that reads digits, and the step that it learns by. Knows nothing about epochs, files and pictures.
#pragma once

#include <utility>

#include "nn/nn.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "train/metrics.h"
#include "train/mnist.h"
#include "train/train_state.h"
#include "weft/weft.h"

namespace mnist {

namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;
using weft::Array;

/// Logits[n, 10] of images[n, 28, 28, 1].
struct Cnn : nn::Module<Cnn> {
  Array call(Array x) const {
    x = nn::relu(nn::Conv{.features = 32, .kernel_size = {3, 3}}(x));
    x = nn::avg_pool(x, {2, 2}, {.strides = {2, 2}});
    x = nn::relu(nn::Conv{.features = 64, .kernel_size = {3, 3}}(x));
    x = nn::avg_pool(x, {2, 2}, {.strides = {2, 2}});
    x = np::reshape(x, {x.shape(0), -1});
    x = nn::relu(nn::Dense{.features = 256}(x));
    return nn::Dense{.features = 10}(x);
  }
};

struct Metrics {
  train::metrics::FromOutput<train::metrics::Average, "loss"> loss;
  train::metrics::Accuracy accuracy;
};

/// The loss of each digit, and the logits.
inline train::metrics::ModelOutput predict(const nn::Collection& params, const train::Digits& digits) {
  const Array logits = Cnn().apply({{"params", params}}, digits.images.astype(weft::f32) / 255);
  return {{"logits", logits},
          {"labels", digits.labels},
          {"loss", optim::softmax_cross_entropy_with_integer_labels(logits, digits.labels)}};
}

inline Metrics eval_step(const nn::Collection& params, const train::Digits& digits) {
  return train::metrics::from_model_output<Metrics>(predict(params, digits));
}

using State = train::TrainStateOf<nn::Collection, optim::Sgd>;

inline State first_state(const optim::Sgd& tx, const Array& key) {
  const auto init = weft::jit([](const Array& key) { return Cnn().init(key, np::zeros({1, 28, 28, 1})); });
  return train::create_train_state(init(key).at("params"), tx);
}

/// The state after a step, and the batch's metrics before it.
struct TrainStep {
  optim::Sgd tx;

  std::pair<State, Metrics> operator()(const State& state, const train::Digits& batch) const {
    const auto loss = [&](const nn::Collection& params) {
      const train::metrics::ModelOutput output = predict(params, batch);
      return std::pair(np::mean(output.at("loss")), output);
    };
    const auto [value, grads] = weft::value_and_grad(loss, weft::has_aux)(state.params);
    return {state.apply_gradients(tx, grads), train::metrics::from_model_output<Metrics>(value.second)};
  }
};

}  // namespace mnist
