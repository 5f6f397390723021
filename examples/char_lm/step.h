// The step that the transformer learns by: its loss, its optimiser, its state.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "parameter_names.h"
#include "train/metrics.h"
#include "train/train_state.h"

namespace char_lm {

namespace optim = weft::optim;
namespace train = weft::train;

/// The axes of those parameters that are matrices in a block: its kernels.
inline std::optional<optim::contrib::MuonDimensionNumbers> matrix_axes(const std::string& path, const Array& leaf) {
  const std::vector<std::string> names = parameter_names(path);
  if (!names.front().starts_with("Block_") || names.back() != "kernel") return {};
  if (leaf.ndim() == 2) return optim::contrib::MuonDimensionNumbers();
  // Kernels of queries, keys and values are [width, heads, depth], that of the sum over heads [heads, depth, width].
  if (names[names.size() - 2] == "out") return {{.reduction_axes = {0, 1}, .output_axes = {2}}};
  return {{.reduction_axes = {0}, .output_axes = {1, 2}}};
}

/// Matrices by Muon (Jordan, 2024), embeddings and the last layer by AdamW, with steps of equal size (Liu et al.,
/// 2025). Muon's products are of that dtype, as the model's are.
using Optimizer = optim::Chain<optim::OnTrees<optim::ClipByGlobalNorm>, optim::contrib::Muon>;
inline Optimizer optimizer(const optim::Schedule& learning_rate, double weight_decay, weft::DType dtype) {
  return optim::chain(optim::clip_by_global_norm(1.0),
                      optim::contrib::muon(learning_rate, {.weight_decay = weight_decay,
                                                           .ns_dtype = dtype,
                                                           .adam_weight_decay = weight_decay,
                                                           .muon_weight_dimension_numbers = matrix_axes,
                                                           .consistent_rms = 0.2}));
}

using State = train::TrainStateOf<nn::Collection, Optimizer>;

/// Of a model that sees so many characters.
inline nn::Collection first_params(const Transformer& model, std::int64_t context, const Array& key) {
  const auto init = weft::jit(
      [&](const Array& key) { return model.init(key, np::zeros({1, context}, weft::i32), np::arange(context), true); });
  return init(key).at("params");
}
inline State first_state(const Transformer& model, const Optimizer& tx, std::int64_t context, const Array& key) {
  return train::create_train_state(first_params(model, context, key), tx);
}

/// Losses[batch, length], in nats, of windows u8[batch, length + 1]. Without a key, there is no dropout.
inline Array losses_of(const Transformer& model, const nn::Collection& params, const Array& windows,
                       const Array& key = {}) {
  const Array tokens = windows.astype(weft::i32);
  const Array before = tokens(weft::slice(), weft::slice(0, -1)), next = tokens(weft::slice(), weft::slice(1, {}));
  nn::Rngs rngs;
  if (key.defined()) rngs["dropout"] = key;
  const Array logits =
      model.apply({{"params", params}}, {.rngs = rngs}, before, np::arange(before.shape(1)), !key.defined());
  return optim::softmax_cross_entropy_with_integer_labels(logits, next);
}

/// The state after a step, and the loss before it. Dropout follows from the key and the number of the step.
struct TrainStep {
  Transformer model;
  Optimizer tx;

  std::pair<State, Array> operator()(const State& state, const Array& batch, const Array& key) const {
    const auto loss = [&](const nn::Collection& params) {
      return np::mean(losses_of(model, params, batch, weft::random::fold_in(key, state.step)));
    };
    const auto [value, grads] = weft::value_and_grad(loss)(state.params);
    return {state.apply_gradients(tx, grads), value};
  }
};

/// The mean loss of the windows that the mask keeps.
struct EvalStep {
  Transformer model;

  train::metrics::Average operator()(const nn::Collection& params, const Array& batch, const Array& mask) const {
    return train::metrics::Average::of(losses_of(model, params, batch), mask);
  }
};

}  // namespace char_lm
