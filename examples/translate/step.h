// The step that the transformer learns by: its loss with smoothed labels, its optimiser, and the average of its
// parameters, which translates better than they do (Polyak and Juditsky, 1992).
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "corpus.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "train/train_state.h"
#include "transformer.h"

namespace translate {

namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;
using weft::Array;

/// Totals over the target tokens of a batch, padding left out.
struct Totals {
  Array loss;      // cross entropy to the smoothed labels
  Array log_loss;  // -log p of the token
  Array tokens;    // how many
};

/// Token t + 1 is told from tokens 0 to t. With a key, there is dropout.
inline Totals totals(const Transformer& model, const nn::Collection& params, const Sentences& batch, double smoothing,
                     const std::optional<Array>& key = {}) {
  const nn::Rngs rngs = key ? nn::Rngs{{"dropout", *key}} : nn::Rngs();
  const Array inputs = batch.target(weft::ellipsis, weft::slice(0, -1));
  const Array labels = batch.target(weft::ellipsis, weft::slice(1, std::nullopt));
  const Array logits =
      model.apply({{"params", params}}, nn::ApplyOptions{.rngs = rngs}, batch.source, inputs, key.has_value());
  const Array log_loss = optim::softmax_cross_entropy_with_integer_labels(logits, labels);
  // The cross entropy to labels of which a part is spread over the whole vocabulary.
  const Array spread = nn::logsumexp(logits, -1) - np::mean(logits, -1);
  const Array counts = (labels != BytePairEncoding::kPad).astype(weft::f32);
  return {np::sum(((1 - smoothing) * log_loss + smoothing * spread) * counts), np::sum(log_loss * counts),
          np::sum(counts)};
}

using Adam = optim::Descent<optim::ScaleByAdam>;
inline Adam optimizer(double learning_rate, std::int64_t warmup, std::int64_t steps) {
  return optim::adam(
      optim::warmup_cosine_decay_schedule(
          {.peak_value = learning_rate, .warmup_steps = warmup, .decay_steps = std::max(warmup + 1, steps)}),
      {.b2 = 0.98, .eps = 1e-9});
}
using State = train::TrainStateOf<nn::Collection, Adam>;

struct Learned {
  State state;
  nn::Collection average;  // of the parameters lately
};

inline nn::Collection first_params(const Transformer& model, const Array& key) {
  const auto init = weft::jit([&](const Array& key) {
    const Array token = np::ones({1, 1}, weft::i32);
    return model.init(key, token, token, false).at("params");
  });
  return init(key);
}
inline Learned first_state(const Transformer& model, const Adam& tx, const Array& key) {
  const nn::Collection params = first_params(model, key);
  const nn::Collection average = weft::tree::map([](const Array& p) { return np::copy(p); }, params);
  return {train::create_train_state(params, tx), average};
}

/// What is learned after a step, and the totals of the batch before it. Dropout follows from the key and the number of
/// the step.
struct TrainStep {
  Transformer model;
  Adam tx;
  double smoothing, decay;

  std::pair<Learned, Totals> operator()(const Learned& learned, const Array& key, const Sentences& batch) const {
    const State& state = learned.state;
    const auto loss = [&](const nn::Collection& params) {
      const Totals s = totals(model, params, batch, smoothing, weft::random::fold_in(key, state.step));
      return std::pair(s.loss / s.tokens, s);
    };
    const auto [value, grads] = weft::value_and_grad(loss, weft::has_aux)(state.params);
    State next = state.apply_gradients(tx, grads);
    // Of about the last tenth of the steps at first, then of 1 / (1 - decay).
    const Array newest = np::maximum(1 - decay, 10.0f / (next.step + 9));
    nn::Collection average = optim::incremental_update(next.params, learned.average, newest);
    return {Learned{std::move(next), std::move(average)}, value.second};
  }
};

/// The totals of a batch without dropout and smoothing.
struct EvalStep {
  Transformer model;

  Totals operator()(const nn::Collection& params, const Sentences& batch) const {
    return totals(model, params, batch, 0);
  }
};

}  // namespace translate
