// A network that reads digits and gives little of each away, and the step that it learns by: a sample, the gradients of
// its examples, descent along their noisy sum.
#pragma once

#include <algorithm>
#include <cmath>

#include "nn/nn.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "train/mnist.h"
#include "train/train_state.h"
#include "weft/weft.h"

namespace per_example_gradients {

namespace lax = weft::lax;
namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;
using weft::Array;

/// Logits[n, 10] of images[n, 28, 28, 1]. Activations that are bounded keep gradients small, so that clipping takes
/// less away (Papernot et al., "Tempered Sigmoid Activations for Deep Learning with Differential Privacy", 2020).
struct Cnn : nn::Module<Cnn> {
  Array call(Array x) const {
    x = np::tanh(nn::Conv{.features = 16, .kernel_size = {8, 8}, .strides = 2}(x));
    x = nn::max_pool(x, {2, 2});
    x = np::tanh(nn::Conv{.features = 32, .kernel_size = {4, 4}, .strides = 2, .padding = nn::Padding::kValid}(x));
    x = nn::max_pool(x, {2, 2});
    x = np::reshape(x, {x.shape(0), -1});
    x = np::tanh(nn::Dense{.features = 32}(x));
    return nn::Dense{.features = 10}(x);
  }
};

inline Array logits_of(const nn::Collection& params, const Array& images) {
  return Cnn().apply({{"params", params}}, images.astype(weft::f32) / 255);
}

/// The loss of one example, image[28, 28, 1]; 0, and so no gradient, where it does not count.
inline Array loss(const nn::Collection& params, const Array& image, const Array& label, const Array& counts) {
  const Array logits = logits_of(params, image(weft::newaxis))(0);
  return np::where(counts, optim::softmax_cross_entropy_with_integer_labels(logits, label), 0.0);
}

/// The gradients of all examples: arrays with one more axis, the first, than those of the parameters.
inline nn::Collection gradients(const nn::Collection& params, const train::Digits& digits, const Array& counts) {
  return weft::vmap(weft::grad(loss), {weft::unmapped, 0, 0, 0})(params, digits.images, digits.labels, counts);
}

/// Which examples take part in a step: each with the same probability, whatever the others do (Poisson sampling), which
/// is what the accountant assumes. A compiled step has room for so many; `counts` tells which of them were drawn.
struct Sample {
  train::Digits digits;
  Array counts;  // bool[room]
};
struct Sampling {
  double probability;
  std::int64_t room;

  /// Of `batch_size` examples on average. What does not fit is left out, so that one example can then put another in
  /// the place of a third. That is so rare (overflow_chance) that delta can pay for it.
  static Sampling of(int batch_size, std::int64_t examples) {
    return {std::min(1.0, static_cast<double>(batch_size) / static_cast<double>(examples)),
            std::min(examples, static_cast<std::int64_t>(batch_size + 7 * std::sqrt(batch_size) + 7))};
  }
  Sample draw(const Array& key, const train::Digits& all) const {
    const auto [values, indices] = lax::top_k(-weft::random::uniform(key, {all.labels.shape(0)}), room);
    return {{all.images(indices), all.labels(indices)}, -values < probability};
  }
};

struct NoisyDescent {
  double learning_rate, clip, noise;
  double scale;  // of the mean over the room for examples: to one over as many as a sample has on average
  Array key;     // of the noise
};
inline auto private_descent(const NoisyDescent& d) {
  return optim::chain(optim::contrib::differentially_private_aggregate(d.clip, d.noise, d.key), optim::scale(d.scale),
                      optim::sgd(d.learning_rate));
}
using Optimizer = decltype(private_descent({}));

/// All that a run is.
struct Run {
  train::TrainStateOf<nn::Collection, Optimizer> state;
  Array key;  // of the next sample
};

/// `key` is of the parameters, `sampling_key` of the samples.
inline Run first_run(const Optimizer& tx, const Array& key, const Array& sampling_key) {
  const auto init = weft::jit([](const Array& key) { return Cnn().init(key, np::zeros({1, 28, 28, 1})); });
  return {train::create_train_state(init(key).at("params"), tx), sampling_key};
}

/// The run after one more step.
struct TrainStep {
  Sampling sampling;
  Optimizer tx;

  Run operator()(const Run& run, const train::Digits& all) const {
    const Array keys = weft::random::split(run.key);
    const Sample sample = sampling.draw(keys(0), all);
    const nn::Collection grads = gradients(run.state.params, sample.digits, sample.counts);
    return {run.state.apply_gradients(tx, grads), keys(1)};
  }
};

}  // namespace per_example_gradients
