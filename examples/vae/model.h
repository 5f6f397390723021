// The variational autoencoder and the step that it learns by. Knows nothing about epochs, files and pictures.
#pragma once

#include <utility>

#include "nn/nn.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "train/train_state.h"
#include "weft/weft.h"

namespace vae {

namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;
using weft::Array;

inline constexpr int kSide = 28, kPixels = kSide * kSide;

/// A normal distribution of codes for each image, independent in all latents.
struct Gaussian {
  Array mean, logvar;  // [n, latents]
};

/// q(z | x)
struct Encoder : nn::Module<Encoder> {
  int latents = 0;
  Gaussian call(const Array& x) const {
    const Array h = nn::relu(nn::Dense{.features = 500, .name = "fc1"}(x));
    const Array mean = nn::Dense{.features = latents, .name = "fc2_mean"}(h);
    const Array logvar = nn::Dense{.features = latents, .name = "fc2_logvar"}(h);
    return {mean, logvar};
  }
};

/// The logits of p(x | z): how dark each pixel is.
struct Decoder : nn::Module<Decoder> {
  Array call(const Array& z) const {
    const Array h = nn::relu(nn::Dense{.features = 500, .name = "fc1"}(z));
    return nn::Dense{.features = kPixels, .name = "fc2"}(h);
  }
};

struct Vae : nn::Module<Vae> {
  int latents = 20;
  Encoder encoder = {.latents = latents};
  Decoder decoder = {};

  /// One code drawn for each image, and what the decoder makes of it. The noise does not depend on the parameters, so
  /// gradients pass through the mean and the deviation.
  std::pair<Array, Gaussian> call(const Array& x) const {
    const Gaussian q = encoder(x);
    const Array noise = weft::random::normal(make_rng("latents"), q.mean.shape());
    return {decoder(q.mean + np::exp(0.5 * q.logvar) * noise), q};
  }
  Array generate(const Array& z) const { return nn::sigmoid(decoder(z)); }
};

/// The negative evidence lower bound and its parts, in nats; means over images. It would bound -log p(x) from above if
/// pixels were 0 or 1. Grey values between are taken for probabilities, as is usual.
struct Elbo {
  Array loss, reconstruction, kl;
};
struct Autoencoded {
  Elbo elbo;
  Array images;  // f32[n, kPixels], from 0 to 1
};

/// Of grey images u8[n, kPixels].
inline Autoencoded autoencode(const Vae& vae, const nn::Collection& params, const Array& images, const Array& key) {
  const Array x = images.astype(weft::f32) / 255;
  const auto [logits, q] = vae.apply({{"params", params}}, {.rngs = {{"latents", key}}}, x);
  const Array reconstruction = np::mean(np::sum(optim::sigmoid_binary_cross_entropy(logits, x), -1));
  // KL(q || N(0, 1)), in closed form.
  const Array kl = np::mean(0.5 * np::sum(np::square(q.mean) + np::exp(q.logvar) - 1 - q.logvar, -1));
  return {{reconstruction + kl, reconstruction, kl}, nn::sigmoid(logits)};
}

using Adam = decltype(optim::adam(0));
using State = train::TrainStateOf<nn::Collection, Adam>;

inline State first_state(const Vae& vae, const Adam& tx, const Array& key) {
  const auto init = weft::jit([=](const Array& key) { return vae.init(key, np::zeros({1, kPixels})); });
  return train::create_train_state(init(key).at("params"), tx);
}

/// The state after a step, and the bound before it. The noise follows from the key and the number of the step.
struct TrainStep {
  Vae vae;
  Adam tx;

  std::pair<State, Elbo> operator()(const State& state, const Array& images, const Array& key) const {
    const Array step_key = weft::random::fold_in(key, state.step);
    const auto loss = [&](const nn::Collection& params) {
      const Elbo elbo = autoencode(vae, params, images, step_key).elbo;
      return std::pair(elbo.loss, elbo);
    };
    const auto [value, grads] = weft::value_and_grad(loss, weft::has_aux)(state.params);
    return {state.apply_gradients(tx, grads), value.second};
  }
};

}  // namespace vae
