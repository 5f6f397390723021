// Trains a multilayer perceptron on handwritten digits: grad for the gradients, jit for speed,
// random::permutation for the minibatches.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>

#include "train/mnist.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/sheet.h"
#include "weft/weft.h"

using weft::Array;
namespace np = weft::np;
namespace lax = weft::lax;
namespace rnd = weft::random;

struct Dense {
  Array w, b;
  Array operator()(const Array& x) const { return np::matmul(x, w) + b; }
};

struct Mlp {
  Dense hidden1, hidden2, output;
  Array operator()(Array x) const {
    x = np::maximum(hidden1(x), 0.0);
    x = np::maximum(hidden2(x), 0.0);
    return output(x);
  }
};

Dense init_dense(const Array& key, int in, int out) {
  return {rnd::normal(key, {in, out}) * std::sqrt(2.0 / in), np::zeros({out})};
}

Mlp init_mlp(const Array& key) {
  const Array keys = rnd::split(key, 3);
  return {init_dense(keys(0), 784, 512), init_dense(keys(1), 512, 512), init_dense(keys(2), 512, 10)};
}

// Mean of -log softmax(logits)[label], and how many labels have the largest logit.
std::pair<Array, Array> loss_and_hits(const Mlp& mlp, const Array& images, const Array& labels) {
  const Array logits = mlp(images);
  const Array log_p = logits - np::logsumexp(logits, -1, true);
  const Array one_hot = (labels(weft::slice(), weft::newaxis) == np::arange(10)).astype(weft::f32);
  return {-np::mean(np::sum(log_p * one_hot, -1)), np::count_nonzero(np::argmax(logits, -1) == labels)};
}

struct State {
  Mlp params, velocity;
};

int main(int argc, char** argv) {
  int epochs = 5, batch = 128, seed = 0;
  double learning_rate = 0.05, momentum = 0.9;
  std::string out = ".";
  CLI::App app("Trains a 784-512-512-10 perceptron on the MNIST digits.");
  app.add_option("--epochs", epochs, "passes over the training digits")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--batch", batch, "digits per step")->capture_default_str()->check(CLI::Range(1, 10000));
  app.add_option("--learning-rate", learning_rate, "of the first epoch; falls along a cosine")->capture_default_str();
  app.add_option("--momentum", momentum)->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--out", out, "folder for digits.png and curve.png")
      ->capture_default_str()
      ->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);

  try {
    const weft::train::Mnist data = weft::train::load_mnist();
    for (const std::string& note : data.notes) std::printf("note: %s\n", note.c_str());
    std::printf("digits: %s\n", data.source.c_str());
    const auto images = [](const std::vector<std::uint8_t>& bytes, std::int64_t n) {
      return Array::from_vector(bytes, weft::Dims{n, 784});
    };
    const auto labels = [](const std::vector<std::uint8_t>& bytes) { return Array(bytes).astype(weft::i32); };
    const Array train_x = images(data.train_images, data.num_train()), train_y = labels(data.train_labels);
    const Array test_x = images(data.test_images, data.num_test()), test_y = labels(data.test_labels);

    // One step of gradient descent with momentum on the digits numbered `ids`.
    const auto step = weft::jit(
        [momentum](State s, Array x, Array y, Array ids, Array rate) {
          const Array digits = x(ids).astype(weft::f32) / 255.0, wanted = y(ids);
          const auto [value, g] =
              weft::value_and_grad([&](Mlp p) { return loss_and_hits(p, digits, wanted); }, weft::has_aux)(s.params);
          s.velocity = weft::tree::map([&](const Array& v, const Array& d) { return momentum * v + d; }, s.velocity, g);
          s.params =
              weft::tree::map([&](const Array& p, const Array& v) { return p - rate * v; }, s.params, s.velocity);
          return std::tuple(s, value.first, value.second);
        },
        {.name = "step"});
    const auto predict =
        weft::jit([](Mlp p, Array x) { return np::argmax(p(x.astype(weft::f32) / 255.0), -1); }, {.name = "predict"});

    const Array key = rnd::key(seed);
    State state{init_mlp(rnd::fold_in(key, 0)), {}};
    state.velocity = weft::tree::map([](const Array& p) { return np::zeros_like(p); }, state.params);

    const std::int64_t steps = data.num_train() / batch;
    weft::train::Series loss_curve{"training loss", {}, {}}, accuracy_curve{"test accuracy", {}, {}};
    accuracy_curve.markers = true;
    double accuracy = 0;
    Array predicted;
    for (int epoch = 1; epoch <= epochs; ++epoch) {
      const Array order = rnd::permutation(rnd::fold_in(key, epoch), data.num_train());
      weft::train::Progress progress("epoch " + std::to_string(epoch) + "/" + std::to_string(epochs), steps * batch,
                                     "images");
      double loss_sum = 0, hits = 0;
      for (std::int64_t i = 0; i < steps; ++i) {
        const double done = (epoch - 1 + static_cast<double>(i) / static_cast<double>(steps)) / epochs;
        const auto rate = static_cast<float>(learning_rate * 0.5 * (1 + std::cos(M_PI * done)));
        Array loss, hit;
        std::tie(state, loss, hit) =
            step(state, train_x, train_y, order(weft::slice(i * batch, (i + 1) * batch)), rate);
        loss_sum += loss.item<double>();
        hits += hit.item<double>();
        const double seen = static_cast<double>(i + 1);
        progress.advance(batch, {{"loss", loss_sum / seen}, {"accuracy", hits / (seen * batch)}});
        if (i % 20 == 0) {
          loss_curve.x.push_back(epoch - 1 + static_cast<double>(i) / static_cast<double>(steps));
          loss_curve.y.push_back(loss.item<double>());
        }
      }
      progress.finish();
      predicted = predict(state.params, test_x);
      accuracy = np::mean((predicted == test_y).astype(weft::f32)).item<double>();
      accuracy_curve.x.push_back(epoch);
      accuracy_curve.y.push_back(100 * accuracy);
      std::printf("epoch %d: test accuracy %.2f %%\n", epoch, 100 * accuracy);
    }

    const std::vector<std::int32_t> guesses = predicted.to_vector<std::int32_t>();
    const std::size_t shown = std::min<std::size_t>(200, guesses.size());
    weft::train::digit_sheet(out + "/digits.png", {.title = "test digits and predictions",
                                                   .images = std::span(data.test_images).first(shown * 784),
                                                   .labels = std::span(data.test_labels).first(shown),
                                                   .predictions = std::span(guesses).first(shown)});
    weft::train::line_plot(out + "/curve.png",
                           {.title = "784-512-512-10 perceptron, SGD with momentum",
                            .x_label = "epoch",
                            .panels = {{"loss", {loss_curve}}, {"accuracy in %", {accuracy_curve}, 0, 100}}});
    std::printf("wrote %s/digits.png and %s/curve.png\n", out.c_str(), out.c_str());
    return 0;
  } catch (const weft::Error& e) {
    std::fprintf(stderr, "%s: %s\n", std::string(e.kind()).c_str(), e.what());
    return 1;
  }
}
