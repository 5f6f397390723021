// The step that a residual network learns by: images that are moved and mirrored anew each time, SGD with Nesterov's
// momentum, a learning rate that warms up and then falls along half a cosine, weight decay of kernels alone.
#pragma once

#include <array>
#include <string>
#include <utility>

#include "data.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "parameter_names.h"
#include "resnet.h"
#include "train/metrics.h"
#include "train/train_state.h"
#include "weft/weft.h"

namespace resnet {

namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace rnd = weft::random;
namespace train = weft::train;
using weft::Array;

struct Metrics {
  train::metrics::FromOutput<train::metrics::Average, "loss"> loss;
  train::metrics::Accuracy accuracy;
};

/// The image moved by up to 4 pixels, and in half of the cases mirrored.
inline Array augmented(const Array& key, const Array& image) {
  const Array keys = rnd::split(key);
  const Array from = rnd::randint(keys(0), {2}, 0, 9);
  const Array padded = np::pad(image, {{4, 4}, {4, 4}, {0, 0}});
  const std::array<Array, 3> corner{from(0), from(1), Array(0)};
  const Array moved = weft::lax::dynamic_slice(padded, corner, weft::Dims{32, 32, 3});
  return np::where(rnd::bernoulli(keys(1)), np::flip(moved, 1), moved);
}

inline Array scaled(const Array& pixels) { return pixels.astype(weft::f32) / 127.5 - 1; }

inline train::metrics::ModelOutput outputs(const Array& logits, const Array& labels) {
  return {{"logits", logits},
          {"labels", labels},
          {"loss", optim::softmax_cross_entropy_with_integer_labels(logits, labels)}};
}

/// Weights decay that are kernels, not what batch normalisation scales and shifts by, and no biases.
inline bool decays(const std::string& path) { return parameter_names(path).back() == "kernel"; }

inline auto optimizer(double learning_rate, double weight_decay, std::int64_t steps) {
  const auto schedule = optim::warmup_cosine_decay_schedule(
      {.peak_value = learning_rate, .warmup_steps = steps / 20, .decay_steps = steps});
  return optim::chain(optim::add_decayed_weights(weight_decay, decays),
                      optim::sgd(schedule, {.momentum = 0.9, .nesterov = true}));
}
using Optimizer = decltype(optimizer(0.1, 0, 100));

struct State {
  train::TrainStateOf<nn::Collection, Optimizer> train;
  nn::Collection batch_stats;
};

using Model = ResNet<ResNetBlock>;

inline State first_state(const Model& model, const Optimizer& tx, const Array& key) {
  const auto init = weft::jit([=](const Array& key) { return model.init(key, np::zeros({1, 32, 32, 3}), false); });
  const nn::Variables variables = init(key);
  return {train::create_train_state(variables.at("params"), tx), variables.at("batch_stats")};
}

/// The state after a step, and the batch's metrics before it. How images are changed follows from the key and the
/// number of the step.
struct TrainStep {
  Model model;
  Optimizer tx;

  std::pair<State, Metrics> operator()(const State& state, const Images& batch, const Array& key) const {
    const Array step_key = rnd::fold_in(key, state.train.step);
    const Array x = scaled(weft::vmap(augmented)(rnd::split(step_key, batch.size()), batch.pixels));
    const auto loss = [&](const nn::Collection& params) {
      const auto [logits, changed] = model.apply_mutable({{"params", params}, {"batch_stats", state.batch_stats}},
                                                         {.mutable_collections = "batch_stats"}, x, true);
      const train::metrics::ModelOutput output = outputs(logits, batch.labels);
      return std::pair(np::mean(output.at("loss")), std::pair(output, changed.at("batch_stats")));
    };
    const auto [value, grads] = weft::value_and_grad(loss, weft::has_aux)(state.train.params);
    const auto& [output, batch_stats] = value.second;
    return {State{state.train.apply_gradients(tx, grads), batch_stats},
            train::metrics::from_model_output<Metrics>(output)};
  }
};

/// What the model says of images as they are, by the averages that batch normalisation keeps.
struct Predict {
  Model model;

  train::metrics::ModelOutput operator()(const State& state, const Images& batch) const {
    const nn::Variables variables = {{"params", state.train.params}, {"batch_stats", state.batch_stats}};
    return outputs(model.apply(variables, scaled(batch.pixels), false), batch.labels);
  }
};

}  // namespace resnet
