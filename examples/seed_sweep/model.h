// A perceptron, its step, and what vmap makes of that: the step of all members of a sweep, and their test.
#pragma once

#include <utility>

#include "nn/nn.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "train/mnist.h"
#include "train/train_state.h"
#include "weft/weft.h"

namespace seed_sweep {

namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;
using weft::Array;

using State = train::TrainStateOf<nn::Collection, optim::Sgd>;

// ---- one member ----

/// Logits[n, 10] of images[n, 28, 28, 1].
struct Mlp : nn::Module<Mlp> {
  Array call(Array x) const {
    x = np::reshape(x, {x.shape(0), -1});
    x = nn::relu(nn::Dense{.features = 128}(x));
    return nn::Dense{.features = 10}(x);
  }
};

inline Array logits_of(const nn::Collection& params, const Array& images) {
  return Mlp().apply({{"params", params}}, images.astype(weft::f32) / 255);
}

inline optim::Sgd descent(const Array& learning_rate) { return optim::sgd(learning_rate, {.momentum = 0.9}); }

inline State first_state(const Array& key, const Array& learning_rate) {
  const nn::Variables variables = Mlp().init(key, np::zeros({1, 28, 28, 1}));
  return train::create_train_state(variables.at("params"), descent(learning_rate));
}

/// The state after a step, and the loss before it.
inline std::pair<State, Array> next_state(const State& state, const Array& learning_rate, const train::Digits& batch) {
  const auto loss = [&](const nn::Collection& params) {
    const Array logits = logits_of(params, batch.images);
    return np::mean(optim::softmax_cross_entropy_with_integer_labels(logits, batch.labels));
  };
  const auto [value, grads] = weft::value_and_grad(loss)(state.params);
  return {state.apply_gradients(descent(learning_rate), grads), value};
}

// ---- all members: states of arrays [members, ...], keys[members, 2], learning_rates[members] ----

inline State first_states(const Array& keys, const Array& learning_rates) {
  return weft::jit(weft::vmap(first_state))(keys, learning_rates);
}

/// The same batch for all.
inline std::pair<State, Array> next_states(const State& states, const Array& learning_rates,
                                           const train::Digits& batch) {
  return weft::vmap(next_state, {0, 0, weft::unmapped})(states, learning_rates, batch);
}

/// How many digits are read right: by each member, and by the mean of the probabilities of those with the same rate.
struct Hits {
  Array members, together;  // i32[rates, seeds], i32[rates]
};

/// Members are in the order of their rates, those of a rate in the order of their seeds.
struct EvalStep {
  std::int64_t rates, seeds;

  Hits operator()(const nn::Collection& params, const train::Digits& batch) const {
    const Array each = weft::vmap(logits_of, {0, weft::unmapped})(params, batch.images);
    const Array logits = np::reshape(each, {rates, seeds, -1, 10});
    const auto hits = [&](const Array& x) { return np::count_nonzero(np::argmax(x, -1) == batch.labels, -1); };
    return {hits(logits), hits(np::mean(nn::softmax(logits), 1))};
  }
};

}  // namespace seed_sweep
